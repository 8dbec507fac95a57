//! Values that can be called later: what they may be, and what their parameters are.

use std::rc::Rc;

use nostall_model::facts::{
    BindingId, BodyId, BodyKind, Call, CallId, CallKind, Callee as Written, CollectionKind,
    DefinitionKind, ExprId, ExprKind, Flavour, ItemKind, ParameterKind, Part, PathId, Run,
};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashSet;

use super::filled::Asked;
use super::methods::What;
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, Ty, TypeKind};
use super::{Cx, DEEPEST, Found};

impl Cx<'_> {
    /// Returns what a value may be when it is called; nothing for a value that is no callable.
    pub(crate) fn callable(
        &self,
        mount: MountId,
        id: ExprId,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        if budget == 0 {
            return Vec::new();
        }
        match facts.expr(id).kind {
            ExprKind::Callable(body) => vec![(What::Body(mount, body), Confidence::Certain)],
            ExprKind::Path(path) => self.callable_path(mount, path),
            ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Cast { value: inner, .. } => self.callable(mount, inner, budget - 1),
            ExprKind::Select(values) => facts
                .expr_list(values)
                .iter()
                .flat_map(|value| self.callable(mount, *value, budget / 2))
                .collect(),
            ExprKind::Use { binding, reaching } => {
                let found = self.known.callables.ask(
                    &self.depth,
                    DEEPEST,
                    (mount, id, budget),
                    Rc::default,
                    || self.callable_variable(mount, binding, reaching, budget),
                );
                found.to_vec()
            }
            ExprKind::Call(call) => self.callable_from_call(mount, call, budget - 1),
            ExprKind::Attribute { base, name } => {
                self.callable_field(mount, base, facts.text(name))
            }
            ExprKind::Project {
                base,
                part: Part::Iterated | Part::Item,
            } => self.callable_elements(mount, base, None, budget - 1),
            // `for (name, hook) in &self.hooks`.
            ExprKind::Project {
                base,
                part: Part::Element(index),
            } => match facts.expr(base).kind {
                ExprKind::Project {
                    base: list,
                    part: Part::Iterated | Part::Item,
                } => self.callable_elements(mount, list, Some(index), budget - 1),
                _ => Vec::new(),
            },
            // `if let Some(hook) = &self.hook`: what is in an `Option` is found as the `Option` itself.
            ExprKind::Project {
                base,
                part: Part::Variant { index: 0, .. },
            } => self.callable(mount, base, budget - 1),
            _ => Vec::new(),
        }
    }

    /// What a variable may be when it is called. In `b = b.step(..)` each definition leads to all others: of what comes out
    /// more than once, one is enough.
    fn callable_variable(
        &self,
        mount: MountId,
        binding: BindingId,
        reaching: Run,
        budget: u32,
    ) -> Found {
        let facts = self.facts(mount);
        let definitions = if reaching.is_empty() {
            self.index(mount).definitions_of(binding)
        } else {
            &facts.definition_lists[reaching.range()]
        };
        let kinds = definitions.iter().map(|id| &facts.definitions[id.index()]);
        let mut seen = FxHashSet::default();
        kinds
            .flat_map(|definition| self.callable_definition(mount, definition, budget / 2))
            .filter(|found| seen.insert(*found))
            .collect()
    }

    pub(super) fn callable_definition(
        &self,
        mount: MountId,
        definition: &nostall_model::facts::Definition,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        match definition.kind {
            DefinitionKind::Value(value) => self.callable(mount, value, budget),
            DefinitionKind::Parameter(index) => {
                let body = self.facts(mount).bindings[definition.binding.index()].body;
                let callable = self
                    .function_bound(self.definition_type(mount, definition))
                    .is_some();
                if callable {
                    vec![(What::Parameter(mount, body, index), Confidence::Certain)]
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn callable_path(&self, mount: MountId, path: PathId) -> Vec<(What, Confidence)> {
        let found = self
            .resolve_path(mount, path, Namespace::Value)
            .into_iter()
            .flat_map(|resolved| match resolved {
                Resolved::Item(def) if matches!(self.item(def).kind, ItemKind::Function) => {
                    vec![(What::Function(def), Confidence::Certain)]
                }
                Resolved::External(path)
                    if self
                        .catalog
                        .lookup(Language::Rust, &self.arena.text(path))
                        .is_some() =>
                {
                    vec![(What::External(path), Confidence::Certain)]
                }
                Resolved::Associated(ty, name) => self.methods_at(ty, &self.arena.text(name)),
                // `LazyLock::force(&CONFIG)` runs what makes it.
                Resolved::Item(def) => {
                    let made = self.made_once(def).into_iter();
                    made.map(|what| (what, Confidence::Certain)).collect()
                }
                _ => Vec::new(),
            });
        found
            .filter(|(what, _)| !matches!(what, What::Unresolved(_)))
            .collect()
    }

    /// `Box::new(|| ..)`, `f.clone()`: the callable that went in comes out.
    pub(super) fn callable_from_call(
        &self,
        mount: MountId,
        id: CallId,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        let returned = self.returned_callables(mount, id, budget);
        if !returned.is_empty() {
            return returned;
        }
        match facts.call(id).callee {
            Written::Method { receiver, .. } if facts.call(id).kind == CallKind::Index => {
                self.callable_elements(mount, receiver, None, budget)
            }
            Written::Method { receiver, .. }
                if self.arena.kind(self.type_of(mount, facts.call(id).expr))
                    == self.arena.kind(self.type_of(mount, receiver))
                    || self.is_option_of_callable(self.type_of(mount, receiver)) =>
            {
                self.callable(mount, receiver, budget)
            }
            // `hooks.get(name)`, `hooks.first()`, `hooks.pop()`.
            Written::Method { receiver, .. }
                if self.is_option_of_callable(self.type_of(mount, facts.call(id).expr)) =>
            {
                self.callable_elements(mount, receiver, None, budget)
            }
            Written::Value(_) => {
                let [argument] = facts.call_arguments(id) else {
                    return Vec::new();
                };
                let made = self.type_of(mount, facts.call(id).expr);
                if self.autoderef(made).len() > 1 || self.is_wrapper(made) {
                    self.callable(mount, argument.value, budget)
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    fn is_option_of_callable(&self, ty: Ty) -> bool {
        match self.arena.kind(self.arena.referent(ty)) {
            TypeKind::External(path, inner) if super::stubs::is_wrapper(&self.arena.text(path)) => {
                let inner = inner.first();
                inner.is_some_and(|inner| self.function_bound(*inner).is_some())
            }
            _ => false,
        }
    }

    fn is_wrapper(&self, ty: Ty) -> bool {
        matches!(self.arena.kind(ty), TypeKind::External(path, _)
            if super::stubs::is_wrapper(&self.arena.text(path)))
    }

    /// What a function of the program returns, where that can be called.
    fn returned_callables(
        &self,
        mount: MountId,
        id: CallId,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        if budget == 0 {
            return Vec::new();
        }
        let mut found = Vec::new();
        for callee in self.callees(mount, id).iter() {
            let What::Function(def) = callee.what else {
                continue;
            };
            let Some(body) = self.item(def).body else {
                continue;
            };
            let body = self.facts(def.mount).body(body);
            let callable =
                body.flavour == Flavour::Sync && self.function_bound(callee.returns).is_some();
            if let (true, Some(value)) = (callable, body.value) {
                let values = self.callable(def.mount, value, budget / 2).into_iter();
                found.extend(values.map(|(what, sure)| (what, sure.min(callee.confidence))));
            }
        }
        // A parameter that is handed back belongs to another function's call.
        found.retain(|(what, _)| !matches!(what, What::Parameter(..)));
        found
    }

    /// The callables that the program puts into a field of a struct.
    fn callable_field(&self, mount: MountId, base: ExprId, name: &str) -> Vec<(What, Confidence)> {
        let Some(owner) = self.struct_of(mount, base) else {
            return Vec::new();
        };
        let field = (owner, self.arena.symbol(name));
        self.callables_in_field(field, Asked::Value).to_vec()
    }

    /// The struct or enum of the program that a value is, or refers to.
    pub(super) fn struct_of(&self, mount: MountId, value: ExprId) -> Option<DefId> {
        let steps = self.autoderef(self.type_of(mount, value));
        steps
            .into_iter()
            .find_map(|step| match self.arena.kind(step) {
                TypeKind::Named(def, _) => Some(def),
                _ => None,
            })
    }

    /// The callables in a list or a map: what the source writes out there, and what the program puts in later. `element`
    /// says which part of tuples counts.
    pub(super) fn callable_elements(
        &self,
        mount: MountId,
        list: ExprId,
        element: Option<u16>,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        if budget == 0 {
            return Vec::new();
        }
        match facts.expr(list).kind {
            ExprKind::Collection { elements, .. } => facts
                .expr_list(elements)
                .iter()
                .flat_map(|value| self.callable_element(mount, *value, element, budget / 2))
                .collect(),
            ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Try(inner)
            | ExprKind::Await(inner) => self.callable_elements(mount, inner, element, budget - 1),
            ExprKind::Attribute { base, name } => {
                let Some(owner) = self.struct_of(mount, base) else {
                    return Vec::new();
                };
                let field = (owner, self.arena.symbol(facts.text(name)));
                self.callables_in_field(field, Asked::Elements(element))
                    .to_vec()
            }
            ExprKind::Call(call) => self.elements_of_call(mount, call, element, budget),
            ExprKind::Use { binding, reaching } => {
                let definitions = if reaching.is_empty() {
                    self.index(mount).definitions_of(binding)
                } else {
                    &facts.definition_lists[reaching.range()]
                };
                let values =
                    definitions
                        .iter()
                        .filter_map(|id| match facts.definitions[id.index()].kind {
                            DefinitionKind::Value(value) => Some(value),
                            _ => None,
                        });
                let asked = Asked::Elements(element);
                values
                    .flat_map(|value| self.callable_elements(mount, value, element, budget / 2))
                    .chain(self.pushed_into_variable(mount, binding, asked, budget / 2))
                    .collect()
            }
            ExprKind::Path(path) => {
                let found = self.resolve_path(mount, path, Namespace::Value);
                let [Resolved::Item(def)] = found.as_slice() else {
                    return Vec::new();
                };
                let body = self.item(*def).body;
                let value = body.and_then(|body| self.facts(def.mount).body(body).value);
                let written = value.map_or_else(Vec::new, |value| {
                    self.callable_elements(def.mount, value, element, budget / 2)
                });
                let asked = Asked::Elements(element);
                let pushed = self.pushed_into_static(*def, asked, budget / 2).into_iter();
                written.into_iter().chain(pushed).collect()
            }
            _ => Vec::new(),
        }
    }

    /// An element that the source writes out; of a tuple the part that is asked for, or any.
    fn callable_element(
        &self,
        mount: MountId,
        value: ExprId,
        element: Option<u16>,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        let ExprKind::Collection {
            kind: CollectionKind::Tuple,
            elements,
        } = facts.expr(value).kind
        else {
            return self.callable(mount, value, budget);
        };
        let parts = facts.expr_list(elements).iter().enumerate();
        let asked = parts.filter(|(index, _)| element.is_none_or(|it| usize::from(it) == *index));
        asked
            .flat_map(|(_, part)| self.callable(mount, *part, budget / 2))
            .collect()
    }

    /// `list.iter()`, `map.values()`, `hooks.lock().unwrap()`: what gives the same elements; `HashMap::from([..])`: what holds
    /// those of its argument.
    fn elements_of_call(
        &self,
        mount: MountId,
        id: CallId,
        element: Option<u16>,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        let call = facts.call(id);
        match (call.callee, facts.call_arguments(id)) {
            (Written::Method { receiver, .. }, arguments) => {
                let gives_callables = || {
                    let item = self.item_type(self.type_of(mount, call.expr));
                    self.function_bound(item).is_some()
                };
                if arguments.is_empty() || gives_callables() {
                    self.callable_elements(mount, receiver, element, budget - 1)
                } else {
                    Vec::new()
                }
            }
            (Written::Value(_), [argument]) => {
                self.callable_elements(mount, argument.value, element, budget - 1)
            }
            _ => Vec::new(),
        }
    }

    /// The parameters and the result of a type that can be called: `fn(..)`, `impl Fn(..)`, a parameter with such a bound.
    pub(crate) fn function_bound(&self, ty: Ty) -> Option<(super::types::Tys, Ty)> {
        self.autoderef(ty)
            .into_iter()
            .find_map(|step| match self.arena.kind(step) {
                TypeKind::Function(parameters, returns) => Some((parameters, returns)),
                TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => {
                    bounds.iter().find_map(|bound| self.function_bound(*bound))
                }
                TypeKind::Parameter(def, name) => {
                    self.bounds(def, name).into_iter().find_map(|bound| {
                        match self.arena.kind(bound) {
                            TypeKind::Function(parameters, returns) => Some((parameters, returns)),
                            _ => None,
                        }
                    })
                }
                _ => None,
            })
    }

    /// The type of a closure's parameter, from the bound of the function that it is passed to.
    pub(crate) fn closure_parameter(&self, mount: MountId, body: BodyId, index: u16) -> Ty {
        let facts = self.facts(mount);
        debug_assert_eq!(facts.body(body).kind, BodyKind::Closure);
        let Some((call, position)) = self.closure_sinks(mount).get(&body).copied() else {
            return Ty::UNKNOWN;
        };
        let types: Vec<Ty> = self
            .called(mount, call)
            .into_iter()
            .map(|what| match what {
                What::Function(def) => self.bound_parameter(def, position, facts.call(call), index),
                What::External(path) => self.given_parameter(mount, path, call, position, index),
                _ => Ty::UNKNOWN,
            })
            .collect();
        self.arena.union(types)
    }

    /// What a call calls, without what it gives: that may depend on the closures that the call is given.
    pub(super) fn called(&self, mount: MountId, id: CallId) -> Vec<What> {
        let facts = self.facts(mount);
        match facts.call(id).callee {
            Written::Method { receiver, name } => {
                let steps = self.autoderef(self.type_of(mount, receiver));
                let found = self.first_method(&steps, facts.text(name));
                let found = found.into_iter().flat_map(|(_, found)| found);
                found.map(|(what, _)| what).collect()
            }
            _ => self
                .callees(mount, id)
                .iter()
                .map(|callee| callee.what)
                .collect(),
        }
    }

    /// What the catalogue says that a callable is given.
    pub(super) fn given_parameter(
        &self,
        mount: MountId,
        path: Symbol,
        call: CallId,
        position: u16,
        index: u16,
    ) -> Ty {
        let Some(found) = self.catalog.lookup(Language::Rust, &self.arena.text(path)) else {
            return Ty::UNKNOWN;
        };
        let api = self.catalog.api(found.api);
        let Some(stub) = api.gives.get(usize::from(index)) else {
            return Ty::UNKNOWN;
        };
        if api.callable.as_ref().and_then(|callable| callable.index) != Some(position) {
            return Ty::UNKNOWN;
        }
        let Written::Method { receiver, .. } = self.facts(mount).call(call).callee else {
            return Ty::UNKNOWN;
        };
        let steps = self.autoderef(self.type_of(mount, receiver));
        let types = steps
            .into_iter()
            .map(|step| self.stub_type(stub, &self.names_of(step, Some((mount, call)))));
        types
            .into_iter()
            .find(|ty| *ty != Ty::UNKNOWN)
            .unwrap_or(Ty::UNKNOWN)
    }

    pub(super) fn bound_parameter(&self, def: DefId, position: u16, call: &Call, index: u16) -> Ty {
        let Some(body) = self.item(def).body else {
            return Ty::UNKNOWN;
        };
        let parameters = self.facts(def.mount).body_parameters(body);
        let method = matches!(call.callee, Written::Method { .. });
        let skip = usize::from(
            method
                && parameters
                    .first()
                    .is_some_and(|it| it.kind == ParameterKind::Receiver),
        );
        let type_ = parameters
            .get(usize::from(position) + skip)
            .and_then(|parameter| parameter.type_);
        let bound =
            type_.and_then(|type_| self.function_bound(self.written_type(def.mount, type_)));
        bound
            .and_then(|(parameters, _)| parameters.get(usize::from(index)).copied())
            .unwrap_or(Ty::UNKNOWN)
    }

    /// The functions and constants of a name on a type.
    pub(crate) fn associated_items(&self, ty: Ty, name: &str) -> Vec<DefId> {
        let found = self.methods_at(ty, name).into_iter();
        found
            .filter_map(|(what, _)| {
                if let What::Function(def) = what {
                    Some(def)
                } else {
                    None
                }
            })
            .collect()
    }
}
