//! Types as the catalogue writes them, and what they give when they are used.

use std::rc::Rc;

use nostall_catalog::{Api, Effect, Match, TypeEntry};
use nostall_model::Language;

use super::Cx;
use super::value::{BodyRef, Type, Value, Values, at_most, instances, type_of};

/// How many types are looked through for what one gives.
const MAX_TYPES: usize = 32;

/// What the names of type parameters stand for: the receiver's own, `Self`, and `A0` for the type of argument 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    named: Vec<(Rc<str>, Type)>,
}

impl Arguments {
    pub(super) fn add(&mut self, name: &str, type_: Type) {
        self.named.push((name.into(), type_));
    }

    /// Says what a name stands for, whatever it did before.
    pub(super) fn put(&mut self, name: &str, type_: Type) {
        self.named.insert(0, (name.into(), type_));
    }

    fn get(&self, name: &str) -> Option<&Type> {
        let mut named = self.named.iter();
        named.find(|(known, _)| **known == *name).map(|(_, it)| it)
    }
}

impl Cx<'_> {
    /// Reads a type of the catalogue: `a.B[C, D] | None`.
    pub(super) fn catalogue_type(&self, text: &str, arguments: &Arguments) -> Vec<Type> {
        split_outside_brackets(text, '|')
            .into_iter()
            .flat_map(|member| self.one_of_catalogue(member, arguments))
            .collect()
    }

    fn one_of_catalogue(&self, text: &str, arguments: &Arguments) -> Vec<Type> {
        let text = text.trim();
        if text.is_empty() || text == "None" {
            return Vec::new();
        }
        if let Some(type_) = arguments.get(text) {
            return vec![type_.clone()];
        }
        if let Some(types) = self.part_of_argument(text, arguments) {
            return types;
        }
        if is_argument(text) || text == "Self" {
            return Vec::new();
        }
        let (name, inner) = match text.split_once('[') {
            Some((name, rest)) => match rest.trim_end().strip_suffix(']') {
                Some(inner) => (name.trim(), split_outside_brackets(inner, ',')),
                None => return Vec::new(),
            },
            None => (text, Vec::new()),
        };
        let inner: Vec<Type> = inner
            .into_iter()
            .map(|part| match &self.one_of_catalogue(part, arguments)[..] {
                [type_] => type_.clone(),
                _ => Type::Unknown,
            })
            .collect();
        let path = if name.contains('.') {
            name.to_owned()
        } else {
            format!("builtins.{name}")
        };
        vec![self.outside_type(&path.into(), &inner)]
    }

    /// `A0.Item`, `T.Awaited`, ….
    fn part_of_argument(&self, text: &str, arguments: &Arguments) -> Option<Vec<Type>> {
        let (name, part) = text.split_once('.')?;
        let known = arguments.get(name).cloned();
        if known.is_none() && !is_argument(name) {
            return None;
        }
        let known = known.unwrap_or(Type::Unknown);
        Some(match part {
            "Item" => self.iterated(&known, "__iter__"),
            "Entered" => self.entered(&known, "__enter__"),
            "Awaited" => self.awaited_type(&known),
            "Result" => match known {
                Type::Callable(result) => vec![(*result).clone()],
                Type::ClassOf(inner) => vec![(*inner).clone()],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        })
    }

    fn generic(&self, entry: &TypeEntry, arguments: &[Type]) -> Arguments {
        let mut named = Arguments::default();
        for (index, name) in entry.params.iter().enumerate() {
            let given = arguments.get(index).cloned().unwrap_or(Type::Unknown);
            let type_ = match (given, entry.defaults.get(name)) {
                (Type::Unknown, Some(usual)) => self.outside_type(&Rc::from(&**usual), &[]),
                (given, _) => given,
            };
            named.add(name, type_);
        }
        named
    }

    /// What the parameters of a type of the catalogue stand for in a value of it.
    pub(super) fn receiver_arguments(&self, owner: &Type) -> Arguments {
        let mut named = match owner {
            Type::Named(path, arguments) => self
                .catalog
                .type_entry(Language::Python, path)
                .map(|entry| self.generic(entry, arguments))
                .unwrap_or_default(),
            _ => Arguments::default(),
        };
        named.add("Self", owner.clone());
        named
    }

    /// What the first type of a lineage that says so gives for one of its uses.
    fn used(
        &self,
        path: &str,
        arguments: &[Type],
        given: impl Fn(&TypeEntry) -> Option<&str>,
    ) -> Option<Vec<Type>> {
        self.lineage(path).into_iter().find_map(|path| {
            let entry = self.catalog.type_entry(Language::Python, &path)?;
            Some(self.catalogue_type(given(entry)?, &self.generic(entry, arguments)))
        })
    }

    // ---- what a type gives

    /// What `with` binds.
    pub(super) fn entered(&self, type_: &Type, method: &str) -> Vec<Type> {
        match type_ {
            Type::Named(path, arguments) => {
                let entered = self.used(path, arguments, |entry| entry.enter.as_deref());
                entered.unwrap_or_else(|| vec![type_.clone()])
            }
            Type::Class(..) => {
                let mut types = self.result_types(type_, method);
                if method.starts_with("__a") {
                    types = types
                        .iter()
                        .flat_map(|type_| self.awaited_type(type_))
                        .collect();
                }
                if types.is_empty() {
                    vec![type_.clone()]
                } else {
                    types
                }
            }
            // Only as a context manager, that a decorator made of it, can a generator be entered.
            Type::Generator(_) => self.iterated(type_, method),
            _ => Vec::new(),
        }
    }

    /// What a loop binds.
    pub(super) fn iterated(&self, type_: &Type, method: &str) -> Vec<Type> {
        match type_ {
            Type::Named(path, arguments) => self
                .used(path, arguments, |entry| entry.item.as_deref())
                .unwrap_or_default(),
            Type::Tuple(elements) => elements.first().cloned().into_iter().collect(),
            Type::Class(..) => {
                let iterators = self.result_types(type_, method);
                iterators
                    .iter()
                    .flat_map(|iterator| self.step_type(type_, iterator, method))
                    .collect()
            }
            Type::Generator(body) => self.yielded(*body, method),
            Type::ClassOf(class) => match &**class {
                // The members of an enumeration.
                class @ Type::Class(..) => vec![class.clone()],
                _ => Vec::new(),
            },
            Type::Variable(_)
            | Type::Callable(_)
            | Type::Exactly(_)
            | Type::Each(_)
            | Type::Text(_)
            | Type::Unknown => Vec::new(),
        }
    }

    /// What a generator yields, as its head says or else as its statements do.
    fn yielded(&self, body: BodyRef, method: &str) -> Vec<Type> {
        let returns = self.facts(body.file).body(body.body).returns;
        let written = returns
            .map(|returns| self.written_type(body.file, returns))
            .unwrap_or_default();
        let mut types: Vec<Type> = written
            .iter()
            .filter(|type_| !matches!(type_, Type::Class(..) | Type::Generator(_)))
            .flat_map(|type_| self.iterated(type_, method))
            .collect();
        if types.is_empty() {
            for value in self.files[body.file].yields(body.body) {
                let known = self.evaluate(body.file, *value);
                let more = known.iter().map(|known| type_of(&known.value));
                types.extend(more.filter(|type_| *type_ != Type::Unknown));
            }
            types.dedup();
        }
        types
    }

    fn step_type(&self, object: &Type, iterator: &Type, method: &str) -> Vec<Type> {
        let next = if method == "__aiter__" {
            "__anext__"
        } else {
            "__next__"
        };
        match iterator {
            Type::Class(..) => {
                let steps = self.result_types(iterator, next);
                if method == "__aiter__" {
                    steps.iter().flat_map(|it| self.awaited_type(it)).collect()
                } else {
                    steps
                }
            }
            Type::Generator(_) if iterator == object => Vec::new(),
            _ => self.iterated(iterator, method),
        }
    }

    /// What calling a method without arguments gives.
    fn result_types(&self, type_: &Type, method: &str) -> Vec<Type> {
        let methods = self.object_attribute(type_, method);
        let results = methods.iter().filter_map(|known| match known.value {
            Value::Body(body) => Some(self.deeper(|| self.body_result(body))),
            _ => None,
        });
        let results: Values = results.flatten().collect();
        let types = results.into_iter().filter_map(|known| match known.value {
            Value::Instance(type_) => Some(type_),
            _ => None,
        });
        types.collect()
    }

    /// Element `index` of a tuple.
    pub(super) fn element(&self, type_: &Type, index: u16) -> Vec<Type> {
        match type_ {
            Type::Tuple(elements) => elements
                .get(usize::from(index))
                .cloned()
                .into_iter()
                .collect(),
            _ => self.iterated(type_, "__iter__"),
        }
    }

    /// What awaiting a value gives.
    pub(super) fn awaited_type(&self, type_: &Type) -> Vec<Type> {
        match type_ {
            Type::Named(path, arguments) => self
                .used(path, arguments, |entry| entry.awaits.as_deref())
                .unwrap_or_default(),
            Type::Class(..) => {
                let steps = self.result_types(type_, "__await__");
                steps.into_iter().filter(|it| it == type_).collect()
            }
            _ => Vec::new(),
        }
    }

    // ---- attributes of types of the catalogue

    /// An attribute of a type that is not of the program, where the catalogue knows it.
    pub(super) fn known_attribute(&self, type_: &Type, name: &str) -> Values {
        let Type::Named(path, arguments) = type_ else {
            return Values::new();
        };
        let entry = self.catalog.type_entry(Language::Python, path);
        let values = self.attribute_of_path(type_, path, arguments, name);
        if entry.is_some_and(|entry| entry.protocol) {
            at_most(values, nostall_model::Confidence::Possible)
        } else {
            values
        }
    }

    fn attribute_of_path(
        &self,
        type_: &Type,
        path: &str,
        arguments: &[Type],
        name: &str,
    ) -> Values {
        let field = self.used(path, arguments, |entry| {
            entry.fields.get(name).map(String::as_str)
        });
        if let Some(types) = field {
            return instances(types);
        }
        let kept = self.kept_attribute(type_, name);
        if !kept.is_empty() {
            return kept;
        }
        let owners = self.lineage(path);
        let paths = || owners.iter().map(|owner| format!("{owner}.{name}"));
        let method = |path: String| Value::Method(type_.clone(), path.into());
        let known = super::value::Known::certain;
        if let Some(path) = paths().find(|path| self.found(path).is_some_and(|it| !it.wildcard)) {
            return vec![known(method(path))];
        }
        let unknown = owners.iter().find_map(|owner| {
            let path = format!("{owner}.__getattr__");
            let found = self.found(&path).filter(|found| !found.wildcard)?;
            Some((path, self.catalog.api(found.api)))
        });
        let unknown = unknown.filter(|_| !name.starts_with("__"));
        // What any attribute waits for, a method of it waits for, too.
        if let Some((path, _)) = unknown
            .as_ref()
            .filter(|(_, api)| api.effect == Effect::Blocks)
        {
            return vec![known(method(path.clone()))];
        }
        let unknown = unknown.and_then(|(_, api)| api.returns.as_deref());
        if let Some(returns) = unknown {
            let types = self.catalogue_type(returns, &self.receiver_arguments(type_));
            return at_most(instances(types), nostall_model::Confidence::Likely);
        }
        let below = paths().find(|path| {
            self.found(path).is_some() || self.catalog.speaks_of(Language::Python, path)
        });
        below.map(|path| known(method(path))).into_iter().collect()
    }

    /// The type of the value itself, where a type of the catalogue only says how its library came by it.
    pub(super) fn itself(&self, type_: &Type) -> Option<Type> {
        let Type::Named(path, arguments) = type_ else {
            return None;
        };
        let entry = self.catalog.type_entry(Language::Python, path)?;
        let deref = entry.deref.as_deref()?;
        match &self.catalogue_type(deref, &self.generic(entry, arguments))[..] {
            [itself] => Some(itself.clone()),
            _ => None,
        }
    }

    /// The type of an object that a library has made, where a path names one: `quart.g`.
    pub(super) fn made_by_library(&self, value: &Value) -> Option<Type> {
        let Value::Outside(path) = value else {
            return None;
        };
        let api = self.catalog.api(self.found(path)?.api);
        let returns = api.returns.as_deref().filter(|_| api.object)?;
        match &self.catalogue_type(returns, &Arguments::default())[..] {
            [made] => Some(made.clone()),
            _ => None,
        }
    }

    /// What an attribute of a class does when it is loaded from an object: the entry of its type's `__get__`.
    pub(super) fn descriptor(&self, value: &Value) -> Option<(Match, &Api)> {
        let Value::Instance(Type::Named(path, _)) = value else {
            return None;
        };
        let found = self.found(&format!("{path}.__get__"))?;
        (!found.wildcard).then(|| (found, self.catalog.api(found.api)))
    }

    fn found(&self, path: &str) -> Option<Match> {
        self.catalog.lookup(Language::Python, path)
    }

    /// A type's path as the catalogue writes it, and those of the types that it extends.
    pub(super) fn lineage(&self, type_path: &str) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        let mut open = vec![type_path.to_owned()];
        while let Some(path) = open.pop() {
            let entry = self.catalog.type_entry(Language::Python, &path);
            let path = entry.map_or(path, |entry| entry.path.to_string());
            if paths.len() >= MAX_TYPES || paths.contains(&path) {
                continue;
            }
            if let Some(entry) = entry {
                open.extend(entry.extends.iter().rev().map(ToString::to_string));
            }
            paths.push(path);
        }
        paths
    }
}

/// Says whether this names the type of an argument: `A0`.
fn is_argument(name: &str) -> bool {
    name.strip_prefix('A')
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|it| it.is_ascii_digit()))
}

/// Splits a text at a sign that stands outside of all brackets.
fn split_outside_brackets(text: &str, sign: char) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = text.split(move |character| {
        match character {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == sign && depth == 0
    });
    parts.collect()
}
