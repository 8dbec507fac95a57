//! Runs the parser within bounds, and again without the statements that it cannot read.
//!
//! tree-sitter goes on after an error, but one bracket that is never closed can take the rest of the file with it. So a
//! file with errors is cut into statements by its lines and their indentation, those that do not parse alone are found,
//! and the file is parsed once more without them: one broken statement costs only itself, and a broken header not the code
//! below it. What is merely newer than the grammar is rewritten before.

use std::borrow::Cow;
use std::ops::ControlFlow;

use nostall_model::Span;
use nostall_model::facts::SourceProblem;
use nostall_model::finding::ProblemCode;
use tree_sitter::{ParseOptions, Parser, Point, Range, Tree};

use super::logical::{self, Line};
use super::{header, newer};

/// A file's tree, and what was left out of it.
pub(super) struct Parsed<'a> {
    pub(super) tree: Tree,
    /// What the tree is of: as long as the file's text, with other code where that was needed.
    pub(super) text: Cow<'a, str>,
    pub(super) broken: Vec<SourceProblem>,
}

/// Parses a text; nothing when that takes too many steps.
pub(super) fn parse(text: &str) -> Option<Parsed<'_>> {
    let mut parser = python_parser();
    let whole = parse_whole(&mut parser, text);
    if whole.as_ref().is_some_and(is_sound) {
        return whole.map(|tree| unchanged(tree, text));
    }
    let newer = newer::rewrite(text);
    if let Some(newer) = &newer
        && let Some(tree) = parse_whole(&mut parser, newer).filter(is_sound)
    {
        let (text, broken) = (Cow::Owned(newer.clone()), Vec::new());
        return Some(Parsed { tree, text, broken });
    }
    let search = search(&mut parser, newer.unwrap_or_else(|| text.to_owned()));
    let Search {
        text: known,
        losses,
        ..
    } = search;
    if losses.is_empty() {
        return whole.map(|tree| unchanged(tree, text));
    }
    let Some(tree) = parse_whole(&mut parser, &known) else {
        return whole.map(|tree| unchanged(tree, text));
    };
    let broken = losses.iter().map(|loss| loss.problem(text)).collect();
    let text = Cow::Owned(known);
    Some(Parsed { tree, text, broken })
}

fn unchanged(tree: Tree, text: &str) -> Parsed<'_> {
    Parsed {
        tree,
        text: Cow::Borrowed(text),
        broken: Vec::new(),
    }
}

fn parse_whole(parser: &mut Parser, text: &str) -> Option<Tree> {
    parse_part(parser, text, &[Span::new(0, text.len())])
}

fn is_sound(tree: &Tree) -> bool {
    !tree.root_node().has_error()
}

/// Makes a parser for Python.
pub(super) fn python_parser() -> Parser {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .expect("the grammar is of a version that this tree-sitter reads");
    parser
}

/// Parses the given parts of a text as if nothing else were there.
pub(super) fn parse_part(parser: &mut Parser, text: &str, parts: &[Span]) -> Option<Tree> {
    let ranges: Vec<Range> = parts.iter().map(|part| range(text, *part)).collect();
    parser.set_included_ranges(&ranges).ok()?;
    let length: usize = parts.iter().map(|part| part.range().len()).sum();
    let mut budget = Budget::new(length);
    let mut step = |_: &tree_sitter::ParseState| budget.step();
    let options = ParseOptions::new().progress_callback(&mut step);
    let bytes = text.as_bytes();
    let mut read = |offset: usize, _: Point| bytes.get(offset..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    if tree.is_none() {
        parser.reset();
    }
    tree
}

/// Steps that a parse may still take. Steps and not time: the same input must give the same result everywhere.
struct Budget(usize);

impl Budget {
    /// The parser asks once in a hundred operations. Code that parses takes about one operation for each byte, and never
    /// more than two in the sources of CPython; broken code may take ten.
    fn new(length: usize) -> Self {
        Self(2_000 + length / 8)
    }

    fn step(&mut self) -> ControlFlow<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }
}

/// Rows and columns are not used by us, but the scanner measures indentation with columns.
fn range(text: &str, part: Span) -> Range {
    let point = |offset: usize| {
        let before = &text.as_bytes()[..offset];
        let line = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        Point {
            row: usize::from(line > 0),
            column: offset - line,
        }
    };
    let bytes = part.range();
    Range {
        start_byte: bytes.start,
        end_byte: bytes.end,
        start_point: point(bytes.start),
        end_point: point(bytes.end),
    }
}

/// What could not be read.
#[derive(Clone, Copy, Debug)]
struct Loss {
    span: Span,
    kind: LossKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LossKind {
    /// Blanks stand in its place, or `pass`.
    Statement,
    /// Another header stands in its place.
    Header,
}

impl Loss {
    fn problem(&self, text: &str) -> SourceProblem {
        let code = &text[self.span.range()];
        let message = match self.kind {
            LossKind::Statement => "this statement cannot be read, it was left out",
            LossKind::Header => "this header cannot be read in full, the code below it was read",
        };
        let start = self.span.range().end - code.trim_start().len();
        let span = Span::new(start, self.span.range().start + code.trim_end().len());
        SourceProblem {
            span,
            code: ProblemCode::Syntax,
            message: message.to_owned(),
        }
    }
}

/// How many levels of blocks are searched for the statement that is broken.
const MAX_LEVELS: usize = 12;

/// Finds the smallest statements that do not parse alone, and repairs headers.
fn search(parser: &mut Parser, text: String) -> Search<'_> {
    let lines = logical::lines(&text);
    let mut search = Search {
        parser,
        text,
        losses: Vec::new(),
    };
    search.statements(&lines, 0, "");
    search.losses.sort_by_key(|loss| loss.span);
    search
}

struct Search<'a> {
    parser: &'a mut Parser,
    text: String,
    losses: Vec<Loss>,
}

impl Search<'_> {
    /// Looks at the statements of one block. `around`: the word that the statement around them begins with.
    fn statements(&mut self, lines: &[Line], level: usize, around: &str) {
        for statement in logical::statements(lines) {
            self.statement(statement, level, around);
        }
    }

    fn statement(&mut self, lines: &[Line], level: usize, around: &str) {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return;
        };
        let is_case = around == "match" && logical::first_word(&self.text[first.code..]) == "case";
        let statement = Statement {
            span: Span::new(first.code, last.end),
            lead: header::lead(if is_case { "case" } else { "" }),
            known: self.losses.len(),
        };
        if self.parses(&statement) {
            return;
        }
        let before = self.text[statement.span.range()].to_owned();
        let lines = self.split_unclosed(lines);
        if level >= MAX_LEVELS || !self.recover(&statement, &lines, level) {
            self.text.replace_range(statement.span.range(), &before);
            self.losses.truncate(statement.known);
            // A block is not left empty.
            self.leave_out(statement.span, if is_case { "" } else { "pass" });
        }
    }

    fn leave_out(&mut self, span: Span, instead: &str) {
        let code = self.text[span.range()].trim_end();
        let instead = if code.len() < instead.len() {
            "0"
        } else {
            instead
        };
        let mut bytes = code.as_bytes().to_vec();
        newer::blank(&mut bytes);
        bytes.splice(..instead.len(), instead.bytes());
        let range = span.range().start..span.range().start + bytes.len();
        self.text
            .replace_range(range, &String::from_utf8_lossy(&bytes));
        let kind = LossKind::Statement;
        self.losses.push(Loss { span, kind });
    }

    /// Cuts headers whose brackets are left open behind their first line: what follows is the block.
    fn split_unclosed(&self, lines: &[Line]) -> Vec<Line> {
        let mut split = Vec::new();
        for line in lines {
            let code = &self.text[line.code..line.end];
            let first_end = code.find('\n').map_or(line.end, |at| line.code + at + 1);
            let cut = first_end < line.end
                && header::is_compound(code)
                && header::is_left_open(&self.text, *line);
            if !cut {
                split.push(*line);
                continue;
            }
            let end = first_end;
            split.push(Line { end, ..*line });
            split.extend(logical::lines_from(&self.text, end..line.end));
        }
        split
    }

    /// Looks for errors in the blocks of a statement, then in its headers. Says whether it is right without what was found.
    fn recover(&mut self, statement: &Statement, lines: &[Line], level: usize) -> bool {
        let word = logical::first_word(&self.text[lines[0].code..]).to_owned();
        for block in logical::blocks(lines) {
            self.statements(block, level + 1, &word);
        }
        if self.losses.len() > statement.known && self.parses(statement) {
            return true;
        }
        let heads = heads(lines);
        for (head, has_block) in &heads {
            self.head(*head, *has_block);
        }
        if self.losses.len() > statement.known && self.parses(statement) {
            return true;
        }
        if lines.len() == heads.len() {
            return false;
        }
        // Without its headers the code of its blocks runs in its place.
        for (head, _) in heads {
            let span = Span::new(head.code, head.end);
            self.losses.retain(|loss| !span.contains(loss.span));
            self.leave_out(span, "");
        }
        self.parses(statement)
    }

    /// Makes a decorator or header sound.
    fn head(&mut self, line: Line, has_block: bool) {
        let code = &self.text[line.code..line.end];
        if let Some(decorator) = code.strip_prefix('@') {
            let decorator = decorator.to_owned();
            if !self.is_sound(&decorator) {
                self.leave_out(Span::new(line.code, line.end), "");
            }
            return;
        }
        let lead = header::lead(logical::first_word(code));
        let alone = format!("{lead}{code}");
        let is_header = has_block || header::is_compound(code);
        if is_header && !self.is_sound(&alone) {
            self.header(line, has_block);
        }
    }

    fn header(&mut self, line: Line, has_block: bool) {
        let rest = &self.text[line.end..];
        let next_line = line.end + rest.find('\n').map_or(rest.len(), |at| at + 1);
        let window = line.start..next_line;
        let inside = Line {
            start: 0,
            code: line.code - line.start,
            end: line.end - line.start,
            ..line
        };
        let text = &self.text[window.clone()];
        let end = line.start + header::end(text, inside, has_block);
        let parser = &mut *self.parser;
        let mut parses = |text: &str| parse_whole(parser, text).is_some_and(|tree| is_sound(&tree));
        if let Some(repaired) = header::repair(text, inside, has_block, &mut parses) {
            self.text.replace_range(window, &repaired);
            let span = Span::new(line.code, end);
            let kind = LossKind::Header;
            self.losses.push(Loss { span, kind });
        }
    }

    /// Says whether a statement parses as the text is now.
    fn parses(&mut self, statement: &Statement) -> bool {
        if statement.lead.is_empty() {
            let tree = parse_part(self.parser, &self.text, &[statement.span]);
            return tree.as_ref().is_some_and(is_sound);
        }
        let code = &self.text[statement.span.range()];
        self.is_sound(&format!("{}{code}", statement.lead))
    }

    fn is_sound(&mut self, text: &str) -> bool {
        parse_whole(self.parser, text)
            .as_ref()
            .is_some_and(is_sound)
    }
}

/// A statement that is looked at.
struct Statement {
    span: Span,
    /// What must stand before it so that it can stand alone.
    lead: &'static str,
    /// How many losses there were before it.
    known: usize,
}

/// The lines of a statement that are not in its blocks; for each, whether a block follows.
fn heads(lines: &[Line]) -> Vec<(Line, bool)> {
    let indent = lines.first().map_or(0, |line| line.indent);
    let nexts = lines.iter().skip(1).map(Some).chain([None]);
    lines
        .iter()
        .zip(nexts)
        .filter(|(line, _)| line.indent <= indent)
        .map(|(line, next)| (*line, next.is_some_and(|next| next.indent > line.indent)))
        .collect()
}
