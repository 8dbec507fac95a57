//! Callables of Python that block according to the lists of other tools, of Python itself and of libraries' documentation.
//! `present`: the catalogue says that it waits, for the callable itself or for a type that it extends. `known`: the catalogue
//! knows it, and tells of what is done with what it gives. `absent`: it never waits.

use nostall_catalog::{Api, Catalog, Effect};
use nostall_model::Language;

const CALLABLES: &str = include_str!("python_callables.tsv");

#[test]
fn callables_that_block_are_known() {
    let catalog = Catalog::builtin();
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in CALLABLES.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [callable, state, note] = columns[..] else {
            panic!("three columns: {row}");
        };
        rows += 1;
        let path = if state == "present" && !note.is_empty() {
            note
        } else {
            callable
        };
        let found = find(&catalog, path);
        let waits = found.is_some_and(waits);
        let fits = match state {
            "present" => waits,
            "known" => found.is_some() && !waits && !note.is_empty(),
            "absent" => !waits && !note.is_empty(),
            _ => false,
        };
        if !fits {
            wrong.push(row);
        }
    }
    assert!(rows > 1000, "{rows} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn waits(api: &Api) -> bool {
    api.waits.is_some() || api.effect == Effect::Runs || !api.when.is_empty()
}

/// The entry of a path, or of the same method of a type that its type extends.
fn find<'c>(catalog: &'c Catalog, path: &str) -> Option<&'c Api> {
    if let Some(found) = catalog.lookup(Language::Python, path) {
        return Some(catalog.api(found.api));
    }
    let (owner, method) = path.rsplit_once('.')?;
    let entry = catalog.type_entry(Language::Python, owner)?;
    let mut bases = entry.extends.iter();
    bases.find_map(|base| find(catalog, &format!("{base}.{method}")))
}
