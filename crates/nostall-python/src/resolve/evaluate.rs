//! Expressions: what they may be.

use std::rc::Rc;

use nostall_catalog::{Api, Effect};
use nostall_model::facts::{
    CallId, Callee, CollectionKind, ExprId, ExprKind, Flavour, Literal, Part, PathId, Run,
};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::types::Arguments;
use super::value::{BodyRef, Known, MAX_VALUES, Type, Value, Values, add, instances};

/// How many steps lead from an expression to what it is, at most.
const MAX_STEPS: usize = 60;

/// How a call answers.
const AWAITABLE: &str = "collections.abc.Awaitable";

impl Cx<'_> {
    /// Finds out what an expression may be.
    pub(super) fn evaluate(&self, file: usize, expr: ExprId) -> Rc<[Known]> {
        if let Some(known) = self.known.borrow().get(&(file, expr)) {
            return known.clone().unwrap_or_default();
        }
        self.known.borrow_mut().insert((file, expr), None);
        let mut values = self.deeper(|| self.find_out(file, expr));
        values.truncate(MAX_VALUES);
        let values: Rc<[Known]> = values.into();
        self.known
            .borrow_mut()
            .insert((file, expr), Some(Rc::clone(&values)));
        values
    }

    /// Runs one more step, if the budget allows.
    pub(super) fn deeper(&self, step: impl FnOnce() -> Values) -> Values {
        let depth = self.depth.get();
        if depth >= MAX_STEPS {
            self.exhausted.set(true);
            return Values::new();
        }
        self.depth.set(depth + 1);
        let values = step();
        self.depth.set(depth);
        values
    }

    fn find_out(&self, file: usize, expr: ExprId) -> Values {
        let facts = self.facts(file);
        match facts.expr(expr).kind {
            ExprKind::Use { binding, reaching } => self.variable(file, binding, reaching),
            ExprKind::Path(path) => self.path(file, path),
            ExprKind::Attribute { base, name } => {
                let name = facts.text(name);
                self.evaluate(file, base)
                    .iter()
                    .flat_map(|known| self.attribute(file, known, name))
                    .collect()
            }
            ExprKind::Call(call) => self.call_value(file, call),
            ExprKind::Await(future) => self.awaited(&self.evaluate(file, future)),
            ExprKind::Callable(body) => vec![Known::certain(Value::Body(BodyRef { file, body }))],
            ExprKind::Cast { type_, .. } => instances(self.written_type(file, type_)),
            ExprKind::Select(choices) => self.choices(file, choices),
            ExprKind::Project { base, part } => self.part(file, base, part),
            ExprKind::Collection { kind, elements } => self.collection(file, kind, elements),
            ExprKind::Literal(literal) => literal_type(literal).map(builtin).into_iter().collect(),
            ExprKind::Text => vec![builtin("str")],
            _ => Values::new(),
        }
    }

    fn choices(&self, file: usize, choices: Run) -> Values {
        let mut values = Values::new();
        for choice in self.facts(file).expr_list(choices) {
            add(&mut values, self.evaluate(file, *choice).iter().cloned());
        }
        let confidence = if values.len() > 1 {
            Confidence::Likely
        } else {
            Confidence::Certain
        };
        values
            .into_iter()
            .map(|known| known.at_most(confidence))
            .collect()
    }

    // ---- several values together

    fn collection(&self, file: usize, kind: CollectionKind, elements: Run) -> Values {
        let elements = self.facts(file).expr_list(elements);
        let type_of = |id: &ExprId| self.one_type(&self.evaluate(file, *id));
        let type_ = match kind {
            CollectionKind::Tuple => {
                Type::Tuple(elements.iter().take(MAX_VALUES).map(type_of).collect())
            }
            CollectionKind::List => Type::Named(
                "builtins.list".into(),
                elements.iter().take(1).map(type_of).collect(),
            ),
            CollectionKind::Set => Type::Named(
                "builtins.set".into(),
                elements.iter().take(1).map(type_of).collect(),
            ),
            CollectionKind::Mapping => Type::Named(
                "builtins.dict".into(),
                elements.iter().take(2).map(type_of).collect(),
            ),
        };
        vec![Known::certain(Value::Instance(type_))]
    }

    fn one_type(&self, values: &[Known]) -> Type {
        match values {
            [
                Known {
                    value: Value::Instance(type_),
                    ..
                },
            ] => type_.clone(),
            _ => Type::Unknown,
        }
    }

    // ---- parts

    fn part(&self, file: usize, base: ExprId, part: Part) -> Values {
        if let Part::Class(path) = part {
            return self.of_class(file, path);
        }
        let mut values = Values::new();
        for known in self.evaluate(file, base).iter() {
            let Value::Instance(type_) = &known.value else {
                continue;
            };
            let part = match part {
                Part::Entered => self.entered(type_, "__enter__"),
                Part::AsyncEntered => self.entered(type_, "__aenter__"),
                Part::Iterated => self.iterated(type_, "__iter__"),
                Part::AsyncIterated => self.iterated(type_, "__aiter__"),
                Part::Element(index) => self.element(type_, index),
                _ => Vec::new(),
            };
            add(
                &mut values,
                instances(part)
                    .into_iter()
                    .map(|part| part.at_most(known.confidence)),
            );
        }
        values
    }

    fn of_class(&self, file: usize, path: PathId) -> Values {
        self.instances_of(&self.path(file, path))
    }

    /// Values of these classes.
    pub(super) fn instances_of(&self, classes: &[Known]) -> Values {
        let instance = |known: &Known| {
            let type_ = match &known.value {
                Value::Class(class) => Type::Class(*class),
                Value::Outside(path) => Type::Named(Rc::clone(path), Rc::default()),
                _ => return None,
            };
            Some(Known {
                value: Value::Instance(type_),
                confidence: known.confidence,
            })
        };
        classes.iter().filter_map(instance).collect()
    }

    // ---- calls

    /// The one thing that is called or, uncalled, the thing itself: `@f` and `@f(..)`.
    pub(super) fn called_or_itself(&self, file: usize, expr: ExprId) -> Values {
        match self.facts(file).expr(expr).kind {
            ExprKind::Call(call) => self.callee(file, self.facts(file).call(call).callee),
            _ => self.evaluate(file, expr).to_vec(),
        }
    }

    /// What a call calls.
    pub(super) fn callee(&self, file: usize, callee: Callee) -> Values {
        match callee {
            Callee::Value(value) => self.evaluate(file, value).to_vec(),
            Callee::Method { receiver, name } => {
                let name = self.facts(file).text(name);
                self.evaluate(file, receiver)
                    .iter()
                    .flat_map(|known| self.attribute(file, known, name))
                    .collect()
            }
            Callee::Macro(_) => Values::new(),
        }
    }

    fn call_value(&self, file: usize, call: CallId) -> Values {
        let mut values = Values::new();
        for known in self.callee(file, self.facts(file).call(call).callee) {
            let result = self.result(file, call, &known.value);
            add(
                &mut values,
                result
                    .into_iter()
                    .map(|value| value.at_most(known.confidence)),
            );
        }
        values
    }

    /// What calling a value gives.
    fn result(&self, file: usize, call: CallId, callee: &Value) -> Values {
        match callee {
            Value::Body(body) => self.body_result(*body),
            Value::Class(class) => vec![Known::certain(Value::Instance(Type::Class(*class)))],
            Value::Outside(path) => self.outside_result(file, call, path),
            Value::Method(owner, path) => self.method_result(owner, path),
            Value::Instance(type_) => {
                let known = Known::certain(Value::Instance(type_.clone()));
                let methods = self.deeper(|| self.attribute(file, &known, "__call__"));
                methods
                    .iter()
                    .flat_map(|method| self.deeper(|| self.result(file, call, &method.value)))
                    .collect()
            }
            Value::Module(_) | Value::Namespace(_) | Value::Parameter(..) => Values::new(),
        }
    }

    pub(super) fn body_result(&self, body: BodyRef) -> Values {
        let record = self.facts(body.file).body(body.body);
        match record.flavour {
            Flavour::Generator | Flavour::AsyncGenerator => {
                vec![Known::certain(Value::Instance(Type::Generator(body)))]
            }
            Flavour::Sync => self.returned(body),
            Flavour::Async => {
                let inner = self.one_type(&self.returned(body));
                let type_ = Type::Named(AWAITABLE.into(), Rc::from([inner]));
                vec![Known::certain(Value::Instance(type_))]
            }
        }
    }

    /// What a body returns: as its head says, or else as its statements do.
    fn returned(&self, body: BodyRef) -> Values {
        let facts = self.facts(body.file);
        let record = facts.body(body.body);
        if let Some(returns) = record.returns {
            return instances(self.written_type(body.file, returns));
        }
        let mut values = Values::new();
        for value in self.files[body.file]
            .returns(body.body)
            .iter()
            .chain(&record.value)
        {
            add(
                &mut values,
                self.evaluate(body.file, *value).iter().cloned(),
            );
        }
        // What a parameter is differs from call to call.
        values.retain(|known| !matches!(known.value, Value::Parameter(..)));
        values
            .into_iter()
            .map(|known| known.at_most(Confidence::Likely))
            .collect()
    }

    fn outside_result(&self, file: usize, call: CallId, path: &Rc<str>) -> Values {
        if let Some(found) = self.catalog.lookup(Language::Python, path) {
            let api = self.catalog.api(found.api);
            if let Some(returns) = &api.returns {
                return instances(self.catalogue_type(returns, &Arguments::none()));
            }
            if !found.wildcard && api.effect == Effect::Constructs {
                return self.wrapped_callable(file, call, api);
            }
        }
        if self.catalog.type_entry(Language::Python, path).is_some() {
            return vec![Known::certain(Value::Instance(Type::Named(
                Rc::clone(path),
                Rc::default(),
            )))];
        }
        // Of what the catalogue does not speak of, a class is told by how it is spelt.
        let name = path.rsplit('.').next().unwrap_or_default();
        if name.starts_with(|first: char| first.is_uppercase()) {
            return vec![Known::likely(Value::Instance(Type::Named(
                Rc::clone(path),
                Rc::default(),
            )))];
        }
        Values::new()
    }

    /// A value that an api makes of a callable, and that has no type of its own, stands for the callable.
    fn wrapped_callable(&self, file: usize, call: CallId, api: &Api) -> Values {
        let index = api
            .callable
            .as_ref()
            .and_then(|argument| argument.index)
            .unwrap_or(0);
        let arguments = self.facts(file).call_arguments(call);
        let Some(argument) = arguments.get(usize::from(index)) else {
            return Values::new();
        };
        let values = self.evaluate(file, argument.value);
        values
            .iter()
            .filter(|known| self.is_callable(&known.value))
            .cloned()
            .collect()
    }

    fn is_callable(&self, value: &Value) -> bool {
        match value {
            Value::Body(_) | Value::Class(_) | Value::Method(..) | Value::Parameter(..) => true,
            Value::Outside(path) => self.catalog.lookup(Language::Python, path).is_some(),
            _ => false,
        }
    }

    // ---- awaiting

    fn awaited(&self, futures: &[Known]) -> Values {
        let mut values = Values::new();
        for known in futures {
            let Value::Instance(type_) = &known.value else {
                continue;
            };
            let inner = instances(self.awaited_type(type_));
            add(
                &mut values,
                inner
                    .into_iter()
                    .map(|value| value.at_most(known.confidence)),
            );
        }
        values
    }
}

fn literal_type(literal: Literal) -> Option<&'static str> {
    match literal {
        Literal::Bool(_) => Some("bool"),
        Literal::Int(_) => Some("int"),
        Literal::Float(_) => Some("float"),
        Literal::Str(_) | Literal::Char => Some("str"),
        Literal::Bytes => Some("bytes"),
        Literal::None | Literal::Other => None,
    }
}

fn builtin(name: &str) -> Known {
    Known::certain(Value::Instance(Type::named(&format!("builtins.{name}"))))
}
