//! Faults of real servers, of the network and of callers: every operation ends in success or in a typed error within its deadline,
//! nothing is done by halves, pools recover, and no task is left behind.
//!
//! Servers are killed, paused and restarted through `cargo xtask services`; what has no server is left out, and said.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what tests share is a test too, and it says which servers were not there"
)]

mod callers;
mod redis;
mod sql;
mod upstream;

use std::future::Future;
use std::process::Command;
use std::time::{Duration, Instant};

use nostall_probe::{Error, IoSystem, PolicyOptions, Result, Retry};
use tokio::runtime::Handle;

/// The deadline of every operation here.
const DEADLINE: Duration = Duration::from_secs(8);

/// How much later than its deadline an operation may be seen to end, on a machine that is busy.
const SLACK: Duration = Duration::from_secs(2);

/// Limits that are the same for every backend here.
fn policy(max_in_flight: usize) -> PolicyOptions {
    PolicyOptions {
        max_in_flight,
        time_out: Duration::from_secs(2),
        deadline: DEADLINE,
        retry: Retry {
            max_tries: 4,
            first_delay: Duration::from_millis(100),
            ..Retry::default()
        },
    }
}

/// Runs an operation and fails the test if it does not end in time, or ends in an error that says too little.
async fn in_time<T>(operation: impl Future<Output = Result<T>>) -> Result<T> {
    let started = Instant::now();
    let result = tokio::time::timeout(DEADLINE + SLACK, operation)
        .await
        .expect("an operation ends within its deadline");
    if let Err(error) = &result {
        assert_typed(error, started.elapsed());
    }
    result
}

fn assert_typed(error: &Error, elapsed: Duration) {
    assert!(error.elapsed() <= elapsed, "{error}");
    assert!(!error.name().is_empty());
    assert!(!error.to_string().is_empty());
}

/// Nothing is in flight, and every operation that began was counted.
fn assert_all_ended(io: &IoSystem) {
    let total = io.snapshot().total;
    assert_eq!(total.in_flight, 0, "{total:?}");
    assert_eq!(total.operations, total.ok + total.errors + total.cancelled);
}

/// Waits until no more tasks are alive than `before`.
async fn assert_no_task_left(before: usize) {
    let started = Instant::now();
    loop {
        let alive = Handle::current().metrics().num_alive_tasks();
        if alive <= before {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{alive} tasks are alive, {before} were before"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// The URL of a test server, if there is one.
fn server_url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        eprintln!("{variable} is not set: this fault is left out (cargo xtask services up)");
    }
    url
}

/// Tells `cargo xtask services` to do something to a server.
async fn services(arguments: &'static [&'static str]) {
    let run = move || {
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["xtask", "services"])
            .args(arguments)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .output()
    };
    let output = tokio::task::spawn_blocking(run)
        .await
        .expect("the command does not panic")
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A name that no other run uses.
fn unique(prefix: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is after 1970");
    format!("{prefix}_{}_{}", std::process::id(), now.subsec_nanos())
}
