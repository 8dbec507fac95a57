//! Where everything lies: `target/services` holds pid files, logs, the env file and a record of where the data is.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum as _;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::Server;
use super::kind::Kind;
use super::process;

/// The longest folder whose sockets still have a name that the kernel takes (107 bytes).
const LONGEST_FOLDER: usize = 75;

/// All servers; who holds it is the only one who starts or stops any.
pub(super) struct Home {
    folder: PathBuf,
    record: Record,
    _lock: File,
}

/// What has to be known again at the next call.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    /// The folder with the data of all servers.
    data: Option<PathBuf>,
    /// The ports last used, by the name of the server.
    ports: BTreeMap<String, u16>,
}

/// Where one server lives.
pub(super) struct Place {
    pub(super) kind: &'static Kind,
    /// Data and sockets; belongs to the user that the server runs as.
    pub(super) folder: PathBuf,
    pub(super) pid_file: PathBuf,
    pub(super) log: PathBuf,
    pub(super) port: u16,
}

impl Place {
    /// What the server has written.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where clients find it.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Home {
    /// Opens the folder, makes it if needed, and waits until no other call works in it.
    pub(super) fn open() -> Result<Self> {
        let folder = crate::target_folder()?.join("services");
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let lock = File::create(folder.join("lock")).context("open target/services/lock")?;
        lock.lock().context("lock target/services/lock")?;
        let record = match fs::read(folder.join("record.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("read record.json")?,
            Err(_) => Record::default(),
        };
        Ok(Self {
            folder,
            record,
            _lock: lock,
        })
    }

    /// Where a server lives.
    pub(super) fn place(&self, kind: &'static Kind) -> Place {
        let data = self.record.data.as_ref().unwrap_or(&self.folder);
        let port = self.record.ports.get(kind.name);
        Place {
            kind,
            folder: data.join(kind.name),
            pid_file: self.folder.join(format!("{}.pid", kind.name)),
            log: self.folder.join(format!("{}.log", kind.name)),
            port: port.copied().unwrap_or(kind.port),
        }
    }

    /// Keeps the port of a server.
    pub(super) fn set_port(&mut self, kind: &Kind, port: u16) -> Result<()> {
        self.record.ports.insert(kind.name.to_owned(), port);
        self.save()
    }

    /// Decides where data goes, unless there is some: here, or in the system's temporary folder if the users of the servers
    /// cannot come here (a home folder of root) or the path is too long for a socket.
    pub(super) fn choose_data_folder(&mut self, servers: &[Server]) -> Result<()> {
        if self.record.data.as_ref().is_some_and(|data| data.is_dir()) {
            return Ok(());
        }
        let mut fits = self.folder.as_os_str().len() <= LONGEST_FOLDER;
        for server in servers {
            fits = fits && can_enter(server.kind(), &self.folder)?;
        }
        let data = if fits {
            self.folder.clone()
        } else {
            shared_temporary_folder()?
        };
        self.record.data = Some(data);
        self.save()
    }

    /// Removes the data and log of a server that does not run.
    pub(super) fn purge(&mut self, place: &Place) -> Result<()> {
        if place.folder.exists() {
            fs::remove_dir_all(&place.folder)
                .with_context(|| format!("remove {}", place.folder.display()))?;
        }
        remove_if_there(&place.log)?;
        self.record.ports.remove(place.kind.name);
        let elsewhere = self.record.data.clone().filter(|data| *data != self.folder);
        // Only an empty folder can be removed this way: not as long as another server has data there.
        if elsewhere.is_some_and(|data| fs::remove_dir(data).is_ok()) {
            self.record.data = None;
        }
        self.save()
    }

    /// Writes the env file for what runs, or removes it, and answers the file and its lines.
    pub(super) fn write_env(&self) -> Result<(PathBuf, String)> {
        let mut lines = String::new();
        for server in Server::value_variants() {
            let place = self.place(server.kind());
            if let Some(pid) = process::running(&place) {
                lines.push_str(&env_lines(place.kind, place.port, pid));
            }
        }
        let file = self.folder.join("env");
        if lines.is_empty() {
            remove_if_there(&file)?;
        } else {
            fs::write(&file, &lines).with_context(|| format!("write {}", file.display()))?;
        }
        Ok((file, lines))
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.record)?;
        fs::write(self.folder.join("record.json"), text).context("write record.json")
    }
}

/// Removes a file; it is fine if there is none.
pub(super) fn remove_if_there(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Whether the user of the server gets into a folder. Asked as that user: modes alone do not tell.
fn can_enter(kind: &Kind, folder: &Path) -> Result<bool> {
    let Some(user) = kind.run_as()? else {
        return Ok(true);
    };
    let status = Command::new("test")
        .arg("-x")
        .arg(folder)
        .uid(user.uid.as_raw())
        .gid(user.gid.as_raw())
        .status()
        .context("run test -x")?;
    Ok(status.success())
}

/// A new folder that other users can go through, but not fill.
fn shared_temporary_folder() -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("nostall-services-")
        .tempdir()
        .context("make a temporary folder")?
        .keep();
    fs::set_permissions(&folder, Permissions::from_mode(0o755))
        .with_context(|| format!("open {} to others", folder.display()))?;
    Ok(folder)
}

/// The pid is the one of the moment: after `restart` the pid file knows better.
fn env_lines(kind: &Kind, port: u16, pid: Pid) -> String {
    let variable = kind.variable;
    format!("{variable}={}\n{variable}_PID={pid}\n", (kind.url)(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_has_address_and_pid() {
        let lines = env_lines(Server::Redis.kind(), 16379, Pid::from_raw(7));
        assert_eq!(
            lines,
            "NOSTALL_TEST_REDIS=redis://127.0.0.1:16379/\nNOSTALL_TEST_REDIS_PID=7\n"
        );
    }
}
