//! What the program puts into fields, variables and statics that hold callables: values of struct literals, assignments, what
//! is pushed and inserted, and what callers give to the functions that do so.

use std::rc::Rc;

use nostall_catalog::Effect;
use nostall_model::facts::{
    BindingId, BodyId, BodyKind, Call, CallId, CallKind, Callee as Written, DefinitionKind, Event,
    ExprId, ExprKind, FileFacts,
};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashMap;

use super::bodies::may_be_callable;
use super::methods::What;
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, TypeKind};
use super::{Cx, DEEPEST, Found};

/// More callers than these of one function say nothing about what it is given.
const MOST_CALLERS: usize = 256;

/// How far the values of one place are followed. Places are asked once each, so that their circles end.
const BUDGET: u32 = 16;

/// How many steps lie between a container and the call that fills it: `self.hooks.lock().unwrap().push(..)`.
const LONGEST_CHAIN: u32 = 8;

/// What the program puts into places, as far as the code alone tells.
#[derive(Debug, Default)]
pub(crate) struct Fillings {
    /// By the struct and the field's name: what struct literals put there.
    literals: FxHashMap<(DefId, Symbol), Vec<(MountId, ExprId)>>,
    /// By the last name of a field or static: assignments, and calls that may put something into it.
    named: FxHashMap<Symbol, Vec<Filling>>,
    /// The same for variables.
    variables: FxHashMap<(MountId, BindingId), Vec<Filling>>,
    /// Calls by the last name of what they call, with the type before it: `Bus::new`, `push`.
    calls: FxHashMap<Symbol, Vec<(MountId, CallId)>>,
}

/// One value that is put somewhere.
#[derive(Clone, Copy, Debug)]
struct Filling {
    mount: MountId,
    /// The field or static.
    holder: ExprId,
    value: ExprId,
    /// The call that is given the value; None for an assignment.
    call: Option<CallId>,
}

/// What is asked of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    /// The value itself.
    Value,
    /// What a list or a map holds; of tuples one element.
    Elements(Option<u16>),
}

impl Cx<'_> {
    /// The callables that the program puts into a field, the same for each place that reads it: as many may read it as fill it.
    pub(super) fn callables_in_field(&self, field: (DefId, Symbol), asked: Asked) -> Found {
        let key = (field, asked);
        let unknown = Found::default;
        self.known
            .filled
            .ask(&self.depth, DEEPEST, key, unknown, || {
                self.callables_in_field_anew(field, asked)
            })
    }

    fn callables_in_field_anew(&self, field: (DefId, Symbol), asked: Asked) -> Found {
        let fillings = self.fillings();
        let literals = fillings.literals.get(&field).into_iter().flatten();
        let mut found: Vec<_> = literals
            .flat_map(|(mount, value)| self.callables_in(*mount, *value, asked, BUDGET))
            .collect();
        let named = fillings.named.get(&field.1).into_iter().flatten();
        let own = named.filter(|filling| self.is_field(filling, field.0));
        found.extend(own.flat_map(|filling| self.filled_with(filling, asked, BUDGET)));
        let found = self.with_callers(found);
        let sure = match asked {
            Asked::Value if found.len() > 1 => Confidence::Possible,
            _ => Confidence::Likely,
        };
        found
            .into_iter()
            .map(|(what, confidence)| (what, confidence.min(sure)))
            .collect()
    }

    /// What is pushed into a list that a variable holds.
    pub(super) fn pushed_into_variable(
        &self,
        mount: MountId,
        binding: BindingId,
        asked: Asked,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let fillings = self.fillings();
        let found = fillings.variables.get(&(mount, binding)).into_iter();
        found
            .flatten()
            .flat_map(|filling| self.filled_with(filling, asked, budget / 2))
            .collect()
    }

    /// What is pushed into a list that a static holds.
    pub(super) fn pushed_into_static(
        &self,
        def: DefId,
        asked: Asked,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let Some(name) = self.item(def).name else {
            return Vec::new();
        };
        let name = self.arena.symbol(self.facts(def.mount).text(name));
        let fillings = self.fillings();
        let named = fillings.named.get(&name).into_iter().flatten();
        let own = named.filter(|filling| self.is_static(filling, def));
        let found = own
            .flat_map(|filling| self.filled_with(filling, asked, budget / 2))
            .collect();
        self.with_callers(found)
    }

    fn callables_in(
        &self,
        mount: MountId,
        value: ExprId,
        asked: Asked,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        match asked {
            Asked::Value => self.callable(mount, value, budget),
            Asked::Elements(element) => self.callable_elements(mount, value, element, budget),
        }
    }

    fn filled_with(&self, filling: &Filling, asked: Asked, budget: u32) -> Vec<(What, Confidence)> {
        match (filling.call, asked) {
            (None, _) => self.callables_in(filling.mount, filling.value, asked, budget),
            (Some(call), Asked::Elements(_)) if self.keeps(filling.mount, call) => {
                self.callable(filling.mount, filling.value, budget)
            }
            // `Option::insert`, `OnceLock::set`: the value itself, if it is no list.
            (Some(call), Asked::Value) if self.keeps(filling.mount, call) => {
                self.callable(filling.mount, filling.value, budget)
            }
            _ => Vec::new(),
        }
    }

    /// Says whether a call of the standard library or of another catalogued one only keeps what it is given.
    fn keeps(&self, mount: MountId, call: CallId) -> bool {
        let called = self.called(mount, call);
        !called.is_empty()
            && called.into_iter().all(|what| {
                let What::External(path) = what else {
                    return false;
                };
                let found = self.catalog.lookup(Language::Rust, &self.arena.text(path));
                found.is_none_or(|found| {
                    let effect = self.catalog.api(found.api).effect;
                    matches!(effect, Effect::None | Effect::Constructs)
                })
            })
    }

    fn is_field(&self, filling: &Filling, owner: DefId) -> bool {
        match self.facts(filling.mount).expr(filling.holder).kind {
            ExprKind::Attribute { base, .. } => self.struct_of(filling.mount, base) == Some(owner),
            _ => false,
        }
    }

    fn is_static(&self, filling: &Filling, def: DefId) -> bool {
        match self.facts(filling.mount).expr(filling.holder).kind {
            ExprKind::Path(path) => {
                let found = self.resolve_path(filling.mount, path, Namespace::Value);
                found.contains(&Resolved::Item(def))
            }
            _ => false,
        }
    }

    /// What a closure is given that a method runs for the elements of a list: `hooks.iter().for_each(|hook| hook())`.
    pub(super) fn iterated_callables(
        &self,
        mount: MountId,
        body: BodyId,
        index: u16,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        if index > 0 || facts.body(body).kind != BodyKind::Closure {
            return Vec::new();
        }
        let sink = self.closure_sinks(mount).get(&body).copied();
        match sink.map(|(call, _)| facts.call(call).callee) {
            Some(Written::Method { receiver, .. }) => {
                self.callable_elements(mount, receiver, None, BUDGET)
            }
            _ => Vec::new(),
        }
    }

    // ---- callers

    /// Puts in what callers give where a function puts its own parameter somewhere.
    fn with_callers(&self, found: Vec<(What, Confidence)>) -> Vec<(What, Confidence)> {
        let mut known = Vec::with_capacity(found.len());
        for (what, confidence) in found {
            let given = match what {
                What::Parameter(mount, body, index) => {
                    self.given_by_callers(mount, body, index).to_vec()
                }
                _ => vec![(what, Confidence::Certain)],
            };
            for (what, sure) in given {
                let next = (what, sure.min(confidence));
                if !known.contains(&next) {
                    known.push(next);
                }
            }
        }
        known
    }

    fn given_by_callers(&self, mount: MountId, body: BodyId, index: u16) -> Found {
        let key = (mount, body, index);
        let unknown = Found::default;
        self.known
            .given
            .ask(&self.depth, DEEPEST, key, unknown, || {
                let found = self.given_by_callers_anew(mount, body, index);
                self.with_callers(found).into()
            })
    }

    fn given_by_callers_anew(
        &self,
        mount: MountId,
        body: BodyId,
        index: u16,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        let Some(item) = facts.body(body).item else {
            return Vec::new();
        };
        let Some(name) = facts.item(item).name else {
            return Vec::new();
        };
        let def = DefId { mount, item };
        let calls = self.calls_that_may_be_of(def, facts.text(name));
        if calls.len() > MOST_CALLERS {
            return Vec::new();
        }
        let own = calls.iter().filter(|(mount, call)| {
            let called = self.called(*mount, *call);
            called.contains(&What::Function(def))
        });
        own.filter_map(|(mount, call)| {
            let facts = self.facts(*mount);
            let method = matches!(facts.call(*call).callee, Written::Method { .. });
            let position = usize::from(index).checked_sub(usize::from(method))?;
            let argument = facts.call_arguments(*call).get(position)?;
            Some(self.callable(*mount, argument.value, BUDGET))
        })
        .flatten()
        .collect()
    }

    /// The calls of the program that name a function as it can be named.
    fn calls_that_may_be_of(&self, def: DefId, name: &str) -> Vec<(MountId, CallId)> {
        let fillings = self.fillings();
        let of_name = |name: &str| {
            let calls = fillings.calls.get(&self.arena.symbol(name));
            calls.map_or(&[][..], Vec::as_slice).to_vec()
        };
        let mut found = of_name(name);
        if let Some(owner) = self.owner(def) {
            found.extend(of_name(&format!("Self::{name}")));
            if let TypeKind::Named(type_, _) = self.arena.kind(self.self_type(owner))
                && let Some(type_name) = self.item(type_).name
            {
                let type_name = self.facts(type_.mount).text(type_name);
                found.extend(of_name(&format!("{type_name}::{name}")));
            }
        }
        found
    }

    // ---- all of the program

    fn fillings(&self) -> Rc<Fillings> {
        if let Some(found) = &*self.fillings.borrow() {
            return Rc::clone(found);
        }
        let mut fillings = Fillings::default();
        for mount in (0..self.tree.mounts.len()).map(|index| MountId(index as u32)) {
            self.add_literals(mount, &mut fillings);
            self.add_assignments(mount, &mut fillings);
            self.add_calls(mount, &mut fillings);
        }
        let fillings = Rc::new(fillings);
        *self.fillings.borrow_mut() = Some(Rc::clone(&fillings));
        fillings
    }

    /// Values that struct literals put into fields and that may be callables.
    fn add_literals(&self, mount: MountId, fillings: &mut Fillings) {
        let facts = self.facts(mount);
        for expr in &facts.exprs {
            let ExprKind::Struct { path, fields } = expr.kind else {
                continue;
            };
            let callable = |argument: &&nostall_model::facts::Argument| {
                argument.name.is_some() && may_be_callable(facts, argument.value)
            };
            let fields: Vec<_> = facts.arguments[fields.range()]
                .iter()
                .filter(callable)
                .collect();
            if fields.is_empty() {
                continue;
            }
            let found = self.resolve_path(mount, path, Namespace::Type);
            let [resolved] = found.as_slice() else {
                continue;
            };
            let TypeKind::Named(owner, _) = self.arena.kind(self.type_of_resolved(*resolved))
            else {
                continue;
            };
            for field in fields {
                let name = field.name.map_or("", |name| facts.text(name));
                fillings
                    .literals
                    .entry((owner, self.arena.symbol(name)))
                    .or_default()
                    .push((mount, field.value));
            }
        }
    }

    fn add_assignments(&self, mount: MountId, fillings: &mut Fillings) {
        let facts = self.facts(mount);
        for event in &facts.events {
            let Event::Store { target, value } = *event else {
                continue;
            };
            if may_be_callable(facts, value) {
                let filling = Filling {
                    mount,
                    holder: target,
                    value,
                    call: None,
                };
                self.add_filling(filling, fillings);
            }
        }
    }

    fn add_calls(&self, mount: MountId, fillings: &mut Fillings) {
        let facts = self.facts(mount);
        for (index, call) in facts.calls.iter().enumerate() {
            if call.kind != CallKind::Plain || call.arguments.is_empty() {
                continue;
            }
            let id = CallId::new(index);
            if let Some(name) = name_of_called(facts, call) {
                let name = self.arena.symbol(&name);
                fillings.calls.entry(name).or_default().push((mount, id));
            }
            let Written::Method { receiver, .. } = call.callee else {
                continue;
            };
            let given = facts.call_arguments(id).iter();
            for argument in given.filter(|argument| may_be_callable(facts, argument.value)) {
                let filling = Filling {
                    mount,
                    holder: self.container(mount, receiver),
                    value: argument.value,
                    call: Some(id),
                };
                self.add_filling(filling, fillings);
            }
        }
    }

    fn add_filling(&self, filling: Filling, fillings: &mut Fillings) {
        let facts = self.facts(filling.mount);
        let name = match facts.expr(filling.holder).kind {
            ExprKind::Attribute { name, .. } => facts.text(name),
            ExprKind::Path(path) => match facts.path_segments(path).last() {
                Some(last) => facts.text(last.name),
                None => return,
            },
            ExprKind::Use { binding, .. } => {
                let variable = (filling.mount, binding);
                fillings
                    .variables
                    .entry(variable)
                    .or_default()
                    .push(filling);
                return;
            }
            _ => return,
        };
        let name = self.arena.symbol(name);
        fillings.named.entry(name).or_default().push(filling);
    }

    /// The field, static or variable whose content a chain of calls without arguments is asked for:
    /// `self.hooks.lock().unwrap()`, also by way of a variable.
    pub(super) fn container(&self, mount: MountId, value: ExprId) -> ExprId {
        let facts = self.facts(mount);
        let mut current = value;
        for _ in 0..LONGEST_CHAIN {
            let next = match facts.expr(current).kind {
                ExprKind::Reference(inner)
                | ExprKind::Dereference(inner)
                | ExprKind::Try(inner)
                | ExprKind::Await(inner) => inner,
                ExprKind::Call(call) => match facts.call(call).callee {
                    Written::Method { receiver, .. }
                        if facts.call(call).kind == CallKind::Plain
                            && facts.call_arguments(call).is_empty() =>
                    {
                        receiver
                    }
                    _ => return current,
                },
                ExprKind::Use { binding, .. } => match self.index(mount).definitions_of(binding) {
                    [only] => match facts.definitions[only.index()].kind {
                        DefinitionKind::Value(value) if self.leads_elsewhere(mount, value) => value,
                        _ => return current,
                    },
                    _ => return current,
                },
                _ => return current,
            };
            current = next;
        }
        current
    }

    /// Says whether a variable's value is taken out of a field or a static.
    fn leads_elsewhere(&self, mount: MountId, value: ExprId) -> bool {
        let facts = self.facts(mount);
        let mut current = value;
        for _ in 0..LONGEST_CHAIN {
            current = match facts.expr(current).kind {
                ExprKind::Attribute { .. } | ExprKind::Path(_) => return true,
                ExprKind::Reference(inner)
                | ExprKind::Dereference(inner)
                | ExprKind::Try(inner)
                | ExprKind::Await(inner) => inner,
                ExprKind::Call(call) => match facts.call(call).callee {
                    Written::Method { receiver, .. } if facts.call_arguments(call).is_empty() => {
                        receiver
                    }
                    _ => return false,
                },
                _ => return false,
            };
        }
        false
    }
}

/// The last name of what a call calls; of a function of a type with that before it.
fn name_of_called(facts: &FileFacts, call: &Call) -> Option<String> {
    let path = match call.callee {
        Written::Method { name, .. } => return Some(facts.text(name).to_owned()),
        Written::Value(value) => match facts.expr(value).kind {
            ExprKind::Path(path) => facts.path_segments(path),
            _ => return None,
        },
        Written::Macro(_) => return None,
    };
    let (last, before) = path.split_last()?;
    let last = facts.text(last.name);
    let type_ = before.last().map(|type_| facts.text(type_.name));
    match type_.filter(|type_| type_.starts_with(char::is_uppercase)) {
        Some(type_) => Some(format!("{type_}::{last}")),
        None => Some(last.to_owned()),
    }
}
