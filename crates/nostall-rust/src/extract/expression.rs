//! Expressions: what each kind of them is in the facts.

use nostall_model::Span;
use nostall_model::facts::{
    Argument, ArgumentKind, CollectionKind, ExprId, ExprKind, Flavour, Sink,
};
use syn::{Expr, Member, RangeLimits};

use super::attributes::of_expr;
use super::lower::Lower;

impl Lower<'_> {
    /// Lowers an expression: what it does is recorded, what it gives is answered.
    pub(crate) fn expr(&mut self, expr: &Expr) -> ExprId {
        match expr {
            Expr::Paren(node) => self.expr(&node.expr),
            Expr::Group(node) => self.expr(&node.expr),
            Expr::Path(node) => self.path_value(node),
            Expr::Lit(node) => self.literal(&node.lit),
            Expr::Binary(node) => self.binary(node, expr),
            Expr::Unary(node) => self.unary(node, expr),
            Expr::MethodCall(node) => self.method_call(node, expr),
            Expr::Call(node) => self.call(node, expr),
            Expr::Field(node) => self.field(node, expr),
            Expr::Index(node) => self.index(node, expr, "index"),
            Expr::Await(node) => self.await_(node, expr),
            Expr::Try(node) => self.try_(node, expr),
            _ => self.larger_expr(expr),
        }
    }

    fn larger_expr(&mut self, expr: &Expr) -> ExprId {
        match expr {
            Expr::Assign(node) => self.assign(node, expr),
            Expr::If(node) => self.if_(node, expr),
            Expr::Match(node) => self.match_(node, expr),
            Expr::Loop(node) => self.loop_(node, expr),
            Expr::While(node) => self.while_(node, expr),
            Expr::ForLoop(node) => self.for_(node, expr),
            Expr::Return(node) => self.return_(node, expr),
            Expr::Break(node) => self.break_(node, expr),
            Expr::Continue(_) => self.continue_(expr),
            Expr::Yield(node) => self.yield_(node, expr),
            Expr::Block(node) => self.block_expr(node),
            Expr::Unsafe(node) => self.inner_block(&node.block),
            Expr::Const(node) => self.inner_block(&node.block),
            Expr::TryBlock(node) => self.inner_block(&node.block),
            Expr::Let(node) => self.let_(node),
            _ => self.value_expr(expr),
        }
    }

    fn value_expr(&mut self, expr: &Expr) -> ExprId {
        let span = self.span(expr);
        match expr {
            Expr::Async(node) => self.async_block(node, span),
            Expr::Closure(node) => self.closure(node, span),
            Expr::Macro(node) => self.macro_call(&node.mac, span),
            Expr::Reference(node) => self.wrapped(&node.expr, span, ExprKind::Reference),
            Expr::RawAddr(node) => self.wrapped(&node.expr, span, ExprKind::Reference),
            Expr::Cast(node) => self.cast(node, span),
            Expr::Tuple(node) if node.elems.is_empty() => self.unit(span),
            Expr::Tuple(node) => self.collection(CollectionKind::Tuple, node.elems.iter(), span),
            Expr::Array(node) => self.collection(CollectionKind::List, node.elems.iter(), span),
            Expr::Repeat(node) => {
                self.collection(CollectionKind::List, std::iter::once(&*node.expr), span)
            }
            Expr::Struct(node) => self.struct_value(node, span),
            Expr::Range(node) => self.range(node, span),
            _ => self.unknown(span),
        }
    }

    /// Lowers the part of a larger value and says that it goes there.
    pub(crate) fn part(&mut self, expr: &Expr) -> ExprId {
        let value = self.expr(expr);
        self.give(value, Sink::Stored);
        value
    }

    fn wrapped(
        &mut self,
        inner: &Expr,
        span: Span,
        kind: impl FnOnce(ExprId) -> ExprKind,
    ) -> ExprId {
        let value = self.part(inner);
        self.builder.expr(kind(value), span)
    }

    fn cast(&mut self, node: &syn::ExprCast, span: Span) -> ExprId {
        let value = self.part(&node.expr);
        let type_ = self.type_(&node.ty);
        self.builder.expr(ExprKind::Cast { value, type_ }, span)
    }

    pub(crate) fn collection<'n>(
        &mut self,
        kind: CollectionKind,
        elements: impl Iterator<Item = &'n Expr>,
        span: Span,
    ) -> ExprId {
        let mut values = Vec::new();
        for element in elements {
            values.push(self.conditional_part(element));
        }
        self.collected(kind, &values, span)
    }

    /// Makes a collection of values that are lowered already; variables are moved into it.
    pub(crate) fn collected(
        &mut self,
        kind: CollectionKind,
        values: &[ExprId],
        span: Span,
    ) -> ExprId {
        for value in values {
            self.give(*value, Sink::Stored);
            self.consume(*value);
        }
        let elements = self.builder.exprs(values);
        self.builder
            .expr(ExprKind::Collection { kind, elements }, span)
    }

    /// An element that may have a `#[cfg(..)]` of its own.
    fn conditional_part(&mut self, element: &Expr) -> ExprId {
        let condition = self.cfg_of(of_expr(element));
        if condition.is_none() {
            return self.expr(element);
        }
        let span = self.span(element);
        self.under(condition, span, |cx| cx.expr(element))
    }

    fn struct_value(&mut self, node: &syn::ExprStruct, span: Span) -> ExprId {
        let path = self.path(node.qself.as_ref(), &node.path);
        let mut fields = Vec::with_capacity(node.fields.len());
        for field in &node.fields {
            let name = match &field.member {
                Member::Named(ident) => self.name(ident),
                Member::Unnamed(index) => self.builder.name(&index.index.to_string()),
            };
            let condition = self.cfg_of(&field.attrs);
            let place = self.token(super::spans::member(&field.member));
            let value = self.under(condition, place, |cx| cx.part(&field.expr));
            self.consume(value);
            fields.push(Argument {
                name: Some(name),
                kind: ArgumentKind::Keyword,
                value,
            });
        }
        if let Some(rest) = &node.rest {
            let value = self.part(rest);
            fields.push(Argument {
                name: None,
                kind: ArgumentKind::Spread,
                value,
            });
        }
        let fields = self.builder.arguments(&fields);
        self.builder.expr(ExprKind::Struct { path, fields }, span)
    }

    /// A range is a value of one of std's range types.
    fn range(&mut self, node: &syn::ExprRange, span: Span) -> ExprId {
        let name = match (&node.start, &node.limits, &node.end) {
            (Some(_), RangeLimits::HalfOpen(_), Some(_)) => "Range",
            (Some(_), RangeLimits::Closed(_), Some(_)) => "RangeInclusive",
            (Some(_), _, None) => "RangeFrom",
            (None, RangeLimits::HalfOpen(_), Some(_)) => "RangeTo",
            (None, RangeLimits::Closed(_), Some(_)) => "RangeToInclusive",
            (None, _, None) => "RangeFull",
        };
        let mut fields = Vec::new();
        for (name, part) in [("start", &node.start), ("end", &node.end)] {
            let Some(part) = part else { continue };
            let value = self.part(part);
            let name = Some(self.builder.name(name));
            fields.push(Argument {
                name,
                kind: ArgumentKind::Keyword,
                value,
            });
        }
        let path = self.std_path(&["std", "ops", name], &[], span);
        let fields = self.builder.arguments(&fields);
        self.builder.expr(ExprKind::Struct { path, fields }, span)
    }

    fn field(&mut self, node: &syn::ExprField, expr: &Expr) -> ExprId {
        let base = self.expr(&node.base);
        self.give(base, Sink::Receiver);
        self.first_use(base);
        let name = match &node.member {
            Member::Named(ident) => self.name(ident),
            Member::Unnamed(index) => self.builder.name(&index.index.to_string()),
        };
        let span = self.span(expr);
        self.builder.expr(ExprKind::Attribute { base, name }, span)
    }

    fn block_expr(&mut self, node: &syn::ExprBlock) -> ExprId {
        let Some(label) = &node.label else {
            return self.inner_block(&node.block);
        };
        let label = label.name.ident.to_string();
        self.loops.push(super::lower::OpenLoop {
            label: Some(label),
            ..Default::default()
        });
        let value = self.inner_block(&node.block);
        let mut values = self.loops.pop().map_or_else(Vec::new, |open| open.values);
        values.push(value);
        let span = self.builder.facts.expr(value).span;
        self.one_of(&values, span)
    }

    /// A body of a generator: `stream! { .. }`.
    pub(crate) fn stream_body(
        &mut self,
        statements: &[syn::Stmt],
        span: Span,
        name_span: Span,
    ) -> ExprId {
        self.async_statements(
            statements,
            Flavour::AsyncGenerator,
            false,
            (span, name_span),
        )
    }
}
