//! Facts of the machine and the servers, without names and paths.

use anyhow::{Context, Result};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Arguments;

/// What was measured on.
pub(super) struct Facts {
    /// Cores that this process may use.
    pub(super) cores: usize,
    pub(super) system: String,
    pub(super) database: String,
    pub(super) cache: String,
}

pub(super) fn facts(arguments: &Arguments) -> Result<Facts> {
    Ok(Facts {
        cores: std::thread::available_parallelism()
            .context("count the cores")?
            .get(),
        system: system(),
        database: setting(&arguments.database, "server_version")?,
        cache: cache_version(&arguments.cache)?,
    })
}

/// How many clients the database server takes, those reserved for its administrators left out.
pub(super) fn most_connections(database: &str) -> Result<u64> {
    let all: u64 = setting(database, "max_connections")?.parse()?;
    let reserved: u64 = setting(database, "superuser_reserved_connections")?.parse()?;
    Ok(all.saturating_sub(reserved))
}

fn system() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // What follows the number is the name of a build.
    let number = kernel.trim().split('-').next().unwrap_or_default();
    let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{os} {number} {architecture}")
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

fn setting(database: &str, name: &str) -> Result<String> {
    let mut database = PgConnection::establish(database)?;
    let setting: Setting = diesel::sql_query("SELECT current_setting($1) AS value")
        .bind::<Text, _>(name)
        .get_result(&mut database)?;
    Ok(setting.value)
}

fn cache_version(url: &str) -> Result<String> {
    let mut cache = redis::Client::open(url)?.get_connection()?;
    let info: String = redis::cmd("INFO").arg("server").query(&mut cache)?;
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or("unknown").to_owned())
}
