//! What rules find before thresholds and marks decide, and how it is written down.

use nostall_catalog::{Api, ApiId, Catalog};
use nostall_model::finding::{Finding, Place, RiskReason};
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{Confidence, Risk, RuleId, Span};

use super::{await_holding_lock, blocking};
use crate::contexts::Runs;
use crate::held::Held;
use crate::program::Program;
use crate::startup::Startup;
use crate::summary::{Basis, Effect, Summaries};

/// A finding before thresholds, with what decides among several at one place.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) rule: RuleId,
    pub(crate) risk: Risk,
    pub(crate) reasons: Vec<RiskReason>,
    pub(crate) confidence: Confidence,
    pub(crate) body: ProgramBody,
    pub(crate) place: Place,
    pub(crate) statement: Span,
    pub(crate) matter: Matter,
}

/// What a draft is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matter {
    /// A call blocks.
    Blocks(ProgramCall, Effect),
    /// A guard lives over an await: its place in [`Held::over_awaits`].
    Holds(usize),
}

impl Draft {
    /// How long the way to what it is about is.
    pub(crate) fn hops(&self) -> u16 {
        match self.matter {
            Matter::Blocks(_, effect) => effect.hops,
            Matter::Holds(_) => 0,
        }
    }

    /// A number by which equals are told apart, the same in each run.
    pub(crate) fn order(&self) -> usize {
        match self.matter {
            Matter::Blocks(_, effect) => effect.sink.0 as usize,
            Matter::Holds(index) => index,
        }
    }

    /// Drafts at one place that are about the same thing become one finding.
    pub(crate) fn family(&self) -> u8 {
        match self.matter {
            Matter::Blocks(..) => 0,
            Matter::Holds(_) => 1,
        }
    }
}

/// Runs all rules.
pub(crate) fn find(
    basis: Basis<'_>,
    summaries: &mut Summaries,
    runs: &[Runs],
    startup: &Startup,
    held: &Held,
) -> Vec<Draft> {
    let mut drafts = blocking::find(basis, summaries, runs, startup);
    drafts.extend(await_holding_lock::find(basis, runs, held));
    drafts
}

/// What a finding is written with.
pub(crate) struct Writer<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) summaries: &'a Summaries,
    pub(crate) runs: &'a [Runs],
    pub(crate) held: &'a Held,
}

impl Writer<'_> {
    /// Writes the finding for one place: the worst draft, the others' apis beside it.
    pub(crate) fn finding(&self, worst: &Draft, others: &[&Draft]) -> Finding {
        match worst.matter {
            Matter::Blocks(call, effect) => self.blocking(worst, call, effect, others),
            Matter::Holds(index) => self.holding(worst, &self.held.over_awaits[index]),
        }
    }

    /// Where the code around a draft begins to run on the executor.
    pub(super) fn entry_place(&self, body: ProgramBody) -> Place {
        Place {
            file: self.program.file(body),
            span: self.program.body(body).name_span,
        }
    }

    pub(super) fn place(&self, call: ProgramCall) -> Place {
        place(self.program, call)
    }

    pub(super) fn api_path(&self, effect: Effect) -> String {
        let api = ApiId(self.summaries.sink(effect.sink).api);
        spoken_path(self.catalog.api(api), &self.callee_text(effect.call)).to_owned()
    }

    /// The callee as written.
    pub(super) fn callee_text(&self, call: ProgramCall) -> String {
        let place = self.place(call);
        let text = &self.program.sources.get(place.file).text;
        let written = text.get(place.span.range()).unwrap_or_default();
        written.split_whitespace().collect::<Vec<_>>().join("")
    }
}

/// The path to speak of where an entry stands for callables of several names: the one that ends like what is written.
fn spoken_path<'a>(api: &'a Api, written: &str) -> &'a str {
    let last = |path: &'a str| path.rsplit([':', '.']).next().unwrap_or(path);
    let name = written.rsplit([':', '.']).next().unwrap_or(written);
    let mut others = api.also.iter().map(|path| &**path);
    match others.find(|path| last(path) == name) {
        Some(other) if last(&api.path) != name => other,
        _ => &api.path,
    }
}

/// The place of a call: its callee's name as written.
pub(super) fn place(program: &Program<'_>, call: ProgramCall) -> Place {
    Place {
        file: program.file_of_call(call),
        span: program.call(call).1.name_span,
    }
}
