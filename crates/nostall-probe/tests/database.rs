//! The database façade as its users see it, on each database.
#![cfg(feature = "database")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share is a test too"
)]

mod database_common;

use std::collections::HashMap;

use database_common::{Dialect, figures, fixtures, unique, whole};
use nostall_probe::db::{DatabaseOptions, QueryError, Transaction, Value, sqlx};
use nostall_probe::stats::Kind;
use nostall_probe::{Cause, Database, IoSystem, gather};

/// Runs a test on each database with a table of its own.
macro_rules! on_each {
    ($columns:expr, |$fixture:ident, $io:ident, $table:ident| $body:block) => {
        for $fixture in &fixtures() {
            let $io = $fixture.open(DatabaseOptions::default()).await;
            let $table = &unique("probe");
            let columns: &str = $columns;
            let create = format!("CREATE TABLE {} ({columns})", $table);
            $io.database().unwrap().execute(&create, &[]).await.unwrap();
            $body
            let drop = format!("DROP TABLE {}", $table);
            $io.database().unwrap().execute(&drop, &[]).await.unwrap();
        }
    };
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Person {
    id: i64,
    name: String,
    age: Option<i32>,
}

/// What `#[derive(sqlx::FromRow)]` writes, without the macros of sqlx.
impl<'r, R> sqlx::FromRow<'r, R> for Person
where
    R: sqlx::Row,
    (i64, String, Option<i32>): sqlx::FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let (id, name, age) = sqlx::FromRow::from_row(row)?;
        Ok(Self { id, name, age })
    }
}

#[tokio::test]
async fn rows_become_tuples_structs_and_types_of_serde() {
    on_each!(
        "id BIGINT, name VARCHAR(40), age INT",
        |fixture, io, table| {
            let db = io.database().unwrap();
            let insert = fixture.sql(&format!("INSERT INTO {table} VALUES (?, ?, ?)"));
            for (id, name, age) in [(1, "Ada", Some(36)), (2, "Bo", None)] {
                let row = [id.into(), name.into(), age.into()];
                assert_eq!(db.execute(&insert, &row).await.unwrap(), 1);
            }
            let all = format!("SELECT id, name, age FROM {table} ORDER BY id");
            let tuples: Vec<(i64, String, Option<i32>)> = db.fetch_all(&all, &[]).await.unwrap();
            assert_eq!(
                tuples,
                [(1, "Ada".into(), Some(36)), (2, "Bo".into(), None)]
            );
            let rows: Vec<Person> = db.fetch_all(&all, &[]).await.unwrap();
            assert_eq!(rows, db.fetch_json::<Person>(&all, &[]).await.unwrap());
            assert_eq!((rows[1].name.as_str(), rows[1].age), ("Bo", None));

            let by_name = fixture.sql(&format!("SELECT id FROM {table} WHERE name = ?"));
            let one: (i64,) = db.fetch_one(&by_name, &["Bo".into()]).await.unwrap();
            assert_eq!(one, (2,));
            let none: Option<(i64,)> = db.fetch_optional(&by_name, &["Cy".into()]).await.unwrap();
            assert_eq!(none, None);
            let missing = db.fetch_one::<(i64,)>(&by_name, &["Cy".into()]).await;
            let missing = missing.unwrap_err();
            assert!(matches!(
                missing.cause(),
                Cause::Database(sqlx::Error::RowNotFound)
            ));
            assert_eq!((missing.name(), missing.tries()), ("fetch_one", 1));
        }
    );
}

#[tokio::test]
async fn a_name_counts_for_itself_and_an_error_of_the_database_is_not_repeated() {
    for fixture in fixtures() {
        let io = fixture.open(DatabaseOptions::default()).await;
        let db = io.database().unwrap().named("broken");
        let error = db.execute("SELEKT 1", &[]).await.unwrap_err();
        assert!(matches!(
            error.cause(),
            Cause::Database(sqlx::Error::Database(_))
        ));
        let broken = io.snapshot().name(Kind::Database, "broken");
        assert_eq!((broken.errors, broken.retries, broken.in_flight), (1, 0, 0));
    }
}

#[tokio::test]
async fn a_url_that_is_not_understood_says_what_is_missing() {
    let error = IoSystem::builder().database("oracle://x").build().await;
    let error = error.unwrap_err();
    assert!(matches!(
        error.cause(),
        Cause::Query(QueryError::UnknownScheme { .. })
    ));
    assert_eq!(error.name(), "connect");
    for (url, feature, on) in [
        (
            "postgresql://localhost/x",
            "postgres",
            cfg!(feature = "postgres"),
        ),
        ("mariadb://localhost/x", "mysql", cfg!(feature = "mysql")),
        ("sqlite::memory:", "sqlite", cfg!(feature = "sqlite")),
    ] {
        if !on {
            let error = IoSystem::builder().database(url).build().await.unwrap_err();
            assert!(error.to_string().contains(&format!("feature `{feature}`")));
        }
    }
}

/// Half of the callers add one, the others read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_concurrent_operations_lose_nothing() {
    on_each!("id INT PRIMARY KEY, hits BIGINT", |fixture, io, table| {
        const OPERATIONS: u64 = 10_000;
        let db = &io.database().unwrap().named("hit");
        let rows = (0..16).map(|id| vec![id.into(), 0.into()]);
        let inserted = io
            .database()
            .unwrap()
            .bulk_insert(table, &["id", "hits"], rows);
        inserted.await.unwrap();
        let update = &fixture.sql(&format!("UPDATE {table} SET hits = hits + 1 WHERE id = ?"));
        let read = &fixture.sql(&format!("SELECT hits FROM {table} WHERE id = ?"));
        let items = (0..OPERATIONS).map(|number| async move {
            let id: Value = (number / 2 % 16).into();
            if number % 2 == 0 {
                db.execute(update, &[id]).await
            } else {
                let (hits,): (i64,) = db.fetch_one(read, &[id]).await?;
                Ok(u64::from(hits >= 0))
            }
        });
        let started = std::time::Instant::now();
        let gathered = gather(items, 10_000).await;
        println!("{OPERATIONS} operations in {:?}", started.elapsed());
        assert!(gathered.errors.is_empty(), "{:?}", gathered.errors.first());
        assert!(gathered.ok.iter().all(|(_, one)| *one == 1));
        let sum = format!("SELECT hits FROM {table}");
        let hits: Vec<(i64,)> = db.fetch_all(&sum, &[]).await.unwrap();
        let total: i64 = hits.iter().map(|(hits,)| hits).sum();
        assert_eq!(total, 5000);

        let hit = io.snapshot().name(Kind::Database, "hit");
        assert_eq!((hit.ok, hit.errors, hit.in_flight), (OPERATIONS + 1, 0, 0));
        // A few may end before the last one begins.
        assert!(hit.in_flight_max > OPERATIONS / 2, "{}", hit.in_flight_max);
        assert!(hit.pool_wait.max_ms > hit.pool_wait.p50_ms);
        whole(db).await;
    });
}

#[tokio::test]
async fn transactions_commit_roll_back_and_count_once() {
    on_each!("id INT PRIMARY KEY", |fixture, io, table| {
        let db = io.database().unwrap();
        let insert = &fixture.sql(&format!("INSERT INTO {table} VALUES (?)"));
        let ids = &format!("SELECT id FROM {table} ORDER BY id");
        let before = figures(&io);

        let mut tx = db.begin().await.unwrap();
        tx.execute(insert, &[1.into()]).await.unwrap();
        assert_eq!(tx.fetch_all::<(i32,)>(ids, &[]).await.unwrap(), [(1,)]);
        assert_eq!(figures(&io).in_flight, 1);
        tx.commit().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        tx.execute(insert, &[2.into()]).await.unwrap();
        tx.rollback().await.unwrap();

        let mut tx = db.begin().await.unwrap();
        tx.execute(insert, &[3.into()]).await.unwrap();
        drop(tx);

        let mut tx = db.begin().await.unwrap();
        tx.execute(insert, &[1.into()]).await.unwrap_err();
        drop(tx);
        let after = figures(&io);
        assert_eq!(
            (after.ok - before.ok, after.cancelled, after.errors),
            (2, 1, 1)
        );
        assert_eq!(after.in_flight, 0);

        let (own, added) = ("mine".to_owned(), &insert);
        let sum: i32 = db
            .transaction(|tx| {
                let (own, added) = (&own, &added);
                Box::pin(async move {
                    assert_eq!(own, "mine");
                    tx.execute(added, &[4.into()]).await?;
                    let rows: Vec<(i32,)> = tx.fetch_all(ids, &[]).await?;
                    Ok(rows.iter().map(|(id,)| id).sum())
                })
            })
            .await
            .unwrap();
        assert_eq!(sum, 5);
        let refused = db
            .transaction(|tx| {
                Box::pin(async move {
                    tx.execute(insert, &[5.into()]).await?;
                    Err::<(), _>(tx.error(Cause::permanent("not today")))
                })
            })
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("not today"), "{refused}");
        assert_eq!(
            db.fetch_all::<(i32,)>(ids, &[]).await.unwrap(),
            [(1,), (4,)]
        );
        whole(db).await;
    });
}

/// On PostgreSQL COMMIT after a failed statement answers ROLLBACK, which is no error to sqlx.
#[tokio::test]
async fn a_commit_that_would_roll_back_is_an_error() {
    on_each!("id INT PRIMARY KEY", |fixture, io, table| {
        let db = io.database().unwrap();
        let insert = fixture.sql(&format!("INSERT INTO {table} VALUES (?)"));
        let mut tx = db.begin().await.unwrap();
        tx.execute(&insert, &[1.into()]).await.unwrap();
        tx.execute(&insert, &[1.into()]).await.unwrap_err();
        let committed = tx.commit().await;
        let count = format!("SELECT id FROM {table}");
        let rows: Vec<(i32,)> = db.fetch_all(&count, &[]).await.unwrap();
        assert_eq!(committed.is_ok(), rows.len() == 1);
        assert_eq!(committed.is_err(), fixture.dialect == Dialect::Postgres);
    });
}

#[tokio::test]
async fn a_bulk_insert_takes_all_or_nothing() {
    let columns = "id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, score DOUBLE PRECISION";
    on_each!(columns, |fixture, io, table| {
        let db = io.database().unwrap();
        let row = |id: i64| vec![id.into(), format!("name {id}").into(), Some(0.5).into()];
        let started = std::time::Instant::now();
        let names = ["id", "name", "score"];
        let inserted = db.bulk_insert(table, &names, (0..10_000).map(row)).await;
        println!("10,000 rows in {:?}", started.elapsed());
        assert_eq!(inserted.unwrap(), 10_000);
        let count = format!("SELECT COUNT(*) FROM {table}");
        let counted: (i64,) = db.fetch_one(&count, &[]).await.unwrap();
        assert_eq!(counted, (10_000,));
        let last = format!("SELECT id, name, score AS age FROM {table} WHERE id = 9999");
        let last = db.fetch_json::<HashMap<String, serde_json::Value>>(&last, &[]);
        assert_eq!(last.await.unwrap()[0]["name"], "name 9999");

        // The very last row is there already.
        let more = (10_000..13_000).map(row).chain([row(0)]);
        db.bulk_insert(table, &names, more).await.unwrap_err();
        assert_eq!(db.fetch_one::<(i64,)>(&count, &[]).await.unwrap(), counted);

        let short = vec![row(20_000), vec![1.into()]];
        let error = db.bulk_insert(table, &names, short).await.unwrap_err();
        let Cause::Query(QueryError::RowLength {
            row: 1,
            expected: 3,
            found: 1,
        }) = error.cause()
        else {
            panic!("{error}")
        };
        let evil = [r#"id") VALUES (1); DROP TABLE x; --`"#, "name", "score"];
        db.bulk_insert(table, &evil, [row(30_000)])
            .await
            .unwrap_err();
        assert_eq!(db.fetch_one::<(i64,)>(&count, &[]).await.unwrap(), counted);
        assert_eq!(db.bulk_insert(table, &names, []).await.unwrap(), 0);
    });
}

#[tokio::test]
async fn a_table_is_found_in_its_schema() {
    for fixture in fixtures() {
        let io = fixture.open(DatabaseOptions::default()).await;
        let db = io.database().unwrap();
        let schema = match fixture.dialect {
            Dialect::Postgres => "public",
            Dialect::MySql => fixture.url.rsplit('/').next().unwrap(),
            Dialect::Sqlite => "main",
        };
        let table = format!("{schema}.{}", unique("probe"));
        db.execute(&format!("CREATE TABLE {table} (a INT)"), &[])
            .await
            .unwrap();
        let rows = [vec![1.into()], vec![Value::Null]];
        assert_eq!(db.bulk_insert(&table, &["a"], rows).await.unwrap(), 2);
        db.execute(&format!("DROP TABLE {table}"), &[])
            .await
            .unwrap();
    }
}

#[test]
fn handles_and_futures_go_to_other_threads() {
    fn sent<T: Send>(_: T) {}
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn moved<T: Send + 'static>() {}
    shared::<Database>();
    shared::<Value>();
    moved::<Transaction<'static>>();
    let _ = |db: &Database, mut tx: Transaction<'static>| {
        sent(db.fetch_all::<(i64,)>("", &[]));
        sent(db.fetch_json::<Person>("", &[]));
        sent(db.execute("", &[]));
        sent(db.bulk_insert("", &[], []));
        sent(db.transaction(|tx| Box::pin(async move { tx.execute("", &[]).await })));
        sent(db.begin());
        sent(tx.fetch_one::<(i64,)>("", &[]));
        sent(tx.commit());
    };
}
