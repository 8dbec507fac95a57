//! What a run shows: findings written, sorted and held against the baseline, and what was counted on the way.

use std::collections::{BTreeMap, BTreeSet};

use nostall_catalog::Origin;
use nostall_model::facts::CallKind;
use nostall_model::finding::{Place, Repair, UnresolvedCall};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Context, Finding, Role, Stats};

use crate::analyse::{Analysis, Answers};
use crate::contexts::Runs;
use crate::repairs;
use crate::rules::Writer;
use crate::together::AtPlace;

/// What a run found, as it is shown.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) findings: Vec<Finding>,
    /// What thresholds hide, where a baseline may know of it.
    hidden: Vec<Finding>,
    pub(crate) repairs: Vec<Repair>,
    pub(crate) unresolved: Vec<UnresolvedCall>,
    pub(crate) stats: Stats,
}

impl Analysis<'_> {
    /// Writes what is shown, and counts the rest.
    pub(crate) fn outcome(&self, answers: &Answers) -> Outcome {
        let mut outcome = Outcome::default();
        let writer = self.writer(answers);
        for group in self.told_together(&answers.drafts, &mut outcome.stats) {
            self.report_together(&writer, &group, &mut outcome);
        }
        self.finish(&mut outcome);
        outcome.repairs = repairs::find(self, answers, &outcome.findings);
        self.count_calls(&answers.runs, &mut outcome);
        outcome.stats.idle_entries = self.idle_entries();
        outcome
    }

    /// Writes one finding for places that belong together, or counts them as hidden.
    fn report_together(&self, writer: &Writer<'_>, group: &[AtPlace<'_>], outcome: &mut Outcome) {
        let Some((first, others)) = group.split_first() else {
            return;
        };
        if first.visible.is_empty() {
            let settings = self.settings.of(first.worst.place.file);
            if group
                .iter()
                .any(|place| place.worst.risk >= settings.min_risk)
            {
                outcome.stats.hidden_by_confidence += 1;
            } else {
                outcome.stats.hidden_by_risk += 1;
            }
            // What thresholds hide is still there: its entries of a baseline are not stale.
            if self.settings.baseline.is_some() {
                outcome
                    .hidden
                    .push(writer.finding(first.worst, &[first.worst]));
            }
            return;
        }
        let mut finding = writer.finding(first.worst, &first.visible);
        let shown = others.iter().filter(|place| !place.visible.is_empty());
        finding.also_at = shown.map(|place| writer.also_at(place.worst)).collect();
        finding.also_at.sort();
        outcome.findings.push(finding);
    }

    /// Sorts, numbers and compares with the baseline.
    fn finish(&self, outcome: &mut Outcome) {
        let sources = self.program.sources;
        let key = |finding: &Finding| {
            (
                sources.get(finding.place.file).path.clone(),
                finding.place.span,
                finding.rule.id,
                finding.call().to_owned(),
            )
        };
        outcome.findings.sort_by_cached_key(key);
        crate::fingerprint::number(&mut outcome.findings, &self.paths);
        if let Some(baseline) = &self.settings.baseline {
            let before = outcome.findings.len();
            outcome.stats.stale_baseline = baseline.hide(
                &mut outcome.findings,
                &outcome.hidden,
                &self.paths,
                self.settings,
            );
            outcome.stats.hidden_by_baseline = before - outcome.findings.len();
        }
        for finding in &outcome.findings {
            *outcome
                .stats
                .by_rule
                .entry(finding.rule.id.0.to_owned())
                .or_default() += 1;
        }
    }

    /// The project's own entries that no call of the program reaches: probably their paths are misspelt.
    fn idle_entries(&self) -> Vec<String> {
        let own = self.catalog.apis();
        let mut idle: BTreeMap<u32, String> = own
            .filter(|(_, api)| api.origin == Origin::User)
            .map(|(id, api)| (id.0, api.path.to_string()))
            .collect();
        if idle.is_empty() {
            return Vec::new();
        }
        let calls = self
            .program
            .bodies()
            .flat_map(|body| self.program.calls_of(body));
        for target in calls.flat_map(|call| self.program.targets(*call)) {
            if let TargetKind::Api(id) = target.kind {
                idle.remove(&id);
            }
        }
        idle.into_values().collect()
    }

    /// Counts async bodies, and what became of the calls in them.
    fn count_calls(&self, runs: &[Runs], outcome: &mut Outcome) {
        let mut bodies = BTreeSet::new();
        let mut tests = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for body in self
            .program
            .bodies()
            .filter(|body| self.is_reported_async(*body, runs))
        {
            let place = (self.program.file(body), self.program.body(body).span);
            let is_entry = runs[body.index()].entry == body;
            if !self.counts(body) {
                if is_entry && self.program.is_present(body, true) {
                    tests.insert(place);
                }
                continue;
            }
            if is_entry {
                bodies.insert(place);
            }
            let file = place.0;
            for call in self.program.calls_of(body) {
                let (_, record) = self.program.call(*call);
                if matches!(record.kind, CallKind::Plain | CallKind::Macro)
                    && seen.insert((file, record.span, record.name_span))
                {
                    self.count_call(body, *call, outcome);
                }
            }
        }
        outcome.stats.async_bodies = bodies.len();
        outcome.stats.test_bodies = tests.difference(&bodies).count();
        let sources = self.program.sources;
        outcome.unresolved.sort_by_cached_key(|call| {
            (sources.get(call.place.file).path.clone(), call.place.span)
        });
    }

    fn is_reported_async(&self, body: ProgramBody, runs: &[Runs]) -> bool {
        runs[body.index()].context == Context::Async
            && self.program.sources.get(self.program.file(body)).role == Role::Report
    }

    fn count_call(&self, body: ProgramBody, call: ProgramCall, outcome: &mut Outcome) {
        outcome.stats.calls += 1;
        let targets = self.program.targets(call);
        let unknown = targets.iter().find_map(|target| match target.kind {
            TargetKind::Unresolved(reason) => Some(reason),
            _ => None,
        });
        let known = targets.iter().any(|target| {
            matches!(
                target.kind,
                TargetKind::Body(_) | TargetKind::Api(_) | TargetKind::Parameter(..)
            )
        });
        if known || targets.is_empty() {
            outcome.stats.resolved_calls += 1;
        } else if let Some(reason) = unknown {
            outcome.stats.unknown_calls += 1;
            if self.settings.unresolved {
                outcome.unresolved.push(self.unresolved(body, call, reason));
            }
        } else {
            outcome.stats.external_calls += 1;
        }
    }

    fn unresolved(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        reason: nostall_model::program::Unresolved,
    ) -> UnresolvedCall {
        let file = self.program.file_of_call(call);
        let (_, record) = self.program.call(call);
        let text = &self.program.sources.get(file).text;
        let written = text.get(record.name_span.range()).unwrap_or_default();
        UnresolvedCall {
            place: Place {
                file,
                span: record.name_span,
            },
            function: self.program.resolved(body).path.clone(),
            text: written.chars().take(80).collect(),
            origin: crate::unknown::origin(self.program, body, call, reason),
            reason,
        }
    }
}
