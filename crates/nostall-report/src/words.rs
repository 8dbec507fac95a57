//! Small texts: counts with separators, plurals, shares, characters that a terminal must not get.

use std::borrow::Cow;

/// Writes a number with a comma before each three digits.
pub(crate) fn number(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number with its noun: "1 file", "2 files".
pub(crate) fn count(value: usize, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        number(value),
        if value == 1 { "" } else { "s" }
    )
}

/// Writes a share in whole percents that never says 0 or 100 of what is neither.
pub(crate) fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let exact = 100.0 * part as f64 / whole as f64;
    match part {
        0 => "0 %".to_owned(),
        _ if part == whole => "100 %".to_owned(),
        _ => format!("{} %", exact.round().clamp(1.0, 99.0)),
    }
}

/// Shows control characters as pictures of the same width, so that a source cannot speak to the terminal. Tabs and line
/// breaks stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| if is_unprintable(c) { picture(c) } else { c })
            .collect(),
    )
}

fn is_unprintable(c: char) -> bool {
    let direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || direction
}

fn picture(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ => '\u{fffd}',
    }
}

#[cfg(test)]
mod tests {
    use super::{count, number, percent, printable};

    #[test]
    fn numbers_have_separators() {
        assert_eq!(
            [0, 999, 1000, 4812, 1_234_567].map(number),
            ["0", "999", "1,000", "4,812", "1,234,567"]
        );
        assert_eq!(
            (count(1, "file"), count(0, "file")),
            ("1 file".to_owned(), "0 files".to_owned())
        );
    }

    #[test]
    fn shares_do_not_hide_the_rest() {
        assert_eq!(
            [(1, 1000), (999, 1000), (0, 5), (5, 5), (0, 0)].map(|(a, b)| percent(a, b)),
            ["1 %", "99 %", "0 %", "100 %", "0 %"]
        );
    }

    #[test]
    fn escape_codes_become_pictures() {
        assert_eq!(
            printable("a\u{1b}[31mb\tc\u{9b}"),
            "a\u{241b}[31mb\tc\u{fffd}"
        );
    }
}
