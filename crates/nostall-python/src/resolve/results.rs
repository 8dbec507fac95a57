//! What calls give.

use std::rc::Rc;

use nostall_catalog::{Api, Effect};
use nostall_model::facts::{CallId, CallKind, Callee, ExprId, ExprKind, Flavour, Literal};
use nostall_model::{Confidence, Language};

use super::catalogue::Arguments;
use super::classes::substitute;
use super::evaluate::builtin;
use super::value::{
    BodyRef, ItemRef, Known, Type, Value, Values, add, at_most, instances, one_type, type_of,
};
use super::{Cx, MAX_STEPS};

/// What an async function's call gives.
const AWAITABLE: &str = "collections.abc.Awaitable";

/// How many arguments the catalogue may speak of.
const MAX_ARGUMENTS: usize = 6;

impl Cx<'_> {
    pub(super) fn call_value(&self, file: usize, call: CallId) -> Values {
        let record = self.facts(file).call(call);
        if let Some(values) = self.by_the_language(file, call) {
            return values;
        }
        let mut values = Values::new();
        for known in self.callee(file, record.callee) {
            let result = self.result(file, call, &known.value);
            add(&mut values, at_most(result, known.confidence));
        }
        values
    }

    /// Calls that only the language itself can make: `super()`, `getattr(x, "y")`, `type(x)`, `Generic[T]`.
    fn by_the_language(&self, file: usize, call: CallId) -> Option<Values> {
        let facts = self.facts(file);
        let record = facts.call(call);
        match (record.kind, record.callee) {
            (CallKind::Index, Callee::Method { receiver, .. }) => {
                let receivers = self.evaluate(file, receiver);
                let is_class = |known: &Known| self.is_class(&known.value);
                if !receivers.is_empty() && receivers.iter().all(is_class) {
                    return Some(receivers.to_vec());
                }
                self.typed_entry(file, call, &self.with_given(receivers.to_vec()))
            }
            (CallKind::Plain, Callee::Value(value)) => {
                if let Some(registered) = self.registered_by(file, call, value) {
                    return Some(registered);
                }
                let callee = self.evaluate(file, value);
                let [
                    Known {
                        value: Value::Outside(path),
                        ..
                    },
                ] = &callee[..]
                else {
                    return None;
                };
                match &**path {
                    "builtins.super" => {
                        let class = self.files[file].method_class(record.body)?;
                        let class = ItemRef { file, item: class };
                        Some(vec![Known::certain(Value::Super(class))])
                    }
                    "builtins.getattr" => self.attribute_by_name(file, call),
                    "builtins.type" => self.class_of_argument(file, call),
                    "typing.cast" => self.cast(file, call),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `getattr(x, "y")`; of a name that is not known, what a wildcard says of all names.
    fn attribute_by_name(&self, file: usize, call: CallId) -> Option<Values> {
        let arguments = self.facts(file).call_arguments(call);
        let (object, name) = (arguments.first()?, arguments.get(1)?);
        let objects = self.evaluate(file, object.value);
        let name = self.text_of(file, name.value).unwrap_or("?");
        let mut values = Values::new();
        for known in objects.iter() {
            add(&mut values, self.attribute(file, known, name));
        }
        if name == "?" {
            values.retain(|known| match &known.value {
                Value::Method(_, path) => self.catalog.lookup(Language::Python, path).is_some(),
                _ => false,
            });
            values = at_most(values, Confidence::Likely);
        }
        Some(values)
    }

    fn class_of_argument(&self, file: usize, call: CallId) -> Option<Values> {
        let [only] = self.facts(file).call_arguments(call) else {
            return None;
        };
        let types: Vec<Type> = self
            .evaluate(file, only.value)
            .iter()
            .map(|known| type_of(&known.value))
            .collect();
        Some(self.classes_of(&types))
    }

    /// `cast(X, value)`: an `X`, or what is known of the value where nothing is known of `X`.
    fn cast(&self, file: usize, call: CallId) -> Option<Values> {
        let [type_, value] = self.facts(file).call_arguments(call) else {
            return None;
        };
        let type_ = self.type_meant(file, type_.value);
        if self.says_something(&type_) {
            return Some(instances(vec![type_]));
        }
        Some(self.evaluate(file, value.value).to_vec())
    }

    /// `row["name"]` of a class with typed keys.
    fn typed_entry(&self, file: usize, call: CallId, receivers: &[Known]) -> Option<Values> {
        let facts = self.facts(file);
        let key = facts.call_arguments(call).first()?;
        let kept = self.kept_item(file, &type_of(&receivers.first()?.value), key.value);
        if !kept.is_empty() {
            return Some(kept);
        }
        match (&receivers.first()?.value, facts.expr(key.value).kind) {
            (
                Value::Instance(type_ @ Type::Class(class, _)),
                ExprKind::Literal(Literal::Str(name)),
            ) if self
                .extends_outside(*class, &["typing.TypedDict", "typing_extensions.TypedDict"]) =>
            {
                Some(self.object_attribute(type_, facts.text(name)))
            }
            (Value::Instance(Type::Tuple(types)), ExprKind::Literal(Literal::Int(index))) => {
                let index = usize::try_from(index).ok()?;
                Some(instances(types.get(index).cloned().into_iter().collect()))
            }
            _ => None,
        }
    }

    // ---- by what is called

    /// What calling a value gives.
    fn result(&self, file: usize, call: CallId, callee: &Value) -> Values {
        match callee {
            Value::Body(body) => self.result_of_call(file, call, *body),
            Value::Moved(body, _) => {
                let inner = one_type(&self.returned(*body));
                awaitable(inner)
            }
            Value::Class(class) => self.constructed(file, call, *class),
            Value::Outside(path) => self.outside_result(file, call, path),
            Value::Method(owner, path) => self.method_result(file, call, owner, path),
            Value::Instance(Type::Callable(made) | Type::ClassOf(made)) => {
                instances(vec![(**made).clone()])
            }
            Value::Instance(type_) => {
                let known = Known::certain(Value::Instance(type_.clone()));
                let methods = self.deeper(|| self.attribute(file, &known, "__call__"));
                methods
                    .iter()
                    .filter(|method| !matches!(method.value, Value::Instance(_)))
                    .flat_map(|method| self.deeper(|| self.result(file, call, &method.value)))
                    .collect()
            }
            Value::Parameter(body, index) => {
                let written = self.written_result(*body, *index);
                if !written.is_empty() {
                    return written;
                }
                let given = self.given(*body, *index);
                given
                    .iter()
                    .flat_map(|known| {
                        let result = self.deeper(|| self.result(file, call, &known.value));
                        at_most(result, known.confidence)
                    })
                    .collect()
            }
            Value::Module(_) | Value::Namespace(_) | Value::Super(_) => Values::new(),
        }
    }

    /// What calling a parameter gives by its written type: `Callable[[], X]`.
    fn written_result(&self, body: BodyRef, index: u16) -> Values {
        let types = self.written_callable(body, index).into_iter();
        let results = types.filter_map(|type_| match type_ {
            Type::Callable(result) => Some((*result).clone()),
            _ => None,
        });
        instances(results.collect())
    }

    /// The written type of a parameter, where it is a callable's.
    pub(super) fn written_callable(&self, body: BodyRef, index: u16) -> Vec<Type> {
        let parameters = self.facts(body.file).body_parameters(body.body);
        let written = parameters
            .get(usize::from(index))
            .and_then(|parameter| parameter.type_);
        let mut types = written.map_or_else(Vec::new, |it| self.written_type(body.file, it));
        types.retain(|type_| matches!(type_, Type::Callable(_)));
        types
    }

    /// A new object; what its type parameters stand for is told by what the constructor is given.
    fn constructed(&self, file: usize, call: CallId, class: ItemRef) -> Values {
        let names = self.class_variables(class);
        if names.is_empty() {
            return vec![Known::certain(Value::Instance(Type::class(class)))];
        }
        let mut written = Vec::new();
        if let Callee::Value(value) = self.facts(file).call(call).callee {
            written = self.subscript_types(file, value);
        }
        if written.is_empty() {
            let inits = self.class_attribute(class, "__init__");
            let found = inits.iter().find_map(|known| match known.value {
                Value::Body(init) => Some(self.instantiated(file, call, init)),
                _ => None,
            });
            let own = Type::Class(class, names.into_iter().map(Type::Variable).collect());
            let type_ = own.with(&found.unwrap_or_default());
            return vec![Known::certain(Value::Instance(type_))];
        }
        let type_ = Type::Class(class, written.into());
        vec![Known::certain(Value::Instance(type_))]
    }

    /// What calling a body gives, whoever calls it.
    pub(super) fn body_result(&self, body: BodyRef) -> Values {
        let record = self.facts(body.file).body(body.body);
        match record.flavour {
            Flavour::Generator | Flavour::AsyncGenerator => {
                vec![Known::certain(Value::Instance(Type::Generator(body)))]
            }
            Flavour::Sync => self.returned(body),
            Flavour::Async => awaitable(one_type(&self.returned(body))),
        }
    }

    /// What this call of a body gives: what it returns of what it is given, too.
    fn result_of_call(&self, file: usize, call: CallId, body: BodyRef) -> Values {
        let flavour = self.facts(body.file).body(body.body).flavour;
        if !matches!(flavour, Flavour::Sync | Flavour::Async) {
            return self.body_result(body);
        }
        let mut values = Values::new();
        for known in self.all_returned(body) {
            match &known.value {
                Value::Parameter(owner, index) if *owner == body => {
                    if let Some(given) = self.argument_of(file, call, body, usize::from(*index)) {
                        let given = self.evaluate(file, given).to_vec();
                        add(&mut values, at_most(given, known.confidence));
                    }
                }
                Value::Parameter(..) => {}
                _ => add(&mut values, [known]),
            }
        }
        if values.iter().any(|known| type_of(&known.value).is_open()) {
            let mut given = self.instantiated(file, call, body);
            given.extend(self.receiver_parameters(file, call));
            values = substitute(values, &given);
        }
        let values = self.of_receiver(file, call, body, values);
        match flavour {
            Flavour::Async => awaitable(one_type(&values)),
            _ => values,
        }
    }

    /// What the type parameters of the receiver's class stand for.
    fn receiver_parameters(&self, file: usize, call: CallId) -> Vec<(Rc<str>, Type)> {
        let Callee::Method { receiver, .. } = self.facts(file).call(call).callee else {
            return Vec::new();
        };
        let receivers = self.evaluate(file, receiver);
        let Type::Class(class, arguments) = one_type(&receivers) else {
            return Vec::new();
        };
        let mut given = self.class_arguments(class, &arguments);
        for ancestor in self.order(class).iter() {
            if let super::classes::Ancestor::Inside(owner, types) = ancestor {
                let types: Vec<Type> = types.iter().map(|type_| type_.with(&given)).collect();
                let more = self.class_arguments(*owner, &types);
                given.extend(more);
            }
        }
        given
    }

    /// A method that gives its own object gives one of the class that it is called on.
    fn of_receiver(&self, file: usize, call: CallId, body: BodyRef, values: Values) -> Values {
        let Some(item) = self.files[body.file].class_around(body.body) else {
            return values;
        };
        let owner = ItemRef {
            file: body.file,
            item,
        };
        let Callee::Method { receiver, .. } = self.facts(file).call(call).callee else {
            return values;
        };
        let receivers = self.evaluate(file, receiver);
        let actual = match &receivers[..] {
            [
                Known {
                    value: Value::Class(class),
                    ..
                },
            ] => Type::class(*class),
            _ => one_type(&receivers),
        };
        let Type::Class(class, _) = &actual else {
            return values;
        };
        if *class == owner || !self.order(*class).iter().any(|it| it.is_class(owner)) {
            return values;
        }
        values
            .into_iter()
            .map(|known| match &known.value {
                Value::Instance(Type::Class(of, _)) if *of == owner => {
                    Known::new(Value::Instance(actual.clone()), known.confidence)
                }
                _ => known,
            })
            .collect()
    }

    /// What a body returns: as its head says, or else as its statements do.
    pub(super) fn returned(&self, body: BodyRef) -> Values {
        let mut values = self.all_returned(body);
        // What a parameter is differs from call to call.
        values.retain(|known| !known.is_parameter());
        values
    }

    /// The same with the parameters that it returns.
    pub(super) fn all_returned(&self, body: BodyRef) -> Values {
        self.known
            .returned
            .ask(&self.depth, MAX_STEPS, body, Values::new, || {
                self.find_returned(body)
            })
    }

    fn find_returned(&self, body: BodyRef) -> Values {
        let facts = self.facts(body.file);
        let record = facts.body(body.body);
        let mut written = Values::new();
        if let Some(returns) = record.returns {
            let types = self.written_type(body.file, returns);
            written = instances(types.clone());
            if types.iter().any(|type_| self.says_something(type_)) {
                return written;
            }
        }
        let mut values = Values::new();
        for value in self.files[body.file]
            .returns(body.body)
            .iter()
            .chain(&record.value)
        {
            add(
                &mut values,
                self.evaluate(body.file, *value).iter().cloned(),
            );
        }
        if values.is_empty() {
            return written;
        }
        at_most(values, Confidence::Likely)
    }

    // ---- of other libraries

    fn outside_result(&self, file: usize, call: CallId, path: &Rc<str>) -> Values {
        if let Some(found) = self.catalog.lookup(Language::Python, path) {
            let api = self.catalog.api(found.api);
            if let Some(provides) = &api.provides {
                let callable = self.written_argument(file, call, provides);
                return callable.map_or_else(Values::new, |it| self.provided(file, it));
            }
            if let Some(returns) = self.returned_here(file, call, api) {
                let arguments = self.with_argument_types(file, call, returns, Arguments::default());
                return instances(self.catalogue_type(returns, &arguments));
            }
            if !found.wildcard && api.effect == Effect::Constructs {
                return self.wrapped_callable(file, call, api);
            }
        }
        if let Some(entry) = self.catalog.type_entry(Language::Python, path) {
            let arguments = vec![Type::Unknown; entry.params.len()];
            let type_ = Type::Named(Rc::from(&*entry.path), arguments.into());
            return vec![Known::certain(Value::Instance(type_))];
        }
        // Of what the catalogue does not speak of, a class is told by how it is spelt.
        let name = path.rsplit('.').next().unwrap_or_default();
        if name.starts_with(char::is_uppercase) {
            return vec![Known::likely(Value::Instance(Type::Named(
                Rc::clone(path),
                Rc::default(),
            )))];
        }
        Values::new()
    }

    /// What a framework hands over that is given a callable: what it returns, what awaiting that gives, or what it yields.
    fn provided(&self, file: usize, callable: ExprId) -> Values {
        let mut values = Values::new();
        for known in self.with_given(self.evaluate(file, callable).to_vec()) {
            for result in self.called_without_arguments(file, &known.value) {
                let handed = match &result.value {
                    Value::Instance(made @ Type::Generator(_)) => {
                        instances(self.iterated(made, "__iter__"))
                    }
                    Value::Instance(made @ Type::Named(path, _)) if **path == *AWAITABLE => {
                        instances(self.awaited_type(made))
                    }
                    _ => vec![result.clone()],
                };
                add(&mut values, at_most(handed, known.confidence));
            }
        }
        at_most(values, Confidence::Likely)
    }

    /// What calling a value gives, its arguments not known.
    fn called_without_arguments(&self, file: usize, callable: &Value) -> Values {
        match callable {
            Value::Body(body) => self.deeper(|| self.body_result(*body)),
            Value::Class(class) => vec![Known::certain(Value::Instance(Type::class(*class)))],
            Value::Outside(path) => self.result_without_call(path, &Type::Unknown),
            Value::Method(owner, path) => self.result_without_call(path, owner),
            Value::Instance(Type::Callable(made) | Type::ClassOf(made)) => {
                instances(vec![(**made).clone()])
            }
            Value::Instance(Type::Class(..)) => {
                let known = Known::certain(callable.clone());
                let methods = self.attribute(file, &known, "__call__");
                let bodies = methods.iter().filter_map(|method| match method.value {
                    Value::Body(body) => Some(self.deeper(|| self.body_result(body))),
                    _ => None,
                });
                bodies.flatten().collect()
            }
            _ => Values::new(),
        }
    }

    /// What a method of the catalogue returns.
    fn method_result(&self, file: usize, call: CallId, owner: &Type, path: &str) -> Values {
        let Some(found) = self.catalog.lookup(Language::Python, path) else {
            return self.copied(owner, path);
        };
        let Some(returns) = self.returned_here(file, call, self.catalog.api(found.api)) else {
            return Values::new();
        };
        let mut arguments = self.receiver_arguments(owner);
        if let Some(class) = self.class_called_on(file, call) {
            arguments.put("Self", class);
        }
        let arguments = self.with_argument_types(file, call, returns, arguments);
        instances(self.catalogue_type(returns, &arguments))
    }

    /// The class of the program that a method of a library's is called on, or on an object of it.
    fn class_called_on(&self, file: usize, call: CallId) -> Option<Type> {
        let Callee::Method { receiver, .. } = self.facts(file).call(call).callee else {
            return None;
        };
        match &self.evaluate(file, receiver)[..] {
            [known] => match &known.value {
                Value::Class(class) => Some(Type::class(*class)),
                Value::Instance(type_ @ Type::Class(..)) => Some(type_.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The words for what an api returns, the types of its arguments looked at.
    fn returned_here<'a>(&self, file: usize, call: CallId, api: &'a Api) -> Option<&'a str> {
        let mut conditions = api.when.iter().filter(|when| when.returns.is_some());
        let special = conditions.find(|when| self.type_holds(file, call, when));
        let returns = special.and_then(|when| when.returns.as_ref());
        returns.or(api.returns.as_ref()).map(|returns| &**returns)
    }

    /// The language's own operations that give an object of the same type.
    fn copied(&self, owner: &Type, path: &str) -> Values {
        match path.rsplit('.').next() {
            Some("__copy__" | "__deepcopy__") => {
                vec![Known::likely(Value::Instance(owner.clone()))]
            }
            Some("__str__" | "__repr__" | "__format__") => vec![builtin("str")],
            _ => Values::new(),
        }
    }

    /// Adds what `A0`, `A1`, … mean, as far as a result speaks of them.
    fn with_argument_types(
        &self,
        file: usize,
        call: CallId,
        returns: &str,
        mut arguments: Arguments,
    ) -> Arguments {
        let given = self.facts(file).call_arguments(call);
        if returns.contains("A0.Text")
            && let Some(text) = self.text_given(file, given.first().map(|first| first.value))
        {
            arguments.add("A0.Text", Type::Text(text.into()));
        }
        for (index, argument) in given.iter().enumerate().take(MAX_ARGUMENTS) {
            let name = format!("A{index}");
            if !returns.contains(&name) {
                continue;
            }
            let values = self.with_given(self.evaluate(file, argument.value).to_vec());
            arguments.add(&name, self.argument_type(file, &values));
        }
        arguments
    }

    /// The text that a call is given: a literal, or the name of the module; nothing is the empty one.
    fn text_given(&self, file: usize, argument: Option<ExprId>) -> Option<&str> {
        let Some(argument) = argument else {
            return Some("");
        };
        let facts = self.facts(file);
        match facts.expr(argument).kind {
            ExprKind::Literal(Literal::Str(text)) => Some(facts.text(text)),
            ExprKind::Path(path) if facts.path_text(path, ".") == "__name__" => {
                Some(self.modules.name(file))
            }
            _ => None,
        }
    }

    /// The type of an argument; what is called gives a value of its result.
    fn argument_type(&self, file: usize, values: &[Known]) -> Type {
        let [known] = values else {
            return one_type(values);
        };
        let result = match &known.value {
            Value::Body(body) => {
                if self.facts(body.file).body(body.body).item.is_none()
                    && self.is_generator_expression(*body)
                {
                    return Type::Generator(*body);
                }
                self.deeper(|| self.body_result(*body))
            }
            Value::Outside(path) => self.result_without_call(path, &Type::Unknown),
            Value::Method(owner, path) => self.result_without_call(path, owner),
            _ => return type_of(&known.value),
        };
        let _ = file;
        match one_type(&result) {
            Type::Unknown => Type::Unknown,
            type_ => Type::Callable(Rc::new(type_)),
        }
    }

    /// What a callable of the catalogue gives, its arguments not known.
    fn result_without_call(&self, path: &str, owner: &Type) -> Values {
        let arguments = self.receiver_arguments(owner);
        if let Some(found) = self.catalog.lookup(Language::Python, path)
            && let Some(returns) = &self.catalog.api(found.api).returns
        {
            return instances(self.catalogue_type(returns, &arguments));
        }
        let entry = self.catalog.type_entry(Language::Python, path);
        entry
            .map(|entry| Known::certain(Value::Instance(Type::named(&entry.path))))
            .into_iter()
            .collect()
    }

    /// A value that an api makes of a callable, and that has no type of its own, stands for the callable.
    fn wrapped_callable(&self, file: usize, call: CallId, api: &Api) -> Values {
        let index = api
            .callable
            .as_ref()
            .and_then(|argument| argument.index)
            .unwrap_or(0);
        let arguments = self.facts(file).call_arguments(call);
        let Some(argument) = arguments.get(usize::from(index)) else {
            return Values::new();
        };
        let values = self.evaluate(file, argument.value);
        values
            .iter()
            .filter(|known| self.is_callable(&known.value))
            .cloned()
            .collect()
    }

    fn is_callable(&self, value: &Value) -> bool {
        match value {
            Value::Body(_)
            | Value::Moved(..)
            | Value::Class(_)
            | Value::Method(..)
            | Value::Parameter(..) => true,
            Value::Outside(path) => self.catalog.lookup(Language::Python, path).is_some(),
            _ => false,
        }
    }
}

fn awaitable(inner: Type) -> Values {
    let type_ = Type::Named(AWAITABLE.into(), Rc::from([inner]));
    vec![Known::certain(Value::Instance(type_))]
}
