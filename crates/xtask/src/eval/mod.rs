//! Recall and false alarms on hand-verified sites in published packages.
//!
//! The labels are a sample of the development set: a finding without a label is neither right nor wrong.

mod compare;
mod packages;
mod report;
mod score;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

pub(crate) use compare::python;
pub(crate) use packages::{Package, Wheel, fetch, published_crate, published_wheel, rows};
use score::Finding;

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// The language; both without it.
    language: Option<Which>,
    /// Lists missed true sites and reported false ones.
    #[arg(long)]
    list: bool,
    /// Writes docs/evaluation.md.
    #[arg(long)]
    write: bool,
    /// Keeps the findings as JSON lines in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Measures this program instead of building nostall.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    #[command(flatten)]
    compare: compare::CompareOptions,
}

/// A language of the evaluation.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// 52 crates.
    Rust,
    /// 42 wheels.
    Python,
}

impl Which {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
        }
    }
}

/// The ways in which nostall is run: a name, and the options.
pub(crate) const MODES: [(&str, &[&str]); 3] = [
    (
        "low risk, likely",
        &["--min-risk", "low", "--min-confidence", "likely"],
    ),
    (
        "low risk, possible",
        &["--min-risk", "low", "--min-confidence", "possible"],
    ),
    ("defaults", &[]),
];

/// A package must be checked within this time; none comes near it.
const LONGEST_RUN: Duration = Duration::from_secs(600);

/// Downloads, runs, scores, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => crate::release_binary()?,
    };
    let languages = match options.language {
        Some(one) => vec![one],
        None => vec![Which::Rust, Which::Python],
    };
    let mut page = report::Page::new();
    for language in languages {
        evaluate(language, &binary, options, &mut page)?;
    }
    if options.write {
        page.write()?;
    }
    Ok(())
}

fn evaluate(
    language: Which,
    binary: &Path,
    options: &Options,
    page: &mut report::Page,
) -> Result<()> {
    let packages = fetch(language)?;
    let labels = score::labels(language)?;
    let mut failures = Vec::new();
    for (mode, flags) in MODES {
        let mut findings: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        let mut raw = String::new();
        for package in &packages {
            match check(binary, package, flags) {
                Ok(output) => {
                    findings.insert(package.tree.clone(), score::findings(&output, package)?);
                    raw.push_str(&output);
                }
                Err(error) => failures.push(format!("{} ({mode}): {error:#}", package.tree)),
            }
        }
        if let Some(folder) = &options.keep {
            let file = folder.join(format!(
                "{}-{}.jsonl",
                language.name(),
                mode.replace([' ', ','], "-")
            ));
            std::fs::create_dir_all(folder)?;
            std::fs::write(&file, raw).with_context(|| format!("write {}", file.display()))?;
        }
        let scores = score::score(language, &labels, &findings);
        report::print(language, mode, &scores, options.list);
        page.add(language, mode, &scores);
    }
    if options.compare.wanted(language) {
        let comparison = compare::run(language, &options.compare, binary, &packages, &labels)?;
        report::print_comparison(&comparison);
        page.add_comparison(&comparison);
    }
    for package in packages.iter().take(2) {
        ensure!(
            check(binary, package, MODES[1].1)? == check(binary, package, MODES[1].1)?,
            "{}: a second run differs",
            package.tree
        );
    }
    println!(
        "{}: a second run of {} packages gave the same bytes",
        language.name(),
        packages.len().min(2)
    );
    if failures.is_empty() {
        Ok(())
    } else {
        bail!("{} runs failed:\n{}", failures.len(), failures.join("\n"))
    }
}

/// Checks one package; answers what was printed.
pub(crate) fn check(binary: &Path, package: &Package, flags: &[&str]) -> Result<String> {
    check_as(binary, package, "jsonl", flags)
}

/// Checks one package and answers in a format.
pub(crate) fn check_as(
    binary: &Path,
    package: &Package,
    format: &str,
    flags: &[&str],
) -> Result<String> {
    let out = tempfile::NamedTempFile::new()?;
    let errors = tempfile::NamedTempFile::new()?;
    let mut child = Command::new(binary)
        .args(["check", "--format", format, "--quiet", "--allow-empty"])
        .args(flags)
        .arg(&package.folder)
        .current_dir(&package.folder)
        .stdin(Stdio::null())
        .stdout(out.reopen()?)
        .stderr(errors.reopen()?)
        .spawn()
        .with_context(|| format!("run {}", binary.display()))?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > LONGEST_RUN {
            child.kill()?;
            child.wait()?;
            bail!("still running after {} s", LONGEST_RUN.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let errors = std::fs::read_to_string(errors.path()).unwrap_or_default();
    ensure!(
        matches!(status.code(), Some(0 | 1)),
        "ended with {status}: {}",
        errors.lines().last().unwrap_or_default()
    );
    ensure!(!errors.contains("panicked"), "panicked: {errors}");
    Ok(std::fs::read_to_string(out.path())?)
}

/// What a table counts: how many of how many.
pub(crate) type Share = (usize, usize);
