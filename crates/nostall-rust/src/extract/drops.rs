//! What ends with a scope: variables go, and what they own is dropped.

use nostall_model::facts::{CallId, CallKind, Event, ExprId, ExprKind, TypeExprId, TypeExprKind};
use syn::Expr;

use super::lower::Lower;

impl Lower<'_> {
    /// Ends the innermost scope: its variables go, the last declared first.
    pub(crate) fn end_scope(&mut self) {
        for variable in self.variables.close() {
            let binding = variable.binding;
            if variable.owns && !self.variables.is_moved(binding) {
                let span = self.builder.facts.bindings[binding.index()].span;
                let value = self.builder.use_of(binding, span);
                self.as_statement(variable.statement, |cx| {
                    cx.builder.implicit(CallKind::Drop, value, "drop", span)
                });
            }
            self.builder.event(Event::ScopeEnd(binding));
        }
    }

    /// `let _ = value;`: a value that nobody keeps is dropped at once. A place stays as it is.
    pub(crate) fn discard(&mut self, expr: &Expr, value: ExprId, underscore: nostall_model::Span) {
        if !is_place(expr) && self.may_own(value) {
            self.builder
                .implicit(CallKind::Drop, value, "drop", underscore);
        }
    }

    /// Says whether a value may own something that is dropped with it. References, literals, numbers and closures do not.
    pub(crate) fn may_own(&self, value: ExprId) -> bool {
        let facts = &self.builder.facts;
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match facts.expr(value).kind {
                ExprKind::Call(call) if self.gives_owner(call) => return true,
                ExprKind::Path(_) | ExprKind::Struct { .. } => return true,
                ExprKind::Use { binding, .. } if self.variables.owns(binding) => return true,
                ExprKind::Attribute { base: inner, .. }
                | ExprKind::Await(inner)
                | ExprKind::Try(inner)
                | ExprKind::Project { base: inner, .. } => open.push(inner),
                ExprKind::Select(values)
                | ExprKind::Collection {
                    elements: values, ..
                } => {
                    open.extend_from_slice(facts.expr_list(values));
                }
                _ => {}
            }
        }
        false
    }

    /// Calls of operators give numbers and truth values, or places.
    fn gives_owner(&self, call: CallId) -> bool {
        !matches!(
            self.builder.facts.call(call).kind,
            CallKind::Operator | CallKind::Index | CallKind::Format
        )
    }

    /// Says whether values of a written type may own something.
    pub(crate) fn type_may_own(&self, type_: TypeExprId) -> bool {
        const PRIMITIVES: [&str; 16] = [
            "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
            "u32", "u64", "u128", "usize",
        ];
        let facts = &self.builder.facts;
        match facts.type_expr(type_).kind {
            TypeExprKind::Reference(_)
            | TypeExprKind::Never
            | TypeExprKind::Literal(_)
            | TypeExprKind::Function { .. } => false,
            TypeExprKind::Path(path) => match facts.path_segments(path) {
                [only] => !PRIMITIVES.contains(&facts.text(only.name)),
                _ => true,
            },
            TypeExprKind::Tuple(run) => facts
                .type_list(run)
                .iter()
                .any(|member| self.type_may_own(*member)),
            _ => true,
        }
    }
}

/// Says whether an expression names a place, which reading does not empty.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => true,
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Deref(_)),
        Expr::Paren(inner) => is_place(&inner.expr),
        Expr::Group(inner) => is_place(&inner.expr),
        _ => false,
    }
}
