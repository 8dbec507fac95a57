//! Types as written in the program.

use std::rc::Rc;

use nostall_model::Language;
use nostall_model::facts::{
    CallKind, Callee, ExprId, ExprKind, PathId, ScopeId, TypeExprId, TypeExprKind,
};

use super::catalogue::Arguments;
use super::value::{ItemRef, Known, Type, Value, Values};
use super::{Cx, MAX_STEPS};

/// Wrappers that say something about a variable and nothing about its type: `Annotated[X, ..]` is an `X`.
const TRANSPARENT: [&str; 9] = [
    "Annotated",
    "ClassVar",
    "Final",
    "InitVar",
    "NotRequired",
    "ReadOnly",
    "Required",
    "Mapped",
    "Unpack",
];

impl Cx<'_> {
    /// The types that an annotation allows; `None` is not among them.
    pub(super) fn written_type(&self, file: usize, id: TypeExprId) -> Vec<Type> {
        self.known
            .written
            .ask(&self.depth, MAX_STEPS, (file, id), Vec::new, || {
                self.find_written(file, id)
            })
    }

    fn find_written(&self, file: usize, id: TypeExprId) -> Vec<Type> {
        let facts = self.facts(file);
        match facts.type_expr(id).kind {
            TypeExprKind::Path(path) => self.named_type(file, path, &[]),
            TypeExprKind::Subscript { base, arguments } => {
                let arguments = facts.type_list(arguments);
                if self.is_transparent(file, base) {
                    return arguments
                        .first()
                        .map(|inner| self.written_type(file, *inner))
                        .unwrap_or_default();
                }
                let arguments: Vec<Type> = arguments
                    .iter()
                    .map(|id| self.one_written(file, *id))
                    .collect();
                let TypeExprKind::Path(path) = facts.type_expr(base).kind else {
                    return Vec::new();
                };
                self.named_type(file, path, &arguments)
            }
            TypeExprKind::Union(members) => facts
                .type_list(members)
                .iter()
                .flat_map(|id| self.written_type(file, *id))
                .collect(),
            TypeExprKind::Tuple(members) => {
                vec![Type::Tuple(
                    facts
                        .type_list(members)
                        .iter()
                        .map(|id| self.one_written(file, *id))
                        .collect(),
                )]
            }
            TypeExprKind::Function { returns, .. } => {
                let returns = returns.map_or(Type::Unknown, |id| self.one_written(file, id));
                match returns {
                    Type::Unknown => Vec::new(),
                    returns => vec![Type::Callable(Rc::new(returns))],
                }
            }
            _ => Vec::new(),
        }
    }

    fn one_written(&self, file: usize, id: TypeExprId) -> Type {
        match &self.written_type(file, id)[..] {
            [type_] => type_.clone(),
            _ => Type::Unknown,
        }
    }

    fn is_transparent(&self, file: usize, base: TypeExprId) -> bool {
        let facts = self.facts(file);
        let TypeExprKind::Path(path) = facts.type_expr(base).kind else {
            return false;
        };
        facts
            .path_segments(path)
            .last()
            .is_some_and(|segment| TRANSPARENT.contains(&facts.text(segment.name)))
    }

    fn named_type(&self, file: usize, path: PathId, arguments: &[Type]) -> Vec<Type> {
        let facts = self.facts(file);
        let scope = facts.path(path).scope;
        if let [segment] = facts.path_segments(path) {
            let name = facts.text(segment.name);
            if let Some(bounds) = self.generic_bound(file, scope, name) {
                return self.bounded(file, &bounds, name);
            }
            let values = self.path(file, path);
            if let Some(types) = self.made_variable(file, &values, name) {
                return types;
            }
            return self.types_named(file, scope, &values, arguments);
        }
        self.types_named(file, scope, &self.path(file, path), arguments)
    }

    fn bounded(&self, file: usize, bounds: &[TypeExprId], name: &str) -> Vec<Type> {
        let types: Vec<Type> = bounds
            .iter()
            .flat_map(|bound| self.written_type(file, *bound))
            .collect();
        if types.is_empty() {
            vec![Type::Variable(name.into())]
        } else {
            types
        }
    }

    fn types_named(
        &self,
        file: usize,
        scope: ScopeId,
        values: &[Known],
        arguments: &[Type],
    ) -> Vec<Type> {
        let mut types = Vec::new();
        for known in values {
            match &known.value {
                Value::Class(class) => types.push(Type::Class(*class, arguments.into())),
                Value::Outside(path) if is_self(path) => {
                    types.extend(self.class_of_scope(file, scope).map(|it| self.own_type(it)));
                }
                Value::Outside(path) => types.push(self.outside_type(path, arguments)),
                Value::Instance(Type::ClassOf(inner)) => types.push((**inner).clone()),
                _ => {}
            }
        }
        types
    }

    fn class_of_scope(&self, file: usize, scope: ScopeId) -> Option<ItemRef> {
        let body = self.files[file].body_of_scope(scope)?;
        let item = self.files[file].method_class(body)?;
        Some(ItemRef { file, item })
    }

    pub(super) fn outside_type(&self, path: &Rc<str>, arguments: &[Type]) -> Type {
        match &**path {
            "builtins.tuple" | "typing.Tuple" => return Type::Tuple(arguments.into()),
            "builtins.type" | "typing.Type" => {
                return arguments
                    .first()
                    .map_or(Type::Unknown, |inner| Type::ClassOf(Rc::new(inner.clone())));
            }
            // These say nothing.
            "builtins.object" | "typing.Any" => return Type::Unknown,
            _ => {}
        }
        if let Some(made) = self.made_by_factory(path) {
            return made;
        }
        let entry = self.catalog.type_entry(Language::Python, path);
        let path = entry.map_or_else(|| Rc::clone(path), |entry| Rc::from(&*entry.path));
        Type::Named(path, arguments.into())
    }

    /// A factory that stands where a type should means what it makes: `def f() -> boto3.client`.
    fn made_by_factory(&self, path: &str) -> Option<Type> {
        if self.catalog.type_entry(Language::Python, path).is_some() {
            return None;
        }
        let found = self
            .catalog
            .lookup(Language::Python, path)
            .filter(|found| !found.wildcard)?;
        let returns = self.catalog.api(found.api).returns.as_deref()?;
        let key = self.symbol(path);
        let made = self
            .known
            .made
            .ask(&self.depth, MAX_STEPS, key, || None, || self.made(returns));
        made.filter(|made| !matches!(made, Type::Named(made, _) if **made == *path))
    }

    fn made(&self, returns: &str) -> Option<Type> {
        match &self.catalogue_type(returns, &Arguments::default())[..] {
            [made @ Type::Named(..)] => Some(made.clone()),
            _ => None,
        }
    }

    /// Says whether a written type tells what its values do: a class of the program, or one that the catalogue knows.
    pub(super) fn says_something(&self, type_: &Type) -> bool {
        match type_ {
            Type::Named(path, _) => {
                self.catalog.type_entry(Language::Python, path).is_some()
                    || self.catalog.speaks_of(Language::Python, path)
                    || path.starts_with("builtins.")
                    || path.starts_with("typing.")
                    || path.starts_with("collections.")
            }
            Type::Unknown => false,
            _ => true,
        }
    }

    /// The classes that types are of, as values.
    pub(super) fn classes_of(&self, types: &[Type]) -> Values {
        let class = |type_: &Type| match type_ {
            Type::Class(class, _) => Some(Known::certain(Value::Class(*class))),
            Type::Named(path, _) => Some(Known::certain(Value::Outside(Rc::clone(path)))),
            _ => None,
        };
        types.iter().filter_map(class).collect()
    }

    // ---- types as values

    /// What an assigned value is, where it is a type: `Db = Annotated[Session, ..]`, `Maybe = X | None`.
    pub(super) fn read_as_type(&self, file: usize, value: ExprId) -> Option<Values> {
        let type_ = self.files[file].type_form(value)?;
        if !self.is_made_of_types(file, value) {
            return None;
        }
        let values = types_as_values(&self.written_type(file, type_));
        (!values.is_empty()).then_some(values)
    }

    /// Says whether a subscript is one of a class, and an `|` stands between classes.
    fn is_made_of_types(&self, file: usize, value: ExprId) -> bool {
        let facts = self.facts(file);
        let ExprKind::Call(call) = facts.expr(value).kind else {
            return true;
        };
        let Callee::Method { receiver, .. } = facts.call(call).callee else {
            return false;
        };
        let names_class = |value: ExprId| {
            let values = self.evaluate(file, value);
            !values.is_empty() && values.iter().all(|known| self.is_class(&known.value))
        };
        let others = facts.call_arguments(call).iter();
        names_class(receiver)
            || facts.call(call).kind == CallKind::Operator
                && others.into_iter().any(|other| names_class(other.value))
    }

    /// Says whether a value is a class.
    pub(super) fn is_class(&self, value: &Value) -> bool {
        match value {
            Value::Class(_) | Value::Instance(Type::ClassOf(_)) => true,
            Value::Outside(path) => self.is_class_path(path),
            _ => false,
        }
    }

    fn is_class_path(&self, path: &str) -> bool {
        self.catalog.type_entry(Language::Python, path).is_some()
            || path
                .rsplit('.')
                .next()
                .is_some_and(|name| name.starts_with(char::is_uppercase))
    }
}

/// Types as the values that they are: what stands in brackets is kept.
pub(super) fn types_as_values(types: &[Type]) -> Values {
    let value = |type_: &Type| match type_ {
        Type::Unknown => None,
        Type::Class(class, arguments) if arguments.is_empty() => Some(Value::Class(*class)),
        Type::Named(path, arguments) if arguments.is_empty() => {
            Some(Value::Outside(Rc::clone(path)))
        }
        _ => Some(Value::Instance(Type::ClassOf(Rc::new(type_.clone())))),
    };
    types.iter().filter_map(value).map(Known::certain).collect()
}

fn is_self(path: &str) -> bool {
    matches!(path, "typing.Self" | "typing_extensions.Self")
}
