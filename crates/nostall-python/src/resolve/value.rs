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
    /// A class of the program.
    Class(ItemRef),
    /// A method of a type that is not of the program.
    Method(Type, Rc<str>),
    /// A value of a type.
    Instance(Type),
    /// What a body was given for the parameter with this index.
    Parameter(BodyRef, u16),
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// A class of the program.
    Class(ItemRef),
    /// A type by its path, with its arguments.
    Named(Rc<str>, Rc<[Type]>),
    /// A tuple.
    Tuple(Rc<[Type]>),
    /// What calling a generator of the program gives.
    Generator(BodyRef),
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
    pub(super) fn certain(value: Value) -> Self {
        Self {
            value,
            confidence: Confidence::Certain,
        }
    }

    pub(super) fn likely(value: Value) -> Self {
        Self {
            value,
            confidence: Confidence::Likely,
        }
    }

    /// The same with no more than this confidence.
    pub(super) fn at_most(mut self, confidence: Confidence) -> Self {
        self.confidence = self.confidence.min(confidence);
        self
    }
}

impl Type {
    pub(super) fn named(path: &str) -> Self {
        Self::Named(path.into(), Rc::default())
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

/// A value of one of several types.
pub(super) fn instances(types: Vec<Type>) -> Values {
    let confidence = if types.len() > 1 {
        Confidence::Likely
    } else {
        Confidence::Certain
    };
    types
        .into_iter()
        .filter(|type_| *type_ != Type::Unknown)
        .map(|type_| Known {
            value: Value::Instance(type_),
            confidence,
        })
        .collect()
}
