//! What a call calls; methods by the receiver's type.

use nostall_model::facts::{BodyId, Call, CallId, CallKind, Callee as Written, ExprKind, ItemKind};
use nostall_model::program::{Presence, Unresolved};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashSet;
use std::rc::Rc;

pub(crate) use super::impls::Substitution;

use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, Ty, TypeKind};
use super::{Cx, DEEPEST, Found};

/// One thing that a call may call.
#[derive(Clone, Debug)]
pub(crate) struct Callee {
    pub(crate) what: What,
    pub(crate) confidence: Confidence,
    /// The type of the call's value.
    pub(crate) returns: Ty,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
pub(super) const MOST_IMPLEMENTATIONS: usize = 12;

impl Callee {
    pub(super) fn new(what: What, confidence: Confidence, returns: Ty) -> Self {
        Self {
            what,
            confidence,
            returns,
        }
    }

    pub(super) fn unresolved(reason: Unresolved) -> Self {
        Self::new(What::Unresolved(reason), Confidence::Possible, Ty::UNKNOWN)
    }
}

impl Cx<'_> {
    /// Returns what a call may call; empty where nothing runs.
    pub(crate) fn callees(&self, mount: MountId, id: CallId) -> Rc<[Callee]> {
        self.known.callees.ask(
            &self.depth,
            DEEPEST,
            (mount, id),
            || [Callee::unresolved(Unresolved::Budget)].into(),
            || {
                let mut found = self.callees_anew(mount, id);
                dedup(&mut found);
                found.into()
            },
        )
    }

    pub(super) fn callees_anew(&self, mount: MountId, id: CallId) -> Vec<Callee> {
        let facts = self.facts(mount);
        let call = *facts.call(id);
        let mut callees = self.written_callees(mount, id, &call);
        if call.kind == CallKind::Plain {
            callees.extend(self.made_for_arguments(mount, id, &callees));
            callees.extend(self.dropped_result(&call, &callees));
        }
        callees
    }

    fn written_callees(&self, mount: MountId, id: CallId, call: &Call) -> Vec<Callee> {
        let facts = self.facts(mount);
        match call.callee {
            Written::Value(value) => self.called_value(mount, value, call, 32),
            Written::Macro(path) => self.called_macro(mount, path, id),
            Written::Method { receiver, name } => {
                let ty = self.type_of(mount, receiver);
                let name = facts.text(name);
                if call.kind == CallKind::Plain {
                    let mut callees = self.method(mount, ty, name, call);
                    callees.extend(self.lazy_initialiser(mount, receiver));
                    self.add_implied(mount, id, ty, name, &mut callees);
                    callees
                } else {
                    self.implicit(mount, id, receiver, name)
                }
            }
        }
    }

    /// A written method call on a value of a type.
    pub(super) fn method(&self, mount: MountId, ty: Ty, name: &str, call: &Call) -> Vec<Callee> {
        let members = self.arena.members(ty);
        let several = members.len() > 1;
        let mut callees = Vec::new();
        for member in members {
            let steps = self.autoderef(member);
            let found = self.first_method_in(&steps, name, Some((mount, call)));
            match found {
                Some((step, found)) => {
                    callees.extend(self.finish_methods(mount, step, found, call, false));
                }
                None => {
                    let scope = self.facts(mount).body(call.body).scope;
                    match self.assumed_method(mount, scope, &steps, name) {
                        Some(found) => {
                            callees.extend(self.finish_methods(
                                mount,
                                member,
                                vec![found],
                                call,
                                false,
                            ));
                        }
                        None => callees.push(self.unknown_method(&steps, name)),
                    }
                }
            }
        }
        if several {
            for callee in &mut callees {
                callee.confidence = callee.confidence.min(Confidence::Likely);
            }
        }
        callees
    }

    /// The first step of a receiver's type that has a method. What only a wildcard of the catalogue promises comes last.
    pub(super) fn first_method(
        &self,
        steps: &[Ty],
        name: &str,
    ) -> Option<(Ty, Vec<(What, Confidence)>)> {
        self.first_method_in(steps, name, None)
    }

    /// The same for a call: what is no method for it does not hide what lies behind.
    fn first_method_in(
        &self,
        steps: &[Ty],
        name: &str,
        call: Option<(MountId, &Call)>,
    ) -> Option<(Ty, Vec<(What, Confidence)>)> {
        let named = steps.iter().find_map(|step| {
            let mut found = self.methods_at(*step, name);
            if let Some((mount, call)) = call {
                self.keep_methods_of_here(mount, call, &mut found);
            }
            (!found.is_empty()).then_some((*step, found))
        });
        named.or_else(|| {
            steps.iter().find_map(|step| {
                let found = self.wildcard_method(*step, name)?;
                Some((*step, vec![found]))
            })
        })
    }

    /// A method below a wildcard of the catalogue: `client.anything()`.
    pub(super) fn wildcard_method(&self, ty: Ty, name: &str) -> Option<(What, Confidence)> {
        let TypeKind::External(path, _) = self.arena.kind(ty) else {
            return None;
        };
        let own = format!("{}::{name}", self.arena.text(path));
        self.catalog.lookup(Language::Rust, &own)?;
        Some((What::External(self.arena.symbol(&own)), Confidence::Likely))
    }

    /// A method that nobody declares: outside the program if the type is.
    pub(super) fn unknown_method(&self, steps: &[Ty], name: &str) -> Callee {
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
    pub(super) fn derived(&self, ty: Ty, name: &str) -> Ty {
        match name {
            "clone" | "to_owned" | "default" => self.copied(ty),
            _ => Ty::UNKNOWN,
        }
    }

    /// What a copy of a value is: of what is behind references and guards, which have no copies.
    pub(super) fn copied(&self, ty: Ty) -> Ty {
        let steps = self.autoderef(ty).into_iter();
        let mut own = steps.filter(|step| match self.arena.kind(*step) {
            TypeKind::Reference(_) => false,
            TypeKind::External(path, _) => {
                let entry = self
                    .catalog
                    .type_entry(Language::Rust, &self.arena.text(path));
                entry.is_none_or(|entry| entry.kind != nostall_catalog::TypeKind::Guard)
            }
            _ => true,
        });
        own.next().unwrap_or(Ty::UNKNOWN)
    }

    /// The methods of a name on exactly this type, without looking through references.
    pub(super) fn methods_at(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        match self.arena.kind(ty) {
            TypeKind::Named(..) => self.methods_of_program_type(ty, name),
            TypeKind::External(path, arguments) => {
                self.methods_of_external_type(ty, path, &arguments, name)
            }
            TypeKind::Primitive(_)
            | TypeKind::Slice(_)
            | TypeKind::Tuple(_)
            | TypeKind::Future(_) => {
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

    pub(super) fn methods_of_program_type(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
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
        if found.is_empty() {
            found = self.methods_of_derived_traits(ty, name);
        }
        found
    }

    /// What the catalogue knows of a library's trait that a type of the program derives: `Arguments::parse()`.
    fn methods_of_derived_traits(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let TypeKind::Named(def, _) = self.arena.kind(ty) else {
            return Vec::new();
        };
        let paths = self.derive_paths(def).into_iter();
        let resolved = paths.flat_map(|path| self.resolve_path(def.mount, path, Namespace::Type));
        resolved
            .filter_map(|resolved| match resolved {
                Resolved::External(trait_) => Some(format!("{}::{name}", self.arena.text(trait_))),
                _ => None,
            })
            .filter(|path| {
                let found = self.catalog.lookup(Language::Rust, path);
                found.is_some_and(|found| self.catalog.api(found.api).returns.is_some())
            })
            .map(|path| {
                (
                    What::External(self.arena.symbol(&path)),
                    Confidence::Certain,
                )
            })
            .collect()
    }

    /// A method of a trait on a type, whatever methods of that name the type has itself.
    pub(super) fn method_by_trait(
        &self,
        ty: Ty,
        trait_: DefId,
        name: &str,
    ) -> Vec<(What, Confidence)> {
        let impls = self.impls_of(ty).into_iter();
        let mut own = impls.filter(|impl_| self.trait_of(*impl_) == Some(trait_));
        let Some(impl_) = own.next() else {
            return self.methods_at(ty, name);
        };
        let found = self.associated_in(impl_, name);
        if found.is_empty() {
            return self.default_methods(trait_, name);
        }
        let function = |def| (What::Function(def), Confidence::Certain);
        found.into_iter().map(function).collect()
    }

    pub(super) fn default_methods(&self, trait_: DefId, name: &str) -> Vec<(What, Confidence)> {
        let own = self.associated_in(trait_, name).into_iter();
        own.filter(|def| self.has_code(*def))
            .map(|def| (What::Function(def), Confidence::Certain))
            .collect()
    }

    /// Says whether a function of a trait has a default body.
    pub(super) fn has_code(&self, def: DefId) -> bool {
        self.item(def)
            .body
            .is_some_and(|body| !self.facts(def.mount).body(body).is_signature())
    }

    pub(super) fn methods_of_external_type(
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
        self.iterator_method(ty, name)
    }

    /// Methods of catalogued traits that a type carries, itself or through what it wraps.
    pub(super) fn external_trait_methods(
        &self,
        type_path: &str,
        arguments: &[Ty],
        name: &str,
    ) -> Vec<(What, Confidence)> {
        let mut found = Vec::new();
        for matched in self.catalog.trait_method(Language::Rust, type_path, name) {
            let api = self.catalog.api(matched.api);
            let trait_ = &self.catalog.trait_by_id(matched.trait_id).path;
            let carried = !matched.through || self.wraps_a_carrier(arguments, trait_);
            if carried {
                found.push((
                    What::External(self.arena.symbol(&api.path)),
                    Confidence::Certain,
                ));
            }
        }
        found
    }

    pub(super) fn methods_of_builtin(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let path = match self.arena.kind(ty) {
            TypeKind::Primitive(primitive) => self.arena.text(primitive).to_string(),
            TypeKind::Future(_) => "std::future::Future".to_owned(),
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
    pub(super) fn type_text(&self, ty: Ty) -> String {
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

    /// Methods of a type of which only the bounds are known: the program's traits, then iteration.
    pub(super) fn methods_of_bounded(
        &self,
        ty: Ty,
        bounds: &[Ty],
        name: &str,
    ) -> Vec<(What, Confidence)> {
        let mut found = self.methods_of_bounds(bounds, name);
        found.extend(
            bounds
                .iter()
                .filter_map(|bound| self.method_of_external_bound(*bound, name)),
        );
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

    /// A method of a catalogued trait that a bound names, `R: Read`. Whether it blocks depends on what `R` stands for.
    pub(super) fn method_of_external_bound(
        &self,
        bound: Ty,
        name: &str,
    ) -> Option<(What, Confidence)> {
        let TypeKind::External(path, _) = self.arena.kind(bound) else {
            return None;
        };
        self.catalog
            .trait_entry(Language::Rust, &self.arena.text(path))?;
        let traits = self.with_supertraits(&self.arena.text(path)).into_iter();
        let mut methods = traits.map(|trait_| format!("{trait_}::{name}"));
        let found = methods.find(|path| {
            let found = self.catalog.lookup(Language::Rust, path);
            found.is_some_and(|found| !found.wildcard)
        })?;
        Some((
            What::External(self.arena.symbol(&found)),
            Confidence::Possible,
        ))
    }

    /// The conversions of the language's own traits: `AsRef<T>::as_ref` gives a `&T`, `Into<T>::into` a `T`.
    pub(super) fn conversion(&self, bound: Ty, name: &str) -> Option<(Symbol, Ty)> {
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
    pub(super) fn methods_of_bounds(&self, bounds: &[Ty], name: &str) -> Vec<(What, Confidence)> {
        let mut found = Vec::new();
        for bound in bounds {
            if let Some(trait_) = self.trait_of_bound(*bound) {
                found.extend(self.methods_of_trait(trait_, name).iter().copied());
                if found.is_empty() {
                    let external = self.external_supertraits(trait_);
                    found.extend(
                        external
                            .into_iter()
                            .filter_map(|bound| self.method_of_external_bound(bound, name)),
                    );
                }
            }
        }
        found
    }

    /// The traits outside the program that a trait of the program comes with: `trait ReadSeek: Read + Seek`.
    pub(super) fn external_supertraits(&self, trait_: DefId) -> Vec<Ty> {
        let mut seen = FxHashSet::from_iter([trait_]);
        let mut open = vec![trait_];
        let mut found = Vec::new();
        while let Some(next) = open.pop() {
            let ItemKind::Trait { supertraits } = self.item(next).kind else {
                continue;
            };
            for bound in self.written_types(next.mount, supertraits) {
                match self.trait_of_bound(bound) {
                    Some(deeper) if seen.insert(deeper) => open.push(deeper),
                    Some(_) => {}
                    None => found.push(bound),
                }
            }
        }
        found
    }

    fn methods_of_trait(&self, trait_: DefId, name: &str) -> Found {
        self.known.trait_methods.ask(
            &self.depth,
            DEEPEST,
            (trait_, self.arena.symbol(name)),
            Found::default,
            || self.methods_of_trait_anew(trait_, name).into(),
        )
    }

    fn methods_of_trait_anew(&self, trait_: DefId, name: &str) -> Vec<(What, Confidence)> {
        let declared = self.associated_in(trait_, name);
        if declared.is_empty() {
            let ItemKind::Trait { supertraits } = self.item(trait_).kind else {
                return Vec::new();
            };
            let supertraits = self.written_types(trait_.mount, supertraits);
            let supertraits = supertraits
                .into_iter()
                .filter_map(|bound| self.trait_of_bound(bound));
            let mut seen = FxHashSet::default();
            return supertraits
                .flat_map(|trait_| self.methods_of_trait(trait_, name).to_vec())
                .filter(|(what, _)| seen.insert(*what))
                .collect();
        }
        let mut found: Vec<DefId> = declared
            .into_iter()
            .filter(|def| self.has_code(*def))
            .collect();
        for impl_ in self.impls_of_trait(trait_) {
            found.extend(self.associated_in(impl_, name));
        }
        self.without_tests(&mut found);
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

    /// Takes out what only tests have, unless there is nothing else.
    pub(super) fn without_tests(&self, found: &mut Vec<DefId>) {
        let present = |def: &DefId| {
            self.mount(def.mount).presence == Presence::Present
                && super::conditions::scope_presence(self.facts(def.mount), self.item(*def).scope)
                    == Presence::Present
        };
        if found.iter().any(present) {
            found.retain(present);
        }
    }

    /// Adds what the found methods return.
    pub(super) fn finish_methods(
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
                self.learn_from_written(mount, def, call.type_arguments, &mut substitution);
                self.learn_from_arguments(mount, def, call, !by_path, &mut substitution);
                self.function(def, &substitution, confidence)
            }
            What::External(path) => self.external_method(mount, path, receiver, call, confidence),
            other => Callee::new(other, confidence, Ty::UNKNOWN),
        };
        found.into_iter().map(finish).collect()
    }

    /// What a conversion gives for a receiver of which only the bounds are known.
    pub(super) fn converted(&self, path: Symbol, receiver: Ty) -> Option<Ty> {
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
}

/// The number of a call: its expression names it.
pub(super) fn call_id(facts: &nostall_model::facts::FileFacts, call: &Call) -> CallId {
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
