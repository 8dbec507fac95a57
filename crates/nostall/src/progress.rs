//! A line that says how far a run is: on a terminal only, and only when the run is long.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nostall_engine::analyse::Progress;

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows progress.
pub(crate) struct Shown {
    bar: Option<ProgressBar>,
    begun: Instant,
}

impl Shown {
    pub(crate) fn new(quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        Self {
            bar: visible.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())),
            begun: Instant::now(),
        }
    }

    /// Takes note of a step.
    pub(crate) fn step(&self, progress: Progress) {
        let Some(bar) = &self.bar else { return };
        if self.begun.elapsed() < PATIENCE {
            return;
        }
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg} {pos}/{len} {wide_bar}") {
                bar.set_style(style);
            }
        }
        match progress {
            Progress::Extracted { done, total } => {
                bar.set_message("reading");
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            Progress::Resolving => bar.set_message("resolving"),
            Progress::Reporting => bar.set_message("reporting"),
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
