//! The way through: facts, program, summaries, findings, report. After the files are read nothing here touches a disk.

use std::collections::BTreeSet;

use nostall_catalog::Catalog;
use nostall_model::facts::FileFacts;
use nostall_model::finding::{Place, Problem};
use nostall_model::layout::Layout;
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{FileId, Report, Role, Sources, Stats};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::contexts::{Runs, contexts};
use crate::crowds::{self, Crowds};
use crate::features::{self, Features};
use crate::held::{self, Held};
use crate::kept;
use crate::languages::{LANGUAGES, front_end};
use crate::placement::{Loops, Placement};
use crate::program::{Program, link};
use crate::project::{Project, read_referenced};
use crate::repairs;
use crate::rules::{self, Draft, Writer};
use crate::settings::Settings;
use crate::startup::{self, Startup};
use crate::summary::{Basis, Summaries, reaching, summarise, summarise_again};
use crate::suppress::Suppressions;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This many files of all have been read.
    Extracted {
        /// Done.
        done: usize,
        /// All.
        total: usize,
    },
    /// Names and types are being resolved.
    Resolving,
    /// Findings are being written.
    Reporting,
}

/// Threads that parse need room: parsers recurse.
pub const STACK_BYTES: usize = 256 << 20;

/// Analyses a project.
#[must_use]
pub fn analyse(
    mut project: Project,
    catalog: &Catalog,
    settings: &Settings,
    progress: &(dyn Fn(Progress) + Sync),
) -> Report {
    on_large_stacks(|| {
        let mut facts = extract_all(&project.sources, 0, progress);
        extract_referenced(&mut project, &mut facts, progress);
        let Project {
            sources,
            layout,
            problems,
            ..
        } = project;
        analyse_facts(
            sources, &layout, problems, facts, catalog, settings, progress,
        )
    })
}

/// Runs work, and drops what it leaves, on threads with large stacks.
fn on_large_stacks<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new()
        .stack_size(STACK_BYTES)
        .build()
    {
        Ok(pool) => pool.install(work),
        // Without threads of our own the depth guards of the parsers still hold on the usual ones.
        Err(_) => work(),
    }
}

/// Reads the facts of all files from `first` on, in parallel.
fn extract_all(
    sources: &Sources,
    first: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> Vec<FileFacts> {
    let total = sources.len();
    let done = std::sync::atomic::AtomicUsize::new(first);
    (first..total)
        .into_par_iter()
        .map(|index| {
            let source = sources.get(FileId(index as u32));
            let facts = front_end(source.language).extract(source);
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress(Progress::Extracted { done, total });
            facts
        })
        .collect()
}

/// Files can ask for others that discovery did not walk. Each round may find more; a chain of them ends soon.
fn extract_referenced(
    project: &mut Project,
    facts: &mut Vec<FileFacts>,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let mut first = 0;
    for _ in 0..8 {
        let mut wanted = BTreeSet::new();
        let paths = project.layout.paths();
        for (index, facts) in facts.iter().enumerate().skip(first) {
            let language = project.sources.get(FileId(index as u32)).language;
            wanted.extend(front_end(language).referenced_paths(paths[index], facts));
        }
        first = facts.len();
        for path in wanted {
            if !project.layout.files.contains_key(&path) {
                read_referenced(project, &path);
            }
        }
        if project.sources.len() == first {
            return;
        }
        facts.extend(extract_all(&project.sources, first, progress));
    }
}

/// Analyses facts that are at hand: what the language server and tests enter with.
#[must_use]
pub fn analyse_facts(
    sources: Sources,
    layout: &Layout,
    problems: Vec<Problem>,
    facts: Vec<FileFacts>,
    catalog: &Catalog,
    settings: &Settings,
    progress: &(dyn Fn(Progress) + Sync),
) -> Report {
    let given = Given {
        sources: &sources,
        layout,
        facts: &facts,
        catalog,
        settings,
    };
    let mut all = problems;
    let outcome = given.ask(false, progress, &mut all, |analysis| {
        analysis.outcome(&analysis.answers())
    });
    let mut stats = outcome.stats;
    count_files(&sources, &all, &mut stats);
    on_drop_threads(facts);
    Report {
        sources,
        findings: outcome.findings,
        repairs: outcome.repairs,
        problems: all,
        unresolved: outcome.unresolved,
        stats,
    }
}

/// Reads a project and answers a question about it. `ask` gets the analysis; its answer is returned with the files.
pub(crate) fn interrogate<T: Send>(
    mut project: Project,
    catalog: &Catalog,
    settings: &Settings,
    ask: impl FnOnce(&Analysis<'_>) -> T + Send,
) -> (Sources, T) {
    on_large_stacks(|| {
        let mut facts = extract_all(&project.sources, 0, &|_| {});
        extract_referenced(&mut project, &mut facts, &|_| {});
        let answer = {
            let given = Given {
                sources: &project.sources,
                layout: &project.layout,
                facts: &facts,
                catalog,
                settings,
            };
            given.ask(true, &|_| {}, &mut Vec::new(), ask)
        };
        (project.sources, answer)
    })
}

/// What an analysis is made from.
struct Given<'a> {
    sources: &'a Sources,
    layout: &'a Layout,
    facts: &'a [FileFacts],
    catalog: &'a Catalog,
    settings: &'a Settings,
}

impl Given<'_> {
    /// Resolves everything and hands over the analysis; adds what could not be done.
    fn ask<T>(
        &self,
        reasons: bool,
        progress: &(dyn Fn(Progress) + Sync),
        problems: &mut Vec<Problem>,
        ask: impl FnOnce(&Analysis<'_>) -> T,
    ) -> T {
        let Self {
            sources,
            facts,
            catalog,
            settings,
            ..
        } = *self;
        progress(Progress::Resolving);
        let syntax = facts
            .iter()
            .enumerate()
            .flat_map(|(index, facts)| syntax_problems(sources, FileId(index as u32), facts));
        problems.extend(syntax);
        let resolutions = self.resolve(reasons);
        let unresolved = resolutions
            .iter()
            .flat_map(|resolution| resolution.problems.iter().cloned());
        problems.extend(unresolved);
        let all_facts: Vec<(FileId, &FileFacts)> = facts
            .iter()
            .enumerate()
            .map(|(index, facts)| (FileId(index as u32), facts))
            .collect();
        let (suppressions, more) = Suppressions::collect(sources, &all_facts);
        problems.extend(more);
        let program = link(sources, facts, resolutions);
        progress(Progress::Reporting);
        let answer = ask(&Analysis {
            program: &program,
            catalog,
            settings,
            suppressions: &suppressions,
            paths: self.layout.paths(),
            test_files: test_files(&program),
        });
        problems.extend(suppressions.unused(sources, settings));
        // What is wrong in files that nobody asked for is for those to read who do.
        problems.retain(|problem| {
            let file = problem.place.map(|place| place.file);
            file.is_none_or(|file| sources.get(file).role == Role::Report)
        });
        problems.sort();
        problems.dedup();
        answer
    }

    fn resolve(&self, reasons: bool) -> Vec<nostall_model::program::Resolution> {
        let paths = self.layout.paths();
        LANGUAGES
            .par_iter()
            .map(|language| {
                let files: Vec<(FileId, &str, &FileFacts)> = self
                    .sources
                    .iter()
                    .filter(|(_, source)| source.language == language.language())
                    .map(|(id, _)| (id, paths[id.index()], &self.facts[id.index()]))
                    .collect();
                language.resolve(&files, self.layout, self.catalog, reasons)
            })
            .collect()
    }
}

/// Facts are flat vectors: dropping them recurses nowhere. Taking them by value here frees them before the report is written.
fn on_drop_threads(facts: Vec<FileFacts>) {
    drop(facts);
}

fn syntax_problems(sources: &Sources, file: FileId, facts: &FileFacts) -> Vec<Problem> {
    let source = sources.get(file);
    let problems = facts.problems.iter().map(|problem| Problem {
        path: source.path.clone(),
        place: Some(Place {
            file,
            span: problem.span,
        }),
        code: problem.code,
        message: problem.message.clone(),
    });
    problems.collect()
}

fn count_files(sources: &Sources, problems: &[Problem], stats: &mut Stats) {
    use nostall_model::finding::ProblemCode as Code;
    stats.files = sources
        .iter()
        .filter(|(_, source)| source.role == Role::Report)
        .count();
    stats.summarised_files = sources.len() - stats.files;
    let skipped = |problem: &&Problem| {
        matches!(
            problem.code,
            Code::TooLarge | Code::Unreadable | Code::Encoding
        )
    };
    let paths: BTreeSet<&str> = problems
        .iter()
        .filter(skipped)
        .map(|problem| problem.path.as_str())
        .collect();
    stats.skipped_files = paths.len();
}

/// A program with all that decides what is shown of it.
pub(crate) struct Analysis<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) settings: &'a Settings,
    pub(crate) suppressions: &'a Suppressions,
    /// The paths of the files from the project's root on.
    pub(crate) paths: Vec<&'a str>,
    /// Files that hold tests alone.
    pub(crate) test_files: BTreeSet<FileId>,
}

fn test_files(program: &Program<'_>) -> BTreeSet<FileId> {
    let with = |tests: bool| -> BTreeSet<FileId> {
        let present = program
            .bodies()
            .filter(|body| program.is_present(*body, tests));
        present.map(|body| program.file(body)).collect()
    };
    &with(true) - &with(false)
}

/// What is found if some functions block no more.
pub(crate) struct Without {
    /// The bodies that reach these functions: what is found in others stays.
    pub(crate) reaching: BTreeSet<ProgramBody>,
    /// The places where calls of these bodies still block.
    pub(crate) still: BTreeSet<Place>,
}

/// What is known before anything is summarised.
pub(crate) struct Ground {
    pub(crate) held: Held,
    loops: Loops,
    kept: FxHashMap<ProgramBody, Placement>,
    crowds: Crowds,
    features: Features,
}

/// What the steps of an analysis found out.
pub(crate) struct Answers {
    pub(crate) ground: Ground,
    pub(crate) summaries: Summaries,
    pub(crate) runs: Vec<Runs>,
    startup: Startup,
    pub(crate) drafts: Vec<Draft>,
}

/// What checks read: the steps before them, finished.
pub(crate) struct Steps<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) summaries: &'a Summaries,
    pub(crate) runs: &'a [Runs],
    pub(crate) startup: &'a Startup,
    pub(crate) held: &'a Held,
}

impl Analysis<'_> {
    /// Runs the steps that lead to findings.
    pub(crate) fn answers(&self) -> Answers {
        let ground = Ground {
            held: held::follow(self.program, self.catalog),
            loops: Loops::new(self.program.all_facts()),
            kept: kept::find(self.program, self.catalog),
            crowds: crowds::find(self.program, self.catalog),
            features: features::used(self.program, self.catalog),
        };
        let basis = self.basis(&ground);
        let mut summaries = summarise(basis, &|call, blocking| self.is_cut(call, blocking));
        let runs = contexts(basis, &summaries);
        let startup = startup::find(self.program, self.catalog, &runs);
        summaries.add_calls(basis, &runs, self.program.bodies());
        let drafts = rules::find(&Steps {
            program: self.program,
            summaries: &summaries,
            runs: &runs,
            startup: &startup,
            held: &ground.held,
        });
        let mut answers = Answers {
            ground,
            summaries,
            runs,
            startup,
            drafts,
        };
        let mut drafts = std::mem::take(&mut answers.drafts);
        let writer = self.writer(&answers);
        drafts.retain(|draft| self.is_asked_for(&writer, draft));
        answers.drafts = drafts;
        answers
    }

    fn basis<'b>(&'b self, ground: &'b Ground) -> Basis<'b> {
        Basis {
            program: self.program,
            catalog: self.catalog,
            loops: &ground.loops,
            locked: &ground.held.locked_calls,
            kept: &ground.kept,
        }
    }

    /// What would be found if some functions blocked no more.
    pub(crate) fn without(&self, answers: &Answers, repaired: &BTreeSet<ProgramBody>) -> Without {
        let basis = self.basis(&answers.ground);
        let reaching = reaching(basis, repaired.iter().copied());
        let cut = |call: ProgramCall, blocking: &crate::sinks::Blocking| {
            repairs::stands_in(self.program, call, repaired) || self.is_cut(call, blocking)
        };
        let mut summaries = summarise_again(basis, &cut, &reaching, &answers.summaries);
        summaries.add_calls(basis, &answers.runs, reaching.iter().copied());
        let drafts = rules::find(&Steps {
            program: self.program,
            summaries: &summaries,
            runs: &answers.runs,
            startup: &answers.startup,
            held: &answers.ground.held,
        });
        let visible = drafts.iter().filter(|draft| self.is_visible(draft));
        Without {
            still: visible.map(|draft| draft.place).collect(),
            reaching,
        }
    }

    pub(crate) fn writer<'b>(&'b self, answers: &'b Answers) -> Writer<'b> {
        Writer {
            program: self.program,
            catalog: self.catalog,
            summaries: &answers.summaries,
            runs: &answers.runs,
            held: &answers.ground.held,
            crowds: &answers.ground.crowds,
            features: &answers.ground.features,
        }
    }
}
