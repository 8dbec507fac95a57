//! Answers: their bodies are read whole, within a limit.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::address::shown;
use super::error::AnswerError;
use super::{not_done, retry_after};
use crate::error::Cause;

/// How much of the body of a refused answer is kept for the error.
const EXCERPT: usize = 512;

/// So much of it is read for the sake of the connection, which can then serve the next request.
const DRAINED: usize = 64 * 1024;

/// And so long: the status says more than the time-out that a stalled body would lead to.
const DRAINED_FOR: Duration = Duration::from_secs(1);

/// Longer JSON takes about a millisecond or more to read, so the blocking pool does it.
const LONG_JSON: usize = 256 * 1024;

/// At most so much memory is reserved only because a server says that it will send as much.
const TRUSTED_LENGTH: usize = 1024 * 1024;

/// An answer with its whole body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text; bytes that are not UTF-8 become `U+FFFD`.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as a value, on this thread; [`super::Request::send_json`] spares it long texts.
    ///
    /// # Errors
    /// If the body is not JSON, or not what `T` wants.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.json_text())
    }

    /// "No content" stands for the JSON value that says so, for the sake of `()` and `Option`.
    fn json_text(&self) -> &[u8] {
        if self.status == StatusCode::NO_CONTENT {
            b"null"
        } else {
            &self.body
        }
    }

    pub(super) async fn into_json<T: DeserializeOwned + Send + 'static>(self) -> Result<T, Cause> {
        if self.body.len() <= LONG_JSON {
            return Ok(self.json()?);
        }
        match spawn_blocking(move || self.json()).await {
            Ok(value) => Ok(value?),
            Err(join) => Err(not_done(join)),
        }
    }
}

/// Reads the rest of an answer.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Answer, Cause> {
    let body = body(&mut response, limit).await?;
    Ok(Answer {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body,
    })
}

async fn body(response: &mut Response, limit: usize) -> Result<Bytes, Cause> {
    let length = response.content_length();
    let length = length.map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if length > limit {
        return Err(too_large(response, limit));
    }
    let Some(first) = chunk(response).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large(response, limit));
    }
    // Most answers come in one piece, which then needs no copy.
    let Some(second) = chunk(response).await? else {
        return Ok(first);
    };
    let mut body = Vec::with_capacity(length.min(TRUSTED_LENGTH));
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk_bytes) = next {
        if body.len() + chunk_bytes.len() > limit {
            return Err(too_large(response, limit));
        }
        body.extend_from_slice(&chunk_bytes);
        next = chunk(response).await?;
    }
    Ok(body.into())
}

async fn chunk(response: &mut Response) -> Result<Option<Bytes>, Cause> {
    match response.chunk().await {
        Ok(chunk) => Ok(chunk),
        Err(error) => {
            let mut url = response.url().clone();
            hide_secrets(&mut url);
            Err(error.with_url(url).into())
        }
    }
}

/// Takes user, password, query and fragment out of the URL that an error shows.
pub(super) fn without_secrets(mut error: reqwest::Error) -> reqwest::Error {
    if let Some(url) = error.url_mut() {
        hide_secrets(url);
    }
    error
}

fn hide_secrets(url: &mut url::Url) {
    url.set_query(None);
    url.set_fragment(None);
    // These fail only for URLs that can have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

fn too_large(response: &Response, limit: usize) -> Cause {
    let url = shown(response.url());
    AnswerError::TooLarge { url, limit }.into()
}

/// The error that a status outside the accepted ones is.
pub(super) async fn refused(mut response: Response, transient: bool) -> AnswerError {
    let status = response.status();
    let url = shown(response.url());
    if let Some(location) = location(&response) {
        return AnswerError::Redirect {
            status,
            url,
            location,
        };
    }
    let mut excerpt = Vec::new();
    // What was read by then is what there is.
    let _ = timeout(DRAINED_FOR, drain(&mut response, &mut excerpt)).await;
    AnswerError::Status {
        status,
        retry_after: retry_after::of(response.headers()),
        url,
        excerpt: String::from_utf8_lossy(&excerpt).into_owned(),
        transient,
    }
}

fn location(response: &Response) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = response.url().join(location).ok()?;
    Some(shown(&url))
}

async fn drain(response: &mut Response, excerpt: &mut Vec<u8>) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        let wanted = EXCERPT.saturating_sub(excerpt.len()).min(chunk.len());
        excerpt.extend_from_slice(&chunk[..wanted]);
        read += chunk.len();
        if read > DRAINED {
            return;
        }
    }
}
