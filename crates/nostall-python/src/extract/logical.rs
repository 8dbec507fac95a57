//! Logical lines of a broken file: where statements begin, by a small lexer that never fails.
//!
//! It knows strings, comments and brackets. A bracket that is never closed ends where a line begins that is indented no
//! deeper than the one that opened it and does not begin with a closing bracket, or that begins with a word which no
//! expression has.

use std::ops::Range;

use super::lexer::Lexer;

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
    lines_from(text, 0..text.len())
}

/// Cuts a part of a text that begins with a line into logical lines.
pub(super) fn lines_from(text: &str, part: Range<usize>) -> Vec<Line> {
    let text = &text[..part.end];
    let mut lexer = Lexer::new(text, part.start);
    let mut lines: Vec<Line> = Vec::new();
    while lexer.at < part.end {
        let start = lexer.at;
        let indent = lexer.indentation();
        let code = lexer.at;
        let blank = matches!(lexer.peek(), None | Some(b'#' | b'\n' | b'\r'));
        let after_decorator = lines
            .last()
            .is_some_and(|line| line.indent == indent && text[line.code..].starts_with('@'));
        let continues = after_decorator || continues(&text[code..]);
        skip_logical_line(&mut lexer, text, indent);
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
    matches!(first_word(code), "else" | "elif" | "except" | "finally")
}

/// The word that a line begins with.
pub(super) fn first_word(code: &str) -> &str {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default()
}

/// Words that begin a statement and stand nowhere in an expression.
const STATEMENT_WORDS: [&str; 18] = [
    "assert", "break", "class", "continue", "def", "del", "elif", "except", "finally", "global",
    "import", "nonlocal", "pass", "raise", "return", "try", "while", "with",
];

/// Goes to the end of a logical line that is indented by `indent`.
fn skip_logical_line(lexer: &mut Lexer<'_>, text: &str, indent: usize) {
    let mut brackets = 0_usize;
    while let Some(token) = lexer.token() {
        match &text.as_bytes()[token.start..token.end] {
            b"(" | b"[" | b"{" => brackets += 1,
            b")" | b"]" | b"}" => brackets = brackets.saturating_sub(1),
            b"\n" if brackets == 0 || bracket_is_left_open(text, lexer.at, indent) => return,
            _ => {}
        }
    }
}

/// Inside brackets, at the start of a line: says whether that looks like another statement.
fn bracket_is_left_open(text: &str, line: usize, indent: usize) -> bool {
    let mut next = Lexer::new(text, line);
    let next_indent = next.indentation();
    let closes_or_blank = matches!(
        next.peek(),
        None | Some(b')' | b']' | b'}' | b'\n' | b'\r' | b'#')
    );
    next_indent <= indent && !closes_or_blank
        || STATEMENT_WORDS.contains(&first_word(&text[next.at..]))
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
