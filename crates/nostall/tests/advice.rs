//! What is advised, word for word: fixtures/advice. `BLESS=1` rewrites the marks: read the difference before you commit.
//!
//! A mark `//= advice` or `#= advice` stands at the end of the line that the finding's call is on, once for each advice there,
//! and each finding has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nostall_catalog::Catalog;
use nostall_engine::analyse::analyse;
use nostall_engine::project::{Request, load};
use nostall_engine::settings::Settings;
use nostall_model::Report;
use nostall_report::sentences;

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    crates
        .into_iter()
        .nth(2)
        .expect("the workspace")
        .to_path_buf()
}

fn check(project: &Path, catalog: &Catalog) -> Report {
    let request = Request {
        paths: vec![project.to_path_buf()],
        current_dir: root(),
        ..Request::default()
    };
    let project = load(&request).expect("the fixture can be read");
    analyse(project, catalog, &Settings::everything(), &|_| {})
}

/// The advice of a report by file and line, from 1.
fn advice(report: &Report) -> BTreeMap<(String, usize), Vec<String>> {
    let mut all: BTreeMap<(String, usize), Vec<String>> = BTreeMap::new();
    for finding in &report.findings {
        let sources = &report.sources;
        let line = sources
            .place(finding.place.file, finding.place.span.start)
            .line as usize;
        let path = sources.get(finding.place.file).path.clone();
        let text = finding.replacement.as_ref().map(sentences::help);
        all.entry((path, line))
            .or_default()
            .push(text.unwrap_or_default());
    }
    all
}

/// A file's text with the marks that its findings should have.
fn marked(path: &str, text: &str, advice: &BTreeMap<(String, usize), Vec<String>>) -> String {
    let sign = if path.ends_with(".rs") { "//=" } else { "#=" };
    let lines = text.lines().enumerate().map(|(index, line)| {
        let code = line.split(sign).next().unwrap_or(line).trim_end();
        match advice.get(&(path.to_owned(), index + 1)) {
            Some(all) => {
                let marks: Vec<String> = all.iter().map(|it| format!("{sign} {it}")).collect();
                let gap = if sign == "#=" { "  " } else { " " };
                format!("{code}{gap}{}\n", marks.join(" "))
            }
            // The words of the file's header speak of the sign.
            None if line.starts_with("//!") || line.starts_with("\"\"\"") => format!("{line}\n"),
            None => format!("{code}\n"),
        }
    });
    lines.collect()
}

#[test]
fn each_finding_is_advised_as_its_mark_says() {
    let catalog = Catalog::builtin();
    let mut wrong = Vec::new();
    let folder = root().join("fixtures/advice");
    let mut projects: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    projects.sort();
    for project in projects {
        let report = check(&project, &catalog);
        let advice = advice(&report);
        // The workspace around it is analysed as well.
        let own = project.strip_prefix(root()).expect("below the root");
        let own = own.to_string_lossy().replace('\\', "/");
        let sources = report.sources.iter();
        for (_, source) in sources.filter(|(_, source)| source.path.starts_with(&own)) {
            let file = root().join(&source.path);
            let expected = marked(&source.path, &source.text, &advice);
            if *expected != *source.text && std::env::var_os("BLESS").is_some() {
                std::fs::write(&file, &expected).expect("writable");
            }
            let pairs = expected.lines().zip(source.text.lines()).enumerate();
            let differ = pairs.filter(|(_, (expected, is))| expected != is);
            wrong.extend(differ.map(|(index, (expected, is))| {
                format!(
                    "{}:{}\n  advised: {expected}\n  marked:  {is}",
                    source.path,
                    index + 1
                )
            }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
