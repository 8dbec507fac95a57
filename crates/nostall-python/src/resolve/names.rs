//! Names: what a variable, an import or a dotted path stands for.

use std::rc::Rc;

use nostall_model::facts::{
    BindingId, BodyId, BodyKind, Condition, ConditionId, Definition, DefinitionId, DefinitionKind,
    ExprId, ExprKind, FileFacts, Import, ImportId, ImportKind, ItemId, ItemKind, Literal,
    ParameterKind, PathId, Run, ScopeId, ScopeKind,
};
use nostall_model::{Confidence, Language};

use super::builtins::is_builtin;
use super::file::Container;
use super::value::{
    BodyRef, ItemRef, Known, Type, Value, Values, add, alternatives, at_most, instances,
};
use super::{Cx, MAX_STEPS};

impl Cx<'_> {
    // ---- variables

    /// What a use of a variable may be. Without known definitions it is any of them.
    pub(super) fn variable(&self, file: usize, binding: BindingId, reaching: Run) -> Values {
        let facts = self.facts(file);
        let reaching = &facts.definition_lists[reaching.range()];
        let definitions = if reaching.is_empty() {
            self.files[file].definitions(binding)
        } else {
            reaching
        };
        let mut values = self.definitions(file, definitions);
        let says = |id: &DefinitionId| {
            let definition = &facts.definitions[id.index()];
            definition.type_.is_some() || matches!(definition.kind, DefinitionKind::Narrowed { .. })
        };
        if values.is_empty() && !definitions.iter().any(says) {
            values = self.declared(file, binding);
        }
        self.filled(file, Container::Variable(binding), values)
    }

    fn definitions(&self, file: usize, definitions: &[DefinitionId]) -> Values {
        let facts = self.facts(file);
        let all: Vec<&Definition> = definitions
            .iter()
            .map(|id| &facts.definitions[id.index()])
            .collect();
        let runs = |definition: &&Definition| !self.only_for_checkers(file, definition.condition);
        // Where nothing else defines a name, what type checkers see is what it is.
        let any_runs = all.iter().any(&runs);
        let mut values = Values::new();
        for definition in all
            .into_iter()
            .filter(|definition| !any_runs || runs(definition))
        {
            add(&mut values, self.definition(file, definition));
        }
        alternatives(values)
    }

    /// What is written of a variable's type somewhere holds for all values that it gets, whatever else is known of them.
    fn declared(&self, file: usize, binding: BindingId) -> Values {
        let facts = self.facts(file);
        let definitions = self.files[file].definitions(binding).iter();
        let mut written = definitions.filter_map(|id| facts.definitions[id.index()].type_);
        let types = written.find_map(|type_| {
            let types = self.written_type(file, type_);
            types
                .iter()
                .any(|it| self.says_something(it))
                .then_some(types)
        });
        at_most(types.map(instances).unwrap_or_default(), Confidence::Likely)
    }

    fn definition(&self, file: usize, definition: &Definition) -> Values {
        if let Some(type_) = definition.type_ {
            let types = self.written_type(file, type_);
            if types.iter().any(is_alias_mark) {
                return self.defined(file, definition);
            }
            if types.iter().any(|type_| self.says_something(type_)) {
                return self.typed(file, definition, types);
            }
            let mut values = self.defined(file, definition);
            if values.iter().all(Known::is_parameter) {
                add(&mut values, instances(types));
            }
            return values;
        }
        self.defined(file, definition)
    }

    /// A value of a written type. Of a callable the type only says what it gives: a parameter stays the one that was given.
    fn typed(&self, file: usize, definition: &Definition, types: Vec<Type>) -> Values {
        if types.iter().all(|type_| matches!(type_, Type::Callable(_)))
            && matches!(definition.kind, DefinitionKind::Parameter(_))
        {
            return self.defined(file, definition);
        }
        instances(types)
    }

    /// What a definition gives, whatever type is written beside it.
    fn defined(&self, file: usize, definition: &Definition) -> Values {
        match definition.kind {
            DefinitionKind::Parameter(index) => self.parameter(file, definition.binding, index),
            DefinitionKind::Value(value) => self.evaluate(file, value).to_vec(),
            DefinitionKind::Import(import) => self.import(file, import),
            DefinitionKind::Item(item) => self.item(ItemRef { file, item }),
            DefinitionKind::Narrowed { value, by } => self.narrowed(file, value, by),
            DefinitionKind::Caught(Some(types)) => self.instances_of(&self.evaluate(file, types)),
            DefinitionKind::Augmented(_)
            | DefinitionKind::Caught(None)
            | DefinitionKind::Declared
            | DefinitionKind::Deleted => Values::new(),
        }
    }

    fn parameter(&self, file: usize, binding: BindingId, index: u16) -> Values {
        let facts = self.facts(file);
        let body = facts.bindings[binding.index()].body;
        let parameters = facts.body_parameters(body);
        let Some(parameter) = parameters.get(usize::from(index)) else {
            return Values::new();
        };
        match parameter.kind {
            ParameterKind::Receiver => self.receiver(file, body, binding),
            ParameterKind::Rest | ParameterKind::RestKeywords => Values::new(),
            _ => vec![Known::certain(Value::Parameter(
                BodyRef { file, body },
                index,
            ))],
        }
    }

    fn receiver(&self, file: usize, body: BodyId, binding: BindingId) -> Values {
        let Some(item) = self.files[file].class_of_receiver(binding) else {
            return Values::new();
        };
        let class = ItemRef { file, item };
        let method = self.facts(file).body(body).item;
        let of_class =
            method.is_some_and(|method| self.is_class_method(ItemRef { file, item: method }));
        if of_class || self.is_metaclass(class) {
            return vec![Known::certain(Value::Class(class))];
        }
        vec![Known::certain(Value::Instance(self.own_type(class)))]
    }

    // ---- items

    fn item(&self, item: ItemRef) -> Values {
        let facts = self.facts(item.file);
        let record = facts.item(item.item);
        match (record.kind, record.body) {
            (ItemKind::Class { .. }, _) => vec![Known::certain(Value::Class(item))],
            (ItemKind::Function, Some(body)) => self.function(
                item,
                BodyRef {
                    file: item.file,
                    body,
                },
            ),
            // `type X = Y` is another name of it.
            (
                ItemKind::TypeAlias {
                    target: Some(target),
                },
                _,
            ) => super::types::types_as_values(&self.written_type(item.file, target)),
            _ => Values::new(),
        }
    }

    // ---- imports

    /// What an import binds.
    fn import(&self, file: usize, id: ImportId) -> Values {
        let facts = self.facts(file);
        let Some(from) = self.imported_from(file, id) else {
            return Values::new();
        };
        match import_steps(facts, &facts.imports[id.index()]).last() {
            Some(last) => self.member(file, &from, last),
            None => vec![Known::certain(from)],
        }
    }

    /// The module that has what an import binds; where it binds the module that its path starts from, that one.
    pub(super) fn imported_from(&self, file: usize, id: ImportId) -> Option<Value> {
        let facts = self.facts(file);
        let import = &facts.imports[id.index()];
        let steps = import_steps(facts, import);
        let inner = steps.split_last().map_or(&[][..], |(_, inner)| inner);
        let root = self.import_root(file, import)?;
        inner
            .iter()
            .try_fold(root, |module, name| self.submodule(file, &module, name))
    }

    /// The module that an import's path starts from.
    fn import_root(&self, file: usize, import: &Import) -> Option<Value> {
        let facts = self.facts(file);
        if import.level > 0 {
            let package = self.modules.package(file, import.level)?;
            return if package.is_empty() {
                Some(Value::Namespace(Rc::from("")))
            } else {
                self.modules.find(file, &package)
            };
        }
        let first = facts.path_segments(import.path).first()?;
        let first = facts.text(first.name);
        Some(
            self.modules
                .find(file, first)
                .unwrap_or_else(|| Value::Outside(first.into())),
        )
    }

    /// A module in a package. A package without a file of its own may go on in an installed library.
    fn submodule(&self, from: usize, package: &Value, name: &str) -> Option<Value> {
        let path = match package {
            Value::Module(file) => self.modules.name(*file).to_owned(),
            Value::Namespace(package) => package.to_string(),
            Value::Outside(path) => return Some(Value::Outside(format!("{path}.{name}").into())),
            _ => return None,
        };
        let full = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let found = self.modules.find(from, &full);
        match package {
            Value::Namespace(of) if !of.is_empty() => {
                found.or_else(|| Some(Value::Outside(full.into())))
            }
            _ => found,
        }
    }

    /// A name of a module, or a module in it.
    pub(super) fn member(&self, from: usize, module: &Value, name: &str) -> Values {
        if let Value::Module(file) = module {
            let values = self.module_name(*file, name);
            if !values.is_empty() {
                return values;
            }
        }
        self.submodule(from, module, name)
            .map(Known::certain)
            .into_iter()
            .collect()
    }

    /// A name at the level of a module. Imports may go in circles.
    pub(super) fn module_name(&self, file: usize, name: &str) -> Values {
        let Some(binding) = self.files[file].binding(BodyId(0), name) else {
            return self.star_imported(file, name);
        };
        self.known
            .module_names
            .ask(&self.depth, MAX_STEPS, (file, binding), Values::new, || {
                self.variable(file, binding, Run::default())
            })
    }

    /// A name that may come from `from x import *`.
    fn star_imported(&self, file: usize, name: &str) -> Values {
        if self.files[file].globs.is_empty() {
            return Values::new();
        }
        let key = (file, self.symbol(name));
        self.known
            .star_names
            .ask(&self.depth, MAX_STEPS, key, Values::new, || {
                self.find_starred(file, name)
            })
    }

    fn find_starred(&self, file: usize, name: &str) -> Values {
        let mut values = Values::new();
        for glob in &self.files[file].globs {
            for module in self.glob_module(file, *glob) {
                match &module.value {
                    Value::Module(of) if *of != file && self.exports(*of, name) => {
                        add(&mut values, self.module_name(*of, name));
                    }
                    Value::Outside(path) => {
                        let value = Value::Outside(format!("{path}.{name}").into());
                        add(&mut values, [Known::new(value, Confidence::Possible)]);
                    }
                    _ => {}
                }
            }
        }
        values
    }

    /// Says whether a star brings a name of a module: what `__all__` lists, or else all that does not begin with `_`.
    fn exports(&self, file: usize, name: &str) -> bool {
        match self.exported_names(file) {
            Some(names) => names.contains(&name),
            None => !name.starts_with('_'),
        }
    }

    /// The texts in the list that is `__all__`; none where it is made in another way.
    fn exported_names(&self, file: usize) -> Option<Vec<&str>> {
        let facts = self.facts(file);
        let binding = self.files[file].binding(BodyId(0), "__all__")?;
        let [only] = self.files[file].definitions(binding) else {
            return None;
        };
        let DefinitionKind::Value(value) = facts.definitions[only.index()].kind else {
            return None;
        };
        let ExprKind::Collection { elements, .. } = facts.expr(value).kind else {
            return None;
        };
        let text = |id: &ExprId| match facts.expr(*id).kind {
            ExprKind::Literal(Literal::Str(text)) => Some(facts.text(text)),
            _ => None,
        };
        facts.expr_list(elements).iter().map(text).collect()
    }

    fn glob_module(&self, file: usize, id: ImportId) -> Values {
        let import = &self.facts(file).imports[id.index()];
        let facts = self.facts(file);
        let Some(mut value) = self.import_root(file, import) else {
            return Values::new();
        };
        let skip = usize::from(import.level == 0);
        for segment in facts.path_segments(import.path).iter().skip(skip) {
            let Some(next) = self.submodule(file, &value, facts.text(segment.name)) else {
                return Values::new();
            };
            value = next;
        }
        vec![Known::certain(value)]
    }

    // ---- paths

    /// What a path as written means: a name that no variable binds, a type, a pattern's class.
    pub(super) fn path(&self, file: usize, path: PathId) -> Values {
        let facts = self.facts(file);
        let names: Vec<&str> = facts
            .path_segments(path)
            .iter()
            .map(|segment| facts.text(segment.name))
            .collect();
        let Some((first, rest)) = names.split_first() else {
            return Values::new();
        };
        let mut values = self.scoped_name(file, facts.path(path).scope, first);
        for name in rest {
            values = values
                .iter()
                .flat_map(|known| self.attribute(file, known, name))
                .collect();
        }
        values
    }

    /// Looks a name up from a scope outwards; classes are skipped, but for the innermost.
    fn scoped_name(&self, file: usize, scope: ScopeId, name: &str) -> Values {
        let facts = self.facts(file);
        let record = &facts.scopes[scope.index()];
        let scope = match (record.kind, record.parent) {
            (ScopeKind::Head(_), Some(around)) => around,
            _ => scope,
        };
        let mut next = Some(scope);
        while let Some(id) = next {
            next = facts.scopes[id.index()].parent;
            let Some(body) = self.files[file].body_of_scope(id) else {
                continue;
            };
            let visible = id == scope || facts.body(body).kind != BodyKind::Class;
            if let Some(binding) = self.files[file].binding(body, name).filter(|_| visible) {
                return if body == BodyId(0) {
                    self.module_name(file, name)
                } else {
                    self.deeper(|| self.variable(file, binding, Run::default()))
                };
            }
        }
        self.unbound_name(file, name)
    }

    /// A name that no variable of the file binds.
    pub(super) fn unbound_name(&self, file: usize, name: &str) -> Values {
        let mut values = Values::new();
        if is_builtin(name) {
            values.push(Known::certain(Value::Outside(
                format!("builtins.{name}").into(),
            )));
        }
        for known in self.star_imported(file, name) {
            // Of an external module it is not known whether it has the name; the catalogue may know.
            let known_outside = match &known.value {
                Value::Outside(path) => self.is_known_path(path),
                _ => true,
            };
            if known_outside || values.is_empty() {
                add(&mut values, [known]);
            }
        }
        values
    }

    fn is_known_path(&self, path: &str) -> bool {
        let found = self.catalog.lookup(Language::Python, path);
        found.is_some_and(|found| !found.wildcard)
            || self.catalog.type_entry(Language::Python, path).is_some()
    }

    // ---- conditions

    /// Says whether a condition holds for type checkers only.
    pub(super) fn only_for_checkers(&self, file: usize, condition: Option<ConditionId>) -> bool {
        let Some(condition) = condition else {
            return false;
        };
        let facts = self.facts(file);
        match facts.conditions[condition.index()] {
            Condition::TypeChecking => true,
            Condition::All(run) => facts.condition_lists[run.range()]
                .iter()
                .any(|id| self.only_for_checkers(file, Some(*id))),
            _ => false,
        }
    }

    /// Says whether an item, or one that it stands in, is for type checkers only.
    pub(super) fn item_is_absent(&self, file: usize, item: ItemId) -> bool {
        self.only_for_checkers(file, self.facts(file).item(item).condition)
    }
}

/// `X: TypeAlias = Y` says of `X` that it is what it is given.
fn is_alias_mark(type_: &Type) -> bool {
    matches!(type_, Type::Named(path, _) if ["typing.TypeAlias", "typing_extensions.TypeAlias"].contains(&&**path))
}

/// The names that lead from the module that an import's path starts from to what it binds.
fn import_steps<'f>(facts: &'f FileFacts, import: &Import) -> Vec<&'f str> {
    let names = facts
        .path_segments(import.path)
        .iter()
        .map(|segment| facts.text(segment.name));
    match (import.kind, import.level) {
        (ImportKind::Root(_), _) => Vec::new(),
        (_, 0) => names.skip(1).collect(),
        _ => names.collect(),
    }
}
