//! Branches and loops.

use nostall_model::Span;
use nostall_model::facts::{BranchTest, CallKind, Event, ExprId, ExprKind, Part, RegionKind, Sink};
use syn::{BinOp, Block, Expr, Pat};

use super::lower::{Lower, OpenLoop};

impl Lower<'_> {
    // ---- if

    pub(crate) fn if_(&mut self, node: &syn::ExprIf, expr: &Expr) -> ExprId {
        let span = self.span(expr);
        let conjuncts = conjuncts(&node.cond);
        let (calls, mark) = (self.calls_so_far(), self.mark());
        let first = self.head_value(&conjuncts);
        let has_calls = self.calls_so_far() > calls;
        let head = self.span(&*node.cond);
        if first.is_none() {
            self.end_temporaries(calls, head);
        }
        self.builder.fork();
        let then_span = self.block_span(&node.then_branch);
        let tests = self.tests_of(&node.cond, true, mark);
        let then = self.arm(RegionKind::Branch, then_span, |cx| {
            cx.builder.decide(&tests);
            cx.scoped(|cx| {
                cx.rest_of_condition(&conjuncts, first);
                cx.block(&node.then_branch)
            })
        });
        let refused = self.tests_of(&node.cond, false, mark);
        let went_on = self.went_on;
        let Some((_, other)) = &node.else_branch else {
            self.builder.join(false);
            self.left_unless = if went_on { Vec::new() } else { refused };
            return self.unit(span);
        };
        let other_span = self.span(&**other);
        let other = self.arm(RegionKind::Branch, other_span, |cx| {
            cx.builder.decide(&refused);
            // Since edition 2024 what a `let` takes apart is gone here.
            if first.is_some() && has_calls {
                cx.builder.event(Event::TemporariesEnd(head));
            }
            cx.else_(other)
        });
        self.left_unless = match (went_on, self.went_on) {
            (false, true) => refused,
            (true, false) => tests,
            _ => Vec::new(),
        };
        self.builder.join(true);
        self.one_of(&[then, other], span)
    }

    fn else_(&mut self, other: &Expr) -> ExprId {
        match other {
            Expr::Block(node) if node.label.is_none() => self.block(&node.block),
            Expr::If(node) => {
                let head = self
                    .places
                    .between(node.if_token.span, super::spans::Ends::last(&*node.cond));
                self.as_statement(head, |cx| cx.if_(node, other))
            }
            other => self.expr(other),
        }
    }

    /// Lowers the part of a condition that always runs: all of it, or, in a chain with `let`, what comes first.
    /// Answers the value that a first `let` takes apart.
    fn head_value(&mut self, conjuncts: &[&Expr]) -> Option<ExprId> {
        match conjuncts {
            [Expr::Let(node), ..] => Some(self.part(&node.expr)),
            [first, ..] => {
                self.part(first);
                None
            }
            [] => None,
        }
    }

    /// Binds a first `let`, then lowers what comes after the first part of a condition: it runs only on the way to the block.
    fn rest_of_condition(&mut self, conjuncts: &[&Expr], first: Option<ExprId>) {
        let Some((head, rest)) = conjuncts.split_first() else {
            return;
        };
        if let (Expr::Let(node), Some(value)) = (head, first) {
            self.bind_condition(&node.pat, value);
        }
        for part in rest {
            self.part(part);
        }
    }

    /// `let pattern = value` within a condition.
    pub(crate) fn let_(&mut self, node: &syn::ExprLet) -> ExprId {
        let value = self.part(&node.expr);
        self.bind_condition(&node.pat, value);
        let span = self.token(node.let_token.span);
        self.unknown(span)
    }

    fn bind_condition(&mut self, pattern: &Pat, value: ExprId) {
        let owns = self.may_own(value);
        self.bind(pattern, value, None, owns);
    }

    // ---- match

    pub(crate) fn match_(&mut self, node: &syn::ExprMatch, expr: &Expr) -> ExprId {
        let value = self.part(&node.expr);
        let span = self.span(expr);
        if node.arms.is_empty() {
            self.builder.diverge();
            return self.never(span);
        }
        let owns = self.may_own(value);
        self.builder.fork();
        let mut values = Vec::with_capacity(node.arms.len());
        let (mut before, mut going_on) = (Vec::new(), Vec::new());
        for arm in &node.arms {
            let tests = self.tests_of_arm(value, &arm.pat, &before);
            values.push(self.match_arm(arm, value, owns, &tests));
            before.push(&arm.pat);
            if self.went_on {
                going_on.push(tests);
            }
        }
        self.left_unless = match going_on.as_mut_slice() {
            [only] if before.len() > 1 => std::mem::take(only),
            _ => Vec::new(),
        };
        self.builder.join(true);
        self.one_of(&values, span)
    }

    fn match_arm(
        &mut self,
        arm: &syn::Arm,
        value: ExprId,
        owns: bool,
        tests: &[BranchTest],
    ) -> ExprId {
        let condition = self.cfg_of(&arm.attrs);
        let span = self.span(&arm.pat).to(self.span(&*arm.body));
        self.arm(RegionKind::Branch, span, |cx| {
            cx.set_region_condition(condition);
            cx.builder.decide(tests);
            cx.as_statement(span, |cx| {
                cx.scoped(|cx| {
                    cx.bind(&arm.pat, value, None, owns);
                    cx.arm_guard(&arm.pat);
                    cx.arm_body(&arm.body)
                })
            })
        })
    }

    fn arm_guard(&mut self, pattern: &Pat) {
        let Pat::Guard(node) = pattern else { return };
        let conjuncts = conjuncts(&node.guard);
        let first = self.head_value(&conjuncts);
        self.rest_of_condition(&conjuncts, first);
    }

    /// The code of an arm: an arm is a region already, a block of it needs none of its own.
    pub(crate) fn arm_body(&mut self, body: &Expr) -> ExprId {
        let value = match body {
            Expr::Block(node) if node.label.is_none() => return self.block(&node.block),
            body => self.expr(body),
        };
        self.consume(value);
        value
    }

    // ---- loops

    fn in_loop(
        &mut self,
        label: Option<&syn::Label>,
        span: Span,
        lower: impl FnOnce(&mut Self),
    ) -> OpenLoop {
        let label = label.map(|label| label.name.ident.to_string());
        self.loops.push(OpenLoop {
            label,
            is_loop: true,
            ..OpenLoop::default()
        });
        self.builder.open_loop(span);
        self.variables.enter_branch();
        self.scoped(lower);
        self.variables.leave_branch();
        self.builder.close_loop();
        self.loops.pop().unwrap_or_default()
    }

    /// A `loop` ends only by `break`, whose values are its own.
    pub(crate) fn loop_(&mut self, node: &syn::ExprLoop, expr: &Expr) -> ExprId {
        let span = self.span(expr);
        let open = self.in_loop(node.label.as_ref(), span, |cx| {
            cx.block(&node.body);
        });
        if !open.left {
            self.builder.diverge();
            return self.never(span);
        }
        if open.values.is_empty() {
            self.unit(span)
        } else {
            self.one_of(&open.values, span)
        }
    }

    pub(crate) fn while_(&mut self, node: &syn::ExprWhile, expr: &Expr) -> ExprId {
        let (span, mark) = (self.span(expr), self.mark());
        let open = self.in_loop(node.label.as_ref(), span, |cx| {
            let conjuncts = conjuncts(&node.cond);
            let (calls, head) = (cx.calls_so_far(), cx.span(&*node.cond));
            let first = cx.head_value(&conjuncts);
            if first.is_none() {
                cx.end_temporaries(calls, head);
            }
            cx.rest_of_condition(&conjuncts, first);
            let tests = cx.tests_of(&node.cond, true, mark);
            cx.decided_block(&node.body, &tests);
            cx.end_temporaries(calls, head);
        });
        self.left_unless = if open.left {
            Vec::new()
        } else {
            self.tests_of(&node.cond, false, mark)
        };
        self.unit(span)
    }

    /// A block of a loop that runs where tests hold.
    fn decided_block(&mut self, block: &Block, tests: &[BranchTest]) {
        if tests.is_empty() {
            self.block(block);
            return;
        }
        let (open, close) = (
            block.brace_token.span.open(),
            block.brace_token.span.close(),
        );
        let span = self.token(open).to(self.token(close));
        self.builder.open_region(RegionKind::Inner, span);
        self.builder.decide(tests);
        self.block(block);
        self.builder.close_region();
    }

    pub(crate) fn for_(&mut self, node: &syn::ExprForLoop, expr: &Expr) -> ExprId {
        let span = self.span(expr);
        let iterated = self.expr(&node.expr);
        self.give(iterated, Sink::Iterated);
        let name_span = self.span(&*node.expr);
        let call = self
            .builder
            .implicit(CallKind::Iterate, iterated, "into_iter", name_span);
        self.builder.set_sink(call, Sink::Iterated);
        self.consume(iterated);
        let owns = self.may_own(iterated);
        self.in_loop(node.label.as_ref(), span, |cx| {
            cx.for_body(&node.pat, iterated, owns, &node.body);
        });
        self.unit(span)
    }

    fn for_body(&mut self, pattern: &Pat, iterated: ExprId, owns: bool, body: &Block) {
        let span = self.span(pattern);
        let value = self.builder.expr(
            ExprKind::Project {
                base: iterated,
                part: Part::Iterated,
            },
            span,
        );
        self.bind(pattern, value, None, owns);
        self.block(body);
    }
}

/// The parts of a condition with `let` in it, between `&&`; any other condition is one part.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut rest = condition;
    while let Expr::Binary(node) = rest
        && matches!(node.op, BinOp::And(_))
    {
        parts.push(&*node.right);
        rest = &node.left;
    }
    parts.push(rest);
    parts.reverse();
    if parts.iter().any(|part| matches!(part, Expr::Let(_))) {
        parts
    } else {
        vec![condition]
    }
}
