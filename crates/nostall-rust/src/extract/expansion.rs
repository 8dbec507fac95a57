//! What a call of a `macro_rules!` macro stands for: its arguments matched against the arms, and the arm's tokens with what was
//! matched put in. Fragments are parsed by syn.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span as TokenSpan, TokenStream, TokenTree};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Block, Expr, Item, Lifetime, Lit, Meta, Pat, Path, Stmt, Token, Type, Visibility};

/// A longer expansion says less than it costs.
const MOST_TOKENS: usize = 20_000;

/// The rules of a macro.
#[derive(Debug)]
pub(crate) struct Rules {
    arms: Vec<Arm>,
}

#[derive(Debug)]
struct Arm {
    matcher: Vec<Matcher>,
    body: TokenStream,
}

/// One step of the left side of a rule.
#[derive(Debug)]
enum Matcher {
    Token(TokenTree),
    Group(Delimiter, Vec<Self>),
    /// `$name:kind`
    Fragment(String, String),
    /// `$( .. ) , *`
    Repeat {
        content: Vec<Self>,
        separator: Option<TokenTree>,
        once: bool,
    },
}

/// What metavariables stand for.
type Bindings = BTreeMap<String, Bound>;

#[derive(Clone, Debug)]
enum Bound {
    One(Fragment),
    Many(Vec<Bound>),
}

/// What a metavariable stands for.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) tokens: TokenStream,
    /// An expression; the tokens alone could be read otherwise beside an operator.
    pub(crate) is_value: bool,
    /// Whether it is a part of the language with places of its own: a block, statements, any tokens.
    keeps_places: bool,
}

/// Where the tokens of an expansion stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stand {
    /// All where the macro is called.
    Call(TokenSpan),
    /// All where the rule is written.
    Rule,
}

/// An arm that fits a call.
pub(crate) struct Fit<'r> {
    arm: &'r Arm,
    bindings: Bindings,
}

impl Rules {
    /// Reads the rules of a macro. None where one is written in an unusual way.
    pub(crate) fn read(tokens: TokenStream) -> Option<Self> {
        let mut tokens = tokens.into_iter().peekable();
        let mut arms = Vec::new();
        while tokens.peek().is_some() {
            let TokenTree::Group(matcher) = tokens.next()? else {
                return None;
            };
            for arrow in ['=', '>'] {
                match tokens.next()? {
                    TokenTree::Punct(punct) if punct.as_char() == arrow => {}
                    _ => return None,
                }
            }
            let TokenTree::Group(body) = tokens.next()? else {
                return None;
            };
            arms.push(Arm {
                matcher: matchers(matcher.stream())?,
                body: body.stream(),
            });
            if let Some(TokenTree::Punct(_)) = tokens.peek() {
                tokens.next();
            }
        }
        Some(Self { arms })
    }

    /// Finds the first arm that fits.
    pub(crate) fn fit(&self, arguments: &TokenStream) -> Option<Fit<'_>> {
        self.arms.iter().find_map(|arm| {
            let parser = |input: ParseStream<'_>| {
                let mut bindings = Bindings::new();
                matched(&arm.matcher, input, &mut bindings)?;
                Ok(bindings)
            };
            let bindings = parser.parse2(arguments.clone()).ok()?;
            Some(Fit { arm, bindings })
        })
    }
}

fn matchers(tokens: TokenStream) -> Option<Vec<Matcher>> {
    let mut tokens = tokens.into_iter().peekable();
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        let is_dollar = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '$');
        found.push(match token {
            TokenTree::Group(group) => Matcher::Group(group.delimiter(), matchers(group.stream())?),
            _ if is_dollar => match tokens.next()? {
                TokenTree::Ident(name) => {
                    let TokenTree::Punct(_) = tokens.next()? else {
                        return None;
                    };
                    let TokenTree::Ident(kind) = tokens.next()? else {
                        return None;
                    };
                    Matcher::Fragment(name.unraw().to_string(), kind.to_string())
                }
                TokenTree::Group(group) => {
                    let (separator, operator) = operator(&mut tokens)?;
                    Matcher::Repeat {
                        content: matchers(group.stream())?,
                        separator,
                        once: operator == '?',
                    }
                }
                _ => return None,
            },
            other => Matcher::Token(other),
        });
    }
    Some(found)
}

/// The separator and the operator after a repetition.
fn operator(tokens: &mut impl Iterator<Item = TokenTree>) -> Option<(Option<TokenTree>, char)> {
    let mut separator = None;
    loop {
        let token = tokens.next()?;
        if let TokenTree::Punct(punct) = &token
            && matches!(punct.as_char(), '*' | '+' | '?')
        {
            return Some((separator, punct.as_char()));
        }
        // `=>` between repetitions is two tokens; few write it.
        if separator.replace(token).is_some() {
            return None;
        }
    }
}

// ---- matching

fn matched(
    matchers: &[Matcher],
    input: ParseStream<'_>,
    bindings: &mut Bindings,
) -> syn::Result<()> {
    for matcher in matchers {
        match matcher {
            Matcher::Token(wanted) => {
                let found: TokenTree = input.parse()?;
                if found.to_string() != wanted.to_string() {
                    return Err(input.error("another token"));
                }
            }
            Matcher::Group(delimiter, content) => {
                let found: TokenTree = input.parse()?;
                let TokenTree::Group(group) = found else {
                    return Err(input.error("a bracket"));
                };
                if group.delimiter() != *delimiter {
                    return Err(input.error("another bracket"));
                }
                let parser = |inner: ParseStream<'_>| matched(content, inner, bindings);
                parser.parse2(group.stream())?;
            }
            Matcher::Fragment(name, kind) => {
                let fragment = fragment(kind, input)?;
                bindings.insert(name.clone(), Bound::One(fragment));
            }
            Matcher::Repeat {
                content,
                separator,
                once,
            } => repeated(content, separator.as_ref(), *once, input, bindings)?,
        }
    }
    Ok(())
}

fn repeated(
    content: &[Matcher],
    separator: Option<&TokenTree>,
    once: bool,
    input: ParseStream<'_>,
    bindings: &mut Bindings,
) -> syn::Result<()> {
    let mut rounds: Vec<Bindings> = Vec::new();
    while !input.is_empty() && (!once || rounds.is_empty()) {
        let ahead = input.fork();
        if let (Some(separator), false) = (separator, rounds.is_empty()) {
            let found: TokenTree = ahead.parse()?;
            if found.to_string() != separator.to_string() {
                break;
            }
        }
        let mut round = Bindings::new();
        if matched(content, &ahead, &mut round).is_err() || ahead.cursor() == input.cursor() {
            break;
        }
        input.advance_to(&ahead);
        rounds.push(round);
    }
    for name in names(content) {
        let all = rounds.iter().filter_map(|round| round.get(&name).cloned());
        let all = Bound::Many(all.collect());
        bindings.insert(name, all);
    }
    Ok(())
}

fn names(matchers: &[Matcher]) -> Vec<String> {
    let names = matchers.iter().flat_map(|matcher| match matcher {
        Matcher::Token(_) => Vec::new(),
        Matcher::Fragment(name, _) => vec![name.clone()],
        Matcher::Group(_, content) | Matcher::Repeat { content, .. } => names(content),
    });
    names.collect()
}

fn fragment(kind: &str, input: ParseStream<'_>) -> syn::Result<Fragment> {
    let start = input.cursor();
    match kind {
        "expr" | "expr_2021" => drop(input.parse::<Expr>()?),
        "ident" => drop(input.call(Ident::parse_any)?),
        "ty" => drop(input.parse::<Type>()?),
        "path" => drop(input.parse::<Path>()?),
        "tt" => drop(input.parse::<TokenTree>()?),
        "literal" => {
            let _: Option<Token![-]> = input.parse()?;
            drop(input.parse::<Lit>()?);
        }
        "lifetime" => drop(input.parse::<Lifetime>()?),
        "pat" => drop(Pat::parse_multi_with_leading_vert(input)?),
        "pat_param" => drop(Pat::parse_single(input)?),
        "block" => drop(input.parse::<Block>()?),
        "stmt" => drop(input.parse::<Stmt>()?),
        "item" => drop(input.parse::<Item>()?),
        "meta" => drop(input.parse::<Meta>()?),
        "vis" => drop(input.parse::<Visibility>()?),
        _ => return Err(input.error("a kind that is not known")),
    }
    Ok(Fragment {
        tokens: between(start, input.cursor()),
        is_value: kind.starts_with("expr"),
        keeps_places: matches!(kind, "tt" | "block" | "stmt" | "item"),
    })
}

fn between(start: Cursor<'_>, end: Cursor<'_>) -> TokenStream {
    let mut tokens = Vec::new();
    let mut current = start;
    while current != end {
        let Some((token, next)) = current.token_tree() else {
            break;
        };
        tokens.push(token);
        current = next;
    }
    tokens.into_iter().collect()
}

// ---- putting in

impl Fit<'_> {
    /// Says whether what the arm does depends on what it is given: its type, its name. Otherwise the arm says all by itself.
    pub(crate) fn depends(&self, is_known: &dyn Fn(&str) -> bool) -> bool {
        depends(&self.arm.body, is_known)
    }

    /// The expressions that the arm is given.
    pub(crate) fn values(&mut self) -> Vec<&mut Fragment> {
        let mut found = Vec::new();
        for bound in self.bindings.values_mut() {
            bound.values(&mut found);
        }
        found
    }

    /// The tokens of the arm with what it is given. None if they are too many, or use what is not known.
    pub(crate) fn expand(&self, stand: Stand) -> Option<TokenStream> {
        let mut expansion = Expansion { stand, tokens: 0 };
        expansion.put_in(&self.arm.body, &self.bindings)
    }
}

impl Bound {
    fn values<'b>(&'b mut self, found: &mut Vec<&'b mut Fragment>) {
        match self {
            Self::One(fragment) if fragment.is_value => found.push(fragment),
            Self::One(_) => {}
            Self::Many(all) => all.iter_mut().for_each(|bound| bound.values(found)),
        }
    }
}

/// `$x.save()`, `$name(..)`, `$T::new()`, `a.$method()`, `match $x`, `known!($x)`: what is meant hangs on the argument.
fn depends(body: &TokenStream, is_known: &dyn Fn(&str) -> bool) -> bool {
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    let is = |index: Option<usize>, marks: &[char]| {
        let token = index.and_then(|index| tokens.get(index));
        matches!(token, Some(TokenTree::Punct(punct)) if marks.contains(&punct.as_char()))
    };
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Group(group) => {
            let called = index.checked_sub(2).and_then(|index| tokens.get(index));
            let hands_on = is(index.checked_sub(1), &['!'])
                && matches!(called, Some(TokenTree::Ident(name)) if is_known(&name.to_string()))
                && !used(&group.stream()).is_empty();
            hands_on || depends(&group.stream(), is_known)
        }
        TokenTree::Punct(punct) if punct.as_char() == '$' => {
            let Some(TokenTree::Ident(name)) = tokens.get(index + 1) else {
                return false;
            };
            let before = index.checked_sub(1);
            let matched = matches!(before.and_then(|it| tokens.get(it)),
                Some(TokenTree::Ident(word)) if word == "match" || word == "fn" || word == "let");
            let called = matches!(tokens.get(index + 2),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
            name != "crate"
                && (is(Some(index + 2), &['.', ':', '!', '>'])
                    || is(before, &['.', ':'])
                    || called
                    || matched)
        }
        _ => false,
    })
}

struct Expansion {
    stand: Stand,
    tokens: usize,
}

impl Expansion {
    fn put_in(&mut self, body: &TokenStream, bindings: &Bindings) -> Option<TokenStream> {
        let mut tokens = body.clone().into_iter().peekable();
        let mut done: Vec<TokenTree> = Vec::new();
        while let Some(token) = tokens.next() {
            let is_dollar = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '$');
            match token {
                TokenTree::Group(group) => {
                    let content = self.put_in(&group.stream(), bindings)?;
                    let mut copy = Group::new(group.delimiter(), content);
                    copy.set_span(self.place(group.span()));
                    self.push(TokenTree::Group(copy), &mut done)?;
                }
                _ if is_dollar => match tokens.next()? {
                    TokenTree::Ident(name) if name == "crate" => {
                        let mut name = name;
                        name.set_span(self.place(name.span()));
                        self.push(TokenTree::Ident(name), &mut done)?;
                    }
                    TokenTree::Ident(name) => {
                        let bound = bindings.get(&name.unraw().to_string())?;
                        let Bound::One(fragment) = bound else {
                            return None;
                        };
                        self.push_fragment(fragment, name.span(), &mut done)?;
                    }
                    TokenTree::Group(group) => {
                        let (separator, _) = operator(&mut tokens)?;
                        self.repeat(&group.stream(), separator.as_ref(), bindings, &mut done)?;
                    }
                    _ => return None,
                },
                mut other => {
                    other.set_span(self.place(other.span()));
                    self.push(other, &mut done)?;
                }
            }
        }
        Some(done.into_iter().collect())
    }

    fn push(&mut self, token: TokenTree, done: &mut Vec<TokenTree>) -> Option<()> {
        self.tokens += 1;
        done.push(token);
        (self.tokens <= MOST_TOKENS).then_some(())
    }

    fn push_fragment(
        &mut self,
        fragment: &Fragment,
        written: TokenSpan,
        done: &mut Vec<TokenTree>,
    ) -> Option<()> {
        let span = match self.stand {
            Stand::Call(span) => (!fragment.keeps_places).then_some(span),
            Stand::Rule => Some(written),
        };
        let tokens = match span {
            Some(span) => placed(fragment.tokens.clone(), span),
            None => fragment.tokens.clone(),
        };
        let is_group = fragment.is_value && fragment.tokens.clone().into_iter().nth(1).is_some();
        if is_group {
            let mut group = Group::new(Delimiter::None, tokens);
            group.set_span(span.unwrap_or(written));
            return self.push(TokenTree::Group(group), done);
        }
        for token in tokens {
            self.push(token, done)?;
        }
        Some(())
    }

    /// Puts in what a repetition repeats, once for each value of the metavariables within.
    fn repeat(
        &mut self,
        content: &TokenStream,
        separator: Option<&TokenTree>,
        bindings: &Bindings,
        done: &mut Vec<TokenTree>,
    ) -> Option<()> {
        let used = used(content);
        let many = used.iter().filter_map(|name| match bindings.get(name) {
            Some(Bound::Many(all)) => Some((name.clone(), all)),
            _ => None,
        });
        let many: Vec<_> = many.collect();
        let rounds = many.iter().map(|(_, all)| all.len()).max()?;
        for round in 0..rounds {
            let mut own = bindings.clone();
            for (name, all) in &many {
                own.insert(name.clone(), all.get(round)?.clone());
            }
            if let (Some(separator), true) = (separator, round > 0) {
                let mut separator = separator.clone();
                separator.set_span(self.place(separator.span()));
                self.push(separator, done)?;
            }
            let tokens = self.put_in(content, &own)?;
            done.extend(tokens);
        }
        Some(())
    }

    fn place(&self, written: TokenSpan) -> TokenSpan {
        match self.stand {
            Stand::Call(span) => span,
            Stand::Rule => written,
        }
    }
}

/// The metavariables that tokens use.
fn used(tokens: &TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_dollar = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => {
                found.extend(used(&group.stream()));
                after_dollar = false;
            }
            TokenTree::Ident(name) => {
                if after_dollar {
                    found.push(name.unraw().to_string());
                }
                after_dollar = false;
            }
            TokenTree::Punct(punct) => {
                after_dollar = punct.as_char() == '$' && punct.spacing() == Spacing::Alone;
            }
            TokenTree::Literal(_) => after_dollar = false,
        }
    }
    found
}

fn placed(tokens: TokenStream, span: TokenSpan) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut copy = Group::new(group.delimiter(), placed(group.stream(), span));
            copy.set_span(span);
            TokenTree::Group(copy)
        }
        mut other => {
            other.set_span(span);
            other
        }
    });
    tokens.collect()
}
