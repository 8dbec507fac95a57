//! The example of `nostall-probe`: at the default thresholds each call that was planted in its blocking form is reported, and nothing
//! else in the whole example.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// File, line, rule.
type Place = (String, usize, String);

#[test]
fn what_was_planted_in_the_example_is_found_and_nothing_else() {
    let planted = planted();
    assert!(planted.len() >= 8, "only {planted:?}");
    assert_eq!(found(), planted);
}

fn example() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let crates = crates.expect("this package is in a folder with others");
    crates.join("nostall-probe/examples/video_service")
}

fn planted() -> BTreeSet<Place> {
    let text =
        std::fs::read_to_string(example().join("src/blocking.rs")).expect("the file is there");
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let (_, rule) = line.split_once("// planted: ")?;
            Some(("blocking.rs".to_owned(), index + 1, rule.to_owned()))
        })
        .collect()
}

fn found() -> BTreeSet<Place> {
    let output = Command::new(env!("CARGO_BIN_EXE_nostall"))
        .args(["check", ".", "src/blocking.rs", "--format", "jsonl"])
        .current_dir(example())
        .output()
        .expect("nostall runs");
    assert_eq!(output.status.code(), Some(1), "it finds something");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(place).collect()
}

fn place(line: &str) -> Place {
    let finding: Value = serde_json::from_str(line).expect("a line of JSON");
    let path = finding["path"].as_str().expect("a file");
    let line = finding["line"].as_u64().expect("a line");
    let rule = finding["rule"].as_str().expect("a rule");
    let name = Path::new(path).file_name().expect("a file's name");
    (
        name.to_string_lossy().into_owned(),
        usize::try_from(line).expect("a small number"),
        rule.to_owned(),
    )
}
