//! Other tools on the same packages, held against the same labels by the same scorer.
//!
//! They are installed at pinned versions below `target/eval/tools`, which is never committed. Of what they report only the
//! rules about blocking calls in async code count. A tool that cannot be installed is named and left out. What has to build
//! the packages is in [`clippy`], and runs only when it is asked for.

mod bodies;
mod clippy;
pub(crate) mod python;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use super::score::{self, Finding, Label, Scores};
use super::{LONGEST_RUN, MODES, Package, Which};
use crate::root;

/// What to compare with.
#[derive(Args)]
pub(crate) struct CompareOptions {
    /// Installs other tools and scores them on the same packages.
    #[arg(long)]
    compare: bool,
    /// Compares with clippy's `disallowed_methods` too: builds the packages, and so runs their build scripts.
    #[arg(long)]
    compare_clippy: bool,
    /// The most seconds that clippy may take for one package.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    clippy_timeout: u64,
    /// Builds no further package after so many seconds with clippy.
    #[arg(long, value_name = "SECONDS")]
    clippy_budget: Option<u64>,
}

impl CompareOptions {
    /// Says whether anything is to be compared.
    pub(crate) fn wanted(&self, language: Which) -> bool {
        self.compare || self.compare_clippy && language == Which::Rust
    }
}

/// The table, and what has to be known to read it.
pub(crate) struct Comparison {
    pub(crate) language: Which,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

/// How one tool did.
pub(crate) struct Row {
    pub(crate) tool: String,
    pub(crate) version: String,
    pub(crate) scores: Scores,
    pub(crate) duration: Duration,
}

/// Runs nostall and the other tools.
pub(crate) fn run(
    language: Which,
    options: &CompareOptions,
    binary: &Path,
    packages: &[Package],
    labels: &[Label],
) -> Result<Comparison> {
    let mut comparison = Comparison {
        language,
        rows: Vec::new(),
        notes: Vec::new(),
    };
    for (mode, flags) in MODES {
        let measured = measure(packages, |package| nostall(binary, package, flags));
        comparison.add(&format!("nostall, {mode}"), OWN_VERSION, labels, &measured);
    }
    match language {
        Which::Rust => rust(options, binary, packages, labels, &mut comparison)?,
        Which::Python => python::compare(packages, labels, &mut comparison)?,
    }
    Ok(comparison)
}

fn rust(
    options: &CompareOptions,
    binary: &Path,
    packages: &[Package],
    labels: &[Label],
    comparison: &mut Comparison,
) -> Result<()> {
    for tool in &TOOLS {
        match install(tool) {
            Ok(installed) => {
                let measured = measure(packages, |package| check(tool, &installed, package));
                comparison.add(tool.name, tool.version, labels, &measured);
                comparison.note(format!("{}: {}.", tool.name, tool.rules.join(", ")));
            }
            Err(error) => comparison.note(format!(
                "{} {} is left out: it could not be installed ({error:#}).",
                tool.name, tool.version
            )),
        }
    }
    if options.compare_clippy {
        let limits = clippy::Limits {
            package: Duration::from_secs(options.clippy_timeout),
            total: options.clippy_budget.map(Duration::from_secs),
        };
        clippy::compare(&limits, binary, packages, labels, comparison)?;
    }
    Ok(())
}

/// All crates of the workspace have one version.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Comparison {
    fn add(&mut self, tool: &str, version: &str, labels: &[Label], measured: &Measured) {
        self.rows.push(Row {
            tool: tool.to_owned(),
            version: version.to_owned(),
            scores: score::score(self.language, labels, &measured.findings),
            duration: measured.duration,
        });
        if measured.failures.is_empty() {
            return;
        }
        let trees: Vec<&str> = measured.failures.keys().map(String::as_str).collect();
        self.note(format!("{tool} failed on {}.", trees.join(", ")));
        for (tree, error) in &measured.failures {
            println!("  {tree}: {error}");
        }
    }

    fn note(&mut self, note: String) {
        println!("{note}");
        self.notes.push(note);
    }
}

/// What a tool reported, by the package's tree.
#[derive(Default)]
struct Measured {
    findings: BTreeMap<String, Vec<Finding>>,
    duration: Duration,
    failures: BTreeMap<String, String>,
}

/// Checks one package after the other.
fn measure(
    packages: &[Package],
    mut check: impl FnMut(&Package) -> Result<Vec<Finding>>,
) -> Measured {
    let mut measured = Measured::default();
    for package in packages {
        let begun = Instant::now();
        let outcome = check(package);
        measured.duration += begun.elapsed();
        match outcome {
            Ok(findings) => {
                measured.findings.insert(package.tree.clone(), findings);
            }
            Err(error) => {
                let error = format!("{error:#}");
                measured.failures.insert(package.tree.clone(), error);
            }
        }
    }
    measured
}

fn nostall(binary: &Path, package: &Package, flags: &[&str]) -> Result<Vec<Finding>> {
    score::findings(&super::check(binary, package, flags)?, package)
}

/// A tool that reads sources and reports as JSON. What stands where is said by JSON pointers.
struct Tool {
    name: &'static str,
    version: &'static str,
    /// `{folder}` stands for the package's folder.
    arguments: &'static [&'static str],
    /// Prints all rules. Those that do not count are then switched off: they would have the package built.
    list_rules: &'static [&'static str],
    /// The rules that count.
    rules: &'static [&'static str],
    findings: &'static str,
    rule: &'static str,
    path: &'static str,
    line: &'static str,
    column: &'static str,
    message: &'static str,
}

const TOOLS: [Tool; 3] = [
    Tool {
        name: "cargo-perf",
        version: "0.6.0",
        arguments: &["--format", "json", "--path", "{folder}"],
        list_rules: &[],
        rules: &["async-block-in-async"],
        findings: "",
        rule: "/rule_id",
        path: "/file_path",
        line: "/line",
        column: "/column",
        message: "/message",
    },
    Tool {
        name: "cargo-async-doctor",
        version: "1.0.1",
        arguments: &[
            "--message-format",
            "json",
            "--manifest-path",
            "{folder}/Cargo.toml",
        ],
        list_rules: &[],
        rules: &[
            "blocking-sleep-in-async",
            "blocking-std-api-in-async",
            "sync-async-bridge-hazard",
        ],
        findings: "/diagnostics",
        rule: "/id",
        path: "/location/package_path",
        line: "/location/line",
        column: "/location/column",
        message: "/message",
    },
    Tool {
        name: "rust-doctor",
        version: "0.9.0",
        arguments: &["--json", "{folder}"],
        list_rules: &["rules", "list", "--json"],
        rules: &[
            "rust_doctor::source::blocking_call_in_async",
            "rust_doctor::source::block_on_in_async",
        ],
        findings: "/diagnostics",
        rule: "/code",
        path: "/path",
        line: "/span/line_start",
        column: "/span/column_start",
        message: "/message",
    },
];

/// Where everything is that other tools need.
fn folder() -> PathBuf {
    root().join("target/eval/tools")
}

/// A tool that can be run.
struct Installed {
    binary: PathBuf,
    switches: Vec<String>,
}

fn install(tool: &Tool) -> Result<Installed> {
    println!("installing {} {}", tool.name, tool.version);
    let folder = folder();
    let status = Command::new("cargo")
        .args(["install", "--quiet", "--locked", "--root"])
        .arg(&folder)
        .args([tool.name, "--version", tool.version])
        .status()
        .context("run cargo install")?;
    ensure!(status.success(), "cargo install ended with {status}");
    let file = format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX);
    let binary = folder.join("bin").join(file);
    let switches = switches(tool, &binary)?;
    Ok(Installed { binary, switches })
}

fn switches(tool: &Tool, binary: &Path) -> Result<Vec<String>> {
    if tool.list_rules.is_empty() {
        return Ok(Vec::new());
    }
    let listed = json(Command::new(binary).args(tool.list_rules))?;
    let all = listed.as_array().context("rules are a list")?;
    let mut switches = Vec::new();
    for id in all.iter().filter_map(|rule| rule["id"].as_str()) {
        let level = if tool.rules.contains(&id) {
            "warn"
        } else {
            "off"
        };
        switches.extend(["--rule".to_owned(), format!("{id}={level}")]);
    }
    Ok(switches)
}

fn check(tool: &Tool, installed: &Installed, package: &Package) -> Result<Vec<Finding>> {
    let folder = package.folder.to_string_lossy();
    let arguments = tool
        .arguments
        .iter()
        .map(|argument| argument.replace("{folder}", &folder));
    let report = json(
        Command::new(&installed.binary)
            .args(&installed.switches)
            .args(arguments)
            .current_dir(&package.folder),
    )?;
    let findings = report.pointer(tool.findings).and_then(Value::as_array);
    findings
        .context("the report has no list of findings")?
        .iter()
        .filter(|finding| {
            let rule = finding.pointer(tool.rule).and_then(Value::as_str);
            rule.is_some_and(|rule| tool.rules.contains(&rule))
        })
        .map(|finding| read(tool, finding, package))
        .collect()
}

fn read(tool: &Tool, finding: &Value, package: &Package) -> Result<Finding> {
    let text = |pointer| finding.pointer(pointer).and_then(Value::as_str);
    let number = |pointer| finding.pointer(pointer).and_then(Value::as_u64);
    let path = Path::new(text(tool.path).context("a finding has a path")?);
    let path = path.strip_prefix(&package.folder).unwrap_or(path);
    let line = number(tool.line).context("a finding has a line")?;
    let column = number(tool.column).unwrap_or(1);
    let message = text(tool.message).unwrap_or_default();
    let call = match quoted(message) {
        Some(call) => call.to_owned(),
        None => written(&package.folder.join(path), line, column)?,
    };
    Ok(Finding {
        path: path.to_string_lossy().replace('\\', "/"),
        line: u32::try_from(line)?,
        call,
        rule: text(tool.rule).unwrap_or_default().to_owned(),
    })
}

/// What a message has between its first backticks.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// The callee that the source has at a place.
fn written(file: &Path, line: u64, column: u64) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let line = text.lines().nth(usize::try_from(line)?.saturating_sub(1));
    let before = usize::try_from(column)?.saturating_sub(1);
    Ok(line
        .unwrap_or_default()
        .chars()
        .skip(before)
        .take_while(|character| *character != '(')
        .collect())
}

/// Runs a command that prints JSON. The exit code may speak of findings, so the text decides.
fn json(command: &mut Command) -> Result<Value> {
    let captured = capture(command, LONGEST_RUN)?;
    let Some(captured) = captured else {
        bail!("still running after {} s", LONGEST_RUN.as_secs());
    };
    serde_json::from_str(&captured.output).with_context(|| {
        let last = captured.errors.lines().last().unwrap_or_default();
        format!("read a report: {last}")
    })
}

/// What a command that has ended printed.
struct Captured {
    success: bool,
    output: String,
    errors: String,
}

/// Runs a command to its end; answers nothing when it was stopped because it took longer.
fn capture(command: &mut Command, longest: Duration) -> Result<Option<Captured>> {
    let output = tempfile::NamedTempFile::new()?;
    let errors = tempfile::NamedTempFile::new()?;
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.reopen()?)
        .stderr(errors.reopen()?)
        .spawn()
        .with_context(|| format!("run {}", command.get_program().display()))?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > longest {
            stop(&mut child)?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |file: &tempfile::NamedTempFile| -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(file.path())?).into_owned())
    };
    Ok(Some(Captured {
        success: status.success(),
        output: text(&output)?,
        errors: text(&errors)?,
    }))
}

/// Ends a child. What it began is in its process group and would outlive it.
fn stop(child: &mut Child) -> Result<()> {
    if cfg!(unix) {
        let group = format!("-{}", child.id());
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .status()?;
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}
