//! Sources made to overflow a stack or to take forever: only the statement itself is lost, and the rest is read.

use std::sync::Arc;

use nostall_model::facts::{CallKind, FileFacts};
use nostall_model::finding::ProblemCode;
use nostall_model::{Language, Role, Source};
use nostall_python::extract;

const MANY: usize = 100_000;

/// Extracts on a thread with half of the stack that the depth limit was chosen for.
fn facts(text: String) -> FileFacts {
    let run = move || {
        extract(&Source {
            path: "bomb.py".to_owned(),
            language: Language::Python,
            role: Role::Report,
            text: Arc::from(text),
            decoded: false,
        })
    };
    let thread = std::thread::Builder::new()
        .stack_size(24 << 20)
        .spawn(run)
        .expect("a thread starts");
    thread.join().expect("extract does not panic")
}

fn nested(open: &str, middle: &str, close: &str, count: usize) -> String {
    format!(
        "x = {}{middle}{}\nafter()\n",
        open.repeat(count),
        close.repeat(count)
    )
}

const SHAPES: [(&str, &str, &str); 21] = [
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("not ", "1", ""),
    ("a = ", "1", ""),
    ("", "x", ".a()"),
    ("", "1", "+1"),
    ("", "y", "+y"),
    ("- ", "1", ""),
    ("lambda: ", "1", ""),
    ("f(", "1", ")"),
    ("", "a", " and a"),
    ("", "a", " if b else c"),
    ("", "a", "[0]"),
    ("await ", "a", ""),
    ("{1: ", "1", "}"),
    ("[", "1", " for a in b]"),
    ("(yield ", "1", ")"),
    ("(a := ", "1", ")"),
    ("f'{", "1", "}'"),
    ("", "a", " < b"),
    ("", "a", " | b"),
];

#[test]
fn deep_statements_cost_only_themselves() {
    for (open, middle, close) in SHAPES {
        let facts = facts(nested(open, middle, close, MANY));
        assert!(facts.names.find("after").is_some(), "{open}{middle}{close}");
        let codes = [ProblemCode::TooDeep, ProblemCode::Syntax];
        // A chain of comparisons is flat in the tree, and is read.
        let flat = close == " < b";
        assert!(
            flat || facts
                .problems
                .iter()
                .any(|problem| codes.contains(&problem.code)),
            "{open}{middle}{close}"
        );
    }
}

#[test]
fn depth_up_to_the_limit_is_read() {
    for (open, middle, close) in SHAPES {
        for levels in [1, 2, 4] {
            let facts = facts(nested(open, middle, close, 3_900 / levels));
            assert!(facts.names.find("after").is_some(), "{open}{middle}{close}");
        }
    }
    assert!(facts(nested("", "x", ".a()", 1_000)).problems.is_empty());
}

#[test]
fn types_patterns_and_targets_nest_too() {
    for text in [
        format!(
            "x: {}int{} = 1\nafter()\n",
            "A[".repeat(MANY),
            "]".repeat(MANY)
        ),
        format!(
            "match x:\n  case {}1{}: pass\nafter()\n",
            "[".repeat(MANY),
            "]".repeat(MANY)
        ),
        format!("{}a{} = 1\nafter()\n", "[".repeat(MANY), "]".repeat(MANY)),
    ] {
        assert!(facts(text).names.find("after").is_some());
    }
}

#[test]
fn long_files_are_read_in_time() {
    let lines: String = (0..MANY)
        .map(|line| format!("x{line} = f(x{}, y)\n", line / 2))
        .collect();
    assert_eq!(facts(lines).calls.len(), MANY);
    let arms: String = (0..MANY / 4)
        .map(|arm| format!("elif a{arm}:\n  b{arm} = 1\n  b = {arm}\n"))
        .collect();
    let facts = facts(format!("if a:\n  b = 0\n{arms}f(b)\n"));
    assert!(facts.problems.is_empty());
    let plain = facts
        .calls
        .iter()
        .filter(|call| call.kind == CallKind::Plain);
    assert_eq!(plain.count(), 1);
}

#[test]
fn junk_ends_in_bounded_time() {
    for junk in [
        "(",
        "def f(",
        "if a: ",
        "match a b ( [ lambda * = async for",
        ":",
        "'''",
        "print a ",
    ] {
        let facts = facts(format!("{}\nafter()\n", junk.repeat(MANY / 20)));
        assert!(facts.problems.len() <= 5, "{junk}");
    }
}

#[test]
fn blocks_nest_as_deep_as_the_parser_goes() {
    let mut text = String::new();
    for depth in 0..600 {
        text += &format!("{}if a:\n", " ".repeat(depth));
    }
    text += &format!("{}inner()\nafter()\n", " ".repeat(600));
    assert!(facts(text).names.find("after").is_some());
}
