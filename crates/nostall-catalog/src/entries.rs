//! Entries taken out of tables: nostall's own, as the build script stored them, and a project's.

use std::collections::BTreeMap;

use nostall_model::Language;

use crate::check::complete;
use crate::entry::{
    Api, Argument, Effect, FeatureEntry, Origin, RuntimeEntry, TraitEntry, TypeEntry,
};
use crate::error::CatalogError;
use crate::form::Tables;

/// The files of data that the build script read and checked.
const STORED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue"));

/// Entries of all files of one origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    pub(crate) apis: Vec<Api>,
    pub(crate) types: Vec<TypeEntry>,
    pub(crate) traits: Vec<TraitEntry>,
    pub(crate) runtimes: Vec<RuntimeEntry>,
    pub(crate) features: Vec<FeatureEntry>,
    /// Libraries that are no longer kept up, and what goes on in their place.
    pub(crate) successors: BTreeMap<String, String>,
}

impl Entries {
    /// Returns nostall's own.
    pub(crate) fn built_in() -> Self {
        let files: Vec<(Language, Tables)> =
            postcard::from_bytes(STORED).expect("the build script stored what is read here");
        let mut entries = Self::default();
        for (language, tables) in files {
            entries.add(language, tables, Origin::BuiltIn);
        }
        entries
    }

    /// Takes over tables that are complete, and says in each entry what its file says of it.
    pub(crate) fn add(&mut self, language: Language, tables: Tables, origin: Origin) {
        let library = tables.library;
        let successor = tables.successor.map(|other| (library.clone(), other));
        self.successors.extend(successor);
        self.apis.extend(tables.api.into_iter().map(|api| Api {
            language: Some(language),
            library: library.clone(),
            origin,
            ..api
        }));
        self.types
            .extend(tables.types.into_iter().map(|entry| TypeEntry {
                language: Some(language),
                ..entry
            }));
        self.runtimes
            .extend(tables.runtimes.into_iter().map(|entry| RuntimeEntry {
                language: Some(language),
                ..entry
            }));
        self.features
            .extend(tables.features.into_iter().map(|entry| FeatureEntry {
                library: library.clone(),
                ..entry
            }));
        self.traits
            .extend(tables.traits.into_iter().map(|entry| TraitEntry {
                language: Some(language),
                ..entry
            }));
    }
}

/// What a project adds to the catalogue.
#[derive(Clone, Debug, Default)]
pub struct UserEntries(pub(crate) Entries);

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
        let mut entries = Entries::default();
        for language in [Language::Rust, Language::Python] {
            let mut own = of_language(&tables, language);
            if let Some(error) = complete(&mut own, language).into_iter().next() {
                return Err(CatalogError::Entry(error));
            }
            entries.add(language, own, Origin::User);
        }
        Ok(Self(entries))
    }

    /// Says whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.apis.is_empty() && self.0.types.is_empty() && self.0.traits.is_empty()
    }
}

fn offloader(path: &str) -> Api {
    Api {
        path: path.to_owned(),
        effect: Effect::Offloads,
        callable: Some(Argument {
            index: Some(0),
            keyword: None,
        }),
        ..Api::default()
    }
}

/// The tables of one language.
fn of_language(tables: &Tables, language: Language) -> Tables {
    let mut own = tables.clone();
    own.api.retain(|api| api.language() == language);
    own.types.retain(|entry| entry.language() == language);
    own.traits.retain(|entry| entry.language() == language);
    own
}
