//! From the text of one file to its facts.
//!
//! The parse tree is walked once to survey it (depth, comments, errors), then lowered statement by statement. The walk that
//! lowers is recursive; what the survey found to be nested too deeply is left out of it, so that its depth is bounded.

mod assign;
mod call;
mod comprehension;
mod control;
mod define;
mod expression;
mod header;
mod import;
mod lexer;
mod literal;
mod logical;
mod lower;
mod narrow;
mod newer;
mod operator;
mod parameter;
mod parse;
mod pattern;
mod scope;
mod statement;
mod survey;
mod tree;
mod types;

use nostall_model::facts::{FileFacts, SourceProblem};
use nostall_model::finding::ProblemCode;
use nostall_model::{Language, Source, Span};

/// How deep a node of the parse tree may lie to be lowered. Python's own compiler gives up before.
///
/// Measured: in a debug build a level takes at most 4 KiB of stack, so that 48 MiB leave a factor of three to spare
/// (`tests/limits.rs` runs with 24). Those who walk the facts recurse less deeply than we do.
const MAX_DEPTH: usize = 4_000;

/// How many problems of one file are told.
const MAX_PROBLEMS: usize = 5;

/// Extracts the facts of one Python source.
///
/// Never fails: what cannot be read becomes a problem, and the rest is read.
#[must_use]
pub fn extract(source: &Source) -> FileFacts {
    let text = &*source.text;
    let Some(parsed) = parse::parse(text) else {
        let mut facts = FileFacts::empty(Language::Python);
        let message = "the file takes too long to parse, it was left out".to_owned();
        facts.problems.push(SourceProblem {
            span: Span::new(0, text.len()),
            code: ProblemCode::Syntax,
            message,
        });
        return facts;
    };
    let tree = tree::Tree::new(&parsed.tree);
    let text = &*parsed.text;
    let survey = survey::survey(&tree, text);
    let mut problems: Vec<SourceProblem> = parsed
        .broken
        .into_iter()
        .chain(survey.problems.clone())
        .collect();
    problems.sort_by_key(|problem| (problem.span, problem.code));
    problems.truncate(MAX_PROBLEMS);
    let mut facts = lower::lower(&tree, text, survey);
    facts.problems = problems;
    facts
}
