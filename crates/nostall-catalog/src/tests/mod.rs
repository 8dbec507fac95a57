//! Tests of the form, of the look-up and of the data. The samples are small tables with made-up names.

mod data;
mod form;
mod lookup;
mod traits;

use nostall_model::Language;

use crate::check::complete;
use crate::entries::{Entries, UserEntries};
use crate::entry::{Api, Origin};
use crate::form::{Tables, parse};
use crate::{Catalog, Match};

/// Makes a catalogue of Rust tables for nostall's own data and of tables for a project's config.
fn catalog(built_in: &str, user: &str) -> Catalog {
    catalog_of(Language::Rust, built_in, user)
}

fn catalog_of(language: Language, built_in: &str, user: &str) -> Catalog {
    let mut tables: Tables = parse(built_in).expect("the sample has the form");
    assert_eq!(complete(&mut tables, language), Vec::<String>::new());
    let mut own = Entries::default();
    own.add(language, tables, Origin::BuiltIn);
    let user = UserEntries::new(parse(user).expect("the sample has the form"), &[])
        .expect("the sample is valid");
    Catalog::new(own).with_user_entries(user)
}

/// The entry that a path finds: its path, and who says so.
fn found<'a>(
    catalog: &'a Catalog,
    language: Language,
    path: &str,
) -> Option<(&'a str, Origin, bool)> {
    let Match { api, wildcard } = catalog.lookup(language, path)?;
    let Api { path, origin, .. } = catalog.api(api);
    Some((path, *origin, wildcard))
}
