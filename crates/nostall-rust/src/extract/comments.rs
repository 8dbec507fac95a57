//! Comments that speak to tools. They are not tokens: they stand in the gaps between tokens, so never within strings.

use nostall_model::Span;
use nostall_model::facts::Comment;
use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::repair::Lexed;
use super::spans::Places;

/// What a comment must contain to be of use to anybody.
const MARKS: [&str; 4] = ["nostall", "Nostall", "NOSTALL", "noqa"];

/// Finds the comments with a mark, in order.
pub(crate) fn find(lexed: &Lexed<'_>, places: &Places<'_>) -> Vec<Comment> {
    if !is_marked(&lexed.code) {
        return Vec::new();
    }
    let mut gaps = Gaps {
        code: &lexed.code,
        places,
        cursor: 0,
        comments: Vec::new(),
    };
    gaps.walk(&lexed.tokens);
    gaps.token(lexed.code.len()..lexed.code.len());
    gaps.comments
}

fn is_marked(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark))
}

struct Gaps<'a> {
    code: &'a str,
    places: &'a Places<'a>,
    /// Where the last token ended.
    cursor: usize,
    comments: Vec<Comment>,
}

impl Gaps<'_> {
    /// Visits all tokens in order. Not by recursion: nesting is not bounded here.
    fn walk(&mut self, tokens: &TokenStream) {
        let mut open: Vec<(IntoIter, std::ops::Range<usize>)> =
            vec![(tokens.clone().into_iter(), 0..0)];
        while let Some((rest, close)) = open.last_mut() {
            match rest.next() {
                Some(TokenTree::Group(group)) => {
                    let bare = group.delimiter() == Delimiter::None;
                    let close = if bare {
                        0..0
                    } else {
                        self.places.range(group.span_close())
                    };
                    if !bare {
                        self.token(self.places.range(group.span_open()));
                    }
                    open.push((group.stream().into_iter(), close));
                }
                Some(token) => self.token(self.places.range(token.span())),
                None => {
                    let close = close.clone();
                    open.pop();
                    self.token(close);
                }
            }
        }
    }

    fn token(&mut self, range: std::ops::Range<usize>) {
        if range.start > self.cursor {
            self.gap(self.cursor, range.start);
        }
        self.cursor = self.cursor.max(range.end);
    }

    /// Looks through a gap: it holds nothing but blanks and comments.
    fn gap(&mut self, start: usize, end: usize) {
        let Some(gap) = self.code.get(start..end) else {
            return;
        };
        let mut offset = 0;
        while let Some(found) = gap[offset..].find('/') {
            let comment = offset + found;
            let length = comment_length(&gap[comment..]);
            self.comment(start + comment, &gap[comment..comment + length]);
            offset = comment + length;
        }
    }

    fn comment(&mut self, start: usize, text: &str) {
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            if is_marked(line) {
                let content = line.trim();
                let from =
                    self.places.base() + start + offset + (line.len() - line.trim_start().len());
                self.comments.push(Comment {
                    span: Span::new(from, from + content.len()),
                });
            }
            offset += line.len();
        }
    }
}

/// The length of the comment that a text begins with; block comments nest.
fn comment_length(text: &str) -> usize {
    if !text.starts_with("/*") {
        return text.find('\n').unwrap_or(text.len());
    }
    let mut depth = 0_usize;
    let mut offset = 0;
    while offset < text.len() {
        let rest = &text.as_bytes()[offset..];
        if rest.starts_with(b"/*") {
            depth += 1;
            offset += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            offset += 2;
            if depth == 0 {
                return offset;
            }
        } else {
            offset += 1;
        }
    }
    text.len()
}
