//! The source as codespan draws it: lines that a terminal can show, and spans that fit them.
//!
//! A line is shown as it is, with two exceptions: control characters become pictures, and of a very long line only the part
//! around the label is shown. So each file of a finding is a text of its own, with its own offsets.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};
use nostall_model::finding::Place;
use nostall_model::{Report, Sources};

use crate::words::printable;

/// Longer lines are cut to what stands around the label.
const LONGEST_LINE: usize = 200;
/// How much of a long line stands before the label.
const BEFORE: usize = 60;

/// The lines that one diagnostic shows, as files for codespan: one per place.
pub(crate) struct Shown<'a> {
    sources: &'a Sources,
    lines: Vec<Line>,
}

/// One line of a source, ready to be shown.
struct Line {
    file: nostall_model::FileId,
    number: u32,
    text: String,
    /// Where columns begin: the characters cut off at the start.
    cut: usize,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(report: &'a Report) -> Self {
        Self {
            sources: &report.sources,
            lines: Vec::new(),
        }
    }

    /// Makes the line of a place ready; answers its number and the label's bytes in it.
    pub(crate) fn add(&mut self, place: Place) -> (usize, Range<usize>) {
        let source = self.sources.get(place.file);
        let index = self.sources.lines(place.file);
        let number = index.line(place.span.start);
        let line = index.range(&source.text, number).unwrap_or_default();
        let text = &source.text[line.range()];
        let start = (place.span.start - line.start) as usize;
        let end = ((place.span.end.min(line.end)).saturating_sub(line.start) as usize)
            .clamp(start.min(text.len()), text.len());
        let (text, start, end, cut) = window(
            text,
            text.floor_char_boundary(start.min(text.len())),
            text.floor_char_boundary(end),
        );
        let shown = printable(&text[..start]).len();
        let label = shown..shown + printable(&text[start..end]).len();
        let text = printable(text).into_owned();
        self.lines.push(Line {
            file: place.file,
            number,
            text,
            cut,
        });
        (self.lines.len() - 1, label)
    }
}

/// Cuts a long line to what stands around a label; answers the label's place in the rest.
fn window(text: &str, start: usize, end: usize) -> (&str, usize, usize, usize) {
    let mark = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let (text, start, end) = (
        &text[mark..],
        start.saturating_sub(mark),
        end.saturating_sub(mark),
    );
    if text.len() <= LONGEST_LINE {
        return (text, start, end, 0);
    }
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    let to = text.floor_char_boundary((from + LONGEST_LINE).min(text.len()));
    let cut = text[..from].chars().count();
    (&text[from..to], start - from, end.min(to) - from, cut)
}

impl<'f> Files<'f> for Shown<'_> {
    type FileId = usize;
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, id: usize) -> Result<Self::Name, Error> {
        Ok(&self.sources.get(self.line(id)?.file).path)
    }

    fn source(&'f self, id: usize) -> Result<Self::Source, Error> {
        Ok(&self.line(id)?.text)
    }

    fn line_index(&'f self, _id: usize, _byte_index: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn line_number(&'f self, id: usize, _line_index: usize) -> Result<usize, Error> {
        Ok(self.line(id)?.number as usize)
    }

    fn column_number(
        &'f self,
        id: usize,
        _line_index: usize,
        byte_index: usize,
    ) -> Result<usize, Error> {
        let line = self.line(id)?;
        let before = line.text.get(..byte_index).unwrap_or(&line.text);
        Ok(line.cut + before.chars().count() + 1)
    }

    fn line_range(&'f self, id: usize, line_index: usize) -> Result<Range<usize>, Error> {
        match line_index {
            0 => Ok(0..self.line(id)?.text.len()),
            _ => Err(Error::LineTooLarge {
                given: line_index,
                max: 0,
            }),
        }
    }
}

impl Shown<'_> {
    fn line(&self, id: usize) -> Result<&Line, Error> {
        self.lines.get(id).ok_or(Error::FileMissing)
    }
}
