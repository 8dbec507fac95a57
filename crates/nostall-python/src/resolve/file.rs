//! Look-up tables of one file.

use nostall_model::Name;
use nostall_model::facts::{
    BindingId, BodyId, BodyKind, Call, CallId, CallKind, Callee, Definition, DefinitionId,
    DefinitionKind, Event, ExprId, ExprKind, FileFacts, ImportId, ImportKind, ItemId,
    ParameterKind, Part, ScopeId, ScopeKind, Shown, TypeExprId,
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
    yields: FxHashMap<BodyId, Vec<ExprId>>,
    /// What methods store in attributes of their receiver, per class.
    stores: FxHashMap<(ItemId, Name), Vec<ExprId>>,
    /// What is put into containers.
    elements: FxHashMap<Container, Vec<ExprId>>,
    /// What is put into containers that are elements of others: `subscribers[name].append(f)`.
    inner_elements: FxHashMap<Container, Vec<ExprId>>,
    /// What is put into containers that may be others' than this file's own: the container, and what is put in.
    pub(super) put_elsewhere: Vec<(ExprId, ExprId)>,
    calls_in: FxHashMap<BodyId, Vec<CallId>>,
    /// Calls of attributes' methods that are given a literal, by the attribute: `self.socket.setblocking(False)`.
    told: FxHashMap<(ItemId, Name), Vec<CallId>>,
    /// Tests for a type of a body's own parameters: which test, which parameter, the call that asks.
    kind_tests: FxHashMap<BodyId, Vec<(u32, u16, CallId)>>,
    /// Values that may be read as types.
    type_forms: FxHashMap<ExprId, TypeExprId>,
    /// `from x import *`.
    pub(super) globs: Vec<ImportId>,
}

/// Where a container is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Container {
    /// In a variable.
    Variable(BindingId),
    /// In an attribute of a class's instances.
    Attribute(ItemId, Name),
}

impl<'a> File<'a> {
    pub(super) fn new(path: &'a str, facts: &'a FileFacts) -> Self {
        let mut file = Self {
            path,
            facts,
            bindings: FxHashMap::default(),
            definitions: vec![Vec::new(); facts.bindings.len()],
            returns: FxHashMap::default(),
            yields: FxHashMap::default(),
            stores: FxHashMap::default(),
            elements: FxHashMap::default(),
            inner_elements: FxHashMap::default(),
            put_elsewhere: Vec::new(),
            calls_in: FxHashMap::default(),
            told: FxHashMap::default(),
            kind_tests: FxHashMap::default(),
            type_forms: facts.type_forms.iter().copied().collect(),
            globs: Vec::new(),
        };
        for (index, binding) in facts.bindings.iter().enumerate() {
            file.bindings
                .insert((binding.body, binding.name), BindingId::new(index));
        }
        let narrows =
            |definition: &Definition| matches!(definition.kind, DefinitionKind::Narrowed { .. });
        let definitions = facts.definitions.iter().enumerate();
        for (index, definition) in definitions.filter(|(_, definition)| !narrows(definition)) {
            file.definitions[definition.binding.index()].push(DefinitionId::new(index));
        }
        for (index, import) in facts.imports.iter().enumerate() {
            if import.kind == ImportKind::Glob {
                file.globs.push(ImportId::new(index));
            }
        }
        file.add_events();
        file.add_calls();
        file.add_kind_tests();
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
                    Event::Yield(Some(value)) => {
                        self.yields.entry(region.body).or_default().push(value);
                    }
                    Event::Store { target, value } => self.add_store(target, value),
                    _ => {}
                }
            }
        }
    }

    fn add_store(&mut self, target: ExprId, value: ExprId) {
        match self.facts.expr(target).kind {
            ExprKind::Attribute { .. } => {
                if let Some(Container::Attribute(class, name)) = self.container(target) {
                    self.stores.entry((class, name)).or_default().push(value);
                }
            }
            ExprKind::Project {
                base,
                part: Part::Item,
            } => self.add_element(base, value),
            _ => {}
        }
    }

    fn add_kind_tests(&mut self) {
        let facts = self.facts;
        for (index, test) in facts.branch_tests.iter().enumerate() {
            let (Shown::Asked(call), true) = (test.shown, test.holds) else {
                continue;
            };
            let ExprKind::Use { binding, reaching } = facts.expr(test.value).kind else {
                continue;
            };
            if let [only] = facts.definition_lists[reaching.range()]
                && let DefinitionKind::Parameter(parameter) = facts.definitions[only.index()].kind
            {
                let body = facts.bindings[binding.index()].body;
                let tests = self.kind_tests.entry(body).or_default();
                tests.push((index as u32, parameter, call));
            }
        }
    }

    /// The tests of a body that ask its own parameters for a type.
    pub(super) fn kind_tests(&self, body: BodyId) -> &[(u32, u16, CallId)] {
        self.kind_tests.get(&body).map_or(&[], Vec::as_slice)
    }

    /// `things.append(x)`, `things.add(x)`, `things.setdefault(k, x)`, `context.set(x)`, and so on.
    fn add_calls(&mut self) {
        for (index, call) in self.facts.calls.iter().enumerate() {
            self.calls_in
                .entry(call.body)
                .or_default()
                .push(CallId::new(index));
            if call.kind == CallKind::Plain {
                self.add_told(CallId::new(index), call);
                self.add_method_call(call);
            }
        }
    }

    fn add_told(&mut self, id: CallId, call: &Call) {
        let Callee::Method { receiver, .. } = call.callee else {
            return;
        };
        let is_literal =
            |value: ExprId| matches!(self.facts.expr(value).kind, ExprKind::Literal(_));
        if let [given] = self.facts.call_arguments(id)
            && is_literal(given.value)
            && let Some(Container::Attribute(class, name)) = self.container(receiver)
        {
            self.told.entry((class, name)).or_default().push(id);
        }
    }

    fn add_method_call(&mut self, call: &Call) {
        let Callee::Method { receiver, name } = call.callee else {
            return;
        };
        let position = match self.facts.text(name) {
            "append" | "add" | "appendleft" | "set" => 0,
            "insert" | "setdefault" => 1,
            _ => return,
        };
        let arguments = &self.facts.arguments[call.arguments.range()];
        if let Some(argument) = arguments.get(position) {
            self.add_element(receiver, argument.value);
        }
    }

    fn add_element(&mut self, holder: ExprId, value: ExprId) {
        if let Some(container) = self.container(holder) {
            self.elements.entry(container).or_default().push(value);
        } else if let Some(outer) = self.holder(holder).and_then(|it| self.container(it)) {
            self.inner_elements.entry(outer).or_default().push(value);
        }
        let is_own = matches!(self.container(holder), Some(Container::Attribute(..)));
        if !is_own && self.place_name(holder).is_some() {
            self.put_elsewhere.push((holder, value));
        }
    }

    /// The container that an element is taken from: `things[key]`, `things.setdefault(key, [])`.
    fn holder(&self, element: ExprId) -> Option<ExprId> {
        let ExprKind::Call(call) = self.facts.expr(element).kind else {
            return None;
        };
        match self.facts.call(call).callee {
            Callee::Method { receiver, name } => {
                matches!(self.facts.text(name), "__getitem__" | "setdefault").then_some(receiver)
            }
            _ => None,
        }
    }

    /// The place that an expression names.
    pub(super) fn container(&self, expr: ExprId) -> Option<Container> {
        match self.facts.expr(expr).kind {
            ExprKind::Use { binding, .. } => Some(Container::Variable(binding)),
            ExprKind::Attribute { base, name } => {
                let ExprKind::Use { binding, .. } = self.facts.expr(base).kind else {
                    return None;
                };
                let class = self.class_of_receiver(binding)?;
                Some(Container::Attribute(class, name))
            }
            _ => None,
        }
    }

    /// The name of a place of another file or class: an attribute's own, or that under which a variable was imported.
    pub(super) fn place_name(&self, expr: ExprId) -> Option<&'a str> {
        match self.facts.expr(expr).kind {
            ExprKind::Attribute { name, .. } => Some(self.facts.text(name)),
            _ => {
                let import = &self.facts.imports[self.imported(expr)?.index()];
                let last = self.facts.path_segments(import.path).last()?;
                Some(self.facts.text(last.name))
            }
        }
    }

    /// The import that an expression names.
    pub(super) fn imported(&self, expr: ExprId) -> Option<ImportId> {
        let binding = match self.facts.expr(expr).kind {
            ExprKind::Use { binding, .. } => binding,
            ExprKind::Path(path) => match self.facts.path_segments(path) {
                [only] => *self.bindings.get(&(BodyId(0), only.name))?,
                _ => return None,
            },
            _ => return None,
        };
        self.definitions(binding).iter().find_map(|id| {
            match self.facts.definitions[id.index()].kind {
                DefinitionKind::Import(import) => Some(import),
                _ => None,
            }
        })
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

    /// The class in one of whose methods this body stands.
    pub(super) fn method_class(&self, body: BodyId) -> Option<ItemId> {
        std::iter::successors(Some(body), |body| self.facts.body(*body).parent)
            .find_map(|body| self.class_around(body))
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

    /// What a body yields.
    pub(super) fn yields(&self, body: BodyId) -> &[ExprId] {
        self.yields.get(&body).map_or(&[], Vec::as_slice)
    }

    /// The calls that stand in a body.
    pub(super) fn calls_in(&self, body: BodyId) -> &[CallId] {
        self.calls_in.get(&body).map_or(&[], Vec::as_slice)
    }

    /// What is stored in an attribute of a class's instances.
    pub(super) fn stores(&self, class: ItemId, name: &str) -> &[ExprId] {
        let name = self.facts.names.find(name);
        name.and_then(|name| self.stores.get(&(class, name)))
            .map_or(&[], Vec::as_slice)
    }

    /// The type that a value is, where it is one.
    pub(super) fn type_form(&self, value: ExprId) -> Option<TypeExprId> {
        self.type_forms.get(&value).copied()
    }

    /// Calls of an attribute's methods that are given a literal.
    pub(super) fn told(&self, class: ItemId, name: &str) -> &[CallId] {
        let name = self.facts.names.find(name);
        name.and_then(|name| self.told.get(&(class, name)))
            .map_or(&[], Vec::as_slice)
    }

    /// What is put into a container.
    pub(super) fn elements(&self, container: Container) -> &[ExprId] {
        self.elements.get(&container).map_or(&[], Vec::as_slice)
    }

    /// What is put into the containers in a container.
    pub(super) fn inner_elements(&self, container: Container) -> &[ExprId] {
        self.inner_elements
            .get(&container)
            .map_or(&[], Vec::as_slice)
    }

    /// The body whose variables are the names of a scope.
    pub(super) fn body_of_scope(&self, scope: ScopeId) -> Option<BodyId> {
        match self.facts.scopes[scope.index()].kind {
            ScopeKind::File => (!self.facts.bodies.is_empty()).then_some(BodyId(0)),
            ScopeKind::Item(item) | ScopeKind::Function(item) => self.facts.item(item).body,
            ScopeKind::Head(_) | ScopeKind::Block => None,
        }
    }

    /// The item whose type parameters are names of a scope.
    pub(super) fn item_of_scope(&self, scope: ScopeId) -> Option<ItemId> {
        match self.facts.scopes[scope.index()].kind {
            ScopeKind::Item(item) | ScopeKind::Function(item) | ScopeKind::Head(item) => Some(item),
            ScopeKind::File | ScopeKind::Block => None,
        }
    }
}
