//! Connections that are refused, reset, cut, stalled and stale.

use std::time::{Duration, Instant};

use nostall_probe::http::{HttpOptions, Method};
use nostall_probe::{Cause, Error, PolicyOptions};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::server::{Act, Server, ok};
use crate::{client, figures, quick, system};

fn text(text: &str) -> Act {
    Act::Send(text.to_owned())
}

fn http_cause(error: &Error) -> &Cause {
    assert!(matches!(error.cause(), Cause::Http(_)), "{error:?}");
    error.cause()
}

/// Ways to break an answer that another try may mend.
fn broken() -> Vec<(&'static str, Vec<Act>)> {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let pause = Act::Pause(Duration::from_millis(20));
    vec![
        ("closed before the answer", vec![Act::Close]),
        ("reset before the answer", vec![Act::Reset]),
        (
            "half a head",
            vec![text("HTTP/1.1 200 OK\r\nx: "), Act::Close],
        ),
        ("half a body", vec![text(half), Act::Close]),
        (
            "half a body later",
            vec![text(half), pause.clone(), Act::Close],
        ),
        ("reset in a body", vec![text(half), pause, Act::Reset]),
        (
            "cut between chunks",
            vec![text(chunked), text("4\r\nhalf\r\n"), Act::Close],
        ),
        (
            "cut in a chunk",
            vec![text(chunked), text("64\r\nhalf"), Act::Close],
        ),
    ]
}

#[tokio::test]
async fn broken_answers_are_asked_for_again() {
    for (fault, acts) in broken() {
        let server = Server::at_first(acts).await;
        let io = system(&server.url("/"), quick()).await;
        let answer = io.http().unwrap().get("/").await.expect(fault);
        assert_eq!(answer.body, "fine", "{fault}");
        assert_eq!(server.requests(), 2, "{fault}");
        assert_eq!((figures(&io).ok, figures(&io).retries), (1, 1), "{fault}");
    }
}

#[tokio::test]
async fn answers_that_stay_broken_are_typed_errors() {
    for (fault, acts) in broken() {
        let server = Server::always(acts).await;
        let error = client(&server.url("/")).await.get("/").await.unwrap_err();
        assert_eq!((error.tries(), server.requests()), (3, 3), "{fault}");
        assert!(http_cause(&error).is_transient(), "{fault}");
        assert!(!error.is_time_out(), "{fault}");
    }
}

#[tokio::test]
async fn what_may_not_be_done_twice_is_sent_once() {
    for (fault, acts) in broken() {
        let server = Server::at_first(acts).await;
        let http = client(&server.url("/")).await;
        let error = http.post_json::<_, ()>("/", "x").await.unwrap_err();
        assert_eq!((error.tries(), server.requests()), (1, 1), "{fault}");
        http_cause(&error);
    }
}

#[tokio::test]
async fn a_put_is_sent_again_whole() {
    let server = Server::at_first(vec![Act::Reset]).await;
    let http = client(&server.url("/")).await;
    let put = http.request(Method::PUT, "/thing").json(&["a", "b"]);
    assert_eq!(put.send().await.unwrap().body, "fine");
    let bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [r#"["a","b"]"#; 2]);
}

#[tokio::test]
async fn refused_connections_are_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let http = client(&base).await;
    let error = http.get("/").await.unwrap_err();
    assert_eq!(error.tries(), 3);
    assert!(http_cause(&error).is_transient());
    assert!(matches!(error.cause(), Cause::Http(error) if error.is_connect()));
    let error = http.post_json::<_, ()>("/", "x").await.unwrap_err();
    assert_eq!(error.tries(), 1);
}

#[tokio::test]
async fn connecting_has_a_time_out_of_its_own() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts: when the queue is full, the system leaves further connections without an answer.
    let mut queued = Vec::new();
    for _ in 0..8 {
        let connect = TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(100), connect).await {
            Ok(stream) => queued.push(stream),
            Err(_) => break,
        }
    }
    let options = HttpOptions {
        connect_time_out: Duration::from_millis(100),
        ..quick()
    };
    let io = system(&format!("http://{address}/"), options).await;
    let began = Instant::now();
    let error = io.http().unwrap().get("/").await.unwrap_err();
    assert!(
        error.is_time_out() && error.cause().is_transient(),
        "{error:?}"
    );
    assert_eq!(error.tries(), 3);
    assert!(began.elapsed() < Duration::from_secs(3));
}

fn hasty() -> HttpOptions {
    let options = quick();
    HttpOptions {
        policy: PolicyOptions {
            time_out: Duration::from_millis(150),
            ..options.policy
        },
        ..options
    }
}

fn stalled() -> [Vec<Act>; 3] {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n";
    [
        vec![Act::Stall],
        vec![text(head), Act::Stall],
        vec![text(head), text("\r\nhalf"), Act::Stall],
    ]
}

#[tokio::test]
async fn stalled_answers_end_with_the_try() {
    for acts in stalled() {
        let server = Server::at_first(acts.clone()).await;
        let io = system(&server.url("/"), hasty()).await;
        assert_eq!(io.http().unwrap().get("/").await.unwrap().body, "fine");

        let server = Server::always(acts).await;
        let io = system(&server.url("/"), hasty()).await;
        let error = io.http().unwrap().get("/").await.unwrap_err();
        let limit = Duration::from_millis(150);
        assert!(matches!(error.cause(), Cause::TimedOut { limit: l } if *l == limit));
        assert_eq!((error.tries(), figures(&io).time_outs), (3, 1));
    }
}

#[tokio::test]
async fn a_drip_ends_with_the_try_too() {
    let mut acts = vec![text("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")];
    for _ in 0..100 {
        acts.extend([text("."), Act::Pause(Duration::from_millis(20))]);
    }
    let server = Server::always(acts).await;
    let io = system(&server.url("/"), hasty()).await;
    let error = io.http().unwrap().get("/").await.unwrap_err();
    assert!(error.is_time_out() && error.tries() == 3, "{error:?}");
}

#[tokio::test]
async fn what_is_not_http_is_not_asked_for_again() {
    let nonsense = [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot hex\r\n",
    ];
    for nonsense in nonsense {
        let server = Server::always(vec![text(nonsense), Act::Stall]).await;
        let error = client(&server.url("/")).await.get("/").await.unwrap_err();
        assert!(!http_cause(&error).is_transient(), "{nonsense}: {error:?}");
        assert_eq!(server.requests(), 1, "{nonsense}");
    }
}

#[tokio::test]
async fn connections_that_the_server_closed_do_no_harm() {
    let mut acts = ok("fine");
    acts.push(Act::Close);
    let server = Server::always(acts).await;
    let http = client(&server.url("/")).await;
    for n in 0..200 {
        assert_eq!(http.get("/").await.expect("a get").body, "fine");
        if n % 10 == 0 {
            // By then the client knows that the connection is gone, so that what must be sent once can be sent.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let post = http.request(Method::POST, "/").send().await;
            assert_eq!(post.expect("a post").body, "fine");
        }
    }
}

#[tokio::test]
async fn a_kept_connection_that_is_closed_under_a_request() {
    // The second request on each connection is read and gets no answer: what a server that closes at that moment looks like.
    let script = |before: usize| {
        if before % 2 == 1 {
            vec![Act::Close]
        } else {
            ok("fine")
        }
    };
    let server = Server::start(move |before, _| script(before)).await;
    let http = client(&server.url("/")).await;
    for _ in 0..20 {
        assert_eq!(http.get("/").await.unwrap().body, "fine");
    }
    assert_eq!(server.requests(), 39);

    let error = http.request(Method::POST, "/").send().await.unwrap_err();
    assert_eq!((error.tries(), server.requests()), (1, 40));
    assert!(http_cause(&error).is_transient());
}
