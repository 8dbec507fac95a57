//! Where each body runs: async bodies, closures that they run in place, callables that are scheduled.

use nostall_catalog::{Api, ApiId, Effect as ApiEffect, Times};
use nostall_model::facts::CallKind;
use nostall_model::finding::{Entry, Place};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Category, Confidence, Context};
use rustc_hash::FxHashSet;

use crate::placement::Placement;
use crate::program::Program;
use crate::sinks::effect;
use crate::startup::callers;
use crate::summary::{Basis, Cx, Summaries, Use, by_times, times_at};

/// Where a body runs, and why.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    /// The context.
    pub(crate) context: Context,
    /// For async code: the body whose entry this is.
    pub(crate) entry: ProgramBody,
    /// Why it runs on the executor, where it does.
    pub(crate) why: Option<Entry>,
    /// How sure that is.
    pub(crate) confidence: Confidence,
    /// What the place where it runs says of all that it does.
    pub(crate) placement: Placement,
}

/// Finds out where each body runs: async bodies, closures that they run in place, callables that are scheduled.
#[must_use]
pub(crate) fn contexts(basis: Basis<'_>, summaries: &Summaries) -> Vec<Runs> {
    let program = basis.program;
    let cx = Cx::new(basis, &|_, _| false);
    let mut runs: Vec<Runs> = program.bodies().map(|body| cx.own_context(body)).collect();
    for body in program.bodies() {
        cx.schedule(body, &mut runs);
    }
    crate::entries::name(program, basis.catalog, &mut runs);
    // Outer bodies come before inner ones, so that one pass reaches closures within closures.
    for body in program.bodies() {
        if runs[body.index()].context == Context::Async {
            cx.run_inner(body, summaries, &mut runs);
        }
    }
    runs
}

/// Says whether a call tells where a body runs: what tests do is not what the program does.
pub(crate) fn says_of(program: &Program<'_>, call: ProgramCall, body: ProgramBody) -> bool {
    let caller = program.resolved(program.body_of_call(call)).presence;
    caller <= program.resolved(body).presence
}

impl Cx<'_> {
    fn own_context(&self, body: ProgramBody) -> Runs {
        let resolved = self.program.resolved(body);
        Runs {
            context: resolved.context,
            entry: body,
            why: resolved.entry.clone(),
            confidence: resolved.confidence,
            placement: Placement::default(),
        }
    }

    /// Sync callables that a call hands to the executor run there.
    fn schedule(&self, body: ProgramBody, runs: &mut [Runs]) {
        for call in self.program.calls_of(body) {
            for target in self.program.targets(*call) {
                let TargetKind::Api(api) = target.kind else {
                    continue;
                };
                let entry = self.catalog.api(ApiId(api));
                if entry.times == Some(Times::Once) {
                    self.mark_once(*call, entry, runs);
                }
                let (facts, record) = self.program.call(*call);
                if effect(facts, record, entry) != ApiEffect::Schedules {
                    continue;
                }
                // What need not run on the loop's thread runs there only where a loop runs at all.
                let sure = if entry.off_loop && !self.is_near_loop(body) {
                    Confidence::Possible
                } else {
                    target.confidence
                };
                for passed in self.program.passed(*call) {
                    let scheduled = self.use_by_api(*call, passed, entry).is_some();
                    if let (true, TargetKind::Body(callable)) = (scheduled, &passed.target.kind) {
                        let confidence = sure.min(passed.target.confidence);
                        self.mark_scheduled(*call, *callable, &entry.path, confidence, runs);
                    }
                }
            }
        }
    }

    /// Says whether a body, or one that calls it, is async or starts a loop.
    fn is_near_loop(&self, body: ProgramBody) -> bool {
        let callers = callers(self.program, self.catalog);
        let mut open = vec![body];
        let mut seen = FxHashSet::default();
        while let Some(body) = open.pop() {
            if self.program.resolved(body).context == Context::Async || self.starts_loop(body) {
                return true;
            }
            let of_body = callers.get(&body).into_iter().flatten().flatten();
            let around = of_body.map(|call| self.program.body_of_call(*call));
            open.extend(around.filter(|caller| seen.insert(*caller)));
        }
        false
    }

    fn starts_loop(&self, body: ProgramBody) -> bool {
        let targets = self.program.calls_of(body).iter();
        let mut targets = targets.flat_map(|call| self.program.targets(*call));
        targets.any(|target| match target.kind {
            TargetKind::Api(api) => {
                self.catalog.api(ApiId(api)).category == Some(Category::Runtime)
            }
            _ => false,
        })
    }

    /// Async functions that a call hands over to be run once.
    fn mark_once(&self, call: ProgramCall, api: &Api, runs: &mut [Runs]) {
        for passed in self.program.passed(call) {
            let handed = self.use_by_api(call, passed, api).is_some();
            if let (true, TargetKind::Body(callable)) = (handed, &passed.target.kind) {
                let known = &mut runs[callable.index()];
                known.placement = known.placement.and(by_times(api));
            }
        }
    }

    fn mark_scheduled(
        &self,
        call: ProgramCall,
        callable: ProgramBody,
        api: &str,
        confidence: Confidence,
        runs: &mut [Runs],
    ) {
        let known = &mut runs[callable.index()];
        if known.context != Context::Sync || !says_of(self.program, call, callable) {
            return;
        }
        let (_, record) = self.program.call(call);
        *known = Runs {
            context: Context::Async,
            entry: callable,
            why: Some(Entry::Callback {
                api: api.to_owned(),
                at: Place {
                    file: self.program.file_of_call(call),
                    span: record.name_span,
                },
            }),
            confidence: confidence.min(Confidence::Likely),
            placement: known.placement,
        };
    }

    /// Closures that an async body runs in place are part of it.
    fn run_inner(&self, body: ProgramBody, summaries: &Summaries, runs: &mut [Runs]) {
        for call in self.program.calls_of(body) {
            for (callable, confidence, placement) in self.run_in_place(body, *call, summaries) {
                let outer = runs[body.index()].clone();
                let known = &mut runs[callable.index()];
                if known.context == Context::Sync {
                    *known = Runs {
                        confidence: outer.confidence.min(confidence),
                        placement: outer.placement.and(self.placement(*call)).and(placement),
                        ..outer
                    };
                }
            }
        }
    }

    /// The closures of a body that a call of it runs before it returns.
    fn run_in_place(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        summaries: &Summaries,
    ) -> Vec<(ProgramBody, Confidence, Placement)> {
        let mut found = Vec::new();
        let (_, record) = self.program.call(call);
        if record.kind == CallKind::Drop {
            return found;
        }
        for target in self.program.targets(call) {
            match &target.kind {
                TargetKind::Body(callee) => {
                    found.push((*callee, target.confidence, Placement::default()));
                    for passed in self.program.passed(call) {
                        let index = self.program.parameter_index(call, *callee, passed.index);
                        let mut uses = summaries.of(*callee).uses.iter();
                        let inline = uses.find(|use_| {
                            use_.owner == *callee && use_.index == index && use_.what == Use::Inline
                        });
                        if let (Some(use_), TargetKind::Body(callable)) =
                            (inline, &passed.target.kind)
                        {
                            let confidence = target.confidence.min(use_.confidence);
                            found.push((*callable, confidence, Placement::default()));
                        }
                    }
                }
                TargetKind::Api(api) => {
                    let entry = self.catalog.api(ApiId(*api));
                    for passed in self.program.passed(call) {
                        let inline = self
                            .use_by_api(call, passed, entry)
                            .filter(|(what, _)| *what == Use::Inline);
                        if let (Some((_, sure)), TargetKind::Body(callable)) =
                            (inline, &passed.target.kind)
                        {
                            let confidence = target.confidence.min(sure);
                            let (facts, record) = self.program.call(call);
                            found.push((*callable, confidence, times_at(facts, record, entry)));
                        }
                    }
                }
                TargetKind::External(_) | TargetKind::Unresolved(_) => {
                    let bodies =
                        self.program.passed(call).iter().filter_map(|passed| {
                            match &passed.target.kind {
                                TargetKind::Body(callable) => {
                                    Some((*callable, Confidence::Possible, Placement::default()))
                                }
                                _ => None,
                            }
                        });
                    found.extend(bodies);
                }
                TargetKind::Parameter(..) => {}
            }
        }
        found.retain(|(callable, _, _)| {
            self.program.runs_when_called(*callable) && self.is_inside(*callable, body)
        });
        found
    }
}
