//! Which idle connections are taken without being asked whether they still work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::options::DatabaseOptions;

/// Remembers when a connection last broke: those that lay idle at that time may be broken too, for a server that goes down takes
/// all of them along.
#[derive(Debug)]
pub(super) struct Trust {
    limit: Option<Duration>,
    since: Instant,
    /// Nanoseconds from `since`; 0 if none broke yet.
    broken_at: AtomicU64,
}

impl Trust {
    pub(super) fn of(options: &DatabaseOptions) -> Arc<Self> {
        Arc::new(Self::new(options.test_after_idle))
    }

    /// Doubts connections that were idle for `limit` or longer; none at all without a limit.
    fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            since: Instant::now(),
            broken_at: AtomicU64::new(0),
        }
    }

    /// A connection broke just now.
    pub(super) fn shaken(&self) {
        self.broken_at.fetch_max(self.now(), Ordering::Relaxed);
    }

    /// Whether a connection that was idle for so long is to be asked.
    pub(super) fn doubts(&self, idle_for: Duration) -> bool {
        let Some(limit) = self.limit else {
            return false;
        };
        let idle = u64::try_from(idle_for.as_nanos()).unwrap_or(u64::MAX);
        let idle_since = self.now().saturating_sub(idle);
        idle_for >= limit || idle_since <= self.broken_at.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_long_rest_or_a_break_since_leaves_doubt() {
        let trust = Trust::new(Some(500 * MS));
        tokio::time::advance(1000 * MS).await;
        assert!(!trust.doubts(499 * MS));
        assert!(trust.doubts(500 * MS));
        trust.shaken();
        tokio::time::advance(10 * MS).await;
        assert!(trust.doubts(11 * MS), "idle when it broke");
        assert!(!trust.doubts(9 * MS), "has answered since");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_doubted_and_with_none_all() {
        let (never, always) = (Trust::new(None), Trust::new(Some(Duration::ZERO)));
        tokio::time::advance(1000 * MS).await;
        never.shaken();
        assert!(!never.doubts(1000 * MS));
        assert!(always.doubts(Duration::ZERO));
    }
}
