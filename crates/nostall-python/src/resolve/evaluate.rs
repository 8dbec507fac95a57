//! Expressions: what they may be.

use std::rc::Rc;

use nostall_model::facts::{Callee, CollectionKind, ExprId, ExprKind, Literal, Part, PathId, Run};

use super::value::{
    BodyRef, Known, MAX_VALUES, Type, Value, Values, add, alternatives, at_most, element_type,
    instances,
};
use super::{Cx, MAX_STEPS};

impl Cx<'_> {
    /// Finds out what an expression may be.
    pub(super) fn evaluate(&self, file: usize, expr: ExprId) -> Rc<[Known]> {
        self.known
            .exprs
            .ask(&self.depth, MAX_STEPS, (file, expr), Rc::default, || {
                let mut values = self.find_out(file, expr);
                values.truncate(MAX_VALUES);
                for known in &mut values {
                    if let Some(made) = self.made_by_library(&known.value) {
                        known.value = Value::Instance(made);
                    }
                }
                values.into()
            })
    }

    fn find_out(&self, file: usize, expr: ExprId) -> Values {
        if let Some(types) = self.read_as_type(file, expr) {
            return types;
        }
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
            ExprKind::Cast { value, type_ } => {
                let types = self.written_type(file, type_);
                if types.iter().any(|type_| self.says_something(type_)) {
                    return instances(types);
                }
                let values = self.evaluate(file, value).to_vec();
                if values.is_empty() {
                    instances(types)
                } else {
                    values
                }
            }
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
        alternatives(values)
    }

    // ---- several values together

    fn collection(&self, file: usize, kind: CollectionKind, elements: Run) -> Values {
        let elements = self.facts(file).expr_list(elements);
        let type_of = |id: &ExprId| element_type(&self.evaluate(file, *id));
        let named = |path: &str, types: Vec<Type>| Type::Named(path.into(), types.into());
        let type_ = match kind {
            CollectionKind::Tuple => {
                Type::Tuple(elements.iter().take(MAX_VALUES).map(type_of).collect())
            }
            CollectionKind::List => named("builtins.list", self.common(file, elements)),
            CollectionKind::Set => named("builtins.set", self.common(file, elements)),
            CollectionKind::Slice => named("builtins.slice", Vec::new()),
            CollectionKind::Mapping => {
                let keys: Vec<ExprId> = elements.iter().step_by(2).copied().collect();
                let values: Vec<ExprId> = elements.iter().skip(1).step_by(2).copied().collect();
                let mut types = self.common(file, &keys);
                types.extend(self.common(file, &values));
                named("builtins.dict", types)
            }
        };
        vec![Known::certain(Value::Instance(type_))]
    }

    /// The type that the first elements have in common.
    fn common(&self, file: usize, elements: &[ExprId]) -> Vec<Type> {
        let mut types: Vec<Type> = elements
            .iter()
            .take(MAX_VALUES)
            .map(|id| element_type(&self.evaluate(file, *id)))
            .collect();
        types.dedup();
        match types.len() {
            0 => Vec::new(),
            1 => types,
            _ => vec![Type::Unknown],
        }
    }

    // ---- parts

    fn part(&self, file: usize, base: ExprId, part: Part) -> Values {
        if let Part::Class(path) = part {
            let subject = self.evaluate(file, base).to_vec();
            return self.restricted(subject, self.of_class(file, path), true);
        }
        let mut values = Values::new();
        for known in self.with_given(self.evaluate(file, base).to_vec()) {
            let type_ = match &known.value {
                Value::Instance(type_) => type_.clone(),
                Value::Class(class) => Type::ClassOf(Rc::new(Type::class(*class))),
                // A generator expression is taken for the body that it is.
                Value::Body(body) => Type::Generator(*body),
                _ => continue,
            };
            let part = match part {
                Part::Entered => self.entered(&type_, "__enter__"),
                Part::AsyncEntered => self.entered(&type_, "__aenter__"),
                Part::Iterated => self.iterated(&type_, "__iter__"),
                Part::AsyncIterated => self.iterated(&type_, "__aiter__"),
                Part::Element(index) => self.element(&type_, index),
                Part::Item => self.iterated(&type_, "__iter__"),
                Part::Rest => self.rest(&type_),
                _ => Vec::new(),
            };
            add(&mut values, at_most(instances(part), known.confidence));
        }
        values
    }

    fn rest(&self, type_: &Type) -> Vec<Type> {
        let items = self.iterated(type_, "__iter__");
        vec![Type::Named("builtins.list".into(), items.into())]
    }

    fn of_class(&self, file: usize, path: PathId) -> Values {
        self.instances_of(&self.path(file, path))
    }

    /// Values of these classes.
    pub(super) fn instances_of(&self, classes: &[Known]) -> Values {
        let mut values = Values::new();
        for known in classes {
            let types = match &known.value {
                Value::Class(class) => vec![Type::class(*class)],
                Value::Outside(path) => vec![self.outside_type(path, &[])],
                // `except (A, B)`, `isinstance(x, (A, B))`
                Value::Instance(Type::Tuple(types)) => types
                    .iter()
                    .filter_map(|type_| match type_ {
                        Type::ClassOf(inner) => Some((**inner).clone()),
                        Type::Exactly(class) => match &**class {
                            Value::Outside(path) => Some(self.outside_type(path, &[])),
                            _ => None,
                        },
                        _ => None,
                    })
                    .collect(),
                Value::Instance(Type::ClassOf(inner)) => vec![(**inner).clone()],
                _ => continue,
            };
            add(&mut values, at_most(instances(types), known.confidence));
        }
        values
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

    // ---- awaiting

    fn awaited(&self, futures: &[Known]) -> Values {
        let mut values = Values::new();
        for known in futures {
            let Value::Instance(type_) = &known.value else {
                continue;
            };
            let inner = instances(self.awaited_type(type_));
            add(&mut values, at_most(inner, known.confidence));
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

pub(super) fn builtin(name: &str) -> Known {
    Known::certain(Value::Instance(Type::named(&format!("builtins.{name}"))))
}
