//! Rust: whether advice is an expression of known names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::Fault;
use super::entry::Entry;

/// The manifests and the files that were read.
#[derive(Default)]
pub(super) struct Packages {
    crates: BTreeMap<PathBuf, BTreeSet<String>>,
    words: BTreeMap<PathBuf, BTreeSet<String>>,
}

/// First words of paths that every crate has.
const EVERYWHERE: [&str; 9] = [
    "std", "core", "alloc", "crate", "self", "Self", "super", "drop", "Vec",
];

impl Packages {
    /// What is wrong with a piece of advice.
    pub(super) fn fault(&mut self, entry: &Entry, file: &Path, text: &str) -> Option<Fault> {
        let names = match &entry.code {
            Some(code) => {
                let block = format!("{{ {} {code} }}", entry.before.join(" "));
                match syn::parse_str::<syn::Expr>(&block) {
                    Ok(parsed) => Names::of(&parsed),
                    Err(error) => return Some(Fault::Syntax(error.to_string())),
                }
            }
            None => match syn::parse_str::<syn::ExprPath>(entry.path.as_deref()?) {
                Ok(parsed) => Names::of(&syn::Expr::Path(parsed)),
                Err(error) => return Some(Fault::Syntax(error.to_string())),
            },
        };
        let crates = self.crates(file);
        let library = entry.library.as_ref().map(|it| it.replace('-', "_"));
        let is_crate = |name: &String| {
            let name = name.as_str();
            crates.contains(name) || EVERYWHERE.contains(&name) || library.as_deref() == Some(name)
        };
        // What the advice brings must be a crate of the package; all else is the source's own.
        let brought = entry.brings();
        let words = self.words(file, text);
        let unknown = names.used.iter().find(|name| {
            let own = names.bound.contains(*name) || words.contains(*name);
            !is_crate(name) && (!own || brought == Some(name.as_str()))
        })?;
        Some(Fault::Name(unknown.clone()))
    }

    /// The crates that the manifest of a file's package depends on, as code writes them.
    fn crates(&mut self, file: &Path) -> BTreeSet<String> {
        let manifest = file
            .ancestors()
            .map(|folder| folder.join("Cargo.toml"))
            .find(|manifest| manifest.is_file());
        let Some(manifest) = manifest else {
            return BTreeSet::new();
        };
        self.crates
            .entry(manifest)
            .or_insert_with_key(|manifest| dependencies(manifest))
            .clone()
    }

    /// All identifiers of a file.
    fn words(&mut self, file: &Path, text: &str) -> &BTreeSet<String> {
        self.words.entry(file.to_owned()).or_insert_with(|| {
            let mut words = BTreeSet::new();
            if let Ok(stream) = TokenStream::from_str(text) {
                collect(stream, &mut words);
            }
            words
        })
    }
}

fn collect(stream: TokenStream, words: &mut BTreeSet<String>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Ident(word) => {
                words.insert(word.to_string());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The keys of all tables of dependencies that are not for tests or the build alone, and the package's own library.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let mut names = BTreeSet::new();
    let targets = table.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(toml::Table::values);
    let tables = targets
        .filter_map(toml::Value::as_table)
        .chain([&table])
        .filter_map(|table| table.get("dependencies").and_then(toml::Value::as_table));
    for dependencies in tables {
        names.extend(dependencies.keys().map(|name| name.replace('-', "_")));
    }
    for own in ["package", "lib"] {
        let name = table.get(own).and_then(|own| own.get("name")?.as_str());
        names.extend(name.map(|name| name.replace('-', "_")));
    }
    names
}

/// The names of an expression.
#[derive(Default)]
struct Names {
    /// First words of paths.
    used: BTreeSet<String>,
    /// What patterns bind.
    bound: BTreeSet<String>,
}

impl Names {
    fn of(expression: &syn::Expr) -> Self {
        let mut names = Self::default();
        names.visit_expr(expression);
        names
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.used
            .extend(path.segments.first().map(|first| first.ident.to_string()));
        visit::visit_path(self, path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bound.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}
