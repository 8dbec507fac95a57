//! How much a whole run costs beside parsing alone: CPU time of both, paired, in one run.

mod growth;
mod homeassistant;
pub(crate) mod usage;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::eval::{Package, Which, fetch};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// The language.
    #[arg(default_value = "rust")]
    language: Which,
    /// How many pairs of runs.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Measures how the time to link grows with the program instead.
    #[arg(long)]
    link: bool,
    /// Measures nostall and other tools on Home Assistant instead, in as many rounds, and writes docs/performance.md.
    #[arg(long)]
    homeassistant: bool,
    /// Measures how the time grows with code of several shapes instead, and writes docs/growth.md.
    #[arg(long)]
    growth: bool,
    /// With `--homeassistant`: measures this program instead of building nostall.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Internal: runs a command for at most so many seconds, and prints what it used.
    #[arg(long, hide = true)]
    usage: Option<u64>,
    /// Internal: what to run.
    #[arg(last = true, hide = true)]
    command: Vec<OsString>,
    /// Internal: parses the files below a folder and ends.
    #[arg(long, hide = true)]
    parse: Option<PathBuf>,
}

/// Measures and prints the median ratio.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(folder) = &options.parse {
        return parse_all(folder, options.language);
    }
    if let Some(seconds) = options.usage {
        return usage::run(&options.command, Duration::from_secs(seconds));
    }
    if options.homeassistant {
        return homeassistant::run(options);
    }
    if options.growth {
        return growth::run(options.pairs);
    }
    if options.link {
        return crate::linking::run(options.pairs);
    }
    let binary = crate::release_binary()?;
    let own = crate::release("xtask")?;
    let packages = fetch(options.language)?;
    let mut ratios = Vec::new();
    for pair in 0..options.pairs {
        let whole = total(&packages, |package| check(&binary, package))?;
        let parsing = total(&packages, |package| parse(&own, package, options.language))?;
        let ratio = whole.as_secs_f64() / parsing.as_secs_f64();
        println!(
            "pair {}: whole run {:.2} s, parsing {:.2} s CPU, ratio {ratio:.2}",
            pair + 1,
            whole.as_secs_f64(),
            parsing.as_secs_f64()
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "{}: whole run / parsing, median of {}: {:.2}",
        options.language.name(),
        ratios.len(),
        ratios[ratios.len() / 2]
    );
    Ok(())
}

fn total(packages: &[Package], run: impl Fn(&Package) -> Result<()>) -> Result<Duration> {
    let before = children_cpu()?;
    for package in packages {
        run(package)?;
    }
    Ok(children_cpu()? - before)
}

/// CPU time of all child processes that have ended, from `/proc` or its like: user and system.
fn children_cpu() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")
        .context("CPU times are read from /proc: run this on Linux")?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    // Fields 16 and 17 of proc(5), counted behind the command's name; in ticks of a hundredth of a second.
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok(Duration::from_millis((ticks(13) + ticks(14)) * 10))
}

/// How nostall is run.
const CHECK: [&str; 5] = ["check", "--format", "jsonl", "--quiet", "--allow-empty"];

fn check(binary: &Path, package: &Package) -> Result<()> {
    let mut command = Command::new(binary);
    command
        .args(CHECK)
        .arg(&package.folder)
        .current_dir(&package.folder);
    finish(command, &[0, 1])
}

fn parse(own: &Path, package: &Package, language: Which) -> Result<()> {
    let mut command = Command::new(own);
    command
        .args(["bench", language.name(), "--parse"])
        .arg(&package.folder);
    finish(command, &[0])
}

fn finish(mut command: Command, codes: &[i32]) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(
        status.code().is_some_and(|code| codes.contains(&code)),
        "{command:?} ended with {status}"
    );
    Ok(())
}

/// Parses all files of a folder one after the other, and does nothing with what comes out.
fn parse_all(folder: &Path, language: Which) -> Result<()> {
    let folder = folder.to_owned();
    let work = move || -> Result<()> {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&tree_sitter_python::LANGUAGE.into())?;
        for entry in walkdir::WalkDir::new(folder)
            .into_iter()
            .filter_map(Result::ok)
        {
            let extension = entry
                .path()
                .extension()
                .and_then(|extension| extension.to_str());
            match (language, extension) {
                (Which::Rust, Some("rs")) => {
                    let text = std::fs::read_to_string(entry.path())?;
                    drop(syn::parse_file(&text));
                }
                (Which::Python, Some("py")) => {
                    drop(parser.parse(std::fs::read(entry.path())?, None));
                }
                _ => {}
            }
        }
        Ok(())
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(work)?;
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("the parser panicked"))?
}
