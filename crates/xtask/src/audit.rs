//! Draws findings for an audit: which ones is decided by a seed alone, so that nobody chooses what is read.
//!
//! The lines go to the standard output. Readers add their verdicts; `fixtures/eval/<language>/audit.jsonl` keeps them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::eval::{MODES, Which, check, fetch};

/// What to draw.
#[derive(Args)]
pub(crate) struct Options {
    /// The language.
    language: Which,
    /// Decides which findings are drawn.
    #[arg(long)]
    seed: u32,
    /// How many findings.
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// The most of one package.
    #[arg(long, default_value_t = 8)]
    per_package: usize,
    /// From what is shown at `--min-risk low --min-confidence possible` and not at the defaults.
    #[arg(long)]
    possible: bool,
}

/// The fields of a finding that a reader needs.
const KEPT: [&str; 11] = [
    "path",
    "line",
    "column",
    "rule",
    "call",
    "function",
    "entry",
    "risk",
    "confidence",
    "reach",
    "chain",
];

/// Checks all packages, draws, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    let binary = crate::release_binary()?;
    let mut drawn: Vec<([u8; 32], Map<String, Value>)> = Vec::new();
    for package in fetch(options.language)? {
        let (_, flags) = MODES[if options.possible { 1 } else { 2 }];
        let folder = format!("{}/", package.folder.display());
        for line in check(&binary, &package, flags)?.lines() {
            let finding: Map<String, Value> =
                serde_json::from_str(&line.replace(&folder, "")).context("read a finding")?;
            let hidden = finding["risk"] == "low" || finding["confidence"] == "possible";
            if options.possible && !hidden {
                continue;
            }
            let key = format!(
                "{} {} {}:{}:{} {}",
                options.seed,
                package.tree,
                finding["path"],
                finding["line"],
                finding["column"],
                finding["rule"]
            );
            let mut kept = Map::new();
            kept.insert("seed".into(), options.seed.into());
            kept.insert("package".into(), package.tree.clone().into());
            for field in KEPT {
                kept.insert(field.into(), finding[field].clone());
            }
            drawn.push((Sha256::digest(key).into(), kept));
        }
    }
    drawn.sort_by_key(|left| left.0);
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0;
    for (_, finding) in drawn {
        let of_package = taken.entry(finding["package"].to_string()).or_default();
        if count < options.count && *of_package < options.per_package {
            *of_package += 1;
            count += 1;
            println!("{}", Value::Object(finding));
        }
    }
    Ok(())
}
