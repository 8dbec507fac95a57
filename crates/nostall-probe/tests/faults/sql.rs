//! Databases that are killed in the middle of work, and pools whose connections are all held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use nostall_probe::db::DatabaseOptions;
use nostall_probe::{Cause, Database, IoSystem};
use tokio::task::JoinSet;

use crate::{
    DEADLINE, alive_tasks, assert_all_ended, assert_no_task_left, in_time, policy, server_url,
    services, unique,
};

/// Tasks that work while the server is killed.
const WORKERS: i64 = 16;

async fn system(url: &str) -> IoSystem {
    let options = DatabaseOptions {
        size: 5,
        overflow: 5,
        policy: policy(10),
        ..DatabaseOptions::default()
    };
    IoSystem::builder()
        .database_with(url, options)
        .build()
        .await
        .expect("the server is up")
}

/// A server that is not back after so long has failed.
const MOST_SECONDS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_killed_and_restarted() {
    if let Some(url) = server_url("NOSTALL_TEST_POSTGRES") {
        let insert = |table: &str| format!("INSERT INTO {table} VALUES ($1, $2)");
        killed(&url, insert, &["restart", "postgres", "--kill"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_is_killed_and_restarted() {
    if let Some(url) = server_url("NOSTALL_TEST_MYSQL") {
        let insert = |table: &str| format!("INSERT INTO {table} VALUES (?, ?)");
        killed(&url, insert, &["restart", "mariadb", "--kill"]).await;
    }
}

/// Workers write pairs of rows in transactions and read, while the server is killed and comes back.
async fn killed(url: &str, insert: impl Fn(&str) -> String, restart: &'static [&'static str]) {
    let before = alive_tasks();
    let io = system(url).await;
    let database = io.database().unwrap().clone();
    let table = unique("faults");
    database
        .execute(
            &format!("CREATE TABLE {table} (id BIGINT NOT NULL, half INT NOT NULL)"),
            &[],
        )
        .await
        .unwrap();

    let work = Arc::new(Work {
        insert: insert(&table),
        read: format!("SELECT COUNT(*) FROM {table}"),
        next: AtomicI64::new(0),
        worked_again: AtomicBool::new(false),
        stop: AtomicBool::new(false),
    });
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(Arc::clone(&work).until_stopped(database.clone()));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    services(restart).await;
    // How long the server takes to come back is the machine's business.
    for _ in 0..MOST_SECONDS {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if work.worked_again.load(Ordering::Relaxed) {
            break;
        }
    }
    work.stop.store(true, Ordering::Relaxed);
    let mut seen = Seen::default();
    for worker in workers.join_all().await {
        seen.add(&worker);
    }

    assert!(seen.after_an_error > 0, "nobody worked after an error");
    let (rows,): (i64,) = in_time(database.fetch_one(&work.read, &[])).await.unwrap();
    let halves = format!("SELECT id FROM {table} GROUP BY id HAVING COUNT(*) <> 2");
    let halves: Vec<(i64,)> = in_time(database.fetch_all(&halves, &[])).await.unwrap();
    assert_eq!(halves, [], "a transaction was written by halves");
    let (pairs, known) = (rows / 2, seen.committed);
    assert!(
        known <= pairs && pairs <= known + seen.unknown,
        "{pairs} pairs, {known} of them acknowledged, {} with an unknown end",
        seen.unknown
    );
    assert_all_ended(&io);
    database
        .execute(&format!("DROP TABLE {table}"), &[])
        .await
        .unwrap();
    assert_eq!(io.shutdown(DEADLINE).await.abandoned, 0);
    drop((io, database));
    assert_no_task_left(before).await;
}

struct Work {
    insert: String,
    read: String,
    next: AtomicI64,
    /// Somebody's operation succeeded after one of theirs had failed.
    worked_again: AtomicBool,
    stop: AtomicBool,
}

/// What a worker saw.
#[derive(Default)]
struct Seen {
    /// Transactions whose commit was acknowledged.
    committed: i64,
    /// Transactions that failed: whether the last of them were committed, nobody can know.
    unknown: i64,
    /// Operations that succeeded after one had failed.
    after_an_error: i64,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.committed += other.committed;
        self.unknown += other.unknown;
        self.after_an_error += other.after_an_error;
    }
}

impl Work {
    async fn until_stopped(self: Arc<Self>, database: Database) -> Seen {
        let mut seen = Seen::default();
        let mut failed = false;
        while !self.stop.load(Ordering::Relaxed) {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            match in_time(self.pair(&database, id)).await {
                Ok(()) => seen.committed += 1,
                Err(_) => {
                    seen.unknown += 1;
                    failed = true;
                }
            }
            let read = in_time(database.fetch_one::<(i64,)>(&self.read, &[])).await;
            failed |= read.is_err();
            if failed && read.is_ok() {
                seen.after_an_error += 1;
                self.worked_again.store(true, Ordering::Relaxed);
            }
        }
        seen
    }

    async fn pair(&self, database: &Database, id: i64) -> nostall_probe::Result<()> {
        let mut transaction = database.begin().await?;
        transaction
            .execute(&self.insert, &[id.into(), 1.into()])
            .await?;
        transaction
            .execute(&self.insert, &[id.into(), 2.into()])
            .await?;
        transaction.commit().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaked_transactions_exhaust_the_pool_and_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("leak.db").display());
    let mut urls = vec![file];
    urls.extend(server_url("NOSTALL_TEST_POSTGRES"));
    for url in urls {
        let mut options = policy(4);
        options.deadline = Duration::from_secs(1);
        let options = DatabaseOptions {
            size: 4,
            overflow: 0,
            policy: options,
            ..DatabaseOptions::default()
        };
        let io = IoSystem::builder()
            .database_with(url.clone(), options)
            .build()
            .await
            .unwrap();
        let database = io.database().unwrap();
        // SQLite lets one transaction write at a time, so there raw connections are held instead.
        let mut transactions = Vec::new();
        let mut connections = Vec::new();
        for _ in 0..4 {
            match database.sqlite() {
                Some(pool) => connections.push(pool.acquire().await.unwrap()),
                None => transactions.push(database.begin().await.unwrap()),
            }
        }
        let error = in_time(database.fetch_one::<(i64,)>("SELECT 1 + 1", &[]))
            .await
            .unwrap_err();
        assert!(error.is_time_out(), "{error}");
        assert!(error.elapsed() < Duration::from_secs(3), "{error}");
        let saturated = matches!(error.cause(), Cause::Saturated { limit: 4, .. });
        assert_eq!(saturated, !transactions.is_empty(), "{error}");
        drop((transactions, connections));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let operation = database.fetch_one::<(i64,)>("SELECT CAST(2 AS BIGINT)", &[]);
        assert_eq!(in_time(operation).await.unwrap().0, 2);
        assert_all_ended(&io);
    }
}
