//! The load generator against a server whose faults are known.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

fn right(id: i64) -> Value {
    json!({ "id": id, "title": format!("Video number {id}") })
}

/// Serves on a thread of its own; it ends with the test's process.
fn serve(router: Router) -> String {
    let (say, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            say.send(listener.local_addr().expect("an address"))
                .expect("somebody hears");
            axum::serve(listener, router).await.expect("it serves");
        });
    });
    format!("http://{}", hear.recv().expect("it listens"))
}

fn load(url: &str, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_video-service"))
        .args(["load", "--url", url, "--warm-up=0.2", "--duration=1"])
        .args(arguments)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("a report as JSON")
}

fn number(report: &Value, name: &str) -> f64 {
    report[name]
        .as_f64()
        .unwrap_or_else(|| panic!("{name} is missing in {report}"))
}

#[test]
fn right_answers_are_timed() {
    let router = Router::new().route(
        "/videos/{id}",
        get(|Path(id): Path<i64>| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Json(right(id))
        }),
    );
    let report = load(&serve(router), &["--users=10"]);
    assert_eq!(report["errors"], json!({}));
    assert!(number(&report, "p50_ms") >= 50.0, "{report}");
    assert!(number(&report, "max_ms") >= number(&report, "p99_ms"));
    let throughput = number(&report, "throughput");
    assert!(throughput > 50.0 && throughput <= 200.0, "{report}");
}

#[test]
fn mixed_up_answers_are_errors() {
    let router = Router::new().route(
        "/videos/{id}",
        get(|Path(id): Path<i64>| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Json(right(if id % 2 == 0 { id } else { id + 1 }))
        }),
    );
    let report = load(&serve(router), &["--users=10"]);
    let wrong = number(&report["errors"], "wrong answer");
    assert!(
        wrong > 0.0 && wrong < number(&report, "requests"),
        "{report}"
    );
}

#[test]
fn failures_and_missing_answers_are_errors_by_kind() {
    let router = Router::new().route(
        "/videos/{id}",
        get(|Path(id): Path<i64>| async move {
            if id == 1 {
                return Err(StatusCode::INTERNAL_SERVER_ERROR);
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(Json(right(id)))
        }),
    );
    let report = load(
        &serve(router),
        &["--users=20", "--videos=2", "--time-out=0.3"],
    );
    assert!(number(&report["errors"], "status 500") > 0.0, "{report}");
    assert!(number(&report["errors"], "time-out") > 0.0, "{report}");
    assert_eq!(number(&report, "throughput"), 0.0);
    assert_eq!(
        number(&report, "p50_ms").round(),
        300.0,
        "a time-out counts as long as the limit"
    );
}

#[test]
fn a_port_where_nobody_listens_is_an_error() {
    let report = load("http://127.0.0.1:1", &["--users=2"]);
    assert!(number(&report["errors"], "connect") > 0.0, "{report}");
}

#[test]
fn users_pause_as_long_as_asked_and_no_more_requests_are_made_than_allowed() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let router = Router::new().route(
        "/videos/{id}",
        get(move |Path(id): Path<i64>| {
            count.fetch_add(1, Ordering::Relaxed);
            async move { Json(right(id)) }
        }),
    );
    let url = serve(router);
    let report = load(&url, &["--users=200", "--think-ms=1000"]);
    let offered = number(&report, "offered");
    // 200 a second are expected; four standard deviations of a Poisson process are 57.
    assert!((120.0..280.0).contains(&offered), "{report}");

    let before = asked.load(Ordering::Relaxed);
    load(&url, &["--users=10", "--max-requests=50"]);
    assert_eq!(asked.load(Ordering::Relaxed) - before, 50);
}
