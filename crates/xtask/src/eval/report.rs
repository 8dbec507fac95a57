//! The figures, on the terminal and in `docs/evaluation.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::compare::Comparison;
use super::score::Scores;
use super::{Share, Which};
use crate::root;

/// Prints what came out of one mode.
pub(crate) fn print(language: Which, mode: &str, scores: &Scores, list: bool) {
    println!(
        "\n== {}, {mode}: {} findings",
        language.name(),
        scores.findings
    );
    println!(
        "recall {}, macro average over categories {:.1} %",
        share(scores.recall),
        100.0 * scores.macro_average()
    );
    println!(
        "paths and aliases only {}, with library knowledge {}",
        share(scores.by_path),
        share(scores.by_library)
    );
    for (title, table) in [
        ("kind", &scores.by_kind),
        ("category", &scores.by_category),
        ("need", &scores.by_need),
    ] {
        println!("by {title}: {}", line(table));
    }
    println!(
        "false sites hit {}: {}",
        share(scores.false_sites),
        line(&scores.false_by_kind)
    );
    if !list {
        return;
    }
    for (what, labels) in [("missed", &scores.missed), ("false", &scores.hit)] {
        for label in labels {
            println!(
                "{what} {}/{}:{} {} [{}, {}] {}",
                label.tree(),
                label.path,
                label.line,
                label.call,
                label.kind,
                label.category,
                label.why
            );
        }
    }
}

fn share((found, all): Share) -> String {
    if all == 0 {
        return "0/0".to_owned();
    }
    format!("{found}/{all} = {:.1} %", 100.0 * found as f64 / all as f64)
}

fn line(table: &BTreeMap<String, Share>) -> String {
    table
        .iter()
        .map(|(key, (found, all))| format!("{key} {found}/{all}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Prints the table of all tools. Its notes were printed as they came.
pub(crate) fn print_comparison(comparison: &Comparison) {
    println!(
        "\n== {}, compared with other tools\n{}\n{}",
        comparison.language.name(),
        table(comparison),
        categories(comparison)
    );
}

fn table(comparison: &Comparison) -> String {
    let mut text = "| tool | version | true sites | direct | method | transitive | false sites | findings | seconds |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for row in &comparison.rows {
        let scores = &row.scores;
        let kind = |kind: &str| {
            let (found, all) = scores.by_kind.get(kind).copied().unwrap_or_default();
            format!("{found}/{all}")
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {:.1} |",
            row.tool,
            row.version,
            share(scores.recall),
            kind("direct"),
            kind("method"),
            kind("transitive"),
            share(scores.false_sites),
            scores.findings,
            row.duration.as_secs_f64()
        );
    }
    text
}

/// Recall by category, one column for each.
fn categories(comparison: &Comparison) -> String {
    let names: Vec<&str> = comparison
        .rows
        .first()
        .into_iter()
        .flat_map(|row| row.scores.by_category.keys())
        .map(String::as_str)
        .collect();
    let mut text = format!("| tool | {} | macro average |\n", names.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(names.len() + 2));
    for row in &comparison.rows {
        let _ = write!(text, "| {} |", row.tool);
        for name in &names {
            let share = row.scores.by_category.get(*name).copied();
            let (found, all) = share.unwrap_or_default();
            let _ = write!(text, " {found}/{all} |");
        }
        let average = 100.0 * row.scores.macro_average();
        let _ = writeln!(text, " {average:.1} % |");
    }
    text
}

/// The page that is written.
pub(crate) struct Page {
    text: String,
}

impl Page {
    pub(crate) fn new() -> Self {
        let text = "# Evaluation on the development set\n\n\
            Made by `cargo xtask eval --write`. The sites were verified by hand in published packages at pinned versions\n\
            (`fixtures/eval/`). They are a sample that nostall was developed against: the figures on other packages may be\n\
            lower. A finding without a label is neither right nor wrong. File-system sites dominate, so the macro average over\n\
            categories stands beside each recall.\n";
        Self {
            text: text.to_owned(),
        }
    }

    pub(crate) fn add(&mut self, language: Which, mode: &str, scores: &Scores) {
        let _ = write!(self.text, "\n## {}, {mode}\n\n", language.name());
        let _ = writeln!(
            self.text,
            "{} findings.\n\n| what | found |\n| --- | --- |",
            scores.findings
        );
        let mut row = |what: &str, found: Share| {
            let _ = writeln!(self.text, "| {what} | {} |", share(found));
        };
        row("true sites", scores.recall);
        row("of those that need only paths and aliases", scores.by_path);
        row(
            "of those that also need knowledge of a library",
            scores.by_library,
        );
        for (kind, found) in &scores.by_kind {
            row(&format!("kind {kind}"), *found);
        }
        for (category, found) in &scores.by_category {
            row(&format!("category {category}"), *found);
        }
        row("false sites reported", scores.false_sites);
        let _ = writeln!(
            self.text,
            "\nMacro average over categories: {:.1} %.",
            100.0 * scores.macro_average()
        );
    }

    pub(crate) fn add_comparison(&mut self, comparison: &Comparison) {
        let language = comparison.language.name();
        let _ = write!(
            self.text,
            "\n## {language}, compared with other tools\n\n\
            Made by `cargo xtask eval {language} --compare`: each tool ran over the same packages, one after the other, and was scored\n\
            in the same way. Only its rules about blocking calls in async code count. Other tools may look at tests and examples\n\
            too, so the numbers of findings do not compare; nor was any tool but nostall developed against these sites.\n\n",
        );
        let _ = writeln!(
            self.text,
            "{}\nBy category:\n\n{}",
            table(comparison),
            categories(comparison)
        );
        for note in &comparison.notes {
            let _ = writeln!(self.text, "* {note}");
        }
    }

    pub(crate) fn write(&self) -> Result<()> {
        let file = root().join("docs/evaluation.md");
        std::fs::write(&file, &self.text).with_context(|| format!("write {}", file.display()))?;
        println!("wrote docs/evaluation.md");
        Ok(())
    }
}
