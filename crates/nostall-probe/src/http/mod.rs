//! One HTTP client with limits per host.
//!
//! All requests share one pool of connections. An answer is read whole within the try that asked for it, so that half an answer
//! is a failed try and not a surprise for the caller. HTTP/1.1; with feature `tls` over TLS too.
//!
//! Not here: redirects to other hosts, because they would carry headers and bodies to where the caller did not send them, and past
//! the limits of that host; proxies from the environment, unless asked for; cookies; bodies that are streamed.

mod address;
mod answer;
mod error;
mod hosts;
mod options;
mod request;
mod retry_after;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::{Client, redirect, retry};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;
use url::Url;

pub use answer::Answer;
pub use bytes::Bytes;
pub(crate) use error::is_transient;
pub use error::{AnswerError, RequestError};
pub use options::HttpOptions;
pub use request::Request;
pub use reqwest::{Method, StatusCode, header};

use crate::error::{Cause, Name, Result, panic_text};
use crate::gate::Closing;
use crate::policy::Policy;
use crate::stats::Kind;
use crate::system::Core;
use header::HeaderMap;
use hosts::Hosts;
use request::Prepared;

/// An HTTP client. Clones share connections and limits.
///
/// URLs are absolute, or relative to the base URL: with the base `http://h/api` or `http://h/api/`, `users` is
/// `http://h/api/users`, and `/users`, which begins at the root of the host, is `http://h/users`. A relative URL never leads to
/// another host. User and password of a URL are sent as `Authorization` and shown nowhere.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    name: Option<Name>,
}

struct Shared {
    /// `None` after the shutdown.
    client: RwLock<Option<Client>>,
    closing: Closing,
    base: Url,
    base_headers: HeaderMap,
    policy: Policy,
    hosts: Hosts,
    limits: Limits,
}

struct Limits {
    max_body: usize,
    retry_statuses: Vec<StatusCode>,
}

impl Http {
    /// Makes the client. Nothing is sent.
    pub(crate) async fn connect(base_url: &str, options: HttpOptions, core: &Core) -> Result<Self> {
        let failed = |cause| Core::error(Kind::Http, "connect", cause);
        let base = address::base(base_url).map_err(|error| failed(error.into()))?;
        let settings = options.clone();
        // With TLS it reads the certificates of the system from the disk.
        let client = match spawn_blocking(move || client(&settings)).await {
            Ok(client) => client.map_err(|error| failed(error.into()))?,
            Err(join) => return Err(failed(not_done(join))),
        };
        let (base, base_headers) =
            with_headers(&client, base, options.headers).map_err(|error| failed(error.into()))?;
        Ok(Self {
            name: None,
            shared: Arc::new(Shared {
                hosts: Hosts::new(options.max_in_flight_per_host, &base),
                client: RwLock::new(Some(client)),
                closing: Closing::default(),
                base,
                base_headers,
                policy: core.policy(Kind::Http, options.policy),
                limits: Limits {
                    max_body: options.max_body,
                    retry_statuses: options.retry_statuses,
                },
            }),
        })
    }

    /// Closes all connections; requests that still run end as [`Cause::Closed`].
    pub(crate) fn close(&self) {
        self.shared.closing.close();
        let mut client = self
            .shared
            .client
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *client = None;
    }

    /// The same client, whose operations are counted under this name.
    #[must_use]
    pub fn named(&self, name: impl Into<Name>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Some(name.into()),
        }
    }

    /// Gets a page.
    ///
    /// # Errors
    /// As [`Request::send`].
    ///
    /// # Cancellation
    /// As [`Request::send`].
    pub async fn get(&self, url: impl AsRef<str>) -> Result<Answer> {
        self.request(Method::GET, url).send().await
    }

    /// Gets a value.
    ///
    /// # Errors
    /// As [`Request::send_json`].
    ///
    /// # Cancellation
    /// As [`Request::send`].
    pub async fn get_json<T>(&self, url: impl AsRef<str>) -> Result<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let request = self.request(Method::GET, url);
        let request = request.named_unless_it_is("get_json");
        request.send_json().await
    }

    /// Posts a value, once, and gets one.
    ///
    /// # Errors
    /// As [`Request::send_json`]. After most of them it is unknown whether the server did what was asked.
    ///
    /// # Cancellation
    /// As [`Request::send`].
    pub async fn post_json<B, T>(&self, url: impl AsRef<str>, body: &B) -> Result<T>
    where
        B: Serialize + ?Sized,
        T: DeserializeOwned + Send + 'static,
    {
        let request = self.request(Method::POST, url).json(body);
        let request = request.named_unless_it_is("post_json");
        request.send_json().await
    }

    /// Puts a value, again if need be, and gets one.
    ///
    /// # Errors
    /// As [`Request::send_json`].
    ///
    /// # Cancellation
    /// As [`Request::send`].
    pub async fn put_json<B, T>(&self, url: impl AsRef<str>, body: &B) -> Result<T>
    where
        B: Serialize + ?Sized,
        T: DeserializeOwned + Send + 'static,
    {
        let request = self.request(Method::PUT, url).json(body);
        let request = request.named_unless_it_is("put_json");
        request.send_json().await
    }

    /// Deletes a page.
    ///
    /// A retry may meet the page that the first try deleted, and get a 404 for it.
    ///
    /// # Errors
    /// As [`Request::send`].
    ///
    /// # Cancellation
    /// As [`Request::send`].
    pub async fn delete(&self, url: impl AsRef<str>) -> Result<Answer> {
        self.request(Method::DELETE, url).send().await
    }

    /// Begins a request. It is counted under the method in small letters, unless there is a name.
    ///
    /// ```no_run
    /// # use nostall_probe::{Http, Result, http::Method};
    /// # async fn charge(http: &Http) -> Result<()> {
    /// let receipt: serde_json::Value = http
    ///     .named("charge")
    ///     .request(Method::POST, "charges")
    ///     .header("idempotency-key", "order-17")
    ///     .idempotent(true)
    ///     .json(&[("amount", 42)])
    ///     .send_json()
    ///     .await?;
    /// # drop(receipt); Ok(()) }
    /// ```
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> Request {
        let name = self.name.clone().unwrap_or_else(|| name_of(&method));
        let idempotent = method.is_idempotent();
        let prepared = self.prepare(method, url.as_ref());
        Request::new(self.clone(), name, idempotent, prepared)
    }

    fn prepare(&self, method: Method, url: &str) -> Result<Prepared, Cause> {
        let shared = &*self.shared;
        let url = address::resolve(&shared.base, url)?;
        let client = shared
            .client
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(Cause::Closed)?;
        // Takes user and password out of the URL.
        let (client, request) = client.request(method, url).build_split();
        let mut request = request.map_err(answer::without_secrets)?;
        if address::same_origin(request.url(), &shared.base) {
            request::add_missing(request.headers_mut(), &shared.base_headers);
        }
        Ok(Prepared { client, request })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("base", &address::shown(&self.shared.base))
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn client(options: &HttpOptions) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .connect_timeout(options.connect_time_out)
        .pool_max_idle_per_host(options.max_idle_per_host)
        .pool_idle_timeout(options.idle_time_out)
        .redirect(redirects(options.max_redirects))
        // It would show one host the queries of another.
        .referer(false)
        // All retries are the policy's, which counts them.
        .retry(retry::never().max_retries_per_request(0));
    let builder = if options.proxy_from_environment {
        builder
    } else {
        builder.no_proxy()
    };
    builder.build()
}

/// Follows redirects within one scheme, host and port. Others would take along the body and the headers, of which reqwest takes out
/// only some, and only on the way from one host to the next; and they would run past the limit of the other host.
fn redirects(max: usize) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        let previous = attempt.previous();
        let near = previous
            .last()
            .is_some_and(|last| address::same_origin(last, attempt.url()));
        if near && previous.len() <= max {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

/// Turns user and password of the base URL into a header, once for all requests.
fn with_headers(
    client: &Client,
    base: Url,
    mut headers: HeaderMap,
) -> reqwest::Result<(Url, HeaderMap)> {
    let request = client.get(base).build().map_err(answer::without_secrets)?;
    request::add_missing(&mut headers, request.headers());
    Ok((request.url().clone(), headers))
}

fn name_of(method: &Method) -> Name {
    match *method {
        Method::GET => "get".into(),
        Method::POST => "post".into(),
        Method::PUT => "put".into(),
        Method::DELETE => "delete".into(),
        Method::PATCH => "patch".into(),
        Method::HEAD => "head".into(),
        Method::OPTIONS => "options".into(),
        _ => method.as_str().to_ascii_lowercase().into(),
    }
}

/// Why work on the blocking pool has no result.
fn not_done(join: tokio::task::JoinError) -> Cause {
    match join.try_into_panic() {
        Ok(panic) => Cause::Panicked(panic_text(&*panic)),
        Err(_) => Cause::Closed,
    }
}
