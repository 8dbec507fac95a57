//! The data itself. A failure lists all entries at once.

use std::collections::BTreeMap;

use nostall_model::Language;

use crate::check::endless;
use crate::entries::Entries;
use crate::entry::{Api, Effect, Origin};
use crate::form::Tables;
use crate::snippets::{DataFile, data_files, read};
use crate::{Catalog, Match};

fn files() -> Vec<DataFile> {
    data_files().unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn assert_none(wrong: &[String], what: &str) {
    assert!(
        wrong.is_empty(),
        "{} {what}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_file_is_valid() {
    assert!(files().iter().any(|file| file.language == Language::Rust));
    assert!(files().iter().any(|file| file.language == Language::Python));
}

/// Each file is checked alone; libraries that speak of one another may lead back to themselves only together.
#[test]
fn no_entry_leads_back_to_itself() {
    let mut wrong = Vec::new();
    for language in [Language::Rust, Language::Python] {
        let mut all = Tables::default();
        for file in files().into_iter().filter(|file| file.language == language) {
            all.api.extend(file.tables.api);
            all.types.extend(file.tables.types);
        }
        wrong.extend(endless(&all, language));
    }
    assert_none(&wrong, "entries lead back to themselves");
}

/// What is stored is read in another form than what was written; nothing but the snippets may get lost on the way.
#[test]
fn what_is_stored_is_what_the_files_say() {
    let mut read = Entries::default();
    for file in files() {
        read.add(file.language, file.tables, Origin::BuiltIn);
    }
    for api in &mut read.apis {
        (api.bad, api.good) = (None, None);
    }
    let stored = Entries::built_in();
    assert_eq!(stored.apis.len(), read.apis.len());
    for (stored, read) in stored.apis.iter().zip(&read.apis) {
        assert_eq!(stored, read);
    }
    assert_eq!(stored.types, read.types);
    assert_eq!(stored.traits, read.traits);
}

#[test]
fn no_path_is_defined_by_two_entries() {
    let mut owners: BTreeMap<(&str, Language, &str), &str> = BTreeMap::new();
    let mut wrong = Vec::new();
    let files = files();
    for file in &files {
        let apis = file
            .tables
            .api
            .iter()
            .map(|api| ("api", &api.path, &api.also));
        let types = file
            .tables
            .types
            .iter()
            .map(|entry| ("type", &entry.path, &entry.also));
        for (table, path, also) in apis.chain(types) {
            for name in std::iter::once(path).chain(also) {
                if let Some(owner) = owners.insert((table, file.language, name), &file.name) {
                    wrong.push(format!(
                        "{}: the {table} `{name}` is also in {owner}",
                        file.name
                    ));
                }
            }
        }
    }
    assert_none(&wrong, "paths are defined twice");
}

/// Tables of one path are one trait; a table that goes by another path of it would be a second one, and be lost.
#[test]
fn a_trait_is_named_by_the_path_where_it_is_defined() {
    let catalog = Catalog::builtin();
    let misnamed = catalog.traits().filter(|entry| {
        catalog
            .trait_entry(entry.language(), &entry.path)
            .is_none_or(|known| known.path != entry.path)
    });
    let wrong: Vec<_> = misnamed
        .map(|entry| format!("`{}` is another path of a trait", entry.path))
        .collect();
    assert_none(&wrong, "traits go by another path");
}

#[test]
fn every_blocking_entry_says_what_why_and_whence() {
    let is_whole = |api: &Api| {
        api.category.is_some()
            && api.waits.is_some()
            && !api.why.trim().is_empty()
            && !api.source.trim().is_empty()
    };
    let catalog = Catalog::builtin();
    let blocking = catalog
        .apis()
        .map(|(_, api)| api)
        .filter(|api| api.effect == Effect::Blocks);
    let wrong: Vec<_> = blocking
        .filter(|api| !is_whole(api))
        .map(|api| api.path.to_string())
        .collect();
    assert_none(
        &wrong,
        "blocking entries lack `category`, `waits`, `why` or `source`",
    );
}

/// What stands in for a blocking call must not block. A type stands for its methods, and making one may cost something.
#[test]
fn nothing_that_blocks_is_offered_instead() {
    let catalog = Catalog::builtin();
    let mut wrong = Vec::new();
    for (_, api) in catalog.apis() {
        for path in api.instead.values() {
            let is_type = catalog.type_entry(api.language(), path).is_some();
            if !is_type && blocks(&catalog, api.language(), path) {
                wrong.push(format!("`{}` offers `{path}`", api.path));
            }
        }
    }
    assert_none(&wrong, "entries offer a call that blocks too");
}

fn blocks(catalog: &Catalog, language: Language, path: &str) -> bool {
    let found = catalog
        .lookup(language, path)
        .filter(|found| !found.wildcard);
    found.is_some_and(|Match { api, .. }| catalog.api(api).effect == Effect::Blocks)
}

#[test]
fn a_carrier_trait_is_known() {
    let catalog = Catalog::builtin();
    let carriers = catalog
        .apis()
        .filter_map(|(_, api)| Some((api, api.carrier.as_ref()?)));
    let unknown = carriers.filter(|(api, carrier)| {
        catalog
            .trait_entry(api.language(), &carrier.trait_path)
            .is_none()
    });
    let wrong: Vec<_> = unknown
        .map(|(api, carrier)| format!("`{}`: `{}`", api.path, carrier.trait_path))
        .collect();
    assert_none(
        &wrong,
        "entries hang on a trait that no [[trait]] describes",
    );
}

#[test]
fn snippets_are_read_with_their_entries() {
    let snippets = read().unwrap_or_else(|error| panic!("{error}"));
    let catalog = Catalog::builtin();
    assert_eq!(snippets.len(), catalog.apis().count());
    for (snippet, (_, api)) in snippets.iter().zip(catalog.apis()) {
        assert_eq!(
            (snippet.language, &*snippet.entry_path, snippet.effect),
            (api.language(), &*api.path, api.effect)
        );
    }
}
