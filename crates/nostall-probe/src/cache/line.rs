//! One connection: how it is opened, shared, noticed to be gone and replaced.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, PushInfo,
    PushKind, RedisError, RedisResult, ServerErrorKind, Value,
};

use super::errors::ConnectError;
use crate::error::Cause;

/// How many commands may wait for the task that writes them; the others wait for a place.
const QUEUE: usize = 1024;

/// After this time without a sign of life the kernel gives a connection up, so that one to a machine that vanished ends too.
const SILENT_PEER: Duration = Duration::from_secs(30);

/// Where the server is, and how to connect to it.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    time_out: Duration,
}

impl Server {
    pub(super) fn at(url: &str, time_out: Duration) -> RedisResult<Self> {
        let info = url.into_connection_info()?;
        let mut redis = info.redis_settings().clone();
        // Version 3 of the protocol lets the library tell when a connection ends, also while nothing is sent.
        if !url.contains("protocol=") {
            redis = redis.set_protocol(ProtocolVersion::RESP3);
        }
        let info = info
            .set_redis_settings(redis)
            .set_tcp_settings(tcp_settings());
        let client = Client::open(info)?;
        Ok(Self { client, time_out })
    }

    pub(super) fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    async fn connect(self) -> RedisResult<Line> {
        let gone = Arc::new(AtomicBool::new(false));
        let connection = self.connection(Arc::clone(&gone)).await;
        Ok(Line {
            connection: connection.map_err(ConnectError::mark)?,
            gone,
            replies: AtomicU64::new(0),
        })
    }

    async fn connection(self, gone: Arc<AtomicBool>) -> RedisResult<MultiplexedConnection> {
        let info = self.client.get_connection_info();
        let encrypted = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.time_out))
            // The policy's time-outs decide; the library's own would end an operation after 500 ms.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        if info.redis_settings().protocol() != ProtocolVersion::RESP2 {
            config = config.set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    gone.store(true, Ordering::Relaxed);
                }
                Ok::<(), std::convert::Infallible>(())
            });
        }
        if !encrypted {
            return self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await;
        }
        #[cfg(feature = "tls")]
        choose_cryptography();
        // For TLS the library reads the system's certificates from disk, which blocks.
        let runtime = tokio::runtime::Handle::current();
        let connect = move || {
            runtime.block_on(
                self.client
                    .get_multiplexed_async_connection_with_config(&config),
            )
        };
        tokio::task::spawn_blocking(connect)
            .await
            .unwrap_or_else(|join| Err(std::io::Error::from(join).into()))
    }
}

/// The library panics where the process has chosen none, if several are linked or none. What a program chose before stays.
#[cfg(feature = "tls")]
fn choose_cryptography() {
    use rustls::crypto::{CryptoProvider, aws_lc_rs};
    if CryptoProvider::get_default().is_none() {
        // Somebody else may be faster.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(SILENT_PEER / 2);
    #[cfg(target_os = "linux")]
    let keepalive = keepalive.with_interval(SILENT_PEER / 6);
    let settings = TcpSettings::default()
        // Small commands must not wait for the acknowledgement of those before them.
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(SILENT_PEER);
    settings
}

/// The place of one connection.
pub(super) struct Slot {
    server: Server,
    /// Held for moments only, never while waiting.
    state: Mutex<State>,
}

enum State {
    Empty,
    Opening(Opening),
    Open(Arc<Line>),
    Closed,
}

/// All who need the connection wait for the same attempt and have its result.
type Opening = Shared<BoxFuture<'static, RedisResult<Arc<Line>>>>;

impl Slot {
    pub(super) fn to(server: Server) -> Self {
        Self {
            server,
            state: Mutex::new(State::Empty),
        }
    }

    /// The connection, opened first if there is none. Errors are of connecting.
    pub(super) async fn line(self: &Arc<Self>) -> Result<Arc<Line>, Trouble> {
        let opening = {
            let mut state = self.state();
            match &*state {
                State::Open(line) if line.is_there() => return Ok(Arc::clone(line)),
                State::Opening(opening) => opening.clone(),
                State::Closed => return Err(Trouble::Closed),
                State::Open(_) | State::Empty => {
                    let opening = Arc::clone(self).open().boxed().shared();
                    *state = State::Opening(opening.clone());
                    // It goes on when the callers that wait for it are gone, so that short time-outs can't keep it from ending.
                    tokio::spawn(opening.clone());
                    opening
                }
            }
        };
        Ok(opening.await?)
    }

    async fn open(self: Arc<Self>) -> RedisResult<Arc<Line>> {
        let opened = self.server.clone().connect().await.map(Arc::new);
        let mut state = self.state();
        if !matches!(*state, State::Closed) {
            *state = match &opened {
                Ok(line) => State::Open(Arc::clone(line)),
                Err(_) => State::Empty,
            };
        }
        opened
    }

    /// Drops the connection, for ever.
    pub(super) fn close(&self) {
        *self.state() = State::Closed;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    /// The next operation opens another one. Those that still wait for replies on this one keep it until they end.
    gone: Arc<AtomicBool>,
    replies: AtomicU64,
}

impl Line {
    fn is_there(&self) -> bool {
        !self.gone.load(Ordering::Relaxed)
    }

    fn is_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// A command that waits for its reply.
///
/// Replies come in order. So when a command is given up after a long wait in which no other had a reply either, the connection
/// leads nowhere, or the server stands still; in both cases the next operation does better with a new one.
pub(super) struct Sent<'a> {
    line: &'a Line,
    replies: u64,
    at: Instant,
    patience: Duration,
    ended: bool,
}

impl<'a> Sent<'a> {
    pub(super) fn on(line: &'a Line, patience: Duration) -> Self {
        Self {
            line,
            replies: line.replies.load(Ordering::Relaxed),
            at: Instant::now(),
            patience,
            ended: false,
        }
    }

    pub(super) fn ended(mut self, reply: Option<RedisResult<Value>>) -> Result<Value, Trouble> {
        self.ended = true;
        let reply = reply.ok_or(Trouble::Closed)?;
        match &reply {
            Ok(Value::ServerError(error)) if error.kind() == Some(ServerErrorKind::ReadOnly) => {
                self.line.is_gone();
            }
            // Without a time-out in the library, an I/O error of an open connection is its end.
            Err(error) if error.is_io_error() || error.is_unrecoverable_error() => {
                self.line.is_gone();
            }
            _ => {
                self.line.replies.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(reply?)
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        let silent = || self.line.replies.load(Ordering::Relaxed) == self.replies;
        if !self.ended && self.at.elapsed() >= self.patience && silent() {
            self.line.is_gone();
        }
    }
}

/// Why there is no reply.
pub(super) enum Trouble {
    /// The connections were closed by us.
    Closed,
    /// The library's error.
    Redis(RedisError),
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<Trouble> for Cause {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Closed => Self::Closed,
            Trouble::Redis(error) => Self::Cache(error),
        }
    }
}

impl From<Trouble> for RedisError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Closed => std::io::Error::from(std::io::ErrorKind::NotConnected).into(),
            Trouble::Redis(error) => error,
        }
    }
}
