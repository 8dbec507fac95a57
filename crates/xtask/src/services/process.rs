//! Processes that outlive this program: how they start, how a later call knows them again, and how they end.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, close, setsid};

use super::home::{Place, remove_if_there};

/// How long a server may take to end in order.
const LONGEST_END: Duration = Duration::from_secs(30);

/// Answers the process of the pid file, if it is still that server.
pub(super) fn running(place: &Place) -> Option<Pid> {
    let pid = parse_pid(&fs::read_to_string(&place.pid_file).ok()?)?;
    is_server(place, &fs::read(format!("/proc/{pid}/cmdline")).ok()?).then_some(pid)
}

/// 0 and negative numbers would mean whole groups of processes.
fn parse_pid(text: &str) -> Option<Pid> {
    let number: i32 = text.trim().parse().ok()?;
    (number > 1).then(|| Pid::from_raw(number))
}

/// Numbers of processes are used again. The words of a dead process are empty; Redis writes its address over its own.
fn is_server(place: &Place, command_line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(command_line);
    let has_program = place.kind.programs.iter().any(|name| text.contains(name));
    let data = place.data();
    has_program && (text.contains(&*data.to_string_lossy()) || text.contains(&place.address()))
}

/// Whether it was stopped by SIGSTOP.
pub(super) fn is_paused(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it, in parentheses, may hold anything.
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

/// Starts a server by way of [`become_server`] and writes its pid file.
pub(super) fn spawn(
    place: &Place,
    user: Option<&User>,
    command: &[OsString],
) -> Result<std::process::Child> {
    let mut own = Command::new("/proc/self/exe");
    own.args(["services", "become"]);
    if let Some(user) = user {
        own.args(["--user", &user.name]);
    }
    let log = open_log(place)?;
    let child = own
        .arg("--")
        .args(command)
        .current_dir(&place.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("share the log")?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("start {}", place.kind.name))?;
    fs::write(&place.pid_file, format!("{}\n", child.id()))
        .with_context(|| format!("write {}", place.pid_file.display()))?;
    Ok(child)
}

/// Opens the log to add to it.
pub(super) fn open_log(place: &Place) -> Result<fs::File> {
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&place.log)
        .with_context(|| format!("open {}", place.log.display()))
}

/// Turns this process into a server: in a session of its own, which no closing terminal reaches, with no open file but the
/// three standard ones, so that no reader waits for it, as another user if one is named.
pub(super) fn become_server(user: Option<&str>, words: &[OsString]) -> Result<()> {
    setsid().context("start a session")?;
    close_inherited_files()?;
    let [program, arguments @ ..] = words else {
        bail!("nothing to run");
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(name) = user {
        let user = User::from_name(name)?.with_context(|| format!("there is no user {name}"))?;
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    Err(command.exec()).with_context(|| format!("run {}", program.display()))
}

fn close_inherited_files() -> Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")
        .context("list open files")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in open {
        // One of them was the listing itself, which is closed by now.
        let _ = close(number);
    }
    Ok(())
}

/// Sends a signal to a server.
pub(super) fn send(place: &Place, pid: Pid, signal: Signal) -> Result<()> {
    kill(pid, signal).with_context(|| format!("send {signal} to {} (pid {pid})", place.kind.name))
}

/// Ends a server with a signal, by force if it takes too long, and removes its pid file.
pub(super) fn end(place: &Place, pid: Pid, signal: Signal) -> Result<()> {
    send(place, pid, signal)?;
    // One that is paused would see the first signal only later.
    send(place, pid, Signal::SIGCONT).or_else(|error| match running(place) {
        Some(_) => Err(error),
        None => Ok(()),
    })?;
    if !wait_for_end(place) {
        println!(
            "{}: still there after {} s: killed",
            place.kind.name,
            LONGEST_END.as_secs()
        );
        send(place, pid, Signal::SIGKILL)?;
        if !wait_for_end(place) {
            bail!("{} (pid {pid}) does not end", place.kind.name);
        }
    }
    remove_if_there(&place.pid_file)
}

fn wait_for_end(place: &Place) -> bool {
    let start = Instant::now();
    while running(place).is_some() {
        if start.elapsed() > LONGEST_END {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Server;

    fn place() -> Place {
        Place {
            kind: Server::Redis.kind(),
            folder: "/t/redis".into(),
            pid_file: "/t/redis.pid".into(),
            log: "/t/redis.log".into(),
            port: 16379,
        }
    }

    #[test]
    fn pid_file_names_one_process() {
        assert_eq!(parse_pid("4711\n"), Some(Pid::from_raw(4711)));
        for text in ["", "-1", "0", "1", "x", "99999999999"] {
            assert_eq!(parse_pid(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_server_itself_is_known_again() {
        let check = |words: &str| is_server(&place(), words.as_bytes());
        assert!(check("/usr/bin/redis-server\0--dir\0/t/redis/data\0"));
        assert!(check("/usr/bin/redis-server 127.0.0.1:16379\0\0"));
        assert!(!check("/usr/bin/redis-server 127.0.0.1:6379\0\0"));
        assert!(!check("tail\0-f\0/t/redis/data/x\0"));
        assert!(!check(""));
    }
}
