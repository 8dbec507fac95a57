//! Expressions, paths and types as written.

use super::*;

/// An expression.
#[derive(Clone, Copy, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// What an expression is. Only what analysis needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExprKind {
    /// Something that no analysis asks for.
    Unknown,
    /// A literal.
    Literal(Literal),
    /// Names that no variable of a body binds: looked up by scope.
    Path(PathId),
    /// A variable with the definitions that may reach this use (`definition_lists`).
    Use {
        /// The variable.
        binding: BindingId,
        /// The definitions; none where a nested body uses an outer variable: then any of them.
        reaching: Run,
    },
    /// `base.name` without a call.
    Attribute {
        /// The object.
        base: ExprId,
        /// The attribute.
        name: Name,
    },
    /// The value of a call.
    Call(CallId),
    /// The value of an awaited future.
    Await(ExprId),
    /// `value?`.
    Try(ExprId),
    /// A closure, lambda, async block or comprehension as a value: made, not run.
    Callable(BodyId),
    /// `&value`, `&mut value`.
    Reference(ExprId),
    /// `*value`.
    Dereference(ExprId),
    /// A number or truth value made from this one: `-x`, `!x`, `not x`.
    Unary(ExprId),
    /// `value as T`, `cast(T, value)`.
    Cast {
        /// The value.
        value: ExprId,
        /// The type.
        type_: TypeExprId,
    },
    /// A struct literal (`arguments`).
    Struct {
        /// The type's or variant's path.
        path: PathId,
        /// The fields.
        fields: Run,
    },
    /// Several values together (`expr_lists`).
    Collection {
        /// What they make.
        kind: CollectionKind,
        /// The values; of a mapping key, value, key, value.
        elements: Run,
    },
    /// One of these, decided at run time (`expr_lists`): `if`, `match`, `or`, `?:`.
    Select(Run),
    /// A part of a value that a pattern, a loop or a `with` takes.
    Project {
        /// The value.
        base: ExprId,
        /// Which part.
        part: Part,
    },
    /// A text made from values.
    Text,
    /// Never has a value: `return`, `break`, `panic!()`.
    Never,
    /// The empty value of a statement.
    Unit,
}

/// Which part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Element `index` of a tuple.
    Element(u16),
    /// The rest of a sequence pattern.
    Rest,
    /// An element of a sequence pattern.
    Item,
    /// The next element of an iteration.
    Iterated,
    /// The next element of an async iteration.
    AsyncIterated,
    /// What `with` binds.
    Entered,
    /// What `async with` binds.
    AsyncEntered,
    /// Field `index` of the tuple variant or tuple struct with this path.
    Variant {
        /// The path of the pattern.
        path: PathId,
        /// Which field.
        index: u16,
    },
    /// The named field of a struct or struct variant.
    Field {
        /// The path of the pattern.
        path: PathId,
        /// Which field.
        name: Name,
    },
    /// Behind a reference pattern, or a box.
    Referent,
    /// The value itself, known to be of this type: a class pattern.
    Class(PathId),
}

/// A literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number, if it fits.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Str(Name),
    /// Bytes.
    Bytes,
    /// A character.
    Char,
    /// `None` of Python.
    None,
    /// `...`, or a number that does not fit.
    Other,
}

/// What several values make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// A tuple.
    Tuple,
    /// A list, array or vector.
    List,
    /// A set.
    Set,
    /// A mapping.
    Mapping,
    /// Bounds between which elements are taken: `1:10`.
    Slice,
}

/// A path as written: `a::b::<T>::c`, or a name of Python.
#[derive(Clone, Copy, Debug)]
pub struct PathExpr {
    /// The segments (`segments`).
    pub segments: Run,
    /// Begins with `::`.
    pub global: bool,
    /// `<T as Trait>::..`: the type.
    pub qualified_self: Option<TypeExprId>,
    /// How many of the segments name the trait in `<T as Trait>`.
    pub trait_segments: u16,
    /// Where it is looked up.
    pub scope: ScopeId,
    /// Where it is written.
    pub span: Span,
}

/// One segment of a path.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// The name.
    pub name: Name,
    /// Type arguments (`type_lists`).
    pub arguments: Run,
}

/// A type as written.
#[derive(Clone, Copy, Debug)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeExprKind,
    /// Where.
    pub span: Span,
}

/// What a written type is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TypeExprKind {
    /// `a::B<C>`, `a.B`.
    Path(PathId),
    /// `a.B[C, D]` of Python (`type_lists`).
    Subscript {
        /// The generic type.
        base: TypeExprId,
        /// The arguments.
        arguments: Run,
    },
    /// `&T`, `&mut T`, `*const T`.
    Reference(TypeExprId),
    /// `(A, B)` (`type_lists`).
    Tuple(Run),
    /// `[T]`, `[T; N]`.
    Slice(TypeExprId),
    /// `fn(A) -> B`, `Fn(A) -> B` (`type_lists`), `Callable[[A], B]`.
    Function {
        /// The parameters.
        parameters: Run,
        /// The result.
        returns: Option<TypeExprId>,
    },
    /// `impl A + B` (`type_lists`).
    Impl(Run),
    /// `dyn A + B` (`type_lists`).
    Dyn(Run),
    /// `A | B`, `Optional[A]`, `Union[A, B]` (`type_lists`).
    Union(Run),
    /// `Item = T` among type arguments.
    Associated {
        /// The associated type's name.
        name: Name,
        /// Its value.
        type_: TypeExprId,
    },
    /// A literal where a type may stand: `None` of Python, a constant argument.
    Literal(Literal),
    /// `_`, or something that no analysis asks for.
    Unknown,
    /// `!`.
    Never,
}
