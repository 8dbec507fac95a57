//! Which calls run tasks side by side, and which of a function's calls one run of it cannot both make.

use nostall_catalog::{Api, ApiId, Catalog, Effect};
use nostall_model::Language;
use nostall_model::facts::{CallId, ExprId, ExprKind, FileFacts, RegionId, RegionKind, Sink};
use nostall_model::program::{ProgramBody, ProgramCall, Target, TargetKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::Program;
use crate::sinks::only_value;

/// How many functions are looked at between a `select!` and a signal.
const MOST_CALLERS: usize = 4;

/// How many calls are looked through between a future and its `await`.
const MOST_WRAPPERS: usize = 4;

/// Per function, its calls that run tasks side by side, themselves or by what they call. What closures and blocks in a function do
/// counts as the function's.
pub(crate) struct Concurrency {
    calls: FxHashMap<ProgramBody, Vec<ProgramCall>>,
    /// Calls whose futures run side by side with others in one task: `join!(a(), b())`.
    together: FxHashSet<ProgramCall>,
}

impl Concurrency {
    /// Looks at all calls.
    pub(crate) fn find(program: &Program<'_>, catalog: &Catalog) -> Self {
        let mut calls_to: FxHashMap<ProgramBody, Vec<(ProgramBody, ProgramCall)>> =
            FxHashMap::default();
        let mut found = Self {
            calls: FxHashMap::default(),
            together: together(program, catalog),
        };
        let mut open: Vec<ProgramBody> = Vec::new();
        for body in program.bodies() {
            let outer = outermost(program, body);
            for call in program.calls_of(body) {
                if starts_others(program, catalog, *call) && found.add(outer, *call) {
                    open.push(outer);
                }
                for target in program.targets(*call) {
                    if let TargetKind::Body(callee) = target.kind {
                        let callee = outermost(program, callee);
                        calls_to.entry(callee).or_default().push((outer, *call));
                    }
                }
            }
        }
        while let Some(body) = open.pop() {
            for (caller, call) in calls_to.get(&body).into_iter().flatten() {
                if *caller != body && found.add(*caller, *call) {
                    open.push(*caller);
                }
            }
        }
        found
    }

    /// Notes a call; answers whether the function had none before.
    fn add(&mut self, function: ProgramBody, call: ProgramCall) -> bool {
        let calls = self.calls.entry(function).or_default();
        let is_first = calls.is_empty();
        if !calls.contains(&call) {
            calls.push(call);
        }
        is_first
    }

    /// The calls of the function around a body that run tasks side by side in a run that also makes `call`; itself not counted.
    pub(crate) fn beside(
        &self,
        program: &Program<'_>,
        body: ProgramBody,
        call: ProgramCall,
    ) -> impl Iterator<Item = ProgramCall> {
        let all = self.calls.get(&outermost(program, body));
        let all = all.into_iter().flatten().copied();
        all.filter(move |other| *other != call && !exclude_each_other(program, *other, call))
    }

    /// Says whether the future that a call makes runs side by side with others in one task.
    pub(crate) fn is_shared(&self, call: ProgramCall) -> bool {
        self.together.contains(&call)
    }
}

/// Says whether a call may reach an entry of the catalogue of which something holds.
pub(crate) fn reaches(
    program: &Program<'_>,
    catalog: &Catalog,
    call: ProgramCall,
    holds: impl Fn(&Api) -> bool,
) -> bool {
    let mut targets = program.targets(call).iter();
    targets.any(|target| match target.kind {
        TargetKind::Api(api) => holds(catalog.api(ApiId(api))),
        _ => false,
    })
}

/// Says whether a call runs the futures that it is given side by side in one task: `select!`.
pub(crate) fn runs_together(program: &Program<'_>, catalog: &Catalog, call: ProgramCall) -> bool {
    reaches(program, catalog, call, |api| api.together)
}

/// The calls that make the futures which `join!` and the like are given.
fn together(program: &Program<'_>, catalog: &Catalog) -> FxHashSet<ProgramCall> {
    let mut found = FxHashSet::default();
    for body in program.bodies() {
        for call in program
            .calls_of(body)
            .iter()
            .filter(|call| runs_together(program, catalog, **call))
        {
            let (facts, record) = program.call(*call);
            let arguments = &facts.arguments[record.arguments.range()];
            let made: Vec<Option<ProgramCall>> = arguments
                .iter()
                .map(|argument| made_by(facts, argument.value))
                .map(|made| made.map(|id| program.call_in(body, id)))
                .collect();
            let works = |made: &&Option<ProgramCall>| {
                made.is_none_or(|call| !waits_for_end(program, catalog, call, MOST_CALLERS))
            };
            // `select! { _ = work() => {}, _ = ctrl_c() => {} }`: the work has the task for itself.
            if made.iter().filter(works).count() > 1 {
                found.extend(made.into_iter().flatten());
            }
        }
    }
    found
}

/// Says whether a call's future waits for an end and does nothing else, itself or by all that it awaits.
fn waits_for_end(
    program: &Program<'_>,
    catalog: &Catalog,
    call: ProgramCall,
    budget: usize,
) -> bool {
    let targets = program.targets(call);
    !targets.is_empty()
        && targets.iter().all(|target| match target.kind {
            TargetKind::Api(api) => catalog.api(ApiId(api)).awaits_end,
            TargetKind::Body(body) if budget > 0 => {
                let calls = program.calls_of(body).iter();
                let mut awaited = calls
                    .filter(|call| program.call(**call).1.sink == Sink::Awaited)
                    .peekable();
                awaited.peek().is_some()
                    && awaited.all(|call| waits_for_end(program, catalog, *call, budget - 1))
            }
            _ => false,
        })
}

/// The call whose future a value is, also by a variable that has only that one.
fn made_by(facts: &FileFacts, value: ExprId) -> Option<CallId> {
    let value = only_value(facts, value).unwrap_or(value);
    match facts.expr(value).kind {
        ExprKind::Call(id) => Some(id),
        ExprKind::Reference(inner) => made_by(facts, inner),
        _ => None,
    }
}

fn starts_others(program: &Program<'_>, catalog: &Catalog, call: ProgramCall) -> bool {
    let mut targets = program.targets(call).iter();
    awaits_others(program, catalog, call)
        || targets.any(|target| match target.kind {
            TargetKind::Api(api) => {
                let api = catalog.api(ApiId(api));
                api.concurrent || api.effect == Effect::Schedules
            }
            _ => false,
        })
}

/// Says whether a call of Python waits for something outside of the program of which the catalogue does not speak: what runs
/// meanwhile nobody knows. Of Rust's libraries the catalogue says which run tasks side by side.
fn awaits_others(program: &Program<'_>, catalog: &Catalog, call: ProgramCall) -> bool {
    let (facts, record) = program.call(call);
    let is_known = |target: &Target| match target.kind {
        TargetKind::Body(_) => true,
        TargetKind::Api(api) => is_named(catalog.api(ApiId(api))),
        _ => false,
    };
    facts.language == Language::Python
        && record.sink == Sink::Awaited
        && !program.targets(call).iter().all(is_known)
}

/// Says whether an entry speaks of this function, not of all that stand in one place.
fn is_named(api: &Api) -> bool {
    !api.path.contains('*')
}

/// Says whether the body of a call awaits its future, also in what polls it in the same task: `Box::pin(again()).await`.
pub(crate) fn is_awaited(program: &Program<'_>, catalog: &Catalog, call: ProgramCall) -> bool {
    let mut call = call;
    for _ in 0..MOST_WRAPPERS {
        match program.call(call).1.sink {
            Sink::Awaited => return true,
            Sink::Argument { call: outer, .. } => {
                call = program.call_in(program.body_of_call(call), outer);
                if !is_wrapper(program, catalog, call) {
                    return false;
                }
            }
            _ => return false,
        }
    }
    false
}

/// Says whether a call can only give a future that polls the one it is given.
fn is_wrapper(program: &Program<'_>, catalog: &Catalog, call: ProgramCall) -> bool {
    let targets = program.targets(call);
    !targets.is_empty()
        && targets.iter().all(|target| match target.kind {
            TargetKind::Api(api) => {
                let api = catalog.api(ApiId(api));
                let is_harmless = matches!(api.effect, Effect::None | Effect::Constructs);
                is_harmless && is_named(api) && !api.concurrent && !api.together && !api.registers
            }
            _ => false,
        })
}

/// Says whether two calls stand in different arms of one choice that is made once.
fn exclude_each_other(program: &Program<'_>, one: ProgramCall, other: ProgramCall) -> bool {
    if program.body_of_call(one) != program.body_of_call(other) {
        return false;
    }
    let (facts, record) = program.call(one);
    let (_, other) = program.call(other);
    let path = |region: RegionId| -> Vec<RegionId> {
        let mut path: Vec<RegionId> = facts.regions_outwards(region).collect();
        path.reverse();
        path
    };
    let (one, other) = (path(record.region), path(other.region));
    let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (Some(one_arm), Some(other_arm)) = (one.get(shared), other.get(shared)) else {
        return false;
    };
    let mut around = one[..shared].iter();
    let is_once = around.all(|region| facts.regions[region.index()].kind != RegionKind::Loop);
    let within = one[..shared].last();
    is_once && within.is_some_and(|within| are_arms(facts, *within, *one_arm, *other_arm))
}

/// Says whether two regions are arms of one choice within a third.
fn are_arms(facts: &FileFacts, within: RegionId, one: RegionId, other: RegionId) -> bool {
    let region = |id: RegionId| &facts.regions[id.index()];
    let is_arm = |id: RegionId| region(id).kind == RegionKind::Branch;
    let contains = |outer: nostall_model::Span, inner: nostall_model::Span| {
        outer.start <= inner.start && inner.end <= outer.end
    };
    is_arm(one)
        && is_arm(other)
        && facts.exprs.iter().any(|expr| {
            matches!(expr.kind, ExprKind::Select(_))
                && contains(region(within).span, expr.span)
                && contains(expr.span, region(one).span)
                && contains(expr.span, region(other).span)
        })
}

/// The function around a closure or block, or the body itself.
pub(crate) fn outermost(program: &Program<'_>, body: ProgramBody) -> ProgramBody {
    let mut current = body;
    while let Some(parent) = program.parent(current)
        && program.body(current).item.is_none()
    {
        current = parent;
    }
    current
}
