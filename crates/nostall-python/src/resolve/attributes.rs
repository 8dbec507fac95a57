//! Attributes: of modules, classes, instances, and of types that only the catalogue knows.

use nostall_catalog::Effect;
use nostall_model::Language;

use super::Cx;
use super::value::{Known, Type, Value, Values, at_most};

/// What a generator is, to those who call its methods.
const GENERATOR: &str = "collections.abc.Generator";

impl Cx<'_> {
    /// What an attribute of a value may be.
    pub(super) fn attribute(&self, from: usize, of: &Known, name: &str) -> Values {
        let values = match &of.value {
            Value::Module(_) | Value::Namespace(_) => self.member(from, &of.value, name),
            Value::Outside(path) => match self.held_by_class(path) {
                Some(made) => self.instance_attribute(&made, name),
                None => vec![Known::certain(self.attribute_outside(path, name))],
            },
            Value::Class(class) => self.attribute_of_class(*class, name),
            Value::Super(class) => self.super_attribute(*class, name),
            Value::Instance(type_) => self.instance_attribute(type_, name),
            Value::Method(type_, path) => match self.held_by(type_, path) {
                Some(made) => self.instance_attribute(&made, name),
                None => self.attribute_below(type_, path, name),
            },
            Value::Parameter(body, index) => {
                return self
                    .given(*body, *index)
                    .iter()
                    .flat_map(|known| self.attribute(from, known, name))
                    .collect();
            }
            Value::Body(_) | Value::Moved(..) => Values::new(),
        };
        at_most(values, of.confidence)
    }

    /// An attribute of something of a library: of a class also what the catalogue says of one that it extends.
    fn attribute_outside(&self, path: &str, name: &str) -> Value {
        let direct = format!("{path}.{name}");
        let found = |path: &str| {
            let found = self.catalog.lookup(Language::Python, path);
            found.is_some_and(|found| !found.wildcard)
        };
        let is_class = || self.catalog.type_entry(Language::Python, path).is_some();
        if !found(&direct) && is_class() {
            let above = self.lineage(path).into_iter().skip(1);
            let inherited = above.map(|class| format!("{class}.{name}"));
            if let Some(inherited) = inherited.into_iter().find(|it| found(it)) {
                return Value::Method(Type::named(path), inherited.into());
            }
        }
        Value::Outside(direct.into())
    }

    /// An attribute of a class itself; that of an enumeration is a member.
    fn attribute_of_class(&self, class: super::value::ItemRef, name: &str) -> Values {
        let values = self.class_attribute(class, name);
        let is_value = |known: &Known| matches!(known.value, Value::Instance(_));
        if !values.is_empty()
            && values.iter().all(is_value)
            && self.extends_outside(
                class,
                &["enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag"],
            )
        {
            return vec![Known::certain(Value::Instance(Type::class(class)))];
        }
        values
    }

    /// An attribute of a class that has its type arguments with it.
    fn attribute_of_named_class(&self, class: &Type, name: &str) -> Values {
        match class {
            Type::Class(class, _) => self.attribute_of_class(*class, name),
            Type::Named(path, _) => vec![Known::certain(Value::Outside(
                format!("{path}.{name}").into(),
            ))],
            _ => Values::new(),
        }
    }

    fn instance_attribute(&self, type_: &Type, name: &str) -> Values {
        match type_ {
            Type::Class(..) => self.object_attribute(type_, name),
            Type::Named(path, _) => {
                let known = self.known_attribute(type_, name);
                if !known.is_empty() {
                    return known;
                }
                if let Some(itself) = self.itself(type_) {
                    return self.instance_attribute(&itself, name);
                }
                let path = format!("{path}.{name}").into();
                vec![Known::certain(Value::Method(type_.clone(), path))]
            }
            Type::Tuple(_) => self.instance_attribute(&Type::named("builtins.tuple"), name),
            Type::Generator(_) => self.instance_attribute(&Type::named(GENERATOR), name),
            Type::ClassOf(class) => self.attribute_of_named_class(class, name),
            Type::Variable(_)
            | Type::Callable(_)
            | Type::Exactly(_)
            | Type::Each(_)
            | Type::Text(_)
            | Type::Unknown => Values::new(),
        }
    }

    /// What an attribute of a library's class holds: `User.objects`.
    fn held_by_class(&self, path: &str) -> Option<Type> {
        let (class, _) = path.rsplit_once('.')?;
        let class = self.catalog.type_entry(Language::Python, class)?;
        self.held_for(&Type::named(&class.path), path)
    }

    /// The same of an attribute of a class that speaks of the class itself.
    pub(super) fn held_for(&self, class: &Type, path: &str) -> Option<Type> {
        let found = self.catalog.lookup(Language::Python, path)?;
        let returns = self.catalog.api(found.api).returns.as_deref()?;
        returns
            .contains("[Self]")
            .then(|| self.held_by(class, path))?
    }

    /// What an attribute holds that the catalogue describes like a call without effects: `client.containers`.
    fn held_by(&self, owner: &Type, path: &str) -> Option<Type> {
        let found = self.catalog.lookup(Language::Python, path)?;
        let api = self.catalog.api(found.api);
        let returns = api.returns.as_deref()?;
        if found.wildcard || api.effect != Effect::Constructs {
            return None;
        }
        match &self.catalogue_type(returns, &self.receiver_arguments(owner))[..] {
            [type_] => Some(type_.clone()),
            _ => None,
        }
    }

    /// An attribute of an attribute that has no type of its own: `client.chat.completions`, where a wildcard speaks of all
    /// that is public below the client.
    fn attribute_below(&self, type_: &Type, path: &str, name: &str) -> Values {
        let path: std::rc::Rc<str> = format!("{path}.{name}").into();
        let found = self.catalog.lookup(Language::Python, &path);
        let known = found.is_some_and(|found| !found.wildcard || is_public(type_, &path))
            || self.catalog.speaks_of(Language::Python, &path);
        known
            .then(|| Known::certain(Value::Method(type_.clone(), path)))
            .into_iter()
            .collect()
    }
}

/// Says whether no name of a path below a type is private.
fn is_public(type_: &Type, path: &str) -> bool {
    let below = match type_ {
        Type::Named(of, _) => path.strip_prefix(&**of).unwrap_or(path),
        _ => path,
    };
    !below.split('.').any(|name| name.starts_with('_'))
}
