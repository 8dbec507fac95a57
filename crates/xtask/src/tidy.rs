//! Checks on the shape of the house that no compiler makes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::root;

/// Which crates of the workspace a crate may use, and which external ones only it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("nostall-model", &[]),
    ("nostall-catalog", &["nostall-model"]),
    ("nostall-rust", &["nostall-model", "nostall-catalog"]),
    ("nostall-python", &["nostall-model", "nostall-catalog"]),
    (
        "nostall-engine",
        &[
            "nostall-model",
            "nostall-catalog",
            "nostall-rust",
            "nostall-python",
        ],
    ),
    ("nostall-report", &["nostall-model"]),
    (
        "nostall",
        &[
            "nostall-model",
            "nostall-catalog",
            "nostall-engine",
            "nostall-report",
        ],
    ),
    ("nostall-install", &["nostall"]),
    ("nostall-probe", &[]),
    ("video-service", &["nostall-probe"]),
];

/// Crates that one crate fences off.
const FENCES: &[(&str, &[&str])] = &[
    ("syn", &["nostall-rust"]),
    ("tree-sitter", &["nostall-python"]),
    ("tree-sitter-python", &["nostall-python"]),
    ("clap", &["nostall", "video-service"]),
    ("ignore", &["nostall-engine"]),
    ("tokio", &["nostall-probe", "video-service"]),
    ("sqlx", &["nostall-probe", "video-service"]),
    ("redis", &["nostall-probe", "video-service"]),
    ("reqwest", &["nostall-probe", "video-service"]),
];

/// Crates that may use anything: they are not published.
const FREE: &[&str] = &["testkit", "xtask"];

/// A source file longer than this holds more than one thing.
const LONGEST_FILE: usize = 800;

/// Runs all checks and lists everything that is wrong.
pub(crate) fn run() -> Result<()> {
    let mut wrong = Vec::new();
    arrows(&mut wrong)?;
    for file in tracked_files()? {
        check_file(&file, &mut wrong)?;
    }
    rule_pages(&mut wrong)?;
    if wrong.is_empty() {
        println!("tidy: all in order");
        return Ok(());
    }
    bail!(
        "tidy found {} things:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    )
}

fn arrows(wrong: &mut Vec<String>) -> Result<()> {
    let output = std::process::Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .context("run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if FREE.contains(&name) {
            continue;
        }
        let Some(allowed) = allowed.get(name) else {
            wrong.push(format!(
                "crate {name} has no line in xtask/src/tidy.rs: say what it may use"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].is_null() {
                check_dependency(
                    name,
                    dependency["name"].as_str().unwrap_or_default(),
                    &names,
                    allowed,
                    wrong,
                );
            }
        }
    }
    Ok(())
}

fn check_dependency(
    name: &str,
    dependency: &str,
    own: &[&str],
    allowed: &[&str],
    wrong: &mut Vec<String>,
) {
    if own.contains(&dependency) && !allowed.contains(&dependency) {
        wrong.push(format!(
            "{name} may not use {dependency}: see the table of crates in ARCHITECTURE.md"
        ));
    }
    for (fenced, users) in FENCES {
        if dependency == *fenced && !users.contains(&name) {
            wrong.push(format!(
                "{name} may not use {fenced}: only {} may",
                users.join(", ")
            ));
        }
    }
}

fn tracked_files() -> Result<Vec<PathBuf>> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("run git ls-files")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .map(PathBuf::from)
        .filter(|file| root().join(file).is_file())
        .collect())
}

fn check_file(file: &Path, wrong: &mut Vec<String>) -> Result<()> {
    let shown = file.display();
    let fixture = file.starts_with("fixtures");
    let bytes = std::fs::read(root().join(file)).with_context(|| format!("read {shown}"))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(());
    };
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    if is_rust && !fixture {
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!(
                "{shown}: {lines} lines, more than {LONGEST_FILE}: does it hold one thing only?"
            ));
        }
        if !text.starts_with("//!") && !text.starts_with("#!") {
            wrong.push(format!(
                "{shown}: no `//!` header that says what the file is for"
            ));
        }
    }
    if !fixture && file != Path::new("crates/xtask/src/tidy.rs") {
        for (number, line) in text.lines().enumerate() {
            for unwelcome in ["todo!(", "unimplemented!(", "dbg!("] {
                if is_rust && line.contains(unwelcome) {
                    wrong.push(format!(
                        "{shown}:{}: `{unwelcome}..)` is unfinished work",
                        number + 1
                    ));
                }
            }
            for path in ["/home/", "/root/", "/Users/", "/work/"] {
                if line.contains(path) && !line.contains("https://") {
                    wrong.push(format!(
                        "{shown}:{}: a path of somebody's machine",
                        number + 1
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Every rule has its page.
fn rule_pages(wrong: &mut Vec<String>) -> Result<()> {
    let source = std::fs::read_to_string(root().join("crates/nostall-engine/src/rules/mod.rs"))
        .context("read the list of rules")?;
    for line in source
        .lines()
        .filter(|line| line.trim_start().starts_with("blocking(\""))
    {
        let Some(id) = line.split('"').nth(1) else {
            continue;
        };
        if !root().join(format!("docs/rules/{id}.md")).is_file() {
            wrong.push(format!("docs/rules/{id}.md is missing"));
        }
    }
    Ok(())
}
