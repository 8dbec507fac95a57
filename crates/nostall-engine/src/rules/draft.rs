//! What checks find before thresholds and marks decide.

use nostall_model::finding::{Place, RiskReason, Rule};
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{Confidence, Risk, RuleId, Span};

use super::Check;
use crate::summary::Effect;

/// A finding before thresholds, with what decides among several at one place.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Who found it, and writes it.
    pub(crate) check: &'static dyn Check,
    pub(crate) rule: &'static Rule,
    pub(crate) risk: Risk,
    pub(crate) reasons: Vec<RiskReason>,
    pub(crate) confidence: Confidence,
    pub(crate) body: ProgramBody,
    pub(crate) place: Place,
    pub(crate) statement: Span,
    pub(crate) subject: Subject,
}

/// What a draft is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A way from a call to what blocks.
    Way(ProgramCall, Effect),
    /// Something of the check's own, by its number there.
    Item(usize),
}

impl Draft {
    /// The way to what blocks, for those that are about one.
    pub(crate) fn way(&self) -> Option<(ProgramCall, Effect)> {
        match self.subject {
            Subject::Way(call, effect) => Some((call, effect)),
            Subject::Item(_) => None,
        }
    }

    /// How long the way to what it is about is.
    pub(crate) fn hops(&self) -> u16 {
        self.way().map_or(0, |(_, effect)| effect.hops)
    }

    /// A number by which equals are told apart, the same in each run.
    pub(crate) fn order(&self) -> usize {
        match self.subject {
            Subject::Way(_, effect) => effect.sink.0 as usize,
            Subject::Item(number) => number,
        }
    }

    /// Drafts of one check at one place become one finding: its first rule stands for the check.
    pub(crate) fn family(&self) -> RuleId {
        self.check.rules()[0].id
    }
}
