//! Pages that are made from data: the indexes of rules and of the catalogue, its keys, and what the features of `nostall-probe`
//! bring.

mod config;
mod features;
mod keys;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use nostall_catalog::{Catalog, Effect};
use nostall_model::Language;

use crate::root;

/// Writes the pages, or says which are stale.
pub(crate) fn run(check: bool) -> Result<()> {
    let mut stale = Vec::new();
    let counted = (features::PAGE, features::page()?);
    for (path, text) in pages()?.into_iter().chain([counted]) {
        let file = root().join(path);
        if std::fs::read_to_string(&file).is_ok_and(|known| known == text) {
            continue;
        }
        if check {
            stale.push(path);
        } else {
            std::fs::write(&file, text).with_context(|| format!("write {path}"))?;
            println!("wrote {path}");
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("stale: {}; run `cargo xtask gen`", stale.join(", "))
}

/// What is made from the sources alone; the features need cargo too.
fn pages() -> Result<[(&'static str, String); 6]> {
    Ok([
        ("docs/config.md", config::page()),
        ("docs/nostall.schema.json", config::schema_text()),
        ("docs/rules/README.md", rule_index()),
        ("docs/catalogue-index.md", catalogue_index()),
        (keys::PAGE, keys::page()?),
        ("crates/nostall/src/pages.md", all_rule_pages()),
    ])
}

/// The pages of all rules in one file, which `nostall explain` holds: a published crate has no other folders.
fn all_rule_pages() -> String {
    let mut text = String::new();
    let rules = nostall_engine::rules::all().map(|rule| rule.id.0);
    // What is told like a rule has a page like one.
    for rule in rules.chain(["unused-ignore"]) {
        let page = root().join(format!("docs/rules/{rule}.md"));
        let page = std::fs::read_to_string(&page).unwrap_or_default();
        let _ = write!(text, "<!-- rule: {rule} -->\n{page}");
    }
    text
}

/// Puts a table in the place of what stands between two marks.
fn between(text: &str, begin: &str, end: &str, table: &str) -> Result<String> {
    let (before, rest) = text
        .split_once(begin)
        .with_context(|| format!("there is no line {begin}"))?;
    let (_, after) = rest
        .split_once(end)
        .with_context(|| format!("there is no {end} after {begin}"))?;
    Ok(format!("{before}{begin}{table}{end}{after}"))
}

fn rule_index() -> String {
    let mut text =
        "# Rules\n\n<!-- Made by `cargo xtask gen`. -->\n\n| rule | finds |\n| --- | --- |\n"
            .to_owned();
    for rule in nostall_engine::rules::all() {
        let _ = writeln!(text, "| [`{0}`]({0}.md) | {1} |", rule.id, rule.summary);
    }
    text.push_str("\nMarks in the source that answer nothing are told as [`unused-ignore`](unused-ignore.md).\n");
    text
}

/// Entries per library.
#[derive(Default)]
struct Counts {
    blocks: usize,
    other: usize,
}

fn catalogue_index() -> String {
    let catalog = Catalog::builtin();
    let mut libraries: BTreeMap<(Language, String), Counts> = BTreeMap::new();
    for (_, api) in catalog.apis() {
        let counts = libraries
            .entry((api.language(), api.library.to_string()))
            .or_default();
        if api.effect == Effect::Blocks {
            counts.blocks += 1;
        } else {
            counts.other += 1;
        }
    }
    let mut text = "# What the catalogue knows\n\n<!-- Made by `cargo xtask gen`. -->\n".to_owned();
    for language in [Language::Rust, Language::Python] {
        let own: Vec<_> = libraries
            .iter()
            .filter(|((known, _), _)| *known == language)
            .collect();
        let _ = write!(
            text,
            "\n## {}\n\n| library | blocking calls | other entries |\n| --- | --- | --- |\n",
            language.name()
        );
        for ((_, library), counts) in own {
            let _ = writeln!(text, "| {library} | {} | {} |", counts.blocks, counts.other);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_pages_are_up_to_date() {
        for (path, text) in super::pages().expect("the pages can be made") {
            let known = std::fs::read_to_string(crate::root().join(path)).unwrap_or_default();
            assert!(
                known.replace("\r\n", "\n") == text,
                "{path} is stale: run `cargo xtask gen`"
            );
        }
    }
}
