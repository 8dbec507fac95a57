//! Collections of Python that a call gives: empty ones, and mappings whose values are literals, `{"200": "User", "404": None}`.
//!
//! A variable that holds one is asked only where nothing else uses it, so that nothing can have put more into it.

use nostall_model::Language;
use nostall_model::facts::{
    BindingId, BranchTest, CallKind, Callee, CollectionKind, DefinitionKind, ExprId, ExprKind,
    FileFacts, Shown,
};

use super::{origin, parameter};
use crate::sinks::{Constant, constant, is_use, only_value, uses};

/// The methods that ask a mapping and do not change it.
const ASKING: [&str; 3] = ["get", "__getitem__", "__contains__"];

/// The collection that an expression is, written out or in a variable that is used this once.
pub(super) fn collection(facts: &FileFacts, value: ExprId) -> Option<ExprId> {
    match facts.expr(value).kind {
        ExprKind::Collection { .. } => Some(value),
        ExprKind::Use { binding, .. } if facts.language == Language::Python => {
            let written = only_value(facts, value)?;
            let is_collection = matches!(facts.expr(written).kind, ExprKind::Collection { .. });
            (is_collection && uses(facts, binding).take(2).count() == 1).then_some(written)
        }
        _ => None,
    }
}

/// The parameter of a mapping of which a test asks whether a value in it equals a literal: `kinds.get(status) == "file"`, also
/// through a variable.
pub(super) fn member_tested(facts: &FileFacts, test: &BranchTest) -> Option<u16> {
    let Shown::Equals(literal) = test.shown else {
        return None;
    };
    if !test.holds || facts.language != Language::Python {
        return None;
    }
    let asked = constant(facts, literal, 0)?;
    let mut mappings = values(facts, test.value)?
        .into_iter()
        .map(|value| asked_mapping(facts, value, asked));
    let first = mappings.next()??;
    let is_same = |mapping: Option<ExprId>| {
        mapping.is_some_and(|it| parameter(facts, it) == parameter(facts, first))
    };
    let (binding, _) = origin(facts, first)?;
    (mappings.all(is_same) && is_only_asked(facts, binding))
        .then(|| parameter(facts, first))
        .flatten()
}

/// Says whether no value of a mapping that is written out equals a literal.
pub(super) fn lacks(facts: &FileFacts, mapping: ExprId, asked: Constant<'_>) -> bool {
    let ExprKind::Collection {
        kind: CollectionKind::Mapping,
        elements,
    } = facts.expr(mapping).kind
    else {
        return false;
    };
    let pairs = facts.expr_list(elements).chunks_exact(2);
    let mut held = pairs.map(|pair| constant(facts, pair[1], 4));
    held.all(|held| held.is_some_and(|held| held != asked))
}

/// Says whether a variable is used nowhere else.
pub(super) fn is_used_once(facts: &FileFacts, value: ExprId) -> bool {
    origin(facts, value).is_some_and(|(binding, _)| uses(facts, binding).take(2).count() == 1)
}

/// The values that may be in a variable; of anything else the value itself.
fn values(facts: &FileFacts, value: ExprId) -> Option<Vec<ExprId>> {
    let Some((_, reaching)) = origin(facts, value) else {
        return Some(vec![value]);
    };
    let reaching = reaching.iter();
    reaching
        .map(
            |definition| match facts.definitions[definition.index()].kind {
                DefinitionKind::Value(value) => Some(value),
                _ => None,
            },
        )
        .collect()
}

/// The mapping that a call asks for a value, where what it gives instead of one is not the value that is looked for.
fn asked_mapping(facts: &FileFacts, value: ExprId, looked_for: Constant<'_>) -> Option<ExprId> {
    let ExprKind::Call(call) = facts.expr(value).kind else {
        return None;
    };
    let Callee::Method { receiver, name } = facts.call(call).callee else {
        return None;
    };
    let mut instead = facts.call_arguments(call).iter().skip(1);
    let is_other = instead.all(|instead| {
        constant(facts, instead.value, 4).is_some_and(|instead| instead != looked_for)
    });
    (ASKING[..2].contains(&facts.text(name)) && is_other).then_some(receiver)
}

/// Says whether all uses of a variable ask it for something.
fn is_only_asked(facts: &FileFacts, binding: BindingId) -> bool {
    let asking = facts.calls.iter().filter(|call| match call.callee {
        Callee::Method { receiver, name } => {
            is_use(facts, receiver, binding)
                && (call.kind == CallKind::Truth || ASKING.contains(&facts.text(name)))
        }
        _ => false,
    });
    asking.count() == uses(facts, binding).count()
}
