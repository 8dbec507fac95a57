//! Busy waits: loops that do nothing but ask whether something has happened, `while !flag.load(..) {}`.
//!
//! Which calls ask is the catalogue's (`asks`). A loop within another is the inside of a lock, and as short as one.

use nostall_catalog::{ApiId, Effect};
use nostall_model::facts::{
    Call, CallId, CallKind, Event, ExprId, ExprKind, FileFacts, Part, RegionId, RegionKind,
};
use nostall_model::finding::RiskReason;
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Category, Waits};

use crate::given::tests;
use crate::over::{answered, receiver};
use crate::sinks::{Blocking, awaits};
use crate::summary::Cx;

impl Cx<'_> {
    /// Judges a call that only asks: what it does where a loop asks over and over.
    pub(crate) fn busy_wait(&self, call: ProgramCall, api: u32) -> Option<Blocking> {
        let entry = self.catalog.api(ApiId(api));
        if !entry.asks {
            return None;
        }
        let (facts, record) = self.program.call(call);
        let is_loop = |id: &RegionId| facts.regions[id.index()].kind == RegionKind::Loop;
        let mut loops = facts.regions_outwards(record.region).filter(is_loop);
        let (region, None) = (loops.next()?, loops.next()) else {
            return None;
        };
        let body = self.program.body_of_call(call);
        let is_busy = does_not_count(facts, region, record)
            && (gives_answer(entry.returns.as_deref()) || self.goes_on_without(call, region))
            && calls_within(facts, region, record).all(|id| self.is_idle(body, facts, id));
        let waits = match entry.waits {
            // A clock goes on, whatever the rest of the program does.
            Some(Waits::Timer) => Waits::Timer,
            _ => Waits::Unbounded,
        };
        is_busy.then(|| Blocking {
            api,
            category: Category::Wait,
            waits,
            panics: false,
            risk: waits.base_risk(),
            reasons: vec![RiskReason {
                code: "busy-wait",
                text: "asks over and over, until something else has happened".to_owned(),
            }],
        })
    }

    /// Says whether a loop goes on where the call has no answer to give, and not as long as there is one.
    fn goes_on_without(&self, call: ProgramCall, region: RegionId) -> bool {
        let (facts, _) = self.program.call(call);
        let own = self.program.file_call(call);
        let within = (0..facts.regions.len())
            .map(RegionId::new)
            .filter(|id| facts.regions_outwards(*id).any(|outer| outer == region));
        let mut decided = within.flat_map(|id| tests(facts, id).iter().map(move |test| (id, test)));
        decided.any(|(id, test)| {
            let asks_it = answered(facts, test).is_some_and(|(asked, _)| asked == own);
            let leaves = facts.region_events(id).iter().any(is_exit);
            let is_arm = facts.regions[id.index()].kind == RegionKind::Branch;
            asks_it && test.holds == is_arm && is_arm == leaves
        })
    }

    /// Says whether a call in a loop asks, looks at an answer, or lets time pass.
    fn is_idle(&self, body: ProgramBody, facts: &FileFacts, id: CallId) -> bool {
        let call = facts.call(id);
        let targets = self.program.targets(self.program.call_in(body, id));
        if call.kind != CallKind::Plain {
            let runs_code = |kind: &TargetKind| matches!(kind, TargetKind::Body(_));
            return call.kind != CallKind::Macro && !targets.iter().any(|it| runs_code(&it.kind));
        }
        let of_answer = receiver(call).is_some_and(|value| is_answer(facts, value));
        let without_arguments = receiver(call).is_none() && facts.call_arguments(id).is_empty();
        !targets.is_empty()
            && targets.iter().all(|target| match target.kind {
                TargetKind::Api(api) => {
                    let entry = self.catalog.api(ApiId(api));
                    let harmless = matches!(entry.effect, Effect::None | Effect::Constructs);
                    entry.asks || harmless && (of_answer || without_arguments)
                }
                _ => false,
            })
    }
}

/// Says whether an answer is a yes, a no or a number, with which a loop goes on either way.
fn gives_answer(returns: Option<&str>) -> bool {
    returns.is_some_and(|returns| !returns.contains('<'))
}

fn is_exit(event: &Event) -> bool {
    matches!(event, Event::Jump | Event::Return(_))
}

/// What a call within the loop gave.
fn is_answer(facts: &FileFacts, value: ExprId) -> bool {
    matches!(facts.expr(value).kind, ExprKind::Call(_))
}

fn calls_within<'a>(
    facts: &'a FileFacts,
    region: RegionId,
    own: &'a Call,
) -> impl Iterator<Item = CallId> + use<'a> {
    let calls = (0..facts.calls.len()).map(CallId::new);
    calls.filter(move |id| {
        let call = facts.call(*id);
        call.body == own.body && facts.regions_outwards(call.region).any(|it| it == region)
    })
}

/// Says whether a loop suspends nowhere, runs no closures, and changes nothing: one that counts its turns ends.
fn does_not_count(facts: &FileFacts, region: RegionId, own: &Call) -> bool {
    let span = facts.regions[region.index()].span;
    let iterates = facts.exprs.iter().any(|expr| {
        span.contains(expr.span)
            && matches!(
                expr.kind,
                ExprKind::Project {
                    part: Part::Iterated,
                    ..
                }
            )
    });
    let mut bodies = facts.bodies.iter();
    let has_closure = bodies.any(|body| {
        body.parent == Some(own.body) && span.contains(facts.regions[body.region.index()].span)
    });
    !iterates && !has_closure && !awaits(facts, region) && !changes(facts, region)
}

fn changes(facts: &FileFacts, region: RegionId) -> bool {
    let mut events = facts.region_events(region).iter();
    events.any(|event| match event {
        Event::Assign(_) | Event::Store { .. } => true,
        Event::Region(inner) => changes(facts, *inner),
        _ => false,
    })
}
