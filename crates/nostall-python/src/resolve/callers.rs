//! What the program's own calls give for a parameter that has no written type.
//!
//! Calls are looked up by the last name of what they call, so that only those that may mean a function are resolved.

use nostall_catalog::Api;
use nostall_model::facts::{
    BodyKind, CallId, CallKind, Callee, ExprId, ExprKind, FileFacts, ParameterKind,
};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashMap;

use super::catalogue::Arguments;
use super::value::{BodyRef, ItemRef, Known, Value, Values, add, at_most, instances};
use super::{Cx, MAX_STEPS};

/// A name that more calls than these use tells nothing.
const MAX_SITES: usize = 48;

/// Calls by the last name of what they call.
pub(super) struct CallSites {
    by_name: FxHashMap<String, Vec<(usize, CallId)>>,
    /// The arguments that are names, by the last one, with their calls.
    by_argument: FxHashMap<String, Vec<(usize, CallId, ExprId)>>,
}

impl Cx<'_> {
    /// The same values with what callers give in the place of parameters.
    pub(super) fn with_given(&self, values: Values) -> Values {
        if !values.iter().any(Known::is_parameter) {
            return values;
        }
        let mut found = Values::new();
        for known in values {
            match known.value {
                Value::Parameter(body, index) => add(&mut found, self.given(body, index)),
                _ => add(&mut found, [known]),
            }
        }
        found
    }

    /// What a parameter is given, by default or by the program's own calls: never a parameter again, or a question about
    /// one would lead back to itself.
    pub(super) fn given(&self, body: BodyRef, index: u16) -> Values {
        self.known
            .given
            .ask(&self.depth, MAX_STEPS, (body, index), Values::new, || {
                self.find_given(body, index)
            })
    }

    fn find_given(&self, body: BodyRef, index: u16) -> Values {
        let facts = self.facts(body.file);
        let Some(parameter) = facts.body_parameters(body.body).get(usize::from(index)) else {
            return Values::new();
        };
        let itself = Value::Parameter(body, index);
        let mut values = Values::new();
        if let Some(default) = parameter.default {
            add(&mut values, self.given_by(body.file, default, &itself));
        }
        for (file, call) in self.sites_of(body) {
            if let Some(argument) = self.argument_of(file, call, body, usize::from(index)) {
                add(&mut values, self.given_by(file, argument, &itself));
            }
        }
        if values.is_empty() {
            values = self.given_by_framework(body, index);
        }
        if values.is_empty() {
            return instances(self.written_callable(body, index));
        }
        let sure = if values.len() > 1 {
            Confidence::Possible
        } else {
            Confidence::Likely
        };
        at_most(values, sure)
    }

    /// What a library gives for a parameter of a function that it is handed: a request to a handler.
    fn given_by_framework(&self, body: BodyRef, index: u16) -> Values {
        let parameters = self.facts(body.file).body_parameters(body.body);
        let receiver = parameters
            .first()
            .is_some_and(|first| first.kind == ParameterKind::Receiver);
        let Some(position) = usize::from(index).checked_sub(usize::from(receiver)) else {
            return Values::new();
        };
        let mut values = Values::new();
        for api in self.takers_of(body) {
            if let Some(given) = api.gives.get(position).filter(|given| *given != "_") {
                let types = self.catalogue_type(given, &Arguments::default());
                add(&mut values, instances(types));
            }
        }
        values
    }

    /// The entries of the calls and decorators that a function is handed to.
    pub(super) fn takers_of(&self, body: BodyRef) -> Vec<&Api> {
        let facts = self.facts(body.file);
        let record = facts.body(body.body);
        let Some(item) = record.item.filter(|_| record.kind == BodyKind::Function) else {
            return Vec::new();
        };
        let decorators = facts.expr_list(facts.item(item).attributes).iter();
        let mut takers: Vec<&Api> = decorators
            .flat_map(|decorator| self.called_or_itself(body.file, *decorator))
            .filter_map(|known| self.taker(&known.value))
            .collect();
        let name = facts.item(item).name.map(|name| facts.text(name));
        let sites = name.and_then(|name| self.call_sites().by_argument.get(name));
        for (file, call, argument) in sites.into_iter().flatten().take(MAX_SITES) {
            let callees = self.callee(*file, self.facts(*file).call(*call).callee);
            let Some(api) = callees.iter().find_map(|known| self.taker(&known.value)) else {
                continue;
            };
            let wanted = api.callable.as_ref();
            let is_taken = wanted.is_none_or(|wanted| {
                self.written_argument(*file, *call, wanted) == Some(*argument)
            });
            let itself = |known: &Known| known.value == Value::Body(body);
            if is_taken && self.evaluate(*file, *argument).iter().any(itself) {
                takers.push(api);
            }
        }
        takers
    }

    /// The entry of something of a library that calls what it is handed with values of known types, or of the types written.
    fn taker(&self, value: &Value) -> Option<&Api> {
        let (Value::Outside(path) | Value::Method(_, path)) = value else {
            return None;
        };
        let found = self.catalog.lookup(Language::Python, path)?;
        let api = self.catalog.api(found.api);
        (api.parses || !api.gives.is_empty()).then_some(api)
    }

    fn given_by(&self, file: usize, argument: ExprId, itself: &Value) -> Values {
        let mut given = self.evaluate(file, argument).to_vec();
        given.retain(|known| known.value != *itself);
        self.with_given(given)
    }

    /// The calls of the program that run a body.
    fn sites_of(&self, body: BodyRef) -> Vec<(usize, CallId)> {
        let Some(name) = self.called_name(body) else {
            return Vec::new();
        };
        let candidates = self.call_sites().by_name.get(&name);
        let mut sites = candidates
            .filter(|sites| sites.len() <= MAX_SITES)
            .cloned()
            .unwrap_or_default();
        sites.extend(self.calls_by_super(body));
        sites.retain(|(file, call)| {
            let call = self.facts(*file).call(*call);
            self.callee(*file, call.callee)
                .iter()
                .any(|known| match &known.value {
                    Value::Body(callee) => *callee == body,
                    Value::Class(class) => self
                        .class_attribute(*class, "__init__")
                        .iter()
                        .any(|init| init.value == Value::Body(body)),
                    _ => false,
                })
        });
        sites
    }

    /// The calls in constructors of classes that extend the one whose constructor this is.
    fn calls_by_super(&self, body: BodyRef) -> Vec<(usize, CallId)> {
        let class = self.files[body.file].class_around(body.body);
        let Some(item) = class.filter(|_| self.is_constructor(body)) else {
            return Vec::new();
        };
        let class = ItemRef {
            file: body.file,
            item,
        };
        let mut sites = Vec::new();
        for below in self.descendants(class) {
            for known in self.own_attribute(below, "__init__") {
                if let Value::Body(init) = known.value {
                    let calls = self.files[init.file].calls_in(init.body).iter();
                    sites.extend(calls.map(|call| (init.file, *call)));
                }
            }
        }
        sites
    }

    /// The name by which a body is called: its own, or of a constructor that of its class.
    fn called_name(&self, body: BodyRef) -> Option<String> {
        let facts = self.facts(body.file);
        let record = facts.body(body.body);
        if record.kind != BodyKind::Function {
            return None;
        }
        let item = facts.item(record.item?);
        let name = facts.text(item.name?);
        if name != "__init__" {
            return Some(name.to_owned());
        }
        let class = self.files[body.file].class_around(body.body)?;
        Some(facts.text(facts.item(class).name?).to_owned())
    }

    /// The calls of something with this name.
    pub(super) fn calls_named(&self, name: &str) -> &[(usize, CallId)] {
        let sites = self.call_sites().by_name.get(name);
        sites.map_or(&[][..], Vec::as_slice)
    }

    fn call_sites(&self) -> &CallSites {
        self.call_sites.get_or_init(|| {
            let mut by_name: FxHashMap<String, Vec<(usize, CallId)>> = FxHashMap::default();
            let mut by_argument: FxHashMap<String, Vec<(usize, CallId, ExprId)>> =
                FxHashMap::default();
            for file in 0..self.files.len() {
                let facts = self.facts(file);
                for (index, call) in facts.calls.iter().enumerate() {
                    if call.kind != CallKind::Plain {
                        continue;
                    }
                    if let Some(name) = last_name(facts, call.callee) {
                        let sites = by_name.entry(name.to_owned()).or_default();
                        sites.push((file, CallId::new(index)));
                    }
                    for argument in &facts.arguments[call.arguments.range()] {
                        if let Some(name) = last_name_of_value(facts, argument.value) {
                            let sites = by_argument.entry(name.to_owned()).or_default();
                            sites.push((file, CallId::new(index), argument.value));
                        }
                    }
                }
            }
            CallSites {
                by_name,
                by_argument,
            }
        })
    }
}

/// The last name of what a call calls.
fn last_name(facts: &FileFacts, callee: Callee) -> Option<&str> {
    match callee {
        Callee::Method { name, .. } => Some(facts.text(name)),
        Callee::Value(value) => match facts.expr(value).kind {
            ExprKind::Attribute { .. } => None,
            _ => last_name_of_value(facts, value),
        },
        Callee::Macro(_) => None,
    }
}

/// The last name of a value that is one.
fn last_name_of_value(facts: &FileFacts, value: ExprId) -> Option<&str> {
    match facts.expr(value).kind {
        ExprKind::Use { binding, .. } => Some(facts.text(facts.bindings[binding.index()].name)),
        ExprKind::Path(path) => facts
            .path_segments(path)
            .last()
            .map(|segment| facts.text(segment.name)),
        ExprKind::Attribute { name, .. } => Some(facts.text(name)),
        _ => None,
    }
}
