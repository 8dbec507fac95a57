//! Assignments: to names, attributes, elements, and patterns of them.

use nostall_model::Span;
use nostall_model::facts::{
    Argument, ArgumentKind, CallKind, Callee, CollectionKind, DefinitionKind, Event, ExprId,
    ExprKind, Part, TypeExprId,
};

use super::lower::{Lower, MethodCall, children, field, has_token, span};
use super::operator::augmented_method;
use super::scope::{AttributeStore, Given};
use super::tree::Node;

impl Lower<'_> {
    /// `a = b = value`, `a: T = value`, `a: T`.
    pub(super) fn assignment(&mut self, node: Node<'_>) {
        let mut targets = Vec::new();
        let mut right = Some(node);
        while let Some(assignment) = right.filter(|right| right.kind() == "assignment") {
            targets.extend(field(assignment, "left").map(|left| (left, field(assignment, "type"))));
            right = field(assignment, "right");
        }
        let value = right.map(|right| self.assigned_value(right));
        if let (Some(right), Some(value)) = (right, value) {
            let is_alias =
                |(_, type_): &(_, Option<Node<'_>>)| type_.is_some_and(|it| self.is_alias_mark(it));
            if may_be_type(right) || targets.iter().any(is_alias) {
                let type_ = self.type_(right);
                self.builder.facts.type_forms.push((value, type_));
            }
        }
        for (target, type_) in targets {
            let type_ = type_.map(|type_| self.type_(type_));
            match value {
                Some(value) => self.assign_typed(target, value, type_),
                None => self.declare_type(target, type_),
            }
        }
    }

    /// `TypeAlias`, which says that the assigned value is a type.
    fn is_alias_mark(&self, annotation: Node<'_>) -> bool {
        self.text(annotation).rsplit('.').next() == Some("TypeAlias")
    }

    fn assigned_value(&mut self, node: Node<'_>) -> ExprId {
        if node.kind() == "augmented_assignment" {
            self.augmented_assignment(node);
            return self.unknown(node);
        }
        self.expression(node)
    }

    fn declare_type(&mut self, target: Node<'_>, type_: Option<TypeExprId>) {
        if target.kind() == "identifier" {
            self.define(
                target,
                Given {
                    kind: DefinitionKind::Declared,
                    type_,
                },
            );
            return;
        }
        let nothing = self.unknown(target);
        self.assign_typed(target, nothing, type_);
    }

    fn assign_typed(&mut self, target: Node<'_>, value: ExprId, type_: Option<TypeExprId>) {
        match (target.kind(), type_) {
            ("identifier", type_) => {
                self.define(
                    target,
                    Given {
                        kind: DefinitionKind::Value(value),
                        type_,
                    },
                );
            }
            // A store has no place for a type, the stored value has.
            (_, Some(type_)) => {
                self.stored(value);
                let value = self.expr(ExprKind::Cast { value, type_ }, target);
                self.assign(target, value);
            }
            _ => self.assign(target, value),
        }
    }

    /// Gives a target a value.
    pub(super) fn assign(&mut self, target: Node<'_>, value: ExprId) {
        match target.kind() {
            "identifier" => {
                self.define(target, DefinitionKind::Value(value));
            }
            "attribute" => self.store_attribute(target, value),
            "subscript" => self.store_element(target, value),
            "parenthesized_expression" | "list_splat_pattern" | "list_splat" => {
                children(target)
                    .into_iter()
                    .for_each(|inner| self.assign(inner, value));
            }
            "tuple_pattern" | "list_pattern" | "pattern_list" | "tuple" | "list"
            | "expression_list" => {
                self.unpack(target, value);
            }
            _ => self.block(target),
        }
    }

    fn store_attribute(&mut self, target: Node<'_>, value: ExprId) {
        let (Some(object), Some(attribute)) = (field(target, "object"), field(target, "attribute"))
        else {
            return;
        };
        let base = self.expression(object);
        self.sink(base, nostall_model::facts::Sink::Receiver);
        let name = self.name(attribute);
        self.accessor(base, attribute, span(target), &[Self::positional(value)]);
        self.stored(value);
        let target = self.expr(ExprKind::Attribute { base, name }, target);
        self.builder.event(Event::Store { target, value });
        let region = self.builder.region();
        let store = AttributeStore { value, region };
        self.frame().stores.insert(name, store);
    }

    /// What a property has for a value that it is given, or for being deleted, runs.
    pub(super) fn accessor(
        &mut self,
        receiver: ExprId,
        attribute: Node<'_>,
        whole: Span,
        given: &[Argument],
    ) {
        let name = self.name(attribute);
        let callee = Callee::Method { receiver, name };
        self.plain_call(CallKind::Accessor, callee, span(attribute), whole, given);
    }

    fn store_element(&mut self, node: Node<'_>, value: ExprId) {
        let Some((receiver, key)) = self.element(node) else {
            return;
        };
        let call = MethodCall {
            kind: CallKind::Index,
            receiver,
            method: "__setitem__",
            name_span: Self::brackets(node),
            span: span(node),
        };
        self.method(call, &[Self::positional(key), Self::positional(value)]);
        self.stored(value);
        let target = self.project(receiver, Part::Item, node);
        self.builder.event(Event::Store { target, value });
    }

    /// Lowers the object and the key of `object[key]`.
    pub(super) fn element(&mut self, node: Node<'_>) -> Option<(ExprId, ExprId)> {
        let receiver = self.expression(field(node, "value")?);
        let keys: Vec<ExprId> = super::lower::fields(node, "subscript")
            .into_iter()
            .map(|key| self.expression(key))
            .collect();
        let key = match keys[..] {
            [key] if !has_token(node, ",") => key,
            _ => self.tuple(&keys, Self::brackets(node)),
        };
        Some((receiver, key))
    }

    /// The brackets of `object[key]`.
    pub(super) fn brackets(node: Node<'_>) -> Span {
        let open = node.children().find(|child| child.kind() == "[");
        Span::new(
            open.map_or(node.start_byte(), Node::start_byte),
            node.end_byte(),
        )
    }

    pub(super) fn positional(value: ExprId) -> Argument {
        Argument {
            name: None,
            kind: ArgumentKind::Positional,
            value,
        }
    }

    // ---- patterns

    fn unpack(&mut self, pattern: Node<'_>, value: ExprId) {
        let targets = children(pattern);
        if let Some(values) = self.written_out(value, &targets) {
            for (target, value) in targets.into_iter().zip(values) {
                self.assign(target, value);
            }
            return;
        }
        self.builder
            .implicit(CallKind::Iterate, value, "__iter__", span(pattern));
        let mut starred = false;
        for (index, target) in targets.into_iter().enumerate() {
            let part = match is_starred(target) {
                true => Part::Rest,
                false if starred => Part::Item,
                false => Part::Element(u16::try_from(index).unwrap_or(u16::MAX)),
            };
            starred |= part == Part::Rest;
            let element = self.project(value, part, target);
            self.assign(target, element);
        }
    }

    /// The elements of a value that is written out with as many elements as there are targets: `a, b = b, a`.
    fn written_out(&self, value: ExprId, targets: &[Node<'_>]) -> Option<Vec<ExprId>> {
        let ExprKind::Collection {
            kind: CollectionKind::Tuple | CollectionKind::List,
            elements,
        } = self.builder.facts.expr(value).kind
        else {
            return None;
        };
        let values = self.builder.facts.expr_list(elements).to_vec();
        let spread = |id: &ExprId| {
            matches!(
                self.builder.facts.expr(*id).kind,
                ExprKind::Project {
                    part: Part::Iterated | Part::AsyncIterated,
                    ..
                }
            )
        };
        let fits = values.len() == targets.len() && !values.iter().any(spread);
        (fits && !targets.iter().any(|target| is_starred(*target))).then_some(values)
    }

    // ---- x += y

    pub(super) fn augmented_assignment(&mut self, node: Node<'_>) {
        let (Some(left), Some(operator), Some(right)) = (
            field(node, "left"),
            field(node, "operator"),
            field(node, "right"),
        ) else {
            return self.block(node);
        };
        // The old value is read before the other one.
        let old = self.expression(left);
        let value = self.assigned_value(right);
        let call = MethodCall {
            kind: CallKind::Operator,
            receiver: old,
            method: augmented_method(operator.kind()),
            name_span: span(operator),
            span: span(node),
        };
        let sum = self.method(call, &[Self::positional(value)]);
        if left.kind() == "identifier" {
            self.define(left, DefinitionKind::Augmented(value));
            return;
        }
        self.stored(sum);
        self.store_again(left, old, sum);
    }

    /// Stores into what has just been read: its parts are not evaluated a second time.
    fn store_again(&mut self, node: Node<'_>, old: ExprId, value: ExprId) {
        let target = match self.builder.facts.expr(old).kind {
            ExprKind::Call(call) => match self.builder.facts.call(call).callee {
                Callee::Method { receiver, .. } => self.project(receiver, Part::Item, node),
                _ => return,
            },
            ExprKind::Attribute { base, .. } => {
                if let Some(attribute) = field(node, "attribute") {
                    self.accessor(base, attribute, span(node), &[Self::positional(value)]);
                    self.stored(value);
                }
                old
            }
            _ => old,
        };
        self.builder.event(Event::Store { target, value });
    }
}

/// Says whether an assigned value has the form of a type that is more than a name: `X[Y]`, `X | Y`.
fn may_be_type(value: Node<'_>) -> bool {
    match value.kind() {
        "subscript" => true,
        "binary_operator" => field(value, "operator").is_some_and(|sign| sign.kind() == "|"),
        _ => false,
    }
}

fn is_starred(target: Node<'_>) -> bool {
    matches!(target.kind(), "list_splat_pattern" | "list_splat")
}
