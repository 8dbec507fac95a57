//! Options, and what is said beside the findings.

use super::{BLOCKING, code, err, folder, out, run};

#[test]
fn options_stand_before_the_command_as_well() {
    let project = folder(&[("a.py", BLOCKING), ("found", "")]);
    let plain = run(project.path(), &["check", "a.py", "--format", "json"]);
    for arguments in [
        vec!["--format", "json", "check", "a.py"],
        vec!["--format=json", "check", "a.py"],
        vec!["--color", "never", "--format", "json", "check", "a.py"],
    ] {
        let output = run(project.path(), &arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", err(&output));
        assert_eq!(output.stdout, plain.stdout, "{arguments:?}");
    }
    for arguments in [
        vec!["-q", "check", "a.py"],
        vec!["-qo", "found", "check", "a.py"],
        vec!["-ofound", "-q", "check", "a.py"],
        vec!["--min-risk", "low", "--exclude", "check", "check", "a.py"],
    ] {
        let output = run(project.path(), &arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", err(&output));
    }
    assert_eq!(code(&run(project.path(), &["-v", "explain", "a.py:3"])), 0);
    assert!(out(&run(project.path(), &["--help"])).contains("--fail-on"));
}

#[test]
fn quiet_is_findings_and_errors_only() {
    let project = folder(&[
        ("a.py", BLOCKING),
        ("b.py", "x = 1  # nostall: ignore[blocking]\n"),
    ]);
    let output = run(project.path(), &["check", "-q"]);
    assert_eq!(err(&output), "");
    assert!(out(&output).contains("blocking-sleep"));
    for word in ["finding:", "calls in async code", "Not shown"] {
        assert!(!out(&output).contains(word), "{}", out(&output));
    }
    assert_eq!(out(&run(project.path(), &["check", "-q", "b.py"])), "");
    assert!(err(&run(project.path(), &["check", "b.py"])).contains("unused-ignore"));
}

#[test]
fn verbose_tells_what_is_done() {
    let project = folder(&[
        (".git/HEAD", ""),
        ("nostall.toml", "min-risk = \"low\"\n"),
        ("sub/pyproject.toml", "[tool.nostall]\nfail-on = \"any\"\n"),
        ("sub/a.py", BLOCKING),
    ]);
    let output = run(&project.path().join("sub"), &["-v", "check"]);
    let told = err(&output);
    for line in [
        "nostall: the project is ",
        "nostall: the root of its program is ",
        "nostall: config: ../nostall.toml, pyproject.toml\n",
        "nostall: python files: 1 read, 1 reported on\n",
        "nostall: read in ",
        "nostall: took ",
    ] {
        assert!(told.contains(line), "no `{line}` in:\n{told}");
    }
    assert!(!out(&output).contains("nostall: "), "{}", out(&output));
}

#[test]
fn marks_name_groups_and_what_is_wrong_with_them_is_told() {
    let marked = |mark: &str| format!("import time\nasync def f():\n    time.sleep(1)  # {mark}\n");
    let project = folder(&[("a.py", "")]);
    for (mark, expected, told) in [
        ("nostall: ignore[blocking] why", 0, None),
        ("nostall: ignore[all] why", 0, None),
        ("nostall: ignore[practice]", 1, Some("answers no finding")),
        (
            "nostall: allow[blocking-sleep]",
            1,
            Some("is no mark: it is `nostall: ignore[rule] reason`"),
        ),
        (
            "NOSTALL: ignore[blocking-sleep]",
            1,
            Some("`NOSTALL: ignore` is no mark"),
        ),
        (
            "nostall: ignore[blockin]",
            1,
            Some("unknown rule `blockin`, did you mean `blocking`?"),
        ),
    ] {
        std::fs::write(project.path().join("a.py"), marked(mark)).expect("written");
        let output = run(project.path(), &["check", "a.py"]);
        assert_eq!(code(&output), expected, "{mark}: {}", err(&output));
        match told {
            Some(told) => assert!(err(&output).contains(told), "{mark}: {}", err(&output)),
            None => assert_eq!(err(&output), "", "{mark}"),
        }
    }
    let rust = folder(&[(
        "a.rs",
        "// NOSTALL: file-ignore\nasync fn f() { std::fs::read(\"a\"); }\n",
    )]);
    assert!(err(&run(rust.path(), &["check", "a.rs"])).contains("is no mark"));
}

#[test]
fn what_is_wrong_in_files_that_nobody_asked_for_is_not_told() {
    let project = folder(&[
        ("a.py", BLOCKING),
        (
            "b.py",
            "x = 1  # nostall: ignore[nosuch]\ndef broken(:\n    pass\n",
        ),
    ]);
    assert_eq!(err(&run(project.path(), &["check", "a.py"])), "");
    let all = err(&run(project.path(), &["check"]));
    assert!(
        all.contains("unknown rule `nosuch`") && all.contains("b.py:2"),
        "{all}"
    );
}

#[test]
fn unused_marks_can_be_switched_off_and_explained() {
    let project = folder(&[("a.py", "x = 1  # nostall: ignore[blocking]\n")]);
    assert!(err(&run(project.path(), &["check"])).contains("unused-ignore"));
    let off = run(project.path(), &["check", "--ignore", "unused-ignore"]);
    assert_eq!((code(&off), err(&off)), (0, String::new()));
    let page = run(project.path(), &["explain", "unused-ignore"]);
    assert!(out(&page).contains("unused-ignore"), "{}", err(&page));
}

#[test]
fn a_config_is_wrong_in_its_own_words() {
    let project = folder(&[("a.py", BLOCKING)]);
    for (file, text, expected) in [
        (
            "nostall.toml",
            "\nfail-on = \"none\"\n",
            "nostall.toml:2: `fail-on` takes a risk",
        ),
        (
            "pyproject.toml",
            "[tool.nostall]\ntests = 1\n",
            "pyproject.toml:2: `tests` takes `true` or `false`",
        ),
        (
            "Cargo.toml",
            "[workspace]\n[workspace.metadata.nostall]\nselect = \"all\"\n",
            "Cargo.toml:3: `select` takes a list of rules",
        ),
    ] {
        std::fs::write(project.path().join(file), text).expect("written");
        let output = run(project.path(), &["check"]);
        assert_eq!(code(&output), 2, "{file}");
        assert!(err(&output).contains(expected), "{file}: {}", err(&output));
        std::fs::remove_file(project.path().join(file)).expect("there");
    }
}

/// Runs as nobody where the tests run as root: root reads everything.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_no_clean_run() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let project = folder(&[
        ("ok.py", "x = 1\n"),
        ("shut/a.py", BLOCKING),
        ("file.py", BLOCKING),
    ]);
    let mode = |path: &str, mode: u32| {
        let path = project.path().join(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("own file");
    };
    let as_nobody = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nostall"));
        command.args(arguments).current_dir(project.path());
        if std::fs::read_dir(project.path().join("shut")).is_ok() {
            command.uid(65_534).gid(65_534);
        }
        command.output()
    };
    mode(".", 0o755);
    mode("shut", 0o000);
    mode("file.py", 0o000);
    let Ok(output) = as_nobody(&["check"]) else {
        eprintln!("nobody may not run the binary here: not tried");
        mode("shut", 0o755);
        return;
    };
    assert_eq!(code(&output), 2, "{}{}", out(&output), err(&output));
    for path in ["shut", "file.py"] {
        let told = format!("warning[unreadable]: {path}: not read: ");
        assert!(err(&output).contains(&told), "{}", err(&output));
    }
    let named = as_nobody(&["check", "shut"]).expect("it ran before");
    assert_eq!(code(&named), 2, "{}", err(&named));
    mode("shut", 0o755);
}

#[test]
fn files_that_are_not_read_are_no_clean_run() {
    let big = format!("# {}\n", "x".repeat(5 << 20));
    let deep = format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
    for (name, text) in [
        ("big.py", big),
        ("deep.py", deep),
        ("nul.py", "x = '\0'\n".to_owned()),
    ] {
        let project = folder(&[("ok.py", "x = 1\n"), (name, &text)]);
        assert_eq!(code(&run(project.path(), &["check"])), 2, "{name}");
        assert_eq!(code(&run(project.path(), &["check", name])), 2, "{name}");
        assert_eq!(code(&run(project.path(), &["check", "ok.py"])), 0, "{name}");
        let excluded = run(project.path(), &["check", "--exclude", name]);
        assert_eq!(code(&excluded), 0, "{name}");
    }
}
