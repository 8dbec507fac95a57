//! Tools for Python, installed from PyPI at pinned versions into an environment below `target/eval/tools/python`.
//!
//! The environments of the analysed packages are not installed: each tool sees one unpacked wheel and nothing of what it
//! imports, as nostall does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Captured, Comparison, Finding, LONGEST_RUN, Label, Measured, Package, capture};

/// What a tool is on PyPI: the packages that are installed for it, and its program.
pub(crate) struct Pinned {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Packages at versions beside the tool's own.
    with: &'static [&'static str],
    program: &'static str,
}

pub(crate) const RUFF: Pinned = Pinned {
    name: "ruff",
    version: "0.17.5",
    with: &[],
    program: "ruff",
};

const FLAKE8_ASYNC: Pinned = Pinned {
    name: "flake8-async",
    version: "26.8.1",
    with: &["flake8==7.5.0", "libcst==1.9.0"],
    program: "flake8",
};

pub(crate) const HYDROID: Pinned = Pinned {
    name: "hydroid-cli",
    version: "0.5.0",
    with: &[],
    program: "hydroid",
};

/// What `ruff check` is told: no configuration, nothing kept, no file left out.
pub(crate) const RUFF_ARGUMENTS: [&str; 9] = [
    "check",
    "--isolated",
    "--no-cache",
    "--ignore-noqa",
    "--no-respect-gitignore",
    "--config",
    "exclude = []",
    "--preview",
    "--select",
];

/// Where hydroid-cli keeps what it has learnt, in the folder that it checks.
pub(crate) const HYDROID_CACHE: &str = ".hydroid_cache";

/// The most time that hydroid-cli gets for one package.
const LONGEST_HYDROID: Duration = Duration::from_secs(300);

/// Runs all tools.
pub(super) fn compare(
    packages: &[Package],
    labels: &[Label],
    comparison: &mut Comparison,
) -> Result<()> {
    if let Some(ruff) = installed(&RUFF, comparison) {
        for (row, rules) in [("ruff", "ASYNC2"), ("ruff, all of ASYNC", "ASYNC")] {
            let measured = super::measure(packages, |package| run_ruff(&ruff, rules, package));
            comparison.add(row, RUFF.version, labels, &measured);
        }
        comparison.note("ruff: `--preview --select ASYNC2`, and `ASYNC`.".to_owned());
    }
    if let Some(flake8) = installed(&FLAKE8_ASYNC, comparison) {
        compare_flake8(&flake8, packages, labels, comparison)?;
    }
    if let Some(hydroid) = installed(&HYDROID, comparison) {
        compare_hydroid(&hydroid, packages, labels, comparison)?;
    }
    Ok(())
}

fn installed(tool: &Pinned, comparison: &mut Comparison) -> Option<PathBuf> {
    match install(tool) {
        Ok(program) => Some(program),
        Err(error) => {
            comparison.note(format!(
                "{} {} is left out: it could not be installed ({error:#}).",
                tool.name, tool.version
            ));
            None
        }
    }
}

/// Installs a tool, unless that was done before, and answers where its program is.
pub(crate) fn install(tool: &Pinned) -> Result<PathBuf> {
    println!("installing {} {}", tool.name, tool.version);
    let environment = environment("tools", &[])?;
    let own = format!("{}=={}", tool.name, tool.version);
    let mut pip = Command::new(program(&environment, "python"));
    pip.args(["-m", "pip", "install", "--quiet"])
        .arg("--disable-pip-version-check")
        .arg(own)
        .args(tool.with);
    let captured = succeed(&mut pip)?;
    ensure!(
        captured.success,
        "pip: {}",
        captured.errors.lines().last().unwrap_or_default()
    );
    Ok(program(&environment, tool.program))
}

/// An environment in which nothing is installed, so that what is on this machine decides nothing.
pub(crate) fn empty_environment() -> Result<PathBuf> {
    environment("empty", &["--without-pip"])
}

fn environment(name: &str, options: &[&str]) -> Result<PathBuf> {
    let folder = super::folder().join("python").join(name);
    if !folder.join("pyvenv.cfg").is_file() {
        let mut command = Command::new("python3");
        command.args(["-m", "venv"]).args(options).arg(&folder);
        let captured = succeed(&mut command)?;
        ensure!(captured.success, "python3 -m venv: {}", captured.errors);
    }
    Ok(folder)
}

fn program(environment: &Path, name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    environment.join(folder).join(file)
}

fn succeed(command: &mut Command) -> Result<Captured> {
    capture(command, LONGEST_RUN)?.context("it took too long")
}

fn run_ruff(program: &Path, rules: &str, package: &Package) -> Result<Vec<Finding>> {
    let report = super::json(
        Command::new(program)
            .args(RUFF_ARGUMENTS)
            .args([rules, "--output-format", "json"])
            .arg(&package.folder)
            .current_dir(&package.folder),
    )?;
    let findings = report.as_array().context("the report is a list")?;
    findings
        .iter()
        // What does not parse is reported under a code of another kind.
        .filter(|finding| code(finding).starts_with("ASYNC"))
        .map(|finding| {
            place(
                finding,
                "/filename",
                "/location/row",
                code(finding),
                package,
            )
        })
        .collect()
}

fn code(finding: &Value) -> &str {
    finding["code"].as_str().unwrap_or_default()
}

fn place(
    finding: &Value,
    path: &str,
    line: &str,
    rule: &str,
    package: &Package,
) -> Result<Finding> {
    let path = finding.pointer(path).and_then(Value::as_str);
    let line = finding.pointer(line).and_then(Value::as_u64);
    let path = inside(path.context("a finding has a path")?, package);
    let line = u32::try_from(line.context("a finding has a line")?)?;
    Ok(at(path, line, rule))
}

fn inside(path: &str, package: &Package) -> String {
    let path = Path::new(path);
    let path = path.strip_prefix(&package.folder).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// In Python the place alone decides, so the call may stay empty.
fn at(path: String, line: u32, rule: &str) -> Finding {
    Finding {
        path,
        line,
        call: String::new(),
        rule: rule.to_owned(),
    }
}

/// It takes a third of a second for a file and looks at each alone, so it gets only the files that have labels.
fn compare_flake8(
    program: &Path,
    packages: &[Package],
    labels: &[Label],
    comparison: &mut Comparison,
) -> Result<()> {
    let mut files: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for label in labels {
        files.entry(label.tree()).or_default().insert(&label.path);
    }
    let mut broken = BTreeSet::new();
    let measured = super::measure(packages, |package| {
        let Some(files) = files.get(&package.tree) else {
            return Ok(Vec::new());
        };
        let mut findings = run_flake8(program, files, package)?;
        for finding in findings.extract_if(.., |finding| finding.rule.starts_with("E9")) {
            let file = format!("{}/{}", package.tree, finding.path);
            broken.insert(file);
        }
        Ok(findings)
    });
    comparison.add(FLAKE8_ASYNC.name, FLAKE8_ASYNC.version, labels, &measured);
    comparison.note(format!(
        "flake8-async: `flake8 --select ASYNC2` with {}; it looks at each file alone and ran only over the {} files that \
         have labels, so its findings and seconds are of these.",
        FLAKE8_ASYNC.with.join(" and "),
        files.values().map(BTreeSet::len).sum::<usize>()
    ));
    if !broken.is_empty() {
        comparison.note(format!(
            "flake8-async: {} of the files do not parse for {}.",
            broken.len(),
            interpreter()?
        ));
    }
    Ok(())
}

fn run_flake8(program: &Path, files: &BTreeSet<&str>, package: &Package) -> Result<Vec<Finding>> {
    let mut command = Command::new(program);
    command
        .args(["--isolated", "--select", "ASYNC2,E9", "--disable-noqa"])
        .args(["--exclude", "", "--exit-zero"])
        .args(["--format", "%(path)s\t%(row)d\t%(code)s"])
        .args(files)
        .current_dir(&package.folder);
    let captured = succeed(&mut command)?;
    ensure!(captured.success, "{}", captured.errors);
    captured
        .output
        .lines()
        .map(|line| {
            let mut parts = line.split('\t');
            let (Some(path), Some(line), Some(rule)) = (parts.next(), parts.next(), parts.next())
            else {
                anyhow::bail!("read a line of flake8: {line}")
            };
            Ok(at(inside(path, package), line.parse()?, rule))
        })
        .collect()
}

fn interpreter() -> Result<String> {
    let python = program(&environment("tools", &[])?, "python");
    Ok(succeed(Command::new(python).arg("--version"))?
        .output
        .trim()
        .to_owned())
}

/// Its cache lies in the folder that it checks, so it gets copies; the first run is cold, the second is warm.
fn compare_hydroid(
    program: &Path,
    packages: &[Package],
    labels: &[Label],
    comparison: &mut Comparison,
) -> Result<()> {
    let empty = empty_environment()?;
    let copies = tempfile::tempdir()?;
    let mut late = BTreeSet::new();
    let (mut cold, mut warm) = (Measured::default(), Measured::default());
    for package in packages {
        let copy = Package {
            tree: package.tree.clone(),
            folder: copies.path().join(&package.tree),
        };
        copy_sources(&package.folder, &copy.folder)?;
        for measured in [&mut cold, &mut warm] {
            let one = super::measure(std::slice::from_ref(&copy), |package| {
                let found = run_hydroid(program, &empty, package)?;
                if found.is_none() {
                    late.insert(package.tree.clone());
                }
                Ok(found.unwrap_or_default())
            });
            measured.findings.extend(one.findings);
            measured.failures.extend(one.failures);
            measured.duration += one.duration;
            if late.contains(&package.tree) {
                break;
            }
        }
        std::fs::remove_dir_all(&copy.folder)?;
    }
    for (row, measured) in [("hydroid-cli, cold", &cold), ("hydroid-cli, warm", &warm)] {
        comparison.add(row, HYDROID.version, labels, measured);
    }
    comparison.note(
        "hydroid-cli: all of its findings, with the options that it has by default and an environment in which nothing is \
         installed. Cold is the first run, warm the second, with its cache."
            .to_owned(),
    );
    if !late.is_empty() {
        let late: Vec<&str> = late.iter().map(String::as_str).collect();
        comparison.note(format!(
            "hydroid-cli did not end within {} s on {} of {} packages, and counts there as silent: {}.",
            LONGEST_HYDROID.as_secs(),
            late.len(),
            packages.len(),
            late.join(", ")
        ));
    }
    Ok(())
}

/// What `hydroid` is told beside the folder.
pub(crate) fn hydroid_arguments(empty: &Path) -> [&std::ffi::OsStr; 4] {
    let words = ["--python", "--format", "json"].map(std::ffi::OsStr::new);
    [words[0], empty.as_os_str(), words[1], words[2]]
}

/// Answers nothing when it was stopped.
fn run_hydroid(program: &Path, empty: &Path, package: &Package) -> Result<Option<Vec<Finding>>> {
    let mut command = Command::new(program);
    command
        .args(hydroid_arguments(empty))
        .arg(&package.folder)
        .current_dir(&package.folder);
    let Some(captured) = capture(&mut command, LONGEST_HYDROID)? else {
        return Ok(None);
    };
    let last = captured.errors.lines().last().unwrap_or_default();
    let report: Value =
        serde_json::from_str(&captured.output).with_context(|| format!("read a report: {last}"))?;
    let findings = report["diagnostics"].as_array();
    findings
        .context("the report has no list of findings")?
        .iter()
        .map(|finding| {
            let category = finding.pointer("/sink/category").and_then(Value::as_str);
            let rule = category.unwrap_or_default();
            place(finding, "/location/path", "/location/line", rule, package)
        })
        .collect::<Result<_>>()
        .map(Some)
}

/// Copies a folder.
pub(crate) fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}
