//! Paths as the languages write them, and maps from them.

use std::borrow::Cow;

use nostall_model::Language;
use rustc_hash::FxHashMap;

use crate::entry::separator;

/// Splits off the last name.
pub(crate) fn split(language: Language, path: &str) -> Option<(&str, &str)> {
    path.rsplit_once(separator(language))
}

/// `core` and `alloc` are `std` by other names.
pub(crate) fn normalise(language: Language, path: &str) -> Cow<'_, str> {
    let other = ["core::", "alloc::"];
    let rest = other
        .iter()
        .find_map(|name| path.strip_prefix(name))
        .filter(|_| language == Language::Rust);
    rest.map_or(Cow::Borrowed(path), |rest| {
        Cow::Owned(format!("std::{rest}"))
    })
}

/// A map from paths, apart for each language. A look-up allocates nothing.
#[derive(Debug)]
pub(crate) struct PathMap<T> {
    rust: FxHashMap<String, T>,
    python: FxHashMap<String, T>,
}

impl<T> Default for PathMap<T> {
    fn default() -> Self {
        Self {
            rust: FxHashMap::default(),
            python: FxHashMap::default(),
        }
    }
}

impl<T> PathMap<T> {
    /// Returns the value of a path.
    pub(crate) fn get(&self, language: Language, path: &str) -> Option<&T> {
        match language {
            Language::Rust => self.rust.get(path),
            Language::Python => self.python.get(path),
        }
    }

    /// Returns the map of one language, to be filled.
    pub(crate) fn of(&mut self, language: Language) -> &mut FxHashMap<String, T> {
        match language {
            Language::Rust => &mut self.rust,
            Language::Python => &mut self.python,
        }
    }

    /// Says whether a language has nothing.
    pub(crate) fn is_empty(&self, language: Language) -> bool {
        match language {
            Language::Rust => self.rust.is_empty(),
            Language::Python => self.python.is_empty(),
        }
    }
}
