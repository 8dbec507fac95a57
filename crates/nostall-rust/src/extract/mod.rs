//! Reads one Rust file, seen alone: syn's tree lowered to facts. Never sees another file, the catalogue or a rule.
//!
//! The way of a file: the text without its byte order mark and shebang ([`text`]) is lexed, after broken parts are blanked out
//! ([`repair`]); items are parsed, one by one where the file as a whole does not parse or nests too deeply ([`recover`],
//! [`depth`]); they are lowered ([`lower`] and what it drives); comments that speak to tools are collected ([`comments`]).
//!
//! Parsing, lowering and dropping syntax recurse. [`depth`] bounds how far, for a stack of [`STACK`] bytes.

mod attributes;
mod body;
mod calls;
mod comments;
mod conditions;
mod control;
mod decisions;
mod depth;
mod drops;
mod expansion;
mod expression;
mod flow;
mod format;
mod imports;
mod invocations;
mod items;
mod lower;
mod macro_arguments;
mod macro_items;
mod macro_rules;
mod members;
mod paths;
mod patterns;
mod recover;
mod repair;
mod select;
mod spans;
mod statements;
mod text;
mod types;
mod variables;

use nostall_model::Source;
use nostall_model::facts::FileFacts;

use lower::Lower;
use spans::Places;
use text::Text;

/// The stack, in bytes, of a thread that may extract any input. Ordinary code needs far less.
pub const STACK: usize = 256 << 20;

/// Reads a file. What cannot be read becomes a problem; the rest keeps its facts.
///
/// Spans that this thread holds of other texts lexed with proc-macro2 are no longer valid afterwards.
#[must_use]
pub fn extract(source: &Source) -> FileFacts {
    // Spans are numbers counted through all texts that a thread has lexed; they would run out.
    proc_macro2::extra::invalidate_current_thread_spans();
    let facts = read(&source.text);
    proc_macro2::extra::invalidate_current_thread_spans();
    facts
}

fn read(whole: &str) -> FileFacts {
    let text = Text::new(whole);
    let lexed = repair::lex(&text);
    let places = Places::new(&lexed.code, &text);
    let parsed = recover::parse(&lexed.tokens, &places);
    let mut lower = Lower::new(&places);
    lower.file(&parsed);
    let mut facts = lower.builder.finish();
    facts.comments.extend(comments::find(&lexed, &places));
    facts.comments.sort_by_key(|comment| comment.span);
    facts
        .problems
        .extend(lexed.problems.iter().chain(&parsed.problems).cloned());
    facts.problems.sort_by_key(|problem| problem.span);
    facts
}
