//! Items: what others can name, and impl blocks.

use nostall_model::Span;
use nostall_model::facts::{
    Field, Item as ItemFact, ItemId, ItemKind, Run, ScopeId, ScopeKind, TypeExprId,
};
use syn::{AttrStyle, Attribute, Fields, Ident, Item, Visibility};

use super::lower::Lower;

/// What all items have.
pub(crate) struct Head<'n> {
    pub(crate) attributes: &'n [Attribute],
    pub(crate) name: Option<&'n Ident>,
    pub(crate) public: bool,
    /// Without the attributes.
    pub(crate) span: Span,
}

/// Says whether something is visible beyond its scope.
pub(crate) fn is_public(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

impl Lower<'_> {
    /// Lowers an item.
    pub(crate) fn item(&mut self, item: &Item) {
        let span = self.span(item);
        let head = |attributes, name, visibility| Head {
            attributes,
            name: Some(name),
            public: is_public(visibility),
            span,
        };
        match item {
            Item::Fn(node) => {
                self.function(
                    &head(&node.attrs, &node.sig.ident, &node.vis),
                    &node.sig,
                    Some(&node.block),
                );
            }
            Item::Struct(node) => self.struct_(
                &head(&node.attrs, &node.ident, &node.vis),
                &node.generics,
                &node.fields,
            ),
            Item::Union(node) => {
                let fields = Fields::Named(node.fields.clone());
                self.struct_(
                    &head(&node.attrs, &node.ident, &node.vis),
                    &node.generics,
                    &fields,
                );
            }
            Item::Enum(node) => self.enum_(&head(&node.attrs, &node.ident, &node.vis), node),
            Item::Impl(node) => self.impl_(node, span),
            Item::Trait(node) => self.trait_(&head(&node.attrs, &node.ident, &node.vis), node),
            Item::Type(node) => {
                self.alias(
                    &head(&node.attrs, &node.ident, &node.vis),
                    &node.generics,
                    Some(&node.ty),
                );
            }
            Item::Const(node) => {
                self.constant(
                    &head(&node.attrs, &node.ident, &node.vis),
                    Some(&node.ty),
                    Some(&node.expr),
                );
            }
            Item::Static(node) => {
                self.constant(
                    &head(&node.attrs, &node.ident, &node.vis),
                    Some(&node.ty),
                    Some(&node.expr),
                );
            }
            Item::Mod(node) => self.module(&head(&node.attrs, &node.ident, &node.vis), node),
            Item::Use(node) => {
                let condition = self.condition_of(&node.attrs);
                self.use_(node, condition);
            }
            Item::ExternCrate(node) => self.extern_crate(node, span),
            Item::ForeignMod(node) => self.foreign_items(node),
            Item::Macro(node) => self.macro_item(node, span),
            _ => {}
        }
    }

    /// Adds an item to the scope of here.
    pub(crate) fn declare_item(&mut self, head: &Head<'_>, kind: ItemKind) -> ItemId {
        let condition = self.condition_of(head.attributes);
        let attributes = self.attributes(head.attributes);
        let name = head
            .name
            .filter(|name| *name != "_")
            .map(|name| self.name(name));
        let name_span = head.name.map_or(head.span, |name| self.token(name.span()));
        self.attribute_span(head);
        self.builder.item(ItemFact {
            kind,
            name,
            scope: self.scope,
            inner: None,
            body: None,
            condition,
            attributes,
            generics: Run::default(),
            public: head.public,
            span: head.span,
            name_span,
        })
    }

    /// Records where the attributes of an item begin, for suppressions above them.
    fn attribute_span(&mut self, head: &Head<'_>) {
        let first = head
            .attributes
            .iter()
            .find(|attribute| matches!(attribute.style, AttrStyle::Outer));
        if let Some(first) = first {
            let start = self.token(first.pound_token.spans[0]);
            self.builder
                .facts
                .attribute_spans
                .push((start.to(head.span), head.span));
        }
    }

    pub(crate) fn item_mut(&mut self, id: ItemId) -> &mut ItemFact {
        &mut self.builder.facts.items[id.index()]
    }

    /// Opens the scope of an item: its generic parameters and what it holds.
    pub(crate) fn open_item_scope(&mut self, id: ItemId) -> ScopeId {
        let scope = self.builder.scope(self.scope, ScopeKind::Item(id));
        self.item_mut(id).inner = Some(scope);
        scope
    }

    /// Lowers what is inside of an item: nothing of the code around it is in sight, and what holds for the item need not
    /// be said again.
    pub(crate) fn inside<R>(&mut self, scope: ScopeId, lower: impl FnOnce(&mut Self) -> R) -> R {
        let outer_scope = std::mem::replace(&mut self.scope, scope);
        let condition = self.condition.take();
        let loops = std::mem::take(&mut self.loops);
        let conditional = std::mem::take(&mut self.conditional);
        let statement = self.builder.statement;
        let barrier = self.variables.hide();
        let result = lower(self);
        self.variables.unhide(barrier);
        self.builder.statement = statement;
        self.conditional = conditional;
        self.loops = loops;
        self.condition = condition;
        self.scope = outer_scope;
        result
    }

    // ---- types

    fn struct_(&mut self, head: &Head<'_>, generics: &syn::Generics, fields: &Fields) {
        let id = self.declare_item(
            head,
            ItemKind::Struct {
                fields: Run::default(),
            },
        );
        self.note_lifetimes(id, generics);
        let scope = self.open_item_scope(id);
        self.inside(scope, |cx| {
            let generics = cx.generics(generics, false);
            let fields = cx.fields(fields);
            let item = cx.item_mut(id);
            item.generics = generics;
            item.kind = ItemKind::Struct { fields };
        });
    }

    fn note_lifetimes(&mut self, id: ItemId, generics: &syn::Generics) {
        if generics.lifetimes().next().is_some() {
            self.builder.facts.borrowing.push(id);
        }
    }

    fn fields(&mut self, fields: &Fields) -> Run {
        let mut list = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let name = match &field.ident {
                Some(ident) => self.name(ident),
                None => self.builder.name(&index.to_string()),
            };
            let type_ = self.type_(&field.ty);
            list.push(Field { name, type_ });
        }
        let start = self.builder.facts.fields.len() as u32;
        self.builder.facts.fields.extend(list);
        Run {
            start,
            end: self.builder.facts.fields.len() as u32,
        }
    }

    fn enum_(&mut self, head: &Head<'_>, node: &syn::ItemEnum) {
        let id = self.declare_item(head, ItemKind::Enum);
        self.note_lifetimes(id, &node.generics);
        let scope = self.open_item_scope(id);
        self.inside(scope, |cx| {
            cx.item_mut(id).generics = cx.generics(&node.generics, false);
            for variant in &node.variants {
                cx.variant(variant);
            }
        });
    }

    fn variant(&mut self, node: &syn::Variant) {
        let start = self.token(node.ident.span());
        let span = match &node.fields {
            Fields::Named(fields) => start.to(self.token(fields.brace_token.span.close())),
            Fields::Unnamed(fields) => start.to(self.token(fields.paren_token.span.close())),
            Fields::Unit => start,
        };
        let fields = self.fields(&node.fields);
        let head = Head {
            attributes: &node.attrs,
            name: Some(&node.ident),
            public: true,
            span,
        };
        self.declare_item(&head, ItemKind::Variant { fields });
    }

    pub(crate) fn alias(
        &mut self,
        head: &Head<'_>,
        generics: &syn::Generics,
        target: Option<&syn::Type>,
    ) {
        let id = self.declare_item(head, ItemKind::TypeAlias { target: None });
        // `Self` in an associated type is the impl's: only parameters of its own need a scope.
        let scope = if generics.params.is_empty() {
            self.scope
        } else {
            self.builder.scope(self.scope, ScopeKind::Function(id))
        };
        self.inside(scope, |cx| {
            let generics = cx.generics(generics, false);
            let target = target.map(|target| cx.type_(target));
            let item = cx.item_mut(id);
            item.generics = generics;
            item.kind = ItemKind::TypeAlias { target };
        });
    }

    fn trait_(&mut self, head: &Head<'_>, node: &syn::ItemTrait) {
        let id = self.declare_item(
            head,
            ItemKind::Trait {
                supertraits: Run::default(),
            },
        );
        let scope = self.open_item_scope(id);
        self.inside(scope, |cx| {
            let generics = cx.generics(&node.generics, true);
            let supertraits = cx.bounds(&node.supertraits);
            let item = cx.item_mut(id);
            item.generics = generics;
            item.kind = ItemKind::Trait { supertraits };
            for member in &node.items {
                cx.trait_member(member);
            }
        });
    }

    fn impl_(&mut self, node: &syn::ItemImpl, span: Span) {
        // `impl !Send for T {}` says that there is nothing.
        if node.modifiers.polarity.is_some() {
            return;
        }
        let head = Head {
            attributes: &node.attrs,
            name: None,
            public: false,
            span,
        };
        // The types are looked up among the impl's own parameters: it has to be there first.
        let placeholder = self
            .builder
            .type_expr(nostall_model::facts::TypeExprKind::Unknown, span);
        let id = self.declare_item(
            &head,
            ItemKind::Impl {
                trait_: None,
                self_type: placeholder,
            },
        );
        let scope = self.open_item_scope(id);
        self.inside(scope, |cx| {
            let generics = cx.generics(&node.generics, false);
            let trait_ = node.trait_.as_ref().map(|(path, _)| cx.trait_type(path));
            let self_type = cx.type_(&node.self_ty);
            let item = cx.item_mut(id);
            item.generics = generics;
            item.kind = ItemKind::Impl { trait_, self_type };
            for member in &node.items {
                cx.impl_member(member, trait_.is_some());
            }
        });
    }

    fn trait_type(&mut self, path: &syn::Path) -> TypeExprId {
        let node = syn::Type::Path(syn::TypePath {
            attrs: Vec::new(),
            qself: None,
            path: path.clone(),
        });
        self.type_(&node)
    }

    // ---- modules

    fn module(&mut self, head: &Head<'_>, node: &syn::ItemMod) {
        let Some((_, items)) = &node.content else {
            return self.module_file(head);
        };
        let id = self.declare_item(head, ItemKind::Module);
        let scope = self.open_item_scope(id);
        self.inside(scope, |cx| {
            for item in items {
                cx.item(item);
            }
        });
    }

    fn extern_crate(&mut self, node: &syn::ItemExternCrate, span: Span) {
        let target = self.name(&node.ident);
        let alias = node.rename.as_ref().map_or(&node.ident, |(_, alias)| alias);
        let head = Head {
            attributes: &node.attrs,
            name: Some(alias),
            public: is_public(&node.vis),
            span,
        };
        self.declare_item(&head, ItemKind::ExternCrate { target });
    }
}
