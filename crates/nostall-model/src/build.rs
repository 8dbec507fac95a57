//! Makes [`FileFacts`]: the one way in which front ends write them.
//!
//! The builder keeps the arenas consistent, keeps the events of a region together, and follows which definitions of a
//! variable may reach each use. Front ends tell it when control flow parts and joins; what a name is bound to is theirs to know.
//!
//! Flow is followed with a journal: entering an arm remembers where the journal stands, leaving it takes the changes
//! back, and the join adds up what the arms did. The cost is that of the changes, not of the number of variables.

use rustc_hash::FxHashMap;

use crate::facts::{
    Argument, Binding, BindingId, Body, BodyId, BodyKind, Call, CallId, CallKind, Callee,
    Condition, ConditionId, Definition, DefinitionId, DefinitionKind, Event, Expr, ExprId,
    ExprKind, FileFacts, Flavour, Generic, Import, ImportId, Item, ItemId, Parameter, PathExpr,
    PathId, Region, RegionId, RegionKind, Run, Scope, ScopeId, ScopeKind, Segment, Sink, TypeExpr,
    TypeExprId, TypeExprKind,
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
            span,
        });
        id
    }

    /// Closes the innermost region.
    ///
    /// # Panics
    /// When none is open.
    pub fn close_region(&mut self) {
        let (id, events) = self.current_mut().regions.pop().expect("a region is open");
        self.facts.regions[id.index()].events = push_run(&mut self.facts.events, &events);
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

    // ---- control flow

    /// Control flow parts: one of the arms that follow runs.
    pub fn fork(&mut self) {
        self.push_fork(false);
    }

    /// A `try` body follows, as the first arm; each further arm begins with anything that the body may have done.
    pub fn attempt(&mut self) {
        self.push_fork(true);
    }

    fn push_fork(&mut self, attempt: bool) {
        let open = self.current_mut();
        let fork = Fork {
            journal: open.journal.len(),
            entered_unreachable: open.unreachable,
            arms: Vec::new(),
            attempt,
        };
        open.frames.push(Frame::Fork(fork));
    }

    /// An arm begins.
    pub fn open_arm(&mut self, kind: RegionKind, span: Span) {
        self.open_region(kind, span);
    }

    /// The arm ends; what it did is kept for the join, and taken back for the next arm.
    ///
    /// # Panics
    /// When no fork is open.
    pub fn close_arm(&mut self) {
        self.close_region();
        let open = self.open.last_mut().expect("a body is open");
        let Some(Frame::Fork(fork)) = open.frames.last_mut() else {
            panic!("a fork is open")
        };
        let changes = take_back(&mut open.journal, fork.journal, &mut self.reaching);
        fork.arms.push(Arm {
            changes,
            unreachable: open.unreachable,
        });
        open.unreachable = fork.entered_unreachable;
        if fork.attempt && fork.arms.len() == 1 {
            self.spread_attempt();
        }
    }

    /// The body of a `try` has ended: all that follows may find what it did, or not.
    fn spread_attempt(&mut self) {
        let Some(Frame::Fork(fork)) = self.current_mut().frames.last_mut() else {
            return;
        };
        let made = sorted(fork.arms[0].changes.clone());
        for (binding, made) in made {
            let mut reaching = self.reaching[binding.index()].clone();
            add_all(&mut reaching, &made);
            self.set_reaching(binding, reaching);
        }
        let open = self.current_mut();
        let journal = open.journal.len();
        if let Some(Frame::Fork(fork)) = open.frames.last_mut() {
            fork.journal = journal;
        }
    }

    /// Control flow joins. `exhaustive`: one of the arms ran for certain.
    ///
    /// # Panics
    /// When no fork is open.
    pub fn join(&mut self, exhaustive: bool) {
        let Some(Frame::Fork(fork)) = self.current_mut().frames.pop() else {
            panic!("a fork is open")
        };
        let live: Vec<&Arm> = fork.arms.iter().filter(|arm| !arm.unreachable).collect();
        if live.is_empty() && exhaustive && !fork.arms.is_empty() {
            self.current_mut().unreachable = true;
            return;
        }
        self.merge(&live, exhaustive);
    }

    /// Control flow joins in code that runs however the arms end, as `finally` does: all that they did may hold.
    ///
    /// # Panics
    /// When no fork is open.
    pub fn join_always(&mut self) {
        let Some(Frame::Fork(fork)) = self.current_mut().frames.pop() else {
            panic!("a fork is open")
        };
        let arms: Vec<&Arm> = fork.arms.iter().collect();
        self.merge(&arms, false);
        if !arms.is_empty() && arms.iter().all(|arm| arm.unreachable) {
            self.current_mut().unreachable = true;
        }
    }

    /// Adds up what the arms did. What an arm did not touch keeps the value from before in it.
    fn merge(&mut self, arms: &[&Arm], exhaustive: bool) {
        let mut changes: Vec<(BindingId, usize)> = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            changes.extend(arm.changes.keys().map(|binding| (*binding, index)));
        }
        changes.sort_unstable();
        for group in changes.chunk_by(|one, other| one.0 == other.0) {
            let binding = group[0].0;
            let untouched = !exhaustive || group.len() < arms.len();
            let mut after = if untouched {
                self.reaching[binding.index()].clone()
            } else {
                Vec::new()
            };
            for (_, index) in group {
                add_all(&mut after, &arms[*index].changes[&binding]);
            }
            self.set_reaching(binding, after);
        }
    }

    /// A loop begins: its region may run any number of times.
    pub fn open_loop(&mut self, span: Span) -> RegionId {
        let region = self.open_region(RegionKind::Loop, span);
        let first_use = self.uses.len();
        let open = self.current_mut();
        let frame = Loop {
            journal: open.journal.len(),
            first_use,
            entered_unreachable: open.unreachable,
            jumped: FxHashMap::default(),
        };
        open.frames.push(Frame::Loop(frame));
        region
    }

    /// The loop ends: what it defined reaches its own beginning and what follows.
    ///
    /// # Panics
    /// When no loop is open.
    pub fn close_loop(&mut self) {
        self.close_region();
        let open = self.open.last_mut().expect("a body is open");
        let Some(Frame::Loop(frame)) = open.frames.pop() else {
            panic!("a loop is open")
        };
        let ended = open.unreachable;
        open.unreachable = frame.entered_unreachable;
        let mut made = take_back(&mut open.journal, frame.journal, &mut self.reaching);
        if ended {
            made.clear();
        }
        for (binding, reaching) in frame.jumped {
            add_all(made.entry(binding).or_default(), &reaching);
        }
        self.flow_back(&made, frame.first_use);
        for (binding, made) in sorted(made) {
            let mut reaching = self.reaching[binding.index()].clone();
            add_all(&mut reaching, &made);
            self.set_reaching(binding, reaching);
        }
    }

    /// Adds the definitions of a loop's end to the uses that its beginning reaches.
    fn flow_back(&mut self, made: &FxHashMap<BindingId, Vec<DefinitionId>>, first_use: usize) {
        if made.is_empty() {
            return;
        }
        for pending in &mut self.uses[first_use..] {
            let Some(made) = made.get(&pending.binding) else {
                continue;
            };
            let before = &self.reaching[pending.binding.index()];
            let from_outside = pending.reaching.iter().any(|id| before.contains(id));
            if from_outside || pending.reaching.is_empty() {
                add_all(&mut pending.reaching, made);
            }
        }
    }

    /// `break` or `continue`: what holds here also holds at the loop's ends.
    pub fn jump(&mut self) {
        self.event(Event::Jump);
        let open = self.open.last_mut().expect("a body is open");
        let frame = open.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Loop(frame) => Some(frame),
            Frame::Fork(_) => None,
        });
        if let Some(frame) = frame {
            for (binding, _) in &open.journal[frame.journal.min(open.journal.len())..] {
                add_all(
                    frame.jumped.entry(*binding).or_default(),
                    &self.reaching[binding.index()],
                );
            }
        }
        open.unreachable = true;
    }

    /// What follows in this arm is not reached: after `return`, `raise`, `panic!`.
    pub fn diverge(&mut self) {
        self.current_mut().unreachable = true;
    }

    fn current(&self) -> &OpenBody {
        self.open.last().expect("a body is open")
    }

    fn current_mut(&mut self) -> &mut OpenBody {
        self.open.last_mut().expect("a body is open")
    }
}

/// Undoes the journal down to `start`; answers what had been reached by the changed variables.
fn take_back(
    journal: &mut Vec<(BindingId, Vec<DefinitionId>)>,
    start: usize,
    reaching: &mut [Vec<DefinitionId>],
) -> FxHashMap<BindingId, Vec<DefinitionId>> {
    let mut changes: FxHashMap<BindingId, Vec<DefinitionId>> = FxHashMap::default();
    for (binding, old) in journal.drain(start..).rev() {
        let now = std::mem::replace(&mut reaching[binding.index()], old);
        changes.entry(binding).or_insert(now);
    }
    changes
}

fn sorted<V>(map: FxHashMap<BindingId, V>) -> Vec<(BindingId, V)> {
    let mut entries: Vec<(BindingId, V)> = map.into_iter().collect();
    entries.sort_unstable_by_key(|(binding, _)| *binding);
    entries
}

fn add_all(to: &mut Vec<DefinitionId>, from: &[DefinitionId]) {
    for id in from {
        if to.len() < MAX_REACHING && !to.contains(id) {
            to.push(*id);
        }
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
