//! Containers that begin empty: their element type is that of what the program puts in.

use std::rc::Rc;

use nostall_model::Confidence;
use nostall_model::facts::{BodyKind, ExprId, ExprKind};
use rustc_hash::FxHashMap;

use super::Cx;
use super::file::Container;
use super::value::{ItemRef, Known, Type, Value, Values, add, common_type};

/// More values than these that are put into one container are not looked at.
const MAX_ELEMENTS: usize = 8;

/// A name under which more values than these are put somewhere tells nothing.
const MAX_PLACES: usize = 24;

/// What is put into containers that others keep, by the container's name.
pub(super) type PutElsewhere = FxHashMap<String, Vec<Put>>;

/// A value that is put into a container of another file or class.
pub(super) struct Put {
    file: usize,
    holder: ExprId,
    value: ExprId,
}

impl Cx<'_> {
    /// The values of a place, containers among them with the type of what is put in there.
    pub(super) fn filled(&self, file: usize, place: Container, values: Values) -> Values {
        if !values.iter().any(is_bare_container) {
            return values;
        }
        let type_ = match self.put_in(&in_file(file, self.files[file].inner_elements(place))) {
            Type::Unknown => self.element_type(file, place),
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

    /// What a container's own file and class put in tells the type; where they do not, or put in callables, what others do counts.
    fn element_type(&self, file: usize, place: Container) -> Type {
        let mut elements = in_file(file, self.files[file].elements(place));
        let own = self.put_in(&elements);
        if !matches!(own, Type::Unknown | Type::Exactly(_) | Type::Each(_)) {
            return own;
        }
        elements.extend(self.put_by_others(file, place));
        match self.put_in(&elements) {
            Type::Unknown => own,
            type_ => type_,
        }
    }

    /// The type of what is put into a container.
    fn put_in(&self, elements: &[(usize, ExprId)]) -> Type {
        let mut found = Values::new();
        for (file, element) in elements.iter().take(MAX_ELEMENTS) {
            let known = self.with_given(self.evaluate(*file, *element).to_vec());
            add(
                &mut found,
                known
                    .into_iter()
                    .filter(|known| !matches!(known.value, Value::Instance(Type::Unknown))),
            );
        }
        common_type(&found)
    }

    // ---- what others put in

    /// What other files and classes put into a container: `context.session.set(x)`, `self.bus.handlers.append(f)`.
    fn put_by_others(&self, file: usize, place: Container) -> Vec<(usize, ExprId)> {
        let Some((name, owner)) = self.owner(file, place) else {
            return Vec::new();
        };
        let all = self.put_elsewhere.get_or_init(|| self.find_put_elsewhere());
        let put = all.get(name).map_or(&[][..], Vec::as_slice);
        if put.len() > MAX_PLACES {
            return Vec::new();
        }
        put.iter()
            .filter(|put| self.is_in(put.file, put.holder, &owner))
            .map(|put| (put.file, put.value))
            .collect()
    }

    /// The name of a place that others may reach, and what it is an attribute of: a module, or a class.
    fn owner(&self, file: usize, place: Container) -> Option<(&str, Value)> {
        let facts = self.facts(file);
        let (name, item) = match place {
            Container::Attribute(item, name) => (name, Some(item)),
            Container::Variable(binding) => {
                let binding = &facts.bindings[binding.index()];
                let body = facts.body(binding.body);
                match body.kind {
                    BodyKind::Module => (binding.name, None),
                    BodyKind::Class => (binding.name, Some(body.item?)),
                    _ => return None,
                }
            }
        };
        let owner = match item {
            Some(item) => Value::Class(ItemRef { file, item }),
            None => Value::Module(file),
        };
        Some((facts.text(name), owner))
    }

    /// Says whether an expression of some file names an attribute of this.
    fn is_in(&self, file: usize, holder: ExprId, owner: &Value) -> bool {
        let is_owner = |known: &Known| match (&known.value, owner) {
            (
                Value::Class(class) | Value::Instance(Type::Class(class, _)),
                Value::Class(wanted),
            ) => self.order(*class).iter().any(|it| it.is_class(*wanted)),
            (value, owner) => value == owner,
        };
        match self.facts(file).expr(holder).kind {
            ExprKind::Attribute { base, .. } => {
                let bases = self.with_given(self.evaluate(file, base).to_vec());
                bases.iter().any(is_owner)
            }
            _ => {
                let module = self.files[file].imported(holder);
                let module = module.and_then(|import| self.imported_from(file, import));
                module.is_some_and(|module| module == *owner)
            }
        }
    }

    fn find_put_elsewhere(&self) -> PutElsewhere {
        let mut found = PutElsewhere::default();
        for (file, record) in self.files.iter().enumerate() {
            for (holder, value) in &record.put_elsewhere {
                if let Some(name) = record.place_name(*holder) {
                    found.entry(name.to_owned()).or_default().push(Put {
                        file,
                        holder: *holder,
                        value: *value,
                    });
                }
            }
        }
        found
    }

    /// The same for an attribute of a class's instances.
    pub(super) fn filled_attribute(&self, owner: ItemRef, name: &str, values: Values) -> Values {
        match self.facts(owner.file).names.find(name) {
            Some(name) => self.filled(owner.file, Container::Attribute(owner.item, name), values),
            None => values,
        }
    }
}

fn in_file(file: usize, elements: &[ExprId]) -> Vec<(usize, ExprId)> {
    elements.iter().map(|element| (file, *element)).collect()
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
