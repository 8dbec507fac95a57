//! What of all that was found is shown: what was asked for, what marks and thresholds hide, and what is told as one.

use std::collections::BTreeMap;

use nostall_model::finding::Place;
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{Context, FileId, Role, RuleId, Stats};

use crate::analyse::Analysis;
use crate::rules::{self, Draft, Writer};
use crate::together::{AtPlace, together};

impl Analysis<'_> {
    /// What is told as one finding each; counts what is not told at all.
    pub(crate) fn told_together<'d>(
        &self,
        drafts: &'d [Draft],
        stats: &mut Stats,
    ) -> Vec<Vec<AtPlace<'d>>> {
        let places = self.by_place(drafts).into_values();
        let judged = places.filter_map(|drafts| self.judge_place(&drafts, stats));
        together(self.program, judged.collect())
    }

    /// The drafts that are looked at, by place: a file that is mounted twice has each place once.
    fn by_place<'d>(&self, drafts: &'d [Draft]) -> BTreeMap<(Place, RuleId), Vec<&'d Draft>> {
        let mut places: BTreeMap<(Place, RuleId), Vec<&Draft>> = BTreeMap::new();
        for draft in drafts.iter().filter(|draft| self.is_looked_at(draft)) {
            let place = (draft.place, draft.family());
            places.entry(place).or_default().push(draft);
        }
        places
    }

    /// Rules, marks and thresholds act before the choice of what to show.
    fn judge_place<'d>(&self, drafts: &[&'d Draft], stats: &mut Stats) -> Option<AtPlace<'d>> {
        let on = drafts
            .iter()
            .copied()
            .filter(|draft| self.settings.of(draft.place.file).is_on(draft.rule.id));
        let on: Vec<&Draft> = on.collect();
        if on.is_empty() {
            stats.hidden_by_rule += 1;
            return None;
        }
        let candidates: Vec<&Draft> = on
            .into_iter()
            .filter(|draft| !self.is_suppressed(draft))
            .collect();
        let Some(worst_of_all) = worst(&candidates) else {
            stats.suppressed += 1;
            return None;
        };
        let visible: Vec<&Draft> = candidates
            .into_iter()
            .filter(|draft| self.is_visible(draft))
            .collect();
        Some(AtPlace {
            worst: worst(&visible).unwrap_or(worst_of_all),
            visible,
        })
    }

    /// A path filters by the call, by the entry and by each hop: a helper that blocks from now on is found where it is.
    pub(crate) fn is_asked_for(&self, writer: &Writer<'_>, draft: &Draft) -> bool {
        let asked = |file: FileId| self.program.sources.get(file).role == Role::Report;
        if self.settings.of(draft.place.file).excluded {
            return false;
        }
        let entry = writer.runs[draft.body.index()].entry;
        let on_the_way = || {
            draft.way().is_some_and(|(_, effect)| {
                let steps = writer.steps(draft.body, effect);
                let mut calls = steps.iter().map(|(_, step)| step.call);
                calls.any(|call| asked(self.program.file_of_call(call)))
            })
        };
        asked(draft.place.file) || asked(self.program.file(entry)) || on_the_way()
    }

    /// Says whether a body is part of what is looked at: tests are where it is said so, and where they were named.
    pub(crate) fn counts(&self, body: ProgramBody) -> bool {
        let file = self.program.file(body);
        let settings = self.settings.of(file);
        let tests = settings
            .tests
            .unwrap_or(settings.named && self.test_files.contains(&file));
        self.program.is_present(body, tests)
    }

    fn is_looked_at(&self, draft: &Draft) -> bool {
        self.counts(draft.body)
    }

    /// Says whether a draft is shown, alone or among others.
    pub(crate) fn is_visible(&self, draft: &Draft) -> bool {
        let settings = self.settings.of(draft.place.file);
        self.is_looked_at(draft)
            && settings.is_on(draft.rule.id)
            && draft.risk >= settings.min_risk
            && draft.confidence >= settings.min_confidence
            && !self.is_suppressed(draft)
    }

    pub(crate) fn is_suppressed(&self, draft: &Draft) -> bool {
        self.suppressions.covers(
            draft.rule.id,
            self.program.sources,
            draft.place.file,
            draft.statement,
        )
    }

    /// A mark at a call outside async code takes it out of all ways that lead through it.
    pub(crate) fn is_cut(&self, call: ProgramCall, blocking: &crate::sinks::Blocking) -> bool {
        let body = self.program.body_of_call(call);
        if self.program.resolved(body).context == Context::Async {
            return false;
        }
        let rule = rules::by_category(blocking.category).id;
        let (_, record) = self.program.call(call);
        let file = self.program.file_of_call(call);
        self.settings.of(file).is_on(rule)
            && self
                .suppressions
                .covers(rule, self.program.sources, file, record.statement)
    }
}

/// The draft that a finding speaks of: the highest risk, then the surest, then the shortest way.
fn worst<'d>(drafts: &[&'d Draft]) -> Option<&'d Draft> {
    let key = |draft: &Draft| {
        (
            draft.risk,
            draft.confidence,
            std::cmp::Reverse(draft.hops()),
            std::cmp::Reverse(draft.order()),
        )
    };
    drafts.iter().copied().max_by_key(|draft| key(draft))
}
