//! Whether advice can be followed: each piece of it, over all packages of the evaluation, must parse as an expression of its
//! language with names that are in scope where it would stand. With `--compile`, a sample is put in place and compiled.

mod compile;
mod entry;
mod page;
mod python;
mod rust;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::eval::{MODES, Package, Which, check, fetch};
use entry::{Entry, Found, read};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// The language; both without it.
    language: Option<Which>,
    /// Lists what does not parse, or has names that are not in scope.
    #[arg(long)]
    list: bool,
    /// Writes docs/advice.md; what was compiled stays as it is there, unless `--compile` is given too.
    #[arg(long)]
    write: bool,
    /// Measures this program instead of building nostall.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    #[command(flatten)]
    compile: compile::CompileOptions,
}

/// The ways in which nostall is run: what users see first, and all that it can show.
const SHOWN: [usize; 2] = [2, 1];

/// How many pieces of advice of one kind there are, and what is wrong with them.
#[derive(Default)]
struct Count {
    all: usize,
    /// Those that are the first of their finding.
    first: usize,
    with_code: usize,
    parse: usize,
    in_scope: usize,
}

/// Counts by language, mode and kind.
type Counts = BTreeMap<(&'static str, &'static str, String), Count>;

/// Why a piece of advice cannot stand where it would.
enum Fault {
    Syntax(String),
    Name(String),
}

/// Checks all packages, counts, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => crate::release_binary()?,
    };
    let languages = match options.language {
        Some(one) => vec![one],
        None => vec![Which::Rust, Which::Python],
    };
    let mut counts = Counts::new();
    let mut drawable = Vec::new();
    for language in languages {
        let packages = fetch(language)?.into_iter();
        for package in packages.filter(|package| options.compile.looks_at(&package.tree)) {
            for index in SHOWN {
                let (mode, flags) = MODES[index];
                let found = read(&check(&binary, &package, flags)?, &package)?;
                count(language, mode, &package, &found, options, &mut counts)?;
                if language == Which::Rust && flags.is_empty() {
                    drawable.push((package.clone(), found));
                }
            }
        }
    }
    print!("{}", page::counts(&counts));
    let compiled = options.compile.run(drawable)?;
    if options.write {
        page::write(&counts, compiled.as_ref())?;
    }
    Ok(())
}

fn count(
    language: Which,
    mode: &'static str,
    package: &Package,
    found: &[Found],
    options: &Options,
    counts: &mut Counts,
) -> Result<()> {
    let mut rust = rust::Packages::default();
    for finding in found {
        let text = std::fs::read_to_string(&finding.file)
            .with_context(|| format!("read {}", finding.file.display()))?;
        for (nth, entry) in finding.advice.iter().enumerate() {
            let key = (language.name(), mode, entry.described());
            let count = counts.entry(key).or_default();
            count.all += 1;
            count.first += usize::from(nth == 0);
            if entry.expression().is_none() {
                continue;
            }
            count.with_code += 1;
            let fault = match language {
                Which::Rust => rust.fault(entry, &finding.file, &text),
                Which::Python => python::fault(entry, finding.offset, &text),
            };
            count.parse += usize::from(!matches!(fault, Some(Fault::Syntax(_))));
            count.in_scope += usize::from(fault.is_none());
            if options.list {
                list(mode, package, finding, entry, fault.as_ref());
            }
        }
    }
    Ok(())
}

fn list(mode: &str, package: &Package, found: &Found, entry: &Entry, fault: Option<&Fault>) {
    let (what, why) = match fault {
        None => return,
        Some(Fault::Syntax(why)) => ("does not parse", why),
        Some(Fault::Name(why)) => ("is not in scope", why),
    };
    let file = found.file.strip_prefix(&package.folder);
    println!(
        "{} {}:{} ({mode}): {what}: {why}\n    {}",
        package.tree,
        file.unwrap_or(&found.file).display(),
        found.line,
        entry.text()
    );
}
