//! Look-up by path: the project's own entries first, then explicit ones, then wildcards, the longest first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use nostall_model::finding::ApiId;
use nostall_model::program::RuntimeId;
use nostall_model::{Category, Language, Waits};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::entries::{Entries, UserEntries};
use crate::entry::{
    Api, FeatureEntry, Origin, RuntimeEntry, Thread, TraitEntry, TraitId, TypeEntry, Wait,
    separator,
};
use crate::paths::{PathMap, normalise, split};
use crate::traits::{Carrying, TraitIndex, TraitMatch, merge};

/// All entries, by path.
#[derive(Debug)]
pub struct Catalog {
    /// The entries as they are written, then what [`Catalog::on`] gives.
    apis: Vec<Api>,
    written: usize,
    waiting: FxHashMap<(ApiId, Wait), ApiId>,
    types: Vec<TypeEntry>,
    traits: Vec<TraitEntry>,
    runtimes: Vec<RuntimeEntry>,
    features: Vec<FeatureEntry>,
    successors: BTreeMap<String, String>,
    built_in: Index,
    user: Index,
    type_index: PathMap<usize>,
    trait_index: TraitIndex,
    /// All paths and their beginnings, made when first asked for.
    beginnings: OnceLock<FxHashSet<(Language, String)>>,
    /// What waits for room in a channel, made when first asked for.
    sends: OnceLock<FxHashSet<String>>,
}

/// What a path is in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The entry.
    pub api: ApiId,
    /// Whether a wildcard matched.
    pub wildcard: bool,
}

impl Catalog {
    /// Returns nostall's own knowledge.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(Entries::built_in())
    }

    /// Adds a project's own entries. They go before those that are there.
    #[must_use]
    pub fn with_user_entries(self, UserEntries(entries): UserEntries) -> Self {
        let mut apis = self.apis;
        apis.truncate(self.written);
        apis.extend(entries.apis);
        // The first of two types of one path counts, so the project's stand first.
        let types = entries.types.into_iter().chain(self.types).collect();
        let traits = entries.traits.into_iter().chain(self.traits).collect();
        let mut runtimes = self.runtimes;
        runtimes.extend(entries.runtimes);
        let mut features = self.features;
        features.extend(entries.features);
        Self::new(Entries {
            apis,
            types,
            traits,
            runtimes,
            features,
            successors: self.successors,
        })
    }

    pub(crate) fn new(entries: Entries) -> Self {
        let Entries {
            mut apis,
            types,
            traits,
            runtimes,
            features,
            successors,
        } = entries;
        let traits = merge(traits);
        let built_in = Index::new(&apis, Origin::BuiltIn);
        let user = Index::new(&apis, Origin::User);
        let trait_index = TraitIndex::new(&traits, &types, &apis);
        let written = apis.len();
        let mut waiting = add_waiting(&mut apis, &traits, &trait_index);
        add_brief(&mut apis, &types, &mut waiting);
        Self {
            built_in,
            user,
            type_index: index_types(&types),
            trait_index,
            written,
            waiting,
            beginnings: OnceLock::new(),
            sends: OnceLock::new(),
            apis,
            types,
            traits,
            runtimes,
            features,
            successors,
        }
    }

    /// Finds the features that a path needs of its library, used in place of a call of this category. Entries about the
    /// longest path count.
    pub fn features_of(
        &self,
        language: Language,
        path: &str,
        category: Option<Category>,
    ) -> impl Iterator<Item = &FeatureEntry> {
        let covers = move |entry: &&FeatureEntry| begins_with(language, path, &entry.path);
        let longest = self.features.iter().filter(covers);
        let longest = longest.map(|entry| entry.path.len()).max();
        self.features.iter().filter(move |entry| {
            begins_with(language, path, &entry.path)
                && Some(entry.path.len()) == longest
                && (entry.category.is_none() || entry.category == category)
        })
    }

    /// Says whether a library is no longer kept up, because another goes on in its place.
    #[must_use]
    pub fn has_successor(&self, library: &str) -> bool {
        self.successors.contains_key(library)
    }

    /// Walks the runtimes of a language.
    pub fn runtimes(&self, language: Language) -> impl Iterator<Item = (RuntimeId, &RuntimeEntry)> {
        let all = self.runtimes.iter().enumerate();
        all.filter(move |(_, entry)| entry.language() == language)
            .map(|(index, entry)| (RuntimeId(index as u16), entry))
    }

    /// Returns a runtime.
    ///
    /// # Panics
    /// When the id comes from another catalogue.
    #[must_use]
    pub fn runtime(&self, id: RuntimeId) -> &RuntimeEntry {
        &self.runtimes[usize::from(id.0)]
    }

    /// Finds the runtime of code that these crates or imports are seen in: one that runs on others goes before them, then the
    /// first of the data.
    #[must_use]
    pub fn runtime_seen(
        &self,
        language: Language,
        seen: &dyn Fn(&str) -> bool,
    ) -> Option<RuntimeId> {
        let shown: Vec<(RuntimeId, &RuntimeEntry)> = self
            .runtimes(language)
            .filter(|(_, entry)| entry.shown_by.iter().any(|name| seen(name)))
            .collect();
        let is_under = |key: &String| shown.iter().any(|(_, other)| other.over.contains(key));
        let mut uppermost = shown.iter().filter(|(_, entry)| !is_under(&entry.key));
        uppermost.next().map(|(id, _)| *id)
    }

    /// Returns the runtime of code that shows none: the language's first.
    #[must_use]
    pub fn usual_runtime(&self, language: Language) -> Option<RuntimeId> {
        self.runtimes(language).next().map(|(id, _)| id)
    }

    /// Returns the runtime that one runs on, if it runs on any.
    #[must_use]
    pub fn runtime_below(&self, id: RuntimeId) -> Option<RuntimeId> {
        let key = self.runtime(id).over.first()?;
        let position = self.runtimes.iter().position(|entry| entry.key == *key)?;
        Some(RuntimeId(position as u16))
    }

    /// Returns the keys of `instead` that are good on a runtime: its own, then those of what it runs on.
    #[must_use]
    pub fn runtime_keys(&self, id: RuntimeId) -> Vec<&str> {
        let entry = self.runtime(id);
        let under = entry.over.iter().map(String::as_str);
        std::iter::once(entry.key.as_str()).chain(under).collect()
    }

    /// Returns an entry.
    ///
    /// # Panics
    /// When the id comes from another catalogue.
    #[must_use]
    pub fn api(&self, id: ApiId) -> &Api {
        &self.apis[id.0 as usize]
    }

    /// Returns which threads a callable may run on: what its entry says, or else that of the type whose method it is.
    ///
    /// # Panics
    /// When the id comes from another catalogue.
    #[must_use]
    pub fn thread(&self, id: ApiId) -> Option<Thread> {
        let of_type = || self.type_with(self.api(id))?.thread;
        self.api(id).thread.or_else(of_type)
    }

    /// Returns the type that gives what a method is called on, where both stay on their thread: the connection of a cursor.
    ///
    /// # Panics
    /// When the id comes from another catalogue.
    #[must_use]
    pub fn opener(&self, id: ApiId) -> Option<&TypeEntry> {
        let language = self.api(id).language();
        let stays = |entry: &&TypeEntry| entry.thread == Some(Thread::Same);
        let given = self.type_with(self.api(id)).filter(stays)?;
        let gives = |api: &Api| {
            let returns = api.returns.iter();
            let mut types = returns.flat_map(|text| self.types_in(language, text));
            types.any(|entry| entry.path == given.path)
        };
        let methods = self.apis.iter().filter(|api| api.language() == language);
        let mut openers = methods
            .filter(|api| gives(api))
            .filter_map(|api| self.type_with(api));
        openers.find(|entry| stays(entry) && entry.path != given.path)
    }

    /// Walks the known types that a type as written names.
    pub fn types_in(&self, language: Language, written: &str) -> impl Iterator<Item = &TypeEntry> {
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '.';
        let paths = written.split(move |c| !is_path(c));
        paths.filter_map(move |path| self.type_entry(language, path))
    }

    /// Returns the type whose method an entry is.
    #[must_use]
    pub fn type_with(&self, api: &Api) -> Option<&TypeEntry> {
        let (parent, _) = split(api.language(), &api.path)?;
        self.type_entry(api.language(), parent)
    }

    /// Walks all callables.
    pub fn apis(&self) -> impl Iterator<Item = (ApiId, &Api)> {
        self.apis[..self.written]
            .iter()
            .enumerate()
            .map(|(number, api)| (ApiId(number as u32), api))
    }

    /// Walks all types.
    pub fn types(&self) -> impl Iterator<Item = &TypeEntry> {
        self.types.iter()
    }

    /// Walks all traits.
    pub fn traits(&self) -> impl Iterator<Item = &TraitEntry> {
        self.traits.iter()
    }

    /// Says whether there is an entry at a path, or below it.
    #[must_use]
    pub fn speaks_of(&self, language: Language, path: &str) -> bool {
        let known = self.beginnings.get_or_init(|| self.all_beginnings());
        known.contains(&(language, path.to_owned()))
    }

    /// Says whether calls of a path wait for room in a channel of which an entry says how much there is.
    #[must_use]
    pub fn waits_for_room(&self, path: &str) -> bool {
        let sends = self.sends.get_or_init(|| {
            let makers = self.apis().filter(|(_, api)| api.room.is_some());
            makers.flat_map(|(_, api)| api.ends.clone()).collect()
        });
        sends.contains(path)
    }

    /// Says whether an entry makes a channel in which senders wait for room; without `room` it has no limit.
    #[must_use]
    pub fn makes_channel(&self, api: &Api) -> bool {
        api.ends.iter().any(|path| self.waits_for_room(path))
    }

    fn all_beginnings(&self) -> FxHashSet<(Language, String)> {
        let apis = self
            .apis()
            .map(|(_, api)| (api.language(), &api.path, &api.also));
        let types = self
            .types
            .iter()
            .map(|entry| (entry.language(), &entry.path, &entry.also));
        let traits = self
            .traits
            .iter()
            .map(|entry| (entry.language(), &entry.path, &entry.also));
        let mut known = FxHashSet::default();
        for (language, path, also) in apis.chain(types).chain(traits) {
            let separator = separator(language);
            for path in std::iter::once(path).chain(also.iter()) {
                let mut rest: &str = path.trim_end_matches('*').trim_end_matches(separator);
                while !rest.is_empty() && known.insert((language, rest.to_owned())) {
                    rest = rest.rsplit_once(separator).map_or("", |(parent, _)| parent);
                }
            }
        }
        known
    }

    /// Finds a callable by any of its paths.
    #[must_use]
    pub fn lookup(&self, language: Language, path: &str) -> Option<Match> {
        let defined = self.by_defined_type(language, path);
        let defined = defined.as_deref();
        let user = self.user.find(&self.apis, language, path, defined);
        user.or_else(|| self.built_in.find(&self.apis, language, path, defined))
    }

    /// Finds a callable among the project's own entries: they go before the program's own code.
    #[must_use]
    pub fn lookup_user(&self, language: Language, path: &str) -> Option<Match> {
        let defined = self.by_defined_type(language, path);
        self.user
            .find(&self.apis, language, path, defined.as_deref())
    }

    /// Names a method by the path where its type is defined, if `path` has another one: that is where entries stand.
    fn by_defined_type(&self, language: Language, path: &str) -> Option<String> {
        let (parent, name) = split(language, path)?;
        let entry = self
            .type_entry(language, parent)
            .filter(|entry| entry.path != parent)?;
        Some(format!("{}{}{name}", entry.path, separator(language)))
    }

    /// Finds a type by any of its paths.
    #[must_use]
    pub fn type_entry(&self, language: Language, path: &str) -> Option<&TypeEntry> {
        self.type_index
            .get(language, &normalise(language, path))
            .map(|number| &self.types[*number])
    }

    /// Finds a trait by any of its paths.
    #[must_use]
    pub fn trait_entry(&self, language: Language, path: &str) -> Option<&TraitEntry> {
        self.trait_index
            .id(language, path)
            .map(|id| self.trait_by_id(id))
    }

    /// Returns a trait.
    ///
    /// # Panics
    /// When the id comes from another catalogue.
    #[must_use]
    pub fn trait_by_id(&self, id: TraitId) -> &TraitEntry {
        &self.traits[id.0 as usize]
    }

    /// Finds the trait methods of a name that a type carries: one per trait. A wildcard below a trait is none, since it
    /// would take any name for a method of the trait.
    #[must_use]
    pub fn trait_method(&self, language: Language, type_path: &str, name: &str) -> Vec<TraitMatch> {
        self.trait_index.methods(language, type_path, name)
    }

    /// Returns the entry that a call is on a type that carries a trait and waits for something else than the trait's methods say.
    #[must_use]
    pub fn on(&self, api: ApiId, wait: Option<Wait>) -> ApiId {
        let special = wait.and_then(|wait| self.waiting.get(&(api, wait)));
        special.copied().unwrap_or(api)
    }

    /// Returns the entry that a method is on a value that is all in memory.
    #[must_use]
    pub fn in_memory(&self, api: ApiId) -> ApiId {
        self.on(api, in_memory(self.api(api)))
    }

    /// Returns what calls of a trait may wait for, besides what its methods say.
    #[must_use]
    pub fn waits_of_trait(&self, language: Language, path: &str) -> BTreeSet<Wait> {
        let id = self.trait_index.id(language, path);
        id.map(|id| waits_of(&self.traits, &self.trait_index, id))
            .unwrap_or_default()
    }

    /// Returns the trait that decides whether a call blocks, if one does.
    #[must_use]
    pub fn trait_that_decides(&self, api: ApiId) -> Option<&TraitEntry> {
        carried_trait(self.api(api), &self.trait_index).map(|id| self.trait_by_id(id))
    }

    /// Says how a type carries a trait.
    #[must_use]
    pub fn carries(
        &self,
        language: Language,
        trait_path: &str,
        type_path: &str,
    ) -> Option<Carrying> {
        self.trait_index.carries(language, trait_path, type_path)
    }
}

/// Adds, for each call that blocks only where a type carries a trait, what it is on types that wait for something else.
fn add_waiting(
    apis: &mut Vec<Api>,
    traits: &[TraitEntry],
    index: &TraitIndex,
) -> FxHashMap<(ApiId, Wait), ApiId> {
    let mut waiting = FxHashMap::default();
    for number in 0..apis.len() {
        let Some(trait_id) = carried_trait(&apis[number], index) else {
            continue;
        };
        for wait in waits_of(traits, index, trait_id) {
            waiting.insert((ApiId(number as u32), wait), ApiId(apis.len() as u32));
            apis.push(Api {
                category: Some(wait.category),
                waits: Some(wait.waits),
                ..apis[number].clone()
            });
        }
    }
    waiting
}

/// Adds, for each method that is brief on some values of its type, what it is on them.
fn add_brief(
    apis: &mut Vec<Api>,
    types: &[TypeEntry],
    waiting: &mut FxHashMap<(ApiId, Wait), ApiId>,
) {
    let in_memory_types = types.iter().filter(|entry| !entry.brief_with.is_empty());
    let paths: BTreeSet<&str> = in_memory_types.map(|entry| &*entry.path).collect();
    for number in 0..apis.len() {
        let api = &apis[number];
        let parent = split(api.language(), &api.path).map(|(parent, _)| parent);
        let is_meant = parent.is_some_and(|parent| paths.contains(parent)) && api.may_block();
        if let Some(wait) = in_memory(api).filter(|_| is_meant) {
            waiting.insert((ApiId(number as u32), wait), ApiId(apis.len() as u32));
            apis.push(Api {
                waits: Some(wait.waits),
                ..api.clone()
            });
        }
    }
}

fn in_memory(api: &Api) -> Option<Wait> {
    let waits = Waits::Brief;
    api.category.map(|category| Wait { category, waits })
}

/// The trait that decides whether a call blocks: that of its carrier, or that whose method it is.
fn carried_trait(api: &Api, index: &TraitIndex) -> Option<TraitId> {
    let parent = || split(api.language(), &api.path).map(|(parent, _)| parent);
    let carrier = api.carrier.as_ref().map(|carrier| &*carrier.trait_path);
    let path = carrier.or_else(parent).filter(|_| api.may_block())?;
    index.id(api.language(), path)
}

/// What calls of a trait may wait for, on its own types and, through wrappers, on those of its supertraits.
fn waits_of(traits: &[TraitEntry], index: &TraitIndex, id: TraitId) -> BTreeSet<Wait> {
    let entry = &traits[id.0 as usize];
    let brought = entry.supertraits.iter();
    let brought = brought.filter_map(|path| index.id(entry.language(), path));
    let all = std::iter::once(id).chain(brought);
    let waits_on = all.flat_map(|id| &traits[id.0 as usize].waits_on);
    waits_on.map(|(_, wait)| *wait).collect()
}

fn index_types(types: &[TypeEntry]) -> PathMap<usize> {
    let mut index = PathMap::default();
    for (number, entry) in types.iter().enumerate() {
        for path in std::iter::once(&entry.path).chain(entry.also.iter()) {
            index
                .of(entry.language())
                .entry(normalise(entry.language(), path).into_owned())
                .or_insert(number);
        }
    }
    index
}

/// The callables of one origin.
#[derive(Debug, Default)]
struct Index {
    exact: PathMap<ApiId>,
    /// By what stands before the star.
    wildcards: PathMap<ApiId>,
}

impl Index {
    fn new(apis: &[Api], origin: Origin) -> Self {
        let mut index = Self::default();
        for (number, api) in apis
            .iter()
            .enumerate()
            .filter(|(_, api)| api.origin == origin)
        {
            for path in std::iter::once(&api.path).chain(api.also.iter()) {
                index.add(
                    ApiId(number as u32),
                    api.language(),
                    normalise(api.language(), path).into_owned(),
                );
            }
        }
        index
    }

    fn add(&mut self, id: ApiId, language: Language, path: String) {
        match split(language, &path) {
            Some((parent, "*")) => self
                .wildcards
                .of(language)
                .entry(parent.to_owned())
                .or_insert(id),
            _ => self.exact.of(language).entry(path).or_insert(id),
        };
    }

    /// Finds a path, or the same callable by the path where its type is defined.
    fn find(
        &self,
        apis: &[Api],
        language: Language,
        path: &str,
        defined: Option<&str>,
    ) -> Option<Match> {
        let path = normalise(language, path);
        let exact = |path: &str| {
            self.exact.get(language, path).map(|api| Match {
                api: *api,
                wildcard: false,
            })
        };
        let wildcard = |path: &str| self.wildcard(apis, language, path);
        exact(&path)
            .or_else(|| defined.and_then(exact))
            .or_else(|| defined.and_then(wildcard))
            .or_else(|| wildcard(&path))
    }

    /// Finds the longest wildcard above a path.
    fn wildcard(&self, apis: &[Api], language: Language, path: &str) -> Option<Match> {
        if self.wildcards.is_empty(language) {
            return None;
        }
        let mut prefix = path;
        while let Some((parent, _)) = split(language, prefix) {
            if let Some(api) = self.wildcards.get(language, parent) {
                let below = &path[parent.len() + separator(language).len()..];
                let excepted = apis[api.0 as usize]
                    .except
                    .iter()
                    .any(|name| begins_with(language, below, name));
                // An exception is the entry's own word: a shorter wildcard does not take it back.
                return (!excepted).then_some(Match {
                    api: *api,
                    wildcard: true,
                });
            }
            prefix = parent;
        }
        None
    }
}

/// Says whether `below` is `name` or begins with it as whole names.
fn begins_with(language: Language, below: &str, name: &str) -> bool {
    below
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(separator(language)))
}
