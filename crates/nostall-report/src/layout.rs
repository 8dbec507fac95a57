//! Text that fits a terminal: words are put on lines, and what must stay whole stays whole.

use unicode_width::UnicodeWidthStr as _;

use crate::words::printable;

/// How many columns a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Words of a text, to be put on lines. Code between backticks is one word: a command that is split cannot be copied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// Takes a text apart.
    pub(crate) fn of(text: &str) -> Self {
        Self::default().text(text)
    }

    /// Adds the words of a text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        let mut in_code = false;
        let is_break = |c: char| {
            in_code ^= c == '`';
            c == ' ' && !in_code
        };
        let words = text.split(is_break).filter(|word| !word.is_empty());
        self.0
            .extend(words.map(|word| printable(word).into_owned()));
        self
    }

    /// Adds a text that stays on one line: a path, a command.
    pub(crate) fn whole(mut self, text: &str) -> Self {
        self.0.push(printable(text).into_owned());
        self
    }

    /// Puts the words on lines of so many columns; a word that is longer has a line of its own.
    pub(crate) fn lines(&self, first: usize, rest: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in &self.0 {
            let room = if lines.len() > 1 { rest } else { first };
            match lines.last_mut() {
                Some(line) if columns(line) + 1 + columns(word) <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.clone()),
            }
        }
        lines
    }

    /// Puts the words on lines; those after the first are indented.
    pub(crate) fn hanging(&self, width: usize, indent: usize) -> String {
        let lines = self.lines(width, width.saturating_sub(indent));
        lines.join(&format!("\n{}", " ".repeat(indent)))
    }
}

/// A path as a shell takes it.
pub(crate) fn for_shell(path: &str) -> String {
    shlex::try_quote(path).map_or_else(|_| path.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::{Words, for_shell};

    #[test]
    fn code_and_paths_are_not_split() {
        let words = Words::of("use `a b c d` here").whole("my file.py:3");
        assert_eq!(
            words.lines(8, 8),
            ["use", "`a b c d`", "here", "my file.py:3"]
        );
        assert_eq!(words.hanging(20, 2), "use `a b c d` here\n  my file.py:3");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(Words::of("字字 字字").lines(8, 8), ["字字", "字字"]);
    }

    #[test]
    fn a_shell_gets_paths_in_quotes_where_it_must() {
        assert_eq!(for_shell("src/main.rs:3"), "src/main.rs:3");
        assert_eq!(for_shell("my file.py:3"), "'my file.py:3'");
    }
}
