//! Control flow: conditions, loops, `try`, `with`.

use nostall_model::facts::{
    BranchTest, CallKind, Condition, ConditionId, DefinitionKind, ExprId, ExprKind, Part,
    RegionKind, Shown, Sink,
};

use super::lower::{Lower, children, field, fields, has_token, head, span};
use super::narrow::Tests;
use super::tree::Node;

/// How many failed tests of a chain of `elif` are kept.
const MOST_REFUSED: usize = 16;

/// How many calls of a `try` body may be what its handlers are for.
const MOST_TRIED: usize = 4;

impl Lower<'_> {
    // ---- choosing

    /// Lowers a condition: its value decides and is then forgotten.
    pub(super) fn condition_value(&mut self, node: Node<'_>) {
        let value = self.expression(node);
        self.truth(value);
        self.stored(value);
    }

    /// Asks whether a value counts as true. Of `a and b` each part is asked where it stands; of what only gives `bool` nothing
    /// is to be asked.
    pub(super) fn truth(&mut self, value: ExprId) {
        let record = self.builder.facts.expr(value);
        let (kind, span) = (record.kind, record.span);
        match kind {
            ExprKind::Use { .. }
            | ExprKind::Path(_)
            | ExprKind::Attribute { .. }
            | ExprKind::Await(_) => {
                self.builder
                    .implicit(CallKind::Truth, value, "__bool__", span);
            }
            ExprKind::Call(call) if self.builder.facts.call(call).kind != CallKind::Operator => {
                self.builder
                    .implicit(CallKind::Truth, value, "__bool__", span);
            }
            ExprKind::Select(choices) => {
                let last = self.builder.facts.expr_list(choices).last().copied();
                if let Some(last) = last {
                    self.truth(last);
                }
            }
            _ => {}
        }
    }

    /// The arms of `elif` are siblings: each holds its own condition. So a chain of any length stays flat.
    pub(super) fn if_statement(&mut self, node: Node<'_>) {
        let Some(condition) = field(node, "condition") else {
            return self.block(node);
        };
        let tests = Tests::new(self, condition);
        self.condition_value(condition);
        let (then, otherwise) = self.arm_conditions(condition);
        self.builder.fork();
        self.builder.open_arm(
            RegionKind::Branch,
            field(node, "consequence").map_or(span(node), span),
        );
        self.under(then, |lower| {
            let shown = lower.branch_tests(&tests, true);
            lower.builder.decide(&shown);
            lower.narrowed(&tests, true, |lower| lower.block_of(node, "consequence"));
        });
        let goes_on = self.builder.close_arm();
        let mut refused = self.branch_tests(&tests, false);
        let mut exhaustive = false;
        let alternatives = fields(node, "alternative");
        for clause in &alternatives {
            exhaustive = clause.kind() == "else_clause";
            self.builder.statement = head(*clause);
            self.builder.open_arm(RegionKind::Branch, span(*clause));
            self.under(otherwise, |lower| {
                lower.builder.decide(&refused);
                lower.narrowed(&tests, false, |lower| {
                    lower.alternative(*clause, &mut refused);
                });
            });
            self.builder.close_arm();
        }
        self.builder.join(exhaustive);
        if !goes_on && alternatives.is_empty() {
            self.narrow(&tests, false);
            self.left_unless = refused;
        }
    }

    /// `refused` are the tests that the arms before have failed; those of this arm come to them.
    fn alternative(&mut self, clause: Node<'_>, refused: &mut Vec<BranchTest>) {
        let Some(condition) = field(clause, "condition") else {
            return self.block_of(clause, "body");
        };
        let tests = Tests::new(self, condition);
        self.condition_value(condition);
        let mut shown = self.branch_tests(&tests, true);
        shown.extend_from_slice(refused);
        self.builder.decide(&shown);
        self.narrowed(&tests, true, |lower| lower.block_of(clause, "consequence"));
        if refused.len() < MOST_REFUSED {
            refused.extend(self.branch_tests(&tests, false));
        }
    }

    /// Under which conditions the definitions in the arms of an `if` exist.
    fn arm_conditions(&mut self, test: Node<'_>) -> (Option<ConditionId>, Option<ConditionId>) {
        let (test, negated) = match field(test, "argument") {
            Some(argument) if test.kind() == "not_operator" => (argument, true),
            _ => (test, false),
        };
        let name = field(test, "attribute").unwrap_or(test);
        if self.text(name) != "TYPE_CHECKING" {
            let unknown = self.new_condition(Condition::Unknown);
            return (unknown, unknown);
        }
        let checking = self.new_condition(Condition::TypeChecking);
        let running = checking.and_then(|checking| self.new_condition(Condition::Not(checking)));
        if negated {
            (running, checking)
        } else {
            (checking, running)
        }
    }

    // ---- loops

    pub(super) fn for_statement(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else {
            return self.block(node);
        };
        let iterated = self.expression(right);
        let is_async = has_token(node, "async");
        let item = self.iterate(iterated, right, is_async);
        self.builder.open_loop(span(node));
        self.step(item, is_async, right);
        self.assign(left, item);
        self.block_of(node, "body");
        self.builder.close_loop();
        self.loop_else(node);
    }

    /// Begins an iteration; answers the value of one step.
    pub(super) fn iterate(&mut self, iterated: ExprId, node: Node<'_>, is_async: bool) -> ExprId {
        let method = if is_async { "__aiter__" } else { "__iter__" };
        self.builder
            .implicit(CallKind::Iterate, iterated, method, span(node));
        self.sink(
            iterated,
            if is_async {
                Sink::AsyncUsed
            } else {
                Sink::Iterated
            },
        );
        let part = if is_async {
            Part::AsyncIterated
        } else {
            Part::Iterated
        };
        self.project(iterated, part, node)
    }

    /// Each step of an async iteration may suspend.
    pub(super) fn step(&mut self, item: ExprId, is_async: bool, node: Node<'_>) {
        if is_async {
            self.await_value(item, span(node));
        }
    }

    pub(super) fn while_statement(&mut self, node: Node<'_>) {
        self.builder.open_loop(span(node));
        let (mut ended, mut shown, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(condition) = field(node, "condition") {
            let tests = Tests::new(self, condition);
            self.condition_value(condition);
            ended = self.proofs(&tests, false);
            shown = self.branch_tests(&tests, true);
            refused = self.branch_tests(&tests, false);
        }
        self.round(node, &shown);
        self.builder.close_loop();
        // What ends by itself ends with its condition.
        let ends_itself = !field(node, "body").is_some_and(is_left_early);
        if ends_itself {
            for (value, by) in ended {
                self.builder.narrow(value, by);
            }
        }
        self.loop_else(node);
        if ends_itself {
            self.left_unless = refused;
        }
    }

    /// The body of a `while` runs where its condition holds.
    fn round(&mut self, node: Node<'_>, shown: &[BranchTest]) {
        let Some(body) = field(node, "body").filter(|_| !shown.is_empty()) else {
            return self.block_of(node, "body");
        };
        self.builder.open_region(RegionKind::Inner, span(body));
        self.builder.decide(shown);
        self.block(body);
        self.builder.close_region();
    }

    fn loop_else(&mut self, node: Node<'_>) {
        let Some(clause) = field(node, "alternative") else {
            return;
        };
        self.builder.fork();
        self.builder.open_arm(RegionKind::Branch, span(clause));
        self.block_of(clause, "body");
        self.builder.close_arm();
        self.builder.join(false);
    }

    // ---- try

    pub(super) fn try_statement(&mut self, node: Node<'_>) {
        let clauses = children(node);
        let finally = clauses
            .iter()
            .find(|clause| clause.kind() == "finally_clause");
        self.builder.attempt();
        self.builder.open_arm(
            RegionKind::Try,
            field(node, "body").map_or(span(node), span),
        );
        let body = self.builder.region();
        let tried = self.tried_condition(&clauses);
        let first = self.builder.facts.exprs.len();
        self.under(tried, |lower| lower.block_of(node, "body"));
        let raised = self.may_have_raised(first);
        self.under(tried, |lower| lower.went_well(&clauses));
        let goes_on = self.builder.close_arm();
        let mut handled = Vec::new();
        for clause in clauses
            .iter()
            .filter(|clause| clause.kind() == "except_clause")
        {
            handled.extend(self.except_clause(*clause, &raised));
        }
        self.builder.decide_for(body, &handled);
        let Some(finally) = finally else {
            self.builder.join(true);
            // What follows is only reached through a handler.
            if !goes_on {
                self.left_unless = raised;
            }
            return;
        };
        self.builder.join_always();
        self.builder
            .open_region(RegionKind::Finally, span(*finally));
        self.clause_block(*finally);
        self.builder.close_region();
    }

    /// What follows in `else` runs only when the body got to its end, so it is part of the same arm.
    fn went_well(&mut self, clauses: &[Node<'_>]) {
        for clause in clauses
            .iter()
            .filter(|clause| clause.kind() == "else_clause")
        {
            self.builder.open_region(RegionKind::Branch, span(*clause));
            self.block_of(*clause, "body");
            self.builder.close_region();
        }
    }

    /// The calls without arguments of a short body: a handler may be there for one of them.
    fn may_have_raised(&self, first: usize) -> Vec<BranchTest> {
        let facts = &self.builder.facts;
        let calls: Vec<(ExprId, usize)> = (first..facts.exprs.len())
            .map(ExprId::new)
            .filter_map(|id| match facts.expr(id).kind {
                ExprKind::Call(call) if facts.call(call).kind != CallKind::Truth => {
                    Some((id, facts.call_arguments(call).len()))
                }
                _ => None,
            })
            .take(MOST_TRIED + 1)
            .collect();
        if calls.len() > MOST_TRIED {
            return Vec::new();
        }
        let raised = |(value, _)| BranchTest {
            value,
            shown: Shown::Raised,
            holds: true,
        };
        let mut bare = calls.into_iter().filter(|(_, arguments)| *arguments == 0);
        bare.next().map(raised).into_iter().collect()
    }

    fn tried_condition(&mut self, clauses: &[Node<'_>]) -> Option<ConditionId> {
        let catches = clauses
            .iter()
            .any(|clause| self.catches_import_error(*clause));
        if catches {
            self.new_condition(Condition::ImportTried)
        } else {
            None
        }
    }

    fn catches_import_error(&self, clause: Node<'_>) -> bool {
        clause.kind() == "except_clause"
            && fields(clause, "value").into_iter().any(|value| {
                let mut text = self.text(value);
                if let Some((types, _)) = text.rsplit_once(" as ") {
                    text = types;
                }
                let mut names = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                names.any(|name| matches!(name, "ImportError" | "ModuleNotFoundError"))
            })
    }

    /// Answers which exceptions it handles.
    fn except_clause(&mut self, clause: Node<'_>, raised: &[BranchTest]) -> Vec<BranchTest> {
        self.builder.statement = head(clause);
        self.builder.open_arm(RegionKind::Branch, span(clause));
        self.builder.decide(raised);
        let failed = self.catches_import_error(clause);
        let condition = if failed {
            self.new_condition(Condition::ImportFailed)
        } else {
            None
        };
        let mut handled = Vec::new();
        self.under(condition, |lower| {
            handled = lower.caught(clause);
            lower.clause_block(clause);
        });
        self.builder.close_arm();
        handled
    }

    fn caught(&mut self, clause: Node<'_>) -> Vec<BranchTest> {
        let mut handled = Vec::new();
        for value in fields(clause, "value") {
            let (types, alias) = as_pattern(value);
            let types = self.expression(types);
            self.stored(types);
            if let Some(name) = alias.or_else(|| field(clause, "alias")).and_then(only_name) {
                self.define(name, DefinitionKind::Caught(Some(types)));
            }
            handled.push(BranchTest {
                value: types,
                shown: Shown::Handled,
                holds: true,
            });
        }
        handled
    }

    fn clause_block(&mut self, clause: Node<'_>) {
        for block in children(clause)
            .into_iter()
            .filter(|child| child.kind() == "block")
        {
            self.block(block);
        }
    }

    // ---- with

    pub(super) fn with_statement(&mut self, node: Node<'_>) {
        let mut items = Vec::new();
        for clause in children(node)
            .into_iter()
            .filter(|child| child.kind() == "with_clause")
        {
            items.extend(
                children(clause)
                    .into_iter()
                    .filter_map(|item| field(item, "value")),
            );
        }
        let is_async = has_token(node, "async");
        let entered: Vec<(ExprId, Node<'_>)> = items
            .into_iter()
            .map(|item| self.enter(item, node, is_async))
            .collect();
        self.block_of(node, "body");
        for (manager, value) in entered.into_iter().rev() {
            self.builder.close_region();
            self.exit(manager, value, is_async);
        }
    }

    /// Enters one context and opens the region that it holds for.
    fn enter<'tree>(
        &mut self,
        item: Node<'tree>,
        with: Node<'_>,
        is_async: bool,
    ) -> (ExprId, Node<'tree>) {
        let (value, target) = as_pattern(item);
        let manager = self.expression(value);
        let method = if is_async { "__aenter__" } else { "__enter__" };
        let call = self
            .builder
            .implicit(CallKind::Enter, manager, method, span(value));
        self.sink(
            manager,
            if is_async {
                Sink::AsyncUsed
            } else {
                Sink::Entered
            },
        );
        if is_async {
            self.await_value(call, span(value));
        }
        let rest = nostall_model::Span::new(value.start_byte(), with.end_byte());
        self.builder.open_region(RegionKind::With, rest);
        if let Some(target) = target {
            let part = if is_async {
                Part::AsyncEntered
            } else {
                Part::Entered
            };
            let value = self.project(manager, part, value);
            self.assign(target, value);
        }
        (manager, value)
    }

    fn exit(&mut self, manager: ExprId, value: Node<'_>, is_async: bool) {
        let method = if is_async { "__aexit__" } else { "__exit__" };
        let call = self
            .builder
            .implicit(CallKind::Exit, manager, method, span(value));
        if is_async {
            self.await_value(call, span(value));
        }
    }
}

/// Says whether a loop's body has a `break` of its own.
fn is_left_early(body: Node<'_>) -> bool {
    let mut open = vec![body];
    while let Some(node) = open.pop() {
        match node.kind() {
            "break_statement" => return true,
            "function_definition" | "class_definition" | "lambda" => {}
            "for_statement" | "while_statement" => open.extend(field(node, "alternative")),
            _ => open.extend(node.named_children()),
        }
    }
    false
}

/// Takes `value as target` apart.
fn as_pattern(node: Node<'_>) -> (Node<'_>, Option<Node<'_>>) {
    if node.kind() != "as_pattern" {
        return (node, None);
    }
    let value = node.named_child(0).unwrap_or(node);
    let target = field(node, "alias").and_then(|target| target.named_child(0));
    (value, target)
}

fn only_name(mut node: Node<'_>) -> Option<Node<'_>> {
    while node.kind() == "parenthesized_expression" {
        node = node.named_child(0)?;
    }
    (node.kind() == "identifier").then_some(node)
}
