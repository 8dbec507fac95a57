//! `select!`: all futures are awaited, the handler of the first one that is ready runs.

use nostall_model::Span;
use nostall_model::facts::{Event, ExprId, ExprKind, RegionKind, Sink};
use syn::Macro;

use super::invocations::positional;
use super::lower::Lower;
use super::macro_arguments::{self as arguments, SelectArm};
use super::spans::Ends;

impl Lower<'_> {
    pub(crate) fn select(&mut self, node: &Macro, span: Span) -> ExprId {
        let lowered = self.reading(&node.tokens, arguments::select_arms, |cx, arms| {
            cx.select_arms(node, &arms, span)
        });
        lowered.unwrap_or_else(|| self.plain_macro(node, span))
    }

    fn select_arms(&mut self, node: &Macro, arms: &[SelectArm], span: Span) -> ExprId {
        let futures: Vec<Option<ExprId>> = arms.iter().map(|arm| self.select_future(arm)).collect();
        let awaited: Vec<ExprId> = futures.iter().flatten().copied().collect();
        let call = self.record_macro(node, &positional(&awaited), span);
        self.builder.set_sink(call, Sink::Stored);
        for future in awaited {
            self.give(future, Sink::Awaited);
            self.builder.event(Event::Await(future));
        }
        self.builder.fork();
        let mut values = Vec::with_capacity(arms.len());
        for (arm, future) in arms.iter().zip(futures) {
            values.push(self.select_arm(arm, future));
        }
        self.builder.join(!arms.is_empty());
        if values.is_empty() {
            self.unit(span)
        } else {
            self.one_of(&values, span)
        }
    }

    /// The conditions and futures of all arms are evaluated before any is awaited.
    fn select_future(&mut self, arm: &SelectArm) -> Option<ExprId> {
        if let Some(guard) = &arm.guard {
            self.part(guard);
        }
        let future = arm.future.as_ref()?;
        let span = self.span(future);
        Some(self.as_statement(span, |cx| cx.expr(future)))
    }

    fn select_arm(&mut self, arm: &SelectArm, future: Option<ExprId>) -> ExprId {
        let span = self.places.between(arm.start, arm.handler.last());
        self.arm(RegionKind::SelectArm, span, |cx| {
            cx.as_statement(span, |cx| {
                cx.scoped(|cx| {
                    if let (Some(pattern), Some(future)) = (&arm.pattern, future) {
                        let place = cx.builder.facts.expr(future).span;
                        let value = cx.builder.expr(ExprKind::Await(future), place);
                        let owns = cx.may_own(value);
                        cx.bind(pattern, value, None, owns);
                    }
                    cx.arm_body(&arm.handler)
                })
            })
        })
    }
}
