//! Look-up tables of one file.

use nostall_model::Name;
use nostall_model::facts::{
    BindingId, BodyId, BodyKind, DefinitionId, Event, ExprId, ExprKind, FileFacts, ImportId,
    ImportKind, ItemId, ParameterKind, ScopeId, ScopeKind,
};
use rustc_hash::FxHashMap;

/// A file with its tables.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) facts: &'a FileFacts,
    bindings: FxHashMap<(BodyId, Name), BindingId>,
    /// Per binding.
    definitions: Vec<Vec<DefinitionId>>,
    returns: FxHashMap<BodyId, Vec<ExprId>>,
    /// What methods store in attributes of their receiver, per class.
    stores: FxHashMap<(ItemId, Name), Vec<ExprId>>,
    /// `from x import *`.
    pub(super) globs: Vec<ImportId>,
}

impl<'a> File<'a> {
    pub(super) fn new(path: &'a str, facts: &'a FileFacts) -> Self {
        let mut file = Self {
            path,
            facts,
            bindings: FxHashMap::default(),
            definitions: vec![Vec::new(); facts.bindings.len()],
            returns: FxHashMap::default(),
            stores: FxHashMap::default(),
            globs: Vec::new(),
        };
        for (index, binding) in facts.bindings.iter().enumerate() {
            file.bindings
                .insert((binding.body, binding.name), BindingId::new(index));
        }
        for (index, definition) in facts.definitions.iter().enumerate() {
            file.definitions[definition.binding.index()].push(DefinitionId::new(index));
        }
        for (index, import) in facts.imports.iter().enumerate() {
            if import.kind == ImportKind::Glob {
                file.globs.push(ImportId::new(index));
            }
        }
        file.add_events();
        file
    }

    fn add_events(&mut self) {
        let facts = self.facts;
        for region in &facts.regions {
            for event in &facts.events[region.events.range()] {
                match *event {
                    Event::Return(Some(value)) => {
                        self.returns.entry(region.body).or_default().push(value);
                    }
                    Event::Store { target, value } => self.add_store(target, value),
                    _ => {}
                }
            }
        }
    }

    fn add_store(&mut self, target: ExprId, value: ExprId) {
        let ExprKind::Attribute { base, name } = self.facts.expr(target).kind else {
            return;
        };
        let ExprKind::Use { binding, .. } = self.facts.expr(base).kind else {
            return;
        };
        if let Some(class) = self.class_of_receiver(binding) {
            self.stores.entry((class, name)).or_default().push(value);
        }
    }

    /// The class whose method has this variable as its receiver.
    pub(super) fn class_of_receiver(&self, binding: BindingId) -> Option<ItemId> {
        let body = self.facts.bindings[binding.index()].body;
        let first = self.facts.body_parameters(body).first()?;
        if first.kind != ParameterKind::Receiver || first.binding != binding {
            return None;
        }
        self.class_around(body)
    }

    /// The class in whose body this one stands.
    pub(super) fn class_around(&self, body: BodyId) -> Option<ItemId> {
        let parent = self.facts.body(self.facts.body(body).parent?);
        parent.item.filter(|_| parent.kind == BodyKind::Class)
    }

    /// Finds a variable of a body by its name.
    pub(super) fn binding(&self, body: BodyId, name: &str) -> Option<BindingId> {
        let name = self.facts.names.find(name)?;
        self.bindings.get(&(body, name)).copied()
    }

    /// All places that give a variable a value.
    pub(super) fn definitions(&self, binding: BindingId) -> &[DefinitionId] {
        &self.definitions[binding.index()]
    }

    /// What a body returns.
    pub(super) fn returns(&self, body: BodyId) -> &[ExprId] {
        self.returns.get(&body).map_or(&[], Vec::as_slice)
    }

    /// What is stored in an attribute of a class's instances.
    pub(super) fn stores(&self, class: ItemId, name: &str) -> &[ExprId] {
        let name = self.facts.names.find(name);
        name.and_then(|name| self.stores.get(&(class, name)))
            .map_or(&[], Vec::as_slice)
    }

    /// The body whose variables are the names of a scope.
    pub(super) fn body_of_scope(&self, scope: ScopeId) -> Option<BodyId> {
        match self.facts.scopes[scope.index()].kind {
            ScopeKind::File => (!self.facts.bodies.is_empty()).then_some(BodyId(0)),
            ScopeKind::Item(item) | ScopeKind::Function(item) => self.facts.item(item).body,
            ScopeKind::Block => None,
        }
    }
}
