//! All fixtures: what they expect is found, nothing else is. `BLESS=1` rewrites the marks.

use std::path::{Path, PathBuf};

use nostall_catalog::Catalog;
use nostall_engine::analyse::analyse;
use nostall_engine::project::{Request, load};
use nostall_engine::settings::Settings;
use nostall_model::finding::Place;
use nostall_model::{Finding, Report};
use nostall_report::sentences::message;
use testkit::Got;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the workspace")
        .to_path_buf()
}

/// Checks files or a project with everything on.
fn check(paths: &[PathBuf], catalog: &Catalog) -> Report {
    let request = Request {
        paths: paths.to_vec(),
        current_dir: root(),
        ..Request::default()
    };
    let project = load(&request).expect("the fixture can be read");
    let settings = Settings::everything();
    if project.config.entries.is_empty() {
        return analyse(project, catalog, &settings, &|_| {});
    }
    let own = Catalog::builtin().with_user_entries(project.config.entries.clone());
    analyse(project, &own, &settings, &|_| {})
}

/// What a finding says, and the other calls that it speaks for: a mark may speak of each.
fn got(report: &Report, finding: &Finding) -> Vec<Got> {
    let at = |place: Place| report.sources.place(place.file, place.span.start);
    let own = Got {
        line: at(finding.place).line,
        column: at(finding.place).column,
        rule: finding.rule.id.0.to_owned(),
        tags: [finding.risk.name(), finding.confidence.name()]
            .into_iter()
            .chain(finding.risk_reasons.iter().map(|reason| reason.code))
            .map(str::to_owned)
            .collect(),
        message: message(finding),
        entry: finding.entry.describe(&report.sources),
        via: finding
            .chain
            .iter()
            .map(|hop| testkit::last_name(&hop.call).to_owned())
            .collect(),
    };
    let others = finding.also_at.iter().map(|also| Got {
        line: at(also.place).line,
        column: at(also.place).column,
        tags: vec!["also".to_owned()],
        message: String::new(),
        via: vec![testkit::last_name(&also.call).to_owned()],
        ..own.clone()
    });
    std::iter::once(own.clone()).chain(others).collect()
}

fn run(folder: &str) {
    let catalog = Catalog::builtin();
    let fixtures = testkit::fixtures(&root().join("fixtures/check").join(folder));
    assert!(!fixtures.is_empty(), "no fixtures in {folder}");
    // Single files know nothing of one another: one run for all of them. Projects have a run each.
    let (files, projects): (Vec<PathBuf>, Vec<PathBuf>) = fixtures
        .iter()
        .cloned()
        .partition(|fixture| fixture.is_file());
    let mut runs = vec![files];
    runs.extend(projects.into_iter().map(|project| vec![project]));
    let mut wrong = Vec::new();
    for run in &runs {
        let report = check(run, &catalog);
        for file in run.iter().flat_map(|fixture| testkit::files(fixture)) {
            let shown = file
                .strip_prefix(root())
                .expect("below the root")
                .to_string_lossy()
                .replace('\\', "/");
            let text = std::fs::read_to_string(&file).expect("readable");
            let here = report
                .findings
                .iter()
                .filter(|finding| report.sources.get(finding.place.file).path == shown);
            let got: Vec<Got> = here.flat_map(|finding| got(&report, finding)).collect();
            match testkit::marks(&text) {
                Ok(marks) => wrong.extend(testkit::compare(&shown, &marks, &got)),
                Err(error) => wrong.push(format!("{shown}: {error}")),
            }
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&file, testkit::bless(&text, &got)).expect("writable");
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} fixtures' marks differ:\n{}",
        wrong.len(),
        fixtures.len(),
        wrong.join("\n")
    );
}

#[test]
fn rust() {
    run("rust");
}

#[test]
fn python() {
    run("python");
}
