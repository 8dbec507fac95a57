//! Logical lines of a broken file: where statements begin, by a small lexer that never fails.
//!
//! It knows strings, comments and brackets. A bracket that is never closed ends where a line begins that is indented no
//! deeper than the one that opened it and does not begin with a closing bracket.

/// One logical line: from the start of its first line to the end of its last, with the line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The start of the first line.
    pub(super) start: usize,
    /// Where its code begins.
    pub(super) code: usize,
    /// The end of the last line, behind its line break.
    pub(super) end: usize,
    /// How far it is indented; a tab counts to the next multiple of eight.
    pub(super) indent: usize,
    /// Goes on with a statement that was begun before: `else`, `except`, what follows a decorator.
    pub(super) continues: bool,
}

/// Cuts a text into logical lines; blank ones and comments belong to the line before.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lexer = Lexer {
        bytes: text.as_bytes(),
        at: 0,
    };
    let mut lines: Vec<Line> = Vec::new();
    while lexer.at < lexer.bytes.len() {
        let start = lexer.at;
        let indent = lexer.indentation();
        let code = lexer.at;
        let blank = matches!(lexer.peek(), None | Some(b'#' | b'\n' | b'\r'));
        let after_decorator = lines
            .last()
            .is_some_and(|line| line.indent == indent && text[line.code..].starts_with('@'));
        let continues = after_decorator || continues(&text[code..]);
        lexer.logical_line(indent);
        match lines.last_mut() {
            Some(line) if blank => line.end = lexer.at,
            None if blank => {}
            _ => lines.push(Line {
                start,
                code,
                end: lexer.at,
                indent,
                continues,
            }),
        }
    }
    lines
}

/// Groups the lines of one block into statements with all that is indented deeper.
pub(super) fn statements(lines: &[Line]) -> impl Iterator<Item = &[Line]> {
    let indent = lines.iter().map(|line| line.indent).min().unwrap_or(0);
    lines.chunk_by(move |_, next| next.indent > indent || next.continues)
}

/// The blocks of a compound statement: the runs of lines that are indented deeper than its first.
pub(super) fn blocks(statement: &[Line]) -> impl Iterator<Item = &[Line]> {
    let indent = statement.first().map_or(0, |line| line.indent);
    statement
        .chunk_by(move |line, next| (line.indent > indent) == (next.indent > indent))
        .filter(move |run| run[0].indent > indent)
}

fn continues(code: &str) -> bool {
    let word = code
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    matches!(word, "else" | "elif" | "except" | "finally")
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn indentation(&mut self) -> usize {
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

    /// Goes to the end of a logical line that is indented by `indent`.
    fn logical_line(&mut self, indent: usize) {
        let mut brackets = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' | b'[' | b'{' => brackets += 1,
                b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'"' | b'\'' => {
                    self.skip_string(byte);
                    continue;
                }
                b'\\' => self.at += usize::from(self.at + 1 < self.bytes.len()),
                b'\n' if brackets == 0 || self.bracket_is_left_open(indent) => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    /// Skips a string; one that is not closed ends with its line.
    fn skip_string(&mut self, quote: u8) {
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
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
    }

    /// Inside brackets, at the end of a line: says whether the next line looks like another statement.
    fn bracket_is_left_open(&self, indent: usize) -> bool {
        let mut next = Lexer {
            bytes: self.bytes,
            at: self.at + 1,
        };
        let next_indent = next.indentation();
        let closes_or_blank = matches!(
            next.peek(),
            None | Some(b')' | b']' | b'}' | b'\n' | b'\r' | b'#')
        );
        next_indent <= indent && !closes_or_blank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let lines = lines(text);
        statements(&lines)
            .map(|lines| text[lines[0].code..lines[lines.len() - 1].end].to_owned())
            .collect()
    }

    #[test]
    fn a_statement_keeps_its_blocks() {
        assert_eq!(
            texts("if a:\n  b\nelse:\n  c\nd\n"),
            ["if a:\n  b\nelse:\n  c\n", "d\n"]
        );
        assert_eq!(
            texts("@a\n@b\ndef f():\n  c\nd"),
            ["@a\n@b\ndef f():\n  c\n", "d"]
        );
    }

    #[test]
    fn strings_and_brackets_go_over_lines() {
        assert_eq!(
            texts("a = '''\nb\n'''\nc(\n  d\n)\ne\n"),
            ["a = '''\nb\n'''\n", "c(\n  d\n)\n", "e\n"]
        );
        assert_eq!(
            texts("a = (1\n\ndef f(): pass\n"),
            ["a = (1\n\n", "def f(): pass\n"]
        );
        assert_eq!(texts("a = 'x\nb\n"), ["a = 'x\n", "b\n"]);
    }
}
