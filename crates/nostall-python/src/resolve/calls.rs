//! Calls: what each may reach, and the callables that it is given.

use nostall_catalog::{Api, ApiId, Effect, Test, When};
use nostall_model::facts::{
    ArgumentKind, Body, BodyKind, Call, CallId, CallKind, Callee, DefinitionId, ExprId, ExprKind,
    Flavour, Run, Shown,
};
use nostall_model::program::{
    Passed, Resolution, ResolvedCall, Target, TargetKind, TypeMatch, Unresolved,
};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::value::{BodyRef, Known, Type, Value, type_of};

/// Adds what is known of each call.
pub(super) fn add_calls(cx: &Cx<'_>, resolution: &mut Resolution) {
    for file in 0..cx.files.len() {
        for index in 0..cx.facts(file).calls.len() {
            let call = CallId::new(index);
            cx.depth.take_too_deep();
            let mut targets = cx.targets(file, call);
            targets.sort_by_key(|target| std::cmp::Reverse(target.confidence));
            let passed = cx.passed(file, call, &targets);
            let matches = cx.type_matches(file, call, &targets);
            resolution.type_matches.extend(matches);
            let refuted = cx.refuted(file, call, &targets);
            resolution.refuted.extend(refuted);
            let resolved = ResolvedCall {
                targets: push_run(&mut resolution.targets, targets),
                passed: push_run(&mut resolution.passed, passed),
            };
            resolution.calls.push(resolved);
        }
    }
}

fn push_run<T>(pool: &mut Vec<T>, elements: Vec<T>) -> Run {
    let start = pool.len() as u32;
    pool.extend(elements);
    Run {
        start,
        end: pool.len() as u32,
    }
}

impl Cx<'_> {
    fn targets(&self, file: usize, id: CallId) -> Vec<Target> {
        let call = self.facts(file).call(id);
        match call.kind {
            CallKind::Plain => self.called(file, call),
            CallKind::Attribute => self.loaded_by(file, call),
            CallKind::Accessor => self.set_by(file, call),
            CallKind::Iterate | CallKind::Enter => self.stepped_by(file, call),
            CallKind::Truth => self.asked_by(file, call),
            _ => self.implied(file, call),
        }
    }

    // ---- written calls

    fn called(&self, file: usize, call: &Call) -> Vec<Target> {
        if let Some(target) = self.handing_over(file, call) {
            return vec![target];
        }
        let values = self.callee(file, call.callee);
        if values.is_empty() {
            let answered = self.answered_call(file, call);
            return answered.unwrap_or_else(|| vec![self.unresolved(file, call)]);
        }
        let mut targets = Vec::new();
        for known in values {
            for target in self.value_targets(file, &known) {
                let target = self.refused(file, call, target);
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        self.doubt(&mut targets);
        let more = [
            self.called_in_turn(file, call, &targets),
            self.told(file, call, &targets),
            self.made_by_class(file, call.callee, &targets),
        ];
        for target in more.into_iter().flatten() {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets
    }

    /// The entry of the catalogue that is all that a call may reach.
    pub(super) fn only_api(&self, targets: &[Target]) -> Option<&Api> {
        match targets {
            [
                Target {
                    kind: TargetKind::Api(api),
                    ..
                },
            ] => Some(self.catalog.api(ApiId(*api))),
            _ => None,
        }
    }

    /// The methods of its arguments that a function of the catalogue calls: `len(x)`, `list(x)`.
    fn called_in_turn(&self, file: usize, call: &Call, targets: &[Target]) -> Vec<Target> {
        let Some(api) = self.only_api(targets) else {
            return Vec::new();
        };
        let arguments = &self.facts(file).arguments[call.arguments.range()];
        let own = arguments.iter().take(1);
        let own = own.flat_map(|it| api.calls.iter().map(move |method| (it, &**method)));
        let iterated = arguments.iter().filter(|_| api.iterates);
        own.chain(iterated.map(|it| (it, "__iter__")))
            .filter(|(argument, _)| argument.kind == ArgumentKind::Positional)
            .flat_map(|(argument, method)| self.special_targets(file, argument.value, method))
            .collect()
    }

    /// In a `try` that handles the exception with which it would refuse to wait, a call does not wait.
    fn refused(&self, file: usize, call: &Call, target: Target) -> Target {
        let TargetKind::Api(api) = target.kind else {
            return target;
        };
        let api = self.catalog.api(ApiId(api));
        match &api.refuses {
            Some(exception) if self.is_handled(file, call, exception) => Target {
                kind: TargetKind::External(Box::from(&*api.path)),
                ..target
            },
            _ => target,
        }
    }

    /// Says whether a call stands in a `try` with a handler of its own for an exception.
    fn is_handled(&self, file: usize, call: &Call, exception: &str) -> bool {
        let facts = self.facts(file);
        let exception = Type::named(exception);
        let is_it = |known: &Known| matches!(&known.value, Value::Instance(it) if *it == exception);
        facts
            .regions_outwards(call.region)
            .flat_map(|region| &facts.branch_tests[facts.regions[region.index()].tests.range()])
            .filter(|test| test.shown == Shown::Handled)
            .any(|test| {
                let types = self.evaluate(file, test.value);
                self.instances_of(&types).iter().any(is_it)
            })
    }

    /// Where one of several libraries' types does not wait, as in `Future | asyncio.Future`, that the other one does is only
    /// possible.
    fn doubt(&self, targets: &mut [Target]) {
        let waits = |target: &Target| match target.kind {
            TargetKind::Api(api) => Some(self.catalog.api(ApiId(api)).effect == Effect::Blocks),
            TargetKind::External(_) => Some(false),
            _ => None,
        };
        if targets.iter().any(|target| waits(target) == Some(false)) {
            for target in targets.iter_mut().filter(|it| waits(it) == Some(true)) {
                target.confidence = target.confidence.min(Confidence::Possible);
            }
        }
    }

    /// `@app.get("/users")`: what the first call gives takes the function, and does with it what the api says.
    fn handing_over(&self, file: usize, call: &Call) -> Option<Target> {
        let facts = self.facts(file);
        let Callee::Value(value) = call.callee else {
            return None;
        };
        let ExprKind::Call(made) = facts.expr(value).kind else {
            return None;
        };
        let callees = self.callee(file, facts.call(made).callee);
        callees.iter().find_map(|known| {
            let (Value::Outside(path) | Value::Method(_, path)) = &known.value else {
                return None;
            };
            let found = self.catalog.lookup(Language::Python, path)?;
            let api = self.catalog.api(found.api);
            let hands =
                matches!(api.effect, Effect::Offloads | Effect::Schedules) || api.times.is_some();
            (hands && !self.has_callable(file, made, api)).then_some(Target {
                kind: TargetKind::Api(found.api.0),
                confidence: known.confidence,
            })
        })
    }

    /// Says whether a call already gives the callable that its entry speaks of.
    fn has_callable(&self, file: usize, call: CallId, api: &Api) -> bool {
        let facts = self.facts(file);
        let Some(wanted) = &api.callable else {
            return false;
        };
        facts
            .call_arguments(call)
            .iter()
            .enumerate()
            .any(|(index, argument)| match argument.name {
                Some(name) => wanted.keyword.as_deref() == Some(facts.text(name)),
                None => {
                    argument.kind == ArgumentKind::Positional
                        && wanted.index.map(usize::from) == Some(index)
                }
            })
    }

    /// What calling a value runs.
    fn value_targets(&self, file: usize, known: &Known) -> Vec<Target> {
        let kind = match &known.value {
            Value::Body(body) => {
                let around = self.run_around(*body).into_iter();
                let around = around.map(|path| self.outside(path, Confidence::Likely));
                return std::iter::once(self.body_target(*body, known.confidence))
                    .chain(around)
                    .collect();
            }
            Value::Class(class) => return self.constructor(*class, known.confidence),
            Value::Outside(path) | Value::Method(_, path) => {
                return vec![self.outside(path, known.confidence)];
            }
            Value::Moved(_, path) => TargetKind::External(Box::from(&**path)),
            Value::Parameter(body, index) => {
                TargetKind::Parameter(self.program_body(*body), *index)
            }
            Value::Instance(Type::ClassOf(class)) => {
                let classes = self.classes_of(std::slice::from_ref(class));
                return classes
                    .into_iter()
                    .flat_map(|class| self.value_targets(file, &class.at_most(known.confidence)))
                    .collect();
            }
            Value::Instance(_) => {
                let methods = self.deeper(|| self.attribute(file, known, "__call__"));
                let callable = |method: &&Known| !matches!(method.value, Value::Instance(_));
                return methods
                    .iter()
                    .filter(callable)
                    .flat_map(|method| self.value_targets(file, method))
                    .collect();
            }
            Value::Module(_) | Value::Namespace(_) | Value::Super(_) => {
                TargetKind::Unresolved(Unresolved::Value)
            }
        };
        vec![Target {
            kind,
            confidence: known.confidence,
        }]
    }

    /// A project's own entry for one of its functions goes before the function's code.
    pub(super) fn body_target(&self, body: BodyRef, confidence: Confidence) -> Target {
        let entry = self
            .qualified_name(body)
            .and_then(|path| self.catalog.lookup_user(Language::Python, &path));
        let kind = match entry {
            Some(found) => TargetKind::Api(found.api.0),
            None => TargetKind::Body(self.program_body(body)),
        };
        Target { kind, confidence }
    }

    /// The path of a function or class.
    fn qualified_name(&self, body: BodyRef) -> Option<String> {
        let facts = self.facts(body.file);
        let mut names = Vec::new();
        let mut next: Option<&Body> = Some(facts.body(body.body));
        while let Some(body) = next {
            if let Some(item) = body.item {
                names.push(facts.text(facts.item(item).name?));
            }
            next = body.parent.map(|parent| facts.body(parent));
        }
        names.push(self.modules.name(body.file));
        names.reverse();
        Some(names.join("."))
    }

    pub(super) fn outside(&self, path: &str, confidence: Confidence) -> Target {
        match self.catalog.lookup(Language::Python, path) {
            Some(found) => {
                let limit = if found.wildcard {
                    Confidence::Likely
                } else {
                    Confidence::Certain
                };
                Target {
                    kind: TargetKind::Api(found.api.0),
                    confidence: confidence.min(limit),
                }
            }
            None => Target {
                kind: TargetKind::External(path.into()),
                confidence,
            },
        }
    }

    fn unresolved(&self, file: usize, call: &Call) -> Target {
        let facts = self.facts(file);
        let reason = match call.callee {
            _ if self.depth.take_too_deep() => Unresolved::Budget,
            Callee::Method { receiver, .. } if !self.is_known(file, receiver) => {
                Unresolved::Receiver
            }
            Callee::Method { .. } => Unresolved::Method,
            Callee::Value(value) if matches!(facts.expr(value).kind, ExprKind::Path(_)) => {
                Unresolved::Name
            }
            _ => Unresolved::Value,
        };
        Target {
            kind: TargetKind::Unresolved(reason),
            confidence: Confidence::Certain,
        }
    }

    /// Says whether something is known of a value.
    fn is_known(&self, file: usize, value: ExprId) -> bool {
        let values = self.evaluate(file, value).to_vec();
        !self.with_given(values).is_empty()
    }

    // ---- conditions on the types of arguments

    /// The conditions of reached entries that ask for an argument's type, and that hold here.
    fn type_matches(&self, file: usize, call: CallId, targets: &[Target]) -> Vec<TypeMatch> {
        let mut found = Vec::new();
        for target in targets {
            let TargetKind::Api(api) = target.kind else {
                continue;
            };
            for (number, when) in self.catalog.api(ApiId(api)).when.iter().enumerate() {
                if self.type_holds(file, call, when) {
                    found.push(TypeMatch {
                        call: self.mounts[file].call(call),
                        api,
                        condition: number as u16,
                    });
                }
            }
        }
        found
    }

    /// Says whether a condition asks for an argument's type, and holds.
    pub(super) fn type_holds(&self, file: usize, call: CallId, when: &When) -> bool {
        let Test::Type(types) = when.test() else {
            return false;
        };
        let argument = self.written_argument(file, call, &when.argument);
        argument.is_some_and(|value| {
            types
                .iter()
                .any(|type_| self.is_of_type(file, value, type_))
        })
    }

    pub(super) fn written_argument(
        &self,
        file: usize,
        call: CallId,
        wanted: &nostall_catalog::Argument,
    ) -> Option<ExprId> {
        let facts = self.facts(file);
        let arguments = facts.call_arguments(call);
        let named = arguments.iter().find(|argument| {
            let name = argument.name.map(|name| facts.text(name));
            name.is_some() && name == wanted.keyword.as_deref()
        });
        let positional = || {
            let before = arguments.get(..=usize::from(wanted.index?))?;
            before
                .iter()
                .all(|argument| argument.kind == ArgumentKind::Positional)
                .then(|| before.last())?
        };
        named.or_else(positional).map(|argument| argument.value)
    }

    /// Says whether all that is known of a value says that it is of a type of the catalogue, or this constant of a library.
    fn is_of_type(&self, file: usize, value: ExprId, wanted: &str) -> bool {
        let values = self.with_given(self.evaluate(file, value).to_vec());
        let type_wanted = Type::named(wanted);
        let is = |known: &Known| match &known.value {
            Value::Instance(type_) => self.is_kind_of(type_, &type_wanted),
            // A class that is given itself is no value of it.
            Value::Outside(path) => {
                **path == *wanted && self.catalog.type_entry(Language::Python, path).is_none()
            }
            _ => false,
        };
        !values.is_empty() && values.iter().all(is)
    }

    // ---- calls that Python makes by itself

    /// Operators, contexts, elements: code of the program, or what the catalogue names. Of known types that say nothing
    /// the methods are harmless.
    fn implied(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, name } = call.callee else {
            return Vec::new();
        };
        if !self.is_known(file, receiver) {
            return vec![self.unresolved(file, call)];
        }
        let name = self.facts(file).text(name);
        let methods = self.callee(file, call.callee);
        let mut targets: Vec<Target> = methods
            .iter()
            .filter_map(|known| self.implied_target(known))
            .collect();
        if targets.is_empty() {
            targets = self.special_targets(file, receiver, name);
        } else {
            targets.extend(self.steps(file, name, &methods));
        }
        // `files: TextIO | list[TextIO]` in a loop: that it is the one that waits is only possible.
        if targets.len() < methods.len() && self.has_written_type(file, receiver) {
            for target in &mut targets {
                target.confidence = target.confidence.min(Confidence::Possible);
            }
        }
        targets
    }

    /// Says whether all that is known of a variable is the type that is written beside it.
    fn has_written_type(&self, file: usize, value: ExprId) -> bool {
        let facts = self.facts(file);
        let ExprKind::Use { reaching, .. } = facts.expr(value).kind else {
            return false;
        };
        let definitions = &facts.definition_lists[reaching.range()];
        let written = |id: &DefinitionId| facts.definitions[id.index()].type_.is_some();
        !definitions.is_empty() && definitions.iter().all(written)
    }

    pub(super) fn implied_target(&self, known: &Known) -> Option<Target> {
        match &known.value {
            Value::Body(body) => Some(self.body_target(*body, known.confidence)),
            Value::Method(_, path) | Value::Outside(path) => {
                let found = self
                    .catalog
                    .lookup(Language::Python, path)
                    .filter(|found| !found.wildcard)?;
                Some(Target {
                    kind: TargetKind::Api(found.api.0),
                    confidence: known.confidence,
                })
            }
            _ => None,
        }
    }

    /// A loop over a generator runs the generator's code, and so does `with`, where a decorator made a context manager
    /// of it.
    fn stepped_by(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, .. } = call.callee else {
            return Vec::new();
        };
        let generators: Vec<Target> = self
            .evaluate(file, receiver)
            .iter()
            .filter_map(|known| match known.value {
                Value::Instance(Type::Generator(body)) => {
                    Some(self.body_target(body, known.confidence))
                }
                Value::Body(body) if self.is_generator_expression(body) => {
                    Some(self.body_target(body, known.confidence))
                }
                _ => None,
            })
            .collect();
        if generators.is_empty() {
            self.implied(file, call)
        } else {
            generators
        }
    }

    pub(super) fn is_generator_expression(&self, body: BodyRef) -> bool {
        let body = self.facts(body.file).body(body.body);
        body.kind == BodyKind::Comprehension
    }

    /// Loading an attribute runs code only where it is a property of the program.
    fn loaded_by(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, name } = call.callee else {
            return Vec::new();
        };
        let receivers = self.evaluate(file, receiver);
        if !self.is_known(file, receiver) {
            return vec![self.unresolved(file, call)];
        }
        let name = self.facts(file).text(name);
        let mut targets = Vec::new();
        for known in self.with_given(receivers.to_vec()) {
            let attributes = match &known.value {
                Value::Instance(type_ @ Type::Class(..)) => self.unloaded_attribute(type_, name),
                Value::Super(class) => self.super_attribute(*class, name),
                Value::Instance(type_ @ Type::Named(path, _)) => match self.itself(type_) {
                    Some(itself) => self.unloaded_attribute(&itself, name),
                    None => {
                        targets.extend(self.lazily_loaded(path, known.confidence));
                        continue;
                    }
                },
                _ => continue,
            };
            if attributes.is_empty() {
                targets.extend(self.answered_for(&known));
            }
            for attribute in attributes {
                targets.extend(self.run_by_loading(&known, &attribute));
            }
        }
        targets
    }

    /// What loading an attribute of an object runs: a property, or a descriptor of the catalogue. Only of an object that its
    /// library has made is it known that a descriptor has not got its value yet.
    fn run_by_loading(&self, object: &Known, attribute: &Known) -> Option<Target> {
        let confidence = object.confidence.min(attribute.confidence);
        if let Value::Body(body) = attribute.value {
            return self
                .is_property(body)
                .then(|| self.body_target(body, confidence));
        }
        let (found, api) = self.descriptor(&attribute.value)?;
        let is_new = self.itself(&type_of(&object.value)).is_some();
        let confidence = match is_new {
            true => confidence,
            false => Confidence::Possible,
        };
        (api.effect == Effect::Blocks).then_some(Target {
            kind: TargetKind::Api(found.api.0),
            confidence,
        })
    }

    /// Loading any attribute of a lazy object waits, where the catalogue says so of its `__getattr__`: `request.user.name`.
    fn lazily_loaded(&self, path: &str, confidence: Confidence) -> Option<Target> {
        let path = format!("{path}.__getattr__");
        let found = self.catalog.lookup(Language::Python, &path)?;
        let blocks = self.catalog.api(found.api).effect == Effect::Blocks;
        (blocks && !found.wildcard).then(|| self.outside(&path, confidence))
    }

    /// Giving an attribute a value, or deleting it, runs code only where it is a property of the program that has some for it.
    fn set_by(&self, file: usize, call: &Call) -> Vec<Target> {
        let Callee::Method { receiver, name } = call.callee else {
            return Vec::new();
        };
        let name = self.facts(file).text(name);
        let part = if call.arguments.is_empty() {
            "deleter"
        } else {
            "setter"
        };
        let receivers = self.with_given(self.evaluate(file, receiver).to_vec());
        receivers
            .iter()
            .filter_map(|known| {
                let type_ = type_of(&known.value);
                let Type::Class(class, _) = self.itself(&type_).unwrap_or(type_) else {
                    return None;
                };
                let body = self.part_of_property(class, name, part)?;
                Some(self.body_target(body, known.confidence))
            })
            .collect()
    }

    // ---- callables as arguments

    fn passed(&self, file: usize, id: CallId, targets: &[Target]) -> Vec<Passed> {
        let runs_generators = targets.iter().any(|target| self.runs_generators(target));
        let mut passed = Vec::new();
        for (index, argument) in self.facts(file).call_arguments(id).iter().enumerate() {
            let Ok(index) = u16::try_from(index) else {
                break;
            };
            let mut given = self.callable_targets(file, argument.value);
            if runs_generators {
                given.extend(self.generator_targets(file, argument.value));
            }
            passed.extend(given.into_iter().map(|target| Passed { index, target }));
        }
        passed
    }

    fn runs_generators(&self, target: &Target) -> bool {
        match target.kind {
            TargetKind::Api(api) => self.catalog.api(ApiId(api)).runs_generators(),
            _ => false,
        }
    }

    /// `list(numbers())`: what takes all elements of a generator runs its code.
    fn generator_targets(&self, file: usize, value: ExprId) -> Vec<Target> {
        self.evaluate(file, value)
            .iter()
            .flat_map(|known| match known.value {
                Value::Instance(Type::Generator(body)) => {
                    vec![self.body_target(body, known.confidence)]
                }
                Value::Instance(Type::Class(..)) => self.iterating_generators(file, known),
                _ => Vec::new(),
            })
            .collect()
    }

    fn callable_targets(&self, file: usize, value: ExprId) -> Vec<Target> {
        self.evaluate(file, value)
            .iter()
            .filter_map(|known| self.callable_target(file, known))
            .collect()
    }

    pub(super) fn is_generator_function(&self, body: BodyRef) -> bool {
        let body = self.facts(body.file).body(body.body);
        body.kind == BodyKind::Function && body.flavour == Flavour::Generator
    }

    fn callable_target(&self, file: usize, known: &Known) -> Option<Target> {
        match &known.value {
            // Calling a generator function runs nothing of it.
            Value::Body(body) if self.is_generator_function(*body) => None,
            Value::Body(body) => Some(self.body_target(*body, known.confidence)),
            Value::Class(class) => self
                .constructor(*class, known.confidence)
                .into_iter()
                .next(),
            Value::Parameter(body, index) => {
                let kind = TargetKind::Parameter(self.program_body(*body), *index);
                Some(Target {
                    kind,
                    confidence: known.confidence,
                })
            }
            Value::Outside(path) | Value::Method(_, path) => {
                let found = self.catalog.lookup(Language::Python, path)?;
                let effect = self.catalog.api(found.api).effect;
                let runs = !matches!(effect, Effect::Constructs | Effect::None);
                runs.then(|| self.outside(path, known.confidence))
            }
            Value::Instance(Type::Class(..)) => {
                let methods = self.deeper(|| self.attribute(file, known, "__call__"));
                methods.iter().find_map(|method| match method.value {
                    Value::Body(body) => Some(self.body_target(body, method.confidence)),
                    _ => None,
                })
            }
            _ => None,
        }
    }
}
