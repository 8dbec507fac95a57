//! nostall beside other tools on Home Assistant, the largest Python application that PyPI has: time, CPU and memory.
//!
//! The tools take turns in each round, and ratios are taken within a round, so that what else the machine does weighs on
//! all of them. What they find is dropped unread: this is a measurement of cost alone.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Options;
use super::usage::{Usage, measure};
use crate::eval::python::{
    HYDROID, HYDROID_CACHE, RUFF, RUFF_ARGUMENTS, copy_sources, empty_environment,
    hydroid_arguments, install,
};
use crate::eval::{Package, Wheel};
use crate::root;

const HOME_ASSISTANT: Wheel<'_> = Wheel {
    name: "homeassistant",
    version: "2026.2.3",
    file: "homeassistant-2026.2.3-py3-none-any.whl",
    hash: "8167820cac4b8defe895fd2c36ac23402a445d1fe6028e8cde24caabb935282c",
};

/// How often hydroid-cli takes its turn: it needs minutes.
const HYDROID_ROUNDS: usize = 2;

/// The most time for one run.
const LONGEST_RUN: Duration = Duration::from_secs(900);

/// One tool and what its runs used, by round; nothing where it was stopped.
struct Contender {
    name: String,
    rounds: usize,
    command: Vec<OsString>,
    /// Folder that is removed before each run.
    forget: Option<PathBuf>,
    usages: Vec<Option<Usage>>,
}

/// Measures, prints and writes docs/performance.md.
pub(super) fn run(options: &Options) -> Result<()> {
    ensure!(options.pairs > 0, "no rounds to measure");
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => crate::release_binary()?,
    };
    let own = crate::release("xtask")?;
    let package = HOME_ASSISTANT.fetch()?;
    let copies = tempfile::tempdir()?;
    let copy = copies.path().join(&package.tree);
    copy_sources(&package.folder, &copy)?;
    let mut contenders = contenders(&binary, &own, &package, &copy, options.pairs)?;
    // Brings the files into memory.
    turn(&own, &contenders[PARSING], &package)?;
    for round in 0..options.pairs {
        for contender in &mut contenders {
            // One that was stopped once would be stopped again.
            let stopped = contender.usages.iter().any(Option::is_none);
            if round >= contender.rounds || stopped {
                continue;
            }
            let usage = turn(&own, contender, &package)?;
            println!("round {}, {}: {}", round + 1, contender.name, text(usage));
            contender.usages.push(usage);
        }
    }
    let page = page(&package, &contenders)?;
    let file = root().join("docs/performance.md");
    std::fs::write(&file, page).with_context(|| format!("write {}", file.display()))?;
    println!("wrote docs/performance.md");
    Ok(())
}

/// Where nostall and its parser stand in the list.
const NOSTALL: usize = 0;
const PARSING: usize = 1;

fn contenders(
    binary: &Path,
    own: &Path,
    package: &Package,
    copy: &Path,
    rounds: usize,
) -> Result<Vec<Contender>> {
    let ruff = install(&RUFF)?;
    let hydroid = install(&HYDROID)?;
    let empty = empty_environment()?;
    let contender =
        |name: String, rounds: usize, program: &Path, arguments: &[OsString]| Contender {
            name,
            rounds,
            command: [&[program.as_os_str().to_owned()], arguments].concat(),
            forget: None,
            usages: Vec::new(),
        };
    let words = |words: &[&str], folder: &Path| -> Vec<OsString> {
        let words = words.iter().map(OsString::from);
        words.chain([folder.as_os_str().to_owned()]).collect()
    };
    let folder = &package.folder;
    let nostall = words(&super::CHECK, folder);
    let parsing = words(&["bench", "python", "--parse"], folder);
    let linting = words(&[&RUFF_ARGUMENTS[..], &["ASYNC"]].concat(), folder);
    let mut following: Vec<OsString> = hydroid_arguments(&empty).map(OsString::from).to_vec();
    following.push(copy.as_os_str().to_owned());

    let own_version = env!("CARGO_PKG_VERSION");
    let few = rounds.min(HYDROID_ROUNDS);
    let named = |tool: &str, version: &str| format!("{tool} {version}");
    let cold = named("hydroid-cli", HYDROID.version);
    Ok(vec![
        contender(named("nostall", own_version), rounds, binary, &nostall),
        contender("nostall's parser alone".to_owned(), rounds, own, &parsing),
        contender(named("ruff", RUFF.version), rounds, &ruff, &linting),
        Contender {
            forget: Some(copy.join(HYDROID_CACHE)),
            ..contender(format!("{cold}, cold"), few, &hydroid, &following)
        },
        contender(format!("{cold}, warm"), few, &hydroid, &following),
    ])
}

fn turn(own: &Path, contender: &Contender, package: &Package) -> Result<Option<Usage>> {
    if let Some(folder) = contender.forget.as_ref().filter(|folder| folder.exists()) {
        std::fs::remove_dir_all(folder)?;
    }
    measure(own, &contender.command, &package.folder, LONGEST_RUN)
}

fn text(usage: Option<Usage>) -> String {
    match usage {
        None => format!("stopped after {} s", LONGEST_RUN.as_secs()),
        Some(usage) => format!(
            "{:.2} s, {:.2} s CPU, {:.0} MiB",
            usage.wall, usage.cpu, usage.memory
        ),
    }
}

fn page(package: &Package, contenders: &[Contender]) -> Result<String> {
    let (files, lines) = size(&package.folder)?;
    let cores = std::thread::available_parallelism()?;
    let Wheel { version, .. } = HOME_ASSISTANT;
    let mut page = format!(
        "# Performance\n\n\
        Made by `cargo xtask bench --homeassistant` on the wheel of Home Assistant {version} ({files} Python files, {lines} \
        lines), on a\nmachine with {cores} cores ({}, {}). The tools took turns in each round; the figures are medians over \
        the rounds, and\na ratio is the median of the ratios within each round. Memory is the peak of the largest process. \
        The files were in the\nsystem's cache. Nobody looked at what the tools found.\n\n\
        | tool | rounds | seconds | CPU seconds | peak MiB |\n| --- | --- | --- | --- | --- |\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
    for contender in contenders {
        let rounds = contender.usages.iter().flatten().count();
        let _ = match (of(contender, |usage| usage.wall), rounds) {
            (None, _) => writeln!(page, "| {} | – | {} | – | – |", contender.name, text(None)),
            (Some(wall), rounds) => writeln!(
                page,
                "| {} | {rounds} | {wall:.2} | {:.2} | {:.0} |",
                contender.name,
                of(contender, |usage| usage.cpu).unwrap_or_default(),
                of(contender, |usage| usage.memory).unwrap_or_default()
            ),
        };
    }
    page.push_str(
        "\nHow much nostall needs beside each: 2.00 is twice as much.\n\n\
        | nostall beside | seconds | CPU seconds | peak memory |\n| --- | --- | --- | --- |\n",
    );
    let nostall = &contenders[NOSTALL];
    for other in &contenders[PARSING..] {
        let beside = |field: fn(&Usage) -> f64| match ratio(nostall, other, field) {
            Some(ratio) => format!("{ratio:.2}"),
            None => "–".to_owned(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            other.name,
            beside(|usage| usage.wall),
            beside(|usage| usage.cpu),
            beside(|usage| usage.memory)
        );
    }
    page.push_str(
        "\n* nostall: `check` with its defaults; no cache. It runs on all cores.\n\
        * nostall's parser alone: tree-sitter over the same files, on one core, with nothing done with the trees: compare the\n  \
        CPU seconds.\n\
        * ruff: `check --preview --select ASYNC --no-cache`. It looks at each file alone.\n\
        * hydroid-cli: its defaults, with an environment in which nothing is installed. Cold is without its cache, warm the run\n  \
        after that, in which no file has changed.\n",
    );
    Ok(page)
}

fn of(contender: &Contender, field: fn(&Usage) -> f64) -> Option<f64> {
    median(contender.usages.iter().flatten().map(field).collect())
}

fn ratio(own: &Contender, other: &Contender, field: fn(&Usage) -> f64) -> Option<f64> {
    let rounds = own.usages.iter().zip(&other.usages);
    let ratios = rounds.filter_map(|(own, other)| {
        let (own, other) = (own.as_ref()?, other.as_ref()?);
        Some(field(own) / field(other))
    });
    median(ratios.collect())
}

/// Of an even number of values the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

fn size(folder: &Path) -> Result<(usize, usize)> {
    let (mut files, mut lines) = (0, 0);
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if entry.path().extension().is_some_and(|end| end == "py") {
            files += 1;
            let bytes = std::fs::read(entry.path())?;
            lines += bytes.iter().filter(|byte| **byte == b'\n').count();
        }
    }
    Ok((files, lines))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(median(vec![4.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }
}
