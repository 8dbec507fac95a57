//! How long guards live: over which awaits, and while which calls are made.
//!
//! A body's regions are walked once, in order. Ways that part are walked each from the same start and put together after:
//! what one of them keeps may be kept. A loop is walked once: what lives around it lives in all its rounds.

use std::collections::BTreeSet;

use nostall_catalog::{Api, ApiId, Catalog, Effect, Guards};
use nostall_model::facts::{
    BindingId, CallId, CallKind, Callee, DefinitionId, Event, ExprId, FileFacts, RegionId,
    RegionKind,
};
use nostall_model::program::{Guard, Keeper, ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Category, Language, Span};
use rustc_hash::FxHashMap;

use crate::program::Program;

/// A guard that lives while its body is suspended.
#[derive(Clone, Debug)]
pub(crate) struct HeldOver {
    /// The guard.
    pub(crate) guard: Guard,
    /// What it holds.
    pub(crate) guards: Guards,
    /// The first await over which it lives.
    pub(crate) await_span: Span,
    /// Whether it lives there whichever way the code took.
    pub(crate) always: bool,
    /// Whether it is of a lock for which code of the program waits, as far as is known.
    pub(crate) is_waited_for: bool,
}

/// What the guards of all bodies do.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Guards that live over an await.
    pub(crate) over_awaits: Vec<HeldOver>,
    /// Calls that are made while a lock is held, each with the guard that was taken first.
    pub(crate) locked_calls: FxHashMap<ProgramCall, Guard>,
}

/// Follows all guards.
pub(crate) fn follow(program: &Program<'_>, catalog: &Catalog) -> Held {
    let mut held = Held::default();
    let mut bodies: Vec<ProgramBody> = program.guards().map(|guard| guard.body).collect();
    bodies.dedup();
    for body in bodies {
        let guards: Vec<(&Guard, Guards)> = program
            .guards_of(body)
            .iter()
            .filter_map(|guard| Some((guard, what_it_holds(program, catalog, guard)?)))
            .collect();
        let mut walk = Walk {
            program,
            facts: program.facts(body),
            body,
            guards: &guards,
            first_await: vec![None; guards.len()],
            locked_calls: &mut held.locked_calls,
        };
        walk.region(program.body(body).region, Vec::new());
        let found = walk.first_await;
        held.over_awaits.extend(
            guards
                .iter()
                .zip(found)
                .filter_map(|((guard, guards), over)| {
                    let (await_span, always) = over?;
                    Some(HeldOver {
                        guard: (*guard).clone(),
                        guards: *guards,
                        await_span,
                        always,
                        is_waited_for: true,
                    })
                }),
        );
    }
    let mut locks = held
        .over_awaits
        .iter_mut()
        .filter(|over| over.guards == Guards::Lock);
    if let Some(first) = locks.next() {
        let waited_for = libraries_waited_for(program, catalog);
        for over in std::iter::once(first).chain(locks) {
            over.is_waited_for = waited_for.contains(library(&over.guard.type_));
        }
    }
    held
}

/// The libraries for whose locks code of the program waits, or may: it calls a method of such a name on what is not known.
fn libraries_waited_for<'a>(program: &Program<'_>, catalog: &'a Catalog) -> BTreeSet<&'a str> {
    let takes_lock = |api: &&Api| {
        let gives_guard = api
            .returns
            .as_deref()
            .is_some_and(|returns| returns.contains("Guard"));
        api.effect == Effect::Blocks && api.category == Some(Category::Lock) && gives_guard
    };
    let mut by_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for api in catalog.apis().map(|(_, api)| api).filter(takes_lock) {
        let name = api.path.rsplit([':', '.']).next().unwrap_or_default();
        by_name.entry(name).or_default().push(library(&api.path));
    }
    let mut found = BTreeSet::new();
    for call in program.bodies().flat_map(|body| program.calls_of(body)) {
        for target in program.targets(*call) {
            match &target.kind {
                TargetKind::Api(api) => {
                    let api = catalog.api(ApiId(*api));
                    let waits =
                        api.effect == Effect::Blocks && api.category == Some(Category::Lock);
                    found.extend(waits.then(|| library(&api.path)));
                }
                TargetKind::Unresolved(_) => {
                    let (facts, record) = program.call(*call);
                    if let Callee::Method { name, .. } = record.callee {
                        let file = program.file_of_call(*call);
                        let named = by_name.get(facts.text(name)).into_iter().flatten();
                        let can_be =
                            |own: &&&str| **own == "std" || program.uses_library(file, own);
                        found.extend(named.filter(can_be));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn library(path: &str) -> &str {
    path.split([':', '.']).next().unwrap_or_default()
}

fn what_it_holds(program: &Program<'_>, catalog: &Catalog, guard: &Guard) -> Option<Guards> {
    let language: Language = program.facts(guard.body).language;
    catalog.type_entry(language, &guard.type_)?.guards
}

/// A guard that lives, by its place in the list; and whether it does so whichever way the code took.
type Live = Vec<(usize, bool)>;

struct Walk<'a> {
    program: &'a Program<'a>,
    facts: &'a FileFacts,
    body: ProgramBody,
    guards: &'a [(&'a Guard, Guards)],
    first_await: Vec<Option<(Span, bool)>>,
    locked_calls: &'a mut FxHashMap<ProgramCall, Guard>,
}

impl Walk<'_> {
    /// Walks a region; answers what lives at its end, nothing where the end is not reached.
    fn region(&mut self, region: RegionId, mut live: Live) -> Option<Live> {
        let facts = self.facts;
        let events = facts.region_events(region);
        let mut position = 0;
        while let Some(event) = events.get(position) {
            position += 1;
            match *event {
                Event::Region(inner) if self.is_arm(inner) => {
                    let mut arms = vec![inner];
                    while let Some(Event::Region(next)) = events.get(position)
                        && self.is_arm(*next)
                    {
                        arms.push(*next);
                        position += 1;
                    }
                    live = self.fork(&arms, &live)?;
                }
                Event::Region(inner) if self.kind(inner) == RegionKind::Loop => {
                    let after = self.region(inner, live.clone());
                    live = join([Some(live), after]).unwrap_or_default();
                }
                Event::Region(inner) => live = self.region(inner, live)?,
                Event::Return(_) | Event::Jump | Event::Raise => return None,
                other => self.step(other, &mut live),
            }
        }
        Some(live)
    }

    fn kind(&self, region: RegionId) -> RegionKind {
        self.facts.regions[region.index()].kind
    }

    fn is_arm(&self, region: RegionId) -> bool {
        matches!(
            self.kind(region),
            RegionKind::Branch | RegionKind::SelectArm
        )
    }

    /// One arm may be passed by; of several one runs.
    fn fork(&mut self, arms: &[RegionId], live: &Live) -> Option<Live> {
        let mut ends: Vec<Option<Live>> = arms
            .iter()
            .map(|arm| self.region(*arm, live.clone()))
            .collect();
        if arms.len() == 1 {
            ends.push(Some(live.clone()));
        }
        join(ends)
    }

    fn step(&mut self, event: Event, live: &mut Live) {
        match event {
            Event::Call(call) => {
                // Tasks of Python that want a lock of tasks wait for its one thread anyway.
                let locked = |guards: Guards| match guards {
                    Guards::Lock => true,
                    Guards::TaskLock => self.facts.language == Language::Rust,
                    _ => false,
                };
                let first = live.iter().find(|(index, _)| locked(self.guards[*index].1));
                if let Some((index, _)) = first {
                    let guard = self.guards[*index].0;
                    self.locked_calls
                        .entry(self.program.call_in(self.body, call))
                        .or_insert_with(|| guard.clone());
                }
                live.retain(|(index, _)| !self.guards[*index].0.taken_by.contains(&call));
                self.begin(Keeper::Temporary(call), live);
                self.begin(Keeper::Entered(call), live);
                self.end_entered(call, live);
            }
            Event::Bind(definition) | Event::Assign(definition) => {
                self.end_variable(self.binding(definition), live);
                self.begin(Keeper::Variable(definition), live);
            }
            Event::Move(binding) | Event::ScopeEnd(binding) => self.end_variable(binding, live),
            Event::TemporariesEnd(span) => live.retain(|(index, _)| {
                !matches!(self.guards[*index].0.keeper, Keeper::Temporary(call) if span.contains(self.facts.call(call).span))
            }),
            Event::Await(expr) => self.suspend(expr, live),
            _ => {}
        }
    }

    fn binding(&self, definition: DefinitionId) -> BindingId {
        self.facts.definitions[definition.index()].binding
    }

    fn begin(&self, keeper: Keeper, live: &mut Live) {
        let found = self
            .guards
            .iter()
            .position(|(guard, _)| guard.keeper == keeper);
        live.extend(found.map(|index| (index, true)));
    }

    fn end_variable(&self, binding: BindingId, live: &mut Live) {
        live.retain(|(index, _)| {
            !matches!(self.guards[*index].0.keeper, Keeper::Variable(definition) if self.binding(definition) == binding)
        });
    }

    /// Leaving a `with` ends what entering it began.
    fn end_entered(&self, exit: CallId, live: &mut Live) {
        let exit = self.facts.call(exit);
        let (CallKind::Exit, Callee::Method { receiver: left, .. }) = (exit.kind, exit.callee)
        else {
            return;
        };
        live.retain(|(index, _)| match self.guards[*index].0.keeper {
            Keeper::Entered(call) => !matches!(
                self.facts.call(call).callee,
                Callee::Method { receiver, .. } if receiver == left
            ),
            _ => true,
        });
    }

    fn suspend(&mut self, expr: ExprId, live: &Live) {
        let span = self.facts.expr(expr).span;
        for (index, always) in live {
            self.first_await[*index].get_or_insert((span, *always));
        }
    }
}

/// Puts the ends of several ways together; ends that are not reached do not count.
fn join(ends: impl IntoIterator<Item = Option<Live>>) -> Option<Live> {
    let reached: Vec<Live> = ends.into_iter().flatten().collect();
    let (first, rest) = reached.split_first()?;
    let mut joined = first.clone();
    for live in rest {
        for (index, always) in &mut joined {
            *always &= live.contains(&(*index, true));
        }
        let new = live
            .iter()
            .filter(|(index, _)| !first.iter().any(|(known, _)| known == index));
        joined.extend(new.map(|(index, _)| (*index, false)));
    }
    joined.sort_unstable();
    joined.dedup_by_key(|(index, _)| *index);
    Some(joined)
}
