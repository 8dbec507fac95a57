//! Values that are written out.

use nostall_model::facts::Literal;

use super::tree::Node;

/// Longer texts are not looked at by anyone: documentation, queries, templates.
const MAX_TEXT: usize = 256;

/// The value of a string.
pub(super) enum Text {
    Bytes,
    /// Too long to be kept.
    Long,
    Short(String),
}

/// Reads a number.
pub(super) fn number(text: &str) -> Literal {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let radix = match digits.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    let whole = if radix == 10 { &digits } else { &digits[2..] };
    if let Ok(value) = i64::from_str_radix(whole, radix) {
        return Literal::Int(value);
    }
    let is_real = radix == 10
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
    match digits.parse() {
        Ok(value) if is_real && digits.contains(['.', 'e']) => Literal::Float(value),
        _ => Literal::Other,
    }
}

/// Says whether a string, or one of several next to each other, holds values.
pub(super) fn has_interpolation(node: Node<'_>) -> bool {
    node.named_children().any(|child| match child.kind() {
        "interpolation" => true,
        "string" => has_interpolation(child),
        _ => false,
    })
}

/// Reads a string, or several next to each other.
pub(super) fn string(node: Node<'_>, text: &str) -> Text {
    if node.byte_range().len() > MAX_TEXT {
        return if prefix(node, text).contains('b') {
            Text::Bytes
        } else {
            Text::Long
        };
    }
    if node.kind() == "string" {
        return one_string(node, text);
    }
    let mut joined = String::new();
    for part in node
        .named_children()
        .filter(|child| child.kind() == "string")
    {
        match one_string(part, text) {
            Text::Short(value) => joined.push_str(&value),
            other => return other,
        }
    }
    Text::Short(joined)
}

fn one_string(node: Node<'_>, text: &str) -> Text {
    let prefix = prefix(node, text);
    if prefix.contains('b') {
        return Text::Bytes;
    }
    let mut value = String::new();
    for content in node
        .named_children()
        .filter(|child| child.kind() == "string_content")
    {
        let content = &text[content.byte_range()];
        if prefix.contains('r') {
            value.push_str(content);
        } else {
            unescape(content, &mut value);
        }
    }
    Text::Short(value)
}

/// The letters before the quote, in lower case.
fn prefix(node: Node<'_>, text: &str) -> String {
    let mut start = node;
    while let Some(child) = start.child(0) {
        start = child;
    }
    let letters = text[start.byte_range()].trim_end_matches(['"', '\'']);
    letters.to_ascii_lowercase()
}

/// Resolves the escapes that are one character long; the others stay as they are written.
fn unescape(content: &str, value: &mut String) {
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some('0') => value.push('\0'),
            Some('\n') | None => {}
            Some(quoted @ ('\\' | '\'' | '"')) => value.push(quoted),
            Some(other) => value.extend(['\\', other]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number("10_000"), Literal::Int(10_000));
        assert_eq!(number("0xFF"), Literal::Int(255));
        assert_eq!(number("1.5e3"), Literal::Float(1500.0));
        assert_eq!(number("1e-3"), Literal::Float(0.001));
        for other in [
            "1j",
            "99999999999999999999",
            "0x",
            "",
            "é",
            "infinity",
            "12L",
        ] {
            assert_eq!(number(other), Literal::Other, "{other}");
        }
    }

    #[test]
    fn escapes() {
        let mut value = String::new();
        unescape(r"a\n\'\x41\", &mut value);
        assert_eq!(value, "a\n'\\x41");
    }
}
