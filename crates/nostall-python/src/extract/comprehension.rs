//! Comprehensions and generator expressions: bodies of their own, in Python's scoping.
//!
//! The first iterable is evaluated in the body around. List, set and dict comprehensions run at once: that is recorded as
//! a call of the body without arguments. A generator expression is only a value.

use nostall_model::build::NewBody;
use nostall_model::facts::{
    BodyId, BodyKind, CallKind, Callee, CollectionKind, Event, ExprId, ExprKind, Flavour,
    RegionKind, Sink,
};

use super::lower::{Lower, children, field, fields, has_token, span};
use super::narrow::Tests;
use super::tree::Node;

/// What is still open of the clauses.
enum Open {
    Loop,
    Branch,
}

impl Lower<'_> {
    pub(super) fn comprehension(&mut self, node: Node<'_>) -> ExprId {
        let clauses: Vec<Node<'_>> = children(node)
            .into_iter()
            .filter(|child| matches!(child.kind(), "for_in_clause" | "if_clause"))
            .collect();
        let first = clauses
            .first()
            .copied()
            .filter(|clause| clause.kind() == "for_in_clause");
        let item = first.and_then(|clause| self.clause_item(clause));
        let is_generator = node.kind() == "generator_expression";
        let body = self.comprehension_body(node, &clauses, item, is_generator);
        let value = self.expr(ExprKind::Callable(body), node);
        if is_generator {
            return value;
        }
        let call = self.plain_call(
            CallKind::Plain,
            Callee::Value(value),
            span(node),
            span(node),
            &[],
        );
        match self.builder.facts.body(body).flavour {
            Flavour::Async => self.await_value(call, span(node)),
            _ => call,
        }
    }

    fn comprehension_body(
        &mut self,
        node: Node<'_>,
        clauses: &[Node<'_>],
        item: Option<ExprId>,
        is_generator: bool,
    ) -> BodyId {
        let body = self.open_body(NewBody {
            kind: BodyKind::Comprehension,
            flavour: if is_generator {
                Flavour::Generator
            } else {
                Flavour::Sync
            },
            item: None,
            scope: self.scope,
            span: span(node),
            name_span: node.child(0).map_or(span(node), span),
        });
        let conditions = std::mem::take(&mut self.conditions);
        for clause in clauses {
            if let Some(left) = field(*clause, "left") {
                self.declare_targets(left);
            }
        }
        let value = self.clauses(clauses, item, |lower| {
            lower.element_value(node, is_generator)
        });
        self.conditions = conditions;
        let is_async = self.frame().awaits;
        self.builder.body_mut().flavour = match (is_generator, is_async) {
            (false, false) => Flavour::Sync,
            (false, true) => Flavour::Async,
            (true, false) => Flavour::Generator,
            (true, true) => Flavour::AsyncGenerator,
        };
        self.close_body(value);
        body
    }

    /// Evaluates what a clause iterates over, and begins the iteration.
    fn clause_item(&mut self, clause: Node<'_>) -> Option<ExprId> {
        let right = fields(clause, "right");
        let first = *right.first()?;
        let iterated = match right[..] {
            [only] => self.expression(only),
            _ => {
                let values: Vec<ExprId> =
                    right.iter().map(|value| self.expression(*value)).collect();
                self.tuple(&values, span(clause))
            }
        };
        Some(self.iterate(iterated, first, has_token(clause, "async")))
    }

    /// Opens a loop or a branch for each clause, runs `inside`, and closes them again.
    fn clauses<T>(
        &mut self,
        clauses: &[Node<'_>],
        first: Option<ExprId>,
        inside: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut open = Vec::new();
        let mut first = first;
        for clause in clauses {
            if clause.kind() == "for_in_clause" {
                let item = first.take().or_else(|| self.clause_item(*clause));
                self.builder.open_loop(span(*clause));
                self.targets(*clause, item);
                open.push(Open::Loop);
            } else {
                let condition = clause.named_child(0);
                let tests = condition.map(|condition| Tests::new(self, condition));
                if let Some(condition) = condition {
                    self.condition_value(condition);
                }
                self.builder.fork();
                self.builder.open_arm(RegionKind::Branch, span(*clause));
                if let Some(tests) = tests {
                    self.decide(&tests, true);
                    self.narrow(&tests, true);
                }
                open.push(Open::Branch);
            }
        }
        let value = inside(self);
        for clause in open.into_iter().rev() {
            match clause {
                Open::Loop => self.builder.close_loop(),
                Open::Branch => {
                    self.builder.close_arm();
                    self.builder.join(false);
                }
            }
        }
        value
    }

    fn targets(&mut self, clause: Node<'_>, item: Option<ExprId>) {
        let (Some(item), Some(left)) = (item, field(clause, "left")) else {
            return;
        };
        self.step(item, has_token(clause, "async"), left);
        self.frame().own_targets = true;
        self.assign(left, item);
        self.frame().own_targets = false;
    }

    /// The value of the whole, as seen from inside.
    fn element_value(&mut self, node: Node<'_>, is_generator: bool) -> Option<ExprId> {
        let element = field(node, "body")?;
        let parts: Vec<ExprId> = match (field(element, "key"), field(element, "value")) {
            (Some(key), Some(value)) if element.kind() == "pair" => {
                vec![self.expression(key), self.expression(value)]
            }
            _ => vec![self.expression(element)],
        };
        if is_generator {
            self.sink(parts[0], Sink::Returned);
            self.builder.event(Event::Yield(Some(parts[0])));
            return None;
        }
        let kind = match node.kind() {
            "set_comprehension" => CollectionKind::Set,
            "dictionary_comprehension" => CollectionKind::Mapping,
            _ => CollectionKind::List,
        };
        Some(self.gather(kind, &parts, span(element)))
    }
}
