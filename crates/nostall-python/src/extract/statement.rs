//! Statements and control flow.

use nostall_model::Span;
use nostall_model::facts::{BranchTest, CallKind, DefinitionKind, Event, RegionKind, Sink};

use super::lower::{Lower, MethodCall, children, field, head, span};
use super::narrow::Tests;
use super::scope::{Given, alias_name};
use super::tree::Node;

/// How many early exits of one block are kept: each of them makes the rest one region deeper.
const MOST_EXITS: usize = 8;

impl Lower<'_> {
    /// Lowers the statements of a block, of a module, or of a part that could not be read.
    pub(super) fn block(&mut self, block: Node<'_>) {
        let mut left = 0;
        for statement in children(block) {
            self.left_unless.clear();
            self.statement(statement);
            let tests = std::mem::take(&mut self.left_unless);
            if !tests.is_empty() && left < MOST_EXITS {
                self.open_rest(statement, block, &tests);
                left += 1;
            }
        }
        for _ in 0..left {
            self.builder.close_region();
        }
    }

    /// After `if test: return` the rest of the block runs only where the test fails.
    fn open_rest(&mut self, statement: Node<'_>, block: Node<'_>, tests: &[BranchTest]) {
        let rest = Span::new(statement.end_byte(), block.end_byte());
        self.builder.open_region(RegionKind::Inner, rest);
        self.builder.decide(tests);
    }

    /// Lowers the block in a field, if it is there.
    pub(super) fn block_of(&mut self, node: Node<'_>, name: &str) {
        if let Some(block) = field(node, name) {
            self.block(block);
        }
    }

    pub(super) fn statement(&mut self, node: Node<'_>) {
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
            "delete_statement" => children(node)
                .into_iter()
                .for_each(|child| self.delete(child)),
            "break_statement" | "continue_statement" => self.builder.jump(),
            "import_statement" | "import_from_statement" | "future_import_statement" => {
                self.import_statement(node);
            }
            "type_alias_statement" => self.type_alias(node),
            "global_statement" | "nonlocal_statement" | "pass_statement" => {}
            "assignment" => self.assignment(node),
            "augmented_assignment" => self.augmented_assignment(node),
            "expression_statement" => self.expression_statement(node),
            "print_statement" | "exec_statement" | "chevron" | "ERROR" | "block" => {
                self.block(node);
            }
            _ => _ = self.expression(node),
        }
    }

    fn expression_statement(&mut self, node: Node<'_>) {
        match children(node)[..] {
            [call] if call.kind() == "call" => {
                let tests = Tests::new(self, call);
                self.block(node);
                self.narrow_by_statement(&tests);
            }
            _ => self.block(node),
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
        let Some((condition, message)) = parts.split_first() else {
            return;
        };
        let tests = Tests::new(self, *condition);
        self.condition_value(*condition);
        self.builder.fork();
        self.builder.open_arm(
            RegionKind::Branch,
            message.first().map_or(span(node), |message| span(*message)),
        );
        for part in message {
            let value = self.expression(*part);
            self.stored(value);
        }
        self.builder.event(Event::Raise);
        self.builder.diverge();
        self.builder.close_arm();
        self.builder.join(false);
        self.narrow(&tests, true);
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
                if let (Some(object), Some(attribute)) =
                    (field(node, "object"), field(node, "attribute"))
                {
                    let object = self.expression(object);
                    self.accessor(object, attribute, span(node), &[]);
                }
            }
            "subscript" => self.delete_element(node),
            _ => children(node)
                .into_iter()
                .for_each(|child| self.delete(child)),
        }
    }

    fn delete_name(&mut self, node: Node<'_>) {
        let Some(definition) = self.define(node, Given::from(DefinitionKind::Deleted)) else {
            return;
        };
        let binding = self.builder.facts.definitions[definition.index()].binding;
        self.builder.event(Event::Move(binding));
    }

    fn delete_element(&mut self, node: Node<'_>) {
        let Some((receiver, key)) = self.element(node) else {
            return;
        };
        let call = MethodCall {
            kind: CallKind::Index,
            receiver,
            method: "__delitem__",
            name_span: Self::brackets(node),
            span: span(node),
        };
        self.method(call, &[Self::positional(key)]);
    }
}
