//! Answers of `explain` as text and as JSON.

use std::io::{self, Write};

use nostall_model::explain::{
    ApiAnswer, CallAnswer, FindingAnswer, FunctionAnswer, LineAnswer, Stop,
};
use nostall_model::finding::Place;
use nostall_model::{Context, Sources};
use serde_json::{Value, json};

use crate::sentences;
use crate::words::printable;

/// Writes what is known of a line.
///
/// # Errors
/// Those of the writer.
pub fn render_line(sources: &Sources, answer: &LineAnswer, out: &mut dyn Write) -> io::Result<()> {
    if answer.calls.is_empty() && answer.findings.is_empty() {
        return writeln!(out, "No calls on this line.");
    }
    for finding in &answer.findings {
        render_finding(sources, finding, out)?;
        writeln!(out)?;
    }
    writeln!(out, "Calls on this line:")?;
    for call in &answer.calls {
        render_call(call, out)?;
    }
    Ok(())
}

fn render_finding(
    sources: &Sources,
    answer: &FindingAnswer,
    out: &mut dyn Write,
) -> io::Result<()> {
    let finding = &answer.finding;
    writeln!(
        out,
        "{}[{}]: {}",
        finding.risk.name(),
        finding.rule.id,
        printable(&sentences::message(finding))
    )?;
    if let Some(hidden) = &answer.hidden {
        writeln!(out, "  not shown by `check`: {hidden}")?;
    }
    writeln!(
        out,
        "  runs on the executor: {}, {}",
        finding.function,
        finding.entry.describe(sources)
    )?;
    let steps = finding.chain.iter().zip(&answer.how).enumerate();
    for (index, (hop, how)) in steps {
        writeln!(
            out,
            "  {}. {} calls `{}`",
            index + 1,
            place_text(sources, hop.place),
            printable(&hop.call)
        )?;
        writeln!(out, "     found by {}", printable(how))?;
    }
    writeln!(
        out,
        "  why it blocks: {}",
        printable(sentences::why(finding))
    )?;
    let reasons: Vec<&str> = finding
        .risk_reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    writeln!(
        out,
        "  risk {}: {}; confidence {}",
        finding.risk.name(),
        reasons.join("; "),
        finding.confidence.name()
    )?;
    writeln!(out, "  what would stop it:")?;
    for stop in &answer.stops {
        writeln!(out, "    - {}", printable(&stop_text(sources, stop)))?;
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

fn render_call(call: &CallAnswer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  `{}`: {}",
        printable(&call.text),
        printable(&call.verdict)
    )?;
    writeln!(out, "    found by {}", printable(&call.how))?;
    for target in &call.targets {
        writeln!(
            out,
            "    may reach {} ({}, {})",
            printable(&target.path),
            target.kind,
            target.confidence.name()
        )?;
    }
    writeln!(
        out,
        "    in {}, {}",
        call.body.path,
        context(call.body.context, &call.body.why)
    )
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
                "call": finding.call(), "chain": chain, "hidden": answer.hidden, "stops": stops,
            })
        })
        .collect();
    pretty(&json!({"calls": calls, "findings": findings}), out)
}

/// Writes what functions do.
///
/// # Errors
/// Those of the writer.
pub fn render_functions(answers: &[FunctionAnswer], out: &mut dyn Write) -> io::Result<()> {
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        render_function(answer, out)?;
    }
    Ok(())
}

fn render_function(answer: &FunctionAnswer, out: &mut dyn Write) -> io::Result<()> {
    let entry = if answer.entry.is_empty() {
        String::new()
    } else {
        format!(" ({})", answer.entry)
    };
    let risk = answer.risk.map_or("none", |risk| risk.name());
    writeln!(
        out,
        "{}\n  context: {}{entry}\n  risk: {risk}",
        printable(&answer.function),
        answer.context
    )?;
    if answer.operations.is_empty() {
        return writeln!(out, "  Nothing in it is known to block.");
    }
    writeln!(out, "  operations that block:")?;
    for operation in &answer.operations {
        let via = if operation.via.is_empty() {
            String::new()
        } else {
            format!(" via {}", operation.via.join(" > "))
        };
        let at = if operation.at.is_empty() {
            String::new()
        } else {
            format!(" at {}", operation.at)
        };
        writeln!(
            out,
            "    {:<8} {:<16} {}{at}{via} ({})",
            operation.risk.name(),
            operation.rule,
            printable(&operation.call),
            operation.confidence.name()
        )?;
    }
    Ok(())
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
pub fn render_api(api: &ApiAnswer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} ({})", api.path, api.library)?;
    for (key, value) in &api.lines {
        writeln!(out, "  {key}: {}", printable(value))?;
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
