//! Expressions on one line.

/// Writes an expression on one line, without comments. None where a text of several lines stands in it.
pub(super) fn one_line(text: &str) -> Option<String> {
    let mut line = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => {
                let length = text_length(rest, first)?;
                let literal = &rest[..length];
                if literal.contains('\n') {
                    return None;
                }
                line.push_str(literal);
                length
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '\\' if rest[1..].starts_with('\n') => 1,
            c if c.is_whitespace() => {
                let length = rest.len() - rest.trim_start().len();
                add_gap(&mut line, &rest[..length], &rest[length..]);
                length
            }
            c => {
                line.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    let line = line.trim().replace(",)", ")");
    (!line.is_empty()).then_some(line)
}

/// A line break within brackets, or before the next link of a chain, is no space.
fn add_gap(line: &mut String, gap: &str, after: &str) {
    let breaks = gap.contains('\n') || line.ends_with(' ');
    let opens = line.ends_with(['(', '[', '{']);
    let goes_on = after.starts_with(['.', ')', ']', '}', '#']);
    if !(breaks && (opens || goes_on) || line.ends_with(' ') || line.is_empty()) {
        line.push(' ');
    }
}

/// How many bytes a literal has, its quotes included; none where it does not end.
fn text_length(rest: &str, quote: char) -> Option<usize> {
    let triple: String = [quote; 3].iter().collect();
    let end = if rest.starts_with(&triple) {
        triple
    } else {
        quote.to_string()
    };
    let mut at = end.len();
    while let Some(c) = rest.get(at..)?.chars().next() {
        if rest[at..].starts_with(&end) {
            return Some(at + end.len());
        }
        at += c.len_utf8();
        if c == '\\' {
            at += rest.get(at..)?.chars().next()?.len_utf8();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn line_breaks_and_comments_go() {
        let text = "load(\n    path,  # which\n    mode='r b',\n)";
        assert_eq!(one_line(text).as_deref(), Some("load(path, mode='r b')"));
        let text = "(query\n    .filter(x)\n    .all())";
        assert_eq!(one_line(text).as_deref(), Some("(query.filter(x).all())"));
        assert_eq!(one_line("a if b else c").as_deref(), Some("a if b else c"));
        assert_eq!(
            one_line("f('#', \"it's\")").as_deref(),
            Some("f('#', \"it's\")")
        );
    }

    #[test]
    fn texts_of_several_lines_are_refused() {
        assert_eq!(one_line("f('''a\nb''')"), None);
        assert_eq!(one_line("f('a"), None);
        assert_eq!(one_line(""), None);
    }
}
