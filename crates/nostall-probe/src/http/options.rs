//! Numbers of the HTTP client.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::policy::PolicyOptions;

/// Numbers of the HTTP client.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Limits, times and retries of the operations.
    pub policy: PolicyOptions,
    /// How many operations may run at once for one host and port. The others wait in order without keeping places from other
    /// hosts. At least 1.
    pub max_in_flight_per_host: usize,
    /// How long a connection may take to be made. The default outlives two lost packets.
    pub connect_time_out: Duration,
    /// How many connections without a request are kept per host.
    pub max_idle_per_host: usize,
    /// How long a connection without a request is kept. Best shorter than what the servers allow.
    pub idle_time_out: Duration,
    /// How many bytes the body of an answer may have.
    pub max_body: usize,
    /// How many redirects are followed, 0 for none. Only those within one scheme, host and port are followed.
    pub max_redirects: usize,
    /// Headers of each request to the scheme, host and port of the base URL; other hosts do not get them.
    pub headers: HeaderMap,
    /// Statuses that another try may mend. By default 408, 425, 429, 502, 503 and 504: they say that the request was not worked on,
    /// or only that somebody on the way is unwell. 500 is not among them: mostly it is a mistake that the next try meets again.
    pub retry_statuses: Vec<StatusCode>,
    /// Whether `http_proxy` and its like are obeyed. Off by default: between services a proxy from the environment is a surprise.
    pub proxy_from_environment: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            policy: PolicyOptions::default(),
            max_in_flight_per_host: 100,
            connect_time_out: Duration::from_secs(5),
            max_idle_per_host: 100,
            idle_time_out: Duration::from_secs(30),
            max_body: 16 * 1024 * 1024,
            max_redirects: 5,
            headers: HeaderMap::new(),
            retry_statuses: vec![
                StatusCode::REQUEST_TIMEOUT,
                StatusCode::TOO_EARLY,
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::GATEWAY_TIMEOUT,
            ],
            proxy_from_environment: false,
        }
    }
}
