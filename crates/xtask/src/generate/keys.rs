//! The keys of the catalogue's tables: the fields of the entries with their doc lines, as tables in the page on the data.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use syn::{Attribute, Expr, ExprLit, Field, Item, ItemStruct, Lit, Meta};

use super::between;
use crate::root;

/// The page that holds the tables, each between two marks.
pub(super) const PAGE: &str = "docs/catalogue.md";

const SOURCE: &str = "crates/nostall-catalog/src/entry.rs";
const ENTRIES: [&str; 3] = ["Api", "TypeEntry", "TraitEntry"];
const END: &str = "<!-- end -->";

/// The page with its tables made anew.
pub(super) fn page() -> Result<String> {
    let read = |path: &str| {
        std::fs::read_to_string(root().join(path)).with_context(|| format!("read {path}"))
    };
    let source = syn::parse_file(&read(SOURCE)?).with_context(|| format!("parse {SOURCE}"))?;
    let mut page = read(PAGE)?.replace("\r\n", "\n");
    for name in ENTRIES {
        let entry = source.items.iter().find_map(|item| match item {
            Item::Struct(entry) if entry.ident == name => Some(entry),
            _ => None,
        });
        let entry = entry.with_context(|| format!("{SOURCE} has no struct {name}"))?;
        let begin = format!(
            "<!-- Made by `cargo xtask gen` of the doc lines of `{name}` in `{SOURCE}`: -->\n"
        );
        page = between(&page, &begin, END, &table(entry)).context(PAGE)?;
    }
    Ok(page)
}

fn table(entry: &ItemStruct) -> String {
    let mut table = "| key | meaning |\n| --- | --- |\n".to_owned();
    for field in &entry.fields {
        if let Some(key) = key(field) {
            let meaning = doc(&field.attrs).replace('|', "\\|");
            let _ = writeln!(table, "| `{key}` | {meaning} |");
        }
    }
    table
}

/// The key of a field; none where it is not in the tables.
fn key(field: &Field) -> Option<String> {
    let mut key = field.ident.as_ref()?.to_string();
    let mut skipped = false;
    let serde = field.attrs.iter().filter(|it| it.path().is_ident("serde"));
    for attribute in serde {
        let _ = attribute.parse_nested_meta(|meta| {
            skipped |= meta.path.is_ident("skip");
            if let Ok(value) = meta.value() {
                let value: Expr = value.parse()?;
                if let (true, Some(name)) = (meta.path.is_ident("rename"), text(&value)) {
                    key = name;
                }
            }
            Ok(())
        });
    }
    (!skipped).then_some(key)
}

/// The doc lines as one text.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => text(&meta.value),
            _ => None,
        });
    let lines: Vec<_> = lines.map(|line| line.trim().to_owned()).collect();
    lines.join(" ")
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}
