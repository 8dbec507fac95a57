//! The facts of small Rust files, as text: `fixtures/facts/rust/<case>.rs` and `<case>.facts`.
//!
//! `BLESS=1 cargo test -p nostall-rust` rewrites the texts; read the difference before you commit it.

mod common;

use std::path::{Path, PathBuf};

use nostall_model::dump;
use nostall_model::facts::FileFacts;

use common::facts;

#[test]
fn facts_are_as_recorded() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let text = std::fs::read_to_string(&case).unwrap();
        let now = dump::dump(&facts(&text));
        let recorded = case.with_extension("facts");
        if bless {
            std::fs::write(&recorded, &now).unwrap();
        } else if std::fs::read_to_string(&recorded).unwrap_or_default() != now {
            wrong.push(format!("{}\n{now}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "facts changed (BLESS=1 accepts them):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_prefix_is_read_without_a_panic() {
    for case in cases() {
        let text = std::fs::read_to_string(&case).unwrap();
        for (end, _) in text.char_indices() {
            assert_spans_inside(&facts(&text[..end]), end);
        }
    }
}

/// The files whose facts are recorded.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/facts/rust");
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    cases.sort();
    cases
}

/// Asserts that all that has a place has it within the text.
fn assert_spans_inside(facts: &FileFacts, end: usize) {
    let spans = (facts.exprs.iter().map(|expr| expr.span))
        .chain(
            facts
                .calls
                .iter()
                .flat_map(|call| [call.span, call.name_span, call.statement]),
        )
        .chain(
            facts
                .bodies
                .iter()
                .flat_map(|body| [body.span, body.name_span]),
        )
        .chain(
            facts
                .items
                .iter()
                .flat_map(|item| [item.span, item.name_span]),
        )
        .chain(facts.imports.iter().map(|import| import.span))
        .chain(facts.paths.iter().map(|path| path.span))
        .chain(facts.bindings.iter().map(|binding| binding.span))
        .chain(facts.definitions.iter().map(|definition| definition.span))
        .chain(facts.regions.iter().map(|region| region.span))
        .chain(facts.types.iter().map(|type_| type_.span))
        .chain(facts.comments.iter().map(|comment| comment.span))
        .chain(
            facts
                .attribute_spans
                .iter()
                .flat_map(|(whole, item)| [*whole, *item]),
        )
        .chain(facts.problems.iter().map(|problem| problem.span));
    for span in spans {
        assert!(
            span.start <= span.end && span.range().end <= end,
            "{span:?} lies outside of 0..{end}"
        );
    }
}
