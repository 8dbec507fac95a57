//! Bodies: functions, closures, async blocks, and their parameters.

use nostall_model::Span;
use nostall_model::build::NewBody;
use nostall_model::facts::{
    BindingId, BodyId, BodyKind, DefinitionKind, ExprId, ExprKind, Flavour, ItemId, ItemKind,
    Parameter, ParameterKind, ScopeKind, Sink, TypeExprId, TypeExprKind,
};
use syn::{Block, Expr, FnArg, Pat, Signature};

use super::items::Head;
use super::lower::Lower;

/// A parameter as written.
struct Written<'n> {
    /// None for `self`.
    pattern: Option<&'n Pat>,
    type_: Option<TypeExprId>,
    span: Span,
    mutable: bool,
    owns: bool,
}

impl Lower<'_> {
    // ---- functions

    /// Lowers a function; without a block it is the head of one.
    pub(crate) fn function(
        &mut self,
        head: &Head<'_>,
        signature: &Signature,
        block: Option<&Block>,
    ) {
        let id = self.declare_item(head, ItemKind::Function);
        let scope = self.builder.scope(self.scope, ScopeKind::Function(id));
        self.inside(scope, |cx| {
            cx.item_mut(id).generics = cx.generics(&signature.generics, false);
            let body = cx.function_body(id, head.span, signature, block);
            cx.item_mut(id).body = Some(body);
        });
    }

    fn function_body(
        &mut self,
        item: ItemId,
        span: Span,
        signature: &Signature,
        block: Option<&Block>,
    ) -> BodyId {
        let kind = if block.is_some() {
            BodyKind::Function
        } else {
            BodyKind::Signature
        };
        let flavour = if signature.asyncness.is_some() {
            Flavour::Async
        } else {
            Flavour::Sync
        };
        let name_span = self.token(signature.ident.span());
        let (item, scope) = (Some(item), self.scope);
        self.builder.statement = name_span;
        let body = self.builder.open_body(NewBody {
            kind,
            flavour,
            item,
            scope,
            span,
            name_span,
        });
        let returns = self.returns(&signature.output);
        self.builder.body_mut().returns = returns;
        let written: Vec<Written<'_>> = signature
            .inputs
            .iter()
            .map(|input| self.input(input))
            .collect();
        let value = match block {
            Some(block) => self.scoped(|cx| {
                cx.parameters(&written);
                cx.in_block_scope(super::statements::declare_items(&block.stmts), |cx| {
                    cx.result_of(&block.stmts)
                })
            }),
            None => {
                self.variables.open();
                self.parameters(&written);
                self.variables.close();
                None
            }
        };
        self.builder.close_body(value);
        body
    }

    /// Lowers statements whose last one gives the body's value.
    pub(crate) fn result_of(&mut self, statements: &[syn::Stmt]) -> Option<ExprId> {
        let value = self.statements(statements)?;
        self.give(value, Sink::Returned);
        self.consume(value);
        Some(value)
    }

    // ---- parameters

    fn input<'n>(&mut self, input: &'n FnArg) -> Written<'n> {
        match input {
            FnArg::Receiver(receiver) => self.receiver(receiver),
            FnArg::Typed(typed) => {
                let type_ = self.type_(&typed.ty);
                let span = self.span(&*typed.pat);
                let owns = self.type_may_own(type_);
                Written {
                    pattern: Some(&typed.pat),
                    type_: Some(type_),
                    span,
                    mutable: false,
                    owns,
                }
            }
        }
    }

    fn receiver<'n>(&mut self, receiver: &syn::Receiver) -> Written<'n> {
        let span = self.token(receiver.self_token.span);
        let (type_, owns) = match &receiver.kind {
            syn::ReceiverKind::Typed(_, type_) => (
                Some(self.type_(type_)),
                !matches!(**type_, syn::Type::Reference(_)),
            ),
            syn::ReceiverKind::Reference(..) => (Some(self.reference_to_self(span)), false),
            _ => (None, true),
        };
        Written {
            pattern: None,
            type_,
            span,
            mutable: receiver.mutability.is_some()
                || matches!(receiver.kind, syn::ReceiverKind::Reference(_, _, Some(_))),
            owns,
        }
    }

    /// The type of `&self`.
    fn reference_to_self(&mut self, span: Span) -> TypeExprId {
        let path = self.builder.plain_path(&["Self"], self.scope, span);
        let own = self.builder.type_expr(TypeExprKind::Path(path), span);
        self.builder.type_expr(TypeExprKind::Reference(own), span)
    }

    /// Declares parameters; those that are patterns are taken apart once all of them have their values.
    fn parameters(&mut self, written: &[Written<'_>]) {
        let bindings: Vec<BindingId> = written
            .iter()
            .map(|parameter| self.parameter(parameter))
            .collect();
        let records: Vec<Parameter> = written
            .iter()
            .zip(&bindings)
            .map(|(written, binding)| record(written, *binding))
            .collect();
        self.builder.set_parameters(&records);
        for (index, (parameter, binding)) in written.iter().zip(&bindings).enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            self.define(
                *binding,
                DefinitionKind::Parameter(index),
                None,
                parameter.span,
            );
        }
        for (parameter, binding) in written.iter().zip(&bindings) {
            if let Some(pattern) = parameter.pattern
                && lone_name(pattern).is_none()
            {
                let value = self.builder.use_of(*binding, parameter.span);
                self.bind(pattern, value, None, parameter.owns);
            }
        }
    }

    fn parameter(&mut self, written: &Written<'_>) -> BindingId {
        let Some(pattern) = written.pattern else {
            let name = self.builder.name("self");
            return self.declare(name, written.span, written.mutable, written.owns);
        };
        match lone_name(pattern) {
            Some(node) => {
                let name = self.name(&node.ident);
                let span = self.token(node.ident.span());
                self.declare(name, span, node.mutability.is_some(), written.owns)
            }
            None => {
                let name = self.builder.name("_");
                self.builder.binding(name, written.span, false)
            }
        }
    }

    // ---- closures and async blocks

    /// Lowers a closure: a value, made but not run.
    pub(crate) fn closure(&mut self, node: &syn::ExprClosure, span: Span) -> ExprId {
        let flavour = if node.asyncness.is_some() {
            Flavour::Async
        } else {
            Flavour::Sync
        };
        let name_span = self.places.between(
            super::spans::first_of_closure(node),
            node.inputs_end.spans[0],
        );
        self.callable(
            BodyKind::Closure,
            flavour,
            node.capture.is_some(),
            (span, name_span),
            |cx| {
                let returns = cx.returns(&node.output);
                cx.builder.body_mut().returns = returns;
                let written: Vec<Written<'_>> = node
                    .inputs
                    .iter()
                    .map(|input| cx.closure_input(input))
                    .collect();
                cx.parameters(&written);
                cx.result_of_expr(&node.body)
            },
        )
    }

    fn closure_input<'n>(&mut self, input: &'n Pat) -> Written<'n> {
        match input {
            Pat::Type(typed) => {
                let type_ = self.type_(&typed.ty);
                let span = self.span(&*typed.pat);
                let owns = self.type_may_own(type_);
                Written {
                    pattern: Some(&typed.pat),
                    type_: Some(type_),
                    span,
                    mutable: false,
                    owns,
                }
            }
            pattern => {
                let span = self.span(pattern);
                Written {
                    pattern: Some(pattern),
                    type_: None,
                    span,
                    mutable: false,
                    owns: false,
                }
            }
        }
    }

    /// A body that is an expression; a block is no scope of its own within it.
    fn result_of_expr(&mut self, expr: &Expr) -> Option<ExprId> {
        if let Expr::Block(node) = expr
            && node.label.is_none()
        {
            let statements = &node.block.stmts;
            return self.in_block_scope(super::statements::declare_items(statements), |cx| {
                cx.result_of(statements)
            });
        }
        let value = self.expr(expr);
        self.left_unless.clear();
        self.give(value, Sink::Returned);
        self.consume(value);
        Some(value)
    }

    /// Lowers `async { .. }`: a value that runs when it is polled.
    pub(crate) fn async_block(&mut self, node: &syn::ExprAsync, span: Span) -> ExprId {
        let last = node
            .capture
            .map_or(node.async_token.span, |token| token.span);
        let name_span = self.places.between(node.async_token.span, last);
        self.async_statements(
            &node.block.stmts,
            Flavour::Async,
            node.capture.is_some(),
            (span, name_span),
        )
    }

    /// Lowers statements that run when they are polled.
    pub(crate) fn async_statements(
        &mut self,
        statements: &[syn::Stmt],
        flavour: Flavour,
        moves: bool,
        spans: (Span, Span),
    ) -> ExprId {
        self.callable(BodyKind::AsyncBlock, flavour, moves, spans, |cx| {
            cx.in_block_scope(super::statements::declare_items(statements), |cx| {
                cx.result_of(statements)
            })
        })
    }

    /// Lowers a body that is a value: it sees the variables around it.
    fn callable(
        &mut self,
        kind: BodyKind,
        flavour: Flavour,
        moves: bool,
        (span, name_span): (Span, Span),
        lower: impl FnOnce(&mut Self) -> Option<ExprId>,
    ) -> ExprId {
        let loops = std::mem::take(&mut self.loops);
        let scope = self.scope;
        let body = self.builder.open_body(NewBody {
            kind,
            flavour,
            item: None,
            scope,
            span,
            name_span,
        });
        self.builder.body_mut().moves = moves;
        // What is moved within the body is not moved here.
        self.variables.enter_branch();
        let value = self.scoped(lower);
        self.variables.leave_branch();
        self.builder.close_body(value);
        self.loops = loops;
        if moves {
            self.move_captures(body);
        }
        self.builder.expr(ExprKind::Callable(body), span)
    }

    fn move_captures(&mut self, body: BodyId) {
        let facts = &self.builder.facts;
        let captures = facts.binding_lists[facts.body(body).captures.range()].to_vec();
        for binding in captures {
            self.moved(binding);
        }
    }
}

fn record(written: &Written<'_>, binding: BindingId) -> Parameter {
    let kind = if written.pattern.is_none() {
        ParameterKind::Receiver
    } else {
        ParameterKind::Normal
    };
    Parameter {
        binding,
        kind,
        type_: written.type_,
        annotation: None,
        default: None,
    }
}

/// A parameter that is just a name is its own variable.
fn lone_name(pattern: &Pat) -> Option<&syn::PatIdent> {
    match pattern {
        Pat::Ident(node) if node.by_ref.is_none() && node.subpat.is_none() => Some(node),
        _ => None,
    }
}
