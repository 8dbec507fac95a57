//! Globs: which scopes and outside modules they name, and which names come through them.

use std::rc::Rc;

use nostall_model::facts::{FileFacts, ImportId, ItemKind, ScopeId, ScopeKind};
use nostall_model::program::Presence;
use rustc_hash::FxHashMap;

use super::conditions::{item_presence, presence};
use super::glob_graph::{Circle, GlobGraph, GlobTarget, Places, Steps};
use super::mounts::{MountId, ScopeRef};
use super::names::{Namespace, Resolved, Start, in_namespace, text};
use super::types::Symbol;
use super::{Cx, Memory};

/// A chain of globs, each of which is found by the one before, ends after this many at the latest.
const MOST_ROUNDS: usize = 64;

impl Cx<'_> {
    // ---- where globs lead

    /// Finds out what all globs name. The path of a glob may itself go through globs: each round knows those of the round before.
    pub(super) fn settle_globs(&mut self) {
        let scopes = self.scopes_with_globs();
        for _ in 0..MOST_ROUNDS {
            let targets = scopes
                .iter()
                .map(|scope| (*scope, self.glob_targets(*scope)));
            let steps: Steps = targets.collect();
            if self.globs.has(&steps) {
                return;
            }
            self.globs = GlobGraph::new(steps);
            self.forget();
        }
    }

    /// What was found on the way did not know of all globs.
    fn forget(&mut self) {
        self.known = Memory::default();
        self.glob_candidates.take();
    }

    fn scopes_with_globs(&self) -> Vec<ScopeRef> {
        let mounts = (0..self.tree.mounts.len()).map(|index| MountId(index as u32));
        let all = mounts.flat_map(|mount| {
            let scopes = (0..self.index(mount).scopes.len()).map(ScopeId::new);
            scopes.map(move |scope| ScopeRef { mount, scope })
        });
        all.filter(|scope| {
            let own = &self.index(scope.mount).scopes[scope.scope.index()];
            !own.globs.is_empty() || self.tree.included.contains_key(scope)
        })
        .collect()
    }

    /// What the globs written in one scope name, and the files included there.
    fn glob_targets(&self, scope: ScopeRef) -> Vec<GlobTarget> {
        let globs = self.index(scope.mount).scopes[scope.scope.index()]
            .globs
            .iter();
        let mut found: Vec<GlobTarget> = globs
            .flat_map(|id| self.named_by_glob(scope, *id))
            .filter_map(|resolved| self.glob_target(resolved))
            .collect();
        for mount in self.tree.included.get(&scope).into_iter().flatten() {
            found.push(GlobTarget::Scope(ScopeRef {
                mount: *mount,
                scope: ScopeId(0),
            }));
        }
        found
    }

    fn named_by_glob(&self, scope: ScopeRef, id: ImportId) -> Vec<Resolved> {
        let facts = self.facts(scope.mount);
        let import = facts.imports[id.index()];
        if presence(facts, import.condition) == Presence::Absent {
            return Vec::new();
        }
        let names: Vec<&str> = facts
            .path_segments(import.path)
            .iter()
            .map(|segment| text(facts, segment))
            .collect();
        let start = Start {
            scope,
            global: facts.path(import.path).global,
            import: Some((scope.mount, id)),
        };
        self.walk_path(start, &names, Namespace::Type).0
    }

    fn glob_target(&self, resolved: Resolved) -> Option<GlobTarget> {
        match resolved {
            Resolved::Module(scope) => Some(GlobTarget::Scope(scope)),
            Resolved::External(path) => Some(GlobTarget::External(path)),
            Resolved::Item(def) => {
                let scope = self.item(def).inner?;
                Some(GlobTarget::Scope(ScopeRef {
                    mount: def.mount,
                    scope,
                }))
            }
            _ => None,
        }
    }

    // ---- names that come through them

    /// What a name means that comes into a scope through globs: what the nearest place says that has it.
    pub(super) fn lookup_through_globs(
        &self,
        scope: ScopeRef,
        name: &str,
        namespace: Namespace,
        skip: Option<(MountId, ImportId)>,
    ) -> Vec<Resolved> {
        let Some(circle) = self.globs.circle(scope) else {
            return Vec::new();
        };
        let given = |place: GlobTarget| match place {
            GlobTarget::Scope(other) => self.lookup_direct(other, name, namespace, skip),
            GlobTarget::External(path) => self.known_below(path, name),
        };
        let (places, mut all) = self.glob_candidates(circle, name, namespace);
        // What the scope itself says was asked before.
        let first = match all.binary_search(&GlobTarget::Scope(scope)) {
            Ok(_) => None,
            Err(_) => self.globs.nearest(scope, places, &all),
        };
        let found = first.map(given).unwrap_or_default();
        if !found.is_empty() {
            return found;
        }
        let others = all.iter().copied().filter(|place| {
            Some(*place) != first && *place != GlobTarget::Scope(scope) && !given(*place).is_empty()
        });
        all = others.collect();
        let next = self.globs.nearest(scope, self.globs.places(&all), &all);
        next.map(given).unwrap_or_default()
    }

    /// The places with a name that the globs of a circle lead to, sorted.
    fn glob_candidates(
        &self,
        circle: Circle,
        name: &str,
        namespace: Namespace,
    ) -> (Places, Rc<[GlobTarget]>) {
        let symbol = self.arena.symbol(name);
        let known = |circle: Circle| {
            let known = self.glob_candidates.borrow();
            known.get(&(circle, symbol, namespace)).cloned()
        };
        self.globs
            .gather(circle, known, |circle, inner, externals| {
                let mut own = self.own_candidates(circle, name, namespace);
                let externals = externals.iter().copied();
                let speak = externals.filter(|path| !self.known_below(*path, name).is_empty());
                own.extend(speak.map(GlobTarget::External));
                let found = self.joined(own, inner);
                let key = (circle, symbol, namespace);
                self.glob_candidates.borrow_mut().insert(key, found);
            });
        known(circle).unwrap_or_else(|| self.joined(Vec::new(), Vec::new()))
    }

    fn joined(
        &self,
        mut own: Vec<GlobTarget>,
        inner: Vec<(Places, Rc<[GlobTarget]>)>,
    ) -> (Places, Rc<[GlobTarget]>) {
        let mut inner: Vec<_> = inner.into_iter().filter(|(_, it)| !it.is_empty()).collect();
        if own.is_empty() && inner.len() == 1 {
            return inner.remove(0);
        }
        own.extend(inner.iter().flat_map(|(_, all)| all.iter().copied()));
        own.sort_unstable();
        own.dedup();
        let all: Rc<[GlobTarget]> = own.into();
        (self.globs.places(&all), all)
    }

    /// The scopes of a circle that have a name.
    fn own_candidates(&self, circle: Circle, name: &str, namespace: Namespace) -> Vec<GlobTarget> {
        let declaring = self.declaring(name);
        let members = self.globs.members(circle);
        let own: Vec<ScopeRef> = if members.len() < declaring.len() {
            let members = members.iter().copied();
            members
                .filter(|scope| declaring.binary_search(scope).is_ok())
                .collect()
        } else {
            let declaring = declaring.iter().copied();
            declaring
                .filter(|scope| self.globs.circle(*scope) == Some(circle))
                .collect()
        };
        let own = own.into_iter();
        own.filter(|scope| self.may_declare(*scope, name, namespace))
            .map(GlobTarget::Scope)
            .collect()
    }

    /// Says whether a scope, or a file included there, has an item of a name, or an import that may be one.
    fn may_declare(&self, scope: ScopeRef, name: &str, namespace: Namespace) -> bool {
        let included = self.tree.included.get(&scope).into_iter().flatten();
        let included = included.map(|mount| ScopeRef {
            mount: *mount,
            scope: ScopeId(0),
        });
        std::iter::once(scope).chain(included).any(|scope| {
            let facts = self.facts(scope.mount);
            let index = &self.index(scope.mount).scopes[scope.scope.index()];
            let Some(name) = facts.names.find(name) else {
                return false;
            };
            let mut items = index.items.get(&name).into_iter().flatten();
            items.any(|item| {
                in_namespace(facts, *item, namespace)
                    && item_presence(facts, *item) != Presence::Absent
            }) || index.imports.contains_key(&name)
        })
    }

    /// The modules and enums that declare a name, as an item or an import.
    fn declaring(&self, name: &str) -> Rc<[ScopeRef]> {
        let all = self.declaring.get_or_init(|| self.find_declaring());
        all.get(name).map_or_else(|| [].into(), Rc::clone)
    }

    fn find_declaring(&self) -> FxHashMap<Box<str>, Rc<[ScopeRef]>> {
        let mut including: FxHashMap<MountId, Vec<ScopeRef>> = FxHashMap::default();
        for (scope, mounts) in &self.tree.included {
            for mount in mounts {
                including.entry(*mount).or_default().push(*scope);
            }
        }
        let mut found: FxHashMap<Box<str>, Vec<ScopeRef>> = FxHashMap::default();
        for mount in (0..self.tree.mounts.len()).map(|index| MountId(index as u32)) {
            let facts = self.facts(mount);
            for (index, scope) in self.index(mount).scopes.iter().enumerate() {
                let own = ScopeRef {
                    mount,
                    scope: ScopeId::new(index),
                };
                if !can_be_globbed(facts, own.scope) {
                    continue;
                }
                for name in scope.items.keys().chain(scope.imports.keys()) {
                    let scopes = found.entry(facts.text(*name).into()).or_default();
                    scopes.push(own);
                    // What is included in a scope is declared there.
                    if index == 0 {
                        scopes.extend(including.get(&mount).into_iter().flatten());
                    }
                }
            }
        }
        let sorted = found.into_iter().map(|(name, mut scopes)| {
            scopes.sort_unstable();
            scopes.dedup();
            (name, scopes.into())
        });
        sorted.collect()
    }

    /// A name that nobody declares, in a module with one glob of a library that the catalogue does not speak of: it can come
    /// from nowhere else, unless a macro makes it.
    pub(super) fn through_external_glob(&self, module: ScopeRef, name: &str) -> Option<Resolved> {
        let externals = self.globs.externals(module);
        let mut unknown = externals
            .iter()
            .filter(|path| !self.is_known(&self.arena.text(**path)));
        match (unknown.next(), unknown.next()) {
            (Some(path), None) => {
                let path = format!("{}::{name}", self.arena.text(*path));
                Some(Resolved::External(self.arena.symbol(&path)))
            }
            _ => None,
        }
    }

    /// A name that comes through an external glob, if the catalogue knows it there.
    fn known_below(&self, path: Symbol, name: &str) -> Vec<Resolved> {
        let path = format!("{}::{name}", self.arena.text(path));
        if self.is_known(&path) {
            vec![Resolved::External(self.arena.symbol(&path))]
        } else {
            Vec::new()
        }
    }
}

/// Says whether a glob can lead to a scope: that of a module or an enum.
fn can_be_globbed(facts: &FileFacts, scope: ScopeId) -> bool {
    match facts.scopes[scope.index()].kind {
        ScopeKind::File => true,
        ScopeKind::Item(item) => matches!(facts.item(item).kind, ItemKind::Module | ItemKind::Enum),
        ScopeKind::Function(_) | ScopeKind::Head(_) | ScopeKind::Block => false,
    }
}
