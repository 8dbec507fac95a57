//! Calls that are told as one finding: one repair answers them all.
//!
//! Two calls of a statement belong together where one is made on what the other gives (`open(p).read()`, `prepare()?.query()?`),
//! or where they stand on one line and do the same: both call an api, or both call the same function. So do the steps of an
//! iteration and the call that gives it, wherever they stand. They have one rule and one body: a block, a closure or another kind
//! of wait inside a statement stays a finding of its own.

use std::collections::BTreeMap;

use nostall_model::facts::{CallKind, Callee, ExprId, ExprKind, FileFacts};
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{FileId, RuleId, Span};

use crate::crowds::values;
use crate::program::Program;
use crate::rules::Draft;

/// What is found at one place.
pub(crate) struct AtPlace<'d> {
    /// The draft that speaks for the place.
    pub(crate) worst: &'d Draft,
    /// Those that are shown; none where the place is hidden.
    pub(crate) visible: Vec<&'d Draft>,
}

/// Puts the places of each statement together that belong together. The first of each group speaks for it: one that is shown,
/// then the worst, the surest, the earliest.
pub(crate) fn together<'d>(
    program: &Program<'_>,
    places: Vec<AtPlace<'d>>,
) -> Vec<Vec<AtPlace<'d>>> {
    let mut bodies: BTreeMap<Key, Vec<Vec<AtPlace<'d>>>> = BTreeMap::new();
    for place in places {
        let groups = bodies.entry(key(program, place.worst)).or_default();
        let belongs = |other: &AtPlace<'_>| belong_together(program, other.worst, place.worst);
        let (own, rest): (Vec<_>, Vec<_>) = std::mem::take(groups)
            .into_iter()
            .partition(|group| group.iter().any(belongs));
        *groups = rest;
        groups.push(own.into_iter().flatten().chain([place]).collect());
    }
    let mut groups: Vec<Vec<AtPlace<'d>>> = bodies.into_values().flatten().collect();
    for group in &mut groups {
        group.sort_by_key(|place| {
            (
                place.visible.is_empty(),
                std::cmp::Reverse((place.worst.risk, place.worst.confidence)),
                place.worst.place.span,
            )
        });
    }
    groups
}

/// A body, and a rule.
type Key = (FileId, Span, RuleId);

fn key(program: &Program<'_>, draft: &Draft) -> Key {
    (
        draft.place.file,
        program.body(draft.body).span,
        draft.rule.id,
    )
}

fn belong_together(program: &Program<'_>, left: &Draft, right: &Draft) -> bool {
    let (Some((left_call, left_callee)), Some((right_call, right_callee))) =
        (callee(left), callee(right))
    else {
        return false;
    };
    if left.statement != right.statement {
        return steps_through(program, left_call, right_call)
            || steps_through(program, right_call, left_call);
    }
    let lines = program.sources.lines(left.place.file);
    let one_line = lines.line(left.place.span.start) == lines.line(right.place.span.start);
    (one_line && left_callee == right_callee)
        || is_made_on(program, left_call, right_call)
        || is_made_on(program, right_call, left_call)
}

/// The call, and the function of the program that it runs; none where it is an api's own.
fn callee(draft: &Draft) -> Option<(ProgramCall, Option<ProgramBody>)> {
    draft.way().map(|(call, effect)| (call, effect.next))
}

/// Says whether a call is a method of what another gives, or of what is got from that.
fn is_made_on(program: &Program<'_>, outer: ProgramCall, inner: ProgramCall) -> bool {
    let (facts, outer) = program.call(outer);
    let (_, inner) = program.call(inner);
    receiver(outer.callee).is_some_and(|receiver| comes_from(facts, receiver, inner.expr))
}

/// Says whether a value is another, or is got from it by methods, attributes, `?` and the like.
fn comes_from(facts: &FileFacts, value: ExprId, origin: ExprId) -> bool {
    // Longer chains than this are not told apart any more.
    let chain = std::iter::successors(Some(value), |value| made_from(facts, *value)).take(64);
    chain.into_iter().any(|value| value == origin)
}

/// Says whether a call is a step of an iteration that another call gives.
fn steps_through(program: &Program<'_>, step: ProgramCall, giver: ProgramCall) -> bool {
    let (facts, step) = program.call(step);
    let (_, giver) = program.call(giver);
    let Callee::Method { receiver, name } = step.callee else {
        return false;
    };
    let steps = step.kind == CallKind::Iterate || matches!(facts.text(name), "next" | "__next__");
    steps && values(facts, receiver).any(|value| comes_from(facts, value, giver.expr))
}

fn receiver(callee: Callee) -> Option<ExprId> {
    match callee {
        Callee::Method { receiver, .. } => Some(receiver),
        Callee::Value(_) | Callee::Macro(_) => None,
    }
}

fn made_from(facts: &FileFacts, expr: ExprId) -> Option<ExprId> {
    match facts.expr(expr).kind {
        ExprKind::Call(call) => receiver(facts.call(call).callee),
        ExprKind::Await(inner)
        | ExprKind::Try(inner)
        | ExprKind::Reference(inner)
        | ExprKind::Dereference(inner)
        | ExprKind::Cast { value: inner, .. }
        | ExprKind::Attribute { base: inner, .. }
        | ExprKind::Project { base: inner, .. } => Some(inner),
        _ => None,
    }
}
