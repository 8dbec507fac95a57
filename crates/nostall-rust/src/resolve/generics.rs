//! Type parameters: which type a target counts for, and what calls put in for the parameters of what they call.
//!
//! `store.load()` on a `T: Store` may reach the `load` of each type that has the trait; each of these targets counts only
//! where `T` stands for that type. An argument `impl Store` or `&dyn Store` is a parameter without a name.

use nostall_catalog::Wait;
use nostall_model::facts::{
    BodyId, Call, CallId, Callee as Written, ExprKind, ItemKind, ParameterKind, TypeExprId,
    TypeExprKind,
};
use nostall_model::program::{Condition, Instance, Instantiation, ParameterKey, TypeKey};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::carriers::Carried;
use super::impls::Substitution;
use super::methods::{Callee, What};
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, Ty, TypeKind};

impl Cx<'_> {
    // ---- parameters without a name

    /// The type of a function's parameter as its code sees it: `impl Trait` and `&dyn Trait` stand for one type each.
    pub(crate) fn declared_type(&self, mount: MountId, body: BodyId, index: usize) -> Ty {
        let facts = self.facts(mount);
        let Some(type_) = facts
            .body_parameters(body)
            .get(index)
            .and_then(|parameter| parameter.type_)
        else {
            return Ty::UNKNOWN;
        };
        let written = self.written_type(mount, type_);
        match facts.body(body).item {
            Some(item) if self.has_nameless(mount, type_) => {
                let name = self.arena.symbol(&format!("{{impl {index}}}"));
                let own = self
                    .arena
                    .ty(TypeKind::Parameter(DefId { mount, item }, name));
                self.put_in_nameless(written, own)
            }
            _ => written,
        }
    }

    fn has_nameless(&self, mount: MountId, type_: TypeExprId) -> bool {
        match self.facts(mount).type_expr(type_).kind {
            TypeExprKind::Impl(_) => true,
            TypeExprKind::Reference(inner) => {
                let facts = self.facts(mount);
                matches!(
                    facts.type_expr(inner).kind,
                    TypeExprKind::Impl(_) | TypeExprKind::Dyn(_)
                )
            }
            _ => false,
        }
    }

    fn put_in_nameless(&self, ty: Ty, own: Ty) -> Ty {
        match self.arena.kind(ty) {
            TypeKind::Impl(_) | TypeKind::Dyn(_) => own,
            TypeKind::Reference(inner) => self.arena.reference(self.put_in_nameless(inner, own)),
            _ => ty,
        }
    }

    /// The bounds of a parameter without a name; nothing for one that has a name.
    pub(super) fn nameless_bounds(&self, def: DefId, name: Symbol) -> Option<Vec<Ty>> {
        let text = self.arena.text(name);
        let index: usize = text
            .strip_prefix("{impl ")?
            .strip_suffix('}')?
            .parse()
            .ok()?;
        let body = self.item(def).body?;
        let parameters = self.facts(def.mount).body_parameters(body);
        let written = self.written_type(def.mount, parameters.get(index)?.type_?);
        match self.arena.kind(self.arena.referent(written)) {
            TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => Some(bounds.to_vec()),
            _ => None,
        }
    }

    // ---- conditions

    /// The conditions under which a callee counts, with what is waited for then: one of them must hold. None: it counts always.
    pub(super) fn conditions(
        &self,
        mount: MountId,
        id: CallId,
        callee: &Callee,
    ) -> Vec<(Condition, Option<Wait>)> {
        match callee.what {
            What::Function(def) => self.conditions_of_function(mount, id, def),
            What::External(path) => self.conditions_of_external(mount, id, path),
            _ => Vec::new(),
        }
    }

    fn conditions_of_function(
        &self,
        mount: MountId,
        id: CallId,
        def: DefId,
    ) -> Vec<(Condition, Option<Wait>)> {
        let receiver = self.generic_receiver(mount, self.facts(mount).call(id));
        let (Some((parameter, name)), Some(owner)) = (receiver, self.owner(def)) else {
            return Vec::new();
        };
        let heads = self.types_with(owner, &name);
        let conditions = heads.iter().map(|is| condition(parameter, *is, false));
        conditions.map(|condition| (condition, None)).collect()
    }

    /// A call of a catalogued trait on a type parameter: one condition for each thing that types which carry the trait wait for.
    fn conditions_of_external(
        &self,
        mount: MountId,
        id: CallId,
        path: Symbol,
    ) -> Vec<(Condition, Option<Wait>)> {
        let text = self.arena.text(path);
        let found = self.catalog.lookup(Language::Rust, &text);
        let dependent = found.and_then(|found| self.dependent_carrier(mount, id, found.api));
        if let Some((parameter, trait_)) = dependent {
            let special = self.catalog.waits_of_trait(Language::Rust, &trait_);
            let waits = std::iter::once(None).chain(special.into_iter().map(Some));
            let key = |wait| condition(parameter, self.trait_key(&trait_, wait), true);
            return waits.map(|wait| (key(wait), wait)).collect();
        }
        let trait_ = text.rsplit_once("::").map(|(trait_, _)| trait_);
        let known =
            trait_.filter(|trait_| self.catalog.trait_entry(Language::Rust, trait_).is_some());
        let receiver = self.generic_receiver(mount, self.facts(mount).call(id));
        match (receiver, known) {
            (Some((parameter, _)), Some(trait_)) => {
                vec![(
                    condition(parameter, self.trait_key(trait_, None), true),
                    None,
                )]
            }
            _ => Vec::new(),
        }
    }

    /// The types for which a method of an impl, or a trait's default, is the one that runs.
    fn types_with(&self, owner: DefId, name: &str) -> std::rc::Rc<[TypeKey]> {
        let key = (owner, self.arena.symbol(name));
        if let Some(found) = self.types_with.borrow().get(&key) {
            return std::rc::Rc::clone(found);
        }
        let found: std::rc::Rc<[TypeKey]> = self.types_with_anew(owner, name).into();
        self.types_with
            .borrow_mut()
            .insert(key, std::rc::Rc::clone(&found));
        found
    }

    fn types_with_anew(&self, owner: DefId, name: &str) -> Vec<TypeKey> {
        let of_impl = |impl_: DefId| self.type_key(self.self_type(impl_));
        match self.item(owner).kind {
            ItemKind::Impl { .. } => of_impl(owner).into_iter().collect(),
            ItemKind::Trait { .. } => self
                .impls_of_trait(owner)
                .into_iter()
                .filter(|impl_| self.associated_in(*impl_, name).is_empty())
                .filter_map(of_impl)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The type parameter on whose type a call depends, and the called name.
    fn generic_receiver(&self, mount: MountId, call: &Call) -> Option<(Ty, String)> {
        let facts = self.facts(mount);
        let is_parameter = |ty: &Ty| matches!(self.arena.kind(*ty), TypeKind::Parameter(..));
        match call.callee {
            Written::Method { receiver, name } => {
                let name = facts.text(name).to_owned();
                let steps = self.autoderef(self.type_of(mount, receiver));
                let found = steps
                    .into_iter()
                    .find(|step| !self.methods_at(*step, &name).is_empty());
                found.filter(is_parameter).map(|found| (found, name))
            }
            Written::Value(value) => {
                let ExprKind::Path(path) = facts.expr(value).kind else {
                    return None;
                };
                let found = self.resolve_path(mount, path, Namespace::Value);
                let [Resolved::Associated(ty, name)] = found.as_slice() else {
                    return None;
                };
                let name = self.arena.text(*name).to_string();
                let object = self.object_of(mount, *ty, &name, call);
                Some(object)
                    .filter(is_parameter)
                    .map(|object| (object, name))
            }
            Written::Macro(_) => None,
        }
    }

    // ---- instantiations

    /// Says what a call puts in for the type parameters of the functions that it may call.
    pub(super) fn instantiations(
        &self,
        mount: MountId,
        id: CallId,
        callees: &[Callee],
    ) -> Vec<Instantiation> {
        let mut found = Vec::new();
        for callee in callees {
            let What::Function(def) = callee.what else {
                continue;
            };
            let substitution = self.put_in(mount, id, def);
            for ((owner, name), ty) in &substitution.parameters {
                self.instantiate(*owner, *name, *ty, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        let instantiation = |(parameter, value)| Instantiation { parameter, value };
        found.into_iter().map(instantiation).collect()
    }

    fn put_in(&self, mount: MountId, id: CallId, def: DefId) -> Substitution {
        let facts = self.facts(mount);
        let call = facts.call(id);
        let mut substitution = Substitution::default();
        let owner = self.owner(def).map(|owner| self.self_type(owner));
        let mut by_method = false;
        match call.callee {
            Written::Method { receiver, name } => {
                by_method = true;
                self.learn_from_written(mount, def, call.type_arguments, &mut substitution);
                let name = facts.text(name);
                let steps = self.autoderef(self.type_of(mount, receiver));
                let reached = |(what, _): (What, Confidence)| what == What::Function(def);
                let step = steps
                    .into_iter()
                    .find(|step| self.methods_at(*step, name).into_iter().any(reached));
                if let (Some(owner), Some(step)) = (owner, step) {
                    self.unify(owner, step, &mut substitution);
                }
            }
            Written::Value(value) => {
                if let ExprKind::Path(path) = facts.expr(value).kind {
                    let found = self.resolve_path(mount, path, Namespace::Value);
                    if let ([Resolved::Associated(ty, name)], Some(owner)) =
                        (found.as_slice(), owner)
                    {
                        let name = self.arena.text(*name);
                        let object = self.object_of(mount, *ty, &name, call);
                        self.unify(owner, object, &mut substitution);
                    }
                    self.learn_from_path(mount, def, path, &mut substitution);
                }
            }
            Written::Macro(_) => {}
        }
        self.learn_from_arguments(mount, def, call, by_method, &mut substitution);
        substitution
    }

    fn instantiate(
        &self,
        owner: DefId,
        name: Symbol,
        ty: Ty,
        found: &mut Vec<(ParameterKey, Instance)>,
    ) {
        let own = self.arena.ty(TypeKind::Parameter(owner, name));
        let key = ParameterKey(own.number());
        let bare = self.arena.referent(ty);
        if let TypeKind::Parameter(..) = self.arena.kind(bare) {
            if bare != own {
                found.push((key, Instance::Parameter(ParameterKey(bare.number()))));
            }
            return;
        }
        let Some(head) = self.type_key(bare) else {
            return;
        };
        found.push((key, Instance::Is(head)));
        for trait_ in self.catalogued_bounds(owner, name) {
            let instance = match self.carried(bare, &trait_) {
                Some(Carried::Waits(wait)) => Instance::Is(self.trait_key(&trait_, wait)),
                Some(Carried::Depends(outer, _)) => {
                    Instance::Parameter(ParameterKey(outer.number()))
                }
                None => continue,
            };
            found.push((key, instance));
        }
    }

    /// A trait of the catalogue with those that come with it.
    pub(super) fn with_supertraits(&self, trait_: &str) -> Vec<String> {
        let mut traits = vec![trait_.to_owned()];
        if let Some(entry) = self.catalog.trait_entry(Language::Rust, trait_) {
            traits[0] = entry.path.to_string();
            traits.extend(entry.supertraits.iter().map(ToString::to_string));
        }
        traits
    }

    // ---- keys

    /// The key of what carries a trait and waits for this.
    fn trait_key(&self, path: &str, wait: Option<Wait>) -> TypeKey {
        let name = |wait: Wait| format!("{}, {}", wait.category.name(), wait.waits.name());
        let wait = wait.map(|wait| self.arena.external(&name(wait), &[]));
        let waits: Vec<Ty> = wait.into_iter().collect();
        TypeKey(self.arena.external(path, &waits).number())
    }

    /// The key of a type: its outermost part. A type of which that is not known has none.
    fn type_key(&self, ty: Ty) -> Option<TypeKey> {
        let head = match self.arena.kind(self.arena.referent(ty)) {
            TypeKind::Named(def, _) if !matches!(self.item(def).kind, ItemKind::Trait { .. }) => {
                TypeKind::Named(def, [].into())
            }
            TypeKind::External(path, _) => TypeKind::External(path, [].into()),
            TypeKind::Primitive(name) => TypeKind::Primitive(name),
            TypeKind::Slice(_) => TypeKind::Slice(Ty::UNKNOWN),
            TypeKind::Tuple(_) => TypeKind::Tuple([].into()),
            TypeKind::Closure(mount, body) => TypeKind::Closure(mount, body),
            TypeKind::FunctionItem(def) => TypeKind::FunctionItem(def),
            _ => return None,
        };
        Some(TypeKey(self.arena.ty(head).number()))
    }

    /// What `Type::method(x)` and `Trait::method(x)` are called on: the written type, or, where that is a trait or a
    /// parameter, the first argument's type.
    pub(super) fn object_of(&self, mount: MountId, ty: Ty, name: &str, call: &Call) -> Ty {
        if !matches!(self.arena.kind(ty), TypeKind::Parameter(..)) {
            return ty;
        }
        let first = self.facts(mount).arguments[call.arguments.range()].first();
        let takes_self = self
            .methods_at(ty, name)
            .iter()
            .any(|(what, _)| match what {
                What::Function(def) => self.takes_receiver(*def),
                _ => false,
            });
        let Some(first) = first.filter(|_| takes_self) else {
            return ty;
        };
        let steps = self.autoderef(self.type_of(mount, first.value));
        let found = steps
            .into_iter()
            .find(|step| !self.methods_at(*step, name).is_empty());
        found.unwrap_or(ty)
    }

    fn takes_receiver(&self, def: DefId) -> bool {
        self.item(def).body.is_some_and(|body| {
            let parameters = self.facts(def.mount).body_parameters(body);
            let first = parameters.first();
            first.is_some_and(|first| first.kind == ParameterKind::Receiver)
        })
    }
}

fn condition(parameter: Ty, is: TypeKey, strict: bool) -> Condition {
    Condition {
        parameter: ParameterKey(parameter.number()),
        is,
        strict,
    }
}
