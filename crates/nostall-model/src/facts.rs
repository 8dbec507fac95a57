//! What a front end says about one source, seen alone.
//!
//! Facts are arenas: everything is a small value in a vector of [`FileFacts`] and is named by its index. Nothing here is a
//! verdict: a path is a list of segments, not what it resolves to; a condition is kept, not judged.
//!
//! Words of this module:
//! * an **item** is a definition that others can name: module, function, type, impl, import alias target;
//! * a **scope** is a place in which items and imports can stand;
//! * a **body** is code that runs: it has parameters, *bindings* and a tree of *regions* that hold *events* in the order in
//!   which they happen;
//! * a **binding** is one variable; each place that gives it a value is a **definition** of it, and a **use** names the
//!   definitions that may reach it, so that shadowing and rebinding come out right by construction;
//! * a **call** is anything that runs other code: written calls, and the implicit ones (operators, `?`, iteration, drop, …).

use crate::{Language, Name, Names, Span, finding::ProblemCode};

/// Declares index types, one per arena.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// Makes an id from an index.
            ///
            /// # Panics
            /// When the index does not fit 32 bits.
            #[must_use]
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("an arena holds fewer than 2^32 elements"))
            }

            /// Returns the id as an index.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// Names an [`Item`].
    ItemId,
    /// Names a [`Scope`].
    ScopeId,
    /// Names an [`Import`].
    ImportId,
    /// Names a [`Body`].
    BodyId,
    /// Names a [`Region`].
    RegionId,
    /// Names a [`Binding`].
    BindingId,
    /// Names a [`Definition`].
    DefinitionId,
    /// Names an [`Expr`].
    ExprId,
    /// Names a [`Call`].
    CallId,
    /// Names a [`PathExpr`].
    PathId,
    /// Names a [`TypeExpr`].
    TypeExprId,
    /// Names a [`Condition`].
    ConditionId,
}

/// A run of elements in one of the pools of [`FileFacts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Run {
    /// The first element's index.
    pub start: u32,
    /// The index after the last.
    pub end: u32,
}

impl Run {
    /// Returns the run as a range of indices.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns how many elements there are.
    #[must_use]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Says whether there is no element.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// All that a front end says about one source.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// The language it was read as.
    pub language: Language,
    /// The strings.
    pub names: Names,
    /// Definitions that others can name.
    pub items: Vec<Item>,
    /// Where items and imports stand; scope 0 is the file.
    pub scopes: Vec<Scope>,
    /// `use` and `import`, one entry per imported name.
    pub imports: Vec<Import>,
    /// Code. In Python body 0 is the module's own.
    pub bodies: Vec<Body>,
    /// Blocks, loops, branches.
    pub regions: Vec<Region>,
    /// What happens, in order; regions hold runs of it.
    pub events: Vec<Event>,
    /// Variables.
    pub bindings: Vec<Binding>,
    /// Places that give a variable a value.
    pub definitions: Vec<Definition>,
    /// Expressions.
    pub exprs: Vec<Expr>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Paths as written.
    pub paths: Vec<PathExpr>,
    /// Types as written.
    pub types: Vec<TypeExpr>,
    /// Conditions on definitions.
    pub conditions: Vec<Condition>,
    /// Pool: path segments.
    pub segments: Vec<Segment>,
    /// Pool: arguments.
    pub arguments: Vec<Argument>,
    /// Pool: parameters.
    pub parameters: Vec<Parameter>,
    /// Pool: generic parameters.
    pub generics: Vec<Generic>,
    /// Pool: fields of types.
    pub fields: Vec<Field>,
    /// Pool: lists of expressions.
    pub expr_lists: Vec<ExprId>,
    /// Pool: lists of types.
    pub type_lists: Vec<TypeExprId>,
    /// Pool: lists of definitions.
    pub definition_lists: Vec<DefinitionId>,
    /// Pool: lists of bindings.
    pub binding_lists: Vec<BindingId>,
    /// Pool: lists of conditions.
    pub condition_lists: Vec<ConditionId>,
    /// Comments that speak to tools: suppressions in any known form.
    pub comments: Vec<Comment>,
    /// Parts that could not be read.
    pub problems: Vec<SourceProblem>,
    /// The lines that are code or comment text, for suppressions: each item's span from its first attribute or decorator.
    pub attribute_spans: Vec<(Span, Span)>,
}

/// A part of a source that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProblem {
    /// Where.
    pub span: Span,
    /// What kind.
    pub code: ProblemCode,
    /// What went wrong.
    pub message: String,
}

/// A comment that mentions `nostall`, `noqa` or another mark that tools read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The whole comment with its marker, one line of it at a time for block comments.
    pub span: Span,
}

/// A definition that others can name.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its name; an impl has none.
    pub name: Option<Name>,
    /// Where it is declared.
    pub scope: ScopeId,
    /// The scope it opens: module, class, trait and impl.
    pub inner: Option<ScopeId>,
    /// Its code: a function's, a constant's value, a macro arm is found through [`FileFacts::items`].
    pub body: Option<BodyId>,
    /// When it exists.
    pub condition: Option<ConditionId>,
    /// Attributes or decorators, as expressions (`expr_lists`).
    pub attributes: Run,
    /// Generic parameters (`generics`).
    pub generics: Run,
    /// Whether others may name it from outside its scope.
    pub public: bool,
    /// The whole item without its attributes.
    pub span: Span,
    /// The name.
    pub name_span: Span,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A module with its code in this file.
    Module,
    /// `mod x;`: a module in another file; the path is from `#[path = ".."]`.
    ModuleFile {
        /// The written path, if there is one.
        path: Option<Name>,
    },
    /// `include!("x.rs")` of items.
    Include {
        /// The literal path.
        path: Name,
    },
    /// A function or method.
    Function,
    /// A struct or union with its fields (`fields`).
    Struct {
        /// The fields in order.
        fields: Run,
    },
    /// An enum; its variants are items in its inner scope.
    Enum,
    /// A variant with its fields (`fields`).
    Variant {
        /// The fields in order.
        fields: Run,
    },
    /// A class with its bases (`expr_lists`); its attributes are found through its body.
    Class {
        /// The base classes as expressions.
        bases: Run,
    },
    /// A trait with its supertraits (`type_lists`).
    Trait {
        /// The supertraits.
        supertraits: Run,
    },
    /// An impl block.
    Impl {
        /// The implemented trait.
        trait_: Option<TypeExprId>,
        /// The type it is for.
        self_type: TypeExprId,
    },
    /// A type alias or an associated type (without a value in a trait).
    TypeAlias {
        /// What it stands for.
        target: Option<TypeExprId>,
    },
    /// A constant or static.
    Constant {
        /// The written type.
        type_: Option<TypeExprId>,
    },
    /// `macro_rules!`: its arms are bodies of kind [`BodyKind::Macro`] with this item.
    Macro {
        /// `#[macro_export]`.
        exported: bool,
    },
    /// `extern crate x as y;`: `name` is the alias.
    ExternCrate {
        /// The crate's name.
        target: Name,
    },
}

/// A place in which items and imports can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The scope around it.
    pub parent: Option<ScopeId>,
    /// What opens it.
    pub kind: ScopeKind,
}

/// What opens a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// The file itself.
    File,
    /// A module, class, trait, impl or enum.
    Item(ItemId),
    /// A function's generic parameters and `self`.
    Function(ItemId),
    /// A block of code that declares items or imports.
    Block,
}

/// One imported name.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// What is imported, as written.
    pub path: PathId,
    /// How many dots a relative Python import begins with.
    pub level: u16,
    /// What kind of import.
    pub kind: ImportKind,
    /// The scope that it adds a name to.
    pub scope: ScopeId,
    /// When it exists.
    pub condition: Option<ConditionId>,
    /// Whether others may use the name through this scope.
    pub public: bool,
    /// The import.
    pub span: Span,
}

/// What an import binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// One name for the whole path.
    Named(Name),
    /// `import a.b.c` in Python: binds `a`.
    Root(Name),
    /// Everything below the path.
    Glob,
    /// `use T as _`: brings a trait's methods, no name.
    Anonymous,
}

/// When a definition exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `cfg(name)`.
    Flag(Name),
    /// `cfg(name = "value")`.
    Value(Name, Name),
    /// `cfg(all(..))` (`condition_lists`).
    All(Run),
    /// `cfg(any(..))` (`condition_lists`).
    Any(Run),
    /// `cfg(not(..))`.
    Not(ConditionId),
    /// `#[test]` and its like: exists only for tests.
    Test,
    /// Under `if TYPE_CHECKING`: for type checkers only, never run.
    TypeChecking,
    /// In a `try` that has `except ImportError`.
    ImportTried,
    /// In the `except ImportError` itself.
    ImportFailed,
    /// Some other test at the level of definitions.
    Unknown,
}

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
    /// Where.
    pub span: Span,
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
    /// `mut` (Rust), always true in Python.
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
    /// Declared without a value.
    Declared,
    /// Deleted.
    Deleted,
}

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

impl FileFacts {
    /// Makes facts that say nothing, with the file's scope.
    #[must_use]
    pub fn empty(language: Language) -> Self {
        Self {
            language,
            names: Names::default(),
            items: Vec::new(),
            scopes: vec![Scope {
                parent: None,
                kind: ScopeKind::File,
            }],
            imports: Vec::new(),
            bodies: Vec::new(),
            regions: Vec::new(),
            events: Vec::new(),
            bindings: Vec::new(),
            definitions: Vec::new(),
            exprs: Vec::new(),
            calls: Vec::new(),
            paths: Vec::new(),
            types: Vec::new(),
            conditions: Vec::new(),
            segments: Vec::new(),
            arguments: Vec::new(),
            parameters: Vec::new(),
            generics: Vec::new(),
            fields: Vec::new(),
            expr_lists: Vec::new(),
            type_lists: Vec::new(),
            definition_lists: Vec::new(),
            binding_lists: Vec::new(),
            condition_lists: Vec::new(),
            comments: Vec::new(),
            problems: Vec::new(),
            attribute_spans: Vec::new(),
        }
    }

    /// Returns an expression.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.index()]
    }

    /// Returns a call.
    #[must_use]
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// Returns a body.
    #[must_use]
    pub fn body(&self, id: BodyId) -> &Body {
        &self.bodies[id.index()]
    }

    /// Returns an item.
    #[must_use]
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id.index()]
    }

    /// Returns a path.
    #[must_use]
    pub fn path(&self, id: PathId) -> &PathExpr {
        &self.paths[id.index()]
    }

    /// Returns a written type.
    #[must_use]
    pub fn type_expr(&self, id: TypeExprId) -> &TypeExpr {
        &self.types[id.index()]
    }

    /// Returns a name's text.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        self.names.text(name)
    }

    /// Returns the segments of a path.
    #[must_use]
    pub fn path_segments(&self, id: PathId) -> &[Segment] {
        &self.segments[self.path(id).segments.range()]
    }

    /// Returns a path as text, its segments with `separator` between them.
    #[must_use]
    pub fn path_text(&self, id: PathId, separator: &str) -> String {
        let names: Vec<&str> = self
            .path_segments(id)
            .iter()
            .map(|segment| self.text(segment.name))
            .collect();
        names.join(separator)
    }

    /// Returns the arguments of a call.
    #[must_use]
    pub fn call_arguments(&self, id: CallId) -> &[Argument] {
        &self.arguments[self.call(id).arguments.range()]
    }

    /// Returns the parameters of a body.
    #[must_use]
    pub fn body_parameters(&self, id: BodyId) -> &[Parameter] {
        &self.parameters[self.body(id).parameters.range()]
    }

    /// Returns the events of a region.
    #[must_use]
    pub fn region_events(&self, id: RegionId) -> &[Event] {
        &self.events[self.regions[id.index()].events.range()]
    }

    /// Returns a list of expressions.
    #[must_use]
    pub fn expr_list(&self, run: Run) -> &[ExprId] {
        &self.expr_lists[run.range()]
    }

    /// Returns a list of types.
    #[must_use]
    pub fn type_list(&self, run: Run) -> &[TypeExprId] {
        &self.type_lists[run.range()]
    }

    /// Walks the regions from `id` outwards, itself first.
    pub fn regions_outwards(&self, id: RegionId) -> impl Iterator<Item = RegionId> {
        std::iter::successors(Some(id), |id| self.regions[id.index()].parent)
    }
}
