//! `macro_rules!`: each arm whose right side is code is a body, so that an invocation is a call of it.

use std::iter::Peekable;

use nostall_model::Span;
use nostall_model::build::NewBody;
use nostall_model::facts::{BodyKind, Flavour, ItemId, ItemKind};
use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Block, Stmt};

use super::items::Head;
use super::lower::{Lower, METAVARIABLE};

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
        // Rules can be written in any brackets; nesting was bounded before the file was parsed.
        for arm in arms(node.mac.tokens.clone()) {
            self.macro_arm(item, &arm);
        }
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
