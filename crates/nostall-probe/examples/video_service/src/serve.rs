//! The service in the form that is asked for.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use clap::{Args, ValueEnum};

use crate::listen;
use crate::video::Backends;
use crate::{blocking, pooled, spawn_blocking, spawn_blocking_pooled, unpooled};

/// The forms of the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// Blocking clients, called right in the handler
    Blocking,
    /// The same code in `spawn_blocking`
    SpawnBlocking,
    /// The same with pools of blocking connections
    SpawnBlockingPooled,
    /// Async clients, new connections for each request
    Unpooled,
    /// Async clients with pools and limits, by nostall-probe
    Pooled,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no variant is skipped");
        f.write_str(value.get_name())
    }
}

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Form of the handler
    #[arg(long)]
    variant: Variant,
    /// Worker threads of the runtime
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Connections of each pool, in the forms that have pools
    #[arg(long, default_value_t = 20)]
    connections: u32,
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// End when the standard input is closed
    #[arg(long)]
    until_stdin_closes: bool,
    #[command(flatten)]
    backends: Backends,
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let server = listen::Server {
        address: arguments.address,
        workers: arguments.workers,
        until_stdin_closes: arguments.until_stdin_closes,
    };
    let Arguments {
        variant,
        connections,
        backends,
        ..
    } = arguments;
    match variant {
        Variant::Blocking => run_with(&server, blocking::router(backends)),
        Variant::SpawnBlocking => run_with(&server, spawn_blocking::router(backends)),
        Variant::SpawnBlockingPooled => {
            let router = spawn_blocking_pooled::router(backends, connections)?;
            run_with(&server, router)
        }
        Variant::Unpooled => run_with(&server, unpooled::router(backends)),
        Variant::Pooled => server.run(async move {
            let router = pooled::router(backends, connections).await?;
            Ok(with_sleep(router))
        }),
    }
}

fn run_with(server: &listen::Server, router: Router) -> Result<()> {
    server.run(async { Ok(with_sleep(router)) })
}

/// A handler that does no I/O at all, to tell what the runtime alone can do.
fn with_sleep(router: Router) -> Router {
    router.route("/sleep", get(sleep))
}

async fn sleep() -> &'static str {
    tokio::time::sleep(Duration::from_millis(100)).await;
    "slept"
}
