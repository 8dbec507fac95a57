//! Advice as the JSON says it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::eval::Package;

/// A finding with its advice.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// Where the call's name begins, as bytes.
    pub(super) offset: usize,
    pub(super) rule: String,
    pub(super) advice: Vec<Entry>,
}

/// One way to mend a finding.
#[derive(Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) path: Option<String>,
    pub(super) library: Option<String>,
    pub(super) code: Option<String>,
    pub(super) start: Option<usize>,
    pub(super) end: Option<usize>,
    pub(super) before: Vec<String>,
    pub(super) import: Option<String>,
    pub(super) borrowed: Vec<String>,
}

impl Entry {
    /// The kind, and what of it the reader still has to do.
    pub(super) fn described(&self) -> String {
        let rest = match (&self.code, self.borrowed.is_empty()) {
            (Some(_), true) => ", with code",
            (Some(_), false) => ", with code, once something is owned",
            (None, _) => "",
        };
        format!("{}{rest}", self.kind)
    }

    /// What must parse: the code, else the path that is named.
    pub(super) fn expression(&self) -> Option<&str> {
        self.code.as_deref().or(self.path.as_deref())
    }

    /// The first word of the function that it brings: `tokio`. None where it only awaits what is there.
    pub(super) fn brings(&self) -> Option<&str> {
        let path = self.path.as_deref();
        let path = path
            .filter(|path| path.contains(['.', ':']))
            .or(self.code.as_deref())?;
        let path = path.strip_prefix("await ").unwrap_or(path);
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        (self.path.as_deref() != Some("await")).then(|| &path[..end])
    }

    /// All of it on one line.
    pub(super) fn text(&self) -> String {
        let mut parts: Vec<&str> = self.before.iter().map(String::as_str).collect();
        parts.extend(self.expression());
        parts.join(" ")
    }
}

#[derive(Deserialize)]
struct Line {
    rule: String,
    path: PathBuf,
    line: usize,
    column: usize,
    advice: Vec<Entry>,
}

/// Reads what nostall printed, a finding a line.
pub(super) fn read(output: &str, package: &Package) -> Result<Vec<Found>> {
    output
        .lines()
        .map(|line| {
            let line: Line = serde_json::from_str(line).context("read a finding")?;
            let file = package.folder.join(&line.path);
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("read {}", file.display()))?;
            Ok(Found {
                offset: offset(&text, line.line, line.column),
                file,
                line: line.line,
                rule: line.rule,
                advice: line.advice,
            })
        })
        .collect()
}

/// The byte of a line and a column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let own = text.get(before..).unwrap_or_default();
    let columns = own.char_indices().nth(column.saturating_sub(1));
    before + columns.map_or(0, |(index, _)| index)
}
