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

mod bodies;
mod calls;
mod exprs;
mod items;

pub use bodies::*;
pub use calls::*;
pub use exprs::*;
pub use items::*;

use rustc_hash::FxHashMap;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Assigned values that may be read as types, each with the type that it is then: `Db = Annotated[Session, Depends(f)]`
    /// (Python).
    pub type_forms: Vec<(ExprId, TypeExprId)>,
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
    /// Pool: tests that decide about branches.
    pub branch_tests: Vec<BranchTest>,
    /// Comments that speak to tools: suppressions in any known form.
    pub comments: Vec<Comment>,
    /// Parts that could not be read.
    pub problems: Vec<SourceProblem>,
    /// Structs and enums with lifetime parameters, in order: their values borrow (Rust).
    pub borrowing: Vec<ItemId>,
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
            type_forms: Vec::new(),
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
            branch_tests: Vec::new(),
            comments: Vec::new(),
            problems: Vec::new(),
            borrowing: Vec::new(),
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

    /// Returns the last name of a written type, by references to it: `Store` for `&mut shop::Store<u8>`.
    #[must_use]
    pub fn named_type(&self, written: TypeExprId) -> Option<&str> {
        let mut written = written;
        // Types that are parsed nest no deeper than the parser allows.
        loop {
            match self.type_expr(written).kind {
                TypeExprKind::Reference(inner) => written = inner,
                TypeExprKind::Path(path) => {
                    let last = self.path_segments(path).last()?;
                    return Some(self.text(last.name));
                }
                _ => return None,
            }
        }
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

    /// Returns the methods that are called, by what they are called on.
    #[must_use]
    pub fn methods_by_receiver(&self) -> FxHashMap<ExprId, CallId> {
        let calls = self.calls.iter().enumerate();
        calls
            .filter_map(|(index, call)| match call.callee {
                Callee::Method { receiver, .. } => Some((receiver, CallId::new(index))),
                _ => None,
            })
            .collect()
    }

    /// Walks the regions from `id` outwards, itself first.
    pub fn regions_outwards(&self, id: RegionId) -> impl Iterator<Item = RegionId> {
        std::iter::successors(Some(id), |id| self.regions[id.index()].parent)
    }
}
