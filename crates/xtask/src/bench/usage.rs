//! What a program used: time, CPU and memory.
//!
//! The kernel tells a process about all children that it has waited for, in one sum and one peak. So each program is started
//! by a process of its own, which has no other child: this program, with [`FLAG`].

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// The option that runs a command and prints what it used.
const FLAG: &str = "--usage";

/// What one run used.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) wall: f64,
    /// User and system, in seconds.
    pub(crate) cpu: f64,
    /// The largest resident set of any one process, in MiB.
    pub(crate) memory: f64,
}

/// How one run ended.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) usage: Usage,
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    /// The code or the signal, in words.
    pub(crate) status: String,
    /// What it wrote to standard error.
    pub(crate) errors: String,
}

/// Runs a command that has to succeed. Answers nothing when it was stopped because it took longer.
pub(crate) fn measure(
    own: &Path,
    command: &[OsString],
    folder: &Path,
    longest: Duration,
) -> Result<Option<Usage>> {
    let Some(ended) = watch(own, command, folder, longest)? else {
        return Ok(None);
    };
    // 1 speaks of findings.
    ensure!(
        matches!(ended.code, Some(0 | 1)),
        "{command:?} ended with {}",
        ended.status
    );
    Ok(Some(ended.usage))
}

/// Runs a command, whose output is dropped, and tells how it ended: nothing when it was stopped because it took longer.
pub(crate) fn watch(
    own: &Path,
    command: &[OsString],
    folder: &Path,
    longest: Duration,
) -> Result<Option<Ended>> {
    let mut wrapped = Command::new(own);
    wrapped
        .args(["bench", FLAG])
        .arg(longest.as_secs().to_string())
        .arg("--")
        .args(command)
        .current_dir(folder);
    let output = wrapped.output().context("run this program again")?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    serde_json::from_slice(&output.stdout).context("read how it ended")
}

/// The other side of [`watch`]: runs a command and prints how it ended.
pub(crate) fn run(command: &[OsString], longest: Duration) -> Result<()> {
    let [program, arguments @ ..] = command else {
        bail!("no command to measure")
    };
    let mut errors = tempfile::tempfile()?;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors.try_clone()?)
        .spawn()
        .with_context(|| format!("run {}", program.display()))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if begun.elapsed() > longest {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = begun.elapsed().as_secs_f64();
    let ended = match status {
        Some(status) => Some(Ended {
            usage: children(wall)?,
            code: status.code(),
            status: status.to_string(),
            errors: text(&mut errors)?,
        }),
        None => None,
    };
    println!("{}", serde_json::to_string(&ended)?);
    Ok(())
}

fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(unix)]
fn children(wall: f64) -> Result<Usage> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time() + usage.system_time();
    // Only here the systems differ: KiB on most, bytes on macOS.
    let unit = if cfg!(target_vendor = "apple") {
        1.0
    } else {
        1024.0
    };
    Ok(Usage {
        wall,
        cpu: cpu.num_microseconds() as f64 / 1e6,
        memory: usage.max_rss() as f64 * unit / f64::from(1 << 20),
    })
}

#[cfg(not(unix))]
fn children(_wall: f64) -> Result<Usage> {
    bail!("what a child used is asked of Unix: run this on Linux or macOS")
}
