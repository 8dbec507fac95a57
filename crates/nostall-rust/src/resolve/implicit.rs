//! Calls that are not written: operators, iteration, formatting, and the methods of iterators.

use nostall_model::facts::{CallId, CallKind, ExprId};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::methods::{Callee, Substitution, What};
use super::mounts::MountId;
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// `Iterator`'s own methods, on what is known to be iterated.
    pub(super) fn iterator_method(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let path = format!("std::iter::Iterator::{name}");
        let known = self.catalog.lookup(Language::Rust, &path).is_some() && self.is_iterated(ty);
        if known {
            vec![(
                What::External(self.arena.symbol(&path)),
                Confidence::Certain,
            )]
        } else {
            Vec::new()
        }
    }

    /// Says whether a type is known to be iterated over, of whatever items.
    pub(super) fn is_iterated(&self, ty: Ty) -> bool {
        let bounds = match self.arena.kind(ty) {
            TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => bounds.to_vec(),
            TypeKind::Parameter(def, name) => self.bounds(def, name),
            _ => Vec::new(),
        };
        let iterates = |bound: Ty| {
            matches!(self.arena.kind(bound), TypeKind::External(path, _)
                if self.arena.text(path).starts_with("std::iter::"))
        };
        // What a value derefs to is asked in its turn.
        bounds.into_iter().any(iterates) || self.own_item(ty, false).is_some()
    }

    /// Implicit calls run code only where the program says so, or the catalogue.
    pub(super) fn implicit(
        &self,
        mount: MountId,
        id: CallId,
        receiver: ExprId,
        name: &str,
    ) -> Vec<Callee> {
        let ty = self.type_of(mount, receiver);
        let members = self.arena.members(ty);
        match self.facts(mount).call(id).kind {
            CallKind::Iterate => members
                .iter()
                .flat_map(|member| self.iterated(*member, name))
                .collect(),
            CallKind::Drop => self.dropped_here(mount, id, receiver, ty),
            CallKind::Convert => self.converted_error(mount, id, ty),
            CallKind::Format => {
                let named = [name].into_iter().filter(|name| *name != "fmt");
                let any = ["Display", "Debug"].into_iter().filter(|_| name == "fmt");
                let mut traits = named.chain(any).map(|name| format!("std::fmt::{name}"));
                let found = |trait_: String| self.by_external_trait(&members, &trait_, "fmt");
                traits
                    .find_map(|trait_| Some(found(trait_)).filter(|found| !found.is_empty()))
                    .unwrap_or_default()
            }
            CallKind::Index => {
                let item = self.item_type(ty);
                let mut found = self.operator(&members, name);
                if found.is_empty() && item != Ty::UNKNOWN {
                    found.push(self.constructor(self.arena.referent(item)));
                }
                found.extend(self.lazy_initialiser(mount, receiver));
                found
            }
            _ if name == "deref" => self
                .lazy_initialiser(mount, receiver)
                .into_iter()
                .chain(self.operator(&members, name))
                .collect(),
            _ => self.operator(&members, name),
        }
    }

    /// The method of a trait outside the program that types have an impl of.
    pub(super) fn by_external_trait(
        &self,
        members: &[Ty],
        trait_: &str,
        name: &str,
    ) -> Vec<Callee> {
        let impls = members
            .iter()
            .filter_map(|ty| self.impl_of_external_trait(*ty, &[trait_]));
        let methods = impls.flat_map(|impl_| self.associated_in(impl_, name));
        methods
            .map(|def| self.function(def, &Substitution::default(), Confidence::Certain))
            .collect()
    }

    /// The method of an operator; some run another's: `!=` runs `eq`, `<` runs `partial_cmp`.
    pub(super) fn operator(&self, members: &[Ty], name: &str) -> Vec<Callee> {
        let found = self.operator_method(members, name);
        let other = match name {
            "ne" => "eq",
            "lt" | "le" | "gt" | "ge" => "partial_cmp",
            _ => return found,
        };
        if found.is_empty() {
            self.operator_method(members, other)
        } else {
            found
        }
    }

    pub(super) fn operator_method(&self, members: &[Ty], name: &str) -> Vec<Callee> {
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

    pub(super) fn iterated(&self, ty: Ty, name: &str) -> Vec<Callee> {
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
}
