//! Members of impls, traits and `extern` blocks; constants; modules in other files.

use nostall_model::Span;
use nostall_model::build::NewBody;
use nostall_model::facts::{BodyKind, ConditionId, Flavour, ItemKind};
use proc_macro2::Span as TokenSpan;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ForeignItem, ImplItem, Meta, Token, TraitItem, Type};

use super::items::{Head, is_public};
use super::lower::Lower;
use super::spans;

impl Lower<'_> {
    pub(crate) fn impl_member(&mut self, member: &ImplItem, of_trait: bool) {
        match member {
            ImplItem::Fn(node) => {
                let first = spans::visibility_or(&node.vis, spans::signature(&node.sig));
                let span = self
                    .places
                    .between(first, node.block.brace_token.span.close());
                let public = of_trait || is_public(&node.vis);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.sig.ident),
                    public,
                    span,
                };
                self.function(&head, &node.sig, Some(&node.block));
            }
            ImplItem::Const(node) => {
                let span =
                    self.member_span(&node.vis, node.const_token.span, node.semi_token.spans[0]);
                let public = of_trait || is_public(&node.vis);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.ident),
                    public,
                    span,
                };
                self.constant(&head, Some(&node.ty), Some(&node.expr));
            }
            ImplItem::Type(node) => {
                let span =
                    self.member_span(&node.vis, node.type_token.span, node.semi_token.spans[0]);
                let public = of_trait || is_public(&node.vis);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.ident),
                    public,
                    span,
                };
                self.alias(&head, &node.generics, Some(&node.ty));
            }
            ImplItem::Macro(node) => self.macro_of_members(&node.mac, of_trait),
            _ => {}
        }
    }

    fn member_span(&self, visibility: &syn::Visibility, first: TokenSpan, last: TokenSpan) -> Span {
        self.places
            .between(spans::visibility_or(visibility, first), last)
    }

    pub(crate) fn trait_member(&mut self, member: &TraitItem) {
        match member {
            TraitItem::Fn(node) => {
                let last = match (&node.default, &node.semi_token) {
                    (Some(block), _) => block.brace_token.span.close(),
                    (None, Some(semicolon)) => semicolon.spans[0],
                    (None, None) => node.sig.paren_token.span.close(),
                };
                let span = self.places.between(spans::signature(&node.sig), last);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.sig.ident),
                    public: true,
                    span,
                };
                self.function(&head, &node.sig, node.default.as_ref());
            }
            TraitItem::Const(node) => {
                let span = self
                    .places
                    .between(node.const_token.span, node.semi_token.spans[0]);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.ident),
                    public: true,
                    span,
                };
                self.constant(
                    &head,
                    Some(&node.ty),
                    node.default.as_ref().map(|(_, value)| value),
                );
            }
            TraitItem::Type(node) => {
                let span = self
                    .places
                    .between(node.type_token.span, node.semi_token.spans[0]);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.ident),
                    public: true,
                    span,
                };
                self.alias(
                    &head,
                    &node.generics,
                    node.default.as_ref().map(|(_, type_)| type_),
                );
            }
            _ => {}
        }
    }

    pub(crate) fn foreign_items(&mut self, node: &syn::ItemForeignMod) {
        let outer = self.condition;
        self.condition = self.condition_of(&node.attrs);
        for item in &node.items {
            self.foreign_item(item);
        }
        self.condition = outer;
    }

    fn foreign_item(&mut self, item: &ForeignItem) {
        match item {
            ForeignItem::Fn(node) => {
                let span = self.member_span(
                    &node.vis,
                    spans::signature(&node.sig),
                    node.semi_token.spans[0],
                );
                let public = is_public(&node.vis);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.sig.ident),
                    public,
                    span,
                };
                self.function(&head, &node.sig, None);
            }
            ForeignItem::Static(node) => {
                let span =
                    self.member_span(&node.vis, node.static_token.span, node.semi_token.spans[0]);
                let public = is_public(&node.vis);
                let head = Head {
                    attributes: &node.attrs,
                    name: Some(&node.ident),
                    public,
                    span,
                };
                self.constant(&head, Some(&node.ty), None);
            }
            _ => {}
        }
    }

    /// Lowers a constant or static; its value is code that runs at compile time or when it is first used.
    pub(crate) fn constant(&mut self, head: &Head<'_>, type_: Option<&Type>, value: Option<&Expr>) {
        let type_ = type_.map(|type_| self.type_(type_));
        let id = self.declare_item(head, ItemKind::Constant { type_ });
        let Some(value) = value else { return };
        let name_span = head.name.map_or(head.span, |name| self.token(name.span()));
        let scope = self.scope;
        self.inside(scope, |cx| {
            cx.builder.statement = head.span;
            let (kind, flavour, span) = (BodyKind::Constant, Flavour::Sync, head.span);
            let body = cx.builder.open_body(NewBody {
                kind,
                flavour,
                item: Some(id),
                scope,
                span,
                name_span,
            });
            cx.builder.body_mut().returns = type_;
            let value = cx.scoped(|cx| cx.expr(value));
            cx.give(value, nostall_model::facts::Sink::Returned);
            cx.builder.close_body(Some(value));
            cx.item_mut(id).body = Some(body);
        });
    }

    // ---- modules in other files

    /// `mod x;`, once for each file that `#[path]` says it may be in.
    pub(crate) fn module_file(&mut self, head: &Head<'_>) {
        let outer = self.condition;
        let mut others = Vec::new();
        let mut plain = true;
        for attribute in head.attributes {
            if let Some(path) = path_value(&attribute.meta) {
                plain = false;
                self.one_module_file(head, Some(&path));
            }
            let Some((condition, path)) = self.conditional_path(attribute) else {
                continue;
            };
            others.push(condition);
            self.condition = outer;
            self.condition = self.both(condition);
            self.one_module_file(head, Some(&path));
        }
        if plain {
            self.condition = outer;
            for condition in others {
                let without = self.not(condition);
                self.condition = self.both(without);
            }
            self.one_module_file(head, None);
        }
        self.condition = outer;
    }

    fn both(&mut self, condition: ConditionId) -> Option<ConditionId> {
        let conditions: Vec<ConditionId> = self.condition.into_iter().chain([condition]).collect();
        self.all_of(&conditions)
    }

    fn one_module_file(&mut self, head: &Head<'_>, path: Option<&str>) {
        let path = path.map(|path| self.builder.name(path));
        self.declare_item(head, ItemKind::ModuleFile { path });
    }

    /// `#[cfg_attr(condition, path = "..")]`.
    fn conditional_path(&mut self, attribute: &Attribute) -> Option<(ConditionId, String)> {
        let Meta::List(list) = &attribute.meta else {
            return None;
        };
        if !list.path.is_ident("cfg_attr") {
            return None;
        }
        let parser = |input: syn::parse::ParseStream<'_>| {
            let predicate = super::conditions::parse_predicate(input)?;
            let attributes = Punctuated::<Meta, Token![,]>::parse_terminated(input)?;
            Ok((predicate, attributes))
        };
        let (predicate, attributes) = parser.parse2(list.tokens.clone()).ok()?;
        let path = attributes.iter().find_map(path_value)?;
        Some((self.predicate(&predicate), path))
    }
}

/// The text of `path = ".."`.
fn path_value(meta: &Meta) -> Option<String> {
    let Meta::NameValue(pair) = meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) if pair.path.is_ident("path") => Some(text.value()),
        _ => None,
    }
}
