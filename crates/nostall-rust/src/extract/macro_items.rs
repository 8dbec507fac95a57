//! Macros where items stand: `macro_rules!`, `include!`, `cfg_if!`, `lazy_static!`, `thread_local!`, and those that take items.

use nostall_model::Span;
use nostall_model::facts::{Condition, ConditionId, ItemKind};
use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Ident, ImplItem, Item, LitStr, Macro, Token, Type, Visibility};

use super::invocations::last_name;
use super::items::{Head, is_public};
use super::lower::Lower;
use super::macro_arguments as arguments;
use super::spans::{self, Ends};

/// Says whether a macro's call among statements declares items.
pub(crate) fn declares_items(node: &Macro) -> bool {
    matches!(
        last_name(node).as_str(),
        "lazy_static" | "thread_local" | "task_local" | "cfg_if"
    )
}

impl Lower<'_> {
    /// Lowers a macro's definition, or its call where items stand.
    pub(crate) fn macro_item(&mut self, node: &syn::ItemMacro, span: Span) {
        if let Some(name) = &node.ident {
            if node.mac.path.is_ident("macro_rules") {
                self.macro_rules(node, name, span);
            }
            return;
        }
        let outer = self.condition;
        self.condition = self.condition_of(&node.attrs);
        match last_name(&node.mac).as_str() {
            "include" => self.include(&node.mac, span),
            "cfg_if" => self.cfg_if_items(&node.mac),
            "lazy_static" | "thread_local" | "task_local" => self.statics(&node.mac),
            _ => self.items_of_macro(&node.mac),
        }
        self.condition = outer;
    }

    fn include(&mut self, node: &Macro, span: Span) {
        self.reading(&node.tokens, <LitStr as Parse>::parse, |cx, path| {
            let path = cx.builder.name(&path.value());
            let head = Head {
                attributes: &[],
                name: None,
                public: false,
                span,
            };
            cx.declare_item(&head, ItemKind::Include { path });
        });
    }

    /// What a macro of this file declares; another that is given items most often declares them, perhaps under a condition.
    fn items_of_macro(&mut self, node: &Macro) {
        let expanded = self.expanded_items(node, all::<Item>, |cx, items| {
            items.iter().for_each(|item| cx.item(item));
        });
        if expanded.is_some() {
            return;
        }
        self.reading(&node.tokens, all::<Item>, |cx, items| {
            cx.with_unknown_condition(|cx| items.iter().for_each(|item| cx.item(item)));
        });
    }

    /// The same within an impl.
    pub(crate) fn macro_of_members(&mut self, node: &Macro, of_trait: bool) {
        let expanded = self.expanded_items(node, all::<ImplItem>, |cx, members| {
            members
                .iter()
                .for_each(|member| cx.impl_member(member, of_trait));
        });
        if expanded.is_some() {
            return;
        }
        self.reading(&node.tokens, all::<ImplItem>, |cx, members| {
            cx.with_unknown_condition(|cx| {
                members
                    .iter()
                    .for_each(|member| cx.impl_member(member, of_trait));
            });
        });
    }

    fn with_unknown_condition(&mut self, lower: impl FnOnce(&mut Self)) {
        let outer = self.condition;
        let unknown = self.builder.condition(Condition::Unknown);
        let conditions: Vec<ConditionId> = self.condition.into_iter().chain([unknown]).collect();
        self.condition = self.all_of(&conditions);
        lower(self);
        self.condition = outer;
    }

    // ---- cfg_if

    fn cfg_if_items(&mut self, node: &Macro) {
        let outer = self.condition;
        self.reading(&node.tokens, arguments::cfg_arms, |cx, arms| {
            for ((_, content), condition) in arms.iter().zip(cx.cfg_conditions(&arms)) {
                cx.condition = condition;
                cx.reading(content, all::<Item>, |cx, items| {
                    items.iter().for_each(|item| cx.item(item));
                });
            }
        });
        self.condition = outer;
    }

    /// The conditions of the arms of `cfg_if!`: an arm's own, and none of those before it.
    pub(crate) fn cfg_conditions(
        &mut self,
        arms: &[(Option<TokenStream>, TokenStream)],
    ) -> Vec<Option<ConditionId>> {
        let mut before: Vec<ConditionId> = self.condition.into_iter().collect();
        let mut conditions = Vec::with_capacity(arms.len());
        for (predicate, _) in arms {
            let own = predicate
                .as_ref()
                .map(|predicate| self.predicate_of(predicate.clone()));
            let all: Vec<ConditionId> = before.iter().copied().chain(own).collect();
            conditions.push(self.all_of(&all));
            if let Some(own) = own {
                before.push(self.not(own));
            }
        }
        conditions
    }

    // ---- statics of macros

    /// `lazy_static! { static ref X: T = value; }`, `thread_local! { static X: T = value; }`: constants that are made when they
    /// are first used.
    pub(crate) fn statics(&mut self, node: &Macro) {
        self.reading(&node.tokens, all::<Static>, |cx, statics| {
            for static_ in &statics {
                cx.static_(static_);
            }
        });
    }

    fn static_(&mut self, node: &Static) {
        let span = self.places.between(node.first, node.last());
        let head = Head {
            attributes: &node.attributes,
            name: Some(&node.name),
            public: is_public(&node.visibility),
            span,
        };
        let holder: &[&str] = if node.lazy {
            &LAZY_LOCK
        } else {
            &["std", "thread", "LocalKey"]
        };
        let type_ = within(holder, &node.type_);
        self.constant(&head, Some(&type_), node.value.as_ref());
    }
}

/// What a `static ref` is: a value of its type that is made at the first use.
const LAZY_LOCK: [&str; 3] = ["std", "sync", "LazyLock"];

/// The type that holds a value: what stands in a thread-local variable is reached through its key.
fn within(holder: &[&str], type_: &Type) -> Type {
    let span = type_.first();
    let argument = syn::GenericArgument::Type(type_.clone());
    let arguments = syn::AngleBracketedGenericArguments {
        colon2_token: None,
        lt_token: Token![<](span),
        args: std::iter::once(argument).collect(),
        gt_token: Token![>](type_.last()),
    };
    let mut segments: syn::punctuated::Punctuated<syn::PathSegment, Token![::]> = holder
        .iter()
        .map(|name| syn::PathSegment::from(Ident::new(name, span)))
        .collect();
    if let Some(last) = segments.last_mut() {
        last.arguments = syn::PathArguments::AngleBracketed(arguments);
    }
    let path = syn::Path {
        leading_colon: Some(Token![::](span)),
        segments,
    };
    Type::Path(syn::TypePath {
        attrs: Vec::new(),
        qself: None,
        path,
    })
}

/// Parses nothing but values of one kind; at least one.
fn all<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let mut values = vec![input.parse()?];
    while !input.is_empty() {
        values.push(input.parse()?);
    }
    Ok(values)
}

/// The value of a `static ref` as the closure that a `LazyLock` is given.
fn made_at_first_use(input: ParseStream<'_>) -> syn::Result<Expr> {
    let mut value = Vec::new();
    while !input.is_empty() && !input.peek(Token![;]) {
        value.push(input.parse::<TokenTree>()?);
    }
    let (Some(first), Some(last)) = (value.first(), value.last()) else {
        return Err(input.error("a static has a value"));
    };
    let (span, last) = (first.span(), last.span());
    let mark = |mark, spacing| {
        let mut mark = Punct::new(mark, spacing);
        mark.set_span(span);
        TokenTree::from(mark)
    };
    let path = LAZY_LOCK.iter().chain(&["new"]).flat_map(|name| {
        let name = TokenTree::from(Ident::new(name, span));
        [mark(':', Spacing::Joint), mark(':', Spacing::Alone), name]
    });
    let bars = [mark('|', Spacing::Joint), mark('|', Spacing::Alone)];
    let mut argument = Group::new(
        Delimiter::Parenthesis,
        bars.into_iter().chain(value.iter().cloned()).collect(),
    );
    argument.set_span(span.join(last).unwrap_or(span));
    let call: TokenStream = path.chain([TokenTree::from(argument)]).collect();
    syn::parse2(call)
}

struct Static {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    first: proc_macro2::Span,
    /// `static ref`
    lazy: bool,
    name: Ident,
    type_: Type,
    value: Option<Expr>,
}

impl Static {
    fn last(&self) -> proc_macro2::Span {
        self.value
            .as_ref()
            .map_or_else(|| self.type_.last(), Ends::last)
    }
}

impl Parse for Static {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        let static_token: Token![static] = input.parse()?;
        let lazy: Option<Token![ref]> = input.parse()?;
        let name = input.call(Ident::parse_any)?;
        let _: Token![:] = input.parse()?;
        let type_: Type = input.parse()?;
        let mut value = None;
        if input.peek(Token![=]) {
            let _: Token![=] = input.parse()?;
            value = Some(if lazy.is_some() {
                made_at_first_use(input)?
            } else {
                input.parse()?
            });
        }
        let _: Option<Token![;]> = input.parse()?;
        let first = spans::visibility_or(&visibility, static_token.span);
        Ok(Self {
            attributes,
            visibility,
            first,
            lazy: lazy.is_some(),
            name,
            type_,
            value,
        })
    }
}
