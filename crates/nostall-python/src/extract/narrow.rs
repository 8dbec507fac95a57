//! What a condition shows about a variable: `isinstance(x, T)`, `future.done()`, `x`, `x is None`.
//!
//! Each arm that a call leads to begins with a definition that says so, and goes back to the one before at its end. Which calls
//! show something is not known here: the resolution knows what is called. Of a plain test the arm's region is told.

use nostall_model::build::Narrowed;
use nostall_model::facts::{
    Answer, ArgumentKind, BranchTest, CallId, CallKind, Callee, DefinitionKind, ExprId, ExprKind,
    FileFacts, Narrowing, Shown,
};

use super::lower::{Lower, children, field, has_token, span};
use super::tree::Node;

/// How many parts of one condition are looked at: in a chain of `and` each has all those before it as its condition.
const MAX_PARTS: usize = 16;

/// After how many awaits of calls that are given a variable no more is said of it: each is one more step back to its value.
const MAX_NARROWED: u32 = 4;

/// How many of the last expressions of a condition are looked through for one of them.
const MAX_LOOKED_AT: usize = 256;

/// Calls in a condition that a variable is an argument or the receiver of.
pub(super) struct Tests<'tree> {
    condition: Node<'tree>,
    /// The first call that was recorded with the condition.
    first: usize,
    /// The first expression.
    first_expr: usize,
}

impl<'tree> Tests<'tree> {
    /// Begins to look at a condition that is not lowered yet.
    pub(super) fn new(lower: &Lower<'_>, condition: Node<'tree>) -> Self {
        Self {
            condition,
            first: lower.builder.facts.calls.len(),
            first_expr: lower.builder.facts.exprs.len(),
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

    /// Says that the region that was just opened runs where the condition holds, or does not.
    pub(super) fn decide(&mut self, tests: &Tests<'_>, holds: bool) {
        let shown = self.branch_tests(tests, holds);
        self.builder.decide(&shown);
    }

    /// What is known where the condition holds, or does not.
    pub(super) fn branch_tests(&mut self, tests: &Tests<'_>, holds: bool) -> Vec<BranchTest> {
        let shown = shown_by(self.text, tests.condition, holds);
        if holds || !shown.is_empty() {
            return self.tests_of(tests, shown).into_iter().flatten().collect();
        }
        let parts = self.tests_of(tests, shown_by(self.text, tests.condition, true));
        let parts: Option<Vec<BranchTest>> = parts.into_iter().collect();
        let all = parts.and_then(|parts| {
            let value = parts.first()?.value;
            let shown = self.builder.all_of(&parts);
            Some(BranchTest {
                value,
                shown,
                holds,
            })
        });
        all.into_iter().collect()
    }

    /// The tests that parts of a condition are; none where a part is none.
    fn tests_of(&self, tests: &Tests<'_>, parts: Vec<(Node<'_>, bool)>) -> Vec<Option<BranchTest>> {
        let test = |(node, holds)| {
            let (node, question, holds) = plain_test(node, holds)?;
            let value = self.tested_value(tests, node)?;
            let shown = match question {
                Question::True => Shown::True,
                Question::None => Shown::None,
                Question::Equals(literal) => {
                    let is_literal = |kind| matches!(kind, ExprKind::Literal(_));
                    Shown::Equals(self.find(tests, literal, is_literal)?)
                }
                Question::Asked(asked) => Shown::Asked(self.call_of(tests, asked)?),
            };
            Some(BranchTest {
                value,
                shown,
                holds,
            })
        };
        parts.into_iter().map(test).collect()
    }

    /// What a test asks about: a variable, an attribute of one that the body has not stored to so far, or a call. Of an attribute
    /// that the body has given a variable's value, that variable.
    fn tested_value(&self, tests: &Tests<'_>, node: Node<'_>) -> Option<ExprId> {
        if node.kind() != "attribute" {
            return self.find(tests, node, |kind| {
                matches!(kind, ExprKind::Use { .. } | ExprKind::Call(_))
            });
        }
        let found = self.find(tests, node, |kind| {
            matches!(kind, ExprKind::Attribute { .. })
        })?;
        let facts = &self.builder.facts;
        let ExprKind::Attribute { base, name } = facts.expr(found).kind else {
            return None;
        };
        if !matches!(facts.expr(base).kind, ExprKind::Use { .. }) {
            return None;
        }
        let stores = self.frames.last().map(|frame| &frame.stores);
        let Some(store) = stores.and_then(|stores| stores.get(&name)) else {
            return Some(found);
        };
        let value = without_default(facts, store.value);
        let is_variable = matches!(facts.expr(value).kind, ExprKind::Use { .. });
        (is_variable && self.builder.is_open(store.region)).then_some(value)
    }

    /// The expression of a node in a condition, not the question whether it counts as true.
    fn find(
        &self,
        tests: &Tests<'_>,
        node: Node<'_>,
        is_meant: impl Fn(ExprKind) -> bool,
    ) -> Option<ExprId> {
        let facts = &self.builder.facts;
        let is_truth =
            |kind| matches!(kind, ExprKind::Call(call) if facts.call(call).kind == CallKind::Truth);
        let recent = tests.first_expr..facts.exprs.len();
        recent
            .rev()
            .take(MAX_LOOKED_AT)
            .map(ExprId::new)
            .find(|id| {
                let expr = facts.expr(*id);
                expr.span == span(node) && is_meant(expr.kind) && !is_truth(expr.kind)
            })
    }

    /// Says that from here on the condition holds, or does not.
    pub(super) fn narrow(&mut self, tests: &Tests<'_>, holds: bool) -> Vec<Narrowed> {
        self.proofs(tests, holds)
            .into_iter()
            .filter_map(|(value, by)| self.builder.narrow(value, by))
            .collect()
    }

    /// The variables of which more is known where the condition holds, or does not, and by what.
    pub(super) fn proofs(&self, tests: &Tests<'_>, holds: bool) -> Vec<(ExprId, Narrowing)> {
        let proof = |(node, holds)| {
            let (node, answer) = answer(node, holds)?;
            let (value, call) = self.tested(tests, node)?;
            Some((value, Narrowing::Test { call, answer }))
        };
        let shown = shown_by(self.text, tests.condition, holds);
        shown.into_iter().filter_map(proof).collect()
    }

    /// `socket.setblocking(False)`: a statement after which more may be known of a variable.
    pub(super) fn narrow_by_statement(&mut self, tests: &Tests<'_>) {
        let Some(call) = self.call_of(tests, tests.condition) else {
            return;
        };
        let facts = &self.builder.facts;
        if let (Callee::Method { receiver, .. }, [given]) =
            (facts.call(call).callee, facts.call_arguments(call))
            && matches!(facts.expr(given.value).kind, ExprKind::Literal(_))
        {
            let answer = Answer::Made;
            self.builder
                .narrow(receiver, Narrowing::Test { call, answer });
        }
    }

    /// `await wrap_future(future)`: after it more may be known of the one variable that the call was given.
    pub(super) fn narrow_by_await(&mut self, future: ExprId) {
        let facts = &self.builder.facts;
        let ExprKind::Call(call) = facts.expr(future).kind else {
            return;
        };
        if let [given] = facts.call_arguments(call)
            && given.kind == ArgumentKind::Positional
            && self.narrowed_times(given.value, MAX_NARROWED) < MAX_NARROWED
        {
            let (value, answer) = (given.value, Answer::Awaited);
            self.builder.narrow(value, Narrowing::Test { call, answer });
        }
    }

    /// How often in a row more was shown of the variable that an expression uses, at most `most`.
    fn narrowed_times(&self, value: ExprId, most: u32) -> u32 {
        let facts = &self.builder.facts;
        let ExprKind::Use { reaching, .. } = facts.expr(value).kind else {
            return 0;
        };
        match facts.definition_lists[reaching.range()] {
            [only] if most > 0 => match facts.definitions[only.index()].kind {
                DefinitionKind::Narrowed { value, .. } => 1 + self.narrowed_times(value, most - 1),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// The call of a node in a condition.
    fn call_of(&self, tests: &Tests<'_>, node: Node<'_>) -> Option<CallId> {
        let facts = &self.builder.facts;
        let is_it = |call: &CallId| {
            let call = facts.call(*call);
            call.kind == CallKind::Plain && call.span == span(node)
        };
        let recent = tests.first..facts.calls.len();
        recent
            .rev()
            .take(MAX_LOOKED_AT)
            .map(CallId::new)
            .find(is_it)
    }

    /// The variable that a call in a condition asks about, and the call.
    fn tested(&self, tests: &Tests<'_>, node: Node<'_>) -> Option<(ExprId, CallId)> {
        let test = self.call_of(tests, node)?;
        let facts = &self.builder.facts;
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

/// The parts of a condition of which its answer tells theirs, from the last.
fn shown_by<'tree>(text: &str, condition: Node<'tree>, holds: bool) -> Vec<(Node<'tree>, bool)> {
    let mut shown = Vec::new();
    let mut open = vec![(condition, holds)];
    for _ in 0..MAX_PARTS {
        let Some((node, holds)) = open.pop() else {
            break;
        };
        match node.kind() {
            "parenthesized_expression" => {
                open.extend(node.named_child(0).map(|inner| (inner, holds)));
            }
            "not_operator" => open.extend(field(node, "argument").map(|inner| (inner, !holds))),
            "boolean_operator" => {
                let operator = field(node, "operator").map_or("", |operator| operator.kind());
                if (operator == "and") == holds {
                    open.extend(field(node, "left").map(|inner| (inner, holds)));
                    open.extend(field(node, "right").map(|inner| (inner, holds)));
                } else if holds && field(node, "left").is_some_and(|left| is_absence(text, left)) {
                    // `not hasattr(x, "y") or x.y is None`: what is not there is as good as `None`.
                    open.extend(field(node, "right").map(|inner| (inner, holds)));
                }
            }
            _ => shown.push((node, holds)),
        }
    }
    shown
}

/// `not hasattr(x, "y")`.
fn is_absence(text: &str, node: Node<'_>) -> bool {
    let asked = field(node, "argument").filter(|_| node.kind() == "not_operator");
    let function = asked.and_then(|call| field(call, "function"));
    function.is_some_and(|function| &text[function.byte_range()] == "hasattr")
}

/// `x` in `x or {}`, which is as true as it.
fn without_default(facts: &FileFacts, value: ExprId) -> ExprId {
    let ExprKind::Select(choices) = facts.expr(value).kind else {
        return value;
    };
    match *facts.expr_list(choices) {
        [first, second] => match facts.expr(second).kind {
            ExprKind::Collection { elements, .. } if elements.range().is_empty() => first,
            _ => value,
        },
        _ => value,
    }
}

/// The call of a part of a condition, and what its answer is: `future.done()`, `process.poll() is None`.
fn answer(node: Node<'_>, holds: bool) -> Option<(Node<'_>, Answer)> {
    if node.kind() == "call" {
        return Some((node, Answer::True(holds)));
    }
    let parts = children(node);
    let &[left, right] = &parts[..] else {
        return None;
    };
    let is_equal = has_token(node, "is");
    let compares = node.kind() == "comparison_operator" && right.kind() == "none";
    (compares && (is_equal || has_token(node, "is not")))
        .then(|| (called(left), Answer::None(holds == is_equal)))
}

/// The call in `(code := process.poll())`, or the node itself.
fn called(node: Node<'_>) -> Node<'_> {
    let inner = match node.kind() {
        "parenthesized_expression" => node.named_child(0),
        "named_expression" => field(node, "value"),
        _ => None,
    };
    inner.map_or(node, |inner| match inner.kind() {
        "named_expression" => field(inner, "value").unwrap_or(inner),
        _ => inner,
    })
}

/// What a plain test asks.
enum Question<'tree> {
    True,
    None,
    Equals(Node<'tree>),
    Asked(Node<'tree>),
}

/// `x`, `x.y`, `x.y()`, each of them with `is None` or `is not None`; `x == "a"`, `x != 1`.
fn plain_test(node: Node<'_>, holds: bool) -> Option<(Node<'_>, Question<'_>, bool)> {
    if is_testable(node) || is_bare_call(node) {
        return Some((node, Question::True, holds));
    }
    if let Some(subject) = asked_about(node) {
        return Some((subject, Question::Asked(node), holds));
    }
    if node.kind() != "comparison_operator" {
        return None;
    }
    let parts = children(node);
    let &[left, right] = &parts[..] else {
        return None;
    };
    if !(is_testable(left) || is_bare_call(left) && right.kind() == "none") {
        return None;
    }
    let (equal, unequal) = match right.kind() {
        "none" => (has_token(node, "is"), has_token(node, "is not")),
        "string" | "integer" => (has_token(node, "=="), has_token(node, "!=")),
        _ => return None,
    };
    let question = if right.kind() == "none" {
        Question::None
    } else {
        Question::Equals(right)
    };
    (equal || unequal).then_some((left, question, holds == equal))
}

/// `x`, `x.y`.
fn is_testable(node: Node<'_>) -> bool {
    let is_variable = |node: Node<'_>| node.kind() == "identifier";
    is_variable(node)
        || (node.kind() == "attribute" && field(node, "object").is_some_and(is_variable))
}

/// The variable in `isinstance(x, T)`, or in a call of the same form.
fn asked_about(node: Node<'_>) -> Option<Node<'_>> {
    let arguments = field(node, "arguments").filter(|_| node.kind() == "call")?;
    match children(arguments)[..] {
        [subject, _] if subject.kind() == "identifier" => Some(subject),
        _ => None,
    }
}

/// A call that is given nothing but numbers: `x.done()`, `x.poll(0)`.
fn is_bare_call(node: Node<'_>) -> bool {
    let is_number = |argument: Node<'_>| matches!(argument.kind(), "integer" | "float");
    node.kind() == "call"
        && field(node, "arguments").is_some_and(|it| children(it).into_iter().all(is_number))
}
