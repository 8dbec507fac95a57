//! Findings for people: what happens, where, by which way, how bad, what to use instead.

use std::collections::BTreeMap;
use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::term::{self, Chars, Config};
use nostall_model::finding::{HopKind, Place, Severity};
use nostall_model::{Finding, Report};

use crate::snippets::Shown;
use crate::words::{count, printable};
use crate::{Options, sentences, summary};

/// On a terminal this many findings are shown in full.
const IN_FULL: usize = 50;

/// Writes all findings and the summary.
pub(crate) fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let groups = groups(report, options);
    let in_full = in_full(&groups, options);
    for (index, group) in groups.iter().enumerate() {
        if in_full.contains(&index) {
            full(report, group, options, out)?;
        }
    }
    for (index, group) in groups.iter().enumerate() {
        if !in_full.contains(&index) {
            brief(report, group, out)?;
        }
    }
    if options.quiet {
        return Ok(());
    }
    summary::render(report, options, out)
}

/// Findings that are told together: the first in full, the others as a number.
struct Group<'a> {
    first: &'a Finding,
    more: Vec<&'a Finding>,
}

/// Chains that end in the same blocking call through the same helper say the same thing.
fn groups<'a>(report: &'a Report, options: &Options) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: BTreeMap<(Place, &str), usize> = BTreeMap::new();
    for finding in &report.findings {
        let helper = finding.chain.first().map_or("", |hop| hop.call.as_str());
        if finding.chain.len() > 1 && !options.all {
            if let Some(index) = known.get(&(finding.sink(), helper)) {
                groups[*index].more.push(finding);
                continue;
            }
            known.insert((finding.sink(), helper), groups.len());
        }
        groups.push(Group {
            first: finding,
            more: Vec::new(),
        });
    }
    groups
}

/// The groups that are shown in full: the worst, on a terminal.
fn in_full(groups: &[Group<'_>], options: &Options) -> Vec<usize> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    if options.terminal && !options.all && groups.len() > IN_FULL {
        order.sort_by_key(|index| std::cmp::Reverse(groups[*index].first.risk));
        order.truncate(IN_FULL);
    }
    order
}

fn full(
    report: &Report,
    group: &Group<'_>,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let finding = group.first;
    let mut shown = Shown::new(report);
    let mut diagnostic = match finding.risk.severity() {
        Severity::Error => Diagnostic::error(),
        Severity::Warning => Diagnostic::warning(),
        Severity::Note => Diagnostic::note(),
    };
    diagnostic = diagnostic
        .with_code(finding.rule.id)
        .with_message(printable(&sentences::message(finding)));
    let (id, range) = shown.add(finding.place);
    diagnostic =
        diagnostic.with_label(Label::primary(id, range).with_message(first_label(finding)));
    let further = finding.chain.iter().enumerate();
    for (index, hop) in further.filter(|(_, hop)| hop.place != finding.place) {
        let (id, range) = shown.add(hop.place);
        diagnostic = diagnostic
            .with_label(Label::secondary(id, range).with_message(hop_label(finding, index)));
    }
    diagnostic = diagnostic.with_notes(notes(report, group, options));
    emit(&shown, &diagnostic, options, out)
}

/// What stands under the reported call.
fn first_label(finding: &Finding) -> String {
    match finding.chain.len() {
        0 | 1 => sentences::why(finding).to_owned(),
        hops => {
            let callee = last_name(&finding.chain[0].call);
            format!("`{callee}` blocks, {} down", count(hops - 1, "call"))
        }
    }
}

fn hop_label(finding: &Finding, index: usize) -> String {
    if finding.chain[index].kind == HopKind::Await {
        return "it still lives at this `await`".to_owned();
    }
    if index + 1 == finding.chain.len() {
        return format!("here: {}", lower_first(sentences::why(finding)));
    }
    format!("which calls `{}`", last_name(&finding.chain[index].call))
}

fn last_name(path: &str) -> &str {
    path.rsplit([':', '.']).next().unwrap_or(path)
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

fn notes(report: &Report, group: &Group<'_>, options: &Options) -> Vec<String> {
    let finding = group.first;
    let mut notes = Vec::new();
    let at = finding.entry_place.map_or_else(String::new, |place| {
        format!(" ({})", line_of(report, place))
    });
    notes.push(format!(
        "entry: {}, {}{at}",
        finding.function,
        finding.entry.describe(&report.sources)
    ));
    let reasons: Vec<&str> = finding
        .risk_reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    notes.push(format!(
        "risk: {} ({}) · confidence: {}",
        finding.risk.name(),
        reasons.join("; "),
        finding.confidence.name()
    ));
    if !finding.also.is_empty() {
        notes.push(format!(
            "also behind this call: {}",
            finding.also.join(", ")
        ));
    }
    let replacement = finding.replacement.iter();
    notes.extend(replacement.map(|it| format!("help: {}", sentences::help(it))));
    notes.push(format!(
        "why: nostall explain {}",
        line_of(report, finding.place)
    ));
    if !group.more.is_empty() {
        notes.push(more(report, group));
    }
    notes
        .iter()
        .map(|note| fold(&printable(note), options.width))
        .collect()
}

/// "+211 more calls of `Config::load`", with the first few places.
fn more(report: &Report, group: &Group<'_>) -> String {
    let helper = &group.first.chain[0].call;
    let places: Vec<String> = group
        .more
        .iter()
        .take(3)
        .map(|finding| line_of(report, finding.place))
        .collect();
    let rest = if group.more.len() > places.len() {
        ", …"
    } else {
        ""
    };
    format!(
        "+{} of `{helper}`: {}{rest} (`--all` shows them)",
        count(group.more.len(), "more call"),
        places.join(", ")
    )
}

fn line_of(report: &Report, place: Place) -> String {
    format!(
        "{}:{}",
        report.sources.get(place.file).path,
        report.sources.place(place.file, place.span.start).line
    )
}

/// Breaks a note into lines that fit; the lines after the first are indented.
fn fold(text: &str, width: usize) -> String {
    let room = width.saturating_sub(8).max(40);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn emit(
    shown: &Shown<'_>,
    diagnostic: &Diagnostic<usize>,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let config = Config {
        chars: Chars::box_drawing(),
        tab_width: 4,
        ..Config::default()
    };
    let mut buffer = if options.color {
        term::termcolor::Buffer::ansi()
    } else {
        term::termcolor::Buffer::no_color()
    };
    term::emit_to_write_style(&mut buffer, &config, shown, diagnostic).map_err(io::Error::other)?;
    out.write_all(buffer.as_slice())
}

/// One line for a finding beyond the first ones.
fn brief(report: &Report, group: &Group<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = group.first;
    let at = report
        .sources
        .place(finding.place.file, finding.place.span.start);
    let path = printable(&report.sources.get(finding.place.file).path).into_owned();
    let more = if group.more.is_empty() {
        String::new()
    } else {
        format!(" (+{})", group.more.len())
    };
    writeln!(
        out,
        "{path}:{}:{}: {} {}: {}{more}",
        at.line,
        at.column,
        finding.risk.name(),
        finding.rule.id,
        printable(&sentences::message(finding))
    )
}
