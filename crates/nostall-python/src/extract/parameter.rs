//! Parameters: what is written of them outside the body, and their variables inside.

use nostall_model::facts::{DefinitionKind, ExprId, Parameter, ParameterKind, TypeExprId};
use nostall_model::{Name, Span};

use super::lower::{Lower, children, field, span};
use super::scope::Given;
use super::tree::Node;

/// A parameter whose default and annotation have been lowered, before its body is opened.
pub(super) struct PendingParameter<'tree> {
    name: Node<'tree>,
    kind: ParameterKind,
    type_: Option<TypeExprId>,
    annotation: Option<ExprId>,
    default: Option<ExprId>,
}

impl Lower<'_> {
    /// Lowers what runs where a function is defined: defaults, and annotations that hold code.
    pub(super) fn parameters<'tree>(&mut self, list: Node<'tree>) -> Vec<PendingParameter<'tree>> {
        let mut pending: Vec<PendingParameter<'tree>> = Vec::new();
        let mut kind = ParameterKind::Normal;
        for node in children(list) {
            match node.kind() {
                "keyword_separator" => kind = ParameterKind::Keyword,
                "positional_separator" => {
                    pending
                        .iter_mut()
                        .for_each(|parameter| parameter.kind = ParameterKind::Positional);
                }
                _ => {
                    let Some(parameter) = self.parameter(node, kind) else {
                        continue;
                    };
                    if parameter.kind == ParameterKind::Rest {
                        kind = ParameterKind::Keyword;
                    }
                    pending.push(parameter);
                }
            }
        }
        pending
    }

    fn parameter<'tree>(
        &mut self,
        node: Node<'tree>,
        kind: ParameterKind,
    ) -> Option<PendingParameter<'tree>> {
        let written = match node.kind() {
            "typed_parameter" => children(node).into_iter().next()?,
            _ => field(node, "name").unwrap_or(node),
        };
        let (name, kind) = match written.kind() {
            "identifier" => (written, kind),
            "list_splat_pattern" => (written.named_child(0)?, ParameterKind::Rest),
            "dictionary_splat_pattern" => (written.named_child(0)?, ParameterKind::RestKeywords),
            _ => return None,
        };
        if name.kind() != "identifier" || name.start_byte() == name.end_byte() {
            return None;
        }
        let type_node = field(node, "type");
        let annotation = type_node
            .filter(|type_| holds_code(*type_))
            .map(|type_| self.expression(type_));
        let default = field(node, "value").map(|value| self.expression(value));
        for value in annotation.iter().chain(&default) {
            self.stored(*value);
        }
        let type_ = type_node.map(|type_| self.type_(type_));
        Some(PendingParameter {
            name,
            kind,
            type_,
            annotation,
            default,
        })
    }

    /// Gives the innermost body its parameters. `method`: the first one is the receiver.
    pub(super) fn define_parameters(&mut self, pending: &[PendingParameter<'_>], method: bool) {
        let mut parameters = Vec::new();
        for (index, parameter) in pending.iter().enumerate() {
            let number = u16::try_from(index).unwrap_or(u16::MAX);
            let given = Given {
                kind: DefinitionKind::Parameter(number),
                type_: parameter.type_,
            };
            self.declare(parameter.name);
            let Some(definition) = self.define(parameter.name, given) else {
                continue;
            };
            let may_receive = matches!(
                parameter.kind,
                ParameterKind::Normal | ParameterKind::Positional
            );
            parameters.push(Parameter {
                binding: self.builder.facts.definitions[definition.index()].binding,
                kind: if method && index == 0 && may_receive {
                    ParameterKind::Receiver
                } else {
                    parameter.kind
                },
                type_: parameter.type_,
                annotation: parameter.annotation,
                default: parameter.default,
            });
        }
        self.builder.set_parameters(&parameters);
    }

    /// Returns the name of a node with its place.
    pub(super) fn spanned_name(&mut self, node: Node<'_>) -> (Name, Span) {
        (self.name(node), span(node))
    }
}

/// Says whether an annotation makes calls.
fn holds_code(annotation: Node<'_>) -> bool {
    let mut open = vec![annotation];
    while let Some(node) = open.pop() {
        if node.kind() == "call" {
            return true;
        }
        open.extend(children(node));
    }
    false
}
