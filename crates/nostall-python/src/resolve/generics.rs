//! Type parameters: of classes and functions, what they stand for, and what bounds them.

use std::rc::Rc;

use nostall_model::facts::{
    ArgumentKind, CallId, CallKind, Callee, DefinitionKind, ExprId, ExprKind, ItemKind, Literal,
    ParameterKind, ScopeId, TypeExprId,
};

use super::Cx;
use super::value::{BodyRef, ItemRef, Known, Type, Value, Values, one_type};

/// What makes a type parameter.
const MAKERS: [&str; 2] = ["typing.TypeVar", "typing_extensions.TypeVar"];

/// Bases that only say which parameters there are.
const BEARERS: [&str; 4] = [
    "typing.Generic",
    "typing.Protocol",
    "typing_extensions.Generic",
    "typing_extensions.Protocol",
];

impl Cx<'_> {
    // ---- of classes

    /// The type of a class's own objects, in its own code.
    pub(super) fn own_type(&self, class: ItemRef) -> Type {
        let own = self.class_variables(class);
        Type::Class(class, own.into_iter().map(Type::Variable).collect())
    }

    /// The names of a class's type parameters.
    pub(super) fn class_variables(&self, class: ItemRef) -> Vec<Rc<str>> {
        let facts = self.facts(class.file);
        let item = facts.item(class.item);
        let written = &facts.generics[item.generics.range()];
        if !written.is_empty() {
            return written
                .iter()
                .map(|generic| facts.text(generic.name).into())
                .collect();
        }
        let ItemKind::Class { bases, .. } = item.kind else {
            return Vec::new();
        };
        let (mut listed, mut used) = (None, Vec::new());
        for base in facts.expr_list(bases) {
            let keys = self.subscript_keys(class.file, *base);
            let names: Vec<Rc<str>> = keys
                .into_iter()
                .filter_map(|key| self.variable_name(class.file, key))
                .collect();
            if names.is_empty() {
                continue;
            }
            let bears = self.evaluate(class.file, *base).iter().any(
                |known| matches!(&known.value, Value::Outside(path) if BEARERS.contains(&&**path)),
            );
            if bears {
                listed = Some(names);
            } else {
                used.extend(names);
            }
        }
        used.dedup();
        listed.unwrap_or(used)
    }

    /// What a class's type parameters stand for.
    pub(super) fn class_arguments(
        &self,
        class: ItemRef,
        arguments: &[Type],
    ) -> Vec<(Rc<str>, Type)> {
        if arguments.is_empty() {
            return Vec::new();
        }
        let names = self.class_variables(class);
        names.into_iter().zip(arguments.iter().cloned()).collect()
    }

    /// The types in the brackets of `Base[A, B]`.
    pub(super) fn subscript_types(&self, file: usize, expr: ExprId) -> Vec<Type> {
        self.subscript_keys(file, expr)
            .into_iter()
            .map(|key| self.type_meant(file, key))
            .collect()
    }

    /// The type that an expression names: a class, or a type parameter.
    pub(super) fn type_meant(&self, file: usize, key: ExprId) -> Type {
        if let Some(name) = self.variable_name(file, key) {
            return Type::Variable(name);
        }
        match &self.evaluate(file, key)[..] {
            [
                Known {
                    value: Value::Class(class),
                    ..
                },
            ] => Type::Class(*class, self.subscript_types(file, key).into()),
            [
                Known {
                    value: Value::Outside(path),
                    ..
                },
            ] => self.outside_type(path, &self.subscript_types(file, key)),
            [
                Known {
                    value: Value::Instance(Type::ClassOf(type_)),
                    ..
                },
            ] => (**type_).clone(),
            _ => Type::Unknown,
        }
    }

    fn subscript_keys(&self, file: usize, expr: ExprId) -> Vec<ExprId> {
        let facts = self.facts(file);
        let ExprKind::Call(call) = facts.expr(expr).kind else {
            return Vec::new();
        };
        if facts.call(call).kind != CallKind::Index {
            return Vec::new();
        }
        let Some(key) = facts.call_arguments(call).first() else {
            return Vec::new();
        };
        match facts.expr(key.value).kind {
            ExprKind::Collection { elements, .. } => facts.expr_list(elements).to_vec(),
            _ => vec![key.value],
        }
    }

    /// The name of the type parameter that an expression names.
    fn variable_name(&self, file: usize, expr: ExprId) -> Option<Rc<str>> {
        let facts = self.facts(file);
        match facts.expr(expr).kind {
            ExprKind::Use { binding, .. } => {
                let is_variable = self
                    .evaluate(file, expr)
                    .iter()
                    .any(|known| is_type_variable(&known.value));
                let name = facts.text(facts.bindings[binding.index()].name);
                is_variable.then(|| name.into())
            }
            ExprKind::Path(path) => {
                let [segment] = facts.path_segments(path) else {
                    return None;
                };
                let name = facts.text(segment.name);
                self.generic_bound(file, facts.path(path).scope, name)
                    .map(|_| name.into())
            }
            _ => None,
        }
    }

    // ---- where types are written

    /// The bounds of a type parameter that is written at an item around a scope: `def f[T: Base]`.
    pub(super) fn generic_bound(
        &self,
        file: usize,
        scope: ScopeId,
        name: &str,
    ) -> Option<Vec<TypeExprId>> {
        let facts = self.facts(file);
        let scopes = std::iter::successors(Some(scope), |id| facts.scopes[id.index()].parent);
        let mut items = scopes.filter_map(|id| self.files[file].item_of_scope(id));
        items.find_map(|item| {
            let generics = &facts.generics[facts.item(item).generics.range()];
            let generic = generics
                .iter()
                .find(|generic| facts.text(generic.name) == name)?;
            Some(facts.type_list(generic.bounds).to_vec())
        })
    }

    /// What a type parameter made by a call means where it is written: one of its bounds, or else itself.
    pub(super) fn made_variable(
        &self,
        file: usize,
        values: &[Known],
        name: &str,
    ) -> Option<Vec<Type>> {
        values
            .iter()
            .any(|known| is_type_variable(&known.value))
            .then(|| {
                let bounds = self.bounds_of(file, name);
                if bounds.is_empty() {
                    vec![Type::Variable(name.into())]
                } else {
                    bounds
                }
            })
    }

    /// `T = TypeVar("T", bound=X)`, `TypeVar("T", X, Y)`, looked up as a name of the module that makes it.
    fn bounds_of(&self, file: usize, name: &str) -> Vec<Type> {
        let facts = self.facts(file);
        let Some(binding) = self.files[file].binding(nostall_model::facts::BodyId(0), name) else {
            return Vec::new();
        };
        let made = self.files[file].definitions(binding).iter().find_map(|id| {
            match facts.definitions[id.index()].kind {
                DefinitionKind::Value(value) => match facts.expr(value).kind {
                    ExprKind::Call(call) => Some(call),
                    _ => None,
                },
                _ => None,
            }
        });
        made.map(|call| self.bounds_in_call(file, call))
            .unwrap_or_default()
    }

    fn bounds_in_call(&self, file: usize, call: CallId) -> Vec<Type> {
        let facts = self.facts(file);
        let arguments = facts.call_arguments(call).iter().enumerate();
        arguments
            .filter(|(index, argument)| match argument.name {
                Some(name) => facts.text(name) == "bound",
                None => *index > 0 && argument.kind == ArgumentKind::Positional,
            })
            .map(|(_, argument)| self.type_meant(file, argument.value))
            .filter(|type_| !matches!(type_, Type::Unknown | Type::Variable(_)))
            .collect()
    }

    // ---- of calls

    /// What the type parameters of a called function stand for, by what it is given.
    pub(super) fn instantiated(
        &self,
        file: usize,
        call: CallId,
        body: BodyRef,
    ) -> Vec<(Rc<str>, Type)> {
        let facts = self.facts(body.file);
        let mut found = Vec::new();
        for (index, parameter) in facts.body_parameters(body.body).iter().enumerate() {
            let Some(written) = parameter.type_ else {
                continue;
            };
            let [pattern] = &self.written_type(body.file, written)[..] else {
                continue;
            };
            if !pattern.is_open() {
                continue;
            }
            let given = self.argument_of(file, call, body, index);
            if let Some(given) = given {
                let values = self.evaluate(file, given);
                pattern.unify(&self.value_type(&values), &mut found);
            }
        }
        found
    }

    /// The type of a value; a function stands for a callable.
    fn value_type(&self, values: &[Known]) -> Type {
        match values {
            [
                Known {
                    value: Value::Body(body),
                    ..
                },
            ] => {
                let result: Values = self.deeper(|| self.body_result(*body));
                Type::Callable(Rc::new(one_type(&result)))
            }
            _ => one_type(values),
        }
    }

    /// The argument that a call gives for a parameter.
    pub(super) fn argument_of(
        &self,
        file: usize,
        call: CallId,
        body: BodyRef,
        index: usize,
    ) -> Option<ExprId> {
        let facts = self.facts(file);
        let own = self.facts(body.file);
        let parameters = own.body_parameters(body.body);
        let parameter = parameters.get(index)?;
        let name = own.text(own.bindings[parameter.binding.index()].name);
        let arguments = facts.call_arguments(call);
        let named = arguments
            .iter()
            .find(|argument| argument.name.is_some_and(|given| facts.text(given) == name));
        if let Some(named) = named {
            return Some(named.value);
        }
        let receiver = parameters
            .first()
            .is_some_and(|first| first.kind == ParameterKind::Receiver);
        let bound = receiver && self.binds_receiver(file, call, body);
        let position = index.checked_sub(usize::from(bound))?;
        let before = arguments.get(..=position)?;
        before
            .iter()
            .all(|argument| argument.kind == ArgumentKind::Positional)
            .then(|| before[position].value)
    }

    /// Whether a call gives the receiver by itself: a method of an object, or a constructor; not `Class.method(object)`.
    fn binds_receiver(&self, file: usize, call: CallId, body: BodyRef) -> bool {
        let facts = self.facts(file);
        let item = self.facts(body.file).body(body.body).item;
        let of_class = item.is_some_and(|item| {
            self.is_class_method(ItemRef {
                file: body.file,
                item,
            })
        });
        match facts.call(call).callee {
            Callee::Method { receiver, .. } if !of_class => {
                let receivers = self.evaluate(file, receiver);
                let only_classes = !receivers.is_empty()
                    && receivers
                        .iter()
                        .all(|known| matches!(known.value, Value::Class(_)));
                !only_classes || self.is_constructor(body)
            }
            _ => true,
        }
    }

    pub(super) fn is_constructor(&self, body: BodyRef) -> bool {
        let facts = self.facts(body.file);
        let item = facts.body(body.body).item;
        let name = item.and_then(|item| facts.item(item).name);
        name.is_some_and(|name| matches!(facts.text(name), "__init__" | "__new__" | "__call__"))
    }

    /// The value of a literal argument.
    pub(super) fn text_of(&self, file: usize, expr: ExprId) -> Option<&str> {
        let facts = self.facts(file);
        match facts.expr(expr).kind {
            ExprKind::Literal(Literal::Str(text)) => Some(facts.text(text)),
            _ => None,
        }
    }
}

fn is_type_variable(value: &Value) -> bool {
    matches!(value, Value::Instance(Type::Named(path, _)) if MAKERS.contains(&&**path))
}
