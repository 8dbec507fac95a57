//! An operation that is handed out to its caller, such as a transaction: it keeps its place until it is ended or dropped.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{Began, Policy, after, next_pause};
use crate::error::{Cause, Error, Name, Result};
use crate::stats::{Call, Series};

/// In flight from [`Policy::hold`] until it is ended. Dropped without an end, it counts as an error if a step of it failed, else
/// as cancelled.
pub(crate) struct Held {
    policy: Policy,
    call: Option<Call<Arc<Series>>>,
    series: Arc<Series>,
    name: Name,
    at: Instant,
    tries: u32,
    pauses: ExponentialBackoff,
    failed: Option<Failed>,
    _place: OwnedSemaphorePermit,
    _inside: TaskTrackerToken,
}

/// How a step failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    timed_out: bool,
    /// Whether another try may help.
    pub(crate) transient: bool,
}

impl Policy {
    /// Begins an operation that is handed out. Its first try has begun.
    pub(crate) async fn hold(&self, name: Name) -> Result<Held> {
        let mut began = Began::now(&self.0, name);
        let inside = self.0.gate.enter();
        let mut call = began.series.begin_owned(began.at);
        let Some(inside) = inside else {
            return Err(began.failed(call, 0, Cause::Closed));
        };
        let place = match began.place_to_keep(&self.0.places).await {
            Ok(place) => place,
            Err(cause) => return Err(began.failed(call, 0, cause)),
        };
        call.waited(began.wait());
        Ok(Held {
            policy: self.clone(),
            call: Some(call),
            at: began.at,
            name: began.name,
            series: Arc::clone(began.series),
            tries: 1,
            pauses: self.0.options.retry.backoff().build(),
            failed: None,
            _place: place,
            _inside: inside,
        })
    }
}

impl Held {
    /// Runs one step, bounded by the time-out of a try and by the deadline of the whole.
    pub(crate) async fn step<T>(
        &mut self,
        step: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        let time_out = self.policy.options().time_out;
        let until = after(Instant::now(), time_out);
        let result = if until < self.deadline() {
            timeout_at(until, step)
                .await
                .unwrap_or(Err(Cause::TimedOut { limit: time_out }))
        } else {
            self.until_deadline(step).await
        };
        if let Err(cause) = &result {
            self.note(cause);
        }
        result
    }

    /// Runs something that is bounded by the deadline alone.
    pub(crate) async fn until_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        timeout_at(self.deadline(), work)
            .await
            .unwrap_or_else(|_| Err(self.out_of_time()))
    }

    pub(crate) fn deadline(&self) -> Instant {
        after(self.at, self.policy.options().deadline)
    }

    pub(crate) fn out_of_time(&self) -> Cause {
        let limit = self.policy.options().deadline;
        Cause::TimedOut { limit }
    }

    /// Remembers that something failed, for the case that the operation is dropped now.
    pub(crate) fn note(&mut self, cause: &Cause) {
        self.failed = Some(Failed {
            timed_out: cause.is_time_out(),
            transient: cause.is_transient(),
        });
    }

    /// How the last failed step of this try failed.
    pub(crate) fn last_failure(&self) -> Option<Failed> {
        self.failed
    }

    /// How long to wait before the next try; `None` if there is none left, or no time for it.
    pub(crate) fn next_try(&mut self) -> Option<Duration> {
        let deadline = self.deadline();
        let pause = next_pause(&mut self.pauses, Duration::ZERO, deadline)?;
        self.tries += 1;
        self.failed = None;
        self.series.retried();
        Some(pause)
    }

    /// The error of a step; the operation goes on.
    pub(crate) fn error(&self, cause: Cause) -> Error {
        Error::new(
            self.policy.0.kind,
            self.name.clone(),
            self.tries,
            self.at.elapsed(),
            cause,
        )
    }

    /// Ends the operation with a failure.
    pub(crate) fn failed(mut self, cause: Cause) -> Error {
        self.note(&cause);
        self.error(cause)
    }

    /// Ends the operation with an error that was made before.
    pub(crate) fn failed_with(mut self, error: Error) -> Error {
        self.note(error.cause());
        error
    }

    /// Ends the operation with success.
    pub(crate) fn succeeded(mut self) {
        if let Some(call) = self.call.take() {
            call.succeeded();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(call), Some(failed)) = (self.call.take(), self.failed) {
            call.failed(failed.timed_out);
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("name", self.series.name())
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}
