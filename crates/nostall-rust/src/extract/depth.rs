//! How deeply parsing, lowering and dropping some tokens may recurse: an upper bound, found without recursion.
//!
//! Each token of a stretch without a separator can be one step down: `!!!a`, `a = a = a`, `a.b().c()`, `a + b + c`,
//! `else if`, `|x| |y| ..`, `fn() -> fn()`. A stretch ends at `;`, at `,` and at a brace group that ends a statement. A comma
//! within `<..>` or `|..|` leads back only to where those began. The tokens of a macro's call are not parsed with what
//! is around them, so that only their brackets count.

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The greatest bound that is parsed. In builds of everything without optimisation, the dearest syntax (`if if`, `break break`,
/// `fn() -> fn()`) then takes a third of [`STACK`](super::STACK).
pub(crate) const LIMIT: usize = 6_000;

/// The greatest sum of the bounds of macros' arguments within one another: they are parsed while the syntax around them is
/// being lowered.
pub(crate) const MACRO_LIMIT: usize = LIMIT / 3;

/// What entering a bracket costs: block, statement and expression each take a step.
const GROUP: usize = 4;

/// What `&`, `*` and `<` cost: a step in a type takes as much of the stack as several in an expression.
const TYPE: usize = 4;

/// Returns the bound for some tokens.
pub(crate) fn bound(tokens: &TokenStream) -> usize {
    let mut open = vec![Frame::new(tokens.clone(), false)];
    loop {
        let Some(frame) = open.last_mut() else {
            return 0;
        };
        if let Some(group) = frame.advance() {
            open.push(group);
            continue;
        }
        let done = frame.finish();
        open.pop();
        match open.last_mut() {
            Some(outer) => outer.close_group(done),
            None => return done,
        }
    }
}

/// Tells what kind of token came last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing, a separator, an operator, a keyword: an operand may begin.
    Open,
    /// A name, a literal, a bracket: an operand has ended.
    Operand,
    /// The `!` after a name.
    Bang,
    /// The first `|` of `||` between operands.
    Or,
    /// `-` or `=` that a `>` may follow.
    Arrow,
    /// The `#` or `#!` of an attribute.
    Hash,
}

/// The state within one bracket.
struct Frame {
    rest: std::iter::Peekable<IntoIter>,
    /// The tokens of a macro's call.
    opaque: bool,
    /// Steps of the stretch so far.
    running: usize,
    /// The deepest bracket of the stretch.
    deepest: usize,
    /// The greatest stretch so far.
    most: usize,
    /// Where open `<` and closures' `|` began.
    open: Vec<(char, usize)>,
    last: Last,
    /// The bracket that was entered last is a brace.
    brace: bool,
    /// It is an attribute's: there can be thousands, one per line of documentation, and none is within another.
    attribute: bool,
}

impl Frame {
    fn new(tokens: TokenStream, opaque: bool) -> Self {
        let rest = tokens.into_iter().peekable();
        Self {
            rest,
            opaque,
            running: 0,
            deepest: 0,
            most: 0,
            open: Vec::new(),
            last: Last::Open,
            brace: false,
            attribute: false,
        }
    }

    /// Reads on to the next bracket.
    fn advance(&mut self) -> Option<Self> {
        while let Some(token) = self.rest.next() {
            match token {
                TokenTree::Group(group) => {
                    self.brace = group.delimiter() == Delimiter::Brace;
                    self.attribute = self.last == Last::Hash;
                    let opaque = self.opaque || self.last == Last::Bang;
                    return Some(Self::new(group.stream(), opaque));
                }
                _ if self.opaque => {}
                TokenTree::Punct(punct) => self.punct(punct.as_char(), punct.spacing()),
                TokenTree::Ident(ident) => {
                    self.running += 1;
                    // The name in `macro_rules! name { .. }`.
                    if self.last != Last::Bang {
                        self.last = if is_keyword(&ident) {
                            Last::Open
                        } else {
                            Last::Operand
                        };
                    }
                }
                TokenTree::Literal(_) => {
                    self.running += 1;
                    self.last = Last::Operand;
                }
            }
        }
        None
    }

    fn punct(&mut self, punct: char, spacing: Spacing) {
        let last = std::mem::replace(&mut self.last, Last::Open);
        if punct == '#' || (punct == '!' && last == Last::Hash) {
            self.last = Last::Hash;
            return;
        }
        self.running += if matches!(punct, '&' | '<' | '*') {
            TYPE
        } else {
            1
        };
        match punct {
            ';' => self.separate(true),
            ',' => self.separate(false),
            '<' => self.open.push(('<', self.running)),
            '>' if last != Last::Arrow => self.close('<'),
            '|' => self.pipe(last, spacing),
            '!' if last == Last::Operand && spacing == Spacing::Alone => self.last = Last::Bang,
            '-' | '=' if spacing == Spacing::Joint => self.last = Last::Arrow,
            '?' => self.last = Last::Operand,
            _ => {}
        }
    }

    /// A `|` begins a closure's parameters where an operand may begin, else it ends them or is an operator.
    fn pipe(&mut self, last: Last, spacing: Spacing) {
        if self.open.last().is_some_and(|(bracket, _)| *bracket == '|') {
            self.open.pop();
        } else if last == Last::Open {
            self.open.push(('|', self.running));
        } else if last == Last::Operand && spacing == Spacing::Joint {
            self.last = Last::Or;
        }
    }

    fn close(&mut self, bracket: char) {
        if self.open.last().is_some_and(|(open, _)| *open == bracket) {
            self.open.pop();
        }
    }

    fn close_group(&mut self, inner: usize) {
        self.deepest = self.deepest.max(inner + GROUP);
        if self.attribute {
            self.last = Last::Open;
            return;
        }
        self.running += 1;
        self.last = Last::Operand;
        if self.brace && !self.goes_on() {
            self.separate(true);
        }
    }

    /// After a brace: says whether the same statement may go on.
    fn goes_on(&mut self) -> bool {
        match self.rest.peek() {
            Some(TokenTree::Punct(punct)) => punct.as_char() != '#',
            Some(TokenTree::Ident(ident)) => ident == "else" || ident == "as",
            Some(TokenTree::Group(group)) => group.delimiter() != Delimiter::Brace,
            Some(TokenTree::Literal(_)) | None => false,
        }
    }

    fn separate(&mut self, hard: bool) {
        self.most = self.most.max(self.running + self.deepest);
        if hard {
            self.open.clear();
        }
        match self.open.last() {
            Some((_, began)) => self.running = *began,
            None => {
                self.running = 0;
                self.deepest = 0;
            }
        }
    }

    fn finish(&mut self) -> usize {
        self.most.max(self.running + self.deepest)
    }
}

fn is_keyword(ident: &proc_macro2::Ident) -> bool {
    const KEYWORDS: [&str; 19] = [
        "return", "break", "if", "while", "match", "in", "else", "let", "move", "async", "yield",
        "as", "mut", "ref", "dyn", "unsafe", "loop", "static", "const",
    ];
    KEYWORDS.iter().any(|keyword| ident == keyword)
}
