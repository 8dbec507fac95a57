//! A million operations in one process, with its memory, and two processes on one SQLite file.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nostall_probe::{Cause, IoSystem};

use crate::load::spend;
use crate::server::Server;
use crate::{Outcome, server_url};

/// Tasks that run operations at once.
const TASKS: usize = 50;

/// Parts of the run after each of which memory is read.
const PARTS: usize = 10;

/// Runs both.
pub(crate) async fn run(operations: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    million(folder.path(), operations).await?;
    two_processes(&folder.path().join("shared.db"), 5_000).await
}

/// Runs operations on all backends and prints the resident memory after each part.
async fn million(folder: &Path, operations: usize) -> Outcome {
    let server = Server::start()?;
    let cache = server_url("NOSTALL_TEST_REDIS").unwrap_or_else(|| "memory:".to_owned());
    let io = IoSystem::builder()
        .database(format!("sqlite:{}", folder.join("soak.db").display()))
        .cache(cache)
        .http(server.url.clone())
        .files(folder)
        .build()
        .await?;
    io.files()?.write("page", b"text of a page").await?;
    let started = Instant::now();
    let mut resident = Vec::new();
    for part in 1..=PARTS {
        let shared = io.clone();
        spend(operations / PARTS, TASKS, move |number| {
            one(shared.clone(), number)
        })
        .await?;
        resident.push(resident_kib()?);
        println!(
            "{:>9} operations, {:>5.0} s: {} KiB resident, {} in flight",
            part * (operations / PARTS),
            started.elapsed().as_secs_f64(),
            resident[part - 1],
            io.snapshot().total.in_flight
        );
    }
    let total = io.snapshot().total;
    println!(
        "counted {} ok, {} errors, {} retries; memory grew by {:.1} % from the second part to the last",
        total.ok,
        total.errors,
        total.retries,
        (resident[PARTS - 1] as f64 / resident[1] as f64 - 1.0) * 100.0
    );
    // The write of the page is one more.
    let lost = total.ok != (operations / PARTS * PARTS) as u64 + 1 || total.in_flight != 0;
    io.shutdown(std::time::Duration::from_secs(5)).await;
    if lost {
        return Err("operations were lost".into());
    }
    Ok(())
}

/// One operation; which, its number says.
async fn one(io: IoSystem, number: usize) -> Outcome {
    match number / TASKS % 10 {
        0 | 1 => {
            let row = io
                .database()?
                .fetch_one::<(i64,)>("SELECT ?", &[(number as i64).into()])
                .await?;
            assert_eq!(row.0, number as i64);
        }
        2 => {
            let page = io.files()?.read_to_string("page").await?;
            assert_eq!(page, "text of a page");
        }
        3 => {
            let answer: serde_json::Value = io.http()?.get_json("").await?;
            assert_eq!(answer["id"], 7);
        }
        4 => io.offload("add", move || Ok::<_, Cause>(())).await?,
        _ => {
            io.cache()?.incr("nostall:soak", 1).await?;
        }
    }
    Ok(())
}

/// The resident memory of this process, from Linux's `/proc`.
fn resident_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// Lets two processes add to one number in one file, and looks whether all additions are there.
async fn two_processes(file: &Path, additions: usize) -> Outcome {
    let url = format!("sqlite:{}", file.display());
    let io = IoSystem::builder().database(url).build().await?;
    let database = io.database()?;
    database
        .execute("CREATE TABLE sum (value INTEGER NOT NULL)", &[])
        .await?;
    database.execute("INSERT INTO sum VALUES (0)", &[]).await?;
    let started = Instant::now();
    let mut children = Vec::new();
    for _ in 0..2 {
        let child = Command::new(std::env::current_exe()?)
            .arg("add")
            .arg(file)
            .arg(additions.to_string())
            .spawn()?;
        children.push(child);
    }
    for mut child in children {
        let ended = tokio::task::spawn_blocking(move || child.wait()).await??;
        if !ended.success() {
            return Err("a process failed to add".into());
        }
    }
    let (sum,): (i64,) = database.fetch_one("SELECT value FROM sum", &[]).await?;
    println!(
        "two processes made {} additions each to one SQLite file in {:.1} s: the sum is {sum}",
        additions,
        started.elapsed().as_secs_f64()
    );
    if sum != 2 * additions as i64 {
        return Err("updates were lost".into());
    }
    Ok(())
}

/// What each of the two processes does: reads, adds, writes, in a transaction.
pub(crate) async fn add(arguments: &[String]) -> Outcome {
    let [file, additions] = arguments else {
        return Err("say the file and how many additions".into());
    };
    let io = IoSystem::builder()
        .database(format!("sqlite:{file}"))
        .build()
        .await?;
    let additions: usize = additions.parse()?;
    spend(additions, 4, move |_| {
        let io = io.clone();
        async move {
            let mut transaction = io.database()?.begin().await?;
            let (sum,): (i64,) = transaction.fetch_one("SELECT value FROM sum", &[]).await?;
            transaction
                .execute("UPDATE sum SET value = ?", &[(sum + 1).into()])
                .await?;
            transaction.commit().await?;
            Ok(())
        }
    })
    .await?;
    Ok(())
}
