//! Baselines: what they hold, where they are found, how they are kept.

use std::path::Path;

use super::{BLOCKING, CLEAN, code, err, folder, out, run};

const LOW: &str = "import os\nasync def g():\n    os.stat(\"x\")\n";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("readable")
}

fn entries(folder: &Path) -> usize {
    let value: serde_json::Value =
        serde_json::from_str(&read(folder, "nostall-baseline.json")).expect("JSON");
    value["findings"].as_array().map_or(0, Vec::len)
}

#[test]
fn nothing_is_stale_right_after_writing_and_it_is_found_by_its_name() {
    let project = folder(&[(".git/HEAD", ""), ("a.py", BLOCKING), ("sub/low.py", LOW)]);
    let written = run(project.path(), &["baseline"]);
    assert_eq!(
        err(&written),
        "1 finding written to nostall-baseline.json\n"
    );
    for (place, file) in [
        (project.path().to_path_buf(), "nostall-baseline.json"),
        (project.path().join("sub"), "../nostall-baseline.json"),
    ] {
        let output = run(&place, &["check"]);
        assert_eq!(code(&output), 0, "{}", out(&output));
        assert!(
            out(&output).contains("1 in the baseline") && !out(&output).contains("no longer"),
            "{}",
            out(&output)
        );
        assert!(out(&output).contains(&format!("Known findings are those of {file} (")));
    }
    assert_eq!(code(&run(project.path(), &["check", "--no-baseline"])), 1);
}

#[test]
fn entries_that_thresholds_hide_now_are_not_stale() {
    let project = folder(&[("a.py", BLOCKING), ("low.py", LOW)]);
    let written = run(project.path(), &["baseline", "--min-risk", "low"]);
    assert!(
        err(&written).starts_with("2 findings written"),
        "{}",
        err(&written)
    );
    for arguments in [
        vec!["check"],
        vec!["check", "--min-risk", "low"],
        vec!["check", "a.py"],
        vec!["check", "--ignore", "blocking"],
    ] {
        let output = run(project.path(), &arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(
            !out(&output).contains("no longer"),
            "{arguments:?}: {}",
            out(&output)
        );
    }
    run(project.path(), &["baseline", "--prune"]);
    assert_eq!(entries(project.path()), 2);
    write(project.path(), "low.py", CLEAN);
    let shown = out(&run(project.path(), &["check"]));
    assert!(
        shown.contains("1 entry of the baseline is no longer"),
        "{shown}"
    );
}

#[test]
fn a_baseline_that_is_not_written_yet_is_a_hint() {
    let project = folder(&[
        ("a.py", BLOCKING),
        ("nostall.toml", "baseline = \"ci/known.json\"\n"),
        ("ci/x", ""),
    ]);
    let output = run(project.path(), &["check"]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output)
            .contains("the baseline `ci/known.json` that nostall.toml names is not there yet"),
        "{}",
        err(&output)
    );
    let written = run(project.path(), &["baseline"]);
    assert_eq!(err(&written), "1 finding written to ci/known.json\n");
    assert!(read(project.path(), "ci/known.json").contains("\"../a.py\""));
    assert_eq!(code(&run(project.path(), &["check"])), 0);
    assert_eq!(code(&run(&project.path().join("ci"), &["check", ".."])), 0);
}

#[test]
fn a_monorepos_baseline_holds_in_its_members() {
    let manifest = "[package]\nname = \"svc\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let project = folder(&[
        (".git/HEAD", ""),
        ("svc/Cargo.toml", manifest),
        ("svc/src/lib.rs", "async fn f() { std::fs::read(\"a\"); }\n"),
        ("own/pyproject.toml", "[project]\nname = \"own\"\n"),
        ("own/a.py", BLOCKING),
    ]);
    run(project.path(), &["baseline"]);
    let svc = project.path().join("svc");
    assert_eq!(code(&run(&svc, &["check"])), 0);
    let named = ["check", "--baseline", "../nostall-baseline.json"];
    assert_eq!(code(&run(&svc, &named)), 0);
    std::fs::remove_file(project.path().join("nostall-baseline.json")).expect("there");
    run(&project.path().join("own"), &["baseline"]);
    assert!(project.path().join("own/nostall-baseline.json").is_file());
    assert_eq!(code(&run(&project.path().join("own"), &["check"])), 0);
    assert_eq!(code(&run(project.path(), &["check", "own"])), 0);
    assert_eq!(code(&run(project.path(), &["check"])), 1);
}

#[test]
fn a_renamed_file_keeps_its_entries() {
    let project = folder(&[
        (".git/HEAD", ""),
        ("old.py", BLOCKING),
        ("b.py", "async def other():\n    open(\"x\").read()\n"),
    ]);
    run(project.path(), &["baseline"]);
    std::fs::rename(project.path().join("old.py"), project.path().join("new.py")).expect("moved");
    let output = run(project.path(), &["check"]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    assert!(!out(&output).contains("no longer"), "{}", out(&output));
    // Two places that it may have moved to: then it is new.
    write(project.path(), "second.py", BLOCKING);
    assert_eq!(code(&run(project.path(), &["check"])), 1);
    std::fs::remove_file(project.path().join("second.py")).expect("there");
    let updated = run(project.path(), &["baseline", "--update"]);
    assert!(
        err(&updated).ends_with(": 0 new, 0 gone\n"),
        "{}",
        err(&updated)
    );
    assert!(read(project.path(), "nostall-baseline.json").contains("\"new.py\""));
}

#[test]
fn update_takes_in_and_out_and_prune_only_out() {
    let project = folder(&[
        ("one/a.py", BLOCKING),
        ("two/a.py", BLOCKING),
        ("nostall.toml", ""),
    ]);
    run(project.path(), &["baseline"]);
    assert_eq!(entries(project.path()), 2);
    write(project.path(), "one/a.py", CLEAN);
    write(project.path(), "one/b.py", BLOCKING);
    write(project.path(), "two/a.py", CLEAN);
    let pruned = run(project.path(), &["baseline", "--prune", "two"]);
    assert!(
        err(&pruned).starts_with("1 finding taken out of"),
        "{}",
        err(&pruned)
    );
    assert_eq!(entries(project.path()), 1);
    let updated = run(project.path(), &["baseline", "--update", "two"]);
    assert!(
        err(&updated).ends_with(": 0 new, 0 gone\n"),
        "{}",
        err(&updated)
    );
    let updated = run(project.path(), &["baseline", "--update"]);
    assert!(
        err(&updated).ends_with(": 1 new, 1 gone\n"),
        "{}",
        err(&updated)
    );
    assert_eq!(entries(project.path()), 1);
    assert_eq!(code(&run(project.path(), &["check"])), 0);
    let nothing = run(project.path(), &["baseline", "--prune", "-o", "other.json"]);
    assert_eq!(code(&nothing), 2);
    assert!(err(&nothing).contains("baseline `other.json` does not exist"));
}

#[test]
fn what_is_no_baseline_is_told_once() {
    let project = folder(&[("a.py", BLOCKING)]);
    for (text, reason) in [
        (
            "{\n",
            "error: baseline `known.json`: line 2 is not what `nostall baseline` writes: write it anew\n",
        ),
        (
            "{\"schema_version\": 2}",
            "error: baseline `known.json`: line 1 is not what `nostall baseline` writes: write it anew\n",
        ),
        (
            "{\"schema_version\": 1}",
            "error: baseline `known.json`: it has version 1, this nostall reads version 2: write it anew with `nostall baseline`\n",
        ),
    ] {
        write(project.path(), "known.json", text);
        let output = run(project.path(), &["check", "--baseline", "known.json"]);
        assert_eq!((code(&output), err(&output)), (2, reason.to_owned()));
    }
}
