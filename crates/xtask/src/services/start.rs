//! Starts one server: port, data folder, process, first answer.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::{Pid, User};

use super::home::{Place, remove_if_there};
use super::process;

/// How long a server may take until it answers; after a kill it first repairs its data.
const LONGEST_START: Duration = Duration::from_secs(60);

/// What was killed a moment ago may still hold the port: so long we try again.
const PORT_PATIENCE: Duration = Duration::from_secs(5);

/// PostgreSQL refuses to start while a killed postmaster has not been reaped by process 1, or has children: so long we try
/// again.
const START_PATIENCE: Duration = Duration::from_secs(15);

/// How often we look.
const PAUSE: Duration = Duration::from_millis(100);

/// Everything needed to run the programs of a server.
pub(super) struct Setup<'a> {
    place: &'a Place,
    user: Option<User>,
    /// The program of the server.
    pub(super) server: PathBuf,
}

impl Setup<'_> {
    /// Runs a program that comes with the server, as the user of the server, its output into the log.
    pub(super) fn run(&self, program: &Path, arguments: &[OsString], input: &str) -> Result<()> {
        let name = program.display();
        let log = process::open_log(self.place)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.place.folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().context("share the log")?)
            .stderr(log);
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let mut child = command.spawn().with_context(|| format!("run {name}"))?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes())
                .with_context(|| format!("write to {name}"))?;
        }
        let status = child.wait().with_context(|| format!("wait for {name}"))?;
        ensure!(
            status.success(),
            "{name}: {status}\n{}",
            tail(&self.place.log)
        );
        Ok(())
    }

    /// Makes a folder of the server's user that nobody else can read.
    fn make_folder(&self, folder: &Path) -> Result<()> {
        let shown = folder.display();
        fs::create_dir_all(folder).with_context(|| format!("make {shown}"))?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))
            .with_context(|| format!("close {shown} to others"))?;
        if let Some(user) = &self.user {
            chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("give {shown} to {}", user.name))?;
        }
        Ok(())
    }

    /// Makes the data under another name first, so that what is called `data` is whole.
    fn make_data(&self) -> Result<()> {
        self.make_folder(&self.place.folder)?;
        let data = self.place.data();
        if data.exists() {
            return Ok(());
        }
        let unfinished = self.place.folder.join("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).context("remove unfinished data")?;
        }
        self.make_folder(&unfinished)?;
        (self.place.kind.fill)(self, &unfinished)?;
        fs::rename(&unfinished, &data).context("name the data")
    }
}

/// Starts a server that does not run, and waits until it answers.
pub(super) fn start(place: &Place) -> Result<Pid> {
    let server = (place.kind.find)().context("not installed")?;
    let user = place.kind.run_as()?;
    let setup = Setup {
        place,
        user,
        server,
    };
    ensure_free(place.port, PORT_PATIENCE)?;
    setup.make_data()?;
    let mut command = vec![setup.server.clone().into_os_string()];
    command.extend((place.kind.arguments)(place));
    let begin = Instant::now();
    loop {
        let mut child = process::spawn(place, setup.user.as_ref(), &command)?;
        while begin.elapsed() < LONGEST_START {
            if let Some(status) = child.try_wait().context("look after the server")? {
                if begin.elapsed() < START_PATIENCE {
                    break;
                }
                remove_if_there(&place.pid_file)?;
                bail!("{status}\n{}", tail(&place.log));
            }
            if answers(place) {
                return process::running(place).context("lost its process");
            }
            sleep(PAUSE);
        }
        if begin.elapsed() >= LONGEST_START {
            bail!(silence(place));
        }
        sleep(5 * PAUSE);
    }
}

/// Waits until a server that runs already answers.
pub(super) fn wait_for_answer(place: &Place) -> Result<()> {
    let begin = Instant::now();
    while !answers(place) {
        ensure!(process::running(place).is_some(), "{}", tail(&place.log));
        ensure!(begin.elapsed() < LONGEST_START, silence(place));
        sleep(PAUSE);
    }
    Ok(())
}

/// Whether the server is ready for clients.
pub(super) fn answers(place: &Place) -> bool {
    first_bytes(place).is_ok_and(|reply| (place.kind.is_ready)(&reply))
}

fn first_bytes(place: &Place) -> std::io::Result<[u8; 5]> {
    let second = Duration::from_secs(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, place.port));
    let mut stream = TcpStream::connect_timeout(&address, second)?;
    stream.set_read_timeout(Some(second))?;
    stream.write_all(place.kind.hello)?;
    let mut reply = [0; 5];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}

/// Fails if another process listens on the port.
fn ensure_free(port: u16, patience: Duration) -> Result<()> {
    let begin = Instant::now();
    while let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        ensure!(
            begin.elapsed() < patience,
            "port {port} is taken by a process that was not started here ({error}): \
             stop it (`ss -ltnp` names it), or choose other ports with --base-port"
        );
        sleep(PAUSE);
    }
    Ok(())
}

fn silence(place: &Place) -> String {
    format!(
        "no answer on {} in {} s; the end of {}:\n{}",
        place.address(),
        LONGEST_START.as_secs(),
        place.log.display(),
        tail(&place.log)
    )
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_port_is_named() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = other.local_addr().expect("an address").port();
        let error = ensure_free(port, Duration::ZERO)
            .expect_err("taken")
            .to_string();
        assert!(error.contains(&format!("port {port} is taken")), "{error}");
    }
}
