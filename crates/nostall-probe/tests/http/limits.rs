//! Places, times, cancelled callers, many callers, shutdown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nostall_probe::http::{HttpOptions, Method};
use nostall_probe::{Cause, Kind, PolicyOptions, gather};

use crate::polling::up_to;
use crate::server::{Act, Server, answer, ok};
use crate::{figures, quick, system};

fn with_policy(change: impl FnOnce(&mut PolicyOptions)) -> HttpOptions {
    let mut options = quick();
    change(&mut options.policy);
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_at_once_are_all_answered_and_counted() {
    let server = Server::start(|_, seen| {
        let answer = match seen.path() {
            path if path.ends_with('7') => answer("404 x", "", path),
            path => ok(path),
        };
        [vec![Act::Pause(Duration::from_millis(1))], answer].concat()
    })
    .await;
    let options = HttpOptions {
        max_in_flight_per_host: 50,
        ..quick()
    };
    let io = system(&server.url("/"), options).await;
    let tasks: Vec<_> = (0..10_000)
        .map(|n| {
            let http = io.http().unwrap().clone();
            tokio::spawn(async move {
                let path = format!("/{n}");
                match http.get(&path).await {
                    Ok(answer) => assert_eq!(answer.body, path),
                    Err(error) => {
                        assert!(error.to_string().ends_with(&format!(": {path}")));
                        assert!(n % 10 == 7, "{error}");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let figures = figures(&io);
    assert_eq!((figures.ok, figures.errors), (9000, 1000));
    assert_eq!((figures.retries, figures.in_flight), (0, 0));
    assert_eq!(server.requests(), 10_000);
    let most = server.most_busy();
    assert!((10..=50).contains(&most), "{most} at once");
    // The client makes a connection where it has none at that moment, and takes the first that is free.
    let connections = server.connections();
    assert!(connections <= 200, "{connections} connections");
}

#[tokio::test]
async fn waiting_for_a_host_takes_no_place_from_others() {
    let slow = Server::always(vec![Act::Stall]).await;
    let quick_one = Server::always(ok("fine")).await;
    let options = HttpOptions {
        max_in_flight_per_host: 1,
        ..with_policy(|policy| policy.max_in_flight = 2)
    };
    let io = system(&slow.url("/"), options).await;
    let http = io.http().unwrap();
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let http = http.clone();
            tokio::spawn(async move { http.get("/").await })
        })
        .collect();
    while slow.requests() == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        let answer = http.get(quick_one.url("/"));
        let answer = tokio::time::timeout(Duration::from_secs(2), answer).await;
        assert_eq!(answer.unwrap().unwrap().body, "fine");
    }
    assert_eq!(slow.requests(), 1);
    for task in waiting {
        task.abort();
    }
}

#[tokio::test]
async fn waiting_for_a_place_ends_with_the_deadline() {
    let server = Server::always(vec![Act::Stall]).await;
    let options = HttpOptions {
        max_in_flight_per_host: 1,
        ..with_policy(|policy| policy.deadline = Duration::from_millis(200))
    };
    let io = system(&server.url("/"), options).await;
    let http = io.http().unwrap();
    let first = http.request(Method::GET, "/");
    let first = first.deadline(Duration::from_secs(30)).send();
    let second = async {
        tokio::task::yield_now().await;
        http.get("/").await
    };
    let second = tokio::select! {
        _ = first => panic!("the first one is never answered"),
        second = second => second,
    };
    let second = second.unwrap_err();
    assert!(
        matches!(second.cause(), Cause::Saturated { limit: 1, waited } if waited.as_millis() >= 200)
    );
    assert_eq!((second.tries(), second.is_time_out()), (0, true));
    let figures = figures(&io);
    assert_eq!((figures.time_outs, figures.cancelled), (1, 1));
}

#[tokio::test]
async fn a_request_can_have_times_of_its_own() {
    let late = |time| [vec![Act::Pause(time)], ok("late")].concat();
    let server = Server::always(late(Duration::from_millis(300))).await;
    let options = with_policy(|policy| {
        policy.time_out = Duration::from_millis(100);
        policy.deadline = Duration::from_millis(200);
    });
    let io = system(&server.url("/"), options).await;
    let http = io.http().unwrap();
    assert!(http.get("/").await.unwrap_err().is_time_out());
    let patient = http
        .request(Method::GET, "/")
        .time_out(Duration::from_secs(5));
    assert!(
        patient.send().await.unwrap_err().is_time_out(),
        "by the deadline"
    );
    let patient = http
        .request(Method::GET, "/")
        .time_out(Duration::from_secs(5));
    let answer = patient.deadline(Duration::from_secs(5)).send().await;
    assert_eq!(answer.unwrap().body, "late");

    let limit = Duration::from_millis(20);
    let hasty = http.request(Method::POST, "/").time_out(limit);
    let error = hasty.send().await.unwrap_err();
    assert!(matches!(error.cause(), Cause::TimedOut { limit: l } if *l == limit));
    assert_eq!(error.tries(), 1);
}

/// Each answer repeats the path and comes in two pieces, so that callers go in the middle of bodies.
async fn echo_slowly() -> Server {
    Server::start(|_, seen| {
        let path = seen.path();
        let length = 2 * path.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{path}");
        vec![
            Act::Send(head),
            Act::Pause(Duration::from_millis(2)),
            Act::Send(path.to_owned()),
        ]
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_callers_leave_nothing_behind() {
    let server = echo_slowly().await;
    let options = HttpOptions {
        max_in_flight_per_host: 20,
        ..with_policy(|policy| policy.max_in_flight = 20)
    };
    let io = system(&server.url("/"), options).await;
    let io = Arc::new(io);
    let callers = (0..2000).map(|n| {
        let io = Arc::clone(&io);
        async move {
            let path = format!("/{n}");
            let get = io.http().unwrap().get(&path);
            let polls = if n % 2 == 0 { usize::MAX } else { n % 6 };
            match up_to(polls, get).await {
                Some(answer) => {
                    assert_eq!(answer.unwrap().text(), path.repeat(2));
                    Ok(())
                }
                None => Err(()),
            }
        }
    });
    let gathered = gather(callers, 40).await;
    let counted = figures(&io);
    assert_eq!(counted.ok as usize, gathered.ok.len());
    assert_eq!(counted.cancelled as usize, gathered.errors.len());
    assert!(
        counted.ok >= 1000 && counted.cancelled >= 300,
        "{counted:?}"
    );
    assert_eq!((counted.errors, counted.in_flight), (0, 0));

    // All places are free again, and nobody gets the answer of somebody who is gone.
    let checks = (0..200).map(|n| {
        let io = Arc::clone(&io);
        async move {
            let path = format!("/after/{n}");
            let answer = io.http().unwrap().get(&path).await?;
            assert_eq!(answer.text(), path.repeat(2));
            Ok::<_, nostall_probe::Error>(())
        }
    });
    assert_eq!(gather(checks, 100).await.ok.len(), 200);
}

#[tokio::test]
async fn a_shutdown_refuses_requests_and_closes_connections() {
    let server = Server::always(ok("fine")).await;
    let io = system(&server.url("/"), quick()).await;
    let http = io.http().unwrap().clone();
    http.get("/").await.unwrap();
    assert_eq!(server.open(), 1);
    io.shutdown(Duration::from_secs(1)).await;
    let began = Instant::now();
    while server.open() > 0 {
        assert!(began.elapsed() < Duration::from_secs(2), "still open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let error = http.get("/").await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Closed));
    let counted = io.snapshot().kind(Kind::Http);
    assert_eq!((counted.ok, counted.errors), (1, 1));
}

#[tokio::test]
async fn a_shutdown_ends_what_still_runs_at_its_deadline() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let server = Server::always(vec![Act::Send(half), Act::Stall]).await;
    let io = system(&server.url("/"), quick()).await;
    let http = io.http().unwrap().clone();
    let running = tokio::spawn(async move { http.get("/").await });
    while server.requests() == 0 {
        tokio::task::yield_now().await;
    }
    let shutdown = io.shutdown(Duration::from_millis(50)).await;
    assert_eq!(shutdown.abandoned, 1);
    let ended = tokio::time::timeout(Duration::from_secs(2), running).await;
    let error = ended.unwrap().unwrap().unwrap_err();
    assert!(matches!(error.cause(), Cause::Closed), "{error:?}");
    assert_eq!((error.tries(), figures(&io).errors), (1, 1));
    let began = Instant::now();
    while server.open() > 0 {
        assert!(began.elapsed() < Duration::from_secs(2), "still open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
