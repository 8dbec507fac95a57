//! Expressions, in the order in which Python evaluates them.

use nostall_model::Span;
use nostall_model::facts::{
    CallKind, Callee, CollectionKind, DefinitionKind, Event, ExprId, ExprKind, Literal, Part,
    RegionKind, Sink,
};

use super::lower::{Lower, MethodCall, children, field, has_token, span};
use super::narrow::Tests;
use super::tree::Node;

impl Lower<'_> {
    /// Lowers an expression.
    pub(super) fn expression(&mut self, node: Node<'_>) -> ExprId {
        if self.too_deep.contains(&node.id()) {
            return self.unknown(node);
        }
        match node.kind() {
            "identifier" => self.name_use(node),
            "attribute" => self.attribute(node),
            "call" => self.call(node),
            "subscript" => self.index(node),
            "await" => self.await_expression(node),
            "parenthesized_expression" | "parenthesized_list_splat" | "format_expression" => {
                self.inner(node)
            }
            "binary_operator" => self.binary(node),
            "unary_operator" => self.unary(node),
            "comparison_operator" => self.comparison(node),
            "not_operator" => self.not(node),
            "boolean_operator" => self.boolean(node),
            "conditional_expression" => self.conditional(node),
            "named_expression" => self.named(node),
            "lambda" => self.lambda(node),
            "yield" => self.yield_expression(node),
            "list_comprehension"
            | "set_comprehension"
            | "dictionary_comprehension"
            | "generator_expression" => self.comprehension(node),
            _ => self.value(node),
        }
    }

    /// Expressions that only hold other values.
    fn value(&mut self, node: Node<'_>) -> ExprId {
        match node.kind() {
            "string" | "concatenated_string" => self.string(node),
            "integer" | "float" | "true" | "false" | "none" | "ellipsis" => self.constant(node),
            "list" | "list_pattern" => self.collection(CollectionKind::List, node),
            "set" => self.collection(CollectionKind::Set, node),
            "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" => {
                self.collection(CollectionKind::Tuple, node)
            }
            "slice" => self.collection(CollectionKind::Slice, node),
            "dictionary" => self.dictionary(node),
            "list_splat" | "list_splat_pattern" => self.splat(node),
            "type" => self.inner(node),
            "generic_type" | "union_type" | "member_type" | "type_parameter" => {
                self.type_as_value(node)
            }
            _ => {
                self.block(node);
                self.unknown(node)
            }
        }
    }

    fn inner(&mut self, node: Node<'_>) -> ExprId {
        let inner = field(node, "expression").or_else(|| children(node).first().copied());
        match inner {
            Some(inner) => self.expression(inner),
            None => self.unknown(node),
        }
    }

    /// A written type where its code is of interest: the expressions in it are run.
    fn type_as_value(&mut self, node: Node<'_>) -> ExprId {
        let parts: Vec<ExprId> = children(node)
            .into_iter()
            .map(|part| self.expression(part))
            .collect();
        self.tuple(&parts, span(node))
    }

    // ---- names and parts

    /// `a.b`, read. It may run a property's code, so it is also a call.
    fn attribute(&mut self, node: Node<'_>) -> ExprId {
        let (Some(object), Some(attribute)) = (field(node, "object"), field(node, "attribute"))
        else {
            return self.inner(node);
        };
        let base = self.expression(object);
        let name = self.name(attribute);
        let value = self.expr(ExprKind::Attribute { base, name }, node);
        let callee = Callee::Method {
            receiver: base,
            name,
        };
        let load = self.plain_call(
            CallKind::Attribute,
            callee,
            span(attribute),
            span(node),
            &[],
        );
        if let ExprKind::Call(call) = self.builder.facts.expr(load).kind {
            self.builder.facts.calls[call.index()].expr = value;
        }
        value
    }

    fn index(&mut self, node: Node<'_>) -> ExprId {
        let Some((receiver, key)) = self.element(node) else {
            return self.unknown(node);
        };
        let call = MethodCall {
            kind: CallKind::Index,
            receiver,
            method: "__getitem__",
            name_span: Self::brackets(node),
            span: span(node),
        };
        self.method(call, &[Self::positional(key)])
    }

    fn named(&mut self, node: Node<'_>) -> ExprId {
        let Some(value) = field(node, "value") else {
            return self.inner(node);
        };
        let value = self.expression(value);
        let Some(name) = field(node, "name") else {
            return value;
        };
        self.define(name, DefinitionKind::Value(value));
        self.name_use(name)
    }

    // ---- suspending

    fn await_expression(&mut self, node: Node<'_>) -> ExprId {
        let future = self.inner(node);
        let value = self.await_value(future, span(node));
        self.narrow_by_await(future);
        value
    }

    fn yield_expression(&mut self, node: Node<'_>) -> ExprId {
        self.frame().yields = true;
        let from = has_token(node, "from");
        let value = children(node).first().map(|inner| {
            let value = self.expression(*inner);
            if from {
                self.iterate(value, *inner, false)
            } else {
                value
            }
        });
        if let Some(value) = value {
            self.sink(value, Sink::Returned);
        }
        self.builder.event(Event::Yield(value));
        self.unknown(node)
    }

    // ---- choosing

    fn conditional(&mut self, node: Node<'_>) -> ExprId {
        let parts = children(node);
        let [then, condition, otherwise] = parts[..] else {
            return self.value_of_parts(node);
        };
        let tests = Tests::new(self, condition);
        self.condition_value(condition);
        self.builder.fork();
        let then = self.arm(then, &tests, true);
        let otherwise = self.arm(otherwise, &tests, false);
        self.builder.join(true);
        self.select(&[then, otherwise], node)
    }

    /// An expression that is evaluated where a condition holds, or where it does not.
    fn arm(&mut self, node: Node<'_>, tests: &Tests<'_>, holds: bool) -> ExprId {
        self.builder.open_arm(RegionKind::Branch, span(node));
        self.decide(tests, holds);
        let value = self.narrowed(tests, holds, |lower| lower.expression(node));
        self.builder.close_arm();
        value
    }

    /// `a and b`, `a or b`: a chain of them is lowered from the left.
    fn boolean(&mut self, node: Node<'_>) -> ExprId {
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else {
            return self.value_of_parts(node);
        };
        let tests = Tests::new(self, left);
        let left = self.expression(left);
        self.truth(left);
        self.stored(left);
        self.builder.fork();
        let right = self.arm(right, &tests, has_token(node, "and"));
        self.builder.join(false);
        self.stored(right);
        self.select(&[left, right], node)
    }

    fn select(&mut self, choices: &[ExprId], node: Node<'_>) -> ExprId {
        let run = self.builder.exprs(choices);
        let select = self.expr(ExprKind::Select(run), node);
        self.stored(select);
        select
    }

    /// Broken code: its parts are lowered, its value is not known.
    pub(super) fn value_of_parts(&mut self, node: Node<'_>) -> ExprId {
        self.block(node);
        self.unknown(node)
    }

    // ---- several values

    /// Several values together, each stored in it.
    pub(super) fn tuple(&mut self, elements: &[ExprId], span: Span) -> ExprId {
        self.gather(CollectionKind::Tuple, elements, span)
    }

    pub(super) fn gather(
        &mut self,
        kind: CollectionKind,
        elements: &[ExprId],
        span: Span,
    ) -> ExprId {
        for element in elements {
            self.stored(*element);
        }
        let elements = self.builder.exprs(elements);
        self.builder
            .expr(ExprKind::Collection { kind, elements }, span)
    }

    fn collection(&mut self, kind: CollectionKind, node: Node<'_>) -> ExprId {
        let elements: Vec<ExprId> = children(node)
            .into_iter()
            .map(|element| self.expression(element))
            .collect();
        self.gather(kind, &elements, span(node))
    }

    fn dictionary(&mut self, node: Node<'_>) -> ExprId {
        let mut elements = Vec::new();
        for entry in children(node) {
            match (field(entry, "key"), field(entry, "value")) {
                (Some(key), Some(value)) => {
                    elements.push(self.expression(key));
                    elements.push(self.expression(value));
                }
                _ if entry.kind() == "dictionary_splat" => {
                    // Of another mapping nothing is known but that its values are among these.
                    let mapping = self.inner(entry);
                    self.stored(mapping);
                    elements.push(self.unknown(entry));
                    elements.push(self.project(mapping, Part::Item, entry));
                }
                _ => _ = self.expression(entry),
            }
        }
        self.gather(CollectionKind::Mapping, &elements, span(node))
    }

    /// `*values` among other values.
    fn splat(&mut self, node: Node<'_>) -> ExprId {
        let values = self.inner(node);
        self.iterate(values, node, false)
    }

    // ---- literals

    fn constant(&mut self, node: Node<'_>) -> ExprId {
        let literal = match node.kind() {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "none" => Literal::None,
            "integer" | "float" => super::literal::number(self.text(node)),
            _ => Literal::Other,
        };
        self.literal(literal, node)
    }

    fn string(&mut self, node: Node<'_>) -> ExprId {
        if !super::literal::has_interpolation(node) {
            return self.plain_string(node);
        }
        self.interpolations(node);
        self.expr(ExprKind::Text, node)
    }

    fn plain_string(&mut self, node: Node<'_>) -> ExprId {
        let text = self.text;
        match super::literal::string(node, text) {
            super::literal::Text::Bytes => self.literal(Literal::Bytes, node),
            super::literal::Text::Long => self.expr(ExprKind::Text, node),
            super::literal::Text::Short(value) => {
                let value = self.builder.name(&value);
                self.literal(Literal::Str(value), node)
            }
        }
    }

    /// The values of an f-string are written one after the other; a format may hold values of its own.
    fn interpolations(&mut self, node: Node<'_>) {
        for part in children(node) {
            match part.kind() {
                "interpolation" | "format_expression" => self.interpolation(part),
                "string" | "format_specifier" => self.interpolations(part),
                _ => {}
            }
        }
    }

    fn interpolation(&mut self, node: Node<'_>) {
        let Some(expression) = field(node, "expression") else {
            return self.block(node);
        };
        let value = self.expression(expression);
        if let Some(format) = field(node, "format_specifier") {
            self.interpolations(format);
        }
        if !self.is_literal(value) {
            let method = self.conversion(node);
            self.builder
                .implicit(CallKind::Format, value, method, span(expression));
        }
        self.stored(value);
    }

    /// The method that makes a text of an interpolated value. `!r` and `!a` ask for `__repr__`, and so does `{value=}`, unless a
    /// format stands beside it; the format is then that of a text.
    fn conversion(&self, node: Node<'_>) -> &'static str {
        let conversion = field(node, "type_conversion").map(|it| self.text(it));
        let shows_name = || has_token(node, "=");
        match conversion {
            Some("!r" | "!a") => "__repr__",
            Some("!s") => "__str__",
            _ if field(node, "format_specifier").is_none() && shows_name() => "__repr__",
            _ => "__format__",
        }
    }
}
