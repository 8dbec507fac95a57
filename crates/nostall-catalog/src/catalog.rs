//! Look-up by path: the project's own entries first, then explicit ones, then wildcards, the longest first.

use nostall_model::Language;
use rustc_hash::FxHashMap;

use crate::entry::{Api, ApiId, Origin, TraitEntry, TraitId, TypeEntry};
use crate::tables;
use crate::user::UserEntries;

/// All entries, by path.
#[derive(Debug)]
pub struct Catalog {
    apis: Vec<Api>,
    types: Vec<TypeEntry>,
    traits: Vec<TraitEntry>,
    built_in: Index,
    user: Index,
    type_index: FxHashMap<(Language, String), usize>,
    trait_index: FxHashMap<(Language, String), TraitId>,
    /// Per method name, the traits that have an entry for it.
    trait_methods: FxHashMap<(Language, String), Vec<(TraitId, ApiId)>>,
}

/// The apis of one origin.
#[derive(Debug, Default)]
struct Index {
    exact: FxHashMap<(Language, String), ApiId>,
    /// By what stands before the star.
    wildcards: FxHashMap<(Language, String), ApiId>,
}

/// What a path is in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The entry.
    pub api: ApiId,
    /// Whether a wildcard matched.
    pub wildcard: bool,
}

/// A method of a trait that a type carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraitMatch {
    /// The method's entry.
    pub api: ApiId,
    /// The trait.
    pub trait_id: TraitId,
    /// Whether the type carries it only if its first type parameter does.
    pub through: bool,
}

/// How a type carries a trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrying {
    /// By itself.
    Direct,
    /// If its first type parameter does.
    ThroughFirstParameter,
}

impl Catalog {
    /// Returns nostall's own knowledge.
    #[must_use]
    pub fn builtin() -> Self {
        let mut catalog = Self {
            apis: tables::APIS.to_vec(),
            types: tables::TYPES.to_vec(),
            traits: tables::TRAITS.to_vec(),
            built_in: Index::default(),
            user: Index::default(),
            type_index: FxHashMap::default(),
            trait_index: FxHashMap::default(),
            trait_methods: FxHashMap::default(),
        };
        catalog.index_all();
        catalog
    }

    /// Adds a project's own entries.
    #[must_use]
    pub fn with_user_entries(mut self, entries: UserEntries) -> Self {
        self.apis.extend(entries.apis);
        // The first of two types or traits of one path counts.
        self.types.splice(0..0, entries.types);
        self.traits.splice(0..0, entries.traits);
        self.index_all();
        self
    }

    fn index_all(&mut self) {
        self.merge_traits();
        self.built_in = Index::default();
        self.user = Index::default();
        for (number, api) in self.apis.iter().enumerate() {
            let index = if api.origin == Origin::User { &mut self.user } else { &mut self.built_in };
            index.add(ApiId(number as u32), api);
        }
        self.type_index.clear();
        for (number, entry) in self.types.iter().enumerate() {
            for path in std::iter::once(&entry.path).chain(entry.also.iter()) {
                self.type_index.entry((entry.language, path.to_string())).or_insert(number);
            }
        }
        self.index_traits();
    }

    /// A library's file says of a trait of another one which of its own types carry it: tables of one path are one trait.
    fn merge_traits(&mut self) {
        let mut merged: Vec<TraitEntry> = Vec::new();
        let mut places: FxHashMap<(Language, String), usize> = FxHashMap::default();
        for entry in self.traits.drain(..) {
            match places.get(&(entry.language, entry.path.to_string())) {
                Some(place) => {
                    let known = &mut merged[*place];
                    known.also.to_mut().extend_from_slice(&entry.also);
                    known.on.to_mut().extend_from_slice(&entry.on);
                    known.through.to_mut().extend_from_slice(&entry.through);
                }
                None => {
                    places.insert((entry.language, entry.path.to_string()), merged.len());
                    merged.push(entry);
                }
            }
        }
        self.traits = merged;
    }

    fn index_traits(&mut self) {
        self.trait_index.clear();
        self.trait_methods.clear();
        for (number, entry) in self.traits.iter().enumerate() {
            for path in std::iter::once(&entry.path).chain(entry.also.iter()) {
                self.trait_index.entry((entry.language, path.to_string())).or_insert(TraitId(number as u32));
            }
        }
        for (number, api) in self.apis.iter().enumerate() {
            let Some((parent, name)) = split(api.language, &api.path) else { continue };
            if let Some(id) = self.trait_index.get(&(api.language, parent.to_owned())) {
                let methods = self.trait_methods.entry((api.language, name.to_owned())).or_default();
                methods.push((*id, ApiId(number as u32)));
            }
        }
    }

    /// Returns an entry.
    ///
    /// # Panics
    /// When the id comes from another catalogue.
    #[must_use]
    pub fn api(&self, id: ApiId) -> &Api {
        &self.apis[id.0 as usize]
    }

    /// Walks all callables.
    pub fn apis(&self) -> impl Iterator<Item = (ApiId, &Api)> {
        self.apis.iter().enumerate().map(|(number, api)| (ApiId(number as u32), api))
    }

    /// Walks all types.
    pub fn types(&self) -> impl Iterator<Item = &TypeEntry> {
        self.types.iter()
    }

    /// Walks all traits.
    pub fn traits(&self) -> impl Iterator<Item = &TraitEntry> {
        self.traits.iter()
    }

    /// Finds a callable by any of its paths.
    #[must_use]
    pub fn lookup(&self, language: Language, path: &str) -> Option<Match> {
        let found = self.lookup_user(language, path).or_else(|| self.built_in.find(&self.apis, language, path));
        match found {
            Some(found) if !found.wildcard => Some(found),
            other => self.lookup_by_type(language, path).or(other),
        }
    }

    /// A method by another public path of its type: entries stand under the type's own path.
    fn lookup_by_type(&self, language: Language, path: &str) -> Option<Match> {
        let (parent, name) = split(language, path)?;
        let entry = self.type_entry(language, parent).filter(|entry| entry.path != parent)?;
        let own = format!("{}{}{name}", entry.path, separator(language));
        self.user.find(&self.apis, language, &own).or_else(|| self.built_in.find(&self.apis, language, &own))
    }

    /// Finds a callable among the project's own entries: they go before the program's own code.
    #[must_use]
    pub fn lookup_user(&self, language: Language, path: &str) -> Option<Match> {
        self.user.find(&self.apis, language, path)
    }

    /// Finds a type by any of its paths.
    #[must_use]
    pub fn type_entry(&self, language: Language, path: &str) -> Option<&TypeEntry> {
        let path = normalise(language, path);
        self.type_index.get(&(language, path.into_owned())).map(|number| &self.types[*number])
    }

    /// Finds a trait by any of its paths.
    #[must_use]
    pub fn trait_entry(&self, language: Language, path: &str) -> Option<&TraitEntry> {
        let path = normalise(language, path);
        self.trait_index.get(&(language, path.into_owned())).map(|id| &self.traits[id.0 as usize])
    }

    /// Finds the trait methods of a name that a type carries.
    #[must_use]
    pub fn trait_method(&self, language: Language, type_path: &str, name: &str) -> Vec<TraitMatch> {
        let candidates = self.trait_methods.get(&(language, name.to_owned())).into_iter().flatten();
        let carried = candidates.filter_map(|(trait_id, api)| {
            let carrying = carrying(&self.traits[trait_id.0 as usize], type_path)?;
            let through = carrying == Carrying::ThroughFirstParameter;
            Some(TraitMatch { api: *api, trait_id: *trait_id, through })
        });
        carried.collect()
    }

    /// Says how a type carries a trait.
    #[must_use]
    pub fn carries(&self, language: Language, trait_path: &str, type_path: &str) -> Option<Carrying> {
        carrying(self.trait_entry(language, trait_path)?, type_path)
    }
}

impl Index {
    fn add(&mut self, id: ApiId, api: &Api) {
        for path in std::iter::once(&api.path).chain(api.also.iter()) {
            match split(api.language, path) {
                Some((parent, "*")) => self.wildcards.entry((api.language, parent.to_owned())).or_insert(id),
                _ => self.exact.entry((api.language, path.to_string())).or_insert(id),
            };
        }
    }

    fn find(&self, apis: &[Api], language: Language, path: &str) -> Option<Match> {
        if self.exact.is_empty() && self.wildcards.is_empty() {
            return None;
        }
        let path = normalise(language, path);
        if let Some(api) = self.exact.get(&(language, path.to_string())) {
            return Some(Match { api: *api, wildcard: false });
        }
        if self.wildcards.is_empty() {
            return None;
        }
        let mut prefix: &str = &path;
        while let Some((parent, _)) = split(language, prefix) {
            if let Some(api) = self.wildcards.get(&(language, parent.to_owned())) {
                let below = path[parent.len()..].trim_start_matches([':', '.']);
                let excepted = apis[api.0 as usize].except.iter().any(|name| is_first(language, below, name));
                // An exception is the entry's own word: a shorter wildcard does not take it back.
                return (!excepted).then_some(Match { api: *api, wildcard: true });
            }
            prefix = parent;
        }
        None
    }
}

fn carrying(entry: &TraitEntry, type_path: &str) -> Option<Carrying> {
    if entry.on.iter().any(|path| path == type_path) {
        return Some(Carrying::Direct);
    }
    entry.through.iter().any(|path| path == type_path).then_some(Carrying::ThroughFirstParameter)
}

/// Says whether `below` is `name` or begins with it as whole names.
fn is_first(language: Language, below: &str, name: &str) -> bool {
    below.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator(language)))
}

/// `core` and `alloc` are `std` by other names.
fn normalise(language: Language, path: &str) -> std::borrow::Cow<'_, str> {
    if language == Language::Rust {
        for crate_name in ["core::", "alloc::"] {
            if let Some(rest) = path.strip_prefix(crate_name) {
                return format!("std::{rest}").into();
            }
        }
    }
    path.into()
}

fn separator(language: Language) -> &'static str {
    match language {
        Language::Rust => "::",
        Language::Python => ".",
    }
}

/// Splits off the last name.
fn split(language: Language, path: &str) -> Option<(&str, &str)> {
    path.rsplit_once(separator(language))
}
