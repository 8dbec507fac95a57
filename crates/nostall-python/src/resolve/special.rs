//! The methods that Python calls by itself: which stands in where the one that is asked for is not there, and what an iteration
//! runs after it has begun.

use nostall_model::Confidence;
use nostall_model::facts::{Call, Callee, ExprId};
use nostall_model::program::{Target, TargetKind, Unresolved};

use super::Cx;
use super::classes::Ancestor;
use super::value::{Known, Type, Value, Values};

impl Cx<'_> {
    /// Of a value that nothing is known of it is not worth a word that it is asked whether it counts as true: nearly all that is
    /// asked so is plain data.
    pub(super) fn asked_by(&self, file: usize, call: &Call) -> Vec<Target> {
        match call.callee {
            Callee::Method { receiver, name } => {
                self.special_targets(file, receiver, self.facts(file).text(name))
            }
            _ => Vec::new(),
        }
    }

    /// What a method that Python calls by itself runs: of an object without it, what Python calls in its place.
    pub(super) fn special_targets(&self, file: usize, value: ExprId, method: &str) -> Vec<Target> {
        let mut targets = Vec::new();
        for object in self.with_given(self.evaluate(file, value).to_vec()) {
            if matches!(object.value, Value::Instance(_)) {
                targets.extend(self.special_of(file, &object, method));
            }
        }
        targets
    }

    fn special_of(&self, file: usize, object: &Known, method: &str) -> Vec<Target> {
        let asked = std::iter::once(&method).chain(stand_ins(method));
        let found = asked.map(|name| {
            let methods = self.attribute(file, object, name);
            let mut targets: Vec<Target> = methods
                .iter()
                .filter_map(|known| self.implied_target(known))
                .collect();
            targets.extend(self.steps(file, name, &methods));
            targets
        });
        let mut found = found.skip_while(Vec::is_empty);
        found.next().unwrap_or_default()
    }

    /// The steps of an iteration: `__next__` of what `__iter__` gives.
    pub(super) fn steps(&self, file: usize, method: &str, methods: &[Known]) -> Vec<Target> {
        if method != "__iter__" {
            return Vec::new();
        }
        let given = |known: &Known| match known.value {
            Value::Body(body) => self.deeper(|| self.body_result(body)),
            _ => Values::new(),
        };
        methods
            .iter()
            .flat_map(given)
            .filter(|known| matches!(known.value, Value::Instance(Type::Class(..))))
            .flat_map(|known| self.attribute(file, &known, "__next__"))
            .filter_map(|known| self.implied_target(&known))
            .collect()
    }

    /// What answers for the attributes that an object does not have: `__getattr__` of its class, where all classes of it are known.
    pub(super) fn answered_for(&self, object: &Known) -> Option<Target> {
        let Value::Instance(Type::Class(class, _)) = object.value else {
            return None;
        };
        let is_outside = |ancestor: &Ancestor| matches!(ancestor, Ancestor::Outside(_));
        if self.order(class).iter().any(is_outside) {
            return None;
        }
        self.class_attribute(class, "__getattr__")
            .into_iter()
            .find_map(|known| match known.value {
                Value::Body(body) => {
                    Some(self.body_target(body, object.confidence.min(Confidence::Likely)))
                }
                _ => None,
            })
    }

    /// The same for a method that is called. What the answer runs in turn is not known.
    pub(super) fn answered_call(&self, file: usize, call: &Call) -> Option<Vec<Target>> {
        let Callee::Method { receiver, .. } = call.callee else {
            return None;
        };
        let receivers = self.with_given(self.evaluate(file, receiver).to_vec());
        let answered = receivers
            .iter()
            .filter_map(|known| self.answered_for(known));
        let mut targets: Vec<Target> = answered.collect();
        if targets.is_empty() {
            return None;
        }
        targets.push(Target {
            kind: TargetKind::Unresolved(Unresolved::Value),
            confidence: Confidence::Certain,
        });
        Some(targets)
    }

    /// The generators among the `__iter__` of an object.
    pub(super) fn iterating_generators(&self, file: usize, object: &Known) -> Vec<Target> {
        let methods = self.attribute(file, object, "__iter__");
        let generators = methods.iter().filter_map(|known| match known.value {
            Value::Body(body) if self.is_generator_function(body) => {
                Some(self.body_target(body, known.confidence))
            }
            _ => None,
        });
        generators.collect()
    }
}

/// What Python calls of an object that does not have a method.
fn stand_ins(method: &str) -> &'static [&'static str] {
    match method {
        "__bool__" => &["__len__"],
        "__format__" => &["__str__", "__repr__"],
        "__str__" => &["__repr__"],
        "__contains__" => &["__iter__", "__getitem__"],
        "__iter__" => &["__getitem__"],
        _ => &[],
    }
}
