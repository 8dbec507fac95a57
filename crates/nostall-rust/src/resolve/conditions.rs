//! Which definitions exist: conditions judged without a build. Unknown features and targets count as possible, but for
//! those that have one thread.

use nostall_model::facts::{Condition, ConditionId, FileFacts, ItemId, ScopeId, ScopeKind};
use nostall_model::program::Presence;

/// Judges a condition. Of `test`, `doc` and the empty `any()` we know that they do not hold in a build that serves.
pub(crate) fn presence(facts: &FileFacts, condition: Option<ConditionId>) -> Presence {
    let Some(id) = condition else {
        return Presence::Present;
    };
    let list = |run: nostall_model::facts::Run| facts.condition_lists[run.range()].iter();
    match facts.conditions[id.index()] {
        Condition::Flag(name) => match facts.text(name) {
            "test" | "bench" => Presence::Test,
            "doc" | "doctest" | "rustdoc" | "miri" | "clippy" | "false" => Presence::Absent,
            _ => Presence::Present,
        },
        Condition::All(run) => list(run)
            .map(|id| presence(facts, Some(*id)))
            .max()
            .unwrap_or(Presence::Present),
        Condition::Any(run) if is_for_tests(facts, run) => Presence::Test,
        Condition::Any(run) => list(run)
            .map(|id| presence(facts, Some(*id)))
            .min()
            .unwrap_or(Presence::Absent),
        Condition::Not(id) if always(facts, id) => Presence::Absent,
        Condition::Value(key, value) if is_single_thread(facts.text(key), facts.text(value)) => {
            Presence::Absent
        }
        Condition::Test => Presence::Test,
        Condition::TypeChecking => Presence::Absent,
        Condition::Not(_)
        | Condition::Value(..)
        | Condition::ImportTried
        | Condition::ImportFailed
        | Condition::Unknown => Presence::Present,
    }
}

/// What is only for WebAssembly runs where there is one thread: nothing can be moved away from it, and what is for other targets
/// stands beside it.
fn is_single_thread(key: &str, value: &str) -> bool {
    matches!(
        (key, value),
        ("target_arch", "wasm32" | "wasm64") | ("target_family", "wasm")
    )
}

/// `any(test, feature = "test-util")`: helpers of one's own tests that others can have for theirs.
fn is_for_tests(facts: &FileFacts, run: nostall_model::facts::Run) -> bool {
    let list = &facts.condition_lists[run.range()];
    let is_test = |id: &ConditionId| presence(facts, Some(*id)) == Presence::Test;
    let is_feature = |id: &ConditionId| matches!(facts.conditions[id.index()], Condition::Value(key, _) if facts.text(key) == "feature");
    list.iter().any(is_test) && list.iter().all(|id| is_test(id) || is_feature(id))
}

/// Says whether a condition always holds: `all()`, `true`.
fn always(facts: &FileFacts, id: ConditionId) -> bool {
    match facts.conditions[id.index()] {
        Condition::All(run) => facts.condition_lists[run.range()]
            .iter()
            .all(|id| always(facts, *id)),
        Condition::Any(run) => facts.condition_lists[run.range()]
            .iter()
            .any(|id| always(facts, *id)),
        Condition::Flag(name) => facts.text(name) == "true",
        _ => false,
    }
}

/// Judges an item with everything around it in its file.
pub(crate) fn item_presence(facts: &FileFacts, id: ItemId) -> Presence {
    let item = facts.item(id);
    presence(facts, item.condition).max(scope_presence(facts, item.scope))
}

/// Judges a scope with everything around it in its file.
pub(crate) fn scope_presence(facts: &FileFacts, scope: ScopeId) -> Presence {
    let mut worst = Presence::Present;
    let mut current = Some(scope);
    while let Some(id) = current {
        let scope = facts.scopes[id.index()];
        if let ScopeKind::Item(item) | ScopeKind::Function(item) = scope.kind {
            worst = worst.max(presence(facts, facts.item(item).condition));
        }
        current = scope.parent;
    }
    worst
}
