//! What making an object runs: constructors, and the checks of its values that a library runs with them.
//!
//! Which decorators and methods those are is the catalogue's to say (`on_construction`), and which callables a library makes objects
//! for, on the loop (`parses`): the bodies of requests.

use nostall_model::Confidence;
use nostall_model::facts::{BodyId, BodyKind, Callee, ItemKind, TypeExprId};
use nostall_model::program::Target;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Cx;
use super::classes::{Ancestor, methods};
use super::value::{BodyRef, ItemRef, Type, Value, Values};

/// How many classes are looked through for those that the body of a request is made of.
const MAX_PARTS: usize = 64;

/// What runs whenever objects are made.
#[derive(Default)]
pub(super) struct Checks {
    /// Per class, its own methods that check values.
    by_class: FxHashMap<ItemRef, Vec<BodyRef>>,
    /// Those among them that a library runs on the loop.
    on_loop: FxHashSet<BodyRef>,
}

impl Cx<'_> {
    /// What making an object runs.
    pub(super) fn constructor(&self, class: ItemRef, confidence: Confidence) -> Vec<Target> {
        let mut targets = Vec::new();
        for method in ["__new__", "__init__", "__post_init__"] {
            for known in self.class_attribute(class, method) {
                let target = match &known.value {
                    Value::Body(body) => self.body_target(*body, confidence.min(known.confidence)),
                    // A base class from outside: its constructor is what the catalogue says of the class itself.
                    Value::Method(Type::Named(path, _), _) if method == "__init__" => {
                        self.outside(path, confidence.min(known.confidence))
                    }
                    _ => continue,
                };
                targets.push(target);
            }
        }
        let mut around = self.checks_of(class, &self.checks().by_class);
        around.extend(self.call_of_metaclass(class));
        targets.extend(
            around
                .into_iter()
                .map(|body| self.body_target(body, confidence)),
        );
        targets
    }

    /// What the program's own metaclass runs when a class is called.
    fn call_of_metaclass(&self, class: ItemRef) -> Option<BodyRef> {
        let order = self.order(class);
        let metaclass = order.iter().find_map(|ancestor| match ancestor {
            Ancestor::Inside(owner, _) => match self.facts(owner.file).item(owner.item).kind {
                ItemKind::Class { metaclass, .. } => metaclass.map(|it| (owner.file, it)),
                _ => None,
            },
            Ancestor::Outside(_) => None,
        });
        let (file, metaclass) = metaclass?;
        let classes = self.evaluate(file, metaclass);
        let calls = classes.iter().flat_map(|known| match known.value {
            Value::Class(class) => self.class_attribute(class, "__call__"),
            _ => Values::new(),
        });
        calls.into_iter().find_map(|known| match known.value {
            Value::Body(body) => Some(body),
            _ => None,
        })
    }

    /// `Order.model_validate(data)`: a method of a class that makes an object of it.
    pub(super) fn made_by_class(
        &self,
        file: usize,
        callee: Callee,
        targets: &[Target],
    ) -> Vec<Target> {
        let Callee::Method { receiver, .. } = callee else {
            return Vec::new();
        };
        if !self
            .only_api(targets)
            .is_some_and(|api| api.on_construction)
        {
            return Vec::new();
        }
        let receivers = self.evaluate(file, receiver);
        let classes = receivers.iter().filter_map(|known| match known.value {
            Value::Class(class) => Some((class, known.confidence)),
            _ => None,
        });
        let is_body = |target: &Target| self.only_api(std::slice::from_ref(target)).is_none();
        classes
            .flat_map(|(class, confidence)| self.constructor(class, confidence))
            .filter(is_body)
            .collect()
    }

    /// Says whether a library runs a method on the loop, because it checks what requests bring.
    pub(super) fn checks_requests(&self, body: BodyRef) -> bool {
        self.checks().on_loop.contains(&body)
    }

    fn checks(&self) -> &Checks {
        if let Some(checks) = self.checks.get() {
            return checks;
        }
        let by_class = self.find_checks();
        let on_loop = self.find_checks_on_loop(&by_class);
        self.checks.get_or_init(|| Checks { by_class, on_loop })
    }

    /// The methods of a class and of those that it extends that check its values.
    fn checks_of(
        &self,
        class: ItemRef,
        by_class: &FxHashMap<ItemRef, Vec<BodyRef>>,
    ) -> Vec<BodyRef> {
        if by_class.is_empty() {
            return Vec::new();
        }
        let order = self.order(class);
        let inside = order.iter().filter_map(|ancestor| match ancestor {
            Ancestor::Inside(owner, _) => by_class.get(owner),
            Ancestor::Outside(_) => None,
        });
        inside.flatten().copied().collect()
    }

    // ---- who checks

    fn find_checks(&self) -> FxHashMap<ItemRef, Vec<BodyRef>> {
        let mut found: FxHashMap<ItemRef, Vec<BodyRef>> = FxHashMap::default();
        for file in 0..self.files.len() {
            for (owner, method) in methods(self.facts(file)) {
                let facts = self.facts(file);
                let (Some(class), Some(body)) = (facts.body(owner).item, facts.item(method).body)
                else {
                    continue;
                };
                let class = ItemRef { file, item: class };
                if self.is_check(class, ItemRef { file, item: method }) {
                    found.entry(class).or_default().push(BodyRef { file, body });
                }
            }
        }
        found
    }

    fn is_check(&self, class: ItemRef, method: ItemRef) -> bool {
        let is_named = || {
            let facts = self.facts(method.file);
            let name = facts.item(method.item).name.map(|name| facts.text(name));
            let is_it = |known: &String| Some(known.as_str()) == name;
            self.libraries_above(class)
                .any(|entry| entry.on_construction.iter().any(is_it))
        };
        self.decorating_apis(method).any(|api| api.on_construction) || is_named()
    }

    // ---- on the loop

    fn find_checks_on_loop(
        &self,
        by_class: &FxHashMap<ItemRef, Vec<BodyRef>>,
    ) -> FxHashSet<BodyRef> {
        let mut found = FxHashSet::default();
        if by_class.is_empty() {
            return found;
        }
        for file in 0..self.files.len() {
            for (index, body) in self.facts(file).bodies.iter().enumerate() {
                if body.kind == BodyKind::Function {
                    let body = BodyRef {
                        file,
                        body: BodyId::new(index),
                    };
                    self.add_checks_for(body, by_class, &mut found);
                }
            }
        }
        found
    }

    /// Adds the checks of what a function is given, where a library makes it.
    fn add_checks_for(
        &self,
        body: BodyRef,
        by_class: &FxHashMap<ItemRef, Vec<BodyRef>>,
        found: &mut FxHashSet<BodyRef>,
    ) {
        let facts = self.facts(body.file);
        let types = facts
            .body_parameters(body.body)
            .iter()
            .filter_map(|it| it.type_);
        let classes: Vec<ItemRef> = types
            .flat_map(|type_| self.classes_written(body.file, type_))
            .collect();
        let checks: Vec<BodyRef> = self
            .parts_of(classes)
            .into_iter()
            .flat_map(|class| self.checks_of(class, by_class))
            .collect();
        if !checks.is_empty() && self.takers_of(body).iter().any(|api| api.parses) {
            found.extend(checks);
        }
    }

    /// Classes with those of their fields.
    fn parts_of(&self, classes: Vec<ItemRef>) -> Vec<ItemRef> {
        let mut found: Vec<ItemRef> = Vec::new();
        let mut open = classes;
        while let Some(class) = open.pop() {
            if found.len() < MAX_PARTS && !found.contains(&class) {
                found.push(class);
                open.extend(self.classes_of_fields(class));
            }
        }
        found
    }

    fn classes_of_fields(&self, class: ItemRef) -> Vec<ItemRef> {
        let order = self.order(class);
        let inside = order.iter().filter_map(|ancestor| match ancestor {
            Ancestor::Inside(owner, _) => Some(*owner),
            Ancestor::Outside(_) => None,
        });
        inside
            .flat_map(|owner| {
                self.field_types(owner)
                    .into_iter()
                    .map(move |it| (owner, it))
            })
            .flat_map(|(owner, type_)| self.classes_written(owner.file, type_))
            .collect()
    }

    /// The types that the statements of a class write beside its fields.
    fn field_types(&self, class: ItemRef) -> Vec<TypeExprId> {
        let facts = self.facts(class.file);
        let body = facts.item(class.item).body;
        let definitions = facts.definitions.iter();
        definitions
            .filter(|it| Some(facts.bindings[it.binding.index()].body) == body)
            .filter_map(|it| it.type_)
            .collect()
    }

    /// The program's classes that a written type names, in whatever they stand.
    fn classes_written(&self, file: usize, type_: TypeExprId) -> Vec<ItemRef> {
        let mut found = Vec::new();
        let mut open = self.written_type(file, type_);
        while let Some(type_) = open.pop() {
            match type_ {
                Type::Class(class, arguments) => {
                    found.push(class);
                    open.extend(arguments.iter().cloned());
                }
                Type::Named(_, arguments) | Type::Tuple(arguments) => {
                    open.extend(arguments.iter().cloned());
                }
                _ => {}
            }
        }
        found
    }
}
