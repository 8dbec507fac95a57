//! Decorated functions: what their names stand for.
//!
//! A decorator of the language changes how a function is found; one of another library is what the catalogue says of it;
//! one of the program gives what it returns: often a wrapper, that may or may not run the function at once.

use nostall_catalog::{Api, Effect, EventLoop};
use nostall_model::facts::{
    BodyKind, BranchTest, Call, CallId, CallKind, DefinitionKind, ExprId, ExprKind, Flavour, Shown,
    Sink,
};
use nostall_model::{Confidence, Language};

use super::catalogue::Arguments;
use super::classes::Ancestor;
use super::value::{BodyRef, ItemRef, Known, Type, Value, Values, add, at_most, instances};
use super::{Cx, MAX_STEPS};

impl Cx<'_> {
    /// What the name of a function stands for.
    pub(super) fn function(&self, item: ItemRef, body: BodyRef) -> Values {
        let plain = || vec![Known::certain(Value::Body(body))];
        if self.facts(item.file).item(item.item).attributes.is_empty() {
            return plain();
        }
        self.known
            .functions
            .ask(&self.depth, MAX_STEPS, item, plain, || {
                self.decorated(item, body)
            })
    }

    fn decorated(&self, item: ItemRef, body: BodyRef) -> Values {
        let facts = self.facts(item.file);
        if let Some((property, "setter" | "deleter")) = self.accessor(item) {
            let mut values = self.evaluate(item.file, property).to_vec();
            values.retain(|known| known.value != Value::Body(body));
            return values;
        }
        let mut values = vec![Known::certain(Value::Body(body))];
        for decorator in facts
            .expr_list(facts.item(item.item).attributes)
            .iter()
            .rev()
        {
            values = self.wrapped(item.file, *decorator, body, values);
        }
        values
    }

    /// What a decorator makes of what stands below it.
    fn wrapped(&self, file: usize, decorator: ExprId, body: BodyRef, inner: Values) -> Values {
        let outside = self
            .called_or_itself(file, decorator)
            .into_iter()
            .find_map(|known| match known.value {
                Value::Outside(path) | Value::Method(_, path) => Some(path),
                _ => None,
            });
        if let Some(path) = outside {
            let api = self.decorating_api(&path);
            return match api {
                Some(api) if api.effect == Effect::Offloads && !api.registers => {
                    vec![Known::certain(Value::Moved(body, path))]
                }
                Some(api) if api.registers => self.registered(api, inner),
                Some(_) => inner,
                // The language's own decorators change how a function is found, not what it does.
                None if path.starts_with("builtins.") => inner,
                None => at_most(inner, Confidence::Likely),
            };
        }
        let mut values = Values::new();
        for known in self.evaluate(file, decorator).iter() {
            let made = match &known.value {
                Value::Body(decorator) => self.made_by(*decorator, &inner),
                Value::Class(class) => self.called_object(*class, &inner),
                Value::Instance(Type::Class(class, _)) => self.called_object(*class, &inner),
                _ => Values::new(),
            };
            add(&mut values, at_most(made, known.confidence));
        }
        if values.is_empty() {
            values = inner;
        }
        at_most(values, Confidence::Likely)
    }

    /// What a library's decorator that registers functions gives for one: `@app.get("/a")` above `@app.post("/a")` is given it as well.
    pub(super) fn registered_by(
        &self,
        file: usize,
        call: CallId,
        decorator: ExprId,
    ) -> Option<Values> {
        let [only] = self.facts(file).call_arguments(call) else {
            return None;
        };
        let given = self.evaluate(file, only.value).to_vec();
        let is_function = |known: &Known| matches!(known.value, Value::Body(_));
        if only.name.is_some() || !given.iter().any(is_function) {
            return None;
        }
        let decorators = self.called_or_itself(file, decorator);
        let api = decorators.iter().find_map(|known| match &known.value {
            Value::Outside(path) | Value::Method(_, path) => self.decorating_api(path),
            _ => None,
        });
        api.filter(|api| api.registers)
            .map(|api| self.registered(api, given))
    }

    /// What is registered, and the object that stands for it where that has a type of its own: a command that others can be added to.
    fn registered(&self, api: &Api, inner: Values) -> Values {
        let types = api.returns.as_ref().map_or_else(Vec::new, |returns| {
            self.catalogue_type(returns, &Arguments::default())
        });
        let mut values = inner;
        add(&mut values, instances(types));
        values
    }

    fn decorating_api(&self, path: &str) -> Option<&Api> {
        let found = self
            .catalog
            .lookup(Language::Python, path)
            .filter(|found| !found.wildcard)?;
        Some(self.catalog.api(found.api))
    }

    /// The entries of the libraries' decorators of an item.
    pub(super) fn decorating_apis(&self, item: ItemRef) -> impl Iterator<Item = &Api> {
        self.decorators(item)
            .into_iter()
            .filter_map(|known| match &known.value {
                Value::Outside(path) | Value::Method(_, path) => self.decorating_api(path),
                _ => None,
            })
    }

    /// What libraries' decorators of a function run beside its code: the pauses between tries.
    pub(super) fn run_around(&self, body: BodyRef) -> Vec<&str> {
        let facts = self.facts(body.file);
        let record = facts.body(body.body);
        let (Some(item), Flavour::Sync) = (record.item, record.flavour) else {
            return Vec::new();
        };
        let decorators = facts.expr_list(facts.item(item).attributes).iter();
        decorators
            .filter_map(|decorator| self.runs_around(body.file, *decorator))
            .collect()
    }

    fn runs_around(&self, file: usize, decorator: ExprId) -> Option<&str> {
        let facts = self.facts(file);
        let around =
            self.called_or_itself(file, decorator)
                .iter()
                .find_map(|known| match &known.value {
                    Value::Outside(path) | Value::Method(_, path) => {
                        self.decorating_api(path)?.around.as_ref()
                    }
                    _ => None,
                })?;
        let given = |keyword: &String| match facts.expr(decorator).kind {
            ExprKind::Call(call) => {
                let mut names = facts.call_arguments(call).iter().filter_map(|it| it.name);
                names.any(|name| facts.text(name) == keyword)
            }
            _ => false,
        };
        (around.given.is_empty() || around.given.iter().any(given)).then_some(&*around.call)
    }

    /// What a function of the program returns when it is given a function.
    fn made_by(&self, decorator: BodyRef, inner: &Values) -> Values {
        let first = u16::from(self.takes_receiver(decorator));
        let mut values = Values::new();
        for known in self.all_returned(decorator) {
            match known.value {
                Value::Parameter(body, index) if body == decorator && index == first => {
                    add(&mut values, inner.iter().cloned());
                }
                Value::Body(wrapper) => {
                    add(&mut values, [known.clone()]);
                    if self.runs_at_once(wrapper, decorator, first) {
                        add(&mut values, inner.iter().cloned());
                    }
                }
                _ => {}
            }
        }
        values
    }

    /// Says whether a wrapper calls what the decorator around it was given, in its own code.
    fn runs_at_once(&self, wrapper: BodyRef, decorator: BodyRef, index: u16) -> bool {
        let facts = self.facts(wrapper.file);
        self.files[wrapper.file]
            .calls_in(wrapper.body)
            .iter()
            .map(|call| facts.call(*call))
            // What is awaited is async, and its code runs where that is told; where no loop runs none is held.
            .filter(|call| call.kind == CallKind::Plain && call.sink != Sink::Awaited)
            .filter(|call| !self.is_without_loop(wrapper.file, call))
            .any(|call| {
                self.callee(wrapper.file, call.callee)
                    .iter()
                    .any(|known| known.value == Value::Parameter(decorator, index))
            })
    }

    /// Says whether a call stands where no event loop runs: in a handler of what fails without one, or after it said so.
    fn is_without_loop(&self, file: usize, call: &Call) -> bool {
        let facts = self.facts(file);
        let says = |test: &BranchTest| {
            let wanted = match test.shown {
                Shown::Raised => EventLoop::Needed,
                Shown::True if !test.holds => EventLoop::Told,
                _ => return false,
            };
            let ExprKind::Call(asked) = facts.expr(test.value).kind else {
                return false;
            };
            let callees = self.callee(file, facts.call(asked).callee);
            let says_it = |known: &Known| match &known.value {
                Value::Outside(path) | Value::Method(_, path) => {
                    let found = self.catalog.lookup(Language::Python, path);
                    found.is_some_and(|it| self.catalog.api(it.api).event_loop == Some(wanted))
                }
                _ => false,
            };
            !callees.is_empty() && callees.iter().all(says_it)
        };
        facts
            .regions_outwards(call.region)
            .flat_map(|region| &facts.branch_tests[facts.regions[region.index()].tests.range()])
            .any(says)
    }

    /// An object that stands for a function: its `__call__`, and the function that it most likely runs there.
    fn called_object(&self, class: ItemRef, inner: &Values) -> Values {
        let calls = self.class_attribute(class, "__call__");
        let mut values: Values = calls
            .into_iter()
            .filter(|known| matches!(known.value, Value::Body(_)))
            .collect();
        if !values.is_empty() {
            add(&mut values, inner.iter().cloned());
        }
        values
    }

    fn takes_receiver(&self, body: BodyRef) -> bool {
        let facts = self.facts(body.file);
        let first = facts.body_parameters(body.body).first();
        first.is_some_and(|first| {
            first.kind == nostall_model::facts::ParameterKind::Receiver
                && facts.body(body.body).kind == BodyKind::Function
        })
    }

    // ---- questions about decorators

    /// What the decorators of an item may be, `@f(..)` as `f`.
    fn decorators(&self, item: ItemRef) -> Values {
        let facts = self.facts(item.file);
        let mut values = Values::new();
        for decorator in facts.expr_list(facts.item(item.item).attributes) {
            add(&mut values, self.called_or_itself(item.file, *decorator));
        }
        values
    }

    /// Says whether an item has one of these decorators.
    pub(super) fn has_decorator(&self, item: ItemRef, paths: &[&str]) -> bool {
        if self.facts(item.file).item(item.item).attributes.is_empty() {
            return false;
        }
        self.decorators(item)
            .iter()
            .any(|known| matches!(&known.value, Value::Outside(of) if paths.contains(&&**of)))
    }

    pub(super) fn is_class_method(&self, method: ItemRef) -> bool {
        let facts = self.facts(method.file);
        let name = facts.item(method.item).name.map(|name| facts.text(name));
        matches!(
            name,
            Some("__new__" | "__init_subclass__" | "__class_getitem__")
        ) || self.has_decorator(method, &["builtins.classmethod"])
    }

    /// Says whether a method is run by loading it.
    pub(super) fn is_property(&self, body: BodyRef) -> bool {
        const PROPERTIES: [&str; 3] = [
            "builtins.property",
            "functools.cached_property",
            "abc.abstractproperty",
        ];
        let item = self.facts(body.file).body(body.body).item;
        item.is_some_and(|item| {
            let item = ItemRef {
                file: body.file,
                item,
            };
            self.has_decorator(item, &PROPERTIES)
                || self
                    .accessor(item)
                    .is_some_and(|(_, part)| part == "getter")
        })
    }

    /// The property that a function is a part of, and which part: `@name.setter` and its like give it back with the part added.
    fn accessor(&self, item: ItemRef) -> Option<(ExprId, &str)> {
        let facts = self.facts(item.file);
        let decorators = facts.expr_list(facts.item(item.item).attributes);
        decorators
            .iter()
            .find_map(|decorator| match facts.expr(*decorator).kind {
                ExprKind::Attribute { base, name } => {
                    let part = facts.text(name);
                    matches!(part, "setter" | "getter" | "deleter").then_some((base, part))
                }
                _ => None,
            })
    }

    /// The code that a property of a class has for being set (`setter`) or deleted (`deleter`).
    pub(super) fn part_of_property(
        &self,
        class: ItemRef,
        name: &str,
        wanted: &str,
    ) -> Option<BodyRef> {
        let order = self.order(class);
        let owners = order.iter().filter_map(|ancestor| match ancestor {
            Ancestor::Inside(owner, _) => Some(*owner),
            Ancestor::Outside(_) => None,
        });
        let (file, definitions) = owners.into_iter().find_map(|owner| {
            let file = &self.files[owner.file];
            let binding = file.binding(file.facts.item(owner.item).body?, name)?;
            Some((owner.file, file.definitions(binding)))
        })?;
        let facts = self.facts(file);
        definitions.iter().rev().find_map(|definition| {
            let DefinitionKind::Item(item) = facts.definitions[definition.index()].kind else {
                return None;
            };
            let (_, part) = self.accessor(ItemRef { file, item })?;
            let body = facts.item(item).body.filter(|_| part == wanted)?;
            Some(BodyRef { file, body })
        })
    }
}
