//! Bodies: their paths, where they run when nobody says otherwise, and whether they are part of the program at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use nostall_catalog::TypeEntry;
use nostall_model::facts::{BodyId, BodyKind, FileFacts, Flavour, Import, ItemId};
use nostall_model::finding::{Entry, Form};
use nostall_model::layout::Layout;
use nostall_model::program::{Libraries, Presence, Resolution, ResolvedBody, RuntimeId};
use nostall_model::{Confidence, Context, Language};
use rustc_hash::FxHashSet;

use super::Cx;
use super::classes::Ancestor;
use super::value::{BodyRef, ItemRef, Type};

/// Adds what is known of each body.
pub(super) fn add_bodies(cx: &Cx<'_>, layout: &Layout, resolution: &mut Resolution) {
    let by_file: Vec<FxHashSet<&str>> = (0..cx.files.len())
        .map(|file| imported(cx.facts(file)))
        .collect();
    // What some other file imports may be an optional extra that this one cannot count on.
    let owned = |file: usize, imports: &FxHashSet<&str>| Libraries {
        names: imports.iter().map(|name| (*name).to_owned()).collect(),
        features: BTreeMap::new(),
        version: layout.python_version(cx.files[file].path),
    };
    let mounts = resolution.mounts.iter().zip(&by_file).enumerate();
    resolution.libraries = mounts
        .map(|(file, (mount, imports))| (mount.file, Arc::new(owned(file, imports))))
        .collect();
    // A helper that imports no runtime itself runs on that of the others.
    let of_program = program_runtime(cx, &by_file);
    for (file, imports) in by_file.iter().enumerate() {
        let facts = cx.facts(file);
        let seen = |name: &str| imports.contains(name);
        let runtime = cx
            .catalog
            .runtime_seen(Language::Python, &seen)
            .or(of_program);
        let by_path = presence(cx.files[file].path);
        let first = resolution.bodies.len();
        for (index, body) in facts.bodies.iter().enumerate() {
            // A body comes after the one that it stands in.
            let parent = body
                .parent
                .map(|parent| &resolution.bodies[first + parent.index()]);
            let absent = body.item.is_some_and(|item| cx.item_is_absent(file, item));
            let presence = match parent {
                Some(parent) if parent.presence == Presence::Absent => Presence::Absent,
                _ if absent => Presence::Absent,
                _ => by_path,
            };
            let outer = parent.map_or_else(|| cx.modules.name(file), |parent| &parent.path);
            let path = path(facts, BodyId::new(index), outer);
            let called = cx.called_by_loop(file, BodyId::new(index));
            let (context, entry) = match (context(body.kind, body.flavour), called) {
                ((Context::Sync, _), Some(entry)) => (Context::Async, Some(entry)),
                ((context, form), _) => (context, form.map(Entry::Form)),
            };
            let confidence = Confidence::Certain;
            resolution.bodies.push(ResolvedBody {
                path,
                context,
                entry,
                confidence,
                presence,
                runtime,
            });
        }
    }
}

impl Cx<'_> {
    /// For a method that a framework's loop calls, how the framework knows it.
    fn called_by_loop(&self, file: usize, id: BodyId) -> Option<Entry> {
        let facts = self.facts(file);
        let body = facts.body(id);
        let class = self.files[file].method_class(id)?;
        let name = item_name(facts, body.item?)?;
        let event = |class: &str| Entry::Event {
            class: class.to_owned(),
            method: name.to_owned(),
        };
        if self.checks_requests(BodyRef { file, body: id }) {
            return item_name(facts, class).map(event);
        }
        self.libraries_above(ItemRef { file, item: class })
            .find(|entry| entry.on_loop.iter().any(|method| names(method, name)))
            .and_then(|entry| entry.path.rsplit('.').next())
            .map(event)
    }

    /// What the catalogue says of the classes of libraries that a class extends.
    pub(super) fn libraries_above(&self, class: ItemRef) -> impl Iterator<Item = &TypeEntry> {
        let order = self.order(class);
        let paths: Vec<String> = order
            .iter()
            .filter_map(|ancestor| match ancestor {
                Ancestor::Outside(Type::Named(path, _)) => Some(self.lineage(path)),
                _ => None,
            })
            .flatten()
            .collect();
        paths
            .into_iter()
            .filter_map(|path| self.catalog.type_entry(Language::Python, &path))
    }
}

/// Says whether an entry of `on_loop` means a method: `on_*` means all that begin so.
fn names(entry: &str, method: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(start) => method.starts_with(start),
        None => entry == method,
    }
}

fn path(facts: &FileFacts, id: BodyId, outer: &str) -> String {
    let body = facts.body(id);
    match body.kind {
        BodyKind::Module | BodyKind::Comprehension => outer.to_owned(),
        BodyKind::Closure => format!("{outer}.<lambda>"),
        _ => match body.item.and_then(|item| item_name(facts, item)) {
            Some(name) => format!("{outer}.{name}"),
            None => outer.to_owned(),
        },
    }
}

fn item_name(facts: &FileFacts, item: ItemId) -> Option<&str> {
    facts.item(item).name.map(|name| facts.text(name))
}

/// Where a body runs by what it is. What runs inline, as comprehensions do, runs where its caller does.
fn context(kind: BodyKind, flavour: Flavour) -> (Context, Option<Form>) {
    match (kind, flavour) {
        (_, Flavour::Sync | Flavour::Generator) => (Context::Sync, None),
        (BodyKind::Comprehension, Flavour::Async) => {
            (Context::Async, Some(Form::AsyncComprehension))
        }
        (_, Flavour::Async) => (Context::Async, Some(Form::AsyncDef)),
        (_, Flavour::AsyncGenerator) => (Context::Async, Some(Form::AsyncGenerator)),
    }
}

/// The runtime of the files that are no tests: the usual one where any imports it. A framework beside it is some files' affair.
fn program_runtime(cx: &Cx<'_>, by_file: &[FxHashSet<&str>]) -> Option<RuntimeId> {
    let files = (0..cx.files.len()).filter(|file| !is_test_file(cx.files[*file].path));
    let all: FxHashSet<&str> = files.flat_map(|file| &by_file[file]).copied().collect();
    let usual = cx.catalog.usual_runtime(Language::Python)?;
    let mut shown_by = cx.catalog.runtime(usual).shown_by.iter();
    if shown_by.any(|name| all.contains(name.as_str())) {
        return Some(usual);
    }
    let seen = cx
        .catalog
        .runtime_seen(Language::Python, &|name| all.contains(name));
    seen.or(Some(usual))
}

/// The first names of what a file imports.
fn imported(facts: &FileFacts) -> FxHashSet<&str> {
    let imports = facts.imports.iter();
    imports
        .filter_map(|import| first_name(facts, import))
        .collect()
}

fn first_name<'f>(facts: &'f FileFacts, import: &Import) -> Option<&'f str> {
    let first = facts
        .path_segments(import.path)
        .first()
        .filter(|_| import.level == 0)?;
    Some(facts.text(first.name))
}

/// What a file's path says of the code in it.
fn presence(path: &str) -> Presence {
    if path.ends_with(".pyi") {
        Presence::Absent // A stub is read, never run.
    } else if is_test_file(path) {
        Presence::Test
    } else {
        Presence::Present
    }
}

/// Says whether a file holds tests, examples or benchmarks, by where it lies.
fn is_test_file(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name
        .strip_suffix(".py")
        .or_else(|| name.strip_suffix(".pyi"))
        .unwrap_or(name);
    let by_name = stem.starts_with("test_") || stem.ends_with("_test") || stem == "conftest";
    by_name
        || folders
            .split('/')
            .any(|folder| matches!(folder, "test" | "tests" | "examples" | "benchmarks"))
}

#[cfg(test)]
mod tests {
    use super::is_test_file;

    #[test]
    fn tests_are_known_by_where_they_lie() {
        for path in [
            "test_a.py",
            "a/a_test.py",
            "conftest.py",
            "a/tests/b.py",
            "test/b.py",
            "examples/chat.py",
            "benchmarks/a/b.py",
        ] {
            assert!(is_test_file(path), "{path}");
        }
        for path in [
            "a.py",
            "contest.py",
            "a/testing/b.py",
            "latest.py",
            "attest_a.py",
            "a/example.py",
        ] {
            assert!(!is_test_file(path), "{path}");
        }
    }
}
