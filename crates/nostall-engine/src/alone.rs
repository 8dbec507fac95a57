//! Futures that a thread runs alone: `thread::spawn(|| runtime.block_on(async { .. }))`. What blocks in them holds up nobody else.
//!
//! A thread is taken for such a one only where all that the future awaits is known, and nothing of it runs tasks side by side.

use nostall_catalog::{ApiId, Catalog, Effect};
use nostall_model::facts::Sink;
use nostall_model::program::{ProgramBody, ProgramCall, Target, TargetKind};
use nostall_model::{Context, Language};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::concurrency::Concurrency;
use crate::contexts::Runs;
use crate::program::Program;
use crate::runtimes::Runtimes;
use crate::startup::futures_given;

/// A future that reaches more bodies than this is not looked at.
const MOST_BODIES: usize = 2000;

/// Finds the async bodies that sync code of Rust runs to their end, each alone on its thread.
pub(crate) fn find(
    program: &Program<'_>,
    runs: &[Runs],
    runtimes: &Runtimes<'_>,
    concurrency: &Concurrency,
) -> FxHashSet<ProgramBody> {
    let catalog = runtimes.catalog();
    let cx = Cx {
        program,
        catalog,
        inner: inner(program),
    };
    let waiting = program.bodies().filter(|body| {
        let context = runs[body.index()].context;
        matches!(context, Context::Sync | Context::Offloaded)
            && program.facts(*body).language == Language::Rust
    });
    let waiting: Vec<ProgramBody> = waiting.collect();
    let futures = waiting
        .iter()
        .flat_map(|body| futures_of(program, runtimes, concurrency, *body));
    let owned = waiting
        .iter()
        .flat_map(|body| owned_by_thread(program, catalog, *body));
    let is_async = |body: &ProgramBody| {
        runs[body.index()].context == Context::Async && runs[body.index()].entry == *body
    };
    futures
        .filter(|body| cx.is_alone(*body))
        .chain(owned)
        .filter(is_async)
        .collect()
}

/// The futures that a body waits for by what runs nothing else on its thread, whatever they spawn: `Handle::current().block_on(..)`.
fn owned_by_thread(
    program: &Program<'_>,
    catalog: &Catalog,
    body: ProgramBody,
) -> Vec<ProgramBody> {
    let is_owner = |target: &Target| match target.kind {
        TargetKind::Api(api) => catalog.api(ApiId(api)).own_thread,
        _ => false,
    };
    let calls = program.calls_of(body).iter().copied();
    calls
        .filter(|call| program.targets(*call).iter().any(is_owner))
        .flat_map(|call| awaited_by(program, body, call))
        .collect()
}

/// The futures that a body waits for with nothing beside them: `runtime.block_on(future)`.
pub(crate) fn futures_of(
    program: &Program<'_>,
    runtimes: &Runtimes<'_>,
    concurrency: &Concurrency,
    body: ProgramBody,
) -> Vec<ProgramBody> {
    let calls = program.calls_of(body).iter().copied();
    let mut futures = Vec::new();
    for call in calls.filter(|call| runtimes.waits(*call)) {
        let awaited = awaited_by(program, body, call);
        // Tasks that were spawned beside it may be the same thread's. What it waits for speaks for itself, and what another
        // runtime was waited on for is over.
        let mut beside = concurrency.beside(program, body, call);
        let is_none_of_it = |other: ProgramCall| {
            is_within(program, program.body_of_call(other), &awaited)
                || runtimes.waits(other) && runtimes.are_apart(other, call)
        };
        if beside.all(is_none_of_it) {
            futures.extend(awaited);
        }
    }
    futures
}

/// The futures that a call is given.
pub(crate) fn awaited_by(
    program: &Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
) -> Vec<ProgramBody> {
    let passed = program.passed(call).iter();
    let blocks = passed.filter_map(|passed| match passed.target.kind {
        TargetKind::Body(future) => Some(future),
        _ => None,
    });
    blocks.chain(futures_given(program, body, call)).collect()
}

/// Says whether a body is one of others, or is written in one of them.
fn is_within(program: &Program<'_>, body: ProgramBody, others: &[ProgramBody]) -> bool {
    std::iter::successors(Some(body), |body| program.parent(*body))
        .any(|body| others.contains(&body))
}

struct Cx<'a> {
    program: &'a Program<'a>,
    catalog: &'a Catalog,
    /// Per body: the closures and blocks in it.
    inner: FxHashMap<ProgramBody, Vec<ProgramBody>>,
}

fn inner(program: &Program<'_>) -> FxHashMap<ProgramBody, Vec<ProgramBody>> {
    let mut inner: FxHashMap<ProgramBody, Vec<ProgramBody>> = FxHashMap::default();
    for body in program.bodies() {
        if program.body(body).item.is_none()
            && let Some(parent) = program.parent(body)
        {
            inner.entry(parent).or_default().push(body);
        }
    }
    inner
}

impl Cx<'_> {
    fn is_alone(&self, future: ProgramBody) -> bool {
        let mut seen = FxHashSet::from_iter([future]);
        let mut open = vec![future];
        while let Some(body) = open.pop() {
            if seen.len() > MOST_BODIES {
                return false;
            }
            let mut next = self.inner.get(&body).cloned().unwrap_or_default();
            for call in self.program.calls_of(body) {
                if self.may_run_others(*call) {
                    return false;
                }
                let targets = self.program.targets(*call).iter();
                next.extend(targets.filter_map(|target| match target.kind {
                    TargetKind::Body(callee) => Some(callee),
                    _ => None,
                }));
            }
            open.extend(next.into_iter().filter(|body| seen.insert(*body)));
        }
        true
    }

    /// Says whether a call runs tasks side by side, or awaits something of which nobody knows that.
    fn may_run_others(&self, call: ProgramCall) -> bool {
        let awaited = self.program.call(call).1.sink == Sink::Awaited;
        let mut targets = self.program.targets(call).iter();
        targets.any(|target| match target.kind {
            TargetKind::Api(api) => {
                let api = self.catalog.api(ApiId(api));
                api.concurrent || api.effect == Effect::Schedules
            }
            TargetKind::Body(_) => false,
            TargetKind::External(_) | TargetKind::Parameter(..) | TargetKind::Unresolved(_) => {
                awaited
            }
        })
    }
}
