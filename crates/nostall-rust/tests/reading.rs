//! Texts in all their forms: where things stand in them, which comments are kept, what attributes cover.

mod common;

use common::facts;
use nostall_model::facts::{Callee, FileFacts};

/// The texts of the names of all calls.
fn called<'t>(facts: &FileFacts, text: &'t str) -> Vec<&'t str> {
    facts
        .calls
        .iter()
        .map(|call| &text[call.name_span.range()])
        .collect()
}

#[test]
fn a_byte_order_mark_and_a_shebang_are_no_code() {
    for text in [
        "\u{feff}fn f() { a::b(); }",
        "#!/usr/bin/env run\nfn f() { a::b(); }",
        "\u{feff}#!/usr/bin/env run\r\nfn f() { a::b(); }",
        "#![allow(unused)]\nfn f() { a::b(); }",
        "#!/usr/bin/env run\n---\n[package]\nedition = \"2024\"\n---\nfn f() { a::b(); }",
    ] {
        let facts = facts(text);
        assert_eq!(called(&facts, text), ["a::b"], "{text:?}");
        assert!(facts.problems.is_empty(), "{text:?}: {:?}", facts.problems);
    }
}

#[test]
fn places_count_bytes() {
    let text = "fn f() {\r\n\tgrüße();\r\n\tlet s = \"äöü\"; s.länge(\"€\");\r\n\t/* ✓ */ z!(\"ß\");\r\n}\r\n";
    assert_eq!(called(&facts(text), text), ["grüße", "länge", "z"]);
}

#[test]
fn a_statement_is_the_head_of_a_branch_and_all_of_the_rest() {
    let text = "fn f() {\n    let x =\n        a();\n    if b() { c(); }\n    match d() { _ => e(), }\n    g()\n}";
    let facts = facts(text);
    let statements: Vec<&str> = facts
        .calls
        .iter()
        .map(|call| &text[call.statement.range()])
        .collect();
    let x_is_dropped = "let x =\n        a();";
    assert_eq!(
        statements,
        [
            "let x =\n        a();",
            "if b()",
            "c();",
            "match d()",
            "_ => e()",
            "g()",
            x_is_dropped
        ]
    );
}

#[test]
fn names_within_texts_have_their_places() {
    let text = r##"fn f(x: u8, y: u8) { p!("\u{e9} {y:?}"); p!(r#"é {x}"#); }"##;
    let facts = facts(text);
    assert_eq!(called(&facts, text), ["y", "p", "x", "p"]);
    assert!(matches!(facts.calls[0].callee, Callee::Method { .. }));
}

#[test]
fn comments_with_marks_are_kept_line_by_line() {
    let text = "// nostall: ignore a\nfn f() { g(\"// nostall\"); /* x\n  nostall: b\n  noqa */ }\n/// nostall\nfn h() {}\n// other\n/* noqa";
    let open = facts(text);
    let kept: Vec<&str> = open
        .comments
        .iter()
        .map(|comment| &text[comment.span.range()])
        .collect();
    // The last comment is not closed: what follows it is none.
    assert_eq!(kept, ["// nostall: ignore a", "nostall: b", "noqa */"]);
    let text = "\u{feff}#! run\nm! { \"/*\" /* noqa /* inner */ nostall */ 'a' // nostall\n}";
    let kept: Vec<String> = facts(text)
        .comments
        .iter()
        .map(|comment| text[comment.span.range()].to_owned())
        .collect();
    assert_eq!(kept, ["/* noqa /* inner */ nostall */", "// nostall"]);
}

#[test]
fn attributes_belong_to_their_item() {
    let text = "/// Text.\n#[inline]\npub fn f() {}\n\nimpl A {\n    #[must_use]\n    fn g() {}\n}";
    let facts = facts(text);
    let spans: Vec<(&str, &str)> = facts
        .attribute_spans
        .iter()
        .map(|(whole, item)| (&text[whole.range()], &text[item.range()]))
        .collect();
    assert_eq!(
        spans,
        [
            ("/// Text.\n#[inline]\npub fn f() {}", "pub fn f() {}"),
            ("#[must_use]\n    fn g() {}", "fn g() {}")
        ]
    );
}
