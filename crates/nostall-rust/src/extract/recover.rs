//! Parses items. Where a file as a whole does not parse, or nests too deeply, item by item; within modules, impls and traits
//! member by member: what is broken costs only itself.

use nostall_model::facts::SourceProblem;
use nostall_model::finding::ProblemCode;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::Parse;
use syn::{ImplItem, Item, TraitItem};

use super::depth;
use super::spans::Places;

/// What a file holds.
#[derive(Default)]
pub(crate) struct Parsed {
    /// What parses.
    pub(crate) items: Vec<Item>,
    /// What does not.
    pub(crate) problems: Vec<SourceProblem>,
}

/// Modules within modules further in than this are lost as a whole when they do not parse.
const DEEPEST: usize = 16;

/// Parses the tokens of a file.
pub(crate) fn parse(tokens: &TokenStream, places: &Places<'_>) -> Parsed {
    if depth::bound(tokens) <= depth::LIMIT
        && let Ok(file) = syn::parse2::<syn::File>(tokens.clone())
    {
        return Parsed {
            items: file.items,
            problems: Vec::new(),
        };
    }
    let mut recovery = Recovery {
        places,
        problems: Vec::new(),
    };
    let items = recovery.items(tokens.clone(), DEEPEST);
    Parsed {
        items,
        problems: recovery.problems,
    }
}

struct Recovery<'a> {
    places: &'a Places<'a>,
    problems: Vec<SourceProblem>,
}

impl Recovery<'_> {
    fn items(&mut self, tokens: TokenStream, budget: usize) -> Vec<Item> {
        split(tokens)
            .into_iter()
            .filter_map(|piece| self.item(piece, budget))
            .collect()
    }

    /// Parses one item; one that holds others without those of them that do not parse.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the tokens are taken apart on the way"
    )]
    fn item(&mut self, piece: Vec<TokenTree>, budget: usize) -> Option<Item> {
        let problem = match self.parse::<Item>(&piece) {
            Ok(item) => return Some(item),
            Err(problem) => problem,
        };
        let container = if budget > 0 {
            self.container(&piece)
        } else {
            None
        };
        let Some((mut item, inner)) = container else {
            self.problems.push(problem);
            return None;
        };
        match &mut item {
            Item::Impl(item) => item.items = self.members::<ImplItem>(inner),
            Item::Trait(item) => item.items = self.members::<TraitItem>(inner),
            Item::Mod(item) => {
                if let Some((_, items)) = &mut item.content {
                    *items = self.items(inner, budget - 1);
                }
            }
            _ => self.problems.push(problem),
        }
        Some(item)
    }

    /// Parses the head of an impl, trait or module with nothing in it; answers what is in it.
    fn container(&self, piece: &[TokenTree]) -> Option<(Item, TokenStream)> {
        let (last, head) = piece.split_last()?;
        let TokenTree::Group(body) = last else {
            return None;
        };
        let named = |word: &str| {
            head.iter()
                .any(|token| matches!(token, TokenTree::Ident(ident) if ident == word))
        };
        if body.delimiter() != Delimiter::Brace
            || !(named("impl") || named("trait") || named("mod"))
            || named("fn")
        {
            return None;
        }
        let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
        empty.set_span(body.span());
        let tokens: Vec<TokenTree> = head
            .iter()
            .cloned()
            .chain([TokenTree::Group(empty)])
            .collect();
        let item = self.parse::<Item>(&tokens).ok()?;
        matches!(item, Item::Impl(_) | Item::Trait(_) | Item::Mod(_)).then(|| (item, body.stream()))
    }

    fn members<T: Parse>(&mut self, tokens: TokenStream) -> Vec<T> {
        let mut members = Vec::new();
        for piece in split(tokens) {
            match self.parse::<T>(&piece) {
                Ok(member) => members.push(member),
                Err(problem) => self.problems.push(problem),
            }
        }
        members
    }

    fn parse<T: Parse>(&self, piece: &[TokenTree]) -> Result<T, SourceProblem> {
        let problem = |code, message| SourceProblem {
            span: self.places.of_tokens(piece),
            code,
            message,
        };
        let tokens: TokenStream = piece.iter().cloned().collect();
        if depth::bound(&tokens) > depth::LIMIT {
            return Err(problem(
                ProblemCode::TooDeep,
                "nests too deeply to be read safely".to_owned(),
            ));
        }
        syn::parse2::<T>(tokens).map_err(|error| problem(ProblemCode::Syntax, error.to_string()))
    }
}

/// Cuts tokens into items. Inner attributes and stray semicolons go.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(item_length(rest));
        if !matches!(piece, [TokenTree::Punct(_)]) && !is_inner_attribute(piece) {
            pieces.push(piece.to_vec());
        }
        rest = after;
    }
    pieces
}

fn is_inner_attribute(piece: &[TokenTree]) -> bool {
    matches!(piece, [first, second, TokenTree::Group(_)] if is_punct(first, '#') && is_punct(second, '!'))
}

/// How many tokens the item has that some tokens begin with; at least one.
fn item_length(tokens: &[TokenTree]) -> usize {
    if let Some(start) = tokens.get(..3).filter(|start| is_inner_attribute(start)) {
        return start.len();
    }
    let begin = after_prelude(tokens);
    let mut keyword = None;
    for (index, token) in tokens.iter().enumerate().skip(begin) {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return index + 1,
            TokenTree::Punct(punct) if punct.as_char() == '#' && index > begin => return index,
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Brace && !is_closed_by_semicolon(keyword) =>
            {
                return index + 1;
            }
            TokenTree::Ident(ident) => {
                let word = ident.to_string();
                if keyword.is_some() && begins_another(&word, &tokens[index - 1]) {
                    return index;
                }
                keyword = keyword.or_else(|| main_keyword(&word, tokens.get(index + 1)));
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The number of tokens of attributes and visibility.
fn after_prelude(tokens: &[TokenTree]) -> usize {
    let mut index = 0;
    while is_attribute(&tokens[index..]) {
        index += 2;
    }
    if matches!(tokens.get(index), Some(TokenTree::Ident(ident)) if ident == "pub") {
        index += 1;
    }
    index
}

fn is_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, TokenTree::Group(_), ..] if is_punct(first, '#'))
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// The word that says what an item is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyword {
    /// Its end is a brace group, or a semicolon before one.
    Braced,
    /// Its end is a semicolon: braces can be part of it.
    Closed,
}

fn is_closed_by_semicolon(keyword: Option<Keyword>) -> bool {
    keyword == Some(Keyword::Closed)
}

fn main_keyword(word: &str, next: Option<&TokenTree>) -> Option<Keyword> {
    match word {
        "fn" | "struct" | "enum" | "trait" | "impl" | "mod" | "union" | "macro_rules" => {
            Some(Keyword::Braced)
        }
        "use" | "static" | "type" => Some(Keyword::Closed),
        // `const fn`, `const unsafe fn`, `const async fn`, `const extern "C" fn`.
        "const" => match next {
            Some(TokenTree::Ident(next))
                if ["fn", "unsafe", "async", "extern"]
                    .iter()
                    .any(|word| next == word) =>
            {
                None
            }
            _ => Some(Keyword::Closed),
        },
        _ => None,
    }
}

/// Says whether a word begins another item although the one before it has not ended.
fn begins_another(word: &str, before: &TokenTree) -> bool {
    match word {
        "struct" | "enum" | "trait" | "mod" | "pub" => true,
        // These also stand within items, after punctuation and keywords only: `-> impl T`, `: fn()`, `= async ..`.
        "fn" | "impl" | "use" | "const" | "static" | "type" | "extern" | "async" | "unsafe" => {
            match before {
                TokenTree::Ident(before) => !is_head_word(&before.to_string()),
                TokenTree::Literal(_) | TokenTree::Group(_) => true,
                TokenTree::Punct(_) => false,
            }
        }
        _ => false,
    }
}

/// Words that an item's head or a type goes on after.
fn is_head_word(word: &str) -> bool {
    const WORDS: [&str; 18] = [
        "const", "unsafe", "async", "extern", "default", "as", "dyn", "impl", "mut", "return",
        "in", "where", "for", "pub", "fn", "use", "static", "auto",
    ];
    WORDS.contains(&word)
}
