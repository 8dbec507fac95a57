//! JSON, sizes and names.

use std::thread::{self, ThreadId};
use std::time::Duration;

use nostall_probe::http::{AnswerError, HttpOptions, Method};
use nostall_probe::{Cause, Kind};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::{Value, json};

use crate::server::{Act, Server, answer, ok};
use crate::{client, figures, quick, system};

#[tokio::test]
async fn json_goes_out_and_comes_back() {
    let server = Server::start(|_, seen| {
        ok(if seen.body.is_empty() {
            "[1]"
        } else {
            &seen.body
        })
    });
    let server = server.await;
    let io = system(&server.url("/"), quick()).await;
    let http = io.http().unwrap();
    let value = json!({"a": [1, "zwölf"]});
    let got: Vec<u8> = http.get_json("/").await.unwrap();
    let posted: Value = http.post_json("/", &value).await.unwrap();
    let put: Value = http.put_json("/", &value).await.unwrap();
    assert_eq!((got, posted, put), (vec![1], value.clone(), value));
    assert_eq!(
        server.seen()[1].header("content-type"),
        Some("application/json")
    );
    http.delete("/").await.unwrap();
    http.named("mine").get_json::<Value>("/").await.unwrap();
    let other = Method::from_bytes(b"PURGE").unwrap();
    http.request(other, "/").send().await.unwrap();

    let snapshot = io.snapshot();
    for name in [
        "get_json",
        "post_json",
        "put_json",
        "delete",
        "mine",
        "purge",
    ] {
        assert_eq!(snapshot.name(Kind::Http, name).ok, 1, "{name}");
    }
}

#[tokio::test]
async fn what_is_not_the_json_asked_for_is_an_error_with_a_name_and_counted() {
    for body in ["", "<html>", "[1", r#"{"a": 1}"#] {
        let server = Server::always(ok(body)).await;
        let io = system(&server.url("/"), quick()).await;
        let http = io.http().unwrap().named("load users");
        let error = http.get_json::<Vec<u8>>("/").await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Json(_)), "{error:?}");
        assert_eq!((error.name(), error.tries()), ("load users", 1));
        assert_eq!((figures(&io).ok, figures(&io).errors), (0, 1));
    }
}

#[tokio::test]
async fn no_content_is_null() {
    let no_content = vec![Act::Send("HTTP/1.1 204 No Content\r\n\r\n".to_owned())];
    let server = Server::always(no_content).await;
    let http = client(&server.url("/")).await;
    http.post_json::<_, ()>("/", "x").await.unwrap();
    assert_eq!(http.get_json::<Option<u8>>("/").await.unwrap(), None);
}

/// Tells which thread read it from JSON.
struct ReadBy(ThreadId);

impl<'de> Deserialize<'de> for ReadBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(Self(thread::current().id()))
    }
}

#[tokio::test]
async fn long_json_is_read_on_the_blocking_pool() {
    let here = thread::current().id();
    for (numbers, expected_here) in [(1, true), (500_000, false)] {
        let text = format!("[{}1]", "1,".repeat(numbers));
        let server = Server::always(ok(&text)).await;
        let http = client(&server.url("/")).await;
        let read_by: ReadBy = http.get_json("/").await.unwrap();
        assert_eq!(read_by.0 == here, expected_here, "{numbers} numbers");
    }
    let server = Server::always(ok(&"[".repeat(500_000))).await;
    let error = client(&server.url("/")).await.get_json::<Value>("/").await;
    assert!(matches!(error.unwrap_err().cause(), Cause::Json(_)));
}

fn small() -> HttpOptions {
    HttpOptions {
        max_body: 1000,
        ..quick()
    }
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let promised = "HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n".to_owned();
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100));
    let endless = |chunks| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
        let mut acts = vec![Act::Send(head)];
        acts.extend(vec![Act::Send(chunk.clone()); chunks]);
        acts
    };
    let to_the_end = "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"x".repeat(1001);
    let too_long = [
        vec![Act::Send(promised), Act::Stall],
        [endless(11), vec![Act::Stall]].concat(),
        vec![Act::Send(to_the_end), Act::Stall],
    ];
    for acts in too_long {
        let server = Server::always(acts).await;
        let io = system(&server.url("/"), small()).await;
        let error = io.http().unwrap().get("/").await.unwrap_err();
        let Cause::Answer(AnswerError::TooLarge { limit, .. }) = error.cause() else {
            panic!("{error:?}");
        };
        assert_eq!((*limit, error.tries()), (1000, 1));
    }
    let end = Act::Send("0\r\n\r\n".to_owned());
    for acts in [ok(&"x".repeat(1000)), [endless(10), vec![end]].concat()] {
        let server = Server::always(acts).await;
        let io = system(&server.url("/"), small()).await;
        let answer = io.http().unwrap().get("/").await.unwrap();
        assert_eq!(answer.body.len(), 1000);
    }
}

#[tokio::test]
async fn the_length_that_a_head_tells_is_no_body() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 123456789\r\n\r\n".to_owned();
    let server = Server::always(vec![Act::Send(head)]).await;
    let http = client(&server.url("/")).await;
    for _ in 0..3 {
        let answer = http.request(Method::HEAD, "/").send().await.unwrap();
        assert_eq!(answer.headers["content-length"], "123456789");
        assert!(answer.body.is_empty());
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn empty_bodies_and_many_pieces() {
    let pieces: String = (0..2000).map(|n| format!("piece {n};")).collect();
    let mut acts = answer("200 OK", "", "");
    acts.clear();
    acts.push(Act::Send(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        pieces.len()
    )));
    for piece in pieces.as_bytes().chunks(997) {
        acts.push(Act::Send(String::from_utf8_lossy(piece).into_owned()));
        acts.push(Act::Pause(Duration::from_millis(1)));
    }
    let server = Server::always(acts).await;
    let http = client(&server.url("/")).await;
    assert_eq!(http.get("/").await.unwrap().text(), pieces);
    let server = Server::always(ok("")).await;
    assert!(http.get(server.url("/")).await.unwrap().body.is_empty());
}
