//! TLS: certificates that the system trusts are taken, others are a typed error.
//!
//! The other side is the `openssl` program and a `redis-server` of its own; without them nothing is tried, and that is said. The
//! process's trusted certificates are read once, from where `SSL_CERT_FILE` says, so each case is a process of its own.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share is a test too"
)]

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nostall_probe::cache::CacheOptions;
use nostall_probe::http::HttpOptions;
use nostall_probe::{Cause, IoSystem, PolicyOptions, Retry};

/// What the child of a test is to find: `trusted` or `untrusted`.
const CASE: &str = "NOSTALL_TEST_TLS";
const HTTPS: &str = "NOSTALL_TEST_TLS_HTTPS";
const REDIS: &str = "NOSTALL_TEST_TLS_REDIS";

/// Ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn certificates_that_the_system_trusts_are_taken_and_others_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let Some((_https, https)) = certificates(folder).and_then(|()| serve_https(folder)) else {
        println!("there is no openssl: nothing was tried");
        return;
    };
    let redis = serve_redis(folder);
    if redis.is_none() {
        println!("there is no redis-server: tried without it");
    }
    for (case, trusted) in [("trusted", "ca.pem"), ("untrusted", "other.pem")] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "child", "--nocapture"])
            .env(CASE, case)
            .env(HTTPS, https.to_string())
            .env("SSL_CERT_FILE", folder.join(trusted))
            .env_remove("SSL_CERT_DIR");
        if let Some((_server, port)) = &redis {
            child.env(REDIS, port.to_string());
        }
        assert!(child.status().unwrap().success(), "{case}");
    }
}

/// Does nothing but as the child of the test above.
#[tokio::test]
async fn child() {
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    let is_trusted = case == "trusted";
    // First the one that has no cryptography of its own.
    if let Ok(port) = std::env::var(REDIS) {
        redis(&port, is_trusted).await;
    }
    http(&std::env::var(HTTPS).unwrap(), is_trusted).await;
}

fn policy() -> PolicyOptions {
    PolicyOptions {
        time_out: Duration::from_secs(5),
        retry: Retry::none(),
        ..PolicyOptions::default()
    }
}

async fn http(port: &str, is_trusted: bool) {
    let options = HttpOptions {
        policy: policy(),
        ..HttpOptions::default()
    };
    let url = format!("https://localhost:{port}/");
    let io = IoSystem::builder().http_with(url, options).build().await;
    let io = io.unwrap();
    let page = io.http().unwrap().get("page").await;
    if is_trusted {
        assert_eq!(page.unwrap().text(), "a page over TLS");
        return;
    }
    let error = page.unwrap_err();
    assert!(matches!(error.cause(), Cause::Http(_)), "{error}");
    assert!(!error.cause().is_transient(), "{error:?}");
}

async fn redis(port: &str, is_trusted: bool) {
    let options = CacheOptions {
        policy: policy(),
        ..CacheOptions::default()
    };
    let url = format!("rediss://localhost:{port}/");
    let built = IoSystem::builder().cache_with(url, options).build().await;
    if is_trusted {
        let io = built.unwrap();
        let cache = io.cache().unwrap();
        cache.set("key", "over TLS", None).await.unwrap();
        let value = cache.get("key").await.unwrap();
        assert_eq!(value.as_deref(), Some("over TLS"));
        return;
    }
    let error = built.unwrap_err();
    assert!(matches!(error.cause(), Cause::Cache(_)), "{error}");
    assert!(!error.cause().is_transient(), "{error:?}");
}

/// Makes an authority, a certificate of `localhost` by it, and an authority that has nothing to do with it.
fn certificates(folder: &Path) -> Option<()> {
    let authority = |name: &str| {
        openssl(folder)
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes"])
            .args(["-days", "2", "-subj", &format!("/CN={name}")])
            .args(["-keyout", &format!("{name}.key")])
            .args(["-out", &format!("{name}.pem")])
            .status()
            .is_ok_and(|status| status.success())
    };
    let made = authority("ca") && authority("other");
    let leaf = openssl(folder)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost"])
        .args(["-CA", "ca.pem", "-CAkey", "ca.key"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .status();
    (made && leaf.is_ok_and(|status| status.success())).then_some(())
}

/// Serves the files of the folder.
fn serve_https(folder: &Path) -> Option<(Server, u16)> {
    std::fs::write(folder.join("page"), "a page over TLS").unwrap();
    let port = free_port();
    let server = openssl(folder)
        .args(["s_server", "-WWW", "-cert", "cert.pem", "-key", "key.pem"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .stdin(Stdio::piped())
        .spawn();
    Some(started(server.ok()?, port))
}

fn serve_redis(folder: &Path) -> Option<(Server, u16)> {
    let port = free_port();
    let server = Command::new("redis-server")
        .current_dir(folder)
        .args(["--port", "0", "--tls-port", &port.to_string()])
        .args(["--bind", "127.0.0.1", "--save", ""])
        .args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"])
        .args(["--tls-ca-cert-file", "ca.pem", "--tls-auth-clients", "no"])
        .stdout(Stdio::null())
        .spawn();
    Some(started(server.ok()?, port))
}

fn openssl(folder: &Path) -> Command {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn started(child: Child, port: u16) -> (Server, u16) {
    let server = Server(child);
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it does not listen on {port}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    (server, port)
}
