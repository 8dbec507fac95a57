//! Calls of any kind.

use super::*;

/// A call of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Written, or which implicit kind.
    pub kind: CallKind,
    /// What is called.
    pub callee: Callee,
    /// The arguments (`arguments`), without the receiver.
    pub arguments: Run,
    /// Type arguments of a method (`type_lists`): `collect::<Vec<_>>`.
    pub type_arguments: Run,
    /// Where its value goes.
    pub sink: Sink,
    /// The body it stands in.
    pub body: BodyId,
    /// The region it stands in.
    pub region: RegionId,
    /// The expression that has its value.
    pub expr: ExprId,
    /// The callee's name as written.
    pub name_span: Span,
    /// The whole call.
    pub span: Span,
    /// The statement around it.
    pub statement: Span,
}

/// Which kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// `f(x)`, `a.f(x)`.
    Plain,
    /// `m!(..)`; its arguments are what parses as expressions.
    Macro,
    /// `a.b`: may run a property's code.
    Attribute,
    /// `a.b = c`, `del a.b`: may run what a property has for that.
    Accessor,
    /// `a + b`, `a == b`, `-a` on values that may have their own operators.
    Operator,
    /// `a[b]`.
    Index,
    /// Entering a `with`.
    Enter,
    /// Leaving a `with`.
    Exit,
    /// Beginning an iteration and each step of it.
    Iterate,
    /// A value written into a text.
    Format,
    /// `if a:`, `not a`: whether a value counts as true.
    Truth,
    /// `?`, which converts the error.
    Convert,
    /// A value going out of scope.
    Drop,
}

/// What a call calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The value of an expression.
    Value(ExprId),
    /// A method of a value, looked up by the value's type; in Python also an attribute of a module.
    Method {
        /// The object.
        receiver: ExprId,
        /// The name.
        name: Name,
    },
    /// A macro.
    Macro(PathId),
}

/// Where the value of a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Nowhere.
    Dropped,
    /// Into `await`.
    Awaited,
    /// Out of the body.
    Returned,
    /// Into a variable.
    Bound(DefinitionId),
    /// Into argument `index` of another call.
    Argument {
        /// The other call.
        call: CallId,
        /// Which argument.
        index: u16,
    },
    /// It is the object of a method call or an attribute.
    Receiver,
    /// Into `?`.
    Tried,
    /// Into a loop.
    Iterated,
    /// Into a `with`.
    Entered,
    /// Into an `async with` or an `async for`.
    AsyncUsed,
    /// Into an attribute, an element, a collection or a larger expression.
    Stored,
}

/// One argument of a call, or field of a struct literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The keyword or field name.
    pub name: Option<Name>,
    /// How it is passed.
    pub kind: ArgumentKind,
    /// The value.
    pub value: ExprId,
}

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// By position.
    Positional,
    /// By name.
    Keyword,
    /// `*args`, or `..base` of a struct literal.
    Spread,
    /// `**kwargs`.
    SpreadKeywords,
}
