//! Written calls and their arguments.

use nostall_model::Span;
use nostall_model::facts::{Argument, ArgumentKind, CallKind, Callee, ExprId};

use super::lower::{Lower, children, field, span};
use super::tree::Node;

impl Lower<'_> {
    pub(super) fn call(&mut self, node: Node<'_>) -> ExprId {
        let Some(function) = field(node, "function") else {
            return self.value_of_parts(node);
        };
        // The grammar takes `*f()` for a call of `*f`.
        let starred = (function.kind() == "list_splat").then(|| function.named_child(0));
        let function = starred.flatten().unwrap_or(function);
        let callee = self.callee(function);
        let arguments = field(node, "arguments")
            .map(|list| self.arguments(list))
            .unwrap_or_default();
        let span = Span::new(function.start_byte(), node.end_byte());
        let kind = CallKind::Plain;
        let value = self.plain_call(kind, callee, callee_span(function), span, &arguments);
        if starred.is_some() {
            self.builder
                .implicit(CallKind::Iterate, value, "__iter__", span);
        }
        value
    }

    fn callee(&mut self, function: Node<'_>) -> Callee {
        match (field(function, "object"), field(function, "attribute")) {
            (Some(object), Some(attribute)) if function.kind() == "attribute" => {
                let receiver = self.expression(object);
                Callee::Method {
                    receiver,
                    name: self.name(attribute),
                }
            }
            _ => Callee::Value(self.expression(function)),
        }
    }

    fn arguments(&mut self, list: Node<'_>) -> Vec<Argument> {
        if list.kind() == "generator_expression" {
            return vec![Self::positional(self.expression(list))];
        }
        children(list)
            .into_iter()
            .filter_map(|argument| self.argument(argument))
            .collect()
    }

    pub(super) fn argument(&mut self, node: Node<'_>) -> Option<Argument> {
        let (kind, name, value) = match node.kind() {
            "keyword_argument" => (
                ArgumentKind::Keyword,
                field(node, "name"),
                field(node, "value"),
            ),
            "list_splat" => (ArgumentKind::Spread, None, node.named_child(0)),
            "dictionary_splat" => (ArgumentKind::SpreadKeywords, None, node.named_child(0)),
            _ => (ArgumentKind::Positional, None, Some(node)),
        };
        let name = name.map(|name| self.name(name));
        let value = self.expression(value?);
        if kind == ArgumentKind::Spread {
            self.builder
                .implicit(CallKind::Iterate, value, "__iter__", span(node));
        }
        Some(Argument { name, kind, value })
    }
}

/// The callee's name as written: a chain of plain names as a whole, else the last attribute.
pub(super) fn callee_span(function: Node<'_>) -> Span {
    match field(function, "attribute") {
        Some(attribute) if !is_plain_chain(function) => span(attribute),
        _ => span(function),
    }
}

fn is_plain_chain(mut node: Node<'_>) -> bool {
    while node.kind() == "attribute" {
        let Some(object) = field(node, "object") else {
            return false;
        };
        node = object;
    }
    node.kind() == "identifier"
}
