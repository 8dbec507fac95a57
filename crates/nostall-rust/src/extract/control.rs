//! Branches and loops.

use nostall_model::Span;
use nostall_model::facts::{CallKind, ExprId, ExprKind, Part, RegionKind, Sink};
use syn::{Block, Expr, Pat};

use super::lower::{Lower, OpenLoop};

impl Lower<'_> {
    // ---- branches

    /// What a `let` of the condition binds is seen in the first branch only.
    pub(crate) fn if_(&mut self, node: &syn::ExprIf, expr: &Expr) -> ExprId {
        self.variables.open();
        self.part(&node.cond);
        self.builder.fork();
        let then_span = self.block_span(&node.then_branch);
        let then = self.arm(RegionKind::Branch, then_span, |cx| {
            let value = cx.block(&node.then_branch);
            cx.end_scope();
            value
        });
        let other = node.else_branch.as_ref().map(|(_, other)| {
            let span = self.span(&**other);
            self.arm(RegionKind::Branch, span, |cx| cx.branch(other))
        });
        self.builder.join(other.is_some());
        let span = self.span(expr);
        match other {
            Some(other) => self.one_of(&[then, other], span),
            None => self.unit(span),
        }
    }

    /// The branch behind `else`: a block, or another `if`, whose head is a statement of its own.
    fn branch(&mut self, other: &Expr) -> ExprId {
        match (other, super::statements::head_end(other)) {
            (Expr::If(_), Some(end)) => {
                let head = self.places.between(super::spans::Ends::first(other), end);
                self.as_statement(head, |cx| cx.expr(other))
            }
            (Expr::Block(node), _) => self.block(&node.block),
            _ => self.expr(other),
        }
    }

    pub(crate) fn match_(&mut self, node: &syn::ExprMatch, expr: &Expr) -> ExprId {
        let scrutinee = self.part(&node.expr);
        let owns = self.may_own(scrutinee);
        self.builder.fork();
        let mut values = Vec::with_capacity(node.arms.len());
        for arm in &node.arms {
            let condition = self.cfg_of(&arm.attrs);
            let span = self.span(&*arm.body);
            values.push(self.arm(RegionKind::Branch, span, |cx| {
                cx.set_region_condition(condition);
                cx.scoped(|cx| {
                    let (pattern, guard) = guarded(&arm.pat);
                    cx.bind(pattern, scrutinee, None, owns);
                    if let Some(guard) = guard {
                        cx.part(guard);
                    }
                    cx.arm_body(&arm.body)
                })
            }));
        }
        self.builder.join(true);
        let span = self.span(expr);
        self.one_of(&values, span)
    }

    /// The code of an arm: a statement of its own.
    pub(crate) fn arm_body(&mut self, body: &Expr) -> ExprId {
        let span = self.span(body);
        self.as_statement(span, |cx| {
            let value = cx.expr(body);
            cx.consume(value);
            value
        })
    }

    /// `let` within a condition.
    pub(crate) fn let_(&mut self, node: &syn::ExprLet) -> ExprId {
        let value = self.part(&node.expr);
        let owns = self.may_own(value);
        self.bind(&node.pat, value, None, owns);
        let span = self.builder.facts.expr(value).span;
        self.builder.expr(ExprKind::Unary(value), span)
    }

    // ---- loops

    /// A `loop` ends only by `break`, whose values are its own.
    pub(crate) fn loop_(&mut self, node: &syn::ExprLoop, expr: &Expr) -> ExprId {
        let span = self.span(expr);
        let closed = self.in_loop(node.label.as_ref(), span, |cx| {
            cx.block(&node.body);
        });
        if !closed.left {
            self.builder.diverge();
            return self.never(span);
        }
        match closed.values.as_slice() {
            [] => self.unit(span),
            values => self.one_of(values, span),
        }
    }

    pub(crate) fn while_(&mut self, node: &syn::ExprWhile, expr: &Expr) -> ExprId {
        let span = self.span(expr);
        self.in_loop(node.label.as_ref(), span, |cx| {
            cx.scoped(|cx| {
                cx.part(&node.cond);
                cx.block(&node.body);
            });
        });
        self.unit(span)
    }

    pub(crate) fn for_(&mut self, node: &syn::ExprForLoop, expr: &Expr) -> ExprId {
        let iterated = self.expr(&node.expr);
        self.give(iterated, Sink::Iterated);
        let name_span = self.span(&*node.expr);
        self.builder.implicit(CallKind::Iterate, iterated, "into_iter", name_span);
        self.consume(iterated);
        let span = self.span(expr);
        self.in_loop(node.label.as_ref(), span, |cx| cx.for_body(&node.pat, iterated, name_span, &node.body));
        self.unit(span)
    }

    fn for_body(&mut self, pattern: &Pat, iterated: ExprId, span: Span, body: &Block) {
        self.scoped(|cx| {
            let item = cx.builder.expr(ExprKind::Project { base: iterated, part: Part::Iterated }, span);
            cx.bind(pattern, item, None, true);
            cx.block(body);
        });
    }

    fn in_loop(&mut self, label: Option<&syn::Label>, span: Span, lower: impl FnOnce(&mut Self)) -> OpenLoop {
        let label = label.map(|label| label.name.ident.to_string());
        self.loops.push(OpenLoop { label, is_loop: true, ..OpenLoop::default() });
        self.builder.open_loop(span);
        self.variables.enter_branch();
        lower(self);
        self.variables.leave_branch();
        self.builder.close_loop();
        self.loops.pop().unwrap_or_default()
    }
}

/// A pattern without its guard.
fn guarded(pattern: &Pat) -> (&Pat, Option<&Expr>) {
    match pattern {
        Pat::Guard(node) => (&node.pat, Some(&node.guard)),
        other => (other, None),
    }
}
