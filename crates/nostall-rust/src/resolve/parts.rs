//! Parts of values: what awaiting, `?`, dereferencing, iterating, a field or a pattern gives.

use nostall_model::facts::{ItemKind, Part, PathId, Run, ScopeId};

use super::Cx;
use super::methods::Substitution;
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::stubs::Stub;
use super::types::{Symbol, Ty, TypeKind};

impl Cx<'_> {
    /// What awaiting a value of a type gives. A stub of an async function may name its result without the future.
    pub(crate) fn awaited(&self, ty: Ty) -> Ty {
        let members = self.arena.members(ty).into_iter().map(|member| {
            match self.arena.kind(self.arena.referent(member)) {
                TypeKind::Future(inner) => inner,
                TypeKind::External(path, arguments) => self
                    .stub_of(path, &arguments, Stub::Awaits)
                    .or_else(|| self.boxed_future(member))
                    .unwrap_or(member),
                TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => self.output_of(&bounds),
                TypeKind::Parameter(def, name) => self.output_of(&self.bounds(def, name)),
                _ => member,
            }
        });
        self.arena.union(members)
    }

    /// `Pin<Box<dyn Future<Output = T>>>`.
    pub(super) fn boxed_future(&self, ty: Ty) -> Option<Ty> {
        self.autoderef(ty)
            .into_iter()
            .find_map(|step| match self.arena.kind(step) {
                TypeKind::Future(inner) => Some(inner),
                TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => Some(self.output_of(&bounds)),
                _ => None,
            })
    }

    pub(super) fn output_of(&self, bounds: &[Ty]) -> Ty {
        self.arena.union(
            bounds
                .iter()
                .map(|bound| self.associated_argument(*bound, "Output")),
        )
    }

    /// The value of `Name = T` among the arguments of a bound.
    pub(crate) fn associated_argument(&self, bound: Ty, name: &str) -> Ty {
        let (TypeKind::External(_, arguments) | TypeKind::Named(_, arguments)) =
            self.arena.kind(bound)
        else {
            return Ty::UNKNOWN;
        };
        let name = self.arena.symbol(name);
        let value = arguments
            .iter()
            .find_map(|argument| match self.arena.kind(*argument) {
                TypeKind::Associated(known, value) if known == name => Some(value),
                _ => None,
            });
        value.unwrap_or(Ty::UNKNOWN)
    }

    /// What `?` gives: the first argument of `Result`, `Option`, `Poll`.
    pub(super) fn tried(&self, ty: Ty) -> Ty {
        let members =
            self.arena
                .members(ty)
                .into_iter()
                .map(|member| match self.arena.kind(member) {
                    TypeKind::External(_, arguments) => {
                        arguments.first().copied().unwrap_or(Ty::UNKNOWN)
                    }
                    _ => Ty::UNKNOWN,
                });
        self.arena.union(members)
    }

    pub(super) fn dereferenced(&self, ty: Ty) -> Ty {
        self.arena.union(
            self.arena
                .members(ty)
                .into_iter()
                .map(|member| self.deref_once(member).unwrap_or(member)),
        )
    }

    /// The types that method look-up tries in turn.
    pub(crate) fn autoderef(&self, ty: Ty) -> Vec<Ty> {
        let mut steps = vec![ty];
        let mut current = ty;
        while let Some(next) = self
            .deref_once(current)
            .filter(|next| !steps.contains(next) && steps.len() < 10)
        {
            steps.push(next);
            current = next;
        }
        steps
    }

    pub(super) fn deref_once(&self, ty: Ty) -> Option<Ty> {
        match self.arena.kind(ty) {
            TypeKind::Reference(inner) => Some(inner),
            TypeKind::External(path, arguments) => self.stub_of(path, &arguments, Stub::Deref),
            TypeKind::Named(..) => self.deref_target(ty),
            _ => None,
        }
    }

    /// `type Target` of the program's own `impl Deref`.
    pub(super) fn deref_target(&self, ty: Ty) -> Option<Ty> {
        let impl_ = self.impl_of_external_trait(ty, &["std::ops::Deref", "std::ops::DerefMut"])?;
        let target = self.associated_in_impl(impl_, "Target")?;
        let mut substitution = Substitution::default();
        self.unify(self.self_type(impl_), ty, &mut substitution);
        Some(self.substitute(target, &substitution))
    }

    /// Returns the type of a field, references and boxes looked through.
    pub(crate) fn field_type(&self, ty: Ty, name: &str) -> Ty {
        let members = self.arena.members(ty).into_iter().map(|member| {
            let mut steps = self.autoderef(member).into_iter();
            steps
                .find_map(|step| self.own_field(step, name))
                .unwrap_or(Ty::UNKNOWN)
        });
        self.arena.union(members)
    }

    pub(super) fn own_field(&self, ty: Ty, name: &str) -> Option<Ty> {
        match self.arena.kind(ty) {
            TypeKind::Tuple(members) => members.get(name.parse::<usize>().ok()?).copied(),
            TypeKind::Named(def, _) => {
                let ItemKind::Struct { fields } = self.item(def).kind else {
                    return None;
                };
                self.field_of(def, fields, name, ty)
            }
            TypeKind::External(path, _) => self.external_field(path, ty, name),
            _ => None,
        }
    }

    /// A public field of a type outside the program: `output.stdout`.
    pub(super) fn external_field(&self, path: Symbol, ty: Ty, name: &str) -> Option<Ty> {
        let entry = self
            .catalog
            .type_entry(nostall_model::Language::Rust, &self.arena.text(path))?;
        let stub = entry.fields.get(name)?;
        Some(self.stub_type(stub, &self.names_of(ty, None)))
    }

    /// The types of the public fields and the variants of a type outside the program.
    pub(super) fn external_parts(&self, path: Symbol, ty: Ty) -> Vec<Ty> {
        let entry = self
            .catalog
            .type_entry(nostall_model::Language::Rust, &self.arena.text(path));
        let fields = entry.into_iter().flat_map(|entry| entry.fields.values());
        fields
            .map(|stub| self.stub_type(stub, &self.names_of(ty, None)))
            .collect()
    }

    pub(super) fn field_of(&self, def: DefId, fields: Run, name: &str, owner: Ty) -> Option<Ty> {
        let facts = self.facts(def.mount);
        let field = facts.fields[fields.range()]
            .iter()
            .find(|field| facts.text(field.name) == name)?;
        let written = self.written_type(def.mount, field.type_);
        let mut substitution = Substitution::default();
        self.unify(self.enum_of_or_self(def), owner, &mut substitution);
        Some(self.substitute(written, &substitution))
    }

    pub(super) fn enum_of_or_self(&self, def: DefId) -> Ty {
        self.type_of_resolved(Resolved::Item(def))
    }

    /// Returns the type of a part that a pattern or a loop takes.
    pub(super) fn part_type(&self, mount: MountId, ty: Ty, part: Part) -> Ty {
        let members = self
            .arena
            .members(ty)
            .into_iter()
            .map(|member| self.part_of_member(mount, member, part));
        self.arena.union(members)
    }

    pub(super) fn part_of_member(&self, mount: MountId, ty: Ty, part: Part) -> Ty {
        let bare = self.arena.referent(ty);
        let found = match part {
            Part::Element(index) => match self.arena.kind(bare) {
                TypeKind::Tuple(members) => members
                    .get(usize::from(index))
                    .copied()
                    .unwrap_or(Ty::UNKNOWN),
                _ => Ty::UNKNOWN,
            },
            Part::Iterated | Part::Item => return self.item_type(ty),
            Part::Rest => return ty,
            Part::Referent => return self.deref_once(ty).unwrap_or(ty),
            Part::Variant { path, index } => {
                self.variant_part(mount, bare, path, &index.to_string(), usize::from(index))
            }
            Part::Field { path, name } => {
                let name = self.facts(mount).text(name).to_owned();
                self.variant_part(mount, bare, path, &name, usize::MAX)
            }
            Part::Class(path) => return self.type_of_path(mount, path),
            Part::AsyncIterated | Part::Entered | Part::AsyncEntered => return Ty::UNKNOWN,
        };
        self.bound_by_pattern(ty, found)
    }

    /// A pattern on a reference binds references to the parts.
    fn bound_by_pattern(&self, whole: Ty, part: Ty) -> Ty {
        let is_reference = |ty| matches!(self.arena.kind(ty), TypeKind::Reference(_));
        if is_reference(whole) && !is_reference(part) {
            self.arena.reference(part)
        } else {
            part
        }
    }

    /// A field of the variant or struct that a pattern names, in a value of type `ty`.
    pub(super) fn variant_part(
        &self,
        mount: MountId,
        ty: Ty,
        path: PathId,
        field: &str,
        index: usize,
    ) -> Ty {
        let types = self
            .resolve_path(mount, path, Namespace::Value)
            .into_iter()
            .map(|resolved| match resolved {
                Resolved::External(path) => {
                    let path = self.arena.text(path);
                    let variant = path.rsplit("::").next().unwrap_or_default();
                    self.external_variant_part(ty, &path, index)
                        .or_else(|| self.own_field(ty, &format!("{variant}.{field}")))
                        .or_else(|| self.own_field(ty, field))
                        .unwrap_or(Ty::UNKNOWN)
                }
                Resolved::Item(def) => match self.item(def).kind {
                    ItemKind::Variant { fields } | ItemKind::Struct { fields } => {
                        self.field_of(def, fields, field, ty).unwrap_or(Ty::UNKNOWN)
                    }
                    _ => Ty::UNKNOWN,
                },
                Resolved::SelfType(_) => self.own_field(ty, field).unwrap_or(Ty::UNKNOWN),
                _ => Ty::UNKNOWN,
            });
        self.arena.union(types)
    }

    /// `Some(x)`, `Ok(x)`, `Err(x)` and their like: the variant's position among the type's arguments.
    fn external_variant_part(&self, ty: Ty, variant: &str, index: usize) -> Option<Ty> {
        let TypeKind::External(_, arguments) = self.arena.kind(ty) else {
            return None;
        };
        let position = match variant {
            "std::result::Result::Err" => 1,
            "std::option::Option::Some" | "std::result::Result::Ok" | "std::task::Poll::Ready" => 0,
            _ => return None,
        };
        arguments.get(position).copied().filter(|_| index == 0)
    }

    /// What iterating over a value of a type gives.
    pub(crate) fn item_type(&self, ty: Ty) -> Ty {
        let mut steps = self.autoderef(ty).into_iter();
        steps
            .find_map(|step| self.own_item(step, step != ty))
            .unwrap_or(Ty::UNKNOWN)
    }

    pub(super) fn own_item(&self, ty: Ty, borrowed: bool) -> Option<Ty> {
        let borrow = |item: Ty| {
            if borrowed {
                self.arena.reference(item)
            } else {
                item
            }
        };
        match self.arena.kind(ty) {
            TypeKind::Slice(item) => Some(borrow(item)),
            TypeKind::External(path, arguments) => {
                let item = self.stub_of(path, &arguments, Stub::Item)?;
                Some(borrow(item))
            }
            TypeKind::Impl(bounds) | TypeKind::Dyn(bounds) => {
                let items = bounds
                    .iter()
                    .map(|bound| self.associated_argument(*bound, "Item"));
                Some(self.arena.union(items)).filter(|item| *item != Ty::UNKNOWN)
            }
            TypeKind::Parameter(def, name) => {
                let items = self
                    .bounds(def, name)
                    .into_iter()
                    .map(|bound| self.associated_argument(bound, "Item"));
                Some(self.arena.union(items)).filter(|item| *item != Ty::UNKNOWN)
            }
            TypeKind::Named(..) => {
                let impl_ = self.impl_of_external_trait(
                    ty,
                    &["std::iter::Iterator", "std::iter::IntoIterator"],
                )?;
                self.associated_in_impl(impl_, "Item")
            }
            _ => None,
        }
    }

    /// `T::Name`: an associated type.
    pub(crate) fn associated_type(&self, ty: Ty, name: Symbol) -> Ty {
        let name = self.arena.text(name);
        match self.arena.kind(ty) {
            TypeKind::Parameter(def, parameter) => {
                let bounds = self.bounds(def, parameter);
                self.arena.union(
                    bounds
                        .into_iter()
                        .map(|bound| self.associated_argument(bound, &name)),
                )
            }
            TypeKind::Named(..) | TypeKind::External(..) => {
                let found = self
                    .impls_of(ty)
                    .into_iter()
                    .find_map(|impl_| self.associated_in_impl(impl_, &name));
                found.unwrap_or(Ty::UNKNOWN)
            }
            _ => Ty::UNKNOWN,
        }
    }

    pub(super) fn associated_in_impl(&self, impl_: DefId, name: &str) -> Option<Ty> {
        let facts = self.facts(impl_.mount);
        let scope: ScopeId = self.item(impl_).inner?;
        let id = facts.names.find(name)?;
        let items = self.index(impl_.mount).scopes[scope.index()]
            .items
            .get(&id)?;
        items.iter().find_map(|item| match facts.item(*item).kind {
            ItemKind::TypeAlias {
                target: Some(target),
            } => Some(self.written_type(impl_.mount, target)),
            _ => None,
        })
    }
}
