//! Time-outs, cancelled callers, conflicts and leaks: every operation ends typed, and the pool stays whole.
#![cfg(feature = "database")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share is a test too"
)]

mod database_common;
mod polling;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use database_common::{
    Dialect, Fixture, connections, eventually, figures, file, fixtures, servers, unique, whole,
};
use nostall_probe::db::{DatabaseOptions, QueryError, sqlx};
use nostall_probe::{Cause, Database, PolicyOptions, Retry, gather};
use polling::up_to;
use tokio::time::sleep;

fn quick(time_out: Duration) -> DatabaseOptions {
    DatabaseOptions {
        policy: PolicyOptions {
            time_out,
            deadline: Duration::from_secs(20),
            retry: Retry::none(),
            ..PolicyOptions::default()
        },
        ..DatabaseOptions::default()
    }
}

/// A statement that takes about so many seconds.
fn slow(fixture: &Fixture, seconds: f64) -> String {
    match fixture.dialect {
        Dialect::Postgres => format!("SELECT 1::bigint FROM pg_sleep({seconds})"),
        Dialect::MySql => format!("SELECT CAST(1 + SLEEP({seconds}) AS SIGNED)"),
        Dialect::Sqlite => {
            let rounds = seconds * 4_000_000.0;
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rounds}) SELECT COUNT(*) FROM n"
            )
        }
    }
}

async fn answers(db: &Database, fixture: &Fixture, number: i64) {
    let cast = match fixture.dialect {
        Dialect::Postgres => "SELECT $1::bigint",
        Dialect::MySql => "SELECT CAST(? AS SIGNED)",
        Dialect::Sqlite => "SELECT ?",
    };
    let (answer,): (i64,) = db.fetch_one(cast, &[number.into()]).await.unwrap();
    assert_eq!(answer, number);
}

#[tokio::test]
async fn a_statement_out_of_time_is_typed_and_its_connection_is_replaced() {
    for fixture in fixtures() {
        let io = fixture.open(quick(Duration::from_millis(300))).await;
        let db = io.database().unwrap();
        let error = db.fetch_all::<(i64,)>(&slow(&fixture, 2.0), &[]).await;
        let error = error.unwrap_err();
        assert!(matches!(error.cause(), Cause::TimedOut { .. }), "{error}");
        assert!(error.elapsed() < Duration::from_millis(1500));
        eventually("it answers again", || {
            connections(db).1 == connections(db).0 as usize
        })
        .await;
        answers(db, &fixture, 1).await;
        assert_eq!(figures(&io).time_outs, 1);
        whole(db).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_dropped_in_the_middle_leave_the_pool_whole() {
    for fixture in &fixtures() {
        let io = fixture.open(quick(Duration::from_secs(10))).await;
        let db = io.database().unwrap();
        let cancelled = AtomicU32::new(0);
        let items = (0..1000_i64).map(|number| {
            let cancelled = &cancelled;
            async move {
                // One poll is never enough for an answer, and every other caller stays to the end.
                let polls = match usize::try_from(number).unwrap() {
                    even if even % 2 == 0 => usize::MAX,
                    odd => odd % 12,
                };
                let asked = answers(db, fixture, number);
                if up_to(polls, asked).await.is_none() {
                    cancelled.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, ()>(())
            }
        });
        let gathered = gather(items, 100).await;
        assert!(gathered.errors.is_empty(), "{:?}", gathered.errors.first());
        let figures = figures(&io);
        let cancelled = cancelled.into_inner();
        println!("{cancelled} of 1000 cancelled");
        assert!(cancelled > 0 && cancelled < 1000);
        assert_eq!((figures.in_flight, figures.errors), (0, 0));
        assert_eq!(figures.cancelled, u64::from(cancelled));
        for number in 0..50 {
            answers(db, fixture, number).await;
        }
        whole(db).await;
        // Ten of them are overflow, which lingers.
        assert!(connections(db).0 <= 20);
    }
}

#[tokio::test]
async fn overflow_is_closed_when_it_is_not_needed_any_more() {
    for fixture in fixtures().into_iter().filter(|fixture| !fixture.in_memory) {
        let options = DatabaseOptions {
            size: 2,
            overflow: 4,
            overflow_linger: Duration::from_millis(100),
            ..DatabaseOptions::default()
        };
        let io = fixture.open(options).await;
        let db = io.database().unwrap();
        let sql = &slow(&fixture, 0.2);
        let items = (0..6).map(|_| async move { db.fetch_all::<(i64,)>(sql, &[]).await });
        let gathered = gather(items, 6).await;
        assert!(gathered.errors.is_empty(), "{:?}", gathered.errors.first());
        assert_eq!(figures(&io).in_flight_max, 6);
        // Each is closed as it comes back, once the time that it lingers is over.
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            db.execute("SELECT 1", &[]).await.unwrap();
        }
        whole(db).await;
        assert_eq!(connections(db).0, 2);
    }
}

#[tokio::test]
async fn a_leaked_transaction_is_seen_in_flight_and_a_taken_pool_is_typed() {
    for fixture in fixtures().into_iter().filter(|fixture| !fixture.in_memory) {
        let options = DatabaseOptions {
            size: 2,
            overflow: 0,
            acquire_time_out: Duration::from_millis(200),
            ..quick(Duration::from_secs(2))
        };
        let io = fixture.open(options).await;
        let db = io.database().unwrap();
        let leaked = db.begin().await.unwrap();
        assert_eq!(figures(&io).in_flight, 1);
        // The other connection is held outside of the façade, which then has a place but no connection.
        #[cfg(feature = "postgres")]
        let _postgres = match db.postgres() {
            Some(pool) => Some(pool.acquire().await.unwrap()),
            None => None,
        };
        #[cfg(feature = "mysql")]
        let _mysql = match db.mysql() {
            Some(pool) => Some(pool.acquire().await.unwrap()),
            None => None,
        };
        #[cfg(feature = "sqlite")]
        let _sqlite = match db.sqlite() {
            Some(pool) => Some(pool.acquire().await.unwrap()),
            None => None,
        };
        let error = db.execute("SELECT 1", &[]).await.unwrap_err();
        assert!(matches!(
            error.cause(),
            Cause::Database(sqlx::Error::PoolTimedOut)
        ));
        assert!(error.is_time_out() && error.cause().is_transient());
        assert_eq!(figures(&io).in_flight, 1);
        drop(leaked);
        assert_eq!(figures(&io).in_flight, 0);
        eventually("its connection is back", || connections(db).1 == 1).await;
        db.execute("SELECT 1", &[]).await.unwrap();
    }
}

/// Two transactions lock two rows in opposite order; the database ends one, and the closure runs again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_rolled_back_is_done_again() {
    for fixture in servers() {
        let io = fixture.open(DatabaseOptions::default()).await;
        let db = io.database().unwrap();
        let table = &unique("probe");
        let create = format!("CREATE TABLE {table} (id INT PRIMARY KEY, n INT)");
        db.execute(&create, &[]).await.unwrap();
        let rows = [vec![1.into(), 0.into()], vec![2.into(), 0.into()]];
        db.bulk_insert(table, &["id", "n"], rows).await.unwrap();
        let update = &fixture.sql(&format!("UPDATE {table} SET n = n + 1 WHERE id = ?"));
        let runs = &AtomicU32::new(0);
        let cross = |first: i64, second: i64| {
            db.transaction(move |tx| {
                Box::pin(async move {
                    let run = runs.fetch_add(1, Ordering::Relaxed);
                    tx.execute(update, &[first.into()]).await?;
                    if run < 2 {
                        sleep(Duration::from_millis(200)).await;
                    }
                    tx.execute(update, &[second.into()]).await
                })
            })
        };
        let (one, other) = tokio::join!(cross(1, 2), cross(2, 1));
        assert_eq!((one.unwrap(), other.unwrap()), (1, 1));
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        assert_eq!(figures(&io).retries, 1);
        let counted = format!("SELECT n FROM {table}");
        let counted: Vec<(i32,)> = db.fetch_all(&counted, &[]).await.unwrap();
        assert_eq!(counted, [(2,), (2,)]);
        db.execute(&format!("DROP TABLE {table}"), &[])
            .await
            .unwrap();
    }
}

/// Two pools on one file, as two processes would have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_read_modify_write_loses_no_update() {
    if !cfg!(feature = "sqlite") {
        return;
    }
    let fixture = file();
    let one = fixture.open(DatabaseOptions::default()).await;
    let other = fixture.open(DatabaseOptions::default()).await;
    let db = one.database().unwrap();
    db.execute("CREATE TABLE counter (n INTEGER)", &[])
        .await
        .unwrap();
    db.execute("INSERT INTO counter VALUES (0)", &[])
        .await
        .unwrap();
    let items = (0..200).map(|number| {
        let io = if number % 2 == 0 { &one } else { &other };
        async move {
            io.database()?
                .transaction(|tx| {
                    Box::pin(async move {
                        let sql = "SELECT n FROM counter";
                        let (n,): (i64,) = tx.fetch_one(sql, &[]).await?;
                        let sql = "UPDATE counter SET n = ?";
                        tx.execute(sql, &[(n + 1).into()]).await
                    })
                })
                .await
        }
    });
    let gathered = gather(items, 20).await;
    assert!(gathered.errors.is_empty(), "{:?}", gathered.errors.first());
    let (n,): (i64,) = db.fetch_one("SELECT n FROM counter", &[]).await.unwrap();
    assert_eq!(n, 200);
}

#[tokio::test]
async fn sqlite_files_are_safe_by_default() {
    if !cfg!(feature = "sqlite") {
        return;
    }
    let fixture = file();
    let io = fixture.open(DatabaseOptions::default()).await;
    let db = io.database().unwrap();
    let (mode,): (String,) = db.fetch_one("PRAGMA journal_mode", &[]).await.unwrap();
    assert_eq!(mode, "wal");
    for (pragma, value) in [
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
    ] {
        let sql = format!("PRAGMA {pragma}");
        assert_eq!(db.fetch_one::<(i64,)>(&sql, &[]).await.unwrap(), (value,));
    }
}

#[tokio::test]
async fn a_busy_sqlite_is_transient() {
    if !cfg!(feature = "sqlite") {
        return;
    }
    let fixture = file();
    let io = fixture.open(DatabaseOptions::default()).await;
    let db = io.database().unwrap();
    db.execute("CREATE TABLE t (n INTEGER)", &[]).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let impatient = "PRAGMA busy_timeout = 10";
    tx.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let other = fixture
        .open(DatabaseOptions {
            size: 1,
            overflow: 0,
            ..Default::default()
        })
        .await;
    let other = other.database().unwrap();
    other.execute(impatient, &[]).await.unwrap();
    let error = other
        .execute("INSERT INTO t VALUES (2)", &[])
        .await
        .unwrap_err();
    assert!(error.cause().is_transient(), "{error}");
    assert_eq!(error.tries(), 3);
    tx.commit().await.unwrap();
    other
        .execute("INSERT INTO t VALUES (2)", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_transaction_broken_off_is_over() {
    for fixture in fixtures() {
        let io = fixture.open(quick(Duration::from_millis(300))).await;
        let db = io.database().unwrap();
        let mut tx = db.begin().await.unwrap();
        let error = tx
            .fetch_all::<(i64,)>(&slow(&fixture, 1.0), &[])
            .await
            .unwrap_err();
        assert!(error.is_time_out(), "{error}");
        let error = tx.commit().await.unwrap_err();
        assert!(matches!(
            error.cause(),
            Cause::Query(QueryError::TransactionLost)
        ));
        assert_eq!((figures(&io).errors, figures(&io).in_flight), (1, 0));
        whole(db).await;
        answers(db, &fixture, 3).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_refused_connection() {
    for (url, on) in [
        ("postgres://a:b@127.0.0.1:1/x", cfg!(feature = "postgres")),
        ("mysql://a:b@127.0.0.1:1/x", cfg!(feature = "mysql")),
    ] {
        if !on {
            continue;
        }
        let started = Instant::now();
        let built = nostall_probe::IoSystem::builder()
            .database(url)
            .build()
            .await;
        let error = built.unwrap_err();
        assert!(
            matches!(error.cause(), Cause::Database(sqlx::Error::Io(_))),
            "{error}"
        );
        assert!(error.cause().is_transient());
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_leaked_transaction() {
    for fixture in fixtures() {
        let io = fixture.open(DatabaseOptions::default()).await;
        let db = io.database().unwrap();
        let mut tx = db.begin().await.unwrap();
        let started = Instant::now();
        let down = io.shutdown(Duration::from_millis(100)).await;
        assert_eq!(down.abandoned, 1);
        assert!(started.elapsed() < Duration::from_secs(8));
        tx.execute("SELECT 1", &[]).await.unwrap_err();
        let refused = db.execute("SELECT 1", &[]).await.unwrap_err();
        assert!(matches!(refused.cause(), Cause::Closed));
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_repeated_for_questions_only() {
    for fixture in servers() {
        if fixture.dialect != Dialect::Postgres {
            continue;
        }
        let io = fixture.open(DatabaseOptions::default()).await;
        let db = io.database().unwrap();
        let end = "SELECT pg_terminate_backend(pg_backend_pid())";
        let error = db.fetch_all::<(bool,)>(end, &[]).await.unwrap_err();
        assert!(error.cause().is_transient(), "{error}");
        assert_eq!(error.tries(), 3);
        let error = db.execute(end, &[]).await.unwrap_err();
        assert_eq!(error.tries(), 1);
        answers(db, &fixture, 5).await;

        let mut tx = db.begin().await.unwrap();
        let pid = "SELECT pg_backend_pid()";
        let (pid,): (i32,) = tx.fetch_one(pid, &[]).await.unwrap();
        let end = "SELECT pg_terminate_backend($1::int)";
        db.execute(end, &[pid.into()]).await.unwrap();
        let error = tx.commit().await.unwrap_err();
        assert!(
            matches!(
                error.cause(),
                Cause::Query(QueryError::CommitUnknown { .. })
            ),
            "{error}"
        );
        whole(db).await;
    }
}

#[tokio::test]
async fn connections_that_the_server_ended_are_found_out_before_use() {
    const MS: Duration = Duration::from_millis(1);
    for fixture in servers() {
        // Asked always; asked because they were idle for long; asked because another one was found broken.
        for (test_after_idle, rest, failures) in [
            (Some(Duration::ZERO), 200 * MS, 0),
            (Some(500 * MS), 600 * MS, 0),
            (Some(3_600_000 * MS), 200 * MS, 1),
            (None, 200 * MS, 3),
        ] {
            let options = DatabaseOptions {
                test_after_idle,
                ..DatabaseOptions::default()
            };
            let io = fixture.open(options).await;
            let db = io.database().unwrap();
            end_connections(db, &fixture, 3).await;
            tokio::time::sleep(rest).await;
            let mut failed = 0;
            for _ in 0..4 {
                // Unlike a question a statement is not repeated.
                failed += i32::from(db.execute("SELECT 1", &[]).await.is_err());
            }
            assert_eq!(failed, failures, "{test_after_idle:?}");
            whole(db).await;
        }
    }
}

/// Opens so many connections, gives them back and has the server end them.
async fn end_connections(db: &Database, fixture: &Fixture, count: usize) {
    let (number, end) = match fixture.dialect {
        Dialect::Postgres => (
            "SELECT pg_backend_pid()::int8",
            "SELECT pg_terminate_backend({})",
        ),
        _ => ("SELECT CAST(CONNECTION_ID() AS SIGNED)", "KILL {}"),
    };
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(db.begin().await.unwrap());
    }
    let other = fixture.open(DatabaseOptions::default()).await;
    let mut numbers = Vec::new();
    for mut transaction in held {
        let (number,): (i64,) = transaction.fetch_one(number, &[]).await.unwrap();
        numbers.push(number);
        transaction.rollback().await.unwrap();
    }
    eventually("idle", || connections(db).1 >= count).await;
    for number in numbers {
        let end = end.replace("{}", &number.to_string());
        other.database().unwrap().execute(&end, &[]).await.unwrap();
    }
}
