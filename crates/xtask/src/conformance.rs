//! Holds nostall against the test files of flake8-async: which lines both report, and why they differ where they differ.
//!
//! The files stay as published but for the imports that some lack: these go in front of the first line, so that no line
//! moves. Each is checked once, as written: the runs of flake8-async's own driver for other async libraries expect the
//! same lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Deserialize;

use crate::eval::{MODES, Package, check};
use crate::root;

/// What to hold against the test files.
#[derive(Args)]
pub(crate) struct Options {
    /// This nostall, instead of one built here in release mode.
    #[arg(long)]
    binary: Option<PathBuf>,
}

const VERSION: &str = "26.8.1";
const HASH: &str = "c2d9e7b318169a85d821c8b2e661959481e59db1551626b7471c6e4627c99d9b";
const REASONS: &str = "fixtures/eval/python/flake8-async.tsv";
const PAGE: &str = "docs/conformance-flake8-async.md";

/// The files, and the imports that they lack. flake8-async goes by the text of a call, nostall by what a name stands for.
const FILES: [(&str, &str); 14] = [
    (
        "async210.py",
        "import urllib.request; from urllib import request; from urllib.request import urlopen",
    ),
    ("async211.py", ""),
    (
        "async212.py",
        "import httpx; import httpx2; import urllib3.connectionpool; import urllib3.poolmanager; from typing import Optional",
    ),
    ("async22x.py", SUBPROCESS),
    ("async22x_asyncio.py", SUBPROCESS),
    ("async232.py", ""),
    ("async232_asyncio.py", ""),
    ("async23x.py", ""),
    ("async23x_asyncio.py", ""),
    ("async240.py", ""),
    ("async250.py", ""),
    ("async250_multi_library.py", ""),
    ("async251.py", ""),
    ("async251_multi_library.py", ""),
];

const SUBPROCESS: &str = "import os; import subprocess; from os import P_NOWAIT, P_WAIT";

/// The rule of nostall that answers to a rule of flake8-async, by how its code starts.
const RULES: [(&str, &str); 6] = [
    ("ASYNC21", "blocking-http"),
    ("ASYNC22", "blocking-process"),
    ("ASYNC23", "blocking-fs"),
    ("ASYNC240", "blocking-fs"),
    ("ASYNC250", "blocking-console"),
    ("ASYNC251", "blocking-sleep"),
];

/// Fetches, checks, compares, writes the page; fails on a divergence without a reason and on a reason without a divergence.
pub(crate) fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => crate::release_binary()?,
    };
    let files = prepare()?;
    let comparison = compare(&files, findings(&binary, &files)?);
    let mut reasons = reasons()?;
    let mut unexplained = Vec::new();
    let text = page(&comparison, |divergence| {
        let reason = reasons.remove(&divergence.key());
        if reason.is_none() {
            unexplained.push(format!(
                "{}: unexplained {}: {}",
                divergence.place(),
                divergence.kind,
                divergence.source
            ));
        }
        reason
    });
    std::fs::write(root().join(PAGE), text).with_context(|| format!("write {PAGE}"))?;
    println!("{}\nwrote {PAGE}", comparison.summary());
    for line in &unexplained {
        println!("{line}");
    }
    for (file, line, kind) in reasons.keys() {
        println!("{file}:{line}: stale reason: there is no such {kind} line");
    }
    ensure!(
        unexplained.is_empty() && reasons.is_empty(),
        "{} divergences have no reason, {} reasons no divergence: see {REASONS}",
        unexplained.len(),
        reasons.len()
    );
    Ok(())
}

/// A test file, with the lines as published.
struct File {
    name: &'static str,
    lines: Vec<String>,
}

/// Downloads the source distribution and writes the files to check into a folder of their own, anew each time.
fn prepare() -> Result<Vec<File>> {
    let folder = root().join("target/eval/conformance");
    let tests = format!("flake8_async-{VERSION}/tests/eval_files");
    let archive = folder.join(format!("flake8_async-{VERSION}.tar.gz"));
    std::fs::create_dir_all(&folder)?;
    if !archive.is_file() {
        download(&folder)?;
    }
    let mut tar = Command::new("tar");
    tar.arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .args([&folder, Path::new(&tests)]);
    finish(tar)?;
    let checked = checked();
    if checked.is_dir() {
        std::fs::remove_dir_all(&checked)?;
    }
    std::fs::create_dir_all(&checked)?;
    // Beside it lies what was downloaded, which is no part of it.
    std::fs::write(checked.join("nostall.toml"), "root = true\n")?;
    let mut files = Vec::new();
    for (name, imports) in FILES {
        let text = std::fs::read_to_string(folder.join(&tests).join(name))
            .with_context(|| format!("read {name}"))?;
        let separator = match imports {
            "" => "",
            _ if text.starts_with('#') => "  ",
            _ => "; ",
        };
        std::fs::write(checked.join(name), format!("{imports}{separator}{text}"))?;
        let lines = text.lines().map(str::to_owned).collect();
        files.push(File { name, lines });
    }
    Ok(files)
}

/// No part of the name may look like tests: nostall leaves these out.
fn checked() -> PathBuf {
    root().join("target/eval/conformance/checked")
}

/// pip looks at the hash before it runs anything of the package.
fn download(folder: &Path) -> Result<()> {
    let requirements = folder.join("requirements.txt");
    std::fs::write(
        &requirements,
        format!("flake8-async=={VERSION} --hash=sha256:{HASH}\n"),
    )?;
    let mut pip = Command::new("pip");
    pip.args(["download", "-q", "--no-deps", "--no-binary", ":all:"])
        .arg("-r")
        .arg(&requirements)
        .arg("-d")
        .arg(folder);
    finish(pip)
}

fn finish(mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("run {}", command.get_program().display()))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// A finding, as far as the comparison looks.
#[derive(Deserialize)]
struct Finding {
    path: String,
    line: usize,
    rule: String,
    call: String,
    #[serde(default)]
    also_at: Vec<AlsoAt>,
}

/// Another call that a finding speaks for.
#[derive(Deserialize)]
struct AlsoAt {
    line: usize,
    call: String,
}

/// Findings by file and line.
type Findings = BTreeMap<(String, usize), Vec<Finding>>;

fn findings(binary: &Path, files: &[File]) -> Result<Findings> {
    let package = Package {
        tree: "flake8-async".to_owned(),
        folder: checked(),
    };
    let mut findings = Findings::new();
    let (_, everything) = MODES[1];
    for line in check(binary, &package, everything)?.lines() {
        let finding: Finding = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let file = files
            .iter()
            .find(|file| Path::new(&finding.path).ends_with(file.name))
            .with_context(|| format!("a finding in {}", finding.path))?;
        for also in &finding.also_at {
            let other = Finding {
                path: finding.path.clone(),
                line: also.line,
                rule: finding.rule.clone(),
                call: also.call.clone(),
                also_at: Vec::new(),
            };
            let place = (file.name.to_owned(), other.line);
            findings.entry(place).or_default().push(other);
        }
        findings
            .entry((file.name.to_owned(), finding.line))
            .or_default()
            .push(finding);
    }
    Ok(findings)
}

/// The codes that a line expects, as flake8-async's driver reads them: `# ASYNC210: ..`, `# ASYNC220_asyncio: ..`, and
/// `# error: ..` for the code that the file is named after; never on a line of comment alone.
fn expected(file: &str, line: &str) -> BTreeSet<String> {
    let own = file
        .split(['_', '.'])
        .next()
        .unwrap_or_default()
        .to_uppercase();
    if line.trim_start().starts_with('#') {
        return BTreeSet::new();
    }
    line.split('#')
        .skip(1)
        .filter_map(|comment| {
            let (code, _) = comment.trim().split_once(':')?;
            let code = code.split('_').next().unwrap_or_default();
            match code {
                "error" => Some(own.clone()),
                _ if code.len() == 8 && code.starts_with("ASYNC") => Some(code.to_owned()),
                _ => None,
            }
        })
        .collect()
}

/// How many lines are expected, how many of them found, how many reported beside them.
#[derive(Clone, Copy, Default)]
struct Counts {
    expected: usize,
    found: usize,
    extra: usize,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.found += other.found;
        self.extra += other.extra;
    }
}

/// A line that one of both reports.
struct Divergence {
    file: &'static str,
    line: usize,
    kind: &'static str,
    source: String,
    /// The code that expects it or the rules and calls that report it.
    what: String,
}

impl Divergence {
    fn key(&self) -> Key {
        (self.file.to_owned(), self.line, self.kind.to_owned())
    }

    fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// What came out.
#[derive(Default)]
struct Comparison {
    files: BTreeMap<&'static str, Counts>,
    /// By flake8-async's code for what is expected, by nostall's rule for what is extra.
    rules: BTreeMap<(&'static str, String), Counts>,
    divergences: Vec<Divergence>,
}

impl Comparison {
    fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.files.values().for_each(|counts| total.add(*counts));
        total
    }

    fn summary(&self) -> String {
        let total = self.total();
        format!(
            "flake8-async {VERSION}: {} expected lines, {} found, {} missing, {} extra",
            total.expected,
            total.found,
            total.expected - total.found,
            total.extra
        )
    }

    fn count(&mut self, file: &'static str, rule: &str, counts: Counts) {
        self.rules
            .entry((file, rule.to_owned()))
            .or_default()
            .add(counts);
    }
}

/// A line counts as found when a finding of the fitting rule stands on it; every other finding is extra.
fn compare(files: &[File], mut findings: Findings) -> Comparison {
    let mut comparison = Comparison::default();
    for file in files {
        let mut counts = Counts::default();
        for (index, text) in file.lines.iter().enumerate() {
            let line = index + 1;
            let mut own = findings
                .remove(&(file.name.to_owned(), line))
                .unwrap_or_default();
            let divergence = |kind, what| Divergence {
                file: file.name,
                line,
                kind,
                source: text.split('#').next().unwrap_or_default().trim().to_owned(),
                what,
            };
            let codes = expected(file.name, text);
            for code in &codes {
                let before = own.len();
                own.retain(|finding| !fits(code, &finding.rule));
                let found = own.len() < before;
                let one = Counts {
                    expected: 1,
                    found: usize::from(found),
                    extra: 0,
                };
                counts.add(one);
                comparison.count(file.name, code, one);
                if !found {
                    comparison
                        .divergences
                        .push(divergence("missing", code.clone()));
                }
            }
            if !own.is_empty() {
                let one = Counts {
                    extra: 1,
                    ..Counts::default()
                };
                counts.add(one);
                let calls: BTreeSet<String> = own
                    .iter()
                    .map(|finding| format!("{} `{}`", finding.rule, finding.call))
                    .collect();
                let rules: BTreeSet<&str> =
                    own.iter().map(|finding| finding.rule.as_str()).collect();
                for rule in rules {
                    comparison.count(file.name, rule, one);
                }
                let calls: Vec<String> = calls.into_iter().collect();
                comparison
                    .divergences
                    .push(divergence("extra", calls.join(", ")));
            }
        }
        comparison.files.insert(file.name, counts);
    }
    comparison
}

fn fits(code: &str, rule: &str) -> bool {
    RULES
        .iter()
        .any(|(start, own)| code.starts_with(start) && *own == rule)
}

/// File, line, and `missing` or `extra`.
type Key = (String, usize, String);

fn reasons() -> Result<BTreeMap<Key, String>> {
    let text =
        std::fs::read_to_string(root().join(REASONS)).with_context(|| format!("read {REASONS}"))?;
    let mut reasons = BTreeMap::new();
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, line, kind, reason] = fields.as_slice() else {
            bail!("{REASONS}: not four fields: {row}")
        };
        let line = line.parse().with_context(|| row.to_owned())?;
        let key = ((*file).to_owned(), line, (*kind).to_owned());
        let known = reasons.insert(key, (*reason).to_owned());
        ensure!(known.is_none(), "{REASONS}: twice: {row}");
    }
    Ok(reasons)
}

fn page(comparison: &Comparison, mut reason: impl FnMut(&Divergence) -> Option<String>) -> String {
    let mut text = format!(
        "# Conformance with flake8-async's own tests\n\n\
        Made by `cargo xtask conformance`: nostall at `{}` over the test files of flake8-async {VERSION} for its\n\
        rules about blocking calls (ASYNC210 to ASYNC251, without ASYNC200, which has no calls of its own). Imports that a\n\
        file lacks were put in front of its first line. An expected line is found when a finding of the fitting rule stands on\n\
        it. flake8-async enables only the rules that a file is about, nostall all of its own, which is why whole groups of\n\
        lines are extra.\n\n{}.\n",
        MODES[1].1.join(" "),
        comparison.summary()
    );
    text.push_str("\n## By file\n\n| file | expected | found | missing | extra |\n| --- | --- | --- | --- | --- |\n");
    for (file, counts) in &comparison.files {
        row(&mut text, file, *counts);
    }
    row(&mut text, "**all**", comparison.total());
    text.push_str("\n## By file and rule\n\nA line with two rules is extra in two rows.\n\n| file, rule | expected | found | missing | extra |\n| --- | --- | --- | --- | --- |\n");
    for ((file, rule), counts) in &comparison.rules {
        row(&mut text, &format!("{file}, {rule}"), *counts);
    }
    for (kind, title, column) in [
        ("missing", "Expected and not found", "expected"),
        ("extra", "Found and not expected", "found"),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n| line | source | {column} | reason |\n| --- | --- | --- | --- |\n"
        );
        for divergence in comparison
            .divergences
            .iter()
            .filter(|divergence| divergence.kind == kind)
        {
            let reason = reason(divergence).unwrap_or_else(|| "**unexplained**".to_owned());
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {reason} |",
                divergence.place(),
                divergence.source.replace('|', "\\|"),
                divergence.what
            );
        }
    }
    text
}

fn row(text: &mut String, name: &str, counts: Counts) {
    let _ = writeln!(
        text,
        "| {name} | {} | {} | {} | {} |",
        counts.expected,
        counts.found,
        counts.expected - counts.found,
        counts.extra
    );
}

#[cfg(test)]
mod tests {
    use super::expected;

    fn codes(line: &str) -> Vec<String> {
        expected("async21x_more.py", line).into_iter().collect()
    }

    #[test]
    fn reads_what_a_line_expects() {
        assert_eq!(codes("    f()  # ASYNC210: 4, 'f'"), ["ASYNC210"]);
        assert_eq!(
            codes("f(g())# ASYNC210: 0 # ASYNC211: 2"),
            ["ASYNC210", "ASYNC211"]
        );
        assert_eq!(codes("f()  # ASYNC220_asyncio: 4"), ["ASYNC220"]);
        assert_eq!(codes("f()  # error: 4"), ["ASYNC21X"]);
    }

    #[test]
    fn other_comments_expect_nothing() {
        assert!(codes("f()  # should error").is_empty());
        assert!(codes("    # f()  # ASYNC210: 4").is_empty());
        assert!(codes("f()").is_empty());
    }
}
