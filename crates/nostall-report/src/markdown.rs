//! A page of documentation for the terminal.

use std::io::{self, Write};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::Options;
use crate::layout::Words;
use crate::paint::{Paint, Part};

/// Writes a page: drawn for a terminal, or where colour is asked for; elsewhere as the Markdown that it is.
///
/// # Errors
/// Those of the writer.
pub fn render_page(page: &str, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    if !options.terminal && !options.color {
        return out.write_all(page.as_bytes());
    }
    let mut drawn = Drawn {
        paint: Paint::new(options.color),
        width: options.width,
        lines: Vec::new(),
        text: String::new(),
        lists: 0,
    };
    for event in Parser::new(page) {
        drawn.take(event);
    }
    writeln!(out, "{}", drawn.lines.join("\n").trim_end())
}

/// What is drawn so far.
struct Drawn {
    paint: Paint,
    width: usize,
    lines: Vec<String>,
    /// The text of the block that is open.
    text: String,
    /// How deep in lists.
    lists: usize,
}

impl Drawn {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => self.paragraph(),
            Event::Start(Tag::List(_)) => {
                self.paragraph();
                self.lists += 1;
            }
            Event::End(TagEnd::List(_)) => self.end_list(),
            Event::End(TagEnd::CodeBlock) => self.code_block(),
            Event::End(TagEnd::Heading(level)) => self.heading(level),
            Event::End(TagEnd::Paragraph | TagEnd::Item) => self.paragraph(),
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(text) => self.text.push_str(&format!("`{text}`")),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            _ => {}
        }
    }

    fn code_block(&mut self) {
        let text = std::mem::take(&mut self.text);
        let code = text.trim_end().lines();
        let lines = code.map(|line| {
            format!("    {}", self.paint.on(Part::Code, line))
                .trim_end()
                .to_owned()
        });
        self.lines.extend(lines);
        self.lines.push(String::new());
    }

    fn heading(&mut self, level: HeadingLevel) {
        let text = std::mem::take(&mut self.text);
        let text = match level {
            HeadingLevel::H1 => text,
            _ => text.to_uppercase(),
        };
        self.lines.push(self.paint.on(Part::Title, &text));
        self.lines.push(String::new());
    }

    fn paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let indent = "  ".repeat(self.lists.saturating_sub(1));
        let text = match self.lists {
            0 => Words::of(&text).hanging(self.width, 0),
            _ => Words::default()
                .whole("-")
                .text(&text)
                .hanging(self.width - indent.len(), indent.len() + 2),
        };
        self.lines
            .push(format!("{indent}{}", self.paint.code(&text)));
        if self.lists == 0 {
            self.lines.push(String::new());
        }
    }

    fn end_list(&mut self) {
        self.paragraph();
        self.lists -= 1;
        if self.lists == 0 {
            self.lines.push(String::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::render_page;
    use crate::Options;

    fn drawn(page: &str, width: usize) -> String {
        let options = Options {
            terminal: true,
            width,
            ..Options::default()
        };
        let mut bytes = Vec::new();
        render_page(page, &options, &mut bytes).expect("a vector takes all");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_terminal_sees_text_and_no_signs() {
        let page = "# a-rule\n\nOne *two* `three four`\nfive [six](x.md).\n\n## Why\n\n- seven eight\n- nine\n\n```rust,bad\nfn f() {\n    g();\n}\n```\n\nEnd.\n";
        let expected = "a-rule\n\nOne two\n`three four` five\nsix.\n\nWHY\n\n- seven eight\n- nine\n\n    fn f() {\n        g();\n    }\n\nEnd.\n";
        assert_eq!(drawn(page, 17), expected);
    }

    #[test]
    fn elsewhere_the_page_stays_markdown() {
        let mut bytes = Vec::new();
        render_page("# x\n", &Options::default(), &mut bytes).expect("a vector takes all");
        assert_eq!(bytes, b"# x\n");
    }
}
