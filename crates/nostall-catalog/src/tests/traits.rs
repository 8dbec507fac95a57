//! Which types carry which traits.

use nostall_model::Language::Rust;

use super::catalog;
use crate::Carrying::{Direct, ThroughFirstParameter};
use crate::{Catalog, Effect};

const SAMPLE: &str = "
[[trait]]
path = \"a::Read\"
also = [\"a::prelude::Read\"]
on = [\"a::File\", \"b::Pipe\"]
through = [\"a::Buffered\"]

[[trait]]
path = \"a::Other\"
on = [\"a::File\"]

[[type]]
path = \"b::inner::Pipe\"
also = [\"b::Pipe\", \"b::prelude::Pipe\"]

[[api]]
path = \"a::Read::read\"
effect = \"none\"

[[api]]
path = \"a::Other::read\"
effect = \"none\"

[[api]]
path = \"a::Other::*\"
effect = \"none\"
";

/// The methods of a name that a type carries: path, and whether only with its first type parameter.
fn methods<'a>(catalog: &'a Catalog, type_path: &str, name: &str) -> Vec<(&'a str, bool)> {
    let matches = catalog.trait_method(Rust, type_path, name).into_iter();
    matches
        .map(|matched| (&*catalog.api(matched.api).path, matched.through))
        .collect()
}

#[test]
fn finds_the_methods_of_the_traits_that_a_type_carries() {
    let catalog = catalog(SAMPLE, "");
    assert_eq!(
        methods(&catalog, "a::File", "read"),
        [("a::Read::read", false), ("a::Other::read", false)]
    );
    assert_eq!(
        methods(&catalog, "a::Buffered", "read"),
        [("a::Read::read", true)]
    );
    assert_eq!(methods(&catalog, "a::Slice", "read"), []);
    assert_eq!(methods(&catalog, "a::Read", "read"), []);
}

#[test]
fn a_wildcard_below_a_trait_is_not_a_method() {
    let catalog = catalog(SAMPLE, "");
    assert_eq!(methods(&catalog, "a::File", "clone"), []);
    assert_eq!(methods(&catalog, "a::File", "*"), []);
}

#[test]
fn says_how_a_type_carries_a_trait() {
    let catalog = catalog(SAMPLE, "");
    assert_eq!(
        catalog.carries(Rust, "a::Read", "a::File"),
        Some(Direct(None))
    );
    assert_eq!(
        catalog.carries(Rust, "a::prelude::Read", "a::Buffered"),
        Some(ThroughFirstParameter)
    );
    assert_eq!(catalog.carries(Rust, "a::Other", "a::Buffered"), None);
    assert_eq!(catalog.carries(Rust, "a::Write", "a::File"), None);
}

#[test]
fn any_path_of_a_type_will_do() {
    let catalog = catalog(SAMPLE, "");
    for path in ["b::inner::Pipe", "b::Pipe", "b::prelude::Pipe"] {
        assert_eq!(
            catalog.carries(Rust, "a::Read", path),
            Some(Direct(None)),
            "{path}"
        );
        assert_eq!(
            methods(&catalog, path, "read"),
            [("a::Read::read", false)],
            "{path}"
        );
    }
}

#[test]
fn tables_of_one_path_are_one_trait() {
    let catalog = catalog(
        SAMPLE,
        "[[trait]]\npath = \"a::Read\"\non = [\"my::Socket\"]\nthrough = [\"my::Tee\"]",
    );
    assert_eq!(
        catalog.carries(Rust, "a::Read", "a::File"),
        Some(Direct(None))
    );
    assert_eq!(
        catalog.carries(Rust, "a::Read", "my::Socket"),
        Some(Direct(None))
    );
    assert_eq!(
        catalog.carries(Rust, "a::Read", "my::Tee"),
        Some(ThroughFirstParameter)
    );
    assert_eq!(catalog.traits().count(), 2);
}

#[test]
fn a_users_method_goes_before_one_of_the_same_trait() {
    let user = "[[api]]\npath = \"a::Read::read\"\neffect = \"offloads\"\ncallable = 0";
    let catalog = catalog(SAMPLE, user);
    let effects: Vec<_> = catalog
        .trait_method(Rust, "a::Buffered", "read")
        .iter()
        .map(|it| catalog.api(it.api).effect)
        .collect();
    assert_eq!(effects, [Effect::Offloads]);
}

#[test]
fn a_match_names_its_trait() {
    let catalog = catalog(SAMPLE, "");
    let matched = catalog.trait_method(Rust, "a::Buffered", "read")[0];
    assert_eq!(catalog.trait_by_id(matched.trait_id).path, "a::Read");
    assert_eq!(
        catalog.trait_entry(Rust, "a::prelude::Read"),
        Some(catalog.trait_by_id(matched.trait_id))
    );
}
