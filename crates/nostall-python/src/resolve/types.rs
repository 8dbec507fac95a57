//! Types: as written in the program, as the catalogue writes them, and what they give when used.

use std::rc::Rc;

use nostall_catalog::TypeEntry;
use nostall_model::Language;
use nostall_model::facts::{TypeExprId, TypeExprKind};

use super::Cx;
use super::value::{Type, Value, Values};

/// Wrappers that say something about a variable and nothing about its type: `Annotated[X, ..]` is an `X`.
const TRANSPARENT: [&str; 8] = [
    "Annotated",
    "ClassVar",
    "Final",
    "InitVar",
    "NotRequired",
    "ReadOnly",
    "Required",
    "Mapped",
];

/// Types written for the parameters of a generic one.
pub(super) struct Arguments<'t> {
    names: Vec<String>,
    types: &'t [Type],
}

impl Arguments<'_> {
    pub(super) fn none() -> Self {
        Self {
            names: Vec::new(),
            types: &[],
        }
    }

    fn get(&self, name: &str) -> Option<Type> {
        let index = self.names.iter().position(|known| known == name)?;
        Some(self.types.get(index).cloned().unwrap_or(Type::Unknown))
    }
}

impl Cx<'_> {
    /// The types that an annotation allows; `None` is not among them.
    pub(super) fn written_type(&self, file: usize, id: TypeExprId) -> Vec<Type> {
        let facts = self.facts(file);
        match facts.type_expr(id).kind {
            TypeExprKind::Path(path) => self.types_named(&self.path(file, path), &[]),
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
                self.types_named(&self.path(file, path), &arguments)
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

    fn types_named(&self, values: &[super::value::Known], arguments: &[Type]) -> Vec<Type> {
        let type_of = |value: &Value| match value {
            Value::Class(class) => Some(Type::Class(*class)),
            Value::Outside(path) => Some(self.outside_type(path, arguments)),
            _ => None,
        };
        values
            .iter()
            .filter_map(|known| type_of(&known.value))
            .collect()
    }

    fn outside_type(&self, path: &Rc<str>, arguments: &[Type]) -> Type {
        match &**path {
            "builtins.tuple" | "typing.Tuple" => return Type::Tuple(arguments.into()),
            // These say nothing.
            "builtins.object" | "typing.Any" => return Type::Unknown,
            _ => {}
        }
        let entry = self.catalog.type_entry(Language::Python, path);
        let path = entry.map_or_else(|| Rc::clone(path), |entry| Rc::from(&*entry.path));
        Type::Named(path, arguments.into())
    }

    // ---- as the catalogue writes them

    /// Reads a type of the catalogue: `a.B[C, D] | None`.
    pub(super) fn catalogue_type(&self, text: &str, arguments: &Arguments<'_>) -> Vec<Type> {
        split_outside_brackets(text, '|')
            .into_iter()
            .filter_map(|member| self.one_of_catalogue(member, arguments))
            .collect()
    }

    fn one_of_catalogue(&self, text: &str, arguments: &Arguments<'_>) -> Option<Type> {
        let text = text.trim();
        if text.is_empty() || text == "None" {
            return None;
        }
        if let Some(type_) = arguments.get(text) {
            return Some(type_);
        }
        let (name, inner) = match text.split_once('[') {
            Some((name, rest)) => (
                name.trim(),
                split_outside_brackets(rest.trim_end().strip_suffix(']')?, ','),
            ),
            None => (text, Vec::new()),
        };
        let inner: Vec<Type> = inner
            .into_iter()
            .map(|part| {
                self.one_of_catalogue(part, arguments)
                    .unwrap_or(Type::Unknown)
            })
            .collect();
        let path = if name.contains('.') {
            name.to_owned()
        } else {
            format!("builtins.{name}")
        };
        Some(self.outside_type(&path.into(), &inner))
    }

    fn generic<'t>(&self, entry: &TypeEntry, arguments: &'t [Type]) -> Arguments<'t> {
        Arguments {
            names: entry.params.iter().map(ToString::to_string).collect(),
            types: arguments,
        }
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
            Type::Class(_) => {
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
            Type::Class(_) => {
                let iterators = self.result_types(type_, method);
                iterators
                    .iter()
                    .flat_map(|iterator| self.step_type(iterator, method))
                    .collect()
            }
            Type::Generator(body) => {
                let returns = self.facts(body.file).body(body.body).returns;
                let types = returns
                    .map(|returns| self.written_type(body.file, returns))
                    .unwrap_or_default();
                types
                    .iter()
                    .flat_map(|type_| self.step_type(type_, method))
                    .collect()
            }
            Type::Unknown => Vec::new(),
        }
    }

    fn step_type(&self, iterator: &Type, method: &str) -> Vec<Type> {
        match iterator {
            // An object that is its own iterator says nothing here.
            Type::Class(_) | Type::Generator(_) => Vec::new(),
            _ => self.iterated(iterator, method),
        }
    }

    /// What calling a method without arguments gives.
    fn result_types(&self, type_: &Type, method: &str) -> Vec<Type> {
        let Type::Class(class) = type_ else {
            return Vec::new();
        };
        let methods = self.class_attribute(*class, method);
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
        let Type::Named(path, arguments) = type_ else {
            return Vec::new();
        };
        self.used(path, arguments, |entry| entry.awaits.as_deref())
            .unwrap_or_default()
    }

    /// What a method of the catalogue returns.
    pub(super) fn method_result(&self, owner: &Type, path: &str) -> Values {
        let Some(found) = self.catalog.lookup(Language::Python, path) else {
            return Values::new();
        };
        let Some(returns) = &self.catalog.api(found.api).returns else {
            return Values::new();
        };
        let Type::Named(type_path, arguments) = owner else {
            return Values::new();
        };
        let entry = self.catalog.type_entry(Language::Python, type_path);
        let arguments = entry.map_or_else(Arguments::none, |entry| self.generic(entry, arguments));
        super::value::instances(self.catalogue_type(returns, &arguments))
    }
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
