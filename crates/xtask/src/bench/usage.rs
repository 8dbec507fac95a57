//! What a program used: time, CPU and memory.
//!
//! The kernel tells a process about all children that it has waited for, in one sum and one peak. So each program is started
//! by a process of its own, which has no other child: this program, with [`FLAG`].

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
    code: Option<i32>,
}

/// Runs a command, whose output is dropped. Answers nothing when it was stopped because it took longer.
pub(crate) fn measure(
    own: &Path,
    command: &[std::ffi::OsString],
    folder: &Path,
    longest: Duration,
) -> Result<Option<Usage>> {
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
    let usage: Option<Usage> = serde_json::from_slice(&output.stdout).context("read the usage")?;
    if let Some(usage) = &usage {
        // 1 speaks of findings.
        ensure!(
            matches!(usage.code, Some(0 | 1)),
            "{command:?} ended with {:?}",
            usage.code
        );
    }
    Ok(usage)
}

/// The other side of [`measure`]: runs a command and prints what it used.
pub(crate) fn run(command: &[std::ffi::OsString], longest: Duration) -> Result<()> {
    let [program, arguments @ ..] = command else {
        bail!("no command to measure")
    };
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
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
    let usage = match status {
        Some(status) => Some(children(wall, status.code())?),
        None => None,
    };
    println!("{}", serde_json::to_string(&usage)?);
    Ok(())
}

#[cfg(unix)]
fn children(wall: f64, code: Option<i32>) -> Result<Usage> {
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
        code,
    })
}

#[cfg(not(unix))]
fn children(_wall: f64, _code: Option<i32>) -> Result<Usage> {
    bail!("what a child used is asked of Unix: run this on Linux or macOS")
}
