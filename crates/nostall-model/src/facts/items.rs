//! Definitions that others can name, where they stand, and when they exist.

use super::*;

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
    /// Attributes or decorators, as expressions (`expr_lists`). An attribute of Rust with arguments is an
    /// [`ExprKind::Struct`](crate::facts::ExprKind::Struct): a path with what is written after it; nothing is called.
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
        /// The class whose objects such classes are, where it is written.
        metaclass: Option<ExprId>,
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
    /// A function's generic parameters and `self`; a type alias's parameters.
    Function(ItemId),
    /// The head of a function whose own type parameters it may name (Python).
    Head(ItemId),
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
