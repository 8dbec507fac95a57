//! What a called value is: a path, a variable, a closure, a macro.

use nostall_model::facts::{
    BodyId, Call, CallId, DefinitionKind, ExprId, ExprKind, Flavour, ItemKind, PathId, Run,
};
use nostall_model::program::{Presence, Unresolved};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::conditions::item_presence;
use super::impls::Substitution;
use super::methods::{Callee, MOST_IMPLEMENTATIONS, What, call_id};
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, Ty, TypeKind};

impl Cx<'_> {
    pub(super) fn called_value(
        &self,
        mount: MountId,
        id: ExprId,
        call: &Call,
        budget: u32,
    ) -> Vec<Callee> {
        let facts = self.facts(mount);
        if budget == 0 {
            return vec![Callee::unresolved(Unresolved::Budget)];
        }
        match facts.expr(id).kind {
            ExprKind::Path(path) => self.called_path(mount, path, call),
            ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Cast { value: inner, .. } => {
                self.called_value(mount, inner, call, budget - 1)
            }
            ExprKind::Select(values) => {
                let values = facts.expr_list(values).iter();
                values
                    .flat_map(|value| self.called_value(mount, *value, call, budget / 2))
                    .collect()
            }
            ExprKind::Use { binding, reaching } => {
                self.called_variable(mount, binding, reaching, call, budget - 1)
            }
            ExprKind::Never => Vec::new(),
            _ => {
                let found = self.callable(mount, id, budget);
                if found.is_empty() {
                    return vec![self.called_type(self.type_of(mount, id))];
                }
                let callees = found.into_iter();
                callees
                    .map(|(what, confidence)| self.called_what(what, confidence))
                    .collect()
            }
        }
    }

    /// A callable that is known, with what it gives.
    fn called_what(&self, what: What, confidence: Confidence) -> Callee {
        let callee = match what {
            What::Function(def) => self.function(def, &Substitution::default(), confidence),
            What::Body(mount, body) => self.called_body(mount, body),
            What::External(path) => self.external(path, Ty::UNKNOWN, None, confidence),
            other => Callee::new(other, confidence, Ty::UNKNOWN),
        };
        Callee {
            confidence: callee.confidence.min(confidence),
            ..callee
        }
    }

    /// A value of which only the type is known.
    pub(super) fn called_type(&self, ty: Ty) -> Callee {
        match self.arena.kind(self.arena.referent(ty)) {
            TypeKind::Closure(mount, body) => self.called_body(mount, body),
            TypeKind::FunctionItem(def) => {
                self.function(def, &Substitution::default(), Confidence::Likely)
            }
            TypeKind::ExternalFunction(path) => {
                self.external(path, Ty::UNKNOWN, None, Confidence::Likely)
            }
            TypeKind::Function(_, returns) => Callee {
                returns,
                ..Callee::unresolved(Unresolved::Value)
            },
            _ => Callee::unresolved(Unresolved::Value),
        }
    }

    pub(crate) fn called_body(&self, mount: MountId, body: BodyId) -> Callee {
        let value = self.body_value_type(mount, body);
        let asynchronous = self.facts(mount).body(body).flavour == Flavour::Async;
        let returns = if asynchronous {
            self.arena.ty(TypeKind::Future(value))
        } else {
            value
        };
        Callee::new(What::Body(mount, body), Confidence::Certain, returns)
    }

    pub(super) fn called_variable(
        &self,
        mount: MountId,
        binding: nostall_model::facts::BindingId,
        reaching: Run,
        call: &Call,
        budget: u32,
    ) -> Vec<Callee> {
        let facts = self.facts(mount);
        let definitions = if reaching.is_empty() {
            self.index(mount).definitions_of(binding)
        } else {
            &facts.definition_lists[reaching.range()]
        };
        let mut found = Vec::new();
        for definition in definitions.iter().map(|id| &facts.definitions[id.index()]) {
            match definition.kind {
                DefinitionKind::Value(value) => {
                    found.extend(self.called_value(mount, value, call, budget / 2));
                }
                DefinitionKind::Parameter(index) => {
                    let body = facts.bindings[binding.index()].body;
                    let returns = self
                        .function_bound(self.definition_type(mount, definition))
                        .map_or(Ty::UNKNOWN, |(_, it)| it);
                    found.push(Callee::new(
                        What::Parameter(mount, body, index),
                        Confidence::Certain,
                        returns,
                    ));
                    let given = self.iterated_callables(mount, body, index).into_iter();
                    found.extend(given.map(|(what, sure)| self.called_what(what, sure)));
                }
                _ => {}
            }
        }
        if found.is_empty() {
            vec![Callee::unresolved(Unresolved::Value)]
        } else {
            found
        }
    }

    pub(super) fn called_path(&self, mount: MountId, path: PathId, call: &Call) -> Vec<Callee> {
        let found = self.resolve_path(mount, path, Namespace::Value);
        if found.is_empty() {
            return vec![Callee::unresolved(Unresolved::Name)];
        }
        found
            .into_iter()
            .flat_map(|resolved| self.called_resolved(mount, resolved, path, call))
            .collect()
    }

    pub(super) fn called_resolved(
        &self,
        mount: MountId,
        resolved: Resolved,
        path: PathId,
        call: &Call,
    ) -> Vec<Callee> {
        match resolved {
            Resolved::Item(def) => vec![self.called_item(mount, def, path, call)],
            Resolved::External(path) => self.called_external(mount, path, call),
            Resolved::SelfType(def) => vec![self.constructor(self.self_type(def))],
            Resolved::Associated(ty, name) => self.called_associated(mount, ty, name, path, call),
            _ => vec![Callee::unresolved(Unresolved::Name)],
        }
    }

    pub(super) fn constructor(&self, returns: Ty) -> Callee {
        Callee::new(What::Constructor, Confidence::Certain, returns)
    }

    pub(super) fn called_item(
        &self,
        mount: MountId,
        def: DefId,
        path: PathId,
        call: &Call,
    ) -> Callee {
        match self.item(def).kind {
            ItemKind::Function => {
                let mut substitution = Substitution::default();
                self.learn_from_arguments(mount, def, call, false, &mut substitution);
                self.learn_from_path(mount, def, path, &mut substitution);
                self.function(def, &substitution, Confidence::Certain)
            }
            ItemKind::Struct { fields } | ItemKind::Variant { fields } => {
                self.constructor(self.constructed(mount, def, fields, call))
            }
            ItemKind::Constant { type_: Some(type_) } => {
                self.called_type(self.written_type(def.mount, type_))
            }
            _ => Callee::unresolved(Unresolved::Value),
        }
    }

    /// The type of `Struct(a, b)`: its parameters are learned from the arguments.
    pub(super) fn constructed(&self, mount: MountId, def: DefId, fields: Run, call: &Call) -> Ty {
        let facts = self.facts(mount);
        let mut substitution = Substitution::default();
        let fields = &self.facts(def.mount).fields[fields.range()];
        for (field, argument) in fields.iter().zip(&facts.arguments[call.arguments.range()]) {
            let written = self.written_type(def.mount, field.type_);
            self.unify(
                written,
                self.type_of(mount, argument.value),
                &mut substitution,
            );
        }
        self.substitute(self.type_of_resolved(Resolved::Item(def)), &substitution)
    }

    /// A function outside the program, by path. A trait's method is looked up by the type of what it is called on.
    pub(super) fn called_external(&self, mount: MountId, path: Symbol, call: &Call) -> Vec<Callee> {
        let text = self.arena.text(path);
        let first = self.facts(mount).arguments[call.arguments.range()]
            .first()
            .map(|argument| argument.value);
        if let (true, Some(first)) = (is_drop(&text), first) {
            let dropped = self.dropped(self.type_of(mount, first));
            if !dropped.is_empty() {
                return dropped;
            }
        }
        if let (Some((parent, name)), Some(first)) = (text.rsplit_once("::"), first) {
            if self.catalog.trait_entry(Language::Rust, parent).is_some() {
                let object = self.type_of(mount, first);
                // The path says whose method it is: only a type that is known can say that it is harmless.
                if !self.is_blank(&self.autoderef(object)) {
                    return self.method(mount, object, name, call);
                }
                let id = call_id(self.facts(mount), call);
                return vec![self.external(path, object, Some((mount, id)), Confidence::Likely)];
            }
            if let Some(returns) = self.wrapped(&text, || self.type_of(mount, first)) {
                return vec![self.constructor(returns)];
            }
        }
        let receiver = text
            .rsplit_once("::")
            .map_or(Ty::UNKNOWN, |(parent, _)| self.external_type(parent, &[]));
        vec![self.external(
            path,
            receiver,
            Some((mount, call_id(self.facts(mount), call))),
            Confidence::Certain,
        )]
    }

    /// `Some(x)`, `Ok(x)`, `Err(x)`: the constructors of the language's own enums.
    pub(super) fn wrapped(&self, path: &str, value: impl FnOnce() -> Ty) -> Option<Ty> {
        match path {
            "std::option::Option::Some" => {
                Some(self.arena.external("std::option::Option", &[value()]))
            }
            "std::result::Result::Ok" => Some(
                self.arena
                    .external("std::result::Result", &[value(), Ty::UNKNOWN]),
            ),
            "std::result::Result::Err" => Some(
                self.arena
                    .external("std::result::Result", &[Ty::UNKNOWN, value()]),
            ),
            _ => None,
        }
    }

    /// Of the methods of one name in several impls of traits, `From<A>` and `From<B>`, those that take what is given. When as
    /// many are left as say nothing, the call is not resolved.
    fn of_fitting_impls(
        &self,
        mount: MountId,
        found: Vec<(What, Confidence)>,
        call: &Call,
    ) -> Vec<(What, Confidence)> {
        let of_trait = |(what, _): &(What, Confidence)| match *what {
            What::Function(def) => self
                .owner(def)
                .is_some_and(|owner| self.is_trait_impl(owner)),
            _ => false,
        };
        if found.len() < 2 || !found.iter().all(of_trait) {
            return found;
        }
        let fits = |(what, _): &&(What, Confidence)| match *what {
            What::Function(def) => self.takes(def, mount, call),
            _ => false,
        };
        let fitting: Vec<_> = found.iter().filter(fits).copied().collect();
        if fitting.len() > MOST_IMPLEMENTATIONS {
            return vec![(What::Unresolved(Unresolved::Method), Confidence::Possible)];
        }
        if fitting.is_empty() { found } else { fitting }
    }

    fn is_trait_impl(&self, def: DefId) -> bool {
        let kind = self.item(def).kind;
        matches!(
            kind,
            ItemKind::Impl {
                trait_: Some(_),
                ..
            }
        )
    }

    /// Says whether a function that is called by its path may take what the call gives.
    fn takes(&self, def: DefId, mount: MountId, call: &Call) -> bool {
        let Some(body) = self.item(def).body else {
            return true;
        };
        let arguments = &self.facts(mount).arguments[call.arguments.range()];
        arguments.iter().enumerate().all(|(index, argument)| {
            let declared = self.declared_type(def.mount, body, index);
            self.fits(declared, self.type_of(mount, argument.value))
        })
    }

    pub(super) fn called_associated(
        &self,
        mount: MountId,
        ty: Ty,
        name: Symbol,
        path: PathId,
        call: &Call,
    ) -> Vec<Callee> {
        let name = self.arena.text(name);
        if let TypeKind::Parameter(..) = self.arena.kind(ty) {
            // `Trait::method(x)` and `T::method(x)`: what counts is the type of the object.
            let object = self.object_of(mount, ty, &name, call);
            let found = match self.trait_of_bound(ty).filter(|_| object != ty) {
                Some(trait_) => self.method_by_trait(object, trait_, &name),
                None => self.methods_at(object, &name),
            };
            return self.finish_methods(mount, object, found, call, true);
        }
        let found = self.of_fitting_impls(mount, self.methods_at(ty, &name), call);
        if !found.is_empty() {
            let mut found = self.finish_methods(mount, ty, found, call, true);
            if let [
                Callee {
                    what: What::Function(def),
                    returns,
                    ..
                },
            ] = found.as_mut_slice()
            {
                let mut substitution = Substitution::default();
                self.learn_from_path(mount, *def, path, &mut substitution);
                *returns = self.substitute(*returns, &substitution);
            }
            return found;
        }
        match self.arena.kind(ty) {
            TypeKind::Unknown => vec![Callee::unresolved(Unresolved::Name)],
            TypeKind::Primitive(primitive) => {
                let path = self
                    .arena
                    .symbol(&format!("{}::{name}", self.arena.text(primitive)));
                vec![self.external(
                    path,
                    ty,
                    Some((mount, call_id(self.facts(mount), call))),
                    Confidence::Certain,
                )]
            }
            // What a derive or an external trait adds to a type of the program.
            TypeKind::Named(..) => vec![Callee {
                returns: self.derived(ty, &name),
                ..Callee::unresolved(Unresolved::Method)
            }],
            _ => vec![Callee::unresolved(Unresolved::Method)],
        }
    }

    /// The definitions of a macro; those for tests only where there is no other.
    fn macros_that_exist(&self, mount: MountId, path: PathId) -> Vec<Resolved> {
        let mut found = self.resolve_path(mount, path, Namespace::Macro);
        let exists = |resolved: &Resolved| match resolved {
            Resolved::Item(def) => {
                item_presence(self.facts(def.mount), def.item) == Presence::Present
            }
            _ => true,
        };
        if found.iter().any(exists) {
            found.retain(exists);
        }
        found
    }

    pub(super) fn called_macro(&self, mount: MountId, path: PathId, call: CallId) -> Vec<Callee> {
        let found = self.macros_that_exist(mount, path);
        let mut callees = Vec::new();
        for resolved in found {
            match resolved {
                Resolved::Item(def) => {
                    let arms = self.index(def.mount).macro_arms.get(&def.item);
                    callees.extend(
                        arms.into_iter()
                            .flatten()
                            .map(|body| self.called_body(def.mount, *body)),
                    );
                    if callees.is_empty() {
                        callees.push(Callee::unresolved(Unresolved::Macro));
                    }
                }
                Resolved::External(path) => {
                    callees.push(self.external(
                        path,
                        Ty::UNKNOWN,
                        Some((mount, call)),
                        Confidence::Certain,
                    ));
                }
                _ => {}
            }
        }
        if callees.is_empty() {
            vec![Callee::unresolved(Unresolved::Macro)]
        } else {
            callees
        }
    }
}

fn is_drop(path: &str) -> bool {
    matches!(path, "std::mem::drop" | "std::ptr::drop_in_place")
}
