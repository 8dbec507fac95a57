//! The binary: flags, exit codes, streams.

#[path = "cli/hook.rs"]
mod hook;
#[path = "cli/known.rs"]
mod known;
#[cfg(unix)]
#[path = "cli/output.rs"]
mod output;
#[path = "cli/projects.rs"]
mod projects;
#[path = "cli/words.rs"]
mod words;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BLOCKING: &str = "import time\nasync def f():\n    time.sleep(1)\n";
const CLEAN: &str = "import asyncio\nasync def f():\n    await asyncio.sleep(1)\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    run_with(folder, arguments, &[])
}

/// Runs with these variables, and without those of the shell that speak of the terminal.
fn run_with(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nostall"));
    for name in [
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(folder)
        .envs(variables.iter().copied())
        .output()
        .expect("nostall runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn exit_codes_say_what_was_found() {
    let project = folder(&[("a.py", BLOCKING), ("b.py", CLEAN)]);
    assert_eq!(code(&run(project.path(), &["check", "a.py"])), 1);
    assert_eq!(code(&run(project.path(), &["check", "b.py"])), 0);
    assert_eq!(code(&run(project.path(), &[])), 1);
    assert_eq!(
        code(&run(project.path(), &["check", "--fail-on", "never"])),
        0
    );
    assert_eq!(
        code(&run(
            project.path(),
            &["check", "--ignore", "blocking-sleep"]
        )),
        0
    );
    assert_eq!(
        code(&run(
            project.path(),
            &["check", "--select", "blocking-fs,blocking-net"]
        )),
        0
    );
}

#[test]
fn what_cannot_be_done_is_code_2_with_a_reason() {
    let project = folder(&[("a.py", BLOCKING), ("notes.txt", "x")]);
    for (arguments, reason) in [
        (vec!["check", "nowhere"], "`nowhere` does not exist"),
        (vec!["check", "notes.txt"], "neither Rust"),
        (
            vec!["check", "--select", "blocking-ffs"],
            "did you mean `blocking-fs`?",
        ),
        (
            vec!["check", "--baseline", "nowhere.json"],
            "baseline `nowhere.json` does not exist",
        ),
        (vec!["check", "-"], "--stdin-filename"),
        (
            vec!["check", "--min-risk", "huge"],
            "low, medium, high, critical",
        ),
        (vec!["a.py"], "did you mean `nostall check a.py`?"),
    ] {
        let output = run(project.path(), &arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(
            err(&output).contains(reason),
            "{arguments:?}: {}",
            err(&output)
        );
        assert!(out(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_empty_folder_is_an_error_unless_allowed() {
    let project = folder(&[("empty/notes.txt", "x")]);
    assert_eq!(code(&run(project.path(), &["check", "empty"])), 2);
    assert_eq!(
        code(&run(project.path(), &["check", "empty", "--allow-empty"])),
        0
    );
}

#[test]
fn a_path_filters_what_is_reported_not_what_is_analysed() {
    let helper =
        "import time\ndef wait():\n    time.sleep(1)\nasync def own():\n    time.sleep(1)\n";
    let project = folder(&[
        ("pyproject.toml", "[project]\nname = \"x\"\n"),
        (
            "app.py",
            "import helper\nasync def f():\n    helper.wait()\n",
        ),
        ("helper.py", helper),
    ]);
    let output = run(project.path(), &["check", "app.py", "--format", "jsonl"]);
    assert_eq!(out(&output).lines().count(), 1, "{}", out(&output));
    assert!(
        out(&output).contains("\"reach\":\"chain\""),
        "{}",
        out(&output)
    );
}

#[test]
fn jsonl_has_the_fields_of_the_contract_in_order() {
    let project = folder(&[("a.py", BLOCKING)]);
    let output = run(project.path(), &["check", "--format", "jsonl"]);
    let line = out(&output);
    let fields = [
        "rule",
        "risk",
        "risk_reasons",
        "confidence",
        "language",
        "category",
        "path",
        "line",
        "column",
        "end_line",
        "end_column",
        "function",
        "entry",
        "call",
        "reach",
        "chain",
        "sink",
        "also",
        "also_at",
        "held",
        "message",
        "replacement",
        "fix",
        "fingerprint",
    ];
    let mut at = 0;
    for field in fields {
        let place = line[at..].find(&format!("\"{field}\":"));
        at += place.unwrap_or_else(|| panic!("`{field}` is missing or out of order in {line}"));
    }
    let value: serde_json::Value = serde_json::from_str(&line).expect("one JSON value");
    assert_eq!(
        (&value["line"], &value["column"], &value["end_column"]),
        (&3.into(), &5.into(), &15.into())
    );
    assert!(err(&output).contains("1 finding"));
}

#[test]
fn json_holds_findings_problems_and_stats() {
    let project = folder(&[
        ("a.py", BLOCKING),
        ("broken.py", "def broken(:\n    pass\n"),
    ]);
    let output = run(project.path(), &["check", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(value["schema_version"], 1);
    assert_eq!(value["findings"].as_array().map(Vec::len), Some(1));
    assert_eq!(value["problems"][0]["code"], "syntax");
    assert_eq!(value["stats"]["files"], 2);
    assert_eq!(code(&output), 1);
}

#[test]
fn a_problem_is_code_2_when_strict_or_when_the_file_was_named() {
    let project = folder(&[
        ("a.py", BLOCKING),
        ("broken.py", "def broken(:\n    pass\n"),
    ]);
    assert_eq!(code(&run(project.path(), &["check"])), 1);
    assert_eq!(code(&run(project.path(), &["check", "--strict"])), 2);
    assert_eq!(code(&run(project.path(), &["check", "broken.py"])), 2);
    assert!(err(&run(project.path(), &["check"])).contains("broken.py:1:1"));
}

#[test]
fn standard_input_stands_for_a_file() {
    let project = folder(&[("a.py", CLEAN)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_nostall"))
        .args([
            "check",
            "-",
            "--stdin-filename",
            "a.py",
            "--format",
            "jsonl",
        ])
        .current_dir(project.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nostall runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(BLOCKING.as_bytes())
        .expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("\"path\":\"a.py\""));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let project = folder(&[("a.py", BLOCKING)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_nostall"))
        .args(["check"])
        .current_dir(project.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nostall runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(code(&output), 1);
    assert!(!err(&output).contains("error"), "{}", err(&output));
}

#[test]
fn the_baseline_hides_what_is_known() {
    let project = folder(&[("a.py", BLOCKING)]);
    assert_eq!(code(&run(project.path(), &["baseline"])), 0);
    let known = ["check", "--baseline", "nostall-baseline.json"];
    assert_eq!(code(&run(project.path(), &known)), 0);
    let moved = format!("\n\n{BLOCKING}    time.sleep(2)\n");
    std::fs::write(project.path().join("a.py"), moved).expect("written");
    let output = run(project.path(), &known);
    assert_eq!(code(&output), 1);
    assert!(
        out(&output).contains("1 in the baseline"),
        "{}",
        out(&output)
    );
    std::fs::write(project.path().join("a.py"), CLEAN).expect("written");
    assert!(out(&run(project.path(), &known)).contains("no longer found"));
}

#[test]
fn config_is_read_and_checked() {
    let project = folder(&[
        ("a.py", BLOCKING),
        ("nostall.toml", "ignore = [\"blocking-sleep\"]\n"),
    ]);
    assert_eq!(code(&run(project.path(), &["check"])), 0);
    std::fs::write(
        project.path().join("nostall.toml"),
        "select = [\"all\"]\n\nignor = []\n",
    )
    .expect("written");
    let output = run(project.path(), &["check"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("nostall.toml:3: unknown key `ignor`, did you mean `ignore`?"),
        "{}",
        err(&output)
    );
    std::fs::write(
        project.path().join("nostall.toml"),
        "exclude = [\"a.py\"]\n",
    )
    .expect("written");
    assert_eq!(code(&run(project.path(), &["check", "--allow-empty"])), 0);
}

#[test]
fn config_may_stand_in_manifests() {
    let python = folder(&[
        ("a.py", BLOCKING),
        (
            "pyproject.toml",
            "[tool.nostall]\nignore = [\"blocking\"]\n",
        ),
    ]);
    assert_eq!(code(&run(python.path(), &["check"])), 0);
    let manifest = "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[package.metadata.nostall]\nmin-risk = \"critical\"\n";
    let rust = folder(&[
        ("src/lib.rs", "async fn f() { std::fs::read(\"a\"); }\n"),
        ("Cargo.toml", manifest),
    ]);
    assert_eq!(code(&run(rust.path(), &["check"])), 0);
    assert_eq!(code(&run(rust.path(), &["check", "--min-risk", "low"])), 1);
}

#[test]
fn bad_files_are_told_and_the_others_checked() {
    let big = format!("# {}\n", "x".repeat(5 << 20));
    let project = folder(&[("a.py", BLOCKING), ("big.py", &big)]);
    std::fs::write(
        project.path().join("latin.py"),
        b"# coding: latin-1\nimport time\nname = '\xe9'\nasync def g():\n    time.sleep(1)\n",
    )
    .expect("written");
    std::fs::write(project.path().join("utf16.py"), b"\xff\xfea\0").expect("written");
    std::fs::write(project.path().join("nul.py"), b"x = '\0'\n").expect("written");
    let output = run(project.path(), &["check"]);
    assert_eq!(code(&output), 1);
    for word in [
        "big.py: not read: 5.1 MiB",
        "utf16.py: not read: the file is UTF-16",
        "nul.py: not read: the file has NUL bytes",
    ] {
        assert!(err(&output).contains(word), "{word}: {}", err(&output));
    }
    assert!(
        out(&output).contains("2 findings: 2 critical") && out(&output).contains("3 files skipped"),
        "{}",
        out(&output)
    );
}

#[test]
fn a_broken_manifest_is_told_and_its_files_checked() {
    let project = folder(&[
        ("src/lib.rs", "async fn f() { std::fs::read(\"a\"); }\n"),
        ("Cargo.toml", "[package\nname = \"x\"\n"),
    ]);
    let output = run(project.path(), &["check"]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(
        err(&output).contains("Cargo.toml: not read"),
        "{}",
        err(&output)
    );
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_pipes_do_not_hang() {
    let project = folder(&[("src/a.py", BLOCKING)]);
    std::os::unix::fs::symlink("..", project.path().join("src/up")).expect("a link");
    std::os::unix::fs::symlink("self", project.path().join("src/self")).expect("a link");
    let made = Command::new("mkfifo")
        .arg(project.path().join("src/x.rs"))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    assert_eq!(code(&run(project.path(), &["check"])), 1);
    let named = run(project.path(), &["check", "src/x.rs"]);
    assert_eq!(code(&named), 2);
    assert!(
        err(&named).contains("not a regular file"),
        "{}",
        err(&named)
    );
}

#[test]
fn output_goes_to_a_file_whole() {
    let project = folder(&[("a.py", BLOCKING)]);
    let output = run(
        project.path(),
        &[
            "check",
            "--format",
            "jsonl",
            "--output",
            "found.jsonl",
            "-q",
        ],
    );
    assert_eq!(
        (code(&output), out(&output), err(&output)),
        (1, String::new(), String::new())
    );
    let text = std::fs::read_to_string(project.path().join("found.jsonl")).expect("written");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(
        std::fs::read_dir(project.path()).expect("readable").count(),
        2,
        "no temporary file is left"
    );
}

#[test]
fn colour_is_asked_for() {
    let project = folder(&[("a.py", BLOCKING)]);
    assert!(!out(&run(project.path(), &["check"])).contains('\u{1b}'));
    assert!(out(&run(project.path(), &["check", "--color", "always"])).contains('\u{1b}'));
}

#[test]
fn colour_follows_the_environment() {
    let project = folder(&[("a.py", BLOCKING)]);
    for (variables, wanted) in [
        (vec![("FORCE_COLOR", "1")], true),
        (vec![("CLICOLOR_FORCE", "1")], true),
        (vec![("FORCE_COLOR", "1"), ("NO_COLOR", "1")], false),
        (vec![("CLICOLOR", "1")], false),
    ] {
        for arguments in [
            vec!["check"],
            vec!["explain", "a.py:3"],
            vec!["graph", "f"],
            vec!["explain", "time.sleep"],
            vec!["explain", "blocking-fs"],
        ] {
            let output = run_with(project.path(), &arguments, &variables);
            let coloured = out(&output).contains('\u{1b}');
            assert_eq!(coloured, wanted, "{arguments:?} {variables:?}");
        }
    }
    let never = run_with(
        project.path(),
        &["explain", "a.py:3", "--color", "never"],
        &[("FORCE_COLOR", "1")],
    );
    assert!(!out(&never).contains('\u{1b}'));
}

#[test]
fn columns_give_the_width_and_commands_stay_whole() {
    let name = "a folder with a long name of many words/a file with a long name.py";
    let project = folder(&[(name, BLOCKING)]);
    let output = run_with(project.path(), &["check"], &[("COLUMNS", "60")]);
    let text = out(&output);
    let command = format!("why: nostall explain '{name}:3'");
    assert!(text.lines().any(|line| line.ends_with(&command)), "{text}");
    for line in text.lines().filter(|line| !line.contains(name)) {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn concise_is_a_line_a_finding() {
    let project = folder(&[("a.py", BLOCKING)]);
    let output = run(project.path(), &["check", "--format", "concise"]);
    let expected = "a.py:3:5: critical[blocking-sleep] `time.sleep` puts the event loop to sleep\n";
    assert_eq!((code(&output), out(&output).as_str()), (1, expected));
}

#[test]
fn a_summary_has_no_findings_and_the_same_code() {
    let helper = "import time\ndef wait():\n    time.sleep(1)\n";
    let calls = "    helper.wait()\n    x = 1\n".repeat(3);
    let app = format!("import helper\nasync def f():\n{calls}");
    let project = folder(&[("helper.py", helper), ("app.py", &app)]);
    let output = run(project.path(), &["check", "--summary"]);
    assert_eq!(code(&output), 1);
    for part in [
        "blocking-sleep",
        "3 findings: 3 critical",
        "     3 `helper.wait` (helper.py:2)",
        "     0 left",
    ] {
        assert!(
            out(&output).contains(part),
            "no `{part}` in {}",
            out(&output)
        );
    }
    assert!(!out(&output).contains("error["), "{}", out(&output));
    let output = run(project.path(), &["check"]);
    assert_eq!(
        out(&output).matches("error[").count(),
        1,
        "{}",
        out(&output)
    );
    for part in [
        "+2 more through `helper.wait`: app.py:5, 7",
        "Repairing `helper.wait` removes 3 of 3 findings",
    ] {
        assert!(
            out(&output).contains(part),
            "no `{part}` in {}",
            out(&output)
        );
    }
    let json = run(project.path(), &["check", "--summary", "--format", "json"]);
    assert_eq!(code(&json), 2);
}

#[test]
fn a_cause_counts_only_what_no_other_way_keeps() {
    // `both` reaches the same call by two ways: repairing one of them leaves it.
    let helper = "import time\ndef one():\n    time.sleep(1)\ndef two():\n    time.sleep(1)\ndef both():\n    one()\n    two()\n";
    let app = "import helper\nasync def f():\n    helper.both()\nasync def g():\n    helper.one()\nasync def h():\n    helper.one()\n";
    let project = folder(&[("helper.py", helper), ("app.py", app)]);
    let output = run(project.path(), &["check"]);
    assert!(
        out(&output).contains("Repairing `helper.one` removes 2 of 3 findings\n"),
        "{}",
        out(&output)
    );
}

#[test]
fn the_worst_findings_can_be_asked_for() {
    let project = folder(&[
        ("a.rs", "async fn f() { std::fs::read(\"a\"); }\n"),
        ("b.py", BLOCKING),
    ]);
    for format in ["human", "concise", "jsonl", "github"] {
        let arguments = ["check", "--max-findings", "1", "--format", format];
        let output = run(project.path(), &arguments);
        assert_eq!(code(&output), 1);
        assert!(
            out(&output).contains("b.py") && !out(&output).contains("a.rs"),
            "{}",
            out(&output)
        );
        let told = format!("{}{}", out(&output), err(&output));
        assert!(told.contains("1 beyond `--max-findings 1`"), "{told}");
    }
}

#[test]
fn rules_are_listed_with_their_groups() {
    let project = folder(&[]);
    let shown = out(&run(project.path(), &["rules"]));
    assert!(
        shown
            .lines()
            .all(|line| line.split_whitespace().nth(1) == Some("blocking")),
        "{shown}"
    );
}

#[test]
fn no_findings_say_why() {
    let project = folder(&[("a.py", BLOCKING)]);
    let rules_off = run(project.path(), &["check", "--ignore", "all"]);
    assert!(
        out(&rules_off).starts_with("No finding is shown: 1 of rules that are off;"),
        "{}",
        out(&rules_off)
    );
    let tests = folder(&[
        ("Cargo.toml", "[package]\nname = \"x\"\n"),
        ("src/lib.rs", ""),
        ("tests/a.rs", "async fn f() { std::fs::read(\"a\"); }\n"),
    ]);
    let output = run(tests.path(), &["check"]);
    assert!(
        out(&output).starts_with(
            "No async code found in 2 files but 1 async function of tests: `--tests` looks at it."
        ),
        "{}",
        out(&output)
    );
}

#[test]
fn the_readme_shows_what_its_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace");
    let file = root.join("README.md");
    let text = std::fs::read_to_string(&file)
        .expect("readable")
        .replace("\r\n", "\n");
    let command = "$ cargo run --quiet -p nostall -- check fixtures/demo\n";
    let (before, rest) = text.split_once(command).expect("the command");
    let (shown, after) = rest.split_once("```\n").expect("the end of the block");
    let printed = out(&run(root, &["check", "fixtures/demo"]));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, format!("{before}{command}{printed}```\n{after}")).expect("written");
        return;
    }
    assert!(
        shown == printed,
        "`BLESS=1 cargo test` writes it into the README:\n{printed}"
    );
}

#[test]
fn two_runs_give_the_same_bytes() {
    let project = folder(&[
        ("a.py", BLOCKING),
        ("b.py", BLOCKING),
        ("c.rs", "async fn f() { std::fs::read(\"a\"); }\n"),
    ]);
    let arguments = ["check", "--format", "json", "--min-risk", "low"];
    assert_eq!(
        run(project.path(), &arguments).stdout,
        run(project.path(), &arguments).stdout
    );
}

#[test]
fn cargo_nostall_is_the_same_tool() {
    let project = folder(&[("a.py", BLOCKING)]);
    let binary = env!("CARGO_BIN_EXE_cargo-nostall");
    let output = Command::new(binary)
        .args(["nostall", "check"])
        .current_dir(project.path())
        .output()
        .expect("it runs");
    assert_eq!(code(&output), 1);
}

#[test]
fn packages_of_a_workspace_can_be_chosen() {
    let manifest = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
    };
    let text = "async fn f() { std::fs::read(\"a\"); }\n";
    let project = folder(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n"),
        ("one/Cargo.toml", &manifest("one")),
        ("one/src/lib.rs", text),
        ("two/Cargo.toml", &manifest("two")),
        ("two/src/lib.rs", text),
    ]);
    let count = |arguments: &[&str]| {
        out(&run(
            project.path(),
            &[&["check", "--format", "jsonl"], arguments].concat(),
        ))
        .lines()
        .count()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["-p", "one"]), 1);
    assert_eq!(count(&["--workspace", "--exclude-package", "one"]), 1);
    assert_eq!(count(&["--workspace", "--exclude", "two"]), 1);
    assert_eq!(count(&["--manifest-path", "two/Cargo.toml"]), 1);
    let unknown = run(project.path(), &["check", "-p", "twoo"]);
    assert!(
        err(&unknown).contains("did you mean `two`?"),
        "{}",
        err(&unknown)
    );
}
