//! Blocks and statements.

use nostall_model::Span;
use nostall_model::facts::{Event, ExprId, RegionKind, Sink};
use syn::{Block, Expr, Local, Pat, Stmt};

use super::attributes::of_expr;
use super::decisions::Exits;
use super::lower::Lower;
use super::spans::Ends;

/// Says whether statements declare items, so that they need a scope for them.
pub(crate) fn declare_items(statements: &[Stmt]) -> bool {
    statements.iter().any(|statement| match statement {
        Stmt::Item(_) => true,
        Stmt::Macro(node) => super::macro_items::declares_items(&node.mac),
        Stmt::Expr(Expr::Macro(node), _) => super::macro_items::declares_items(&node.mac),
        _ => false,
    })
}

impl Lower<'_> {
    /// Lowers a block with scopes of its own; answers its value, the unit value if it has none.
    pub(crate) fn block(&mut self, block: &Block) -> ExprId {
        let value = self.scoped(|cx| {
            cx.in_block_scope(declare_items(&block.stmts), |cx| {
                let value = cx.statements(&block.stmts);
                if let Some(value) = value {
                    cx.consume(value);
                }
                value
            })
        });
        value.unwrap_or_else(|| {
            let span = self.token(block.brace_token.span.close());
            self.unit(span)
        })
    }

    /// Lowers a block that is a value, an `unsafe` block, a labelled one.
    pub(crate) fn inner_block(&mut self, block: &Block) -> ExprId {
        let span = self.block_span(block);
        self.builder.open_region(RegionKind::Inner, span);
        let value = self.block(block);
        self.builder.close_region();
        value
    }

    pub(crate) fn block_span(&self, block: &Block) -> Span {
        self.places.between(
            block.brace_token.span.open(),
            block.brace_token.span.close(),
        )
    }

    /// Lowers statements in the scopes of here; answers the value of the last, if it is an expression.
    pub(crate) fn statements(&mut self, statements: &[Stmt]) -> Option<ExprId> {
        let outer = self.builder.statement;
        // `#[cfg(a)] { x } #[cfg(b)] { y }`: either can be the last.
        let mut twins: Vec<ExprId> = Vec::new();
        let mut value = None;
        let mut exits = Exits::default();
        for (index, statement) in statements.iter().enumerate() {
            let last = index + 1 == statements.len();
            self.left_unless.clear();
            self.builder.statement = self.statement_span(statement);
            let calls = self.calls_so_far();
            value = self.statement(statement);
            self.end_temporaries(
                calls,
                self.places.between(statement.first(), statement.last()),
            );
            match value {
                Some(value) if is_conditional(statement) => twins.push(value),
                _ if !last => twins.clear(),
                _ => {}
            }
            if let (false, Some(end)) = (last, statements.last()) {
                let rest = self
                    .places
                    .between(statements[index + 1].first(), end.last());
                self.open_rest(&mut exits, rest);
            }
        }
        self.close_rest(&exits);
        self.left_unless.clear();
        self.builder.statement = outer;
        match (value, twins.as_slice()) {
            (Some(value), [_, _, ..]) => {
                let span = self.builder.facts.expr(value).span;
                Some(self.one_of(&twins, span))
            }
            _ => value,
        }
    }

    pub(crate) fn calls_so_far(&self) -> usize {
        self.builder.facts.calls.len()
    }

    /// Ends the temporaries of a piece of code, if there can be any: if it made calls.
    pub(crate) fn end_temporaries(&mut self, calls_before: usize, span: Span) {
        if self.calls_so_far() > calls_before {
            self.builder.event(Event::TemporariesEnd(span));
        }
    }

    /// What counts as the statement around calls: of a branch or loop only its head.
    pub(crate) fn statement_span(&self, statement: &Stmt) -> Span {
        let head = match statement {
            Stmt::Expr(expr, _) => head_end(expr),
            _ => None,
        };
        let last = head.unwrap_or_else(|| statement.last());
        self.places.between(statement.first(), last)
    }

    /// Lowers a statement; answers its value if it has no semicolon.
    fn statement(&mut self, statement: &Stmt) -> Option<ExprId> {
        match statement {
            Stmt::Local(local) => {
                self.local(local);
                None
            }
            Stmt::Item(item) => {
                self.item(item);
                None
            }
            Stmt::Expr(Expr::Verbatim(_), _) => None,
            Stmt::Expr(expr, semicolon) => {
                let condition = self.cfg_of(of_expr(expr));
                let span = self.span(expr);
                let value = self.under(condition, span, |cx| cx.expr(expr));
                semicolon.is_none().then_some(value)
            }
            Stmt::Macro(node) => {
                let condition = self.cfg_of(&node.attrs);
                let span = self
                    .places
                    .between(node.mac.path.first(), node.mac.delimiter.span().close());
                let value = self.under(condition, span, |cx| cx.statement_macro(&node.mac, span));
                value.filter(|_| node.semi_token.is_none())
            }
        }
    }

    /// The `#[cfg(..)]` of code. What a macro around items demands is none of its business.
    pub(crate) fn cfg_of(
        &mut self,
        attributes: &[syn::Attribute],
    ) -> Option<nostall_model::facts::ConditionId> {
        if attributes.is_empty() {
            return None;
        }
        let outer = self.condition.take();
        let condition = self.condition_of(attributes);
        self.condition = outer;
        condition
    }

    fn local(&mut self, local: &Local) {
        let condition = self.cfg_of(&local.attrs);
        if condition.is_none() {
            return self.local_anyway(local);
        }
        let span = self
            .places
            .between(local.let_token.span, local.semi_token.spans[0]);
        let outer = std::mem::replace(&mut self.conditional, true);
        self.under(condition, span, |cx| cx.local_anyway(local));
        self.conditional = outer;
    }

    fn local_anyway(&mut self, local: &Local) {
        for attribute in &local.attrs {
            self.note_allowed(attribute);
        }
        let (pattern, type_) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(self.type_(&typed.ty))),
            pattern => (pattern, None),
        };
        let Some(init) = &local.init else {
            return self.declare_pattern(pattern, type_);
        };
        let value = self.expr(&init.expr);
        if let Some((_, other)) = &init.diverge {
            self.else_of_let(pattern, value, other);
        }
        if let Pat::Wild(wild) = pattern {
            let underscore = self.token(wild.underscore_token.spans[0]);
            self.discard(&init.expr, value, underscore);
            return;
        }
        if !matches!(pattern, Pat::Ident(_)) {
            self.give(value, Sink::Stored);
        }
        let owns = self.may_own(value) && type_.is_none_or(|type_| self.type_may_own(type_));
        self.consume(value);
        self.bind(pattern, value, type_, owns);
    }

    /// `else { .. }` of a `let` leaves the block.
    fn else_of_let(&mut self, pattern: &Pat, value: ExprId, other: &Expr) {
        let span = self.span(other);
        let refused = self.tests_of_refusal(value, pattern);
        self.maybe(span, |cx| {
            cx.builder.decide(&refused);
            // It is an arm already.
            match other {
                Expr::Block(node) => cx.block(&node.block),
                other => cx.expr(other),
            }
        });
        self.left_unless = self.tests_of_arm(value, pattern, &[]);
    }
}

fn is_conditional(statement: &Stmt) -> bool {
    let attributes = match statement {
        Stmt::Expr(expr, _) => of_expr(expr),
        Stmt::Macro(node) => &node.attrs,
        _ => return false,
    };
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg"))
}

/// Where the head of a branch or loop ends.
pub(crate) fn head_end(expr: &Expr) -> Option<proc_macro2::Span> {
    match expr {
        Expr::If(node) => Some(node.cond.last()),
        Expr::Match(node) => Some(node.expr.last()),
        Expr::While(node) => Some(node.cond.last()),
        Expr::ForLoop(node) => Some(node.expr.last()),
        _ => None,
    }
}
