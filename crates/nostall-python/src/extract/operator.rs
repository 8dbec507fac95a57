//! Operators: on values that are not written out they call methods.

use nostall_model::facts::{CallKind, ExprId, ExprKind, Literal};

use super::lower::{Lower, MethodCall, children, field, span};
use super::tree::Node;

impl Lower<'_> {
    pub(super) fn binary(&mut self, node: Node<'_>) -> ExprId {
        let (Some(left), Some(operator), Some(right)) = (
            field(node, "left"),
            field(node, "operator"),
            field(node, "right"),
        ) else {
            return self.value_of_parts(node);
        };
        let left = self.expression(left);
        let right = self.expression(right);
        self.operator_call(operator, node, left, right)
    }

    /// Calls the method of an operator: the left value's, or the reflected one of the right when the left is a literal.
    fn operator_call(
        &mut self,
        operator: Node<'_>,
        node: Node<'_>,
        left: ExprId,
        right: ExprId,
    ) -> ExprId {
        let (method, reflected) = methods(operator.kind());
        let (receiver, method, other) = match (self.is_literal(left), self.is_literal(right)) {
            (true, true) => return self.literal(Literal::Other, node),
            (true, false) => (right, reflected, left),
            _ => (left, method, right),
        };
        let call = MethodCall {
            kind: CallKind::Operator,
            receiver,
            method,
            name_span: span(operator),
            span: span(node),
        };
        self.method(call, &[Self::positional(other)])
    }

    pub(super) fn unary(&mut self, node: Node<'_>) -> ExprId {
        let (Some(operator), Some(argument)) = (field(node, "operator"), field(node, "argument"))
        else {
            return self.value_of_parts(node);
        };
        let value = self.expression(argument);
        if let ExprKind::Literal(literal) = self.builder.facts.expr(value).kind {
            return self.literal(signed(operator.kind(), literal), node);
        }
        let method = match operator.kind() {
            "-" => "__neg__",
            "+" => "__pos__",
            _ => "__invert__",
        };
        let call = MethodCall {
            kind: CallKind::Operator,
            receiver: value,
            method,
            name_span: span(operator),
            span: span(node),
        };
        self.method(call, &[])
    }

    /// `not x` calls no operator of its own; it asks whether `x` counts as true.
    pub(super) fn not(&mut self, node: Node<'_>) -> ExprId {
        let Some(argument) = field(node, "argument") else {
            return self.value_of_parts(node);
        };
        let value = self.expression(argument);
        self.truth(value);
        self.stored(value);
        self.expr(ExprKind::Unary(value), node)
    }

    pub(super) fn comparison(&mut self, node: Node<'_>) -> ExprId {
        let operators: Vec<Node<'_>> = node.in_field("operators").collect();
        let operands: Vec<ExprId> = children(node)
            .into_iter()
            .map(|operand| self.expression(operand))
            .collect();
        let mut value = None;
        for (operator, pair) in operators.iter().zip(operands.windows(2)) {
            value = Some(self.compare(*operator, node, pair[0], pair[1]));
        }
        match value {
            Some(value) if operators.len() == 1 => value,
            _ => self.unknown(node),
        }
    }

    fn compare(
        &mut self,
        operator: Node<'_>,
        node: Node<'_>,
        left: ExprId,
        right: ExprId,
    ) -> ExprId {
        match operator.kind() {
            "is" | "is not" => {
                self.stored(left);
                self.stored(right);
                self.unknown(node)
            }
            "in" | "not in" => self.contains(operator, node, left, right),
            _ => self.operator_call(operator, node, left, right),
        }
    }

    fn contains(
        &mut self,
        operator: Node<'_>,
        node: Node<'_>,
        element: ExprId,
        container: ExprId,
    ) -> ExprId {
        if self.is_literal(container) {
            self.stored(element);
            return self.unknown(node);
        }
        let call = MethodCall {
            kind: CallKind::Operator,
            receiver: container,
            method: "__contains__",
            name_span: span(operator),
            span: span(node),
        };
        self.method(call, &[Self::positional(element)])
    }
}

fn signed(operator: &str, literal: Literal) -> Literal {
    match (operator, literal) {
        ("-", Literal::Int(value)) => value.checked_neg().map_or(Literal::Other, Literal::Int),
        ("-", Literal::Float(value)) => Literal::Float(-value),
        ("+", Literal::Int(_) | Literal::Float(_)) => literal,
        _ => Literal::Other,
    }
}

/// The method of a binary operator, and the one that is asked of the right value.
fn methods(operator: &str) -> (&'static str, &'static str) {
    match operator {
        "+" => ("__add__", "__radd__"),
        "-" => ("__sub__", "__rsub__"),
        "*" => ("__mul__", "__rmul__"),
        "/" => ("__truediv__", "__rtruediv__"),
        "//" => ("__floordiv__", "__rfloordiv__"),
        "%" => ("__mod__", "__rmod__"),
        "**" => ("__pow__", "__rpow__"),
        "@" => ("__matmul__", "__rmatmul__"),
        "<<" => ("__lshift__", "__rlshift__"),
        ">>" => ("__rshift__", "__rrshift__"),
        "&" => ("__and__", "__rand__"),
        "|" => ("__or__", "__ror__"),
        "^" => ("__xor__", "__rxor__"),
        "<" => ("__lt__", "__gt__"),
        "<=" => ("__le__", "__ge__"),
        ">" => ("__gt__", "__lt__"),
        ">=" => ("__ge__", "__le__"),
        "!=" | "<>" => ("__ne__", "__ne__"),
        _ => ("__eq__", "__eq__"),
    }
}

/// The method of `x += y` and its like.
pub(super) fn augmented_method(operator: &str) -> &'static str {
    match operator {
        "-=" => "__isub__",
        "*=" => "__imul__",
        "/=" => "__itruediv__",
        "//=" => "__ifloordiv__",
        "%=" => "__imod__",
        "**=" => "__ipow__",
        "@=" => "__imatmul__",
        "<<=" => "__ilshift__",
        ">>=" => "__irshift__",
        "&=" => "__iand__",
        "|=" => "__ior__",
        "^=" => "__ixor__",
        _ => "__iadd__",
    }
}
