//! MariaDB.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::home::Place;
use super::kind::{Kind, program};
use super::start::Setup;

/// MariaDB.
pub(super) static KIND: Kind = Kind {
    name: "mariadb",
    programs: &["mariadbd", "mysqld"],
    package: "mariadb-server",
    user: "mysql",
    port: 13306,
    variable: "NOSTALL_TEST_MYSQL",
    url: |port| format!("mysql://nostall:nostall@127.0.0.1:{port}/nostall"),
    find,
    fill,
    arguments,
    hello: b"",
    // The server speaks first: three bytes of length, a number, the version of the protocol.
    is_ready: |reply| reply[4] == 10,
    stop: Signal::SIGTERM,
};

/// Runs before the first connection of every start. The user has all rights, so that fault tests can end the connections of
/// others.
const FIRST_STATEMENTS: &str = "\
CREATE DATABASE IF NOT EXISTS nostall CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS nostall@'127.0.0.1' IDENTIFIED BY 'nostall';
CREATE USER IF NOT EXISTS nostall@localhost IDENTIFIED BY 'nostall';
GRANT ALL PRIVILEGES ON *.* TO nostall@'127.0.0.1' WITH GRANT OPTION;
GRANT ALL PRIVILEGES ON *.* TO nostall@localhost WITH GRANT OPTION;
";

const INSTALLER: &str = "mariadb-install-db";

/// Oracle's MySQL has a `mysqld` as well, but no `mariadb-install-db`.
fn find() -> Option<PathBuf> {
    program(&[INSTALLER])?;
    program(KIND.programs)
}

fn fill(setup: &Setup<'_>, data: &Path) -> Result<()> {
    let installer = program(&[INSTALLER]).context("mariadb-install-db is gone")?;
    let options = ["--no-defaults", "--skip-test-db", "--skip-name-resolve"];
    let mut arguments = options.map(OsString::from).to_vec();
    arguments.push(option("--datadir=", data));
    setup.run(&installer, &arguments, "")?;
    std::fs::write(data.join("first.sql"), FIRST_STATEMENTS).context("write first.sql")
}

fn arguments(place: &Place) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        // Has to come first: no settings of the system.
        "--no-defaults".into(),
        option("--datadir=", &place.data()),
        option("--socket=", &place.folder.join("mariadb.sock")),
        option("--pid-file=", &place.folder.join("mariadb.pid")),
        option("--init-file=", &place.data().join("first.sql")),
        format!("--port={}", place.port).into(),
    ];
    arguments.extend(
        [
            "--bind-address=127.0.0.1",
            "--max-connections=300",
            "--character-set-server=utf8mb4",
            // Otherwise many broken connections, which fault tests make, would shut the host out.
            "--skip-name-resolve",
        ]
        .map(OsString::from),
    );
    arguments
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}
