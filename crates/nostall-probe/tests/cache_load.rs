//! Many operations on the cache at once, alike in memory and on a Redis server.
#![cfg(feature = "cache")]

mod cache_places;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use cache_places::places;
use nostall_probe::cache::{CacheOptions, Pipeline};
use nostall_probe::{Error, IoSystem, Kind, gather};
use tokio::task::JoinHandle;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_at_once_lose_nothing_and_are_counted() {
    for place in places().await {
        let (counter, other) = (place.key("counter"), place.key("other"));
        let named = place.cache.named("count up");
        let tasks: Vec<_> = (0..10_000)
            .map(|n| {
                let (counter, other) = (counter.clone(), other.clone());
                let (named, cache) = (named.clone(), place.cache.clone());
                tokio::spawn(async move {
                    if n % 10 == 0 {
                        cache.set(&other, "x", None).await.unwrap();
                    }
                    named.incr(&counter, 1).await.unwrap()
                })
            })
            .collect();
        let mut sums = HashSet::new();
        for task in tasks {
            assert!(sums.insert(task.await.unwrap()), "each sum only once");
        }
        assert_eq!(sums, (1..=10_000).collect());
        let snapshot = place.io.snapshot();
        let counted = snapshot.name(Kind::Cache, "count up");
        assert_eq!((counted.ok, counted.operations), (10_000, 10_000));
        assert_eq!(snapshot.name(Kind::Cache, "set").ok, 1_000);
        let all = snapshot.kind(Kind::Cache);
        assert_eq!((all.operations, all.in_flight, all.retries), (11_000, 0, 0));
        place.cache.del(&[counter, other]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_between_the_commands_of_an_atomic_pipeline() {
    for place in places().await {
        let (from, to) = (place.key("from"), place.key("to"));
        let moves = (0..500).map(|n| {
            let pipeline = match n % 2 {
                0 => Pipeline::new().incr(&from, -1).incr(&to, 1),
                _ => Pipeline::new().incr(&to, 1).incr(&from, -1),
            };
            let cache = place.cache.clone();
            let run = async move { cache.pipeline(pipeline.atomic()).await };
            async { tokio::spawn(run).await.unwrap() }
        });
        let looks = (0..500).map(|_| {
            let (cache, keys) = (place.cache.clone(), [from.clone(), to.clone()]);
            let look = async move { cache.mget(&keys).await };
            async { tokio::spawn(look).await.unwrap() }
        });
        // One after the other: what came to `to` was taken from `from` before.
        let glances = (0..500).map(|_| {
            let (cache, from, to) = (place.cache.clone(), from.clone(), to.clone());
            let glance = async move {
                let taken = cache.get(&from).await?;
                Ok::<_, Error>((taken, cache.get(&to).await?))
            };
            async { tokio::spawn(glance).await.unwrap() }
        });
        let (moved, looked, glanced) =
            tokio::join!(gather(moves, 50), gather(looks, 50), gather(glances, 50));
        assert_eq!((moved.ok.len(), looked.ok.len()), (500, 500));
        let number = |text: &Option<String>| match text {
            Some(text) => text.parse::<i64>().unwrap(),
            None => 0,
        };
        for (taken, given) in glanced.into_result().unwrap() {
            assert!(number(&given) >= -number(&taken));
        }
        for (_, seen) in looked.ok {
            assert_eq!(number(&seen[0]) + number(&seen[1]), 0, "{seen:?}");
        }
        let last = place.cache.mget(&[&from, &to]).await.unwrap();
        assert_eq!(last, [Some("-500".to_owned()), Some("500".to_owned())]);
        place.cache.del(&[from, to]).await.unwrap();
    }
}

/// One sets the number to the beginning of an age while others add to it. An `incr` that read before a `set` and wrote after it would
/// bring the age before back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incr_and_set_of_one_key_are_one_after_the_other() {
    for place in places().await {
        let key = place.key("ages");
        place.cache.set(&key, "0", None).await.unwrap();
        let (cache, ages) = (place.cache.clone(), key.clone());
        let sets = tokio::spawn(async move {
            for age in 1..1_500_i64 {
                let begin = age * 1_000_000;
                cache.set(&ages, begin.to_string(), None).await.unwrap();
                assert!(cache.incr(&ages, 1).await.unwrap() > begin);
            }
        });
        let adds = (0..3).map(|_| {
            let (cache, key) = (place.cache.clone(), key.clone());
            tokio::spawn(async move {
                let mut sums = Vec::new();
                for _ in 0..1_500 {
                    sums.push(cache.incr(&key, 1).await.unwrap());
                }
                sums
            })
        });
        let adds: Vec<_> = adds.collect();
        sets.await.unwrap();
        let mut sums = Vec::new();
        for add in adds {
            sums.extend(add.await.unwrap());
        }
        let distinct: HashSet<_> = sums.iter().collect();
        assert_eq!((sums.len(), distinct.len()), (4_500, 4_500));
        place.cache.del(&[key]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_leave_take_nobody_s_reply_and_leave_nothing_behind() {
    const ROUNDS: u64 = 50;
    for place in places().await {
        let keys: Vec<_> = (0..100).map(|n| place.key(&format!("own-{n}"))).collect();
        for key in &keys {
            place.cache.set(key, key, None).await.unwrap();
        }
        let mut stayed = 0;
        for round in 0..ROUNDS {
            let get = |key: &String| {
                let (cache, key) = (place.cache.clone(), key.clone());
                tokio::spawn(async move {
                    let value = cache.get(&key).await.unwrap();
                    assert_eq!(value, Some(key), "the reply of another");
                })
            };
            let tasks: Vec<_> = keys.iter().map(get).collect();
            tokio::time::sleep(Duration::from_micros(round * 20)).await;
            tasks.iter().step_by(2).for_each(JoinHandle::abort);
            for task in tasks {
                match task.await {
                    Ok(()) => stayed += 1,
                    Err(join) => assert!(join.is_cancelled(), "{join}"),
                }
            }
        }
        let figures = place.io.snapshot().name(Kind::Cache, "get");
        println!("{} of {} left", figures.cancelled, figures.operations);
        assert_eq!((figures.in_flight, figures.errors), (0, 0));
        assert!(stayed >= 50 * ROUNDS, "half of them were never called off");
        // Those that were called off before they first ran have not begun an operation, so they are not counted.
        assert!(figures.ok >= stayed && figures.operations <= 100 * ROUNDS);
        assert_eq!(place.cache.del(&keys).await.unwrap(), 100);
    }
}

#[tokio::test]
async fn memory_stays_within_its_capacity_and_keeps_what_was_written_last() {
    let options = CacheOptions {
        memory_capacity: 100_000,
        ..CacheOptions::default()
    };
    let io = IoSystem::builder().cache_with("memory:", options);
    let io = io.build().await.unwrap();
    let cache = io.cache().unwrap();
    let keys: Vec<_> = (0..1_000).map(|n| format!("key-{n}")).collect();
    for key in &keys {
        cache.set(key, vec![b'x'; 800], None).await.unwrap();
        assert!(cache.get(key).await.unwrap().is_some());
    }
    // Room is made a moment later, by whoever comes next.
    let started = Instant::now();
    let kept = loop {
        let values = cache.mget(&keys).await.unwrap();
        let kept = values.iter().flatten().count();
        if kept <= 100 || started.elapsed() > Duration::from_secs(10) {
            break kept;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!((50..=100).contains(&kept), "{kept} entries are kept");
    assert!(cache.get("key-999").await.unwrap().is_some());
}
