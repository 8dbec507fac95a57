//! Runs a router: runtime, descriptors, a long queue of connections that wait to be accepted.

use std::future::Future;
use std::io::Read;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use axum::serve::ListenerExt;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted. The system may set a lower bound (`net.core.somaxconn` on Linux).
const QUEUE: u32 = 16_384;

/// What a server needs besides its router.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) workers: usize,
    pub(crate) until_stdin_closes: bool,
}

impl Server {
    /// Serves until the process is ended; first says on the standard output where.
    pub(crate) fn run(&self, router: impl Future<Output = Result<Router>>) -> Result<()> {
        raise_descriptor_limit()?;
        if self.until_stdin_closes {
            std::thread::spawn(exit_with_stdin);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.workers)
            .enable_all()
            .build()
            .context("start the runtime")?;
        runtime.block_on(async {
            let router = router.await?;
            let listener = bind(self.address).context("listen")?;
            println!("http://{}", listener.local_addr()?);
            // The accept loop is a task like any other, so that it runs on the worker threads.
            tokio::spawn(serve(listener, router)).await?
        })
    }
}

async fn serve(listener: TcpListener, router: Router) -> Result<()> {
    let listener = listener.tap_io(|stream| {
        // A connection that is gone already is found out about when it is read from.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await.context("serve")
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Lets the process open as many files and sockets as the system allows, and says how many that are.
pub(crate) fn raise_descriptor_limit() -> Result<u64> {
    let (now, most) =
        getrlimit(Resource::RLIMIT_NOFILE).context("ask for the limit of open files")?;
    // Some systems name a limit that they do not grant.
    let raised = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    Ok(if raised.is_ok() { most } else { now })
}

/// Whoever started this process holds the other end: when it is gone, however it went, this process goes too.
fn exit_with_stdin() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}
