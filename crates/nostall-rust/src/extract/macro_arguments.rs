//! What stands between the brackets of a macro's call, if it has one of the usual forms.

use proc_macro2::{Ident, Span as TokenSpan, TokenStream};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Block, Expr, Lit, Stmt, Token, token};

/// The arguments of a macro's call.
pub(crate) enum Arguments {
    /// `a, name = b, %c`, `a => b`.
    List(Vec<MacroArgument>),
    /// `value; count`.
    Repeat(Box<Expr>, Box<Expr>),
    /// Statements.
    Statements(Vec<Stmt>),
    /// Something else.
    Unknown,
}

/// One argument of a macro's call.
pub(crate) struct MacroArgument {
    /// `name = value`; of `a.b = value` the last part.
    pub(crate) name: Option<Ident>,
    /// `%value`, `?value`: it is written into a text.
    pub(crate) shown: bool,
    pub(crate) value: Expr,
}

/// Parses whatever stands there.
pub(crate) fn any(input: ParseStream<'_>) -> syn::Result<Arguments> {
    if input.is_empty() {
        return Ok(Arguments::List(Vec::new()));
    }
    for form in [repeat, list, statements] {
        let ahead = input.fork();
        if let Ok(arguments) = form(&ahead)
            && ahead.is_empty()
        {
            input.advance_to(&ahead);
            return Ok(arguments);
        }
    }
    // What is not read would be an error.
    let _: TokenStream = input.parse()?;
    Ok(Arguments::Unknown)
}

fn statements(input: ParseStream<'_>) -> syn::Result<Arguments> {
    Block::parse_within(input).map(Arguments::Statements)
}

fn repeat(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let value: Expr = input.parse()?;
    let _: Token![;] = input.parse()?;
    let count: Expr = input.parse()?;
    let is_let = matches!(value, Expr::Let(_)) || matches!(count, Expr::Let(_));
    if is_let {
        Err(input.error("a statement"))
    } else {
        Ok(Arguments::Repeat(Box::new(value), Box::new(count)))
    }
}

fn list(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let mut arguments = Vec::new();
    while !input.is_empty() {
        argument(input, &mut arguments)?;
        if input.is_empty() {
            break;
        }
        let _: Token![,] = input.parse()?;
    }
    Ok(Arguments::List(arguments))
}

/// Parses `a, b`, perhaps after `biased;`.
pub(crate) fn values(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    skip_order(input)?;
    let mut values = Vec::new();
    while !input.is_empty() {
        values.push(plain_expr(input)?);
        if !input.is_empty() {
            let _: Token![,] = input.parse()?;
        }
    }
    Ok(values)
}

/// Parses one argument; a pair `key => value` makes two.
fn argument(input: ParseStream<'_>, arguments: &mut Vec<MacroArgument>) -> syn::Result<()> {
    let name = argument_name(input)?;
    let shown = input.peek(Token![%]) || input.peek(Token![?]);
    if input.peek(Token![%]) {
        let _: Token![%] = input.parse()?;
    } else if shown {
        let _: Token![?] = input.parse()?;
    }
    if input.peek(token::Brace)
        && let Some(inner) = mapping(input)
    {
        arguments.extend(inner);
        return Ok(());
    }
    arguments.push(MacroArgument {
        name,
        shown,
        value: plain_expr(input)?,
    });
    if input.peek(Token![=>]) {
        let _: Token![=>] = input.parse()?;
        arguments.push(MacroArgument {
            name: None,
            shown: false,
            value: plain_expr(input)?,
        });
    }
    Ok(())
}

fn plain_expr(input: ParseStream<'_>) -> syn::Result<Expr> {
    let value: Expr = input.parse()?;
    if matches!(value, Expr::Let(_)) {
        Err(input.error("a statement"))
    } else {
        Ok(value)
    }
}

/// `name =`, `a.b =`, `"name" =`, `name:`, `"name":`.
fn argument_name(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    let ahead = input.fork();
    let mut name = None;
    if ahead.peek(Lit) {
        let _: Lit = ahead.parse()?;
    } else if ahead.peek(Ident::peek_any) {
        name = Some(ahead.call(Ident::parse_any)?);
        while ahead.peek(Token![.]) && ahead.peek2(Ident::peek_any) {
            let _: Token![.] = ahead.parse()?;
            name = Some(ahead.call(Ident::parse_any)?);
        }
    } else {
        return Ok(None);
    }
    let assigned = ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]);
    let described = ahead.peek(Token![:]) && !ahead.peek(Token![::]);
    if !assigned && !described {
        return Ok(None);
    }
    if assigned {
        let _: Token![=] = ahead.parse()?;
    } else {
        let _: Token![:] = ahead.parse()?;
    }
    input.advance_to(&ahead);
    Ok(name)
}

/// `{ "name": value, .. }`, as in JSON.
fn mapping(input: ParseStream<'_>) -> Option<Vec<MacroArgument>> {
    let ahead = input.fork();
    let inner = (|| {
        let content;
        syn::braced!(content in ahead);
        if !(content.peek(Lit) && content.peek2(Token![:])) {
            return Err(content.error("a block"));
        }
        list(&content)
    })();
    match inner {
        Ok(Arguments::List(arguments)) => {
            input.advance_to(&ahead);
            Some(arguments)
        }
        _ => None,
    }
}

/// An arm of `select!`.
pub(crate) struct SelectArm {
    /// None for `else =>`.
    pub(crate) pattern: Option<syn::Pat>,
    pub(crate) future: Option<Expr>,
    pub(crate) guard: Option<Expr>,
    pub(crate) handler: Expr,
    pub(crate) start: TokenSpan,
}

/// `biased;` says in which order futures are polled.
fn skip_order(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Ident::peek_any) && input.peek2(Token![;]) {
        let _ = input.call(Ident::parse_any)?;
        let _: Token![;] = input.parse()?;
    }
    Ok(())
}

/// Parses `biased; pattern = future, if guard => handler, else => handler`.
pub(crate) fn select_arms(input: ParseStream<'_>) -> syn::Result<Vec<SelectArm>> {
    skip_order(input)?;
    let mut arms = Vec::new();
    while !input.is_empty() {
        arms.push(select_arm(input)?);
    }
    Ok(arms)
}

fn select_arm(input: ParseStream<'_>) -> syn::Result<SelectArm> {
    let start = input.span();
    if input.peek(Ident::peek_any) && input.peek2(Token![=>]) {
        // `else`, `complete`, `default`.
        let _ = input.call(Ident::parse_any)?;
        let handler = select_handler(input)?;
        return Ok(SelectArm {
            pattern: None,
            future: None,
            guard: None,
            handler,
            start,
        });
    }
    let pattern = syn::Pat::parse_multi_with_leading_vert(input)?;
    let _: Token![=] = input.parse()?;
    let future: Expr = input.parse()?;
    let mut guard = None;
    if input.peek(Token![,]) && input.peek2(Token![if]) {
        let _: Token![,] = input.parse()?;
        let _: Token![if] = input.parse()?;
        guard = Some(input.parse()?);
    }
    let handler = select_handler(input)?;
    Ok(SelectArm {
        pattern: Some(pattern),
        future: Some(future),
        guard,
        handler,
        start,
    })
}

fn select_handler(input: ParseStream<'_>) -> syn::Result<Expr> {
    let _: Token![=>] = input.parse()?;
    let handler = if input.peek(token::Brace) {
        input.call(block_handler)?
    } else {
        input.parse()?
    };
    let _: Option<Token![,]> = input.parse()?;
    Ok(handler)
}

/// A block ends the arm, whatever follows.
fn block_handler(input: ParseStream<'_>) -> syn::Result<Expr> {
    let block = Block::parse(input)?;
    Ok(Expr::Block(syn::ExprBlock {
        attrs: Vec::new(),
        label: None,
        block,
    }))
}

/// Parses `expression, pattern if guard`.
pub(crate) fn matches_arguments(
    input: ParseStream<'_>,
) -> syn::Result<(Expr, syn::Pat, Option<Expr>)> {
    let value: Expr = input.parse()?;
    let _: Token![,] = input.parse()?;
    let pattern = syn::Pat::parse_multi_with_leading_vert(input)?;
    let mut guard = None;
    if input.peek(Token![if]) {
        let _: Token![if] = input.parse()?;
        guard = Some(input.parse()?);
    }
    let _: Option<Token![,]> = input.parse()?;
    Ok((value, pattern, guard))
}

/// Parses `if #[cfg(a)] { .. } else if #[cfg(b)] { .. } else { .. }`: the predicate and the content of each arm.
pub(crate) fn cfg_arms(
    input: ParseStream<'_>,
) -> syn::Result<Vec<(Option<TokenStream>, TokenStream)>> {
    let mut arms = Vec::new();
    loop {
        let mut predicate = None;
        if input.peek(Token![if]) {
            let _: Token![if] = input.parse()?;
            for attribute in input.call(syn::Attribute::parse_outer)? {
                if let syn::Meta::List(list) = attribute.meta {
                    predicate = Some(list.tokens);
                }
            }
        }
        let content;
        syn::braced!(content in input);
        arms.push((predicate, content.parse()?));
        if input.is_empty() {
            return Ok(arms);
        }
        let _: Token![else] = input.parse()?;
    }
}
