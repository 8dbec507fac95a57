//! Counts operations: how many, how they ended, how long they took and waited, per kind and per name.
//!
//! Latencies are kept in histograms with two significant digits, from 1 µs to 1 hour; longer ones count as 1 hour. An operation's
//! latency is what its caller waited for: places, tries and pauses included.

#[cfg(feature = "metrics")]
mod exporter;
mod names;
mod series;
mod snapshot;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::error::Name;
use crate::sharded::Apart;
use names::Names;
use series::Levels;
pub(crate) use series::{Call, Series};
pub use snapshot::{Figures, KindFigures, NameFigures, Percentiles, Snapshot};

/// What an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// The database pool.
    Database,
    /// The cache.
    Cache,
    /// The HTTP client.
    Http,
    /// Files below the root.
    Files,
    /// Blocking work handed to [`crate::IoSystem::offload`].
    Offload,
    /// Operations of one's own.
    Own,
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Database,
        Self::Cache,
        Self::Http,
        Self::Files,
        Self::Offload,
        Self::Own,
    ];

    /// The kind as one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Http => "http",
            Self::Files => "files",
            Self::Offload => "offload",
            Self::Own => "own",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many names of one kind are counted each for itself; further ones are counted together as [`OTHER_NAMES`].
pub const MAX_NAMES: usize = 256;

/// The name under which operations are counted once [`MAX_NAMES`] names of their kind are known.
pub const OTHER_NAMES: &str = "(other names)";

/// Counts what runs. Clones count into the same place.
#[derive(Clone, Debug)]
pub struct Stats(Arc<Registry>);

#[derive(Debug)]
struct Registry {
    since: Instant,
    in_flight: Arc<Apart<Levels>>,
    names: [Names; Kind::ALL.len()],
}

impl Default for Stats {
    fn default() -> Self {
        Self(Arc::new(Registry {
            since: Instant::now(),
            in_flight: Arc::default(),
            names: Default::default(),
        }))
    }
}

impl Stats {
    /// Counts and times one future as an operation of one's own; an `Err` counts as an error.
    ///
    /// # Cancellation
    /// Dropping it drops the future; it counts as cancelled.
    pub async fn observe<T, E, F>(&self, name: impl Into<Name>, operation: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let series = self.series(Kind::Own, &name.into());
        let call = series.begin(Instant::now());
        let result = operation.await;
        match &result {
            Ok(_) => call.succeeded(),
            Err(_) => call.failed(false),
        }
        result
    }

    /// All figures at this moment.
    pub fn snapshot(&self) -> Snapshot {
        snapshot::take(&self.0)
    }

    /// A snapshot now and then one each `every`, for live display. A reader that is late misses snapshots, never gets old ones.
    ///
    /// # Panics
    /// If `every` is zero, or outside a tokio runtime.
    pub fn stream(&self, every: Duration) -> impl Stream<Item = Snapshot> + Send + use<> {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        futures_util::stream::unfold((self.clone(), ticks), |(stats, mut ticks)| async move {
            ticks.tick().await;
            let snapshot = stats.snapshot();
            Some((snapshot, (stats, ticks)))
        })
    }

    pub(crate) fn series(&self, kind: Kind, name: &Name) -> &Arc<Series> {
        let Registry {
            in_flight, names, ..
        } = &*self.0;
        let make = |name| Series::new(kind, name, Arc::clone(in_flight));
        names[kind as usize].get_or_add(name, make)
    }
}
