//! The façade's own cost: CPU time per operation beside the library used directly, with the same pool and the same numbers.

use std::future::Future;

use nostall_probe::db::sqlx::pool::PoolOptions;
use nostall_probe::db::sqlx::{self, Encode, Executor, FromRow, IntoArguments, Type};
use nostall_probe::{Cache, Cause, IoSystem, Policy, PolicyOptions};
use redis::IntoConnectionInfo;
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::load::{Spent, spend, spread};
use crate::server::Server;
use crate::{Outcome, server_url};

/// Connections of each pool.
const CONNECTIONS: u32 = 20;

/// sqlx's pool as it comes asks a connection each time before it lends it. The façade asks only after a rest, which the second kind
/// comes near: it never asks.
const POOLS: [(&str, bool); 2] = [("as it comes", true), ("untested", false)];

/// How many tasks run operations at once: one alone, and one for each connection.
const TASKS: [usize; 2] = [1, 20];

/// Operations of one side in the first round, which is not counted.
const FIRST_OPERATIONS: usize = 4_000;

/// How long one side's part of a round is to take, in seconds: short ones say more about the scheduler than about the operations.
const PART: f64 = 0.4;

/// Which rows are measured, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) rounds: usize,
    /// Only rows with this in their name.
    pub(crate) only: &'a str,
}

/// Sets the façade beside sqlx, redis and reqwest.
pub(crate) fn run(runtime: &Runtime, plan: Plan<'_>) -> Outcome {
    println!(
        "{} rounds, each for {PART} s directly, then as many operations through the façade; ratios round by round\n",
        plan.rounds
    );
    println!(
        "| library | tasks | CPU µs per operation, directly | façade | ratio, median | min to max | wall time, ratio |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    runtime.block_on(async {
        policy_alone(plan).await?;
        if let Some(url) = server_url("NOSTALL_TEST_POSTGRES") {
            postgres(&url, plan).await?;
        }
        if let Some(url) = server_url("NOSTALL_TEST_MYSQL") {
            mysql(&url, plan).await?;
        }
        if let Some(url) = server_url("NOSTALL_TEST_REDIS") {
            redis(&url, plan).await?;
        }
        http(plan).await
    })
}

/// Measures both sides in turn, by one task and by many, and prints a row for each.
async fn compare<D, DF, F, FF>(name: &str, plan: Plan<'_>, direct: D, facade: F) -> Outcome
where
    D: Fn(usize) -> DF + Clone + Send + 'static,
    DF: Future<Output = Outcome> + Send + 'static,
    F: Fn(usize) -> FF + Clone + Send + 'static,
    FF: Future<Output = Outcome> + Send + 'static,
{
    if !name.contains(plan.only) {
        return Ok(());
    }
    for tasks in TASKS {
        // Fills pools and caches, and shows how many operations make a round.
        spend(FIRST_OPERATIONS, tasks, facade.clone()).await?;
        let first = spend(FIRST_OPERATIONS, tasks, direct.clone()).await?;
        let operations = FIRST_OPERATIONS as f64 * PART / first.wall.as_secs_f64();
        let operations = (operations as usize).max(FIRST_OPERATIONS);
        let mut pairs = Vec::new();
        for _ in 0..plan.rounds {
            pairs.push((
                spend(operations, tasks, direct.clone()).await?,
                spend(operations, tasks, facade.clone()).await?,
            ));
        }
        print_row(name, tasks, operations, &pairs);
    }
    Ok(())
}

fn print_row(name: &str, tasks: usize, operations: usize, pairs: &[(Spent, Spent)]) {
    let each = |pick: &dyn Fn(&(Spent, Spent)) -> f64| spread(pairs.iter().map(pick).collect());
    let micros = |spent: &Spent| spent.cpu.as_secs_f64() * 1e6 / operations as f64;
    let (_, directly, _) = each(&|(direct, _)| micros(direct));
    let (_, through, _) = each(&|(_, facade)| micros(facade));
    let (min, median, max) = each(&|(direct, facade)| micros(facade) / micros(direct));
    let (_, wall, _) =
        each(&|(direct, facade)| facade.wall.as_secs_f64() / direct.wall.as_secs_f64());
    println!(
        "| {name} | {tasks} | {directly:.1} | {through:.1} | {median:.3} | {min:.3} to {max:.3} | {wall:.3} |"
    );
}

/// What the policy and the statistics cost, around an operation that only lets others go first.
async fn policy_alone(plan: Plan<'_>) -> Outcome {
    let policy = Policy::new(PolicyOptions::default());
    let direct = |_| async {
        tokio::task::yield_now().await;
        Ok(())
    };
    let through = move |_| {
        let policy = policy.clone();
        async move {
            policy
                .run("yield", || async {
                    tokio::task::yield_now().await;
                    Ok::<_, Cause>(())
                })
                .await?;
            Ok(())
        }
    };
    compare("(none: a policy alone)", plan, direct, through).await
}

#[derive(Deserialize)]
struct Video {
    id: i64,
}

/// Checks that the right row came.
fn is(id: i64, wanted: i64) -> Outcome {
    (id == wanted)
        .then_some(())
        .ok_or_else(|| format!("got {id} instead of {wanted}").into())
}

/// Measures a database beside both kinds of sqlx's pool.
async fn database<D>(name: &str, url: &str, sql: &'static str, plan: Plan<'_>) -> Outcome
where
    D: sqlx::Database,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
    for<'r> (i64, String): FromRow<'r, D::Row>,
    for<'q> i64: Encode<'q, D> + Type<D>,
{
    let io = IoSystem::builder().database(url).build().await?;
    let database = io.database()?.clone();
    let through = move |number: usize| {
        let database = database.clone();
        async move {
            let wanted = number as i64;
            let (id, _): (i64, String) = database.fetch_one(sql, &[wanted.into()]).await?;
            is(id, wanted)
        }
    };
    for (pool_kind, is_tested) in POOLS {
        let pool = PoolOptions::<D>::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(is_tested)
            .connect(url)
            .await?;
        let direct = move |number: usize| {
            let pool = pool.clone();
            async move {
                let wanted = number as i64;
                let query = sqlx::query_as(sql).bind(wanted);
                let (id, _): (i64, String) = query.fetch_one(&pool).await?;
                is(id, wanted)
            }
        };
        let name = format!("sqlx, {name}, {pool_kind}");
        compare(&name, plan, direct, through.clone()).await?;
    }
    Ok(())
}

async fn postgres(url: &str, plan: Plan<'_>) -> Outcome {
    let sql = "SELECT i::int8, 'title ' || i FROM generate_series($1::int8, $1::int8) AS i";
    database::<sqlx::Postgres>("PostgreSQL", url, sql, plan).await
}

async fn mysql(url: &str, plan: Plan<'_>) -> Outcome {
    let sql = "SELECT CAST(? AS SIGNED), 'title'";
    database::<sqlx::MySql>("MariaDB", url, sql, plan).await
}

async fn redis(url: &str, plan: Plan<'_>) -> Outcome {
    let key = "nostall:cost";
    // What the façade sets too: small commands do not wait for the acknowledgement of those before them, as they would by default.
    // Waiting together they would cost fewer packets, and so less CPU, on both sides.
    let info = url.into_connection_info()?;
    let settings = info.redis_settings().clone();
    let info = info
        .set_redis_settings(settings.set_protocol(redis::ProtocolVersion::RESP3))
        .set_tcp_settings(redis::io::tcp::TcpSettings::default().set_nodelay(true));
    let manager = redis::Client::open(info)?.get_connection_manager().await?;
    let io = IoSystem::builder().cache(url).build().await?;
    let cache: Cache = io.cache()?.clone();
    cache.set(key, "a value of some length", None).await?;
    let direct = move |_| {
        let mut manager = manager.clone();
        async move {
            let value: Option<String> = redis::AsyncCommands::get(&mut manager, key).await?;
            is(value.map_or(0, |value| value.len() as i64), 22)
        }
    };
    let through = move |_| {
        let cache = cache.clone();
        async move {
            let value = cache.get(key).await?;
            is(value.map_or(0, |value| value.len() as i64), 22)
        }
    };
    compare("redis", plan, direct, through).await
}

async fn http(plan: Plan<'_>) -> Outcome {
    let server = Server::start()?;
    let url = server.url.clone();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let io = IoSystem::builder().http(url.clone()).build().await?;
    let http = io.http()?.clone();
    let direct = move |_| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            let answer = client.get(url).send().await?.error_for_status()?;
            is(answer.json::<Video>().await?.id, 7)
        }
    };
    let through = move |_| {
        let http = http.clone();
        async move { is(http.get_json::<Video>("").await?.id, 7) }
    };
    compare("reqwest", plan, direct, through).await
}
