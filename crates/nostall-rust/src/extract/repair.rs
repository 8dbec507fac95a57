//! Lexes a text, also a broken one: a part that does not lex is blanked out, byte for byte, so that all offsets stay.
//!
//! What belongs together is guessed by its looks: items begin in column 0, members at one indentation.

use std::borrow::Cow;
use std::ops::Range;
use std::str::FromStr;

use nostall_model::Span;
use nostall_model::facts::SourceProblem;
use nostall_model::finding::ProblemCode;
use proc_macro2::TokenStream;

use super::text::Text;

/// What became of a text.
#[derive(Debug)]
pub(crate) struct Lexed<'a> {
    /// The tokens of all that lexes.
    pub(crate) tokens: TokenStream,
    /// The code they were read from, as long as the original.
    pub(crate) code: Cow<'a, str>,
    /// The parts that do not lex.
    pub(crate) problems: Vec<SourceProblem>,
}

/// Modules within modules further in than this are lost as a whole when they do not lex.
const DEEPEST: usize = 6;

/// Lexes the code of a text.
pub(crate) fn lex<'a>(text: &Text<'a>) -> Lexed<'a> {
    if let Ok(tokens) = TokenStream::from_str(text.code()) {
        return Lexed {
            tokens,
            code: Cow::Borrowed(text.code()),
            problems: Vec::new(),
        };
    }
    let mut repair = Repair {
        code: text.code().as_bytes().to_vec(),
        lost: Vec::new(),
    };
    for chunk in chunks(text.code(), 0..text.code().len(), 0) {
        repair.chunk(chunk, 0);
    }
    // Nothing holds a span of the pieces that were tried.
    proc_macro2::extra::invalidate_current_thread_spans();
    let (tokens, code) = repair.finish();
    let problems = repair
        .lost
        .iter()
        .map(|range| problem(text, range))
        .collect();
    Lexed {
        tokens,
        code: Cow::Owned(code),
        problems,
    }
}

fn problem(text: &Text<'_>, range: &Range<usize>) -> SourceProblem {
    let code = &text.code()[range.clone()];
    let start = text.base + range.start + (code.len() - code.trim_start().len());
    let end = start + code.trim().len();
    SourceProblem {
        span: Span::new(start, end),
        code: ProblemCode::Syntax,
        message: "cannot be read: a bracket, a string or a comment is not closed".to_owned(),
    }
}

struct Repair {
    code: Vec<u8>,
    /// What was blanked out, in order.
    lost: Vec<Range<usize>>,
}

impl Repair {
    fn finish(&mut self) -> (TokenStream, String) {
        let code = self.text(0..self.code.len());
        if let Ok(tokens) = TokenStream::from_str(&code) {
            return (tokens, code);
        }
        // The pieces lex and the whole does not: a piece was cut in the middle of a string or a comment.
        let whole = 0..self.code.len();
        self.lost = vec![whole.clone()];
        self.blank(whole.clone());
        (TokenStream::new(), self.text(whole))
    }

    fn text(&self, range: Range<usize>) -> String {
        // Only whole lines are blanked out, so that this stays what it was: valid.
        String::from_utf8_lossy(&self.code[range]).into_owned()
    }

    fn lexes(&self, range: Range<usize>) -> bool {
        TokenStream::from_str(&self.text(range)).is_ok()
    }

    /// Makes one item lex: as it is, without some of its members, or not at all.
    fn chunk(&mut self, range: Range<usize>, level: usize) {
        if self.lexes(range.clone()) {
            return;
        }
        let lost = self.lost.len();
        if level < DEEPEST && self.members(&range, level) {
            return;
        }
        self.lost.truncate(lost);
        self.lost.push(range.clone());
        self.blank(range);
    }

    /// Makes the members of an `impl`, `trait` or `mod` lex, one by one; says whether the whole then does.
    fn members(&mut self, range: &Range<usize>, level: usize) -> bool {
        let text = self.text(range.clone());
        let Some((header, indentation)) = container(&text) else {
            return false;
        };
        let end = range.start + closing_line(&text, header);
        for member in chunks(&text, header..end - range.start, indentation) {
            self.chunk(
                range.start + member.start..range.start + member.end,
                level + 1,
            );
        }
        self.lexes(range.clone()) || self.close(range)
    }

    /// Puts a missing closing brace where the last blank is.
    fn close(&mut self, range: &Range<usize>) -> bool {
        let Some(last) = range
            .clone()
            .next_back()
            .filter(|last| self.code[*last].is_ascii_whitespace())
        else {
            return false;
        };
        let before = std::mem::replace(&mut self.code[last], b'}');
        let closed = self.lexes(range.clone());
        if !closed {
            self.code[last] = before;
        }
        closed
    }

    fn blank(&mut self, range: Range<usize>) {
        for byte in &mut self.code[range] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

/// For the text of an `impl`, `trait` or `mod`: where its members begin and how far they are indented.
fn container(text: &str) -> Option<(usize, usize)> {
    let mut offset = 0;
    let mut found = false;
    for line in text.split_inclusive('\n') {
        let mut words = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty());
        let head = !is_prelude(line.trim_start());
        found |= head
            && words
                .by_ref()
                .take(4)
                .any(|word| matches!(word, "impl" | "trait" | "mod"));
        offset += line.len();
        if found && line.contains('{') {
            let next = text[offset..]
                .lines()
                .find(|line| !line.trim().is_empty())?;
            return Some((offset, indentation(next)));
        }
        if head && !found && !line.trim().is_empty() {
            return None;
        }
    }
    None
}

/// Where the line with the closing brace begins: the last line that begins with one, no further in than the header.
fn closing_line(text: &str, header: usize) -> usize {
    let outer = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .map_or(0, indentation);
    let mut end = text.len();
    let mut offset = header;
    for line in text[header..].split_inclusive('\n') {
        if line.trim_start().starts_with('}') && indentation(line) <= outer {
            end = offset;
        }
        offset += line.len();
    }
    end
}

/// Cuts a part of a text into items: each begins in a line with this indentation that looks like the start of one.
fn chunks(text: &str, range: Range<usize>, indent: usize) -> Vec<Range<usize>> {
    let mut starts = vec![range.start];
    let mut in_prelude = false;
    let mut offset = range.start;
    for line in text[range.clone()].split_inclusive('\n') {
        let content = line.trim_start();
        if indentation(line) == indent && !content.trim_end().is_empty() {
            let prelude = is_prelude(content);
            if (prelude || begins_item(content)) && !in_prelude && offset != range.start {
                starts.push(offset);
            }
            in_prelude = prelude || (in_prelude && !begins_item(content));
        }
        offset += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([range.end]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// An attribute or a doc comment: belongs to the item that follows.
fn is_prelude(content: &str) -> bool {
    content.starts_with("#[") || content.starts_with("///") || content.starts_with("/**")
}

fn begins_item(content: &str) -> bool {
    const WORDS: [&str; 17] = [
        "fn",
        "pub",
        "async",
        "unsafe",
        "const",
        "static",
        "type",
        "extern",
        "impl",
        "mod",
        "struct",
        "enum",
        "trait",
        "use",
        "macro_rules",
        "union",
        "default",
    ];
    let word = content
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default();
    WORDS.contains(&word)
}
