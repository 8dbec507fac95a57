//! Workflow commands of GitHub Actions: annotations on the lines of a pull request.
//!
//! The form: <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.

use std::io::{self, Write};

use nostall_model::finding::Severity;
use nostall_model::{Finding, Report};

use crate::{Options, chosen, sentences};

/// Writes an annotation a finding.
pub(crate) fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    for finding in chosen(report, options) {
        annotation(report, finding, out)?;
    }
    Ok(())
}

fn annotation(report: &Report, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let sources = &report.sources;
    let file = finding.place.file;
    let (start, end) = (
        sources.place(file, finding.place.span.start),
        sources.place(file, finding.place.span.end),
    );
    let command = match finding.risk.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let title = format!("nostall: {}", finding.rule.id);
    writeln!(
        out,
        "::{command} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(&sources.get(file).path),
        start.line,
        end.line,
        start.column,
        end.column,
        property(&title),
        data(&text(report, finding)),
    )
}

fn text(report: &Report, finding: &Finding) -> String {
    let mut lines = vec![
        sentences::message(finding),
        sentences::why(finding).to_owned(),
    ];
    if finding.chain.len() > 1 {
        let sink = finding.sink();
        let at = report.sources.place(sink.file, sink.span.start);
        lines.push(format!(
            "`{}` is called at {}:{}",
            finding.call(),
            report.sources.get(sink.file).path,
            at.line
        ));
    }
    lines.extend(finding.replacement.as_ref().map(sentences::help));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Escapes the text after `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #[test]
    fn properties_and_texts_are_escaped() {
        assert_eq!(super::property("a,b:c%\r\n"), "a%2Cb%3Ac%25%0D%0A");
        assert_eq!(super::data("a,b:c%\r\n"), "a,b:c%25%0D%0A");
    }
}
