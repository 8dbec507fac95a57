//! What every operation runs under: places, time-outs, retries, deadlines, the blocking pool.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use futures_util::future::{join, join3};
use futures_util::poll;
use nostall_probe::stats::Figures;
use nostall_probe::{Cause, Error, Kind, Policy, PolicyOptions, Result, Retry};
use tokio::time::{Instant, sleep};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

async fn slept(time: Duration) -> Result<(), Cause> {
    sleep(time).await;
    Ok(())
}

fn retry(max_tries: u32, first: u64, max: u64) -> Retry {
    Retry {
        max_tries,
        first_delay: ms(first),
        max_delay: ms(max),
        factor: 2.0,
        jitter: false,
    }
}

fn policy(change: impl FnOnce(&mut PolicyOptions)) -> Policy {
    let mut options = PolicyOptions {
        retry: retry(3, 50, 5000),
        ..PolicyOptions::default()
    };
    change(&mut options);
    Policy::new(options)
}

fn figures(policy: &Policy) -> Figures {
    policy.stats().snapshot().kind(Kind::Own)
}

/// Fails with each of the errors in turn, then succeeds; answers the moments of the tries too.
async fn scripted(policy: &Policy, errors: Vec<Cause>) -> (Result<u8>, Vec<Duration>) {
    let start = Instant::now();
    let mut moments = Vec::new();
    let mut errors = errors.into_iter();
    let result = policy.run("op", || {
        moments.push(start.elapsed());
        let error = errors.next();
        async move { error.map_or(Ok(7), Err) }
    });
    let result = result.await;
    (result, moments)
}

/// Pauses are products of floating-point numbers, and the clock goes in steps of 1 ms.
fn assert_moments<const N: usize>(found: &[Duration], expected: [u64; N]) {
    assert_eq!(found.len(), N, "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        let expected = ms(expected)..=ms(expected + 3);
        assert!(expected.contains(found), "{found:?} is not in {expected:?}");
    }
}

fn busy(count: usize) -> Vec<Cause> {
    (0..count).map(|_| Cause::transient("busy")).collect()
}

#[tokio::test(start_paused = true)]
async fn success_needs_one_try() {
    let policy = policy(|_| {});
    let (result, moments) = scripted(&policy, vec![]).await;
    assert_eq!((result.unwrap(), moments), (7, vec![ms(0)]));
    let figures = figures(&policy);
    assert_eq!((figures.operations, figures.ok, figures.retries), (1, 1, 0));
    assert_eq!(figures.async_ratio, 1.0);
}

#[tokio::test(start_paused = true)]
async fn transient_errors_are_tried_again_until_the_tries_are_used_up() {
    let policy = policy(|options| options.retry = retry(4, 50, 5000));
    let (result, moments) = scripted(&policy, busy(3)).await;
    assert_eq!(result.unwrap(), 7);
    assert_moments(&moments, [0, 50, 150, 350]);
    let (result, moments) = scripted(&policy, busy(9)).await;
    let error = result.unwrap_err();
    assert_eq!((error.tries(), moments.len()), (4, 4));
    assert_moments(&[error.elapsed()], [350]);
    let figures = figures(&policy);
    assert_eq!((figures.ok, figures.errors, figures.retries), (1, 1, 6));
    assert_eq!(figures.time_outs, 0);
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_up_to_their_cap() {
    let policy = policy(|options| options.retry = retry(7, 100, 450));
    let (_, moments) = scripted(&policy, busy(9)).await;
    let pauses: Vec<_> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_moments(&pauses, [100, 200, 400, 450, 450, 450]);
}

#[tokio::test(start_paused = true)]
async fn the_first_pause_is_capped_too() {
    let policy = policy(|options| options.retry = retry(3, 5000, 20));
    let (_, moments) = scripted(&policy, busy(9)).await;
    assert_eq!(moments, [ms(0), ms(20), ms(40)]);
}

#[tokio::test(start_paused = true)]
async fn factors_below_one_count_as_one() {
    for factor in [0.0, -3.0, f32::NAN] {
        let policy = policy(|options| options.retry.factor = factor);
        let (_, moments) = scripted(&policy, busy(9)).await;
        println!("{factor}");
        assert_moments(&moments, [0, 50, 100]);
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_is_up_to_the_pause_itself_and_differs() {
    let policy = policy(|options| {
        options.retry = Retry {
            jitter: true,
            ..retry(4, 1000, 2000)
        };
        options.deadline = Duration::from_secs(60);
    });
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let (_, moments) = scripted(&policy, busy(9)).await;
        for (pair, pause) in moments.windows(2).zip([1000, 2000, 2000]) {
            let paused = (pair[1] - pair[0]).as_millis();
            assert!((pause..=2 * pause + 1).contains(&paused), "{paused} ms");
        }
        firsts.insert(moments[1]);
    }
    assert!(firsts.len() > 100, "only {} different pauses", firsts.len());
}

#[tokio::test(start_paused = true)]
async fn permanent_errors_are_not_tried_again() {
    let permanent = || {
        vec![
            Cause::permanent("no such customer"),
            Cause::Io(ErrorKind::NotFound.into()),
            Cause::Json(serde_json::from_str::<u8>("x").unwrap_err()),
            Cause::Panicked("x".into()),
            Cause::Closed,
            Cause::NotConfigured(Kind::Http),
        ]
    };
    let policy = policy(|_| {});
    for cause in permanent() {
        let text = cause.to_string();
        let (result, moments) = scripted(&policy, vec![cause]).await;
        let error = result.unwrap_err();
        assert_eq!((error.tries(), moments.len()), (1, 1), "{text}");
        assert_eq!(error.into_cause().to_string(), text);
    }
    let figures = figures(&policy);
    assert_eq!(
        (figures.errors, figures.retries),
        (permanent().len() as u64, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn broken_connections_are_tried_again() {
    use ErrorKind::*;
    let policy = policy(|_| {});
    let kinds = [
        ConnectionRefused,
        ConnectionReset,
        ConnectionAborted,
        NotConnected,
        BrokenPipe,
        TimedOut,
        Interrupted,
        UnexpectedEof,
    ];
    for kind in kinds {
        let (result, moments) = scripted(&policy, vec![Cause::Io(kind.into())]).await;
        assert_eq!((result.unwrap(), moments.len()), (7, 2), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_try_means_one_try() {
    for max_tries in [0, 1] {
        let policy = policy(|options| options.retry.max_tries = max_tries);
        let (result, moments) = scripted(&policy, busy(1)).await;
        assert_eq!((result.unwrap_err().tries(), moments.len()), (1, 1));
    }
    assert_eq!(Retry::none().max_tries, 1);
}

#[tokio::test(start_paused = true)]
async fn run_once_never_tries_again() {
    let policy = policy(|options| options.time_out = ms(100));
    let failing = async { Err::<(), _>(Cause::transient("busy")) };
    let error = policy.run_once("op", failing).await.unwrap_err();
    assert_eq!(error.tries(), 1);
    let slow = slept(ms(101));
    let error = policy.run_once("op", slow).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::TimedOut { limit } if *limit == ms(100)));
    let quick = slept(ms(99));
    policy.run_once("op", quick).await.unwrap();
    let figures = figures(&policy);
    assert_eq!((figures.ok, figures.errors), (1, 2));
    assert_eq!((figures.time_outs, figures.retries), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_try_out_of_time_is_typed_and_tried_again() {
    let policy = policy(|options| options.time_out = ms(100));
    let tries = AtomicU32::new(0);
    let slow_twice = || async {
        if tries.fetch_add(1, Ordering::Relaxed) < 2 {
            sleep(ms(500)).await;
        }
        Ok::<_, Cause>(7)
    };
    let start = Instant::now();
    assert_eq!(policy.run("op", slow_twice).await.unwrap(), 7);
    assert_moments(&[start.elapsed()], [100 + 50 + 100 + 100]);
    let always = || slept(ms(500));
    let error = policy.run("op", always).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::TimedOut { limit } if *limit == ms(100)));
    assert!(error.is_time_out() && error.tries() == 3);
    let figures = figures(&policy);
    assert_eq!((figures.ok, figures.errors), (1, 1));
    assert_eq!((figures.time_outs, figures.retries), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_exact_and_ends_the_try_that_runs() {
    let policy = policy(|options| {
        options.time_out = ms(100);
        options.deadline = ms(220);
    });
    let start = Instant::now();
    let ended = AtomicU32::new(0);
    let slow = || async {
        sleep(ms(500)).await;
        ended.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Cause>(())
    };
    let error = policy.run("op", slow).await.unwrap_err();
    assert_eq!((start.elapsed(), error.elapsed()), (ms(220), ms(220)));
    assert!(matches!(error.cause(), Cause::TimedOut { limit } if *limit == ms(220)));
    assert_eq!(error.tries(), 2);
    sleep(ms(1000)).await;
    assert_eq!(ended.load(Ordering::Relaxed), 0, "the try went on");
}

#[tokio::test(start_paused = true)]
async fn no_pause_is_begun_that_the_deadline_would_cut() {
    let policy = policy(|options| options.deadline = ms(150));
    let (result, moments) = scripted(&policy, busy(9)).await;
    // The second pause would end at 150 ms: the error at hand says more.
    let error = result.unwrap_err();
    assert_eq!(moments, [ms(0), ms(50)]);
    assert_eq!(
        (error.elapsed(), error.to_string().contains("busy")),
        (ms(50), true)
    );
}

#[tokio::test(start_paused = true)]
async fn limits_of_for_ever_do_not_overflow() {
    let policy = policy(|options| {
        options.time_out = Duration::MAX;
        options.deadline = Duration::MAX;
        options.retry = Retry {
            max_tries: u32::MAX,
            first_delay: ms(1),
            max_delay: Duration::MAX,
            factor: f32::MAX,
            jitter: true,
        };
    });
    policy
        .run_once("op", async { Ok::<_, Cause>(()) })
        .await
        .unwrap();
    policy.offload("op", || Ok::<_, Cause>(())).await.unwrap();
    // The second pause would be for ever: there is no room for it.
    let (result, moments) = scripted(&policy, busy(9)).await;
    assert_eq!((result.unwrap_err().tries(), moments.len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_is_typed_at_the_deadline() {
    let policy = policy(|options| {
        options.max_in_flight = 2;
        options.time_out = ms(10_000);
        options.deadline = ms(300);
    });
    let long = || policy.run_once("long", slept(ms(250)));
    let never = || {
        policy.run_once("never", async {
            std::future::pending::<()>().await;
            Ok::<_, Cause>(())
        })
    };
    let begun = AtomicU32::new(0);
    let late = policy.run_once("late", async {
        begun.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Cause>(())
    });
    // All deadlines are the same: who waits must look before the places are given back.
    let (mut a, mut b) = (Box::pin(never()), Box::pin(never()));
    assert!(poll!(&mut a).is_pending() && poll!(&mut b).is_pending());
    let (late, a, b) = join3(late, a, b).await;
    for error in [a.unwrap_err(), b.unwrap_err()] {
        assert!(matches!(error.cause(), Cause::TimedOut { .. }));
        assert_eq!((error.tries(), error.elapsed()), (1, ms(300)));
    }
    let error = late.unwrap_err();
    let Cause::Saturated { limit, waited } = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!((*limit, *waited, error.tries()), (2, ms(300), 0));
    assert!(error.is_time_out());
    assert_eq!(
        begun.load(Ordering::Relaxed),
        0,
        "it was begun all the same"
    );

    // Who gets a place in time runs, with the rest of the deadline.
    let (a, b, late) = tokio::join!(long(), long(), never());
    a.and(b).unwrap();
    let error = late.unwrap_err();
    assert_eq!((error.tries(), error.elapsed()), (1, ms(300)));
    let figures = figures(&policy);
    assert_eq!((figures.ok, figures.errors, figures.time_outs), (2, 4, 4));
    assert_eq!((figures.in_flight, figures.in_flight_max), (0, 3));
    let wait = policy.stats().snapshot().name(Kind::Own, "never").pool_wait;
    assert!((wait.max_ms - 250.0).abs() < 2.5, "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn no_places_means_one() {
    let policy = policy(|options| {
        options.max_in_flight = 0;
        options.deadline = ms(100);
    });
    let wait = || policy.run_once("op", slept(ms(70)));
    let (a, b) = tokio::join!(wait(), wait());
    a.unwrap();
    assert!(b.unwrap_err().is_time_out());
    let long = policy.run_once("op", slept(ms(500)));
    let mut long = Box::pin(long);
    assert!(poll!(&mut long).is_pending());
    let (error, _) = join(wait(), long).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Saturated { limit: 1, .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_go_in_their_order_and_never_more_than_the_limit() {
    let policy = policy(|options| {
        options.max_in_flight = 5;
        options.deadline = Duration::from_secs(3600);
    });
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let order = std::sync::Mutex::new(Vec::new());
    let one = |n: usize| {
        let (now, most, order) = (&now, &most, &order);
        policy.run_once("op", async move {
            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            order.lock().unwrap().push(n);
            sleep(ms(10)).await;
            now.fetch_sub(1, Ordering::Relaxed);
            Ok::<_, Cause>(())
        })
    };
    let all = futures_util::future::join_all((0..100).map(one)).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(most.into_inner(), 5);
    assert!(order.into_inner().unwrap().is_sorted());
}

/// Whether all places of a policy with two are free.
async fn both_places_are_free(policy: &Policy) -> bool {
    let quick = || policy.run_once("probe", slept(ms(1)));
    let start = Instant::now();
    let (a, b) = tokio::join!(quick(), quick());
    a.is_ok() && b.is_ok() && start.elapsed() <= ms(2)
}

#[tokio::test(start_paused = true)]
async fn places_come_back_however_an_operation_ends() {
    use futures_util::FutureExt;
    let policy = policy(|options| options.max_in_flight = 2);
    for _ in 0..5 {
        policy
            .run_once("op", async { Ok::<_, Cause>(()) })
            .await
            .unwrap();
        let failing = async { Err::<(), _>(Cause::permanent("no")) };
        policy.run_once("op", failing).await.unwrap_err();
        let endless = policy.run_once("op", std::future::pending::<Result<(), Cause>>());
        assert!(tokio::time::timeout(ms(10), endless).await.is_err());
        let panics = policy.run_once("op", async {
            if true {
                panic!("on purpose");
            }
            Ok::<_, Cause>(())
        });
        let panics = std::panic::AssertUnwindSafe(panics).catch_unwind();
        assert!(panics.await.is_err());
        assert!(both_places_are_free(&policy).await);
    }
    let figures = policy.stats().snapshot().name(Kind::Own, "op");
    assert_eq!((figures.ok, figures.errors, figures.cancelled), (5, 5, 10));
    assert_eq!((figures.operations, figures.in_flight), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_while_it_waits_leaves_the_queue() {
    let policy = policy(|options| options.max_in_flight = 1);
    let long = policy.run_once("long", slept(ms(100)));
    let gone = policy.run_once("gone", async { Ok::<_, Cause>(()) });
    let gone = tokio::time::timeout(ms(10), gone);
    let next = policy.run_once("next", async { Ok::<_, Cause>(()) });
    let (long, gone, next) = tokio::join!(long, gone, next);
    long.and(next).unwrap();
    assert!(gone.is_err());
    let snapshot = policy.stats().snapshot();
    assert_eq!(snapshot.name(Kind::Own, "gone").cancelled, 1);
    assert_eq!((snapshot.total.ok, snapshot.total.in_flight), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_in_a_pause_is_cancelled_once() {
    let policy = policy(|_| {});
    let mut tries = 0;
    let run = policy.run("op", || {
        tries += 1;
        async { Err::<(), _>(Cause::transient("busy")) }
    });
    assert!(tokio::time::timeout(ms(20), run).await.is_err());
    let figures = figures(&policy);
    assert_eq!((tries, figures.cancelled, figures.retries), (1, 1, 0));
}

#[test]
fn errors_read_well() {
    let error = |tries, elapsed, cause| {
        Error::new(Kind::Http, "get price", tries, elapsed, cause).to_string()
    };
    let text = error(3, ms(1234), Cause::TimedOut { limit: ms(500) });
    let expected = "http operation `get price` failed after 3 tries, 1.2s after its start: not done within 500ms";
    assert_eq!(text, expected);
    let saturated = Cause::Saturated {
        limit: 64,
        waited: ms(30_000),
    };
    let expected = "http operation `get price` failed before its first try, 30.0s after its start: \
                    all 64 places stayed taken for 30.0s";
    assert_eq!(error(0, ms(30_000), saturated), expected);
    let text = error(1, ms(2), Cause::permanent("no such price"));
    let expected =
        "http operation `get price` failed in its only try, 2.0ms after its start: no such price";
    assert_eq!(text, expected);
    let error = Error::new(Kind::Own, "x", 0, ms(0), Cause::NotConfigured(Kind::Cache));
    assert!(
        error
            .to_string()
            .ends_with("no cache was given to the builder")
    );
    let error = Error::new(
        Kind::Own,
        "x",
        1,
        ms(0),
        Cause::Panicked("at the disco".into()),
    );
    assert!(error.to_string().ends_with(": panicked: at the disco"));
    let error = Error::new(Kind::Own, "x", 0, ms(0), Cause::Closed);
    assert!(error.to_string().ends_with(": the system was shut down"));
}

#[test]
fn an_error_tells_what_is_behind_it() {
    let inner = std::io::Error::other(std::fmt::Error);
    let error = Error::new(
        Kind::Own,
        "x",
        1,
        ms(0),
        Cause::Other {
            source: inner.into(),
            transient: false,
        },
    );
    let source = std::error::Error::source(&error).unwrap();
    assert!(
        source.downcast_ref::<std::io::Error>().is_some(),
        "{source:?}"
    );
    assert!(size_of::<Error>() == size_of::<usize>());
}

#[tokio::test]
async fn offloaded_work_is_counted_and_timed() {
    let policy = policy(|_| {});
    let here = std::thread::current().id();
    let work = move || {
        std::thread::sleep(ms(20));
        Ok::<_, Cause>(std::thread::current().id() != here)
    };
    assert!(policy.offload("op", work).await.unwrap());
    let error = policy
        .offload("op", || Err::<(), _>(Cause::transient("busy")))
        .await;
    assert_eq!(
        error.unwrap_err().tries(),
        1,
        "work that can't be repeated was"
    );
    policy
        .run_once("op", async { Ok::<_, Cause>(()) })
        .await
        .unwrap();
    policy
        .run_once("op", async { Ok::<_, Cause>(()) })
        .await
        .unwrap();
    let figures = figures(&policy);
    assert_eq!((figures.operations, figures.offloaded_operations), (4, 2));
    assert_eq!((figures.async_operations, figures.async_ratio), (2, 0.5));
    assert!(
        figures.mean_offload_ms >= 10.0,
        "{}",
        figures.mean_offload_ms
    );
}

#[tokio::test]
async fn a_panic_of_offloaded_work_is_typed() {
    let policy = policy(|options| options.max_in_flight = 2);
    for n in 0..5 {
        let work = move || -> Result<(), Cause> { panic!("number {n}") };
        let error = policy.offload("op", work).await.unwrap_err();
        let Cause::Panicked(text) = error.cause() else {
            panic!("{error:?}");
        };
        assert_eq!((text.as_str(), error.tries()), (&*format!("number {n}"), 1));
    }
    let plain = policy.offload("op", || -> Result<(), Cause> { panic!("plain") });
    assert!(
        plain
            .await
            .unwrap_err()
            .to_string()
            .ends_with("panicked: plain")
    );
    let odd = || -> Result<(), Cause> { std::panic::panic_any(7) };
    let error = policy.offload("op", odd).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Panicked(_)));
    let figures = figures(&policy);
    assert_eq!((figures.errors, figures.offloaded_operations), (7, 7));
    assert_eq!((figures.async_operations, figures.in_flight), (0, 0));
}

#[tokio::test]
async fn work_out_of_time_goes_on_and_keeps_its_place() {
    let policy = policy(|options| {
        options.max_in_flight = 1;
        options.time_out = ms(30);
        options.deadline = ms(100);
    });
    let (release, go_on) = channel();
    let (done, is_done) = channel();
    let work = move || {
        go_on.recv().unwrap();
        done.send(()).unwrap();
        Ok::<_, Cause>(())
    };
    let error = policy.offload("left", work).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::TimedOut { limit } if *limit == ms(30)));
    let error = policy
        .offload("next", || Ok::<_, Cause>(()))
        .await
        .unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Saturated { .. }),
        "{error:?}"
    );
    release.send(()).unwrap();
    is_done.recv().unwrap();
    let mut free = policy.offload("next", || Ok::<_, Cause>(())).await;
    for _ in 0..50 {
        if free.is_err() {
            free = policy.offload("next", || Ok::<_, Cause>(())).await;
        }
    }
    free.unwrap();
    let left = policy.stats().snapshot().name(Kind::Own, "left");
    assert_eq!((left.time_outs, left.offloaded_operations), (1, 1));
    assert!(left.mean_offload_ms >= 100.0, "{}", left.mean_offload_ms);
}

#[tokio::test]
async fn a_deadline_before_the_time_out_is_the_limit_that_is_told() {
    let policy = policy(|options| options.deadline = ms(30));
    let (release, go_on) = channel::<()>();
    let work = move || Ok::<_, Cause>(go_on.recv().is_err());
    let error = policy.offload("op", work).await.unwrap_err();
    drop(release);
    assert!(matches!(error.cause(), Cause::TimedOut { limit } if *limit == ms(30)));
}

#[test]
fn work_that_has_not_begun_when_its_caller_goes_away_never_does() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build();
    runtime.unwrap().block_on(async {
        let policy = policy(|options| options.time_out = ms(50));
        let (release, go_on) = channel::<()>();
        let first = policy.offload("first", move || Ok::<_, Cause>(go_on.recv().is_err()));
        assert!(first.await.unwrap_err().is_time_out());
        let (ran, has_run) = channel();
        let queued = policy.offload("queued", move || {
            ran.send(()).unwrap();
            Ok::<_, Cause>(())
        });
        assert!(queued.await.unwrap_err().is_time_out());
        drop(release);
        policy
            .offload("after", || Ok::<_, Cause>(()))
            .await
            .unwrap();
        assert!(has_run.recv().is_err(), "it ran");
    });
}

#[tokio::test]
async fn a_gone_caller_of_offloaded_work_is_cancelled_once() {
    let policy = policy(|_| {});
    let (release, go_on) = channel::<()>();
    let work = policy.offload("op", move || Ok::<_, Cause>(go_on.recv().is_err()));
    assert!(tokio::time::timeout(ms(30), work).await.is_err());
    let figures = figures(&policy);
    assert_eq!((figures.cancelled, figures.offloaded_operations), (1, 1));
    assert_eq!((figures.operations, figures.in_flight), (1, 0));
    drop(release);
}

#[tokio::test(start_paused = true)]
async fn clones_share_places_and_statistics() {
    let policy = policy(|options| {
        options.max_in_flight = 1;
        options.deadline = ms(50);
    });
    let twin = policy.clone();
    let endless = policy.run_once("op", std::future::pending::<Result<(), Cause>>());
    let other = twin.run_once("op", async { Ok::<_, Cause>(()) });
    let mut endless = Box::pin(endless);
    assert!(poll!(&mut endless).is_pending());
    let (other, _) = join(other, endless).await;
    assert!(matches!(
        other.unwrap_err().cause(),
        Cause::Saturated { .. }
    ));
    assert_eq!(figures(&twin).errors, 2);
    assert_eq!(twin.options().max_in_flight, 1);
}

#[test]
fn futures_go_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let policy = Policy::new(PolicyOptions::default());
    drop(is_send(policy.run("a", || async { Ok::<_, Cause>(1) })));
    drop(is_send(policy.run_once("a", async { Ok::<_, Cause>(1) })));
    drop(is_send(policy.offload("a", || Ok::<_, Cause>(1))));
}
