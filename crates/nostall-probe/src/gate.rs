//! Lets operations in until the system shuts down, and waits for those that are in.

use std::time::Duration;

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// One for the whole system; clones are the same gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(TaskTracker);

impl Gate {
    /// Lets an operation in: it is in until the token is dropped. `None` when the gate is closed.
    pub(crate) fn enter(&self) -> Option<TaskTrackerToken> {
        // The token comes first: an operation that sees the gate open is one that `drain` waits for.
        let token = self.0.token();
        (!self.0.is_closed()).then_some(token)
    }

    /// Closes the gate and waits until nobody is in; answers how many were still in at the deadline.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        self.0.close();
        match tokio::time::timeout(deadline, self.0.wait()).await {
            Ok(()) => 0,
            Err(_) => self.0.len(),
        }
    }
}
