//! Callables that calls are given: who runs them, and where.

use nostall_catalog::{ApiId, Effect as ApiEffect};
use nostall_model::Confidence;
use nostall_model::facts::Flavour;
use nostall_model::program::{Passed, ProgramBody, ProgramCall, TargetKind};

use super::{Contribution, Cx, Effect, ParameterUse, Premise, Summaries, Use, is_async};
use crate::given::Dependences;
use crate::sinks::{Bench, Blocking, argument, effect, judge};

impl Cx<'_> {
    /// What an api does with a callable among its arguments.
    pub(crate) fn use_by_api(
        &self,
        call: ProgramCall,
        passed: &Passed,
        api: &nostall_catalog::Api,
    ) -> Option<(Use, Confidence)> {
        if let TargetKind::Body(generator) = passed.target.kind
            && self.program.body(generator).flavour == Flavour::Generator
        {
            return api
                .runs_generators()
                .then_some((Use::Inline, Confidence::Certain));
        }
        let (facts, record) = self.program.call(call);
        let arguments = &facts.arguments[record.arguments.range()];
        // A decorator is called with the function alone, whatever else may take it as an argument.
        let decorates = api.registers && matches!(arguments, [only] if only.name.is_none());
        let is_the_callable = api.every
            || decorates
            || api.callable.as_ref().is_none_or(|wanted| {
                argument(facts, arguments, wanted)
                    .is_some_and(|found| arguments.get(usize::from(passed.index)) == Some(found))
            });
        match effect(facts, record, api) {
            _ if !is_the_callable || self.is_iterated_elsewhere(call, api) => None,
            ApiEffect::Offloads => Some((Use::Offloaded, Confidence::Certain)),
            ApiEffect::Schedules => Some((Use::Scheduled, Confidence::Certain)),
            ApiEffect::Runs => Some((Use::Inline, Confidence::Certain)),
            _ if api.callable.is_some() => Some((Use::Inline, Confidence::Certain)),
            ApiEffect::Blocks | ApiEffect::Constructs | ApiEffect::None => None,
        }
    }

    /// Puts in the callables that a body is given.
    pub(super) fn use_given(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        callee: ProgramBody,
        confidence: Confidence,
        summaries: &mut Summaries,
        contribution: &mut Contribution,
    ) {
        let uses = summaries.of(callee).uses.clone();
        let awaits = is_async(self.program.body(callee).flavour);
        for use_ in &uses {
            if use_.owner != callee {
                continue;
            }
            // A helper that awaits the work on another thread does it in place only where it is told to.
            let moves = |other: &ParameterUse| {
                other.index == use_.index && other.owner == callee && other.what == Use::Offloaded
            };
            let limit = match use_.what == Use::Inline && awaits && uses.iter().any(moves) {
                true => Confidence::Possible,
                false => use_.confidence,
            };
            for passed in self.program.passed(call) {
                if self.program.parameter_index(call, callee, passed.index) == use_.index {
                    let sure = confidence.min(limit);
                    self.use_passed(body, call, passed, use_.what, sure, summaries, contribution);
                }
            }
        }
    }

    /// A callable argument is used in some way.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of a walk whose state is these"
    )]
    pub(super) fn use_passed(
        &self,
        body: ProgramBody,
        call: ProgramCall,
        passed: &Passed,
        what: Use,
        confidence: Confidence,
        summaries: &mut Summaries,
        contribution: &mut Contribution,
    ) {
        let confidence = confidence.min(passed.target.confidence);
        match &passed.target.kind {
            TargetKind::Parameter(owner, index) => {
                contribution.uses.push(ParameterUse {
                    owner: *owner,
                    index: *index,
                    what,
                    confidence,
                    call,
                });
            }
            TargetKind::Body(callable)
                if what == Use::Inline && self.program.runs_when_called(*callable) =>
            {
                self.absorb(body, call, *callable, confidence, summaries, contribution);
            }
            TargetKind::Body(callable) => {
                // It runs elsewhere; what it does with callables from around it happens there too.
                let uses = summaries
                    .of(*callable)
                    .uses
                    .iter()
                    .filter(|use_| use_.owner != *callable);
                contribution.uses.extend(uses.map(|use_| ParameterUse {
                    what,
                    call,
                    ..*use_
                }));
            }
            TargetKind::Api(api) if what == Use::Inline => {
                if let Some(blocking) = self.judge_passed(*api) {
                    let sink = summaries.intern(blocking);
                    contribution.effects.push(Effect {
                        sink,
                        confidence,
                        hops: 0,
                        call,
                        next: None,
                        placement: self.placement(call),
                        condition: None,
                        settled: confidence,
                        depends: Dependences::default(),
                        under: Premise::default(),
                    });
                }
            }
            TargetKind::Api(_) | TargetKind::External(_) | TargetKind::Unresolved(_) => {}
        }
    }

    /// An api that is passed as a value: nothing is known of its arguments.
    pub(super) fn judge_passed(&self, api: u32) -> Option<Blocking> {
        let facts = nostall_model::facts::FileFacts::empty(self.catalog.api(ApiId(api)).language());
        let call = crate::sinks::call_without_arguments();
        judge(
            &Bench {
                catalog: self.catalog,
                facts: &facts,
                api_of: &|_| None,
                type_holds: &|_| false,
                put_in: None,
            },
            api,
            &call,
        )
    }

    /// Says whether a closure is written within a body.
    pub(crate) fn is_inside(&self, inner: ProgramBody, outer: ProgramBody) -> bool {
        self.program.body(inner).item.is_none()
            && std::iter::successors(self.program.parent(inner), |body| {
                self.program.parent(*body)
            })
            .any(|body| body == outer)
    }
}
