//! The pages of rules: each rule has one, and its code says the truth.

use std::path::{Path, PathBuf};
use std::process::Command;

use nostall_engine::rules;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace")
        .to_path_buf()
}

/// A code block: `rust,bad`, and what is in it.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((kind.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn the_code_on_each_page_says_the_truth() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut checked = 0;
    for rule in rules::all() {
        let page = root().join(format!("docs/rules/{}.md", rule.id));
        let text = std::fs::read_to_string(&page)
            .unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        for (index, (kind, code)) in blocks(&text).into_iter().enumerate() {
            let ending = if kind.starts_with("rust") { "rs" } else { "py" };
            let file = folder
                .path()
                .join(format!("{}_{index}.{ending}", rule.id.0.replace('-', "_")));
            std::fs::write(&file, code).expect("written");
            let output = Command::new(env!("CARGO_BIN_EXE_nostall"))
                .args([
                    "check",
                    "-q",
                    "--format",
                    "jsonl",
                    "--min-risk",
                    "low",
                    "--select",
                    rule.id.0,
                ])
                .arg(&file)
                .current_dir(folder.path())
                .output()
                .expect("nostall runs");
            let expected = if kind.ends_with(",bad") { 1 } else { 0 };
            assert_eq!(
                output.status.code(),
                Some(expected),
                "{}, block {index} ({kind})",
                rule.id
            );
            checked += 1;
            std::fs::remove_file(&file).expect("removed");
        }
    }
    assert!(
        checked >= 2 * rules::all().count(),
        "each page has code that is reported and code that is not"
    );
}
