//! Broken files: what is broken costs only itself.

mod common;

use common::facts;
use nostall_model::facts::FileFacts;
use nostall_model::finding::ProblemCode;

/// The names of all items, in order.
fn names(facts: &FileFacts) -> Vec<&str> {
    facts
        .items
        .iter()
        .map(|item| item.name.map_or("_", |name| facts.text(name)))
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str], problems: &[&str]) {
    let facts = facts(text);
    assert_eq!(names(&facts), expected);
    let found: Vec<&str> = facts
        .problems
        .iter()
        .map(|problem| &text[problem.span.range()])
        .collect();
    assert_eq!(found, problems);
    assert!(
        facts
            .problems
            .iter()
            .all(|problem| problem.code == ProblemCode::Syntax)
    );
}

#[test]
fn a_broken_function_keeps_its_neighbours() {
    check("fn a() {}\nfn b( {}\nfn c() {}", &["a", "c"], &["fn b( {}"]);
}

#[test]
fn a_broken_method_keeps_its_neighbours() {
    let text = "impl A {\n    fn a(&self) {}\n    fn b(&self) { let x = ; }\n    const C: u8 = 1;\n    fn d() {}\n}\nfn e() {}";
    check(
        text,
        &["_", "a", "C", "d", "e"],
        &["fn b(&self) { let x = ; }"],
    );
}

#[test]
fn a_broken_member_of_a_module_or_trait_keeps_its_neighbours() {
    let text =
        "mod m { fn a() {} fn b() { 1 + } mod n { trait T { fn c(); fn d() -> ; fn e() {} } } }";
    check(
        text,
        &["m", "a", "n", "T", "c", "e"],
        &["fn b() { 1 + }", "fn d() -> ;"],
    );
}

#[test]
fn a_missing_semicolon_costs_one_item() {
    check(
        "use a::b\nfn c() {}\nstruct D\nenum E {}\nconst F: u8 = 1\nstatic G: u8 = 2;",
        &["c", "E", "G"],
        &["use a::b", "struct D", "const F: u8 = 1"],
    );
}

#[test]
fn an_open_brace_keeps_other_items() {
    let text = "fn a() {}\n\nfn b() {\n    if x {\n}\n\n#[inline]\npub async fn c() {}\n";
    check(text, &["a", "c"], &["fn b() {\n    if x {\n}"]);
}

#[test]
fn an_open_brace_in_a_method_keeps_other_methods() {
    let text = "impl A {\n    fn a() {}\n\n    /// Broken.\n    fn b() {\n        (\n    }\n\n    fn c() {}\n}\n\nfn d() {}\n";
    check(
        text,
        &["_", "a", "c", "d"],
        &["/// Broken.\n    fn b() {\n        (\n    }"],
    );
}

#[test]
fn an_open_string_or_comment_keeps_what_comes_before() {
    check("fn a() {}\n\nfn b() { \"x }\n", &["a"], &["fn b() { \"x }"]);
    check(
        "fn a() {}\n\nfn b() { /* x }\n",
        &["a"],
        &["fn b() { /* x }"],
    );
    check(
        "impl A {\n    fn a() {}\n\n    fn b() {\n        x(\"",
        &["_", "a"],
        &["fn b() {\n        x(\""],
    );
}

#[test]
fn stray_characters_cost_their_item() {
    check(
        "fn a() {}\nfn b() { ` }\nfn c() {}\n",
        &["a", "c"],
        &["fn b() { ` }"],
    );
    check("fn a() {}\n}\nfn c() {}\n", &["c"], &["fn a() {}\n}"]);
}

#[test]
fn nothing_but_rubbish_is_a_problem() {
    check("{{{", &[], &["{{{"]);
    check("1 2 3", &[], &["1 2 3"]);
    check("", &[], &[]);
}
