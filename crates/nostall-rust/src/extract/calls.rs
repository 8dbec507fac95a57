//! Calls: written ones, and those that operators, `?` and `.await` stand for.

use nostall_model::Span;
use nostall_model::build::NewCall;
use nostall_model::facts::{
    Argument, ArgumentKind, CallKind, Callee, Event, ExprId, ExprKind, Run, Sink,
};
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Token, UnOp};

use super::lower::Lower;

impl Lower<'_> {
    // ---- written calls

    pub(crate) fn call(&mut self, node: &syn::ExprCall, expr: &Expr) -> ExprId {
        let callee = self.expr(&node.func);
        self.give(callee, Sink::Receiver);
        let name_span = self.span(&*node.func);
        let arguments = self.call_arguments(&node.args);
        let span = self.span(expr);
        let callee = Callee::Value(callee);
        self.finish_call(
            NewCall {
                kind: CallKind::Plain,
                callee,
                type_arguments: Run::default(),
                name_span,
                span,
            },
            &arguments,
        )
    }

    pub(crate) fn method_call(&mut self, node: &syn::ExprMethodCall, expr: &Expr) -> ExprId {
        let receiver = self.expr(&node.receiver);
        let type_arguments = node
            .turbofish
            .as_ref()
            .map_or_else(Run::default, |arguments| self.type_arguments(arguments));
        let arguments = self.call_arguments(&node.args);
        let name = self.name(&node.method);
        let name_span = self.token(node.method.span());
        let span = self.span(expr);
        let callee = Callee::Method { receiver, name };
        let call = self.finish_call(
            NewCall {
                kind: CallKind::Plain,
                callee,
                type_arguments,
                name_span,
                span,
            },
            &arguments,
        );
        self.give(receiver, Sink::Receiver);
        call
    }

    fn call_arguments(&mut self, arguments: &Punctuated<Expr, Token![,]>) -> Vec<Argument> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let value = self.expr(argument);
            values.push(Argument {
                name: None,
                kind: ArgumentKind::Positional,
                value,
            });
        }
        values
    }

    /// Records a call; variables that are its arguments are moved into it.
    pub(crate) fn finish_call(&mut self, new: NewCall, arguments: &[Argument]) -> ExprId {
        let expr = self.builder.call(new, arguments);
        if let ExprKind::Call(call) = self.kind(expr) {
            for (index, argument) in arguments.iter().enumerate() {
                let index = u16::try_from(index).unwrap_or(u16::MAX);
                self.give(argument.value, Sink::Argument { call, index });
            }
        }
        for argument in arguments {
            self.consume(argument.value);
        }
        expr
    }

    // ---- `.await` and `?`

    pub(crate) fn await_(&mut self, node: &syn::ExprAwait, expr: &Expr) -> ExprId {
        let value = self.expr(&node.base);
        let span = self.span(expr);
        self.awaited(value, span)
    }

    /// Awaits a future.
    pub(crate) fn awaited(&mut self, value: ExprId, span: Span) -> ExprId {
        self.give(value, Sink::Awaited);
        self.consume(value);
        self.builder.event(Event::Await(value));
        self.builder.expr(ExprKind::Await(value), span)
    }

    pub(crate) fn try_(&mut self, node: &syn::ExprTry, expr: &Expr) -> ExprId {
        let value = self.expr(&node.expr);
        self.give(value, Sink::Tried);
        self.consume(value);
        let question = self.token(node.question_token.spans[0]);
        let convert = self
            .builder
            .implicit(CallKind::Convert, value, "from", question);
        self.builder.set_sink(convert, Sink::Stored);
        let span = self.span(expr);
        self.builder.expr(ExprKind::Try(value), span)
    }

    // ---- operators

    pub(crate) fn unary(&mut self, node: &syn::ExprUnary, expr: &Expr) -> ExprId {
        let value = self.part(&node.expr);
        let span = self.span(expr);
        let (method, token) = match &node.op {
            UnOp::Not(token) => ("not", token.spans[0]),
            UnOp::Neg(token) => ("neg", token.spans[0]),
            _ => {
                self.first_use(value);
                return self.builder.expr(ExprKind::Dereference(value), span);
            }
        };
        if !self.is_literal(value) {
            let name_span = self.token(token);
            let call = self
                .builder
                .implicit(CallKind::Operator, value, method, name_span);
            self.builder.set_sink(call, Sink::Stored);
        }
        self.builder.expr(ExprKind::Unary(value), span)
    }

    /// `*CONFIG`, `CONFIG.name`: looking behind a static may make what it holds. Variables are no statics.
    pub(crate) fn first_use(&mut self, value: ExprId) {
        if matches!(self.kind(value), ExprKind::Path(_)) {
            let span = self.builder.facts.expr(value).span;
            let call = self
                .builder
                .implicit(CallKind::Operator, value, "deref", span);
            self.builder.set_sink(call, Sink::Stored);
        }
    }

    pub(crate) fn binary(&mut self, node: &syn::ExprBinary, expr: &Expr) -> ExprId {
        let Some((method, token)) = operator(&node.op) else {
            return self.short_circuit(node, expr);
        };
        let left = self.expr(&node.left);
        let right = self.expr(&node.right);
        let span = self.span(expr);
        let name_span = self.token(token);
        if method.ends_with("_assign") {
            return self.compound_assign(left, right, method, name_span, span);
        }
        self.operator(method, left, right, name_span, span)
    }

    /// `a && b`, `a || b`: the right side may not run.
    fn short_circuit(&mut self, node: &syn::ExprBinary, expr: &Expr) -> ExprId {
        let left = self.part(&node.left);
        let right = self.span(&*node.right);
        self.maybe(right, |cx| cx.part(&node.right));
        let span = self.span(expr);
        self.builder.expr(ExprKind::Unary(left), span)
    }

    /// The call that an operator stands for; none between literals.
    pub(crate) fn operator(
        &mut self,
        method: &str,
        left: ExprId,
        right: ExprId,
        name_span: Span,
        span: Span,
    ) -> ExprId {
        if self.is_literal(left) && self.is_literal(right) {
            return self.builder.expr(ExprKind::Unary(left), span);
        }
        let name = self.builder.name(method);
        let callee = Callee::Method {
            receiver: left,
            name,
        };
        let argument = Argument {
            name: None,
            kind: ArgumentKind::Positional,
            value: right,
        };
        let new = NewCall {
            kind: CallKind::Operator,
            callee,
            type_arguments: Run::default(),
            name_span,
            span,
        };
        let call = self.builder.call(new, &[argument]);
        self.builder.set_sink(call, Sink::Stored);
        call
    }

    pub(crate) fn index(&mut self, node: &syn::ExprIndex, expr: &Expr, method: &str) -> ExprId {
        let base = self.expr(&node.expr);
        let index = self.expr(&node.index);
        let name = self.builder.name(method);
        let callee = Callee::Method {
            receiver: base,
            name,
        };
        let argument = Argument {
            name: None,
            kind: ArgumentKind::Positional,
            value: index,
        };
        let name_span = self.places.between(
            node.bracket_token.span.open(),
            node.bracket_token.span.close(),
        );
        let span = self.span(expr);
        let new = NewCall {
            kind: CallKind::Index,
            callee,
            type_arguments: Run::default(),
            name_span,
            span,
        };
        let call = self.builder.call(new, &[argument]);
        self.builder.set_sink(call, Sink::Stored);
        call
    }
}

/// The method that an operator stands for, and the operator's first token. None for `&&` and `||`.
fn operator(operator: &BinOp) -> Option<(&'static str, proc_macro2::Span)> {
    Some(match operator {
        BinOp::Add(token) => ("add", token.spans[0]),
        BinOp::Sub(token) => ("sub", token.spans[0]),
        BinOp::Mul(token) => ("mul", token.spans[0]),
        BinOp::Div(token) => ("div", token.spans[0]),
        BinOp::Rem(token) => ("rem", token.spans[0]),
        BinOp::BitXor(token) => ("bitxor", token.spans[0]),
        BinOp::BitAnd(token) => ("bitand", token.spans[0]),
        BinOp::BitOr(token) => ("bitor", token.spans[0]),
        BinOp::Shl(token) => ("shl", joined(token.spans)),
        BinOp::Shr(token) => ("shr", joined(token.spans)),
        BinOp::Eq(token) => ("eq", joined(token.spans)),
        BinOp::Lt(token) => ("lt", token.spans[0]),
        BinOp::Le(token) => ("le", joined(token.spans)),
        BinOp::Ne(token) => ("ne", joined(token.spans)),
        BinOp::Ge(token) => ("ge", joined(token.spans)),
        BinOp::Gt(token) => ("gt", token.spans[0]),
        BinOp::AddAssign(token) => ("add_assign", joined(token.spans)),
        BinOp::SubAssign(token) => ("sub_assign", joined(token.spans)),
        BinOp::MulAssign(token) => ("mul_assign", joined(token.spans)),
        BinOp::DivAssign(token) => ("div_assign", joined(token.spans)),
        BinOp::RemAssign(token) => ("rem_assign", joined(token.spans)),
        BinOp::BitXorAssign(token) => ("bitxor_assign", joined(token.spans)),
        BinOp::BitAndAssign(token) => ("bitand_assign", joined(token.spans)),
        BinOp::BitOrAssign(token) => ("bitor_assign", joined(token.spans)),
        BinOp::ShlAssign(token) => ("shl_assign", joined(token.spans)),
        BinOp::ShrAssign(token) => ("shr_assign", joined(token.spans)),
        _ => return None,
    })
}

/// The span of an operator of several characters.
fn joined<const N: usize>(spans: [proc_macro2::Span; N]) -> proc_macro2::Span {
    spans[0].join(spans[N - 1]).unwrap_or(spans[0])
}
