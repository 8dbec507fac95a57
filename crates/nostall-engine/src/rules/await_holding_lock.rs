//! Guards that live over an await: the lock stays taken, the borrow stays out, the span stays entered while other tasks run.

use nostall_catalog::Guards;
use nostall_model::facts::{CallId, Definition, FileFacts, Sink};
use nostall_model::finding::{Finding, Hop, Place, RiskReason};
use nostall_model::program::{Guard, Keeper};
use nostall_model::{Category, Confidence, Context, Language, Risk, RuleId, Span};

use super::draft::{Draft, Matter, Writer};
use super::{Group, Rule};
use crate::contexts::Runs;
use crate::held::{Held, HeldOver};
use crate::program::Program;
use crate::summary::Basis;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: RuleId("await-holding-lock"),
    group: Group::Blocking,
    summary: "guards of locks, borrows and spans that live over an await",
    category: None,
};

/// Finds guards that live over an await in async code.
pub(super) fn find(basis: Basis<'_>, runs: &[Runs], held: &Held) -> Vec<Draft> {
    let found = held.over_awaits.iter().enumerate();
    found
        .filter(|(_, over)| over.guards != Guards::TaskLock)
        .filter(|(_, over)| runs[over.guard.body.index()].context == Context::Async)
        .map(|(index, over)| draft(basis.program, runs, index, over))
        .collect()
}

fn draft(program: &Program<'_>, runs: &[Runs], index: usize, over: &HeldOver) -> Draft {
    let body = over.guard.body;
    let (risk, code, text) = weight(over.guards);
    let sure = if over.always {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let (span, statement) = taken(program.facts(body), &over.guard);
    Draft {
        rule: RULE.id,
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
        matter: Matter::Holds(index),
    }
}

/// How bad it is to keep a guard over an await.
fn weight(guards: Guards) -> (Risk, &'static str, &'static str) {
    match guards {
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

/// Where a guard is taken: the call that gives it, else the variable.
fn taken(facts: &FileFacts, guard: &Guard) -> (Span, Span) {
    let call = match guard.keeper {
        Keeper::Temporary(call) | Keeper::Entered(call) => Some(call),
        Keeper::Variable(id) => facts
            .calls
            .iter()
            .position(|call| call.sink == Sink::Bound(id))
            .map(CallId::new),
    };
    if let Some(call) = call {
        let call = facts.call(call);
        return (call.name_span, call.statement);
    }
    match guard.keeper {
        Keeper::Variable(id) => {
            let Definition { span, .. } = facts.definitions[id.index()];
            (span, span)
        }
        Keeper::Temporary(_) | Keeper::Entered(_) => (Span::default(), Span::default()),
    }
}

impl Writer<'_> {
    /// Writes the finding for a guard that lives over an await.
    pub(super) fn holding(&self, draft: &Draft, over: &HeldOver) -> Finding {
        let body = draft.body;
        let runs = &self.runs[body.index()];
        let function = self.program.resolved(runs.entry).path.clone();
        let type_ = over.guard.type_.to_string();
        let language = self.program.facts(body).language;
        let (message, why, replacement) = words(language, over.guards, &type_);
        Finding {
            rule: draft.rule,
            risk: draft.risk,
            risk_reasons: draft.reasons.clone(),
            confidence: draft.confidence,
            language,
            category: Category::Lock,
            place: draft.place,
            statement: draft.statement,
            entry: runs.why.clone(),
            entry_place: Some(self.entry_place(runs.entry)),
            call: type_,
            message,
            why: why.to_owned(),
            replacement: Some(replacement.to_owned()),
            also: Vec::new(),
            chain: vec![Hop {
                function: function.clone(),
                place: Place {
                    file: draft.place.file,
                    span: over.await_span,
                },
                call: "await".to_owned(),
            }],
            function,
            fix: None,
            fingerprint: String::new(),
        }
    }
}

/// Message, reason, advice.
fn words(language: Language, guards: Guards, type_: &str) -> (String, &'static str, &'static str) {
    match guards {
        Guards::Lock | Guards::TaskLock if language == Language::Python => (
            format!("a `{type_}` is held while the task is suspended"),
            "The lock stays taken until the task goes on; another task that wants it holds the event loop, so that it never does.",
            "end the `with` before the `await`, or use a lock of the runtime (`asyncio.Lock`)",
        ),
        Guards::Lock | Guards::TaskLock => (
            format!("a `{type_}` is held while the task is suspended"),
            "The lock stays taken until the task goes on; whoever wants it meanwhile holds a thread.",
            "end the guard's scope before the `.await`, `drop` it, or use a lock of the runtime",
        ),
        Guards::Borrow => (
            format!("a `{type_}` is kept while the task is suspended"),
            "The value stays borrowed until the task goes on; another task on this thread that borrows it panics.",
            "take out what you need and end the borrow before the `.await`",
        ),
        Guards::Span => (
            format!("a `{type_}` is kept while the task is suspended"),
            "The span stays entered on this thread while other tasks run on it, and is not entered where this task goes on.",
            "`tracing::Instrument::instrument` on the future, or `#[tracing::instrument]` on the function",
        ),
    }
}
