//! What an expression may be: a thing with a name, or a value of some type.

use std::rc::Rc;

use nostall_model::Confidence;
use nostall_model::facts::{BodyId, ItemId};

/// A body of a file of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BodyRef {
    pub(super) file: usize,
    pub(super) body: BodyId,
}

/// An item of a file of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ItemRef {
    pub(super) file: usize,
    pub(super) item: ItemId,
}

/// What an expression may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A module of the program.
    Module(usize),
    /// A package of the program without an `__init__`, by its name.
    Namespace(Rc<str>),
    /// Something of another library, by its dotted path: module, function, class.
    Outside(Rc<str>),
    /// A function, lambda or comprehension; as a method, also a bound one.
    Body(BodyRef),
    /// A function that a decorator moved off the caller's thread, with the decorator's path: calling it gives something to
    /// await.
    Moved(BodyRef, Rc<str>),
    /// A class of the program.
    Class(ItemRef),
    /// What follows a class in the order of an object's classes: `super()`.
    Super(ItemRef),
    /// A method of a type that is not of the program, or an attribute below one.
    Method(Type, Rc<str>),
    /// A value of a type.
    Instance(Type),
    /// What a body was given for the parameter with this index.
    Parameter(BodyRef, u16),
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// A class of the program with its type arguments.
    Class(ItemRef, Rc<[Type]>),
    /// A type by its path, with its arguments.
    Named(Rc<str>, Rc<[Type]>),
    /// A tuple.
    Tuple(Rc<[Type]>),
    /// What calling a generator of the program gives.
    Generator(BodyRef),
    /// A type parameter, by its name.
    Variable(Rc<str>),
    /// A class itself, as a value: `type[X]`.
    ClassOf(Rc<Type>),
    /// A callable that gives a value of this type.
    Callable(Rc<Type>),
    /// Exactly this callable, as an element of a container.
    Exactly(Rc<Value>),
    /// Each of these: the callables in a container.
    Each(Rc<[Type]>),
    /// A text that tells values of a type apart: the name of a logger.
    Text(Rc<str>),
    /// Not known.
    Unknown,
}

/// One thing that an expression may be, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) value: Value,
    pub(super) confidence: Confidence,
}

/// Things that an expression may be. Empty: nothing is known.
pub(super) type Values = Vec<Known>;

/// More possibilities than these are not followed.
pub(super) const MAX_VALUES: usize = 8;

impl Known {
    pub(super) fn new(value: Value, confidence: Confidence) -> Self {
        Self { value, confidence }
    }

    pub(super) fn certain(value: Value) -> Self {
        Self::new(value, Confidence::Certain)
    }

    pub(super) fn likely(value: Value) -> Self {
        Self::new(value, Confidence::Likely)
    }

    /// The same with no more than this confidence.
    pub(super) fn at_most(mut self, confidence: Confidence) -> Self {
        self.confidence = self.confidence.min(confidence);
        self
    }

    pub(super) fn is_parameter(&self) -> bool {
        matches!(self.value, Value::Parameter(..))
    }
}

impl Type {
    pub(super) fn named(path: &str) -> Self {
        Self::Named(path.into(), Rc::default())
    }

    pub(super) fn class(class: ItemRef) -> Self {
        Self::Class(class, Rc::default())
    }

    /// Says whether a type parameter stands in it.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Variable(_) => true,
            Self::Class(_, inner)
            | Self::Named(_, inner)
            | Self::Tuple(inner)
            | Self::Each(inner) => inner.iter().any(Self::is_open),
            Self::ClassOf(inner) | Self::Callable(inner) => inner.is_open(),
            Self::Generator(_) | Self::Exactly(_) | Self::Text(_) | Self::Unknown => false,
        }
    }

    /// Puts in what type parameters stand for; of the others nothing is known.
    pub(super) fn with(&self, given: &[(Rc<str>, Self)]) -> Self {
        let all = |types: &[Self]| types.iter().map(|type_| type_.with(given)).collect();
        match self {
            Self::Variable(name) => given
                .iter()
                .find(|(known, _)| known == name)
                .map_or(Self::Unknown, |(_, type_)| type_.clone()),
            Self::Class(class, inner) => Self::Class(*class, all(inner)),
            Self::Named(path, inner) => Self::Named(Rc::clone(path), all(inner)),
            Self::Tuple(inner) => Self::Tuple(all(inner)),
            Self::Each(inner) => Self::Each(all(inner)),
            Self::ClassOf(inner) => Self::ClassOf(Rc::new(inner.with(given))),
            Self::Callable(inner) => Self::Callable(Rc::new(inner.with(given))),
            Self::Generator(_) | Self::Exactly(_) | Self::Text(_) | Self::Unknown => self.clone(),
        }
    }

    /// Finds out what type parameters stand for where a value of this type is given one of `actual`.
    pub(super) fn unify(&self, actual: &Self, found: &mut Vec<(Rc<str>, Self)>) {
        match (self, actual) {
            (_, Self::Unknown) => {}
            (Self::Variable(name), _) if found.iter().all(|(known, _)| known != name) => {
                found.push((Rc::clone(name), actual.clone()));
            }
            (Self::Class(pattern, left), Self::Class(class, right)) if pattern == class => {
                unify_all(left, right, found);
            }
            // `Iterable[T]` and `list[X]` have their element in the same place.
            (Self::Named(pattern, left), Self::Named(path, right))
                if pattern == path || left.len() == 1 =>
            {
                unify_all(left, right, found);
            }
            (Self::Named(_, left), Self::Tuple(right))
            | (Self::Tuple(left), Self::Tuple(right)) => {
                unify_all(left, right, found);
            }
            (Self::ClassOf(pattern), Self::ClassOf(inner))
            | (Self::Callable(pattern), Self::Callable(inner) | Self::ClassOf(inner)) => {
                pattern.unify(inner, found);
            }
            _ => {}
        }
    }
}

fn unify_all(patterns: &[Type], actual: &[Type], found: &mut Vec<(Rc<str>, Type)>) {
    for (pattern, actual) in patterns.iter().zip(actual) {
        pattern.unify(actual, found);
    }
}

/// Adds values that are not there yet.
pub(super) fn add(values: &mut Values, more: impl IntoIterator<Item = Known>) {
    for known in more {
        if values.len() < MAX_VALUES && !values.iter().any(|other| other.value == known.value) {
            values.push(known);
        }
    }
}

/// The same values with no more than this confidence.
pub(super) fn at_most(values: Values, confidence: Confidence) -> Values {
    values
        .into_iter()
        .map(|known| known.at_most(confidence))
        .collect()
}

/// One of several values is less sure than the only one.
pub(super) fn alternatives(values: Values) -> Values {
    if values.len() > 1 {
        at_most(values, Confidence::Likely)
    } else {
        values
    }
}

/// A value of one of several types.
pub(super) fn instances(types: Vec<Type>) -> Values {
    let confidence = if types.len() > 1 {
        Confidence::Likely
    } else {
        Confidence::Certain
    };
    let members = types.into_iter().flat_map(|type_| match type_ {
        Type::Each(members) => members.to_vec(),
        type_ => vec![type_],
    });
    members
        .filter_map(value_of)
        .map(|value| Known::new(value, confidence))
        .collect()
}

/// A value of a type.
fn value_of(type_: Type) -> Option<Value> {
    match type_ {
        Type::Unknown | Type::Each(_) | Type::Text(_) => None,
        Type::Exactly(callable) => Some((*callable).clone()),
        Type::ClassOf(inner) => match &*inner {
            Type::Class(class, _) => Some(Value::Class(*class)),
            Type::Named(path, _) => Some(Value::Outside(Rc::clone(path))),
            _ => None,
        },
        _ => Some(Value::Instance(type_)),
    }
}

/// The type of a value, where there is exactly one.
pub(super) fn one_type(values: &[Known]) -> Type {
    match values {
        [known] => type_of(&known.value),
        _ => Type::Unknown,
    }
}

/// The type of an element of a container: a callable stays what it is.
pub(super) fn element_type(values: &[Known]) -> Type {
    match values {
        [known] => match &known.value {
            callable @ (Value::Body(_) | Value::Outside(_) | Value::Method(..)) => {
                Type::Exactly(Rc::new(callable.clone()))
            }
            value => type_of(value),
        },
        _ => Type::Unknown,
    }
}

/// The type of what a container holds: that of its only element, or all the callables.
pub(super) fn common_type(values: &[Known]) -> Type {
    match values {
        [_] => element_type(values),
        _ => {
            let types: Vec<Type> = values
                .iter()
                .map(|known| element_type(std::slice::from_ref(known)))
                .collect();
            if !types.is_empty() && types.iter().all(|it| matches!(it, Type::Exactly(_))) {
                Type::Each(types.into())
            } else {
                Type::Unknown
            }
        }
    }
}

/// The type of a value.
pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::Instance(type_) => type_.clone(),
        Value::Class(class) => Type::ClassOf(Rc::new(Type::class(*class))),
        _ => Type::Unknown,
    }
}
