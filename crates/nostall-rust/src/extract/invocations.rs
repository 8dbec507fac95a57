//! Calls of macros within code. The names that are looked for here are syntax: what stands between their brackets is no list of
//! arguments, or what they do with it is part of the language.

use nostall_model::Span;
use nostall_model::build::NewCall;
use nostall_model::facts::{
    Argument, ArgumentKind, CallKind, Callee, CollectionKind, ExprId, ExprKind, RegionKind, Run, Sink,
};
use syn::{Expr, Macro, Stmt};

use super::lower::Lower;
use super::macro_arguments::{self as arguments, Arguments, MacroArgument};

/// An argument that is lowered.
#[derive(Clone, Copy)]
pub(crate) struct Lowered {
    pub(crate) value: ExprId,
    pub(crate) named: bool,
}

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
            "stringify" | "concat" | "quote" | "quote_spanned" | "parse_quote" | "parse_quote_spanned" => {
                self.record_macro(node, &[], span)
            }
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
            _ => self.plain_macro(node, span),
        }
    }

    /// A macro of which nothing is known but its brackets.
    pub(crate) fn plain_macro(&mut self, node: &Macro, span: Span) -> ExprId {
        let outer = self.spent;
        let (parsed, spent) = arguments::parse(&node.tokens, outer);
        self.spent = spent;
        let value = match parsed {
            Arguments::List(list) => self.macro_with_list(node, &list, span),
            Arguments::Repeat(value, count) => {
                let value = self.expr(&value);
                let count = self.expr(&count);
                let lowered = [value, count].map(|value| Lowered { value, named: false });
                let call = self.record_macro(node, &positional(&lowered), span);
                if last_name(node) == "vec" { self.collected(CollectionKind::List, &[value], span) } else { call }
            }
            Arguments::Statements(statements) => self.macro_with_statements(node, &statements, span),
            Arguments::Unknown => self.record_macro(node, &[], span),
        };
        self.spent = outer;
        value
    }

    fn macro_with_list(&mut self, node: &Macro, list: &[MacroArgument], span: Span) -> ExprId {
        let mut lowered = Vec::with_capacity(list.len());
        let mut arguments = Vec::with_capacity(list.len());
        for argument in list {
            let value = self.expr(&argument.value);
            let name = argument.name.as_ref().map(|name| self.name(name));
            lowered.push(Lowered { value, named: name.is_some() });
            let kind = if name.is_some() { ArgumentKind::Keyword } else { ArgumentKind::Positional };
            arguments.push(Argument { name, kind, value });
        }
        self.formatted(list, &lowered);
        let call = self.record_macro(node, &arguments, span);
        self.value_of_list(node, list, &lowered, call, span)
    }

    /// What a macro with a list of arguments gives, where the language says so.
    fn value_of_list(
        &mut self,
        node: &Macro,
        list: &[MacroArgument],
        lowered: &[Lowered],
        call: ExprId,
        span: Span,
    ) -> ExprId {
        let values: Vec<ExprId> = lowered.iter().map(|argument| argument.value).collect();
        match (last_name(node).as_str(), values.as_slice()) {
            ("vec", values) => self.collected(CollectionKind::List, values, span),
            ("dbg", [only]) => *only,
            ("assert_eq" | "assert_ne", [left, right, ..]) if list.len() >= 2 => {
                let method = if last_name(node) == "assert_eq" { "eq" } else { "ne" };
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
            cx.in_block_scope(super::statements::declare_items(statements), |cx| cx.statements(statements))
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
    pub(crate) fn record_macro(&mut self, node: &Macro, arguments: &[Argument], span: Span) -> ExprId {
        let path = self.path(None, &node.path);
        let name_span = self.span(&node.path);
        let callee = Callee::Macro(path);
        self.builder.call(NewCall { kind: CallKind::Macro, callee, type_arguments: Run::default(), name_span, span }, arguments)
    }

    // ---- macros that are syntax

    /// `matches!(value, pattern if guard)`
    fn matches(&mut self, node: &Macro, span: Span) -> ExprId {
        let outer = self.spent;
        let Some(((value, pattern, guard), spent)) =
            arguments::parse_as(arguments::matches_arguments, &node.tokens, outer)
        else {
            return self.plain_macro(node, span);
        };
        self.spent = spent;
        let value = self.expr(&value);
        self.record_macro(node, &positional(&[Lowered { value, named: false }]), span);
        if let Some(guard) = guard {
            let owns = false;
            self.maybe(span, |cx| {
                cx.scoped(|cx| {
                    cx.bind(&pattern, value, None, owns);
                    cx.part(&guard);
                });
            });
        }
        self.spent = outer;
        self.unknown(span)
    }

    /// `join!(a, b)`: all futures are awaited.
    fn join(&mut self, node: &Macro, span: Span) -> ExprId {
        let outer = self.spent;
        let (parsed, spent) = arguments::parse(&node.tokens, outer);
        let Arguments::List(list) = parsed else { return self.plain_macro(node, span) };
        self.spent = spent;
        let mut lowered = Vec::with_capacity(list.len());
        for argument in &list {
            let value = self.expr(&argument.value);
            lowered.push(Lowered { value, named: false });
        }
        let call = self.record_macro(node, &positional(&lowered), span);
        let mut values = Vec::with_capacity(lowered.len());
        for argument in &lowered {
            values.push(self.awaited(argument.value, span));
        }
        self.spent = outer;
        if last_name(node) == "try_join" {
            return call;
        }
        self.builder.set_sink(call, Sink::Stored);
        self.collected(CollectionKind::Tuple, &values, span)
    }

    /// `stream! { .. yield x; .. }`
    fn stream(&mut self, node: &Macro, span: Span) -> ExprId {
        let outer = self.spent;
        let Some((statements, spent)) = arguments::parse_as(syn::Block::parse_within, &node.tokens, outer) else {
            return self.plain_macro(node, span);
        };
        self.spent = spent;
        self.record_macro(node, &[], span);
        let name_span = self.span(&node.path);
        let value = self.stream_body(&statements, span, name_span);
        self.spent = outer;
        value
    }

    /// `pin!(future)` gives its argument, behind a pin; `pin!(a, b)` and `pin! { let x = future; }` stand for statements.
    fn pin(&mut self, node: &Macro, span: Span) -> ExprId {
        let outer = self.spent;
        let (parsed, spent) = arguments::parse(&node.tokens, outer);
        self.spent = spent;
        let value = match parsed {
            Arguments::Statements(statements) => {
                let call = self.record_macro(node, &[], span);
                self.statements(&statements);
                call
            }
            Arguments::List(list) => {
                let mut lowered = Vec::with_capacity(list.len());
                for argument in &list {
                    let value = self.expr(&argument.value);
                    lowered.push(Lowered { value, named: false });
                }
                let call = self.record_macro(node, &positional(&lowered), span);
                match lowered.as_slice() {
                    [only] => only.value,
                    _ => call,
                }
            }
            Arguments::Repeat(..) | Arguments::Unknown => self.record_macro(node, &[], span),
        };
        self.spent = outer;
        value
    }

    /// The arms of `cfg_if!` exist under conditions; names that they declare are seen after it.
    fn cfg_if_statements(&mut self, node: &Macro) -> Option<ExprId> {
        let outer = self.spent;
        let (arms, spent) = arguments::parse_as(arguments::cfg_arms, &node.tokens, outer)?;
        self.spent = spent;
        let ambient = self.condition;
        let conditional = std::mem::replace(&mut self.conditional, true);
        let conditions = self.cfg_conditions(&arms);
        let mut values = Vec::new();
        for ((_, content), condition) in arms.iter().zip(conditions) {
            let Some((statements, _)) = arguments::parse_as(syn::Block::parse_within, content, spent) else { continue };
            self.condition = condition;
            let span = self.builder.statement;
            let value = self.under(condition, span, |cx| cx.statements(&statements));
            values.extend(value);
        }
        self.conditional = conditional;
        self.condition = ambient;
        self.spent = outer;
        let span = self.builder.statement;
        if values.is_empty() { None } else { Some(self.one_of(&values, span)) }
    }
}

/// The last name of a macro's path.
pub(crate) fn last_name(node: &Macro) -> String {
    node.path.segments.last().map_or_else(String::new, |last| last.ident.to_string())
}

/// Says whether a macro's argument is a text.
pub(crate) fn text_literal(argument: &MacroArgument) -> Option<&syn::LitStr> {
    match &argument.value {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if argument.name.is_none() => Some(text),
        _ => None,
    }
}

pub(crate) fn positional(lowered: &[Lowered]) -> Vec<Argument> {
    let argument = |it: &Lowered| Argument { name: None, kind: ArgumentKind::Positional, value: it.value };
    lowered.iter().map(argument).collect()
}
