//! What a program does before it serves anything, and programs that never do two things at a time.
//!
//! Both begin at an async `main`. What it calls before its first call that runs tasks side by side is start-up, and so is
//! what async functions do that are only called from there. A function that a library offers to others is not: nobody knows
//! when they call it.

use nostall_catalog::{ApiId, Catalog, Effect};
use nostall_model::facts::{ExprKind, ItemKind, Sink};
use nostall_model::program::{ProgramBody, ProgramCall, Target, TargetKind};
use nostall_model::{Category, Context, Language};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::contexts::Runs;
use crate::placement::Placement;
use crate::program::Program;

/// The bodies that run while a program starts, and how far.
#[derive(Debug, Default)]
pub(crate) struct Startup {
    /// Per body: the first call that is no start-up any more.
    until: FxHashMap<ProgramBody, ProgramCall>,
    /// Bodies of programs without tasks side by side.
    alone: FxHashSet<ProgramBody>,
    /// Bodies that only run in futures which have a thread for themselves.
    own_thread: FxHashSet<ProgramBody>,
}

impl Startup {
    /// What start-up says of a call in an async body, or in a closure that it runs.
    pub(crate) fn placement(&self, entry: ProgramBody, call: ProgramCall) -> Placement {
        Placement {
            startup: self.until.get(&entry).is_some_and(|until| call < *until),
            alone: self.alone.contains(&entry),
            own_thread: self.own_thread.contains(&entry),
            ..Placement::default()
        }
    }
}

/// Finds what is start-up.
pub(crate) fn find(program: &Program<'_>, catalog: &Catalog, runs: &[Runs]) -> Startup {
    let mut mains: Vec<ProgramBody> = program
        .bodies()
        .filter(|body| is_main(program, *body, runs))
        .collect();
    mains.extend(started(program, catalog, runs));
    mains.sort_unstable();
    mains.dedup();
    let mut startup = Startup::default();
    let alone = crate::alone::find(program, catalog, runs);
    if mains.is_empty() && alone.is_empty() {
        return startup;
    }
    let cx = Cx {
        program,
        runs,
        first_concurrent: concurrent(program, catalog),
        callers: callers(program),
    };
    for main in mains {
        cx.begin_at(main, &mut startup);
    }
    startup.own_thread = cx.only_within(alone);
    startup
}

/// `async fn main` at the root of a crate.
fn is_main(program: &Program<'_>, body: ProgramBody, runs: &[Runs]) -> bool {
    let resolved = program.resolved(body);
    program.facts(body).language == Language::Rust
        && runs[body.index()].context == Context::Async
        && runs[body.index()].entry == body
        && resolved.path.ends_with("::main")
        && resolved.path.matches("::").count() == 1
}

/// What Python code outside of any loop starts one with: `asyncio.run(main())`.
fn started(program: &Program<'_>, catalog: &Catalog, runs: &[Runs]) -> Vec<ProgramBody> {
    let mut found = Vec::new();
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
            }
        }
    }
    found.retain(|body| runs[body.index()].context == Context::Async);
    found
}

/// The async functions whose futures a call is given.
pub(crate) fn futures_given(
    program: &Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
) -> Vec<ProgramBody> {
    let (facts, record) = program.call(call);
    let made = facts.arguments[record.arguments.range()]
        .iter()
        .filter_map(|argument| match facts.expr(argument.value).kind {
            ExprKind::Call(made) => Some(program.call_in(body, made)),
            _ => None,
        });
    made.flat_map(|made| program.targets(made))
        .filter_map(|target| match target.kind {
            TargetKind::Body(main) => Some(main),
            _ => None,
        })
        .collect()
}

struct Cx<'a> {
    program: &'a Program<'a>,
    runs: &'a [Runs],
    /// Per body: its first call that runs tasks side by side.
    first_concurrent: FxHashMap<ProgramBody, ProgramCall>,
    /// Who calls a body; none where it is also passed around as a value.
    callers: FxHashMap<ProgramBody, Option<Vec<ProgramCall>>>,
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
                if !members.contains(&callee) && self.only_from(callee, root, &members, startup) {
                    members.push(callee);
                }
            }
        }
    }

    /// The futures, and what runs in them alone.
    fn only_within(&self, futures: FxHashSet<ProgramBody>) -> FxHashSet<ProgramBody> {
        let is_written_there = |body: &ProgramBody| {
            self.program.body(*body).item.is_none() || self.callers_are(*body, |_| false)
        };
        let mut found: FxHashSet<ProgramBody> =
            futures.into_iter().filter(is_written_there).collect();
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
                        wanted(caller.entry) && self.program.call(*call).1.sink == Sink::Awaited
                    }
                    _ => true,
                }
            })
    }

    fn note(&self, main: ProgramBody, body: ProgramBody, startup: &mut Startup) {
        if !self.first_concurrent.contains_key(&main) {
            startup.alone.insert(body);
        }
        let end = ProgramCall(u32::MAX);
        let until = self.first_concurrent.get(&body).copied().unwrap_or(end);
        if self.first_concurrent.contains_key(&main) {
            startup.until.insert(body, until);
        }
    }

    /// Async functions that a body calls.
    fn callees(&self, body: ProgramBody) -> Vec<ProgramBody> {
        let calls = self.program.calls_of(body).iter();
        let targets = calls.flat_map(|call| self.program.targets(*call));
        targets
            .filter_map(|target| match target.kind {
                TargetKind::Body(callee) if self.runs[callee.index()].entry == callee => {
                    Some(callee)
                }
                _ => None,
            })
            .filter(|callee| self.runs[callee.index()].context == Context::Async)
            .collect()
    }

    /// Says whether all calls of a body are start-up of bodies that are, and wait for it.
    fn only_from(
        &self,
        body: ProgramBody,
        root: &str,
        members: &[ProgramBody],
        startup: &Startup,
    ) -> bool {
        if self.is_offered(body, root) {
            return false;
        }
        let Some(Some(callers)) = self.callers.get(&body) else {
            return false;
        };
        callers.iter().all(|call| {
            let caller = self.runs[self.program.body_of_call(*call).index()].entry;
            let awaited = self.program.call(*call).1.sink == Sink::Awaited;
            awaited
                && members.contains(&caller)
                && startup.until.get(&caller).is_none_or(|until| call <= until)
        })
    }

    /// Says whether a function is public in another crate than the program's own.
    fn is_offered(&self, body: ProgramBody, root: &str) -> bool {
        let path = &self.program.resolved(body).path;
        let elsewhere = first_name(path) != root;
        let facts = self.program.facts(body);
        let public = self.program.body(body).item.is_some_and(|item| {
            let item = facts.item(item);
            item.public && matches!(item.kind, ItemKind::Function)
        });
        elsewhere && public
    }
}

/// The crate, or the package.
fn first_name(path: &str) -> &str {
    path.split([':', '.']).next().unwrap_or(path)
}

/// Per body, the first call that runs tasks side by side: itself, or by what it calls. What closures and blocks in a body do
/// counts as the body's.
fn concurrent(program: &Program<'_>, catalog: &Catalog) -> FxHashMap<ProgramBody, ProgramCall> {
    let mut calls_to: FxHashMap<ProgramBody, Vec<(ProgramBody, ProgramCall)>> =
        FxHashMap::default();
    let mut first: FxHashMap<ProgramBody, ProgramCall> = FxHashMap::default();
    let mut open: Vec<ProgramBody> = Vec::new();
    for body in program.bodies() {
        let outer = outermost(program, body);
        for call in program.calls_of(body) {
            if awaits_others(program, *call) && lower(&mut first, outer, *call) {
                open.push(outer);
            }
            for target in program.targets(*call) {
                match target.kind {
                    TargetKind::Api(api) => {
                        let api = catalog.api(ApiId(api));
                        if (api.concurrent || api.effect == Effect::Schedules)
                            && lower(&mut first, outer, *call)
                        {
                            open.push(outer);
                        }
                    }
                    TargetKind::Body(callee) => calls_to
                        .entry(outermost(program, callee))
                        .or_default()
                        .push((outer, *call)),
                    _ => {}
                }
            }
        }
    }
    while let Some(body) = open.pop() {
        for (caller, call) in calls_to.get(&body).into_iter().flatten() {
            if *caller != body && lower(&mut first, *caller, *call) {
                open.push(*caller);
            }
        }
    }
    first
}

/// Says whether a call of Python waits for something outside of the program: what runs meanwhile nobody knows. Of Rust's
/// libraries the catalogue says which run tasks side by side.
fn awaits_others(program: &Program<'_>, call: ProgramCall) -> bool {
    let (facts, record) = program.call(call);
    let is_body = |target: &Target| matches!(target.kind, TargetKind::Body(_));
    facts.language == Language::Python
        && record.sink == Sink::Awaited
        && !program.targets(call).iter().all(is_body)
}

/// Takes a call as a body's first; answers whether the body had none before.
fn lower(
    first: &mut FxHashMap<ProgramBody, ProgramCall>,
    body: ProgramBody,
    call: ProgramCall,
) -> bool {
    let new = !first.contains_key(&body);
    let known = first.entry(body).or_insert(call);
    *known = (*known).min(call);
    new
}

/// The function around a closure or block, or the body itself.
fn outermost(program: &Program<'_>, body: ProgramBody) -> ProgramBody {
    let mut current = body;
    while let Some(parent) = program.parent(current)
        && program.body(current).item.is_none()
    {
        current = parent;
    }
    current
}

fn callers(program: &Program<'_>) -> FxHashMap<ProgramBody, Option<Vec<ProgramCall>>> {
    let mut callers: FxHashMap<ProgramBody, Option<Vec<ProgramCall>>> = FxHashMap::default();
    for call in program.bodies().flat_map(|body| program.calls_of(body)) {
        for target in program.targets(*call) {
            if let TargetKind::Body(callee) = target.kind
                && let Some(list) = callers.entry(callee).or_insert_with(|| Some(Vec::new()))
            {
                list.push(*call);
            }
        }
        for passed in program.passed(*call) {
            if let TargetKind::Body(callee) = passed.target.kind {
                callers.insert(callee, None);
            }
        }
    }
    callers
}
