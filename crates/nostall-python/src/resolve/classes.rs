//! Classes of the program: the order in which an attribute is looked up, what it is, and who overrides it.

use std::rc::Rc;

use nostall_model::Confidence;
use nostall_model::facts::{
    Answer, BodyId, BodyKind, CallKind, Callee, DefinitionKind, Event, ExprId, ExprKind, ItemId,
    ItemKind, Run,
};
use rustc_hash::FxHashMap;

use super::value::{
    BodyRef, ItemRef, Known, Type, Value, Values, add, alternatives, at_most, instances, type_of,
};
use super::{Cx, MAX_STEPS};

/// How many classes are looked through for an attribute.
const MAX_CLASSES: usize = 32;

/// How many classes of the program may implement a method for a call of it to be followed.
const MAX_IMPLEMENTERS: usize = 12;

/// A class in which attributes of an object are looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ancestor {
    /// A class of the program, with what its type parameters stand for in terms of those of the object's class.
    Inside(ItemRef, Rc<[Type]>),
    /// A class of another library.
    Outside(Type),
}

/// Who extends what.
#[derive(Default)]
pub(super) struct Hierarchy {
    /// Classes that name a class among their bases.
    children: FxHashMap<ItemRef, Vec<ItemRef>>,
    /// Classes that define a method, by its name.
    by_method: FxHashMap<String, Vec<ItemRef>>,
}

impl Cx<'_> {
    // ---- bases

    /// The classes in which attributes of an object are looked up, in that order.
    pub(super) fn order(&self, class: ItemRef) -> Rc<[Ancestor]> {
        let alone = || Rc::from([Ancestor::Inside(class, Rc::default())]);
        self.known
            .orders
            .ask(&self.depth, MAX_STEPS, class, alone, || {
                self.find_order(class).into()
            })
    }

    /// Depth first, and what is met again counts where it is met last: as in Python for all orders that Python accepts.
    fn find_order(&self, class: ItemRef) -> Vec<Ancestor> {
        let own: Rc<[Type]> = self
            .class_variables(class)
            .into_iter()
            .map(Type::Variable)
            .collect();
        let mut all = vec![Ancestor::Inside(class, own)];
        for base in self.bases(class) {
            match base {
                Type::Class(base, arguments) if base != class => {
                    let given = self.class_arguments(base, &arguments);
                    let order = self.order(base);
                    all.extend(order.iter().map(|ancestor| ancestor.with(&given)));
                }
                Type::Named(..) => all.push(Ancestor::Outside(base)),
                _ => {}
            }
        }
        let mut order: Vec<Ancestor> = Vec::new();
        for ancestor in all.into_iter().rev() {
            if !order.iter().any(|known| known.is_same_class(&ancestor)) {
                order.push(ancestor);
            }
        }
        order.reverse();
        order.truncate(MAX_CLASSES);
        order
    }

    fn bases(&self, class: ItemRef) -> Vec<Type> {
        let facts = self.facts(class.file);
        let ItemKind::Class { bases, .. } = facts.item(class.item).kind else {
            return Vec::new();
        };
        facts
            .expr_list(bases)
            .iter()
            .flat_map(|base| self.base_types(class.file, *base))
            .collect()
    }

    fn base_types(&self, file: usize, base: ExprId) -> Vec<Type> {
        let arguments = self.subscript_types(file, base);
        let classes = self.evaluate(file, base);
        let types = classes.iter().filter_map(|known| match &known.value {
            Value::Class(class) => Some(Type::Class(*class, arguments.as_slice().into())),
            Value::Outside(path) if **path != *"builtins.object" => {
                Some(self.outside_type(path, &arguments))
            }
            Value::Instance(Type::ClassOf(class)) => Some((**class).clone()),
            _ => None,
        });
        types.filter(|type_| *type_ != Type::Unknown).collect()
    }

    /// Says whether objects of this class are classes themselves.
    pub(super) fn is_metaclass(&self, class: ItemRef) -> bool {
        self.extends_outside(class, &["builtins.type"])
    }

    /// Says whether a class extends one of these.
    pub(super) fn extends_outside(&self, class: ItemRef, paths: &[&str]) -> bool {
        self.order(class).iter().any(|ancestor| {
            matches!(ancestor, Ancestor::Outside(Type::Named(path, _)) if paths.contains(&&**path))
        })
    }

    // ---- attributes of classes

    /// Finds an attribute in a class and those that it extends.
    pub(super) fn class_attribute(&self, class: ItemRef, name: &str) -> Values {
        self.attribute_in(&self.order(class), name)
    }

    /// What `super()` in a class finds.
    pub(super) fn super_attribute(&self, class: ItemRef, name: &str) -> Values {
        let order = self.order(class);
        self.attribute_in(order.get(1..).unwrap_or_default(), name)
    }

    fn attribute_in(&self, order: &[Ancestor], name: &str) -> Values {
        for ancestor in order {
            let values = match ancestor {
                Ancestor::Inside(owner, _) => self.own_attribute(*owner, name),
                Ancestor::Outside(type_) => {
                    let known = self.known_attribute(type_, name);
                    at_most(self.made_for(order.first(), known), Confidence::Likely)
                }
            };
            if let Some(values) = Some(values).filter(|values| !values.is_empty()) {
                return values;
            }
        }
        // A class of another library has everything for all we know; one of ours has what is written.
        let outside = order.iter().find_map(|ancestor| match ancestor {
            Ancestor::Outside(type_ @ Type::Named(path, _)) => {
                let path = format!("{path}.{name}").into();
                Some(Known::likely(Value::Method(type_.clone(), path)))
            }
            _ => None,
        });
        outside.into_iter().collect()
    }

    /// What a library's class attribute makes for the class that it is asked of: `Article.objects`, a query of articles.
    fn made_for(&self, class: Option<&Ancestor>, values: Values) -> Values {
        let Some(Ancestor::Inside(class, _)) = class else {
            return values;
        };
        let made = |known: Known| match &known.value {
            Value::Method(_, path) => {
                let made = self.held_for(&Type::class(*class), path);
                made.map_or(known.clone(), |type_| {
                    Known::new(Value::Instance(type_), known.confidence)
                })
            }
            _ => known,
        };
        values.into_iter().map(made).collect()
    }

    /// What a class's own statements make of a name.
    pub(super) fn own_attribute(&self, class: ItemRef, name: &str) -> Values {
        let file = &self.files[class.file];
        let body = file.facts.item(class.item).body;
        match body.and_then(|body| file.binding(body, name)) {
            Some(binding) => self.deeper(|| self.variable(class.file, binding, Run::default())),
            None => Values::new(),
        }
    }

    // ---- attributes of objects

    /// An attribute of an object: of its class, or what methods store in it. A property gives its value.
    pub(super) fn object_attribute(&self, type_: &Type, name: &str) -> Values {
        self.loaded_values(self.unloaded_attribute(type_, name))
    }

    /// The same, but properties are the methods that they are.
    pub(super) fn unloaded_attribute(&self, type_: &Type, name: &str) -> Values {
        let Type::Class(class, arguments) = type_ else {
            return Values::new();
        };
        let order = self.order(*class);
        let given = self.class_arguments(*class, arguments);
        let order: Vec<Ancestor> = order.iter().map(|it| it.with(&given)).collect();
        let mut found = Values::new();
        let mut stored = Values::new();
        for ancestor in &order {
            let Ancestor::Inside(owner, arguments) = ancestor else {
                if let Ancestor::Outside(type_) = ancestor
                    && found.is_empty()
                    && stored.is_empty()
                {
                    found = at_most(self.known_attribute(type_, name), Confidence::Likely);
                }
                continue;
            };
            let given = self.class_arguments(*owner, arguments);
            if found.is_empty() {
                let own = self.own_attribute(*owner, name);
                let is_code = own.iter().any(|known| is_code(&known.value));
                found = substitute(own, &given);
                if is_code && stored.is_empty() {
                    return self.implemented(*class, *owner, name, found);
                }
                if self.is_declared(*owner, name) && !found.is_empty() {
                    return self.member_values(*class, found);
                }
            }
            let more = substitute(self.stored_in(*owner, name), &given);
            add(&mut stored, more);
        }
        add(&mut found, stored);
        if found.is_empty() {
            found = self.stored_below(*class, name);
        }
        if found.is_empty() {
            found = self.attribute_in(&order, name);
        }
        self.member_values(*class, found)
    }

    /// The values of an enumeration's members are members.
    fn member_values(&self, class: ItemRef, values: Values) -> Values {
        let is_enum = || {
            self.extends_outside(
                class,
                &["enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag"],
            )
        };
        let plain = values
            .iter()
            .all(|known| matches!(known.value, Value::Instance(_)));
        if plain && !values.is_empty() && is_enum() {
            return vec![Known::certain(Value::Instance(Type::class(class)))];
        }
        at_most(values, Confidence::Likely)
    }

    /// What the methods of a class store in an attribute: as a written type says, or else whatever is stored.
    fn stored_in(&self, owner: ItemRef, name: &str) -> Values {
        let file = &self.files[owner.file];
        let stores = file.stores(owner.item, name);
        let declared = |id: &&ExprId| matches!(file.facts.expr(**id).kind, ExprKind::Cast { .. });
        let mut values = Values::new();
        for stored in stores.iter().filter(declared) {
            add(
                &mut values,
                self.evaluate(owner.file, *stored).iter().cloned(),
            );
        }
        if values.is_empty() {
            for stored in stores {
                add(
                    &mut values,
                    self.evaluate(owner.file, *stored).iter().cloned(),
                );
            }
        }
        let values = self.with_given(values);
        let values = self.put_right(owner, name, values);
        self.filled_attribute(owner, name, alternatives(values))
    }

    /// What an attribute's values are once methods of the class have said something of them: `self.socket.setblocking(False)`.
    /// It counts where all calls of that method say so.
    fn put_right(&self, owner: ItemRef, name: &str, values: Values) -> Values {
        let file = owner.file;
        let facts = self.facts(file);
        let mut told = values.clone();
        for call in self.files[file].told(owner.item, name) {
            let Callee::Method { name: method, .. } = facts.call(*call).callee else {
                continue;
            };
            let method = facts.text(method);
            let methods: Values = values
                .iter()
                .flat_map(|known| self.attribute(file, known, method))
                .collect();
            if self.may_prove(&methods) {
                let after = self.after(values.clone(), file, *call, Answer::Made, &methods);
                if after == values {
                    return values;
                }
                told = after;
            }
        }
        told
    }

    /// What classes that extend this one store: a mixin reads what those that mix it in set.
    fn stored_below(&self, class: ItemRef, name: &str) -> Values {
        let mut values = Values::new();
        for below in self.descendants(class) {
            add(&mut values, self.own_attribute(below, name));
            add(&mut values, self.stored_in(below, name));
        }
        at_most(values, Confidence::Likely)
    }

    /// Says whether a class's statements write a type for an attribute.
    fn is_declared(&self, owner: ItemRef, name: &str) -> bool {
        let file = &self.files[owner.file];
        let body = file.facts.item(owner.item).body;
        let Some(binding) = body.and_then(|body| file.binding(body, name)) else {
            return false;
        };
        let definitions = file.definitions(binding);
        let mut records = definitions
            .iter()
            .map(|id| &file.facts.definitions[id.index()]);
        records.any(|record| record.type_.is_some())
    }

    // ---- who implements a method

    /// A method as it is found for an object; where that is only a promise, the classes that keep it.
    fn implemented(&self, class: ItemRef, owner: ItemRef, name: &str, found: Values) -> Values {
        let promise = found.iter().find_map(|known| match known.value {
            Value::Body(body) => self.promise(body, owner),
            _ => None,
        });
        let Some(promise) = promise else {
            return found;
        };
        let mut implementers = self.overrides(class, name);
        if implementers.is_empty() && self.is_protocol(class) {
            implementers = self.structural(class, name);
        }
        let sure = match (implementers.len(), promise) {
            (1, Promise::Explicit) => Confidence::Likely,
            _ => Confidence::Possible,
        };
        let mut values = found;
        if implementers.len() <= MAX_IMPLEMENTERS {
            let bodies = implementers.into_iter();
            add(
                &mut values,
                bodies.map(|body| Known::new(Value::Body(body), sure)),
            );
        }
        values
    }

    fn loaded_values(&self, values: Values) -> Values {
        values
            .into_iter()
            .flat_map(|known| self.loaded(known))
            .collect()
    }

    /// What loading an attribute gives: a property's value instead of the property.
    fn loaded(&self, known: Known) -> Values {
        if let Some((_, api)) = self.descriptor(&known.value) {
            let returns = api.returns.as_deref().unwrap_or_default();
            let arguments = self.receiver_arguments(&type_of(&known.value));
            return at_most(
                instances(self.catalogue_type(returns, &arguments)),
                known.confidence,
            );
        }
        let Value::Body(body) = known.value else {
            return vec![known];
        };
        if !self.is_property(body) {
            return vec![known];
        }
        let confidence = known.confidence;
        at_most(self.deeper(|| self.body_result(body)), confidence)
    }

    /// The methods of this name in classes that extend this one.
    fn overrides(&self, class: ItemRef, name: &str) -> Vec<BodyRef> {
        let mut bodies = Vec::new();
        for below in self.descendants(class) {
            self.add_implementation(below, name, &mut bodies);
        }
        bodies
    }

    fn add_implementation(&self, class: ItemRef, name: &str, bodies: &mut Vec<BodyRef>) {
        for known in self.own_attribute(class, name) {
            if let Value::Body(body) = known.value
                && self.promise(body, class).is_none()
                && !bodies.contains(&body)
            {
                bodies.push(body);
            }
        }
    }

    /// The methods of this name in classes that have all methods of a protocol.
    fn structural(&self, protocol: ItemRef, name: &str) -> Vec<BodyRef> {
        let wanted = self.method_names(protocol);
        let candidates = self.hierarchy.by_method.get(name);
        let mut bodies = Vec::new();
        for class in candidates.into_iter().flatten() {
            let has_all = || {
                wanted.iter().all(|wanted| {
                    let found = self.class_attribute(*class, wanted);
                    found
                        .iter()
                        .any(|known| matches!(known.value, Value::Body(_)))
                })
            };
            if *class != protocol && !self.is_protocol(*class) && has_all() {
                self.add_implementation(*class, name, &mut bodies);
            }
            if bodies.len() > MAX_IMPLEMENTERS {
                break;
            }
        }
        bodies
    }

    fn method_names(&self, class: ItemRef) -> Vec<String> {
        let facts = self.facts(class.file);
        let own = facts.item(class.item).body;
        methods(facts)
            .filter(|(body, _)| Some(*body) == own)
            .filter_map(|(_, item)| facts.item(item).name)
            .map(|name| facts.text(name).to_owned())
            .collect()
    }

    fn is_protocol(&self, class: ItemRef) -> bool {
        self.extends_outside(class, &["typing.Protocol", "typing_extensions.Protocol"])
    }

    /// Classes that extend this one, through others too.
    pub(super) fn descendants(&self, class: ItemRef) -> Vec<ItemRef> {
        let children = &self.hierarchy.children;
        let mut found = Vec::new();
        let mut open = vec![class];
        while let Some(next) = open.pop() {
            for child in children.get(&next).into_iter().flatten() {
                if found.len() < 4 * MAX_CLASSES && !found.contains(child) && *child != class {
                    found.push(*child);
                    open.push(*child);
                }
            }
        }
        found
    }

    /// Who extends what in the program.
    pub(super) fn all_classes(&self) -> Hierarchy {
        let mut hierarchy = Hierarchy::default();
        for file in 0..self.files.len() {
            self.add_classes(file, &mut hierarchy);
        }
        hierarchy
    }

    fn add_classes(&self, file: usize, hierarchy: &mut Hierarchy) {
        let facts = self.facts(file);
        for (index, item) in facts.items.iter().enumerate() {
            if !matches!(item.kind, ItemKind::Class { .. }) {
                continue;
            }
            let class = ItemRef {
                file,
                item: ItemId::new(index),
            };
            for base in self.bases(class) {
                if let Type::Class(base, _) = base {
                    hierarchy.children.entry(base).or_default().push(class);
                }
            }
        }
        for (body, method) in methods(facts) {
            if let (Some(item), Some(name)) = (facts.body(body).item, facts.item(method).name) {
                let class = ItemRef { file, item };
                let name = facts.text(name).to_owned();
                hierarchy.by_method.entry(name).or_default().push(class);
            }
        }
    }

    // ---- promises

    /// Whether a method leaves its work to classes that extend this one.
    fn promise(&self, body: BodyRef, owner: ItemRef) -> Option<Promise> {
        const ABSTRACT: [&str; 3] = [
            "abc.abstractmethod",
            "abc.abstractproperty",
            "abc.abstractclassmethod",
        ];
        let facts = self.facts(body.file);
        let empty = self.is_empty(body);
        let item = facts.body(body.body).item?;
        let item = ItemRef {
            file: body.file,
            item,
        };
        match empty {
            Some(Empty::Raises) => Some(Promise::Explicit),
            Some(Empty::Nothing)
                if self.has_decorator(item, &ABSTRACT) || self.is_protocol(owner) =>
            {
                Some(Promise::Explicit)
            }
            Some(Empty::Nothing) => Some(Promise::Implicit),
            None if self.has_decorator(item, &ABSTRACT) => Some(Promise::Explicit),
            None => None,
        }
    }

    /// Whether a body does nothing, or only says that others should.
    fn is_empty(&self, body: BodyRef) -> Option<Empty> {
        let facts = self.facts(body.file);
        let record = facts.body(body.body);
        if record.kind != BodyKind::Function {
            return None;
        }
        let mut raises = false;
        for event in facts.region_events(record.region) {
            match *event {
                Event::Raise => raises = true,
                Event::Return(None) | Event::Bind(_) | Event::ScopeEnd(_) => {}
                Event::Return(Some(value)) if is_nothing(facts, value) => {}
                Event::Call(call) if is_not_implemented(facts, call) => {}
                _ => return None,
            }
        }
        Some(if raises {
            Empty::Raises
        } else {
            Empty::Nothing
        })
    }
}

/// How a method says that others implement it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// It is abstract, or raises `NotImplementedError`.
    Explicit,
    /// It does nothing.
    Implicit,
}

enum Empty {
    Raises,
    Nothing,
}

fn is_nothing(facts: &nostall_model::facts::FileFacts, value: ExprId) -> bool {
    matches!(
        facts.expr(value).kind,
        ExprKind::Literal(nostall_model::facts::Literal::None)
    )
}

fn is_not_implemented(
    facts: &nostall_model::facts::FileFacts,
    call: nostall_model::facts::CallId,
) -> bool {
    let call = facts.call(call);
    match (call.kind, call.callee) {
        (CallKind::Plain, Callee::Value(value)) => match facts.expr(value).kind {
            ExprKind::Path(path) => facts.path_text(path, ".") == "NotImplementedError",
            _ => false,
        },
        _ => false,
    }
}

/// The methods that the statements of classes define, each with the class's body.
pub(super) fn methods(
    facts: &nostall_model::facts::FileFacts,
) -> impl Iterator<Item = (BodyId, ItemId)> {
    let definitions = facts.definitions.iter();
    definitions.filter_map(move |definition| {
        let DefinitionKind::Item(item) = definition.kind else {
            return None;
        };
        let binding = &facts.bindings[definition.binding.index()];
        let in_class = facts.body(binding.body).kind == BodyKind::Class;
        (in_class && facts.item(item).kind == ItemKind::Function).then_some((binding.body, item))
    })
}

impl Ancestor {
    /// Says whether this is a class of the program.
    pub(super) fn is_class(&self, class: ItemRef) -> bool {
        matches!(self, Self::Inside(own, _) if *own == class)
    }

    fn is_same_class(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inside(left, _), Self::Inside(right, _)) => left == right,
            (Self::Outside(Type::Named(left, _)), Self::Outside(Type::Named(right, _))) => {
                left == right
            }
            _ => self == other,
        }
    }

    fn with(&self, given: &[(Rc<str>, Type)]) -> Self {
        match self {
            Self::Inside(class, arguments) => Self::Inside(
                *class,
                arguments.iter().map(|type_| type_.with(given)).collect(),
            ),
            Self::Outside(type_) => Self::Outside(type_.with(given)),
        }
    }
}

fn is_code(value: &Value) -> bool {
    matches!(
        value,
        Value::Body(_) | Value::Class(_) | Value::Moved(..) | Value::Outside(_)
    )
}

/// Puts what type parameters stand for into values.
pub(super) fn substitute(values: Values, given: &[(Rc<str>, Type)]) -> Values {
    if !values.iter().any(|known| type_of(&known.value).is_open()) {
        return values;
    }
    let put = |known: Known| match &known.value {
        Value::Instance(type_) => {
            let types = vec![type_.with(given)];
            at_most(super::value::instances(types), known.confidence)
        }
        _ => vec![known],
    };
    values.into_iter().flat_map(put).collect()
}
