//! Functions, lambdas and classes: items with bodies, decorators, bases.

use nostall_model::Span;
use nostall_model::build::NewBody;
use nostall_model::facts::{
    BodyId, BodyKind, CallKind, Callee, DefinitionKind, ExprId, ExprKind, Flavour, Generic, Item,
    ItemId, ItemKind, Run, ScopeKind, Sink, TypeExprId,
};

use super::call::callee_span;
use super::lower::{Lower, children, field, has_token, head, span};
use super::tree::Node;

/// A decorator that has been evaluated and is not yet applied.
#[derive(Clone, Copy)]
pub(super) struct Decorator {
    value: ExprId,
    name_span: Span,
    span: Span,
    /// `@staticmethod`: the first parameter is not the receiver.
    is_static: bool,
}

impl Lower<'_> {
    pub(super) fn decorated(&mut self, node: Node<'_>) {
        let Some(definition) = field(node, "definition") else {
            return self.block(node);
        };
        if self.too_deep.contains(&definition.id()) {
            return;
        }
        let written: Vec<Node<'_>> = children(node)
            .into_iter()
            .filter(|child| child.kind() == "decorator")
            .collect();
        let decorators: Vec<Decorator> = written
            .iter()
            .filter_map(|decorator| self.decorator(*decorator))
            .collect();
        if !written.is_empty() {
            let spans = (span(node), span(definition));
            self.builder.facts.attribute_spans.push(spans);
        }
        self.builder.statement = head(definition);
        match definition.kind() {
            "class_definition" => self.class(definition, &decorators),
            _ => self.function(definition, &decorators),
        }
    }

    fn decorator(&mut self, node: Node<'_>) -> Option<Decorator> {
        self.builder.statement = span(node);
        let expression = *children(node).first()?;
        let value = self.expression(expression);
        let callee = field(expression, "function").unwrap_or(expression);
        self.stored(value);
        let is_static = self.text(expression) == "staticmethod";
        Some(Decorator {
            value,
            name_span: callee_span(callee),
            span: span(node),
            is_static,
        })
    }

    /// Decorators are called with what is defined, the last one first.
    fn apply(&mut self, decorators: &[Decorator], body: BodyId, defined: Node<'_>) {
        let mut value = self.expr(ExprKind::Callable(body), defined);
        for decorator in decorators.iter().rev() {
            let statement = std::mem::replace(&mut self.builder.statement, decorator.span);
            let callee = Callee::Value(decorator.value);
            let argument = [Self::positional(value)];
            value = self.plain_call(
                CallKind::Plain,
                callee,
                decorator.name_span,
                decorator.span,
                &argument,
            );
            self.stored(value);
            self.builder.statement = statement;
        }
    }

    // ---- functions

    pub(super) fn function(&mut self, node: Node<'_>, decorators: &[Decorator]) {
        let item = self.item(node, ItemKind::Function, decorators);
        let method = self.frame().kind == BodyKind::Class
            && !decorators.iter().any(|decorator| decorator.is_static);
        let outer_scope = self.scope;
        if field(node, "type_parameters").is_some() {
            self.scope = self.builder.scope(outer_scope, ScopeKind::Head(item));
        }
        let parameters = field(node, "parameters")
            .map(|list| self.parameters(list))
            .unwrap_or_default();
        let returns = field(node, "return_type").map(|type_| self.type_(type_));
        self.scope = self.builder.scope(outer_scope, ScopeKind::Function(item));
        let conditions = std::mem::take(&mut self.conditions);
        let body = self.open_item_body(node, BodyKind::Function, item);
        self.builder.body_mut().returns = returns;
        self.define_parameters(&parameters, method);
        if let Some(block) = field(node, "body") {
            self.declare_names(block);
            self.block(block);
        }
        let is_async = has_token(node, "async");
        self.builder.body_mut().flavour = match (is_async, self.frame().yields) {
            (false, false) => Flavour::Sync,
            (true, false) => Flavour::Async,
            (false, true) => Flavour::Generator,
            (true, true) => Flavour::AsyncGenerator,
        };
        self.close_body(None);
        self.scope = outer_scope;
        self.conditions = conditions;
        self.define_item(node, item, body, decorators);
    }

    fn define_item(
        &mut self,
        node: Node<'_>,
        item: ItemId,
        body: BodyId,
        decorators: &[Decorator],
    ) {
        self.builder.statement = head(node);
        self.apply(decorators, body, node);
        if let Some(name) = field(node, "name") {
            self.define(name, DefinitionKind::Item(item));
        }
    }

    fn open_item_body(&mut self, node: Node<'_>, kind: BodyKind, item: ItemId) -> BodyId {
        let body = self.open_body(NewBody {
            kind,
            flavour: Flavour::Sync,
            item: Some(item),
            scope: self.scope,
            span: span(node),
            name_span: field(node, "name").map_or(span(node), span),
        });
        self.builder.facts.items[item.index()].body = Some(body);
        body
    }

    // ---- lambdas

    /// A body that only holds an expression.
    pub(super) fn lambda(&mut self, node: Node<'_>) -> ExprId {
        let parameters = field(node, "parameters")
            .map(|list| self.parameters(list))
            .unwrap_or_default();
        let keyword = node.child(0).map_or(span(node), span);
        let body = self.open_body(NewBody {
            kind: BodyKind::Closure,
            flavour: Flavour::Sync,
            item: None,
            scope: self.scope,
            span: span(node),
            name_span: keyword,
        });
        let conditions = std::mem::take(&mut self.conditions);
        self.define_parameters(&parameters, false);
        let value = field(node, "body").map(|value| {
            self.declare_names(value);
            self.expression(value)
        });
        self.conditions = conditions;
        if self.frame().yields {
            self.builder.body_mut().flavour = Flavour::Generator;
        }
        if let Some(value) = value {
            self.sink(value, Sink::Returned);
        }
        self.close_body(value);
        self.expr(ExprKind::Callable(body), node)
    }

    // ---- classes

    pub(super) fn class(&mut self, node: Node<'_>, decorators: &[Decorator]) {
        let (bases, metaclass) = field(node, "superclasses")
            .map(|list| self.bases(list))
            .unwrap_or_default();
        let item = self.item(node, ItemKind::Class { bases, metaclass }, decorators);
        let inner = self.builder.scope(self.scope, ScopeKind::Item(item));
        self.builder.facts.items[item.index()].inner = Some(inner);
        let outer_scope = std::mem::replace(&mut self.scope, inner);
        let conditions = std::mem::take(&mut self.conditions);
        let statement = self.builder.statement;
        let body = self.open_item_body(node, BodyKind::Class, item);
        if let Some(block) = field(node, "body") {
            self.declare_names(block);
            self.block(block);
        }
        self.close_body(None);
        self.scope = outer_scope;
        self.conditions = conditions;
        self.builder.statement = statement;
        self.run_class_body(node, body);
        self.define_item(node, item, body, decorators);
    }

    /// A class's statements run where it is defined.
    fn run_class_body(&mut self, node: Node<'_>, body: BodyId) {
        let value = self.expr(ExprKind::Callable(body), node);
        let name_span = field(node, "name").map_or(span(node), span);
        let class = self.plain_call(
            CallKind::Plain,
            Callee::Value(value),
            name_span,
            head(node),
            &[],
        );
        self.stored(class);
    }

    /// The bases in order, and the metaclass; other keywords are evaluated and then forgotten.
    fn bases(&mut self, list: Node<'_>) -> (Run, Option<ExprId>) {
        let mut bases = Vec::new();
        let mut metaclass = None;
        for argument in children(list) {
            let Some(argument) = self.argument(argument) else {
                continue;
            };
            self.stored(argument.value);
            match argument.name.map(|name| self.builder.facts.text(name)) {
                None => bases.push(argument.value),
                Some("metaclass") => metaclass = Some(argument.value),
                Some(_) => {}
            }
        }
        (self.builder.exprs(&bases), metaclass)
    }

    // ---- items

    fn item(&mut self, node: Node<'_>, kind: ItemKind, decorators: &[Decorator]) -> ItemId {
        let values: Vec<ExprId> = decorators.iter().map(|decorator| decorator.value).collect();
        let attributes = self.builder.exprs(&values);
        let generics = field(node, "type_parameters")
            .map(|list| self.type_parameters(list))
            .unwrap_or_default();
        self.add_item(node, field(node, "name"), kind, attributes, generics)
    }

    /// The item of `type X = ..`.
    pub(super) fn alias_item(
        &mut self,
        node: Node<'_>,
        name: Node<'_>,
        target: Option<TypeExprId>,
    ) -> ItemId {
        self.add_item(
            node,
            Some(name),
            ItemKind::TypeAlias { target },
            Run::default(),
            Run::default(),
        )
    }

    fn add_item(
        &mut self,
        node: Node<'_>,
        name: Option<Node<'_>>,
        kind: ItemKind,
        attributes: Run,
        generics: Run,
    ) -> ItemId {
        let name = name.filter(|name| name.start_byte() < name.end_byte());
        let named = name.map(|name| self.spanned_name(name));
        let public = named.is_none_or(|(name, _)| !self.builder.facts.text(name).starts_with('_'));
        let condition = self.condition();
        self.builder.item(Item {
            kind,
            name: named.map(|(name, _)| name),
            scope: self.scope,
            inner: None,
            body: None,
            condition,
            attributes,
            generics,
            public,
            span: span(node),
            name_span: named.map_or(span(node), |(_, span)| span),
        })
    }

    /// `[T, U: Bound]`.
    fn type_parameters(&mut self, list: Node<'_>) -> Run {
        let mut generics = Vec::new();
        for parameter in children(list) {
            let inner = children(parameter).into_iter().next().unwrap_or(parameter);
            let (name, bound) = match inner.kind() {
                "constrained_type" => {
                    let parts = children(inner);
                    (parts.first().copied(), parts.get(1).copied())
                }
                _ => (Some(inner), None),
            };
            let Some(name) = name else { continue };
            let name = self.name(name);
            let bound: Vec<TypeExprId> = bound.into_iter().map(|bound| self.type_(bound)).collect();
            let bounds = self.builder.types(&bound);
            generics.push(Generic { name, bounds });
        }
        self.builder.generics(&generics)
    }
}
