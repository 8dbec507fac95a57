//! Checks hundreds of published packages of many kinds: none may crash nostall, take too long or too much memory.
//!
//! The packages are pinned in `fixtures/eval/sweep.tsv`, downloaded and unpacked below `target` or by cargo, and only read.
//! Each is a project of its own: nostall looks for no project above a folder named `target`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use walkdir::WalkDir;

use crate::bench::usage::{Ended, Usage, watch};
use crate::eval::{Package, Which, published_crate, published_wheel, rows};
use crate::root;

/// What to check.
#[derive(Args)]
pub(crate) struct Options {
    /// Only packages whose name has this in it.
    name: Option<String>,
    /// Checks with this program instead of building nostall.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Writes docs/reliability.md.
    #[arg(long)]
    write: bool,
}

const PACKAGES: &str = "fixtures/eval/sweep.tsv";

const PAGE: &str = "docs/reliability.md";

/// Everything that can be reported is: nothing is cut short by a threshold.
const FLAGS: [&str; 8] = [
    "check",
    "--allow-empty",
    "--tests",
    "--min-risk",
    "low",
    "--min-confidence",
    "possible",
    "--format=jsonl",
];

/// Seconds of processor time, which do not depend on what else runs.
const MOST_TIME: f64 = 60.0;

/// MiB.
const MOST_MEMORY: f64 = 2048.0;

/// Then a run is stopped.
const LONGEST_RUN: Duration = Duration::from_secs(600);

/// How many of the slowest and of the largest are listed.
const LISTED: usize = 10;

/// Runs, judges, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => crate::release_binary()?,
    };
    let mut runs = Vec::new();
    for row in rows(PACKAGES)? {
        let wanted = Row::new(&row)?;
        if options
            .name
            .as_ref()
            .is_some_and(|part| !wanted.name.contains(part.as_str()))
        {
            continue;
        }
        let run = wanted.run(&binary)?;
        println!("{}", run.line());
        runs.push(run);
    }
    let page = page(&runs);
    println!("\n{page}");
    if options.write {
        ensure!(
            options.name.is_none(),
            "the page is written of all packages"
        );
        std::fs::write(root().join(PAGE), &page).with_context(|| format!("write {PAGE}"))?;
    }
    let failed = runs.iter().filter(|run| run.outcome.is_failure()).count();
    ensure!(failed == 0, "{failed} of {} packages failed", runs.len());
    Ok(())
}

/// One line of the table of packages.
struct Row<'a> {
    language: Which,
    name: &'a str,
    version: &'a str,
}

impl<'a> Row<'a> {
    fn new(row: &'a [String]) -> Result<Self> {
        let [language, name, version] = row else {
            bail!("{PACKAGES}: a row has a language, a name and a version, not {row:?}")
        };
        let language = match language.as_str() {
            "python" => Which::Python,
            "rust" => Which::Rust,
            other => bail!("{PACKAGES}: no language `{other}`"),
        };
        Ok(Self {
            language,
            name,
            version,
        })
    }

    fn run(&self, binary: &Path) -> Result<Run> {
        let package = match self.language {
            Which::Rust => published_crate(self.name, self.version),
            Which::Python => published_wheel(self.name, self.version),
        }?;
        Ok(Run {
            language: self.language,
            lines: lines(&package, self.language),
            outcome: outcome(binary, &package)?,
            tree: package.tree,
        })
    }
}

/// What became of one package.
struct Run {
    language: Which,
    tree: String,
    lines: usize,
    outcome: Outcome,
}

enum Outcome {
    /// Ended as it should.
    Done(Usage),
    /// Said which file it did not read, and found nothing in the others.
    Unread(Usage, String),
    TimedOut,
    Crashed(String),
}

impl Outcome {
    /// Judges by the exit codes that nostall promises. Any other, a signal and a panic in one of its threads are a crash.
    fn new(ended: Option<Ended>) -> Self {
        let Some(ended) = ended else {
            return Self::TimedOut;
        };
        let panic = ended
            .errors
            .lines()
            .find(|line| line.contains("panicked at"));
        let mut said = ended
            .errors
            .lines()
            .filter(|line| line.starts_with("warning") || line.starts_with("error"));
        match (ended.code, panic, said.next()) {
            (_, Some(panic), _) => Self::Crashed(panic.to_owned()),
            (Some(0 | 1), ..) => Self::Done(ended.usage),
            (Some(2), _, Some(said)) => Self::Unread(ended.usage, said.to_owned()),
            _ => Self::Crashed(ended.status),
        }
    }

    fn is_failure(&self) -> bool {
        self.usage()
            .is_none_or(|usage| usage.cpu > MOST_TIME || usage.memory > MOST_MEMORY)
    }

    fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Done(usage) | Self::Unread(usage, _) => Some(usage),
            Self::TimedOut | Self::Crashed(_) => None,
        }
    }
}

impl Run {
    fn line(&self) -> String {
        let used = |usage: &Usage| format!("{:.2} s, {:.0} MiB", usage.cpu, usage.memory);
        let what = match &self.outcome {
            Outcome::Done(usage) => used(usage),
            Outcome::Unread(usage, said) => format!("{}, exit code 2: {said}", used(usage)),
            Outcome::TimedOut => "TIMED OUT".to_owned(),
            Outcome::Crashed(how) => format!("CRASHED: {how}"),
        };
        let failure = if self.outcome.is_failure() {
            "FAILED "
        } else {
            ""
        };
        format!("{failure}{} ({} lines): {what}", self.tree, self.lines)
    }
}

fn outcome(binary: &Path, package: &Package) -> Result<Outcome> {
    let own = std::env::current_exe()?;
    let command: Vec<_> = std::iter::once(binary.as_os_str())
        .chain(FLAGS.map(std::ffi::OsStr::new))
        .chain([package.folder.as_os_str()])
        .map(ToOwned::to_owned)
        .collect();
    let ended = watch(&own, &command, &package.folder, LONGEST_RUN)?;
    Ok(Outcome::new(ended))
}

/// Counts the lines of a package's source files.
fn lines(package: &Package, language: Which) -> usize {
    let extension = match language {
        Which::Rust => "rs",
        Which::Python => "py",
    };
    WalkDir::new(&package.folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|found| found == extension)
        })
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .map(|text| text.split(|byte| *byte == b'\n').count())
        .sum()
}

// ---- the page

fn page(runs: &[Run]) -> String {
    let mut page = format!(
        "# Reliability\n\n\
         <!-- Written by `cargo xtask sweep --write`. -->\n\n\
         nostall reads published packages of many kinds: web frameworks, database drivers, cloud SDKs, scientific\n\
         libraries, games, bindings, parsers, tools, and the largest generated ones. Names and versions are in\n\
         [`{PACKAGES}`](../{PACKAGES}). Each is checked with everything shown that can be (`--tests --min-risk low\n\
         --min-confidence possible`). A run fails when it crashes, takes more than {MOST_TIME} seconds of processor time, all\n\
         threads together, or more than {} GiB of memory. A crash is a panic in any thread, a signal, or an exit code other than 0\n\
         (nothing found), 1 (findings) and, with a message, 2 (a file could not be read, and nothing was found in the others).\n\n",
        MOST_MEMORY / 1024.0
    );
    page.push_str(&totals(runs));
    let failed: Vec<String> = runs
        .iter()
        .filter(|run| run.outcome.is_failure())
        .map(|run| format!("* {}\n", run.line()))
        .collect();
    if !failed.is_empty() {
        let _ = write!(page, "\n## Those that failed\n\n{}", failed.concat());
    }
    let mut done: Vec<&Run> = runs
        .iter()
        .filter(|run| run.outcome.usage().is_some())
        .collect();
    let _ = write!(page, "\n## The slowest\n\n");
    done.sort_by(|a, b| by(b, a, |usage| usage.cpu));
    page.push_str(&table(&done));
    let _ = write!(page, "\n## Those that need the most memory\n\n");
    done.sort_by(|a, b| by(b, a, |usage| usage.memory));
    page.push_str(&table(&done));
    page
}

fn by(a: &Run, b: &Run, of: impl Fn(&Usage) -> f64) -> std::cmp::Ordering {
    let of = |run: &Run| run.outcome.usage().map_or(0.0, &of);
    of(a).total_cmp(&of(b))
}

fn totals(runs: &[Run]) -> String {
    let mut table =
        "| language | packages | thousand lines | crashed | too slow | too much memory | exit code 2 |\n\
                     | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    for language in [Which::Rust, Which::Python] {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.language == language).collect();
        let count = |is: fn(&Outcome) -> bool| runs.iter().filter(|run| is(&run.outcome)).count();
        let crashed = count(|outcome| matches!(outcome, Outcome::Crashed(_)));
        let slow = count(|outcome| match outcome {
            Outcome::TimedOut => true,
            Outcome::Done(usage) | Outcome::Unread(usage, _) => usage.cpu > MOST_TIME,
            Outcome::Crashed(_) => false,
        });
        let unread = count(|outcome| matches!(outcome, Outcome::Unread(..)));
        let large = count(|outcome| {
            outcome
                .usage()
                .is_some_and(|usage| usage.memory > MOST_MEMORY)
        });
        let lines: usize = runs.iter().map(|run| run.lines).sum();
        let _ = writeln!(
            table,
            "| {} | {} | {} | {crashed} | {slow} | {large} | {unread} |",
            language.name(),
            runs.len(),
            lines.div_ceil(1000)
        );
    }
    table
}

fn table(runs: &[&Run]) -> String {
    let mut table =
        "| package | thousand lines | seconds | MiB |\n| --- | ---: | ---: | ---: |\n".to_owned();
    for run in runs.iter().take(LISTED) {
        let Some(usage) = run.outcome.usage() else {
            continue;
        };
        let _ = writeln!(
            table,
            "| {} | {} | {:.1} | {:.0} |",
            run.tree,
            run.lines.div_ceil(1000),
            usage.cpu,
            usage.memory
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::Outcome;
    use crate::bench::usage::{Ended, Usage};

    fn judged(code: Option<i32>, errors: &str) -> Outcome {
        Outcome::new(Some(Ended {
            usage: Usage {
                wall: 1.0,
                cpu: 1.0,
                memory: 1.0,
            },
            code,
            status: "a status".to_owned(),
            errors: errors.to_owned(),
        }))
    }

    #[test]
    fn promised_exit_codes_are_no_crash() {
        assert!(matches!(judged(Some(0), ""), Outcome::Done(_)));
        assert!(matches!(judged(Some(1), "1 finding"), Outcome::Done(_)));
        let unread = judged(
            Some(2),
            "warning[too-large]: a.py: not read: too large\nerror: not all",
        );
        assert!(matches!(unread, Outcome::Unread(_, said) if said.contains("too large")));
    }

    #[test]
    fn all_other_ends_are_crashes() {
        let panic = "thread '<unnamed>' panicked at src/a.rs:1:1:\nindex out of bounds";
        for (code, errors) in [
            (None, ""),
            (Some(101), ""),
            (Some(2), ""),
            (Some(1), panic),
            (Some(2), panic),
        ] {
            let outcome = judged(code, errors);
            assert!(matches!(outcome, Outcome::Crashed(_)), "{code:?} {errors}");
            assert!(outcome.is_failure());
        }
    }

    #[test]
    fn a_run_without_an_end_timed_out() {
        assert!(matches!(Outcome::new(None), Outcome::TimedOut));
    }
}
