//! What a body has to do with the running event loop.

use nostall_catalog::Api;
use nostall_model::Confidence;

/// What a body does with the running loop, itself or through what it calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LoopUse {
    /// It asks for the running loop, or does what the loop's thread alone may do.
    asks: bool,
    /// It does, on some way, what fails while a loop runs: it runs one itself.
    runs: bool,
}

impl LoopUse {
    /// Says whether it may work on the loop's thread alone: a possible way counts. Who runs a loop where none runs knows of both.
    pub(super) fn is_needed(self) -> bool {
        self.asks && !self.runs
    }

    pub(super) fn add(&mut self, other: Self) {
        self.asks |= other.asks;
        self.runs |= other.runs;
    }

    /// Adds what an api does, where a loop runs.
    pub(super) fn add_api(&mut self, api: &Api) {
        self.asks |= api.wants_loop_thread();
    }

    /// Adds what an api does, whether or not a loop runs there.
    pub(super) fn add_run(&mut self, api: &Api, confidence: Confidence) {
        self.runs |= api.panics && confidence >= Confidence::Likely;
    }

    /// Adds what a called body does.
    pub(super) fn add_called(&mut self, called: Self, confidence: Confidence) {
        self.asks |= called.is_needed();
        self.runs |= called.runs && confidence >= Confidence::Likely;
    }
}
