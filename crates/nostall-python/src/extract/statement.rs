//! Statements and control flow.

use nostall_model::build::NewBody;
use nostall_model::facts::{
    BodyKind, CallKind, Condition, DefinitionKind, Event, ExprId, ExprKind, Flavour, Part, RegionKind, Sink,
};
use tree_sitter::Node;

use super::lower::{Lower, MethodCall, children, field, fields, has_token, head, span};
use super::scope::{Given, alias_name};

impl Lower<'_> {
    /// Lowers the statements of a block, of a module, or of a part that could not be read.
    pub(super) fn block(&mut self, block: Node<'_>) {
        for statement in children(block) {
            self.statement(statement);
        }
    }

    /// Lowers the block in a field, if it is there.
    pub(super) fn block_of(&mut self, node: Node<'_>, name: &str) {
        if let Some(block) = field(node, name) {
            self.block(block);
        }
    }

    fn statement(&mut self, node: Node<'_>) {
        if self.too_deep.contains(&node.id()) {
            return;
        }
        let around = std::mem::replace(&mut self.builder.statement, head(node));
        match node.kind() {
            "if_statement" => self.if_statement(node),
            "for_statement" => self.for_statement(node),
            "while_statement" => self.while_statement(node),
            "try_statement" => self.try_statement(node),
            "with_statement" => self.with_statement(node),
            "match_statement" => self.match_statement(node),
            "function_definition" => self.function(node, &[]),
            "class_definition" => self.class(node, &[]),
            "decorated_definition" => self.decorated(node),
            _ => self.simple_statement(node),
        }
        self.builder.statement = around;
    }

    fn simple_statement(&mut self, node: Node<'_>) {
        match node.kind() {
            "return_statement" => self.return_statement(node),
            "raise_statement" => self.raise_statement(node),
            "assert_statement" => self.assert_statement(node),
            "delete_statement" => children(node).into_iter().for_each(|child| self.delete(child)),
            "break_statement" | "continue_statement" => self.builder.jump(),
            "import_statement" | "import_from_statement" | "future_import_statement" => self.import_statement(node),
            "type_alias_statement" => self.type_alias(node),
            "global_statement" | "nonlocal_statement" | "pass_statement" => {}
            "assignment" => self.assignment(node),
            "augmented_assignment" => self.augmented_assignment(node),
            "expression_statement" | "print_statement" | "exec_statement" | "chevron" | "ERROR" | "block" => {
                self.block(node);
            }
            _ => _ = self.expression(node),
        }
    }

    // ---- leaving

    fn return_statement(&mut self, node: Node<'_>) {
        let value = children(node).first().map(|value| self.expression(*value));
        if let Some(value) = value {
            self.sink(value, Sink::Returned);
        }
        self.builder.event(Event::Return(value));
        self.builder.diverge();
    }

    fn raise_statement(&mut self, node: Node<'_>) {
        for part in children(node) {
            let value = self.expression(part);
            self.stored(value);
        }
        self.builder.event(Event::Raise);
        self.builder.diverge();
    }

    fn assert_statement(&mut self, node: Node<'_>) {
        let parts = children(node);
        let Some((condition, message)) = parts.split_first() else { return };
        self.condition_value(*condition);
        self.builder.fork();
        self.builder.open_arm(RegionKind::Branch, message.first().map_or(span(node), |message| span(*message)));
        for part in message {
            let value = self.expression(*part);
            self.stored(value);
        }
        self.builder.event(Event::Raise);
        self.builder.diverge();
        self.builder.close_arm();
        self.builder.join(false);
    }

    // ---- choosing

    /// Lowers a condition: its value decides and is then forgotten.
    pub(super) fn condition_value(&mut self, node: Node<'_>) {
        let value = self.expression(node);
        self.stored(value);
    }

    /// The arms of `elif` are siblings: each holds its own condition. So a chain of any length stays flat.
    fn if_statement(&mut self, node: Node<'_>) {
        let Some(condition) = field(node, "condition") else { return self.block(node) };
        self.condition_value(condition);
        let (then, otherwise) = self.arm_conditions(condition);
        self.builder.fork();
        self.builder.open_arm(RegionKind::Branch, field(node, "consequence").map_or(span(node), span));
        self.under(then, |lower| lower.block_of(node, "consequence"));
        self.builder.close_arm();
        let mut exhaustive = false;
        for clause in fields(node, "alternative") {
            exhaustive = clause.kind() == "else_clause";
            self.builder.statement = head(clause);
            self.builder.open_arm(RegionKind::Branch, span(clause));
            self.under(otherwise, |lower| lower.alternative(clause));
            self.builder.close_arm();
        }
        self.builder.join(exhaustive);
    }

    fn alternative(&mut self, clause: Node<'_>) {
        if let Some(condition) = field(clause, "condition") {
            self.condition_value(condition);
        }
        self.block_of(clause, "consequence");
        self.block_of(clause, "body");
    }

    /// Under which conditions the definitions in the arms of an `if` exist.
    fn arm_conditions(&mut self, test: Node<'_>) -> (Option<nostall_model::facts::ConditionId>, Option<nostall_model::facts::ConditionId>) {
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
        if negated { (running, checking) } else { (checking, running) }
    }

    // ---- loops

    fn for_statement(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return self.block(node) };
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
        self.builder.implicit(CallKind::Iterate, iterated, method, span(node));
        self.sink(iterated, Sink::Iterated);
        let part = if is_async { Part::AsyncIterated } else { Part::Iterated };
        self.project(iterated, part, node)
    }

    /// Each step of an async iteration may suspend.
    pub(super) fn step(&mut self, item: ExprId, is_async: bool, node: Node<'_>) {
        if is_async {
            self.await_value(item, span(node));
        }
    }

    fn while_statement(&mut self, node: Node<'_>) {
        self.builder.open_loop(span(node));
        if let Some(condition) = field(node, "condition") {
            self.condition_value(condition);
        }
        self.block_of(node, "body");
        self.builder.close_loop();
        self.loop_else(node);
    }

    fn loop_else(&mut self, node: Node<'_>) {
        let Some(clause) = field(node, "alternative") else { return };
        self.builder.fork();
        self.builder.open_arm(RegionKind::Branch, span(clause));
        self.block_of(clause, "body");
        self.builder.close_arm();
        self.builder.join(false);
    }

    // ---- try

    fn try_statement(&mut self, node: Node<'_>) {
        let clauses = children(node);
        let finally = clauses.iter().find(|clause| clause.kind() == "finally_clause");
        self.builder.attempt();
        self.builder.open_arm(RegionKind::Try, field(node, "body").map_or(span(node), span));
        let tried = self.tried_condition(&clauses);
        self.under(tried, |lower| lower.tried(node, &clauses));
        self.builder.close_arm();
        for clause in clauses.iter().filter(|clause| clause.kind() == "except_clause") {
            self.except_clause(*clause);
        }
        let Some(finally) = finally else { return self.builder.join(true) };
        self.builder.join_always();
        self.builder.open_region(RegionKind::Finally, span(*finally));
        self.clause_block(*finally);
        self.builder.close_region();
    }

    /// What follows in `else` runs only when the body got to its end, so it is part of the same arm.
    fn tried(&mut self, node: Node<'_>, clauses: &[Node<'_>]) {
        self.block_of(node, "body");
        for clause in clauses.iter().filter(|clause| clause.kind() == "else_clause") {
            self.builder.open_region(RegionKind::Branch, span(*clause));
            self.block_of(*clause, "body");
            self.builder.close_region();
        }
    }

    fn tried_condition(&mut self, clauses: &[Node<'_>]) -> Option<nostall_model::facts::ConditionId> {
        let catches = clauses.iter().any(|clause| self.catches_import_error(*clause));
        if catches { self.new_condition(Condition::ImportTried) } else { None }
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

    fn except_clause(&mut self, clause: Node<'_>) {
        self.builder.statement = head(clause);
        self.builder.open_arm(RegionKind::Branch, span(clause));
        let failed = self.catches_import_error(clause);
        let condition = if failed { self.new_condition(Condition::ImportFailed) } else { None };
        self.under(condition, |lower| {
            lower.caught(clause);
            lower.clause_block(clause);
        });
        self.builder.close_arm();
    }

    fn caught(&mut self, clause: Node<'_>) {
        for value in fields(clause, "value") {
            let (types, alias) = as_pattern(value);
            let types = self.expression(types);
            self.stored(types);
            if let Some(name) = alias.or_else(|| field(clause, "alias")).and_then(only_name) {
                self.define(name, DefinitionKind::Caught(Some(types)));
            }
        }
    }

    fn clause_block(&mut self, clause: Node<'_>) {
        for block in children(clause).into_iter().filter(|child| child.kind() == "block") {
            self.block(block);
        }
    }

    // ---- with

    fn with_statement(&mut self, node: Node<'_>) {
        let mut items = Vec::new();
        for clause in children(node).into_iter().filter(|child| child.kind() == "with_clause") {
            items.extend(children(clause).into_iter().filter_map(|item| field(item, "value")));
        }
        let is_async = has_token(node, "async");
        let entered: Vec<(ExprId, Node<'_>)> = items.into_iter().map(|item| self.enter(item, node, is_async)).collect();
        self.block_of(node, "body");
        for (manager, value) in entered.into_iter().rev() {
            self.builder.close_region();
            self.exit(manager, value, is_async);
        }
    }

    /// Enters one context and opens the region that it holds for.
    fn enter<'tree>(&mut self, item: Node<'tree>, with: Node<'_>, is_async: bool) -> (ExprId, Node<'tree>) {
        let (value, target) = as_pattern(item);
        let manager = self.expression(value);
        let method = if is_async { "__aenter__" } else { "__enter__" };
        let call = self.builder.implicit(CallKind::Enter, manager, method, span(value));
        self.sink(manager, Sink::Entered);
        if is_async {
            self.await_value(call, span(value));
        }
        let rest = nostall_model::Span::new(value.start_byte(), with.end_byte());
        self.builder.open_region(RegionKind::With, rest);
        if let Some(target) = target {
            let part = if is_async { Part::AsyncEntered } else { Part::Entered };
            let value = self.project(manager, part, value);
            self.assign(target, value);
        }
        (manager, value)
    }

    fn exit(&mut self, manager: ExprId, value: Node<'_>, is_async: bool) {
        let method = if is_async { "__aexit__" } else { "__exit__" };
        let call = self.builder.implicit(CallKind::Exit, manager, method, span(value));
        if is_async {
            self.await_value(call, span(value));
        }
    }

    // ---- match

    fn match_statement(&mut self, node: Node<'_>) {
        let subjects: Vec<ExprId> = fields(node, "subject").into_iter().map(|subject| self.expression(subject)).collect();
        let subject = match subjects[..] {
            [subject] => subject,
            _ => self.tuple(&subjects, span(node)),
        };
        self.stored(subject);
        let clauses = field(node, "body").map(children).unwrap_or_default();
        self.builder.fork();
        let mut exhaustive = false;
        for clause in clauses {
            if clause.kind() != "case_clause" {
                self.stray(clause);
                continue;
            }
            exhaustive |= is_irrefutable(clause);
            self.case_clause(clause, subject);
        }
        self.builder.join(exhaustive);
    }

    /// Something else between the cases: only broken code has it.
    fn stray(&mut self, node: Node<'_>) {
        self.builder.open_arm(RegionKind::Branch, span(node));
        self.statement(node);
        self.builder.close_arm();
    }

    fn case_clause(&mut self, clause: Node<'_>, subject: ExprId) {
        if self.too_deep.contains(&clause.id()) {
            return;
        }
        self.builder.statement = head(clause);
        self.builder.open_arm(RegionKind::Branch, span(clause));
        let patterns: Vec<Node<'_>> =
            children(clause).into_iter().filter(|child| child.kind() == "case_pattern").collect();
        self.patterns(&patterns, has_token(clause, ","), subject);
        if let Some(guard) = field(clause, "guard").and_then(|guard| guard.named_child(0)) {
            self.condition_value(guard);
        }
        self.block_of(clause, "consequence");
        self.builder.close_arm();
    }

    // ---- definitions of names

    fn type_alias(&mut self, node: Node<'_>) {
        let Some(name) = alias_name(node) else { return };
        let target = field(node, "right").map(|right| self.type_(right));
        let item = self.alias_item(node, name, target);
        self.define(name, DefinitionKind::Item(item));
    }

    fn delete(&mut self, node: Node<'_>) {
        match node.kind() {
            "identifier" => self.delete_name(node),
            "attribute" => {
                if let Some(object) = field(node, "object") {
                    let object = self.expression(object);
                    self.stored(object);
                }
            }
            "subscript" => self.delete_element(node),
            _ => children(node).into_iter().for_each(|child| self.delete(child)),
        }
    }

    fn delete_name(&mut self, node: Node<'_>) {
        let Some(definition) = self.define(node, Given::from(DefinitionKind::Deleted)) else { return };
        let binding = self.builder.facts.definitions[definition.index()].binding;
        self.builder.event(Event::Move(binding));
    }

    fn delete_element(&mut self, node: Node<'_>) {
        let Some((receiver, key)) = self.element(node) else { return };
        let call = MethodCall {
            kind: CallKind::Index,
            receiver,
            method: "__delitem__",
            name_span: Self::brackets(node),
            span: span(node),
        };
        self.method(call, &[Self::positional(key)]);
    }

    /// A body that only holds an expression: a lambda.
    pub(super) fn lambda(&mut self, node: Node<'_>) -> ExprId {
        let parameters = field(node, "parameters").map(|list| self.parameters(list)).unwrap_or_default();
        let keyword = node.child(0).map_or(span(node), span);
        let body = self.open_body(NewBody {
            kind: BodyKind::Closure,
            flavour: Flavour::Sync,
            item: None,
            scope: self.scope,
            span: span(node),
            name_span: keyword,
        });
        let conditions = std::mem::take(&mut self.conditions);
        self.define_parameters(&parameters, false);
        let value = field(node, "body").map(|value| {
            self.declare_names(value);
            self.expression(value)
        });
        self.conditions = conditions;
        if self.frame().yields {
            self.builder.body_mut().flavour = Flavour::Generator;
        }
        if let Some(value) = value {
            self.sink(value, Sink::Returned);
        }
        self.close_body(value);
        self.expr(ExprKind::Callable(body), node)
    }
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

/// Says whether a case takes every subject: a lone name or `_`, without a guard.
fn is_irrefutable(clause: Node<'_>) -> bool {
    let patterns = children(clause);
    let Some(pattern) = patterns.first().filter(|pattern| pattern.kind() == "case_pattern") else { return false };
    let is_name = match pattern.named_child(0) {
        None => has_token(*pattern, "_"),
        Some(name) => name.kind() == "dotted_name" && name.named_child_count() == 1,
    };
    is_name && field(clause, "guard").is_none() && !has_token(clause, ",")
}
