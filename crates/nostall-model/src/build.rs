//! Makes [`FileFacts`]: the one way in which front ends write them.
//!
//! The builder keeps the arenas consistent, keeps the events of a region together, and follows which definitions of a
//! variable may reach each use. Front ends tell it when control flow parts and joins; what a name is bound to is theirs to know.
//!
//! Flow is followed with a journal: entering an arm remembers where the journal stands, leaving it takes the changes
//! back, and the join adds up what the arms did. The cost is that of the changes, not of the number of variables.

mod flow;

use rustc_hash::FxHashMap;

use crate::facts::{
    Argument, Binding, BindingId, Body, BodyId, BodyKind, BranchTest, Call, CallId, CallKind,
    Callee, Condition, ConditionId, Definition, DefinitionId, DefinitionKind, Event, Expr, ExprId,
    ExprKind, FileFacts, Flavour, Generic, Import, ImportId, Item, ItemId, Narrowing, Parameter,
    PathExpr, PathId, Region, RegionId, RegionKind, Run, Scope, ScopeId, ScopeKind, Segment, Shown,
    Sink, TypeExpr, TypeExprId, TypeExprKind,
};
use crate::{Language, Name, Span};

/// How many definitions of a variable are kept for one use. Generated code has variables that are set in thousands of
/// branches; without a bound the work is quadratic.
const MAX_REACHING: usize = 64;

/// Collects the facts of one file.
#[derive(Debug)]
pub struct Builder {
    /// The facts so far. Arenas may be read freely; they are written through the methods here.
    pub facts: FileFacts,
    /// The statement that calls are recorded with.
    pub statement: Span,
    open: Vec<OpenBody>,
    reaching: Vec<Vec<DefinitionId>>,
    uses: Vec<PendingUse>,
}

/// What a new body is.
#[derive(Clone, Copy, Debug)]
pub struct NewBody {
    /// What kind of code.
    pub kind: BodyKind,
    /// How it runs when it is called.
    pub flavour: Flavour,
    /// The item whose code it is.
    pub item: Option<ItemId>,
    /// Where its names are looked up.
    pub scope: ScopeId,
    /// The whole body with its head.
    pub span: Span,
    /// Its name, or its start.
    pub name_span: Span,
}

/// What a new call is.
#[derive(Clone, Copy, Debug)]
pub struct NewCall {
    /// Written, or which implicit kind.
    pub kind: CallKind,
    /// What is called.
    pub callee: Callee,
    /// Type arguments.
    pub type_arguments: Run,
    /// The callee's name.
    pub name_span: Span,
    /// The whole call.
    pub span: Span,
}

#[derive(Debug)]
struct OpenBody {
    id: BodyId,
    regions: Vec<(RegionId, Vec<Event>)>,
    captures: Vec<BindingId>,
    frames: Vec<Frame>,
    journal: Vec<(BindingId, Vec<DefinitionId>)>,
    unreachable: bool,
}

#[derive(Debug)]
enum Frame {
    Fork(Fork),
    Loop(Loop),
}

/// Control flow that has parted and not yet joined.
#[derive(Debug, Default)]
struct Fork {
    journal: usize,
    entered_unreachable: bool,
    arms: Vec<Arm>,
    attempt: bool,
}

#[derive(Debug)]
struct Arm {
    changes: FxHashMap<BindingId, Vec<DefinitionId>>,
    unreachable: bool,
}

/// A loop whose end is not yet reached.
#[derive(Debug)]
struct Loop {
    journal: usize,
    first_use: usize,
    entered_unreachable: bool,
    jumped: FxHashMap<BindingId, Vec<DefinitionId>>,
}

/// A variable about which a test shows more; see [`Builder::narrow`].
#[derive(Debug)]
pub struct Narrowed {
    id: DefinitionId,
    before: Vec<DefinitionId>,
}

#[derive(Debug)]
struct PendingUse {
    expr: ExprId,
    binding: BindingId,
    reaching: Vec<DefinitionId>,
}

impl Builder {
    /// Starts with nothing but the file's scope, which is scope 0.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self {
            facts: FileFacts::empty(language),
            statement: Span::default(),
            open: Vec::new(),
            reaching: Vec::new(),
            uses: Vec::new(),
        }
    }

    /// Ends the building.
    ///
    /// # Panics
    /// When a body is still open: that is an error of the front end.
    #[must_use]
    pub fn finish(mut self) -> FileFacts {
        assert!(self.open.is_empty(), "every opened body is closed");
        for pending in std::mem::take(&mut self.uses) {
            let reaching = push_run(&mut self.facts.definition_lists, &pending.reaching);
            self.facts.exprs[pending.expr.index()].kind = ExprKind::Use {
                binding: pending.binding,
                reaching,
            };
        }
        self.facts
    }

    /// Returns the id of a text.
    pub fn name(&mut self, text: &str) -> Name {
        self.facts.names.intern(text)
    }

    // ---- definitions that others can name

    /// Adds a scope.
    pub fn scope(&mut self, parent: ScopeId, kind: ScopeKind) -> ScopeId {
        self.facts.scopes.push(Scope {
            parent: Some(parent),
            kind,
        });
        ScopeId::new(self.facts.scopes.len() - 1)
    }

    /// Adds an item.
    pub fn item(&mut self, item: Item) -> ItemId {
        self.facts.items.push(item);
        ItemId::new(self.facts.items.len() - 1)
    }

    /// Adds an import.
    pub fn import(&mut self, import: Import) -> ImportId {
        self.facts.imports.push(import);
        ImportId::new(self.facts.imports.len() - 1)
    }

    /// Adds a condition.
    pub fn condition(&mut self, condition: Condition) -> ConditionId {
        self.facts.conditions.push(condition);
        ConditionId::new(self.facts.conditions.len() - 1)
    }

    /// Adds a path.
    pub fn path(&mut self, path: PathExpr) -> PathId {
        self.facts.paths.push(path);
        PathId::new(self.facts.paths.len() - 1)
    }

    /// Adds a path of plain names.
    pub fn plain_path(&mut self, names: &[&str], scope: ScopeId, span: Span) -> PathId {
        let segments: Vec<Segment> = names
            .iter()
            .map(|text| Segment {
                name: self.name(text),
                arguments: Run::default(),
            })
            .collect();
        let segments = self.segments(&segments);
        self.path(PathExpr {
            segments,
            global: false,
            qualified_self: None,
            trait_segments: 0,
            scope,
            span,
        })
    }

    /// Adds a type as written.
    pub fn type_expr(&mut self, kind: TypeExprKind, span: Span) -> TypeExprId {
        self.facts.types.push(TypeExpr { kind, span });
        TypeExprId::new(self.facts.types.len() - 1)
    }

    // ---- pools

    /// Adds a run of path segments.
    pub fn segments(&mut self, segments: &[Segment]) -> Run {
        push_run(&mut self.facts.segments, segments)
    }

    /// Adds a run of arguments.
    pub fn arguments(&mut self, arguments: &[Argument]) -> Run {
        push_run(&mut self.facts.arguments, arguments)
    }

    /// Adds a run of generic parameters.
    pub fn generics(&mut self, generics: &[Generic]) -> Run {
        push_run(&mut self.facts.generics, generics)
    }

    /// Adds a list of expressions.
    pub fn exprs(&mut self, exprs: &[ExprId]) -> Run {
        push_run(&mut self.facts.expr_lists, exprs)
    }

    /// Adds a list of types.
    pub fn types(&mut self, types: &[TypeExprId]) -> Run {
        push_run(&mut self.facts.type_lists, types)
    }

    /// Adds a list of conditions.
    pub fn conditions(&mut self, conditions: &[ConditionId]) -> Run {
        push_run(&mut self.facts.condition_lists, conditions)
    }

    // ---- bodies and regions

    /// Opens a body with its outermost region; what follows belongs to it until it is closed.
    pub fn open_body(&mut self, new: NewBody) -> BodyId {
        let id = BodyId::new(self.facts.bodies.len());
        self.facts.bodies.push(Body {
            kind: new.kind,
            flavour: new.flavour,
            item: new.item,
            parent: self.open.last().map(|open| open.id),
            parameters: Run::default(),
            returns: None,
            region: RegionId(0),
            value: None,
            scope: new.scope,
            captures: Run::default(),
            moves: false,
            span: new.span,
            name_span: new.name_span,
        });
        self.open.push(OpenBody {
            id,
            regions: Vec::new(),
            captures: Vec::new(),
            frames: Vec::new(),
            journal: Vec::new(),
            unreachable: false,
        });
        let region = self.open_region(RegionKind::Block, new.span);
        self.facts.bodies[id.index()].region = region;
        id
    }

    /// Sets the parameters of the innermost body.
    pub fn set_parameters(&mut self, parameters: &[Parameter]) {
        let run = push_run(&mut self.facts.parameters, parameters);
        let id = self.body();
        self.facts.bodies[id.index()].parameters = run;
    }

    /// Gives access to the innermost body's record.
    pub fn body_mut(&mut self) -> &mut Body {
        let id = self.body();
        &mut self.facts.bodies[id.index()]
    }

    /// Closes the innermost body.
    ///
    /// # Panics
    /// When no body is open, or one of its inner regions still is.
    pub fn close_body(&mut self, value: Option<ExprId>) {
        self.close_region();
        let open = self.open.pop().expect("a body is open");
        assert!(open.regions.is_empty(), "every opened region is closed");
        if let Some(value) = value {
            self.set_sink(value, Sink::Returned);
        }
        let captures = push_run(&mut self.facts.binding_lists, &open.captures);
        let body = &mut self.facts.bodies[open.id.index()];
        body.value = value;
        body.captures = captures;
    }

    /// Returns the innermost body.
    ///
    /// # Panics
    /// When no body is open.
    #[must_use]
    pub fn body(&self) -> BodyId {
        self.current().id
    }

    /// Says whether a body is open.
    #[must_use]
    pub fn in_body(&self) -> bool {
        !self.open.is_empty()
    }

    /// Opens a region inside the innermost one.
    ///
    /// # Panics
    /// When no body is open.
    pub fn open_region(&mut self, kind: RegionKind, span: Span) -> RegionId {
        let id = RegionId::new(self.facts.regions.len());
        let open = self.open.last_mut().expect("a body is open");
        let parent = open.regions.last().map(|(id, _)| *id);
        if let Some((_, events)) = open.regions.last_mut() {
            events.push(Event::Region(id));
        }
        open.regions.push((id, Vec::new()));
        self.facts.regions.push(Region {
            kind,
            parent,
            body: open.id,
            events: Run::default(),
            condition: None,
            tests: Run::default(),
            span,
        });
        id
    }

    /// Keeps several tests, and returns what asks them all at once.
    pub fn all_of(&mut self, tests: &[BranchTest]) -> Shown {
        Shown::All(push_run(&mut self.facts.branch_tests, tests))
    }

    /// Says what decides whether the innermost open region runs.
    pub fn decide(&mut self, tests: &[BranchTest]) {
        let open = self.current().regions.last();
        if let Some(region) = open.map(|(region, _)| *region) {
            self.decide_for(region, tests);
        }
    }

    /// Says what decides about a region.
    pub fn decide_for(&mut self, region: RegionId, tests: &[BranchTest]) {
        self.facts.regions[region.index()].tests = push_run(&mut self.facts.branch_tests, tests);
    }

    /// Closes the innermost region.
    ///
    /// # Panics
    /// When none is open.
    pub fn close_region(&mut self) {
        let (id, events) = self.current_mut().regions.pop().expect("a region is open");
        self.facts.regions[id.index()].events = push_run(&mut self.facts.events, &events);
    }

    /// Says whether a region of the innermost body is open.
    #[must_use]
    pub fn is_open(&self, region: RegionId) -> bool {
        let mut open = self.current().regions.iter();
        open.any(|(id, _)| *id == region)
    }

    /// Returns the innermost region.
    ///
    /// # Panics
    /// When none is open.
    #[must_use]
    pub fn region(&self) -> RegionId {
        self.current().regions.last().expect("a region is open").0
    }

    /// Records what happens next.
    ///
    /// # Panics
    /// When no region is open.
    pub fn event(&mut self, event: Event) {
        self.current_mut()
            .regions
            .last_mut()
            .expect("a region is open")
            .1
            .push(event);
    }

    // ---- expressions and calls

    /// Adds an expression.
    pub fn expr(&mut self, kind: ExprKind, span: Span) -> ExprId {
        self.facts.exprs.push(Expr { kind, span });
        ExprId::new(self.facts.exprs.len() - 1)
    }

    /// Adds a call, records it as an event, and tells the arguments where they go.
    pub fn call(&mut self, new: NewCall, arguments: &[Argument]) -> ExprId {
        let id = CallId::new(self.facts.calls.len());
        let expr = self.expr(ExprKind::Call(id), new.span);
        let run = self.arguments(arguments);
        self.facts.calls.push(Call {
            kind: new.kind,
            callee: new.callee,
            arguments: run,
            type_arguments: new.type_arguments,
            sink: Sink::Dropped,
            body: self.body(),
            region: self.region(),
            expr,
            name_span: new.name_span,
            span: new.span,
            statement: self.statement,
        });
        if let Callee::Method { receiver, .. } = new.callee {
            self.set_sink(receiver, Sink::Receiver);
        }
        for (index, argument) in arguments.iter().enumerate() {
            self.set_sink(
                argument.value,
                Sink::Argument {
                    call: id,
                    index: index as u16,
                },
            );
        }
        self.event(Event::Call(id));
        expr
    }

    /// Adds an implicit call of a method without arguments, such as `__enter__` or `drop`.
    pub fn implicit(
        &mut self,
        kind: CallKind,
        receiver: ExprId,
        method: &str,
        name_span: Span,
    ) -> ExprId {
        let name = self.name(method);
        let span = self.facts.expr(receiver).span;
        let sink = self.sink(receiver);
        let callee = Callee::Method { receiver, name };
        let expr = self.call(
            NewCall {
                kind,
                callee,
                type_arguments: Run::default(),
                name_span,
                span,
            },
            &[],
        );
        // The receiver is not consumed by what the language does behind the scenes.
        if let Some(sink) = sink {
            self.set_sink(receiver, sink);
        }
        expr
    }

    /// Says where the value of an expression goes, if it is the value of a call.
    pub fn set_sink(&mut self, expr: ExprId, sink: Sink) {
        if let ExprKind::Call(call) = self.facts.expr(expr).kind {
            self.facts.calls[call.index()].sink = sink;
        }
    }

    fn sink(&self, expr: ExprId) -> Option<Sink> {
        match self.facts.expr(expr).kind {
            ExprKind::Call(call) => Some(self.facts.call(call).sink),
            _ => None,
        }
    }

    // ---- variables

    /// Adds a variable to the innermost body.
    pub fn binding(&mut self, name: Name, span: Span, mutable: bool) -> BindingId {
        let body = self.body();
        self.facts.bindings.push(Binding {
            name,
            body,
            span,
            mutable,
        });
        self.reaching.push(Vec::new());
        BindingId::new(self.facts.bindings.len() - 1)
    }

    /// Gives a variable a value. The event is [`Event::Bind`] the first time a definition is made for it, then
    /// [`Event::Assign`].
    pub fn define(&mut self, definition: Definition) -> DefinitionId {
        let id = DefinitionId::new(self.facts.definitions.len());
        let binding = definition.binding;
        if let DefinitionKind::Value(value) | DefinitionKind::Augmented(value) = definition.kind {
            self.set_sink(value, Sink::Bound(id));
        }
        let first = self.reaching[binding.index()].is_empty();
        self.facts.definitions.push(definition);
        if self.facts.bindings[binding.index()].body == self.body() {
            self.event(if first {
                Event::Bind(id)
            } else {
                Event::Assign(id)
            });
            self.set_reaching(binding, vec![id]);
        } else {
            self.event(Event::Assign(id));
            self.capture(binding);
            self.may_define(binding, id);
        }
        id
    }

    /// Says that from here on something shows more about the variable that `value` uses. None where it is not a variable of
    /// the body, or has no value yet.
    pub fn narrow(&mut self, value: ExprId, by: Narrowing) -> Option<Narrowed> {
        let ExprKind::Use { binding, .. } = self.facts.expr(value).kind else {
            return None;
        };
        let before = self.reaching[binding.index()].clone();
        if before.is_empty() || self.facts.bindings[binding.index()].body != self.body() {
            return None;
        }
        let id = DefinitionId::new(self.facts.definitions.len());
        self.facts.definitions.push(Definition {
            binding,
            kind: DefinitionKind::Narrowed { value, by },
            type_: None,
            condition: None,
            span: self.facts.expr(value).span,
        });
        self.set_reaching(binding, vec![id]);
        Some(Narrowed { id, before })
    }

    /// Says that the test is forgotten: the variable has the definitions from before it, unless it was given a value since.
    pub fn widen(&mut self, narrowed: Narrowed) {
        let binding = self.facts.definitions[narrowed.id.index()].binding;
        if self.reaching[binding.index()] == [narrowed.id] {
            self.set_reaching(binding, narrowed.before);
        }
    }

    /// Adds a use of a variable.
    pub fn use_of(&mut self, binding: BindingId, span: Span) -> ExprId {
        let expr = self.expr(
            ExprKind::Use {
                binding,
                reaching: Run::default(),
            },
            span,
        );
        if self.facts.bindings[binding.index()].body == self.body() {
            let reaching = self.reaching[binding.index()].clone();
            self.uses.push(PendingUse {
                expr,
                binding,
                reaching,
            });
        } else {
            self.capture(binding);
        }
        expr
    }

    /// Returns the definitions that reach this point.
    #[must_use]
    pub fn reaching(&self, binding: BindingId) -> &[DefinitionId] {
        &self.reaching[binding.index()]
    }

    fn capture(&mut self, binding: BindingId) {
        let owner = self.facts.bindings[binding.index()].body;
        for open in self
            .open
            .iter_mut()
            .rev()
            .take_while(|open| open.id != owner)
        {
            if !open.captures.contains(&binding) {
                open.captures.push(binding);
            }
        }
    }

    fn set_reaching(&mut self, binding: BindingId, mut reaching: Vec<DefinitionId>) {
        reaching.truncate(MAX_REACHING);
        let old = std::mem::replace(&mut self.reaching[binding.index()], reaching);
        // Nothing is ever taken back where control flow has not parted.
        let open = self.current_mut();
        if !open.frames.is_empty() {
            open.journal.push((binding, old));
        }
    }

    /// A nested body gives a variable of an enclosing one a value: that may happen at any time from here on.
    fn may_define(&mut self, binding: BindingId, id: DefinitionId) {
        let owner = self.facts.bindings[binding.index()].body;
        let reaching = &mut self.reaching[binding.index()];
        let Some(open) = self.open.iter_mut().find(|open| open.id == owner) else {
            return;
        };
        if reaching.len() >= MAX_REACHING {
            return;
        }
        if !open.frames.is_empty() {
            open.journal.push((binding, reaching.clone()));
        }
        reaching.push(id);
    }

    fn current(&self) -> &OpenBody {
        self.open.last().expect("a body is open")
    }

    fn current_mut(&mut self) -> &mut OpenBody {
        self.open.last_mut().expect("a body is open")
    }
}

fn push_run<T: Copy>(pool: &mut Vec<T>, elements: &[T]) -> Run {
    let start = pool.len() as u32;
    pool.extend_from_slice(elements);
    Run {
        start,
        end: pool.len() as u32,
    }
}
