//! PostgreSQL.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::sys::signal::Signal;

use super::home::Place;
use super::kind::{Kind, program};
use super::start::Setup;

/// PostgreSQL.
pub(super) static KIND: Kind = Kind {
    name: "postgres",
    programs: &["postgres"],
    package: "postgresql",
    user: "postgres",
    port: 15432,
    variable: "NOSTALL_TEST_POSTGRES",
    url: |port| format!("postgres://nostall:nostall@127.0.0.1:{port}/nostall"),
    find,
    fill,
    arguments,
    // A start message; while the server recovers it answers with an error, afterwards it asks for the password.
    hello: b"\0\0\0\x27\0\x03\0\0user\0nostall\0database\0nostall\0\0",
    is_ready: |reply| reply[0] == b'R',
    // "Fast shutdown"; SIGTERM would wait for the clients.
    stop: Signal::SIGINT,
};

/// The newest version wins; Debian keeps the programs off the path.
fn find() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder.join("postgres"))
        .chain(program(KIND.programs))
        .find(|server| server.is_file() && server.with_file_name("initdb").is_file())
}

/// The user is a superuser, so that fault tests can end the connections of others.
fn fill(setup: &Setup<'_>, data: &Path) -> Result<()> {
    let initdb = setup.server.with_file_name("initdb");
    let options = ["--username=nostall", "--encoding=UTF8", "--no-locale"];
    let access = ["--auth-local=peer", "--auth-host=scram-sha-256"];
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.into()];
    arguments.extend(options.iter().chain(&access).map(OsString::from));
    setup.run(&initdb, &arguments, "")?;

    let arguments = ["--single", "-c", "exit_on_error=true", "-D"].map(OsString::from);
    let arguments = [&arguments[..], &[data.into(), "postgres".into()]].concat();
    let statements = "ALTER USER nostall PASSWORD 'nostall'\nCREATE DATABASE nostall\n";
    setup.run(&setup.server, &arguments, statements)
}

fn arguments(place: &Place) -> Vec<OsString> {
    let mut sockets = OsString::from("unix_socket_directories=");
    sockets.push(&place.folder);
    let port = place.port.to_string();
    let mut arguments: Vec<OsString> = vec!["-D".into(), place.data().into()];
    arguments.extend(["-p".into(), port.into(), "-c".into(), sockets]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "max_connections=300",
        "logging_collector=off",
    ] {
        arguments.extend(["-c".into(), setting.into()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    #[test]
    fn start_message_states_its_own_length() {
        assert_eq!(super::KIND.hello.len(), usize::from(super::KIND.hello[3]));
    }
}
