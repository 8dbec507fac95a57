//! Format strings: which values are written into a text.

use std::ops::Range;

use nostall_model::Span;
use nostall_model::facts::{Argument, CallKind, ExprId};
use rustc_hash::FxHashSet;

use super::invocations::text_literal;
use super::lower::Lower;
use super::macro_arguments::MacroArgument;

/// Where the source does not say by which trait a value is shown.
const ANY_TRAIT: &str = "fmt";

/// What a placeholder of a format string shows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    /// The next argument.
    Next,
    /// The argument at a position.
    Position(usize),
    /// A named argument, or a variable; with its place in the literal.
    Name(String, Range<usize>),
}

impl Lower<'_> {
    /// Records the calls that write arguments of a macro into a text.
    pub(crate) fn formatted(&mut self, list: &[MacroArgument], lowered: &[Argument]) {
        for (argument, known) in list.iter().zip(lowered) {
            if argument.shown {
                self.show(known.value, ANY_TRAIT);
            }
        }
        for (index, argument) in list.iter().enumerate() {
            let Some(literal) = text_literal(argument) else {
                continue;
            };
            let rest = &lowered[index + 1..];
            let positional: Vec<ExprId> = rest
                .iter()
                .filter(|it| it.name.is_none())
                .map(|it| it.value)
                .collect();
            let text = literal.token().to_string();
            if let Some(shown) = format_string(&text, positional.len()) {
                let token = self.token(literal.span());
                // A literal that a macro has put together has no places of its own within.
                let place = if token.range().len() == text.len() {
                    Some(token.start)
                } else {
                    None
                };
                self.show_all(&shown, &positional, rest, (token, place));
                return;
            }
        }
    }

    fn show_all(
        &mut self,
        shown: &[(Shown, &str)],
        positional: &[ExprId],
        rest: &[Argument],
        place: (Span, Option<u32>),
    ) {
        let mut next = 0;
        let mut seen: FxHashSet<(ExprId, &str)> = FxHashSet::default();
        for (placeholder, trait_) in shown {
            let value = match placeholder {
                Shown::Next => {
                    next += 1;
                    positional.get(next - 1).copied()
                }
                Shown::Position(index) => positional.get(*index).copied(),
                Shown::Name(name, range) => Some(self.named_in_text(name, range, rest, place)),
            };
            if let Some(value) = value.filter(|value| seen.insert((*value, *trait_))) {
                self.show(value, trait_);
            }
        }
    }

    /// A named argument, or a variable.
    fn named_in_text(
        &mut self,
        name: &str,
        range: &Range<usize>,
        rest: &[Argument],
        (token, place): (Span, Option<u32>),
    ) -> ExprId {
        let name = self.builder.name(name.trim_start_matches("r#"));
        if let Some(given) = rest.iter().find(|argument| argument.name == Some(name)) {
            return given.value;
        }
        let within =
            |start: u32| Span::new(start as usize + range.start, start as usize + range.end);
        self.named(name, place.map_or(token, within))
    }

    /// The callee is named by the trait of `std::fmt` that it belongs to.
    fn show(&mut self, value: ExprId, trait_: &str) {
        if !self.is_literal(value) {
            let span = self.builder.facts.expr(value).span;
            self.builder.implicit(CallKind::Format, value, trait_, span);
        }
    }
}

/// Reads a literal as a format string for so many positional arguments; none if it is not one.
fn format_string(literal: &str, positional: usize) -> Option<Vec<(Shown, &'static str)>> {
    let shown = placeholders(literal)?;
    let implicit = shown
        .iter()
        .filter(|(it, _)| matches!(it, Shown::Next))
        .count();
    let fits = implicit <= positional
        && shown
            .iter()
            .all(|(it, _)| !matches!(it, Shown::Position(index) if *index >= positional));
    // A text without placeholders before other arguments is just a text.
    let plain = shown.is_empty() && positional > 0;
    (fits && !plain).then_some(shown)
}

/// Finds the placeholders in a literal as it is written.
fn placeholders(literal: &str) -> Option<Vec<(Shown, &'static str)>> {
    let escapes = !literal.starts_with('r');
    let bytes = literal.as_bytes();
    let mut shown = Vec::new();
    let mut at = literal.find('"')? + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes && bytes[at..].starts_with(b"\\u{") => {
                at += literal[at..].find('}')? + 1;
            }
            b'\\' if escapes => at += 2,
            b'{' if bytes.get(at + 1) == Some(&b'{') => at += 2,
            b'}' if bytes.get(at + 1) == Some(&b'}') => at += 2,
            b'}' => return None,
            b'{' => {
                let end = at + literal[at..].find('}')?;
                placeholder(&literal[at + 1..end], at + 1, &mut shown)?;
                at = end + 1;
            }
            _ => at += 1,
        }
    }
    Some(shown)
}

/// Reads what stands between braces: `name:width$.precision$?`.
fn placeholder(content: &str, offset: usize, shown: &mut Vec<(Shown, &'static str)>) -> Option<()> {
    let (argument, spec) = content.split_once(':').unwrap_or((content, ""));
    if spec.contains('{') {
        return None;
    }
    let trait_ = trait_of(spec);
    if spec.contains(".*") {
        shown.push((Shown::Next, "Display"));
    }
    let name = argument.trim();
    let start = offset + (argument.len() - argument.trim_start().len());
    if name.is_empty() {
        shown.push((Shown::Next, trait_));
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        shown.push((Shown::Position(name.parse().ok()?), trait_));
    } else if is_name(name) {
        let place = start..start + name.len();
        shown.push((Shown::Name(name.to_owned(), place), trait_));
    } else {
        return None;
    }
    Some(())
}

/// The trait that a placeholder's type asks for.
fn trait_of(spec: &str) -> &'static str {
    let spec = spec.trim_end();
    match spec.as_bytes().last() {
        Some(b'?') => "Debug",
        Some(b'x') if !spec.ends_with("#?x") => "LowerHex",
        Some(b'X') => "UpperHex",
        Some(b'o') => "Octal",
        Some(b'b') => "Binary",
        Some(b'e') => "LowerExp",
        Some(b'E') => "UpperExp",
        Some(b'p') => "Pointer",
        _ => "Display",
    }
}

fn is_name(text: &str) -> bool {
    let text = text.strip_prefix("r#").unwrap_or(text);
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|character| character.is_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(literal: &str) -> Option<Vec<Shown>> {
        let shown = placeholders(literal)?;
        Some(shown.into_iter().map(|(shown, _)| shown).collect())
    }

    #[test]
    fn placeholders_are_found_as_written() {
        assert_eq!(
            names(r#""a {} {{}} {0}""#),
            Some(vec![Shown::Next, Shown::Position(0)])
        );
        assert_eq!(
            names(r#""\u{7b} {name:>5}""#),
            Some(vec![Shown::Name("name".to_owned(), 9..13)])
        );
        assert_eq!(
            names(r##"r#"{ x }"#"##),
            Some(vec![Shown::Name("x".to_owned(), 5..6)])
        );
    }

    #[test]
    fn other_texts_have_none() {
        assert_eq!(names(r#""a } b""#), None);
        assert_eq!(names(r#""{a b}""#), None);
        assert_eq!(names(r#""{""#), None);
    }
}
