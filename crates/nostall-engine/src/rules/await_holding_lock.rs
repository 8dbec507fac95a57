//! Guards that live over an await: the lock stays taken, the borrow stays out, the span stays entered while other tasks run.

use nostall_model::facts::{Definition, FileFacts, Sink};
use nostall_model::finding::{
    Advice, Cause, Finding, Guards, Hop, HopKind, Place, Replacement, RiskReason, Rule,
};
use nostall_model::program::{Guard, Keeper};
use nostall_model::{Category, Confidence, Context, Risk, Span};

use super::{Check, Draft, Subject, Writer};
use crate::analyse::Steps;
use crate::contexts::Runs;
use crate::held::HeldOver;
use crate::program::Program;

/// The check.
#[derive(Debug)]
pub(super) struct AwaitHoldingLock;

static RULES: [Rule; 1] = [rule!(
    "await-holding-lock",
    Blocking,
    "guards of locks, borrows and spans that live over an await"
)];

impl Check for AwaitHoldingLock {
    fn rules(&self) -> &'static [Rule] {
        &RULES
    }

    fn find(&self, steps: &Steps<'_>) -> Vec<Draft> {
        let over_awaits = steps.held.over_awaits.iter().enumerate();
        over_awaits
            .filter(|(_, over)| over.guards != Guards::TaskLock)
            .filter(|(_, over)| steps.runs[over.guard.body.index()].context == Context::Async)
            .map(|(index, over)| draft(steps.program, steps.runs, index, over))
            .collect()
    }

    fn write(&self, writer: &Writer<'_>, draft: &Draft, _others: &[&Draft]) -> Finding {
        let Subject::Item(index) = draft.subject else {
            unreachable!("this check drafts items alone")
        };
        let over = &writer.held.over_awaits[index];
        let runs = &writer.runs[draft.body.index()];
        let function = writer.program.resolved(runs.entry).path.clone();
        let language = writer.program.facts(draft.body).language;
        let guards = over.guards;
        Finding {
            rule: draft.rule,
            risk: draft.risk,
            risk_reasons: draft.reasons.clone(),
            confidence: draft.confidence,
            language,
            category: (guards == Guards::Lock).then_some(Category::Lock),
            place: draft.place,
            statement: draft.statement,
            entry: writer.entry(draft.body),
            entry_place: Some(writer.entry_place(runs.entry)),
            cause: Cause::Guard {
                type_: over.guard.type_.to_string(),
                guards,
            },
            replacement: Some(Replacement::Words(Advice::EndGuard(language, guards))),
            also: Vec::new(),
            also_at: Vec::new(),
            held: None,
            chain: vec![Hop {
                function: function.clone(),
                place: Place {
                    file: draft.place.file,
                    span: over.await_span,
                },
                call: "await".to_owned(),
                kind: HopKind::Await,
            }],
            function,
            fix: None,
            fingerprint: String::new(),
        }
    }
}

fn draft(program: &Program<'_>, runs: &[Runs], index: usize, over: &HeldOver) -> Draft {
    let body = over.guard.body;
    let (risk, code, text) = weight(over);
    let sure = if over.always {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let (span, statement) = taken(program.facts(body), &over.guard);
    Draft {
        check: &AwaitHoldingLock,
        rule: &RULES[0],
        risk,
        reasons: vec![RiskReason {
            code,
            text: text.to_owned(),
        }],
        confidence: over
            .guard
            .confidence
            .min(sure)
            .min(runs[body.index()].confidence),
        body,
        place: Place {
            file: program.file(body),
            span,
        },
        statement,
        subject: Subject::Item(index),
    }
}

/// How bad it is to keep a guard over an await.
fn weight(over: &HeldOver) -> (Risk, &'static str, &'static str) {
    match over.guards {
        Guards::Lock if !over.is_waited_for => (
            Risk::Low,
            "held-lock-tried",
            "nothing in the program is known to wait for such a lock: it is only tried",
        ),
        Guards::Lock | Guards::TaskLock => (
            Risk::High,
            "held-lock",
            "other tasks that want the lock hold their threads until this one goes on",
        ),
        Guards::Borrow => (
            Risk::High,
            "held-borrow",
            "another task that borrows meanwhile panics",
        ),
        Guards::Span => (
            Risk::Medium,
            "held-span",
            "what other tasks do meanwhile is recorded in this span",
        ),
    }
}

/// Where a guard is taken: the variable that keeps it, else the call that gives it; with the statement around.
pub(super) fn taken(facts: &FileFacts, guard: &Guard) -> (Span, Span) {
    match guard.keeper {
        Keeper::Temporary(call) | Keeper::Entered(call) => {
            let call = facts.call(call);
            (call.name_span, call.statement)
        }
        Keeper::Variable(id) => {
            let Definition { span, .. } = facts.definitions[id.index()];
            let mut calls = facts.calls.iter();
            let bound = calls.find(|call| call.sink == Sink::Bound(id));
            (span, bound.map_or(span, |call| call.statement))
        }
    }
}
