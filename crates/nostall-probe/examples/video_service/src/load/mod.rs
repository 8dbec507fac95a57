//! The load: many users, each with a connection of its own, who ask for videos one after the other.
//!
//! A closed loop: a user asks again when it has its answer, after a pause for thought. What is counted are the requests that were
//! under way in the measured time, also if they began before it or ended after it: else the slowest would be left out.

mod connection;
mod report;
mod user;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::listen::raise_descriptor_limit;
use report::CpuSeconds;
pub(crate) use report::Report;
use user::{Plan, Tally, User};

/// Descriptors that the process needs besides its users' connections.
const SPARE_DESCRIPTORS: u64 = 64;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The service, `http://` with an address and a port
    #[arg(long)]
    url: String,
    /// What is asked for
    #[arg(long, default_value = "videos")]
    ask: Ask,
    /// How many videos there are
    #[arg(long, default_value_t = 1000)]
    videos: i64,
    /// How many users there are at once
    #[arg(long)]
    users: usize,
    /// Mean pause of a user between an answer and the next request, in milliseconds (exponentially distributed)
    #[arg(long, default_value_t = 0)]
    think_ms: u64,
    /// Seconds that are measured
    #[arg(long, default_value_t = 10.0)]
    duration: f64,
    /// Seconds before that; in its first half the users connect, evenly
    #[arg(long, default_value_t = 3.0)]
    warm_up: f64,
    /// Seconds until a request without an answer counts as an error
    #[arg(long, default_value_t = 10.0)]
    time_out: f64,
    /// Requests after which no further ones are made
    #[arg(long, default_value_t = 5_000_000)]
    max_requests: u64,
    /// Process whose CPU time is measured too (Linux)
    #[arg(long)]
    server_pid: Option<u32>,
}

/// What users ask for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Ask {
    /// Videos at random
    Videos,
    /// The handler that only sleeps
    Sleep,
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let files = raise_descriptor_limit()?;
    ensure!(
        files > arguments.users as u64 + SPARE_DESCRIPTORS,
        "{} users need as many sockets, and the system allows {files} open files per process",
        arguments.users
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let report = runtime.block_on(measure(arguments))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

async fn measure(arguments: Arguments) -> Result<Report> {
    let address = arguments
        .url
        .strip_prefix("http://")
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .context("the URL is http:// with an address and a port")?;
    let begin = Instant::now();
    let warm_up = Duration::from_secs_f64(arguments.warm_up);
    let measured_from = begin + warm_up;
    let plan = Arc::new(Plan {
        address,
        ask: arguments.ask,
        videos: arguments.videos,
        think: Duration::from_millis(arguments.think_ms),
        time_out: Duration::from_secs_f64(arguments.time_out),
        measured_from,
        measured_until: measured_from + Duration::from_secs_f64(arguments.duration),
        requests_left: AtomicU64::new(arguments.max_requests),
    });

    let mut users = JoinSet::new();
    for number in 0..arguments.users {
        let share = number as f64 / arguments.users as f64;
        let connects_at = begin + warm_up.mul_f64(share / 2.0);
        users.spawn(User::new(Arc::clone(&plan), connects_at).run());
    }

    sleep_until(plan.measured_from).await;
    let before = CpuSeconds::now(arguments.server_pid).await;
    sleep_until(plan.measured_until).await;
    let after = CpuSeconds::now(arguments.server_pid).await;

    let mut tally = Tally::default();
    while let Some(of_one) = users.join_next().await {
        tally.add(of_one.context("a user stopped")?);
    }
    let cpu = after.since(&before);
    Ok(Report::new(arguments.users, &plan, &tally, &cpu))
}
