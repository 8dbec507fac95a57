//! Lets operations in until the system shuts down, waits for those that are in, and breaks off those that stay.

#[cfg(any(feature = "database", feature = "http", feature = "redis"))]
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

#[cfg(any(feature = "database", feature = "http", feature = "redis"))]
use tokio_util::sync::CancellationToken;

use crate::sharded::Sharded;

/// One for the whole system; clones are the same gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Sharded<TaskTracker>>);

impl Gate {
    /// Lets an operation in: it is in until the token is dropped. `None` when the gate is closed.
    pub(crate) fn enter(&self) -> Option<TaskTrackerToken> {
        let tracker = self.0.here();
        // The token comes first: an operation that sees the gate open is one that `drain` waits for.
        let token = tracker.token();
        (!tracker.is_closed()).then_some(token)
    }

    /// Closes the gate and waits until nobody is in; answers how many were still in at the deadline.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        for tracker in self.0.iter() {
            tracker.close();
        }
        let all_out = async {
            for tracker in self.0.iter() {
                tracker.wait().await;
            }
        };
        match tokio::time::timeout(deadline, all_out).await {
            Ok(()) => 0,
            Err(_) => self.0.iter().map(TaskTracker::len).sum(),
        }
    }
}

/// Breaks off what is under way on a backend when it is closed; clones are the same.
#[cfg(any(feature = "database", feature = "http", feature = "redis"))]
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing(Arc<Sharded<CancellationToken>>);

#[cfg(any(feature = "database", feature = "http", feature = "redis"))]
impl Closing {
    /// Breaks off, and lets nothing begin any more.
    pub(crate) fn close(&self) {
        for token in self.0.iter() {
            token.cancel();
        }
    }

    /// Runs something to its end; `None` if it was broken off. It stays where it is pinned: futures of several kilobytes are not copied.
    pub(crate) async fn run<T>(&self, work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        self.0.here().run_until_cancelled(work).await
    }
}
