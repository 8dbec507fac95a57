//! One façade over all backends.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::error::{Cause, Name, Result};
use crate::gate::Gate;
use crate::gather::{self, Gathered};
use crate::policy::{Policy, PolicyOptions};
use crate::stats::{Kind, Snapshot, Stats};

#[cfg(feature = "cache")]
use crate::cache::{Cache, CacheOptions};
#[cfg(feature = "database")]
use crate::db::{Database, DatabaseOptions};
#[cfg(feature = "files")]
use crate::files::{Files, FilesOptions};
#[cfg(feature = "http")]
use crate::http::{Http, HttpOptions};

/// Database, cache, HTTP and files behind one set of limits and statistics. Clones are the same system.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> nostall_probe::Result<()> {
/// use nostall_probe::IoSystem;
///
/// let io = IoSystem::builder().database("sqlite::memory:").build().await?;
/// let (answer,): (i64,) = io.database()?.fetch_one("SELECT 6 * ?", &[7.into()]).await?;
/// assert_eq!(answer, 42);
/// io.shutdown(std::time::Duration::from_secs(1)).await;
/// # Ok(()) }
/// # #[cfg(not(feature = "sqlite"))] fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct IoSystem {
    core: Core,
    offload: Policy,
    own: Policy,
    #[cfg(feature = "database")]
    database: Option<Database>,
    #[cfg(feature = "cache")]
    cache: Option<Cache>,
    #[cfg(feature = "http")]
    http: Option<Http>,
    #[cfg(feature = "files")]
    files: Option<Files>,
}

/// What all parts of a system share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Core {
    pub(crate) stats: Stats,
    pub(crate) gate: Gate,
}

impl Core {
    /// Makes the policy of one kind.
    pub(crate) fn policy(&self, kind: Kind, options: PolicyOptions) -> Policy {
        Policy::within(kind, options, self.stats.clone(), self.gate.clone())
    }

    /// An error of building or looking up a part.
    #[cfg(any(
        feature = "database",
        feature = "cache",
        feature = "http",
        feature = "files"
    ))]
    pub(crate) fn error(
        kind: Kind,
        name: impl Into<Name>,
        cause: impl Into<Cause>,
    ) -> crate::Error {
        crate::Error::new(kind, name, 0, Duration::ZERO, cause.into())
    }
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// Operations that were still running at the deadline. Their connections are closed under them; they end in errors.
    pub abandoned: usize,
}

/// How long connections may take to close.
#[cfg(feature = "database")]
const GOODBYE: Duration = Duration::from_secs(5);

impl IoSystem {
    /// Begins to build a system. Without further calls it has no backend, only policies, statistics and the blocking pool.
    pub fn builder() -> IoSystemBuilder {
        IoSystemBuilder::default()
    }

    /// The database pool.
    ///
    /// # Errors
    /// [`Cause::NotConfigured`] if the builder was given none.
    #[cfg(feature = "database")]
    pub fn database(&self) -> Result<&Database> {
        configured(self.database.as_ref(), Kind::Database)
    }

    /// The cache.
    ///
    /// # Errors
    /// [`Cause::NotConfigured`] if the builder was given none.
    #[cfg(feature = "cache")]
    pub fn cache(&self) -> Result<&Cache> {
        configured(self.cache.as_ref(), Kind::Cache)
    }

    /// The HTTP client.
    ///
    /// # Errors
    /// [`Cause::NotConfigured`] if the builder was given none.
    #[cfg(feature = "http")]
    pub fn http(&self) -> Result<&Http> {
        configured(self.http.as_ref(), Kind::Http)
    }

    /// The files below the root.
    ///
    /// # Errors
    /// [`Cause::NotConfigured`] if the builder was given no root.
    #[cfg(feature = "files")]
    pub fn files(&self) -> Result<&Files> {
        configured(self.files.as_ref(), Kind::Files)
    }

    /// The policy of operations of one's own.
    pub fn policy(&self) -> &Policy {
        &self.own
    }

    /// Runs blocking work that has no async twin on the blocking pool. See [`Policy::offload`].
    ///
    /// # Errors
    /// As [`Policy::offload`].
    pub async fn offload<T, E, F>(&self, name: impl Into<Name>, work: F) -> Result<T>
    where
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Cause> + Send + 'static,
    {
        self.offload.offload(name, work).await
    }

    /// Counts and times a future of one's own. See [`Stats::observe`].
    ///
    /// # Errors
    /// The future's own.
    pub async fn observe<T, E, F>(&self, name: impl Into<Name>, operation: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.core.stats.observe(name, operation).await
    }

    /// Runs many operations at once. See [`gather()`](gather::gather()).
    pub async fn gather<I, F, T, E>(&self, items: I, limit: usize) -> Gathered<T, E>
    where
        I: IntoIterator<Item = F>,
        F: Future<Output = Result<T, E>>,
    {
        gather::gather(items, limit).await
    }

    /// What was counted.
    pub fn stats(&self) -> &Stats {
        &self.core.stats
    }

    /// All figures at this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.core.stats.snapshot()
    }

    /// Refuses new operations, waits up to `deadline` for those in flight, then closes all connections.
    ///
    /// Closing the connections takes at most five seconds more; a second call finds everything closed.
    pub async fn shutdown(&self, deadline: Duration) -> Shutdown {
        let abandoned = self.core.gate.drain(deadline).await;
        #[cfg(feature = "database")]
        if let Some(database) = &self.database {
            // The pool is closed from the first moment on; what is waited for is that connections say goodbye.
            let _ = tokio::time::timeout(GOODBYE, database.close()).await;
        }
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.cache {
            cache.close().await;
        }
        #[cfg(feature = "http")]
        if let Some(http) = &self.http {
            http.close();
        }
        Shutdown { abandoned }
    }
}

#[cfg(any(
    feature = "database",
    feature = "cache",
    feature = "http",
    feature = "files"
))]
fn configured<T>(part: Option<&T>, kind: Kind) -> Result<&T> {
    part.ok_or_else(|| Core::error(kind, "look up", Cause::NotConfigured(kind)))
}

/// Says which backends a system has, and under which limits. `Debug` shows no URLs: they may hold passwords.
#[derive(Default)]
pub struct IoSystemBuilder {
    offload: Option<PolicyOptions>,
    own: Option<PolicyOptions>,
    #[cfg(feature = "database")]
    database: Option<(String, DatabaseOptions)>,
    #[cfg(feature = "cache")]
    cache: Option<(String, CacheOptions)>,
    #[cfg(feature = "http")]
    http: Option<(String, HttpOptions)>,
    #[cfg(feature = "files")]
    files: Option<(std::path::PathBuf, FilesOptions)>,
}

impl fmt::Debug for IoSystemBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoSystemBuilder").finish_non_exhaustive()
    }
}

impl IoSystemBuilder {
    /// A database by its URL: `postgres://`, `mysql://` or `sqlite:`, as far as the features go.
    #[cfg(feature = "database")]
    #[must_use]
    pub fn database(self, url: impl Into<String>) -> Self {
        self.database_with(url, DatabaseOptions::default())
    }

    /// A database with other numbers than the default ones.
    #[cfg(feature = "database")]
    #[must_use]
    pub fn database_with(mut self, url: impl Into<String>, options: DatabaseOptions) -> Self {
        self.database = Some((url.into(), options));
        self
    }

    /// A cache by its URL: `redis://` with feature `redis`, or `memory:`.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache(self, url: impl Into<String>) -> Self {
        self.cache_with(url, CacheOptions::default())
    }

    /// A cache with other numbers than the default ones.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache_with(mut self, url: impl Into<String>, options: CacheOptions) -> Self {
        self.cache = Some((url.into(), options));
        self
    }

    /// An HTTP client; relative URLs are joined to `base_url`.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http(self, base_url: impl Into<String>) -> Self {
        self.http_with(base_url, HttpOptions::default())
    }

    /// An HTTP client with other numbers than the default ones.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http_with(mut self, base_url: impl Into<String>, options: HttpOptions) -> Self {
        self.http = Some((base_url.into(), options));
        self
    }

    /// Files below a folder, which must exist.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn files(self, root: impl Into<std::path::PathBuf>) -> Self {
        self.files_with(root, FilesOptions::default())
    }

    /// Files with other numbers than the default ones.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn files_with(
        mut self,
        root: impl Into<std::path::PathBuf>,
        options: FilesOptions,
    ) -> Self {
        self.files = Some((root.into(), options));
        self
    }

    /// The limits of [`IoSystem::offload`]; by default 64 at once.
    #[must_use]
    pub fn offload_policy(mut self, options: PolicyOptions) -> Self {
        self.offload = Some(options);
        self
    }

    /// The limits of [`IoSystem::policy`].
    #[must_use]
    pub fn own_policy(mut self, options: PolicyOptions) -> Self {
        self.own = Some(options);
        self
    }

    /// Connects the backends.
    ///
    /// # Errors
    /// The first backend that can't be reached, or whose URL is not understood.
    pub async fn build(self) -> Result<IoSystem> {
        let core = Core::default();
        let offload = self.offload.unwrap_or_else(|| PolicyOptions {
            max_in_flight: 64,
            ..PolicyOptions::default()
        });
        Ok(IoSystem {
            offload: core.policy(Kind::Offload, offload),
            own: core.policy(Kind::Own, self.own.unwrap_or_default()),
            #[cfg(feature = "database")]
            database: match self.database {
                Some((url, options)) => Some(Database::connect(&url, options, &core).await?),
                None => None,
            },
            #[cfg(feature = "cache")]
            cache: match self.cache {
                Some((url, options)) => Some(Cache::connect(&url, options, &core).await?),
                None => None,
            },
            #[cfg(feature = "http")]
            http: match self.http {
                Some((base_url, options)) => Some(Http::connect(&base_url, options, &core).await?),
                None => None,
            },
            #[cfg(feature = "files")]
            files: match self.files {
                Some((root, options)) => Some(Files::open(root, options, &core).await?),
                None => None,
            },
            core,
        })
    }
}
