//! The facts of small Rust files, as text: `fixtures/facts/rust/<case>.rs` and `<case>.facts`.
//!
//! `BLESS=1 cargo test -p nostall-rust` rewrites the texts; read the difference before you commit it.

mod common;

use nostall_model::dump;

use common::{assert_spans_inside, cases, facts};

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
