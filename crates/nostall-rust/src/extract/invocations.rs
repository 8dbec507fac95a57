//! Calls of macros within code. The names that are looked for here are syntax: what stands between their brackets is no list of
//! arguments, or what they do with it is part of the language.

use nostall_model::Span;
use nostall_model::build::NewCall;
use nostall_model::facts::ExprKind;
use nostall_model::facts::{
    Argument, ArgumentKind, CallKind, Callee, CollectionKind, ExprId, RegionKind, Run, Sink,
    SourceProblem,
};
use nostall_model::finding::ProblemCode;
use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::{Expr, Macro, Stmt};

use super::depth;
use super::lower::Lower;
use super::macro_arguments::{self as arguments, Arguments, MacroArgument};

impl Lower<'_> {
    /// Lowers a macro's call as a statement.
    pub(crate) fn statement_macro(&mut self, node: &Macro, span: Span) -> Option<ExprId> {
        match last_name(node).as_str() {
            "cfg_if" => self.cfg_if_statements(node),
            "lazy_static" | "thread_local" | "task_local" => {
                self.statics(node);
                None
            }
            "pin" | "pin_mut" => Some(self.pin(node, span)),
            _ => Some(self.macro_call(node, span)),
        }
    }

    /// Lowers a macro's call.
    pub(crate) fn macro_call(&mut self, node: &Macro, span: Span) -> ExprId {
        match last_name(node).as_str() {
            "select" | "select_biased" => self.select(node, span),
            "join" | "try_join" => self.join(node, span),
            "stream" | "try_stream" => self.stream(node, span),
            "matches" => self.matches(node, span),
            "pin" | "pin_mut" => self.pin(node, span),
            // What these are given is a text or a value, no code that runs here.
            "stringify"
            | "concat"
            | "quote"
            | "quote_spanned"
            | "parse_quote"
            | "parse_quote_spanned" => self.record_macro(node, &[], span),
            "panic" | "unreachable" | "todo" | "unimplemented" | "bail" => {
                self.plain_macro(node, span);
                self.builder.diverge();
                self.never(span)
            }
            "format" => {
                let call = self.plain_macro(node, span);
                self.builder.set_sink(call, Sink::Stored);
                self.builder.expr(ExprKind::Text, span)
            }
            _ => match self.expanded_call(node, span) {
                Some(value) => value,
                None => self.plain_macro(node, span),
            },
        }
    }

    /// A macro of which nothing is known but its brackets.
    pub(crate) fn plain_macro(&mut self, node: &Macro, span: Span) -> ExprId {
        let lowered = self.reading(&node.tokens, arguments::any, |cx, parsed| match parsed {
            Arguments::List(list) => cx.macro_with_list(node, &list, span),
            Arguments::Repeat(value, count) => cx.macro_with_count(node, &value, &count, span),
            Arguments::Statements(statements) => cx.macro_with_statements(node, &statements, span),
            Arguments::Unknown => cx.record_macro(node, &[], span),
        });
        lowered.unwrap_or_else(|| self.record_macro(node, &[], span))
    }

    /// Parses the tokens of a macro and lowers what they are. None if they are nothing that the parser knows, or nest too
    /// deeply.
    pub(crate) fn reading<T, R>(
        &mut self,
        tokens: &TokenStream,
        parser: impl Parser<Output = T>,
        lower: impl FnOnce(&mut Self, T) -> R,
    ) -> Option<R> {
        let spent = self.spent + depth::bound(tokens);
        if spent > depth::MACRO_LIMIT {
            // An expansion is a help: what is written has been read, or is read without it.
            if self.expanding == 0 {
                self.too_deep(tokens);
            }
            return None;
        }
        let parsed = parser.parse2(tokens.clone()).ok()?;
        let outer = std::mem::replace(&mut self.spent, spent);
        let result = lower(self, parsed);
        self.spent = outer;
        Some(result)
    }

    fn too_deep(&mut self, tokens: &TokenStream) {
        let Some(first) = tokens.clone().into_iter().next() else {
            return;
        };
        let span = self.token(first.span());
        let problems = &mut self.builder.facts.problems;
        // A macro may have been tried in several ways.
        if problems.iter().all(|problem| problem.span != span) {
            let message =
                "the arguments of this macro nest too deeply to be read safely".to_owned();
            problems.push(SourceProblem {
                span,
                code: ProblemCode::TooDeep,
                message,
            });
        }
    }

    /// `name![value; count]`
    fn macro_with_count(&mut self, node: &Macro, value: &Expr, count: &Expr, span: Span) -> ExprId {
        let value = self.expr(value);
        let count = self.expr(count);
        let call = self.record_macro(node, &positional(&[value, count]), span);
        if last_name(node) == "vec" {
            self.collected(CollectionKind::List, &[value], span)
        } else {
            call
        }
    }

    fn macro_with_list(&mut self, node: &Macro, list: &[MacroArgument], span: Span) -> ExprId {
        let mut arguments = Vec::with_capacity(list.len());
        for argument in list {
            let value = self.expr(&argument.value);
            let name = argument.name.as_ref().map(|name| self.name(name));
            let kind = if name.is_some() {
                ArgumentKind::Keyword
            } else {
                ArgumentKind::Positional
            };
            arguments.push(Argument { name, kind, value });
        }
        self.formatted(list, &arguments);
        let call = self.record_macro(node, &arguments, span);
        let values: Vec<ExprId> = arguments.iter().map(|argument| argument.value).collect();
        self.value_of_list(node, &values, call, span)
    }

    /// What a macro with a list of arguments gives, where the language says so.
    fn value_of_list(
        &mut self,
        node: &Macro,
        values: &[ExprId],
        call: ExprId,
        span: Span,
    ) -> ExprId {
        match (last_name(node).as_str(), values) {
            ("vec", values) => self.collected(CollectionKind::List, values, span),
            ("dbg", [only]) => *only,
            (name @ ("assert_eq" | "assert_ne"), [left, right, ..]) => {
                let method = if name == "assert_eq" { "eq" } else { "ne" };
                let name_span = self.span(&node.path);
                self.operator(method, *left, *right, name_span, span);
                call
            }
            _ => call,
        }
    }

    /// The code of a block that a macro is given runs where the macro stands.
    fn macro_with_statements(&mut self, node: &Macro, statements: &[Stmt], span: Span) -> ExprId {
        let call = self.record_macro(node, &[], span);
        self.builder.open_region(RegionKind::Inner, span);
        let value = self.scoped(|cx| {
            cx.in_block_scope(super::statements::declare_items(statements), |cx| {
                cx.statements(statements)
            })
        });
        self.builder.close_region();
        match value {
            Some(value) => {
                self.give(value, Sink::Stored);
                self.one_of(&[call, value], span)
            }
            None => call,
        }
    }

    /// Records the call of a macro.
    pub(crate) fn record_macro(
        &mut self,
        node: &Macro,
        arguments: &[Argument],
        span: Span,
    ) -> ExprId {
        let path = self.path(None, &node.path);
        let name_span = self.span(&node.path);
        let callee = Callee::Macro(path);
        self.builder.call(
            NewCall {
                kind: CallKind::Macro,
                callee,
                type_arguments: Run::default(),
                name_span,
                span,
            },
            arguments,
        )
    }

    // ---- macros that are syntax

    /// `matches!(value, pattern if guard)`
    fn matches(&mut self, node: &Macro, span: Span) -> ExprId {
        let lowered = self.reading(
            &node.tokens,
            arguments::matches_arguments,
            |cx, (value, pattern, guard)| {
                let value = cx.expr(&value);
                cx.record_macro(node, &positional(&[value]), span);
                if let Some(guard) = guard {
                    cx.maybe(span, |cx| {
                        cx.scoped(|cx| {
                            cx.bind(&pattern, value, None, false);
                            cx.part(&guard);
                        });
                    });
                }
                cx.unknown(span)
            },
        );
        lowered.unwrap_or_else(|| self.plain_macro(node, span))
    }

    /// `join!(a, b)`: all futures are awaited.
    fn join(&mut self, node: &Macro, span: Span) -> ExprId {
        let lowered = self.reading(&node.tokens, arguments::values, |cx, futures| {
            let futures: Vec<ExprId> = futures.iter().map(|future| cx.expr(future)).collect();
            let call = cx.record_macro(node, &positional(&futures), span);
            let values: Vec<ExprId> = futures
                .iter()
                .map(|future| cx.awaited(*future, span))
                .collect();
            if last_name(node) == "try_join" {
                return call;
            }
            cx.builder.set_sink(call, Sink::Stored);
            cx.collected(CollectionKind::Tuple, &values, span)
        });
        lowered.unwrap_or_else(|| self.plain_macro(node, span))
    }

    /// `stream! { .. yield x; .. }`
    fn stream(&mut self, node: &Macro, span: Span) -> ExprId {
        let lowered = self.reading(&node.tokens, syn::Block::parse_within, |cx, statements| {
            cx.record_macro(node, &[], span);
            let name_span = cx.span(&node.path);
            cx.stream_body(&statements, span, name_span)
        });
        lowered.unwrap_or_else(|| self.plain_macro(node, span))
    }

    /// `pin!(future)` gives its argument, behind a pin; `pin!(a, b)` and `pin! { let x = future; }` stand for statements.
    fn pin(&mut self, node: &Macro, span: Span) -> ExprId {
        let lowered = self.reading(&node.tokens, arguments::values, |cx, futures| {
            let futures: Vec<ExprId> = futures.iter().map(|future| cx.expr(future)).collect();
            let call = cx.record_macro(node, &positional(&futures), span);
            if let [only] = futures.as_slice() {
                *only
            } else {
                call
            }
        });
        lowered.unwrap_or_else(|| {
            let call = self.record_macro(node, &[], span);
            self.reading(&node.tokens, syn::Block::parse_within, |cx, statements| {
                cx.statements(&statements)
            });
            call
        })
    }

    /// The arms of `cfg_if!` exist under conditions; names that they declare are seen after it.
    fn cfg_if_statements(&mut self, node: &Macro) -> Option<ExprId> {
        let (ambient, span) = (self.condition, self.builder.statement);
        let conditional = std::mem::replace(&mut self.conditional, true);
        let values = self.reading(&node.tokens, arguments::cfg_arms, |cx, arms| {
            let mut values = Vec::new();
            for ((_, content), condition) in arms.iter().zip(cx.cfg_conditions(&arms)) {
                cx.condition = condition;
                let value = cx.reading(content, syn::Block::parse_within, |cx, statements| {
                    cx.under(condition, span, |cx| cx.statements(&statements))
                });
                values.extend(value.flatten());
            }
            values
        });
        self.conditional = conditional;
        self.condition = ambient;
        match values.unwrap_or_default().as_slice() {
            [] => None,
            values => Some(self.one_of(values, span)),
        }
    }
}

/// The last name of a macro's path.
pub(crate) fn last_name(node: &Macro) -> String {
    node.path
        .segments
        .last()
        .map_or_else(String::new, |last| last.ident.to_string())
}

/// Returns a macro's argument if it is a text.
pub(crate) fn text_literal(argument: &MacroArgument) -> Option<&syn::LitStr> {
    match &argument.value {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) if argument.name.is_none() => Some(text),
        _ => None,
    }
}

pub(crate) fn positional(values: &[ExprId]) -> Vec<Argument> {
    let argument = |value: &ExprId| Argument {
        name: None,
        kind: ArgumentKind::Positional,
        value: *value,
    };
    values.iter().map(argument).collect()
}
