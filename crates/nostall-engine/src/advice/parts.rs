//! What of a call may move to another thread: the loop, the current exception and the like stay where they are.

use std::ops::RangeInclusive;

use nostall_catalog::{ApiId, RuntimeEntry, Thread};
use nostall_model::Risk;
use nostall_model::facts::{BodyKind, CallId, Event, FileFacts, RegionId};
use nostall_model::finding::{Part, Replacement};
use nostall_model::program::{ProgramBody, ProgramCall, Target, TargetKind};

use super::Cx;
use crate::rules::Writer;
use crate::summary::Effect;

/// Calls in what a call is made on and given.
pub(super) struct Parts {
    /// Those that block themselves.
    pub(super) blocking: Vec<CallId>,
    /// Those whose answer is about the thread that makes them.
    pub(super) own_thread: Vec<CallId>,
}

impl Parts {
    pub(super) fn of(writer: &Writer<'_>, body: ProgramBody, call: ProgramCall) -> Self {
        let program = writer.program;
        let inner = inner_calls(program.call(call).0, program.file_call(call));
        let here = |call: &CallId| program.call_in(body, *call);
        let callee_end = program.call(call).1.name_span.end;
        // A quick call among the arguments stays where it is: what it reads may change meanwhile.
        let is_slow =
            |effect: &Effect| writer.summaries.sink(effect.sink).waits.base_risk() > Risk::Low;
        let blocks = |call: &CallId| {
            let in_callee = program.call(here(call)).1.span.end <= callee_end;
            let mut effects = writer.summaries.of_call(here(call)).iter();
            effects.any(|effect| in_callee || is_slow(effect))
        };
        let asks = |call: &CallId| asks_own_thread(writer, here(call));
        Self {
            blocking: inner.iter().copied().filter(blocks).collect(),
            own_thread: inner.iter().copied().filter(asks).collect(),
        }
    }
}

/// The calls that are made to make a call: those within it, but for those of functions that are only handed over.
fn inner_calls(facts: &FileFacts, call: CallId) -> Vec<CallId> {
    let own = facts.call(call);
    let runs_here = |inner: CallId| {
        let is_part = |body| facts.body(body).kind == BodyKind::Comprehension;
        let mut bodies = std::iter::successors(Some(facts.call(inner).body), |body| {
            facts.body(*body).parent.filter(|_| is_part(*body))
        });
        bodies.any(|body| body == own.body)
    };
    (0..facts.calls.len())
        .map(CallId::new)
        .filter(|inner| *inner != call)
        .filter(|inner| {
            let span = facts.call(*inner).span;
            own.span.start <= span.start && span.end <= own.span.end && span != own.span
        })
        .filter(|inner| runs_here(*inner))
        .collect()
}

/// Says whether a call's answer is about the thread that makes it.
fn asks_own_thread(writer: &Writer<'_>, call: ProgramCall) -> bool {
    let asks = |target: &Target| matches!(target.kind, TargetKind::Api(api) if writer.catalog.thread(ApiId(api)) == Some(Thread::Own));
    writer.program.targets(call).iter().any(asks)
}

impl Cx<'_> {
    /// What alone can move where the function that is called needs the loop: the first call on the way that does not.
    pub(super) fn part(&self, runtime: &RuntimeEntry) -> Option<Replacement> {
        let bond = |body: ProgramBody| self.writer.summaries.of(body).bond();
        let stays = self.effect.next?;
        let own = bond(stays)?;
        let steps = self.writer.steps(self.body, self.effect).into_iter();
        let mut free = steps.filter(|(_, step)| step.next.and_then(bond).is_none());
        let part = free.next().filter(|_| !self.is_thread_bound());
        Some(Replacement::OffloadPart {
            offloader: runtime.offloader.clone(),
            stays: self.writer.program.resolved(stays).path.clone(),
            bond: own,
            part: part.map(|(_, step)| self.described(step)),
        })
    }

    /// Says whether what blocks works on something that stays on its thread, or asks about its own.
    fn is_thread_bound(&self) -> bool {
        let thread = self.catalog.thread(self.id);
        matches!(thread, Some(Thread::Same | Thread::Own))
    }

    fn described(&self, step: Effect) -> Part {
        let program = self.writer.program;
        let file = program.file_of_call(step.call);
        let span = program.call(step.call).1.name_span;
        Part {
            call: match step.next {
                Some(next) => program.resolved(next).path.clone(),
                None => self.writer.api_path(step),
            },
            path: program.sources.get(file).path.clone(),
            line: program.sources.place(file, span.start).line,
        }
    }

    /// Says whether a call means something else on another thread.
    pub(super) fn is_bound(&self, call: CallId) -> bool {
        let program = self.writer.program;
        let call = program.call_in(self.body, call);
        let is_tied = |target: &Target| match target.kind {
            TargetKind::Api(api) => {
                let api = self.catalog.api(ApiId(api));
                api.wants_loop_thread() || api.context.is_some()
            }
            TargetKind::Body(body) => {
                program.runs_when_called(body) && self.writer.summaries.of(body).bond().is_some()
            }
            _ => false,
        };
        asks_own_thread(self.writer, call) || program.targets(call).iter().any(is_tied)
    }

    /// Says whether such a call stands in some lines of the body.
    pub(super) fn has_bound_call_in(&self, lines: RangeInclusive<u32>) -> bool {
        let program = self.writer.program;
        let file = program.file(self.body);
        let in_lines = |call: &CallId| {
            let span = self.site.facts.call(*call).name_span;
            lines.contains(&program.sources.place(file, span.start).line)
        };
        let calls = program.calls_of(self.body).iter();
        let mut calls = calls.map(|call| program.file_call(*call)).filter(in_lines);
        calls.any(|call| self.is_bound(call))
    }

    /// Says whether such a call stands in a region.
    pub(super) fn has_bound_call(&self, region: RegionId) -> bool {
        let mut events = self.site.facts.region_events(region).iter();
        events.any(|event| match event {
            Event::Call(call) => self.is_bound(*call),
            Event::Region(inner) => self.has_bound_call(*inner),
            _ => false,
        })
    }
}
