//! Findings for people: what happens, where, by which way, how bad, what to use instead.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use nostall_model::finding::{HopKind, Place};
use nostall_model::{Finding, Report};

use crate::concise;
use crate::groups::{Group, alone, by_cause};
use crate::layout::{Words, for_shell};
use crate::paint::{Paint, Part};
use crate::snippets::{self, Marked};
use crate::words::{count, number, printable};
use crate::{Options, sentences, summary};

/// On a terminal this many groups of findings are shown in full.
const IN_FULL: usize = 50;
/// Of the further places of a group this many are listed.
const PLACES: usize = 12;

/// Writes all findings and the summary.
pub(crate) fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    if options.summary {
        return summary::render(report, options, 0, out);
    }
    let mut groups = if options.all {
        alone(report)
    } else {
        by_cause(report)
    };
    let left_out = groups
        .split_off(options.max_findings.unwrap_or(usize::MAX).min(groups.len()))
        .iter()
        .map(|group| 1 + group.more.len())
        .sum();
    let in_full = if options.terminal && !options.all {
        IN_FULL
    } else {
        usize::MAX
    };
    let (full, brief) = groups.split_at(in_full.min(groups.len()));
    for group in full {
        for line in finding(report, group, options) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    for group in brief {
        writeln!(out, "{}", one_line(report, group, options))?;
    }
    if !brief.is_empty() {
        writeln!(out)?;
    }
    if options.quiet {
        return Ok(());
    }
    summary::render(report, options, left_out, out)
}

/// A finding in full, and where the others of its group are.
fn finding(report: &Report, group: &Group<'_>, options: &Options) -> Vec<String> {
    let paint = Paint::new(options.color);
    let finding = group.first;
    let mut lines = vec![title(finding, options)];
    let marked = marked(finding);
    let gutter = snippets::gutter(&report.sources, &marked);
    for marked in &marked {
        let width = options.width;
        lines.extend(snippets::draw(
            &report.sources,
            marked,
            gutter,
            width,
            paint,
        ));
    }
    for note in notes(report, group) {
        let text = note.hanging(options.width.saturating_sub(gutter + 3), gutter + 5);
        let bullet = paint.on(Part::Frame, &format!("{:gutter$} =", ""));
        lines.push(format!("{bullet} {}", paint.code(&text)));
    }
    lines
}

/// `error[blocking-fs]: what happens`.
fn title(finding: &Finding, options: &Options) -> String {
    let paint = Paint::new(options.color);
    let severity = finding.risk.severity();
    let head = format!("{}[{}]", severity.name(), finding.rule.id);
    let words = Words::default().whole(&format!("{head}:"));
    let text = words
        .text(&sentences::message(finding))
        .hanging(options.width, 2);
    let rest = &text[head.len()..];
    format!(
        "{}{}",
        paint.on(Part::Grade(severity), &head),
        paint.on(Part::Title, rest)
    )
}

/// The places on the way, the reported call first.
fn marked(finding: &Finding) -> Vec<Marked> {
    let first = Marked {
        place: finding.place,
        label: first_label(finding),
        part: Part::Grade(finding.risk.severity()),
        sign: '^',
    };
    let further = finding.chain.iter().enumerate();
    let further = further.filter(|(_, hop)| hop.place != finding.place);
    let further = further.map(|(index, hop)| Marked {
        place: hop.place,
        label: hop_label(finding, index),
        part: Part::Further,
        sign: '-',
    });
    std::iter::once(first).chain(further).collect()
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

fn notes(report: &Report, group: &Group<'_>) -> Vec<Words> {
    let finding = group.first;
    let mut notes = vec![entry(report, finding), risk(finding)];
    notes.extend(finding.held.as_ref().map(|held| {
        let lock = format!("lock: `{}`, taken at", held.guard);
        Words::of(&lock).whole(&line_of(report, held.place))
    }));
    if !finding.also.is_empty() {
        let also = Words::of("also behind this call:");
        notes.push(also.text(&finding.also.join(", ")));
    }
    if !finding.also_at.is_empty() {
        notes.push(also_at(report, finding));
    }
    let replacement = finding.replacement.iter();
    notes.extend(replacement.map(|it| Words::of(&format!("help: {}", sentences::help(it)))));
    let place = for_shell(&line_of(report, finding.place));
    notes.push(Words::default().whole(&format!("why: nostall explain {place}")));
    if let Some(function) = group.through {
        notes.push(more(report, group, function));
    }
    notes
}

fn entry(report: &Report, finding: &Finding) -> Words {
    let words = Words::of(&format!(
        "entry: {}, {}",
        finding.function,
        finding.entry.describe(&report.sources)
    ));
    match finding.entry_place {
        Some(place) => words.whole(&format!("({})", line_of(report, place))),
        None => words,
    }
}

fn risk(finding: &Finding) -> Words {
    let reasons: Vec<&str> = finding
        .risk_reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    let (risk, confidence) = (finding.risk.name(), finding.confidence.name());
    Words::of(&format!("risk: {risk} ({}) ·", reasons.join("; ")))
        .whole(&format!("confidence: {confidence}"))
}

/// The other calls that this finding speaks for, with their lines where these are others.
fn also_at(report: &Report, finding: &Finding) -> Words {
    let sources = &report.sources;
    let line = |place: Place| sources.place(place.file, place.span.start).line;
    let mut calls: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for also in &finding.also_at {
        let lines = calls.entry(&also.call).or_default();
        lines.extend(Some(line(also.place)).filter(|own| *own != line(finding.place)));
    }
    let calls: Vec<String> = calls
        .into_iter()
        .map(|(call, lines)| {
            let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
            match lines.as_slice() {
                [] => format!("`{call}`"),
                [only] => format!("`{call}` (line {only})"),
                several => format!("`{call}` (lines {})", several.join(", ")),
            }
        })
        .collect();
    Words::of("also here:").text(&calls.join(", "))
}

/// "+211 more through `Config::load`", with the first places.
fn more(report: &Report, group: &Group<'_>, function: &str) -> Words {
    let head = format!("+{} more through `{function}`:", number(group.more.len()));
    let mut words = Words::of(&head);
    let shown = group.more.len().min(PLACES);
    for (index, place) in places(report, &group.more[..shown]).iter().enumerate() {
        let comma = if index + 1 < shown { "," } else { "" };
        words = words.whole(&format!("{place}{comma}"));
    }
    match group.more.len() - shown {
        0 => words,
        rest => words.text(&format!("and {} more (`--all` shows them)", number(rest))),
    }
}

/// Places of findings: the path where it is another than before, else the line alone.
fn places(report: &Report, findings: &[&Finding]) -> Vec<String> {
    let mut last = None;
    let mut places = Vec::new();
    for finding in findings {
        let place = finding.place;
        let line = report.sources.place(place.file, place.span.start).line;
        places.push(if last == Some(place.file) {
            line.to_string()
        } else {
            line_of(report, place)
        });
        last = Some(place.file);
    }
    places
}

fn line_of(report: &Report, place: Place) -> String {
    format!(
        "{}:{}",
        report.sources.get(place.file).path,
        report.sources.place(place.file, place.span.start).line
    )
}

/// One line for a group beyond the first ones.
fn one_line(report: &Report, group: &Group<'_>, options: &Options) -> String {
    let line = concise::line(report, group.first, Paint::new(options.color));
    match group.through {
        Some(function) => {
            let more = number(group.more.len());
            format!("{line} (+{more} through `{}`)", printable(function))
        }
        None => line,
    }
}
