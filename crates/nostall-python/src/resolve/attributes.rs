//! Attributes: of modules, classes, instances, and of types that only the catalogue knows.

use std::rc::Rc;

use nostall_catalog::Match;
use nostall_model::facts::{ItemKind, Run};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::value::{ItemRef, Known, Type, Value, Values, add};

/// What a generator is, to those who call its methods.
const GENERATOR: &str = "collections.abc.Generator";

/// How many classes are looked through for an attribute.
const MAX_CLASSES: usize = 32;

impl Cx<'_> {
    /// What an attribute of a value may be.
    pub(super) fn attribute(&self, from: usize, of: &Known, name: &str) -> Values {
        let values = match &of.value {
            Value::Module(_) | Value::Namespace(_) => self.member(from, &of.value, name),
            Value::Outside(path) => vec![Known::certain(Value::Outside(
                format!("{path}.{name}").into(),
            ))],
            Value::Class(class) => self.class_attribute(*class, name),
            Value::Instance(type_) => self.instance_attribute(type_, name),
            Value::Body(_) | Value::Method(..) | Value::Parameter(..) => Values::new(),
        };
        values
            .into_iter()
            .map(|known| known.at_most(of.confidence))
            .collect()
    }

    fn instance_attribute(&self, type_: &Type, name: &str) -> Values {
        match type_ {
            Type::Class(class) => self.object_attribute(*class, name),
            Type::Named(path, _) => {
                let method = self.method_path(path, name);
                vec![Known::certain(Value::Method(type_.clone(), method))]
            }
            Type::Tuple(_) => self.instance_attribute(&Type::named("builtins.tuple"), name),
            Type::Generator(_) => self.instance_attribute(&Type::named(GENERATOR), name),
            Type::Unknown => Values::new(),
        }
    }

    // ---- classes of the program

    /// An attribute of an object: of its class, or what methods store in it.
    fn object_attribute(&self, class: ItemRef, name: &str) -> Values {
        let of_class = self.class_attribute(class, name);
        if !of_class.is_empty() {
            return of_class
                .into_iter()
                .flat_map(|known| self.loaded(known))
                .collect();
        }
        let mut values = Values::new();
        for (owner, _) in self.classes(class) {
            for stored in self.files[owner.file].stores(owner.item, name) {
                add(
                    &mut values,
                    self.evaluate(owner.file, *stored).iter().cloned(),
                );
            }
        }
        values.retain(|known| !matches!(known.value, Value::Parameter(..)));
        values
            .into_iter()
            .map(|known| known.at_most(Confidence::Likely))
            .collect()
    }

    /// What loading an attribute gives: a property's value instead of the property.
    fn loaded(&self, known: Known) -> Values {
        let Value::Body(body) = known.value else {
            return vec![known];
        };
        if self.is_property(body) {
            self.deeper(|| self.body_result(body))
        } else {
            vec![known]
        }
    }

    /// Finds an attribute in a class and those that it extends.
    pub(super) fn class_attribute(&self, class: ItemRef, name: &str) -> Values {
        let (mut values, mut outside) = (Values::new(), Values::new());
        for (owner, bases) in self.classes(class) {
            let file = &self.files[owner.file];
            let binding = file
                .facts
                .item(owner.item)
                .body
                .and_then(|body| file.binding(body, name));
            if let Some(binding) = binding {
                values = self.deeper(|| self.variable(owner.file, binding, Run::default()));
                break;
            }
            for base in bases {
                let path = self.method_path(&base, name);
                let value = Value::Method(Type::Named(base, Rc::default()), path);
                add(&mut outside, [Known::likely(value)]);
            }
        }
        // A class of another library has everything for all we know; one of ours has what is written.
        if values.is_empty() {
            outside.truncate(1);
        } else {
            outside.clear();
        }
        add(&mut values, outside);
        values
    }

    /// A class and those that it extends, nearest first, each with its bases from outside the program.
    fn classes(&self, class: ItemRef) -> Vec<(ItemRef, Vec<Rc<str>>)> {
        let mut found: Vec<(ItemRef, Vec<Rc<str>>)> = Vec::new();
        let mut open = vec![class];
        while let Some(next) = open.pop() {
            if found.len() >= MAX_CLASSES || found.iter().any(|(known, _)| *known == next) {
                continue;
            }
            let (inside, outside) = self.bases(next);
            open.extend(inside.into_iter().rev());
            found.push((next, outside));
        }
        found
    }

    fn bases(&self, class: ItemRef) -> (Vec<ItemRef>, Vec<Rc<str>>) {
        let facts = self.facts(class.file);
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        let ItemKind::Class { bases } = facts.item(class.item).kind else {
            return (inside, outside);
        };
        for base in facts.expr_list(bases) {
            for known in self.evaluate(class.file, *base).iter() {
                match &known.value {
                    Value::Class(base) => inside.push(*base),
                    Value::Outside(path) if **path != *"builtins.object" => {
                        outside.push(Rc::clone(path));
                    }
                    _ => {}
                }
            }
        }
        (inside, outside)
    }

    // ---- types of the catalogue

    /// The path by which the catalogue speaks of a method: its type's own, or that of one that it extends.
    pub(super) fn method_path(&self, type_path: &str, name: &str) -> Rc<str> {
        let owners = self.lineage(type_path);
        let paths = || owners.iter().map(|owner| format!("{owner}.{name}"));
        let explicit = paths().find(|path| self.found(path).is_some_and(|found| !found.wildcard));
        let any = || paths().find(|path| self.found(path).is_some());
        explicit
            .or_else(any)
            .unwrap_or_else(|| format!("{type_path}.{name}"))
            .into()
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
            if paths.len() >= MAX_CLASSES || paths.contains(&path) {
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
