//! A small lexer that never fails, for code that the grammar does not read: words, strings, signs and line breaks.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, a keyword or a number.
    Word,
    /// A string with its prefix.
    Text,
    /// A bracket or an operator.
    Sign,
    Comment,
    /// `\n`. Whether it ends the statement is for others to say.
    Newline,
}

/// Operators of more than one sign, the long ones first.
const LONG_SIGNS: [&[u8]; 22] = [
    b"**=", b"//=", b">>=", b"<<=", b"...", b"**", b"//", b">>", b"<<", b"==", b"!=", b"<=", b">=",
    b":=", b"->", b"+=", b"-=", b"*=", b"/=", b"%=", b"|=", b"&=",
];

/// How deep strings in the fields of strings are read.
const MAX_FIELDS: usize = 8;

/// Reads tokens one by one.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        let bytes = text.as_bytes();
        Self { bytes, at }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes over the blanks at the start of a line; a tab counts to the next multiple of eight.
    pub(super) fn indentation(&mut self) -> usize {
        let mut indent = 0;
        while let Some(byte) = self.peek() {
            indent = match byte {
                b' ' => indent + 1,
                b'\t' => indent / 8 * 8 + 8,
                b'\x0c' => 0,
                0xEF if self.at == 0 && self.bytes.starts_with(b"\xEF\xBB\xBF") => {
                    self.at += 2;
                    0
                }
                _ => break,
            };
            self.at += 1;
        }
        indent
    }

    /// Reads the next token; nothing at the end.
    pub(super) fn token(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek()? {
            b'\n' => {
                self.at += 1;
                TokenKind::Newline
            }
            b'#' => {
                self.skip_until(b'\n');
                TokenKind::Comment
            }
            quote @ (b'"' | b'\'') => {
                self.string(quote, false, 0);
                TokenKind::Text
            }
            byte if is_word(byte) => self.word(start),
            _ => {
                self.sign();
                TokenKind::Sign
            }
        };
        let end = self.at;
        Some(Token { kind, start, end })
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            let rest = &self.bytes[self.at..];
            self.at += match byte {
                b' ' | b'\t' | b'\r' | b'\x0c' => 1,
                b'\\' if rest.starts_with(b"\\\n") => 2,
                b'\\' if rest.starts_with(b"\\\r\n") => 3,
                _ => return,
            };
        }
    }

    fn skip_until(&mut self, end: u8) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == end);
        self.at += length.unwrap_or(rest.len());
    }

    /// Reads a word, and the string whose prefix it is.
    fn word(&mut self, start: usize) -> TokenKind {
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        let prefix = word.len() <= 2 && word.iter().all(|byte| b"rRbBuUfFtT".contains(byte));
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) if prefix => {
                let has_fields = word.iter().any(|byte| b"fFtT".contains(byte));
                self.string(quote, has_fields, 0);
                TokenKind::Text
            }
            _ => TokenKind::Word,
        }
    }

    fn sign(&mut self) {
        let rest = &self.bytes[self.at..];
        let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(sign));
        self.at += long.map_or(1, |sign| sign.len());
    }

    /// Goes over a string; one that is not closed ends with its line.
    fn string(&mut self, quote: u8, has_fields: bool, depth: usize) {
        let triple = [quote; 3];
        let long = self.bytes[self.at..].starts_with(&triple);
        self.at += if long { 3 } else { 1 };
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 1,
                b'\n' if !long => return,
                byte if byte == quote && !long => {
                    self.at += 1;
                    return;
                }
                _ if long && self.bytes[self.at..].starts_with(&triple) => {
                    self.at += 3;
                    return;
                }
                b'{' if has_fields && self.bytes.get(self.at + 1) == Some(&b'{') => self.at += 1,
                b'{' if has_fields && depth < MAX_FIELDS => {
                    self.field(quote, long, depth + 1);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
    }

    /// Goes over a field of a string: `{value}`, in which the quotes of the string around may come again.
    fn field(&mut self, around: u8, long: bool, depth: usize) {
        let mut brackets = 0_usize;
        let mut in_format = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' if !long => return,
                b'"' | b'\'' if in_format && byte == around => return,
                b'"' | b'\'' if !in_format => {
                    let prefix = self.bytes[..self.at].iter().rev().take(2);
                    let has_fields = prefix
                        .take_while(|byte| byte.is_ascii_alphabetic())
                        .any(|byte| b"fFtT".contains(byte));
                    self.string(byte, has_fields, depth);
                    continue;
                }
                b'{' if in_format && depth < MAX_FIELDS => {
                    self.field(around, long, depth + 1);
                    continue;
                }
                b'(' | b'[' | b'{' if !in_format => brackets += 1,
                b'}' if in_format || brackets <= 1 => {
                    self.at += 1;
                    return;
                }
                b')' | b']' | b'}' if !in_format => brackets = brackets.saturating_sub(1),
                b':' if brackets == 1 => in_format = true,
                _ => {}
            }
            self.at += 1;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut lexer = Lexer::new(text, 0);
        std::iter::from_fn(|| lexer.token())
            .map(|token| &text[token.start..token.end])
            .collect()
    }

    #[test]
    fn words_strings_and_signs() {
        assert_eq!(
            tokens("a**=rb'x' # c\n\\\nβ:=-1"),
            ["a", "**=", "rb'x'", "# c", "\n", "β", ":=", "-", "1"]
        );
        assert_eq!(
            tokens("'''a\n'b''' 'c\nd"),
            ["'''a\n'b'''", "'c", "\n", "d"]
        );
    }

    #[test]
    fn quotes_may_come_again_in_a_field() {
        for string in [
            "f'{a['b']}'",
            "f'{{'",
            "f\"{x:'>10}\"",
            "t'{f'{a!r:>{b}}'}'",
            "f'''{\na}'''",
            "f'{a:{b['c']}}'",
        ] {
            assert_eq!(tokens(&format!("{string} + c")), [string, "+", "c"]);
        }
        assert_eq!(tokens("f'{a\nb"), ["f'{a", "\n", "b"]);
    }
}
