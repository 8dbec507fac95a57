//! Attributes: those that analysis may ask for, as expressions.
//!
//! An attribute with arguments is a [`ExprKind::Struct`]: a path with what was written after it. It is no call, since nothing
//! runs.

use nostall_model::facts::{Argument, ArgumentKind, Comment, ExprId, ExprKind, Literal, Run};
use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, Token};

use super::lower::Lower;

impl Lower<'_> {
    /// Lowers the attributes of an item.
    pub(crate) fn attributes(&mut self, attributes: &[Attribute]) -> Run {
        let kept: Vec<&Attribute> = attributes
            .iter()
            .filter(|attribute| is_kept(attribute))
            .collect();
        let lowered: Vec<ExprId> = kept
            .into_iter()
            .map(|attribute| self.meta(&attribute.meta))
            .collect();
        self.builder.exprs(&lowered)
    }

    /// Keeps an `#[allow(clippy::..)]` of a statement, which no item holds, as a comment that speaks to tools.
    pub(crate) fn note_allowed(&mut self, attribute: &Attribute) {
        let is_allow = attribute.path().is_ident("allow") || attribute.path().is_ident("expect");
        if is_allow {
            let span = self.places.between(
                attribute.pound_token.spans[0],
                attribute.bracket_token.span.close(),
            );
            self.builder.facts.comments.push(Comment { span });
        }
    }

    fn meta(&mut self, meta: &Meta) -> ExprId {
        let span = self.span(meta.path());
        let path = self.path(None, meta.path());
        let arguments = match meta {
            Meta::Path(_) => return self.builder.expr(ExprKind::Path(path), span),
            Meta::List(list) => self.meta_arguments(list.tokens.clone()),
            Meta::NameValue(pair) => {
                let value = self.attribute_value(&pair.value);
                vec![Argument {
                    name: None,
                    kind: ArgumentKind::Positional,
                    value,
                }]
            }
        };
        let fields = self.builder.arguments(&arguments);
        self.builder.expr(ExprKind::Struct { path, fields }, span)
    }

    /// What stands between the brackets, if it has the usual form.
    fn meta_arguments(&mut self, tokens: TokenStream) -> Vec<Argument> {
        let parser = Punctuated::<AttributeArgument, Token![,]>::parse_terminated;
        let Ok(list) = parser.parse2(tokens) else {
            return Vec::new();
        };
        list.iter()
            .map(|argument| self.attribute_argument(argument))
            .collect()
    }

    fn attribute_argument(&mut self, argument: &AttributeArgument) -> Argument {
        match argument {
            AttributeArgument::Literal(literal) => {
                let value = self.literal(literal);
                Argument {
                    name: None,
                    kind: ArgumentKind::Positional,
                    value,
                }
            }
            AttributeArgument::Meta(Meta::NameValue(pair)) => {
                let name = pair.path.segments.last().map(|last| self.name(&last.ident));
                let value = self.attribute_value(&pair.value);
                Argument {
                    name,
                    kind: ArgumentKind::Keyword,
                    value,
                }
            }
            AttributeArgument::Meta(meta) => {
                let value = self.meta(meta);
                Argument {
                    name: None,
                    kind: ArgumentKind::Positional,
                    value,
                }
            }
        }
    }

    fn attribute_value(&mut self, value: &Expr) -> ExprId {
        match value {
            Expr::Lit(literal) => self.literal(&literal.lit),
            Expr::Path(path) => {
                let span = self.span(&path.path);
                let path = self.path(path.qself.as_ref(), &path.path);
                self.builder.expr(ExprKind::Path(path), span)
            }
            other => {
                let span = self.span(other);
                self.unknown(span)
            }
        }
    }

    /// Lowers a literal.
    pub(crate) fn literal(&mut self, literal: &Lit) -> ExprId {
        let span = self.token(literal.span());
        let literal = match literal {
            Lit::Str(text) => Literal::Str(self.builder.name(&text.value())),
            Lit::ByteStr(_) | Lit::CStr(_) => Literal::Bytes,
            Lit::Char(_) => Literal::Char,
            Lit::Bool(value) => Literal::Bool(value.value),
            Lit::Int(number) => number
                .base10_parse::<i64>()
                .map_or(Literal::Other, Literal::Int),
            Lit::Byte(byte) => Literal::Int(i64::from(byte.value())),
            Lit::Float(number) => number
                .base10_parse::<f64>()
                .map_or(Literal::Other, Literal::Float),
            _ => Literal::Other,
        };
        self.builder.expr(ExprKind::Literal(literal), span)
    }
}

#[expect(clippy::large_enum_variant, reason = "lives for one attribute")]
enum AttributeArgument {
    Literal(Lit),
    Meta(Meta),
}

impl syn::parse::Parse for AttributeArgument {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Lit) && !input.peek(syn::LitBool) {
            return input.parse().map(Self::Literal);
        }
        input.parse().map(Self::Meta)
    }
}

/// Documentation, conditions and hints for the compiler say nothing that analysis asks for; `allow(clippy::..)` may answer a
/// finding.
fn is_kept(attribute: &Attribute) -> bool {
    const IGNORED: [&str; 11] = [
        "doc",
        "cfg",
        "cfg_attr",
        "path",
        "inline",
        "must_use",
        "deprecated",
        "cold",
        "track_caller",
        "repr",
        "rustfmt",
    ];
    let path = attribute.path();
    let Some(first) = path.segments.first() else {
        return false;
    };
    match &attribute.meta {
        Meta::List(list)
            if ["allow", "expect", "warn", "deny", "forbid"]
                .iter()
                .any(|level| first.ident == level) =>
        {
            let lints = list.tokens.to_string();
            (first.ident == "allow" || first.ident == "expect") && lints.contains("clippy")
        }
        _ => !IGNORED.iter().any(|name| first.ident == name),
    }
}

/// Returns the attributes of an expression. Those of a statement stand with its leftmost part.
pub(crate) fn of_expr(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Assign(node) if node.attrs.is_empty() => of_expr(&node.left),
        Expr::Binary(node) if node.attrs.is_empty() => of_expr(&node.left),
        Expr::Cast(node) if node.attrs.is_empty() => of_expr(&node.expr),
        Expr::Array(syn::ExprArray { attrs, .. })
        | Expr::Assign(syn::ExprAssign { attrs, .. })
        | Expr::Async(syn::ExprAsync { attrs, .. })
        | Expr::Await(syn::ExprAwait { attrs, .. })
        | Expr::Binary(syn::ExprBinary { attrs, .. })
        | Expr::Block(syn::ExprBlock { attrs, .. })
        | Expr::Break(syn::ExprBreak { attrs, .. })
        | Expr::Call(syn::ExprCall { attrs, .. })
        | Expr::Cast(syn::ExprCast { attrs, .. })
        | Expr::Closure(syn::ExprClosure { attrs, .. })
        | Expr::Const(syn::ExprConst { attrs, .. })
        | Expr::Continue(syn::ExprContinue { attrs, .. })
        | Expr::Field(syn::ExprField { attrs, .. })
        | Expr::ForLoop(syn::ExprForLoop { attrs, .. })
        | Expr::If(syn::ExprIf { attrs, .. })
        | Expr::Index(syn::ExprIndex { attrs, .. })
        | Expr::Loop(syn::ExprLoop { attrs, .. })
        | Expr::Macro(syn::ExprMacro { attrs, .. })
        | Expr::Match(syn::ExprMatch { attrs, .. })
        | Expr::MethodCall(syn::ExprMethodCall { attrs, .. })
        | Expr::Path(syn::ExprPath { attrs, .. })
        | Expr::Return(syn::ExprReturn { attrs, .. })
        | Expr::Struct(syn::ExprStruct { attrs, .. })
        | Expr::Try(syn::ExprTry { attrs, .. })
        | Expr::Tuple(syn::ExprTuple { attrs, .. })
        | Expr::Unsafe(syn::ExprUnsafe { attrs, .. })
        | Expr::While(syn::ExprWhile { attrs, .. }) => attrs,
        _ => &[],
    }
}
