//! What a body has to do with the running event loop, and with the context of its caller.

use nostall_catalog::{Api, ContextUse};
use nostall_model::Confidence;
use nostall_model::finding::Bond;

/// What a body does with the running loop, itself or through what it calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LoopUse {
    /// It asks for the running loop, or does what the loop's thread alone may do.
    asks: bool,
    /// It does, on some way, what fails while a loop runs: it runs one itself.
    runs: bool,
    /// It sets what holds in the context that it runs in.
    enters: bool,
    /// It undoes that.
    leaves: bool,
}

impl LoopUse {
    /// Says what keeps it on the loop's thread: a possible way counts. Who runs a loop where none runs knows of both, and who
    /// undoes what it sets leaves its caller's context alone.
    pub(super) fn bond(self) -> Option<Bond> {
        if self.asks && !self.runs {
            return Some(Bond::Loop);
        }
        (self.enters != self.leaves).then_some(Bond::Context)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.asks |= other.asks;
        self.runs |= other.runs;
        self.enters |= other.enters;
        self.leaves |= other.leaves;
    }

    /// Adds what an api does, where a loop runs.
    pub(super) fn add_api(&mut self, api: &Api, confidence: Confidence) {
        let is_likely = confidence >= Confidence::Likely;
        self.asks |= api.wants_loop_thread();
        self.enters |= is_likely && api.context == Some(ContextUse::Enters);
        self.leaves |= is_likely && api.context == Some(ContextUse::Leaves);
    }

    /// Adds what an api does, whether or not a loop runs there.
    pub(super) fn add_run(&mut self, api: &Api, confidence: Confidence) {
        self.runs |= api.panics && confidence >= Confidence::Likely;
    }

    /// Adds what a called body does.
    pub(super) fn add_called(&mut self, called: Self, confidence: Confidence) {
        let is_likely = confidence >= Confidence::Likely;
        let bond = called.bond();
        let changes_context = is_likely && called.enters != called.leaves;
        self.asks |= bond == Some(Bond::Loop);
        self.enters |= changes_context && called.enters;
        self.leaves |= changes_context && called.leaves;
        self.runs |= is_likely && called.runs;
    }
}
