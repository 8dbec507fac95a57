//! Real PostgreSQL, MariaDB and Redis on loopback, for tests: `cargo xtask services up | down | status`.
//!
//! The servers come from the packages of the system, each with a data folder, a port and a user of its own, so that nothing
//! that already runs here is touched. They outlive this program; a pid file for each says later which process to stop.
//! Durability stays as the servers ship it, because waiting for the disk is part of what is measured.

#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "elsewhere only the error is left")
)]

#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod home;
#[cfg(target_os = "linux")]
mod install;
#[cfg(target_os = "linux")]
mod kind;
#[cfg(target_os = "linux")]
mod mariadb;
#[cfg(target_os = "linux")]
mod postgres;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod redis;
#[cfg(target_os = "linux")]
mod start;

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

/// What to do with the servers.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Starts the servers and writes target/services/env; as root on Debian it first installs those that are missing.
    Up {
        #[command(flatten)]
        chosen: Chosen,
        /// PostgreSQL gets this port, MariaDB the next, Redis the one after; otherwise 15432, 13306 and 16379.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1024..=65533))]
        base_port: Option<u16>,
    },
    /// Stops the servers that were started here, and no others.
    Down {
        #[command(flatten)]
        chosen: Chosen,
        /// Removes their data and logs too.
        #[arg(long)]
        purge: bool,
    },
    /// Says which servers run and answer.
    Status,
    /// Stops a server and starts it again on the same port and data.
    Restart {
        /// The server.
        server: Server,
        /// Kills it instead of letting it finish.
        #[arg(long)]
        kill: bool,
    },
    /// Freezes a server with SIGSTOP: it keeps its connections and answers nothing.
    ///
    /// Of PostgreSQL only the postmaster freezes: no new connections, the open ones go on.
    Pause {
        /// The server.
        server: Server,
    },
    /// Lets a paused server go on.
    Resume {
        /// The server.
        server: Server,
    },
    /// Internal: turns this process into a server that holds nothing of the caller's.
    #[command(hide = true)]
    Become {
        /// The user to run as.
        #[arg(long)]
        user: Option<String>,
        /// What to run.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Which servers.
#[derive(Args)]
struct Chosen {
    /// Only these, for whoever has not all of them.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Server>,
}

/// A server.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Server {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    Mariadb,
    /// Redis.
    Redis,
}

impl Chosen {
    /// The servers in the order of the enum, each once.
    fn servers(&self) -> Vec<Server> {
        let all = Server::value_variants().iter().copied();
        all.filter(|server| self.only.is_empty() || self.only.contains(server))
            .collect()
    }
}

/// Runs the action.
#[cfg(target_os = "linux")]
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.action {
        Action::Up { chosen, base_port } => commands::up(&chosen.servers(), *base_port),
        Action::Down { chosen, purge } => commands::down(&chosen.servers(), *purge),
        Action::Status => commands::status(),
        Action::Restart { server, kill } => commands::restart(*server, *kill),
        Action::Pause { server } => commands::pause(*server),
        Action::Resume { server } => commands::resume(*server),
        Action::Become { user, command } => process::become_server(user.as_deref(), command),
    }
}

/// Starts all servers and answers the variables that name them.
#[cfg(target_os = "linux")]
pub(crate) fn variables() -> Result<Vec<(String, String)>> {
    commands::up(Server::value_variants(), None)?;
    let (_, lines) = home::Home::open()?.write_env()?;
    let pairs = lines.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// Answers no variables: those of the environment are taken as they are.
#[cfg(not(target_os = "linux"))]
pub(crate) fn variables() -> Result<Vec<(String, String)>> {
    Ok(Vec::new())
}

/// Says that it does not work here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_options: &Options) -> Result<()> {
    anyhow::bail!(
        "cargo xtask services needs Linux: run it in a container or virtual machine, or start the servers yourself \
         and set NOSTALL_TEST_POSTGRES, NOSTALL_TEST_MYSQL and NOSTALL_TEST_REDIS"
    )
}
