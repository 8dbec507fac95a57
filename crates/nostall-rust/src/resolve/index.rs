//! What can be looked up in one file: the items and imports of each scope, by name.

use nostall_model::facts::{
    DefinitionId, FileFacts, ImportId, ImportKind, ItemId, ItemKind, Run, ScopeId, ScopeKind,
};
use nostall_model::program::Presence;
use nostall_model::{Name, Span};
use rustc_hash::FxHashMap;

use super::conditions::presence;

/// The look-up tables of one file.
#[derive(Debug)]
pub(crate) struct FileIndex {
    /// Per scope of the file.
    pub(crate) scopes: Vec<ScopeIndex>,
    /// All impl blocks.
    pub(crate) impls: Vec<ItemId>,
    /// Per item, the body kind macro arms: bodies of `macro_rules!` items.
    pub(crate) macro_arms: FxHashMap<ItemId, Vec<nostall_model::facts::BodyId>>,
    /// Code within bodies that exists under a condition which may not hold: `#[cfg(test)]` on a statement.
    conditional: Vec<(Span, Presence)>,
    definitions: Vec<DefinitionId>,
    definitions_of: Vec<Run>,
}

/// The items and imports of one scope.
#[derive(Debug, Default)]
pub(crate) struct ScopeIndex {
    /// Named items.
    pub(crate) items: FxHashMap<Name, Vec<ItemId>>,
    /// Named imports.
    pub(crate) imports: FxHashMap<Name, Vec<ImportId>>,
    /// `use path::*`.
    pub(crate) globs: Vec<ImportId>,
    /// `mod x;` and `include!`.
    pub(crate) files: Vec<ItemId>,
}

impl FileIndex {
    /// Builds the tables of a file.
    pub(crate) fn new(facts: &FileFacts) -> Self {
        let mut scopes: Vec<ScopeIndex> = Vec::new();
        scopes.resize_with(facts.scopes.len(), ScopeIndex::default);
        let mut impls = Vec::new();
        for (index, item) in facts.items.iter().enumerate() {
            let id = ItemId::new(index);
            let scope = &mut scopes[item.scope.index()];
            match item.kind {
                ItemKind::Impl { .. } => impls.push(id),
                ItemKind::ModuleFile { .. } | ItemKind::Include { .. } => scope.files.push(id),
                _ => {}
            }
            if let Some(name) = item.name {
                scope.items.entry(name).or_default().push(id);
            }
        }
        for (index, import) in facts.imports.iter().enumerate() {
            let scope = &mut scopes[import.scope.index()];
            match import.kind {
                ImportKind::Named(name) | ImportKind::Root(name) => {
                    scope
                        .imports
                        .entry(name)
                        .or_default()
                        .push(ImportId::new(index));
                }
                ImportKind::Glob => scope.globs.push(ImportId::new(index)),
                ImportKind::Anonymous => {}
            }
        }
        let (definitions, definitions_of) = definitions_by_binding(facts);
        Self {
            scopes,
            impls,
            macro_arms: macro_arms(facts),
            conditional: conditional(facts),
            definitions,
            definitions_of,
        }
    }

    /// Judges a piece of code by the conditions on the statements around it.
    pub(crate) fn presence(&self, span: Span) -> Presence {
        let around = self
            .conditional
            .iter()
            .filter(|(region, _)| region.contains(span));
        around
            .map(|(_, presence)| *presence)
            .max()
            .unwrap_or(Presence::Present)
    }

    /// Returns all definitions of a variable.
    pub(crate) fn definitions_of(
        &self,
        binding: nostall_model::facts::BindingId,
    ) -> &[DefinitionId] {
        &self.definitions[self.definitions_of[binding.index()].range()]
    }
}

fn conditional(facts: &FileFacts) -> Vec<(Span, Presence)> {
    let judged = facts
        .regions
        .iter()
        .filter(|region| region.condition.is_some());
    let judged = judged.map(|region| (region.span, presence(facts, region.condition)));
    judged
        .filter(|(_, presence)| *presence != Presence::Present)
        .collect()
}

fn definitions_by_binding(facts: &FileFacts) -> (Vec<DefinitionId>, Vec<Run>) {
    let mut order: Vec<DefinitionId> = (0..facts.definitions.len())
        .map(DefinitionId::new)
        .collect();
    order.sort_by_key(|id| facts.definitions[id.index()].binding);
    let mut runs = vec![Run::default(); facts.bindings.len()];
    for (position, id) in order.iter().enumerate() {
        let run = &mut runs[facts.definitions[id.index()].binding.index()];
        if run.is_empty() {
            run.start = position as u32;
        }
        run.end = position as u32 + 1;
    }
    (order, runs)
}

fn macro_arms(facts: &FileFacts) -> FxHashMap<ItemId, Vec<nostall_model::facts::BodyId>> {
    let mut arms: FxHashMap<ItemId, Vec<_>> = FxHashMap::default();
    for (index, body) in facts.bodies.iter().enumerate() {
        if let (nostall_model::facts::BodyKind::Macro, Some(item)) = (body.kind, body.item) {
            arms.entry(item)
                .or_default()
                .push(nostall_model::facts::BodyId::new(index));
        }
    }
    arms
}

/// Says whether a scope is a module's: names are looked up no further outwards than there.
pub(crate) fn is_module(facts: &FileFacts, scope: ScopeId) -> bool {
    match facts.scopes[scope.index()].kind {
        ScopeKind::File => true,
        ScopeKind::Item(item) => matches!(facts.item(item).kind, ItemKind::Module),
        ScopeKind::Function(_) | ScopeKind::Head(_) | ScopeKind::Block => false,
    }
}

/// Returns the innermost module scope around a scope, itself included.
pub(crate) fn module_of(facts: &FileFacts, scope: ScopeId) -> ScopeId {
    let mut current = scope;
    while !is_module(facts, current) {
        match facts.scopes[current.index()].parent {
            Some(parent) => current = parent,
            None => break,
        }
    }
    current
}
