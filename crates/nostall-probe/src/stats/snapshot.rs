//! Figures at one moment, as plain data.

use std::sync::atomic::Ordering;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::series::{InFlight, Series, Tally, empty_histogram};
use super::{Kind, Registry};
use crate::sharded::Apart;

/// All figures at one moment. Operations go on while it is taken, so figures of different names may be of slightly different moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Milliseconds since counting began.
    pub uptime_ms: u64,
    /// Everything together.
    pub total: Figures,
    /// Per kind that was used.
    pub kinds: Vec<KindFigures>,
    /// Per name that was used, by kind and name.
    pub names: Vec<NameFigures>,
}

impl Snapshot {
    /// The figures of one kind; all zero when it was not used.
    pub fn kind(&self, kind: Kind) -> Figures {
        let found = self.kinds.iter().find(|entry| entry.kind == kind);
        found.map(|entry| entry.figures.clone()).unwrap_or_default()
    }

    /// The figures of one name; all zero when it was not used.
    pub fn name(&self, kind: Kind, name: &str) -> Figures {
        let mut names = self.names.iter();
        let found = names.find(|entry| entry.kind == kind && entry.name == name);
        found.map(|entry| entry.figures.clone()).unwrap_or_default()
    }
}

/// Figures of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KindFigures {
    /// The kind.
    pub kind: Kind,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NameFigures {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Counts and times. `operations` is `ok + errors + cancelled`: what has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Figures {
    /// Operations that ended, however they did.
    pub operations: u64,
    /// Ended in success.
    pub ok: u64,
    /// Ended in an error, time-outs included.
    pub errors: u64,
    /// Dropped by their caller before they ended.
    pub cancelled: u64,
    /// Further tries after failed ones.
    pub retries: u64,
    /// Errors for want of time.
    pub time_outs: u64,
    /// Operations that never left the executor.
    pub async_operations: u64,
    /// Operations that were handed to the blocking pool, however they ended.
    pub offloaded_operations: u64,
    /// `async_operations / operations`; 1 when there were none.
    pub async_ratio: f64,
    /// Mean time that work took on the blocking pool, in milliseconds; work that outlives its operation counts when it ends.
    pub mean_offload_ms: f64,
    /// Begun and not ended.
    pub in_flight: u64,
    /// The most that were in flight at once.
    pub in_flight_max: u64,
    /// From the call to its end.
    pub latency: Percentiles,
    /// From the call until it had its place, or began on the blocking pool.
    pub pool_wait: Percentiles,
}

/// Milliseconds, to within 1 % or 1 µs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Percentiles {
    /// Half were not longer.
    pub p50_ms: f64,
    /// Nine in ten were not longer.
    pub p90_ms: f64,
    /// 99 in a hundred were not longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Reads all counters.
pub(super) fn take(registry: &Registry) -> Snapshot {
    let Apart(in_flight) = &*registry.in_flight;
    let mut total = Sum::default();
    let mut kinds = Vec::new();
    let mut names = Vec::new();
    for kind in Kind::ALL {
        let mut series: Vec<_> = registry.names[kind as usize].iter().collect();
        series.sort_by(|a, b| a.name().cmp(b.name()));
        let mut sum = Sum::default();
        for &series in &series {
            let mut own = Sum::default();
            for sum in [&mut own, &mut sum, &mut total] {
                sum.add(series);
            }
            let name = series.name().to_string();
            let figures = own.figures(series.in_flight());
            names.push(NameFigures {
                kind,
                name,
                figures,
            });
        }
        if !series.is_empty() {
            let figures = sum.figures(&in_flight.kinds[kind as usize]);
            kinds.push(KindFigures { kind, figures });
        }
    }
    Snapshot {
        uptime_ms: u64::try_from(registry.since.elapsed().as_millis()).unwrap_or(u64::MAX),
        total: total.figures(&in_flight.system),
        kinds,
        names,
    }
}

/// Counters added up.
struct Sum {
    figures: Figures,
    offloads: u64,
    offloads_us: u64,
    latency: Histogram<u64>,
    waits: Histogram<u64>,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            figures: Figures::default(),
            offloads: 0,
            offloads_us: 0,
            latency: empty_histogram(),
            waits: empty_histogram(),
        }
    }
}

impl Sum {
    fn add(&mut self, series: &Series) {
        for tally in series.tallies.iter() {
            self.add_tally(tally);
        }
    }

    fn add_tally(&mut self, tally: &Tally) {
        let counts = &tally.counts;
        let figures = &mut self.figures;
        let load = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        figures.ok += load(&counts.ok);
        figures.errors += load(&counts.errors);
        figures.cancelled += load(&counts.cancelled);
        figures.retries += load(&counts.retries);
        figures.time_outs += load(&counts.time_outs);
        figures.offloaded_operations += load(&counts.offloaded);
        self.offloads += load(&counts.offloads);
        self.offloads_us += load(&counts.offloads_us);
        tally.latency.add_to(&mut self.latency);
        tally.waits.add_to(&mut self.waits);
    }

    fn figures(mut self, in_flight: &InFlight) -> Figures {
        let figures = &mut self.figures;
        figures.operations = figures.ok + figures.errors + figures.cancelled;
        figures.async_operations = figures
            .operations
            .saturating_sub(figures.offloaded_operations);
        figures.async_ratio = ratio(figures.async_operations, figures.operations, 1.0);
        figures.mean_offload_ms = ratio(self.offloads_us, self.offloads, 0.0) / 1000.0;
        figures.in_flight = in_flight.now();
        figures.in_flight_max = in_flight.max();
        figures.latency = percentiles(&self.latency);
        figures.pool_wait = percentiles(&self.waits);
        self.figures
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a ratio needs no more than 52 bits"
)]
fn ratio(part: u64, whole: u64, of_nothing: f64) -> f64 {
    if whole == 0 {
        return of_nothing;
    }
    part as f64 / whole as f64
}

fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    let ms = |us: u64| ratio(us, 1000, 0.0);
    Percentiles {
        p50_ms: ms(histogram.value_at_quantile(0.5)),
        p90_ms: ms(histogram.value_at_quantile(0.9)),
        p99_ms: ms(histogram.value_at_quantile(0.99)),
        max_ms: ms(histogram.max()),
    }
}
