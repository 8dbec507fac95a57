//! What the tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nostall_model::facts::FileFacts;
use nostall_model::{Language, Role, Source};
use nostall_rust::extract::extract;

/// The files whose facts are recorded.
pub(crate) fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/facts/rust");
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    cases.sort();
    cases
}

/// The facts of a text.
pub(crate) fn facts(text: &str) -> FileFacts {
    extract(&Source {
        path: "case.rs".to_owned(),
        language: Language::Rust,
        role: Role::Report,
        text: Arc::from(text),
        decoded: false,
    })
}

/// Asserts that all that has a place has it within the text.
pub(crate) fn assert_spans_inside(facts: &FileFacts, end: usize) {
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
