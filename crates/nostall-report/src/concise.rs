//! A line a finding, as editors and `grep` read it: `path:line:column: risk[rule] message`.

use std::io::{self, Write};

use nostall_model::{Finding, Report};

use crate::paint::{Paint, Part};
use crate::words::printable;
use crate::{Options, chosen, sentences};

/// Writes a line a finding.
pub(crate) fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(options.color);
    for finding in chosen(report, options) {
        writeln!(out, "{}", line(report, finding, paint))?;
    }
    Ok(())
}

/// The line of a finding.
pub(crate) fn line(report: &Report, finding: &Finding, paint: Paint) -> String {
    let at = report
        .sources
        .place(finding.place.file, finding.place.span.start);
    let path = printable(&report.sources.get(finding.place.file).path);
    let grade = format!("{}[{}]", finding.risk.name(), finding.rule.id);
    format!(
        "{path}:{}:{}: {} {}",
        at.line,
        at.column,
        paint.on(Part::Grade(finding.risk.severity()), &grade),
        printable(&sentences::message(finding)).replace('\n', " ")
    )
}
