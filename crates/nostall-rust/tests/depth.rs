//! Texts that nest without end. They are refused item by item; what stands beside them is read.

mod common;

use common::facts;
use nostall_model::finding::ProblemCode;
use nostall_rust::extract::STACK;

const MANY: usize = 100_000;

/// Reads a text with the stack that the engine gives, in the middle of a file.
fn problems(bomb: String) -> Vec<ProblemCode> {
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || {
            let facts = facts(&format!(
                "fn before() {{ a(); }}\n{bomb}\nfn after() {{ b(); }}\n"
            ));
            let functions: Vec<&str> = facts
                .items
                .iter()
                .filter_map(|item| item.name)
                .map(|name| facts.text(name))
                .collect();
            assert_eq!(functions.first(), Some(&"before"));
            assert_eq!(functions.last(), Some(&"after"));
            facts.problems.iter().map(|problem| problem.code).collect()
        });
    let thread = thread.expect("a thread can be started");
    thread.join().expect("nothing panics")
}

#[track_caller]
fn refused(cases: &[(&str, &str, &str)]) {
    for (before, inner, after) in cases {
        let bomb = format!(
            "fn f() {{ {}{inner}{}; }}",
            before.repeat(MANY),
            after.repeat(MANY)
        );
        assert_eq!(problems(bomb), [ProblemCode::TooDeep], "{before} {after}");
    }
}

#[test]
fn brackets_are_refused() {
    refused(&[
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("f(", "1", ")"),
        ("m!(", "1", ")"),
        ("if a { ", "1", "}"),
        ("match a { b => ", "1", "}"),
        ("async { ", "1", "}"),
        ("fn f() { ", "1", "}"),
    ]);
}

#[test]
fn chains_of_operators_are_refused() {
    refused(&[
        ("!", "x", ""),
        ("-", "x", ""),
        ("&", "x", ""),
        ("*", "x", ""),
        ("a = ", "x", ""),
        ("1+", "x", ""),
        ("", "x", ".a()"),
        ("", "x", "?"),
        ("", "x", " as u8"),
        ("return ", "x", ""),
        ("|x, y| ", "x", ""),
        ("if ", "x", " {}"),
        ("", "if a {} ", "else if a {}"),
    ]);
}

#[test]
fn types_and_patterns_are_refused() {
    refused(&[
        ("A::<", "B", ">::c()"),
        ("let x: A<u8, ", "B", "> = 1"),
        ("let x: fn() -> ", "B", ""),
        ("let &", "x", " = 1"),
        ("let (", "x", ",) = 1"),
    ]);
}

#[test]
fn a_method_is_refused_alone() {
    let bomb = format!(
        "impl A {{ fn c() {{ d(); }} fn f() {{ {}1 }} }}",
        "!".repeat(MANY)
    );
    assert_eq!(problems(bomb), [ProblemCode::TooDeep]);
}

#[test]
fn a_macro_is_read_without_its_arguments() {
    let rules = format!("macro_rules! m {{ () => {{ {}1 }} }}", "!".repeat(MANY));
    assert_eq!(problems(rules), [ProblemCode::TooDeep]);
    let call = format!("fn f() {{ m!({}1); }}", "!".repeat(MANY));
    assert_eq!(problems(call), [ProblemCode::TooDeep]);
}

/// What a macro of the program stands for can nest deeper than what is written: it is left as it is, and nothing is wrong.
#[test]
fn an_expansion_that_is_too_deep_is_no_problem_of_the_file() {
    let names = (0..200).map(|number| format!("A{number}"));
    let code = format!(
        "macro_rules! tuples {{ ($one:ident $(, $rest:ident)*) => {{ impl Trait for ($one, $($rest,)*) {{ \
         fn all() -> bool {{ true $(&& $rest::is())* }} }} tuples!($($rest),*); }}; () => {{}}; }}\ntuples!({});",
        names.collect::<Vec<_>>().join(", ")
    );
    assert_eq!(problems(code), []);
}

#[test]
fn what_is_long_but_not_deep_is_read() {
    for text in [
        format!("fn f() {{ {} }}", "g(x, y);".repeat(MANY / 10)),
        format!("fn f() {{ let x = [{}]; }}", "1, ".repeat(MANY)),
        format!("{} fn f() {{}}", "/// Words.\n".repeat(MANY / 10)),
        format!("fn f() {{ p!(\"{}\"); }}", "{x}".repeat(MANY / 10)),
        format!(
            "fn f() {{ match x {{ {} }} }}",
            "A | B => {} ".repeat(MANY / 10)
        ),
        format!("{}{}", "/*".repeat(MANY), "*/".repeat(MANY)),
    ] {
        assert_eq!(problems(text), []);
    }
}

#[test]
fn the_deepest_that_is_read_is_read_safely() {
    for step in [1000, 3000, 5900] {
        for (before, after) in [
            ("if ", " {}"),
            ("break ", ""),
            ("(", ")"),
            ("|| ", ""),
            ("let x: A<", "> = 1"),
        ] {
            let bomb = format!(
                "fn f() {{ {}x{}; }}",
                before.repeat(step),
                after.repeat(step)
            );
            let found = problems(bomb);
            assert!(
                found
                    .iter()
                    .all(|code| matches!(code, ProblemCode::TooDeep | ProblemCode::Syntax)),
                "{found:?}"
            );
        }
    }
}
