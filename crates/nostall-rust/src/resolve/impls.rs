//! Impl blocks by the type and by the trait that they are for, and how written types fit actual ones.

use nostall_model::facts::{ItemKind, ScopeId};
use nostall_model::program::Presence;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Cx;
use super::conditions::item_presence;
use super::mounts::{DefId, MountId};
use super::types::{Symbol, Ty, TypeKind};

/// What generic parameters stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Substitution {
    pub(crate) parameters: FxHashMap<(DefId, Symbol), Ty>,
}

/// The outermost part of a type, by which impls are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Head {
    Named(DefId),
    External(Symbol),
    Primitive(Symbol),
    Slice,
    Tuple,
    Dyn(Ty),
    /// A bare parameter: the impl is for all types with its bounds.
    Blanket,
}

/// All impl blocks of the program.
#[derive(Debug, Default)]
pub(crate) struct ImplIndex {
    by_head: FxHashMap<Head, Vec<DefId>>,
    by_trait: FxHashMap<DefId, Vec<DefId>>,
    by_external_trait: FxHashMap<Symbol, FxHashSet<DefId>>,
}

impl Cx<'_> {
    /// The index, made when first asked for. What its own making asks for (`T::Item` as the type of an impl) finds nothing.
    fn impl_index(&self) -> std::rc::Rc<ImplIndex> {
        if let Some(index) = &*self.known.impls.borrow() {
            return std::rc::Rc::clone(index);
        }
        *self.known.impls.borrow_mut() = Some(std::rc::Rc::default());
        let index = std::rc::Rc::new(self.build_impl_index());
        *self.known.impls.borrow_mut() = Some(std::rc::Rc::clone(&index));
        index
    }

    fn build_impl_index(&self) -> ImplIndex {
        let mut index = ImplIndex::default();
        for mount in (0..self.tree.mounts.len()).map(|index| MountId(index as u32)) {
            let facts = self.facts(mount);
            for item in &self.index(mount).impls {
                let presence = self.mount(mount).presence.max(item_presence(facts, *item));
                if presence != Presence::Absent {
                    self.add_impl(&mut index, DefId { mount, item: *item });
                }
            }
        }
        index
    }

    fn add_impl(&self, index: &mut ImplIndex, def: DefId) {
        let ItemKind::Impl { trait_, self_type } = self.item(def).kind else {
            return;
        };
        if let Some(head) = self.head(self.written_type(def.mount, self_type)) {
            index.by_head.entry(head).or_default().push(def);
        }
        let Some(trait_) = trait_ else { return };
        match self.arena.kind(self.written_type(def.mount, trait_)) {
            TypeKind::External(path, _) => {
                index.by_external_trait.entry(path).or_default().insert(def);
            }
            // The type of a trait of the program is its `Self`.
            TypeKind::Parameter(trait_, _) | TypeKind::Named(trait_, _) => {
                index.by_trait.entry(trait_).or_default().push(def);
            }
            _ => {}
        }
    }

    fn head(&self, ty: Ty) -> Option<Head> {
        match self.arena.kind(self.arena.referent(ty)) {
            TypeKind::Named(def, _) => Some(Head::Named(def)),
            TypeKind::External(path, _) => Some(Head::External(path)),
            TypeKind::Primitive(name) => Some(Head::Primitive(name)),
            TypeKind::Slice(_) => Some(Head::Slice),
            TypeKind::Tuple(_) => Some(Head::Tuple),
            TypeKind::Dyn(bounds) => bounds.first().map(|bound| Head::Dyn(*bound)),
            TypeKind::Parameter(..) => Some(Head::Blanket),
            _ => None,
        }
    }

    /// The impl blocks written for a type.
    pub(crate) fn impls_of(&self, ty: Ty) -> Vec<DefId> {
        let Some(head) = self.head(ty).filter(|head| *head != Head::Blanket) else {
            return Vec::new();
        };
        let index = self.impl_index();
        let found = index.by_head.get(&head).map_or(&[][..], Vec::as_slice);
        found
            .iter()
            .copied()
            .filter(|def| self.fits(self.self_type(*def), self.arena.referent(ty)))
            .collect()
    }

    /// The impl blocks written for all types with some bounds.
    pub(crate) fn blanket_impls(&self) -> Vec<DefId> {
        self.impl_index()
            .by_head
            .get(&Head::Blanket)
            .cloned()
            .unwrap_or_default()
    }

    /// The impl blocks of a trait of the program.
    pub(crate) fn impls_of_trait(&self, trait_: DefId) -> Vec<DefId> {
        self.impl_index()
            .by_trait
            .get(&trait_)
            .cloned()
            .unwrap_or_default()
    }

    /// The impl of one of these traits for a type.
    pub(crate) fn impl_of_external_trait(&self, ty: Ty, traits: &[&str]) -> Option<DefId> {
        let ty = self.arena.referent(ty);
        let index = self.impl_index();
        let of_traits = traits
            .iter()
            .filter_map(|path| index.by_external_trait.get(&self.arena.symbol(path)));
        // A type has few impls, a trait may have thousands.
        let own = self.head(ty).and_then(|head| index.by_head.get(&head))?;
        let mut candidates =
            of_traits.flat_map(|of_trait| own.iter().filter(|def| of_trait.contains(*def)));
        candidates
            .find(|def| self.fits(self.self_type(**def), ty))
            .copied()
    }

    /// Says whether the program has any `impl Drop`.
    pub(crate) fn has_drop_impls(&self) -> bool {
        let drop = self.arena.symbol("std::ops::Drop");
        self.impl_index().by_external_trait.contains_key(&drop)
    }

    /// The trait that an impl is for, if it is one of the program.
    pub(crate) fn trait_of(&self, impl_: DefId) -> Option<DefId> {
        let ItemKind::Impl {
            trait_: Some(trait_),
            ..
        } = self.item(impl_).kind
        else {
            return None;
        };
        self.trait_of_bound(self.written_type(impl_.mount, trait_))
    }

    /// The trait of the program that a bound names.
    pub(crate) fn trait_of_bound(&self, bound: Ty) -> Option<DefId> {
        match self.arena.kind(bound) {
            TypeKind::Parameter(def, _) | TypeKind::Named(def, _) => {
                matches!(self.item(def).kind, ItemKind::Trait { .. }).then_some(def)
            }
            _ => None,
        }
    }

    /// The functions and constants of a name in an impl or trait.
    pub(crate) fn associated_in(&self, owner: DefId, name: &str) -> Vec<DefId> {
        let facts = self.facts(owner.mount);
        let (Some(scope), Some(id)) = (self.item(owner).inner, facts.names.find(name)) else {
            return Vec::new();
        };
        self.associated_in_scope(owner.mount, scope, id)
    }

    fn associated_in_scope(
        &self,
        mount: MountId,
        scope: ScopeId,
        name: nostall_model::Name,
    ) -> Vec<DefId> {
        let facts = self.facts(mount);
        let items = self.index(mount).scopes[scope.index()]
            .items
            .get(&name)
            .into_iter()
            .flatten();
        let usable = items.filter(|item| {
            let value = matches!(
                facts.item(**item).kind,
                ItemKind::Function | ItemKind::Constant { .. }
            );
            value && item_presence(facts, **item) != Presence::Absent
        });
        usable.map(|item| DefId { mount, item: *item }).collect()
    }

    // ---- how types fit

    /// Says whether an actual type can be of the form of a written one: parameters and what is unknown fit anything.
    pub(crate) fn fits(&self, pattern: Ty, actual: Ty) -> bool {
        if pattern == actual {
            return true;
        }
        let all = |left: &[Ty], right: &[Ty]| {
            left.iter()
                .zip(right)
                .all(|(left, right)| self.fits(*left, *right))
        };
        match (self.arena.kind(pattern), self.arena.kind(actual)) {
            (TypeKind::Unknown | TypeKind::Parameter(..) | TypeKind::Impl(_), _)
            | (_, TypeKind::Unknown | TypeKind::Parameter(..) | TypeKind::Impl(_)) => true,
            (TypeKind::Named(left, a), TypeKind::Named(right, b)) => left == right && all(&a, &b),
            (TypeKind::External(left, a), TypeKind::External(right, b)) => {
                left == right && all(&a, &b)
            }
            (TypeKind::Reference(left), TypeKind::Reference(right)) => self.fits(left, right),
            (TypeKind::Reference(left), _) => self.fits(left, actual),
            (_, TypeKind::Reference(right)) => self.fits(pattern, right),
            (TypeKind::Slice(left), TypeKind::Slice(right)) => self.fits(left, right),
            (TypeKind::Tuple(a), TypeKind::Tuple(b)) => a.len() == b.len() && all(&a, &b),
            (TypeKind::Dyn(a), TypeKind::Dyn(b)) => a.first() == b.first(),
            (TypeKind::Union(members), _) => {
                members.iter().any(|member| self.fits(*member, actual))
            }
            (_, TypeKind::Union(members)) => {
                members.iter().any(|member| self.fits(pattern, *member))
            }
            _ => false,
        }
    }

    /// Learns from an actual type what the parameters of a written one stand for.
    pub(crate) fn unify(&self, pattern: Ty, actual: Ty, substitution: &mut Substitution) {
        if actual == Ty::UNKNOWN {
            return;
        }
        match (self.arena.kind(pattern), self.arena.kind(actual)) {
            (TypeKind::Parameter(def, name), _) => {
                substitution.parameters.entry((def, name)).or_insert(actual);
            }
            (TypeKind::Named(left, a), TypeKind::Named(right, b)) if left == right => {
                self.unify_all(&a, &b, substitution);
            }
            (TypeKind::External(left, a), TypeKind::External(right, b)) if left == right => {
                self.unify_all(&a, &b, substitution);
            }
            (TypeKind::Reference(left), TypeKind::Reference(right)) => {
                self.unify(left, right, substitution);
            }
            (TypeKind::Reference(left), _) => self.unify(left, actual, substitution),
            (_, TypeKind::Reference(right)) => self.unify(pattern, right, substitution),
            (TypeKind::Slice(left), TypeKind::Slice(right)) => {
                self.unify(left, right, substitution);
            }
            (TypeKind::Tuple(a), TypeKind::Tuple(b)) => self.unify_all(&a, &b, substitution),
            // `&Vec<T>` is given where `&[T]` is wanted.
            (TypeKind::Slice(left), TypeKind::External(..)) => {
                let steps = self.autoderef(actual).into_iter();
                let slice = steps
                    .filter_map(|step| match self.arena.kind(step) {
                        TypeKind::Slice(item) => Some(item),
                        _ => None,
                    })
                    .next();
                if let Some(item) = slice {
                    self.unify(left, item, substitution);
                }
            }
            _ => {}
        }
    }

    fn unify_all(&self, patterns: &[Ty], actual: &[Ty], substitution: &mut Substitution) {
        for (pattern, actual) in patterns.iter().zip(actual) {
            self.unify(*pattern, *actual, substitution);
        }
    }

    /// Puts what is known for parameters into a type.
    pub(crate) fn substitute(&self, ty: Ty, substitution: &Substitution) -> Ty {
        if substitution.parameters.is_empty() {
            return ty;
        }
        self.arena.map(ty, &|kind| match kind {
            TypeKind::Parameter(def, name) => substitution.parameters.get(&(*def, *name)).copied(),
            _ => None,
        })
    }
}
