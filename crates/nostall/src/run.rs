//! What the commands do, and what the process answers.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use clap::error::ErrorKind;
use nostall_catalog::Catalog;
use nostall_engine::analyse::{Settings, analyse};
use nostall_engine::baseline::Baseline;
use nostall_engine::project::{Config, ConfigLayer, FailOn, Project, Request, load};
use nostall_engine::rules;
use nostall_model::finding::ProblemCode;
use nostall_model::{Confidence, Report, Risk};
use nostall_report::{Format, Options, render, render_problems, render_summary};

use crate::arguments::{Arguments, CheckOptions, Command, FormatName, ScopeOptions};
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
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(arguments, &error),
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
            scope,
        }) => baseline(paths, &output, &scope),
        Some(Command::Explain {
            subject,
            format,
            color,
            scope,
        }) => crate::ask::explain(&subject, format, color, &scope),
        Some(Command::Graph {
            function,
            format,
            color,
            scope,
        }) => crate::ask::graph(&function, format.into(), color, &scope),
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
    if options.summary && options.format != FormatName::Human {
        bail!("`--summary` is for people: it goes with `--format human`");
    }
    let mut request = request(paths, &options.scope)?;
    request.overrides.fail_on = options.fail_on;
    request.overrides.baseline = options
        .baseline
        .as_ref()
        .map(|path| request.current_dir.join(path));
    read_standard_input(&mut request, options)?;
    let project = load(&request)?;
    let config = project.config.clone();
    let named = project.named_files.clone();
    let mut settings = settings(&config, &project);
    settings.unresolved = options.show_unresolved;
    settings.baseline = config.baseline.as_deref().map(read_baseline).transpose()?;
    let report = analysed(project, &config, &settings, options.quiet);
    show(&report, &config, options)?;
    Ok(exit_code(&report, &config, options.scope.strict, &named))
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

pub(crate) fn settings(config: &Config, project: &Project) -> Settings {
    Settings {
        min_risk: config.min_risk,
        min_confidence: config.min_confidence,
        select: config.select.clone(),
        ignore: config.ignore.clone(),
        tests: config.tests,
        unresolved: false,
        baseline: None,
        root: project.root.clone(),
        current_dir: project.current_dir.clone(),
    }
}

fn analysed(project: Project, config: &Config, settings: &Settings, quiet: bool) -> Report {
    let catalog = Catalog::builtin().with_user_entries(config.entries.clone());
    let shown = Shown::new(quiet);
    let report = analyse(project, &catalog, settings, &|progress| {
        shown.step(progress);
    });
    shown.finish();
    report
}

/// Findings go to standard output or the file; what machines do not read goes to standard error.
fn show(report: &Report, config: &Config, options: &CheckOptions) -> Result<()> {
    let format = Format::from(options.format);
    let style = Options {
        color: with_color(options.color, options.output.is_some()),
        width: output::width(options.output.is_some()),
        all: options.all,
        summary: options.summary,
        max_findings: options.max_findings,
        statistics: options.statistics,
        unresolved: options.show_unresolved,
        terminal: options.output.is_none() && std::io::stdout().is_terminal(),
        min_risk: config.min_risk,
        min_confidence: config.min_confidence,
    };
    let mut errors = Vec::new();
    if !format.holds_problems() {
        let problems: Vec<_> = report
            .problems
            .iter()
            .filter(|problem| !options.quiet || is_grave(problem.code))
            .cloned()
            .collect();
        render_problems(report, &problems, &mut errors)?;
    }
    output::write_error(&errors)?;
    let mut bytes = Vec::new();
    render(report, format, &style, &mut bytes)?;
    output::write(options.output.as_deref(), &bytes)?;
    if format != Format::Human && !options.quiet {
        let mut summary = Vec::new();
        render_summary(report, &style, &mut summary)?;
        output::write_error(&summary)?;
    }
    Ok(())
}

/// Problems that mean that something was not checked.
fn is_grave(code: ProblemCode) -> bool {
    code != ProblemCode::UnusedIgnore
}

fn exit_code(
    report: &Report,
    config: &Config,
    strict: bool,
    named: &std::collections::BTreeSet<String>,
) -> u8 {
    let counts = |path: &String| strict || named.contains(path);
    if report
        .problems
        .iter()
        .any(|problem| is_grave(problem.code) && counts(&problem.path))
    {
        return code::FAILED;
    }
    let fails = report.findings.iter().any(|finding| match config.fail_on {
        FailOn::Any => true,
        FailOn::Never => false,
        FailOn::Risk(risk) => finding.risk >= risk,
    });
    if fails { code::FINDINGS } else { code::CLEAN }
}

// ---- baseline

fn read_baseline(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read baseline {}", path.display()))?;
    Baseline::from_json(&text).with_context(|| format!("read baseline {}", path.display()))
}

/// Takes all findings as known, whatever their risk: thresholds may be lowered later.
fn baseline(paths: Vec<PathBuf>, output: &Path, scope: &ScopeOptions) -> Result<u8> {
    let request = request(paths, scope)?;
    let project = load(&request)?;
    let config = project.config.clone();
    let mut settings = settings(&config, &project);
    settings.min_risk = scope.min_risk.unwrap_or(Risk::Low);
    settings.min_confidence = scope.min_confidence.unwrap_or(Confidence::Possible);
    let report = analysed(project, &config, &settings, false);
    let mut problems = Vec::new();
    render_problems(&report, &report.problems, &mut problems)?;
    output::write_error(&problems)?;
    let baseline = Baseline::of(&report);
    output::write(Some(output), baseline.to_json()?.as_bytes())?;
    output::write_error(
        format!(
            "{} findings written to {}\n",
            baseline.len(),
            output.display()
        )
        .as_bytes(),
    )?;
    Ok(code::CLEAN)
}
