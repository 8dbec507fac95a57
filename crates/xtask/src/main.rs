//! Chores of the project: `cargo xtask ci | tidy | gen | eval | conformance | coverage | audit | advice | bench | sweep | probe | services`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod advice;
mod audit;
mod bench;
mod ci;
mod conformance;
mod coverage;
mod eval;
mod generate;
mod linking;
mod probe;
mod services;
mod sweep;
mod tidy;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

/// Chores of the project.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// What CI runs: fmt, clippy, tidy, docs, tests.
    Ci,
    /// Checks crate arrows, file sizes, and texts that have no place here.
    Tidy,
    /// Writes the generated pages.
    Gen {
        /// Only says whether they are up to date.
        #[arg(long)]
        check: bool,
    },
    /// Measures recall and false alarms on labelled sites in published packages.
    Eval(eval::Options),
    /// Holds nostall against the test files of flake8-async.
    Conformance(conformance::Options),
    /// Measures how much of the calls in async code is known.
    Coverage(coverage::Options),
    /// Draws findings to be read against the code.
    Audit(audit::Options),
    /// Holds advice against the code that it is for.
    Advice(advice::Options),
    /// Measures whole run / parsing alone.
    Bench(bench::Options),
    /// Checks hundreds of published packages for crashes, time and memory.
    Sweep(sweep::Options),
    /// Measures nostall-probe against real servers.
    Probe(probe::Options),
    /// Starts and stops PostgreSQL, MariaDB and Redis on loopback, for tests.
    Services(services::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Gen { check } => generate::run(check),
        Task::Eval(options) => eval::run(&options),
        Task::Conformance(options) => conformance::run(&options),
        Task::Coverage(options) => coverage::run(&options),
        Task::Audit(options) => audit::run(&options),
        Task::Advice(options) => advice::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Sweep(options) => sweep::run(&options),
        Task::Probe(options) => probe::run(&options),
        Task::Services(options) => services::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.ancestors()
        .nth(2)
        .map_or_else(|| own.clone(), PathBuf::from)
}

/// Runs a command in the root and fails when it fails.
fn run(program: &str, arguments: &[&str]) -> Result<()> {
    eprintln!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .with_context(|| format!("run {program}"))?;
    ensure!(status.success(), "{program} {} failed", arguments.join(" "));
    Ok(())
}

/// Builds nostall in release mode and answers where it is.
fn release_binary() -> Result<PathBuf> {
    release("nostall")
}

/// Builds a program of the workspace in release mode and answers where it is.
fn release(package: &str) -> Result<PathBuf> {
    run("cargo", &["build", "--quiet", "--release", "-p", package])?;
    Ok(target_folder()?
        .join("release")
        .join(format!("{package}{}", std::env::consts::EXE_SUFFIX)))
}

/// Where cargo puts what it builds.
fn target_folder() -> Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::path::absolute(target).context("find the target folder")
}
