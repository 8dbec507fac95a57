//! Paths as written.

use nostall_model::Span;
use nostall_model::facts::{ExprId, ExprKind, PathExpr, PathId, Run, Segment, TypeExprId};
use syn::{Path, PathArguments, QSelf};

use super::lower::{Lower, METAVARIABLE};

impl Lower<'_> {
    /// Lowers a path; it is looked up in the scope of here.
    pub(crate) fn path(&mut self, qualified: Option<&QSelf>, node: &Path) -> PathId {
        let span = self.path_span(qualified, node);
        let qualified_self = qualified.map(|qualified| self.type_(&qualified.ty));
        let mut segments = Vec::with_capacity(node.segments.len());
        for segment in &node.segments {
            let name = self.name(&segment.ident);
            let arguments = match &segment.arguments {
                PathArguments::AngleBracketed(arguments) => self.type_arguments(arguments),
                PathArguments::None | PathArguments::Parenthesized(_) => Run::default(),
            };
            segments.push(Segment { name, arguments });
        }
        let segments = self.builder.segments(&segments);
        self.builder.path(PathExpr {
            segments,
            global: node.leading_colon.is_some() && qualified.is_none(),
            qualified_self,
            trait_segments: qualified.map_or(0, |qualified| {
                u16::try_from(qualified.position).unwrap_or(u16::MAX)
            }),
            scope: self.scope,
            span,
        })
    }

    /// Returns the span of a path with the `<T as ..>` before it.
    pub(crate) fn path_span(&self, qualified: Option<&QSelf>, node: &Path) -> Span {
        let path = self.span(node);
        qualified.map_or(path, |qualified| {
            self.token(qualified.lt_token.spans[0]).to(path)
        })
    }

    /// A path to something in std that syntax stands for, with type arguments for the last segment.
    pub(crate) fn std_path(
        &mut self,
        names: &[&str],
        arguments: &[TypeExprId],
        span: Span,
    ) -> PathId {
        let arguments = self.builder.types(arguments);
        let last = names.len() - 1;
        let mut segments = Vec::with_capacity(names.len());
        for (index, text) in names.iter().enumerate() {
            let name = self.builder.name(text);
            segments.push(Segment {
                name,
                arguments: if index == last {
                    arguments
                } else {
                    Run::default()
                },
            });
        }
        let segments = self.builder.segments(&segments);
        let scope = self.scope;
        self.builder.path(PathExpr {
            segments,
            global: true,
            qualified_self: None,
            trait_segments: 0,
            scope,
            span,
        })
    }

    /// Lowers a path as a value: a variable, or something declared elsewhere.
    pub(crate) fn path_value(&mut self, node: &syn::ExprPath) -> ExprId {
        let span = self.path_span(node.qself.as_ref(), &node.path);
        if let (None, Some(ident)) = (&node.qself, node.path.get_ident()) {
            let name = self.name(ident);
            return self.named(name, span);
        }
        let first = node.path.segments.first();
        if first.is_some_and(|segment| segment.ident.to_string().starts_with(METAVARIABLE)) {
            return self.unknown(span);
        }
        let path = self.path(node.qself.as_ref(), &node.path);
        self.builder.expr(ExprKind::Path(path), span)
    }
}
