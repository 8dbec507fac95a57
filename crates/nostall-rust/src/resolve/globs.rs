//! Globs: which scopes and outside modules they lead to, and which names come through them.

use nostall_model::facts::ScopeId;
use nostall_model::program::Presence;

use super::Cx;
use super::conditions::presence;
use super::mounts::{MountId, ScopeRef};
use super::names::{DEEPEST, GlobTarget, Namespace, Resolved, Start, text};
use super::types::Symbol;

/// All scopes and external modules that a scope's globs lead to, the nearest first.
#[derive(Debug, Default)]
pub(crate) struct GlobClosure {
    positions: rustc_hash::FxHashMap<GlobTarget, u32>,
    externals: Vec<(u32, GlobTarget)>,
}

impl GlobClosure {
    /// Adds a target; answers whether it is new.
    fn add(&mut self, target: GlobTarget) -> bool {
        let position = self.positions.len() as u32;
        if self.positions.contains_key(&target) {
            return false;
        }
        self.positions.insert(target, position);
        if matches!(target, GlobTarget::External(_)) {
            self.externals.push((position, target));
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    pub(super) fn position(&self, target: GlobTarget) -> Option<u32> {
        self.positions.get(&target).copied()
    }

    /// The modules outside the program, with their positions.
    pub(super) fn externals(&self) -> impl Iterator<Item = (u32, GlobTarget)> {
        self.externals.iter().copied()
    }
}

impl Cx<'_> {
    /// The scopes that declare a name, as an item or an import.
    pub(super) fn declaring(&self, name: &str) -> std::rc::Rc<[ScopeRef]> {
        let all = self.declaring.get_or_init(|| self.find_declaring());
        all.get(name).map_or_else(|| [].into(), std::rc::Rc::clone)
    }

    pub(super) fn find_declaring(
        &self,
    ) -> rustc_hash::FxHashMap<Box<str>, std::rc::Rc<[ScopeRef]>> {
        let mut including: rustc_hash::FxHashMap<MountId, Vec<ScopeRef>> =
            rustc_hash::FxHashMap::default();
        for (scope, mounts) in &self.tree.included {
            for mount in mounts {
                including.entry(*mount).or_default().push(*scope);
            }
        }
        let mut found: rustc_hash::FxHashMap<Box<str>, Vec<ScopeRef>> =
            rustc_hash::FxHashMap::default();
        for mount in (0..self.tree.mounts.len()).map(|index| MountId(index as u32)) {
            let facts = self.facts(mount);
            for (index, scope) in self.index(mount).scopes.iter().enumerate() {
                let own = ScopeRef {
                    mount,
                    scope: ScopeId::new(index),
                };
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
        found
            .into_iter()
            .map(|(name, scopes)| (name, scopes.into()))
            .collect()
    }

    /// A name that nobody declares, in a module with one glob of a library that the catalogue does not speak of: it can come
    /// from nowhere else, unless a macro makes it.
    pub(super) fn through_external_glob(&self, module: ScopeRef, name: &str) -> Option<Resolved> {
        let closure = self.glob_closure(module);
        let mut unknown = closure.externals().filter_map(|(_, glob)| match glob {
            GlobTarget::External(path) => Some(path),
            GlobTarget::Scope(_) => None,
        });
        let mut unknown = unknown
            .by_ref()
            .filter(|path| !self.is_known(&self.arena.text(*path)));
        match (unknown.next(), unknown.next()) {
            (Some(path), None) => {
                let path = format!("{}::{name}", self.arena.text(path));
                Some(Resolved::External(self.arena.symbol(&path)))
            }
            _ => None,
        }
    }

    /// A name that comes through an external glob, if the catalogue knows it there.
    pub(super) fn known_below(&self, path: Symbol, name: &str) -> Vec<Resolved> {
        let path = format!("{}::{name}", self.arena.text(path));
        if self.is_known(&path) {
            vec![Resolved::External(self.arena.symbol(&path))]
        } else {
            Vec::new()
        }
    }

    /// All scopes and external modules that a scope's globs lead to, directly or through others.
    pub(super) fn glob_closure(&self, scope: ScopeRef) -> std::rc::Rc<GlobClosure> {
        if self.index(scope.mount).scopes[scope.scope.index()]
            .globs
            .is_empty()
            && !self.tree.included.contains_key(&scope)
        {
            return std::rc::Rc::default();
        }
        if let Some(found) = self.globs.borrow().get(&scope) {
            return std::rc::Rc::clone(found);
        }
        if self.globbing.borrow().contains(&scope) {
            return std::rc::Rc::default();
        }
        let mut found = GlobClosure::default();
        let mut queue = std::collections::VecDeque::from([scope]);
        while let Some(next) = queue.pop_front() {
            for target in self.glob_targets(next) {
                if target == GlobTarget::Scope(scope) || !found.add(target) {
                    continue;
                }
                if let GlobTarget::Scope(inner) = target {
                    queue.push_back(inner);
                }
            }
        }
        let found = std::rc::Rc::new(found);
        // While another closure is being made, this one may lack what is not known yet.
        if self.globbing.borrow().is_empty() {
            self.globs
                .borrow_mut()
                .insert(scope, std::rc::Rc::clone(&found));
        }
        found
    }

    /// What the globs written in one scope name.
    pub(super) fn glob_targets(&self, scope: ScopeRef) -> Vec<GlobTarget> {
        if let Some(found) = self.glob_steps.borrow().get(&scope) {
            return found.clone();
        }
        if self.globbing.borrow().contains(&scope) || self.globbing.borrow().len() as u32 > DEEPEST
        {
            return Vec::new();
        }
        self.globbing.borrow_mut().push(scope);
        let facts = self.facts(scope.mount);
        let mut found = Vec::new();
        for id in &self.index(scope.mount).scopes[scope.scope.index()].globs {
            let import = facts.imports[id.index()];
            if presence(facts, import.condition) == Presence::Absent {
                continue;
            }
            let names: Vec<&str> = facts
                .path_segments(import.path)
                .iter()
                .map(|segment| text(facts, segment))
                .collect();
            let start = Start {
                scope,
                global: facts.path(import.path).global,
                import: Some((scope.mount, *id)),
            };
            found.extend(
                self.walk_path(start, &names, Namespace::Type)
                    .0
                    .into_iter()
                    .filter_map(|it| self.glob_target(it)),
            );
        }
        for mount in self.tree.included.get(&scope).into_iter().flatten() {
            found.push(GlobTarget::Scope(ScopeRef {
                mount: *mount,
                scope: ScopeId(0),
            }));
        }
        self.globbing.borrow_mut().pop();
        if self.globbing.borrow().is_empty() {
            self.glob_steps.borrow_mut().insert(scope, found.clone());
        }
        found
    }

    pub(super) fn glob_target(&self, resolved: Resolved) -> Option<GlobTarget> {
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
}
