//! Code that runs: bodies, parameters, regions, events, variables.

use super::*;

/// The code of a function, method, closure, block, comprehension, macro arm, module or class.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// What kind of code.
    pub kind: BodyKind,
    /// How it runs when it is called.
    pub flavour: Flavour,
    /// The item whose code it is.
    pub item: Option<ItemId>,
    /// The body it is written in.
    pub parent: Option<BodyId>,
    /// Parameters (`parameters`), the receiver first.
    pub parameters: Run,
    /// The written return type.
    pub returns: Option<TypeExprId>,
    /// Its outermost region.
    pub region: RegionId,
    /// The value of its last expression.
    pub value: Option<ExprId>,
    /// The scope in which its names are looked up.
    pub scope: ScopeId,
    /// Variables of enclosing bodies that it uses (`binding_lists`).
    pub captures: Run,
    /// `move |..|`.
    pub moves: bool,
    /// The whole body with its head.
    pub span: Span,
    /// Its name, or the start of it: `|x|`, `async`, `lambda`.
    pub name_span: Span,
}

/// What kind of code a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// A function or method.
    Function,
    /// A closure or lambda.
    Closure,
    /// `async { .. }`: a value, run when polled.
    AsyncBlock,
    /// A comprehension or generator expression.
    Comprehension,
    /// A `macro_rules!` arm that parses as code.
    Macro,
    /// A module's own statements.
    Module,
    /// A class's own statements.
    Class,
    /// The value of a constant or static, run at compile time or when first used.
    Constant,
    /// The head of a function without code: a trait's method without a default, an `extern` function.
    Signature,
}

impl Body {
    /// Says whether this is the head of a function without code.
    #[must_use]
    pub fn is_signature(&self) -> bool {
        self.kind == BodyKind::Signature
    }
}

/// How a body runs when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// At once, on the caller's thread.
    Sync,
    /// As a future, when polled.
    Async,
    /// Step by step, when iterated.
    Generator,
    /// Step by step, when iterated by async code.
    AsyncGenerator,
}

/// One parameter of a body.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its variable; a pattern is taken apart by further definitions.
    pub binding: BindingId,
    /// How it is passed.
    pub kind: ParameterKind,
    /// The written type or annotation.
    pub type_: Option<TypeExprId>,
    /// The annotation as an expression, where it holds code (`Annotated[X, Depends(f)]`).
    pub annotation: Option<ExprId>,
    /// The default value.
    pub default: Option<ExprId>,
}

/// How a parameter is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// `self`, `cls`, `&mut self`.
    Receiver,
    /// By position only.
    Positional,
    /// By position or name.
    Normal,
    /// By name only.
    Keyword,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    RestKeywords,
}

/// A generic parameter with its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Generic {
    /// Its name; `Self` stands for a trait's own.
    pub name: Name,
    /// The bounds written with it and in `where` (`type_lists`).
    pub bounds: Run,
}

/// A field of a struct or variant.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, `0`, `1`, … in tuples.
    pub name: Name,
    /// Its type.
    pub type_: TypeExprId,
}

/// A part of a body in which events happen in order.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// What kind.
    pub kind: RegionKind,
    /// The region around it.
    pub parent: Option<RegionId>,
    /// The body it is part of.
    pub body: BodyId,
    /// What happens (`events`).
    pub events: Run,
    /// When it exists: a statement, an arm or a field under `#[cfg(..)]` is a branch of its own.
    pub condition: Option<ConditionId>,
    /// Tests of variables that must all have their answer for it to run (`branch_tests`).
    pub tests: Run,
    /// Where.
    pub span: Span,
}

/// A test of a variable, of an attribute of one, or of a call's answer, that decides whether a branch runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchTest {
    /// The use of the variable, an attribute of one, or a call.
    pub value: ExprId,
    /// What is tested.
    pub shown: Shown,
    /// The answer with which the branch runs.
    pub holds: bool,
}

/// What a test asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    /// Whether it is true, in Python also whether it is not empty.
    True,
    /// Whether it is Python's `None`.
    None,
    /// Whether it equals this literal.
    Equals(ExprId),
    /// What a call answers that is given it and something else: whether it is of a type, if the call is `isinstance`.
    Asked(CallId),
    /// Whether the call failed: the branch handles its exception.
    Raised,
    /// Whether it is Rust's `Ok` or `Some`.
    Success {
        /// How many of them stand within each other: two for `Ok(Some(_))`.
        layers: u8,
        /// Whether that alone decides: of `Ok(x) if test` the refusal says little.
        alone: bool,
    },
    /// Whether it is the variant of this name of an enum of Rust.
    Variant(Name),
    /// Whether all of several tests have their answer (`branch_tests`): where that does not hold, one of them may have it still.
    All(Run),
    /// Nothing is tested: exceptions of these types are handled, if the region raises them.
    Handled,
}

/// What kind of region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionKind {
    /// One after the other.
    Block,
    /// Zero times or more; the head of a `while` is inside, the iterated expression of a `for` is not.
    Loop,
    /// Once or not at all: an arm, one side of `if`, `and`, `or`, `?:`, an `except`, an `else`.
    Branch,
    /// A `try` body: it may stop anywhere.
    Try,
    /// `finally`.
    Finally,
    /// The body of a `with`.
    With,
    /// An arm of `select!`: runs if its future is first.
    SelectArm,
    /// An `unsafe` block, a labelled block, `{ .. }` as a value.
    Inner,
}

/// What happens in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A region begins and ends here.
    Region(RegionId),
    /// A call is made.
    Call(CallId),
    /// The future in this expression is awaited: the task may be suspended.
    Await(ExprId),
    /// A variable is given a value for the first time.
    Bind(DefinitionId),
    /// A variable is given another value.
    Assign(DefinitionId),
    /// An attribute or element of something is given a value.
    Store {
        /// What is assigned to.
        target: ExprId,
        /// The value.
        value: ExprId,
    },
    /// A variable's value is moved away (Rust) or deleted (Python).
    Move(BindingId),
    /// A variable goes out of scope; its value is dropped unless it was moved.
    ScopeEnd(BindingId),
    /// Values that calls within this span gave and nobody keeps are dropped: the end of a statement, or of the condition
    /// of an `if`.
    TemporariesEnd(Span),
    /// The body returns this.
    Return(Option<ExprId>),
    /// The body yields this.
    Yield(Option<ExprId>),
    /// A loop or block is left or begun anew.
    Jump,
    /// An exception is raised.
    Raise,
}

/// A variable of a body.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Its name.
    pub name: Name,
    /// The body that declares it.
    pub body: BodyId,
    /// Where it is first named.
    pub span: Span,
    /// `mut` or `&mut self` (Rust), always true in Python.
    pub mutable: bool,
}

/// A place that gives a variable a value.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The variable.
    pub binding: BindingId,
    /// What it is given.
    pub kind: DefinitionKind,
    /// The type written here.
    pub type_: Option<TypeExprId>,
    /// When it exists, for definitions at the level of modules and classes.
    pub condition: Option<ConditionId>,
    /// The variable's name here.
    pub span: Span,
}

/// What shows more of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// A call that asks.
    Test {
        /// The call.
        call: CallId,
        /// What is known of it.
        answer: Answer,
    },
    /// The pattern of a case, whose class the variable has: a part of the variable's value.
    Pattern(ExprId),
}

/// What is known of a call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Whether its answer was true.
    True(bool),
    /// Whether its answer was Python's `None`.
    None(bool),
    /// It was made.
    Made,
    /// What it gave was awaited.
    Awaited,
}

/// What a definition gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionKind {
    /// The body's parameter with this index.
    Parameter(u16),
    /// The value of an expression; patterns are [`ExprKind::Project`].
    Value(ExprId),
    /// The sum of the old value and this one: `x += y`.
    Augmented(ExprId),
    /// An imported name (Python).
    Import(ImportId),
    /// A function or class statement (Python).
    Item(ItemId),
    /// An exception of these types.
    Caught(Option<ExprId>),
    /// The value that the variable has, of which a test shows more.
    Narrowed {
        /// The use of the variable in the test.
        value: ExprId,
        /// What is shown.
        by: Narrowing,
    },
    /// Declared without a value.
    Declared,
    /// Deleted.
    Deleted,
}
