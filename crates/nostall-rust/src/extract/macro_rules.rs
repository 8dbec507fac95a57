//! `macro_rules!`: each arm whose right side is code is a body, so that an invocation is a call of it.

use std::iter::Peekable;
use std::rc::Rc;

use nostall_model::Span;
use nostall_model::build::NewBody;
use nostall_model::facts::{
    BodyKind, DefinitionKind, ExprId, Flavour, ItemId, ItemKind, RegionKind,
};
use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, Span as TokenSpan, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::{Block, Expr, Macro, Stmt};

use super::depth;
use super::expansion::{Fit, Rules, Stand};
use super::items::Head;
use super::lower::{Lower, METAVARIABLE};

/// How many macros may be expanded within one another, and in one file.
const DEEPEST: usize = 8;
const MOST_EXPANSIONS: usize = 4_000;

/// What the variables that hold a macro's arguments are called.
const ARGUMENT: &str = "__argument_";

impl Lower<'_> {
    pub(crate) fn macro_rules(&mut self, node: &syn::ItemMacro, name: &Ident, span: Span) {
        let exported = node
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("macro_export"));
        let head = Head {
            attributes: &node.attrs,
            name: Some(name),
            public: exported,
            span,
        };
        let item = self.declare_item(&head, ItemKind::Macro { exported });
        self.remember_rules(node, name);
        // Rules can be written in any brackets; nesting was bounded before the file was parsed.
        for arm in arms(node.mac.tokens.clone()) {
            self.macro_arm(item, &arm);
        }
    }

    /// Twins under conditions are no rules: which of them is meant is not known.
    fn remember_rules(&mut self, node: &syn::ItemMacro, name: &Ident) {
        let conditional = node
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("cfg"));
        let rules = Some(node.mac.tokens.clone()).filter(|_| !conditional);
        let rules = rules.and_then(Rules::read).map(Rc::new);
        self.rules.insert(name.to_string(), rules);
    }

    fn macro_arm(&mut self, item: ItemId, arm: &Group) {
        let tokens = without_metavariables(arm.stream());
        let span = self.token(arm.span());
        self.reading(&tokens, Block::parse_within, |cx, statements| {
            if statements
                .iter()
                .any(|statement| !matches!(statement, Stmt::Item(_)))
            {
                cx.macro_body(item, &statements, span);
            }
        });
    }

    /// The call of a macro of this file as the code that it stands for, where what that does depends on what the macro is
    /// given. All of it stands where the call stands. Other calls are calls of an arm's body.
    pub(crate) fn expanded_call(&mut self, node: &Macro, span: Span) -> Option<ExprId> {
        let rules = self.rules_of(node)?;
        let is_known = |name: &str| self.rules.contains_key(name);
        let mut fit = rules
            .fit(&node.tokens)
            .filter(|fit| fit.depends(&is_known))?;
        let whole = whole(node);
        let code = self.stand_in(&mut fit, whole)?;
        self.expansion(&code, Block::parse_within, |cx, statements| {
            cx.builder.open_region(RegionKind::Inner, span);
            let value = cx.scoped(|cx| {
                cx.in_block_scope(super::statements::declare_items(&statements), |cx| {
                    let value = cx.statements(&statements);
                    if let Some(value) = value {
                        cx.consume(value);
                    }
                    value
                })
            });
            cx.builder.close_region();
            value.unwrap_or_else(|| cx.unit(span))
        })
    }

    /// The tokens of an arm. Arguments that are more than a place are evaluated before, into variables that nothing else has.
    fn stand_in(&mut self, fit: &mut Fit<'_>, whole: TokenSpan) -> Option<TokenStream> {
        fit.expand(Stand::Call(whole))?;
        for fragment in fit.values() {
            let Ok(value) = syn::parse2::<Expr>(fragment.tokens.clone()) else {
                continue;
            };
            if is_place(&value) {
                continue;
            }
            let name = Ident::new(&format!("{ARGUMENT}{}", self.expansions), whole);
            self.expansions += 1;
            let span = self.span(&value);
            let value = self.expr(&value);
            let variable = self.name(&name);
            let binding = self.declare(variable, span, true, false);
            self.define(binding, DefinitionKind::Value(value), None, span);
            fragment.tokens = TokenTree::Ident(name).into();
        }
        fit.expand(Stand::Call(whole))
    }

    /// The items that a macro of this file declares where it is called. They stand where the rule is written.
    pub(crate) fn expanded_items<T>(
        &mut self,
        node: &Macro,
        parser: impl Parser<Output = T>,
        lower: impl FnOnce(&mut Self, T),
    ) -> Option<()> {
        let rules = self.rules_of(node)?;
        let code = rules.fit(&node.tokens)?.expand(Stand::Rule)?;
        self.expansion(&code, parser, lower)
    }

    fn expansion<T, R>(
        &mut self,
        code: &TokenStream,
        parser: impl Parser<Output = T>,
        lower: impl FnOnce(&mut Self, T) -> R,
    ) -> Option<R> {
        self.expansions += 1;
        self.expanding += 1;
        let found = self.reading(code, parser, lower);
        self.expanding -= 1;
        found
    }

    fn rules_of(&self, node: &Macro) -> Option<Rc<Rules>> {
        let room = self.expanding < DEEPEST && self.expansions < MOST_EXPANSIONS;
        let name = node.path.get_ident().filter(|_| room)?;
        let spent = self.spent + depth::bound(&node.tokens);
        let rules = self.rules.get(&name.to_string())?.clone();
        rules.filter(|_| spent <= depth::MACRO_LIMIT)
    }

    fn macro_body(&mut self, item: ItemId, statements: &[Stmt], span: Span) {
        let scope = self.scope;
        self.inside(scope, |cx| {
            cx.builder.statement = span;
            let (kind, flavour, item) = (BodyKind::Macro, Flavour::Sync, Some(item));
            cx.builder.open_body(NewBody {
                kind,
                flavour,
                item,
                scope,
                span,
                name_span: span,
            });
            let value = cx.scoped(|cx| {
                cx.in_block_scope(super::statements::declare_items(statements), |cx| {
                    cx.result_of(statements)
                })
            });
            cx.builder.close_body(value);
        });
    }
}

/// Where a macro's call stands.
fn whole(node: &Macro) -> TokenSpan {
    let first = node.path.segments.first();
    let first = first.map_or_else(TokenSpan::call_site, |segment| segment.ident.span());
    first.join(node.delimiter.span().close()).unwrap_or(first)
}

/// Says whether an expression is a variable, a field of one, or a name: evaluating it does nothing.
fn is_place(value: &Expr) -> bool {
    let mut current = value;
    loop {
        current = match current {
            Expr::Path(_) | Expr::Lit(_) => return true,
            Expr::Field(node) => &node.base,
            Expr::Paren(node) => &node.expr,
            Expr::Group(node) => &node.expr,
            _ => return false,
        };
    }
}

/// The right sides of `(..) => { .. };`.
fn arms(tokens: TokenStream) -> Vec<Group> {
    let mut found = Vec::new();
    let mut after_arrow = false;
    let mut last = ' ';
    for token in tokens {
        match token {
            TokenTree::Group(group) if after_arrow => {
                found.push(group);
                after_arrow = false;
            }
            TokenTree::Punct(punct) => {
                after_arrow = last == '=' && punct.as_char() == '>';
                last = punct.as_char();
            }
            _ => after_arrow = false,
        }
    }
    found
}

/// Replaces `$x` by a name that nothing else has, `$crate` by `crate`, and `$( .. )*` by what it repeats, once. Not by
/// recursion.
fn without_metavariables(tokens: TokenStream) -> TokenStream {
    let mut open = vec![Open {
        rest: tokens.into_iter().peekable(),
        done: Vec::new(),
        group: None,
    }];
    loop {
        let Some(innermost) = open.last_mut() else {
            return TokenStream::new();
        };
        match innermost.advance() {
            Some(inner) => open.push(inner),
            None => {
                let Some(closed) = open.pop() else {
                    return TokenStream::new();
                };
                let stream: TokenStream = closed.done.into_iter().collect();
                let Some(outer) = open.last_mut() else {
                    return stream;
                };
                match closed.group {
                    Some(group) => outer.done.push(with_stream(&group, stream)),
                    None => outer.done.extend(stream),
                }
            }
        }
    }
}

/// A bracket whose content is being replaced.
struct Open {
    rest: Peekable<IntoIter>,
    done: Vec<TokenTree>,
    /// None for the outermost tokens and for a repetition.
    group: Option<Group>,
}

impl Open {
    /// Copies tokens up to the next bracket.
    fn advance(&mut self) -> Option<Self> {
        while let Some(token) = self.rest.next() {
            match token {
                TokenTree::Group(group) => {
                    return Some(Self {
                        rest: group.stream().into_iter().peekable(),
                        done: Vec::new(),
                        group: Some(group),
                    });
                }
                TokenTree::Punct(punct) if punct.as_char() == '$' => match self.rest.next() {
                    Some(TokenTree::Ident(ident)) if ident == "crate" => {
                        self.done.push(TokenTree::Ident(ident));
                    }
                    Some(TokenTree::Ident(ident)) => {
                        let name = format!("{METAVARIABLE}{ident}").replace("r#", "");
                        self.done
                            .push(TokenTree::Ident(Ident::new(&name, ident.span())));
                    }
                    Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis =>
                    {
                        self.skip_operator();
                        return Some(Self {
                            rest: group.stream().into_iter().peekable(),
                            done: Vec::new(),
                            group: None,
                        });
                    }
                    Some(other) => self.done.push(other),
                    None => {}
                },
                other => self.done.push(other),
            }
        }
        None
    }

    /// Skips the `*`, `+`, `?` after a repetition with the separator before it.
    fn skip_operator(&mut self) {
        for _ in 0..4 {
            let Some(TokenTree::Punct(punct)) = self.rest.peek() else {
                return;
            };
            let ends = matches!(punct.as_char(), '*' | '+' | '?');
            self.rest.next();
            if ends {
                return;
            }
        }
    }
}

fn with_stream(group: &Group, stream: TokenStream) -> TokenTree {
    let mut copy = Group::new(group.delimiter(), stream);
    copy.set_span(group.span());
    TokenTree::Group(copy)
}
