//! Functions and what they return: generic parameters learned from arguments, stubs of the catalogue.

use nostall_model::facts::{BodyId, Call, CallId, Flavour, ParameterKind, PathId, Run};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::impls::Substitution;
use super::methods::{Callee, What, call_id};
use super::mounts::{DefId, MountId};
use super::types::{Symbol, Ty, TypeKind};

impl Cx<'_> {
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
            let known = self.substitute(self.behind_impl(def.mount, body, written), substitution);
            if record.flavour == Flavour::Async {
                self.arena.ty(TypeKind::Future(known))
            } else {
                known
            }
        });
        Callee::new(What::Function(def), confidence, returns)
    }

    /// The type that `-> impl Trait` stands for, where the function's last expression tells.
    fn behind_impl(&self, mount: MountId, body: BodyId, written: Ty) -> Ty {
        if !matches!(self.arena.kind(written), TypeKind::Impl(_)) {
            return written;
        }
        let value = self.facts(mount).body(body).value;
        let found = value.map_or(Ty::UNKNOWN, |value| self.type_of(mount, value));
        match self.arena.kind(found) {
            TypeKind::Named(..) | TypeKind::External(..) => found,
            _ => written,
        }
    }

    /// Learns a function's generic parameters from the types of the arguments.
    pub(super) fn learn_from_arguments(
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
        let parameters = self.facts(def.mount).body_parameters(body);
        let skip = usize::from(
            by_method
                && parameters
                    .first()
                    .is_some_and(|it| it.kind == ParameterKind::Receiver),
        );
        let arguments = &self.facts(mount).arguments[call.arguments.range()];
        for (index, argument) in (skip..parameters.len()).zip(arguments) {
            let declared = self.declared_type(def.mount, body, index);
            if self.is_generic(declared) {
                self.unify(declared, self.type_of(mount, argument.value), substitution);
            }
        }
    }

    /// Says whether a type parameter stands in a type.
    fn is_generic(&self, ty: Ty) -> bool {
        let found = std::cell::Cell::new(false);
        self.arena.map(ty, &|kind| {
            found.set(found.get() || matches!(kind, TypeKind::Parameter(..)));
            None
        });
        found.get()
    }

    /// Learns them from `f::<A, B>`.
    pub(super) fn learn_from_path(
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
        self.learn_from_written(mount, def, last.arguments, substitution);
    }

    /// Learns them from written type arguments.
    pub(super) fn learn_from_written(
        &self,
        mount: MountId,
        def: DefId,
        arguments: Run,
        substitution: &mut Substitution,
    ) {
        let arguments = self.written_types(mount, arguments);
        for (parameter, argument) in self.generic_types(def).into_iter().zip(arguments) {
            self.unify(parameter, argument, substitution);
        }
    }

    pub(super) fn external_method(
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
            let written = self.written_type(mount, *written);
            callee.returns = match self.item_type(receiver) {
                Ty::UNKNOWN => written,
                item => self.with_items(written, item),
            };
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
        let stub = found.and_then(|found| {
            let by_type = call.and_then(|(mount, id)| self.returned_by_type(mount, id, found.api));
            by_type.or(self.catalog.api(found.api).returns.as_deref())
        });
        let returns = match stub {
            Some(stub) => self.stub_type(stub, &self.names_of(receiver, call)),
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
    pub(super) fn constructed_by_convention(&self, path: &str) -> Ty {
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
}
