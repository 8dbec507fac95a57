//! The subcommands.

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum as _;
use nix::sys::signal::Signal;

use super::Server;
use super::home::{Home, Place, remove_if_there};
use super::{install, process, start};

/// Starts servers; one that fails does not keep the others from starting.
pub(super) fn up(servers: &[Server], base_port: Option<u16>) -> Result<()> {
    install::install_missing(servers)?;
    let mut home = Home::open()?;
    home.choose_data_folder(servers)?;
    let mut failed = Vec::new();
    for server in servers {
        let port = base_port.map(|base| base + *server as u16);
        if let Err(error) = up_one(&mut home, *server, port) {
            println!("{}: {error:#}", server.kind().name);
            failed.push(server.kind().name);
        }
    }
    let (file, lines) = home.write_env()?;
    print!("{lines}");
    if !lines.is_empty() {
        println!("# set -a; . {}; set +a", file.display());
    }
    ensure!(failed.is_empty(), "did not start: {}", failed.join(", "));
    Ok(())
}

fn up_one(home: &mut Home, server: Server, port: Option<u16>) -> Result<()> {
    let kind = server.kind();
    let place = home.place(kind);
    if let Some(pid) = process::running(&place) {
        ensure!(
            port.is_none_or(|port| port == place.port),
            "runs already on {} (pid {pid}); for another port first `cargo xtask services down --only {}`",
            place.address(),
            kind.name
        );
        ensure!(
            !process::is_paused(pid),
            "is paused (pid {pid}): `cargo xtask services resume {}`",
            kind.name
        );
        start::wait_for_answer(&place)?;
        println!(
            "{}: runs already on {} (pid {pid})",
            kind.name,
            place.address()
        );
        return Ok(());
    }
    home.set_port(kind, port.unwrap_or(kind.port))?;
    start_one(&home.place(kind))
}

fn start_one(place: &Place) -> Result<()> {
    let pid = start::start(place)?;
    println!(
        "{}: started on {} (pid {pid})",
        place.kind.name,
        place.address()
    );
    Ok(())
}

/// Stops servers.
pub(super) fn down(servers: &[Server], purge: bool) -> Result<()> {
    let mut home = Home::open()?;
    for server in servers {
        let place = home.place(server.kind());
        down_one(&place)?;
        if purge {
            home.purge(&place)?;
            println!("{}: data removed", place.kind.name);
        }
    }
    home.write_env()?;
    Ok(())
}

fn down_one(place: &Place) -> Result<()> {
    let name = place.kind.name;
    if let Some(pid) = process::running(place) {
        process::end(place, pid, place.kind.stop)?;
        println!("{name}: stopped (pid {pid})");
    } else {
        remove_if_there(&place.pid_file)?;
        println!("{name}: does not run");
    }
    Ok(())
}

/// Prints a line for each server.
pub(super) fn status() -> Result<()> {
    let home = Home::open()?;
    for server in Server::value_variants() {
        let place = home.place(server.kind());
        println!("{}: {}", place.kind.name, state(&place));
    }
    Ok(())
}

fn state(place: &Place) -> String {
    let Some(pid) = process::running(place) else {
        return "does not run".into();
    };
    let state = if process::is_paused(pid) {
        "is paused"
    } else if start::answers(place) {
        "answers"
    } else {
        "runs, but does not answer"
    };
    format!("{state} on {} (pid {pid})", place.address())
}

/// Stops a server, in order or by force, and starts it again where it was.
pub(super) fn restart(server: Server, kill: bool) -> Result<()> {
    let home = Home::open()?;
    let place = home.place(server.kind());
    if let Some(pid) = process::running(&place) {
        let signal = if kill {
            Signal::SIGKILL
        } else {
            place.kind.stop
        };
        process::end(&place, pid, signal)?;
    }
    ensure!(
        place.data().exists(),
        "{} has no data yet: `cargo xtask services up --only {}`",
        place.kind.name,
        place.kind.name
    );
    start_one(&place).with_context(|| format!("start {}", place.kind.name))?;
    home.write_env()?;
    Ok(())
}

/// Freezes a server.
pub(super) fn pause(server: Server) -> Result<()> {
    signal(server, Signal::SIGSTOP)
}

/// Lets it go on.
pub(super) fn resume(server: Server) -> Result<()> {
    signal(server, Signal::SIGCONT)
}

fn signal(server: Server, signal: Signal) -> Result<()> {
    let home = Home::open()?;
    let place = home.place(server.kind());
    let Some(pid) = process::running(&place) else {
        bail!("{} does not run", place.kind.name);
    };
    process::send(&place, pid, signal)?;
    println!("{}: {}", place.kind.name, state(&place));
    Ok(())
}
