//! Which entry a path finds.

use nostall_model::Language::{self, Python, Rust};

use super::{catalog, catalog_of, found};
use crate::entry::Origin::{BuiltIn, User};
use crate::entry::{Effect, Thread};

/// Tables with one harmless callable for each path.
fn harmless(paths: &[&str]) -> String {
    paths
        .iter()
        .map(|path| format!("[[api]]\npath = \"{path}\"\neffect = \"none\"\n"))
        .collect()
}

#[test]
fn an_exact_entry_goes_before_a_wildcard_and_a_longer_wildcard_before_a_shorter_one() {
    let catalog = catalog(&harmless(&["a::*", "a::b::*", "a::b::c"]), "");
    assert_eq!(
        found(&catalog, Rust, "a::b::c"),
        Some(("a::b::c", BuiltIn, false))
    );
    assert_eq!(
        found(&catalog, Rust, "a::b::d"),
        Some(("a::b::*", BuiltIn, true))
    );
    assert_eq!(
        found(&catalog, Rust, "a::b::d::e"),
        Some(("a::b::*", BuiltIn, true))
    );
    assert_eq!(found(&catalog, Rust, "a::d"), Some(("a::*", BuiltIn, true)));
    assert_eq!(found(&catalog, Rust, "a"), None);
    assert_eq!(found(&catalog, Rust, "ab::c"), None);
}

#[test]
fn a_users_wildcard_goes_before_an_exact_entry() {
    let catalog = catalog(
        &harmless(&["a::b::c", "a::d"]),
        &harmless(&["a::b::*", "a::b::e"]),
    );
    assert_eq!(
        found(&catalog, Rust, "a::b::c"),
        Some(("a::b::*", User, true))
    );
    assert_eq!(
        found(&catalog, Rust, "a::b::e"),
        Some(("a::b::e", User, false))
    );
    assert_eq!(
        found(&catalog, Rust, "a::d"),
        Some(("a::d", BuiltIn, false))
    );
    assert_eq!(catalog.lookup_user(Rust, "a::d"), None);
    assert!(catalog.lookup_user(Rust, "a::b::c").is_some());
}

#[test]
fn a_users_entry_replaces_one_of_the_same_path() {
    let user = "[[api]]\npath = \"a::b\"\neffect = \"offloads\"\ncallable = 0";
    let catalog = catalog(&harmless(&["a::b"]), user);
    let found = catalog.lookup(Rust, "a::b").expect("it is there");
    assert_eq!(catalog.api(found.api).effect, Effect::Offloads);
    assert_eq!(catalog.apis().count(), 2);
}

#[test]
fn ids_of_the_catalogues_own_entries_stay() {
    let own = harmless(&["a::b"]);
    let alone = catalog(&own, "").lookup(Rust, "a::b");
    assert_eq!(
        catalog(&own, &harmless(&["c::d"])).lookup(Rust, "a::b"),
        alone
    );
}

#[test]
fn an_exception_is_a_whole_name_right_below_the_star() {
    let built_in = "[[api]]\npath = \"a::*\"\neffect = \"none\"\nexcept = [\"new\", \"b::c\"]";
    let catalog = catalog(built_in, "");
    for path in ["a::new", "a::new::x", "a::b::c", "a::b::c::d"] {
        assert_eq!(found(&catalog, Rust, path), None, "{path}");
    }
    for path in ["a::newer", "a::x::new", "a::b", "a::b::cd"] {
        assert_eq!(
            found(&catalog, Rust, path),
            Some(("a::*", BuiltIn, true)),
            "{path}"
        );
    }
}

#[test]
fn a_shorter_wildcard_does_not_take_an_exception_back() {
    let built_in = format!(
        "{}[[api]]\npath = \"a::b::*\"\neffect = \"none\"\nexcept = [\"new\"]",
        harmless(&["a::*"])
    );
    assert_eq!(found(&catalog(&built_in, ""), Rust, "a::b::new"), None);
}

#[test]
fn what_a_users_wildcard_excepts_is_left_to_the_catalogue() {
    let user = "[[api]]\npath = \"a::*\"\neffect = \"none\"\nexcept = [\"b\"]";
    let catalog = catalog(&harmless(&["a::b"]), user);
    assert_eq!(
        found(&catalog, Rust, "a::b"),
        Some(("a::b", BuiltIn, false))
    );
    assert_eq!(found(&catalog, Rust, "a::c"), Some(("a::*", User, true)));
}

#[test]
fn other_paths_find_the_same_entry() {
    let built_in =
        "[[api]]\npath = \"a::inner::b\"\nalso = [\"a::b\", \"a::prelude::*\"]\neffect = \"none\"";
    let catalog = catalog(built_in, "");
    assert_eq!(
        found(&catalog, Rust, "a::b"),
        Some(("a::inner::b", BuiltIn, false))
    );
    assert_eq!(
        found(&catalog, Rust, "a::prelude::x"),
        Some(("a::inner::b", BuiltIn, true))
    );
}

#[test]
fn core_and_alloc_are_std_in_rust_only() {
    let rust = catalog(
        &harmless(&["std::a::b", "core::c::*"]),
        "[[type]]\npath = \"alloc::T\"",
    );
    assert_eq!(
        found(&rust, Rust, "core::a::b"),
        Some(("std::a::b", BuiltIn, false))
    );
    assert_eq!(
        found(&rust, Rust, "alloc::a::b"),
        Some(("std::a::b", BuiltIn, false))
    );
    assert_eq!(
        found(&rust, Rust, "std::c::d"),
        Some(("core::c::*", BuiltIn, true))
    );
    assert!(rust.type_entry(Rust, "std::T").is_some());
    let python = catalog_of(Python, &harmless(&["std.a.b"]), "");
    assert_eq!(found(&python, Python, "core.a.b"), None);
}

#[test]
fn languages_do_not_mix() {
    let catalog = catalog(&harmless(&["a::b"]), &harmless(&["a.b"]));
    let path_in =
        |language: Language, path: &str| found(&catalog, language, path).map(|(path, ..)| path);
    assert_eq!(path_in(Rust, "a::b"), Some("a::b"));
    assert_eq!(path_in(Python, "a.b"), Some("a.b"));
    assert_eq!(path_in(Python, "a::b"), None);
    assert_eq!(path_in(Rust, "a.b"), None);
}

#[test]
fn a_users_type_goes_before_one_of_the_same_path() {
    let built_in = "[[type]]\npath = \"a::T\"\nalso = [\"a::U\"]\nkind = \"client\"";
    let catalog = catalog(built_in, "[[type]]\npath = \"a::T\"\nderef = \"a::V\"");
    assert_eq!(
        catalog
            .type_entry(Rust, "a::T")
            .and_then(|entry| entry.deref.as_deref()),
        Some("a::V")
    );
    assert_eq!(
        catalog.type_entry(Rust, "a::U").map(|entry| &*entry.path),
        Some("a::T")
    );
    assert_eq!(catalog.type_entry(Rust, "a::W"), None);
    assert_eq!(catalog.types().count(), 2);
}

#[test]
fn a_method_is_found_by_any_path_of_its_type() {
    let built_in = format!(
        "[[type]]\npath = \"a::T\"\nalso = [\"a::old::T\"]\n{}",
        harmless(&["a::T::go", "a::T::*", "a::*"])
    );
    let own = catalog(&built_in, "");
    assert_eq!(
        found(&own, Rust, "a::old::T::go"),
        Some(("a::T::go", BuiltIn, false))
    );
    assert_eq!(
        found(&own, Rust, "a::old::T::x"),
        Some(("a::T::*", BuiltIn, true))
    );
    assert_eq!(
        found(&own, Rust, "a::old::go"),
        Some(("a::*", BuiltIn, true))
    );
    let with_users = catalog(&built_in, &harmless(&["a::T::go"]));
    assert_eq!(
        found(&with_users, Rust, "a::old::T::go"),
        Some(("a::T::go", User, false))
    );
    assert!(with_users.lookup_user(Rust, "a::old::T::go").is_some());
}

#[test]
fn a_method_runs_on_the_threads_that_its_type_says_unless_it_says_others() {
    let built_in = "[[type]]\npath = \"a::T\"\nalso = [\"a::old::T\"]\nthread = \"same\"\n\
                    [[api]]\npath = \"a::T::stop\"\neffect = \"none\"\nthread = \"any\"\n";
    let catalog = catalog(
        &format!("{built_in}{}", harmless(&["a::T::go", "a::run"])),
        "",
    );
    let thread = |path: &str| {
        let found = catalog.lookup(Rust, path).expect("it is there");
        catalog.thread(found.api)
    };
    assert_eq!(thread("a::T::go"), Some(Thread::Same));
    assert_eq!(thread("a::old::T::go"), Some(Thread::Same));
    assert_eq!(thread("a::T::stop"), Some(Thread::Any));
    assert_eq!(thread("a::run"), None);
}
