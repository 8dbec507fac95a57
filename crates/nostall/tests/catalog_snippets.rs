//! The snippets beside catalogue entries: `bad` gives a finding for its entry, `good` gives none.

use std::collections::BTreeMap;

use nostall_catalog::snippets::{Snippet, read};
use nostall_catalog::{Catalog, Effect};
use nostall_engine::analyse::analyse;
use nostall_engine::project::Project;
use nostall_engine::settings::Settings;
use nostall_model::layout::Layout;
use nostall_model::{Language, Report, Role, Source, Sources};

/// Analyses texts, each a file of its own that no other one sees.
fn check(texts: &[(String, Language, String)]) -> Report {
    let mut sources = Sources::default();
    let mut layout = Layout::default();
    for (path, language, text) in texts {
        let source = Source {
            path: path.clone(),
            language: *language,
            role: Role::Report,
            text: text.as_str().into(),
            decoded: false,
        };
        let id = sources.add(source);
        layout.files.insert(path.clone(), id);
    }
    let project = Project {
        sources,
        layout,
        ..Project::default()
    };
    let settings = Settings::everything();
    analyse(project, &Catalog::builtin(), &settings, &|_| {})
}

/// The apis that findings in each file speak of.
fn calls(report: &Report) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in &report.findings {
        let own = calls
            .entry(report.sources.get(finding.place.file).path.clone())
            .or_default();
        own.push(finding.call().to_owned());
        own.extend(finding.also.iter().cloned());
        own.extend(finding.also_at.iter().map(|also| also.call.clone()));
    }
    calls
}

fn file(index: usize, snippet: &Snippet, which: &str) -> String {
    let ending = if snippet.language == Language::Rust {
        "rs"
    } else {
        "py"
    };
    format!("s{index}_{which}/s{index}_{which}.{ending}")
}

/// The entries whose `bad` snippet is missed today. The list is exact: what is found again must leave it.
const KNOWN: &str = include_str!("catalog_missed.txt");

#[test]
fn snippets_prove_their_entries() {
    let snippets = read().expect("the data can be read");
    let mut texts = Vec::new();
    for (index, snippet) in snippets.iter().enumerate() {
        for (which, text) in [("bad", &snippet.bad), ("good", &snippet.good)] {
            texts.extend(
                text.iter()
                    .map(|text| (file(index, snippet, which), snippet.language, text.clone())),
            );
        }
    }
    let report = check(&texts);
    let calls = calls(&report);
    let speaks = |index: usize, snippet: &Snippet, which: &str| {
        calls
            .get(&file(index, snippet, which))
            .is_some_and(|calls| calls.contains(&snippet.entry_path))
    };
    let mut missed = Vec::new();
    let mut wrong = Vec::new();
    for (index, snippet) in snippets.iter().enumerate() {
        if snippet.good.is_some() && speaks(index, snippet, "good") {
            wrong.push(format!(
                "{}: the good snippet gives a finding",
                snippet.entry_path
            ));
        }
        if snippet.bad.is_none() || snippet.effect != Effect::Blocks {
            continue;
        }
        if !speaks(index, snippet, "bad") {
            missed.push(format!("{} ({})", snippet.entry_path, snippet.file));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} good snippets are not silent:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    missed.sort();
    let list = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog_missed.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(list, missed.join("\n") + "\n").expect("written");
        return;
    }
    let known: Vec<&str> = KNOWN.lines().collect();
    let new: Vec<&String> = missed
        .iter()
        .filter(|entry| !known.contains(&entry.as_str()))
        .collect();
    let found: Vec<&&str> = known
        .iter()
        .filter(|entry| !missed.iter().any(|missed| missed == **entry))
        .collect();
    assert!(
        new.is_empty(),
        "{} bad snippets give no finding for their entry any more: {new:#?}",
        new.len()
    );
    assert!(
        found.is_empty(),
        "these are found now, take them out of tests/catalog_missed.txt: {found:#?}"
    );
}
