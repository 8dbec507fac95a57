//! Counts and times.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml allows it in test functions only"
)]

use std::collections::HashMap;
use std::future::pending;
use std::time::Duration;

use futures_util::StreamExt;
use nostall_probe::stats::{MAX_NAMES, OTHER_NAMES, Percentiles};
use nostall_probe::{Cause, IoSystem, Kind, Policy, PolicyOptions, Retry, Snapshot, Stats};
use tokio::time::{Instant, sleep, timeout};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn policy() -> Policy {
    Policy::new(PolicyOptions {
        max_in_flight: 2,
        time_out: ms(100),
        deadline: ms(1000),
        retry: Retry {
            first_delay: ms(10),
            jitter: false,
            ..Retry::default()
        },
    })
}

/// Blocking work.
fn slept(time: Duration) -> impl FnOnce() -> Result<(), Cause> + Send + 'static {
    move || {
        std::thread::sleep(time);
        Ok(())
    }
}

async fn after<T>(pause: u64, result: Result<T, Cause>) -> Result<T, Cause> {
    sleep(ms(pause)).await;
    result
}

#[tokio::test(start_paused = true)]
async fn a_scripted_run_is_counted_exactly() {
    let policy = policy();
    for _ in 0..3 {
        policy.run("a", || after(10, Ok(()))).await.unwrap();
    }
    policy
        .run("a", || after(10, Err::<(), _>(Cause::permanent("no"))))
        .await
        .unwrap_err();
    policy
        .run("a", || after(10, Err::<(), _>(Cause::transient("no"))))
        .await
        .unwrap_err();
    policy.run("b", || after(200, Ok(()))).await.unwrap_err();
    assert!(
        timeout(ms(50), policy.run("b", || after(90, Ok(()))))
            .await
            .is_err()
    );
    drop(policy.run("b", || after(90, Ok(()))));
    policy.offload("c", slept(ms(30))).await.unwrap();
    policy.offload("c", slept(ms(10))).await.unwrap();
    let three = || policy.run_once("d", after(20, Ok(())));
    let (x, y, z) = tokio::join!(three(), three(), three());
    x.and(y).and(z).unwrap();

    let snapshot = policy.stats().snapshot();
    let counts = |name| {
        let figures = snapshot.name(Kind::Own, name);
        assert_eq!(
            figures.operations,
            figures.ok + figures.errors + figures.cancelled
        );
        assert_eq!(figures.in_flight, 0);
        let ended = (figures.ok, figures.errors, figures.cancelled);
        (
            ended,
            figures.retries,
            figures.time_outs,
            figures.in_flight_max,
        )
    };
    assert_eq!(counts("a"), ((3, 2, 0), 2, 0, 1));
    assert_eq!(counts("b"), ((0, 1, 1), 2, 1, 1));
    assert_eq!(counts("c"), ((2, 0, 0), 0, 0, 1));
    assert_eq!(counts("d"), ((3, 0, 0), 0, 0, 3));
    let names: Vec<_> = snapshot
        .names
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(snapshot.kinds.len(), 1);

    let own = snapshot.kind(Kind::Own);
    assert_eq!(own, snapshot.total);
    assert_eq!(
        (own.operations, own.ok, own.errors, own.cancelled),
        (12, 8, 3, 1)
    );
    assert_eq!((own.async_operations, own.offloaded_operations), (10, 2));
    assert!((own.async_ratio - 10.0 / 12.0).abs() < 1e-12);
    assert_eq!((own.in_flight, own.in_flight_max), (0, 3));
    assert_eq!(snapshot.name(Kind::Own, "c").async_ratio, 0.0);
    assert_eq!(snapshot.kind(Kind::Http), Default::default());
    assert_eq!(snapshot.name(Kind::Http, "a"), Default::default());
}

#[tokio::test]
async fn time_on_the_blocking_pool_is_measured() {
    let policy = policy();
    policy.offload("c", slept(ms(60))).await.unwrap();
    policy.offload("c", slept(ms(20))).await.unwrap();
    let figures = policy.stats().snapshot().name(Kind::Own, "c");
    // A busy machine may sleep longer, never shorter.
    let mean = figures.mean_offload_ms;
    let bounds = 40.0..=figures.latency.max_ms * 1.01;
    assert!(bounds.contains(&mean), "{mean} is not in {bounds:?}");
    assert!(figures.latency.max_ms >= 59.4);
}

#[test]
fn nothing_yet_is_all_async() {
    let snapshot = Stats::default().snapshot();
    assert_eq!(
        (snapshot.total.operations, snapshot.total.async_ratio),
        (0, 1.0)
    );
    assert!(snapshot.kinds.is_empty() && snapshot.names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn in_flight_is_seen_while_it_lasts() {
    let stats = Stats::default();
    let mut calls = Vec::new();
    for _ in 0..5 {
        let mut call = Box::pin(stats.observe("op", pending::<Result<(), ()>>()));
        assert!(futures_util::poll!(&mut call).is_pending());
        calls.push(call);
    }
    let total = stats.snapshot().total;
    assert_eq!(
        (total.in_flight, total.in_flight_max, total.operations),
        (5, 5, 0)
    );
    calls.truncate(2);
    let total = stats.snapshot().total;
    assert_eq!(
        (total.in_flight, total.in_flight_max, total.cancelled),
        (2, 5, 3)
    );
}

async fn latencies(times: impl IntoIterator<Item = Duration>) -> Percentiles {
    let stats = Stats::default();
    for time in times {
        let operation = async {
            tokio::time::advance(time).await;
            Ok::<_, ()>(())
        };
        stats.observe("op", operation).await.unwrap();
    }
    stats.snapshot().name(Kind::Own, "op").latency
}

fn assert_near(found: f64, expected: f64) {
    let off = (found - expected).abs();
    assert!(
        off <= expected * 0.01 + 0.001,
        "{found} instead of {expected}"
    );
}

#[tokio::test(start_paused = true)]
async fn percentiles_of_known_times_are_right() {
    let even = latencies((1..=1000).map(ms)).await;
    for (found, expected) in [
        (even.p50_ms, 500.0),
        (even.p90_ms, 900.0),
        (even.p99_ms, 990.0),
        (even.max_ms, 1000.0),
    ] {
        assert_near(found, expected);
    }
    // From microseconds to minutes: the same share of the value everywhere.
    let scale = |n: i32| Duration::from_secs_f64(1e-5 * 1.2_f64.powi(n));
    let wide = latencies((0..100).map(scale)).await;
    for (found, at) in [
        (wide.p50_ms, 49),
        (wide.p90_ms, 89),
        (wide.p99_ms, 98),
        (wide.max_ms, 99),
    ] {
        assert_near(found, scale(at).as_secs_f64() * 1000.0);
    }
    let same = latencies([ms(7); 50]).await;
    for found in [same.p50_ms, same.p90_ms, same.p99_ms, same.max_ms] {
        assert_near(found, 7.0);
    }
    let tail = latencies((0..100).map(|n| if n < 98 { ms(1) } else { ms(5000) })).await;
    for (found, expected) in [
        (tail.p50_ms, 1.0),
        (tail.p90_ms, 1.0),
        (tail.p99_ms, 5000.0),
    ] {
        assert_near(found, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn times_of_nothing_and_of_days_are_kept_in_bounds() {
    let days = latencies([Duration::from_secs(200_000)]).await;
    assert_near(days.max_ms, 3_600_000.0);
    let nothing = latencies([Duration::ZERO]).await;
    assert!(nothing.max_ms <= 0.001, "{nothing:?}");
}

#[tokio::test]
async fn names_beyond_the_limit_are_counted_together() {
    let policy = Policy::new(PolicyOptions::default());
    for round in 0..2 {
        for n in 0..MAX_NAMES + 50 {
            let run = policy.run_once(format!("name {n}"), async move {
                if n % 2 == 0 {
                    Ok(())
                } else {
                    Err(Cause::permanent("odd"))
                }
            });
            if let Err(error) = run.await {
                assert_eq!(
                    error.name(),
                    format!("name {n}"),
                    "its own name is in the error"
                );
            }
        }
        let snapshot = policy.stats().snapshot();
        assert_eq!(snapshot.names.len(), MAX_NAMES + 1);
        let times = round + 1;
        let other = snapshot.name(Kind::Own, OTHER_NAMES);
        assert_eq!((other.ok, other.errors), (25 * times, 25 * times));
        let first = snapshot.name(Kind::Own, "name 0");
        assert_eq!((first.ok, first.errors), (times, 0));
        let all = (MAX_NAMES as u64 + 50) * times;
        assert_eq!(
            (snapshot.total.operations, snapshot.total.ok),
            (all, all / 2)
        );
    }
}

#[tokio::test]
async fn the_limit_of_names_is_of_each_kind() {
    let io = IoSystem::builder().build().await.unwrap();
    for n in 0..MAX_NAMES + 1 {
        io.observe(format!("{n}"), async { Ok::<_, ()>(()) })
            .await
            .unwrap();
    }
    io.offload("first of its kind", || Ok::<_, Cause>(()))
        .await
        .unwrap();
    let snapshot = io.snapshot();
    assert_eq!(snapshot.name(Kind::Offload, "first of its kind").ok, 1);
    assert_eq!(snapshot.name(Kind::Own, OTHER_NAMES).ok, 1);
    let kinds: Vec<_> = snapshot.kinds.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::Offload, Kind::Own]);
    assert_eq!(snapshot.total.ok, MAX_NAMES as u64 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_survives_json() {
    let policy = policy();
    policy
        .run("a \"quoted\" näme", || after(13, Ok(())))
        .await
        .unwrap();
    policy.run("b", || after(200, Ok(()))).await.unwrap_err();
    let snapshot = policy.stats().snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    let back: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(back, snapshot);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["kinds"][0]["kind"], "own");
    assert_eq!(value["kinds"][0]["ok"], 1);
    assert_eq!(value["names"][1]["name"], "b");
    assert_eq!(value["names"][1]["time_outs"], 1);
    assert!(value["total"]["latency"]["p99_ms"].is_f64());
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_keeps_its_pace_and_misses_what_is_late() {
    let stats = Stats::default();
    let start = Instant::now();
    let mut stream = Box::pin(stats.stream(ms(100)));
    let mut moments = Vec::new();
    for n in 0..4 {
        stats
            .observe("op", async { Ok::<_, ()>(()) })
            .await
            .unwrap();
        let snapshot = stream.next().await.unwrap();
        assert_eq!(snapshot.total.ok, n + 1);
        moments.push(start.elapsed());
    }
    assert_eq!(moments, [ms(0), ms(100), ms(200), ms(300)]);
    sleep(ms(1000)).await;
    stream.next().await.unwrap();
    stream.next().await.unwrap();
    assert_eq!(
        start.elapsed(),
        ms(1400),
        "one late snapshot, then the pace again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_holds_nobody_up() {
    let io = IoSystem::builder().build().await.unwrap();
    let unread = io.stats().stream(ms(1));
    let start = Instant::now();
    for _ in 0..1000 {
        io.observe("op", after(1, Ok(()))).await.unwrap();
    }
    assert_eq!(start.elapsed(), ms(1000));
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_from_many_threads_loses_nothing() {
    let policy = Policy::new(PolicyOptions::default());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..10_000_u64 {
        let policy = policy.clone();
        tasks.spawn(async move {
            let run = policy.run_once(["x", "y", "z"][(n % 3) as usize], async move {
                tokio::task::yield_now().await;
                if n % 5 == 0 {
                    Err(Cause::permanent("no"))
                } else {
                    Ok(())
                }
            });
            if n % 7 == 0 {
                timeout(Duration::ZERO, run).await.map(drop).is_ok()
            } else {
                run.await.map(drop).ok();
                true
            }
        });
    }
    let mut ended: HashMap<bool, u64> = HashMap::new();
    while let Some(task) = tasks.join_next().await {
        *ended.entry(task.unwrap()).or_default() += 1;
    }
    let total = policy.stats().snapshot().total;
    assert_eq!(total.operations, 10_000);
    assert_eq!(total.cancelled, ended.get(&false).copied().unwrap_or(0));
    assert_eq!(total.ok + total.errors, ended[&true]);
    assert_eq!(total.in_flight, 0);
    assert!(total.in_flight_max >= 1);
}

#[cfg(feature = "metrics")]
mod exported {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use metrics_util::{CompositeKey, MetricKind};

    use super::*;

    type Exported = Vec<(CompositeKey, DebugValue)>;

    fn find<'a>(
        exported: &'a Exported,
        kind: MetricKind,
        name: &str,
        labels: &[(&str, &str)],
    ) -> Vec<&'a DebugValue> {
        let has = |key: &CompositeKey, (label, value): &(&str, &str)| {
            let mut all = key.key().labels();
            all.any(|found| found.key() == *label && found.value() == *value)
        };
        let entries = exported.iter().filter(|(key, _)| {
            key.kind() == kind
                && key.key().name() == name
                && labels.iter().all(|label| has(key, label))
        });
        entries.map(|(_, value)| value).collect()
    }

    fn count(exported: &Exported, name: &str, labels: &[(&str, &str)]) -> u64 {
        let values = find(exported, MetricKind::Counter, name, labels);
        let counts = values.iter().map(|value| match value {
            DebugValue::Counter(count) => *count,
            other => panic!("{other:?}"),
        });
        counts.sum()
    }

    fn samples(exported: &Exported, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let values = find(exported, MetricKind::Histogram, name, labels);
        let samples = values.iter().flat_map(|value| match value {
            DebugValue::Histogram(samples) => samples.iter().map(|sample| sample.into_inner()),
            other => panic!("{other:?}"),
        });
        samples.collect()
    }

    /// The recorder is the thread's own: the runtime must run on it.
    #[test]
    fn the_recorder_gets_what_the_snapshot_has() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let snapshot = metrics::with_local_recorder(&recorder, || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build();
            runtime.unwrap().block_on(run())
        });
        let exported: Exported = snapshotter
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, _, _, value)| (key, value))
            .collect();
        for entry in &snapshot.names {
            let figures = &entry.figures;
            let labels = [("kind", entry.kind.as_str()), ("name", entry.name.as_str())];
            let ended = |outcome| {
                let labels = [labels[0], labels[1], ("outcome", outcome)];
                count(&exported, "nostall_operations_total", &labels)
            };
            assert_eq!(ended("ok"), figures.ok, "{}", entry.name);
            assert_eq!(ended("error"), figures.errors - figures.time_outs);
            assert_eq!(ended("timed_out"), figures.time_outs);
            assert_eq!(ended("cancelled"), figures.cancelled);
            assert_eq!(
                count(&exported, "nostall_retries_total", &labels),
                figures.retries
            );
            let latencies = samples(&exported, "nostall_operation_seconds", &labels);
            assert_eq!(latencies.len() as u64, figures.operations);
            let longest = latencies.into_iter().fold(0.0, f64::max) * 1000.0;
            assert_near(figures.latency.max_ms, longest);
            let in_flight = find(&exported, MetricKind::Gauge, "nostall_in_flight", &labels);
            assert!(matches!(in_flight[..], [DebugValue::Gauge(now)] if now.into_inner() == 0.0));
        }
        let all = count(&exported, "nostall_operations_total", &[]);
        assert_eq!((all, snapshot.names.len()), (snapshot.total.operations, 3));
        let waits = samples(&exported, "nostall_pool_wait_seconds", &[("name", "c")]);
        assert_eq!(
            (
                waits.len(),
                waits.iter().filter(|wait| **wait > 0.0).count()
            ),
            (3, 1)
        );
    }

    async fn run() -> Snapshot {
        let policy = policy();
        for _ in 0..5 {
            policy.run("a", || after(10, Ok(()))).await.unwrap();
        }
        policy
            .run("a", || after(1, Err::<(), _>(Cause::permanent("no"))))
            .await
            .unwrap_err();
        policy.run("b", || after(200, Ok(()))).await.unwrap_err();
        assert!(
            timeout(ms(50), policy.run("b", || after(90, Ok(()))))
                .await
                .is_err()
        );
        let three = || policy.run_once("c", after(20, Ok(())));
        let (x, y, z) = tokio::join!(three(), three(), three());
        x.and(y).and(z).unwrap();
        policy.stats().snapshot()
    }
}
