//! Expressions on one line.

use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Longer texts make no line; this also bounds how deep the parser goes.
const LONGEST_TEXT: usize = 1000;

/// Writes an expression, or arguments in their brackets, on one line, without comments. None where it is no expression that a
/// closure could hold: it awaits, it leaves the function, or it has a text of several lines.
pub(super) fn compact(text: &str) -> Option<String> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    let stream = TokenStream::from_str(text).ok()?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    // Ranges count from where the lexer began, which a thread's earlier texts have moved on.
    let first = tokens.first()?.start;
    let start = text.find(|c: char| !c.is_whitespace())?;
    let mut line = String::new();
    let mut end = start;
    for range in tokens {
        let range = range.start - first + start..range.end - first + start;
        let token = text.get(range.clone())?;
        if token.contains('\n')
            || ["await", "?", "return", "break", "continue", "yield"].contains(&token)
        {
            return None;
        }
        if needs_space(text.get(end..range.start)?, &line, token) {
            line.push(' ');
        }
        line.push_str(token);
        end = range.end;
    }
    let line = line.replace(",)", ")");
    match syn::parse_str::<syn::Expr>(&line) {
        // A condition, and no value.
        Ok(syn::Expr::Let(_)) | Err(_) => None,
        Ok(_) => Some(line),
    }
}

/// The places of all tokens, brackets included.
fn flatten(stream: TokenStream, tokens: &mut Vec<Range<usize>>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let bare = group.delimiter() == Delimiter::None;
                tokens.extend((!bare).then(|| group.span_open().byte_range()));
                flatten(group.stream(), tokens);
                tokens.extend((!bare).then(|| group.span_close().byte_range()));
            }
            other => tokens.push(other.span().byte_range()),
        }
    }
}

/// Keeps the spaces of a line; a line break in a chain or within brackets is none.
fn needs_space(gap: &str, before: &str, token: &str) -> bool {
    let breaks = gap.contains('\n');
    let opens = before.ends_with(['(', '[']);
    let goes_on = token.starts_with(['.', ')', ']']);
    !gap.is_empty() && !(breaks && (opens || goes_on))
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn line_breaks_and_comments_go() {
        let text = "self.store // the store\n    .load(\n        id, /* which */ \"a  b\",\n    )";
        assert_eq!(
            compact(text).as_deref(),
            Some("self.store.load(id, \"a  b\")")
        );
        assert_eq!(compact("  a + b ").as_deref(), Some("a + b"));
        assert_eq!(compact("(a, b)").as_deref(), Some("(a, b)"));
        assert_eq!(compact("()").as_deref(), Some("()"));
    }

    #[test]
    fn what_a_closure_cannot_hold_is_refused() {
        for text in ["load().await", "a?.b()", "\"a\nb\"", "let x = 1", "f(", ""] {
            assert_eq!(compact(text), None, "{text}");
        }
    }
}
