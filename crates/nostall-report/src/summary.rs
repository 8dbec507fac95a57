//! The last lines of a run: findings by risk, what is hidden and how to see it, where repair pays most, coverage.

use std::io::{self, Write};

use nostall_model::finding::Repair;
use nostall_model::{Confidence, Report, Risk, Stats};

use crate::layout::Words;
use crate::words::{count, number, percent, printable};
use crate::{Options, sentences};

/// In the usual summary this many repairs are named.
const REPAIRS: usize = 3;

/// Writes the summary. So many findings were left out before.
pub(crate) fn render(
    report: &Report,
    options: &Options,
    left_out: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tables = options.statistics || options.summary;
    if tables && !report.findings.is_empty() {
        statistics(report, out)?;
    }
    if options.unresolved {
        unresolved(report, out)?;
    }
    let mut lines = if report.findings.is_empty() {
        vec![nothing(report, options)]
    } else {
        let hidden = hidden(&report.stats, options, left_out);
        std::iter::once(verdict(report)).chain(hidden).collect()
    };
    if !options.summary {
        lines.extend(repairs(report));
    }
    lines.extend(stale(&report.stats));
    lines.extend(coverage(&report.stats, options));
    if report.stats.skipped_files > 0 {
        let files = count(report.stats.skipped_files, "file");
        lines.push(format!("{files} skipped, see the warnings"));
    }
    for line in lines {
        writeln!(out, "{}", Words::of(&line).hanging(options.width, 2))?;
    }
    if options.summary {
        list_of_repairs(report, options, out)?;
    }
    Ok(())
}

fn verdict(report: &Report) -> String {
    let stats = &report.stats;
    let by_risk: Vec<String> = Risk::ALL
        .iter()
        .rev()
        .filter_map(|risk| {
            let findings = of_risk(report, *risk);
            (findings > 0).then(|| format!("{} {}", number(findings), risk.name()))
        })
        .collect();
    format!(
        "{}: {} ({} in {})",
        count(report.findings.len(), "finding"),
        by_risk.join(", "),
        count(stats.async_bodies, "async function"),
        count(stats.files, "file")
    )
}

fn of_risk(report: &Report, risk: Risk) -> usize {
    let findings = report.findings.iter();
    findings.filter(|finding| finding.risk == risk).count()
}

/// What a run without findings says: of what it holds, and of what it does not.
fn nothing(report: &Report, options: &Options) -> String {
    let stats = &report.stats;
    let files = count(stats.files, "file");
    if stats.async_bodies == 0 {
        return match stats.test_bodies {
            0 => format!("No async code found in {files}{}.", doubts(stats)),
            tests => format!(
                "No async code found in {files} but {} of tests: `--tests` looks at {}.",
                count(tests, "async function"),
                if tests == 1 { "it" } else { "them" }
            ),
        };
    }
    let looked_at = format!("{} in {files}", count(stats.async_bodies, "async function"));
    match not_shown(stats, options) {
        Some(hidden) => format!(
            "No finding is shown: {hidden}; {looked_at}{}.",
            doubts(stats)
        ),
        None => format!("No blocking calls found: {looked_at}{}.", doubts(stats)),
    }
}

/// What a verdict of no findings does not know.
fn doubts(stats: &Stats) -> String {
    let mut doubts = Vec::new();
    if stats.unknown_calls > 0 {
        let share = percent(stats.unknown_calls, stats.calls);
        doubts.push(format!("{share} of their calls are unknown"));
    }
    if stats.skipped_files > 0 {
        let files = count(stats.skipped_files, "file");
        let verb = if stats.skipped_files == 1 {
            "was"
        } else {
            "were"
        };
        doubts.push(format!("{files} {verb} not read"));
    }
    match doubts.is_empty() {
        true => String::new(),
        false => format!(", but {}", doubts.join(" and ")),
    }
}

/// What is not shown beside what is, with the flags that show it.
fn hidden(stats: &Stats, options: &Options, left_out: usize) -> Option<String> {
    let most = options.max_findings.unwrap_or_default();
    let left_out = (left_out > 0).then(|| {
        let left_out = number(left_out);
        format!("{left_out} beyond `--max-findings {most}`")
    });
    let shown_stats = Stats {
        hidden_by_rule: 0,
        ..stats.clone()
    };
    let parts: Vec<String> = left_out
        .into_iter()
        .chain(not_shown(&shown_stats, options))
        .collect();
    (!parts.is_empty()).then(|| format!("Not shown: {}", parts.join(", ")))
}

fn not_shown(stats: &Stats, options: &Options) -> Option<String> {
    let mut parts = Vec::new();
    let mut flags = Vec::new();
    if stats.hidden_by_risk > 0 {
        parts.push(format!(
            "{} below `--min-risk {}`",
            number(stats.hidden_by_risk),
            options.min_risk.name()
        ));
        flags.push(format!("--min-risk {}", Risk::Low.name()));
    }
    if stats.hidden_by_confidence > 0 {
        let threshold = options.min_confidence.name();
        parts.push(format!(
            "{} below `--min-confidence {threshold}`",
            number(stats.hidden_by_confidence)
        ));
        flags.push(format!("--min-confidence {}", Confidence::Possible.name()));
    }
    for (hidden, why) in [
        (stats.hidden_by_baseline, "in the baseline"),
        (stats.suppressed, "answered by comments"),
        (stats.hidden_by_rule, "of rules that are off"),
    ] {
        if hidden > 0 {
            parts.push(format!("{} {why}", number(hidden)));
        }
    }
    if parts.is_empty() {
        return None;
    }
    let show = match flags.as_slice() {
        [] => String::new(),
        flags if parts.len() == flags.len() => {
            let them = if stats.hidden_by_risk + stats.hidden_by_confidence == 1 {
                "it"
            } else {
                "them"
            };
            format!(" (`{}` shows {them})", flags.join(" "))
        }
        flags => format!(" (`{}` shows more)", flags.join(" ")),
    };
    Some(format!("{}{show}", parts.join(", ")))
}

fn stale(stats: &Stats) -> Option<String> {
    let entries = match stats.stale_baseline {
        0 => return None,
        1 => "1 entry of the baseline is".to_owned(),
        several => format!("{} entries of the baseline are", number(several)),
    };
    Some(format!("{entries} no longer found"))
}

// ---- repairs

/// The repairs that are worth a line: of many findings two are nothing.
fn worthwhile(report: &Report) -> impl Iterator<Item = &Repair> {
    let all = report.findings.len();
    let repairs = report.repairs.iter();
    repairs.take_while(move |repair| repair.removes.len() * 50 >= all)
}

/// "Repairing `get_secret` (main.py:12) removes 298 of 631 findings, then `load` 40 more".
fn repairs(report: &Report) -> Option<String> {
    let mut parts = Vec::new();
    for repair in worthwhile(report).take(REPAIRS) {
        let function = printable(&repair.function);
        let removes = number(repair.removes.len());
        parts.push(match parts.is_empty() {
            true => format!(
                "Repairing `{function}` removes {removes} of {}",
                count(report.findings.len(), "finding")
            ),
            false => format!("`{function}` {removes} more"),
        });
    }
    (!parts.is_empty()).then(|| parts.join(", then "))
}

/// The repairs one below the other, with their places.
fn list_of_repairs(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut left = report.findings.len();
    let repairs: Vec<&Repair> = worthwhile(report).collect();
    if repairs.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nRepairing these functions, one after the other, removes:"
    )?;
    for repair in repairs {
        let at = report
            .sources
            .place(repair.place.file, repair.place.span.start);
        let path = &report.sources.get(repair.place.file).path;
        left -= repair.removes.len();
        let words = Words::default()
            .whole(&format!("{:>6}", number(repair.removes.len())))
            .text(&format!(" `{}`", repair.function))
            .whole(&format!("({path}:{})", at.line));
        writeln!(out, "{}", words.hanging(options.width, 7))?;
    }
    writeln!(out, "{:>6} left", number(left))
}

fn coverage(stats: &Stats, options: &Options) -> Option<String> {
    if stats.calls == 0 {
        return None;
    }
    let flag = if options.unresolved || stats.unknown_calls == 0 {
        ""
    } else {
        " (`--show-unresolved` lists them)"
    };
    Some(format!(
        "{} in async code: {} resolved, {} external, {} unknown{flag}",
        count(stats.calls, "call"),
        percent(stats.resolved_calls, stats.calls),
        percent(stats.external_calls, stats.calls),
        percent(stats.unknown_calls, stats.calls)
    ))
}

fn statistics(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    row(out, "rule", ["critical", "high", "medium", "low", "all"])?;
    for (rule, all) in &report.stats.by_rule {
        let of = |risk: Risk| {
            let own = report
                .findings
                .iter()
                .filter(|finding| finding.rule.id.0 == rule && finding.risk == risk);
            number(own.count())
        };
        let numbers = [Risk::Critical, Risk::High, Risk::Medium, Risk::Low].map(of);
        let [critical, high, medium, low] = &numbers;
        row(out, rule, [critical, high, medium, low, &number(*all)])?;
    }
    writeln!(out)
}

fn row(out: &mut dyn Write, first: &str, numbers: [&str; 5]) -> io::Result<()> {
    let [critical, high, medium, low, all] = numbers;
    writeln!(
        out,
        "{first:<20} {critical:>8} {high:>8} {medium:>8} {low:>8} {all:>8}"
    )
}

fn unresolved(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for call in &report.unresolved {
        let at = report.sources.place(call.place.file, call.place.span.start);
        let path = &report.sources.get(call.place.file).path;
        writeln!(
            out,
            "unknown: {path}:{}:{}: `{}`: {}",
            at.line,
            at.column,
            printable(&call.text),
            sentences::unknown(call)
        )?;
    }
    writeln!(out)
}
