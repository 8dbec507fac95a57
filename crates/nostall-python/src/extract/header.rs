//! The header of a compound statement that cannot be read: a shorter one in its place, under which the code below it can.
//!
//! A function or class keeps its name, and of its parameters, bases and types what parses by itself. Other headers leave
//! only what kind of statement they begin. All of it is written over the old header, so that offsets stay.

use super::lexer::Token;
use super::logical::{self, Line};
use super::newer::{blank, line_tokens};

/// How many parameters or bases of one header are tried.
const MAX_PARTS: usize = 100;

/// Of a longer header only the name is kept.
const MAX_HEADER: usize = 20_000;

/// Says whether a text parses.
pub(super) type Parses<'a> = &'a mut dyn FnMut(&str) -> bool;

/// Writes a sound header over a broken one, in a text that begins with it. Answers what becomes of the text.
///
/// The text goes on behind the header: a colon that is missing takes a place of the next line's indentation.
pub(super) fn repair(
    text: &str,
    line: Line,
    has_block: bool,
    parses: Parses<'_>,
) -> Option<String> {
    let header = Header::new(text, line, has_block);
    match word(text, *header.tokens.get(header.keyword)?) {
        "def" | "class" => header.definition(parses),
        keyword => header.placeholder(placeholder(keyword), parses),
    }
}

/// The shortest header of the same kind; code below a line that is none runs where it stands.
fn placeholder(keyword: &str) -> &'static str {
    match keyword {
        "if" | "with" => "if():",
        "while" | "for" => "while():",
        "match" => "match():",
        "case" => "case():",
        "elif" => "elif():",
        "else" => "else:",
        "except" => "except:",
        "finally" => "finally:",
        _ => "try:",
    }
}

/// What stands before a line that cannot stand alone.
pub(super) fn lead(first_word: &str) -> &'static str {
    match first_word {
        "elif" | "else" => "if():\n ()\n",
        "except" | "finally" => "try:\n ()\n",
        "case" => "match():\n ",
        _ => "",
    }
}

/// Says whether a line begins like the header of a compound statement.
pub(super) fn is_compound(code: &str) -> bool {
    matches!(
        logical::first_word(code),
        "async"
            | "case"
            | "class"
            | "def"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "if"
            | "match"
            | "try"
            | "while"
            | "with"
    )
}

/// Says whether a line has a bracket that is not closed.
pub(super) fn is_left_open(text: &str, line: Line) -> bool {
    let mut depth = 0_usize;
    for token in line_tokens(text, line.code, line.end) {
        match word(text, token) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth > 0
}

/// Where the header of a line ends.
pub(super) fn end(text: &str, line: Line, has_block: bool) -> usize {
    Header::new(text, line, has_block).end_byte()
}

fn word(text: &str, token: Token) -> &str {
    &text[token.start..token.end]
}

/// Finds the colon that ends a header: the first one outside brackets, or else the last token.
fn header_end(text: &str, tokens: &[Token], keyword: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(keyword) {
        match word(text, *token) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            ":" if depth == 0 => return Some(index),
            _ => {}
        }
    }
    let last = tokens.len().checked_sub(1)?;
    (word(text, tokens[last]) == ":").then_some(last)
}

struct Header<'a> {
    text: &'a str,
    line: Line,
    tokens: Vec<Token>,
    /// The number of the token that says what it is the header of.
    keyword: usize,
    /// The number of the colon.
    end: Option<usize>,
    /// A block follows in the next lines.
    has_block: bool,
}

impl<'a> Header<'a> {
    fn new(text: &'a str, line: Line, has_block: bool) -> Self {
        let tokens = line_tokens(text, line.code, line.end);
        let keyword = usize::from(tokens.len() > 1 && word(text, tokens[0]) == "async");
        Self {
            text,
            line,
            keyword,
            end: header_end(text, &tokens, keyword),
            tokens,
            has_block,
        }
    }

    fn word(&self, index: usize) -> &str {
        self.tokens
            .get(index)
            .map_or("", |token| word(self.text, *token))
    }

    /// Where the header ends, with its colon; before a block the whole line is the header.
    fn end_byte(&self) -> usize {
        let last = self.tokens.len().checked_sub(1);
        let end = self.end.filter(|_| !self.has_block).or(last);
        end.map_or(self.line.code, |index| self.tokens[index].end)
    }

    /// The text with blanks from a place to the end of the header.
    fn blanked(&self, from: usize) -> Vec<u8> {
        let mut bytes = self.text.as_bytes().to_vec();
        blank(&mut bytes[from..self.end_byte().max(from)]);
        bytes
    }

    fn placeholder(&self, placeholder: &str, parses: Parses<'_>) -> Option<String> {
        let bytes = self.blanked(self.line.code);
        self.put(bytes, self.line.code, placeholder)
            .filter(|text| self.is_sound(text, parses))
    }

    fn is_sound(&self, text: &str, parses: Parses<'_>) -> bool {
        // The line break may have been pushed behind the line.
        let last = self.line.end.saturating_sub(1).max(self.line.code);
        let Some(rest) = text.get(last..) else {
            return false;
        };
        let end = last + rest.find('\n').unwrap_or(rest.len());
        let header = text[self.line.code..end].trim_end();
        let lead = lead(logical::first_word(header));
        parses(&format!("{lead}{header}\n"))
    }

    // ---- functions and classes

    fn definition(&self, parses: Parses<'_>) -> Option<String> {
        let name_index = self.keyword + 1;
        let name = self
            .tokens
            .get(name_index)
            .filter(|_| is_name(self.word(name_index)));
        let is_class = self.word(self.keyword) == "class";
        let Some(name) = name else {
            let keyword_end = self.tokens[self.keyword].end;
            let end = if is_class { " _:" } else { " _():" };
            return self
                .put(self.blanked(keyword_end), keyword_end, end)
                .filter(|text| self.is_sound(text, parses));
        };
        let is_short = self.end_byte() - self.line.code <= MAX_HEADER;
        let mut found = is_short
            .then(|| self.with_parts(name_index, parses))
            .flatten();
        if found.is_none() {
            let end = if is_class { ":" } else { "():" };
            found = self.put(self.blanked(name.end), name.end, end);
        }
        found.filter(|text| self.is_sound(text, parses))
    }

    /// The header with all of its parts that are sound.
    fn with_parts(&self, name: usize, parses: Parses<'_>) -> Option<String> {
        let parts = self.parts(name);
        let mut sound = self.assemble(&parts, &[])?;
        if !self.is_sound(&sound, parses) {
            return None;
        }
        let mut kept: Vec<(usize, usize)> = Vec::new();
        for part in parts.pieces.iter().take(MAX_PARTS) {
            kept.push(*part);
            match self.assemble(&parts, &kept) {
                Some(text) if self.is_sound(&text, parses) => sound = text,
                _ => _ = kept.pop(),
            }
        }
        Some(sound)
    }

    /// Finds the brackets and what stands in and around them.
    fn parts(&self, name: usize) -> Parts {
        let end = self.end.unwrap_or(self.tokens.len());
        let mut parts = Parts {
            name_end: self.tokens[name].end,
            ..Parts::default()
        };
        let mut depth = 0_usize;
        let mut begun = name + 1;
        for index in name + 1..end {
            match self.word(index) {
                "(" if depth == 0 && parts.open.is_none() => {
                    self.piece(&mut parts, begun, index);
                    parts.open = Some(self.tokens[index].start);
                    (depth, begun) = (1, index + 1);
                }
                "(" | "[" | "{" => depth += 1,
                ")" if depth == 1 && parts.open.is_some() && parts.close.is_none() => {
                    self.piece(&mut parts, begun, index);
                    parts.close = Some(self.tokens[index].start);
                    (depth, begun) = (0, index + 1);
                }
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                "," if depth == 1 && parts.open.is_some() && parts.close.is_none() => {
                    self.piece(&mut parts, begun, index + 1);
                    begun = index + 1;
                }
                _ => {}
            }
        }
        self.piece(&mut parts, begun, end);
        parts
    }

    fn piece(&self, parts: &mut Parts, from: usize, to: usize) {
        if from < to {
            let piece = (self.tokens[from].start, self.tokens[to - 1].end);
            parts.pieces.push(piece);
        }
    }

    /// Writes the name, the brackets, the colon and the given pieces.
    fn assemble(&self, parts: &Parts, pieces: &[(usize, usize)]) -> Option<String> {
        let mut bytes = self.blanked(parts.name_end);
        let original = self.text.as_bytes();
        for (start, end) in pieces {
            bytes[*start..*end].copy_from_slice(&original[*start..*end]);
        }
        let needs_brackets = self.word(self.keyword) == "def";
        let closing = match (parts.open, parts.close) {
            (Some(open), Some(close)) => {
                bytes[open] = b'(';
                bytes[close] = b')';
                ":"
            }
            (Some(open), None) => {
                bytes[open] = b'(';
                "):"
            }
            _ if needs_brackets => "():",
            _ => ":",
        };
        let colon = match self.end {
            Some(colon) => self.tokens[colon].start,
            None => self.end_byte(),
        };
        self.put(bytes, colon, closing)
    }

    // ---- writing

    /// Writes code over blanks and the comment of a line; what does not fit pushes the line break into the indentation of
    /// the next line.
    fn put(&self, mut bytes: Vec<u8>, at: usize, code: &str) -> Option<String> {
        let line_end = bytes[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |length| at + length);
        let room = bytes.get(at..line_end)?;
        let free = room
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace() || **byte == b':');
        let end = at + code.len();
        if free.count() < code.len() {
            self.make_room(&mut bytes, at, end, line_end)?;
        }
        bytes.get_mut(at..end)?.copy_from_slice(code.as_bytes());
        String::from_utf8(bytes).ok()
    }

    fn make_room(&self, bytes: &mut [u8], at: usize, end: usize, line_end: usize) -> Option<()> {
        let comment = bytes[at..line_end].iter().position(|byte| *byte == b'#');
        if let Some(comment) = comment {
            blank(&mut bytes[at + comment..line_end]);
        }
        if bytes[at..line_end]
            .iter()
            .any(|byte| !byte.is_ascii_whitespace() && *byte != b':')
        {
            return None;
        }
        if end <= line_end {
            return Some(());
        }
        let pushed = bytes.get(line_end..=end)?;
        if !pushed.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        bytes[end] = b'\n';
        let next_line = &bytes[end + 1..];
        let blanks = next_line.iter().take_while(|byte| **byte == b' ').count();
        let is_blank = matches!(next_line.get(blanks), None | Some(b'\n' | b'\r'));
        (is_blank || blanks > self.line.indent).then_some(())
    }
}

fn is_name(word: &str) -> bool {
    let begins = word
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    begins
        && !matches!(
            word,
            "class" | "def" | "if" | "for" | "in" | "is" | "lambda" | "return"
        )
}

/// What a header is made of, by bytes.
#[derive(Default)]
struct Parts {
    name_end: usize,
    open: Option<usize>,
    close: Option<usize>,
    /// Type parameters, each parameter or base with its comma, the type that is returned.
    pieces: Vec<(usize, usize)>,
}
