//! Types on demand: of written types, expressions, definitions and fields.

use nostall_model::facts::{
    BodyId, BodyKind, CallId, CollectionKind, Definition, DefinitionKind, ExprId, ExprKind,
    ItemKind, Literal, PathId, Run, TypeExprId, TypeExprKind,
};

use super::methods::Substitution;
use super::mounts::{DefId, MountId, ScopeRef};
use super::names::{Namespace, Resolved};
use super::types::{Symbol, Ty, TypeKind, Tys};
use super::{Cx, DEEPEST};

impl Cx<'_> {
    // ---- types as written

    /// Resolves a type as written.
    pub(crate) fn written_type(&self, mount: MountId, id: TypeExprId) -> Ty {
        self.known.written.ask(
            &self.depth,
            DEEPEST,
            (mount, id),
            || Ty::UNKNOWN,
            || self.written_type_anew(mount, id),
        )
    }

    pub(super) fn written_type_anew(&self, mount: MountId, id: TypeExprId) -> Ty {
        let list = |run: Run| -> Tys { self.written_types(mount, run).into() };
        match self.facts(mount).type_expr(id).kind {
            TypeExprKind::Path(path) => self.type_of_path(mount, path),
            TypeExprKind::Reference(inner) => self.arena.reference(self.written_type(mount, inner)),
            TypeExprKind::Tuple(run) => self.arena.ty(TypeKind::Tuple(list(run))),
            TypeExprKind::Slice(inner) => self
                .arena
                .ty(TypeKind::Slice(self.written_type(mount, inner))),
            TypeExprKind::Function {
                parameters,
                returns,
            } => {
                let returns = returns
                    .map_or_else(|| self.unit(), |returns| self.written_type(mount, returns));
                self.arena.ty(TypeKind::Function(list(parameters), returns))
            }
            TypeExprKind::Impl(run) => self.arena.ty(TypeKind::Impl(list(run))),
            TypeExprKind::Dyn(run) => self.arena.ty(TypeKind::Dyn(list(run))),
            TypeExprKind::Associated { name, type_ } => {
                let name = self.arena.symbol(self.facts(mount).text(name));
                self.arena
                    .ty(TypeKind::Associated(name, self.written_type(mount, type_)))
            }
            TypeExprKind::Never => Ty::NEVER,
            TypeExprKind::Subscript { .. }
            | TypeExprKind::Union(_)
            | TypeExprKind::Literal(_)
            | TypeExprKind::Unknown => Ty::UNKNOWN,
        }
    }

    pub(crate) fn written_types(&self, mount: MountId, run: Run) -> Vec<Ty> {
        self.facts(mount)
            .type_list(run)
            .iter()
            .map(|id| self.written_type(mount, *id))
            .collect()
    }

    pub(crate) fn unit(&self) -> Ty {
        self.arena.ty(TypeKind::Tuple([].into()))
    }

    pub(super) fn type_of_path(&self, mount: MountId, id: PathId) -> Ty {
        let segments = self.facts(mount).path_segments(id);
        let arguments = segments
            .last()
            .map_or_else(Run::default, |segment| segment.arguments);
        let found = self.resolve_path(mount, id, Namespace::Type);
        let types = found.into_iter().map(|resolved| {
            let ty = match resolved {
                Resolved::Associated(ty, name) => return self.associated_type(ty, name),
                Resolved::External(path) => {
                    return self.external_type(
                        &self.arena.text(path),
                        &self.written_types(mount, arguments),
                    );
                }
                other => self.type_of_resolved(other),
            };
            match resolved {
                _ if arguments.is_empty() => ty,
                Resolved::Item(def) if self.is_alias(def) => {
                    self.apply_to_alias(mount, def, ty, arguments)
                }
                _ => self.apply(mount, ty, arguments),
            }
        });
        self.arena.union(types)
    }

    pub(super) fn is_alias(&self, def: DefId) -> bool {
        matches!(self.item(def).kind, ItemKind::TypeAlias { .. })
    }

    /// `type Shared<T> = Arc<Mutex<T>>`: what an alias stands for with these arguments.
    pub(super) fn apply_to_alias(
        &self,
        mount: MountId,
        def: DefId,
        target: Ty,
        arguments: Run,
    ) -> Ty {
        let mut substitution = Substitution::default();
        let arguments = self.written_types(mount, arguments);
        for (parameter, argument) in self.generic_types(def).into_iter().zip(arguments) {
            self.unify(parameter, argument, &mut substitution);
        }
        self.substitute(target, &substitution)
    }

    /// Gives a type the arguments written with it.
    pub(crate) fn apply(&self, mount: MountId, ty: Ty, arguments: Run) -> Ty {
        let arguments = self.written_types(mount, arguments);
        match self.arena.kind(ty) {
            TypeKind::Named(def, _) => self.arena.ty(TypeKind::Named(def, arguments.into())),
            TypeKind::External(path, _) => self.external_type(&self.arena.text(path), &arguments),
            _ => ty,
        }
    }

    /// Returns the type that a path names.
    pub(crate) fn type_of_resolved(&self, resolved: Resolved) -> Ty {
        match resolved {
            Resolved::Module(_) => Ty::UNKNOWN,
            Resolved::External(path) => self.external_type(&self.arena.text(path), &[]),
            Resolved::Primitive(name) => self.arena.ty(TypeKind::Primitive(name)),
            Resolved::Generic(def, name) => self.arena.ty(TypeKind::Parameter(def, name)),
            Resolved::SelfType(def) => self.self_type(def),
            Resolved::Associated(ty, name) => self.associated_type(ty, name),
            Resolved::Item(def) => match self.item(def).kind {
                ItemKind::TypeAlias {
                    target: Some(target),
                } => self.written_type(def.mount, target),
                ItemKind::Struct { .. } | ItemKind::Enum | ItemKind::Trait { .. } => {
                    self.self_type(def)
                }
                ItemKind::Variant { .. } => self
                    .enum_of(def)
                    .map_or(Ty::UNKNOWN, |def| self.self_type(def)),
                _ => Ty::UNKNOWN,
            },
        }
    }

    /// The enum that a variant belongs to.
    pub(crate) fn enum_of(&self, variant: DefId) -> Option<DefId> {
        self.self_item(ScopeRef {
            mount: variant.mount,
            scope: self.item(variant).scope,
        })
    }

    /// Returns what `Self` is in an impl, trait, struct or enum.
    pub(crate) fn self_type(&self, def: DefId) -> Ty {
        match self.item(def).kind {
            ItemKind::Impl { self_type, .. } => self.written_type(def.mount, self_type),
            ItemKind::Trait { .. } => self
                .arena
                .ty(TypeKind::Parameter(def, self.arena.symbol("Self"))),
            ItemKind::Struct { .. } | ItemKind::Enum => {
                let arguments = self.generic_types(def);
                self.arena.ty(TypeKind::Named(def, arguments.into()))
            }
            _ => Ty::UNKNOWN,
        }
    }

    /// The generic parameters of an item, as types.
    pub(crate) fn generic_types(&self, def: DefId) -> Vec<Ty> {
        let facts = self.facts(def.mount);
        let generics = &facts.generics[self.item(def).generics.range()];
        generics
            .iter()
            .filter(|generic| facts.text(generic.name) != "Self")
            .map(|generic| {
                self.arena.ty(TypeKind::Parameter(
                    def,
                    self.arena.symbol(facts.text(generic.name)),
                ))
            })
            .collect()
    }

    /// The bounds of a generic parameter, as types: a trait's own `Self` has the trait.
    pub(crate) fn bounds(&self, def: DefId, name: Symbol) -> Vec<Ty> {
        if let Some(bounds) = self.nameless_bounds(def, name) {
            return bounds;
        }
        let facts = self.facts(def.mount);
        let mut bounds = Vec::new();
        let item = self.item(def);
        if let ItemKind::Trait { supertraits } = item.kind
            && &*self.arena.text(name) == "Self"
        {
            bounds.push(self.arena.ty(TypeKind::Named(def, [].into())));
            bounds.extend(self.written_types(def.mount, supertraits));
        }
        for generic in &facts.generics[item.generics.range()] {
            if facts.text(generic.name) == &*self.arena.text(name) {
                bounds.extend(self.written_types(def.mount, generic.bounds));
            }
        }
        bounds
    }

    // ---- expressions

    /// Returns the type of an expression.
    pub(crate) fn type_of(&self, mount: MountId, id: ExprId) -> Ty {
        self.known.types.ask(
            &self.depth,
            DEEPEST,
            (mount, id),
            || Ty::UNKNOWN,
            || self.type_of_anew(mount, id),
        )
    }

    pub(super) fn type_of_anew(&self, mount: MountId, id: ExprId) -> Ty {
        let facts = self.facts(mount);
        match facts.expr(id).kind {
            ExprKind::Literal(literal) => self.type_of_literal(literal),
            ExprKind::Path(path) => self.type_of_value(mount, path),
            ExprKind::Use { binding, reaching } => self.type_of_use(mount, binding, reaching),
            ExprKind::Attribute { base, name } => {
                self.field_type(self.type_of(mount, base), facts.text(name))
            }
            ExprKind::Call(call) => self.type_of_call(mount, call),
            ExprKind::Await(value) => self.awaited(self.type_of(mount, value)),
            ExprKind::Try(value) => self.tried(self.type_of(mount, value)),
            ExprKind::Callable(body) => self.type_of_callable(mount, body),
            ExprKind::Reference(value) => self.arena.reference(self.type_of(mount, value)),
            ExprKind::Dereference(value) => self.dereferenced(self.type_of(mount, value)),
            ExprKind::Unary(value) => self.type_of(mount, value),
            ExprKind::Cast { type_, .. } => self.written_type(mount, type_),
            ExprKind::Struct { path, fields } => self.type_of_struct(mount, path, fields),
            ExprKind::Collection { kind, elements } => {
                self.type_of_collection(mount, kind, elements)
            }
            ExprKind::Select(values) => self.arena.union(
                facts
                    .expr_list(values)
                    .iter()
                    .map(|value| self.type_of(mount, *value)),
            ),
            ExprKind::Project { base, part } => {
                self.part_type(mount, self.type_of(mount, base), part)
            }
            ExprKind::Text => self.external_type("std::string::String", &[]),
            ExprKind::Never => Ty::NEVER,
            ExprKind::Unit => self.unit(),
            ExprKind::Unknown => Ty::UNKNOWN,
        }
    }

    pub(super) fn type_of_literal(&self, literal: Literal) -> Ty {
        let primitive = |name| self.arena.ty(TypeKind::Primitive(self.arena.symbol(name)));
        match literal {
            Literal::Bool(_) => primitive("bool"),
            Literal::Int(_) => primitive("i32"),
            Literal::Float(_) => primitive("f64"),
            Literal::Str(_) => self.arena.reference(primitive("str")),
            Literal::Bytes => self
                .arena
                .reference(self.arena.ty(TypeKind::Slice(primitive("u8")))),
            Literal::Char => primitive("char"),
            Literal::None | Literal::Other => Ty::UNKNOWN,
        }
    }

    /// The type of what a path in an expression names.
    pub(super) fn type_of_value(&self, mount: MountId, path: PathId) -> Ty {
        let types = self
            .resolve_path(mount, path, Namespace::Value)
            .into_iter()
            .map(|resolved| match resolved {
                Resolved::Item(def) => self.type_of_value_item(def),
                Resolved::External(path) => self.arena.ty(TypeKind::ExternalFunction(path)),
                Resolved::Associated(ty, name) => self.associated_value(ty, name),
                Resolved::SelfType(def) => self.self_type(def),
                _ => Ty::UNKNOWN,
            });
        self.arena.union(types)
    }

    pub(super) fn type_of_value_item(&self, def: DefId) -> Ty {
        let item = self.item(def);
        match item.kind {
            ItemKind::Constant { type_: Some(type_) } => self.written_type(def.mount, type_),
            ItemKind::Constant { type_: None } => {
                let value = item
                    .body
                    .and_then(|body| self.facts(def.mount).body(body).value);
                value.map_or(Ty::UNKNOWN, |value| self.type_of(def.mount, value))
            }
            ItemKind::Function => self.arena.ty(TypeKind::FunctionItem(def)),
            ItemKind::Struct { .. } | ItemKind::Variant { .. } => {
                self.type_of_resolved(Resolved::Item(def))
            }
            _ => Ty::UNKNOWN,
        }
    }

    pub(super) fn associated_value(&self, ty: Ty, name: Symbol) -> Ty {
        let found = self.associated_items(ty, &self.arena.text(name));
        self.arena
            .union(found.into_iter().map(|def| self.type_of_value_item(def)))
    }

    pub(super) fn type_of_use(
        &self,
        mount: MountId,
        binding: nostall_model::facts::BindingId,
        reaching: Run,
    ) -> Ty {
        let facts = self.facts(mount);
        let index = self.index(mount);
        let definitions = if reaching.is_empty() {
            index.definitions_of(binding)
        } else {
            &facts.definition_lists[reaching.range()]
        };
        let types = definitions
            .iter()
            .map(|id| self.definition_type(mount, &facts.definitions[id.index()]));
        self.arena.union(types)
    }

    pub(crate) fn definition_type(&self, mount: MountId, definition: &Definition) -> Ty {
        let written = definition
            .type_
            .map_or(Ty::UNKNOWN, |type_| self.written_type(mount, type_));
        if written != Ty::UNKNOWN && !self.has_hole(written) {
            return written;
        }
        let found = match definition.kind {
            DefinitionKind::Value(value) => self.type_of(mount, value),
            DefinitionKind::Parameter(index) => self.parameter_type(mount, definition, index),
            DefinitionKind::Declared if written == Ty::UNKNOWN => {
                self.assigned_type(mount, definition)
            }
            _ => Ty::UNKNOWN,
        };
        if found != Ty::UNKNOWN {
            return found;
        }
        match definition.kind {
            DefinitionKind::Value(value) => self.filled_by_items(mount, written, value),
            _ => written,
        }
    }

    /// `let all: Vec<_> = items.collect()`: the holes of the written type, filled with what is iterated over.
    pub(super) fn filled_by_items(&self, mount: MountId, written: Ty, value: ExprId) -> Ty {
        let facts = self.facts(mount);
        let receiver = match facts.expr(value).kind {
            ExprKind::Call(call) => match facts.call(call).callee {
                nostall_model::facts::Callee::Method { receiver, .. } => receiver,
                _ => return written,
            },
            ExprKind::Try(inner) => {
                // `collect::<Result<..>>()?` gives what is in the result.
                return self.filled_by_items(mount, written, inner);
            }
            _ => return written,
        };
        let item = self.item_type(self.type_of(mount, receiver));
        if item == Ty::UNKNOWN {
            return written;
        }
        self.with_items(written, item)
    }

    /// A collection with holes that is made of such items.
    pub(crate) fn with_items(&self, collection: Ty, item: Ty) -> Ty {
        let TypeKind::External(path, arguments) = self.arena.kind(collection) else {
            return collection;
        };
        let text = self.arena.text(path);
        if super::stubs::is_wrapper(&text) {
            let TypeKind::External(_, given) = self.arena.kind(item) else {
                return collection;
            };
            let (Some(inner), Some(good)) = (arguments.first(), given.first()) else {
                return collection;
            };
            let mut filled = arguments.to_vec();
            filled[0] = self.with_items(*inner, *good);
            return self.arena.external(&text, &filled);
        }
        let unknown = arguments.iter().all(|argument| *argument == Ty::UNKNOWN);
        match (arguments.len(), self.arena.kind(item)) {
            (1, _) if unknown => self.arena.external(&text, &[item]),
            (2, TypeKind::Tuple(parts)) if unknown && parts.len() == 2 => {
                self.arena.external(&text, &parts)
            }
            _ => collection,
        }
    }

    /// Says whether part of a written type is `_`.
    pub(super) fn has_hole(&self, ty: Ty) -> bool {
        match self.arena.kind(ty) {
            TypeKind::Unknown => true,
            TypeKind::External(_, arguments) | TypeKind::Named(_, arguments) => {
                arguments.iter().any(|argument| self.has_hole(*argument))
            }
            TypeKind::Reference(inner) => self.has_hole(inner),
            _ => false,
        }
    }

    /// The type of a variable that is declared first and assigned later.
    pub(super) fn assigned_type(&self, mount: MountId, declared: &Definition) -> Ty {
        let facts = self.facts(mount);
        let others = self
            .index(mount)
            .definitions_of(declared.binding)
            .iter()
            .map(|id| &facts.definitions[id.index()]);
        let values = others.filter_map(|definition| match definition.kind {
            DefinitionKind::Value(value) => Some(self.type_of(mount, value)),
            _ => None,
        });
        self.arena.union(values)
    }

    pub(super) fn parameter_type(&self, mount: MountId, definition: &Definition, index: u16) -> Ty {
        let facts = self.facts(mount);
        let body = facts.bindings[definition.binding.index()].body;
        let Some(parameter) = facts.body_parameters(body).get(usize::from(index)) else {
            return Ty::UNKNOWN;
        };
        let declared = self.declared_type(mount, body, usize::from(index));
        if declared != Ty::UNKNOWN {
            return declared;
        }
        if parameter.kind == nostall_model::facts::ParameterKind::Receiver {
            let scope = ScopeRef {
                mount,
                scope: facts.body(body).scope,
            };
            return self
                .self_item(scope)
                .map_or(Ty::UNKNOWN, |def| self.self_type(def));
        }
        if facts.body(body).kind == BodyKind::Closure {
            self.closure_parameter(mount, body, index)
        } else {
            Ty::UNKNOWN
        }
    }

    pub(super) fn type_of_callable(&self, mount: MountId, id: BodyId) -> Ty {
        let body = self.facts(mount).body(id);
        if body.kind != BodyKind::AsyncBlock {
            return self.arena.ty(TypeKind::Closure(mount, id));
        }
        let value = self.body_value_type(mount, id);
        self.arena.ty(TypeKind::Future(value))
    }

    /// The type of what a body without a written return type returns: its last expression's, or what it returns early.
    pub(crate) fn body_value_type(&self, mount: MountId, id: BodyId) -> Ty {
        let facts = self.facts(mount);
        let body = facts.body(id);
        if let Some(returns) = body.returns {
            return self.written_type(mount, returns);
        }
        let last = body
            .value
            .map_or(Ty::UNKNOWN, |value| self.type_of(mount, value));
        if last == Ty::UNKNOWN && body.value.is_none() {
            self.unit()
        } else {
            last
        }
    }

    pub(super) fn type_of_call(&self, mount: MountId, id: CallId) -> Ty {
        let found = self.callees(mount, id);
        self.arena.union(found.iter().map(|callee| callee.returns))
    }

    pub(super) fn type_of_struct(&self, mount: MountId, path: PathId, fields: Run) -> Ty {
        let arguments = self
            .facts(mount)
            .path_segments(path)
            .last()
            .map_or_else(Run::default, |it| it.arguments);
        let types = self
            .resolve_path(mount, path, Namespace::Type)
            .into_iter()
            .map(|resolved| {
                let ty = self.type_of_resolved(resolved);
                let ty = if arguments.is_empty() {
                    self.filled_in(mount, ty, fields)
                } else {
                    self.apply(mount, ty, arguments)
                };
                self.without_own_parameters(ty)
            });
        self.arena.union(types)
    }

    /// A struct whose type arguments are told by the values of its fields.
    pub(super) fn filled_in(&self, mount: MountId, ty: Ty, values: Run) -> Ty {
        let TypeKind::Named(def, arguments) = self.arena.kind(ty) else {
            return ty;
        };
        let ItemKind::Struct { fields } = self.item(def).kind else {
            return ty;
        };
        if arguments.is_empty() {
            return ty;
        }
        let (own, facts) = (self.facts(def.mount), self.facts(mount));
        let mut substitution = Substitution::default();
        for field in &own.fields[fields.range()] {
            let given = facts.arguments[values.range()].iter().find(|given| {
                given
                    .name
                    .is_some_and(|name| facts.text(name) == own.text(field.name))
            });
            if let Some(given) = given {
                let written = self.written_type(def.mount, field.type_);
                self.unify(written, self.type_of(mount, given.value), &mut substitution);
            }
        }
        self.substitute(ty, &substitution)
    }

    /// A struct's own parameters say nothing about a value of it: they are not known.
    pub(super) fn without_own_parameters(&self, ty: Ty) -> Ty {
        let TypeKind::Named(def, _) = self.arena.kind(ty) else {
            return ty;
        };
        self.arena.map(ty, &|kind| match kind {
            TypeKind::Parameter(owner, _) if *owner == def => Some(Ty::UNKNOWN),
            _ => None,
        })
    }

    pub(super) fn type_of_collection(
        &self,
        mount: MountId,
        kind: CollectionKind,
        elements: Run,
    ) -> Ty {
        let elements = self.facts(mount).expr_list(elements);
        match kind {
            CollectionKind::Tuple => self.arena.ty(TypeKind::Tuple(
                elements
                    .iter()
                    .map(|element| self.type_of(mount, *element))
                    .collect(),
            )),
            _ => {
                let first = elements
                    .first()
                    .map_or(Ty::UNKNOWN, |element| self.type_of(mount, *element));
                self.arena.ty(TypeKind::Slice(first))
            }
        }
    }
}
