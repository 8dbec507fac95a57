//! The processes of the demonstration. Each is ended when its value is dropped, and ends by itself when this process is gone.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Arguments;
use crate::load::Report;
use crate::serve::Variant;

/// A server that was started here.
pub(super) struct Server {
    child: Child,
    pub(super) url: String,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a server")?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut server = Self {
            child,
            url: String::new(),
        };
        BufReader::new(stdout).read_line(&mut server.url)?;
        server.url.truncate(server.url.trim_end().len());
        ensure!(!server.url.is_empty(), "a server ended before it began");
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What users do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Ask for videos, one after the other.
    Videos,
    /// Ask for videos with pauses of so many milliseconds on average.
    Thinking(u64),
    /// Ask for the handler that only sleeps.
    Sleep,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Videos => f.write_str("no pause"),
            Self::Thinking(ms) => write!(f, "pauses of {ms} ms"),
            Self::Sleep => f.write_str("sleep only"),
        }
    }
}

/// What all runs have in common.
pub(super) struct Setting<'a> {
    arguments: &'a Arguments,
    files: &'a Path,
    upstream: Server,
}

impl<'a> Setting<'a> {
    pub(super) fn start(arguments: &'a Arguments, files: &'a Path) -> Result<Self> {
        let mut command = this_program("upstream")?;
        command.arg(format!("--latency-ms={}", arguments.upstream_ms));
        Ok(Self {
            arguments,
            files,
            upstream: Server::start(&mut command)?,
        })
    }

    pub(super) fn serve(&self, variant: Variant) -> Result<Server> {
        let Arguments {
            workers,
            connections,
            ..
        } = self.arguments;
        let mut command = this_program("serve")?;
        command
            .arg(format!("--variant={variant}"))
            .arg(format!("--workers={workers}"))
            .arg(format!("--connections={connections}"))
            .arg(format!("--upstream={}", self.upstream.url))
            .arg("--files")
            .arg(self.files)
            // Not as arguments: those of a process can be read by everybody, and URLs may hold passwords.
            .env("NOSTALL_TEST_POSTGRES", &self.arguments.database)
            .env("NOSTALL_TEST_REDIS", &self.arguments.cache);
        Server::start(&mut command)
    }

    pub(super) fn load(&self, server: &Server, users: usize, work: Work) -> Result<Report> {
        let Arguments {
            videos,
            duration,
            warm_up,
            ..
        } = self.arguments;
        let mut command = this_program("load")?;
        command
            .arg(format!("--url={}", server.url))
            .arg(format!("--users={users}"))
            .arg(format!("--videos={videos}"))
            .arg(format!("--duration={duration}"))
            .arg(format!("--warm-up={warm_up}"))
            .arg(format!("--server-pid={}", server.child.id()));
        match work {
            Work::Videos => {}
            Work::Thinking(ms) => {
                command.arg(format!("--think-ms={ms}"));
            }
            Work::Sleep => {
                command.arg("--ask=sleep");
            }
        }
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .context("run the load")?;
        ensure!(output.status.success(), "the load failed");
        serde_json::from_slice(&output.stdout).context("read the load's report")
    }
}

fn this_program(subcommand: &str) -> Result<Command> {
    let program = std::env::current_exe().context("find this program")?;
    let mut command = Command::new(program);
    command.arg(subcommand);
    Ok(command)
}
