//! The counters behind one name, and the guard that makes sure that each operation is counted once, however it ends.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Kind;
use crate::error::Name;
use crate::sharded::{Apart, Sharded};

/// Longer times count as this long.
const LONGEST_US: u64 = 3_600_000_000;

/// Significant digits of a time.
const DIGITS: u8 = 2;

/// Counters of one name.
#[derive(Debug)]
pub(crate) struct Series {
    kind: Kind,
    name: Name,
    levels: Arc<Apart<Levels>>,
    in_flight: Apart<InFlight>,
    pub(super) tallies: Sharded<Tally>,
    #[cfg(feature = "metrics")]
    exported: super::exporter::Exported,
}

/// What ended, and how. Together, not one of them alone, they are the name's.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) latency: Times,
    pub(super) waits: Times,
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

/// Who is in flight in a system; together, because all of its operations write here.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) kinds: [InFlight; Kind::ALL.len()],
    pub(super) system: InFlight,
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

/// A histogram of microseconds, which grows with the longest.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Less than a microsecond, as most waits are.
    none: AtomicU64,
    others: Mutex<Option<Histogram<u64>>>,
}

impl Times {
    fn record(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(LONGEST_US);
        if time == 0 {
            self.none.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = others
            .get_or_insert_with(|| Histogram::new(DIGITS).expect("a possible number of digits"));
        let recorded = histogram.record(time.min(LONGEST_US));
        recorded.expect("it grows up to an hour");
    }

    pub(super) fn add_to(&self, sum: &mut Histogram<u64>) {
        let none = sum.record_n(0, self.none.load(Ordering::Relaxed));
        none.expect("zero is within the bounds");
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = &*others {
            sum.add(histogram).expect("an hour is within the bounds");
        }
    }
}

/// A histogram that holds any time.
pub(super) fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("the bounds are in order")
}

impl Series {
    pub(super) fn new(kind: Kind, name: Name, levels: Arc<Apart<Levels>>) -> Arc<Self> {
        Arc::new(Self {
            #[cfg(feature = "metrics")]
            exported: super::exporter::Exported::new(kind, &name),
            kind,
            name,
            levels,
            in_flight: Apart::default(),
            tallies: Sharded::default(),
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

    pub(super) fn in_flight(&self) -> &InFlight {
        &self.in_flight.0
    }

    /// What an operation of this name is counted in while it is in flight.
    fn levels(&self) -> [&InFlight; 3] {
        let Apart(Levels { kinds, system }) = &*self.levels;
        [self.in_flight(), &kinds[self.kind as usize], system]
    }

    fn enter(&self) {
        for level in self.levels() {
            level.enter();
        }
        #[cfg(feature = "metrics")]
        self.exported.began();
    }

    fn leave(&self) {
        for level in self.levels() {
            level.leave();
        }
    }

    /// Counts a try that follows a failed one.
    pub(crate) fn retried(&self) {
        let counts = &self.tallies.here().counts;
        counts.retries.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        self.exported.retried();
    }

    /// Begins work on the blocking pool: it is counted when the answer is dropped, also by a panic.
    pub(crate) fn offload(&self) -> Offload<'_> {
        Offload {
            counts: &self.tallies.here().counts,
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
        self.series.tallies.here().waits.record(wait);
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
        let Tally {
            counts, latency, ..
        } = series.tallies.here();
        latency.record(took);
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
        series.leave();
    }
}
