//! What can be wrong with a request, an answer, or the way between.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use crate::error::innermost_io;

/// Something about a request that keeps it from being sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The URL, or the base URL, is not understood. Its text is left out, it may hold a password.
    #[error("the URL is not understood: {0}")]
    Url(#[from] url::ParseError),
    /// Neither `http` nor `https`.
    #[error(
        "URLs with the scheme `{scheme}` are not served, only http and https; \
         a relative one whose first segment holds a colon begins with `./`"
    )]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// An `https` URL, in a build without TLS.
    #[error("https needs the feature `tls` of nostall-probe")]
    NoTls,
    /// A relative URL that leads to another host, such as `//other/path`.
    #[error("the relative URL leads away from the base URL, to {origin}")]
    OtherHost {
        /// Where it leads.
        origin: String,
    },
    /// The name of a header has characters that no name may have.
    #[error("`{name}` can't be the name of a header")]
    HeaderName {
        /// The name.
        name: String,
    },
    /// The value of a header has characters that no value may have, such as a line break.
    #[error("the value of the header `{name}` has characters that no header may have")]
    HeaderValue {
        /// The name of the header.
        name: String,
    },
}

/// An answer with a status outside 200 to 299, or one that breaks a limit.
///
/// URLs are shown without user, password, query and fragment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A status outside 200 to 299 that the caller does not accept.
    #[error("{status} from {url}{}", Excerpt(.excerpt))]
    Status {
        /// The status.
        status: StatusCode,
        /// How long the server asked to be left alone.
        retry_after: Option<Duration>,
        /// Where the answer came from.
        url: String,
        /// The beginning of the body, at most 512 bytes of it.
        excerpt: String,
        /// Whether another try may help, by [`super::HttpOptions::retry_statuses`].
        transient: bool,
    },
    /// A redirect that is not followed: to another scheme, host or port, or one too many.
    #[error("{status} from {url}: the redirect to {location} was not followed")]
    Redirect {
        /// The status.
        status: StatusCode,
        /// Where the answer came from.
        url: String,
        /// Where it leads.
        location: String,
    },
    /// The body is longer than [`super::HttpOptions::max_body`].
    #[error("the body from {url} is longer than {limit} bytes")]
    TooLarge {
        /// Where the answer came from.
        url: String,
        /// How many bytes are allowed.
        limit: usize,
    },
}

impl AnswerError {
    /// Whether another try may help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Status {
                transient: true,
                ..
            }
        )
    }

    /// How long the server asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Redirect { .. } | Self::TooLarge { .. } => None,
        }
    }

    /// The status of an answer that was refused for it.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } | Self::Redirect { status, .. } => Some(*status),
            Self::TooLarge { .. } => None,
        }
    }
}

/// The beginning of a body as the end of a message, in one line.
struct Excerpt<'a>(&'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.trim() {
            "" => Ok(()),
            text => write!(f, ": {}", text.escape_debug()),
        }
    }
}

/// Whether another try may help: a connection that was not made or broke, or time that ran out. Not an answer that is not HTTP,
/// a wrong certificate, or a request that can't be sent.
pub(crate) fn is_transient(error: &reqwest::Error) -> bool {
    if error.is_builder() || error.is_redirect() || error.is_status() {
        return false;
    }
    if error.is_timeout() {
        return true;
    }
    let io_is_transient = if error.is_connect() {
        is_transient_before_sending
    } else {
        is_transient_while_sending
    };
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return io_is_transient(innermost_io(error));
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_parse() || error.is_user() {
                return false;
            }
            // The other side closed the connection without an answer; a kept one that it was about to close ends so too.
            if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
                return true;
            }
        }
        source = error.source();
    }
    error.is_connect()
}

/// TLS says "invalid data" of certificates and protocols that don't fit; all else may pass: hosts, routes, files and ports run out.
fn is_transient_before_sending(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::InvalidData
}

fn is_transient_while_sending(error: &io::Error) -> bool {
    use io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable};
    crate::error::is_transient_io(error)
        || matches!(
            error.kind(),
            HostUnreachable | NetworkDown | NetworkUnreachable
        )
}
