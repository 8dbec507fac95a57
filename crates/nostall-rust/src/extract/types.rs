//! Types as written, bounds, generic parameters.

use nostall_model::Name;
use nostall_model::facts::{Generic, Literal, Run, TypeExprId, TypeExprKind};
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, GenericParam, Generics, NamedArg,
    PathArguments, ReturnType, Token, Type, TypeParamBound, WherePredicate,
};

use super::lower::{Lower, METAVARIABLE};

impl Lower<'_> {
    /// Lowers a type.
    pub(crate) fn type_(&mut self, node: &Type) -> TypeExprId {
        let kind = match node {
            Type::Group(inner) => return self.type_(&inner.elem),
            Type::Paren(inner) => return self.type_(&inner.elem),
            Type::Path(path) => self.type_path(path),
            Type::Reference(reference) => TypeExprKind::Reference(self.type_(&reference.elem)),
            Type::Ptr(pointer) => TypeExprKind::Reference(self.type_(&pointer.elem)),
            Type::Slice(slice) => TypeExprKind::Slice(self.type_(&slice.elem)),
            Type::Array(array) => TypeExprKind::Slice(self.type_(&array.elem)),
            Type::Tuple(tuple) => TypeExprKind::Tuple(self.types(tuple.elems.iter())),
            Type::FnPtr(function) => self.function_type(&function.inputs, &function.output),
            Type::ImplTrait(bounds) => TypeExprKind::Impl(self.bounds(&bounds.bounds)),
            Type::TraitObject(bounds) => TypeExprKind::Dyn(self.bounds(&bounds.bounds)),
            Type::Never(_) => TypeExprKind::Never,
            _ => TypeExprKind::Unknown,
        };
        let span = self.span(node);
        self.builder.type_expr(kind, span)
    }

    /// Lowers a written return type.
    pub(crate) fn returns(&mut self, node: &ReturnType) -> Option<TypeExprId> {
        match node {
            ReturnType::Default => None,
            ReturnType::Type(_, type_) => Some(self.type_(type_)),
        }
    }

    fn types<'n>(&mut self, nodes: impl Iterator<Item = &'n Type>) -> Run {
        let types: Vec<TypeExprId> = nodes.map(|node| self.type_(node)).collect();
        self.builder.types(&types)
    }

    fn type_path(&mut self, node: &syn::TypePath) -> TypeExprKind {
        let parenthesized =
            node.path
                .segments
                .last()
                .and_then(|segment| match &segment.arguments {
                    PathArguments::Parenthesized(arguments) => Some((&segment.ident, arguments)),
                    _ => None,
                });
        if let Some((trait_, arguments)) = parenthesized {
            return self.callable_type(trait_, arguments);
        }
        if node
            .path
            .segments
            .first()
            .is_some_and(|segment| segment.ident.to_string().starts_with(METAVARIABLE))
        {
            return TypeExprKind::Unknown;
        }
        TypeExprKind::Path(self.path(node.qself.as_ref(), &node.path))
    }

    /// `Fn(A) -> B`. What `AsyncFn(A) -> B` gives is a future.
    fn callable_type(
        &mut self,
        trait_: &syn::Ident,
        node: &syn::ParenthesizedGenericArguments,
    ) -> TypeExprKind {
        let kind = self.function_type(&node.inputs, &node.output);
        let TypeExprKind::Function {
            parameters,
            returns: Some(output),
        } = kind
        else {
            return kind;
        };
        if !trait_.to_string().starts_with("Async") {
            return kind;
        }
        let span = self.builder.facts.type_expr(output).span;
        let name = self.builder.name("Output");
        let associated = self.builder.type_expr(
            TypeExprKind::Associated {
                name,
                type_: output,
            },
            span,
        );
        let future = self.std_path(&["std", "future", "Future"], &[associated], span);
        let bound = self.builder.type_expr(TypeExprKind::Path(future), span);
        let bounds = self.builder.types(&[bound]);
        let returns = self.builder.type_expr(TypeExprKind::Impl(bounds), span);
        TypeExprKind::Function {
            parameters,
            returns: Some(returns),
        }
    }

    fn function_type(
        &mut self,
        inputs: &Punctuated<NamedArg, Token![,]>,
        output: &ReturnType,
    ) -> TypeExprKind {
        let parameters = self.types(inputs.iter().map(|input| &input.ty));
        TypeExprKind::Function {
            parameters,
            returns: self.returns(output),
        }
    }

    /// Lowers the arguments of a path's segment or of a method. Lifetimes do not count.
    pub(crate) fn type_arguments(&mut self, node: &AngleBracketedGenericArguments) -> Run {
        let arguments: Vec<TypeExprId> = node
            .args
            .iter()
            .filter_map(|it| self.type_argument(it))
            .collect();
        self.builder.types(&arguments)
    }

    fn type_argument(&mut self, node: &GenericArgument) -> Option<TypeExprId> {
        match node {
            GenericArgument::Type(type_) => Some(self.type_(type_)),
            GenericArgument::Const(value) => {
                let span = self.span(value);
                Some(
                    self.builder
                        .type_expr(TypeExprKind::Literal(Literal::Other), span),
                )
            }
            GenericArgument::AssocType(associated) => {
                let name = self.name(&associated.ident);
                let type_ = self.type_(&associated.ty);
                Some(self.associated(name, type_))
            }
            GenericArgument::Constraint(constraint) => {
                let name = self.name(&constraint.ident);
                let span = self.token(constraint.ident.span());
                let bounds = self.bounds(&constraint.bounds);
                let type_ = self.builder.type_expr(TypeExprKind::Impl(bounds), span);
                Some(self.associated(name, type_))
            }
            _ => None,
        }
    }

    fn associated(&mut self, name: Name, type_: TypeExprId) -> TypeExprId {
        let span = self.builder.facts.type_expr(type_).span;
        self.builder
            .type_expr(TypeExprKind::Associated { name, type_ }, span)
    }

    /// Lowers the traits among some bounds.
    pub(crate) fn bounds(&mut self, bounds: &Punctuated<TypeParamBound, Token![+]>) -> Run {
        let bounds = self.bound_list(bounds);
        self.builder.types(&bounds)
    }

    fn bound_list(&mut self, bounds: &Punctuated<TypeParamBound, Token![+]>) -> Vec<TypeExprId> {
        let mut types = Vec::new();
        for bound in bounds {
            if let TypeParamBound::Trait(bound) = bound
                && bound.maybe.is_none()
            {
                let node = Type::Path(syn::TypePath {
                    attrs: Vec::new(),
                    qself: None,
                    path: bound.path.clone(),
                });
                types.push(self.type_(&node));
            }
        }
        types
    }

    /// Lowers generic parameters with the bounds written with them and in `where`. `Self` stands for a trait's own.
    pub(crate) fn generics(&mut self, node: &Generics, of_trait: bool) -> Run {
        let mut parameters: Vec<(Name, Vec<TypeExprId>)> = Vec::new();
        for parameter in &node.params {
            match parameter {
                GenericParam::Type(parameter) => {
                    let name = self.name(&parameter.ident);
                    let bounds = self.bound_list(&parameter.bounds);
                    parameters.push((name, bounds));
                }
                GenericParam::Const(parameter) => {
                    parameters.push((self.name(&parameter.ident), Vec::new()));
                }
                GenericParam::Lifetime(_) => {}
            }
        }
        if let Some(clause) = &node.where_clause {
            for predicate in &clause.predicates {
                self.where_predicate(predicate, &mut parameters, of_trait);
            }
        }
        let mut generics = Vec::with_capacity(parameters.len());
        for (name, bounds) in parameters {
            let bounds = self.builder.types(&bounds);
            generics.push(Generic { name, bounds });
        }
        self.builder.generics(&generics)
    }

    /// Adds a bound to the parameter that it speaks of. Those of enclosing items are theirs to declare.
    fn where_predicate(
        &mut self,
        node: &WherePredicate,
        parameters: &mut Vec<(Name, Vec<TypeExprId>)>,
        of_trait: bool,
    ) {
        let WherePredicate::Type(node) = node else {
            return;
        };
        let Type::Path(bounded) = &node.bounded_ty else {
            return;
        };
        let Some(ident) = bounded.path.get_ident().filter(|_| bounded.qself.is_none()) else {
            return;
        };
        let name = self.name(ident);
        let known = parameters.iter().position(|(known, _)| *known == name);
        let index = match known {
            Some(index) => index,
            None if of_trait && ident == "Self" => {
                parameters.push((name, Vec::new()));
                parameters.len() - 1
            }
            None => return,
        };
        let bounds = self.bound_list(&node.bounds);
        parameters[index].1.extend(bounds);
    }
}
