//! A [`Report`] as text: one file per format. Renderers get a finished value and write bytes.

mod explain;
mod github;
mod graph;
mod human;
mod json;
pub mod sentences;
mod snippets;
mod summary;
mod words;

use std::io::{self, Write};

pub use explain::{
    render_api, render_functions, render_functions_json, render_line, render_line_json,
};
pub use graph::{GraphFormat, render_graph};

use nostall_model::finding::Problem;
use nostall_model::{Confidence, Report, Risk};

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, with the source.
    Human,
    /// One JSON value.
    Json,
    /// One JSON value a finding, each on its own line.
    Jsonl,
    /// Workflow commands of GitHub Actions.
    Github,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Human, Self::Json, Self::Jsonl, Self::Github];

    /// Returns the name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Github => "github",
        }
    }

    /// Says whether the output holds the problems itself; where it does not, they are written apart.
    #[must_use]
    pub fn holds_problems(self) -> bool {
        self == Self::Json
    }
}

/// How to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// With the escape codes of a terminal.
    pub color: bool,
    /// Columns of the output.
    pub width: usize,
    /// All findings in full, none grouped.
    pub all: bool,
    /// Findings alone, without the last lines of a run.
    pub quiet: bool,
    /// A table of rules and risks.
    pub statistics: bool,
    /// The list of calls that are not known.
    pub unresolved: bool,
    /// On a terminal the worst are shown in full and the rest a line each.
    pub terminal: bool,
    /// The threshold that findings had to meet.
    pub min_risk: Risk,
    /// The threshold that findings had to meet.
    pub min_confidence: Confidence,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
            all: false,
            quiet: false,
            statistics: false,
            unresolved: false,
            terminal: false,
            min_risk: Risk::Medium,
            min_confidence: Confidence::Likely,
        }
    }
}

/// Writes a report.
///
/// # Errors
/// Those of the writer.
pub fn render(
    report: &Report,
    format: Format,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::render(report, options, out),
        Format::Json => json::render(report, options, out),
        Format::Jsonl => json::render_lines(report, out),
        Format::Github => github::render(report, out),
    }
}

/// Writes the last lines of a run: findings by risk, what is hidden, coverage.
///
/// # Errors
/// Those of the writer.
pub fn render_summary(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    summary::render(report, options, out)
}

/// Writes problems, a line each.
///
/// # Errors
/// Those of the writer.
pub fn render_problems(
    report: &Report,
    problems: &[Problem],
    out: &mut dyn Write,
) -> io::Result<()> {
    for problem in problems {
        let place = problem.place.map_or_else(String::new, |place| {
            let at = report.sources.place(place.file, place.span.start);
            format!(":{}:{}", at.line, at.column)
        });
        let message = words::printable(&problem.message);
        writeln!(
            out,
            "warning[{}]: {}{place}: {message}",
            problem.code.name(),
            words::printable(&problem.path)
        )?;
    }
    Ok(())
}
