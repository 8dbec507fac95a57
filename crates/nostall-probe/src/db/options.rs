//! The numbers of a database pool.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;

use super::trust::Trust;
use crate::policy::PolicyOptions;

/// Numbers of a database pool.
///
/// SQLite in memory ignores all about the pool: it has exactly one connection, which lives as long as the pool, because the data
/// lives in it.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// How many connections are kept for the next operations. At least 1.
    pub size: u32,
    /// How many more may be opened while all others are in use.
    pub overflow: u32,
    /// How long more connections than `size` are kept after they were last all in use: for this long, and at the most twice as
    /// long. After that they are closed as they come back.
    pub overflow_linger: Duration,
    /// How long a try may wait for a connection, to be opened or to come back, before it fails with
    /// [`sqlx::Error::PoolTimedOut`]. Longer than nine tenths of the policy's time-out counts as that much, so that it is the pool
    /// that says what was missing.
    pub acquire_time_out: Duration,
    /// A connection that was unused for longer than this is asked whether it still works before it is used: one round trip, for
    /// which one that the server closed meanwhile is replaced without an error. Once a connection broke, those that lay idle at
    /// that time are asked in any case. `Duration::ZERO` asks always, `None` never.
    pub test_after_idle: Option<Duration>,
    /// A connection older than this is replaced when it comes back.
    pub max_lifetime: Option<Duration>,
    /// A connection unused for this long is closed.
    pub idle_time_out: Option<Duration>,
    /// Limits of operations. At most `size + overflow` are in flight at once: more would only wait elsewhere.
    pub policy: PolicyOptions,
}

impl Default for DatabaseOptions {
    /// Ten connections and ten more: measured on two cores, 20 were faster than 50.
    fn default() -> Self {
        Self {
            size: 10,
            overflow: 10,
            overflow_linger: Duration::from_secs(10),
            acquire_time_out: Duration::from_secs(5),
            // Each connection has answered when it was given back, so only a longer rest leaves doubt.
            test_after_idle: Some(Duration::from_millis(500)),
            max_lifetime: Some(Duration::from_secs(30 * 60)),
            idle_time_out: Some(Duration::from_secs(10 * 60)),
            policy: PolicyOptions::default(),
        }
    }
}

impl DatabaseOptions {
    /// The numbers of a database that lives in its one connection.
    #[cfg(feature = "sqlite")]
    pub(super) fn single(self) -> Self {
        Self {
            size: 1,
            overflow: 0,
            max_lifetime: None,
            idle_time_out: None,
            ..self
        }
    }

    pub(super) fn kept(&self) -> u32 {
        self.size.max(1)
    }

    pub(super) fn max_connections(&self) -> u32 {
        self.kept().saturating_add(self.overflow)
    }

    pub(super) fn policy(&self) -> PolicyOptions {
        let max_connections = usize::try_from(self.max_connections()).unwrap_or(usize::MAX);
        PolicyOptions {
            max_in_flight: self.policy.max_in_flight.min(max_connections),
            ..self.policy.clone()
        }
    }

    /// The settings of a pool that tests its connections by `trust`.
    pub(super) fn pool<D: sqlx::Database>(&self, trust: &Arc<Trust>) -> sqlx::pool::PoolOptions<D> {
        let trust = Arc::clone(trust);
        let acquire = self.acquire_time_out.min(self.policy.time_out * 9 / 10);
        sqlx::pool::PoolOptions::new()
            .max_connections(self.max_connections())
            .acquire_timeout(acquire)
            .test_before_acquire(false)
            .before_acquire(move |connection: &mut D::Connection, metadata| {
                let trust = Arc::clone(&trust);
                Box::pin(async move {
                    if trust.doubts(metadata.idle_for) {
                        connection.ping().await.inspect_err(|_| trust.shaken())?;
                    }
                    Ok(true)
                })
            })
            .max_lifetime(self.max_lifetime)
            .idle_timeout(self.idle_time_out)
    }
}
