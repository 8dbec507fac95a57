//! What the commands do, and what the process answers.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use clap::error::ErrorKind;
use nostall_catalog::Catalog;
use nostall_engine::analyse::analyse;
use nostall_engine::project::{ConfigLayer, Project, Request, load, path_from};
use nostall_engine::rules;
use nostall_engine::settings::Settings;
use nostall_model::finding::ProblemCode;
use nostall_model::{Language, Report, Role};
use nostall_report::{Format, Options, render, render_problems, render_summary};

use crate::arguments::{
    Arguments, CheckOptions, Command, FormatName, ScopeOptions, Verbosity, command_first,
};
use crate::known::{Baselines, Change};
use crate::output::{self, with_color};
use crate::progress::Shown;

/// The exit codes: the one table of them.
pub(crate) mod code {
    /// Nothing shown.
    pub(crate) const CLEAN: u8 = 0;
    /// At least one finding shown.
    pub(crate) const FINDINGS: u8 = 1;
    /// The job could not be done.
    pub(crate) const FAILED: u8 = 2;
}

/// Runs with these arguments, the program's name first.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    let arguments = command_first(arguments);
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&arguments, &error),
    };
    match run(parsed) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = output::write_error(format!("error: {error:#}\n").as_bytes());
            ExitCode::from(code::FAILED)
        }
    }
}

/// Help and version are no errors; a path where a command should stand is a common slip.
fn refuse(arguments: &[OsString], error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::from(code::CLEAN);
    }
    let first = arguments
        .get(1)
        .filter(|first| !first.to_string_lossy().starts_with('-'));
    let misplaced = matches!(
        error.kind(),
        ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument
    );
    match first {
        Some(path) if misplaced && Path::new(path).exists() => {
            let path = path.to_string_lossy();
            let text =
                format!("error: unknown command `{path}`, did you mean `nostall check {path}`?\n");
            let _ = output::write_error(text.as_bytes());
        }
        _ => {
            let _ = error.print();
        }
    }
    ExitCode::from(code::FAILED)
}

fn run(arguments: Arguments) -> Result<u8> {
    match arguments.command {
        None => check(Vec::new(), &arguments.check),
        Some(Command::Check { paths, options }) => check(paths, &options),
        Some(Command::Baseline {
            paths,
            output,
            update,
            prune,
            scope,
            verbosity,
        }) => {
            let change = match (update, prune) {
                (true, _) => Change::Update,
                (_, true) => Change::Prune,
                _ => Change::Anew,
            };
            crate::known::baseline(paths, output.as_deref(), change, &scope, verbosity)
        }
        Some(Command::Explain {
            subject,
            format,
            color,
            scope,
            verbosity,
        }) => crate::ask::explain(&subject, format, color, &scope, verbosity),
        Some(Command::Graph {
            function,
            format,
            color,
            scope,
            verbosity,
        }) => crate::ask::graph(&function, format.into(), color, &scope, verbosity),
        Some(Command::Rules) => list_rules(),
    }
}

fn list_rules() -> Result<u8> {
    let lines: Vec<String> = rules::all()
        .map(|rule| {
            let group = rule.group.name();
            format!("{:<18} {group:<8} {}\n", rule.id, rule.summary)
        })
        .collect();
    output::write(None, lines.concat().as_bytes())?;
    Ok(code::CLEAN)
}

// ---- check

fn check(paths: Vec<PathBuf>, options: &CheckOptions) -> Result<u8> {
    let verbosity = options.verbosity;
    let clock = Instant::now();
    if options.summary && options.format != FormatName::Human {
        bail!("`--summary` is for people: it goes with `--format human`");
    }
    let mut request = request(paths, &options.scope)?;
    request.overrides.fail_on = options.fail_on;
    request.overrides.baseline.clone_from(&options.baseline);
    request.no_baseline = options.no_baseline;
    read_standard_input(&mut request, options)?;
    let project = load(&request)?;
    say_what_was_read(&project, verbosity, clock.elapsed())?;
    let known = crate::known::Baselines::read(&project, verbosity)?;
    let outcome = Outcome {
        named: project.named_files.clone(),
        settings: Settings {
            unresolved: options.show_unresolved,
            baseline: known.baseline.clone(),
            ..settings(&project)
        },
        folder: github_folder(&project.root),
    };
    let mut report = analysed(project, &outcome.settings, verbosity);
    show(&mut report, &outcome, &known, options)?;
    for entry in &report.stats.idle_entries {
        say(verbosity, || {
            format!("no call reaches the config's entry `{entry}`")
        })?;
    }
    let code = outcome.exit_code(&report, options.scope.strict);
    if code == code::FAILED {
        output::write_error(b"error: not all that was asked for was checked, see the warnings\n")?;
    }
    say(verbosity, || format!("took {:.1?}", clock.elapsed()))?;
    Ok(code)
}

/// What is needed of a project once it is analysed.
struct Outcome {
    named: BTreeSet<String>,
    settings: Settings,
    folder: PathBuf,
}

pub(crate) fn request(paths: Vec<PathBuf>, scope: &ScopeOptions) -> Result<Request> {
    let current_dir = std::env::current_dir().context("find the current folder")?;
    let overrides = ConfigLayer {
        select: scope.select.clone(),
        ignore: scope.ignore.clone(),
        exclude: scope.exclude.clone(),
        min_risk: scope.min_risk,
        min_confidence: scope.min_confidence,
        tests: scope.tests.then_some(true),
        ..ConfigLayer::default()
    };
    Ok(Request {
        paths,
        current_dir,
        overrides,
        stdin: None,
        manifest_path: scope.manifest_path.clone(),
        packages: scope.package.clone(),
        workspace: scope.workspace,
        exclude_packages: scope.exclude_package.clone(),
        config: scope.config.clone(),
        no_ignore: scope.no_ignore,
        force_exclude: scope.force_exclude,
        no_baseline: false,
        allow_empty: scope.allow_empty,
    })
}

/// `check - --stdin-filename F`.
fn read_standard_input(request: &mut Request, options: &CheckOptions) -> Result<()> {
    let dash = request.paths.iter().any(|path| path.as_os_str() == "-");
    match (&options.stdin_filename, dash) {
        (None, false) => Ok(()),
        (None, true) => bail!(
            "`-` needs `--stdin-filename FILE`: its ending gives the language, its place the project"
        ),
        (Some(_), false) => bail!("`--stdin-filename` goes with `check -`"),
        (Some(path), true) => {
            if request.paths.len() > 1 {
                bail!("`-` stands alone");
            }
            if nostall_engine::project::language_of(path).is_none() {
                bail!(
                    "`{}` is neither Rust (.rs) nor Python (.py, .pyi)",
                    path.display()
                );
            }
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("read standard input")?;
            request.stdin = Some((path.clone(), text));
            request.paths.clear();
            Ok(())
        }
    }
}

pub(crate) fn settings(project: &Project) -> Settings {
    Settings {
        all: project.all.clone(),
        files: project.settings.clone(),
        ..Settings::default()
    }
}

pub(crate) fn analysed(project: Project, settings: &Settings, verbosity: Verbosity) -> Report {
    let catalog = Catalog::builtin().with_user_entries(project.config.entries.clone());
    let shown = Shown::new(verbosity.quiet);
    let report = analyse(project, &catalog, settings, &|progress| {
        shown.step(progress);
    });
    shown.finish();
    report
}

/// Findings go to standard output or the file; what machines do not read goes to standard error.
fn show(
    report: &mut Report,
    outcome: &Outcome,
    known: &Baselines,
    options: &CheckOptions,
) -> Result<()> {
    let format = Format::from(options.format);
    let quiet = options.verbosity.quiet;
    let style = Options {
        color: with_color(options.color, options.output.is_some()),
        width: output::width(options.output.is_some()),
        all: options.all,
        quiet,
        summary: options.summary,
        max_findings: options.max_findings,
        statistics: options.statistics,
        unresolved: options.show_unresolved,
        terminal: options.output.is_none() && std::io::stdout().is_terminal(),
        min_risk: outcome.settings.all.min_risk,
        min_confidence: outcome.settings.all.min_confidence,
    };
    let mut errors = Vec::new();
    if !format.holds_problems() {
        let problems: Vec<_> = report
            .problems
            .iter()
            .filter(|problem| !quiet || is_grave(problem.code))
            .cloned()
            .collect();
        render_problems(report, &problems, &mut errors)?;
    }
    output::write_error(&errors)?;
    if format == Format::Github {
        let current_dir = std::env::current_dir().context("find the current folder")?;
        let name = |path: &str| path_from(&outcome.folder, &current_dir.join(path));
        report.sources.rename(name);
    }
    let mut bytes = Vec::new();
    render(report, format, &style, &mut bytes)?;
    let mut summary = Vec::new();
    if !quiet {
        if format != Format::Human {
            render_summary(report, &style, &mut summary)?;
        }
        summary.extend(known.sentence().as_bytes());
    }
    if format == Format::Human {
        bytes.append(&mut summary);
    }
    output::write(options.output.as_deref(), &bytes)?;
    output::write_error(&summary)
}

/// The folder that GitHub takes paths from: the workspace of the workflow, else the repository.
fn github_folder(root: &Path) -> PathBuf {
    let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let workspace = workspace.filter(|workspace| root.starts_with(workspace));
    let repository = || root.ancestors().find(|folder| folder.join(".git").exists());
    workspace.unwrap_or_else(|| repository().unwrap_or(root).to_path_buf())
}

/// Problems that mean that something was not checked.
fn is_grave(code: ProblemCode) -> bool {
    code != ProblemCode::UnusedIgnore
}

/// Problems that mean that a file was not read, or not to its end.
fn is_unread(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::TooDeep
            | ProblemCode::TooLarge
            | ProblemCode::Unreadable
            | ProblemCode::Encoding
    )
}

impl Outcome {
    /// What was asked for and not read is no clean run: a file that was named makes it fail, others where nothing is found.
    fn exit_code(&self, report: &Report, strict: bool) -> u8 {
        let counts = |path: &String| strict || self.named.contains(path);
        let problems = &report.problems;
        if problems
            .iter()
            .any(|problem| is_grave(problem.code) && counts(&problem.path))
        {
            return code::FAILED;
        }
        let fails = report.findings.iter().any(|finding| {
            let settings = self.settings.of(finding.place.file);
            settings.fail_on.fails(finding.risk)
        });
        if fails {
            code::FINDINGS
        } else if problems.iter().any(|problem| is_unread(problem.code)) {
            code::FAILED
        } else {
            code::CLEAN
        }
    }
}

// ---- what is done

/// Tells what is done, where it is asked for.
pub(crate) fn say(verbosity: Verbosity, line: impl FnOnce() -> String) -> Result<()> {
    if verbosity.verbose {
        output::write_error(format!("nostall: {}\n", line()).as_bytes())?;
    }
    Ok(())
}

/// Tells what was read, and where it was looked for.
pub(crate) fn say_what_was_read(
    project: &Project,
    verbosity: Verbosity,
    took: Duration,
) -> Result<()> {
    let config = &project.config;
    say(verbosity, || {
        format!("the project is {}", project.folder.display())
    })?;
    say(verbosity, || {
        format!("the root of its program is {}", project.root.display())
    })?;
    say(verbosity, || match config.files.as_slice() {
        [] => "no config".to_owned(),
        files => format!("config: {}", files.join(", ")),
    })?;
    for baseline in &config.baselines {
        say(verbosity, || {
            format!("baseline: {}", project.shown(&baseline.path))
        })?;
    }
    for language in [Language::Rust, Language::Python] {
        let files = project.sources.iter().map(|(_, source)| source);
        let own = files.filter(|source| source.language == language);
        let roles: Vec<Role> = own.map(|source| source.role).collect();
        say(verbosity, || {
            let reported = roles.iter().filter(|role| **role == Role::Report).count();
            let (name, read) = (language.name(), roles.len());
            format!("{name} files: {read} read, {reported} reported on")
        })?;
    }
    for note in &project.notes {
        say(verbosity, || note.clone())?;
    }
    say(verbosity, || format!("read in {took:.1?}"))
}
