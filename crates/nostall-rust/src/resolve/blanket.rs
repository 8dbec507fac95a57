//! Impls for all types with some bounds: `impl<T: Bound> Trait for T`.
//!
//! Such an impl adds its methods to any receiver whose type has the bounds, where the trait is in scope. Without these questions it
//! would take each method of its names in the program for its own.

use nostall_catalog::Carrying;
use nostall_model::facts::{
    Call, FileFacts, ImportId, ImportKind, ItemKind, ParameterKind, ScopeId, ScopeKind,
};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::methods::What;
use super::mounts::{DefId, MountId, ScopeRef};
use super::names::{Namespace, Resolved};
use super::types::{Ty, TypeKind};

/// How many blanket impls may stand behind each other: `impl<T: A> B for T`, `impl<T: B> C for T`.
const MOST_BEHIND_EACH_OTHER: u32 = 4;

/// The trait that the language itself gives to what an async call returns.
const FUTURE: &str = "std::future::Future";

/// The derives of the language: any other can implement any trait.
const OWN_DERIVES: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];

impl Cx<'_> {
    /// The methods of a name that blanket impls add to a type.
    pub(super) fn blanket_methods(&self, ty: Ty, name: &str) -> Vec<(What, Confidence)> {
        let mut found = Vec::new();
        for impl_ in self.blanket_impls() {
            let methods = self.methods_of_blanket(impl_, name);
            if methods.is_empty() {
                continue;
            }
            if let Some(sure) = self.blanket_covers(impl_, ty, MOST_BEHIND_EACH_OTHER) {
                let sure = sure.min(Confidence::Likely);
                found.extend(methods.into_iter().map(|def| (What::Function(def), sure)));
            }
        }
        found
    }

    fn methods_of_blanket(&self, impl_: DefId, name: &str) -> Vec<DefId> {
        let own = self.associated_in(impl_, name);
        if !own.is_empty() {
            return own;
        }
        let Some(trait_) = self.trait_of(impl_) else {
            return own;
        };
        let declared = self.associated_in(trait_, name).into_iter();
        declared.filter(|def| self.has_code(*def)).collect()
    }

    /// How sure it is that an `impl .. for T` is one for this type; none where it is not.
    fn blanket_covers(&self, impl_: DefId, ty: Ty, budget: u32) -> Option<Confidence> {
        let TypeKind::Parameter(owner, parameter) = self.arena.kind(self.self_type(impl_)) else {
            return None;
        };
        let budget = budget.checked_sub(1)?;
        let bounds = self.bounds(owner, parameter).into_iter();
        let mut sure = bounds.map(|bound| self.has_bound(ty, bound, budget));
        sure.try_fold(Confidence::Certain, |all, one| Some(all.min(one?)))
    }

    // ---- which types have a bound

    fn has_bound(&self, ty: Ty, bound: Ty, budget: u32) -> Option<Confidence> {
        if self.bounds_of_value(ty).contains(&bound) {
            return Some(Confidence::Certain);
        }
        if let Some(trait_) = self.trait_of_bound(bound) {
            return self.has_trait_of_program(ty, trait_, budget);
        }
        match self.arena.kind(bound) {
            TypeKind::External(path, _) => self.has_trait_of_library(ty, &self.arena.text(path)),
            TypeKind::Function(..) => self.is_callable(ty).then_some(Confidence::Certain),
            _ => Some(Confidence::Possible),
        }
    }

    /// What is promised of a value of which only bounds are known.
    fn bounds_of_value(&self, ty: Ty) -> Vec<Ty> {
        match self.arena.kind(ty) {
            TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => bounds.to_vec(),
            TypeKind::Parameter(def, name) => self.bounds(def, name),
            _ => Vec::new(),
        }
    }

    fn is_callable(&self, ty: Ty) -> bool {
        matches!(
            self.arena.kind(ty),
            TypeKind::Function(..)
                | TypeKind::Closure(..)
                | TypeKind::FunctionItem(_)
                | TypeKind::ExternalFunction(_)
        )
    }

    fn has_trait_of_program(&self, ty: Ty, trait_: DefId, budget: u32) -> Option<Confidence> {
        let own = self.impls_of(ty).into_iter();
        let mut own = own.filter(|impl_| self.trait_of(*impl_) == Some(trait_));
        let promised = self.bounds_of_value(ty);
        if own.next().is_some()
            || promised
                .iter()
                .any(|bound| self.trait_of_bound(*bound) == Some(trait_))
        {
            return Some(Confidence::Certain);
        }
        if self.may_derive(ty, &self.name_of(trait_)) {
            return Some(Confidence::Likely);
        }
        let blanket = self.impls_of_trait(trait_).into_iter();
        blanket
            .filter_map(|impl_| self.blanket_covers(impl_, ty, budget))
            .max()
    }

    fn name_of(&self, def: DefId) -> String {
        let name = self.item(def).name;
        name.map(|name| self.facts(def.mount).text(name).to_owned())
            .unwrap_or_default()
    }

    fn may_derive(&self, ty: Ty, trait_: &str) -> bool {
        match self.arena.kind(ty) {
            TypeKind::Named(def, _) => self.derives(def).contains(trait_),
            _ => false,
        }
    }

    /// Of a type that the catalogue or the program describes, a trait that neither gives it is none of its own.
    fn has_trait_of_library(&self, ty: Ty, trait_: &str) -> Option<Confidence> {
        let carrying = |path: &str| self.catalog.carries(Language::Rust, trait_, path);
        let is_carried = |path: &str| carrying(path).map(|_| Confidence::Certain);
        if is_carried("*").is_some() {
            return Some(Confidence::Certain);
        }
        match self.arena.kind(ty) {
            TypeKind::Named(def, _) => self.type_has_trait_of_library(def, ty, trait_),
            TypeKind::External(path, arguments) => {
                let path = self.arena.text(path);
                match (carrying(&path), arguments.first()) {
                    (Some(Carrying::Direct(_)), _) => Some(Confidence::Certain),
                    (Some(Carrying::ThroughFirstParameter), Some(inner)) => {
                        self.has_trait_of_library(*inner, trait_)
                    }
                    _ => self.external_may_have(&path, trait_),
                }
            }
            TypeKind::Future(_) if trait_ == FUTURE => Some(Confidence::Certain),
            TypeKind::Future(_) => is_carried(FUTURE),
            TypeKind::Slice(_) => is_carried("slice"),
            TypeKind::Primitive(_) | TypeKind::Tuple(_) => is_carried(&self.type_text(ty)),
            TypeKind::Reference(inner) => self.has_trait_of_library(inner, trait_),
            TypeKind::Unknown | TypeKind::Associated(..) | TypeKind::Union(_) => {
                Some(Confidence::Possible)
            }
            _ => None,
        }
    }

    /// What the catalogue does not say of a type that it does not describe, or of a trait that it does not, is not known.
    fn external_may_have(&self, path: &str, trait_: &str) -> Option<Confidence> {
        let entry = self.catalog.type_entry(Language::Rust, path);
        if trait_ == FUTURE && entry.is_some_and(|entry| entry.awaits.is_some()) {
            return Some(Confidence::Certain);
        }
        let known = (entry.is_some() || is_std(path)) && self.describes_trait(trait_);
        (!known).then_some(Confidence::Possible)
    }

    fn describes_trait(&self, trait_: &str) -> bool {
        is_std(trait_) || self.catalog.trait_entry(Language::Rust, trait_).is_some()
    }

    /// A type of the program: it implements or derives the trait, or a macro that is not the language's own may do so.
    fn type_has_trait_of_library(&self, def: DefId, ty: Ty, trait_: &str) -> Option<Confidence> {
        let last = trait_.rsplit("::").next().unwrap_or(trait_);
        let entry = self.catalog.trait_entry(Language::Rust, trait_);
        let names = entry
            .iter()
            .flat_map(|entry| std::iter::once(&entry.path).chain(&entry.also));
        let paths: Vec<&str> = names.map(String::as_str).chain([trait_]).collect();
        if self.impl_of_external_trait(ty, &paths).is_some() || self.may_derive(ty, last) {
            return Some(Confidence::Certain);
        }
        let derives = self.derives(def);
        let foreign = |name: &String| !OWN_DERIVES.contains(&name.as_str());
        let unknown = derives.iter().any(foreign) || !self.describes_trait(trait_);
        (!is_std(trait_) && unknown).then_some(Confidence::Possible)
    }

    // ---- which methods a call can mean

    /// Takes out methods of blanket impls that a call cannot mean: the trait is not in scope, or the arguments do not fit.
    pub(super) fn keep_methods_of_here(
        &self,
        mount: MountId,
        call: &Call,
        found: &mut Vec<(What, Confidence)>,
    ) {
        found.retain(|(what, sure)| match what {
            // No other method of the program is less than certain because of its impl.
            What::Function(def) if *sure < Confidence::Certain => {
                !self.is_blanket(*def)
                    || self.takes_arguments_of(*def, call)
                        && self.can_name_trait_of(mount, call, *def)
            }
            _ => true,
        });
    }

    fn is_blanket(&self, method: DefId) -> bool {
        let Some(owner) = self.owner(method) else {
            return false;
        };
        let is_impl = matches!(self.item(owner).kind, ItemKind::Impl { .. });
        is_impl
            && matches!(
                self.arena.kind(self.self_type(owner)),
                TypeKind::Parameter(..)
            )
    }

    /// Says whether a method has a receiver and as many parameters as a call has arguments.
    fn takes_arguments_of(&self, method: DefId, call: &Call) -> bool {
        let facts = self.facts(method.mount);
        let Some(body) = self.item(method).body else {
            return true;
        };
        let parameters = &facts.parameters[facts.body(body).parameters.range()];
        let is_receiver = |kind| kind == ParameterKind::Receiver;
        parameters.first().is_some_and(|it| is_receiver(it.kind))
            && parameters.len() == call.arguments.range().len() + 1
    }

    /// Says whether the trait of a method is in scope at a call. Of the code of macros that is not known.
    fn can_name_trait_of(&self, mount: MountId, call: &Call, method: DefId) -> bool {
        let trait_ = self.owner(method).and_then(|owner| self.trait_of(owner));
        let Some(trait_) = trait_ else {
            return true;
        };
        self.is_in_scope(mount, self.facts(mount).body(call.body).scope, trait_)
    }

    fn is_in_scope(&self, mount: MountId, scope: ScopeId, trait_: DefId) -> bool {
        let facts = self.facts(mount);
        let name = self.name_of(trait_);
        let around = scopes_of_code(facts, scope);
        let meant = |found: Vec<Resolved>| found.contains(&Resolved::Item(trait_));
        let declared = around.iter().any(|scope| {
            let scope = ScopeRef {
                mount,
                scope: *scope,
            };
            meant(self.lookup(scope, &name, Namespace::Type, None))
        });
        declared
            || facts.imports.iter().enumerate().any(|(index, import)| {
                import.kind != ImportKind::Glob
                    && around.contains(&import.scope)
                    && meant(self.follow_import(mount, ImportId::new(index), Namespace::Type))
            })
    }
}

/// The scopes around the code of a body: those of its blocks, of which facts do not say which is around which call, and all outside.
fn scopes_of_code(facts: &FileFacts, scope: ScopeId) -> Vec<ScopeId> {
    let outwards =
        |scope| std::iter::successors(Some(scope), |id: &ScopeId| facts.scopes[id.index()].parent);
    let is_block = |id: &ScopeId| facts.scopes[id.index()].kind == ScopeKind::Block;
    let inside = (0..facts.scopes.len()).map(ScopeId::new).filter(|id| {
        let mut blocks = outwards(*id).take_while(is_block);
        blocks.any(|block| facts.scopes[block.index()].parent == Some(scope))
    });
    inside.chain(outwards(scope)).collect()
}

fn is_std(path: &str) -> bool {
    path.starts_with("std::")
}
