//! A project's own entries: the same tables, read when nostall runs.

use nostall_model::Language;

use crate::check::complete;
use crate::convert;
use crate::entry::{Api, Origin, TraitEntry, TypeEntry};
use crate::error::CatalogError;
use crate::paths::separator;
use crate::schema::{ApiTable, ArgumentTable, Tables};

/// What a project adds to the catalogue.
#[derive(Clone, Debug, Default)]
pub struct UserEntries {
    pub(crate) apis: Vec<Api>,
    pub(crate) types: Vec<TypeEntry>,
    pub(crate) traits: Vec<TraitEntry>,
}

impl UserEntries {
    /// Checks tables and takes them over. `offloaders` are paths of functions that run their first argument off the
    /// executor. A path with `::` is Rust's; of an `[[api]]`, `language` decides where it is there.
    ///
    /// # Errors
    /// The first entry that is not valid, by its path.
    pub fn new(mut tables: Tables, offloaders: &[String]) -> Result<Self, CatalogError> {
        tables
            .api
            .extend(offloaders.iter().map(|path| offloader(path)));
        let mut entries = Self::default();
        for language in [Language::Rust, Language::Python] {
            let mut own = of_language(&tables, language);
            if let Some(error) = complete(&mut own, separator(language)).into_iter().next() {
                return Err(CatalogError::Entry(error));
            }
            entries.add(language, &own, Origin::User);
        }
        Ok(entries)
    }

    /// Takes over tables that are complete.
    pub(crate) fn add(&mut self, language: Language, tables: &Tables, origin: Origin) {
        let apis = tables
            .api
            .iter()
            .map(|table| convert::api(language, &tables.library, origin, table));
        self.apis.extend(apis);
        self.types.extend(
            tables
                .types
                .iter()
                .map(|table| convert::type_entry(language, table)),
        );
        self.traits.extend(
            tables
                .traits
                .iter()
                .map(|table| convert::trait_entry(language, table)),
        );
    }

    /// Says whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.apis.is_empty() && self.types.is_empty() && self.traits.is_empty()
    }
}

fn offloader(path: &str) -> ApiTable {
    ApiTable {
        path: path.to_owned(),
        effect: Some("offloads".to_owned()),
        callable: Some(ArgumentTable::Index(0)),
        ..ApiTable::default()
    }
}

/// The tables of one language.
fn of_language(tables: &Tables, language: Language) -> Tables {
    let mut own = tables.clone();
    own.api
        .retain(|table| language_of(table.language.as_deref(), &table.path) == language);
    own.types
        .retain(|table| language_of(None, &table.path) == language);
    own.traits
        .retain(|table| language_of(None, &table.path) == language);
    own
}

/// Returns the language of an entry. A word that is none is left to the check.
fn language_of(word: Option<&str>, path: &str) -> Language {
    match word {
        Some("rust") => Language::Rust,
        Some("python") => Language::Python,
        _ if path.contains("::") => Language::Rust,
        _ => Language::Python,
    }
}
