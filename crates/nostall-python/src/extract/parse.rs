//! Runs the parser within bounds, and again without the statements that it cannot read.
//!
//! tree-sitter goes on after an error, but one bracket that is never closed can take the rest of the file with it. So a
//! file with errors is cut into statements by its lines and their indentation, those that do not parse alone are found,
//! and the file is parsed once more without them: one broken statement costs only itself.

use std::ops::ControlFlow;

use nostall_model::Span;
use nostall_model::facts::SourceProblem;
use nostall_model::finding::ProblemCode;
use tree_sitter::{ParseOptions, Parser, Point, Range, Tree};

use super::logical;

/// A file's tree, and what was left out of it.
pub(super) struct Parsed {
    pub(super) tree: Tree,
    pub(super) broken: Vec<SourceProblem>,
}

/// Parses a text; nothing when that takes too many steps.
pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut parser = python_parser();
    let whole = parse_part(&mut parser, text, &[Span::new(0, text.len())]);
    if let Some(tree) = &whole
        && !tree.root_node().has_error()
    {
        return whole.map(|tree| Parsed {
            tree,
            broken: Vec::new(),
        });
    }
    let spans = broken_statements(&mut parser, text);
    if spans.is_empty() {
        return whole.map(|tree| Parsed {
            tree,
            broken: Vec::new(),
        });
    }
    let tree = parse_part(&mut parser, text, &rest_of(text, &spans)).or(whole)?;
    let broken = spans
        .into_iter()
        .map(|span| syntax_problem(text, span))
        .collect();
    Some(Parsed { tree, broken })
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

fn syntax_problem(text: &str, span: Span) -> SourceProblem {
    let message = "this statement cannot be read, it was left out".to_owned();
    let statement = text[span.range()].trim_end();
    let start = span.range().end - text[span.range()].trim_start().len();
    let span = Span::new(start, span.range().start + statement.len());
    SourceProblem {
        span,
        code: ProblemCode::Syntax,
        message,
    }
}

/// Returns the parts of a text between the given ones, which are in order.
fn rest_of(text: &str, without: &[Span]) -> Vec<Span> {
    let mut rest = Vec::new();
    let mut start = 0;
    for span in without {
        if span.range().start > start {
            rest.push(Span::new(start, span.range().start));
        }
        start = span.range().end;
    }
    if start < text.len() || rest.is_empty() {
        rest.push(Span::new(start, text.len()));
    }
    rest
}

/// How many levels of blocks are searched for the statement that is broken.
const MAX_LEVELS: usize = 12;

/// Finds the smallest statements that do not parse alone.
fn broken_statements(parser: &mut Parser, text: &str) -> Vec<Span> {
    let lines = logical::lines(text);
    let mut search = Search {
        parser,
        text,
        broken: Vec::new(),
    };
    search.statements(&lines, 0);
    search.broken
}

struct Search<'a> {
    parser: &'a mut Parser,
    text: &'a str,
    broken: Vec<Span>,
}

impl Search<'_> {
    /// Looks at the statements of one block.
    fn statements(&mut self, lines: &[logical::Line], level: usize) {
        for statement in logical::statements(lines) {
            self.statement(statement, level);
        }
    }

    fn statement(&mut self, lines: &[logical::Line], level: usize) {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return;
        };
        let span = Span::new(first.code, last.end);
        if self.parses(span) {
            return;
        }
        let inner_broken =
            level < MAX_LEVELS && lines.len() > 1 && self.block_is_to_blame(lines, level);
        if !inner_broken {
            self.broken.push(Span::new(first.start, last.end));
        }
    }

    /// Looks for the error inside the blocks of a statement; says whether the statement is right without what was found.
    fn block_is_to_blame(&mut self, lines: &[logical::Line], level: usize) -> bool {
        let (first, last) = (&lines[0], &lines[lines.len() - 1]);
        let known = self.broken.len();
        for block in logical::blocks(lines) {
            self.statements(block, level + 1);
        }
        let found = &self.broken[known..];
        let right = !found.is_empty() && {
            let parts = parts_without(Span::new(first.code, last.end), found);
            parse_part(self.parser, self.text, &parts)
                .is_some_and(|tree| !tree.root_node().has_error())
        };
        if !right {
            self.broken.truncate(known);
        }
        right
    }

    fn parses(&mut self, span: Span) -> bool {
        parse_part(self.parser, self.text, &[span])
            .is_some_and(|tree| !tree.root_node().has_error())
    }
}

fn parts_without(span: Span, without: &[Span]) -> Vec<Span> {
    let mut parts = Vec::new();
    let mut start = span.range().start;
    for gap in without {
        if gap.range().start > start {
            parts.push(Span::new(start, gap.range().start));
        }
        start = gap.range().end.max(start);
    }
    if span.range().end > start {
        parts.push(Span::new(start, span.range().end));
    }
    parts
}
