//! Lines of the source, each with what it says of one call marked below.
//!
//! What a general library for diagnostics does not do is why this one is our own: nothing is wider than the terminal. Of a long
//! line only the part around the mark is shown, and a label that has no room beside the mark goes below it, in several lines if
//! need be.

use nostall_model::Sources;
use nostall_model::finding::Place;
use unicode_width::UnicodeWidthChar as _;

use crate::layout::{Words, columns};
use crate::paint::{Paint, Part};
use crate::words::printable;

/// Tabs are shown as this many spaces at the most.
const TAB: usize = 4;
/// Labels get at least this room.
const LABEL_ROOM: usize = 30;

/// One marked place with its label.
pub(crate) struct Marked {
    pub(crate) place: Place,
    pub(crate) label: String,
    /// The part that the mark is, and its sign.
    pub(crate) part: Part,
    pub(crate) sign: char,
}

/// How many columns the numbers of these places' lines take.
pub(crate) fn gutter(sources: &Sources, marked: &[Marked]) -> usize {
    let numbers = marked
        .iter()
        .map(|marked| line_number(sources, marked.place).to_string().len());
    numbers.max().unwrap_or(1)
}

/// Draws a place: its path, its line, the mark, the label.
pub(crate) fn draw(
    sources: &Sources,
    marked: &Marked,
    gutter: usize,
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let at = sources.place(marked.place.file, marked.place.span.start);
    let path = printable(&sources.get(marked.place.file).path);
    let room = width.saturating_sub(gutter + 3).max(LABEL_ROOM);
    let line = window(&shown_line(sources, marked.place), room);
    let empty = paint.on(Part::Frame, &format!("{:gutter$} │", ""));
    let number = paint.on(Part::Frame, &format!("{:>gutter$} │", at.line));
    let mut lines = vec![
        format!(
            "{} {path}:{}:{}",
            paint.on(Part::Frame, &format!("{:gutter$} ┌─", "")),
            at.line,
            at.column
        ),
        empty.clone(),
        format!("{number} {}", line.text).trim_end().to_owned(),
    ];
    let below = underline(&line, marked, room, paint);
    lines.extend(below.iter().map(|text| format!("{empty} {text}")));
    lines.push(empty);
    lines
}

fn line_number(sources: &Sources, place: Place) -> u32 {
    sources.place(place.file, place.span.start).line
}

/// The mark with its label: beside it if there is room, else below it.
fn underline(line: &Shown, marked: &Marked, room: usize, paint: Paint) -> Vec<String> {
    let before = " ".repeat(line.start);
    let marks = marked
        .sign
        .to_string()
        .repeat((line.end - line.start).max(1));
    let marks = paint.on(marked.part, &marks);
    let label = Words::of(&marked.label);
    let beside = room.saturating_sub(line.end.max(line.start + 1) + 1);
    let lines = label.lines(beside, beside);
    match lines.as_slice() {
        [] => vec![format!("{before}{marks}")],
        [only] if columns(only) <= beside => {
            vec![format!("{before}{marks} {}", paint.on(marked.part, only))]
        }
        _ => {
            let indent = line
                .start
                .min(room.saturating_sub(LABEL_ROOM.max(room / 2)));
            let lines = label.lines(room - indent, room - indent);
            let below = lines
                .iter()
                .map(|line| format!("{}{}", " ".repeat(indent), paint.on(marked.part, line)));
            std::iter::once(format!("{before}{marks}"))
                .chain(below)
                .collect()
        }
    }
}

/// A line as it is shown, with the columns of its mark.
struct Shown {
    text: String,
    start: usize,
    end: usize,
}

/// The line of a place: control characters become pictures, tabs become spaces.
fn shown_line(sources: &Sources, place: Place) -> Shown {
    let source = sources.get(place.file);
    let index = sources.lines(place.file);
    let number = index.line(place.span.start);
    let line = index.range(&source.text, number).unwrap_or_default();
    let text = &source.text[line.range()];
    let (from, to) = (
        place.span.start - line.start,
        place.span.end.min(line.end).saturating_sub(line.start),
    );
    let mut shown = Shown {
        text: String::new(),
        start: 0,
        end: 0,
    };
    let mut column = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| *c != '\u{feff}') {
        if at <= from as usize {
            shown.start = column;
        }
        if c == '\t' {
            let spaces = TAB - column % TAB;
            shown.text.extend(std::iter::repeat_n(' ', spaces));
            column += spaces;
        } else {
            let mut letter = [0; 4];
            let letter = printable(c.encode_utf8(&mut letter)).into_owned();
            column += columns(&letter);
            shown.text.push_str(&letter);
        }
        if at < to as usize {
            shown.end = column;
        }
    }
    if from as usize >= text.len() {
        shown.start = column;
    }
    shown.text.truncate(shown.text.trim_end().len());
    shown.end = shown.end.max(shown.start);
    shown
}

/// Cuts a line that is too long to what stands around its mark.
fn window(line: &Shown, room: usize) -> Shown {
    if columns(&line.text) <= room {
        return Shown {
            text: line.text.clone(),
            ..*line
        };
    }
    let from = if line.end < room {
        0
    } else {
        let before = (room / 3).min(room.saturating_sub(line.end - line.start + 2));
        line.start.saturating_sub(before)
    };
    let sign = usize::from(from > 0);
    let mut text = "…".repeat(sign);
    let mut column = 0;
    let mut first = None;
    for c in line.text.chars() {
        let end = column + c.width().unwrap_or(0);
        if column >= from + sign && end < from + room {
            first.get_or_insert(column);
            text.push(c);
        }
        column = end;
    }
    if column >= from + room {
        text.push('…');
    }
    let last = columns(&text);
    let moved = |at: usize| (at + sign).saturating_sub(first.unwrap_or(from)).min(last);
    Shown {
        start: moved(line.start),
        end: moved(line.end),
        text,
    }
}

#[cfg(test)]
mod tests {
    use nostall_model::finding::{Place, Severity};
    use nostall_model::{Language, Role, Source, Sources, Span};
    use unicode_width::UnicodeWidthStr as _;

    use super::{Marked, draw};
    use crate::paint::{Paint, Part};

    /// Draws the line of a text in which a word is marked.
    fn drawn(text: &str, word: &str, label: &str, width: usize) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add(Source {
            path: "a.py".to_owned(),
            language: Language::Python,
            role: Role::Report,
            text: text.into(),
            decoded: false,
        });
        let start = text.find(word).expect("the text has it");
        let marked = Marked {
            place: Place {
                file,
                span: Span::new(start, start + word.len()),
            },
            label: label.to_owned(),
            part: Part::Grade(Severity::Error),
            sign: '^',
        };
        draw(&sources, &marked, 1, width, Paint::new(false))
    }

    #[test]
    fn a_long_line_is_cut_around_its_mark() {
        let long = format!("{}, stall(), {}", "字".repeat(100), "b".repeat(300));
        for (text, cut) in [(long.as_str(), true), ("stall()", false)] {
            let lines = drawn(text, "stall", "waits for ever and a day", 60);
            let source = &lines[2];
            assert_eq!(source.contains('…'), cut, "{source}");
            assert!(lines.iter().all(|line| line.width() <= 60), "{lines:#?}");
            let start = lines[3].find('^').expect("a mark");
            let before = source.split("stall").next().expect("a part");
            assert_eq!(before.width(), lines[3][..start].width(), "{lines:#?}");
        }
    }

    #[test]
    fn tabs_and_a_byte_order_mark_do_not_move_the_mark() {
        let lines = drawn("\u{feff}\ta\tstall()", "stall", "waits", 60);
        assert_eq!(lines[2], "1 │     a   stall()");
        assert_eq!(lines[3], "  │         ^^^^^ waits");
    }

    #[test]
    fn a_label_without_room_beside_its_mark_stands_below() {
        let text = format!("{}stall()", " ".repeat(40));
        let lines = drawn(&text, "stall", "waits until all is done and then some", 60);
        assert_eq!(lines[3].trim_end().chars().last(), Some('^'));
        assert!(lines[4].contains("waits until"), "{lines:#?}");
        assert!(lines.iter().all(|line| line.width() <= 60), "{lines:#?}");
    }

    #[test]
    fn a_mark_wider_than_the_terminal_ends_with_it() {
        let text = format!("{}()", "s".repeat(200));
        let lines = drawn(&text, &"s".repeat(200), "waits", 60);
        assert!(lines.iter().all(|line| line.width() <= 60), "{lines:#?}");
    }
}
