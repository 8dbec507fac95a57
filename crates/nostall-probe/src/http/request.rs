//! Requests: what is sent, whether it may be sent again, and which answers count as such.

use std::fmt;
use std::future::{Future, ready};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::address::shown;
use super::answer::{Answer, read, refused, without_secrets};
use super::error::RequestError;
use super::{Http, Limits};
use crate::error::{Cause, Name, Result};
use crate::policy::Repeat;

type Accept = Box<dyn Fn(StatusCode) -> bool + Send + Sync>;

/// A request that is being put together. What is wrong with it comes out when it is sent.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    http: Http,
    name: Name,
    prepared: Result<Prepared, Cause>,
    idempotent: bool,
    accept: Option<Accept>,
    time_out: Option<Duration>,
    deadline: Option<Duration>,
}

pub(super) struct Prepared {
    pub(super) client: Client,
    pub(super) request: reqwest::Request,
}

impl Request {
    pub(super) fn new(
        http: Http,
        name: Name,
        idempotent: bool,
        prepared: Result<Prepared, Cause>,
    ) -> Self {
        Self {
            http,
            name,
            prepared,
            idempotent,
            accept: None,
            time_out: None,
            deadline: None,
        }
    }

    /// Sets a header, in place of one of the same name.
    pub fn header<V: TryInto<HeaderValue>>(self, name: impl AsRef<str>, value: V) -> Self {
        let name = name.as_ref();
        let header = match (HeaderName::try_from(name), value.try_into()) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            (Err(_), _) => Err(RequestError::HeaderName { name: name.into() }),
            (_, Err(_)) => Err(RequestError::HeaderValue { name: name.into() }),
        };
        self.and_then(|request| {
            let (name, value) = header?;
            request.headers_mut().insert(name, value);
            Ok(())
        })
    }

    /// Adds `name=value` to the query, percent-encoded where need be.
    pub fn query(self, name: &str, value: impl fmt::Display) -> Self {
        self.and_then(|request| {
            let value = value.to_string();
            request
                .url_mut()
                .query_pairs_mut()
                .append_pair(name, &value);
            Ok(())
        })
    }

    /// Sets a body of bytes or text.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.and_then(|request| {
            *request.body_mut() = Some(body.into().into());
            Ok(())
        })
    }

    /// Sets a body of JSON, with its `Content-Type` unless there is one. It is written here, once for all tries.
    pub fn json<B: Serialize + ?Sized>(self, body: &B) -> Self {
        self.and_then(|request| {
            *request.body_mut() = Some(serde_json::to_vec(body)?.into());
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().entry(CONTENT_TYPE).or_insert(json);
            Ok(())
        })
    }

    /// How long one try may take, in place of the policy's `time_out`. The deadline stays.
    pub fn time_out(mut self, limit: Duration) -> Self {
        self.time_out = Some(limit);
        self
    }

    /// How long the whole may take, in place of the policy's `deadline`.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Whether the request may be sent again after a failure. Without this call the method decides: GET, HEAD, OPTIONS, PUT, DELETE
    /// and TRACE may. A POST with an idempotency key may too, if the server knows such keys.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Which statuses are answers rather than errors; by default those from 200 to 299.
    ///
    /// `.accept(|status| status.is_success() || status == StatusCode::NOT_FOUND)` makes a missing page an answer.
    pub fn accept(mut self, accept: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        self.accept = Some(Box::new(accept));
        self
    }

    /// Sends the request and reads the whole answer, with retries if it is idempotent.
    ///
    /// Each try has the time-out, all of them the deadline. A redirect within the same scheme, host and port is followed by the same
    /// try; others are errors. As browsers do, a POST that gets a 301 or 302, and all that gets a 303, go on as GET.
    ///
    /// # Errors
    /// - [`Cause::Http`]: no answer, or only a part of one
    /// - [`Cause::Answer`]: a status that is not accepted, a redirect that is not followed, a body that is too long
    /// - [`Cause::Request`], [`Cause::Json`]: nothing was sent, because a part of the request is not valid
    /// - [`Cause::TimedOut`]: the last try, or the whole, did not end in time
    /// - [`Cause::Saturated`]: no place was free, of all or of this host, until the deadline
    /// - [`Cause::Closed`]: the system was shut down
    ///
    /// # Cancellation
    /// Dropping the future closes the connection unless the answer was read to its end: no later request gets this one's answer. The
    /// server may have got the request, and may still work on it.
    pub async fn send(self) -> Result<Answer> {
        self.run(|answer| ready(Ok(answer))).await
    }

    /// As [`Request::send`], and reads the body as JSON. "204 No Content" counts as `null`.
    ///
    /// # Errors
    /// As [`Request::send`], and [`Cause::Json`] if the body is not JSON or not what `T` wants; that is not tried again.
    ///
    /// # Cancellation
    /// As [`Request::send`].
    pub async fn send_json<T: DeserializeOwned + Send + 'static>(self) -> Result<T> {
        self.run(Answer::into_json).await
    }

    /// Counts it under the name of the façade's method, unless the caller chose one.
    pub(super) fn named_unless_it_is(mut self, name: &'static str) -> Self {
        if self.http.name.is_none() {
            self.name = Name::Borrowed(name);
        }
        self
    }

    fn and_then(mut self, change: impl FnOnce(&mut reqwest::Request) -> Result<(), Cause>) -> Self {
        self.prepared = self.prepared.and_then(|mut prepared| {
            change(&mut prepared.request)?;
            Ok(prepared)
        });
        self
    }

    async fn run<T, Fut>(self, read: impl Fn(Answer) -> Fut) -> Result<T>
    where
        Fut: Future<Output = Result<T, Cause>>,
    {
        let shared = &*self.http.shared;
        let other_times = (self.time_out.is_some() || self.deadline.is_some())
            .then(|| shared.policy.with_times(self.time_out, self.deadline));
        let policy = other_times.as_ref().unwrap_or(&shared.policy);
        let prepared = match self.prepared {
            Ok(prepared) => prepared,
            Err(cause) => return policy.run_once(self.name, ready(Err(cause))).await,
        };
        let exchange = Exchange {
            prepared: &prepared,
            accept: self.accept.as_deref(),
            limits: &shared.limits,
        };
        let repeat = if self.idempotent {
            Repeat::Always
        } else {
            Repeat::Never
        };
        let places = shared.hosts.places(prepared.request.url());
        let try_once = || {
            Box::pin(async {
                let answer = shared.closing.run(pin!(exchange.once())).await;
                read(answer.ok_or(Cause::Closed)??).await
            })
        };
        policy
            .run_at(Some(&places), self.name, repeat, try_once)
            .await
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shape = f.debug_struct("Request");
        shape.field("name", &self.name);
        match &self.prepared {
            Ok(Prepared { request, .. }) => shape
                .field("method", request.method())
                .field("url", &shown(request.url())),
            Err(cause) => shape.field("error", cause),
        };
        shape.finish_non_exhaustive()
    }
}

/// One request and its answer, once per try.
struct Exchange<'a> {
    prepared: &'a Prepared,
    accept: Option<&'a (dyn Fn(StatusCode) -> bool + Send + Sync)>,
    limits: &'a Limits,
}

impl Exchange<'_> {
    async fn once(&self) -> Result<Answer, Cause> {
        let Prepared { client, request } = self.prepared;
        let request = request.try_clone().expect("the body is not a stream");
        let response = client.execute(request).await.map_err(without_secrets)?;
        let status = response.status();
        if self.accepts(status) {
            return read(response, self.limits.max_body).await;
        }
        let transient = self.limits.retry_statuses.contains(&status);
        Err(refused(response, transient).await.into())
    }

    fn accepts(&self, status: StatusCode) -> bool {
        match self.accept {
            Some(accept) => accept(status),
            None => status.is_success(),
        }
    }
}

/// Adds the headers of the base URL that the request does not set itself.
pub(super) fn add_missing(headers: &mut HeaderMap, defaults: &HeaderMap) {
    for name in defaults.keys() {
        if !headers.contains_key(name) {
            for value in defaults.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
    }
}
