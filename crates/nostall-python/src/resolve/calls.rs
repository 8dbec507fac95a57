//! Calls: what each may reach, and the callables that it is given.

use nostall_catalog::Effect;
use nostall_model::facts::{Body, Call, CallId, CallKind, Callee, ExprId, ExprKind, ItemId, Run};
use nostall_model::program::{Passed, Resolution, ResolvedCall, Target, TargetKind, Unresolved};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::value::{BodyRef, ItemRef, Known, Type, Value, Values};

/// Adds what is known of each call.
pub(super) fn add_calls(cx: &Cx<'_>, resolution: &mut Resolution) {
    for file in 0..cx.files.len() {
        for index in 0..cx.facts(file).calls.len() {
            let call = CallId::new(index);
            cx.exhausted.set(false);
            let mut targets = cx.targets(file, call);
            targets.sort_by_key(|target| std::cmp::Reverse(target.confidence));
            let passed = cx.passed(file, call);
            let resolved = ResolvedCall {
                targets: push_run(&mut resolution.targets, targets),
                passed: push_run(&mut resolution.passed, passed),
            };
            resolution.calls.push(resolved);
        }
    }
}

fn push_run<T>(pool: &mut Vec<T>, elements: Vec<T>) -> Run {
    let start = pool.len() as u32;
    pool.extend(elements);
    Run {
        start,
        end: pool.len() as u32,
    }
}

impl Cx<'_> {
    fn targets(&self, file: usize, id: CallId) -> Vec<Target> {
        let call = self.facts(file).call(id);
        match call.kind {
            CallKind::Plain => self.called(file, call),
            CallKind::Attribute => self.loaded_by(file, call),
            CallKind::Iterate | CallKind::Enter => self.stepped_by(file, call),
            _ => self.implied(file, call),
        }
    }

    // ---- written calls

    fn called(&self, file: usize, call: &Call) -> Vec<Target> {
        let values = self.callee(file, call.callee);
        if values.is_empty() {
            return vec![self.unresolved(file, call)];
        }
        let mut targets = Vec::new();
        for known in values {
            let more = self.value_targets(file, &known);
            more.into_iter().for_each(|target| {
                if !targets.contains(&target) {
                    targets.push(target);
                }
            });
        }
        targets
    }

    /// What calling a value runs.
    fn value_targets(&self, file: usize, known: &Known) -> Vec<Target> {
        let kind = match &known.value {
            Value::Body(body) => return vec![self.body_target(*body, known.confidence)],
            Value::Class(class) => return self.constructor(*class, known.confidence),
            Value::Outside(path) | Value::Method(_, path) => {
                return vec![self.outside(path, known.confidence)];
            }
            Value::Parameter(body, index) => {
                TargetKind::Parameter(self.program_body(*body), *index)
            }
            Value::Instance(_) => {
                let methods = self.deeper(|| self.attribute(file, known, "__call__"));
                let callable = |method: &&Known| !matches!(method.value, Value::Instance(_));
                return methods
                    .iter()
                    .filter(callable)
                    .flat_map(|method| self.value_targets(file, method))
                    .collect();
            }
            Value::Module(_) | Value::Namespace(_) => TargetKind::Unresolved(Unresolved::Value),
        };
        vec![Target {
            kind,
            confidence: known.confidence,
        }]
    }

    /// A project's own entry for one of its functions goes before the function's code.
    fn body_target(&self, body: BodyRef, confidence: Confidence) -> Target {
        let entry = self
            .qualified_name(body)
            .and_then(|path| self.catalog.lookup_user(Language::Python, &path));
        let kind = match entry {
            Some(found) => TargetKind::Api(found.api.0),
            None => TargetKind::Body(self.program_body(body)),
        };
        Target { kind, confidence }
    }

    /// The path of a function or class.
    fn qualified_name(&self, body: BodyRef) -> Option<String> {
        let facts = self.facts(body.file);
        let mut names = Vec::new();
        let mut next: Option<&Body> = Some(facts.body(body.body));
        while let Some(body) = next {
            if let Some(item) = body.item {
                names.push(facts.text(facts.item(item).name?));
            }
            next = body.parent.map(|parent| facts.body(parent));
        }
        names.push(self.modules.name(body.file));
        names.reverse();
        Some(names.join("."))
    }

    fn constructor(&self, class: ItemRef, confidence: Confidence) -> Vec<Target> {
        let methods = self.class_attribute(class, "__init__");
        let target = |known: &Known| match &known.value {
            Value::Body(body) => Some(self.body_target(*body, confidence.min(known.confidence))),
            // A base class from outside: its constructor is what the catalogue says of the class itself.
            Value::Method(Type::Named(path, _), _) => {
                Some(self.outside(path, confidence.min(known.confidence)))
            }
            _ => None,
        };
        methods.iter().filter_map(target).collect()
    }

    fn outside(&self, path: &str, confidence: Confidence) -> Target {
        match self.catalog.lookup(Language::Python, path) {
            Some(found) => {
                let limit = if found.wildcard {
                    Confidence::Likely
                } else {
                    Confidence::Certain
                };
                Target {
                    kind: TargetKind::Api(found.api.0),
                    confidence: confidence.min(limit),
                }
            }
            None => Target {
                kind: TargetKind::External(path.into()),
                confidence,
            },
        }
    }

    fn unresolved(&self, file: usize, call: &Call) -> Target {
        let facts = self.facts(file);
        let reason = match call.callee {
            _ if self.exhausted.get() => Unresolved::Budget,
            Callee::Method { receiver, .. } if !self.is_known(file, receiver) => {
                Unresolved::Receiver
            }
            Callee::Method { .. } => Unresolved::Method,
            Callee::Value(value) if matches!(facts.expr(value).kind, ExprKind::Path(_)) => {
                Unresolved::Name
            }
            _ => Unresolved::Value,
        };
        Target {
            kind: TargetKind::Unresolved(reason),
            confidence: Confidence::Certain,
        }
    }

    /// Says whether something is known of a value; of what a caller gives, nothing is.
    fn is_known(&self, file: usize, value: ExprId) -> bool {
        self.evaluate(file, value)
            .iter()
            .any(|known| !matches!(known.value, Value::Parameter(..)))
    }

    // ---- calls that Python makes by itself

    /// Operators, contexts, elements: code of the program, or what the catalogue names. Of known types that say nothing
    /// the methods are harmless.
    fn implied(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, .. } = call.callee else {
            return Vec::new();
        };
        if !self.is_known(file, receiver) {
            return vec![self.unresolved(file, call)];
        }
        let methods = self.callee(file, call.callee);
        methods
            .iter()
            .filter_map(|known| self.implied_target(known))
            .collect()
    }

    fn implied_target(&self, known: &Known) -> Option<Target> {
        match &known.value {
            Value::Body(body) => Some(self.body_target(*body, known.confidence)),
            Value::Method(_, path) | Value::Outside(path) => {
                let found = self
                    .catalog
                    .lookup(Language::Python, path)
                    .filter(|found| !found.wildcard)?;
                Some(Target {
                    kind: TargetKind::Api(found.api.0),
                    confidence: known.confidence,
                })
            }
            _ => None,
        }
    }

    /// A loop over a generator runs the generator's code, and so does `with`, where a decorator made a context manager
    /// of it.
    fn stepped_by(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, .. } = call.callee else {
            return Vec::new();
        };
        let generators: Vec<Target> = self
            .evaluate(file, receiver)
            .iter()
            .filter_map(|known| match known.value {
                Value::Instance(Type::Generator(body)) => {
                    Some(self.body_target(body, known.confidence))
                }
                Value::Body(body) if self.is_generator_expression(body) => {
                    Some(self.body_target(body, known.confidence))
                }
                _ => None,
            })
            .collect();
        if generators.is_empty() {
            self.implied(file, call)
        } else {
            generators
        }
    }

    fn is_generator_expression(&self, body: BodyRef) -> bool {
        let body = self.facts(body.file).body(body.body);
        body.kind == nostall_model::facts::BodyKind::Comprehension
    }

    /// Loading an attribute runs code only where it is a property of the program.
    fn loaded_by(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, name } = call.callee else {
            return Vec::new();
        };
        let receivers = self.evaluate(file, receiver);
        if !self.is_known(file, receiver) {
            return vec![self.unresolved(file, call)];
        }
        let name = self.facts(file).text(name);
        let mut targets = Vec::new();
        for known in receivers.iter() {
            let Value::Instance(Type::Class(class)) = known.value else {
                continue;
            };
            for attribute in self.class_attribute(class, name) {
                if let Value::Body(body) = attribute.value
                    && self.is_property(body)
                {
                    targets
                        .push(self.body_target(body, known.confidence.min(attribute.confidence)));
                }
            }
        }
        targets
    }

    /// Says whether a method is run by loading it.
    pub(super) fn is_property(&self, body: BodyRef) -> bool {
        let item: Option<ItemId> = self.facts(body.file).body(body.body).item;
        item.is_some_and(|item| {
            let item = ItemRef {
                file: body.file,
                item,
            };
            self.has_decorator(item, "builtins.property")
                || self.has_decorator(item, "functools.cached_property")
        })
    }

    // ---- callables as arguments

    fn passed(&self, file: usize, id: CallId) -> Vec<Passed> {
        let mut passed = Vec::new();
        for (index, argument) in self.facts(file).call_arguments(id).iter().enumerate() {
            let Ok(index) = u16::try_from(index) else {
                break;
            };
            for target in self.callable_targets(file, argument.value) {
                passed.push(Passed { index, target });
            }
        }
        passed
    }

    fn callable_targets(&self, file: usize, value: ExprId) -> Vec<Target> {
        let values: Values = self.evaluate(file, value).to_vec();
        values
            .iter()
            .filter_map(|known| self.callable_target(known))
            .collect()
    }

    fn callable_target(&self, known: &Known) -> Option<Target> {
        match &known.value {
            Value::Body(body) => Some(self.body_target(*body, known.confidence)),
            Value::Class(class) => self
                .constructor(*class, known.confidence)
                .into_iter()
                .next(),
            Value::Parameter(body, index) => {
                let kind = TargetKind::Parameter(self.program_body(*body), *index);
                Some(Target {
                    kind,
                    confidence: known.confidence,
                })
            }
            Value::Outside(path) | Value::Method(_, path) => {
                let found = self.catalog.lookup(Language::Python, path)?;
                let effect = self.catalog.api(found.api).effect;
                let runs = !matches!(effect, Effect::Constructs | Effect::None);
                runs.then(|| self.outside(path, known.confidence))
            }
            _ => None,
        }
    }
}
