//! The service that recommends videos: it answers after a set time, and waits for it without holding a thread.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use clap::Args;

use crate::listen;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// How long each answer takes, in milliseconds
    #[arg(long, default_value_t = 20)]
    latency_ms: u64,
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// Worker threads
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// End when the standard input is closed
    #[arg(long)]
    until_stdin_closes: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let latency = Duration::from_millis(arguments.latency_ms);
    let router = Router::new()
        .route("/next/{id}", get(next))
        .with_state(latency);
    let server = listen::Server {
        address: arguments.address,
        workers: arguments.workers,
        until_stdin_closes: arguments.until_stdin_closes,
    };
    server.run(async { Ok(router) })
}

async fn next(State(latency): State<Duration>, Path(id): Path<i64>) -> Json<Vec<i64>> {
    tokio::time::sleep(latency).await;
    Json((1..=5).map(|step| id + step).collect())
}
