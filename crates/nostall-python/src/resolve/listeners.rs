//! Objects that the program registers to be told: the handlers of a logger, which run in each call that logs.
//!
//! Which calls register and which tell is the catalogue's to say (`listens`, `tells`). Where both name the object by a text, as
//! loggers do, a listener hears of that name and of those below it: `shop` of `shop.orders`.

use std::rc::Rc;

use nostall_catalog::{Api, Listens};
use nostall_model::facts::{Call, CallId, Callee, ExprId, ExprKind, Literal};
use nostall_model::program::Target;
use nostall_model::{Confidence, Language};

use super::Cx;
use super::value::{Known, Type, Value, one_type};

/// An object that is registered.
struct Listener<'a> {
    /// The name of what it is registered at.
    at: Rc<str>,
    file: usize,
    object: ExprId,
    listens: &'a Listens,
}

impl Cx<'_> {
    /// What the listeners run that a call tells.
    pub(super) fn told(&self, file: usize, call: &Call, targets: &[Target]) -> Vec<Target> {
        let Some(api) = self.only_api(targets) else {
            return Vec::new();
        };
        let Some(registers) = &api.tells else {
            return Vec::new();
        };
        let name = self.name_of_receiver(file, call);
        let mut found = Vec::new();
        for listener in self.listeners_of(registers) {
            if hears(&listener.at, name.as_deref()) && self.takes(&listener, api) {
                for target in self.run_by(&listener) {
                    if !found.contains(&target) {
                        found.push(target);
                    }
                }
            }
        }
        found
    }

    /// The objects that the program gives to a call that registers them.
    fn listeners_of(&self, registers: &str) -> Vec<Listener<'_>> {
        let Some(found) = self.catalog.lookup(Language::Python, registers) else {
            return Vec::new();
        };
        let Some(listens) = &self.catalog.api(found.api).listens else {
            return Vec::new();
        };
        let method = registers.rsplit('.').next().unwrap_or_default();
        let mut listeners = Vec::new();
        for (file, id) in self.calls_named(method) {
            let call = self.facts(*file).call(*id);
            let registered = self.callee(*file, call.callee).iter().any(
                |known| matches!(&known.value, Value::Method(_, path) if **path == *registers),
            );
            let object = self.written_argument(*file, *id, &listens.argument);
            if let (true, Some(at), Some(object)) =
                (registered, self.name_of_receiver(*file, call), object)
            {
                listeners.push(Listener {
                    at,
                    file: *file,
                    object,
                    listens,
                });
            }
        }
        listeners
    }

    /// The name that the type of a call's receiver tells; of a function of a module it is the empty one.
    fn name_of_receiver(&self, file: usize, call: &Call) -> Option<Rc<str>> {
        let Callee::Method { receiver, .. } = call.callee else {
            return Some(Rc::from(""));
        };
        let receivers = self.with_given(self.evaluate(file, receiver).to_vec());
        if let [
            Known {
                value: Value::Outside(_),
                ..
            },
        ] = &receivers[..]
        {
            return Some(Rc::from(""));
        }
        match one_type(&receivers) {
            Type::Named(_, arguments) => match arguments.first() {
                Some(Type::Text(name)) => Some(Rc::clone(name)),
                _ => None,
            },
            _ => None,
        }
    }

    // ---- levels

    /// Says whether a listener is told of what is as grave as a call says.
    fn takes(&self, listener: &Listener<'_>, api: &Api) -> bool {
        let (Some(level), Some(limiting)) = (api.level, &listener.listens.limited_by) else {
            return true;
        };
        let facts = self.facts(listener.file);
        let ExprKind::Use { binding, .. } = facts.expr(listener.object).kind else {
            return true;
        };
        let limits = self.calls_named(limiting).iter().filter(|(file, call)| {
            let Callee::Method { receiver, .. } = self.facts(*file).call(*call).callee else {
                return false;
            };
            *file == listener.file
                && matches!(facts.expr(receiver).kind, ExprKind::Use { binding: own, .. } if own == binding)
        });
        let mut least = limits.filter_map(|(file, call)| self.level_given(*file, *call));
        least.all(|least| level >= least)
    }

    /// The level that a call is given: a number, or a constant of the catalogue.
    fn level_given(&self, file: usize, call: CallId) -> Option<i64> {
        let facts = self.facts(file);
        let argument = facts.call_arguments(call).first()?.value;
        if let ExprKind::Literal(Literal::Int(level)) = facts.expr(argument).kind {
            return Some(level);
        }
        let values = self.evaluate(file, argument);
        values.iter().find_map(|known| match &known.value {
            Value::Outside(path) => {
                let found = self.catalog.lookup(Language::Python, path)?;
                self.catalog.api(found.api).level
            }
            _ => None,
        })
    }

    // ---- what runs

    /// What a listener runs: the program's own methods, or the entry of a library's.
    fn run_by(&self, listener: &Listener<'_>) -> Vec<Target> {
        let objects = self.evaluate(listener.file, listener.object).to_vec();
        let objects = self.with_given(objects);
        objects
            .iter()
            .filter_map(|known| match &known.value {
                Value::Instance(type_) => self.run_of(type_, &listener.listens.methods),
                _ => None,
            })
            .collect()
    }

    fn run_of(&self, type_: &Type, methods: &[String]) -> Option<Target> {
        if let Type::Class(class, _) = type_ {
            let own = methods.iter().find_map(|method| {
                let found = self.class_attribute(*class, method);
                found.iter().find_map(|known| match known.value {
                    Value::Body(body) => Some(body),
                    _ => None,
                })
            });
            if let Some(body) = own {
                return Some(self.body_target(body, Confidence::Likely));
            }
        }
        let first = methods.first()?;
        let method = match type_ {
            Type::Class(class, _) => self.class_attribute(*class, first),
            _ => self.known_attribute(type_, first),
        };
        method.into_iter().find_map(|known| match &known.value {
            Value::Method(_, path) => {
                let found = self.catalog.lookup(Language::Python, path)?;
                (!found.wildcard).then(|| self.outside(path, Confidence::Likely))
            }
            _ => None,
        })
    }
}

/// Says whether a listener at one name is told of another.
fn hears(at: &str, name: Option<&str>) -> bool {
    match name {
        _ if at.is_empty() => true,
        Some(name) => name
            .strip_prefix(at)
            .is_some_and(|below| below.is_empty() || below.starts_with('.')),
        None => false,
    }
}
