//! Syntax that is newer than the grammar, rewritten to what the grammar knows.
//!
//! All offsets stay, and so does the indentation. Blanks are written over the defaults of type parameters
//! (`class A[T = int]`), over the word `lazy` of an import, and over stars where the grammar expects none
//! (`return *(a or b), c`, `{**x for x in y}`).

use super::lexer::{Lexer, Token, TokenKind};
use super::logical;

/// Rewrites a text; nothing when it has none of that.
pub(super) fn rewrite(text: &str) -> Option<String> {
    let mut changes = Vec::new();
    for line in logical::lines(text) {
        let tokens = line_tokens(text, line.code, line.end);
        let line = Line {
            text,
            tokens: &tokens,
        };
        line.find_changes(&mut changes);
    }
    if changes.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        let code = &mut bytes[change.start..change.end];
        blank(code);
        code[..change.code.len()].copy_from_slice(change.code.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Writes blanks over code; line breaks stay.
pub(super) fn blank(code: &mut [u8]) {
    for byte in code {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

/// Reads the tokens of a logical line, without comments and line breaks.
pub(super) fn line_tokens(text: &str, start: usize, end: usize) -> Vec<Token> {
    let mut lexer = Lexer::new(&text[..end], start);
    std::iter::from_fn(|| lexer.token())
        .filter(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::Newline))
        .collect()
}

/// Other code for a part of the text; blanks fill it up.
struct Change {
    start: usize,
    end: usize,
    code: &'static str,
}

impl Change {
    fn blank(start: usize, end: usize) -> Self {
        let code = "";
        Self { start, end, code }
    }
}

struct Line<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Line<'_> {
    fn find_changes(&self, changes: &mut Vec<Change>) {
        // The bracket around each token, by the number of its token.
        let mut around: Vec<usize> = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            match self.word(index) {
                "(" | "[" | "{" => around.push(index),
                ")" | "]" | "}" => _ = around.pop(),
                "lazy" => changes.extend(self.eager_import(index)),
                "class" | "def" | "type" if around.is_empty() => {
                    self.type_parameter_defaults(index, changes);
                }
                "*" | "**" if self.is_unknown_star(index, around.last().copied()) => {
                    changes.push(Change {
                        // The statement must begin where it did.
                        code: if index == 0 { "+" } else { "" },
                        start: token.start,
                        end: token.end,
                    });
                }
                _ => {}
            }
        }
    }

    fn word(&self, index: usize) -> &str {
        self.tokens
            .get(index)
            .map_or("", |token| &self.text[token.start..token.end])
    }

    /// `lazy import a`: the import alone, from where it began.
    fn eager_import(&self, lazy: usize) -> Option<Change> {
        let is_first = lazy == 0 || matches!(self.word(lazy - 1), ";" | ":");
        let code = match self.word(lazy + 1) {
            "import" => "import",
            "from" => "from",
            _ => return None,
        };
        is_first.then(|| Change {
            start: self.tokens[lazy].start,
            end: self.tokens[lazy + 1].end,
            code,
        })
    }

    /// `class A[T = int, U: str = str]`: from the sign to the end of the parameter.
    fn type_parameter_defaults(&self, keyword: usize, changes: &mut Vec<Change>) {
        let named = self
            .tokens
            .get(keyword + 1)
            .is_some_and(|name| name.kind == TokenKind::Word);
        if !named || self.word(keyword + 2) != "[" {
            return;
        }
        let mut depth = 0_usize;
        let mut default = None;
        for index in keyword + 2..self.tokens.len() {
            let token = self.tokens[index];
            match self.word(index) {
                "(" | "[" | "{" => depth += 1,
                "," | "]" if depth == 1 => {
                    let last_end = self.tokens[index - 1].end;
                    let change = default.take().map(|start| Change::blank(start, last_end));
                    changes.extend(change);
                    depth -= usize::from(self.word(index) == "]");
                }
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                "=" if depth == 1 => default = default.or(Some(token.start)),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Says whether a star stands before a value where the grammar knows it only before a name, or not at all.
    fn is_unknown_star(&self, index: usize, around: Option<usize>) -> bool {
        let before = index.checked_sub(1).map_or("", |index| self.word(index));
        let opens = around.is_some_and(|open| open + 1 == index);
        if opens && self.is_comprehension(index) {
            return true;
        }
        let follows_prefix = matches!(
            before,
            "" | "," | "=" | ":" | "return" | "yield" | "in" | ";" | "+="
        );
        let in_values = match around {
            None => follows_prefix,
            Some(open) if self.is_subscript(open) => opens || before == ",",
            // An annotation: `*args: *(int or str)`.
            Some(_) => before == ":",
        };
        in_values && self.word(index) == "*" && !self.is_plain_name(index + 1)
    }

    fn is_plain_name(&self, index: usize) -> bool {
        let is_word = self
            .tokens
            .get(index)
            .is_some_and(|token| token.kind == TokenKind::Word);
        is_word && !matches!(self.word(index), "await" | "not" | "lambda")
    }

    /// Says whether a bracket follows a value.
    fn is_subscript(&self, open: usize) -> bool {
        let Some(before) = open.checked_sub(1) else {
            return false;
        };
        self.word(open) == "["
            && match self.tokens[before].kind {
                TokenKind::Word => !matches!(
                    self.word(before),
                    "return" | "yield" | "in" | "if" | "else" | "and" | "or" | "not" | "await"
                ),
                TokenKind::Text => true,
                _ => matches!(self.word(before), ")" | "]" | "}"),
            }
    }

    /// Says whether there is a `for` before the bracket closes in which a token stands.
    fn is_comprehension(&self, index: usize) -> bool {
        let mut depth = 0_usize;
        for later in index..self.tokens.len() {
            match self.word(later) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" if depth == 0 => return false,
                ")" | "]" | "}" => depth -= 1,
                "for" if depth == 0 => return true,
                _ => {}
            }
        }
        false
    }
}
