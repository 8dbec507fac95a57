//! `select!`: all futures are awaited, the handler of the first one that is ready runs.

use nostall_model::Span;
use nostall_model::facts::{Event, ExprId, ExprKind, RegionKind, Sink};
use syn::Macro;

use super::invocations::{Lowered, positional};
use super::lower::Lower;
use super::macro_arguments::{self as arguments, SelectArm};
use super::spans::Ends;

impl Lower<'_> {
    pub(crate) fn select(&mut self, node: &Macro, span: Span) -> ExprId {
        let outer = self.spent;
        let Some((arms, spent)) = arguments::parse_as(arguments::select_arms, &node.tokens, outer) else {
            return self.plain_macro(node, span);
        };
        self.spent = spent;
        let futures: Vec<Option<ExprId>> = arms.iter().map(|arm| self.select_future(arm)).collect();
        let lowered: Vec<Lowered> =
            futures.iter().flatten().map(|value| Lowered { value: *value, named: false }).collect();
        let call = self.record_macro(node, &positional(&lowered), span);
        self.builder.set_sink(call, Sink::Stored);
        for future in futures.iter().flatten() {
            self.give(*future, Sink::Awaited);
            self.builder.event(Event::Await(*future));
        }
        self.builder.fork();
        let mut values = Vec::with_capacity(arms.len());
        for (arm, future) in arms.iter().zip(futures) {
            values.push(self.select_arm(arm, future));
        }
        self.builder.join(!arms.is_empty());
        self.spent = outer;
        if values.is_empty() { self.unit(span) } else { self.one_of(&values, span) }
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
