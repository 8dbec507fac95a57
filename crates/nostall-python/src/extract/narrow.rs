//! What a condition shows about a variable: `isinstance(x, T)`, `future.done()`.
//!
//! Each arm that a test leads to begins with a definition that says so, and goes back to the one before at its end. Which tests
//! show something is not known here: the resolution knows what is called.

use nostall_model::build::Narrowed;
use nostall_model::facts::{CallId, CallKind, Callee, ExprId, ExprKind};
use tree_sitter::Node;

use super::lower::{Lower, field, span};

/// Calls in a condition that a variable is an argument or the receiver of.
pub(super) struct Tests<'tree> {
    condition: Node<'tree>,
    /// The first call that was recorded with the condition.
    first: usize,
}

impl<'tree> Tests<'tree> {
    /// Begins to look at a condition that is not lowered yet.
    pub(super) fn new(lower: &Lower<'_>, condition: Node<'tree>) -> Self {
        Self {
            condition,
            first: lower.builder.facts.calls.len(),
        }
    }
}

impl Lower<'_> {
    /// Runs `arm`, in which the condition holds or not.
    pub(super) fn narrowed<T>(
        &mut self,
        tests: &Tests<'_>,
        holds: bool,
        arm: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let narrowed = self.narrow(tests, holds);
        let value = arm(self);
        for narrowed in narrowed.into_iter().rev() {
            self.builder.widen(narrowed);
        }
        value
    }

    /// Says that from here on the condition holds, or does not.
    pub(super) fn narrow(&mut self, tests: &Tests<'_>, holds: bool) -> Vec<Narrowed> {
        let mut shown = Vec::new();
        shown_by(tests.condition, holds, &mut shown);
        shown
            .into_iter()
            .filter_map(|(node, holds)| {
                let (value, test) = self.tested(tests, node)?;
                self.builder.narrow(value, test, holds)
            })
            .collect()
    }

    /// The variable that a call in a condition asks about, and the call.
    fn tested(&self, tests: &Tests<'_>, node: Node<'_>) -> Option<(ExprId, CallId)> {
        let facts = &self.builder.facts;
        let is_it = |call: &&CallId| {
            let call = facts.call(**call);
            call.kind == CallKind::Plain && call.span == span(node)
        };
        let all: Vec<CallId> = (tests.first..facts.calls.len()).map(CallId::new).collect();
        let test = *all.iter().find(is_it)?;
        let arguments = facts.call_arguments(test);
        let value = match (facts.call(test).callee, arguments) {
            (Callee::Value(_), [value, _]) => value.value,
            (Callee::Method { receiver, .. }, []) => receiver,
            _ => return None,
        };
        let is_variable = matches!(facts.expr(value).kind, ExprKind::Use { .. });
        is_variable.then_some((value, test))
    }
}

/// Collects the calls of which a condition tells that they are true, or false.
fn shown_by<'tree>(condition: Node<'tree>, holds: bool, shown: &mut Vec<(Node<'tree>, bool)>) {
    let mut open = vec![(condition, holds)];
    while let Some((node, holds)) = open.pop() {
        match node.kind() {
            "call" => shown.push((node, holds)),
            "parenthesized_expression" => {
                open.extend(node.named_child(0).map(|inner| (inner, holds)));
            }
            "not_operator" => open.extend(field(node, "argument").map(|inner| (inner, !holds))),
            "boolean_operator" => {
                let operator = field(node, "operator").map_or("", |operator| operator.kind());
                if (operator == "and") == holds {
                    open.extend(field(node, "right").map(|inner| (inner, holds)));
                    open.extend(field(node, "left").map(|inner| (inner, holds)));
                }
            }
            _ => {}
        }
    }
}
