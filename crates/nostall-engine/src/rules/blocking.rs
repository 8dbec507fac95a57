//! Calls in async code that hold the executor, found through summaries.

use nostall_catalog::ApiId;
use nostall_model::finding::{Cause, Finding, HeldLock, Place, Rule};
use nostall_model::program::ProgramBody;
use nostall_model::{Category, Context};

use super::await_holding_lock::taken;
use super::writer::{Writer, place};
use super::{Check, Draft, Subject};
use crate::advice;
use crate::analyse::Steps;
use crate::summary::Effect;

/// The check.
#[derive(Debug)]
pub(super) struct Blocking;

/// A rule for each kind of call, in the order of [`Category::ALL`].
static RULES: [Rule; Category::ALL.len()] = [
    rule!(
        "blocking-fs",
        Blocking,
        "file and folder access on the executor"
    ),
    rule!(
        "blocking-net",
        Blocking,
        "sockets and name look-up on the executor"
    ),
    rule!(
        "blocking-http",
        Blocking,
        "blocking HTTP clients on the executor"
    ),
    rule!(
        "blocking-db",
        Blocking,
        "blocking database calls on the executor"
    ),
    rule!(
        "blocking-cache",
        Blocking,
        "blocking cache clients on the executor"
    ),
    rule!(
        "blocking-queue",
        Blocking,
        "blocking message-queue clients on the executor"
    ),
    rule!(
        "blocking-cloud",
        Blocking,
        "blocking cloud SDK calls on the executor"
    ),
    rule!(
        "blocking-process",
        Blocking,
        "child processes started or awaited on the executor"
    ),
    rule!("blocking-sleep", Blocking, "sleeping on the executor"),
    rule!(
        "blocking-lock",
        Blocking,
        "thread locks taken on the executor"
    ),
    rule!(
        "blocking-wait",
        Blocking,
        "waiting for other threads on the executor"
    ),
    rule!("blocking-cpu", Blocking, "long computation on the executor"),
    rule!(
        "blocking-console",
        Blocking,
        "terminal input and output on the executor"
    ),
    rule!(
        "nested-runtime",
        Blocking,
        "running one async runtime inside another"
    ),
];

/// Returns the rule for a kind of call.
pub(super) fn rule_of(category: Category) -> &'static Rule {
    &RULES[category as usize]
}

impl Check for Blocking {
    fn rules(&self) -> &'static [Rule] {
        &RULES
    }

    fn find(&self, steps: &Steps<'_>) -> Vec<Draft> {
        let program = steps.program;
        let mut drafts = Vec::new();
        for body in program.bodies() {
            let around = &steps.runs[body.index()];
            if around.context != Context::Async {
                continue;
            }
            for call in program.calls_of(body) {
                for effect in steps.summaries.of_call(*call) {
                    if effect.condition.is_some_and(|condition| condition.strict) {
                        continue;
                    }
                    let blocking = steps.summaries.sink(effect.sink);
                    let placement = effect
                        .placement
                        .within(around.placement)
                        .and(steps.startup.placement(around.entry, *call));
                    let (risk, reasons) = placement.grade(blocking);
                    drafts.push(Draft {
                        check: &Blocking,
                        rule: rule_of(blocking.category),
                        risk,
                        reasons,
                        confidence: effect.confidence.min(around.confidence),
                        body,
                        place: place(program, *call),
                        statement: program.call(*call).1.statement,
                        subject: Subject::Way(*call, *effect),
                    });
                }
            }
        }
        drafts
    }

    fn write(&self, writer: &Writer<'_>, draft: &Draft, others: &[&Draft]) -> Finding {
        let (call, effect) = draft.way().expect("this check drafts ways alone");
        let blocking = writer.summaries.sink(effect.sink);
        let api = writer.catalog.api(ApiId(blocking.api));
        let runs = &writer.runs[draft.body.index()];
        let chain = writer.chain(draft.body, effect);
        let path = chain
            .last()
            .map_or(&*api.path, |hop| hop.call.as_str())
            .to_owned();
        Finding {
            rule: draft.rule,
            risk: draft.risk,
            risk_reasons: draft.reasons.clone(),
            confidence: draft.confidence,
            language: api.language(),
            category: Some(blocking.category),
            place: draft.place,
            statement: draft.statement,
            function: writer.program.resolved(runs.entry).path.clone(),
            entry: writer.entry(draft.body),
            entry_place: Some(writer.entry_place(runs.entry)),
            replacement: advice::of_call(writer, draft.body, call, effect),
            also: also(writer, &path, others),
            also_at: Vec::new(),
            held: held_lock(writer, draft.body, effect),
            cause: Cause::Call {
                api: ApiId(blocking.api),
                path,
                waits: blocking.waits,
                panics: blocking.panics,
                why: api.why.clone(),
            },
            chain,
            fix: None,
            fingerprint: String::new(),
        }
    }
}

/// The lock that is held on the way, where there is one: the outermost.
fn held_lock(writer: &Writer<'_>, body: ProgramBody, effect: Effect) -> Option<HeldLock> {
    if !effect.placement.locked {
        return None;
    }
    let mut steps = writer.steps(body, effect).into_iter();
    let (call, guard) = steps.find_map(|(_, step)| {
        let guard = writer.held.locked_calls.get(&step.call)?;
        Some((step.call, guard))
    })?;
    let (span, _) = taken(writer.program.facts(guard.body), guard);
    Some(HeldLock {
        guard: guard.type_.to_string(),
        place: Place {
            file: writer.program.file_of_call(call),
            span,
        },
    })
}

/// The other apis at the same place.
fn also(writer: &Writer<'_>, called: &str, others: &[&Draft]) -> Vec<String> {
    let mut also: Vec<String> = others
        .iter()
        .filter_map(|draft| draft.way())
        .map(|(_, effect)| writer.api_path(effect))
        .collect();
    also.sort();
    also.dedup();
    also.retain(|path| path != called);
    also
}
