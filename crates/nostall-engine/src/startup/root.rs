//! First futures on a runtime with threads of its own. `#[tokio::main]` polls `main` on the main thread, and other threads run what it
//! spawns: a call that blocks in `main` holds up only what shares its task. A loop that awaits is a service, which does not go on
//! meanwhile.

use nostall_catalog::{ApiId, Catalog, Effect};
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

/// Finds the first futures: functions with the attribute, and what sync code from `main` on waits for.
pub(super) fn find(
    program: &Program<'_>,
    catalog: &Catalog,
    runs: &[Runs],
    waiting: &[Vec<ProgramBody>],
) -> Vec<ProgramBody> {
    let present = program
        .bodies()
        .filter(|body| program.is_present(*body, false) && is_entry(runs, *body));
    let mut found: Vec<ProgramBody> = present
        .filter(|body| has_attribute(program, catalog, *body))
        .collect();
    for bodies in waiting {
        if makes_workers(program, catalog, bodies) {
            found.extend(waited_for(program, catalog, bodies));
        }
    }
    found.retain(|body| is_entry(runs, *body));
    found.sort_unstable();
    found.dedup();
    found
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

/// Says whether all runtimes that the crates of some bodies make have threads of their own, and there is one.
fn makes_workers(program: &Program<'_>, catalog: &Catalog, bodies: &[ProgramBody]) -> bool {
    let crate_of = |body: &ProgramBody| first_name(&program.resolved(*body).path);
    let crates: FxHashSet<&str> = bodies.iter().map(crate_of).collect();
    let own = program
        .bodies()
        .filter(|body| program.is_present(*body, false) && crates.contains(crate_of(body)));
    let calls = own.flat_map(|body| program.calls_of(body));
    let mut made = calls
        .filter_map(|call| workers_of(program, catalog, *call, Effect::Constructs))
        .peekable();
    made.peek().is_some() && made.all(|workers| workers)
}

/// What sync code waits for while other threads run tasks.
fn waited_for(
    program: &Program<'_>,
    catalog: &Catalog,
    waiting: &[ProgramBody],
) -> Vec<ProgramBody> {
    let waits =
        |call: &ProgramCall| workers_of(program, catalog, *call, Effect::Blocks) == Some(true);
    let mut found = Vec::new();
    for body in waiting {
        for call in program.calls_of(*body).iter().filter(|call| waits(call)) {
            found.extend(awaited_by(program, *body, *call));
        }
    }
    found
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
    pub(super) fn grade_roots(
        &self,
        roots: Vec<ProgramBody>,
        catalog: &Catalog,
        startup: &mut Startup,
    ) {
        if roots.is_empty() {
            return;
        }
        let shares = shares(self.program, catalog, self.runs);
        for root in roots {
            self.grade_root(root, &shares, &mut startup.on_main);
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
