//! A Redis server that is paused and resumed, and one that is killed and restarted.

use std::time::Duration;

use nostall_probe::cache::CacheOptions;
use nostall_probe::{Cache, IoSystem};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::{
    DEADLINE, alive_tasks, assert_all_ended, assert_no_task_left, in_time, policy, server_url,
    services, unique,
};

/// Both tests do harm to one server: one at a time.
static SERVER: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_paused_and_resumed() {
    let _alone = SERVER.lock().await;
    if let Some(url) = server_url("NOSTALL_TEST_REDIS") {
        let hurt = async {
            services(&["pause", "redis"]).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            services(&["resume", "redis"]).await;
        };
        hurt_in_the_middle(&url, hurt, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_killed_and_restarted() {
    let _alone = SERVER.lock().await;
    if let Some(url) = server_url("NOSTALL_TEST_REDIS") {
        let hurt = services(&["restart", "redis", "--kill"]);
        hurt_in_the_middle(&url, hurt, false).await;
    }
}

/// Workers count and read while the server is hurt; `keeps` says whether it keeps its data.
async fn hurt_in_the_middle(url: &str, hurt: impl Future<Output = ()>, keeps: bool) {
    let before = alive_tasks();
    let options = CacheOptions {
        policy: policy(200),
        ..CacheOptions::default()
    };
    let io = IoSystem::builder()
        .cache_with(url, options)
        .build()
        .await
        .unwrap();
    let cache = io.cache().unwrap().clone();
    let key = unique("nostall:faults");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut workers = JoinSet::new();
    for _ in 0..32 {
        workers.spawn(count_until(cache.clone(), key.clone(), stopped.clone()));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    hurt.await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop.send(true).unwrap();
    let (mut acknowledged, mut failed, mut after) = (0, 0, 0);
    for seen in workers.join_all().await {
        acknowledged += seen.0;
        failed += seen.1;
        after += seen.2;
    }

    assert!(failed == 0 || after > 0, "nobody worked after an error");
    let text = in_time(cache.get(&key)).await.unwrap();
    let counted: i64 = text.map_or(0, |text| text.parse().unwrap());
    if keeps {
        assert!(
            acknowledged <= counted && counted <= acknowledged + failed,
            "{counted} counted, {acknowledged} acknowledged, {failed} failed"
        );
    }
    in_time(cache.del(&[&key])).await.unwrap();
    assert_all_ended(&io);
    assert_eq!(io.shutdown(DEADLINE).await.abandoned, 0);
    drop((io, cache));
    assert_no_task_left(before).await;
}

/// Counts up; answers how often that was acknowledged, how often it failed, and how many reads succeeded after a failure.
async fn count_until(
    cache: Cache,
    key: String,
    stopped: tokio::sync::watch::Receiver<bool>,
) -> (i64, i64, i64) {
    let (mut acknowledged, mut failed, mut after) = (0, 0, 0);
    while !*stopped.borrow() {
        match in_time(cache.incr(&key, 1)).await {
            Ok(_) => acknowledged += 1,
            Err(_) => failed += 1,
        }
        let read = in_time(cache.get(&key)).await;
        after += i64::from(failed > 0 && read.is_ok());
    }
    (acknowledged, failed, after)
}
