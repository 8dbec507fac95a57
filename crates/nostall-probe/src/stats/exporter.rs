//! Hands each operation to the recorder of the `metrics` crate.
//!
//! The handles are made when a name is first used: install the recorder before that.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use super::Kind;
use super::series::Outcome;
use crate::error::Name;

/// The handles of one name.
pub(super) struct Exported {
    ended: [Counter; OUTCOMES.len()],
    retries: Counter,
    in_flight: Gauge,
    latency: Histogram,
    waits: Histogram,
}

const OUTCOMES: [Outcome; 4] = [
    Outcome::Ok,
    Outcome::Error,
    Outcome::TimedOut,
    Outcome::Cancelled,
];

impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exported").finish_non_exhaustive()
    }
}

impl Exported {
    pub(super) fn new(kind: Kind, name: &Name) -> Self {
        let labels = [
            ("kind", kind.as_str().to_owned()),
            ("name", name.to_string()),
        ];
        Self {
            ended: OUTCOMES.map(|outcome| {
                let [kind, name] = labels.clone();
                let labels = [kind, name, ("outcome", outcome.as_str().to_owned())];
                metrics::counter!("nostall_operations_total", &labels)
            }),
            retries: metrics::counter!("nostall_retries_total", &labels),
            in_flight: metrics::gauge!("nostall_in_flight", &labels),
            latency: metrics::histogram!("nostall_operation_seconds", &labels),
            waits: metrics::histogram!("nostall_pool_wait_seconds", &labels),
        }
    }

    pub(super) fn began(&self) {
        self.in_flight.increment(1.0);
    }

    pub(super) fn retried(&self) {
        self.retries.increment(1);
    }

    pub(super) fn waited(&self, wait: Duration) {
        self.waits.record(wait);
    }

    pub(super) fn ended(&self, outcome: Outcome, took: Duration) {
        self.ended[outcome as usize].increment(1);
        self.in_flight.decrement(1.0);
        self.latency.record(took);
    }
}
