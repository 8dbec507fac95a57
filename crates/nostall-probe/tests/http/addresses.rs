//! Where requests go and what they take along: base URL, headers, secrets, redirects, proxies.

use nostall_probe::http::{AnswerError, HttpOptions, Method};
use nostall_probe::{Cause, Error, IoSystem, Kind};

use crate::server::{Act, Server, answer, ok};
use crate::{client, figures, quick, system};

#[tokio::test]
async fn relative_urls_are_joined_and_absolute_ones_taken() {
    let server = Server::always(ok("fine")).await;
    let other = Server::always(ok("other")).await;
    let http = client(&server.url("/api")).await;
    for url in ["users", "/users", "", "users?id=1"] {
        http.get(url).await.unwrap();
    }
    let paths: Vec<_> = server.seen().iter().map(|s| s.path().to_owned()).collect();
    assert_eq!(paths, ["/api/users", "/users", "/api/", "/api/users?id=1"]);
    assert_eq!(http.get(other.url("/x")).await.unwrap().body, "other");
}

#[tokio::test]
async fn a_base_url_that_is_none_fails_to_build() {
    for base in ["", "api/", "http://", "ftp://h/", "redis://h", "me:word@h"] {
        let error = IoSystem::builder().http(base).build().await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Request(_)), "{base}");
        assert_eq!((error.kind(), error.name()), (Kind::Http, "connect"));
        assert!(!format!("{error:?}").contains("word"));
    }
    #[cfg(not(feature = "tls"))]
    {
        use nostall_probe::http::RequestError;
        let built = IoSystem::builder().http("https://h/").build().await;
        let cause = built.unwrap_err().into_cause();
        assert!(matches!(cause, Cause::Request(RequestError::NoTls)));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_comes_out_when_it_is_sent_and_is_counted() {
    let server = Server::always(ok("fine")).await;
    let io = system(&server.url("/"), quick()).await;
    let http = io.http().unwrap();
    let get = |url: &str| http.request(Method::GET, url);
    let unkeyed = std::collections::HashMap::from([((1, 2), 3)]);
    let wrong = [
        get("ftp://h/"),
        get("//evil/"),
        get("http://h:99999/"),
        get("/").header("a b", "c"),
        get("/").header("a", "b\r\nc: d"),
        get("/").json(&unkeyed),
    ];
    for (n, request) in wrong.into_iter().enumerate() {
        let error = request.header("later", "x").send().await.unwrap_err();
        let typed = matches!(error.cause(), Cause::Request(_) | Cause::Json(_));
        assert!(typed && error.name() == "get", "{error:?}");
        assert_eq!(figures(&io).errors as usize, n + 1);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn headers_and_query_are_sent() {
    let server = Server::always(ok("fine")).await;
    let http = client(&server.url("/")).await;
    let request = http.request(Method::GET, "find?a=1");
    let request = request.query("q", "x & y").query("n", 7);
    let request = request.header("x-one", "1").header("x-one", "2");
    request.send().await.unwrap();
    let seen = server.seen().remove(0);
    assert_eq!(seen.path(), "/find?a=1&q=x+%26+y&n=7");
    assert_eq!(seen.header("x-one"), Some("2"));
}

#[tokio::test]
async fn the_base_headers_go_to_the_base_alone() {
    let server = Server::always(ok("fine")).await;
    let other = Server::always(ok("other")).await;
    let mut options = quick();
    options.headers.insert("x-api-key", "k".parse().unwrap());
    let base = format!("http://me:word@{}/", server.address);
    let io = system(&base, options).await;
    let http = io.http().unwrap();
    assert!(!format!("{http:?}").contains("word"));
    http.get("/").await.unwrap();
    http.get(server.url("/")).await.unwrap();
    let own = http.request(Method::GET, "/").header("x-api-key", "own");
    own.send().await.unwrap();
    http.get(other.url("/")).await.unwrap();

    let basic = Some("Basic bWU6d29yZA==");
    let keys = [Some("k"), Some("k"), Some("own")];
    for (seen, key) in server.seen().iter().zip(keys) {
        assert_eq!(seen.header("x-api-key"), key);
        assert_eq!(seen.header("authorization"), basic);
    }
    let away = other.seen().remove(0);
    assert_eq!(away.header("x-api-key"), None);
    assert_eq!(away.header("authorization"), None);
}

#[tokio::test]
async fn errors_of_the_connection_show_no_secrets() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    for acts in [vec![Act::Close], vec![Act::Send(half), Act::Close]] {
        let server = Server::always(acts).await;
        let url = format!("http://me:word@{}/path?key=secret#part", server.address);
        let error = client("http://h/").await.get(url).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("/path"), "{shown}");
        assert!(
            !shown.contains("word") && !shown.contains("secret"),
            "{shown}"
        );
    }
}

fn redirect(status: &str, to: &str) -> Vec<Act> {
    answer(status, &format!("location: {to}\r\n"), "")
}

fn not_followed(error: &Error) -> &str {
    match error.cause() {
        Cause::Answer(AnswerError::Redirect { location, .. }) => location,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn redirects_are_followed_within_the_host_up_to_the_limit() {
    let server = Server::start(|_, seen| {
        let left: usize = seen.path()[1..].parse().unwrap();
        match left.checked_sub(1) {
            Some(left) => redirect("302 x", &format!("/{left}")),
            None => ok("there"),
        }
    })
    .await;
    let http = client(&server.url("/")).await;
    assert_eq!(http.get("/5").await.unwrap().body, "there");
    let error = http.get("/6").await.unwrap_err();
    assert!(not_followed(&error).ends_with("/0"), "{error}");
    assert_eq!((error.tries(), server.requests()), (1, 12));

    let options = HttpOptions {
        max_redirects: 0,
        ..quick()
    };
    let io = system(&server.url("/"), options).await;
    not_followed(&io.http().unwrap().get("/1").await.unwrap_err());
}

#[tokio::test]
async fn redirects_to_other_hosts_are_errors_that_say_where() {
    let other = Server::always(ok("secret?")).await;
    let to = other.url("/there?key=secret");
    let server = Server::always(redirect("307 Temporary Redirect", &to)).await;
    let http = client(&server.url("/")).await;
    for method in [Method::GET, Method::POST] {
        let request = http.request(method, "/").header("authorization", "a");
        let error = request.body("x").send().await.unwrap_err();
        assert_eq!(not_followed(&error), other.url("/there"));
    }
    assert_eq!((server.requests(), other.requests()), (2, 0));

    let taken = http.request(Method::GET, "/");
    let taken = taken.accept(|status| status.is_redirection()).send().await;
    assert_eq!(taken.unwrap().headers["location"], *to);
}

#[tokio::test]
async fn a_redirected_post_is_not_tried_again() {
    let server = Server::start(|_, seen| match (seen.path(), seen.head.as_bytes()[0]) {
        ("/see", b'P') => redirect("303 See Other", "/other"),
        ("/again", b'P') => redirect("308 Permanent Redirect", "/other"),
        ("/other", _) => answer("503 x", "", ""),
        _ => unreachable!(),
    })
    .await;
    let http = client(&server.url("/")).await;
    for path in ["/see", "/again"] {
        let error = http.post_json::<_, ()>(path, "x").await.unwrap_err();
        assert_eq!(error.tries(), 1, "{path}");
    }
    let heads = server.seen().into_iter().map(|seen| {
        let line = seen.head.lines().next().unwrap().replace(" HTTP/1.1", "");
        format!("{line} {}", seen.body)
    });
    let expected = [
        r#"POST /see "x""#,
        "GET /other ",
        r#"POST /again "x""#,
        r#"POST /other "x""#,
    ];
    assert_eq!(heads.collect::<Vec<_>>(), expected);
}

/// Says to a process of this test which server is its proxy.
const CHILD: &str = "NOSTALL_TEST_PROXY_CHILD";

/// A variable of the environment can only be set for another process, so the test runs itself again.
#[tokio::test]
async fn proxies_from_the_environment_are_obeyed_only_if_asked_for() {
    if std::env::var_os(CHILD).is_some() {
        return in_an_environment_with_a_proxy().await;
    }
    let proxy = Server::always(ok("from the proxy")).await;
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "addresses::proxies_from_the_environment_are_obeyed_only_if_asked_for",
        ])
        .env(CHILD, "1")
        .env("http_proxy", proxy.url("/"))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    assert_eq!(proxy.requests(), 1);
}

async fn in_an_environment_with_a_proxy() {
    let server = Server::always(ok("fine")).await;
    let http = client(&server.url("/")).await;
    assert_eq!(http.get("/").await.unwrap().body, "fine");

    let options = HttpOptions {
        proxy_from_environment: true,
        ..quick()
    };
    let io = system(&server.url("/"), options).await;
    let answer = io.http().unwrap().get("/").await.unwrap();
    assert_eq!(answer.body, "from the proxy");
}
