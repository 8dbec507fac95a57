//! The system as a whole: what it has, its end, and very many operations.

use std::sync::mpsc::channel;
use std::time::Duration;

use nostall_probe::{Cause, IoSystem, Kind, PolicyOptions, Result};
use tokio::time::{Instant, sleep};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

async fn slept(time: Duration) -> Result<(), Cause> {
    sleep(time).await;
    Ok(())
}

async fn system() -> IoSystem {
    let built = IoSystem::builder().build().await;
    built.expect("nothing is connected")
}

async fn quick(io: &IoSystem) -> Result<()> {
    io.policy()
        .run_once("quick", async { Ok::<_, Cause>(()) })
        .await
}

#[test]
fn a_system_goes_between_threads() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    is_shared::<IoSystem>();
    drop(is_send(IoSystem::builder().build()));
    #[allow(dead_code, reason = "it is enough that it compiles")]
    fn all(io: &IoSystem) {
        drop(is_send(io.shutdown(Duration::ZERO)));
        drop(is_send(io.offload("a", || Ok::<_, Cause>(()))));
        drop(is_send(io.observe("a", async { Ok::<_, ()>(()) })));
    }
}

#[tokio::test]
async fn what_was_not_configured_is_typed() {
    let io = system().await;
    let errors: &[(Kind, Result<()>)] = &[
        #[cfg(feature = "database")]
        (Kind::Database, io.database().map(drop)),
        #[cfg(feature = "cache")]
        (Kind::Cache, io.cache().map(drop)),
        #[cfg(feature = "http")]
        (Kind::Http, io.http().map(drop)),
        #[cfg(feature = "files")]
        (Kind::Files, io.files().map(drop)),
    ];
    for (kind, result) in errors {
        let error = result.as_ref().unwrap_err();
        assert!(matches!(error.cause(), Cause::NotConfigured(found) if found == kind));
        assert_eq!((error.kind(), error.tries()), (*kind, 0));
        let expected = format!("no {kind} was given to the builder");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
    quick(&io).await.unwrap();
    assert_eq!(io.snapshot().total.operations, 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_what_is_in_flight() {
    let io = system().await;
    let running = tokio::spawn({
        let io = io.clone();
        async move {
            let slow = slept(ms(500));
            io.policy().run_once("slow", slow).await
        }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    let shutdown = io.shutdown(ms(10_000)).await;
    assert_eq!((shutdown.abandoned, start.elapsed()), (0, ms(500)));
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutdown_refuses_what_is_new_and_counts_it() {
    let io = system().await;
    quick(&io).await.unwrap();
    assert_eq!(io.shutdown(ms(10)).await.abandoned, 0);
    for error in [
        quick(&io).await.unwrap_err(),
        io.policy()
            .run("run", || async { Ok::<_, Cause>(()) })
            .await
            .unwrap_err(),
        io.offload("work", || Ok::<_, Cause>(())).await.unwrap_err(),
    ] {
        assert!(matches!(error.cause(), Cause::Closed), "{error:?}");
        assert!(!error.is_time_out() && error.tries() == 0);
    }
    let total = io.snapshot().total;
    assert_eq!((total.ok, total.errors, total.in_flight), (1, 3, 0));
    assert_eq!((total.offloaded_operations, total.time_outs), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn shutdown_tells_how_many_it_left_and_a_second_one_waits_on() {
    let io = system().await;
    let mut running = tokio::task::JoinSet::new();
    for n in 1..=5 {
        let io = io.clone();
        running.spawn(async move {
            let slow = slept(ms(100 * n));
            io.policy().run_once("slow", slow).await
        });
    }
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert_eq!(io.shutdown(ms(250)).await.abandoned, 3);
    assert_eq!(start.elapsed(), ms(250));
    assert_eq!(io.shutdown(Duration::ZERO).await.abandoned, 3);
    assert_eq!(io.shutdown(ms(10_000)).await.abandoned, 0);
    assert_eq!(start.elapsed(), ms(500));
    assert_eq!(io.shutdown(ms(10_000)).await.abandoned, 0);
    while let Some(ended) = running.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(io.snapshot().total.ok, 5);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_place_are_in_flight_too() {
    let io = IoSystem::builder()
        .own_policy(PolicyOptions {
            max_in_flight: 1,
            ..PolicyOptions::default()
        })
        .build();
    let io = io.await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let io = io.clone();
        running.spawn(async move {
            let slow = slept(ms(100));
            io.policy().run_once("slow", slow).await
        });
    }
    tokio::task::yield_now().await;
    assert_eq!(io.shutdown(ms(1000)).await.abandoned, 0);
    assert_eq!(io.snapshot().total.ok, 3, "they were let in before the end");
}

#[tokio::test]
async fn shutdown_waits_for_work_that_its_caller_left() {
    let io = system().await;
    let (release, go_on) = channel::<()>();
    let work = io.offload("left", move || Ok::<_, Cause>(go_on.recv().is_err()));
    assert!(tokio::time::timeout(ms(30), work).await.is_err());
    assert_eq!(io.shutdown(ms(30)).await.abandoned, 1);
    drop(release);
    assert_eq!(io.shutdown(Duration::from_secs(60)).await.abandoned, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_caller_is_not_waited_for() {
    let io = system().await;
    let endless = std::future::pending::<Result<(), Cause>>();
    let endless = io.policy().run_once("endless", endless);
    assert!(tokio::time::timeout(ms(30), endless).await.is_err());
    let start = Instant::now();
    assert_eq!(io.shutdown(ms(1000)).await.abandoned, 0);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn observing_passes_everything_through() {
    let io = system().await;
    assert_eq!(io.observe("op", async { Ok::<_, String>(7) }).await, Ok(7));
    let failed = io
        .observe("op", async { Err::<u8, _>("my own".to_owned()) })
        .await;
    assert_eq!(failed, Err("my own".to_owned()));
    let dropped = io.observe("op", std::future::pending::<Result<(), ()>>());
    assert!(tokio::time::timeout(ms(5), dropped).await.is_err());
    let figures = io.snapshot().name(Kind::Own, "op");
    assert_eq!((figures.ok, figures.errors, figures.cancelled), (1, 1, 1));
}

#[tokio::test]
async fn policies_of_work_and_of_own_operations_are_apart() {
    let few = |max_in_flight| PolicyOptions {
        max_in_flight,
        deadline: ms(200),
        ..PolicyOptions::default()
    };
    let io = IoSystem::builder()
        .offload_policy(few(1))
        .own_policy(few(3));
    let io = io.build().await.unwrap();
    assert_eq!(io.policy().options().max_in_flight, 3);
    let (release, go_on) = channel::<()>();
    let long = io.offload("long", move || Ok::<_, Cause>(go_on.recv().is_err()));
    let others = async {
        let full = io.offload("next", || Ok::<_, Cause>(())).await;
        quick(&io).await.unwrap();
        drop(release);
        full
    };
    let (_, full) = tokio::join!(long, others);
    let error = full.unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Saturated { limit: 1, .. }),
        "{error:?}"
    );
    assert_eq!(error.kind(), Kind::Offload);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_operations_and_works_at_once() {
    let io = system().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..10_000_u64 {
        let io = io.clone();
        tasks.spawn(async move {
            let result = |n| {
                if n % 10 == 0 {
                    Err(Cause::permanent("no"))
                } else {
                    Ok(n)
                }
            };
            if n % 2 == 0 {
                io.policy().run("own", || async move { result(n) }).await
            } else {
                io.offload("work", move || result(n - 1)).await
            }
        });
    }
    let (mut ok, mut errors) = (0, 0);
    while let Some(ended) = tasks.join_next().await {
        match ended.unwrap() {
            Ok(_) => ok += 1,
            Err(_) => errors += 1,
        }
    }
    assert_eq!((ok, errors), (8000, 2000));
    let snapshot = io.snapshot();
    let (own, work) = (snapshot.kind(Kind::Own), snapshot.kind(Kind::Offload));
    assert_eq!(
        (own.ok, own.errors, own.async_operations),
        (4000, 1000, 5000)
    );
    assert_eq!((work.ok, work.errors), (4000, 1000));
    assert_eq!(
        (work.offloaded_operations, work.async_operations),
        (5000, 0)
    );
    assert_eq!(
        (snapshot.total.async_ratio, snapshot.total.in_flight),
        (0.5, 0)
    );
    assert_eq!(io.shutdown(ms(1000)).await.abandoned, 0);
}
