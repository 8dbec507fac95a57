//! One cache interface: a Redis server, or the memory of the process.
//!
//! Both keep bytes under keys that are text, and mean the same by each operation. What differs: memory is not shared with other
//! processes, is empty after a start, and drops what was used longest ago when it is full
//! ([`CacheOptions::memory_capacity`]), as a Redis server does only if it is told to.
//!
//! # Time-outs and cancellation
//! A command that was sent to Redis can't be called back. When time runs out or the future is dropped the server may still carry it
//! out, now or when it comes to itself again; so a `set` that was given up may arrive after another one that succeeded. The
//! connection goes on to serve the others: replies that nobody waits for are skipped. If nothing at all is heard on it for half of
//! a try's time-out or longer, the next operation opens a new one.
//!
//! # Retries
//! Operations that only read, set, remove or expire are tried again after any transient error. `incr`, and pipelines that add, or
//! that both read and write, are tried again only if it is certain that nothing was done: there was no connection, or the server
//! refused to begin (`LOADING`, `BUSY`, `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`, `READONLY`, too many clients).
//!
//! # What is left out
//! Commands that wait in the server, such as `BLPOP`, are not offered: connections are shared, and all who come after would wait
//! too. For what else Redis can do there is [`Cache::redis`]. Clusters are not known, only single servers.
//!
//! Servers older than Redis 6 need `?protocol=resp2` at the end of the URL. That version of the protocol does not tell when a
//! connection ends while it is not used; then an `incr` right after the server was started again fails once.

#[cfg(feature = "redis")]
mod connections;
mod errors;
#[cfg(feature = "redis")]
mod line;
mod memory;
mod options;
mod pipeline;
#[cfg(feature = "redis")]
mod server;
mod store;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "redis")]
pub use redis;

#[cfg(feature = "redis")]
pub use connections::RedisConnection;
#[cfg(feature = "redis")]
pub use errors::ConnectError;
#[cfg(feature = "redis")]
pub(crate) use errors::is_transient;
pub use errors::{UrlError, ValueError};
pub use options::CacheOptions;
use options::Ttl;
pub use pipeline::{Pipeline, Reply};
use store::Store;

use crate::error::{Cause, Name, Result};
use crate::policy::{Policy, Repeat};
use crate::stats::Kind;
use crate::system::Core;

/// For what would do harm if it were done twice.
const UNLESS_DONE: Repeat = Repeat::If(errors::nothing_was_done);

/// A cache. Clones are the same one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> nostall_probe::Result<()> {
/// use std::time::Duration;
/// use nostall_probe::IoSystem;
///
/// let io = IoSystem::builder().cache("memory:").build().await?;
/// let cache = io.cache()?;
/// cache.set("greeting", "hello", Some(Duration::from_secs(60))).await?;
/// assert_eq!(cache.get("greeting").await?.as_deref(), Some("hello"));
/// assert_eq!(cache.incr("visits", 1).await?, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Cache {
    shared: Arc<SharedParts>,
    name: Option<Name>,
}

struct SharedParts {
    policy: Policy,
    store: Store,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store knows the server's password.
        f.debug_struct("Cache")
            .field("policy", &self.shared.policy)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Cache {
    pub(crate) async fn connect(url: &str, options: CacheOptions, core: &Core) -> Result<Self> {
        let store = Store::open(url, &options)
            .await
            .map_err(|cause| Core::error(Kind::Cache, "connect", cause))?;
        let policy = core.policy(Kind::Cache, options.policy);
        Ok(Self {
            shared: Arc::new(SharedParts { policy, store }),
            name: None,
        })
    }

    #[allow(clippy::unused_async, reason = "all backends close in the same way")]
    pub(crate) async fn close(&self) {
        #[cfg(feature = "redis")]
        if let Store::Redis(redis) = &self.shared.store {
            redis.close();
        }
    }

    /// The same cache; its operations are counted under `name` instead of their methods' names.
    #[must_use]
    pub fn named(&self, name: impl Into<Name>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Some(name.into()),
        }
    }

    /// The limits under which its operations run.
    pub fn policy(&self) -> &Policy {
        &self.shared.policy
    }

    /// The connections, for commands that this interface lacks; `None` for a cache in memory.
    ///
    /// What is sent over them is neither limited nor counted, and has no time-out; run it in a [`Policy`]. Send no command that
    /// waits in the server (`BLPOP`), or that changes the state of the connection (`SELECT`, `SUBSCRIBE`, `WATCH`): others use it
    /// at the same time.
    ///
    /// ```no_run
    /// # async fn example(io: nostall_probe::IoSystem) -> nostall_probe::Result<()> {
    /// use nostall_probe::cache::redis::cmd;
    ///
    /// let connection = io.cache()?.redis().expect("the cache is a Redis server");
    /// let push = || {
    ///     let mut connection = connection.clone();
    ///     async move { cmd("LPUSH").arg("jobs").arg("one").query_async::<i64>(&mut connection).await }
    /// };
    /// let length = io.policy().run_once("push job", push()).await?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "redis")]
    pub fn redis(&self) -> Option<RedisConnection> {
        match &self.shared.store {
            Store::Redis(redis) => Some(redis.connection()),
            Store::Memory(_) => None,
        }
    }

    /// Reads text; `None` if there is no such key.
    ///
    /// # Errors
    /// [`ValueError::NotText`] if the value is not UTF-8, or as [`Policy::run`].
    ///
    /// # Cancellation
    /// Nothing changes.
    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        let get = || async { text(self.store().get(key).await?) };
        self.run("get", Repeat::Always, get).await
    }

    /// Reads bytes; `None` if there is no such key.
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// Nothing changes.
    pub async fn get_bytes(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let get = || self.store().get(key);
        self.run("get_bytes", Repeat::Always, get).await
    }

    /// Reads JSON; `None` if there is no such key.
    ///
    /// # Errors
    /// [`Cause::Json`] if the value is not JSON for a `T`, or as [`Policy::run`].
    ///
    /// # Cancellation
    /// Nothing changes.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let get = || async {
            let value = self.store().get(key).await?;
            let parsed = value.map(|value| serde_json::from_slice(&value));
            parsed.transpose().map_err(Cause::Json)
        };
        self.run("get_json", Repeat::Always, get).await
    }

    /// Reads several texts at one time, in the order of the keys; `None` for keys that are not there.
    ///
    /// # Errors
    /// [`ValueError::NotText`] if one of the values is not UTF-8, or as [`Policy::run`].
    ///
    /// # Cancellation
    /// Nothing changes.
    pub async fn mget<K: AsRef<str>>(&self, keys: &[K]) -> Result<Vec<Option<String>>> {
        let mget = || async {
            let values = self.store().mget(keys).await?;
            values.into_iter().map(text).collect()
        };
        self.run("mget", Repeat::Always, mget).await
    }

    /// How long a value will live, in whole milliseconds; `None` if it lives for ever, and also if there is no such key.
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// Nothing changes.
    pub async fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        let ttl = || self.store().ttl(key);
        self.run("ttl", Repeat::Always, ttl).await
    }

    /// Sets a value, with a time to live or for ever; it replaces value and time to live of before.
    ///
    /// The time to live counts in milliseconds, rounded up.
    ///
    /// # Errors
    /// [`ValueError::TtlOutOfRange`] for nothing or more than 100 years, or as [`Policy::run`].
    ///
    /// # Cancellation
    /// The value is the old or the new one. On Redis it may change later still, see [the module](self#time-outs-and-cancellation).
    pub async fn set(
        &self,
        key: &str,
        value: impl AsRef<[u8]>,
        ttl: Option<Duration>,
    ) -> Result<()> {
        self.set_as("set", key, value.as_ref(), ttl).await
    }

    /// Sets a value as JSON, with a time to live or for ever; as [`Cache::set`].
    ///
    /// # Errors
    /// [`Cause::Json`] if the value can't be told in JSON, or as [`Cache::set`].
    ///
    /// # Cancellation
    /// As [`Cache::set`].
    pub async fn set_json<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<()> {
        match serde_json::to_vec(value) {
            Ok(value) => self.set_as("set_json", key, &value, ttl).await,
            Err(error) => self.refuse("set_json", error).await,
        }
    }

    /// Removes values, and answers how many there were.
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// All, none, or in memory some of the values are gone. When a reply is lost and the operation is tried again, those that the
    /// first try removed are not counted.
    pub async fn del<K: AsRef<str>>(&self, keys: &[K]) -> Result<u64> {
        let del = || self.store().del(keys);
        self.run("del", Repeat::Always, del).await
    }

    /// Gives a value another time to live, and answers whether there is such a key.
    ///
    /// # Errors
    /// [`ValueError::TtlOutOfRange`] for nothing or more than 100 years, or as [`Policy::run`].
    ///
    /// # Cancellation
    /// The time to live is the old or the new one.
    pub async fn expire(&self, key: &str, ttl: Duration) -> Result<bool> {
        let ttl = match Ttl::new(ttl) {
            Ok(ttl) => ttl,
            Err(error) => return self.refuse("expire", error).await,
        };
        let expire = || self.store().expire(key, ttl);
        self.run("expire", Repeat::Always, expire).await
    }

    /// Adds to a whole number and answers the sum; a missing one counts as 0, an existing one keeps its time to live.
    ///
    /// # Errors
    /// [`ValueError::NotAnInteger`], [`ValueError::Overflow`], or as [`Policy::run`]; then the value is what it was. After other
    /// errors and time-outs of a Redis server it may have been added or not: it is tried again only if certainly not.
    ///
    /// # Cancellation
    /// It may have been added, once.
    pub async fn incr(&self, key: &str, by: i64) -> Result<i64> {
        let incr = || self.store().incr(key, by);
        self.run("incr", UNLESS_DONE, incr).await
    }

    /// Runs several commands, on Redis in one message, and answers the reply to each in their order.
    ///
    /// A command that fails is [`Reply::Failed`]; the others run nevertheless.
    ///
    /// # Errors
    /// [`ValueError::TtlOutOfRange`] if it holds such a command: then none runs. Or as [`Policy::run`], when there were no replies at
    /// all.
    ///
    /// # Cancellation
    /// Some of the commands may have run, of an atomic pipeline on Redis all or none. In memory dropping it ends it where it is.
    pub async fn pipeline(&self, pipeline: Pipeline) -> Result<Vec<Reply>> {
        if let Some(error) = pipeline.wrong {
            return self.refuse("pipeline", error).await;
        }
        let repeat = if pipeline.may_be_repeated() {
            Repeat::Always
        } else {
            UNLESS_DONE
        };
        let run = || self.store().pipeline(&pipeline);
        self.run("pipeline", repeat, run).await
    }

    async fn set_as(
        &self,
        method: &'static str,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<()> {
        let ttl = match Ttl::optional(ttl) {
            Ok(ttl) => ttl,
            Err(error) => return self.refuse(method, error).await,
        };
        let set = || self.store().set(key, value, ttl);
        self.run(method, Repeat::Always, set).await
    }

    fn store(&self) -> &Store {
        &self.shared.store
    }

    async fn run<T, F, Fut>(&self, method: &'static str, repeat: Repeat, operation: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Cause>>,
    {
        let policy = &self.shared.policy;
        policy.run_as(self.name_of(method), repeat, operation).await
    }

    /// Counts an operation that fails before it begins.
    async fn refuse<T>(&self, method: &'static str, cause: impl Into<Cause>) -> Result<T> {
        let cause = cause.into();
        let refused = async { Err::<T, _>(cause) };
        self.shared
            .policy
            .run_once(self.name_of(method), refused)
            .await
    }

    fn name_of(&self, method: &'static str) -> Name {
        self.name.clone().unwrap_or(Name::Borrowed(method))
    }
}

fn text(value: Option<Vec<u8>>) -> Result<Option<String>, Cause> {
    let text = value.map(String::from_utf8).transpose();
    text.map_err(|error| ValueError::from(error).into())
}
