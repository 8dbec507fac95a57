//! Paths to what they name: lexical scopes, `use` trees, globs, crates, the prelude.
//!
//! A name is resolved by where it comes from. It may name several definitions (twins under different `cfg`s): all count.

use nostall_model::facts::{
    FileFacts, ImportId, ItemId, ItemKind, PathId, ScopeId, ScopeKind, Segment,
};
use nostall_model::layout::Dependency;
use nostall_model::program::Presence;

use super::conditions::{item_presence, presence};
use super::index::{is_module, module_of};
use super::mounts::{DefId, MountId, ScopeRef};
use super::types::{Symbol, Ty, TypeKind};
use super::{Cx, DEEPEST};

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Resolved {
    /// A module or crate of the program.
    Module(ScopeRef),
    /// An item of the program.
    Item(DefId),
    /// Something outside the program, by its path.
    External(Symbol),
    /// A generic parameter of an item.
    Generic(DefId, Symbol),
    /// `Self`: the type of this impl, trait, struct or enum.
    SelfType(DefId),
    /// A primitive type.
    Primitive(Symbol),
    /// A name to be looked up on a type.
    Associated(Ty, Symbol),
}

/// What kind of name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Namespace {
    /// Modules, types, traits.
    Type,
    /// Functions, constants, constructors.
    Value,
    /// Macros.
    Macro,
}

impl Cx<'_> {
    /// Resolves a path of a mounted file.
    pub(crate) fn resolve_path(
        &self,
        mount: MountId,
        id: PathId,
        namespace: Namespace,
    ) -> Vec<Resolved> {
        self.known.paths.ask(
            &self.depth,
            DEEPEST,
            (mount, id, namespace),
            Vec::new,
            || self.resolve_path_anew(mount, id, namespace),
        )
    }

    pub(super) fn resolve_path_anew(
        &self,
        mount: MountId,
        id: PathId,
        namespace: Namespace,
    ) -> Vec<Resolved> {
        let facts = self.facts(mount);
        let path = facts.path(id);
        let segments = facts.path_segments(id);
        if let Some(qualified) = path.qualified_self {
            return self.qualified_path(mount, id, qualified);
        }
        let scope = ScopeRef {
            mount,
            scope: path.scope,
        };
        let names: Vec<&str> = segments
            .iter()
            .map(|segment| text(facts, segment))
            .collect();
        let start = Start {
            scope,
            global: path.global,
            import: None,
        };
        let (found, used) = self.walk_path(start, &names, namespace);
        // The arguments of the type are written with the segment before the associated name.
        let written = used
            .checked_sub(1)
            .and_then(|last| segments.get(last))
            .map(|segment| segment.arguments);
        let with_arguments = |resolved: Resolved| match resolved {
            Resolved::Associated(ty, name) => match written {
                Some(run) if !run.is_empty() => {
                    Resolved::Associated(self.apply(mount, ty, run), name)
                }
                _ => resolved,
            },
            other => other,
        };
        found.into_iter().map(with_arguments).collect()
    }

    /// `<T as Trait>::name`, `<T>::name`.
    pub(super) fn qualified_path(
        &self,
        mount: MountId,
        id: PathId,
        qualified: nostall_model::facts::TypeExprId,
    ) -> Vec<Resolved> {
        let facts = self.facts(mount);
        let ty = self.written_type(mount, qualified);
        let Some(last) = facts.path_segments(id).last() else {
            return Vec::new();
        };
        vec![Resolved::Associated(
            ty,
            self.arena.symbol(text(facts, last)),
        )]
    }

    /// Follows the names of a path; answers what it names and how many names led to the last type or module.
    pub(super) fn walk_path(
        &self,
        start: Start,
        names: &[&str],
        namespace: Namespace,
    ) -> (Vec<Resolved>, usize) {
        let Some((first, rest)) = names.split_first() else {
            return (Vec::new(), 0);
        };
        let first_namespace = if rest.is_empty() {
            namespace
        } else {
            Namespace::Type
        };
        let mut found = self.first_segment(start, first, first_namespace, rest.is_empty());
        let mut used = 1;
        for (position, name) in rest.iter().enumerate() {
            let last = position + 1 == rest.len();
            let namespace = if last { namespace } else { Namespace::Type };
            let next: Vec<Resolved> = found
                .iter()
                .flat_map(|resolved| self.member(*resolved, name, namespace))
                .collect();
            if !next
                .iter()
                .any(|resolved| matches!(resolved, Resolved::Associated(..)))
            {
                used = position + 2;
            }
            found = dedup(next);
        }
        (found, used)
    }

    pub(super) fn first_segment(
        &self,
        start: Start,
        name: &str,
        namespace: Namespace,
        only: bool,
    ) -> Vec<Resolved> {
        let facts = self.facts(start.scope.mount);
        match name {
            "crate" | "$crate" => {
                return self
                    .crate_root(start.scope.mount)
                    .map(Resolved::Module)
                    .into_iter()
                    .collect();
            }
            "self" => return vec![Resolved::Module(self.module(start.scope))],
            "super" => {
                return self
                    .parent_module(self.module(start.scope))
                    .map(Resolved::Module)
                    .into_iter()
                    .collect();
            }
            "Self" => {
                return self
                    .self_item(start.scope)
                    .map(Resolved::SelfType)
                    .into_iter()
                    .collect();
            }
            _ => {}
        }
        if start.global {
            return self
                .external_crate(start.scope.mount, name, false)
                .into_iter()
                .collect();
        }
        let mut current = Some(start.scope.scope);
        while let Some(scope) = current {
            let here = ScopeRef {
                mount: start.scope.mount,
                scope,
            };
            if let Some(generic) = self.generic(here, name) {
                return vec![generic];
            }
            if !is_associated_scope(facts, scope) {
                let found = self.lookup(here, name, namespace, start.import);
                if !found.is_empty() {
                    return found;
                }
            }
            if is_module(facts, scope) {
                break;
            }
            current = facts.scopes[scope.index()].parent;
        }
        self.outside_scopes(start, name, namespace, only)
    }

    /// What a name means that no scope declares: a textual macro of an outer module, a crate, the prelude, a primitive.
    pub(super) fn outside_scopes(
        &self,
        start: Start,
        name: &str,
        namespace: Namespace,
        only: bool,
    ) -> Vec<Resolved> {
        let mount = start.scope.mount;
        if self.target(mount).edition < 2018 && start.import.is_some() {
            let root = self
                .crate_root(mount)
                .filter(|root| *root != self.module(start.scope));
            let found = root.map_or_else(Vec::new, |root| {
                self.lookup(root, name, namespace, start.import)
            });
            if !found.is_empty() {
                return found;
            }
        }
        if namespace == Namespace::Macro {
            let found = self.macro_in_outer_modules(start.scope, name);
            if !found.is_empty() {
                return found;
            }
        }
        if let Some(path) = super::prelude::path(name, namespace) {
            return vec![Resolved::External(self.arena.symbol(&path))];
        }
        if namespace == Namespace::Type && super::prelude::is_primitive(name) {
            return vec![Resolved::Primitive(self.arena.symbol(name))];
        }
        // `std::fs::read`: the first of several names is a crate, unless it is written as types are.
        let is_crate = !only && !name.starts_with(char::is_uppercase);
        if start.import.is_none()
            && !is_crate
            && let Some(found) = self.through_external_glob(self.module(start.scope), name)
        {
            return vec![found];
        }
        // A lone name is a crate only in `use name;`.
        if only && start.import.is_none() {
            return Vec::new();
        }
        self.external_crate(mount, name, true).into_iter().collect()
    }

    /// A crate by the name that this one uses for it.
    pub(super) fn external_crate(
        &self,
        mount: MountId,
        name: &str,
        lenient: bool,
    ) -> Option<Resolved> {
        let target = self.target(mount);
        match target.dependencies.get(name) {
            Some(Dependency::Local(index)) => {
                let root = self.tree.roots.get(*index).copied().flatten()?;
                Some(Resolved::Module(ScopeRef {
                    mount: root,
                    scope: ScopeId(0),
                }))
            }
            Some(Dependency::External(own)) => Some(Resolved::External(self.arena.symbol(own))),
            None => match name {
                "std" | "core" | "alloc" => Some(Resolved::External(self.arena.symbol("std"))),
                "proc_macro" | "test" => Some(Resolved::External(self.arena.symbol(name))),
                // A manifest can be out of reach or broken; a path through a crate that it does not name is still one.
                _ if lenient || !target.closed => Some(Resolved::External(self.arena.symbol(name))),
                _ => None,
            },
        }
    }

    /// What `name` means within something that a path has reached.
    pub(super) fn member(&self, of: Resolved, name: &str, namespace: Namespace) -> Vec<Resolved> {
        match of {
            Resolved::Module(scope) => match name {
                "self" => vec![of],
                "super" => self
                    .parent_module(scope)
                    .map(Resolved::Module)
                    .into_iter()
                    .collect(),
                _ => {
                    let mut found = self.lookup(scope, name, namespace, None);
                    if found.is_empty() {
                        found.extend(self.through_external_glob(scope, name));
                    }
                    found
                }
            },
            Resolved::External(path) => {
                if name == "self" {
                    return vec![of];
                }
                let path = format!("{}::{name}", self.arena.text(path));
                vec![Resolved::External(self.arena.symbol(&path))]
            }
            Resolved::Item(def) => self.item_member(def, name, namespace),
            Resolved::Generic(..) | Resolved::SelfType(_) | Resolved::Primitive(_) => {
                self.type_member(of, name, namespace)
            }
            Resolved::Associated(ty, associated) => {
                let ty = self.associated_type(ty, associated);
                vec![Resolved::Associated(ty, self.arena.symbol(name))]
            }
        }
    }

    pub(super) fn item_member(
        &self,
        def: DefId,
        name: &str,
        namespace: Namespace,
    ) -> Vec<Resolved> {
        let item = self.item(def);
        match item.kind {
            ItemKind::Enum => {
                let inner = item.inner.map(|scope| ScopeRef {
                    mount: def.mount,
                    scope,
                });
                let variants =
                    inner.map_or_else(Vec::new, |scope| self.lookup(scope, name, namespace, None));
                if variants.is_empty() {
                    self.type_member(Resolved::Item(def), name, namespace)
                } else {
                    variants
                }
            }
            _ => self.type_member(Resolved::Item(def), name, namespace),
        }
    }

    /// A name on a type: an external type's path goes on, everything else is looked up with the type.
    pub(super) fn type_member(
        &self,
        of: Resolved,
        name: &str,
        namespace: Namespace,
    ) -> Vec<Resolved> {
        let ty = self.type_of_resolved(of);
        match self.arena.kind(ty) {
            TypeKind::External(path, _) => {
                let path = format!("{}::{name}", self.arena.text(path));
                vec![Resolved::External(self.arena.symbol(&path))]
            }
            // An alias of an enum gives its variants.
            TypeKind::Named(def, _)
                if Resolved::Item(def) != of && matches!(self.item(def).kind, ItemKind::Enum) =>
            {
                self.item_member(def, name, namespace)
            }
            _ => vec![Resolved::Associated(ty, self.arena.symbol(name))],
        }
    }

    /// What a scope declares under a name, imports and globs included.
    pub(crate) fn lookup(
        &self,
        scope: ScopeRef,
        name: &str,
        namespace: Namespace,
        skip: Option<(MountId, ImportId)>,
    ) -> Vec<Resolved> {
        let direct = self.lookup_direct(scope, name, namespace, skip);
        if !direct.is_empty() {
            return direct;
        }
        self.lookup_through_globs(scope, name, namespace, skip)
    }

    pub(super) fn lookup_direct(
        &self,
        scope: ScopeRef,
        name: &str,
        namespace: Namespace,
        skip: Option<(MountId, ImportId)>,
    ) -> Vec<Resolved> {
        let mut found = Vec::new();
        self.collect_direct(scope, name, namespace, skip, &mut found);
        for mount in self.tree.included.get(&scope).into_iter().flatten() {
            let inner = ScopeRef {
                mount: *mount,
                scope: ScopeId(0),
            };
            self.collect_direct(inner, name, namespace, skip, &mut found);
        }
        dedup(found)
    }

    pub(super) fn collect_direct(
        &self,
        scope: ScopeRef,
        name: &str,
        namespace: Namespace,
        skip: Option<(MountId, ImportId)>,
        found: &mut Vec<Resolved>,
    ) {
        let facts = self.facts(scope.mount);
        let Some(id) = facts.names.find(name) else {
            return;
        };
        let index = &self.index(scope.mount).scopes[scope.scope.index()];
        let testing = self.mount(scope.mount).presence == Presence::Test;
        let mut tests = Vec::new();
        for item in index.items.get(&id).into_iter().flatten() {
            if !in_namespace(facts, *item, namespace) {
                continue;
            }
            let def = DefId {
                mount: scope.mount,
                item: *item,
            };
            match item_presence(facts, *item) {
                Presence::Absent => {}
                Presence::Test if !testing => tests.extend(self.as_resolved(def)),
                _ => found.extend(self.as_resolved(def)),
            }
        }
        for import in index.imports.get(&id).into_iter().flatten() {
            if Some((scope.mount, *import)) == skip {
                continue;
            }
            match presence(facts, facts.imports[import.index()].condition) {
                Presence::Absent => {}
                Presence::Test if !testing => {
                    tests.extend(self.follow_import(scope.mount, *import, namespace));
                }
                _ => found.extend(self.follow_import(scope.mount, *import, namespace)),
            }
        }
        if found.is_empty() {
            found.append(&mut tests);
        }
    }

    /// What an item is to a path: modules are followed to their files.
    pub(super) fn as_resolved(&self, def: DefId) -> Option<Resolved> {
        let item = self.item(def);
        match item.kind {
            ItemKind::Module => {
                let scope = item.inner?;
                Some(Resolved::Module(ScopeRef {
                    mount: def.mount,
                    scope,
                }))
            }
            ItemKind::ModuleFile { .. } => {
                let child = self.tree.children.get(&def)?;
                Some(Resolved::Module(ScopeRef {
                    mount: *child,
                    scope: ScopeId(0),
                }))
            }
            ItemKind::ExternCrate { target } => {
                let name = self.facts(def.mount).text(target);
                if name == "self" {
                    return self.crate_root(def.mount).map(Resolved::Module);
                }
                self.external_crate(def.mount, name, true)
            }
            _ => Some(Resolved::Item(def)),
        }
    }

    pub(super) fn follow_import(
        &self,
        mount: MountId,
        id: ImportId,
        namespace: Namespace,
    ) -> Vec<Resolved> {
        self.known.imports.ask(
            &self.depth,
            DEEPEST,
            (mount, id, namespace),
            Vec::new,
            || self.follow_import_anew(mount, id, namespace),
        )
    }

    fn follow_import_anew(
        &self,
        mount: MountId,
        id: ImportId,
        namespace: Namespace,
    ) -> Vec<Resolved> {
        let facts = self.facts(mount);
        let import = facts.imports[id.index()];
        let names: Vec<&str> = facts
            .path_segments(import.path)
            .iter()
            .map(|segment| text(facts, segment))
            .collect();
        let scope = ScopeRef {
            mount,
            scope: import.scope,
        };
        let start = Start {
            scope,
            global: facts.path(import.path).global,
            import: Some((mount, id)),
        };
        self.walk_path(start, &names, namespace).0
    }

    // ---- places

    pub(super) fn crate_root(&self, mount: MountId) -> Option<ScopeRef> {
        let root = self
            .tree
            .roots
            .get(self.mount(mount).target)
            .copied()
            .flatten()?;
        Some(ScopeRef {
            mount: root,
            scope: ScopeId(0),
        })
    }

    /// The innermost module around a scope; a file that is included is part of the module that includes it.
    pub(crate) fn module(&self, scope: ScopeRef) -> ScopeRef {
        let module = ScopeRef {
            mount: scope.mount,
            scope: module_of(self.facts(scope.mount), scope.scope),
        };
        let mount = self.mount(module.mount);
        match mount.parent {
            Some(parent) if mount.included && module.scope == ScopeId(0) => self.module(parent),
            _ => module,
        }
    }

    pub(super) fn parent_module(&self, module: ScopeRef) -> Option<ScopeRef> {
        let facts = self.facts(module.mount);
        match facts.scopes[module.scope.index()].parent {
            Some(parent) => Some(self.module(ScopeRef {
                mount: module.mount,
                scope: parent,
            })),
            None => self
                .mount(module.mount)
                .parent
                .map(|parent| self.module(parent)),
        }
    }

    /// The impl, trait, struct or enum that `Self` speaks of.
    pub(crate) fn self_item(&self, scope: ScopeRef) -> Option<DefId> {
        let facts = self.facts(scope.mount);
        let mut current = Some(scope.scope);
        while let Some(id) = current {
            if let ScopeKind::Item(item) = facts.scopes[id.index()].kind
                && !matches!(facts.item(item).kind, ItemKind::Module)
            {
                return Some(DefId {
                    mount: scope.mount,
                    item,
                });
            }
            current = facts.scopes[id.index()].parent;
        }
        None
    }

    pub(super) fn generic(&self, scope: ScopeRef, name: &str) -> Option<Resolved> {
        let facts = self.facts(scope.mount);
        let (ScopeKind::Item(item) | ScopeKind::Function(item)) =
            facts.scopes[scope.scope.index()].kind
        else {
            return None;
        };
        let id = facts.names.find(name)?;
        let generics = &facts.generics[facts.item(item).generics.range()];
        let known = generics.iter().any(|generic| generic.name == id);
        known.then(|| {
            Resolved::Generic(
                DefId {
                    mount: scope.mount,
                    item,
                },
                self.arena.symbol(name),
            )
        })
    }
}

/// Where a path begins.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) scope: ScopeRef,
    pub(super) global: bool,
    /// The import whose path it is: it does not see itself.
    pub(super) import: Option<(MountId, ImportId)>,
}

/// The scopes of types, traits and impls hold associated items, which are not in lexical scope.
fn is_associated_scope(facts: &FileFacts, scope: ScopeId) -> bool {
    match facts.scopes[scope.index()].kind {
        ScopeKind::Item(item) => !matches!(facts.item(item).kind, ItemKind::Module),
        _ => false,
    }
}

pub(super) fn in_namespace(facts: &FileFacts, id: ItemId, namespace: Namespace) -> bool {
    match facts.item(id).kind {
        ItemKind::Function | ItemKind::Constant { .. } => namespace == Namespace::Value,
        ItemKind::Struct { .. } | ItemKind::Variant { .. } => namespace != Namespace::Macro,
        ItemKind::Macro { .. } => namespace == Namespace::Macro,
        ItemKind::Impl { .. } | ItemKind::Include { .. } => false,
        ItemKind::Module
        | ItemKind::ModuleFile { .. }
        | ItemKind::Enum
        | ItemKind::Class { .. }
        | ItemKind::Trait { .. }
        | ItemKind::TypeAlias { .. }
        | ItemKind::ExternCrate { .. } => namespace == Namespace::Type,
    }
}

pub(super) fn text<'a>(facts: &'a FileFacts, segment: &Segment) -> &'a str {
    facts.text(segment.name).trim_start_matches("r#")
}

fn dedup(mut found: Vec<Resolved>) -> Vec<Resolved> {
    let mut seen = Vec::with_capacity(found.len());
    found.retain(|resolved| {
        let new = !seen.contains(resolved);
        if new {
            seen.push(*resolved);
        }
        new
    });
    found
}
