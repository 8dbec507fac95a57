//! What the program's own calls give for a parameter that has no written type.
//!
//! Calls are looked up by the last name of what they call, so that only those that may mean a function are resolved.

use nostall_model::Confidence;
use nostall_model::facts::{BodyKind, CallId, CallKind, Callee, ExprId, ExprKind, FileFacts};
use rustc_hash::FxHashMap;

use super::value::{BodyRef, ItemRef, Known, Value, Values, add, at_most, instances};
use super::{Cx, MAX_STEPS};

/// A name that more calls than these use tells nothing.
const MAX_SITES: usize = 48;

/// Calls by the last name of what they call.
pub(super) struct CallSites {
    by_name: FxHashMap<String, Vec<(usize, CallId)>>,
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
            return instances(self.written_callable(body, index));
        }
        let sure = if values.len() > 1 {
            Confidence::Possible
        } else {
            Confidence::Likely
        };
        at_most(values, sure)
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
                }
            }
            CallSites { by_name }
        })
    }
}

/// The last name of what a call calls.
fn last_name(facts: &FileFacts, callee: Callee) -> Option<&str> {
    match callee {
        Callee::Method { name, .. } => Some(facts.text(name)),
        Callee::Value(value) => match facts.expr(value).kind {
            ExprKind::Use { binding, .. } => Some(facts.text(facts.bindings[binding.index()].name)),
            ExprKind::Path(path) => facts
                .path_segments(path)
                .last()
                .map(|segment| facts.text(segment.name)),
            _ => None,
        },
        Callee::Macro(_) => None,
    }
}
