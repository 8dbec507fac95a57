//! Questions about one line, one function, one way: what `explain` and `graph` answer.

mod function;
mod graph;
mod line;

use nostall_catalog::{ApiId, Catalog};
use nostall_model::explain::{ApiAnswer, FunctionAnswer, Graph, LineAnswer};
use nostall_model::facts::BodyKind;
use nostall_model::program::ProgramBody;
use nostall_model::{FileId, Language, Sources};

use crate::analyse::{Analysis, interrogate};
use crate::project::Project;
use crate::settings::Settings;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// All calls of a line, from 1.
    Line(String, u32),
    /// A function: what it does.
    Function(Subject),
    /// A function: which ways lead through it.
    Graph(Subject),
}

/// How a function is named.
#[derive(Clone, Debug)]
pub enum Subject {
    /// By the end of its qualified path.
    Path(String),
    /// By a file and a line within it, from 1.
    Place(String, u32),
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The calls of a line.
    Line(LineAnswer),
    /// What functions do: all of the name.
    Function(Vec<FunctionAnswer>),
    /// Ways.
    Graph(Graph),
    /// Several functions have the name: their paths, with their places.
    Candidates(Vec<String>),
    /// No such file or function.
    Nothing,
}

/// Analyses a project and answers a question about it. Its places speak of the returned files.
#[must_use]
pub fn inspect(
    project: Project,
    catalog: &Catalog,
    settings: &Settings,
    question: &Question,
) -> (Sources, Answer) {
    interrogate(project, catalog, settings, |analysis| {
        answer(analysis, question)
    })
}

fn answer(analysis: &Analysis<'_>, question: &Question) -> Answer {
    match question {
        Question::Line(path, line) => match file(analysis.program.sources, path) {
            Some(file) => Answer::Line(line::explain(analysis, file, *line)),
            None => Answer::Nothing,
        },
        Question::Function(subject) => match bodies(analysis, subject) {
            found if found.is_empty() => Answer::Nothing,
            found => Answer::Function(function::explain(analysis, &found)),
        },
        Question::Graph(subject) => match bodies(analysis, subject).as_slice() {
            [] => Answer::Nothing,
            [body] => Answer::Graph(graph::of(analysis, *body)),
            several => {
                Answer::Candidates(several.iter().map(|body| named(analysis, *body)).collect())
            }
        },
    }
}

/// Answers what a documented function of a library does, and what the catalogue says of it.
#[must_use]
pub fn library_function(catalog: &Catalog, path: &str) -> Option<(FunctionAnswer, ApiAnswer)> {
    let language = if path.contains("::") {
        Language::Rust
    } else {
        Language::Python
    };
    let found = catalog.lookup(language, path)?;
    let id = ApiId(found.api.0);
    Some((
        function::of_api(catalog, id),
        function::entry(catalog.api(id)),
    ))
}

/// Finds a file by its path, or by the end of it where only one has that end.
fn file(sources: &Sources, path: &str) -> Option<FileId> {
    let path = path.trim_start_matches("./").replace('\\', "/");
    if let Some((id, _)) = sources.iter().find(|(_, source)| source.path == path) {
        return Some(id);
    }
    let end = format!("/{path}");
    let mut ending = sources
        .iter()
        .filter(|(_, source)| source.path.ends_with(&end));
    match (ending.next(), ending.next()) {
        (Some((id, _)), None) => Some(id),
        _ => None,
    }
}

/// The functions that are meant. A file that is mounted twice has each of them twice: one is enough.
fn bodies(analysis: &Analysis<'_>, subject: &Subject) -> Vec<ProgramBody> {
    let program = analysis.program;
    let mut found: Vec<ProgramBody> = match subject {
        Subject::Path(path) => {
            let end = path.replace("::", ".");
            let fits = |body: &ProgramBody| {
                let own = program.resolved(*body).path.replace("::", ".");
                own == end || own.ends_with(&format!(".{end}"))
            };
            let named = program.bodies().filter(|body| is_function(analysis, *body));
            named.filter(fits).collect()
        }
        Subject::Place(path, line) => file(program.sources, path)
            .and_then(|file| body_at(analysis, file, *line))
            .into_iter()
            .collect(),
    };
    let place = |body: &ProgramBody| (program.file(*body), program.body(*body).span);
    let mut seen = Vec::new();
    found.retain(|body| {
        let new = !seen.contains(&place(body));
        seen.push(place(body));
        new
    });
    found
}

fn is_function(analysis: &Analysis<'_>, body: ProgramBody) -> bool {
    matches!(
        analysis.program.body(body).kind,
        BodyKind::Function | BodyKind::Closure | BodyKind::AsyncBlock
    )
}

/// The innermost function around a line.
fn body_at(analysis: &Analysis<'_>, file: FileId, line: u32) -> Option<ProgramBody> {
    let program = analysis.program;
    let lines = program.sources.lines(file);
    let around = |body: &ProgramBody| {
        let span = program.body(*body).span;
        program.file(*body) == file
            && is_function(analysis, *body)
            && lines.line(span.start) <= line
            && line <= lines.line(span.end.saturating_sub(1).max(span.start))
    };
    let size = |body: &ProgramBody| {
        let span = program.body(*body).span;
        span.end - span.start
    };
    program.bodies().filter(around).min_by_key(size)
}

/// A function with its place, for lists.
fn named(analysis: &Analysis<'_>, body: ProgramBody) -> String {
    format!(
        "{} ({})",
        analysis.program.resolved(body).path,
        place_of(analysis, body)
    )
}

/// `path:line` of a function.
fn place_of(analysis: &Analysis<'_>, body: ProgramBody) -> String {
    let program = analysis.program;
    let file = program.file(body);
    let line = program
        .sources
        .place(file, program.body(body).name_span.start)
        .line;
    format!("{}:{line}", program.sources.get(file).path)
}

/// `path:line:column` of a call.
fn place_of_call(analysis: &Analysis<'_>, call: nostall_model::program::ProgramCall) -> String {
    let program = analysis.program;
    let file = program.file_of_call(call);
    let at = program
        .sources
        .place(file, program.call(call).1.name_span.start);
    format!(
        "{}:{}:{}",
        program.sources.get(file).path,
        at.line,
        at.column
    )
}
