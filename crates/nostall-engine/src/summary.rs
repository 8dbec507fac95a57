//! What each body does when it runs: which apis it blocks on and by which way, and what it does with the callables that it
//! is given.
//!
//! Summaries are made bottom-up over strongly connected parts of the call graph. They are parametric: a body that calls
//! its parameter says so, and each call site puts in what it passes. Propagation stops at async bodies: calling one makes
//! a future, and what blocks in there is reported there.

mod loop_use;
mod merge;
mod passed;
mod rounds;

use nostall_catalog::{ApiId, Catalog, Times};
use nostall_model::facts::{CallKind, ExprId, Flavour, Sink};
use nostall_model::finding::Bond;
use nostall_model::program::{
    Condition, Guard, Instance, ProgramBody, ProgramCall, Target, TargetKind,
};
use nostall_model::{Confidence, Context, Language};
use rustc_hash::FxHashMap;

use crate::contexts::Runs;
use crate::given::{self, Dependences};
use crate::loop_told::{DefinedIn, LoopAt};
use crate::placement::{Loops, Placement, own_placement};
use crate::program::Program;
use crate::sinks::{Bench, Blocking, Constant, judge};

use loop_use::LoopUse;
use merge::{add_effect, same_use};
pub(crate) use rounds::{reaching, summarise, summarise_again};

/// Names a judged blocking call: its index in [`Summaries::sinks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkId(pub u32);

/// One thing that a body blocks on, with the first step of the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What blocks.
    pub sink: SinkId,
    /// How sure that is.
    pub confidence: Confidence,
    /// How many calls lie between the body and the api: 0 where it is called here.
    pub hops: u16,
    /// The call in this body, or in a closure that it runs.
    pub call: ProgramCall,
    /// The body that this call runs; none where it is the api's own call.
    pub next: Option<ProgramBody>,
    /// Where on the way it happens.
    pub placement: Placement,
    /// What a type parameter of the body must stand for.
    pub condition: Option<Condition>,
    /// How sure it is where the condition holds.
    pub settled: Confidence,
    /// On which parameters of the body it depends.
    pub depends: Dependences,
    /// The effect of `next` that this one comes from.
    pub under: Premise,
}

/// What must be so for an effect to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Premise {
    /// What a type parameter of the body must stand for.
    pub condition: Option<Condition>,
    /// On which parameters of the body it depends.
    pub depends: Dependences,
}

impl Effect {
    /// What must be so for it to happen.
    #[must_use]
    pub fn premise(&self) -> Premise {
        Premise {
            condition: self.condition,
            depends: self.depends,
        }
    }
}

/// What a body does with a callable that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Runs it before it returns.
    Inline,
    /// Runs it off the executor.
    Offloaded,
    /// Hands it to the executor, to be run later.
    Scheduled,
}

/// A use of a parameter of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterUse {
    /// The body whose parameter it is.
    pub owner: ProgramBody,
    /// Which parameter.
    pub index: u16,
    /// What is done with it.
    pub what: Use,
    /// How sure that is.
    pub confidence: Confidence,
    /// The call that does it.
    pub call: ProgramCall,
}

/// What one body does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What it blocks on, by sink.
    pub effects: Vec<Effect>,
    /// What it does with callables.
    pub uses: Vec<ParameterUse>,
    loop_use: LoopUse,
}

impl Summary {
    /// Says what keeps it on the event loop's thread.
    pub(crate) fn bond(&self) -> Option<Bond> {
        self.loop_use.bond()
    }
}

/// The summaries of all bodies.
#[derive(Debug)]
pub struct Summaries {
    by_body: Vec<Summary>,
    by_call: FxHashMap<ProgramCall, Vec<Effect>>,
    /// The judged blocking calls, each once.
    pub sinks: Vec<Blocking>,
    sink_index: FxHashMap<Blocking, SinkId>,
}

/// Says whether a way through this call is cut off by a mark in the source.
pub type Cut<'a> = dyn Fn(ProgramCall, &Blocking) -> bool + 'a;

/// The most sinks that one summary keeps: what blocks in more ways than these is well described by them.
const MOST_EFFECTS: usize = 64;

/// What summaries are made from.
#[derive(Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) loops: &'a Loops,
    /// Calls that are made while a lock is held.
    pub(crate) locked: &'a FxHashMap<ProgramCall, Guard>,
    /// Bodies whose results are kept.
    pub(crate) kept: &'a FxHashMap<ProgramBody, Placement>,
}

impl Summaries {
    /// Returns what a body does.
    #[must_use]
    pub fn of(&self, body: ProgramBody) -> &Summary {
        &self.by_body[body.index()]
    }

    /// Returns a judged blocking call.
    #[must_use]
    pub fn sink(&self, id: SinkId) -> &Blocking {
        &self.sinks[id.0 as usize]
    }

    fn intern(&mut self, blocking: Blocking) -> SinkId {
        if let Some(id) = self.sink_index.get(&blocking) {
            return *id;
        }
        let id = SinkId(self.sinks.len() as u32);
        self.sinks.push(blocking.clone());
        self.sink_index.insert(blocking, id);
        id
    }

    /// Adds what each call of the bodies on the executor blocks on. What its closures do is theirs to report: they are part
    /// of the body.
    pub(crate) fn add_calls(
        &mut self,
        basis: Basis<'_>,
        runs: &[Runs],
        bodies: impl Iterator<Item = ProgramBody>,
    ) {
        let cx = Cx::new(basis, &|_, _| false);
        let on_executor = |body: &ProgramBody| runs[body.index()].context == Context::Async;
        for body in bodies.filter(on_executor) {
            for call in basis.program.calls_of(body) {
                let mut effects = Vec::new();
                for effect in cx.contribution(body, *call, self).effects {
                    if effect.call == *call {
                        add_effect(&mut effects, effect);
                    }
                }
                if !effects.is_empty() {
                    self.by_call.insert(*call, effects);
                }
            }
        }
    }

    /// Returns what a call of a body on the executor blocks on.
    #[must_use]
    pub fn of_call(&self, call: ProgramCall) -> &[Effect] {
        self.by_call.get(&call).map_or(&[], Vec::as_slice)
    }

    /// Finds what a body blocks on, as one sink under one premise.
    #[must_use]
    pub fn effect(&self, body: ProgramBody, sink: SinkId, premise: Premise) -> Option<&Effect> {
        let mut effects = self.of(body).effects.iter();
        effects.find(|effect| effect.sink == sink && effect.premise() == premise)
    }
}

pub(crate) struct Cx<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) catalog: &'a Catalog,
    basis: Basis<'a>,
    cut: &'a Cut<'a>,
    pub(crate) defined_in: DefinedIn,
}

/// What one call contributes.
#[derive(Default)]
struct Contribution {
    effects: Vec<Effect>,
    uses: Vec<ParameterUse>,
    loop_use: LoopUse,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(basis: Basis<'a>, cut: &'a Cut<'a>) -> Self {
        Self {
            program: basis.program,
            catalog: basis.catalog,
            basis,
            cut,
            defined_in: DefinedIn::new(basis.program.all_facts().len()),
        }
    }
}

impl Cx<'_> {
    /// What a call's own place says.
    pub(crate) fn placement(&self, call: ProgramCall) -> Placement {
        own_placement(self.program, self.basis.loops, self.basis.locked, call)
    }

    /// The bodies whose summaries this one needs.
    fn callees(&self, body: ProgramBody) -> Vec<usize> {
        let mut found = Vec::new();
        for call in self.program.calls_of(body) {
            let targets = self
                .program
                .targets(*call)
                .iter()
                .map(|target| &target.kind);
            let passed = self
                .program
                .passed(*call)
                .iter()
                .map(|passed| &passed.target.kind);
            found.extend(targets.chain(passed).filter_map(|kind| match kind {
                TargetKind::Body(body) => Some(body.index()),
                _ => None,
            }));
        }
        found
    }

    fn summary(&self, body: ProgramBody, summaries: &mut Summaries) -> Summary {
        let mut summary = Summary::default();
        for call in self.program.calls_of(body) {
            let contribution = self.contribution(body, *call, summaries);
            summary.loop_use.add(contribution.loop_use);
            for effect in contribution.effects {
                if !(self.cut)(effect.call, summaries.sink(effect.sink)) {
                    add_effect(&mut summary.effects, effect);
                }
            }
            for use_ in contribution.uses {
                if !summary.uses.iter().any(|known| same_use(known, &use_)) {
                    summary.uses.push(use_);
                }
            }
        }
        summary
            .effects
            .sort_by_key(|effect| (effect.sink, effect.premise(), effect.hops));
        summary.effects.truncate(MOST_EFFECTS);
        summary
    }

    fn contribution(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        summaries: &mut Summaries,
    ) -> Contribution {
        let mut contribution = Contribution::default();
        let (facts, record) = self.program.call(call);
        for target in self.program.targets(call) {
            if let TargetKind::Api(api) = target.kind {
                let api = self.catalog.api(ApiId(api));
                contribution.loop_use.add_run(api, target.confidence);
            }
        }
        let loop_at = self.loop_at(call);
        if loop_at == LoopAt::None {
            return contribution;
        }
        let awaited = record.sink == Sink::Awaited;
        // Where one of several targets gives a future, an await says that it is that one.
        let is_async = |target: &&Target| matches!(target.kind, TargetKind::Body(body) if !self.program.runs_when_called(body));
        let meant = awaited
            && self
                .program
                .targets(call)
                .iter()
                .any(|target| is_async(&target));
        for (position, target) in self.program.targets(call).iter().enumerate() {
            if meant && !is_async(&target) || self.is_only_for_tests(body, target) {
                continue;
            }
            let condition = self.program.condition(call, position);
            let first = contribution.effects.len();
            // Under a condition that holds nothing is in doubt.
            let mut confidence = condition.map_or(target.confidence, |_| Confidence::Certain);
            if loop_at == LoopAt::Doubtful {
                confidence = Confidence::Possible;
            }
            match &target.kind {
                TargetKind::Api(api) => self.call_api(
                    body,
                    call,
                    *api,
                    confidence,
                    awaited,
                    summaries,
                    &mut contribution,
                ),
                TargetKind::Body(callee) => self.call_body(
                    body,
                    call,
                    *callee,
                    confidence,
                    summaries,
                    &mut contribution,
                ),
                TargetKind::Parameter(owner, index) => contribution.uses.push(ParameterUse {
                    owner: *owner,
                    index: *index,
                    what: Use::Inline,
                    // In Python what is awaited comes from async code, which does not run when it is called.
                    confidence: match (awaited, facts.language) {
                        (true, Language::Python) => confidence.min(Confidence::Possible),
                        _ => confidence,
                    },
                    call,
                }),
                // An operator of something unknown is not taken for what runs its operand.
                TargetKind::External(_) | TargetKind::Unresolved(_)
                    if !matches!(record.kind, CallKind::Plain | CallKind::Macro) => {}
                TargetKind::External(_) | TargetKind::Unresolved(_) => {
                    for passed in self.program.passed(call) {
                        self.use_passed(
                            body,
                            call,
                            passed,
                            Use::Inline,
                            Confidence::Possible,
                            summaries,
                            &mut contribution,
                        );
                    }
                }
            }
            for effect in &mut contribution.effects[first..] {
                if condition.is_some() {
                    effect.settled = effect.confidence;
                    effect.confidence = effect.confidence.min(target.confidence);
                    effect.condition = condition;
                }
            }
        }
        self.pass_over(call, summaries, &mut contribution);
        if !contribution.effects.is_empty() {
            let place = self.dependences_of_place(body, call);
            for effect in &mut contribution.effects {
                place
                    .iter()
                    .flatten()
                    .for_each(|it| given::add(&mut effect.depends, *it));
            }
        }
        contribution
    }

    /// Says whether a target is code of tests, which the program itself never reaches: the double of a trait.
    fn is_only_for_tests(&self, caller: ProgramBody, target: &Target) -> bool {
        let presence = |body| self.program.resolved(body).presence;
        matches!(target.kind, TargetKind::Body(body) if presence(body) > presence(caller))
    }

    /// What listeners do that every program expects of them is no finding at each call that tells them: a log handler writes
    /// lines to a file.
    fn pass_over(&self, call: ProgramCall, summaries: &Summaries, contribution: &mut Contribution) {
        for target in self.program.targets(call) {
            let TargetKind::Api(api) = target.kind else {
                continue;
            };
            let registers = self.catalog.api(ApiId(api)).tells.as_deref();
            let registers = registers.and_then(|it| self.catalog.lookup(Language::Python, it));
            let listens = registers.and_then(|it| self.catalog.api(it.api).listens.as_ref());
            if let Some(listens) = listens {
                contribution.effects.retain(|effect| {
                    !listens
                        .expected
                        .contains(&summaries.sink(effect.sink).waits)
                });
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of a walk whose state is these"
    )]
    fn call_api(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        api: u32,
        confidence: Confidence,
        awaited: bool,
        summaries: &mut Summaries,
        contribution: &mut Contribution,
    ) {
        let api = self.proven(call, api);
        let entry = self.catalog.api(ApiId(api));
        let (facts, record) = self.program.call(call);
        contribution.loop_use.add_api(entry, confidence);
        // What `async with` takes is async, where that is in doubt; only making the object itself may block.
        let is_async = awaited
            || record.sink == Sink::AsyncUsed
                && confidence < Confidence::Certain
                && self
                    .catalog
                    .type_entry(facts.language, &entry.path)
                    .is_none();
        if !is_async
            && let Some(blocking) = self
                .judge(call, api, None)
                .or_else(|| self.busy_wait(call, api))
            && !self.is_over(call, api)
        {
            let sink = summaries.intern(blocking);
            let depends = if self.program.body_of_call(call) == body {
                self.dependences_of_arguments(call, api)
            } else {
                Dependences::default()
            };
            contribution.effects.push(Effect {
                sink,
                confidence,
                hops: 0,
                call,
                next: None,
                placement: self.placement(call).and(Placement {
                    kept: entry.kept,
                    ..Placement::default()
                }),
                condition: None,
                settled: confidence,
                depends,
                under: Premise::default(),
            });
        }
        for passed in self.program.passed(call) {
            if let Some((mut what, sure)) = self.use_by_api(call, passed, entry) {
                if what == Use::Inline && entry.lazy && self.is_handed_elsewhere(body, call) {
                    what = Use::Offloaded;
                }
                let first = contribution.effects.len();
                self.use_passed(
                    body,
                    call,
                    passed,
                    what,
                    confidence.min(sure),
                    summaries,
                    contribution,
                );
                for effect in &mut contribution.effects[first..] {
                    effect.placement = effect.placement.within(times_at(facts, record, entry));
                }
            }
        }
    }

    pub(crate) fn judge(
        &self,
        call: ProgramCall,
        api: u32,
        put_in: Option<(ExprId, Constant<'_>)>,
    ) -> Option<Blocking> {
        let (facts, record) = self.program.call(call);
        let file_call = |other: nostall_model::facts::CallId| {
            let offset = other.0.wrapping_sub(call_number(facts, record));
            let other = ProgramCall(call.0.wrapping_add(offset));
            self.program
                .targets(other)
                .iter()
                .find_map(|target| match target.kind {
                    TargetKind::Api(api) => Some(api),
                    _ => None,
                })
        };
        judge(
            &Bench {
                catalog: self.catalog,
                facts,
                api_of: &file_call,
                type_holds: &|condition| self.program.type_matches(call, api, condition),
                put_in,
            },
            api,
            record,
        )
    }

    fn call_body(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        callee: ProgramBody,
        confidence: Confidence,
        summaries: &mut Summaries,
        contribution: &mut Contribution,
    ) {
        if !self.program.runs_when_called(callee) {
            // What async code makes runs on its thread, and there calls what it was given.
            if is_async(self.program.body(body).flavour)
                && is_async(self.program.body(callee).flavour)
            {
                self.use_given(body, call, callee, confidence, summaries, contribution);
            }
            return;
        }
        // Calling a generator makes it; its code runs where it is iterated or entered.
        let generator = self.program.body(callee).flavour == Flavour::Generator;
        if generator
            && !matches!(
                self.program.call(call).1.kind,
                CallKind::Iterate | CallKind::Enter
            )
        {
            return;
        }
        self.absorb(body, call, callee, confidence, summaries, contribution);
        self.use_given(body, call, callee, confidence, summaries, contribution);
    }

    /// Takes over what a called body does. A closure written in this body is part of it: the way leads straight on.
    fn absorb(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        callee: ProgramBody,
        confidence: Confidence,
        summaries: &Summaries,
        contribution: &mut Contribution,
    ) {
        let own = self.is_inside(callee, body);
        let mut here = self.placement(call);
        if let Some(kept) = self.basis.kept.get(&callee) {
            here = kept.within(here);
        }
        let summary = summaries.of(callee);
        contribution
            .loop_use
            .add_called(summary.loop_use, confidence);
        for effect in &summary.effects {
            let Some((condition, known)) = self.carry_over(call, effect) else {
                continue;
            };
            let depends = if own {
                Some(Dependences::default())
            } else {
                self.put_in(call, callee, &effect.depends)
            };
            let Some(depends) = depends else { continue };
            let carried = Effect {
                depends,
                confidence: confidence.min(known),
                settled: confidence.min(effect.settled),
                placement: effect.placement.within(here),
                condition,
                ..*effect
            };
            contribution.effects.push(if own {
                carried
            } else {
                doubted(Effect {
                    hops: effect.hops.saturating_add(1),
                    call,
                    next: Some(callee),
                    under: effect.premise(),
                    ..carried
                })
            });
        }
        let outer = summary.uses.iter().filter(|use_| use_.owner != callee);
        contribution.uses.extend(outer.map(|use_| ParameterUse {
            confidence: confidence.min(use_.confidence),
            ..*use_
        }));
    }

    /// What becomes of an effect's condition at a call: settled by the type that the call puts in, handed on to the caller's
    /// own parameter, or left open. Nothing where the type says that the effect does not happen.
    fn carry_over(
        &self,
        call: ProgramCall,
        effect: &Effect,
    ) -> Option<(Option<Condition>, Confidence)> {
        let Some(condition) = effect.condition else {
            return Some((None, effect.confidence));
        };
        let mut refuted = false;
        for given in self.program.instantiations(call) {
            if given.parameter != condition.parameter {
                continue;
            }
            match given.value {
                Instance::Is(key) if key == condition.is => {
                    return Some((None, effect.settled));
                }
                Instance::Is(_) => refuted = true,
                Instance::Parameter(parameter) => {
                    let handed = Condition {
                        parameter,
                        ..condition
                    };
                    return Some((Some(handed), effect.confidence));
                }
            }
        }
        (!refuted).then_some((Some(condition), effect.confidence))
    }
}

/// Beyond this number of calls nobody can say of a way with conditions on it that they all hold at once.
const FAR: u16 = 5;

/// Doubts an effect that is far away and hangs on conditions: their values decide, and they are not known.
fn doubted(effect: Effect) -> Effect {
    if effect.hops < FAR || !effect.placement.branched {
        return effect;
    }
    Effect {
        confidence: Confidence::Possible,
        settled: Confidence::Possible,
        ..effect
    }
}

/// What an api says of how often its callable runs.
pub(crate) fn by_times(api: &nostall_catalog::Api) -> Placement {
    Placement {
        loops: u8::from(api.times == Some(Times::Many)),
        once: api.times == Some(Times::Once),
        ..Placement::default()
    }
}

fn is_async(flavour: Flavour) -> bool {
    matches!(flavour, Flavour::Async | Flavour::AsyncGenerator)
}

/// The same for a call: over a list that the source spells out it is no loop over data.
pub(crate) fn times_at(
    facts: &nostall_model::facts::FileFacts,
    call: &nostall_model::facts::Call,
    api: &nostall_catalog::Api,
) -> Placement {
    let times = by_times(api);
    let is_short = match call.callee {
        nostall_model::facts::Callee::Method { receiver, .. } => {
            crate::placement::is_written_out(facts, receiver, 4)
        }
        _ => false,
    };
    Placement {
        loops: if is_short { 0 } else { times.loops },
        ..times
    }
}

/// The number of a call in its file.
pub(crate) fn call_number(
    facts: &nostall_model::facts::FileFacts,
    call: &nostall_model::facts::Call,
) -> u32 {
    match facts.expr(call.expr).kind {
        nostall_model::facts::ExprKind::Call(id) => id.0,
        _ => 0,
    }
}
