//! How much of the calls in async code is known, per package, and what stands between us and the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::eval::{Which, check_as, fetch};
use crate::root;

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// The language.
    language: Which,
    /// Writes the page of the language in docs/.
    #[arg(long)]
    write: bool,
}

/// Counts of one package.
#[derive(Default)]
struct Row {
    calls: u64,
    resolved: u64,
    external: u64,
    unknown: u64,
}

/// Checks all packages, counts, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    let binary = crate::release_binary()?;
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut shapes: BTreeMap<String, u64> = BTreeMap::new();
    for package in fetch(options.language)? {
        let output = check_as(&binary, &package, "json", &["--show-unresolved"])?;
        let report: Value = serde_json::from_str(&output).context("read a report")?;
        let stats = &report["stats"];
        let count = |key: &str| stats[key].as_u64().unwrap_or_default();
        rows.insert(
            package.tree.clone(),
            Row {
                calls: count("calls"),
                resolved: count("resolved_calls"),
                external: count("external_calls"),
                unknown: count("unknown_calls"),
            },
        );
        for call in report["unresolved"].as_array().into_iter().flatten() {
            *shapes
                .entry(shape(call["reason"].as_str().unwrap_or_default()))
                .or_default() += 1;
        }
    }
    let text = page(options.language, &rows, &shapes);
    println!("{text}");
    if options.write {
        let file = root().join(format!("docs/coverage-{}.md", options.language.name()));
        std::fs::write(&file, &text).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

/// The reason without the names in it, but with the library that a value comes from.
fn shape(reason: &str) -> String {
    let mut shape = String::new();
    for (index, part) in reason.split('`').enumerate() {
        if index % 2 == 0 {
            shape.push_str(part);
        } else if part.contains("::") || part.contains('.') {
            let first = part.split([':', '.']).next().unwrap_or_default();
            let _ = write!(shape, "`{first}…`");
        } else {
            shape.push_str("`…`");
        }
    }
    shape
}

fn page(language: Which, rows: &BTreeMap<String, Row>, shapes: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Coverage: {}\n\nMade by `cargo xtask coverage {0} --write` over the packages of the evaluation: the calls in async code whose target\n\
        is known (the program's own, or an entry of the catalogue), lies outside both, or is not known.\n\n\
        | package | calls | resolved | external | unknown |\n| --- | --- | --- | --- | --- |\n",
        language.name()
    );
    let share = |part: u64, all: u64| 100.0 * part as f64 / all.max(1) as f64;
    let mut line = |name: &str, row: &Row| {
        let _ = writeln!(
            text,
            "| {name} | {} | {:.1} % | {:.1} % | {:.1} % |",
            row.calls,
            share(row.resolved, row.calls),
            share(row.external, row.calls),
            share(row.unknown, row.calls)
        );
    };
    let mut total = Row::default();
    for (name, row) in rows {
        line(name, row);
        total.calls += row.calls;
        total.resolved += row.resolved;
        total.external += row.external;
        total.unknown += row.unknown;
    }
    line("**all**", &total);
    text.push_str("\n## The most frequent unknown shapes\n\n| calls | why |\n| --- | --- |\n");
    let mut ordered: Vec<(&String, &u64)> = shapes.iter().collect();
    ordered.sort_by_key(|(shape, count)| (std::cmp::Reverse(**count), (*shape).clone()));
    for (shape, count) in ordered.into_iter().take(25) {
        let _ = writeln!(text, "| {count} | {shape} |");
    }
    text
}
