//! Patterns: which variables they bind, and to which parts of a value.

use nostall_model::facts::{DefinitionKind, ExprId, ExprKind, Part, PathId, TypeExprId};
use nostall_model::{Name, Span};
use syn::punctuated::Punctuated;
use syn::{Member, Pat, Path, QSelf, Token};

use super::lower::Lower;

/// A variable that a pattern binds.
struct Found {
    name: Name,
    span: Span,
    mutable: bool,
    owns: bool,
    /// What it is bound to: one value for each alternative of the pattern that names it.
    values: Vec<ExprId>,
}

impl Lower<'_> {
    /// Binds the variables of a pattern to the parts of a value.
    pub(crate) fn bind(
        &mut self,
        pattern: &Pat,
        value: ExprId,
        type_: Option<TypeExprId>,
        owns: bool,
    ) {
        let mut found = Vec::new();
        let (base, own_type) = match (pattern, type_) {
            (Pat::Ident(_), _) | (_, None) => (value, type_),
            // What is written beside a pattern is the type of the whole value.
            (_, Some(type_)) => {
                let span = self.builder.facts.expr(value).span;
                (
                    self.builder.expr(ExprKind::Cast { value, type_ }, span),
                    None,
                )
            }
        };
        self.collect(pattern, base, owns, &mut found);
        for variable in found {
            let binding = self.declare(
                variable.name,
                variable.span,
                variable.mutable,
                variable.owns,
            );
            let value = self.one_of(&variable.values, variable.span);
            self.define(
                binding,
                DefinitionKind::Value(value),
                own_type,
                variable.span,
            );
        }
    }

    /// Declares the variables of a pattern that get their values later.
    pub(crate) fn declare_pattern(&mut self, pattern: &Pat, type_: Option<TypeExprId>) {
        let mut found = Vec::new();
        let span = self.span(pattern);
        let value = self.unknown(span);
        self.collect(pattern, value, true, &mut found);
        for variable in found {
            let owns = type_.is_none_or(|type_| self.type_may_own(type_));
            let binding = self.declare(variable.name, variable.span, variable.mutable, owns);
            self.define(binding, DefinitionKind::Declared, type_, variable.span);
        }
    }

    fn collect(&mut self, pattern: &Pat, base: ExprId, owns: bool, found: &mut Vec<Found>) {
        match pattern {
            Pat::Ident(node) => self.collect_name(node, base, owns, found),
            Pat::Type(node) => {
                let type_ = self.type_(&node.ty);
                let span = self.builder.facts.expr(base).span;
                let base = self
                    .builder
                    .expr(ExprKind::Cast { value: base, type_ }, span);
                let owns = owns || self.type_may_own(type_);
                self.collect(&node.pat, base, owns, found);
            }
            Pat::Paren(node) => self.collect(&node.pat, base, owns, found),
            Pat::Guard(node) => self.collect(&node.pat, base, owns, found),
            Pat::Reference(node) => self.collect_part(&node.pat, base, Part::Referent, owns, found),
            Pat::Or(node) => {
                for case in &node.cases {
                    self.collect(case, base, owns, found);
                }
            }
            Pat::Tuple(node) => self.collect_elements(&node.elems, base, owns, found, |index| {
                Some(Part::Element(index))
            }),
            Pat::TupleStruct(node) => {
                let path = self.pattern_path(node.qself.as_ref(), &node.path, &node.elems);
                self.collect_elements(&node.elems, base, owns, found, |index| {
                    path.map(|path| Part::Variant { path, index })
                });
            }
            Pat::Struct(node) => self.collect_fields(node, base, owns, found),
            Pat::Slice(node) => {
                for element in &node.elems {
                    let rest = matches!(element, Pat::Rest(_))
                        || matches!(element, Pat::Ident(name) if is_rest(name));
                    let part = if rest { Part::Rest } else { Part::Item };
                    self.collect_part(element, base, part, owns, found);
                }
            }
            _ => {}
        }
    }

    /// `x`, `ref x`, `mut x`, `x @ ..`. A name in upper case is a constant or a variant.
    fn collect_name(
        &mut self,
        node: &syn::PatIdent,
        base: ExprId,
        owns: bool,
        found: &mut Vec<Found>,
    ) {
        let text = node.ident.to_string();
        let bare = node.by_ref.is_none() && node.mutability.is_none() && node.subpat.is_none();
        if bare && text.starts_with(char::is_uppercase) {
            return;
        }
        let name = self.name(&node.ident);
        let span = self.token(node.ident.span());
        let borrowed = node.by_ref.is_some();
        let value = if borrowed {
            self.builder.expr(ExprKind::Reference(base), span)
        } else {
            base
        };
        match found.iter_mut().find(|known| known.name == name) {
            Some(known) => known.values.push(value),
            None => found.push(Found {
                name,
                span,
                mutable: node.mutability.is_some() && !borrowed,
                owns: owns && !borrowed,
                values: vec![value],
            }),
        }
        if let Some((_, inner)) = &node.subpat
            && !is_rest(node)
        {
            self.collect(inner, base, owns, found);
        }
    }

    fn collect_part(
        &mut self,
        pattern: &Pat,
        base: ExprId,
        part: Part,
        owns: bool,
        found: &mut Vec<Found>,
    ) {
        if matches!(pattern, Pat::Wild(_) | Pat::Rest(_) | Pat::Lit(_)) {
            return;
        }
        let span = self.span(pattern);
        let value = self.builder.expr(ExprKind::Project { base, part }, span);
        self.collect(
            pattern,
            value,
            owns && !matches!(part, Part::Referent),
            found,
        );
    }

    /// Elements by position. After `..` the position is not known: how many there are is the type's to say.
    fn collect_elements(
        &mut self,
        elements: &Punctuated<Pat, Token![,]>,
        base: ExprId,
        owns: bool,
        found: &mut Vec<Found>,
        part: impl Fn(u16) -> Option<Part>,
    ) {
        let rest = elements
            .iter()
            .position(|element| matches!(element, Pat::Rest(_)))
            .unwrap_or(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let part = u16::try_from(index)
                .ok()
                .filter(|_| index < rest)
                .and_then(&part);
            match part {
                Some(part) => self.collect_part(element, base, part, owns, found),
                None => {
                    let span = self.span(element);
                    let value = self.unknown(span);
                    self.collect(element, value, owns, found);
                }
            }
        }
    }

    /// The path of a tuple struct's pattern, if a part will need it.
    fn pattern_path(
        &mut self,
        qualified: Option<&QSelf>,
        path: &Path,
        elements: &Punctuated<Pat, Token![,]>,
    ) -> Option<PathId> {
        if elements.is_empty() {
            None
        } else {
            Some(self.path(qualified, path))
        }
    }

    fn collect_fields(
        &mut self,
        node: &syn::PatStruct,
        base: ExprId,
        owns: bool,
        found: &mut Vec<Found>,
    ) {
        if node.fields.is_empty() {
            return;
        }
        let path = self.path(node.qself.as_ref(), &node.path);
        for field in &node.fields {
            let name = match &field.member {
                Member::Named(ident) => self.name(ident),
                Member::Unnamed(index) => self.builder.name(&index.index.to_string()),
            };
            self.collect_part(&field.pat, base, Part::Field { path, name }, owns, found);
        }
    }
}

/// `rest @ ..`
fn is_rest(node: &syn::PatIdent) -> bool {
    node.subpat
        .as_ref()
        .is_some_and(|(_, inner)| matches!(**inner, Pat::Rest(_)))
}
