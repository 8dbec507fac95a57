//! The one error of the façade: which operation, after how many tries, how long, and why.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::stats::Kind;

/// The name under which an operation is counted.
pub type Name = Cow<'static, str>;

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says which operation failed, after how many tries, how long it took, and why.
#[derive(Debug)]
pub struct Error(Box<Failure>);

#[derive(Debug)]
struct Failure {
    kind: Kind,
    name: Name,
    tries: u32,
    elapsed: Duration,
    cause: Cause,
}

impl Error {
    /// Makes the error of an operation that was tried `tries` times, 0 if it never began.
    pub fn new(
        kind: Kind,
        name: impl Into<Name>,
        tries: u32,
        elapsed: Duration,
        cause: Cause,
    ) -> Self {
        Self(Box::new(Failure {
            kind,
            name: name.into(),
            tries,
            elapsed,
            cause,
        }))
    }

    /// The kind of the operation.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The name of the operation.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How often it was tried; 0 if it never began, because no place was free or everything is shut down.
    pub fn tries(&self) -> u32 {
        self.0.tries
    }

    /// From the call to the error, waits and pauses included.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Why the last try failed.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Why the last try failed, by value.
    pub fn into_cause(self) -> Cause {
        self.0.cause
    }

    /// Whether time ran out: of a try, of the whole operation, or while it waited for a place.
    pub fn is_time_out(&self) -> bool {
        self.cause().is_time_out()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            kind,
            name,
            tries,
            elapsed,
            cause,
        } = &*self.0;
        let tries = match tries {
            0 => "before its first try".to_owned(),
            1 => "in its only try".to_owned(),
            _ => format!("after {tries} tries"),
        };
        write!(
            f,
            "{kind} operation `{name}` failed {tries}, {elapsed:.1?} after its start: {cause}"
        )
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.cause)
    }
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A try, or the whole operation, did not end in time.
    #[error("not done within {limit:?}")]
    TimedOut {
        /// The limit that was reached.
        limit: Duration,
    },
    /// All places of the bulkhead stayed taken until the deadline.
    #[error("all {limit} places stayed taken for {waited:.1?}")]
    Saturated {
        /// How many operations of this kind may run at once.
        limit: usize,
        /// How long this one waited.
        waited: Duration,
    },
    /// The system was shut down.
    #[error("the system was shut down")]
    Closed,
    /// The builder was not told where this backend is.
    #[error("no {0} was given to the builder")]
    NotConfigured(Kind),
    /// The operation panicked; the text is the panic's own.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The database or its pool said no.
    #[cfg(feature = "database")]
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Something about a query that the façade itself refuses.
    #[cfg(feature = "database")]
    #[error(transparent)]
    Query(#[from] crate::db::QueryError),
    /// The cache server said no.
    #[cfg(feature = "redis")]
    #[error(transparent)]
    Cache(#[from] redis::RedisError),
    /// A cached value is not of the kind that the operation needs.
    #[cfg(feature = "cache")]
    #[error(transparent)]
    CacheValue(#[from] crate::cache::ValueError),
    /// No answer, or only a part of one.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// An answer with a status outside 200 to 299, or one that breaks a limit.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Answer(#[from] crate::http::AnswerError),
    /// A URL, header or body that no request can be made of.
    #[cfg(feature = "http")]
    #[error(transparent)]
    Request(#[from] crate::http::RequestError),
    /// A path that leads out of the root, through a symbolic link, or to something that is no file.
    #[cfg(feature = "files")]
    #[error(transparent)]
    Path(#[from] crate::files::PathError),
    /// A file or folder beyond a limit, or an append that is only partly done.
    #[cfg(feature = "files")]
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// The operating system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Text that is not the JSON that was asked for.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// An error of an operation of one's own.
    #[error("{source}")]
    Other {
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether another try may help.
        transient: bool,
    },
}

impl Cause {
    /// An error of one's own that another try would not mend.
    pub fn permanent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other {
            source: source.into(),
            transient: false,
        }
    }

    /// An error of one's own that another try may mend.
    pub fn transient(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other {
            source: source.into(),
            transient: true,
        }
    }

    /// Whether another try may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut { .. } => true,
            Self::Other { transient, .. } => *transient,
            Self::Io(error) => is_transient_io(error),
            #[cfg(feature = "database")]
            Self::Database(error) => crate::db::is_transient(error),
            #[cfg(feature = "redis")]
            Self::Cache(error) => crate::cache::is_transient(error),
            #[cfg(feature = "http")]
            Self::Http(error) => crate::http::is_transient(error),
            #[cfg(feature = "http")]
            Self::Answer(error) => error.is_transient(),
            _ => false,
        }
    }

    /// How long the other side asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            #[cfg(feature = "http")]
            Self::Answer(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Whether time ran out: of a try, of the whole operation, or while it waited for a place or a connection.
    pub fn is_time_out(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Saturated { .. } => true,
            #[cfg(feature = "database")]
            Self::Database(sqlx::Error::PoolTimedOut) => true,
            #[cfg(feature = "redis")]
            Self::Cache(error) => error.is_timeout(),
            #[cfg(feature = "http")]
            Self::Http(error) => error.is_timeout(),
            Self::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
            _ => false,
        }
    }
}

/// Whether a connection broke or was refused, which the next try may find mended.
pub(crate) fn is_transient_io(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionRefused
            | ConnectionReset
            | ConnectionAborted
            | NotConnected
            | BrokenPipe
            | TimedOut
            | Interrupted
            | UnexpectedEof
    )
}

/// What an I/O error was made of by those who passed it on.
#[cfg(any(feature = "http", feature = "redis"))]
pub(crate) fn innermost_io(mut error: &std::io::Error) -> &std::io::Error {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        error = inner;
    }
    error
}

/// The text of a panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
