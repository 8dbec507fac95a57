//! The cache in the memory of the process: moka, with what Redis promises about keys, whole numbers and times to live.
//!
//! moka orders single calls only, but `incr` and `expire` read and then write, and some operations have many keys. So each key
//! belongs to one of a fixed number of locks, which writing holds. Reading does without: it looks whether an operation on several
//! keys ran meanwhile, whose half it may have seen, and only then waits for the lock.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use moka::policy::EvictionPolicy;
use tokio::sync::{Mutex, MutexGuard};

use super::ValueError;
use super::options::{CacheOptions, Ttl};
use super::pipeline::{Command, Pipeline, Reply};

/// Enough that operations on different keys seldom meet.
const LOCKS: usize = 64;

/// What an entry costs beside its key and its value, in bytes.
const BOOK_KEEPING: usize = 200;

/// Values by key.
pub(super) struct Memory {
    entries: Entries,
    locks: [Lock; LOCKS],
    hasher: RandomState,
}

impl Memory {
    pub(super) fn new(options: &CacheOptions) -> Self {
        Self {
            entries: Entries::new(options.memory_capacity),
            locks: std::array::from_fn(|_| Lock::default()),
            hasher: RandomState::new(),
        }
    }

    pub(super) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        Some(self.find(key).await?.value.to_vec())
    }

    pub(super) async fn mget<K: AsRef<str>>(&self, keys: &[K]) -> Vec<Option<Vec<u8>>> {
        let _held = self.hold_all(keys.iter().map(AsRef::as_ref)).await;
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(self.entries.get(key.as_ref()).await);
        }
        values
    }

    pub(super) async fn ttl(&self, key: &str) -> Option<Duration> {
        let expires_at = self.find(key).await?.expires_at?;
        let left = expires_at.saturating_duration_since(Instant::now());
        Some(whole_millis(left))
    }

    pub(super) async fn set(&self, key: &str, value: &[u8], ttl: Option<Ttl>) {
        let _held = self.hold(key).await;
        self.entries.set(key, value, ttl).await;
    }

    pub(super) async fn del<K: AsRef<str>>(&self, keys: &[K]) -> u64 {
        let _held = self.hold_all(keys.iter().map(AsRef::as_ref)).await;
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.entries.del(key.as_ref()).await);
        }
        removed
    }

    pub(super) async fn incr(&self, key: &str, by: i64) -> Result<i64, ValueError> {
        let _held = self.hold(key).await;
        self.entries.incr(key, by).await
    }

    pub(super) async fn expire(&self, key: &str, ttl: Ttl) -> bool {
        let _held = self.hold(key).await;
        self.entries.expire(key, ttl).await
    }

    pub(super) async fn pipeline(&self, pipeline: &Pipeline) -> Vec<Reply> {
        let keys = pipeline.commands.iter().map(Command::key);
        let _held = match pipeline.atomic {
            true => Some(self.hold_all(keys).await),
            false => None,
        };
        let mut replies = Vec::with_capacity(pipeline.commands.len());
        for command in &pipeline.commands {
            let _held = match pipeline.atomic {
                true => None,
                false => Some(self.hold(command.key()).await),
            };
            replies.push(self.entries.run(command).await);
        }
        replies
    }

    async fn find(&self, key: &str) -> Option<Entry> {
        let lock = &self.locks[self.lock_of(key)];
        if let Some(before) = lock.quiet() {
            let entry = self.entries.find(key).await;
            if lock.quiet() == Some(before) {
                return entry;
            }
        }
        let _held = lock.mutex.lock().await;
        self.entries.find(key).await
    }

    async fn hold(&self, key: &str) -> MutexGuard<'_, ()> {
        self.locks[self.lock_of(key)].mutex.lock().await
    }

    /// The locks of several keys, each once, in one order for everybody, so that no two operations wait for each other.
    async fn hold_all<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Held<'_>> {
        let mut needed: Vec<_> = keys.map(|key| self.lock_of(key)).collect();
        needed.sort_unstable();
        needed.dedup();
        let mut held = Vec::with_capacity(needed.len());
        for lock in needed {
            held.push(self.locks[lock].hold_for_many().await);
        }
        held
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the remainder is below the number of locks"
    )]
    fn lock_of(&self, key: &str) -> usize {
        (self.hasher.hash_one(key) % LOCKS as u64) as usize
    }
}

/// The lock of some of the keys.
#[derive(Default)]
struct Lock {
    mutex: Mutex<()>,
    /// Odd while an operation on several keys holds the lock.
    turns: AtomicU64,
}

impl Lock {
    /// A number that stays the same for as long as no operation on several keys holds the lock; `None` while one does.
    fn quiet(&self) -> Option<u64> {
        let turns = self.turns.load(Ordering::SeqCst);
        turns.is_multiple_of(2).then_some(turns)
    }

    async fn hold_for_many(&self) -> Held<'_> {
        let guard = self.mutex.lock().await;
        self.turns.fetch_add(1, Ordering::SeqCst);
        Held {
            turns: &self.turns,
            _guard: guard,
        }
    }
}

/// A lock that an operation on several keys holds.
struct Held<'a> {
    turns: &'a AtomicU64,
    // Dropped after the turn has ended.
    _guard: MutexGuard<'a, ()>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
    }
}

/// The entries themselves. Who writes holds the lock of the key.
struct Entries(Cache<String, Entry>);

#[derive(Clone)]
struct Entry {
    value: Arc<[u8]>,
    expires_at: Option<Instant>,
}

impl Entries {
    fn new(capacity: u64) -> Self {
        let cache = Cache::builder()
            .max_capacity(capacity)
            .weigher(weight)
            // What was written last is the last to go. moka's default would rather drop it than a key that is read often.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(AtItsTime)
            .build();
        Self(cache)
    }

    /// An entry whose time has not come yet.
    async fn find(&self, key: &str) -> Option<Entry> {
        let entry = self.0.get(key).await?;
        entry.is_alive().then_some(entry)
    }

    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        Some(self.find(key).await?.value.to_vec())
    }

    async fn set(&self, key: &str, value: &[u8], ttl: Option<Ttl>) {
        let expires_at = ttl.map(expiry);
        self.put(key, value, expires_at).await;
    }

    async fn put(&self, key: &str, value: impl Into<Arc<[u8]>>, expires_at: Option<Instant>) {
        let value = value.into();
        let entry = Entry { value, expires_at };
        self.0.insert(key.to_owned(), entry).await;
    }

    async fn del(&self, key: &str) -> bool {
        self.0
            .remove(key)
            .await
            .is_some_and(|entry| entry.is_alive())
    }

    async fn incr(&self, key: &str, by: i64) -> Result<i64, ValueError> {
        let (number, expires_at) = match self.find(key).await {
            Some(entry) => (whole_number(&entry.value)?, entry.expires_at),
            None => (0, None),
        };
        let sum = number.checked_add(by).ok_or(ValueError::Overflow)?;
        self.put(key, sum.to_string().into_bytes(), expires_at)
            .await;
        Ok(sum)
    }

    async fn expire(&self, key: &str, ttl: Ttl) -> bool {
        let Some(entry) = self.find(key).await else {
            return false;
        };
        self.put(key, entry.value, Some(expiry(ttl))).await;
        true
    }

    async fn run(&self, command: &Command) -> Reply {
        match command {
            Command::Get { key } => Reply::Get(self.get(key).await),
            Command::Set { key, value, ttl } => {
                self.set(key, value, *ttl).await;
                Reply::Set
            }
            Command::Del { key } => Reply::Del(self.del(key).await),
            Command::Incr { key, by } => match self.incr(key, *by).await {
                Ok(sum) => Reply::Incr(sum),
                Err(error) => Reply::Failed(error.into()),
            },
            Command::Expire { key, ttl } => Reply::Expire(self.expire(key, *ttl).await),
        }
    }
}

impl Entry {
    fn is_alive(&self) -> bool {
        self.expires_at.is_none_or(|at| at > Instant::now())
    }
}

fn expiry(ttl: Ttl) -> Instant {
    Instant::now() + ttl.as_duration()
}

/// Tells moka when an entry goes.
struct AtItsTime;

impl Expiry<String, Entry> for AtItsTime {
    fn expire_after_create(&self, _: &String, entry: &Entry, now: Instant) -> Option<Duration> {
        Some(entry.expires_at?.saturating_duration_since(now))
    }

    fn expire_after_update(
        &self,
        key: &String,
        entry: &Entry,
        now: Instant,
        _before: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, now)
    }
}

#[allow(clippy::ptr_arg, reason = "moka hands out the key as it is kept")]
fn weight(key: &String, entry: &Entry) -> u32 {
    let bytes = key.len() + entry.value.len() + BOOK_KEEPING;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Reads a number as Redis does: only the one way in which it would write it, so no plus, no leading zeros, no spaces.
fn whole_number(text: &[u8]) -> Result<i64, ValueError> {
    let text = std::str::from_utf8(text).map_err(|_| ValueError::NotAnInteger)?;
    let number: i64 = text.parse().map_err(|_| ValueError::NotAnInteger)?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(ValueError::NotAnInteger)
    }
}

/// Redis tells the time left in milliseconds.
fn whole_millis(time: Duration) -> Duration {
    Duration::new(time.as_secs(), time.subsec_millis() * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_redis_reads_them() {
        for number in [i64::MIN, -1, 0, 7, i64::MAX] {
            assert_eq!(whole_number(number.to_string().as_bytes()), Ok(number));
        }
        for text in [
            "",
            "+1",
            "01",
            "-0",
            " 1",
            "1 ",
            "1.0",
            "9223372036854775808",
            "x",
        ] {
            let number = whole_number(text.as_bytes());
            assert_eq!(number, Err(ValueError::NotAnInteger), "{text:?}");
        }
        assert_eq!(whole_number(b"\xff"), Err(ValueError::NotAnInteger));
    }
}
