//! Reads fixtures: ordinary source with comments that say what is expected.
//!
//! `//~ RULE [@COL] [(tag, tag)] ["part of the message"] [for "part of the entry"] [via a > b]`, after `//` or `#`; a tag is
//! the risk, the confidence, the code of a reason for the risk, or `also` for a call that a finding beside it speaks for. `~^` speaks of the line above, `~^^` of the one above that. `~missed RULE` marks a finding that should be there and is not, `~false RULE` one that is there and should
//! not be. A file without marks must stay silent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The line that it speaks of, from 1.
    pub line: u32,
    /// Right, or a wrong answer of today.
    pub kind: MarkKind,
    /// The rule.
    pub rule: String,
    /// The column, from 1, if it says so.
    pub column: Option<u32>,
    /// Risk, confidence, codes of reasons: all of these must hold.
    pub tags: Vec<String>,
    /// A part of the message, if it says so.
    pub message: Option<String>,
    /// A part of why the code runs on the executor, if it says so.
    pub entry: Option<String>,
    /// The last names of the calls on the way, if it says so.
    pub via: Option<Vec<String>>,
}

/// Whether today's answer is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// There is a finding, and there should be.
    Expected,
    /// There should be a finding, and there is none.
    Missed,
    /// There is a finding, and there should be none.
    False,
}

/// A finding, as far as fixtures look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The rule.
    pub rule: String,
    /// Risk, confidence, codes of reasons; `also` alone for a call that another finding speaks for.
    pub tags: Vec<String>,
    /// The message.
    pub message: String,
    /// Why the code runs on the executor.
    pub entry: String,
    /// The last names of the calls from the reported one to the api.
    pub via: Vec<String>,
}

/// Reads the marks of a text. A mark that cannot be read is an error with its line.
pub fn marks(text: &str) -> Result<Vec<Mark>, String> {
    let mut marks = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut rest = line
            .find("//~")
            .or_else(|| line.find("#~"))
            .map_or("", |at| &line[at..]);
        while let Some(words) = rest.strip_prefix("//~").or_else(|| rest.strip_prefix("#~")) {
            let end = words
                .find("//~")
                .or_else(|| words.find("#~"))
                .unwrap_or(words.len());
            let read = mark(index as u32 + 1, &words[..end]);
            marks.push(read.ok_or_else(|| {
                format!(
                    "line {}: cannot read the mark `{}`",
                    index + 1,
                    words.trim()
                )
            })?);
            rest = &words[end..];
        }
    }
    Ok(marks)
}

fn mark(line: u32, words: &str) -> Option<Mark> {
    let up = words.chars().take_while(|c| *c == '^').count();
    let mut rest = words[up..].trim();
    let kind = match rest.split_whitespace().next()? {
        "missed" => MarkKind::Missed,
        "false" => MarkKind::False,
        _ => MarkKind::Expected,
    };
    if kind != MarkKind::Expected {
        rest = rest.split_once(char::is_whitespace)?.1.trim();
    }
    let rule = rest.split_whitespace().next()?.to_owned();
    rest = rest[rule.len()..].trim();
    let mut mark = Mark {
        line: line.checked_sub(up as u32)?,
        kind,
        rule,
        column: None,
        tags: Vec::new(),
        message: None,
        entry: None,
        via: None,
    };
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('@') {
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            mark.column = Some(digits.parse().ok()?);
            rest = after[digits.len()..].trim();
        } else if let Some(after) = rest.strip_prefix('(') {
            let (tags, after) = after.split_once(')')?;
            mark.tags = tags.split(',').map(|tag| tag.trim().to_owned()).collect();
            rest = after.trim();
        } else if let Some(after) = rest.strip_prefix("for \"") {
            let (entry, after) = after.split_once('"')?;
            mark.entry = Some(entry.to_owned());
            rest = after.trim();
        } else if let Some(after) = rest.strip_prefix('"') {
            let (message, after) = after.split_once('"')?;
            mark.message = Some(message.to_owned());
            rest = after.trim();
        } else if let Some(after) = rest.strip_prefix("via ") {
            mark.via = Some(
                after
                    .split('>')
                    .map(|name| last_name(name.trim()).to_owned())
                    .collect(),
            );
            rest = "";
        } else {
            return None;
        }
    }
    Some(mark)
}

/// The last name of a path.
#[must_use]
pub fn last_name(path: &str) -> &str {
    path.rsplit([':', '.']).next().unwrap_or(path)
}

/// Holds findings against marks. Answers what differs, a line each.
#[must_use]
pub fn compare(path: &str, marks: &[Mark], got: &[Got]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut left: Vec<&Got> = got.iter().collect();
    for mark in marks {
        let found = left.iter().position(|got| fits(mark, got));
        match (mark.kind, found) {
            (MarkKind::Expected | MarkKind::False, Some(index)) => {
                left.remove(index);
            }
            (MarkKind::Expected, None) => wrong.push(format!(
                "{path}:{}: expected {}, got {}",
                mark.line,
                describe(mark),
                others(got, mark.line)
            )),
            (MarkKind::Missed, None) => {}
            (MarkKind::Missed, Some(index)) => {
                left.remove(index);
                wrong.push(format!(
                    "{path}:{}: `missed {}` is found now: take `missed` away",
                    mark.line, mark.rule
                ));
            }
            (MarkKind::False, None) => {
                wrong.push(format!(
                    "{path}:{}: `false {}` is not found any more: take the mark away",
                    mark.line, mark.rule
                ));
            }
        }
    }
    wrong.extend(
        left.iter()
            .map(|got| format!("{path}:{}: not expected: {}", got.line, describe_got(got))),
    );
    wrong
}

fn fits(mark: &Mark, got: &Got) -> bool {
    mark.line == got.line
        && mark.rule == got.rule
        && mark.column.is_none_or(|column| column == got.column)
        && mark.tags.iter().all(|tag| got.tags.contains(tag))
        && mark
            .entry
            .as_ref()
            .is_none_or(|entry| got.entry.contains(entry))
        && mark
            .message
            .as_ref()
            .is_none_or(|message| got.message.contains(message))
        && mark
            .via
            .as_ref()
            .is_none_or(|via| *via == got.via || got.via.starts_with(via))
}

fn describe(mark: &Mark) -> String {
    let mut text = mark.rule.clone();
    if let Some(column) = mark.column {
        text += &format!(" @{column}");
    }
    if !mark.tags.is_empty() {
        text += &format!(" ({})", mark.tags.join(", "));
    }
    if let Some(entry) = &mark.entry {
        text += &format!(" for \"{entry}\"");
    }
    if let Some(message) = &mark.message {
        text += &format!(" \"{message}\"");
    }
    if let Some(via) = &mark.via {
        text += &format!(" via {}", via.join(" > "));
    }
    text
}

fn describe_got(got: &Got) -> String {
    format!(
        "{} @{} ({}) \"{}\" for \"{}\" via {}",
        got.rule,
        got.column,
        got.tags.join(", "),
        got.message,
        got.entry,
        got.via.join(" > ")
    )
}

fn others(got: &[Got], line: u32) -> String {
    let here: Vec<String> = got
        .iter()
        .filter(|got| got.line == line)
        .map(describe_got)
        .collect();
    if here.is_empty() {
        "nothing".to_owned()
    } else {
        here.join("; ")
    }
}

/// Writes marks anew: the expected ones as they are found, wrong answers of today left alone.
#[must_use]
pub fn bless(text: &str, got: &[Got]) -> String {
    let known = marks(text).unwrap_or_default();
    let mut by_line: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for got in got {
        let is_false = known
            .iter()
            .any(|mark| mark.kind == MarkKind::False && fits(mark, got));
        if !is_false {
            by_line.entry(got.line).or_default().push(got.rule.clone());
        }
    }
    let sign = if text.contains("#~") || !text.contains("//") && !text.contains("fn ") {
        "#~"
    } else {
        "//~"
    };
    let mut out = String::new();
    for (index, line) in text.lines().enumerate() {
        let keep = known.iter().any(|mark| {
            mark.kind != MarkKind::Expected
                && line.contains(&mark.rule)
                && line.contains('~')
                && (line.contains("missed") || line.contains("false"))
        });
        let code = if keep {
            line
        } else {
            line.split(&format!(" {sign}"))
                .next()
                .unwrap_or(line)
                .trim_end()
        };
        out += code;
        for rule in by_line.get(&(index as u32 + 1)).into_iter().flatten() {
            out += &format!(" {sign} {rule}");
        }
        out.push('\n');
    }
    out
}

/// The fixtures below a folder: source files, and folders that are projects (with a manifest).
#[must_use]
pub fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let project = ["Cargo.toml", "pyproject.toml"]
            .iter()
            .any(|name| path.join(name).is_file());
        if path.is_dir() && !project {
            found.extend(fixtures(&path));
        } else if project
            || path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "py")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The source files of a fixture.
#[must_use]
pub fn files(fixture: &Path) -> Vec<PathBuf> {
    if fixture.is_file() {
        return vec![fixture.to_path_buf()];
    }
    let mut found = Vec::new();
    for path in std::fs::read_dir(fixture)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
    {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rs" || extension == "py")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::{Got, Mark, MarkKind, compare, marks};

    fn got(line: u32, rule: &str) -> Got {
        Got {
            line,
            column: 5,
            rule: rule.to_owned(),
            tags: vec!["low".to_owned()],
            message: "m".to_owned(),
            entry: "async fn".to_owned(),
            via: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    #[test]
    fn marks_have_all_their_parts() {
        let read = marks(
            "x\nf(); //~ blocking-fs @5 (low, loop) \"part\" for \"GET\" via crate::a > b\n//~^ missed blocking-net\n",
        )
        .expect("readable");
        assert_eq!(
            read[0],
            Mark {
                line: 2,
                kind: MarkKind::Expected,
                rule: "blocking-fs".to_owned(),
                column: Some(5),
                tags: vec!["low".to_owned(), "loop".to_owned()],
                message: Some("part".to_owned()),
                entry: Some("GET".to_owned()),
                via: Some(vec!["a".to_owned(), "b".to_owned()]),
            }
        );
        assert_eq!((read[1].line, read[1].kind), (2, MarkKind::Missed));
        assert!(marks("f() #~ blocking-fs ?").is_err());
    }

    #[test]
    fn both_ways_are_strict() {
        let expected =
            marks("f() #~ blocking-fs\ng() #~ missed blocking-fs\nh() #~ false blocking-fs")
                .expect("readable");
        assert!(
            compare(
                "p",
                &expected,
                &[got(1, "blocking-fs"), got(3, "blocking-fs")]
            )
            .is_empty()
        );
        assert_eq!(compare("p", &expected, &[]).len(), 2);
        assert_eq!(
            compare(
                "p",
                &expected,
                &[
                    got(1, "blocking-fs"),
                    got(2, "blocking-fs"),
                    got(3, "blocking-fs")
                ]
            )
            .len(),
            1
        );
        assert_eq!(compare("p", &[], &[got(9, "blocking-fs")]).len(), 1);
    }
}
