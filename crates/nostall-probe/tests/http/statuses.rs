//! Statuses that are tried again, when, and how they look as errors.

use std::time::{Duration, Instant, SystemTime};

use nostall_probe::http::{AnswerError, HttpOptions, Method, StatusCode};
use nostall_probe::{Cause, Error};

use crate::server::{Act, Server, answer, ok};
use crate::{client, figures, quick, system};

fn status(error: &Error) -> StatusCode {
    match error.cause() {
        Cause::Answer(error) => error.status().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn transient_statuses_are_tried_again() {
    let body = "wait".repeat(8000);
    for status in ["408 x", "425 x", "429 x", "502 x", "503 x", "504 x"] {
        let server = Server::at_first(answer(status, "", &body)).await;
        let io = system(&server.url("/"), quick()).await;
        assert_eq!(io.http().unwrap().get("/").await.unwrap().body, "fine");
        assert_eq!(figures(&io).retries, 1, "{status}");
        // What was refused was read to its end, so that the connection serves the second try.
        assert_eq!(server.connections(), 1, "{status}");
    }
}

#[tokio::test]
async fn other_statuses_are_not() {
    for code in [400, 401, 404, 409, 418, 500, 501, 505] {
        let server = Server::at_first(answer(&format!("{code} x"), "retry-after: 1\r\n", "")).await;
        let error = client(&server.url("/")).await.get("/").await.unwrap_err();
        assert_eq!(status(&error), code);
        assert_eq!((error.tries(), server.requests()), (1, 1), "{code}");
    }
}

#[tokio::test]
async fn which_statuses_are_transient_is_an_option() {
    let server = Server::at_first(answer("500 x", "", "")).await;
    let options = HttpOptions {
        retry_statuses: vec![StatusCode::INTERNAL_SERVER_ERROR],
        ..quick()
    };
    let io = system(&server.url("/"), options).await;
    assert_eq!(io.http().unwrap().get("/").await.unwrap().body, "fine");
}

#[tokio::test]
async fn the_method_says_what_is_tried_again_unless_the_caller_does() {
    let tries = async |method: Method, idempotent: Option<bool>| {
        let server = Server::always(answer("503 x", "", "")).await;
        let mut request = client(&server.url("/")).await.request(method, "/");
        if let Some(idempotent) = idempotent {
            request = request.idempotent(idempotent);
        }
        let error = request.body("x").send().await.unwrap_err();
        assert_eq!(error.tries() as usize, server.requests());
        error.tries()
    };
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        assert_eq!(tries(method.clone(), None).await, 3, "{method}");
        assert_eq!(tries(method.clone(), Some(false)).await, 1, "{method}");
    }
    for method in [Method::POST, Method::PATCH] {
        assert_eq!(tries(method.clone(), None).await, 1, "{method}");
        assert_eq!(tries(method.clone(), Some(true)).await, 3, "{method}");
    }
}

#[tokio::test]
async fn retry_after_in_seconds_is_obeyed() {
    let server = Server::at_first(answer("503 x", "retry-after: 1\r\n", "")).await;
    let began = Instant::now();
    client(&server.url("/")).await.get("/").await.unwrap();
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn retry_after_as_a_date_is_obeyed() {
    let date = |seconds| {
        let then = SystemTime::now() + Duration::from_secs(seconds);
        httpdate::fmt_http_date(then)
    };
    // Dates have whole seconds, so the pause may be one shorter.
    let own_clock = format!("retry-after: {}\r\n", date(3));
    // A server whose clock is an hour ahead.
    let other_clock = format!("date: {}\r\nretry-after: {}\r\n", date(3600), date(3602));
    for headers in [own_clock, other_clock] {
        let server = Server::at_first(answer("429 x", &headers, "")).await;
        let began = Instant::now();
        client(&server.url("/")).await.get("/").await.unwrap();
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(1900), "{headers}: {took:?}");
        assert!(took < Duration::from_secs(5), "{headers}: {took:?}");
    }
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_not_begun() {
    for pause in ["60", "18446744073709551615"] {
        let headers = format!("retry-after: {pause}\r\n");
        let server = Server::always(answer("503 x", &headers, "later")).await;
        let began = Instant::now();
        let error = client(&server.url("/")).await.get("/").await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(2));
        assert_eq!((status(&error).as_u16(), error.tries()), (503, 1));
        assert!(error.cause().retry_after().unwrap() >= Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_status_error_shows_what_helps_and_no_secrets() {
    let body = format!("no such\nuser{}", "!".repeat(100_000));
    let server = Server::always(answer("404 Not Found", "", &body)).await;
    let url = format!("http://me:word@{}/users?key=secret#part", server.address);
    let error = client(&server.url("/")).await.get(url).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("404 Not Found from http://127.0.0.1:"),
        "{shown}"
    );
    assert!(shown.contains("/users: no such\\nuser!!"), "{shown}");
    assert!(
        !shown.contains("word") && !shown.contains("secret"),
        "{shown}"
    );
    let Cause::Answer(AnswerError::Status { excerpt, .. }) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!(excerpt.len(), 512);
}

#[tokio::test]
async fn the_body_of_a_refused_answer_is_not_waited_for() {
    let half = "HTTP/1.1 500 x\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    for end in [Act::Stall, Act::Close, Act::Reset] {
        let pause = Act::Pause(Duration::from_millis(20));
        let server = Server::always(vec![Act::Send(half.clone()), pause, end]).await;
        let began = Instant::now();
        let error = client(&server.url("/")).await.get("/").await.unwrap_err();
        assert_eq!(status(&error), 500);
        assert!(error.to_string().ends_with(": half"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_caller_can_take_other_statuses_as_answers() {
    let server = Server::start(|_, seen| match seen.path() {
        "/" => answer("404 x", "", "nobody"),
        _ => ok("fine"),
    })
    .await;
    let http = client(&server.url("/")).await;
    let taken = async |path| {
        let request = http.request(Method::GET, path);
        request.accept(|status| status == 404).send().await
    };
    let answer = taken("/").await.unwrap();
    assert_eq!(
        (answer.status, &*answer.text()),
        (StatusCode::NOT_FOUND, "nobody")
    );
    assert_eq!(status(&taken("/other").await.unwrap_err()), 200);
}
