//! Runs the whole demonstration: each process it needs, each form at each level, and the tables.
//!
//! All forms run at one level before the next level begins, so that whatever else the machine does meets all of them alike.

mod facts;
mod limits;
mod processes;
mod tables;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::seed;
use crate::serve::Variant;
use processes::{Setting, Work};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// URL of a PostgreSQL database
    #[arg(long, env = "NOSTALL_TEST_POSTGRES", hide_env_values = true)]
    database: String,
    /// URL of a Redis server
    #[arg(long, env = "NOSTALL_TEST_REDIS", hide_env_values = true)]
    cache: String,
    /// Forms of the service
    #[arg(long, value_delimiter = ',', default_values_t = Variant::value_variants().to_vec())]
    variants: Vec<Variant>,
    /// What is measured
    #[arg(long, value_delimiter = ',', default_values_t = Table::value_variants().to_vec())]
    tables: Vec<Table>,
    /// Users in the table without pauses
    #[arg(long, value_delimiter = ',', default_values_t = [100, 500, 2000, 10_000])]
    users: Vec<usize>,
    /// Users in the table with pauses
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 10_000])]
    think_users: Vec<usize>,
    /// Mean pause in that table, in milliseconds
    #[arg(long, default_value_t = 10_000)]
    think_ms: u64,
    /// Users in the search for the limit, ascending
    #[arg(long, value_delimiter = ',', default_values_t = [25, 50, 100, 200, 350, 500, 1000, 2000, 4000, 10_000])]
    limit_users: Vec<usize>,
    /// What 99 of 100 requests may take in that search, in milliseconds
    #[arg(long, default_value_t = 500.0)]
    limit_ms: f64,
    /// Users of the handler that only sleeps
    #[arg(long, value_delimiter = ',', default_values_t = [100, 500, 2000, 10_000])]
    sleep_users: Vec<usize>,
    /// Measured seconds per run
    #[arg(long, default_value_t = 10.0)]
    duration: f64,
    /// Seconds before that
    #[arg(long, default_value_t = 4.0)]
    warm_up: f64,
    /// Worker threads of the service
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Connections of each pool
    #[arg(long, default_value_t = 20)]
    connections: u32,
    /// How long the upstream service takes, in milliseconds
    #[arg(long, default_value_t = 20)]
    upstream_ms: u64,
    /// How many videos there are
    #[arg(long, default_value_t = 1000)]
    videos: i64,
    /// Write the tables to this file as well
    #[arg(long)]
    write: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// Users who ask without a pause
    Closed,
    /// Users who pause
    Thinking,
    /// The most users that are served well
    Limits,
    /// The handler that only sleeps
    Sleep,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value().expect("no table is skipped");
        f.write_str(value.get_name())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = tempfile::tempdir().context("make a folder for the subtitles")?;
    let Arguments {
        database,
        cache,
        videos,
        ..
    } = arguments;
    seed::seed(database, cache, folder.path(), *videos)?;
    let measured = measure(arguments, folder.path());
    seed::remove(database, cache, *videos)?;
    let text = measured?;
    println!("{text}");
    if let Some(path) = &arguments.write {
        std::fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

fn measure(arguments: &Arguments, files: &std::path::Path) -> Result<String> {
    let setting = Setting::start(arguments, files)?;
    let facts = facts::facts(arguments)?;
    let mut text = tables::head(arguments, &facts);
    for table in &arguments.tables {
        text += &match table {
            Table::Closed => {
                let runs = all(&setting, arguments, &arguments.users, Work::Videos)?;
                tables::closed(&runs)
            }
            Table::Thinking => {
                let work = Work::Thinking(arguments.think_ms);
                let runs = all(&setting, arguments, &arguments.think_users, work)?;
                tables::thinking(arguments.think_ms, &runs)
            }
            Table::Limits => {
                let limits = limits::find(&setting, arguments)?;
                tables::limits(arguments, facts.cores, &limits)
            }
            Table::Sleep => {
                let users = &arguments.sleep_users;
                let runs: Result<Vec<_>> = users
                    .iter()
                    .map(|users| Run::one(&setting, Variant::Pooled, *users, Work::Sleep))
                    .collect();
                tables::sleep(&runs?)
            }
        };
    }
    Ok(text)
}

/// One form under one load.
pub(crate) struct Run {
    pub(crate) variant: Variant,
    pub(crate) report: crate::load::Report,
}

impl Run {
    /// Starts the form anew, so that no run finds what the one before left behind.
    fn one(setting: &Setting<'_>, variant: Variant, users: usize, work: Work) -> Result<Self> {
        eprintln!("{variant}, {users} users, {work}");
        let server = setting.serve(variant)?;
        let report = setting.load(&server, users, work)?;
        Ok(Self { variant, report })
    }
}

fn all(
    setting: &Setting<'_>,
    arguments: &Arguments,
    levels: &[usize],
    work: Work,
) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for users in levels {
        for variant in &arguments.variants {
            runs.push(Run::one(setting, *variant, *users, work)?);
        }
    }
    Ok(runs)
}
