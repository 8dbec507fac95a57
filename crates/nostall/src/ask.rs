//! `explain` and `graph`: questions about one line, one function, one way.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use nostall_catalog::Catalog;
use nostall_engine::inspect::{Answer, Question, Subject, inspect, library_function};
use nostall_engine::project::load;
use nostall_model::Sources;
use nostall_report::{
    GraphFormat, Options, render_api, render_functions, render_functions_json, render_graph,
    render_line, render_line_json, render_page,
};

use crate::arguments::{AnswerFormat, Color, ScopeOptions, Verbosity};
use crate::output;
use crate::pages;
use crate::run::{code, request, say_what_was_read, settings};

/// `nostall explain`.
pub(crate) fn explain(
    subject: &str,
    format: AnswerFormat,
    color: Color,
    scope: &ScopeOptions,
    verbosity: Verbosity,
) -> Result<u8> {
    let style = output::style(color);
    let mut bytes = Vec::new();
    if let Some((path, line)) = file_and_line(subject) {
        let question = Question::Line(path.clone(), line);
        let (sources, answer) = ask(&question, Some(&path), scope, verbosity)?;
        match (answer, format) {
            (Answer::Line(answer), AnswerFormat::Human) => {
                render_line(&sources, &answer, &style, &mut bytes)?;
            }
            (Answer::Line(answer), AnswerFormat::Json) => {
                render_line_json(&sources, &answer, &mut bytes)?;
            }
            _ => bail!("`{path}` is no source file of this project"),
        }
    } else if let Some(page) = pages::of(subject) {
        render_page(page, &style, &mut bytes)?;
    } else {
        explain_function(subject, format, &style, scope, verbosity, &mut bytes)?;
    }
    output::write(None, &bytes)?;
    Ok(code::CLEAN)
}

/// A function of the program goes before one of a library.
fn explain_function(
    subject: &str,
    format: AnswerFormat,
    style: &Options,
    scope: &ScopeOptions,
    verbosity: Verbosity,
    bytes: &mut Vec<u8>,
) -> Result<()> {
    let library = library_function(&Catalog::builtin(), subject);
    let question = Question::Function(Subject::Path(subject.to_owned()));
    let own = ask(&question, None, scope, verbosity);
    match (own, library, format) {
        (Ok((_, Answer::Function(answers))), _, AnswerFormat::Human) => {
            render_functions(&answers, style, bytes)?;
        }
        (Ok((_, Answer::Function(answers))), _, AnswerFormat::Json) => {
            render_functions_json(&answers, bytes)?;
        }
        (_, Some((_, entry)), AnswerFormat::Human) => render_api(&entry, style, bytes)?,
        (_, Some((answer, _)), AnswerFormat::Json) => render_functions_json(&[answer], bytes)?,
        (Err(error), None, _) => return Err(error),
        (Ok(_), None, _) => bail!(
            "`{subject}` is no FILE:LINE, no rule, no function of this project, and the catalogue has no such function"
        ),
    }
    Ok(())
}

/// `nostall graph`.
pub(crate) fn graph(
    function: &str,
    format: GraphFormat,
    color: Color,
    scope: &ScopeOptions,
    verbosity: Verbosity,
) -> Result<u8> {
    let (subject, path) = match file_and_line(function) {
        Some((path, line)) => (Subject::Place(path.clone(), line), Some(path)),
        None => (Subject::Path(function.to_owned()), None),
    };
    let (_, answer) = ask(&Question::Graph(subject), path.as_deref(), scope, verbosity)?;
    let mut bytes = Vec::new();
    match answer {
        Answer::Graph(graph) => render_graph(&graph, format, &output::style(color), &mut bytes)?,
        Answer::Candidates(candidates) => bail!(
            "`{function}` may be {} functions:\n  {}",
            candidates.len(),
            candidates.join("\n  ")
        ),
        _ => bail!("`{function}` is no function of this project"),
    }
    output::write(None, &bytes)?;
    Ok(code::CLEAN)
}

/// Reads the project around a file, or around the current folder, and asks.
fn ask(
    question: &Question,
    path: Option<&str>,
    scope: &ScopeOptions,
    verbosity: Verbosity,
) -> Result<(Sources, Answer)> {
    let paths: Vec<PathBuf> = path.map(PathBuf::from).into_iter().collect();
    let clock = std::time::Instant::now();
    let project = load(&request(paths, scope)?)?;
    say_what_was_read(&project, verbosity, clock.elapsed())?;
    let settings = settings(&project);
    let catalog = Catalog::builtin().with_user_entries(project.config.entries.clone());
    let question = match question {
        Question::Line(path, line) => Question::Line(project.shown(Path::new(path)), *line),
        Question::Graph(Subject::Place(path, line)) => {
            Question::Graph(Subject::Place(project.shown(Path::new(path)), *line))
        }
        other => other.clone(),
    };
    Ok(inspect(project, &catalog, &settings, &question))
}

/// `src/main.rs:12`, also with a column: the path must exist.
fn file_and_line(subject: &str) -> Option<(String, u32)> {
    let mut rest = subject;
    for _ in 0..2 {
        let (path, number) = rest.rsplit_once(':')?;
        let number: u32 = number.parse().ok()?;
        if Path::new(path).is_file() {
            return Some((path.to_owned(), number));
        }
        rest = path;
    }
    None
}
