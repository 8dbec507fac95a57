//! How many crates each feature of `nostall-probe` brings, as a table in its README.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::between;
use crate::root;

/// The page that holds the table between two marks.
pub(super) const PAGE: &str = "crates/nostall-probe/README.md";

const BEGIN: &str = "<!-- Made by `cargo xtask gen`: -->\n";
const END: &str = "<!-- end -->";

/// What is counted, and what it is.
const SETS: &[(&str, &str)] = &[
    ("", "policies, statistics, `gather`, `offload`"),
    ("sqlite", "SQLite, in a file or in memory"),
    ("postgres", "PostgreSQL"),
    ("mysql", "MySQL and MariaDB"),
    ("cache", "the cache within the process"),
    ("redis", "Redis, and `cache`"),
    ("http", "the HTTP client"),
    ("files", "files below a root"),
    ("metrics", "an exporter for the `metrics` crate"),
    ("full", "all of these"),
    ("full,tls", "all of these, with TLS"),
];

/// The page with its table made anew.
pub(super) fn page() -> Result<String> {
    let text =
        std::fs::read_to_string(root().join(PAGE)).with_context(|| format!("read {PAGE}"))?;
    between(&text, BEGIN, END, &table()?).context(PAGE)
}

fn table() -> Result<String> {
    let mut table = "| features | brings | crates |\n| --- | --- | --- |\n".to_owned();
    for (features, what) in SETS {
        let shown = if features.is_empty() {
            "none".to_owned()
        } else {
            format!("`{}`", features.replace(',', "`, `"))
        };
        let _ = writeln!(table, "| {shown} | {what} | {} |", crates(features)?);
    }
    Ok(table)
}

/// Counts the crates that a build for 64-bit Linux needs, macros that run while it is built included.
fn crates(features: &str) -> Result<usize> {
    let output = Command::new("cargo")
        .args(["tree", "--locked", "-p", "nostall-probe"])
        .args(["--features", features, "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}"])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .context("run cargo tree")?;
    ensure!(
        output.status.success(),
        "cargo tree failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.starts_with("nostall-probe "))
        .collect();
    Ok(crates.len())
}
