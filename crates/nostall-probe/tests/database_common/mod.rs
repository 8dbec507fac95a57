//! The databases that a test runs on: SQLite in memory and in a file, and the servers that the environment names.
#![allow(
    dead_code,
    reason = "each of the suites uses a part, and not each feature set has a database"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nostall_probe::db::DatabaseOptions;
use nostall_probe::stats::{Figures, Kind};
use nostall_probe::{Database, IoSystem};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

/// A database under test.
pub(crate) struct Fixture {
    pub(crate) dialect: Dialect,
    pub(crate) label: &'static str,
    pub(crate) url: String,
    pub(crate) in_memory: bool,
    _dir: Option<tempfile::TempDir>,
}

/// All of them.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    if cfg!(feature = "sqlite") {
        fixtures.push(memory());
        fixtures.push(file());
    }
    fixtures.extend(servers());
    fixtures
}

pub(crate) fn memory() -> Fixture {
    Fixture {
        dialect: Dialect::Sqlite,
        label: "sqlite in memory",
        url: "sqlite::memory:".to_owned(),
        in_memory: true,
        _dir: None,
    }
}

pub(crate) fn file() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    Fixture {
        dialect: Dialect::Sqlite,
        label: "sqlite in a file",
        url: format!("sqlite:{}", dir.path().join("test.db").display()),
        in_memory: false,
        _dir: Some(dir),
    }
}

pub(crate) fn servers() -> Vec<Fixture> {
    let mut servers = Vec::new();
    if cfg!(feature = "postgres") {
        servers.extend(server(
            Dialect::Postgres,
            "postgres",
            "NOSTALL_TEST_POSTGRES",
        ));
    }
    if cfg!(feature = "mysql") {
        servers.extend(server(Dialect::MySql, "mysql", "NOSTALL_TEST_MYSQL"));
    }
    servers
}

fn server(dialect: Dialect, label: &'static str, variable: &str) -> Option<Fixture> {
    let Ok(url) = std::env::var(variable) else {
        println!("{variable} is not set: ran without that server");
        return None;
    };
    Some(Fixture {
        dialect,
        label,
        url,
        in_memory: false,
        _dir: None,
    })
}

impl Fixture {
    pub(crate) async fn open(&self, options: DatabaseOptions) -> IoSystem {
        println!("on {}", self.label);
        let builder = IoSystem::builder().database_with(&self.url, options);
        builder.build().await.unwrap()
    }

    /// `?` or `$1`, as the database has it.
    pub(crate) fn sql(&self, sql: &str) -> String {
        if self.dialect != Dialect::Postgres {
            return sql.to_owned();
        }
        let mut parts = sql.split('?');
        let mut out = parts.next().unwrap().to_owned();
        for (index, part) in parts.enumerate() {
            out.push_str(&format!("${}{part}", index + 1));
        }
        out
    }
}

/// A name that no other test uses.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{prefix}_{:x}_{:x}_{next}",
        std::process::id(),
        now.subsec_nanos()
    )
}

pub(crate) fn figures(io: &IoSystem) -> Figures {
    io.snapshot().kind(Kind::Database)
}

/// Waits until nothing is in flight, and until `settled` says so.
pub(crate) async fn eventually(what: &str, mut settled: impl FnMut() -> bool) {
    for _ in 0..500 {
        if settled() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never came true: {what}");
}

/// Open and idle connections of the raw pool.
pub(crate) fn connections(db: &Database) -> (u32, usize) {
    #[cfg(feature = "postgres")]
    if let Some(pool) = db.postgres() {
        return (pool.size(), pool.num_idle());
    }
    #[cfg(feature = "mysql")]
    if let Some(pool) = db.mysql() {
        return (pool.size(), pool.num_idle());
    }
    #[cfg(feature = "sqlite")]
    if let Some(pool) = db.sqlite() {
        return (pool.size(), pool.num_idle());
    }
    let _ = db;
    unreachable!("it is one of the three")
}

/// Waits until all open connections are idle.
pub(crate) async fn whole(db: &Database) {
    eventually("all connections are back", || {
        let (open, idle) = connections(db);
        usize::try_from(open).unwrap() == idle
    })
    .await;
}
