//! Long measurements of `nostall-probe` against real servers, which it starts if need be.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use crate::{root, services};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    measurement: Measurement,
}

#[derive(Clone, Copy, ValueEnum)]
enum Measurement {
    /// The façade beside its libraries used directly: CPU time per operation.
    Cost,
    /// Pools beside a connection per operation.
    Pooled,
    /// A million operations and their memory; two processes on one SQLite file.
    Soak,
    /// The example service in all its forms under load; writes docs/load.md.
    Load,
}

/// Starts the servers and runs the measurement; its tables go to the output.
pub(crate) fn run(options: &Options) -> Result<()> {
    let arguments: &[&str] = match options.measurement {
        Measurement::Cost => &["--", "cost", "25"],
        Measurement::Pooled => &["--", "pooled"],
        Measurement::Soak => &["--", "soak"],
        Measurement::Load => &[],
    };
    let command: &[&str] = match options.measurement {
        Measurement::Load => &[
            "run",
            "--release",
            "-p",
            "video-service",
            "--",
            "demo",
            "--write",
            "docs/load.md",
        ],
        _ => &[
            "bench",
            "-p",
            "nostall-probe",
            "--features",
            "full",
            "--bench",
            "probe",
        ],
    };
    let status = Command::new("cargo")
        .args(command)
        .args(arguments)
        .envs(services::variables()?)
        .current_dir(root())
        .status()
        .context("run cargo")?;
    ensure!(status.success(), "the measurement failed");
    Ok(())
}
