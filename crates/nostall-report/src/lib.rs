//! A [`Report`] as text: one file per format. Renderers get a finished value and write bytes.

mod concise;
mod explain;
mod github;
mod graph;
mod groups;
mod human;
mod json;
mod layout;
mod markdown;
mod paint;
pub mod sentences;
mod snippets;
mod summary;
mod words;

use std::io::{self, Write};

pub use explain::{
    render_api, render_functions, render_functions_json, render_line, render_line_json,
};
pub use graph::{GraphFormat, render_graph};
pub use markdown::render_page;

use nostall_model::finding::Problem;
use nostall_model::{Confidence, Finding, Report, Risk};

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, with the source.
    Human,
    /// A line a finding, for editors and `grep`.
    Concise,
    /// One JSON value.
    Json,
    /// One JSON value a finding, each on its own line.
    Jsonl,
    /// Workflow commands of GitHub Actions.
    Github,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [
        Self::Human,
        Self::Concise,
        Self::Json,
        Self::Jsonl,
        Self::Github,
    ];

    /// Returns the name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Concise => "concise",
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
    /// The last lines alone, with the table: no findings.
    pub summary: bool,
    /// Of the findings the worst, so many.
    pub max_findings: Option<usize>,
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
            summary: false,
            max_findings: None,
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
        Format::Concise => concise::render(report, options, out),
        Format::Json => json::render(report, options, out),
        Format::Jsonl => json::render_lines(report, options, out),
        Format::Github => github::render(report, options, out),
    }
}

/// The findings to be written one by one: all, or the worst ones, by place.
fn chosen<'a>(report: &'a Report, options: &Options) -> Vec<&'a Finding> {
    let most = options.max_findings.unwrap_or(usize::MAX);
    if report.findings.len() <= most {
        return report.findings.iter().collect();
    }
    let mut order: Vec<usize> = (0..report.findings.len()).collect();
    order.sort_by_cached_key(|index| groups::order(report, &report.findings[*index]));
    order.truncate(most);
    order.sort_unstable();
    order.iter().map(|index| &report.findings[*index]).collect()
}

/// Writes the last lines of a run: findings by risk, what is hidden, coverage.
///
/// # Errors
/// Those of the writer.
pub fn render_summary(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let left_out = report.findings.len() - chosen(report, options).len();
    summary::render(report, options, left_out, out)
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
