//! How the work grows with the number of globs, of twins under different conditions, and of definitions of one variable.

use std::fmt::Write as _;
use std::sync::Arc;

use nostall_catalog::Catalog;
use nostall_model::facts::FileFacts;
use nostall_model::layout::Layout;
use nostall_model::{FileId, Language, Role, Source};

use super::{Cx, Files, Input, bodies, mounts};
use crate::extract::extract;
use nostall_model::program::Resolution;

const SMALL: usize = 40;
const TIMES: usize = 4;

/// Asserts that four times as much of a program takes about four times as many questions and walked globs.
#[track_caller]
fn assert_linear(write: impl Fn(usize) -> Vec<(String, String)>) {
    assert_counts_linear(write, |cx, _| cx.depth.answered() + cx.globs.walked());
}

/// Asserts that four times as much of a program counts four times as much.
#[track_caller]
fn assert_counts_linear(
    write: impl Fn(usize) -> Vec<(String, String)>,
    count: impl Fn(&Cx<'_>, &Resolution) -> u64,
) {
    let catalog = Catalog::builtin();
    let small = resolved(&write(SMALL), &catalog, &count);
    let large = resolved(&write(SMALL * TIMES), &catalog, &count);
    assert!(small >= SMALL as u64, "{small}: the shape does nothing");
    let most = small * TIMES as u64 * 11 / 10;
    assert!(large <= most, "{small} became {large}, more than {most}");
}

/// Resolves a program and counts something of it.
fn resolved(
    files: &[(String, String)],
    catalog: &Catalog,
    count: impl FnOnce(&Cx<'_>, &Resolution) -> u64,
) -> u64 {
    let facts: Vec<FileFacts> = files.iter().map(|(path, text)| facts(path, text)).collect();
    let numbered = files.iter().zip(&facts).enumerate();
    let files: Vec<(FileId, &str, &FileFacts)> = numbered
        .map(|(id, ((path, _), facts))| (FileId(id as u32), path.as_str(), facts))
        .collect();
    let layout = Layout::default();
    let files = Files::new(&Input {
        files: &files,
        layout: &layout,
        catalog,
        reasons: false,
    });
    let tree = mounts::build(&files, &layout.targets);
    assert_eq!(tree.mounts.len(), facts.len(), "each file stands once");
    let mut cx = Cx::new(files, tree, catalog);
    cx.settle_globs();
    let resolution = bodies::resolve_all(&cx, false);
    count(&cx, &resolution)
}

fn facts(path: &str, text: &str) -> FileFacts {
    extract(&Source {
        path: path.to_owned(),
        language: Language::Rust,
        role: Role::Report,
        text: Arc::from(text),
        decoded: false,
    })
}

/// A crate of modules, each written by its number.
fn modules(count: usize, root: &str, module: impl Fn(usize) -> String) -> Vec<(String, String)> {
    let mut declared = root.to_owned();
    let mut files = Vec::new();
    for number in 0..count {
        let _ = writeln!(declared, "mod m{number};");
        files.push((format!("src/m{number}.rs"), module(number)));
    }
    files.insert(0, ("src/lib.rs".to_owned(), declared));
    files
}

/// Two twins of a module, both brought in by globs.
fn twins(number: usize, inner: &str) -> String {
    let twin = |system: &str| {
        format!(
            "#[cfg(target_os = \"{system}\")]\npub mod {system} {{\n    {inner}\n    pub fn wait{number}() {{}}\n    \
             pub struct Length{number};\n}}\n#[cfg(target_os = \"{system}\")]\npub use self::{system}::*;\n"
        )
    };
    twin("linux") + &twin("macos")
}

#[test]
fn one_circle_of_globs() {
    assert_linear(|count| {
        modules(count, "pub fn end() {}\n", |number| {
            let next = (number + 1) % count;
            format!(
                "pub use super::m{next}::*;\npub fn f{number}() {{ f{next}(); f0(); end(); nowhere(); }}\n"
            )
        })
    });
}

#[test]
fn a_circle_of_twins() {
    assert_linear(|count| {
        modules(count, "", |number| {
            let next = (number + 1) % count;
            let twins = twins(number, "use super::*;");
            format!(
                "pub use super::m{next}::*;\n{twins}pub fn f{number}(l: Length{next}) {{ wait{next}(); wait0(); f{next}(l); }}\n"
            )
        })
    });
}

#[test]
fn modules_that_all_use_one_another_through_the_root() {
    assert_linear(|count| {
        let mut root = String::from("pub use std::io::*;\n");
        for number in 0..count {
            let _ = writeln!(root, "pub use self::m{number}::*;");
        }
        modules(count, &root, |number| {
            let next = (number + 1) % count;
            let twins = twins(number, "use crate::*;");
            format!(
                "use crate::*;\n{twins}pub fn f{number}(l: Length{next}) {{ wait0(); f{next}(l); f0(); nowhere(); }}\n"
            )
        })
    });
}

#[test]
fn twins_of_one_module() {
    assert_linear(|count| {
        let mut root = String::from("use sys::*;\nmod sys {\n");
        for number in 0..count {
            let _ = writeln!(
                root,
                "#[cfg(feature = \"f{number}\")]\nmod t{number} {{ use super::*; pub fn wait() {{}} pub fn own{number}() {{}} }}\n#[cfg(feature = \"f{number}\")]\npub use self::t{number}::*;"
            );
        }
        root += "}\n";
        modules(count, &root, |number| {
            format!("use crate::*;\npub fn f{number}() {{ wait(); own{number}(); }}\n")
        })
    });
}

#[test]
fn names_that_are_brought_in_again_by_the_next_module() {
    assert_linear(|count| {
        modules(count, "", |number| {
            let next = (number + 1) % count;
            format!(
                "pub use crate::m{next}::{{self as next, f{next}}};\npub use self::next::*;\npub fn f{number}() {{ f{next}(); next::f{next}(); }}\n"
            )
        })
    });
}

/// Many places that fill one field and many that read it, as generated errors do.
fn one_field(count: usize) -> Vec<(String, String)> {
    let root = "pub struct Failure { pub source: Box<dyn Fn()> }\npub fn show(source: &Box<dyn Fn()>) {}\n";
    modules(count, root, |number| {
        format!(
            "use crate::{{show, Failure}};\npub fn make{number}(source: Box<dyn Fn()>) -> Failure {{ Failure {{ source }} }}\n\
             pub fn read{number}(it: &Failure) {{ show(&it.source); }}\n"
        )
    })
}

/// Many `From` impls of one type, each with a call by path that means another of them.
fn many_conversions(count: usize) -> Vec<(String, String)> {
    modules(count, "pub struct Wide(usize);\n", |number| {
        format!(
            "use crate::Wide;\npub struct Narrow{number};\n\
             impl From<Narrow{number}> for Wide {{ fn from(it: Narrow{number}) -> Self {{ Wide({number}) }} }}\n\
             pub fn widen{number}(it: Narrow{number}) -> Wide {{ Wide::from(it) }}\n\
             pub fn guess{number}() -> Wide {{ Wide::from(nowhere()) }}\n"
        )
    })
}

#[test]
fn a_field_that_is_filled_and_read_at_many_places() {
    assert_counts_linear(one_field, |cx, _| cx.depth.asked());
}

#[test]
fn calls_that_may_mean_any_of_many_impls() {
    assert_counts_linear(many_conversions, |_, found| found.targets.len() as u64);
}

/// A loop that stores into one variable at many places: each place reads what all places stored.
fn stored_in_a_loop(places: usize) -> Vec<(String, String)> {
    let mut text = String::from(
        "pub struct Builder;\nimpl Builder { fn set(self, it: u32) -> Self { self } }\n\
         pub fn read(mut tags: std::vec::IntoIter<u32>) -> Result<Builder, ()> {\n\
         let mut builder = Builder;\nwhile let Some(tag) = tags.next() {\nmatch tag {\n",
    );
    for place in 0..places {
        let _ = writeln!(text, "{place} => {{ builder = builder.set({place}); }}");
    }
    text += "_ => {}\n}\n}\nOk(builder)\n}\n";
    vec![("src/lib.rs".to_owned(), text)]
}

#[test]
fn a_variable_that_is_stored_at_many_places() {
    let catalog = Catalog::builtin();
    let asked = |places| {
        resolved(&stored_in_a_loop(places), &catalog, |cx, _| {
            cx.depth.asked()
        })
    };
    let (small, large) = (asked(SMALL / TIMES), asked(SMALL));
    // The facts say of each place which definitions reach it: these pairs grow with the square, and so may the questions.
    let most = small * (TIMES * TIMES) as u64;
    assert!(large <= most, "{small} became {large}, more than {most}");
}
