//! The part of a file that is Rust: without byte order mark, shebang and frontmatter.

/// A file's text with the part that is lexed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// All of it; spans are offsets in here.
    pub(crate) whole: &'a str,
    /// Where the code begins.
    pub(crate) base: usize,
}

impl<'a> Text<'a> {
    pub(crate) fn new(whole: &'a str) -> Self {
        let mut base = if whole.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        base += shebang(&whole[base..]);
        base += frontmatter(&whole[base..]);
        Self { whole, base }
    }

    /// Returns the code.
    pub(crate) fn code(&self) -> &'a str {
        &self.whole[self.base..]
    }
}

/// The length of `#!/usr/bin/env ..`. The beginning of an inner attribute, `#![..]`, is none.
fn shebang(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("#!") else {
        return 0;
    };
    if rest.trim_start().starts_with('[') {
        return 0;
    }
    text.find('\n').unwrap_or(text.len())
}

/// The length of a manifest that a script carries between lines of `---`.
fn frontmatter(text: &str) -> usize {
    let start = text.len() - text.trim_start().len();
    let body = &text[start..];
    let fence = body.len() - body.trim_start_matches('-').len();
    if fence < 3 {
        return 0;
    }
    let closing = format!("\n{}", "-".repeat(fence));
    body.find(&closing)
        .map_or(0, |end| start + end + closing.len())
}
