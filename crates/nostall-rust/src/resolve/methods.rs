//! What a call calls: functions by path, methods by the receiver's type, values that can be called.

use nostall_model::facts::{
    BodyId, BodyKind, Call, CallId, CallKind, Callee as Written, DefinitionKind, ExprId, ExprKind,
    Flavour, ItemKind, ParameterKind, PathId, Run,
};
use nostall_model::program::Unresolved;
use nostall_model::{Confidence, Language};
use std::rc::Rc;

pub(crate) use super::impls::Substitution;

use super::Cx;
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, Ty, TypeKind};

/// One thing that a call may call.
#[derive(Clone, Debug)]
pub(crate) struct Callee {
    pub(crate) what: What,
    pub(crate) confidence: Confidence,
    /// The type of the call's value.
    pub(crate) returns: Ty,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// A function or method of the program.
    Function(DefId),
    /// A closure, or the arm of a macro.
    Body(MountId, BodyId),
    /// A function outside the program.
    External(Symbol),
    /// A struct or variant: makes a value.
    Constructor,
    /// A callable that a body was given.
    Parameter(MountId, BodyId, u16),
    /// Not known.
    Unresolved(Unresolved),
}

/// More implementations than these of one trait say nothing about a call.
const MOST_IMPLEMENTATIONS: usize = 12;

impl Callee {
    fn new(what: What, confidence: Confidence, returns: Ty) -> Self {
        Self {
            what,
            confidence,
            returns,
        }
    }

    fn unresolved(reason: Unresolved) -> Self {
        Self::new(What::Unresolved(reason), Confidence::Possible, Ty::UNKNOWN)
    }
}

impl Cx<'_> {
    /// Returns what a call may call; empty where nothing runs.
    pub(crate) fn callees(&self, mount: MountId, id: CallId) -> Rc<[Callee]> {
        let key = (mount, id);
        if let Some(found) = self.callees.borrow().get(&key) {
            return Rc::clone(found);
        }
        let nothing: Rc<[Callee]> = [Callee::unresolved(Unresolved::Budget)].into();
        self.callees.borrow_mut().insert(key, nothing);
        let mut found = self.callees_anew(mount, id);
        dedup(&mut found);
        let found: Rc<[Callee]> = found.into();
        self.callees.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    fn callees_anew(&self, mount: MountId, id: CallId) -> Vec<Callee> {
        let facts = self.facts(mount);
        let call = *facts.call(id);
        match call.callee {
            Written::Value(value) => self.called_value(mount, value, &call, 16),
            Written::Macro(path) => self.called_macro(mount, path, id),
            Written::Method { receiver, name } => {
                let ty = self.type_of(mount, receiver);
                let name = facts.text(name);
                if call.kind == CallKind::Plain {
                    self.method(mount, ty, name, &call)
                } else {
                    self.implicit(ty, name, call.kind)
                }
            }
        }
    }

    // ---- values that are called

    fn called_value(&self, mount: MountId, id: ExprId, call: &Call, budget: u32) -> Vec<Callee> {
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
            _ => vec![self.called_type(self.type_of(mount, id))],
        }
    }

    /// A value of which only the type is known.
    fn called_type(&self, ty: Ty) -> Callee {
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

    fn called_variable(
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

    fn called_path(&self, mount: MountId, path: PathId, call: &Call) -> Vec<Callee> {
        let found = self.resolve_path(mount, path, Namespace::Value);
        if found.is_empty() {
            return vec![Callee::unresolved(Unresolved::Name)];
        }
        found
            .into_iter()
            .flat_map(|resolved| self.called_resolved(mount, resolved, path, call))
            .collect()
    }

    fn called_resolved(
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

    fn constructor(&self, returns: Ty) -> Callee {
        Callee::new(What::Constructor, Confidence::Certain, returns)
    }

    fn called_item(&self, mount: MountId, def: DefId, path: PathId, call: &Call) -> Callee {
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
    fn constructed(&self, mount: MountId, def: DefId, fields: Run, call: &Call) -> Ty {
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
    fn called_external(&self, mount: MountId, path: Symbol, call: &Call) -> Vec<Callee> {
        let text = self.arena.text(path);
        let first = self.facts(mount).arguments[call.arguments.range()]
            .first()
            .map(|argument| argument.value);
        if let (Some((parent, name)), Some(first)) = (text.rsplit_once("::"), first) {
            if self.catalog.trait_entry(Language::Rust, parent).is_some() {
                return self.method(mount, self.type_of(mount, first), name, call);
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
    fn wrapped(&self, path: &str, value: impl FnOnce() -> Ty) -> Option<Ty> {
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

    fn called_associated(
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
            let first = self.facts(mount).arguments[call.arguments.range()].first();
            let receiver =
                first.map_or(Ty::UNKNOWN, |argument| self.type_of(mount, argument.value));
            let object = if receiver == Ty::UNKNOWN {
                ty
            } else {
                receiver
            };
            let found = self.methods_at(object, &name);
            let found = if found.is_empty() {
                self.methods_at(ty, &name)
            } else {
                found
            };
            return self.finish_methods(mount, ty, found, call, true);
        }
        let found = self.methods_at(ty, &name);
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

    fn called_macro(&self, mount: MountId, path: PathId, call: CallId) -> Vec<Callee> {
        let found = self.resolve_path(mount, path, Namespace::Macro);
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

    // ---- methods

    /// A written method call on a value of a type.
    fn method(&self, mount: MountId, ty: Ty, name: &str, call: &Call) -> Vec<Callee> {
        let members = self.arena.members(ty);
        let several = members.len() > 1;
        let mut callees = Vec::new();
        for member in members {
            let steps = self.autoderef(member);
            let found = steps.iter().find_map(|step| {
                let found = self.methods_at(*step, name);
                if found.is_empty() {
                    None
                } else {
                    Some((*step, found))
                }
            });
            match found {
                Some((step, found)) => {
                    callees.extend(self.finish_methods(mount, step, found, call, false));
                }
                None => callees.push(self.unknown_method(&steps, name)),
            }
        }
        if several {
            for callee in &mut callees {
                callee.confidence = callee.confidence.min(Confidence::Likely);
            }
        }
        callees
    }

    /// A method that nobody declares: outside the program if the type is.
    fn unknown_method(&self, steps: &[Ty], name: &str) -> Callee {
        let returns = self.derived(steps[0], name);
        for step in steps {
            match self.arena.kind(*step) {
                TypeKind::External(path, _) | TypeKind::Primitive(path) => {
                    let path = self
                        .arena
                        .symbol(&format!("{}::{name}", self.arena.text(path)));
                    return Callee::new(What::External(path), Confidence::Likely, returns);
                }
                TypeKind::Slice(_) => {
                    let path = self.arena.symbol(&format!("slice::{name}"));
                    return Callee::new(What::External(path), Confidence::Likely, returns);
                }
                TypeKind::Named(..) => {
                    return Callee {
                        returns,
                        ..Callee::unresolved(Unresolved::Method)
                    };
                }
                _ => {}
            }
        }
        Callee {
            returns,
            ..Callee::unresolved(Unresolved::Receiver)
        }
    }

    /// What the methods that every type can derive give.
    fn derived(&self, ty: Ty, name: &str) -> Ty {
        match name {
            "clone" | "to_owned" | "default" => self.arena.referent(ty),
            _ => Ty::UNKNOWN,
        }
    }

    /// The methods of a name on exactly this type, without looking through references.
    fn methods_at(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        match self.arena.kind(ty) {
            TypeKind::Named(..) => self.methods_of_program_type(ty, name),
            TypeKind::External(path, arguments) => {
                self.methods_of_external_type(ty, path, &arguments, name)
            }
            TypeKind::Primitive(_) | TypeKind::Slice(_) | TypeKind::Tuple(_) => {
                let own = self.methods_of_program_type(ty, name);
                if own.is_empty() {
                    self.methods_of_builtin(ty, name)
                } else {
                    own
                }
            }
            TypeKind::Parameter(def, parameter) => {
                self.methods_of_bounded(ty, &self.bounds(def, parameter), name)
            }
            TypeKind::Impl(bounds) => self.methods_of_bounded(ty, &bounds, name),
            TypeKind::Dyn(bounds) => {
                let inherent = self.methods_of_program_type(ty, name);
                if inherent.is_empty() {
                    self.methods_of_bounded(ty, &bounds, name)
                } else {
                    inherent
                }
            }
            _ => Vec::new(),
        }
    }

    fn methods_of_program_type(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let impls = self.impls_of(ty);
        let inherent =
            |def: &DefId| matches!(self.item(*def).kind, ItemKind::Impl { trait_: None, .. });
        for own in [true, false] {
            let mut found = Vec::new();
            for impl_ in impls.iter().filter(|def| inherent(def) == own) {
                found.extend(
                    self.associated_in(*impl_, name)
                        .into_iter()
                        .map(|def| (What::Function(def), Confidence::Certain)),
                );
            }
            if !found.is_empty() {
                return found;
            }
        }
        let traits = impls.iter().filter_map(|impl_| self.trait_of(*impl_));
        let mut found: Vec<_> = traits
            .flat_map(|trait_| self.default_methods(trait_, name))
            .collect();
        if found.is_empty() {
            found = self.blanket_methods(ty, name);
        }
        found
    }

    fn default_methods(&self, trait_: DefId, name: &str) -> Vec<(What, Confidence)> {
        let own = self.associated_in(trait_, name).into_iter();
        own.filter(|def| self.has_code(*def))
            .map(|def| (What::Function(def), Confidence::Certain))
            .collect()
    }

    /// Says whether a function of a trait has a default body.
    fn has_code(&self, def: DefId) -> bool {
        self.item(def)
            .body
            .is_some_and(|body| !self.facts(def.mount).body(body).is_signature())
    }

    /// Methods that an `impl<T: Bound> Trait for T` adds.
    fn blanket_methods(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let mut found = Vec::new();
        for impl_ in self.blanket_impls() {
            let TypeKind::Parameter(owner, parameter) = self.arena.kind(self.self_type(impl_))
            else {
                continue;
            };
            if !self.meets(ty, &self.bounds(owner, parameter)) {
                continue;
            }
            let mut own = self.associated_in(impl_, name);
            if own.is_empty()
                && let Some(trait_) = self.trait_of(impl_)
            {
                own = self
                    .associated_in(trait_, name)
                    .into_iter()
                    .filter(|def| self.has_code(*def))
                    .collect();
            }
            found.extend(
                own.into_iter()
                    .map(|def| (What::Function(def), Confidence::Likely)),
            );
        }
        found
    }

    /// Says whether a type has all those of the bounds that the program can answer for.
    fn meets(&self, ty: Ty, bounds: &[Ty]) -> bool {
        let traits: Vec<DefId> = self
            .impls_of(ty)
            .into_iter()
            .filter_map(|impl_| self.trait_of(impl_))
            .collect();
        bounds
            .iter()
            .filter_map(|bound| self.trait_of_bound(*bound))
            .all(|bound| traits.contains(&bound))
    }

    fn methods_of_external_type(
        &self,
        ty: Ty,
        path: Symbol,
        arguments: &[Ty],
        name: &str,
    ) -> Vec<(What, Confidence)> {
        let type_path = self.arena.text(path);
        let own = format!("{type_path}::{name}");
        if let Some(found) = self.catalog.lookup(Language::Rust, &own)
            && !found.wildcard
        {
            return vec![(What::External(self.arena.symbol(&own)), Confidence::Certain)];
        }
        let of_traits = self.external_trait_methods(&type_path, arguments, name);
        if !of_traits.is_empty() {
            return of_traits;
        }
        let program = self.methods_of_program_type(ty, name);
        if !program.is_empty() {
            return program;
        }
        if self.catalog.lookup(Language::Rust, &own).is_some() {
            return vec![(What::External(self.arena.symbol(&own)), Confidence::Likely)];
        }
        self.iterator_method(ty, name)
    }

    /// Methods of catalogued traits that a type carries, itself or through what it wraps.
    fn external_trait_methods(
        &self,
        type_path: &str,
        arguments: &[Ty],
        name: &str,
    ) -> Vec<(What, Confidence)> {
        let mut found = Vec::new();
        for matched in self.catalog.trait_method(Language::Rust, type_path, name) {
            let api = self.catalog.api(matched.api);
            let carried = !matched.through
                || arguments
                    .first()
                    .is_some_and(|inner| self.carries(*inner, &api.path, 4));
            if carried {
                found.push((
                    What::External(self.arena.symbol(&api.path)),
                    Confidence::Certain,
                ));
            }
        }
        found
    }

    /// Says whether a type carries the trait of a catalogued method.
    pub(crate) fn carries(&self, ty: Ty, method: &str, budget: u32) -> bool {
        let Some((trait_, _)) = method.rsplit_once("::") else {
            return false;
        };
        let steps = self.autoderef(ty);
        budget > 0
            && steps.iter().any(|step| match self.arena.kind(*step) {
                TypeKind::External(path, arguments) => {
                    match self
                        .catalog
                        .carries(Language::Rust, trait_, &self.arena.text(path))
                    {
                        Some(nostall_catalog::Carrying::Direct) => true,
                        Some(nostall_catalog::Carrying::ThroughFirstParameter) => arguments
                            .first()
                            .is_some_and(|inner| self.carries(*inner, method, budget - 1)),
                        None => false,
                    }
                }
                _ => false,
            })
    }

    fn methods_of_builtin(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let path = match self.arena.kind(ty) {
            TypeKind::Primitive(primitive) => self.arena.text(primitive).to_string(),
            TypeKind::Slice(_) => "slice".to_owned(),
            TypeKind::Tuple(_) => self.type_text(ty),
            _ => return Vec::new(),
        };
        let own = format!("{path}::{name}");
        if self.catalog.lookup(Language::Rust, &own).is_some() {
            return vec![(What::External(self.arena.symbol(&own)), Confidence::Certain)];
        }
        self.external_trait_methods(&path, &[], name)
    }

    /// A type of the language as the catalogue writes it: `(&str, u16)`.
    fn type_text(&self, ty: Ty) -> String {
        match self.arena.kind(ty) {
            TypeKind::External(path, _) | TypeKind::Primitive(path) => {
                self.arena.text(path).to_string()
            }
            TypeKind::Reference(inner) => format!("&{}", self.type_text(inner)),
            TypeKind::Slice(inner) => format!("[{}]", self.type_text(inner)),
            TypeKind::Tuple(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|member| self.type_text(*member))
                    .collect();
                format!("({})", members.join(", "))
            }
            _ => "_".to_owned(),
        }
    }

    /// `Iterator`'s own methods, on what is known to be iterated.
    fn iterator_method(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let path = format!("std::iter::Iterator::{name}");
        let known = self.catalog.lookup(Language::Rust, &path).is_some()
            && self.item_type(ty) != Ty::UNKNOWN;
        if known {
            vec![(
                What::External(self.arena.symbol(&path)),
                Confidence::Certain,
            )]
        } else {
            Vec::new()
        }
    }

    /// Methods of a type of which only the bounds are known: the program's traits, then iteration.
    fn methods_of_bounded(&self, ty: Ty, bounds: &[Ty], name: &str) -> Vec<(What, Confidence)> {
        let found = self.methods_of_bounds(bounds, name);
        if !found.is_empty() {
            return found;
        }
        let conversion = bounds
            .iter()
            .find_map(|bound| self.conversion(*bound, name));
        match conversion {
            Some((path, _)) => vec![(What::External(path), Confidence::Certain)],
            None => self.iterator_method(ty, name),
        }
    }

    /// The conversions of the language's own traits: `AsRef<T>::as_ref` gives a `&T`, `Into<T>::into` a `T`.
    fn conversion(&self, bound: Ty, name: &str) -> Option<(Symbol, Ty)> {
        let TypeKind::External(path, arguments) = self.arena.kind(bound) else {
            return None;
        };
        let target = *arguments.first()?;
        let trait_ = self.arena.text(path);
        let gives = match (&*trait_, name) {
            ("std::convert::AsRef", "as_ref") | ("std::convert::AsMut", "as_mut") => {
                self.arena.reference(target)
            }
            ("std::borrow::Borrow", "borrow") | ("std::borrow::BorrowMut", "borrow_mut") => {
                self.arena.reference(target)
            }
            ("std::convert::Into", "into") => target,
            ("std::convert::TryInto", "try_into") => self
                .arena
                .external("std::result::Result", &[target, Ty::UNKNOWN]),
            _ => return None,
        };
        Some((self.arena.symbol(&format!("{trait_}::{name}")), gives))
    }

    /// Methods that bounds promise: those of all types of the program that have the trait.
    fn methods_of_bounds(&self, bounds: &[Ty], name: &str) -> Vec<(What, Confidence)> {
        let mut found = Vec::new();
        for bound in bounds {
            if let Some(trait_) = self.trait_of_bound(*bound) {
                found.extend(self.methods_of_trait(trait_, name, 4));
            }
        }
        found
    }

    fn methods_of_trait(&self, trait_: DefId, name: &str, budget: u32) -> Vec<(What, Confidence)> {
        let declared = self.associated_in(trait_, name);
        if declared.is_empty() {
            let ItemKind::Trait { supertraits } = self.item(trait_).kind else {
                return Vec::new();
            };
            let supertraits = self.written_types(trait_.mount, supertraits);
            let supertraits = supertraits
                .into_iter()
                .filter_map(|bound| self.trait_of_bound(bound));
            let deeper = supertraits.filter(|_| budget > 0);
            return deeper
                .flat_map(|trait_| self.methods_of_trait(trait_, name, budget - 1))
                .collect();
        }
        let mut found: Vec<DefId> = declared
            .into_iter()
            .filter(|def| self.has_code(*def))
            .collect();
        for impl_ in self.impls_of_trait(trait_) {
            found.extend(self.associated_in(impl_, name));
        }
        if found.is_empty() || found.len() > MOST_IMPLEMENTATIONS {
            return vec![(What::Unresolved(Unresolved::Method), Confidence::Possible)];
        }
        let confidence = if found.len() == 1 {
            Confidence::Likely
        } else {
            Confidence::Possible
        };
        found
            .into_iter()
            .map(|def| (What::Function(def), confidence))
            .collect()
    }

    /// Adds what the found methods return.
    fn finish_methods(
        &self,
        mount: MountId,
        receiver: Ty,
        found: Vec<(What, Confidence)>,
        call: &Call,
        by_path: bool,
    ) -> Vec<Callee> {
        let finish = |(what, confidence)| match what {
            What::Function(def) => {
                let mut substitution = Substitution::default();
                if let Some(owner) = self.owner(def) {
                    self.unify(self.self_type(owner), receiver, &mut substitution);
                }
                self.learn_from_arguments(mount, def, call, !by_path, &mut substitution);
                self.function(def, &substitution, confidence)
            }
            What::External(path) => self.external_method(mount, path, receiver, call, confidence),
            other => Callee::new(other, confidence, Ty::UNKNOWN),
        };
        found.into_iter().map(finish).collect()
    }

    /// What a conversion gives for a receiver of which only the bounds are known.
    fn converted(&self, path: Symbol, receiver: Ty) -> Option<Ty> {
        let text = self.arena.text(path);
        let name = text.rsplit("::").next()?;
        let bounds = match self.arena.kind(receiver) {
            TypeKind::Parameter(def, parameter) => self.bounds(def, parameter),
            TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => bounds.to_vec(),
            _ => return None,
        };
        bounds
            .into_iter()
            .find_map(|bound| self.conversion(bound, name))
            .map(|(_, gives)| gives)
    }

    /// The impl or trait in which a method is declared.
    pub(crate) fn owner(&self, def: DefId) -> Option<DefId> {
        let scope = super::mounts::ScopeRef {
            mount: def.mount,
            scope: self.item(def).scope,
        };
        self.self_item(scope)
    }

    /// Implicit calls run code only where the program says so, or the catalogue.
    fn implicit(&self, ty: Ty, name: &str, kind: CallKind) -> Vec<Callee> {
        let members = self.arena.members(ty);
        match kind {
            CallKind::Iterate => members
                .iter()
                .flat_map(|member| self.iterated(*member, name))
                .collect(),
            CallKind::Drop => {
                let impls = members
                    .iter()
                    .filter_map(|ty| self.impl_of_external_trait(*ty, &["std::ops::Drop"]));
                let dropped = impls.flat_map(|impl_| self.associated_in(impl_, name));
                dropped
                    .map(|def| self.function(def, &Substitution::default(), Confidence::Likely))
                    .collect()
            }
            CallKind::Index => {
                let item = self.item_type(ty);
                let mut found = self.operator(&members, name);
                if found.is_empty() && item != Ty::UNKNOWN {
                    found.push(self.constructor(self.arena.referent(item)));
                }
                found
            }
            _ => self.operator(&members, name),
        }
    }

    fn operator(&self, members: &[Ty], name: &str) -> Vec<Callee> {
        let methods =
            members
                .iter()
                .flat_map(|ty| match self.arena.kind(self.arena.referent(*ty)) {
                    TypeKind::Named(..) => {
                        self.methods_of_program_type(self.arena.referent(*ty), name)
                    }
                    _ => Vec::new(),
                });
        let functions = methods.filter_map(|(what, confidence)| match what {
            What::Function(def) => Some(self.function(def, &Substitution::default(), confidence)),
            _ => None,
        });
        functions.collect()
    }

    fn iterated(&self, ty: Ty, name: &str) -> Vec<Callee> {
        let steps = self.autoderef(ty);
        for method in [name, "next"] {
            for step in &steps {
                let found = match self.arena.kind(*step) {
                    TypeKind::Named(..) => self.methods_of_program_type(*step, method),
                    TypeKind::External(path, arguments) => {
                        let path = self.arena.text(path);
                        let own = format!("{path}::{method}");
                        if self.catalog.lookup(Language::Rust, &own).is_some() {
                            vec![(What::External(self.arena.symbol(&own)), Confidence::Certain)]
                        } else {
                            self.external_trait_methods(&path, &arguments, method)
                        }
                    }
                    _ => Vec::new(),
                };
                if !found.is_empty() {
                    return found
                        .into_iter()
                        .map(|(what, confidence)| Callee::new(what, confidence, *step))
                        .collect();
                }
            }
        }
        Vec::new()
    }

    // ---- functions and what they return

    pub(crate) fn function(
        &self,
        def: DefId,
        substitution: &Substitution,
        confidence: Confidence,
    ) -> Callee {
        let returns = self.item(def).body.map_or(Ty::UNKNOWN, |body| {
            let record = self.facts(def.mount).body(body);
            let written = record.returns.map_or_else(
                || self.unit(),
                |returns| self.written_type(def.mount, returns),
            );
            let known = self.substitute(written, substitution);
            if record.flavour == Flavour::Async {
                self.arena.ty(TypeKind::Future(known))
            } else {
                known
            }
        });
        Callee::new(What::Function(def), confidence, returns)
    }

    /// Learns a function's generic parameters from the types of the arguments.
    fn learn_from_arguments(
        &self,
        mount: MountId,
        def: DefId,
        call: &Call,
        by_method: bool,
        substitution: &mut Substitution,
    ) {
        let Some(body) = self.item(def).body else {
            return;
        };
        if self.facts(def.mount).item(def.item).generics.is_empty()
            && self.owner_generics_empty(def)
        {
            return;
        }
        let parameters = self.facts(def.mount).body_parameters(body);
        let skip = usize::from(
            by_method
                && parameters
                    .first()
                    .is_some_and(|it| it.kind == ParameterKind::Receiver),
        );
        let arguments = &self.facts(mount).arguments[call.arguments.range()];
        for (parameter, argument) in parameters.iter().skip(skip).zip(arguments) {
            if let Some(type_) = parameter.type_ {
                let written = self.written_type(def.mount, type_);
                self.unify(written, self.type_of(mount, argument.value), substitution);
            }
        }
    }

    fn owner_generics_empty(&self, def: DefId) -> bool {
        self.owner(def)
            .is_none_or(|owner| self.item(owner).generics.is_empty())
    }

    /// Learns them from `f::<A, B>`.
    fn learn_from_path(
        &self,
        mount: MountId,
        def: DefId,
        path: PathId,
        substitution: &mut Substitution,
    ) {
        let facts = self.facts(mount);
        let Some(last) = facts.path_segments(path).last() else {
            return;
        };
        let arguments = self.written_types(mount, last.arguments);
        for (parameter, argument) in self.generic_types(def).into_iter().zip(arguments) {
            self.unify(parameter, argument, substitution);
        }
    }

    fn external_method(
        &self,
        mount: MountId,
        path: Symbol,
        receiver: Ty,
        call: &Call,
        confidence: Confidence,
    ) -> Callee {
        let mut callee = self.external(
            path,
            receiver,
            Some((mount, call_id(self.facts(mount), call))),
            confidence,
        );
        if let Some(converted) = self.converted(path, receiver) {
            callee.returns = converted;
        }
        if callee.returns == Ty::UNKNOWN {
            let text = self.arena.text(path);
            let name = text.rsplit("::").next().unwrap_or_default();
            callee.returns = self.derived(receiver, name);
        }
        if let Some(written) = self.facts(mount).type_list(call.type_arguments).first()
            && callee.returns == Ty::UNKNOWN
        {
            // `collect::<Vec<_>>()`, `parse::<T>()`: the written argument is what the call is about.
            callee.returns = self.written_type(mount, *written);
        }
        callee
    }

    pub(crate) fn external(
        &self,
        path: Symbol,
        receiver: Ty,
        call: Option<(MountId, CallId)>,
        confidence: Confidence,
    ) -> Callee {
        let text = self.arena.text(path);
        let found = self.catalog.lookup(Language::Rust, &text);
        let stub = found.and_then(|found| self.catalog.api(found.api).returns.clone());
        let returns = match stub {
            Some(stub) => self.stub_type(&stub, &self.names_of(receiver, call)),
            None => self.constructed_by_convention(&text),
        };
        let wildcard = found.is_some_and(|found| found.wildcard);
        let confidence = if wildcard {
            confidence.min(Confidence::Likely)
        } else {
            confidence
        };
        Callee::new(What::External(path), confidence, returns)
    }

    /// `Type::new` and `Type::default` make a `Type` by convention, `Type::from` by the trait's own signature.
    fn constructed_by_convention(&self, path: &str) -> Ty {
        let Some((parent, function)) = path.rsplit_once("::") else {
            return Ty::UNKNOWN;
        };
        let name = parent.rsplit("::").next().unwrap_or_default();
        if !name.starts_with(char::is_uppercase) {
            return Ty::UNKNOWN;
        }
        match function {
            "new" | "default" | "from" | "from_iter" | "with_capacity" => {
                self.external_type(parent, &[])
            }
            "from_str" | "try_from" | "try_new" => self.arena.external(
                "std::result::Result",
                &[self.external_type(parent, &[]), Ty::UNKNOWN],
            ),
            _ => Ty::UNKNOWN,
        }
    }

    // ---- callables

    /// Returns what a value may be when it is called; nothing for a value that is no callable.
    pub(crate) fn callable(
        &self,
        mount: MountId,
        id: ExprId,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        if budget == 0 {
            return Vec::new();
        }
        match facts.expr(id).kind {
            ExprKind::Callable(body) => vec![(What::Body(mount, body), Confidence::Certain)],
            ExprKind::Path(path) => self.callable_path(mount, path),
            ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Cast { value: inner, .. } => self.callable(mount, inner, budget - 1),
            ExprKind::Select(values) => facts
                .expr_list(values)
                .iter()
                .flat_map(|value| self.callable(mount, *value, budget / 2))
                .collect(),
            ExprKind::Use { binding, reaching } => {
                let definitions = if reaching.is_empty() {
                    self.index(mount).definitions_of(binding)
                } else {
                    &facts.definition_lists[reaching.range()]
                };
                let kinds = definitions.iter().map(|id| &facts.definitions[id.index()]);
                kinds
                    .flat_map(|definition| self.callable_definition(mount, definition, budget / 2))
                    .collect()
            }
            ExprKind::Call(call) => self.callable_from_call(mount, call, budget - 1),
            _ => Vec::new(),
        }
    }

    fn callable_definition(
        &self,
        mount: MountId,
        definition: &nostall_model::facts::Definition,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        match definition.kind {
            DefinitionKind::Value(value) => self.callable(mount, value, budget),
            DefinitionKind::Parameter(index) => {
                let body = self.facts(mount).bindings[definition.binding.index()].body;
                let callable = self
                    .function_bound(self.definition_type(mount, definition))
                    .is_some();
                if callable {
                    vec![(What::Parameter(mount, body, index), Confidence::Certain)]
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    fn callable_path(&self, mount: MountId, path: PathId) -> Vec<(What, Confidence)> {
        let found = self
            .resolve_path(mount, path, Namespace::Value)
            .into_iter()
            .flat_map(|resolved| match resolved {
                Resolved::Item(def) if matches!(self.item(def).kind, ItemKind::Function) => {
                    vec![(What::Function(def), Confidence::Certain)]
                }
                Resolved::External(path)
                    if self
                        .catalog
                        .lookup(Language::Rust, &self.arena.text(path))
                        .is_some() =>
                {
                    vec![(What::External(path), Confidence::Certain)]
                }
                Resolved::Associated(ty, name) => self.methods_at(ty, &self.arena.text(name)),
                _ => Vec::new(),
            });
        found
            .filter(|(what, _)| !matches!(what, What::Unresolved(_)))
            .collect()
    }

    /// `Box::new(|| ..)`, `f.clone()`: the callable that went in comes out.
    fn callable_from_call(
        &self,
        mount: MountId,
        id: CallId,
        budget: u32,
    ) -> Vec<(What, Confidence)> {
        let facts = self.facts(mount);
        match facts.call(id).callee {
            Written::Method { receiver, .. }
                if self.arena.kind(self.type_of(mount, facts.call(id).expr))
                    == self.arena.kind(self.type_of(mount, receiver)) =>
            {
                self.callable(mount, receiver, budget)
            }
            Written::Value(_) => {
                let [argument] = facts.call_arguments(id) else {
                    return Vec::new();
                };
                let smart = self
                    .autoderef(self.type_of(mount, facts.call(id).expr))
                    .len()
                    > 1;
                if smart {
                    self.callable(mount, argument.value, budget)
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    /// The parameters and the result of a type that can be called: `fn(..)`, `impl Fn(..)`, a parameter with such a bound.
    pub(crate) fn function_bound(&self, ty: Ty) -> Option<(super::types::Tys, Ty)> {
        self.autoderef(ty)
            .into_iter()
            .find_map(|step| match self.arena.kind(step) {
                TypeKind::Function(parameters, returns) => Some((parameters, returns)),
                TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => {
                    bounds.iter().find_map(|bound| self.function_bound(*bound))
                }
                TypeKind::Parameter(def, name) => {
                    self.bounds(def, name).into_iter().find_map(|bound| {
                        match self.arena.kind(bound) {
                            TypeKind::Function(parameters, returns) => Some((parameters, returns)),
                            _ => None,
                        }
                    })
                }
                _ => None,
            })
    }

    /// The type of a closure's parameter, from the bound of the function that it is passed to.
    pub(crate) fn closure_parameter(&self, mount: MountId, body: BodyId, index: u16) -> Ty {
        let facts = self.facts(mount);
        debug_assert_eq!(facts.body(body).kind, BodyKind::Closure);
        let Some((call, position)) = self.closure_sinks(mount).get(&body).copied() else {
            return Ty::UNKNOWN;
        };
        let types: Vec<Ty> = self
            .callees(mount, call)
            .iter()
            .map(|callee| match callee.what {
                What::Function(def) => self.bound_parameter(def, position, facts.call(call), index),
                What::External(path) => self.given_parameter(mount, path, call, position, index),
                _ => Ty::UNKNOWN,
            })
            .collect();
        self.arena.union(types)
    }

    /// What the catalogue says that a callable is given.
    fn given_parameter(
        &self,
        mount: MountId,
        path: Symbol,
        call: CallId,
        position: u16,
        index: u16,
    ) -> Ty {
        let Some(found) = self.catalog.lookup(Language::Rust, &self.arena.text(path)) else {
            return Ty::UNKNOWN;
        };
        let api = self.catalog.api(found.api);
        let Some(stub) = api.gives.get(usize::from(index)) else {
            return Ty::UNKNOWN;
        };
        if api.callable.as_ref().and_then(|callable| callable.index) != Some(position) {
            return Ty::UNKNOWN;
        }
        let Written::Method { receiver, .. } = self.facts(mount).call(call).callee else {
            return Ty::UNKNOWN;
        };
        let steps = self.autoderef(self.type_of(mount, receiver));
        let types = steps
            .into_iter()
            .map(|step| self.stub_type(stub, &self.names_of(step, Some((mount, call)))));
        types
            .into_iter()
            .find(|ty| *ty != Ty::UNKNOWN)
            .unwrap_or(Ty::UNKNOWN)
    }

    fn bound_parameter(&self, def: DefId, position: u16, call: &Call, index: u16) -> Ty {
        let Some(body) = self.item(def).body else {
            return Ty::UNKNOWN;
        };
        let parameters = self.facts(def.mount).body_parameters(body);
        let method = matches!(call.callee, Written::Method { .. });
        let skip = usize::from(
            method
                && parameters
                    .first()
                    .is_some_and(|it| it.kind == ParameterKind::Receiver),
        );
        let type_ = parameters
            .get(usize::from(position) + skip)
            .and_then(|parameter| parameter.type_);
        let bound =
            type_.and_then(|type_| self.function_bound(self.written_type(def.mount, type_)));
        bound
            .and_then(|(parameters, _)| parameters.get(usize::from(index)).copied())
            .unwrap_or(Ty::UNKNOWN)
    }

    /// The functions and constants of a name on a type.
    pub(crate) fn associated_items(&self, ty: Ty, name: &str) -> Vec<DefId> {
        let found = self.methods_at(ty, name).into_iter();
        found
            .filter_map(|(what, _)| {
                if let What::Function(def) = what {
                    Some(def)
                } else {
                    None
                }
            })
            .collect()
    }
}

/// The number of a call: its expression names it.
fn call_id(facts: &nostall_model::facts::FileFacts, call: &Call) -> CallId {
    match facts.expr(call.expr).kind {
        ExprKind::Call(id) => id,
        _ => CallId(0),
    }
}

fn dedup(callees: &mut Vec<Callee>) {
    let mut seen: Vec<What> = Vec::with_capacity(callees.len());
    callees.sort_by_key(|callee| std::cmp::Reverse(callee.confidence));
    callees.retain(|callee| {
        let new = !seen.contains(&callee.what);
        if new {
            seen.push(callee.what);
        }
        new
    });
}
