//! Which types carry which traits, and the methods that the catalogue knows of those traits.

use nostall_model::Language;
use nostall_model::finding::ApiId;
use rustc_hash::FxHashMap;

use crate::entry::{Api, Origin, TraitEntry, TraitId, TypeEntry, Wait};
use crate::paths::{PathMap, normalise, split};

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
    /// By itself; what its calls wait for, where that is something else than the trait's methods say.
    Direct(Option<Wait>),
    /// If its first type parameter does.
    ThroughFirstParameter,
}

/// The traits by path, by the names of their methods and by the types that carry them.
#[derive(Debug, Default)]
pub(crate) struct TraitIndex {
    by_path: PathMap<TraitId>,
    methods: PathMap<Vec<(TraitId, ApiId)>>,
    carriers: PathMap<Vec<(TraitId, Carrying)>>,
    /// For another path of a type, the one where it is defined.
    type_paths: PathMap<String>,
}

impl TraitIndex {
    /// Indexes traits that are [merged](merge).
    pub(crate) fn new(traits: &[TraitEntry], types: &[TypeEntry], apis: &[Api]) -> Self {
        let mut index = Self::default();
        for entry in types {
            for other in entry.also.iter() {
                let own = index.type_paths.of(entry.language());
                own.entry(normalise(entry.language(), other).into_owned())
                    .or_insert_with(|| entry.path.clone());
            }
        }
        for (number, entry) in traits.iter().enumerate() {
            index.add(TraitId(number as u32), entry);
        }
        // A user's entry for a method goes before nostall's own: the first of one trait counts.
        for origin in [Origin::User, Origin::BuiltIn] {
            let own = apis
                .iter()
                .enumerate()
                .filter(|(_, api)| api.origin == origin);
            own.for_each(|(number, api)| index.add_method(ApiId(number as u32), api));
        }
        index
    }

    fn add(&mut self, id: TraitId, entry: &TraitEntry) {
        let language = entry.language();
        for path in std::iter::once(&entry.path).chain(entry.also.iter()) {
            self.by_path
                .of(language)
                .entry(normalise(language, path).into_owned())
                .or_insert(id);
        }
        for type_path in &entry.on {
            let mut waits_on = entry.waits_on.iter();
            let wait = waits_on.find(|(path, _)| path == type_path);
            self.add_carrier(
                id,
                language,
                type_path,
                Carrying::Direct(wait.map(|it| it.1)),
            );
        }
        for type_path in &entry.through {
            self.add_carrier(id, language, type_path, Carrying::ThroughFirstParameter);
        }
    }

    fn add_carrier(&mut self, id: TraitId, language: Language, path: &str, carrying: Carrying) {
        let path = normalise(language, path);
        let key = match self.type_paths.get(language, &path) {
            Some(defined) => defined.clone(),
            None => path.into_owned(),
        };
        let carried = self.carriers.of(language).entry(key).or_default();
        if !carried.iter().any(|(known, _)| *known == id) {
            carried.push((id, carrying));
        }
    }

    fn add_method(&mut self, api_id: ApiId, api: &Api) {
        for path in std::iter::once(&api.path).chain(api.also.iter()) {
            let path = normalise(api.language(), path).into_owned();
            let Some((parent, name)) = split(api.language(), &path) else {
                continue;
            };
            if name == "*" {
                continue;
            }
            let Some(trait_id) = self.by_path.get(api.language(), parent).copied() else {
                continue;
            };
            let known = self
                .methods
                .of(api.language())
                .entry(name.to_owned())
                .or_default();
            if !known.iter().any(|(other, _)| *other == trait_id) {
                known.push((trait_id, api_id));
            }
        }
    }

    pub(crate) fn id(&self, language: Language, path: &str) -> Option<TraitId> {
        self.by_path
            .get(language, &normalise(language, path))
            .copied()
    }

    pub(crate) fn methods(
        &self,
        language: Language,
        type_path: &str,
        name: &str,
    ) -> Vec<TraitMatch> {
        let Some(methods) = self.methods.get(language, name) else {
            return Vec::new();
        };
        let carried = self.carried(language, type_path);
        let matches = methods.iter().filter_map(|(trait_id, api)| {
            let (_, carrying) = carried.iter().find(|(id, _)| id == trait_id)?;
            let through = *carrying == Carrying::ThroughFirstParameter;
            Some(TraitMatch {
                api: *api,
                trait_id: *trait_id,
                through,
            })
        });
        matches.collect()
    }

    pub(crate) fn carries(
        &self,
        language: Language,
        trait_path: &str,
        type_path: &str,
    ) -> Option<Carrying> {
        let trait_id = self.id(language, trait_path)?;
        let carried = self.carried(language, type_path).iter();
        carried
            .copied()
            .find(|(id, _)| *id == trait_id)
            .map(|(_, carrying)| carrying)
    }

    fn carried(&self, language: Language, type_path: &str) -> &[(TraitId, Carrying)] {
        let type_path = normalise(language, type_path);
        let defined = self
            .type_paths
            .get(language, &type_path)
            .map_or(&*type_path, String::as_str);
        self.carriers
            .get(language, defined)
            .map_or(&[], Vec::as_slice)
    }
}

/// Makes one trait of the tables of one path: a library's file says of another's trait which of its own types carry it.
pub(crate) fn merge(traits: Vec<TraitEntry>) -> Vec<TraitEntry> {
    let mut merged: Vec<TraitEntry> = Vec::new();
    let mut places: FxHashMap<(Language, String), usize> = FxHashMap::default();
    for mut entry in traits {
        if let (Some(category), Some(waits)) = (entry.category.take(), entry.waits.take()) {
            let wait = Wait { category, waits };
            let waits_on = entry.on.iter().map(|path| (path.clone(), wait));
            entry.waits_on.extend(waits_on);
        }
        match places.get(&(entry.language(), entry.path.clone())) {
            Some(place) => {
                let known = &mut merged[*place];
                known.also.extend(entry.also);
                known.assume |= entry.assume;
                known.on.extend(entry.on);
                known.waits_on.extend(entry.waits_on);
                known.through.extend(entry.through);
                known.on_loop.extend(entry.on_loop);
                known.not_on.extend(entry.not_on);
                known.off_loop_with.extend(entry.off_loop_with);
                known.supertraits.extend(entry.supertraits);
            }
            None => {
                places.insert((entry.language(), entry.path.clone()), merged.len());
                merged.push(entry);
            }
        }
    }
    merged
}
