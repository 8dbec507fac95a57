//! Which files are one program, which config holds where, and what a path filters.

use std::path::Path;

use super::{BLOCKING, code, err, folder, out, run};

const HELPER: &str = "import requests\ndef fetch():\n    return requests.get(\"http://x\")\n";
const CALLER: &str = "from lib.helpers import fetch\nasync def h():\n    return fetch()\n";

/// The places of findings as `path:line`.
fn places(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let whole = [&["check", "--format", "jsonl"], arguments].concat();
    let output = run(folder, &whole);
    let found = out(&output);
    let place = |line: &str| {
        let finding: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let path = finding["path"].as_str().expect("a path");
        format!("{path}:{}", finding["line"])
    };
    found.lines().map(place).collect()
}

#[test]
fn a_repository_without_a_manifest_is_one_program() {
    let project = folder(&[
        (".git/HEAD", ""),
        ("lib/helpers.py", HELPER),
        ("app/main.py", CALLER),
    ]);
    assert_eq!(places(project.path(), &[]), ["app/main.py:3"]);
    assert_eq!(places(project.path(), &["app/main.py"]), ["app/main.py:3"]);
    assert_eq!(places(project.path(), &["app"]), ["app/main.py:3"]);
    let inner = project.path().join("app");
    assert_eq!(places(&inner, &["main.py"]), ["main.py:3"]);
    assert_eq!(places(&inner, &[]), ["main.py:3"]);
    let explained = run(&inner, &["explain", "main.py:3"]);
    let shown = out(&explained);
    assert!(
        shown.contains("error[blocking-http]") && shown.contains("../lib/helpers.py:3"),
        "{shown}"
    );
    let graph = run(&inner, &["graph", "../lib/helpers.py:3"]);
    assert!(out(&graph).contains("app.main.h"), "{}", out(&graph));
}

#[test]
fn other_marks_do_as_well_and_so_does_the_current_folder() {
    for mark in [
        "requirements.txt",
        "Pipfile",
        "manage.py",
        "uv.lock",
        "nostall.toml",
        "tox.ini",
    ] {
        let project = folder(&[
            (mark, ""),
            ("lib/helpers.py", HELPER),
            ("app/main.py", CALLER),
        ]);
        let inner = project.path().join("app");
        assert_eq!(places(&inner, &["main.py"]), ["main.py:3"], "{mark}");
    }
    let project = folder(&[("lib/helpers.py", HELPER), ("app/main.py", CALLER)]);
    assert_eq!(places(project.path(), &["app/main.py"]), ["app/main.py:3"]);
}

#[test]
fn members_of_a_monorepo_see_one_another() {
    let project = folder(&[
        (".git/HEAD", ""),
        ("common/pyproject.toml", "[project]\nname = \"common\"\n"),
        ("common/lib/__init__.py", ""),
        ("common/lib/helpers.py", HELPER),
        ("svc/pyproject.toml", "[project]\nname = \"svc\"\n"),
        ("svc/main.py", CALLER),
    ]);
    assert_eq!(places(project.path(), &[]), ["svc/main.py:3"]);
    assert_eq!(places(&project.path().join("svc"), &[]), ["main.py:3"]);
}

#[test]
fn the_roots_config_holds_in_members_whose_own_keys_win() {
    let project = folder(&[
        (".git/HEAD", ""),
        (
            "nostall.toml",
            "ignore = [\"blocking-sleep\"]\nmin-risk = \"critical\"\nexclude = [\"svc/gen\"]\n",
        ),
        ("svc/pyproject.toml", "[project]\nname = \"svc\"\n"),
        ("svc/a.py", BLOCKING),
        ("svc/gen/a.py", BLOCKING),
        (
            "own/pyproject.toml",
            "[project]\nname = \"own\"\n[tool.nostall]\nignore = []\n",
        ),
        ("own/a.py", BLOCKING),
        ("own/b.py", "async def f():\n    open(\"x\").read()\n"),
        ("alone/nostall.toml", "root = true\n"),
        ("alone/a.py", BLOCKING),
    ]);
    let all = ["alone/a.py:3", "own/a.py:3"];
    assert_eq!(places(project.path(), &[]), all);
    for (member, expected) in [
        ("svc", vec![]),
        ("own", vec!["a.py:3"]),
        ("alone", vec!["a.py:3"]),
    ] {
        assert_eq!(
            places(&project.path().join(member), &[]),
            expected,
            "{member}"
        );
        assert_eq!(
            places(&project.path().join(member), &["a.py"]),
            expected,
            "{member}"
        );
    }
    let named = places(project.path(), &["svc/a.py", "own/a.py"]);
    assert_eq!(named, ["own/a.py:3"]);
    let lowered = places(project.path(), &["own", "--min-risk", "low"]);
    assert!(lowered.contains(&"own/b.py:2".to_owned()), "{lowered:?}");
}

#[test]
fn overrides_hold_for_their_paths() {
    let config = "[[overrides]]\npaths = [\"./scripts/**\"]\nignore = [\"blocking-sleep\"]\n\n\
                  [[overrides]]\npaths = [\"tools\"]\nfail-on = \"never\"\n\n\
                  [[overrides]]\npaths = [\"strict\"]\nmin-risk = \"low\"\n";
    let low = "import os\nasync def f():\n    os.stat(\"x\")\n";
    let project = folder(&[
        ("nostall.toml", config),
        ("scripts/deep/a.py", BLOCKING),
        ("tools/a.py", BLOCKING),
        ("strict/a.py", low),
        ("lax/a.py", low),
    ]);
    let expected = ["strict/a.py:3", "tools/a.py:3"];
    assert_eq!(places(project.path(), &[]), expected);
    assert_eq!(places(&project.path().join("tools"), &["."]), ["a.py:3"]);
    let code_of = |arguments: &[&str]| code(&run(project.path(), arguments));
    assert_eq!(code_of(&["check", "tools"]), 0);
    assert_eq!(code_of(&["check", "tools", "--fail-on", "any"]), 1);
    assert_eq!(code_of(&["check", "scripts"]), 0);
    assert_eq!(code_of(&["check"]), 1);
}

#[test]
fn globs_start_from_the_folder_of_their_file() {
    let project = folder(&[
        ("nostall.toml", "exclude = [\"./backend\", \"nowhere\"]\n"),
        ("backend/a.py", BLOCKING),
        ("a.py", BLOCKING),
    ]);
    assert_eq!(places(project.path(), &[]), ["a.py:3"]);
    let told = run(project.path(), &["check", "-v"]);
    assert!(
        err(&told).contains("`nowhere` of `exclude` fits no file")
            && !err(&told).contains("`./backend` of"),
        "{}",
        err(&told)
    );
    std::fs::write(
        project.path().join("nostall.toml"),
        "exclude = [\"../backend\"]\n",
    )
    .expect("written");
    let refused = run(project.path(), &["check"]);
    assert_eq!(code(&refused), 2);
    assert!(
        err(&refused).contains("exclude: `../backend` fits nothing"),
        "{}",
        err(&refused)
    );
}

#[test]
fn entries_that_no_call_reaches_are_told_where_it_is_asked_for() {
    let entry = |path: &str| {
        format!(
            "[[api]]\npath = \"{path}\"\ncategory = \"cpu\"\nwaits = \"cpu\"\nwhy = \"Slow.\"\n"
        )
    };
    let project = folder(&[
        (".git/HEAD", ""),
        ("nostall.toml", &entry("lib.slow")),
        ("sub/nostall.toml", &entry("lib.missing")),
        ("lib.py", "def slow(): pass\n"),
        ("sub/a.py", "import lib\nasync def f():\n    lib.slow()\n"),
    ]);
    let output = run(&project.path().join("sub"), &["check", "-v"]);
    assert!(out(&output).contains("blocking-cpu"), "{}", out(&output));
    let told = err(&output);
    assert!(
        told.contains("no call reaches the config's entry `lib.missing`")
            && !told.contains("`lib.slow`"),
        "{told}"
    );
}

#[test]
fn what_is_excluded_is_checked_where_it_is_named_unless_a_hook_names_it() {
    let project = folder(&[
        ("nostall.toml", "exclude = [\"vendor\"]\n"),
        ("vendor/a.py", BLOCKING),
        ("tests/test_a.py", BLOCKING),
    ]);
    for path in ["vendor/a.py", "vendor", "tests/test_a.py"] {
        assert_eq!(code(&run(project.path(), &["check", path])), 1, "{path}");
    }
    for path in ["vendor/a.py", "tests/test_a.py"] {
        let output = run(project.path(), &["check", "--force-exclude", path]);
        assert_eq!(code(&output), 0, "{path}: {}", err(&output));
    }
    assert_eq!(places(project.path(), &["tests"]), Vec::<String>::new());
    assert_eq!(
        places(project.path(), &["tests", "--tests"]),
        ["tests/test_a.py:3"]
    );
}

#[test]
fn a_path_filters_by_call_entry_and_chain() {
    let project = folder(&[
        (".git/HEAD", ""),
        ("lib/__init__.py", ""),
        ("lib/helpers.py", HELPER),
        (
            "lib/middle.py",
            "from lib.helpers import fetch\ndef get():\n    return fetch()\n",
        ),
        (
            "app.py",
            "from lib.middle import get\nasync def h():\n    return get()\n",
        ),
        ("other.py", BLOCKING),
    ]);
    for path in ["lib/helpers.py", "lib/middle.py", "app.py", "lib"] {
        assert_eq!(places(project.path(), &[path]), ["app.py:3"], "{path}");
    }
    assert_eq!(places(project.path(), &["other.py"]), ["other.py:3"]);
    let excluded = places(project.path(), &["lib", "--exclude", "app.py"]);
    assert_eq!(excluded, Vec::<String>::new());
}

#[test]
fn tests_within_a_named_file_stay_left_out() {
    let text = "pub async fn f() {}\n#[cfg(test)]\nmod tests {\n    async fn t() { std::fs::read(\"a\"); }\n}\n";
    let manifest = "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let project = folder(&[
        ("Cargo.toml", manifest),
        ("src/lib.rs", text),
        ("tests/it.rs", "async fn t() { std::fs::read(\"a\"); }\n"),
    ]);
    assert_eq!(
        places(project.path(), &["src/lib.rs"]),
        Vec::<String>::new()
    );
    assert_eq!(places(project.path(), &["tests/it.rs"]), ["tests/it.rs:1"]);
    assert_eq!(places(project.path(), &[]), Vec::<String>::new());
}

#[test]
fn paths_outside_the_current_folder_are_told_from_it() {
    let manifest = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    };
    let text = "async fn f() { std::fs::read(\"a\"); }\n";
    let project = folder(&[
        (".git/HEAD", ""),
        (
            "svc/Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"two\"]\n",
        ),
        ("svc/one/Cargo.toml", &manifest("one")),
        ("svc/one/src/lib.rs", text),
        ("svc/two/Cargo.toml", &manifest("two")),
        ("svc/two/src/lib.rs", text),
    ]);
    let inner = project.path().join("svc/one");
    assert_eq!(places(&inner, &[]), ["../two/src/lib.rs:1", "src/lib.rs:1"]);
    let explained = run(&inner, &["explain", "../two/src/lib.rs:1"]);
    assert!(
        out(&explained).contains("[blocking-fs]"),
        "{}",
        err(&explained)
    );
    let github = run(&inner, &["check", "--format", "github", "-q"]);
    let found = out(&github);
    assert!(
        found.contains("file=svc/one/src/lib.rs,") && found.contains("file=svc/two/src/lib.rs,"),
        "{found}"
    );
}

#[test]
fn hidden_folders_stay_left_out() {
    let project = folder(&[
        (".gitignore", "built\n"),
        ("built/a.py", BLOCKING),
        (".hidden/a.py", BLOCKING),
        ("a.py", BLOCKING),
    ]);
    assert_eq!(places(project.path(), &[]), ["a.py:3"]);
    assert_eq!(
        places(project.path(), &["--no-ignore"]),
        ["a.py:3", "built/a.py:3"]
    );
}

#[test]
fn folders_without_a_file_of_their_own_within_a_package_belong_to_it() {
    let project = folder(&[
        (".git/HEAD", ""),
        ("big/__init__.py", ""),
        ("big/core/logic.py", BLOCKING),
        ("big/core/tokens/__init__.py", ""),
    ]);
    let output = run(project.path(), &["check", "--format", "jsonl"]);
    assert!(
        out(&output).contains("\"function\":\"big.core.logic.f\""),
        "{}",
        out(&output)
    );
}
