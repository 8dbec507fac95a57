//! The last lines of a run: findings by risk, what is hidden and how to see it, where repair pays most, coverage.

use std::collections::BTreeMap;
use std::io::{self, Write};

use nostall_model::{Confidence, Report, Risk, Stats};

use crate::words::{count, number, percent, printable};
use crate::{Options, sentences};

/// Writes the summary.
pub(crate) fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    if options.statistics {
        statistics(report, out)?;
    }
    if options.unresolved {
        unresolved(report, out)?;
    }
    writeln!(out, "{}", verdict(report))?;
    if let Some(hidden) = hidden(&report.stats, options) {
        writeln!(out, "{hidden}")?;
    }
    for line in helpers(report) {
        writeln!(out, "{line}")?;
    }
    if let Some(coverage) = coverage(&report.stats, options) {
        writeln!(out, "{coverage}")?;
    }
    if report.stats.skipped_files > 0 {
        writeln!(
            out,
            "{} skipped, see the warnings",
            count(report.stats.skipped_files, "file")
        )?;
    }
    Ok(())
}

fn verdict(report: &Report) -> String {
    let stats = &report.stats;
    if report.findings.is_empty() {
        let files = count(stats.files, "file");
        return match stats.async_bodies {
            0 => format!("No async code found in {files}."),
            bodies => format!(
                "No blocking calls found: {} in {files}.",
                count(bodies, "async function")
            ),
        };
    }
    let by_risk: Vec<String> = Risk::ALL
        .iter()
        .rev()
        .filter_map(|risk| {
            let findings = report
                .findings
                .iter()
                .filter(|finding| finding.risk == *risk)
                .count();
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

/// What is not shown, with the flags that show it.
fn hidden(stats: &Stats, options: &Options) -> Option<String> {
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
    if stats.hidden_by_baseline > 0 {
        parts.push(format!(
            "{} in the baseline",
            number(stats.hidden_by_baseline)
        ));
    }
    if stats.suppressed > 0 {
        parts.push(format!("{} answered by comments", number(stats.suppressed)));
    }
    if stats.stale_baseline > 0 {
        parts.push(format!(
            "{} of the baseline no longer found",
            count(stats.stale_baseline, "entry").replace("entrys", "entries")
        ));
    }
    if parts.is_empty() {
        return None;
    }
    let show = if flags.is_empty() {
        String::new()
    } else {
        format!(" (`{}` shows them)", flags.join(" "))
    };
    Some(format!("Not shown: {}{show}", parts.join(", ")))
}

/// The helpers whose repair removes most findings.
fn helpers(report: &Report) -> Vec<String> {
    let mut by_helper: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.chain.len() > 1)
    {
        *by_helper.entry(&finding.chain[0].call).or_default() += 1;
    }
    let mut helpers: Vec<(&str, usize)> = by_helper
        .into_iter()
        .filter(|(_, findings)| *findings > 1)
        .collect();
    helpers.sort_by_key(|(name, findings)| (std::cmp::Reverse(*findings), *name));
    helpers.truncate(3);
    if helpers.is_empty() {
        return Vec::new();
    }
    let list: Vec<String> = helpers
        .iter()
        .map(|(name, findings)| format!("`{}` ({})", printable(name), number(*findings)))
        .collect();
    vec![format!(
        "Repairing these helpers removes most: {}",
        list.join(", ")
    )]
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
    writeln!(
        out,
        "{:<20} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "rule", "critical", "high", "medium", "low", "all"
    )?;
    for (rule, all) in &report.stats.by_rule {
        let of = |risk: Risk| {
            let own = report
                .findings
                .iter()
                .filter(|finding| finding.rule.id.0 == rule && finding.risk == risk);
            number(own.count())
        };
        writeln!(
            out,
            "{rule:<20} {:>8} {:>8} {:>8} {:>8} {:>8}",
            of(Risk::Critical),
            of(Risk::High),
            of(Risk::Medium),
            of(Risk::Low),
            number(*all)
        )?;
    }
    writeln!(out)
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
