//! Colour: what a part of the output is decides how it looks.

use anstyle::{AnsiColor, Style};
use nostall_model::Risk;
use nostall_model::finding::Severity;

/// Paints, or leaves text as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    color: bool,
}

/// A part of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The word that says how bad it is, and what is marked in the source.
    Grade(Severity),
    /// What stands first in an answer.
    Title,
    /// Frames, line numbers, bullets, arrows.
    Frame,
    /// A label on a further place.
    Further,
    /// Code within a text.
    Code,
}

impl Paint {
    pub(crate) fn new(color: bool) -> Self {
        Self { color }
    }

    /// Paints a text, line by line, so that what wraps around it is not painted.
    pub(crate) fn on(self, part: Part, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = style(part);
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| {
                let rest = line.trim_start_matches(' ');
                let indent = &line[..line.len() - rest.len()];
                format!("{indent}{style}{rest}{style:#}")
            })
            .collect();
        lines.join("\n")
    }

    /// The name of a risk.
    pub(crate) fn risk(self, risk: Risk) -> String {
        self.on(Part::Grade(risk.severity()), risk.name())
    }

    /// Paints what stands between backticks.
    pub(crate) fn code(self, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let parts = text.split('`').enumerate();
        parts
            .map(|(index, part)| match index % 2 {
                0 => part.to_owned(),
                _ => self.on(Part::Code, &format!("`{part}`")),
            })
            .collect()
    }
}

fn style(part: Part) -> Style {
    let bright = |color: AnsiColor| color.on_default().bold();
    match part {
        Part::Grade(Severity::Error) => bright(AnsiColor::BrightRed),
        Part::Grade(Severity::Warning) => bright(AnsiColor::BrightYellow),
        Part::Grade(Severity::Note) => bright(AnsiColor::BrightGreen),
        Part::Title => Style::new().bold(),
        Part::Frame | Part::Further => AnsiColor::Blue.on_default(),
        Part::Code => AnsiColor::Cyan.on_default(),
    }
}
