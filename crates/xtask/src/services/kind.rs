//! What the servers have in common, and the table of what differs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};

use super::Server;
use super::home::Place;
use super::start::Setup;

/// All that differs between the servers.
pub(super) struct Kind {
    /// Names the server in messages, files and folders.
    pub(super) name: &'static str,
    /// What its program is called.
    pub(super) programs: &'static [&'static str],
    /// The package of Debian that brings it.
    pub(super) package: &'static str,
    /// The user of that package, as whom it runs when we are root.
    pub(super) user: &'static str,
    /// The port unless another one is asked for.
    pub(super) port: u16,
    /// Its line in the env file.
    pub(super) variable: &'static str,
    /// The value of that line, for a port.
    pub(super) url: fn(u16) -> String,
    /// Finds the program, if all that is needed beside it is there too.
    pub(super) find: fn() -> Option<PathBuf>,
    /// Fills a new data folder.
    pub(super) fill: fn(&Setup<'_>, data: &Path) -> Result<()>,
    /// The arguments to serve with.
    pub(super) arguments: fn(&Place) -> Vec<OsString>,
    /// What we say first to a new connection.
    pub(super) hello: &'static [u8],
    /// Whether the first bytes that come back are those of a server that is ready.
    pub(super) is_ready: fn(&[u8; 5]) -> bool,
    /// Ends it in order, without waiting for clients to leave.
    pub(super) stop: Signal,
}

impl Server {
    /// The row of the table.
    pub(super) fn kind(self) -> &'static Kind {
        match self {
            Self::Postgres => &super::postgres::KIND,
            Self::Mariadb => &super::mariadb::KIND,
            Self::Redis => &super::redis::KIND,
        }
    }
}

impl Kind {
    /// The user to run as: only root can choose.
    ///
    /// Fails when we are root and the user is missing: PostgreSQL and MariaDB refuse to run as root.
    pub(super) fn run_as(&self) -> Result<Option<User>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let user = User::from_name(self.user).with_context(|| format!("look up {}", self.user))?;
        let user = user.with_context(|| format!("there is no user {} to run as", self.user))?;
        Ok(Some(user))
    }

    /// Whether it could be started.
    pub(super) fn is_installed(&self) -> bool {
        (self.find)().is_some() && self.run_as().is_ok()
    }
}

/// Finds a program on the path, or where Debian keeps servers, which is not on everyone's path.
pub(super) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
}
