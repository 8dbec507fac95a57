//! Sources and the places in them. Spans are byte ranges; only [`Sources`] turns them into lines and columns.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// A language that nostall reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, files ending in `.rs`.
    Rust,
    /// Python, files ending in `.py` or `.pyi`.
    Python,
}

impl Language {
    /// Returns the name used in reports: `rust` or `python`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
        }
    }
}

/// Names a file of the program: its index in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// Returns the id as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A range of bytes in one source, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// Makes a span from byte offsets.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: clamp(start),
            end: clamp(end.max(start)),
        }
    }

    /// Returns the smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Says whether `other` lies within this span.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Returns the span as a range of indices.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a file is to the analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Its findings are reported.
    Report,
    /// It is analysed because others call it; its own findings are not reported.
    Summarise,
}

/// One file's text and language.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as reports print it: `/` between parts.
    pub path: String,
    /// The language it is read as.
    pub language: Language,
    /// What it is to the analysis.
    pub role: Role,
    /// The decoded text. Spans are byte offsets in here.
    pub text: Arc<str>,
    /// True when the text is not the file's own bytes (decoded from another encoding): no edits are offered.
    pub decoded: bool,
}

/// A place as people count it: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters (a tab is one, a byte order mark none).
    pub column: u32,
}

/// All files of the program. Owns the one translation from bytes to lines.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    lines: Vec<OnceLock<LineIndex>>,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add(&mut self, source: Source) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("fewer than 2^32 files"));
        self.files.push(source);
        self.lines.push(OnceLock::new());
        id
    }

    /// Returns a file of this set.
    ///
    /// # Panics
    /// When the id comes from another set.
    #[must_use]
    pub fn get(&self, file: FileId) -> &Source {
        &self.files[file.index()]
    }

    /// Gives each file the path that a form of output prints.
    pub fn rename(&mut self, name: impl Fn(&str) -> String) {
        for source in &mut self.files {
            source.path = name(&source.path);
        }
    }

    /// Walks the files in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FileId, &Source)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, source)| (FileId(index as u32), source))
    }

    /// Returns how many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Says whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the line table of a file, made when first asked for.
    #[must_use]
    pub fn lines(&self, file: FileId) -> &LineIndex {
        self.lines[file.index()].get_or_init(|| LineIndex::new(&self.get(file).text))
    }

    /// Turns a byte offset into a line and a column.
    #[must_use]
    pub fn place(&self, file: FileId, offset: u32) -> LineColumn {
        self.lines(file).place(&self.get(file).text, offset)
    }
}

/// Where the lines of a text start. A line ends at `\n`, `\r\n` or a lone `\r`.
#[derive(Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Finds the lines of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (index, byte) in bytes.iter().enumerate() {
            let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
            if ends {
                starts.push(index as u32 + 1);
            }
        }
        Self { starts }
    }

    /// Returns the line of a byte offset, from 1.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// Returns the byte offset at which a line (from 1) starts, if there is such a line.
    #[must_use]
    pub fn start(&self, line: u32) -> Option<u32> {
        self.starts.get((line as usize).checked_sub(1)?).copied()
    }

    /// Returns how many lines there are; a text that ends in a line break has an empty last one.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// Returns the bytes of a line (from 1) without its line break.
    #[must_use]
    pub fn range(&self, text: &str, line: u32) -> Option<Span> {
        let start = self.start(line)?;
        let end = self
            .start(line + 1)
            .map_or(text.len(), |next| next as usize);
        let content = text[start as usize..end].trim_end_matches(['\n', '\r']);
        Some(Span::new(start as usize, start as usize + content.len()))
    }

    /// Turns a byte offset into a line and a column. An offset inside a character counts as its start.
    #[must_use]
    pub fn place(&self, text: &str, offset: u32) -> LineColumn {
        let offset = text.floor_char_boundary((offset as usize).min(text.len()));
        let line = self.line(offset as u32);
        let start = self.starts[line as usize - 1] as usize;
        let characters = text[start..offset]
            .chars()
            .filter(|c| *c != '\u{feff}')
            .count();
        LineColumn {
            line,
            column: characters as u32 + 1,
        }
    }
}
