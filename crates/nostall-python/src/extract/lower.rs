//! What all parts of the lowering share: the state, spans and texts of nodes, names, sinks, problems.

use nostall_model::build::{Builder, NewBody, NewCall};
use nostall_model::facts::{
    Argument, BodyId, BodyKind, BranchTest, CallId, CallKind, Callee, Condition, ConditionId,
    Event, ExprId, ExprKind, FileFacts, Flavour, Literal, Part, Run, ScopeId, Sink,
};
use nostall_model::{Language, Name, Span};
use rustc_hash::FxHashSet;
use tree_sitter::Parser;

use super::scope::Frame;
use super::survey::Survey;
use super::tree::{Node, Tree};

/// Lowers a tree to facts.
pub(super) fn lower(tree: &Tree, text: &str, survey: Survey) -> FileFacts {
    let mut builder = Builder::new(Language::Python);
    builder.facts.comments = survey.comments;
    let mut lower = Lower {
        builder,
        text,
        frames: Vec::new(),
        scope: ScopeId(0),
        conditions: Vec::new(),
        too_deep: survey.too_deep,
        globals: survey.globals,
        nonlocals: survey.nonlocals,
        type_parser: None,
        left_unless: Vec::new(),
    };
    lower.module(tree.root());
    lower.builder.finish()
}

/// The state of the lowering.
pub(super) struct Lower<'a> {
    pub(super) builder: Builder,
    pub(super) text: &'a str,
    /// The bodies that are open, with their names; the module's is the first.
    pub(super) frames: Vec<Frame>,
    /// Where names are looked up.
    pub(super) scope: ScopeId,
    /// The conditions that hold here, each joined with those around it; only at the level of modules and classes.
    pub(super) conditions: Vec<ConditionId>,
    pub(super) too_deep: FxHashSet<u32>,
    pub(super) globals: FxHashSet<String>,
    pub(super) nonlocals: FxHashSet<String>,
    /// Reads quoted types; made when the first one is met.
    pub(super) type_parser: Option<Parser>,
    /// What holds after the last statement because it leaves the block otherwise: `if x is None: return`.
    pub(super) left_unless: Vec<BranchTest>,
}

impl Lower<'_> {
    fn module(&mut self, root: Node<'_>) {
        let span = span(root);
        let new = NewBody {
            kind: BodyKind::Module,
            flavour: Flavour::Sync,
            item: None,
            scope: self.scope,
            span,
            name_span: Span::new(span.range().start, span.range().start),
        };
        self.open_body(new);
        self.declare_global_names(span);
        self.declare_names(root);
        self.block(root);
        self.close_body(None);
    }

    /// Opens a body with the names of its scope.
    pub(super) fn open_body(&mut self, new: NewBody) -> BodyId {
        let body = self.builder.open_body(new);
        self.frames.push(Frame::new(new.kind));
        body
    }

    /// Closes the innermost body, and says what its code contained.
    pub(super) fn close_body(&mut self, value: Option<ExprId>) -> Frame {
        self.builder.close_body(value);
        self.frames.pop().expect("a body is open")
    }

    pub(super) fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a body is open")
    }

    /// Returns the text of a node.
    pub(super) fn text(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// Returns the name that a node spells.
    pub(super) fn name(&mut self, node: Node<'_>) -> Name {
        let text = self.text;
        self.builder.name(&text[node.byte_range()])
    }

    // ---- expressions and calls

    pub(super) fn expr(&mut self, kind: ExprKind, node: Node<'_>) -> ExprId {
        self.builder.expr(kind, span(node))
    }

    pub(super) fn unknown(&mut self, node: Node<'_>) -> ExprId {
        self.expr(ExprKind::Unknown, node)
    }

    /// A part of a value.
    pub(super) fn project(&mut self, base: ExprId, part: Part, node: Node<'_>) -> ExprId {
        self.expr(ExprKind::Project { base, part }, node)
    }

    /// A call of a method that Python makes by itself.
    pub(super) fn method(&mut self, new: MethodCall<'_>, arguments: &[Argument]) -> ExprId {
        let name = self.builder.name(new.method);
        let callee = Callee::Method {
            receiver: new.receiver,
            name,
        };
        self.plain_call(new.kind, callee, new.name_span, new.span, arguments)
    }

    /// A call without type arguments.
    pub(super) fn plain_call(
        &mut self,
        kind: CallKind,
        callee: Callee,
        name_span: Span,
        span: Span,
        arguments: &[Argument],
    ) -> ExprId {
        let expr = self.builder.call(
            NewCall {
                kind,
                callee,
                type_arguments: Run::default(),
                name_span,
                span,
            },
            arguments,
        );
        if let Callee::Method { receiver, .. } = callee {
            self.sink(receiver, Sink::Receiver);
        }
        if let ExprKind::Call(call) = self.builder.facts.expr(expr).kind {
            for (index, argument) in arguments.iter().enumerate() {
                self.sink(
                    argument.value,
                    Sink::Argument {
                        call,
                        index: u16::try_from(index).unwrap_or(u16::MAX),
                    },
                );
            }
        }
        expr
    }

    /// Says where a value goes: that of a call, of an attribute, of each side of a choice.
    pub(super) fn sink(&mut self, expr: ExprId, sink: Sink) {
        match self.builder.facts.expr(expr).kind {
            ExprKind::Call(_) => self.builder.set_sink(expr, sink),
            ExprKind::Attribute { .. } => {
                if let Some(call) = self.load_of(expr) {
                    self.builder.facts.calls[call.index()].sink = sink;
                }
            }
            ExprKind::Select(run) => {
                for choice in self.builder.facts.expr_list(run).to_vec() {
                    self.sink(choice, sink);
                }
            }
            _ => {}
        }
    }

    /// Returns the implicit call that loads an attribute: it is made directly after the expression.
    fn load_of(&self, expr: ExprId) -> Option<CallId> {
        let next = self.builder.facts.exprs.get(expr.index() + 1)?;
        let ExprKind::Call(call) = next.kind else {
            return None;
        };
        let load = self.builder.facts.call(call);
        (load.kind == CallKind::Attribute && load.expr == expr).then_some(call)
    }

    pub(super) fn stored(&mut self, expr: ExprId) {
        self.sink(expr, Sink::Stored);
    }

    /// Says whether a value is written out: operators on it run none of the program's code.
    pub(super) fn is_literal(&self, expr: ExprId) -> bool {
        matches!(
            self.builder.facts.expr(expr).kind,
            ExprKind::Literal(_) | ExprKind::Text
        )
    }

    pub(super) fn literal(&mut self, literal: Literal, node: Node<'_>) -> ExprId {
        self.expr(ExprKind::Literal(literal), node)
    }

    /// Suspends at a future; the value is what comes out of it.
    pub(super) fn await_value(&mut self, future: ExprId, span: Span) -> ExprId {
        self.sink(future, Sink::Awaited);
        self.builder.event(Event::Await(future));
        self.frame().awaits = true;
        self.builder.expr(ExprKind::Await(future), span)
    }

    // ---- conditions

    /// Runs `inside` under a condition, where conditions are kept: at the level of modules and classes.
    pub(super) fn under(&mut self, condition: Option<ConditionId>, inside: impl FnOnce(&mut Self)) {
        let Some(condition) = condition else {
            return inside(self);
        };
        let joined = match self.conditions.last() {
            Some(outer) => {
                let run = self.builder.conditions(&[*outer, condition]);
                self.builder.condition(Condition::All(run))
            }
            None => condition,
        };
        self.conditions.push(joined);
        inside(self);
        self.conditions.pop();
    }

    pub(super) fn condition(&self) -> Option<ConditionId> {
        self.conditions.last().copied()
    }

    /// Makes a condition where conditions are kept.
    pub(super) fn new_condition(&mut self, condition: Condition) -> Option<ConditionId> {
        let kept = matches!(self.frames.last()?.kind, BodyKind::Module | BodyKind::Class);
        kept.then(|| self.builder.condition(condition))
    }
}

/// A call of a method that Python makes by itself.
#[derive(Clone, Copy)]
pub(super) struct MethodCall<'a> {
    pub(super) kind: CallKind,
    pub(super) receiver: ExprId,
    pub(super) method: &'a str,
    pub(super) name_span: Span,
    pub(super) span: Span,
}

/// Returns the bytes of a node.
pub(super) fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte(), node.end_byte())
}

/// Returns the named children of a node without comments.
pub(super) fn children<'tree>(node: Node<'tree>) -> Vec<Node<'tree>> {
    node.named_children()
        .filter(|child| !child.is_extra() || child.is_error())
        .collect()
}

/// Returns the child in a field.
pub(super) fn field<'tree>(node: Node<'tree>, name: &str) -> Option<Node<'tree>> {
    node.in_field(name).next()
}

/// Returns the children in a field.
pub(super) fn fields<'tree>(node: Node<'tree>, name: &str) -> Vec<Node<'tree>> {
    node.in_field(name)
        .filter(|child| child.is_named())
        .collect()
}

/// Says whether a node has the given word or sign among its own tokens.
pub(super) fn has_token(node: Node<'_>, token: &str) -> bool {
    node.children()
        .any(|child| !child.is_named() && child.kind() == token)
}

/// Returns the span of a statement's head: all before its block.
pub(super) fn head(node: Node<'_>) -> Span {
    let block = node.children().find(|child| child.kind() == "block");
    match block {
        Some(block) => {
            // The colon ends the head; what stands between it and the block are blanks and comments.
            let colon = node
                .children()
                .take_while(|child| child.id() != block.id())
                .filter(|child| child.kind() == ":")
                .last();
            Span::new(
                node.start_byte(),
                colon.map_or(block.start_byte(), Node::end_byte),
            )
        }
        None => span(node),
    }
}
