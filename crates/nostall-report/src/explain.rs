//! Answers of `explain` as text and as JSON.

use std::io::{self, Write};

use nostall_model::explain::{
    ApiAnswer, CallAnswer, FindingAnswer, FunctionAnswer, LineAnswer, Operation, Stop,
};
use nostall_model::finding::Place;
use nostall_model::{Context, Sources};
use serde_json::{Value, json};

use crate::layout::Words;
use crate::paint::{Paint, Part};
use crate::words::printable;
use crate::{Options, sentences};

/// Writes what is known of a line.
///
/// # Errors
/// Those of the writer.
pub fn render_line(
    sources: &Sources,
    answer: &LineAnswer,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    if answer.calls.is_empty() && answer.findings.is_empty() {
        return writeln!(out, "No calls on this line.");
    }
    let mut page = Page::new(options, out);
    for finding in &answer.findings {
        render_finding(sources, finding, &mut page)?;
        page.line(0, &Words::default())?;
    }
    page.title("Calls on this line:")?;
    for call in &answer.calls {
        render_call(call, &mut page)?;
    }
    Ok(())
}

/// Lines of an answer, each indented by its depth.
struct Page<'a> {
    paint: Paint,
    width: usize,
    out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    fn new(options: &Options, out: &'a mut dyn Write) -> Self {
        Self {
            paint: Paint::new(options.color),
            width: options.width,
            out,
        }
    }

    fn line(&mut self, indent: usize, words: &Words) -> io::Result<()> {
        let text = words.hanging(self.width.saturating_sub(indent), indent + 2);
        let text = self.paint.code(&text);
        writeln!(
            self.out,
            "{}{text}",
            " ".repeat(if text.is_empty() { 0 } else { indent })
        )
    }

    fn text(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.line(indent, &Words::of(text))
    }

    fn title(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", self.paint.on(Part::Title, &printable(text)))
    }
}

fn render_finding(
    sources: &Sources,
    answer: &FindingAnswer,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let finding = &answer.finding;
    let severity = finding.risk.severity();
    let head = format!("{}[{}]", severity.name(), finding.rule.id);
    let words = Words::default().whole(&format!("{head}:"));
    let title = words
        .text(&sentences::message(finding))
        .hanging(page.width, 2);
    let head_painted = page.paint.on(Part::Grade(severity), &head);
    let rest = page.paint.on(Part::Title, &title[head.len()..]);
    writeln!(page.out, "{head_painted}{rest}")?;
    if let Some(hidden) = &answer.hidden {
        page.text(2, &format!("not shown by `check`: {hidden}"))?;
    }
    if let Some(other) = &answer.told_with {
        page.text(2, &format!("`check` tells it together with {other}"))?;
    }
    let entry = format!(
        "runs on the executor: {}, {}",
        finding.function,
        finding.entry.describe(sources)
    );
    page.text(2, &entry)?;
    let steps = finding.chain.iter().zip(&answer.how).enumerate();
    for (index, (hop, how)) in steps {
        let words = Words::of(&format!("{}.", index + 1));
        let words = words.whole(&place_text(sources, hop.place));
        page.line(2, &words.text(&format!("calls `{}`", hop.call)))?;
        page.text(5, &format!("found by {how}"))?;
    }
    page.text(2, &format!("why it blocks: {}", sentences::why(finding)))?;
    let reasons: Vec<&str> = finding
        .risk_reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    page.text(
        2,
        &format!(
            "risk {}: {}; confidence {}",
            finding.risk.name(),
            reasons.join("; "),
            finding.confidence.name()
        ),
    )?;
    if let Some(held) = &finding.held {
        let words = Words::of(&format!("lock: `{}`, taken at", held.guard));
        page.line(2, &words.whole(&place_text(sources, held.place)))?;
    }
    page.text(2, "what would stop it:")?;
    for stop in &answer.stops {
        page.text(4, &format!("- {}", stop_text(sources, stop)))?;
    }
    Ok(())
}

fn stop_text(sources: &Sources, stop: &Stop) -> String {
    match stop {
        Stop::Here(replacement) => format!("here: {}", sentences::replacement(replacement)),
        Stop::Twin { at, path } => format!(
            "at {}: `{path}`, with async functions on the way there",
            place_text(sources, *at)
        ),
        Stop::Mark(rule) => {
            format!("a comment `nostall: ignore[{rule}] reason` at any hop that you vouch for")
        }
    }
}

fn render_call(call: &CallAnswer, page: &mut Page<'_>) -> io::Result<()> {
    page.text(2, &format!("`{}`: {}", call.text, call.verdict))?;
    page.text(4, &format!("found by {}", call.how))?;
    for target in &call.targets {
        let (kind, confidence) = (target.kind, target.confidence.name());
        page.text(
            4,
            &format!("may reach {} ({kind}, {confidence})", target.path),
        )?;
    }
    let context = context(call.body.context, &call.body.why);
    page.text(4, &format!("in {}, {context}", call.body.path))
}

fn context(context: Context, why: &str) -> String {
    match context {
        Context::Async => format!("which runs on the executor ({why})"),
        Context::Sync => "which runs where its caller runs".to_owned(),
        Context::Offloaded => "which runs off the executor".to_owned(),
        Context::Unknown => "of which it is not known where it runs".to_owned(),
    }
}

/// Writes what is known of a line as JSON.
///
/// # Errors
/// Those of the writer.
pub fn render_line_json(
    sources: &Sources,
    answer: &LineAnswer,
    out: &mut dyn Write,
) -> io::Result<()> {
    let calls: Vec<Value> = answer
        .calls
        .iter()
        .map(|call| {
            let targets: Vec<Value> = call
                .targets
                .iter()
                .map(|target| {
                    json!({"path": target.path, "kind": target.kind, "confidence": target.confidence})
                })
                .collect();
            json!({
                "at": place_text(sources, call.place), "text": call.text, "function": call.body.path,
                "context": call.body.context, "entry": call.body.why, "found_by": call.how,
                "targets": targets, "verdict": call.verdict,
            })
        })
        .collect();
    let findings: Vec<Value> = answer
        .findings
        .iter()
        .map(|answer| {
            let finding = &answer.finding;
            let chain: Vec<Value> = finding
                .chain
                .iter()
                .zip(&answer.how)
                .map(|(hop, how)| {
                    json!({"at": place_text(sources, hop.place), "function": hop.function, "call": hop.call, "found_by": how})
                })
                .collect();
            let stops = answer.stops.iter().map(|stop| stop_text(sources, stop));
            let stops: Vec<String> = stops.collect();
            json!({
                "rule": finding.rule.id, "risk": finding.risk, "risk_reasons": finding.risk_reasons,
                "confidence": finding.confidence, "function": finding.function, "entry": finding.entry.describe(sources),
                "call": finding.call(), "chain": chain, "hidden": answer.hidden,
                "told_with": answer.told_with, "stops": stops,
            })
        })
        .collect();
    pretty(&json!({"calls": calls, "findings": findings}), out)
}

/// Writes what functions do.
///
/// # Errors
/// Those of the writer.
pub fn render_functions(
    answers: &[FunctionAnswer],
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(options, out);
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            page.line(0, &Words::default())?;
        }
        render_function(answer, &mut page)?;
    }
    Ok(())
}

fn render_function(answer: &FunctionAnswer, page: &mut Page<'_>) -> io::Result<()> {
    page.title(&answer.function)?;
    let entry = if answer.entry.is_empty() {
        String::new()
    } else {
        format!(" ({})", answer.entry)
    };
    page.text(2, &format!("context: {}{entry}", answer.context))?;
    let risk = answer
        .risk
        .map_or_else(|| "none".to_owned(), |risk| page.paint.risk(risk));
    writeln!(page.out, "  risk: {risk}")?;
    if answer.operations.is_empty() {
        return page.text(2, "Nothing in it is known to block.");
    }
    page.text(2, "operations that block:")?;
    for operation in &answer.operations {
        render_operation(operation, page)?;
    }
    Ok(())
}

fn render_operation(operation: &Operation, page: &mut Page<'_>) -> io::Result<()> {
    let padding = " ".repeat(8_usize.saturating_sub(operation.risk.name().len()));
    let mut words = Words::of(&operation.call);
    if !operation.at.is_empty() {
        words = words.whole(&format!("at {}", operation.at));
    }
    if !operation.via.is_empty() {
        words = words.text(&format!("via {}", operation.via.join(" > ")));
    }
    let words = words.text(&format!("({})", operation.confidence.name()));
    let text = words.hanging(page.width.saturating_sub(30), 32);
    writeln!(
        page.out,
        "    {}{padding} {:<16} {text}",
        page.paint.risk(operation.risk),
        operation.rule,
    )
}

/// Writes what functions do as JSON: one value for one function, else a list.
///
/// # Errors
/// Those of the writer.
pub fn render_functions_json(answers: &[FunctionAnswer], out: &mut dyn Write) -> io::Result<()> {
    match answers {
        [only] => pretty(&json!(only), out),
        several => pretty(&json!(several), out),
    }
}

/// Writes an entry of the catalogue.
///
/// # Errors
/// Those of the writer.
pub fn render_api(api: &ApiAnswer, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options, out);
    page.title(&format!("{} ({})", api.path, api.library))?;
    for (key, value) in &api.lines {
        page.text(2, &format!("{key}: {value}"))?;
    }
    Ok(())
}

fn place_text(sources: &Sources, place: Place) -> String {
    let at = sources.place(place.file, place.span.start);
    let path = &sources.get(place.file).path;
    format!("{}:{}:{}", printable(path), at.line, at.column)
}

fn pretty(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
