//! What becomes of operations when the Redis server fails them, and that it mends by itself.
#![cfg(feature = "redis")]

mod cache_fake;

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use cache_fake::{Act, Asked, Fake};
use nostall_probe::cache::redis::RedisError;
use nostall_probe::cache::{Cache, CacheOptions, Pipeline, Reply};
use nostall_probe::{Cause, Error, IoSystem, Kind, PolicyOptions, Retry};

/// Quick limits, so that the tests are quick.
fn options() -> CacheOptions {
    CacheOptions {
        policy: PolicyOptions {
            time_out: Duration::from_millis(400),
            deadline: Duration::from_secs(5),
            retry: Retry {
                max_tries: 4,
                first_delay: Duration::from_millis(20),
                ..Retry::default()
            },
            ..PolicyOptions::default()
        },
        connections: 1,
        connect_time_out: Duration::from_millis(200),
        ..CacheOptions::default()
    }
}

async fn build(fake: &Fake) -> IoSystem {
    let builder = IoSystem::builder().cache_with(fake.url(), options());
    builder.build().await.expect("the fake server greets")
}

fn cache(io: &IoSystem) -> &Cache {
    io.cache().expect("it was given to the builder")
}

fn redis_error(error: &Error) -> &RedisError {
    match error.cause() {
        Cause::Cache(error) => error,
        other => panic!("not an error of Redis: {other}"),
    }
}

/// Answers the greeting, and other commands with `say`.
async fn after_greeting(say: impl Fn(Asked) -> Act + Send + Sync + 'static) -> Fake {
    let act = move |asked: Asked| {
        let act = if asked.is("HELLO") {
            "".into()
        } else {
            say(asked)
        };
        std::future::ready(act)
    };
    Fake::start(act).await
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_even_to_add() {
    for refusal in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-BUSY Redis is busy running a script\r\n",
        "-TRYAGAIN later\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let fake = after_greeting(move |_| match counted.fetch_add(1, SeqCst) {
            0 | 1 | 3 => refusal.into(),
            _ => ":7\r\n".into(),
        });
        let fake = fake.await;
        let io = build(&fake).await;
        assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7, "{refusal}");
        assert_eq!(cache(&io).del(&["n"]).await.unwrap(), 7, "{refusal}");
        assert_eq!(asked.load(SeqCst), 5);
        assert_eq!(fake.connections(), 1);
        assert_eq!(io.snapshot().kind(Kind::Cache).retries, 3);
    }
}

#[tokio::test]
async fn errors_that_last_are_answered_at_once() {
    for refusal in [
        "-ERR unknown command\r\n",
        "-NOPERM no permission\r\n",
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        "-NOAUTH Authentication required.\r\n",
    ] {
        let fake = after_greeting(move |_| refusal.into()).await;
        let io = build(&fake).await;
        let error = cache(&io).get("k").await.unwrap_err();
        assert!(!error.cause().is_transient() && !error.is_time_out());
        assert_eq!((error.tries(), error.kind()), (1, Kind::Cache), "{error}");
        assert!(redis_error(&error).code().is_some());
    }
}

#[tokio::test]
async fn a_connection_that_breaks_with_a_command_is_replaced_and_the_command_not_doubled() {
    for part in ["", "$5\r\nhel", ":1"] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let fake = after_greeting(move |ask| match ask.connection {
            1 | 2 => {
                counted.fetch_add(1, SeqCst);
                Act::SayAndHangUp(part)
            }
            _ if ask.is("GET") => "$5\r\nhello\r\n".into(),
            _ => ":7\r\n".into(),
        });
        let fake = fake.await;
        let io = build(&fake).await;
        let error = cache(&io).incr("n", 1).await.unwrap_err();
        assert_eq!((error.tries(), asked.load(SeqCst)), (1, 1));
        assert!(error.cause().is_transient(), "{error}");

        // The second connection breaks too, under an operation that may be repeated.
        assert_eq!(cache(&io).get("k").await.unwrap().as_deref(), Some("hello"));
        assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7);
        assert_eq!((asked.load(SeqCst), fake.connections()), (2, 3));
    }
}

#[tokio::test]
async fn pipelines_that_add_or_read_and_write_are_not_doubled() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fake = after_greeting(move |_| {
        counted.fetch_add(1, SeqCst);
        Act::SayAndHangUp("")
    });
    let fake = fake.await;
    let io = build(&fake).await;
    for (pipeline, tries) in [
        (Pipeline::new().incr("n", 1), 1),
        (Pipeline::new().get("k").del("k"), 1),
        (Pipeline::new().get("k"), 4),
        (Pipeline::new().set("k", "v", None).del("l"), 4),
    ] {
        let error = cache(&io).pipeline(pipeline).await.unwrap_err();
        assert_eq!(error.tries(), tries, "{error}");
    }
    assert_eq!(asked.load(SeqCst), 10);
}

#[tokio::test]
async fn an_error_in_a_pipeline_is_one_reply() {
    let fake = after_greeting(|ask| match ask.words[0].as_str() {
        "INCRBY" => "-LOADING later\r\n".into(),
        _ => "$1\r\nx\r\n".into(),
    });
    let fake = fake.await;
    let io = build(&fake).await;
    let pipeline = Pipeline::new().get("a").incr("n", 1).get("b");
    let replies = cache(&io).pipeline(pipeline).await.unwrap();
    assert_eq!(
        (replies[0].text(), replies[2].text()),
        (Some("x"), Some("x"))
    );
    assert!(matches!(&replies[1], Reply::Failed(cause) if cause.is_transient()));
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_again_by_reads_and_by_additions() {
    let answer = |asked: Asked| {
        let act = if asked.is("HELLO") { "" } else { ":7\r\n" };
        std::future::ready(act.into())
    };
    let fake = Fake::start(answer).await;
    let io = build(&fake).await;
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7);

    let address = fake.address;
    fake.stop().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = cache(&io).incr("n", 1).await.unwrap_err();
    assert_eq!(error.tries(), 4, "nothing was sent: {error}");
    assert!(error.cause().is_transient());
    let error = redis_error(&error);
    assert!(error.is_connection_refusal());
    assert!(format!("{error}").starts_with("no connection to the cache server"));
    let mut sources = std::iter::successors(error.source(), |error| (*error).source());
    assert!(sources.any(<dyn std::error::Error>::is::<RedisError>));

    let (incr, _back) = tokio::join!(cache(&io).incr("n", 1), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Fake::start_at(address, answer).await
    });
    assert_eq!(incr.unwrap(), 7);
}

#[tokio::test]
async fn a_connection_that_ended_while_nobody_used_it_costs_no_error() {
    // Only the first connection is hung up, after its one command.
    let fake = after_greeting(|ask| match ask.connection {
        1 => Act::SayAndHangUp(":1\r\n"),
        _ => ":2\r\n".into(),
    });
    let fake = fake.await;
    let io = build(&fake).await;
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 2);
    assert_eq!(io.snapshot().kind(Kind::Cache).retries, 0);
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_heard_is_replaced() {
    let fake = after_greeting(|ask| match ask.connection {
        1 => Act::Wait,
        2 if ask.is("INCRBY") => Act::Wait,
        _ if ask.is("GET") => "$1\r\nx\r\n".into(),
        _ => ":7\r\n".into(),
    });
    let fake = fake.await;
    let io = build(&fake).await;
    assert_eq!(cache(&io).get("k").await.unwrap().as_deref(), Some("x"));
    assert_eq!(fake.connections(), 2);

    let error = cache(&io).incr("n", 1).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::TimedOut { .. }), "{error}");
    assert!(error.is_time_out() && error.tries() == 1);
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7);
    assert_eq!(fake.connections(), 3);
}

#[tokio::test]
async fn a_slow_command_among_others_does_not_cost_the_connection() {
    let fake = Fake::start(|asked: Asked| async move {
        match asked.words[1].as_str() {
            "3" => return "".into(),
            "slow" => tokio::time::sleep(Duration::from_millis(30)).await,
            _ => {}
        }
        "$1\r\nx\r\n".into()
    });
    let fake = fake.await;
    let io = build(&fake).await;
    // A caller that leaves soon is no sign of a dead connection.
    let soon = Duration::from_millis(10);
    for _ in 0..3 {
        let left = tokio::time::timeout(soon, cache(&io).get("slow")).await;
        assert!(left.is_err());
    }
    assert!(cache(&io).get("quick").await.is_ok());
    let figures = io.snapshot().kind(Kind::Cache);
    assert_eq!((figures.cancelled, figures.in_flight), (3, 0));
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn a_server_at_its_limit_of_clients_is_no_end() {
    let full = Arc::new(AtomicUsize::new(3));
    let left = Arc::clone(&full);
    let fake = Fake::start(move |asked: Asked| {
        let refuse = asked.connection > 1 && asked.is("HELLO");
        let still = refuse
            && left
                .fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1))
                .is_ok();
        std::future::ready(match asked.connection {
            1 if !asked.is("HELLO") => Act::SayAndHangUp(""),
            _ if still => Act::SayAndHangUp("-ERR max number of clients reached\r\n"),
            _ if asked.is("HELLO") => "".into(),
            _ => ":7\r\n".into(),
        })
    });
    let fake = fake.await;
    let io = build(&fake).await;
    assert!(cache(&io).incr("n", 1).await.is_err());
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7);
    assert_eq!((full.load(SeqCst), fake.connections()), (0, 5));
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_for_what_its_name_leads_to_next() {
    let fake = after_greeting(|ask| match ask.connection {
        1 => "-READONLY You can't write against a read only replica.\r\n".into(),
        _ => ":7\r\n".into(),
    });
    let fake = fake.await;
    let io = build(&fake).await;
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7);
    assert_eq!(fake.connections(), 2);
}

#[tokio::test]
async fn a_wrong_password_and_a_deaf_server_are_typed_errors_of_connecting() {
    let refusing = Fake::start(|_| {
        let error = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
        std::future::ready(error.into())
    });
    let refusing = refusing.await;
    let url = format!("redis://:hush@{}/", refusing.address);
    let error = IoSystem::builder().cache(url).build().await.unwrap_err();
    assert!(!error.cause().is_transient(), "{error}");
    assert!(!format!("{error} {error:?}").contains("hush"));

    let deaf = Fake::start(|_| std::future::ready(Act::Wait)).await;
    let builder = IoSystem::builder().cache_with(deaf.url(), options());
    let started = Instant::now();
    let error = builder.build().await.unwrap_err();
    assert!(
        error.is_time_out() && error.cause().is_transient(),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn many_wait_for_one_connection_and_short_time_outs_do_not_keep_it_from_opening() {
    // The second greeting takes longer than an operation may.
    let fake = Fake::start(|asked: Asked| async move {
        match (asked.connection, asked.is("HELLO")) {
            (1, false) => return Act::SayAndHangUp(""),
            (2, true) => tokio::time::sleep(Duration::from_millis(150)).await,
            _ => {}
        }
        if asked.is("HELLO") { "" } else { ":7\r\n" }.into()
    });
    let fake = fake.await;
    let mut options = options();
    options.policy.deadline = Duration::from_millis(100);
    options.connect_time_out = Duration::from_secs(2);
    let io = IoSystem::builder().cache_with(fake.url(), options);
    let io = io.build().await.unwrap();
    assert!(cache(&io).incr("n", 1).await.is_err());
    let waiting = (0..100).map(|_| cache(&io).incr("n", 1));
    let waited = nostall_probe::gather(waiting, 100).await;
    assert_eq!(waited.errors.len(), 100);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(cache(&io).incr("n", 1).await.unwrap(), 7);
    assert_eq!(fake.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_replies_go_to_nobody_else() {
    // Each reply is the key itself, some of them late.
    let fake = Fake::start(|asked: Asked| async move {
        if asked.is("HELLO") {
            return "".into();
        }
        let key = &asked.words[1];
        if key.ends_with("77") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Act::Say(format!("${}\r\n{key}\r\n", key.len()))
    });
    let fake = fake.await;
    let io = build(&fake).await;
    let gets: Vec<_> = (0..2_000)
        .map(|n: u64| {
            let cache = cache(&io).clone();
            tokio::spawn(async move {
                let key = format!("key-{n}");
                let patience = Duration::from_millis(n % 200);
                let get = tokio::time::timeout(patience, cache.get(&key));
                match get.await {
                    Ok(Ok(value)) => assert_eq!(value, Some(key), "the reply of another"),
                    Ok(Err(error)) => assert!(error.is_time_out(), "{error}"),
                    Err(_) => {}
                }
            })
        })
        .collect();
    for get in gets {
        get.await.unwrap();
    }
    let figures = io.snapshot().kind(Kind::Cache);
    println!("{} came, {} left", figures.ok, figures.cancelled);
    assert!(figures.ok > 0 && figures.cancelled > 0);
    assert_eq!((figures.operations, figures.in_flight), (2_000, 0));
}

#[tokio::test]
async fn shutdown_ends_what_still_waits() {
    let fake = after_greeting(|_| Act::Wait).await;
    let mut options = options();
    options.policy.time_out = Duration::from_secs(60);
    options.policy.deadline = Duration::from_secs(60);
    let io = IoSystem::builder().cache_with(fake.url(), options);
    let io = io.build().await.unwrap();
    let waiting = tokio::spawn({
        let cache = cache(&io).clone();
        async move { cache.get("k").await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(io.shutdown(Duration::from_millis(50)).await.abandoned, 1);
    let ended = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    let error = ended.unwrap().unwrap().unwrap_err();
    assert!(matches!(error.cause(), Cause::Closed), "{error}");
    assert_eq!(io.snapshot().kind(Kind::Cache).in_flight, 0);
}

#[tokio::test]
async fn nobody_listening_is_an_error_of_connecting() {
    let fake = after_greeting(|_| Act::Wait).await;
    let url = fake.url();
    fake.stop().await;
    let error = IoSystem::builder().cache(url).build().await.unwrap_err();
    assert_eq!((error.name(), error.tries()), ("connect", 0));
    assert!(redis_error(&error).is_connection_refusal());
}
