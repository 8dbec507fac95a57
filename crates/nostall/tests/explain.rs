//! `explain` and `graph`, as they are called.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace")
        .join("fixtures/demo")
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nostall"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("nostall runs")
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// A text as if it had not been put on lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(folder, arguments)).expect("JSON")
}

/// A folder with one file.
fn folder(code: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.rs"), code).expect("written");
    folder
}

#[test]
fn a_reported_line_shows_each_hop_and_what_would_stop_it() {
    let shown = text(&demo(), &["explain", "src/main.rs:14"]);
    for part in [
        "warning[blocking-fs]",
        "1. src/main.rs:14:24 calls `demo::settings::Settings::load`",
        "found by the path `settings::Settings::load`",
        "3. src/settings.rs:21:5 calls `std::fs::read_to_string`",
        "what would stop it:",
        "tokio::task::spawn_blocking",
        "`settings::Settings::load`: reported: blocking-fs",
    ] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
}

#[test]
fn a_silent_line_says_why_of_each_call() {
    let code = "async fn offloaded() {\n    tokio::task::spawn_blocking(|| std::fs::read(\"a\")).await;\n}\n\
        async fn hidden(path: &std::path::Path) {\n    path.exists();\n}\n\
        fn helper() {\n    std::fs::read(\"a\");\n}\n\
        async fn outer() {\n    helper();\n    inner().await;\n}\n\
        async fn inner() {}\n\
        #[cfg(test)]\nasync fn tested() {\n    std::fs::read(\"a\");\n}\n";
    let folder = folder(code);
    let line = |line: &str| one_line(&text(folder.path(), &["explain", line]));
    assert!(line("a.rs:2").contains("it stands in a closure that is given to `tokio::task::spawn_blocking`, which runs it off the executor at a.rs:2:5"));
    assert!(line("a.rs:5").contains("its risk is low: `--min-risk low` shows it"));
    assert!(line("a.rs:8").contains("it is reported where async code calls it, at a.rs:11:5"));
    assert!(line("a.rs:12").contains("it makes a future"));
    assert!(line("a.rs:17").contains("it is test code: `--tests` looks at it"));
    assert!(line("a.rs:1").contains("No calls on this line."));
}

#[test]
fn a_function_is_answered_with_its_operations() {
    let answer = json(&demo(), &["explain", "Settings::load", "--format", "json"]);
    assert_eq!(answer["function"], "demo::settings::Settings::load");
    assert_eq!(answer["context"], "sync");
    assert_eq!(answer["risk"], "medium");
    assert_eq!(answer["operations"][0]["call"], "std::fs::read_to_string");
    assert_eq!(answer["operations"][0]["via"][0], "demo::settings::read");
    let answer = json(&demo(), &["explain", "serve", "--format", "json"]);
    assert_eq!(answer["context"], "async");
    assert_eq!(answer["risk"], "critical");
}

#[test]
fn a_function_of_a_library_is_answered_alike() {
    let answer = json(&demo(), &["explain", "std::fs::read", "--format", "json"]);
    assert_eq!(answer["context"], "library");
    assert_eq!(answer["operations"][0]["rule"], "blocking-fs");
    let shown = text(&demo(), &["explain", "time.sleep"]);
    assert!(shown.contains("instead: asyncio.sleep"), "{shown}");
}

#[test]
fn a_rule_is_answered_with_its_page() {
    let shown = text(&demo(), &["explain", "await-holding-lock"]);
    assert!(shown.starts_with("# await-holding-lock\n"));
    assert!(!shown.contains("<!-- rule"));
}

#[test]
fn a_graph_leads_from_entries_to_what_blocks() {
    let shown = text(&demo(), &["graph", "Settings::load"]);
    assert!(
        shown.contains("<- demo::serve (task spawned at src/main.rs:7"),
        "{shown}"
    );
    assert!(shown.contains("-> std::fs::read_to_string"), "{shown}");
    let dot = text(&demo(), &["graph", "src/settings.rs:12", "--format", "dot"]);
    assert!(dot.starts_with("digraph nostall {") && dot.contains(" -> ") && dot.ends_with("}\n"));
    let mermaid = text(&demo(), &["graph", "Settings::load", "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("-->|"));
}

#[test]
fn calls_of_one_line_are_explained_as_check_tells_them() {
    let folder = folder(
        "fn store() { std::fs::write(\"a\", \"b\"); std::thread::sleep(std::time::Duration::from_secs(1)); }\n\
        async fn handler(a: &std::path::Path) {\n    store();\n    std::fs::read(a).ok().or(std::fs::read(a).ok());\n}\n",
    );
    let shown = text(folder.path(), &["explain", "a.rs:3"]);
    assert!(
        shown.contains("`store`: reported: blocking-sleep"),
        "{shown}"
    );
    assert!(
        shown.contains("`check` tells it together with blocking-sleep, at a.rs:3:5"),
        "{shown}"
    );
    let shown = text(folder.path(), &["explain", "a.rs:4"]);
    assert!(
        shown.contains("reported: blocking-fs, together with a.rs:4:5"),
        "{shown}"
    );
}

#[test]
fn a_graph_shows_each_call_once_and_what_leaves_the_executor() {
    let folder = folder(
        "fn nap() {\n    wait();\n    wait();\n}\n\
        fn wait() { std::thread::sleep(std::time::Duration::from_secs(1)); }\n\
        async fn offloaded() { tokio::task::spawn_blocking(|| nap()).await; }\n\
        async fn held() { nap(); nap(); }\n\
        #[cfg(test)]\nasync fn tested() { nap(); }\n",
    );
    let shown = text(folder.path(), &["graph", "a.rs:2"]);
    for part in [
        "at a.rs:6:24 [off the executor]",
        "<- a::held (async fn, a.rs:7) at a.rs:7:19, a.rs:7:26",
        "-> a::wait (a.rs:5) at a.rs:2:5, a.rs:3:5",
    ] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    assert!(
        !shown.contains("tested") && !shown.contains("(again)"),
        "{shown}"
    );
    let with_tests = text(folder.path(), &["graph", "a.rs:2", "--tests"]);
    assert!(with_tests.contains("tested"), "{with_tests}");
    let dot = text(folder.path(), &["graph", "nap", "--format", "dot"]);
    assert!(dot.contains("style=dashed"), "{dot}");
}

#[test]
fn a_lock_that_raises_a_risk_is_named_with_its_place() {
    let folder = folder(
        "async fn f(lock: &std::sync::Mutex<u8>) {\n    let guard = lock.lock().unwrap();\n    std::fs::read(\"a\");\n    drop(guard);\n}\n",
    );
    let output = run(folder.path(), &["check"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.contains("= lock: `std::sync::MutexGuard`, taken at a.rs:2\n"),
        "{shown}"
    );
    let shown = text(folder.path(), &["explain", "a.rs:3"]);
    assert!(
        shown.contains("lock: `std::sync::MutexGuard`, taken at a.rs:2:9"),
        "{shown}"
    );
}

#[test]
fn a_recursive_way_ends() {
    let folder = folder(
        "async fn handler() { first(3); }\nfn first(n: u32) { if n > 0 { second(n) } }\n\
        fn second(n: u32) { std::fs::read(\"a\"); first(n - 1) }\n",
    );
    let shown = text(folder.path(), &["graph", "first"]);
    assert!(shown.contains("(again)"), "{shown}");
}

#[test]
fn several_functions_of_a_name_are_listed() {
    let folder = folder("mod a { pub fn load() {} }\nmod b { pub fn load() {} }\n");
    let output = run(folder.path(), &["graph", "load"]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        shown.contains("a::a::load (a.rs:1)") && shown.contains("a::b::load (a.rs:2)"),
        "{shown}"
    );
}

#[test]
fn what_nobody_knows_is_an_error() {
    for arguments in [["explain", "no_such_thing"], ["graph", "no_such_thing"]] {
        let output = run(&demo(), &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("no_such_thing"));
    }
}

#[test]
fn a_file_may_be_named_from_anywhere() {
    let whole = format!("{}:14", demo().join("src/main.rs").display());
    for (folder, named) in [
        (demo().join("src"), "main.rs:14"),
        (demo().join("src"), "./main.rs:14"),
        (demo().join("src"), "../src/main.rs:14:24"),
        (demo(), whole.as_str()),
    ] {
        assert!(
            text(&folder, &["explain", named]).contains("blocking-fs"),
            "{named}"
        );
    }
    assert!(text(&demo().join("src"), &["explain", "../report.py:7"]).contains("blocking-http"));
    assert!(text(&demo(), &["graph", "serve"]).contains("it is async code itself"));
}
