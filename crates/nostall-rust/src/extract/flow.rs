//! Assignments, and what leaves a body or a loop.

use nostall_model::Span;
use nostall_model::facts::{CallKind, DefinitionKind, Event, ExprId, ExprKind, Part, Sink};
use syn::{Expr, Member};

use super::lower::Lower;

impl Lower<'_> {
    // ---- assignments

    pub(crate) fn assign(&mut self, node: &syn::ExprAssign, expr: &Expr) -> ExprId {
        let value = self.expr(&node.right);
        self.consume(value);
        self.assign_to(&node.left, value);
        let span = self.span(expr);
        self.unit(span)
    }

    /// Gives a value to a variable or a place; to several by a pattern: `(a, b) = pair`.
    fn assign_to(&mut self, target: &Expr, value: ExprId) {
        match target {
            Expr::Paren(node) => self.assign_to(&node.expr, value),
            Expr::Group(node) => self.assign_to(&node.expr, value),
            Expr::Infer(_) => {}
            Expr::Tuple(node) => self.assign_elements(node.elems.iter(), value, Part::Element),
            Expr::Array(node) => self.assign_elements(node.elems.iter(), value, |_| Part::Item),
            Expr::Call(node) => {
                let Expr::Path(callee) = &*node.func else {
                    return;
                };
                let path = self.path(callee.qself.as_ref(), &callee.path);
                self.assign_elements(node.args.iter(), value, |index| Part::Variant {
                    path,
                    index,
                });
            }
            Expr::Struct(node) => self.assign_fields(node, value),
            Expr::Path(node) => self.assign_name(node, value),
            place => self.store(place, value),
        }
    }

    fn assign_name(&mut self, node: &syn::ExprPath, value: ExprId) {
        let span = self.path_span(node.qself.as_ref(), &node.path);
        let binding = node.path.get_ident().and_then(|ident| {
            let name = self.name(ident);
            self.variables.find(name)
        });
        match binding {
            Some(binding) if self.is_none(value) => {
                let old = self.builder.use_of(binding, span);
                self.builder.implicit(CallKind::Drop, old, "drop", span);
                self.define(binding, DefinitionKind::Value(value), None, span);
            }
            Some(binding) => self.define(binding, DefinitionKind::Value(value), None, span),
            None => {
                let target = self.path_value(node);
                self.give(value, Sink::Stored);
                self.builder.event(Event::Store { target, value });
            }
        }
    }

    fn assign_elements<'n>(
        &mut self,
        targets: impl Iterator<Item = &'n Expr>,
        base: ExprId,
        part: impl Fn(u16) -> Part,
    ) {
        self.give(base, Sink::Stored);
        for (index, target) in targets.enumerate() {
            // The position of what follows `..` is not known.
            if matches!(target, Expr::Range(_)) {
                return;
            }
            let span = self.span(target);
            let part = part(u16::try_from(index).unwrap_or(u16::MAX));
            let value = self.builder.expr(ExprKind::Project { base, part }, span);
            self.assign_to(target, value);
        }
    }

    fn assign_fields(&mut self, node: &syn::ExprStruct, base: ExprId) {
        self.give(base, Sink::Stored);
        let path = self.path(node.qself.as_ref(), &node.path);
        for field in &node.fields {
            let name = match &field.member {
                Member::Named(ident) => self.name(ident),
                Member::Unnamed(index) => self.builder.name(&index.index.to_string()),
            };
            let span = self.span(&field.expr);
            let part = Part::Field { path, name };
            let value = self.builder.expr(ExprKind::Project { base, part }, span);
            self.assign_to(&field.expr, value);
        }
    }

    fn store(&mut self, place: &Expr, value: ExprId) {
        let target = match place {
            Expr::Index(node) => self.index(node, place, "index_mut"),
            place => self.part(place),
        };
        if self.is_none(value) {
            let span = self.span(place);
            self.builder.implicit(CallKind::Drop, target, "drop", span);
        }
        self.give(value, Sink::Stored);
        self.builder.event(Event::Store { target, value });
    }

    /// `None` takes the place of what was there, which is dropped. Of other values it is not sure that there was something before.
    fn is_none(&self, value: ExprId) -> bool {
        let facts = &self.builder.facts;
        match self.kind(value) {
            ExprKind::Path(path) => {
                let last = facts.path_segments(path).last();
                last.is_some_and(|last| facts.text(last.name) == "None")
            }
            _ => false,
        }
    }

    /// `x += y`; both sides are lowered already.
    pub(crate) fn compound_assign(
        &mut self,
        target: ExprId,
        value: ExprId,
        method: &str,
        name_span: Span,
        span: Span,
    ) -> ExprId {
        self.operator(method, target, value, name_span, span);
        match self.kind(target) {
            ExprKind::Use { binding, .. } => {
                // The value is the operator's argument; it is not bound.
                let sink = self.sink_of(value);
                let span = self.builder.facts.expr(target).span;
                self.define(binding, DefinitionKind::Augmented(value), None, span);
                if let Some(sink) = sink {
                    self.builder.set_sink(value, sink);
                }
            }
            _ => self.builder.event(Event::Store { target, value }),
        }
        self.unit(span)
    }

    fn sink_of(&self, value: ExprId) -> Option<Sink> {
        match self.kind(value) {
            ExprKind::Call(call) => Some(self.builder.facts.call(call).sink),
            _ => None,
        }
    }

    // ---- leaving

    pub(crate) fn return_(&mut self, node: &syn::ExprReturn, expr: &Expr) -> ExprId {
        let value = node.expr.as_ref().map(|value| self.expr(value));
        if let Some(value) = value {
            self.give(value, Sink::Returned);
            self.consume(value);
        }
        self.builder.event(Event::Return(value));
        self.builder.diverge();
        let span = self.span(expr);
        self.never(span)
    }

    pub(crate) fn break_(&mut self, node: &syn::ExprBreak, expr: &Expr) -> ExprId {
        let value = node.expr.as_ref().map(|value| self.part(value));
        if let Some(value) = value {
            self.consume(value);
        }
        let label = node.label.as_ref().map(|label| label.ident.to_string());
        let left = match &label {
            Some(label) => self
                .loops
                .iter_mut()
                .rev()
                .find(|open| open.label.as_ref() == Some(label)),
            None => self.loops.iter_mut().rev().find(|open| open.is_loop),
        };
        let mut out_of_block = false;
        if let Some(left) = left {
            left.left = true;
            left.values.extend(value);
            out_of_block = !left.is_loop;
        }
        if out_of_block {
            // What holds here also holds after the block: control flow goes on, as far as definitions are concerned.
            self.builder.event(Event::Jump);
        } else {
            self.builder.jump();
        }
        let span = self.span(expr);
        self.never(span)
    }

    pub(crate) fn continue_(&mut self, expr: &Expr) -> ExprId {
        self.builder.jump();
        let span = self.span(expr);
        self.never(span)
    }

    pub(crate) fn yield_(&mut self, node: &syn::ExprYield, expr: &Expr) -> ExprId {
        let value = node.expr.as_ref().map(|value| self.part(value));
        if let Some(value) = value {
            self.consume(value);
        }
        self.builder.event(Event::Yield(value));
        let span = self.span(expr);
        self.unit(span)
    }
}
