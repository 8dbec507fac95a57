//! Containers that begin empty: their element type is that of what the program puts in.

use std::rc::Rc;

use nostall_model::Confidence;
use nostall_model::facts::ExprId;

use super::Cx;
use super::file::Container;
use super::value::{ItemRef, Known, Type, Value, Values, add, common_type};

/// More values than these that are put into one container are not looked at.
const MAX_ELEMENTS: usize = 8;

impl Cx<'_> {
    /// The values of a place, containers among them with the type of what is put in there.
    pub(super) fn filled(&self, file: usize, place: Container, values: Values) -> Values {
        let elements = self.files[file].elements(place);
        let inner = self.files[file].inner_elements(place);
        if elements.is_empty() && inner.is_empty() || !values.iter().any(is_bare_container) {
            return values;
        }
        let type_ = match self.put_in(file, inner) {
            Type::Unknown => self.put_in(file, elements),
            type_ => Type::Named("builtins.list".into(), Rc::from([type_])),
        };
        if type_ == Type::Unknown {
            return values;
        }
        values
            .into_iter()
            .map(|known| {
                if is_bare_container(&known) {
                    fill(known, &type_)
                } else {
                    known
                }
            })
            .collect()
    }

    /// The type of what is put into a container.
    fn put_in(&self, file: usize, elements: &[ExprId]) -> Type {
        let mut found = Values::new();
        for element in elements.iter().take(MAX_ELEMENTS) {
            let known = self.with_given(self.evaluate(file, *element).to_vec());
            add(
                &mut found,
                known
                    .into_iter()
                    .filter(|known| !matches!(known.value, Value::Instance(Type::Unknown))),
            );
        }
        common_type(&found)
    }

    /// The same for an attribute of a class's instances.
    pub(super) fn filled_attribute(&self, owner: ItemRef, name: &str, values: Values) -> Values {
        match self.facts(owner.file).names.find(name) {
            Some(name) => self.filled(owner.file, Container::Attribute(owner.item, name), values),
            None => values,
        }
    }
}

/// Says whether this is a container of nobody knows what.
fn is_bare_container(known: &Known) -> bool {
    let Value::Instance(Type::Named(_, arguments)) = &known.value else {
        return false;
    };
    let Some(position) = element_position(known) else {
        return false;
    };
    arguments.get(position).is_none_or(says_nothing)
}

/// Says whether the type of an element does not tell what it does when it is used.
fn says_nothing(element: &Type) -> bool {
    match element {
        Type::Unknown | Type::Callable(_) => true,
        Type::Named(path, inner) => match &**path {
            "typing.Callable" | "collections.abc.Callable" => true,
            "builtins.list" | "builtins.set" | "collections.deque" => {
                inner.first().is_none_or(says_nothing)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Where a container's type has that of its elements.
fn element_position(known: &Known) -> Option<usize> {
    let Value::Instance(Type::Named(path, _)) = &known.value else {
        return None;
    };
    match &**path {
        "builtins.list" | "builtins.set" | "collections.deque" | "contextvars.ContextVar" => {
            Some(0)
        }
        "builtins.dict" | "collections.OrderedDict" | "collections.defaultdict" => Some(1),
        _ => None,
    }
}

fn fill(known: Known, type_: &Type) -> Known {
    let position = element_position(&known);
    match known.value {
        Value::Instance(Type::Named(path, known_arguments)) => {
            let position = position.unwrap_or(0);
            let mut arguments = known_arguments.to_vec();
            arguments.resize(position, Type::Unknown);
            arguments.push(type_.clone());
            let arguments: Rc<[Type]> = arguments.into();
            Known::new(
                Value::Instance(Type::Named(path, arguments)),
                known.confidence.min(Confidence::Likely),
            )
        }
        value => Known::new(value, known.confidence),
    }
}
