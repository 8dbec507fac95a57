//! How many connections are needed: as many as were wanted at once of late.
//!
//! A rule that looks only at how many are idle now would close connections under a steady load, whenever several come back
//! together, and open them again at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Counts who wants, has or gives back a connection, and the most of them in this window of time and the one before.
#[derive(Debug)]
pub(super) struct Demand {
    window: Duration,
    since: Instant,
    /// Which window `peak` is of, counted from `since`.
    number: AtomicU64,
    wanted: AtomicU32,
    peak: AtomicU32,
    peak_before: AtomicU32,
}

impl Demand {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window: window.max(Duration::from_millis(1)),
            since: Instant::now(),
            number: AtomicU64::new(0),
            wanted: AtomicU32::new(0),
            peak: AtomicU32::new(0),
            peak_before: AtomicU32::new(0),
        }
    }

    /// A connection is wanted, until the answer is dropped. That takes in the time until it is opened, and the round trip with which
    /// it comes back.
    pub(super) fn want(self: &Arc<Self>) -> Wanted {
        let wanted = self.wanted.fetch_add(1, Ordering::Relaxed) + 1;
        self.turn(wanted);
        self.peak.fetch_max(wanted, Ordering::Relaxed);
        Wanted(Arc::clone(self))
    }

    /// How many connections are needed.
    pub(super) fn needed(&self) -> u32 {
        self.turn(self.wanted.load(Ordering::Relaxed));
        let before = self.peak_before.load(Ordering::Relaxed);
        self.peak.load(Ordering::Relaxed).max(before)
    }

    /// Begins a new window when the old one is over.
    fn turn(&self, wanted: u32) {
        let windows = self.since.elapsed().as_nanos() / self.window.as_nanos();
        let now = u64::try_from(windows).unwrap_or(u64::MAX);
        let number = self.number.load(Ordering::Relaxed);
        if now == number {
            return;
        }
        let turned =
            self.number
                .compare_exchange(number, now, Ordering::Relaxed, Ordering::Relaxed);
        if turned.is_ok() {
            let peak = self.peak.swap(wanted, Ordering::Relaxed);
            // After a window in which nothing happened the old peak is of long ago.
            let before = if now == number + 1 { peak } else { wanted };
            self.peak_before.store(before, Ordering::Relaxed);
        }
    }
}

/// Somebody who wants, has or gives back a connection.
#[derive(Debug)]
pub(super) struct Wanted(Arc<Demand>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peak_counts_for_one_to_two_windows() {
        let demand = Arc::new(Demand::new(Duration::from_secs(10)));
        let again = || {
            let _wanted = demand.want();
            demand.needed()
        };
        let mut wanted: Vec<_> = (0..6).map(|_| demand.want()).collect();
        while wanted.len() > 1 {
            assert_eq!(demand.needed(), 6);
            wanted.pop();
        }
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(again(), 6);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(again(), 2, "one is still wanted, and one more was");
        wanted.extend((0..3).map(|_| demand.want()));
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(again(), 5, "four are still wanted, and one more was");
    }
}
