//! Which entry a path means, and what is refused.

use nostall_catalog::{Carrying, Catalog, Effect, Tables, UserEntries, parse};
use nostall_model::{Category, Language, Waits};

fn with(toml: &str) -> Catalog {
    let tables: Tables = parse(toml).expect("the test's tables have the form");
    Catalog::builtin().with_user_entries(
        UserEntries::new(tables, &["my::pool::run".to_owned()]).expect("valid entries"),
    )
}

fn refused(toml: &str) -> String {
    let tables: Tables = match parse(toml) {
        Ok(tables) => tables,
        Err(error) => return error.to_string(),
    };
    UserEntries::new(tables, &[])
        .expect_err("not valid")
        .to_string()
}

fn found<'c>(catalog: &'c Catalog, path: &str) -> Option<(&'c str, bool)> {
    let found = catalog.lookup(Language::Rust, path)?;
    Some((&catalog.api(found.api).path, found.wildcard))
}

#[test]
fn an_entry_is_found_by_all_its_paths() {
    let catalog = with("[[api]]\npath = 'a::b'\nalso = ['a::prelude::b']\neffect = 'none'");
    assert_eq!(found(&catalog, "a::b"), Some(("a::b", false)));
    assert_eq!(found(&catalog, "a::prelude::b"), Some(("a::b", false)));
    assert_eq!(found(&catalog, "a::c"), None);
}

#[test]
fn core_is_std() {
    assert_eq!(
        found(&Catalog::builtin(), "core::option::Option::map"),
        Some(("std::option::Option::map", false))
    );
}

#[test]
fn explicit_goes_before_wildcard_and_long_before_short() {
    let catalog = with(
        "[[api]]\npath = 'a::*'\neffect = 'none'\n[[api]]\npath = 'a::b::*'\neffect = 'none'\nexcept = ['quick']\n\
         [[api]]\npath = 'a::b::slow'\neffect = 'none'",
    );
    assert_eq!(found(&catalog, "a::x::y"), Some(("a::*", true)));
    assert_eq!(found(&catalog, "a::b::c"), Some(("a::b::*", true)));
    assert_eq!(found(&catalog, "a::b::slow"), Some(("a::b::slow", false)));
    assert_eq!(found(&catalog, "a::b::quick"), None);
    assert_eq!(found(&catalog, "a::b::quick::inner"), None);
    assert_eq!(found(&catalog, "a::b::quicker"), Some(("a::b::*", true)));
}

#[test]
fn a_methods_type_may_be_named_by_another_path() {
    let catalog = with(
        "[[type]]\npath = 'a::T'\nalso = ['a::old::T']\n[[api]]\npath = 'a::T::go'\neffect = 'none'",
    );
    assert_eq!(found(&catalog, "a::old::T::go"), Some(("a::T::go", false)));
}

#[test]
fn the_projects_entries_go_before_ours() {
    let catalog = with("[[api]]\npath = 'std::fs::read'\neffect = 'none'");
    let found = catalog
        .lookup(Language::Rust, "std::fs::read")
        .expect("known");
    assert_eq!(catalog.api(found.api).effect, Effect::None);
    assert!(
        catalog
            .lookup_user(Language::Rust, "std::fs::write")
            .is_none()
    );
    let offloader = catalog
        .lookup_user(Language::Rust, "my::pool::run")
        .expect("listed");
    assert_eq!(catalog.api(offloader.api).effect, Effect::Offloads);
}

#[test]
fn what_carries_a_trait_says_what_is_waited_for() {
    let catalog = with(
        "[[trait]]\npath = 'a::Read'\non = ['a::File']\n\
         [[trait]]\npath = 'a::Read'\ncategory = 'net'\nwaits = 'unbounded'\non = ['a::Socket']\n\
         [[api]]\npath = 'a::Read::read'\ncategory = 'fs'\nwaits = 'disk'\nwhy = 'Reads.'\nsource = 's'",
    );
    let [matched] = *catalog.trait_method(Language::Rust, "a::Socket", "read") else {
        panic!("one trait has it");
    };
    let wait = match catalog.carries(Language::Rust, "a::Read", "a::Socket") {
        Some(Carrying::Direct(wait)) => wait,
        other => panic!("{other:?}"),
    };
    let special = catalog.api(catalog.on(matched.api, wait));
    assert_eq!(special.path, "a::Read::read");
    assert_eq!(special.category, Some(Category::Net));
    assert_eq!(special.waits, Some(Waits::Unbounded));
    assert_eq!(catalog.on(matched.api, None), matched.api);
    let paths = catalog
        .apis()
        .filter(|(_, api)| api.path == "a::Read::read");
    assert_eq!(paths.count(), 1);
}

#[test]
fn tables_of_one_trait_are_one_trait() {
    let catalog = with(
        "[[trait]]\npath = 'a::Read'\non = ['a::File']\n[[trait]]\npath = 'a::Read'\non = ['b::File']\nthrough = ['b::Buffered']\n\
         [[api]]\npath = 'a::Read::read'\neffect = 'none'",
    );
    assert_eq!(
        catalog.carries(Language::Rust, "a::Read", "a::File"),
        Some(Carrying::Direct(None))
    );
    assert_eq!(
        catalog.carries(Language::Rust, "a::Read", "b::File"),
        Some(Carrying::Direct(None))
    );
    assert_eq!(
        catalog.carries(Language::Rust, "a::Read", "b::Buffered"),
        Some(Carrying::ThroughFirstParameter)
    );
    assert_eq!(
        catalog
            .trait_method(Language::Rust, "b::File", "read")
            .len(),
        1
    );
    assert!(
        catalog
            .trait_method(Language::Rust, "c::File", "read")
            .is_empty()
    );
}

#[test]
fn invalid_entries_are_named() {
    assert_eq!(
        refused("[[api]]\npath = 'a::b'\ncategory = 'fs'\nwaits = 'disk'"),
        "catalogue entry `a::b`: a blocking call needs `why`"
    );
    assert_eq!(
        refused("[[api]]\npath = 'a::b'\neffect = 'sleeps'"),
        "3: in `a::b`: `effect` is `sleeps`, which is none of blocks, offloads, schedules, runs, constructs, none"
    );
    assert!(
        refused("[[api]]\npath = 'a::*::b'\neffect = 'none'").contains("is not a path of names")
    );
    assert!(refused("[[api]]\npath = 'a::b'\neffect = 'offloads'").contains("needs `callable`"));
}

#[test]
fn no_two_entries_of_ours_claim_one_path() {
    let catalog = Catalog::builtin();
    let mut seen = std::collections::BTreeMap::new();
    let mut twice = Vec::new();
    for (_, api) in catalog.apis() {
        if let Some(library) = seen.insert(
            (api.language, api.path.to_string()),
            api.library.to_string(),
        ) {
            twice.push(format!("{} in {library} and {}", api.path, api.library));
        }
    }
    assert!(
        twice.is_empty(),
        "{} paths stand twice:\n{}",
        twice.len(),
        twice.join("\n")
    );
}

#[test]
fn what_is_offered_instead_does_not_block() {
    let catalog = Catalog::builtin();
    let mut wrong = Vec::new();
    for (_, api) in catalog.apis() {
        for (_, twin) in api.instead.iter() {
            // Making an async client may read certificates; it is what it offers that does not block.
            let class = twin
                .rsplit(['.', ':'])
                .next()
                .is_some_and(|name| name.starts_with(char::is_uppercase));
            let blocks = catalog.lookup(api.language(), twin).is_some_and(|found| {
                let twin = catalog.api(found.api);
                twin.effect == Effect::Blocks && !found.wildcard
            });
            if blocks && !class {
                wrong.push(format!("{} offers {twin}", api.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_blocking_entry_says_where_it_can_be_checked() {
    let catalog = Catalog::builtin();
    let silent: Vec<_> = catalog
        .apis()
        .filter(|(_, api)| api.effect == Effect::Blocks && api.source.is_empty())
        .map(|(_, api)| &api.path)
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}
