//! What can go wrong with a cache, and when another try may help.

use std::string::FromUtf8Error;
#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use redis::{ErrorKind, RedisError, RetryMethod, ServerErrorKind};

use crate::error::Cause;
#[cfg(feature = "redis")]
use crate::error::innermost_io;

/// A cached value, or what was to be cached, is not of the kind that the operation needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// `incr` found something else than a whole number in decimal digits.
    #[error("the value is not a whole number of 64 bits")]
    NotAnInteger,
    /// `incr` would lead out of 64 bits.
    #[error("the sum would not fit into 64 bits")]
    Overflow,
    /// Text was asked for, and the value is not UTF-8.
    #[error("the value is not text: {0}")]
    NotText(#[from] FromUtf8Error),
    /// The key holds a list, a set or another type of Redis that only other commands can read.
    #[error("the key holds another type of value than a string")]
    WrongType,
    /// A time to live must be longer than nothing and at most 100 years. To remove a value, use `del`.
    #[error("a time to live of {ttl:?} is not between 1 ms and 100 years")]
    TtlOutOfRange {
        /// What was asked for.
        ttl: Duration,
    },
}

/// The URL of a cache is not understood. It is the source of a [`Cause::Other`](crate::Cause::Other).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no scheme. The URL is not shown, because it may hold a password.
    #[error("the URL of the cache has no scheme: use redis://host:port/ or memory:")]
    NoScheme,
    /// The scheme is unknown.
    #[error("no cache is known for URLs that begin with `{0}:`: use redis://host:port/ or memory:")]
    UnknownScheme(String),
    /// The crate was built without Redis.
    #[error("the URL of the cache asks for Redis, which needs the crate's feature `redis`")]
    WithoutRedis,
}

/// No connection to the server could be made: what was to be done has not begun.
///
/// It is the source of a [`RedisError`] of kind [`ErrorKind::Io`].
#[cfg(feature = "redis")]
#[derive(Debug, thiserror::Error)]
#[error("no connection to the cache server: {0}")]
pub struct ConnectError(#[source] RedisError);

#[cfg(feature = "redis")]
impl ConnectError {
    /// Marks an I/O error of connecting; what the server itself said stays as it is.
    pub(super) fn mark(error: RedisError) -> RedisError {
        use std::io;
        if !error.is_io_error() {
            return error;
        }
        let kind = if error.is_timeout() {
            io::ErrorKind::TimedOut
        } else if error.is_connection_refusal() {
            io::ErrorKind::ConnectionRefused
        } else if matches!(error.retry_method(), RetryMethod::NoRetry) || is_tls(&error) {
            io::ErrorKind::PermissionDenied
        } else {
            io::ErrorKind::NotConnected
        };
        io::Error::new(kind, Self(error)).into()
    }

    /// Whether `error` was marked. Only then has it another error of Redis among its sources.
    fn marked(error: &RedisError) -> bool {
        let first = std::error::Error::source(error);
        std::iter::successors(first, |error| error.source())
            .any(<dyn std::error::Error>::is::<RedisError>)
    }
}

/// Whether it is about a certificate or a version of TLS, of which all errors are "invalid data".
#[cfg(feature = "redis")]
fn is_tls(error: &RedisError) -> bool {
    use std::error::Error;
    use std::io;
    // The library hands out its own shared pointer as the source, not what is behind it.
    let shared = error.source().and_then(<dyn Error>::downcast_ref);
    let io_error = shared.and_then(|shared: &Arc<dyn Error + Send + Sync>| shared.downcast_ref());
    io_error.is_some_and(|error| innermost_io(error).kind() == io::ErrorKind::InvalidData)
}

/// Whether another try may help: the connection could not be made, broke or timed out, or the server can't serve right now.
#[cfg(feature = "redis")]
pub(crate) fn is_transient(error: &RedisError) -> bool {
    match error.kind() {
        // The library's word for I/O errors that last: no permission, not supported.
        ErrorKind::Io => !matches!(error.retry_method(), RetryMethod::NoRetry),
        // A connection that breaks in the middle of a reply. The library has no other sign of it.
        ErrorKind::Parse => {
            let detail = error.detail().unwrap_or_default();
            detail.contains("Unexpected end of input")
        }
        _ => is_busy(error),
    }
}

/// Whether the error shows that nothing was done: there was no connection, or the server refused to begin.
pub(super) fn nothing_was_done(cause: &Cause) -> bool {
    match cause {
        #[cfg(feature = "redis")]
        Cause::Cache(error) => ConnectError::marked(error) || is_busy(error),
        _ => false,
    }
}

/// Whether the server refused because of a state that passes.
#[cfg(feature = "redis")]
fn is_busy(error: &RedisError) -> bool {
    use ServerErrorKind::{
        BusyLoading, ClusterDown, MasterDown, ReadOnly, ResponseError, TryAgain,
    };
    match error.kind() {
        // A server becomes read-only when another takes over; the next connection may lead to that one.
        ErrorKind::Server(BusyLoading | TryAgain | ClusterDown | MasterDown | ReadOnly) => true,
        ErrorKind::Server(ResponseError) => {
            let detail = error.detail().unwrap_or_default();
            detail.starts_with("max number of clients")
        }
        // A script is running for too long.
        ErrorKind::Extension => error.code() == Some("BUSY"),
        _ => false,
    }
}
