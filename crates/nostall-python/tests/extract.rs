//! What facts say of places, comments and broken code.

use std::sync::Arc;

use nostall_model::facts::{Callee, FileFacts, Flavour};
use nostall_model::{Language, Role, Source, Span};
use nostall_python::extract;

fn facts(text: &str) -> FileFacts {
    extract(&Source {
        path: "case.py".to_owned(),
        language: Language::Python,
        role: Role::Report,
        text: Arc::from(text),
        decoded: false,
    })
}

/// The callee's name, the whole call and the statement of each written call.
fn calls(text: &str) -> Vec<(&str, &str, &str)> {
    let facts = facts(text);
    let slice = |span: Span| &text[span.range()];
    facts
        .calls
        .iter()
        .map(|call| {
            (
                slice(call.name_span),
                slice(call.span),
                slice(call.statement),
            )
        })
        .collect()
}

#[test]
fn spans_are_bytes_of_the_text() {
    let expected = [("os.read", "os.read(\"é\")", "x = os.read(\"é\")")];
    for text in [
        "# é\nx = os.read(\"é\")\n",
        "\u{feff}x = os.read(\"é\")\n",
        "y = \"日本\"\r\nx = os.read(\"é\")\r\n",
        "\x0cif y:\r\n\tx = os.read(\"é\")\r\n",
        "\u{feff}\r\n\x0c\r\nx = os.read(\"é\")",
    ] {
        let written: Vec<_> = calls(text)
            .into_iter()
            .filter(|(name, ..)| *name == "os.read")
            .collect();
        assert_eq!(written, expected, "{text:?}");
        assert!(facts(text).problems.is_empty(), "{text:?}");
    }
}

#[test]
fn names_are_as_written() {
    let names = |text| {
        calls(text)
            .into_iter()
            .map(|(name, ..)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("a.b(c)"), ["a.b"]);
    assert_eq!(names("a.b.c(d)"), ["b", "a.b.c"]);
    assert_eq!(names("a().b()"), ["a", "b"]);
    assert_eq!(names("a[0].b"), ["[0]", "b"]);
    assert_eq!(names("a + b"), ["+"]);
    assert_eq!(names("with a.b as c: pass"), ["b", "a.b", "a.b"]);
    assert_eq!(names("for x in a: pass"), ["a"]);
    assert_eq!(names("f'{a}'"), ["a"]);
    assert_eq!(names("a not in b"), ["not in"]);
    assert_eq!(names("if a and not b: pass"), ["a", "b"]);
    assert_eq!(names("if a is b: pass"), [""; 0]);
    assert_eq!(names("@a.b(c)\ndef d(): pass"), ["a.b", "a.b"]);
}

#[test]
fn a_statement_is_the_head_of_its_block() {
    let statements = |text| {
        calls(text)
            .into_iter()
            .map(|(.., statement)| statement)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        statements("if a():\n  b()\nelif c(): # d\n  pass"),
        ["if a():", "if a():", "b()", "elif c():", "elif c():"]
    );
    assert_eq!(statements("with a(): pass"), ["with a():"; 3]);
    assert_eq!(
        statements("@a()\ndef f(x=b()):\n  c()"),
        ["@a()", "def f(x=b()):", "c()", "@a()"]
    );
}

#[test]
fn marks_are_kept() {
    let text = "a()  # noqa\n# nostall: ignore\n# NoQA: E501\nb = '# noqa'\n# other\n@d\n@e\ndef f(): pass\n";
    let facts = facts(text);
    let marks: Vec<&str> = facts
        .comments
        .iter()
        .map(|comment| &text[comment.span.range()])
        .collect();
    assert_eq!(marks, ["# noqa", "# nostall: ignore", "# NoQA: E501"]);
    let attributes: Vec<(&str, &str)> = facts
        .attribute_spans
        .iter()
        .map(|(attributes, item)| (&text[attributes.range()], &text[item.range()]))
        .collect();
    assert_eq!(attributes, [("@d\n@e\ndef f(): pass", "def f(): pass")]);
}

#[test]
fn one_broken_statement_costs_only_itself() {
    let broken = [
        "x = (1",
        "x = 'abc",
        "x = = 1",
        "class:",
        ")",
        "import",
        "x = [1, 2",
    ];
    for statement in broken {
        let text =
            format!("def f():\n    before()\n\n{statement}\n\nasync def last():\n    after()\n");
        let facts = facts(&text);
        let names: Vec<&str> = facts
            .items
            .iter()
            .filter_map(|item| Some(facts.text(item.name?)))
            .collect();
        assert!(
            names.contains(&"f") && names.contains(&"last"),
            "{statement}: {names:?}"
        );
        assert_eq!(facts.problems.len(), 1, "{statement}: {:?}", facts.problems);
        assert_eq!(&text[facts.problems[0].span.range()], statement);
    }
}

/// The names of the functions and classes, the async ones marked, and what the problems point at.
fn defined(text: &str) -> (Vec<String>, Vec<&str>) {
    let facts = facts(text);
    let names = facts.items.iter().filter_map(|item| {
        let body = facts.body(item.body?);
        let mark = match body.flavour {
            Flavour::Async | Flavour::AsyncGenerator => "async ",
            _ => "",
        };
        Some(format!("{mark}{}", facts.text(item.name?)))
    });
    let problems = facts.problems.iter();
    let problems = problems.map(|problem| &text[problem.span.range()]);
    (names.collect(), problems.collect())
}

#[test]
fn a_broken_header_costs_only_itself() {
    for (header, name) in [
        ("class Broken(metaclass=)):", "Broken"),
        ("class Broken(", "Broken"),
        ("class Broken", "Broken"),
        ("class:", "_"),
        ("def broken(:", "broken"),
        ("def broken(a, b=):", "broken"),
        ("def broken(a) -> :", "broken"),
        ("def broken[T: ](a):", "broken"),
        ("def broken", "broken"),
        ("async def broken(a, b: int:", "async broken"),
        ("async def broken(a, b):)", "async broken"),
        ("async def (self):", "async _"),
    ] {
        let text = format!(
            "{header}\n    async def inner(self):\n        after()\n\nasync def last(): pass\n"
        );
        let (names, problems) = defined(&text);
        assert_eq!(names, [name, "async inner", "async last"], "{header}");
        assert_eq!(problems, [header]);
    }
    for header in [
        "for in y:",
        "while (x:",
        "if x y:",
        "with a as:",
        "async with a b:",
        "match a b:",
        "try",
        "if",
        "x = = 1:",
    ] {
        let text = format!(
            "async def f():\n    {header}\n        def inner(): pass\n\ndef last(): pass\n"
        );
        let (names, problems) = defined(&text);
        assert_eq!(names, ["async f", "inner", "last"], "{header}");
        assert_eq!(problems, [header]);
    }
}

#[test]
fn a_sound_part_of_a_header_is_kept() {
    let text = "@a\n@b(\n@c\nclass A[T](B, c=, D):\n    def f(self, x=, *, y: int=1) -> int:\n        pass\n";
    let facts = facts(text);
    let parameters: Vec<&str> = facts
        .bodies
        .iter()
        .flat_map(|body| &facts.parameters[body.parameters.range()])
        .map(|parameter| facts.text(facts.bindings[parameter.binding.index()].name))
        .collect();
    assert_eq!(parameters, ["self", "y"]);
    let called: Vec<&str> = facts
        .calls
        .iter()
        .map(|call| &text[call.name_span.range()])
        .collect();
    assert_eq!(called, ["A", "c", "a"]);
}

#[test]
fn syntax_that_is_newer_than_the_grammar_is_read() {
    for text in [
        "class A[T = int, *Ts = *tuple[int, ...], **P = [int, str]](B[T]): x = T = 1",
        "def f[T: (int, str) = int, U = dict[str, int]](a: T = 1) -> U: pass",
        "type A[T = int] = list[T]",
        "if a:\n    class A[T = lambda b: (b := 1),]: pass",
        "lazy import os; lazy = 1",
        "lazy from . import a, b",
        "x = *[1], *(a or b), c",
        "def f(*args: *(int or str)): return *g(), *[1]",
        "a[*(b := c), *()]",
        "a = {**b for b in c}, [*(b) for b in c], f(*(b) for b in c)",
        "for a in *(), *[]: pass",
        "x = f'{a['b']:{c[\"d\"]}}' t'{a!r}'\nlazy import os",
    ] {
        let facts = facts(text);
        assert!(facts.problems.is_empty(), "{text}: {:?}", facts.problems);
    }
}

#[test]
fn broken_code_in_a_method_leaves_the_others() {
    let text = "class A:\n    def a(self):\n        x = (1\n        open()\n\n    def b(self):\n        read()\n";
    let facts = facts(text);
    let called: Vec<&str> = facts
        .calls
        .iter()
        .filter(|call| matches!(call.callee, Callee::Value(_)))
        .map(|call| &text[call.name_span.range()])
        .collect();
    assert_eq!(called, ["open", "read", "A"]);
}

#[test]
fn problems_are_at_most_a_handful() {
    let facts = facts(&"x = = 1\n".repeat(100));
    assert_eq!(facts.problems.len(), 5);
}
