//! A pool beside a connection per operation: how many operations a second the same tasks get done.

use std::future::Future;
use std::path::Path;

use nostall_probe::IoSystem;
use nostall_probe::db::sqlx::{
    self, Connection, MySqlConnection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};

use crate::load::{spend, spread};
use crate::{Outcome, server_url};

/// Tasks of both sides; the pool's default size.
const TASKS: usize = 20;

/// Operations of one side in one round.
const OPERATIONS: usize = 1_000;

/// Sets the façade's pools beside a connection per operation.
pub(crate) async fn run(rounds: usize) -> Outcome {
    println!(
        "{rounds} rounds, each {OPERATIONS} operations with a connection each, then from the pool, by {TASKS} tasks; ratios round by round\n"
    );
    println!("| server | a connection each, operations/s | pooled | ratio, median | min to max |");
    println!("| --- | --- | --- | --- | --- |");
    if let Some(url) = server_url("NOSTALL_TEST_POSTGRES") {
        let each = url.clone();
        let connecting = move |number: usize| {
            let url = each.clone();
            async move {
                let mut connection = PgConnection::connect(&url).await?;
                let id: i64 = sqlx::query_scalar("SELECT $1::int8")
                    .bind(number as i64)
                    .fetch_one(&mut connection)
                    .await?;
                connection.close().await?;
                same(id, number)
            }
        };
        compare("PostgreSQL", &url, "SELECT $1::int8", rounds, connecting).await?;
    }
    if let Some(url) = server_url("NOSTALL_TEST_MYSQL") {
        let each = url.clone();
        let connecting = move |number: usize| {
            let url = each.clone();
            async move {
                let mut connection = MySqlConnection::connect(&url).await?;
                let id: i64 = sqlx::query_scalar("SELECT CAST(? AS SIGNED)")
                    .bind(number as i64)
                    .fetch_one(&mut connection)
                    .await?;
                connection.close().await?;
                same(id, number)
            }
        };
        compare(
            "MariaDB",
            &url,
            "SELECT CAST(? AS SIGNED)",
            rounds,
            connecting,
        )
        .await?;
    }
    let folder = tempfile::tempdir()?;
    sqlite(&folder.path().join("pooled.db"), rounds).await?;
    if let Some(url) = server_url("NOSTALL_TEST_REDIS") {
        redis(&url, rounds).await?;
    }
    Ok(())
}

fn same(id: i64, number: usize) -> Outcome {
    (id == number as i64)
        .then_some(())
        .ok_or_else(|| "got another operation's answer".into())
}

/// Measures a database both ways in turn and prints a row.
async fn compare<C, CF>(
    name: &str,
    url: &str,
    sql: &'static str,
    rounds: usize,
    connecting: C,
) -> Outcome
where
    C: Fn(usize) -> CF + Clone + Send + 'static,
    CF: Future<Output = Outcome> + Send + 'static,
{
    let io = IoSystem::builder().database(url).build().await?;
    let database = io.database()?.clone();
    let pooled = move |number: usize| {
        let database = database.clone();
        async move {
            let (id,): (i64,) = database.fetch_one(sql, &[(number as i64).into()]).await?;
            same(id, number)
        }
    };
    row(name, rounds, connecting, pooled).await
}

async fn sqlite(file: &Path, rounds: usize) -> Outcome {
    let url = format!("sqlite:{}", file.display());
    let options = SqliteConnectOptions::new().filename(file);
    let connecting = move |number: usize| {
        let options = options.clone();
        async move {
            let mut connection = SqliteConnection::connect_with(&options).await?;
            let id: i64 = sqlx::query_scalar("SELECT ?")
                .bind(number as i64)
                .fetch_one(&mut connection)
                .await?;
            connection.close().await?;
            same(id, number)
        }
    };
    compare("SQLite, file", &url, "SELECT ?", rounds, connecting).await
}

async fn redis(url: &str, rounds: usize) -> Outcome {
    let client = redis::Client::open(url)?;
    let io = IoSystem::builder().cache(url).build().await?;
    let cache = io.cache()?.clone();
    cache.set("nostall:pooled", "value", None).await?;
    let connecting = move |_| {
        let client = client.clone();
        async move {
            let mut connection = client.get_multiplexed_async_connection().await?;
            let value: String =
                redis::AsyncCommands::get(&mut connection, "nostall:pooled").await?;
            same(i64::from(value == "value"), 1)
        }
    };
    let pooled = move |_| {
        let cache = cache.clone();
        async move {
            let value = cache.get("nostall:pooled").await?;
            same(i64::from(value.as_deref() == Some("value")), 1)
        }
    };
    row("Redis", rounds, connecting, pooled).await
}

async fn row<C, CF, P, PF>(name: &str, rounds: usize, connecting: C, pooled: P) -> Outcome
where
    C: Fn(usize) -> CF + Clone + Send + 'static,
    CF: Future<Output = Outcome> + Send + 'static,
    P: Fn(usize) -> PF + Clone + Send + 'static,
    PF: Future<Output = Outcome> + Send + 'static,
{
    let mut pairs = Vec::new();
    // The first round fills the pool, and is not counted.
    for round in 0..=rounds {
        let connecting = spend(OPERATIONS, TASKS, connecting.clone()).await?;
        let pooled = spend(OPERATIONS, TASKS, pooled.clone()).await?;
        if round > 0 {
            pairs.push((
                OPERATIONS as f64 / connecting.wall.as_secs_f64(),
                OPERATIONS as f64 / pooled.wall.as_secs_f64(),
            ));
        }
    }
    let (_, each, _) = spread(pairs.iter().map(|pair| pair.0).collect());
    let (_, pool, _) = spread(pairs.iter().map(|pair| pair.1).collect());
    let (min, ratio, max) = spread(pairs.iter().map(|pair| pair.1 / pair.0).collect());
    println!("| {name} | {each:.0} | {pool:.0} | {ratio:.1} | {min:.1} to {max:.1} |");
    Ok(())
}
