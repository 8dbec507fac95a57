//! Findings that are known: the baselines that hold for a check, and the command that writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use nostall_engine::baseline::{Baseline, Document, Entry, Known};
use nostall_engine::project::{BaselineFile, Project, UnreadBaseline, entries, load};
use nostall_engine::settings::{FileSettings, Settings};
use nostall_model::{Confidence, Report, Risk};
use nostall_report::render_problems;

use crate::arguments::{ScopeOptions, Verbosity};
use crate::output;
use crate::run::{analysed, code, request, say_what_was_read, settings};

/// The baselines of a check.
pub(crate) struct Baselines {
    /// What is known; none where there is no baseline at all.
    pub(crate) baseline: Option<Baseline>,
    files: Vec<String>,
}

impl Baselines {
    /// Reads what holds for a check. One that is not written yet is a hint, no error.
    pub(crate) fn read(project: &Project, verbosity: Verbosity) -> Result<Self> {
        let (baseline, missing) = project.read_baselines()?;
        if !verbosity.quiet {
            for file in &missing {
                output::write_error(hint(project, file).as_bytes())?;
            }
        }
        let there = project.config.baselines.iter();
        let files: Vec<String> = there
            .filter(|file| !missing.contains(file))
            .map(|file| project.shown(&file.path))
            .collect();
        Ok(Self {
            baseline: (!files.is_empty()).then_some(baseline),
            files,
        })
    }

    /// What the last lines of a run say of them.
    pub(crate) fn sentence(&self) -> String {
        if self.files.is_empty() {
            return String::new();
        }
        format!(
            "Known findings are those of {} (`--no-baseline` shows them)\n",
            self.files.join(", ")
        )
    }
}

fn hint(project: &Project, file: &BaselineFile) -> String {
    format!(
        "warning: the baseline `{}` that {} names is not there yet: `nostall baseline` writes it\n",
        project.shown(&file.path),
        file.named_by.as_deref().unwrap_or("the config"),
    )
}

/// What becomes of a baseline that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is written anew.
    Anew,
    /// What is new comes in, what is gone goes out.
    Update,
    /// What is gone goes out.
    Prune,
}

/// `nostall baseline`: writes what `check` would show, so that nothing of it is stale in the next run.
pub(crate) fn baseline(
    paths: Vec<PathBuf>,
    output: Option<&Path>,
    change: Change,
    scope: &ScopeOptions,
    verbosity: Verbosity,
) -> Result<u8> {
    let clock = std::time::Instant::now();
    let request = request(paths, scope)?;
    let project = load(&request)?;
    say_what_was_read(&project, verbosity, clock.elapsed())?;
    let target = match output {
        Some(path) => request.current_dir.join(path),
        None => project.config.own_baseline(&project.folder),
    };
    let shown = project.shown(&target);
    let known = match project.read_baseline(&target) {
        Ok(known) => Some(known),
        Err(UnreadBaseline::Missing { .. }) if change == Change::Update => {
            Some(Baseline::default())
        }
        Err(error) if change != Change::Anew => return Err(error.into()),
        Err(_) => None,
    };
    let folder = target
        .parent()
        .context("a file lies in a folder")?
        .to_path_buf();
    let settings = match change {
        Change::Prune => everything(settings(&project)),
        _ => settings(&project),
    };
    let paths: Vec<String> = project
        .layout
        .paths()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let report = analysed(project, &settings, verbosity);
    let mut problems = Vec::new();
    render_problems(&report, &report.problems, &mut problems)?;
    output::write_error(&problems)?;
    let run = Run {
        found: entries(
            &report.findings,
            &report.sources,
            &request.current_dir,
            &folder,
        ),
        report: &report,
        settings: &settings,
        paths: paths.iter().map(String::as_str).collect(),
    };
    let (entries, said) = match (change, known) {
        (Change::Prune, Some(known)) => run.pruned(&known, &shown),
        (Change::Update, Some(known)) => run.updated(&known, &shown),
        _ => {
            let said = format!("{} written to {shown}", count(run.found.len()));
            (run.found, said)
        }
    };
    let document = Document::new(entries);
    output::write(Some(&target), document.to_json()?.as_bytes())?;
    if !verbosity.quiet {
        output::write_error(format!("{said}\n").as_bytes())?;
    }
    Ok(code::CLEAN)
}

/// Shows what thresholds hide: it is still there.
fn everything(mut settings: Settings) -> Settings {
    let lower = |settings: &mut FileSettings| {
        settings.min_risk = Risk::Low;
        settings.min_confidence = Confidence::Possible;
    };
    lower(&mut settings.all);
    settings.files.values_mut().for_each(lower);
    settings
}

fn count(findings: usize) -> String {
    match findings {
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    }
}

/// A run, to be put beside a baseline.
struct Run<'a> {
    /// What was found, as a baseline writes it.
    found: Vec<Entry>,
    report: &'a Report,
    settings: &'a Settings,
    paths: Vec<&'a str>,
}

impl Run<'_> {
    fn updated(self, known: &Baseline, shown: &str) -> (Vec<Entry>, String) {
        let comparison = known.compare(&self.report.findings, &self.paths);
        let new = comparison.known.iter().filter(|known| !**known).count();
        let pairs = known.known.iter().zip(&comparison.found);
        let left: Vec<(&Known, bool)> = pairs
            .filter(|(_, found)| !**found)
            .map(|(known, _)| (known, known.is_looked_for(self.settings, &self.paths)))
            .collect();
        let gone = left.iter().filter(|(_, asked)| *asked).count();
        let kept = left
            .iter()
            .filter(|(_, asked)| !asked)
            .map(|(known, _)| known.entry.clone());
        let entries: Vec<Entry> = kept.chain(self.found.iter().cloned()).collect();
        let said = format!(
            "{} written to {shown}: {new} new, {gone} gone",
            count(entries.len())
        );
        (entries, said)
    }

    fn pruned(self, known: &Baseline, shown: &str) -> (Vec<Entry>, String) {
        let comparison = known.compare(&self.report.findings, &self.paths);
        let kept: BTreeSet<usize> = known
            .known
            .iter()
            .enumerate()
            .filter(|(index, known)| {
                comparison.found[*index]
                    || !known.is_looked_for(self.settings, &self.paths)
                    || known.is_among(&self.report.findings, &self.paths)
            })
            .map(|(index, _)| index)
            .collect();
        let entries: Vec<Entry> = kept
            .iter()
            .map(|index| known.known[*index].entry.clone())
            .collect();
        let gone = known.known.len() - entries.len();
        let said = format!(
            "{} taken out of {shown}, {} left",
            count(gone),
            entries.len()
        );
        (entries, said)
    }
}
