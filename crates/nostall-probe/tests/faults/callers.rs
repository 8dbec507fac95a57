//! Callers that go away in the middle of their operations.

use std::time::Duration;

use nostall_probe::{Cause, IoSystem};
use tokio::task::JoinSet;

use crate::{alive_tasks, assert_all_ended, assert_no_task_left, in_time, server_url, unique};

/// Callers per backend.
const CALLERS: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_callers_leave_nothing_behind() {
    let before = alive_tasks();
    let folder = tempfile::tempdir().unwrap();
    let database = server_url("NOSTALL_TEST_POSTGRES")
        .unwrap_or_else(|| format!("sqlite:{}", folder.path().join("cancel.db").display()));
    let cache = server_url("NOSTALL_TEST_REDIS").unwrap_or_else(|| "memory:".to_owned());
    let io = IoSystem::builder()
        .database(database)
        .cache(cache)
        .files(folder.path())
        .build()
        .await
        .unwrap();
    let key = unique("nostall:cancel");

    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        callers.spawn(impatient(io.clone(), number, key.clone()));
    }
    callers.join_all().await;
    // Work on the blocking pool goes on without its caller; its end is what the shutdown below waits for.
    let answers = io
        .gather(
            (0..200_i64).map(|number| {
                let database = io.database().unwrap();
                let sql = "SELECT CAST(%% AS BIGINT)".replace("%%", &number.to_string());
                async move { in_time(database.fetch_one::<(i64,)>(&sql, &[])).await }
            }),
            50,
        )
        .await;
    assert_eq!(answers.errors.len(), 0, "{:?}", answers.errors.first());
    for (index, (answer,)) in answers.ok {
        assert_eq!(answer, index as i64, "an answer of another operation");
    }
    assert!(io.snapshot().total.cancelled > 0);
    assert_all_ended(&io);
    in_time(io.cache().unwrap().del(&[&key])).await.unwrap();
    assert_eq!(io.shutdown(Duration::from_secs(5)).await.abandoned, 0);
    let page = std::fs::read(folder.path().join("page")).unwrap();
    assert_eq!(page.len(), 100_000);
    assert!(page.iter().all(|byte| *byte == page[0]), "half a page");
    drop(io);
    assert_no_task_left(before).await;
}

/// Begins an operation of each kind and leaves after a short while.
async fn impatient(io: IoSystem, number: u64, key: String) {
    let patience = Duration::from_micros(number * 37 % 3000);
    let work = async {
        let row: (i64,) = io
            .database()?
            .fetch_one("SELECT CAST(1 AS BIGINT)", &[])
            .await?;
        io.cache()?.incr(&key, row.0).await?;
        let page = vec![number as u8; 100_000];
        io.files()?.write("page", page).await?;
        io.offload("short work", || {
            std::thread::sleep(Duration::from_millis(2));
            Ok::<_, Cause>(())
        })
        .await
    };
    let _ = tokio::time::timeout(patience, work).await;
    // The first one always writes, so that there is a page to look at.
    if number == 0 {
        let page = vec![0; 100_000];
        in_time(io.files().unwrap().write("page", page))
            .await
            .unwrap();
    }
}
