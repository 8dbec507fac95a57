//! Where syntax stands: the first and the last token of nodes, found without printing them as syn's own `Spanned` does.

use std::ops::Range;

use nostall_model::Span;
use proc_macro2::{Span as TokenSpan, TokenTree};
use syn::spanned::Spanned;
use syn::{Expr, Item, Pat, Path, PathArguments, Stmt, Type, UnOp};

use super::text::Text;

/// Turns spans of tokens into spans of the file.
///
/// `Span::byte_range` keeps a map of all offsets that it was asked for, which takes a quarter of the whole time of reading a
/// file; lines and columns cost a search among the lines.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    /// What was lexed.
    code: &'a str,
    /// Where it begins in the file.
    base: usize,
    /// Where the file ends.
    end: usize,
    /// Where the lines of the code begin.
    lines: Vec<usize>,
    ascii: bool,
}

impl<'a> Places<'a> {
    pub(crate) fn new(code: &'a str, text: &Text<'_>) -> Self {
        let breaks = code
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(index, _)| index + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        Self {
            code,
            base: text.base,
            end: text.whole.len(),
            lines,
            ascii: code.is_ascii(),
        }
    }

    /// Returns the bytes of a token in the code.
    pub(crate) fn range(&self, token: TokenSpan) -> Range<usize> {
        let start = self.offset(token.start());
        start..self.offset(token.end()).max(start)
    }

    fn offset(&self, place: proc_macro2::LineColumn) -> usize {
        let Some(start) = place
            .line
            .checked_sub(1)
            .and_then(|line| self.lines.get(line))
        else {
            return self.code.len();
        };
        if self.ascii {
            return (start + place.column).min(self.code.len());
        }
        let mut characters = self.code[*start..].char_indices();
        characters
            .nth(place.column)
            .map_or(self.code.len(), |(offset, _)| start + offset)
    }

    /// Returns where the code begins in the file.
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// Returns the span from one token to another.
    pub(crate) fn between(&self, first: TokenSpan, last: TokenSpan) -> Span {
        self.in_file(self.offset(first.start()), self.offset(last.end()))
    }

    /// Returns the span of one token.
    pub(crate) fn of(&self, token: TokenSpan) -> Span {
        self.between(token, token)
    }

    fn in_file(&self, start: usize, end: usize) -> Span {
        Span::new(
            (self.base + start).min(self.end),
            (self.base + end).min(self.end),
        )
    }

    /// Returns the span of some tokens.
    pub(crate) fn of_tokens(&self, tokens: &[TokenTree]) -> Span {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.between(first.span(), last.span()),
            _ => Span::new(self.base, self.base),
        }
    }

    /// Returns the span of a node.
    pub(crate) fn node(&self, node: &impl Ends) -> Span {
        self.between(node.first(), node.last())
    }
}

/// A node with a first and a last token. Attributes do not count.
pub(crate) trait Ends {
    fn first(&self) -> TokenSpan;
    fn last(&self) -> TokenSpan;
}

impl Ends for Expr {
    fn first(&self) -> TokenSpan {
        match self {
            Expr::Assign(node) => node.left.first(),
            Expr::Await(node) => node.base.first(),
            Expr::Binary(node) => node.left.first(),
            Expr::Call(node) => node.func.first(),
            Expr::Cast(node) => node.expr.first(),
            Expr::Field(node) => node.base.first(),
            Expr::Index(node) => node.expr.first(),
            Expr::MethodCall(node) => node.receiver.first(),
            Expr::Range(node) => node
                .start
                .as_ref()
                .map_or_else(|| limits(&node.limits), |start| start.first()),
            Expr::Try(node) => node.expr.first(),
            _ => first_of_prefixed(self),
        }
    }

    fn last(&self) -> TokenSpan {
        match self {
            Expr::Assign(node) => node.right.last(),
            Expr::Await(node) => node.await_token.span,
            Expr::Binary(node) => node.right.last(),
            Expr::Break(node) => match (&node.expr, &node.label) {
                (Some(value), _) => value.last(),
                (None, Some(label)) => label.ident.span(),
                (None, None) => node.break_token.span,
            },
            Expr::Cast(node) => node.ty.last(),
            Expr::Closure(node) => node.body.last(),
            Expr::If(node) => match &node.else_branch {
                Some((_, other)) => other.last(),
                None => node.then_branch.brace_token.span.close(),
            },
            Expr::Let(node) => node.expr.last(),
            Expr::Range(node) => node
                .end
                .as_ref()
                .map_or_else(|| limits(&node.limits), |end| end.last()),
            Expr::RawAddr(node) => node.expr.last(),
            Expr::Reference(node) => node.expr.last(),
            Expr::Return(node) => node
                .expr
                .as_ref()
                .map_or(node.return_token.span, |value| value.last()),
            Expr::Unary(node) => node.expr.last(),
            Expr::Yield(node) => node
                .expr
                .as_ref()
                .map_or(node.yield_token.span, |value| value.last()),
            _ => last_of_closed(self),
        }
    }
}

/// The first token of an expression that begins with a token of its own.
fn first_of_prefixed(expr: &Expr) -> TokenSpan {
    match expr {
        Expr::Array(node) => node.bracket_token.span.open(),
        Expr::Async(node) => node.async_token.span,
        Expr::Block(node) => node.label.as_ref().map_or_else(
            || node.block.brace_token.span.open(),
            |label| label.name.apostrophe,
        ),
        Expr::Break(node) => node.break_token.span,
        Expr::Closure(node) => first_of_closure(node),
        Expr::Const(node) => node.const_token.span,
        Expr::Continue(node) => node.continue_token.span,
        Expr::ForLoop(node) => label_or(node.label.as_ref(), node.for_token.span),
        Expr::Group(node) => node.expr.first(),
        Expr::If(node) => node.if_token.span,
        Expr::Infer(node) => node.underscore_token.spans[0],
        Expr::Let(node) => node.let_token.span,
        Expr::Lit(node) => node.lit.span(),
        Expr::Loop(node) => label_or(node.label.as_ref(), node.loop_token.span),
        Expr::Macro(node) => node.mac.path.first(),
        Expr::Match(node) => node.match_token.span,
        Expr::Paren(node) => node.paren_token.span.open(),
        Expr::Path(node) => node
            .qself
            .as_ref()
            .map_or_else(|| node.path.first(), |qself| qself.lt_token.spans[0]),
        Expr::RawAddr(node) => node.and_token.spans[0],
        Expr::Reference(node) => node.and_token.spans[0],
        Expr::Repeat(node) => node.bracket_token.span.open(),
        Expr::Return(node) => node.return_token.span,
        Expr::Struct(node) => node
            .qself
            .as_ref()
            .map_or_else(|| node.path.first(), |qself| qself.lt_token.spans[0]),
        Expr::TryBlock(node) => node.try_token.span,
        Expr::Tuple(node) => node.paren_token.span.open(),
        Expr::Unary(node) => operator(&node.op),
        Expr::Unsafe(node) => node.unsafe_token.span,
        Expr::While(node) => label_or(node.label.as_ref(), node.while_token.span),
        Expr::Yield(node) => node.yield_token.span,
        other => other.span(),
    }
}

/// The last token of an expression that ends with a token of its own.
fn last_of_closed(expr: &Expr) -> TokenSpan {
    match expr {
        Expr::Array(node) => node.bracket_token.span.close(),
        Expr::Async(node) => node.block.brace_token.span.close(),
        Expr::Block(node) => node.block.brace_token.span.close(),
        Expr::Call(node) => node.paren_token.span.close(),
        Expr::Const(node) => node.block.brace_token.span.close(),
        Expr::Continue(node) => node
            .label
            .as_ref()
            .map_or(node.continue_token.span, |label| label.ident.span()),
        Expr::Field(node) => member(&node.member),
        Expr::ForLoop(node) => node.body.brace_token.span.close(),
        Expr::Group(node) => node.expr.last(),
        Expr::Index(node) => node.bracket_token.span.close(),
        Expr::Infer(node) => node.underscore_token.spans[0],
        Expr::Lit(node) => node.lit.span(),
        Expr::Loop(node) => node.body.brace_token.span.close(),
        Expr::Macro(node) => node.mac.delimiter.span().close(),
        Expr::Match(node) => node.brace_token.span.close(),
        Expr::MethodCall(node) => node.paren_token.span.close(),
        Expr::Paren(node) => node.paren_token.span.close(),
        Expr::Path(node) => node.path.last(),
        Expr::Repeat(node) => node.bracket_token.span.close(),
        Expr::Struct(node) => node.brace_token.span.close(),
        Expr::Try(node) => node.question_token.spans[0],
        Expr::TryBlock(node) => node.block.brace_token.span.close(),
        Expr::Tuple(node) => node.paren_token.span.close(),
        Expr::Unsafe(node) => node.block.brace_token.span.close(),
        Expr::While(node) => node.body.brace_token.span.close(),
        other => other.span(),
    }
}

pub(crate) fn first_of_closure(node: &syn::ExprClosure) -> TokenSpan {
    if let Some(lifetimes) = &node.lifetimes {
        return lifetimes.for_token.span;
    }
    let keywords = [
        node.constness.map(|token| token.span),
        node.asyncness.map(|token| token.span),
        node.capture.map(|token| token.span),
    ];
    keywords
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(node.inputs_begin.spans[0])
}

fn label_or(label: Option<&syn::Label>, other: TokenSpan) -> TokenSpan {
    label.map_or(other, |label| label.name.apostrophe)
}

fn limits(limits: &syn::RangeLimits) -> TokenSpan {
    match limits {
        syn::RangeLimits::HalfOpen(token) => token.spans[0],
        syn::RangeLimits::Closed(token) => token.spans[0],
    }
}

pub(crate) fn member(member: &syn::Member) -> TokenSpan {
    match member {
        syn::Member::Named(ident) => ident.span(),
        syn::Member::Unnamed(index) => index.span,
    }
}

fn operator(operator: &UnOp) -> TokenSpan {
    match operator {
        UnOp::Deref(token) => token.spans[0],
        UnOp::Not(token) => token.spans[0],
        UnOp::Neg(token) => token.spans[0],
        other => other.span(),
    }
}

impl Ends for Path {
    fn first(&self) -> TokenSpan {
        match (&self.leading_colon, self.segments.first()) {
            (Some(colon), _) => colon.spans[0],
            (None, Some(segment)) => segment.ident.span(),
            (None, None) => TokenSpan::call_site(),
        }
    }

    fn last(&self) -> TokenSpan {
        let Some(segment) = self.segments.last() else {
            return TokenSpan::call_site();
        };
        match &segment.arguments {
            PathArguments::None => segment.ident.span(),
            PathArguments::AngleBracketed(arguments) => arguments.gt_token.spans[0],
            PathArguments::Parenthesized(arguments) => match &arguments.output {
                syn::ReturnType::Default => arguments.paren_token.span.close(),
                syn::ReturnType::Type(_, output) => output.last(),
            },
        }
    }
}

impl Ends for Type {
    fn first(&self) -> TokenSpan {
        match self {
            Type::Path(node) => node
                .qself
                .as_ref()
                .map_or_else(|| node.path.first(), |qself| qself.lt_token.spans[0]),
            Type::Reference(node) => node.and_token.spans[0],
            Type::Ptr(node) => node.star_token.spans[0],
            Type::Slice(node) => node.bracket_token.span.open(),
            Type::Array(node) => node.bracket_token.span.open(),
            Type::Tuple(node) => node.paren_token.span.open(),
            Type::Paren(node) => node.paren_token.span.open(),
            Type::Group(node) => node.elem.first(),
            other => other.span(),
        }
    }

    fn last(&self) -> TokenSpan {
        match self {
            Type::Path(node) => node.path.last(),
            Type::Reference(node) => node.elem.last(),
            Type::Ptr(node) => node.elem.last(),
            Type::Slice(node) => node.bracket_token.span.close(),
            Type::Array(node) => node.bracket_token.span.close(),
            Type::Tuple(node) => node.paren_token.span.close(),
            Type::Paren(node) => node.paren_token.span.close(),
            Type::Group(node) => node.elem.last(),
            Type::FnPtr(node) => match &node.output {
                syn::ReturnType::Default => node.paren_token.span.close(),
                syn::ReturnType::Type(_, output) => output.last(),
            },
            other => last_printed(other),
        }
    }
}

impl Ends for Pat {
    fn first(&self) -> TokenSpan {
        match self {
            Pat::Ident(node) => {
                let keywords = [
                    node.by_ref.map(|token| token.span),
                    node.mutability.map(|token| token.span),
                ];
                keywords
                    .into_iter()
                    .flatten()
                    .next()
                    .unwrap_or_else(|| node.ident.span())
            }
            Pat::Type(node) => node.pat.first(),
            Pat::Guard(node) => node.pat.first(),
            Pat::Wild(node) => node.underscore_token.spans[0],
            Pat::Tuple(node) => node.paren_token.span.open(),
            Pat::Paren(node) => node.paren_token.span.open(),
            Pat::Reference(node) => node.and_token.spans[0],
            Pat::TupleStruct(node) => node.path.first(),
            Pat::Struct(node) => node.path.first(),
            other => other.span(),
        }
    }

    fn last(&self) -> TokenSpan {
        match self {
            Pat::Ident(node) => node
                .subpat
                .as_ref()
                .map_or_else(|| node.ident.span(), |(_, inner)| inner.last()),
            Pat::Type(node) => node.ty.last(),
            Pat::Guard(node) => node.guard.last(),
            Pat::Wild(node) => node.underscore_token.spans[0],
            Pat::Tuple(node) => node.paren_token.span.close(),
            Pat::Paren(node) => node.paren_token.span.close(),
            Pat::Reference(node) => node.pat.last(),
            Pat::TupleStruct(node) => node.paren_token.span.close(),
            Pat::Struct(node) => node.brace_token.span.close(),
            other => last_printed(other),
        }
    }
}

/// The last token of a node that is rare or small.
fn last_printed(node: &impl Spanned) -> TokenSpan {
    // In the fallback that is used outside of procedural macros, spans join.
    node.span()
}

impl Ends for Stmt {
    fn first(&self) -> TokenSpan {
        let first_attribute =
            |attributes: &[syn::Attribute]| attributes.first().map(|it| it.pound_token.spans[0]);
        match self {
            Stmt::Local(node) => first_attribute(&node.attrs).unwrap_or(node.let_token.span),
            Stmt::Item(item) => item.first(),
            Stmt::Expr(expr, _) => {
                first_attribute(super::attributes::of_expr(expr)).unwrap_or_else(|| expr.first())
            }
            Stmt::Macro(node) => {
                first_attribute(&node.attrs).unwrap_or_else(|| node.mac.path.first())
            }
        }
    }

    fn last(&self) -> TokenSpan {
        match self {
            Stmt::Local(node) => node.semi_token.spans[0],
            Stmt::Item(item) => item.last(),
            Stmt::Expr(expr, semicolon) => {
                semicolon.map_or_else(|| expr.last(), |token| token.spans[0])
            }
            Stmt::Macro(node) => node
                .semi_token
                .map_or_else(|| node.mac.delimiter.span().close(), |token| token.spans[0]),
        }
    }
}

/// The first token of something that may begin with `pub`.
pub(crate) fn visibility_or(visibility: &syn::Visibility, other: TokenSpan) -> TokenSpan {
    match visibility {
        syn::Visibility::Public(token) => token.span,
        syn::Visibility::Restricted(restricted) => restricted.pub_token.span,
        syn::Visibility::Inherited => other,
    }
}

/// The first token of a function's head.
pub(crate) fn signature(signature: &syn::Signature) -> TokenSpan {
    let safety = match &signature.safety {
        syn::Safety::Safe(token) => Some(token.span),
        syn::Safety::Unsafe(token) => Some(token.span),
        syn::Safety::Default => None,
    };
    let keywords = [
        signature.constness.map(|token| token.span),
        signature.asyncness.map(|token| token.span),
        safety,
        signature.abi.as_ref().map(|abi| abi.extern_token.span),
    ];
    keywords
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(signature.fn_token.span)
}

impl Ends for Item {
    fn first(&self) -> TokenSpan {
        match self {
            Item::Const(node) => visibility_or(&node.vis, node.const_token.span),
            Item::Enum(node) => visibility_or(&node.vis, node.enum_token.span),
            Item::ExternCrate(node) => visibility_or(&node.vis, node.extern_token.span),
            Item::Fn(node) => visibility_or(&node.vis, signature(&node.sig)),
            Item::ForeignMod(node) => node
                .unsafety
                .map_or(node.abi.extern_token.span, |token| token.span),
            Item::Impl(node) => node
                .unsafety
                .map_or(node.impl_token.span, |token| token.span),
            Item::Macro(node) => node.mac.path.first(),
            Item::Mod(node) => visibility_or(&node.vis, node.mod_token.span),
            Item::Static(node) => visibility_or(&node.vis, node.static_token.span),
            Item::Struct(node) => visibility_or(&node.vis, node.struct_token.span),
            Item::Trait(node) => visibility_or(
                &node.vis,
                node.unsafety
                    .map_or(node.trait_token.span, |token| token.span),
            ),
            Item::TraitAlias(node) => visibility_or(&node.vis, node.trait_token.span),
            Item::Type(node) => visibility_or(&node.vis, node.type_token.span),
            Item::Union(node) => visibility_or(&node.vis, node.union_token.span),
            Item::Use(node) => visibility_or(&node.vis, node.use_token.span),
            other => other.span(),
        }
    }

    fn last(&self) -> TokenSpan {
        match self {
            Item::Const(node) => node.semi_token.spans[0],
            Item::Enum(node) => node.brace_token.span.close(),
            Item::ExternCrate(node) => node.semi_token.spans[0],
            Item::Fn(node) => node.block.brace_token.span.close(),
            Item::ForeignMod(node) => node.brace_token.span.close(),
            Item::Impl(node) => node.brace_token.span.close(),
            Item::Macro(node) => node
                .semi_token
                .map_or_else(|| node.mac.delimiter.span().close(), |token| token.spans[0]),
            Item::Mod(node) => match (&node.content, &node.semi) {
                (Some((brace, _)), _) => brace.span.close(),
                (None, Some(token)) => token.spans[0],
                (None, None) => node.ident.span(),
            },
            Item::Static(node) => node.semi_token.spans[0],
            Item::Struct(node) => match (&node.fields, &node.semi_token) {
                (_, Some(token)) => token.spans[0],
                (syn::Fields::Named(fields), None) => fields.brace_token.span.close(),
                _ => node.ident.span(),
            },
            Item::Trait(node) => node.brace_token.span.close(),
            Item::TraitAlias(node) => node.semi_token.spans[0],
            Item::Type(node) => node.semi_token.spans[0],
            Item::Union(node) => node.fields.brace_token.span.close(),
            Item::Use(node) => node.semi_token.spans[0],
            other => other.span(),
        }
    }
}
