//! What a program does before it serves anything, and programs that never do two things at a time.
//!
//! Both begin at an async `main`. What it calls before its first call that runs tasks side by side is start-up, and so is
//! what async functions do that are only called from there. A function that a library offers to others is not: nobody knows
//! when they call it. A library that only the binary beside it uses offers nothing (`offered`).
//!
//! On a runtime with threads of its own the first future has the main thread for itself, whatever it spawns (`root`).

use nostall_catalog::{ApiId, Catalog, Effect};
use nostall_model::components::components;
use nostall_model::facts::{ExprKind, ItemKind};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Category, Context, Language};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::alone::{self, futures_of};
use crate::concurrency::{Concurrency, is_awaited};
use crate::contexts::Runs;
use crate::placement::Placement;
use crate::program::Program;
use crate::runtimes::Runtimes;
use offered::Offered;

mod commands;
mod offered;
mod root;

/// The calls that a program makes while it starts, or while nothing else can run.
#[derive(Debug, Default)]
pub(crate) struct Startup {
    /// Before the first tasks run side by side.
    starting: FxHashSet<ProgramCall>,
    /// In runs that never run tasks side by side.
    alone: FxHashSet<ProgramCall>,
    /// In a first future that has the main thread for itself.
    on_main: FxHashSet<ProgramCall>,
    /// Bodies that only run in futures which have a thread for themselves.
    own_thread: FxHashSet<ProgramBody>,
}

impl Startup {
    /// What start-up says of a call in an async body, or in a closure that it runs.
    pub(crate) fn placement(&self, entry: ProgramBody, call: ProgramCall) -> Placement {
        Placement {
            startup: self.starting.contains(&call),
            alone: self.alone.contains(&call),
            own_thread: self.on_main.contains(&call) || self.own_thread.contains(&entry),
            ..Placement::default()
        }
    }
}

/// Finds what is start-up.
pub(crate) fn find(program: &Program<'_>, catalog: &Catalog, runs: &[Runs]) -> Startup {
    let concurrency = Concurrency::find(program, catalog);
    let runtimes = Runtimes::find(program, catalog);
    let waiting = sync_mains(program, runs);
    let mut mains: Vec<ProgramBody> = program
        .bodies()
        .filter(|body| is_main(program, *body, runs))
        .collect();
    mains.extend(started(program, catalog, runs));
    mains.extend(commands::registered(program, catalog, runs));
    mains.extend(waited_for(program, runs, &runtimes, &concurrency, &waiting));
    let callers = callers(program, catalog);
    mains.extend(commands::find(
        program,
        catalog,
        runs,
        &concurrency,
        &callers,
        &mains,
    ));
    mains.sort_unstable();
    mains.dedup();
    let roots = root::find(program, catalog, runs, &runtimes, &waiting);
    let alone = alone::find(program, runs, &runtimes, &concurrency);
    let mut startup = Startup::default();
    if mains.is_empty() && roots.is_empty() && alone.is_empty() {
        return startup;
    }
    let cx = Cx {
        program,
        catalog,
        runs,
        concurrency,
        inner: within_entries(program, runs),
        rounds: rounds(program, runs),
        offered: offered::find(program, runs, &callers),
        callers,
    };
    for main in mains {
        cx.begin_at(main, &mut startup);
    }
    cx.grade_roots(&roots, &mut startup);
    startup.own_thread = cx.only_within(alone);
    startup
}

/// `async fn main` at the root of a crate.
fn is_main(program: &Program<'_>, body: ProgramBody, runs: &[Runs]) -> bool {
    is_root_main(program, body) && is_entry(runs, body)
}

fn is_root_main(program: &Program<'_>, body: ProgramBody) -> bool {
    let path = &program.resolved(body).path;
    program.facts(body).language == Language::Rust
        && path.ends_with("::main")
        && path.matches("::").count() == 1
}

/// What Python code outside of any loop starts one with: `asyncio.run(main())`, also where a decorator does that for what it
/// decorates.
fn started(program: &Program<'_>, catalog: &Catalog, runs: &[Runs]) -> Vec<ProgramBody> {
    let mut found = Vec::new();
    let mut parameters = FxHashSet::default();
    let sync = |body: &ProgramBody| runs[body.index()].context == Context::Sync;
    for body in program.bodies().filter(sync) {
        let facts = program.facts(body);
        if facts.language != Language::Python {
            continue;
        }
        for call in program.calls_of(body) {
            let starts = program
                .targets(*call)
                .iter()
                .any(|target| match target.kind {
                    TargetKind::Api(api) => {
                        catalog.api(ApiId(api)).category == Some(Category::Runtime)
                    }
                    _ => false,
                });
            if starts {
                found.extend(futures_given(program, body, *call));
                parameters.extend(parameters_run(program, body, *call));
            }
        }
    }
    found.extend(given_for(program, &parameters));
    found.retain(|body| runs[body.index()].context == Context::Async);
    found
}

/// The functions that are given for parameters of others.
fn given_for<'a>(
    program: &'a Program<'_>,
    parameters: &'a FxHashSet<(ProgramBody, u16)>,
) -> impl Iterator<Item = ProgramBody> + 'a {
    let owners: FxHashSet<ProgramBody> = parameters.iter().map(|(owner, _)| *owner).collect();
    let calls = program.bodies().flat_map(|body| program.calls_of(body));
    let callee = move |call: ProgramCall| {
        let mut targets = program.targets(call).iter();
        targets.find_map(|target| match target.kind {
            TargetKind::Body(callee) => owners.contains(&callee).then_some(callee),
            _ => None,
        })
    };
    calls
        .filter_map(move |call| Some((*call, callee(*call)?)))
        .flat_map(move |(call, callee)| {
            let passed = program.passed(call).iter();
            let passed = passed.filter(move |passed| {
                let parameter = program.parameter_index(call, callee, passed.index);
                parameters.contains(&(callee, parameter))
            });
            passed.filter_map(|passed| match passed.target.kind {
                TargetKind::Body(given) => Some(given),
                _ => None,
            })
        })
}

/// The sync `main`s of Rust, each with the sync functions that it calls.
fn sync_mains(program: &Program<'_>, runs: &[Runs]) -> Vec<Vec<ProgramBody>> {
    let is_sync = |body: &ProgramBody| runs[body.index()].context == Context::Sync;
    program
        .bodies()
        .filter(|body| is_root_main(program, *body) && is_sync(body))
        .map(|main| called_from(program, main, is_sync))
        .collect()
}

/// A body, and those bodies of a kind that it calls.
fn called_from(
    program: &Program<'_>,
    body: ProgramBody,
    is_wanted: impl Fn(&ProgramBody) -> bool,
) -> Vec<ProgramBody> {
    let mut found = vec![body];
    let mut seen = FxHashSet::from_iter([body]);
    let mut position = 0;
    while let Some(body) = found.get(position).copied() {
        position += 1;
        let targets = program.calls_of(body).iter();
        let targets = targets.flat_map(|call| program.targets(*call));
        let callees = targets.filter_map(|target| match target.kind {
            TargetKind::Body(callee) => Some(callee),
            _ => None,
        });
        found.extend(callees.filter(|callee| is_wanted(callee) && seen.insert(*callee)));
    }
    found
}

/// What a sync `main` waits for, itself or by what it calls: `runtime.block_on(run())`, with nothing beside it.
fn waited_for(
    program: &Program<'_>,
    runs: &[Runs],
    runtimes: &Runtimes<'_>,
    concurrency: &Concurrency,
    waiting: &[Vec<ProgramBody>],
) -> Vec<ProgramBody> {
    let mut found: Vec<ProgramBody> = waiting
        .iter()
        .flatten()
        .flat_map(|body| futures_of(program, runtimes, concurrency, *body))
        .collect();
    found.retain(|body| is_entry(runs, *body));
    found
}

/// Says whether a body is async code that is entered by itself.
fn is_entry(runs: &[Runs], body: ProgramBody) -> bool {
    runs[body.index()].context == Context::Async && runs[body.index()].entry == body
}

/// The async functions whose futures a call is given.
pub(crate) fn futures_given(
    program: &Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
) -> Vec<ProgramBody> {
    targets_given(program, body, call)
        .filter_map(|target| match target {
            TargetKind::Body(main) => Some(*main),
            _ => None,
        })
        .collect()
}

/// The parameters of functions of which a call is given what they make: `asyncio.run(function())`.
fn parameters_run(
    program: &Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
) -> Vec<(ProgramBody, u16)> {
    targets_given(program, body, call)
        .filter_map(|target| match target {
            TargetKind::Parameter(owner, index) => Some((*owner, *index)),
            _ => None,
        })
        .collect()
}

/// What the calls reach that a call is given the results of.
fn targets_given<'a>(
    program: &'a Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
) -> impl Iterator<Item = &'a TargetKind> {
    let (facts, record) = program.call(call);
    let made = facts.arguments[record.arguments.range()]
        .iter()
        .filter_map(move |argument| match facts.expr(argument.value).kind {
            ExprKind::Call(made) => Some(program.call_in(body, made)),
            _ => None,
        });
    made.flat_map(|made| program.targets(made))
        .map(|target| &target.kind)
}

struct Cx<'a> {
    program: &'a Program<'a>,
    catalog: &'a Catalog,
    runs: &'a [Runs],
    concurrency: Concurrency,
    /// Per entry: the bodies that run with it.
    inner: FxHashMap<ProgramBody, Vec<ProgramBody>>,
    /// Per async function: those that it calls and that call it again, itself among them.
    rounds: FxHashMap<ProgramBody, Vec<ProgramBody>>,
    /// The crates whose public functions others may call.
    offered: Offered<'a>,
    /// Who calls a body, tests not counted; none where it is also passed around as a value.
    callers: Callers,
}

impl Cx<'_> {
    fn begin_at(&self, main: ProgramBody, startup: &mut Startup) {
        let root = first_name(&self.program.resolved(main).path);
        let mut members = vec![main];
        let mut position = 0;
        while let Some(body) = members.get(position).copied() {
            position += 1;
            self.note(main, body, startup);
            for callee in self.callees(body) {
                let is_graded = |call: &ProgramCall| {
                    startup.alone.contains(call) || startup.starting.contains(call)
                };
                if !members.contains(&callee) && self.only_from(callee, root, &members, is_graded) {
                    members.push(callee);
                }
            }
        }
    }

    /// Grades the calls of a body that start-up, or a program without tasks, reaches. What reaches it does so in states that its
    /// callers have.
    fn note(&self, main: ProgramBody, body: ProgramBody, startup: &mut Startup) {
        let mut callers = self.entering(body).filter(|_| body != main);
        let alone = callers.all(|call| startup.alone.contains(&call));
        let bodies = self.inner.get(&body).into_iter().flatten();
        let calls = bodies.flat_map(|inner| self.program.calls_of(*inner));
        for call in calls.filter(|call| !self.concurrency.is_shared(**call)) {
            let mut beside = self
                .concurrency
                .beside(self.program, body, *call)
                .peekable();
            if beside.peek().is_none() && alone {
                startup.alone.insert(*call);
            } else if self.round(body).len() <= 1 && beside.all(|other| *call < other) {
                startup.starting.insert(*call);
            }
        }
    }

    /// The calls by which a function is entered, or those which it calls that call it again.
    fn entering(&self, body: ProgramBody) -> impl Iterator<Item = ProgramCall> {
        let round = self.round(body);
        let callers = round.iter().filter_map(|body| self.callers.get(body));
        let calls = callers.flatten().flatten().copied();
        calls.filter(move |call| !round.contains(&self.caller(*call)))
    }

    /// The async code that a call is part of.
    fn caller(&self, call: ProgramCall) -> ProgramBody {
        self.runs[self.program.body_of_call(call).index()].entry
    }

    fn round(&self, body: ProgramBody) -> &[ProgramBody] {
        self.rounds.get(&body).map_or(&[], Vec::as_slice)
    }

    /// Says whether a second run of a body can begin before its first one ends.
    fn is_recursive(&self, body: ProgramBody) -> bool {
        self.round(body).len() > 1 || self.callees(body).contains(&body)
    }

    /// The futures, and what runs in them alone.
    fn only_within(&self, futures: FxHashSet<ProgramBody>) -> FxHashSet<ProgramBody> {
        let mut found: FxHashSet<ProgramBody> = futures
            .into_iter()
            .filter(|future| self.is_written_there(*future))
            .collect();
        let mut open: Vec<ProgramBody> = found.iter().copied().collect();
        open.sort_unstable();
        while let Some(body) = open.pop() {
            for callee in self.callees(body) {
                if !found.contains(&callee) && self.callers_are(callee, |it| found.contains(&it)) {
                    found.insert(callee);
                    open.push(callee);
                }
            }
        }
        found
    }

    /// Says whether a future is run by sync code alone: a block, or a function that async code does not call.
    fn is_written_there(&self, future: ProgramBody) -> bool {
        self.program.body(future).item.is_none() || self.callers_are(future, |_| false)
    }

    /// Says whether a function that is not public is only called, and only in async code that is asked for: not counted is sync
    /// code, which waits for what it runs.
    fn callers_are(&self, body: ProgramBody, wanted: impl Fn(ProgramBody) -> bool) -> bool {
        let public = self
            .program
            .body(body)
            .item
            .is_some_and(|item| self.program.facts(body).item(item).public);
        let Some(Some(callers)) = self.callers.get(&body) else {
            return false;
        };
        !public
            && callers.iter().all(|call| {
                let caller = &self.runs[self.program.body_of_call(*call).index()];
                match caller.context {
                    Context::Async => {
                        wanted(caller.entry)
                            && self.is_awaited(*call)
                            && !self.concurrency.is_shared(*call)
                    }
                    _ => true,
                }
            })
    }

    fn callees(&self, body: ProgramBody) -> Vec<ProgramBody> {
        callees(self.program, self.runs, body)
    }

    /// Says whether all calls of a body, and of those that it calls and that call it again, are some that are graded, of members,
    /// and wait for it.
    fn only_from(
        &self,
        body: ProgramBody,
        root: &str,
        members: &[ProgramBody],
        is_graded: impl Fn(&ProgramCall) -> bool,
    ) -> bool {
        let round = self.round(body);
        round.iter().all(|body| {
            let Some(Some(callers)) = self.callers.get(body) else {
                return false;
            };
            let waits = |call: &ProgramCall| {
                let caller = self.caller(*call);
                let is_graded = || members.contains(&caller) && is_graded(call);
                self.is_awaited(*call) && (round.contains(&caller) || is_graded())
            };
            !self.is_offered(*body, root) && callers.iter().all(waits)
        })
    }

    fn is_awaited(&self, call: ProgramCall) -> bool {
        is_awaited(self.program, self.catalog, call)
    }

    /// Says whether a function is public in a crate whose functions others than the program's own binary may call.
    fn is_offered(&self, body: ProgramBody, root: &str) -> bool {
        let path = &self.program.resolved(body).path;
        let offered = self.offered.contains(first_name(path), root);
        let facts = self.program.facts(body);
        let public = self.program.body(body).item.is_some_and(|item| {
            let item = facts.item(item);
            item.public && matches!(item.kind, ItemKind::Function)
        });
        offered && public
    }
}

/// Async functions that a body calls.
fn callees(program: &Program<'_>, runs: &[Runs], body: ProgramBody) -> Vec<ProgramBody> {
    let calls = program.calls_of(body).iter();
    let targets = calls.flat_map(|call| program.targets(*call));
    targets
        .filter_map(|target| match target.kind {
            TargetKind::Body(callee) if is_entry(runs, callee) => Some(callee),
            _ => None,
        })
        .collect()
}

/// Per async function: those that it calls and that call it again.
fn rounds(program: &Program<'_>, runs: &[Runs]) -> FxHashMap<ProgramBody, Vec<ProgramBody>> {
    let bodies: Vec<ProgramBody> = program.bodies().collect();
    let edges = |index: usize| match bodies[index] {
        body if is_entry(runs, body) => {
            let callees = callees(program, runs, body).into_iter();
            callees.map(ProgramBody::index).collect()
        }
        _ => Vec::new(),
    };
    let mut found = FxHashMap::default();
    for part in components(bodies.len(), edges) {
        let part: Vec<ProgramBody> = part.into_iter().map(|index| bodies[index]).collect();
        found.extend(part.iter().map(|body| (*body, part.clone())));
    }
    found
}

/// Per entry, the bodies that run with it.
fn within_entries(
    program: &Program<'_>,
    runs: &[Runs],
) -> FxHashMap<ProgramBody, Vec<ProgramBody>> {
    let mut within: FxHashMap<ProgramBody, Vec<ProgramBody>> = FxHashMap::default();
    for body in program.bodies() {
        within
            .entry(runs[body.index()].entry)
            .or_default()
            .push(body);
    }
    within
}

/// The crate, or the package.
pub(crate) fn first_name(path: &str) -> &str {
    path.split([':', '.']).next().unwrap_or(path)
}

/// The calls of each body; none where it is also handed on. A body that nobody calls or hands on is not among them.
pub(crate) type Callers = FxHashMap<ProgramBody, Option<Vec<ProgramCall>>>;

/// Finds who calls each body.
pub(crate) fn callers(program: &Program<'_>, catalog: &Catalog) -> Callers {
    let mut callers = Callers::default();
    let present = program
        .bodies()
        .filter(|body| program.is_present(*body, false));
    for call in present.flat_map(|body| program.calls_of(body)) {
        for target in program.targets(*call) {
            if let TargetKind::Body(callee) = target.kind
                && let Some(list) = callers.entry(callee).or_insert_with(|| Some(Vec::new()))
            {
                list.push(*call);
            }
        }
        for passed in program.passed(*call) {
            if let TargetKind::Body(callee) = passed.target.kind
                && !only_looks(program, catalog, *call)
            {
                callers.insert(callee, None);
            }
        }
    }
    callers
}

/// Says whether a call keeps nothing of the functions that it is given, and runs none: `@staticmethod`, `callable`.
fn only_looks(program: &Program<'_>, catalog: &Catalog, call: ProgramCall) -> bool {
    program
        .targets(call)
        .iter()
        .all(|target| match target.kind {
            TargetKind::Api(api) => {
                let api = catalog.api(ApiId(api));
                api.effect == Effect::None && !api.registers && !api.path.contains('*')
            }
            _ => false,
        })
}
