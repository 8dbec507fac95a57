//! Types as written: annotations, also quoted ones.

use nostall_model::Span;
use nostall_model::facts::{Literal, Run, TypeExprId, TypeExprKind};

use super::lower::{Lower, children, field, fields};
use super::parse::{parse_part, python_parser};
use super::tree::{Node, Tree};

/// Longer quoted types are not read.
const MAX_QUOTED: usize = 400;

/// The text that the nodes of a type belong to, and where it stands in the file.
#[derive(Clone, Copy)]
struct Text<'t> {
    text: &'t str,
    offset: usize,
    /// Whether quoted types in it are read.
    quotes: bool,
}

impl<'t> Text<'t> {
    fn span(self, node: Node<'_>) -> Span {
        Span::new(
            node.start_byte() + self.offset,
            node.end_byte() + self.offset,
        )
    }

    fn of(self, node: Node<'_>) -> &'t str {
        &self.text[node.byte_range()]
    }
}

impl Lower<'_> {
    /// Reads an annotation.
    pub(super) fn type_(&mut self, node: Node<'_>) -> TypeExprId {
        let text = Text {
            text: self.text,
            offset: 0,
            quotes: true,
        };
        self.written(node, text)
    }

    fn written(&mut self, node: Node<'_>, text: Text<'_>) -> TypeExprId {
        let inner = children(node);
        match node.kind() {
            "type" | "parenthesized_expression" | "expression_statement" if inner.len() == 1 => {
                self.written(inner[0], text)
            }
            "identifier" | "attribute" | "member_type" => self.named_type(node, text),
            "subscript" | "generic_type" => self.generic(node, text),
            "binary_operator" | "union_type" => self.union(node, text),
            "string" => self.quoted(node, text),
            "none" => self.new_type(TypeExprKind::Literal(Literal::None), node, text),
            "ellipsis" => self.new_type(TypeExprKind::Literal(Literal::Other), node, text),
            "tuple" | "list" | "expression_list" => {
                let types = self.list(&inner, text);
                self.new_type(TypeExprKind::Tuple(types), node, text)
            }
            _ => self.new_type(TypeExprKind::Unknown, node, text),
        }
    }

    fn new_type(&mut self, kind: TypeExprKind, node: Node<'_>, text: Text<'_>) -> TypeExprId {
        self.builder.type_expr(kind, text.span(node))
    }

    fn list(&mut self, nodes: &[Node<'_>], text: Text<'_>) -> Run {
        let types: Vec<TypeExprId> = nodes.iter().map(|node| self.written(*node, text)).collect();
        self.builder.types(&types)
    }

    /// `a.b.C`.
    fn named_type(&mut self, node: Node<'_>, text: Text<'_>) -> TypeExprId {
        let mut names = Vec::new();
        let mut rest = node;
        while rest.kind() != "identifier" {
            let parts = children(rest);
            let [object, .., name] = parts[..] else { break };
            names.push(text.of(name));
            rest = object;
            if rest.kind() == "type" {
                rest = rest.named_child(0).unwrap_or(rest);
            }
        }
        if rest.kind() != "identifier" || rest.start_byte() == rest.end_byte() {
            return self.new_type(TypeExprKind::Unknown, node, text);
        }
        names.push(text.of(rest));
        names.reverse();
        let path = self.builder.plain_path(&names, self.scope, text.span(node));
        self.new_type(TypeExprKind::Path(path), node, text)
    }

    // ---- generic types

    fn generic(&mut self, node: Node<'_>, text: Text<'_>) -> TypeExprId {
        let (base, arguments) = match node.kind() {
            "subscript" => (field(node, "value"), fields(node, "subscript")),
            _ => {
                let parts = children(node);
                (
                    parts.first().copied(),
                    parts.get(1).map(|list| children(*list)).unwrap_or_default(),
                )
            }
        };
        let Some(base) = base else {
            return self.new_type(TypeExprKind::Unknown, node, text);
        };
        let name = text.of(base).rsplit('.').next().unwrap_or_default();
        match name {
            "Optional" => self.optional(node, &arguments, text),
            "Union" => {
                let types = self.list(&arguments, text);
                self.new_type(TypeExprKind::Union(types), node, text)
            }
            "Callable" => self.callable(node, &arguments, text),
            "Literal" => self.subscript(node, base, &[], text),
            // What follows the first one is data, and may hold strings that are no types.
            "Annotated" => self.subscript(node, base, arguments.get(..1).unwrap_or_default(), text),
            _ => self.subscript(node, base, &arguments, text),
        }
    }

    fn subscript(
        &mut self,
        node: Node<'_>,
        base: Node<'_>,
        arguments: &[Node<'_>],
        text: Text<'_>,
    ) -> TypeExprId {
        let base = self.written(base, text);
        let arguments = self.list(arguments, text);
        self.new_type(TypeExprKind::Subscript { base, arguments }, node, text)
    }

    fn optional(&mut self, node: Node<'_>, arguments: &[Node<'_>], text: Text<'_>) -> TypeExprId {
        let mut types: Vec<TypeExprId> = arguments
            .iter()
            .map(|argument| self.written(*argument, text))
            .collect();
        types.push(self.new_type(TypeExprKind::Literal(Literal::None), node, text));
        let types = self.builder.types(&types);
        self.new_type(TypeExprKind::Union(types), node, text)
    }

    /// `Callable[[A, B], C]`, `Callable[..., C]`.
    fn callable(&mut self, node: Node<'_>, arguments: &[Node<'_>], text: Text<'_>) -> TypeExprId {
        let parameters = arguments
            .first()
            .map(|list| parameter_list(*list))
            .unwrap_or_default();
        let parameters = self.list(&parameters, text);
        let returns = arguments.get(1).map(|returns| self.written(*returns, text));
        self.new_type(
            TypeExprKind::Function {
                parameters,
                returns,
            },
            node,
            text,
        )
    }

    /// `A | B | C`: flat.
    fn union(&mut self, node: Node<'_>, text: Text<'_>) -> TypeExprId {
        let is_union = |node: Node<'_>| {
            node.kind() == "union_type"
                || (node.kind() == "binary_operator"
                    && field(node, "operator").is_some_and(|sign| sign.kind() == "|"))
        };
        if !is_union(node) {
            return self.new_type(TypeExprKind::Unknown, node, text);
        }
        let mut open = vec![node];
        let mut members = Vec::new();
        while let Some(node) = open.pop() {
            if is_union(node) {
                open.extend(children(node).into_iter().rev());
            } else {
                members.push(node);
            }
        }
        let types = self.list(&members, text);
        self.new_type(TypeExprKind::Union(types), node, text)
    }

    // ---- quoted types

    fn quoted(&mut self, node: Node<'_>, text: Text<'_>) -> TypeExprId {
        let contents: Vec<Node<'_>> = children(node)
            .into_iter()
            .filter(|child| child.kind() == "string_content")
            .collect();
        let [content] = contents[..] else {
            return self.new_type(TypeExprKind::Unknown, node, text);
        };
        let inner = text.of(content);
        if !text.quotes || inner.len() > MAX_QUOTED || inner.contains('\\') {
            return self.new_type(TypeExprKind::Unknown, node, text);
        }
        let read = Text {
            text: inner,
            offset: content.start_byte() + text.offset,
            quotes: false,
        };
        self.read_quoted(read)
            .unwrap_or_else(|| self.new_type(TypeExprKind::Unknown, node, text))
    }

    fn read_quoted(&mut self, read: Text<'_>) -> Option<TypeExprId> {
        let mut parser = self.type_parser.take().unwrap_or_else(python_parser);
        let tree = parse_part(&mut parser, read.text, &[Span::new(0, read.text.len())]);
        self.type_parser = Some(parser);
        let tree = tree.filter(|tree| !tree.root_node().has_error())?;
        let tree = Tree::new(&tree);
        let statements = children(tree.root());
        let [statement] = statements[..] else {
            return None;
        };
        (statement.kind() == "expression_statement").then(|| self.written(statement, read))
    }
}

/// The parameter types of `Callable`; nothing is said by `...`.
fn parameter_list(mut node: Node<'_>) -> Vec<Node<'_>> {
    while node.kind() == "type" {
        let Some(inner) = node.named_child(0) else {
            break;
        };
        node = inner;
    }
    if node.kind() == "list" {
        children(node)
    } else {
        Vec::new()
    }
}
