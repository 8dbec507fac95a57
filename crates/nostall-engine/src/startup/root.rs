//! First futures on a runtime with threads of its own. `#[tokio::main]` polls `main` on the main thread, and other threads run what it
//! spawns: a call that blocks in `main` holds up only what shares its task. A loop that awaits is a service, which does not go on
//! meanwhile.

use nostall_catalog::{ApiId, Catalog, Effect};
use nostall_model::Context;
use nostall_model::facts::{ExprKind, RegionId, RegionKind};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Cx, Startup, first_name, is_entry};
use crate::alone::awaited_by;
use crate::contexts::Runs;
use crate::program::Program;
use crate::sinks::{awaits, workers};

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
    mains: &[Vec<ProgramBody>],
) -> Roots {
    let makers = Makers::find(program, catalog);
    let entries = |mut found: Vec<ProgramBody>| {
        found.retain(|body| is_entry(runs, *body));
        found.sort_unstable();
        found.dedup();
        found
    };
    let mut of_mains: Vec<ProgramBody> = present(program)
        .filter(|body| is_entry(runs, *body) && has_attribute(program, catalog, *body))
        .collect();
    for bodies in mains.iter().filter(|bodies| makers.hold(program, bodies)) {
        let waiting = bodies.iter();
        of_mains.extend(waiting.flat_map(|body| waited_for(program, catalog, *body)));
    }
    let is_sync = |body: &ProgramBody| {
        let context = runs[body.index()].context;
        matches!(context, Context::Sync | Context::Offloaded)
    };
    let elsewhere = present(program)
        .filter(|body| is_sync(body) && makers.hold(program, &[*body]))
        .flat_map(|body| waited_for(program, catalog, body));
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

/// Per crate: whether all runtimes that it makes have threads of their own.
struct Makers<'a>(FxHashMap<&'a str, bool>);

impl<'a> Makers<'a> {
    fn find(program: &'a Program<'a>, catalog: &Catalog) -> Self {
        let mut found = FxHashMap::default();
        for body in present(program) {
            let calls = program.calls_of(body).iter();
            let made =
                calls.filter_map(|call| workers_of(program, catalog, *call, Effect::Constructs));
            for workers in made {
                *found.entry(crate_of(program, body)).or_insert(true) &= workers;
            }
        }
        Self(found)
    }

    /// Says whether that holds of the crates of some bodies, and one of these makes a runtime.
    fn hold(&self, program: &Program<'_>, bodies: &[ProgramBody]) -> bool {
        let crates = bodies.iter().map(|body| crate_of(program, *body));
        let mut known = crates.filter_map(|name| self.0.get(name)).peekable();
        known.peek().is_some() && known.all(|workers| *workers)
    }
}

fn crate_of<'a>(program: &'a Program<'_>, body: ProgramBody) -> &'a str {
    first_name(&program.resolved(body).path)
}

/// What a body waits for while other threads run tasks.
fn waited_for(program: &Program<'_>, catalog: &Catalog, body: ProgramBody) -> Vec<ProgramBody> {
    let waits =
        |call: &&ProgramCall| workers_of(program, catalog, **call, Effect::Blocks) == Some(true);
    let calls = program.calls_of(body).iter().filter(waits);
    calls
        .flat_map(|call| awaited_by(program, body, *call))
        .collect()
}

/// What an entry of the catalogue with an effect says of the threads of a runtime.
fn workers_of(
    program: &Program<'_>,
    catalog: &Catalog,
    call: ProgramCall,
    effect: Effect,
) -> Option<bool> {
    let (facts, record) = program.call(call);
    let mut targets = program.targets(call).iter();
    targets.find_map(|target| match target.kind {
        TargetKind::Api(api) => {
            let api = catalog.api(ApiId(api));
            let arguments = &facts.arguments[record.arguments.range()];
            workers(facts, arguments, api).filter(|_| api.effect == effect)
        }
        _ => None,
    })
}

/// Finds the calls by which something else comes to run on the thread of its entry.
fn shares(program: &Program<'_>, catalog: &Catalog, runs: &[Runs]) -> Shares {
    let shares = |call: &ProgramCall| {
        let mut targets = program.targets(*call).iter();
        targets.any(|target| match target.kind {
            TargetKind::Api(api) => {
                let api = catalog.api(ApiId(api));
                let runs_others = api.concurrent || api.effect == Effect::Schedules;
                runs_others && api.workers != Some(true)
            }
            _ => false,
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
    pub(super) fn grade_roots(&self, roots: &Roots, catalog: &Catalog, startup: &mut Startup) {
        if roots.is_empty() {
            return;
        }
        let shares = shares(self.program, catalog, self.runs);
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
        calls
            .copied()
            .filter(|call| before.is_none_or(|before| call < before))
            .filter(|call| !self.concurrency.is_shared(*call))
            .filter(|call| !self.is_served(body, *call))
            .collect()
    }

    /// Says whether a call is in a loop of a body that awaits.
    fn is_served(&self, body: ProgramBody, call: ProgramCall) -> bool {
        let (facts, record) = self.program.call(call);
        let own = self.program.body(body).span;
        let regions = facts.regions.iter().enumerate();
        regions
            .filter(|(_, region)| region.kind == RegionKind::Loop)
            .filter(|(_, region)| own.contains(region.span) && region.span.contains(record.span))
            .any(|(index, _)| awaits(facts, RegionId::new(index)))
    }
}
