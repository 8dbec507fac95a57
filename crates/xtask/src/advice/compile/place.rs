//! Texts with advice in them.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// Code that takes a call's place in a file of its package.
#[derive(Clone)]
pub(super) struct Edit {
    pub(super) file: PathBuf,
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.file == other.file
            && self.range.start < other.range.end
            && other.range.start < self.range.end
    }
}

/// The place of a change, with the number of the change.
pub(super) type Numbered = (usize, Range<usize>);

/// A file, and what is to be changed in it, each change with its number.
#[derive(Default)]
pub(super) struct Text {
    pub(super) original: PathBuf,
    pub(super) edits: Vec<(usize, Edit)>,
}

impl Text {
    /// The text with all edits, and where each of them stands in it.
    pub(super) fn edited(&mut self) -> Result<(String, Vec<Numbered>)> {
        let old = std::fs::read_to_string(&self.original)
            .with_context(|| format!("read {}", self.original.display()))?;
        self.edits.sort_by_key(|(_, edit)| edit.range.start);
        let mut new = String::new();
        let mut places = Vec::new();
        let mut end = 0;
        for (index, edit) in &self.edits {
            new.push_str(old.get(end..edit.range.start).context("edits overlap")?);
            let start = new.len();
            new.push_str(&edit.text);
            places.push((*index, start..new.len()));
            end = edit.range.end;
        }
        new.push_str(old.get(end..).context("an edit ends within a character")?);
        Ok((new, places))
    }
}
