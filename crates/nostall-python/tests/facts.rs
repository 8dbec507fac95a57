//! The facts of small Python files, as text: `fixtures/facts/python/<case>.py` and `<case>.facts`.
//!
//! `BLESS=1 cargo test -p nostall-python` rewrites the texts; read the difference before you commit it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nostall_model::facts::FileFacts;
use nostall_model::{Language, Role, Source, dump};
use nostall_python::extract;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/facts/python")
}

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the fixtures are there");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a fixture can be listed").path())
        .collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    cases.sort();
    cases
}

fn facts(text: &str) -> FileFacts {
    extract(&Source {
        path: "case.py".to_owned(),
        language: Language::Python,
        role: Role::Report,
        text: Arc::from(text),
        decoded: false,
    })
}

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
            let facts = facts(&text[..end]);
            assert_spans_inside(&facts, end);
        }
    }
}

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
        .chain(facts.bindings.iter().map(|binding| binding.span))
        .chain(facts.definitions.iter().map(|definition| definition.span))
        .chain(facts.regions.iter().map(|region| region.span))
        .chain(facts.types.iter().map(|type_| type_.span))
        .chain(facts.problems.iter().map(|problem| problem.span));
    for span in spans {
        assert!(
            span.start <= span.end && span.range().end <= end,
            "{span:?} lies outside of 0..{end}"
        );
    }
}
