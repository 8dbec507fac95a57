//! A pre-commit hook: it calls nostall with the names of the files that a commit changes.

use std::path::Path;
use std::process::{Command, Output};

use super::{code, err, folder, out, run};

/// The words of the hook's entry, as pre-commit splits them.
fn entry() -> Vec<String> {
    let hooks = include_str!("../../../../.pre-commit-hooks.yaml");
    let entry = hooks
        .lines()
        .find_map(|line| line.trim().strip_prefix("entry: nostall "));
    let words = entry.expect("the hook has an entry").split(' ');
    words.map(str::to_owned).collect()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=n", "-c", "user.email=n@example.org"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", err(&output));
    out(&output)
}

/// What pre-commit does with the files of a commit.
fn hook(folder: &Path) -> Output {
    git(folder, &["add", "-A"]);
    let changed = git(
        folder,
        &["diff", "--staged", "--name-only", "--diff-filter=ACMR"],
    );
    let entry = entry();
    let mut arguments: Vec<&str> = entry.iter().map(String::as_str).collect();
    arguments.extend(changed.lines().filter(|name| name.ends_with(".py")));
    run(folder, &arguments)
}

fn repository() -> tempfile::TempDir {
    let project = folder(&[
        ("requirements.txt", "requests\n"),
        ("nostall.toml", "exclude = [\"vendor\"]\n"),
        (
            "app/main.py",
            "from app.helper import load\nasync def handler():\n    return load()\n",
        ),
        ("app/helper.py", "def load():\n    return 1\n"),
        ("tests/test_app.py", "def test(): pass\n"),
        ("vendor/x.py", "x = 1\n"),
    ]);
    git(project.path(), &["init", "-q"]);
    git(project.path(), &["add", "-A"]);
    git(project.path(), &["commit", "-q", "-m", "first"]);
    project
}

#[test]
fn a_change_of_a_helper_alone_fails_its_commit() {
    let project = repository();
    let write = |name: &str, text: &str| {
        std::fs::write(project.path().join(name), text).expect("written");
    };
    write("app/helper.py", "def load():\n    return 2\n");
    assert_eq!(code(&hook(project.path())), 0);
    write(
        "app/helper.py",
        "import requests\ndef load():\n    return requests.get(\"http://x\")\n",
    );
    let output = hook(project.path());
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(
        out(&output).contains("app/main.py:3") && out(&output).contains("app/helper.py:3"),
        "{}",
        out(&output)
    );
}

#[test]
fn changes_of_tests_and_of_what_is_excluded_pass() {
    let project = repository();
    let blocking = "import time\nasync def f():\n    time.sleep(1)\n";
    for name in ["tests/test_app.py", "vendor/x.py"] {
        std::fs::write(project.path().join(name), blocking).expect("written");
    }
    let output = hook(project.path());
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
}
