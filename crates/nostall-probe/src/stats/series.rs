//! The counters behind one name, and the guard that makes sure that each operation is counted once, however it ends.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Kind;
use crate::error::Name;

/// Longer times count as this long.
const LONGEST_US: u64 = 3_600_000_000;

/// Counters of one name.
#[derive(Debug)]
pub(crate) struct Series {
    name: Name,
    pub(super) totals: Arc<Totals>,
    pub(super) in_flight: InFlight,
    pub(super) counts: Counts,
    pub(super) latency: Times,
    pub(super) waits: Times,
    #[cfg(feature = "metrics")]
    exported: super::exporter::Exported,
}

/// How operations ended.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) ok: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) time_outs: AtomicU64,
    pub(super) offloaded: AtomicU64,
    pub(super) offloads: AtomicU64,
    pub(super) offloads_us: AtomicU64,
}

/// What all names of a kind share.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) in_flight: InFlight,
    system: Arc<InFlight>,
}

impl Totals {
    pub(super) fn new(system: Arc<InFlight>) -> Self {
        Self {
            in_flight: InFlight::default(),
            system,
        }
    }
}

/// How many are in flight, and how many were at the most.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    now: AtomicU64,
    max: AtomicU64,
}

impl InFlight {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        if now > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(now, Ordering::Relaxed);
        }
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(super) fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }
}

/// A histogram of microseconds.
#[derive(Debug)]
pub(super) struct Times(Mutex<Histogram<u64>>);

impl Default for Times {
    fn default() -> Self {
        Self(Mutex::new(empty_histogram()))
    }
}

impl Times {
    fn record(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(LONGEST_US);
        let mut histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        histogram.saturating_record(time.min(LONGEST_US));
    }

    pub(super) fn add_to(&self, sum: &mut Histogram<u64>) {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sum.add(&*histogram)
            .expect("both histograms have the same bounds");
    }
}

/// A histogram with the bounds that all of ours have.
pub(super) fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 2).expect("the bounds are in order")
}

impl Series {
    pub(super) fn new(kind: Kind, name: Name, totals: Arc<Totals>) -> Arc<Self> {
        #[cfg(not(feature = "metrics"))]
        let _ = kind;
        Arc::new(Self {
            #[cfg(feature = "metrics")]
            exported: super::exporter::Exported::new(kind, &name),
            name,
            totals,
            in_flight: InFlight::default(),
            counts: Counts::default(),
            latency: Times::default(),
            waits: Times::default(),
        })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// Begins an operation: it is in flight until the answer is ended or dropped.
    pub(crate) fn begin(&self, now: Instant) -> Call<&Self> {
        Call::begin(self, now)
    }

    /// As [`Series::begin`], for an operation that is handed out to its caller.
    #[cfg(feature = "database")]
    pub(crate) fn begin_owned(self: &Arc<Self>, now: Instant) -> Call<Arc<Self>> {
        Call::begin(Arc::clone(self), now)
    }

    fn enter(&self) {
        self.in_flight.enter();
        self.totals.in_flight.enter();
        self.totals.system.enter();
        #[cfg(feature = "metrics")]
        self.exported.began();
    }

    /// Counts a try that follows a failed one.
    pub(crate) fn retried(&self) {
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        self.exported.retried();
    }

    /// Begins work on the blocking pool: it is counted when the answer is dropped, also by a panic.
    pub(crate) fn offload(&self) -> Offload<'_> {
        Offload {
            counts: &self.counts,
            started: Instant::now(),
        }
    }
}

/// Work that runs on the blocking pool.
#[derive(Debug)]
pub(crate) struct Offload<'a> {
    counts: &'a Counts,
    started: Instant,
}

impl Drop for Offload<'_> {
    fn drop(&mut self) {
        let us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(LONGEST_US);
        self.counts.offloads.fetch_add(1, Ordering::Relaxed);
        self.counts.offloads_us.fetch_add(us, Ordering::Relaxed);
    }
}

/// One operation in flight. Dropped without an end, it counts as cancelled.
#[derive(Debug)]
pub(crate) struct Call<S: Deref<Target = Series>> {
    series: S,
    started: Instant,
    outcome: Outcome,
    offloaded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Error,
    TimedOut,
    Cancelled,
}

impl Outcome {
    #[cfg(feature = "metrics")]
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

impl<S: Deref<Target = Series>> Call<S> {
    fn begin(series: S, started: Instant) -> Self {
        series.enter();
        Self {
            series,
            started,
            outcome: Outcome::Cancelled,
            offloaded: false,
        }
    }

    /// Counts how long the operation waited before it could begin.
    pub(crate) fn waited(&mut self, wait: Duration) {
        self.series.waits.record(wait);
        #[cfg(feature = "metrics")]
        self.series.exported.waited(wait);
    }

    /// Counts the operation as one of the blocking pool.
    pub(crate) fn handed_over(&mut self) {
        self.offloaded = true;
    }

    pub(crate) fn succeeded(mut self) {
        self.outcome = Outcome::Ok;
    }

    pub(crate) fn failed(mut self, timed_out: bool) {
        self.outcome = if timed_out {
            Outcome::TimedOut
        } else {
            Outcome::Error
        };
    }
}

impl<S: Deref<Target = Series>> Drop for Call<S> {
    fn drop(&mut self) {
        let series = &*self.series;
        let took = self.started.elapsed();
        series.latency.record(took);
        let counts = &series.counts;
        let count = match self.outcome {
            Outcome::Ok => &counts.ok,
            Outcome::Error | Outcome::TimedOut => &counts.errors,
            Outcome::Cancelled => &counts.cancelled,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if self.outcome == Outcome::TimedOut {
            counts.time_outs.fetch_add(1, Ordering::Relaxed);
        }
        if self.offloaded {
            counts.offloaded.fetch_add(1, Ordering::Relaxed);
        }
        #[cfg(feature = "metrics")]
        series.exported.ended(self.outcome, took);
        series.in_flight.leave();
        series.totals.in_flight.leave();
        series.totals.system.leave();
    }
}
