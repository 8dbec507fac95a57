//! What can be said on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use nostall_engine::settings::FailOn;
use nostall_model::{Confidence, Risk};
use nostall_report::Format;

/// Finds the calls that stall an async runtime, in Rust and in Python.
#[derive(Debug, Parser)]
#[command(name = "nostall", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) check: CheckOptions,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing found, 1 at least one finding shown, 2 the job could not be done, or a file not read.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks files, folders, or the project around the current folder
    #[command(after_help = EXIT_CODES)]
    Check {
        /// Files and folders whose findings are reported; `-` reads from standard input
        paths: Vec<PathBuf>,
        #[command(flatten)]
        options: CheckOptions,
    },
    /// Writes down what `check` shows today, so that it shows only new findings from here on
    Baseline {
        /// Files and folders
        paths: Vec<PathBuf>,
        /// The file to write [default: the one that holds here, else nostall-baseline.json in the project's folder]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Takes in new findings, takes out those that are gone, leaves alone what PATHS do not hold
        #[arg(long)]
        update: bool,
        /// Takes out findings that are gone, takes in none
        #[arg(long, conflicts_with = "update")]
        prune: bool,
        #[command(flatten)]
        scope: ScopeOptions,
        #[command(flatten)]
        verbosity: Verbosity,
    },
    /// Says why: of a line, a function, a rule, or a function of a library
    Explain {
        /// FILE:LINE, the end of a function's qualified path, a rule, or the path of a library's function
        subject: String,
        /// The form of the output
        #[arg(long, value_enum, default_value_t)]
        format: AnswerFormat,
        /// When to write in colour
        #[arg(long, value_enum, default_value_t)]
        color: Color,
        #[command(flatten)]
        scope: ScopeOptions,
        #[command(flatten)]
        verbosity: Verbosity,
    },
    /// Draws the ways from async code through a function to what blocks
    Graph {
        /// The end of a function's qualified path, or FILE:LINE
        function: String,
        /// The form of the output
        #[arg(long, value_enum, default_value_t)]
        format: GraphFormatName,
        /// When to write in colour
        #[arg(long, value_enum, default_value_t)]
        color: Color,
        #[command(flatten)]
        scope: ScopeOptions,
        #[command(flatten)]
        verbosity: Verbosity,
    },
    /// Lists the rules
    Rules,
}

/// What is looked at.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ScopeOptions {
    /// Reads this config instead of the project's own
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Rules and groups to check for: ids, `blocking`, `practice`, `all`
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) select: Option<Vec<String>>,
    /// Rules and groups not to check for
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) ignore: Option<Vec<String>>,
    /// Files and folders whose findings are not reported; with --workspace also a package
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Option<Vec<String>>,
    /// Hides findings below this risk [default: medium]
    #[arg(long, value_name = "RISK", value_parser = risk)]
    pub(crate) min_risk: Option<Risk>,
    /// Hides findings below this confidence [default: likely]
    #[arg(long, value_name = "CONFIDENCE", value_parser = confidence)]
    pub(crate) min_confidence: Option<Confidence>,
    /// Looks at tests, benchmarks, examples and build scripts as well
    #[arg(long)]
    pub(crate) tests: bool,
    /// Leaves out what the config excludes where it is named as well, and tests; for hooks that name changed files
    #[arg(long)]
    pub(crate) force_exclude: bool,
    /// Looks at files that .gitignore names as well; hidden ones stay left out
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// The Cargo.toml of the package or workspace to check
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Reports only on this package of the workspace
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Vec<String>,
    /// Reports on all packages of the workspace
    #[arg(long)]
    pub(crate) workspace: bool,
    /// Does not report on this package of the workspace
    #[arg(long, value_name = "NAME")]
    pub(crate) exclude_package: Vec<String>,
    /// Problems with any file make the exit code 2
    #[arg(long)]
    pub(crate) strict: bool,
    /// Nothing to check is no error
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

/// How a check is done and shown.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    pub(crate) scope: ScopeOptions,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FormatName,
    /// Writes to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Findings from this risk on make the exit code 1: a risk, `any` or `never` [default: any]
    #[arg(long, value_name = "RISK", value_parser = fail_on)]
    pub(crate) fail_on: Option<FailOn>,
    /// Hides the findings that this file holds [default: that of the config, or nostall-baseline.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Shows what is in the baseline as well
    #[arg(long, conflicts_with = "baseline")]
    pub(crate) no_baseline: bool,
    /// Takes standard input as the text of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin_filename: Option<PathBuf>,
    /// Shows all findings in full, none grouped by the function that they go through
    #[arg(long)]
    pub(crate) all: bool,
    /// Writes the last lines alone, with a table of rules and risks and the functions whose repair pays most
    #[arg(long)]
    pub(crate) summary: bool,
    /// Writes at most this many findings, the worst; the exit code stays
    #[arg(long, value_name = "N")]
    pub(crate) max_findings: Option<usize>,
    /// Adds a table of rules and risks
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Lists calls in async code whose target is not known
    #[arg(long)]
    pub(crate) show_unresolved: bool,
    /// When to write in colour
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// How much is said beside the findings.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Verbosity {
    /// Prints findings and errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Prints what is done, to standard error
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

/// A form of output, as clap lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// For people, with the source
    #[default]
    Human,
    /// A line a finding: path:line:column: risk[rule] message
    Concise,
    /// One JSON value
    Json,
    /// One JSON value a line
    Jsonl,
    /// Annotations for GitHub Actions
    Github,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Human => Self::Human,
            FormatName::Concise => Self::Concise,
            FormatName::Json => Self::Json,
            FormatName::Jsonl => Self::Jsonl,
            FormatName::Github => Self::Github,
        }
    }
}

/// A form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// For people
    #[default]
    Human,
    /// One JSON value
    Json,
}

/// A form of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormatName {
    /// A tree
    #[default]
    Text,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
}

impl From<GraphFormatName> for nostall_report::GraphFormat {
    fn from(name: GraphFormatName) -> Self {
        match name {
            GraphFormatName::Text => Self::Text,
            GraphFormatName::Dot => Self::Dot,
            GraphFormatName::Mermaid => Self::Mermaid,
        }
    }
}

/// When to write in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, as NO_COLOR, CLICOLOR, CLICOLOR_FORCE, FORCE_COLOR and TERM say
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Puts the options that stand before the command behind it, where clap looks for them: `nostall -q check`.
pub(crate) fn command_first(arguments: &[OsString]) -> Vec<OsString> {
    let command = Arguments::command();
    let mut at = 1;
    while let Some(word) = arguments.get(at).map(|word| word.to_string_lossy()) {
        if word == "-" || word == "--" {
            break;
        }
        if word.starts_with('-') {
            at += 1 + usize::from(takes_next(&command, &word));
            continue;
        }
        if command.find_subcommand(&*word).is_some() {
            let mut ordered = arguments.to_vec();
            ordered[1..=at].rotate_right(1);
            return ordered;
        }
        break;
    }
    arguments.to_vec()
}

/// Says whether the word after an option is its value: of `--format` and `-o`, not of `--format=json` and `-q`.
fn takes_next(command: &clap::Command, word: &str) -> bool {
    let takes = |fits: &dyn Fn(&clap::Arg) -> bool| {
        command
            .get_arguments()
            .any(|argument| fits(argument) && argument.get_action().takes_values())
    };
    match word.strip_prefix("--") {
        // `--format=json` is no option's name.
        Some(long) => takes(&|argument| argument.get_long() == Some(long)),
        None => {
            let taking = word[1..]
                .char_indices()
                .find(|(_, short)| takes(&|argument| argument.get_short() == Some(*short)));
            taking.is_some_and(|(at, short)| at + short.len_utf8() == word.len() - 1)
        }
    }
}

fn risk(word: &str) -> Result<Risk, String> {
    Risk::ALL
        .into_iter()
        .find(|risk| risk.name() == word)
        .ok_or_else(|| "one of low, medium, high, critical".to_owned())
}

fn confidence(word: &str) -> Result<Confidence, String> {
    let found = Confidence::ALL
        .into_iter()
        .find(|confidence| confidence.name() == word);
    found.ok_or_else(|| "one of possible, likely, certain".to_owned())
}

fn fail_on(word: &str) -> Result<FailOn, String> {
    match word {
        "any" => Ok(FailOn::Any),
        "never" => Ok(FailOn::Never),
        _ => risk(word)
            .map(FailOn::Risk)
            .map_err(|known| format!("{known}, any, never")),
    }
}
