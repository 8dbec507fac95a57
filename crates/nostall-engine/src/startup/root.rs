//! First futures on a runtime with threads of its own. `#[tokio::main]` polls `main` on the main thread, and other threads run what it
//! spawns: a call that blocks in `main` holds up only what shares its task. A loop would wait as long if it awaited the same; one that
//! selects among several sources does not hear the others meanwhile, and what blocks in it could go to a task.

use nostall_catalog::{Catalog, Effect};
use nostall_model::facts::{ExprKind, RegionKind};
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{Context, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Cx, Startup, first_name, is_entry};
use crate::alone::awaited_by;
use crate::concurrency::{reaches, runs_together};
use crate::contexts::Runs;
use crate::program::Program;
use crate::runtimes::Runtimes;
use crate::sinks::workers;

/// Per entry: its calls that run something else on its own thread.
type Shares = FxHashMap<ProgramBody, Vec<ProgramCall>>;

/// First futures, by who waits for them.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// Functions with the attribute, and what sync `main`s wait for.
    of_mains: Vec<ProgramBody>,
    /// What other sync code waits for. Async code may run the same function.
    elsewhere: Vec<ProgramBody>,
}

impl Roots {
    pub(super) fn is_empty(&self) -> bool {
        self.of_mains.is_empty() && self.elsewhere.is_empty()
    }
}

/// Finds the first futures. `mains` are the sync mains, each with the sync functions that it calls.
pub(super) fn find(
    program: &Program<'_>,
    catalog: &Catalog,
    runs: &[Runs],
    runtimes: &Runtimes<'_>,
    mains: &[Vec<ProgramBody>],
) -> Roots {
    let entries = |mut found: Vec<ProgramBody>| {
        found.retain(|body| is_entry(runs, *body));
        found.sort_unstable();
        found.dedup();
        found
    };
    let mut of_mains: Vec<ProgramBody> = present(program)
        .filter(|body| is_entry(runs, *body) && has_attribute(program, catalog, *body))
        .collect();
    for bodies in mains {
        let waiting = bodies.iter();
        of_mains.extend(waiting.flat_map(|body| waited_for(program, runtimes, *body, bodies)));
    }
    let is_sync = |body: &ProgramBody| {
        let context = runs[body.index()].context;
        matches!(context, Context::Sync | Context::Offloaded)
    };
    let elsewhere = present(program)
        .filter(is_sync)
        .flat_map(|body| waited_for(program, runtimes, body, &[body]));
    Roots {
        elsewhere: entries(elsewhere.collect()),
        of_mains: entries(of_mains),
    }
}

fn present(program: &Program<'_>) -> impl Iterator<Item = ProgramBody> {
    let bodies = program.bodies();
    bodies.filter(|body| program.is_present(*body, false))
}

/// Says whether an attribute makes a function start a runtime with threads of its own.
fn has_attribute(program: &Program<'_>, catalog: &Catalog, body: ProgramBody) -> bool {
    let facts = program.facts(body);
    let Some(item) = program.body(body).item else {
        return false;
    };
    let mut attributes = facts.expr_list(facts.item(item).attributes).iter();
    attributes.any(|attribute| {
        let (path, arguments) = match facts.expr(*attribute).kind {
            ExprKind::Path(path) => (path, &[][..]),
            ExprKind::Struct { path, fields } => (path, &facts.arguments[fields.range()]),
            _ => return false,
        };
        let found = catalog.lookup(facts.language, &facts.path_text(path, "::"));
        found.is_some_and(|found| workers(facts, arguments, catalog.api(found.api)) == Some(true))
    })
}

/// What a body waits for while other threads run tasks, where the value of the runtime or some crates tell.
fn waited_for(
    program: &Program<'_>,
    runtimes: &Runtimes<'_>,
    body: ProgramBody,
    crates: &[ProgramBody],
) -> Vec<ProgramBody> {
    let waits = |call: &&ProgramCall| runtimes.waits_beside_workers(**call, crates);
    let calls = program.calls_of(body).iter().filter(waits);
    calls
        .flat_map(|call| awaited_by(program, body, *call))
        .collect()
}

/// Finds the calls by which something else comes to run on the thread of its entry.
fn shares(program: &Program<'_>, catalog: &Catalog, runs: &[Runs]) -> Shares {
    let shares = |call: &ProgramCall| {
        reaches(program, catalog, *call, |api| {
            let runs_others = api.concurrent || api.effect == Effect::Schedules;
            runs_others && api.workers != Some(true)
        })
    };
    let mut found = Shares::default();
    for body in program.bodies() {
        let own = program.calls_of(body).iter().filter(|call| shares(call));
        let entry = runs[body.index()].entry;
        for call in own {
            found.entry(entry).or_default().push(*call);
        }
    }
    found
}

impl Cx<'_> {
    /// Grades the calls of first futures, and of async functions that only they call.
    pub(super) fn grade_roots(&self, roots: &Roots, startup: &mut Startup) {
        if roots.is_empty() {
            return;
        }
        let shares = shares(self.program, self.catalog, self.runs);
        let elsewhere = roots.elsewhere.iter();
        let elsewhere = elsewhere.filter(|root| self.is_written_there(**root));
        for root in roots.of_mains.iter().chain(elsewhere) {
            self.grade_root(*root, &shares, &mut startup.on_main);
        }
    }

    fn grade_root(&self, main: ProgramBody, shares: &Shares, graded: &mut FxHashSet<ProgramCall>) {
        let root = first_name(&self.program.resolved(main).path);
        let mut members = vec![main];
        let mut position = 0;
        while let Some(body) = members.get(position).copied() {
            position += 1;
            graded.extend(self.calls_on_main(body, shares));
            for callee in self.callees(body) {
                let is_graded = |call: &ProgramCall| graded.contains(call);
                if !members.contains(&callee) && self.only_from(callee, root, &members, is_graded) {
                    members.push(callee);
                }
            }
        }
    }

    /// The calls of a body before which nothing else came to run on its thread.
    fn calls_on_main(&self, body: ProgramBody, shares: &Shares) -> Vec<ProgramCall> {
        let inner = self.inner.get(&body).into_iter().flatten();
        let calls = inner.flat_map(|inner| self.program.calls_of(*inner));
        let before = shares.get(&body).and_then(|shares| shares.iter().min());
        let is_second = before.is_some() && self.is_recursive(body);
        calls
            .copied()
            .filter(|call| before.is_none_or(|before| call < before && !is_second))
            .filter(|call| !self.concurrency.is_shared(*call))
            .filter(|call| !self.is_served(body, *call))
            .collect()
    }

    /// Says whether a call is in a loop that serves several things: `select!` stands in it too.
    fn is_served(&self, body: ProgramBody, call: ProgramCall) -> bool {
        let (facts, record) = self.program.call(call);
        let own = self.program.body(body).span;
        let loops = facts.regions.iter().filter(|region| {
            region.kind == RegionKind::Loop
                && own.contains(region.span)
                && region.span.contains(record.span)
        });
        let around: Vec<Span> = loops.map(|region| region.span).collect();
        let mut selects = self.program.calls_of(body).iter().filter(|other| {
            let span = self.program.call(**other).1.span;
            around.iter().any(|region| region.contains(span))
        });
        selects.any(|other| runs_together(self.program, self.catalog, *other))
    }
}
