//! Names and the variables that they stand for: Python's scoping rules.
//!
//! A scope's variables are all names that are given a value anywhere in it, so they are collected before its code is
//! lowered. Class bodies are seen from their own statements only. In modules and classes a name that has no value *yet*
//! means what it means outside: `open = open`.

use nostall_model::facts::{
    BindingId, BodyKind, Definition, DefinitionId, DefinitionKind, ExprId, ExprKind, RegionId, Run,
    Sink, TypeExprId,
};
use nostall_model::{Name, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use super::lower::{Lower, children, field, span};
use super::tree::Node;

/// A value that an attribute was given, and where.
pub(super) struct AttributeStore {
    pub(super) value: ExprId,
    pub(super) region: RegionId,
}

/// The names of an open body.
pub(super) struct Frame {
    pub(super) kind: BodyKind,
    names: FxHashMap<Name, BindingId>,
    /// Names declared `global` here.
    globals: FxHashSet<Name>,
    /// Names declared `nonlocal` here.
    nonlocals: FxHashSet<Name>,
    /// Variables that have been given a value; kept for modules and classes.
    defined: FxHashSet<BindingId>,
    /// Variables that nested bodies rebind: any definition may reach any use.
    shared: FxHashSet<BindingId>,
    /// The targets of a comprehension's own loops are being given values.
    pub(super) own_targets: bool,
    /// What attributes were last given so far, whatever the object.
    pub(super) stores: FxHashMap<Name, AttributeStore>,
    /// Its code has `yield`.
    pub(super) yields: bool,
    /// Its code has `await`, or its like.
    pub(super) awaits: bool,
}

impl Frame {
    pub(super) fn new(kind: BodyKind) -> Self {
        Self {
            kind,
            names: FxHashMap::default(),
            globals: FxHashSet::default(),
            nonlocals: FxHashSet::default(),
            defined: FxHashSet::default(),
            shared: FxHashSet::default(),
            own_targets: false,
            stores: FxHashMap::default(),
            yields: false,
            awaits: false,
        }
    }

    /// Names get their value one by one, and code that runs before means something else by them.
    fn defines_in_order(&self) -> bool {
        matches!(self.kind, BodyKind::Module | BodyKind::Class)
    }
}

/// What gives a variable a value.
#[derive(Clone, Copy)]
pub(super) struct Given {
    pub(super) kind: DefinitionKind,
    pub(super) type_: Option<TypeExprId>,
}

impl From<DefinitionKind> for Given {
    fn from(kind: DefinitionKind) -> Self {
        Self { kind, type_: None }
    }
}

impl Lower<'_> {
    // ---- use

    /// Uses a name.
    pub(super) fn name_use(&mut self, node: Node<'_>) -> ExprId {
        if node.start_byte() == node.end_byte() {
            return self.unknown(node);
        }
        let name = self.name(node);
        let Some((depth, binding)) = self.look_up(name) else {
            let text = self.text;
            let path = self
                .builder
                .plain_path(&[&text[node.byte_range()]], self.scope, span(node));
            return self.expr(ExprKind::Path(path), node);
        };
        if self.frames[depth].shared.contains(&binding) && depth + 1 == self.frames.len() {
            return self.expr(
                ExprKind::Use {
                    binding,
                    reaching: Run::default(),
                },
                node,
            );
        }
        self.builder.use_of(binding, span(node))
    }

    /// Finds the variable that a name means here, with the number of the frame that has it.
    fn look_up(&self, name: Name) -> Option<(usize, BindingId)> {
        let innermost = self.frames.len().checked_sub(1)?;
        for (depth, frame) in self.frames.iter().enumerate().rev() {
            if frame.kind == BodyKind::Class && depth != innermost {
                continue;
            }
            if frame.globals.contains(&name) {
                return Some((0, *self.frames.first()?.names.get(&name)?));
            }
            let Some(binding) = frame.names.get(&name) else {
                continue;
            };
            let not_yet =
                depth == innermost && frame.defines_in_order() && !frame.defined.contains(binding);
            if !not_yet {
                return Some((depth, *binding));
            }
        }
        None
    }

    // ---- definition

    /// Gives the variable that a name means a value.
    pub(super) fn define(
        &mut self,
        node: Node<'_>,
        given: impl Into<Given>,
    ) -> Option<DefinitionId> {
        if node.start_byte() == node.end_byte() {
            return None;
        }
        let name = self.name(node);
        let depth = self.defining_frame();
        Some(self.define_in(depth, name, span(node), given.into()))
    }

    fn define_in(&mut self, depth: usize, name: Name, span: Span, given: Given) -> DefinitionId {
        let (owner, binding) = self.target(depth, name, span);
        if let DefinitionKind::Value(value) | DefinitionKind::Augmented(value) = given.kind {
            let next = DefinitionId::new(self.builder.facts.definitions.len());
            self.sink(value, Sink::Bound(next));
        }
        self.frames[owner].defined.insert(binding);
        let condition = self.condition();
        self.builder.define(Definition {
            binding,
            kind: given.kind,
            type_: given.type_,
            condition,
            span,
        })
    }

    /// A walrus in a comprehension binds in the body around it.
    fn defining_frame(&self) -> usize {
        if self.frames.last().is_some_and(|frame| frame.own_targets) {
            return self.frames.len() - 1;
        }
        self.frames
            .iter()
            .rposition(|frame| frame.kind != BodyKind::Comprehension)
            .unwrap_or(0)
    }

    /// Finds or makes the variable that an assignment to a name means, with the number of the frame that has it.
    pub(super) fn target(&mut self, depth: usize, name: Name, span: Span) -> (usize, BindingId) {
        let frame = &self.frames[depth];
        if frame.globals.contains(&name)
            && let Some(binding) = self.frames[0].names.get(&name)
        {
            return (0, *binding);
        }
        if frame.nonlocals.contains(&name) {
            let around = self.frames[..depth].iter().enumerate().rev();
            let found = around
                .filter(|(_, frame)| !frame.defines_in_order())
                .find_map(|(owner, frame)| Some((owner, *frame.names.get(&name)?)));
            if let Some(found) = found {
                return found;
            }
        }
        if let Some(binding) = frame.names.get(&name) {
            return (depth, *binding);
        }
        // Only broken code gets here without a declaration; the variable then belongs to the innermost body.
        let innermost = self.frames.len() - 1;
        (innermost, self.declare_in_innermost(name, span))
    }

    // ---- declaration

    /// Adds a variable to the innermost body.
    pub(super) fn declare(&mut self, node: Node<'_>) {
        let name = self.name(node);
        self.declare_in_innermost(name, span(node));
    }

    /// Adds the variables of a loop's target to the innermost body.
    pub(super) fn declare_targets(&mut self, target: Node<'_>) {
        variables(Some(target), &mut |_, node| self.declare(node));
    }

    fn declare_in_innermost(&mut self, name: Name, span: Span) -> BindingId {
        let frame = self.frames.last().expect("a body is open");
        if let Some(binding) = frame.names.get(&name) {
            return *binding;
        }
        let binding = self.builder.binding(name, span, true);
        let text = self.builder.facts.text(name);
        let rebound = match frame.kind {
            BodyKind::Module => self.globals.contains(text),
            BodyKind::Class => false,
            _ => self.nonlocals.contains(text),
        };
        let frame = self.frame();
        frame.names.insert(name, binding);
        if rebound {
            frame.shared.insert(binding);
        }
        binding
    }

    /// Adds the module's variables that functions declare `global`.
    pub(super) fn declare_global_names(&mut self, span: Span) {
        let mut names: Vec<String> = self.globals.iter().cloned().collect();
        names.sort_unstable();
        let start = Span::new(span.range().start, span.range().start);
        for name in names {
            let name = self.builder.name(&name);
            self.declare_in_innermost(name, start);
        }
    }

    /// Adds all variables that the code below a node gives a value, without nested bodies.
    pub(super) fn declare_names(&mut self, body: Node<'_>) {
        let mut names = Vec::new();
        let frame = self.frames.last_mut().expect("a body is open");
        collect_names(body, &mut |kind, node| names.push((kind, node)));
        let nested = !matches!(frame.kind, BodyKind::Module);
        for (kind, node) in &names {
            let text = self.text;
            let name = self.builder.name(&text[node.byte_range()]);
            let frame = self.frame();
            match kind {
                NameKind::Global if nested => _ = frame.globals.insert(name),
                NameKind::Nonlocal if nested => _ = frame.nonlocals.insert(name),
                _ => {}
            }
        }
        for (_, node) in names.iter().filter(|(kind, _)| *kind == NameKind::Variable) {
            let name = self.name(*node);
            let frame = self.frame();
            if !frame.globals.contains(&name) && !frame.nonlocals.contains(&name) {
                self.declare(*node);
            }
        }
    }
}

/// How a name is given to a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameKind {
    Variable,
    Global,
    Nonlocal,
}

/// Walks the code below a node and tells each name that it binds in its own scope.
fn collect_names<'tree>(body: Node<'tree>, tell: &mut impl FnMut(NameKind, Node<'tree>)) {
    let mut skipped = 0;
    for node in body.below() {
        if node.id() >= skipped && !node_names(node, tell) {
            skipped = node.after();
        }
    }
}

/// Tells the names that one node binds; says whether to look below it.
fn node_names<'tree>(node: Node<'tree>, tell: &mut impl FnMut(NameKind, Node<'tree>)) -> bool {
    if node.child_count() == 0 {
        return false;
    }
    match node.kind() {
        "function_definition" | "class_definition" => {
            variables(field(node, "name"), tell);
            return false;
        }
        "lambda" | "type" | "parameters" => return false,
        "assignment" | "augmented_assignment" | "for_statement" => {
            variables(field(node, "left"), tell);
        }
        "named_expression" => variables(field(node, "name"), tell),
        "as_pattern_target" => children(node)
            .into_iter()
            .for_each(|child| variables(Some(child), tell)),
        "except_clause" => variables(field(node, "alias"), tell),
        "type_alias_statement" => variables(alias_name(node), tell),
        "import_statement" | "import_from_statement" | "future_import_statement" => {
            import_names(node, tell);
        }
        "global_statement" => children(node)
            .into_iter()
            .for_each(|child| tell(NameKind::Global, child)),
        "nonlocal_statement" => children(node)
            .into_iter()
            .for_each(|child| tell(NameKind::Nonlocal, child)),
        "delete_statement" => children(node)
            .into_iter()
            .for_each(|child| variables(Some(child), tell)),
        "case_clause" => children(node)
            .into_iter()
            .filter(|child| child.kind() == "case_pattern")
            .for_each(|child| captures(child, &mut |node| tell(NameKind::Variable, node))),
        _ => {}
    }
    true
}

/// Returns the name that `type X = ..` defines.
pub(super) fn alias_name(statement: Node<'_>) -> Option<Node<'_>> {
    let mut node = field(statement, "left")?;
    while node.kind() != "identifier" {
        node = node.named_child(0)?;
    }
    Some(node)
}

fn import_names<'tree>(node: Node<'tree>, tell: &mut impl FnMut(NameKind, Node<'tree>)) {
    for name in node.in_field("name") {
        let bound = match name.kind() {
            "aliased_import" => field(name, "alias"),
            _ => name.named_child(0),
        };
        if let Some(bound) = bound.filter(|bound| bound.kind() == "identifier") {
            tell(NameKind::Variable, bound);
        }
    }
}

/// Tells the plain names of an assignment's target.
fn variables<'tree>(target: Option<Node<'tree>>, tell: &mut impl FnMut(NameKind, Node<'tree>)) {
    let mut open: Vec<Node<'tree>> = target.into_iter().collect();
    while let Some(node) = open.pop() {
        match node.kind() {
            "identifier" => tell(NameKind::Variable, node),
            "attribute" | "subscript" | "call" => {}
            _ => open.extend(children(node).into_iter().rev()),
        }
    }
}

/// Tells the names that a pattern of `case` captures.
pub(super) fn captures<'tree>(pattern: Node<'tree>, tell: &mut impl FnMut(Node<'tree>)) {
    let mut open = vec![pattern];
    while let Some(node) = open.pop() {
        match node.kind() {
            "dotted_name" if node.named_child_count() == 1 => tell_first(node, tell),
            "dotted_name" => {}
            "class_pattern" => open.extend(children(node).into_iter().skip(1).rev()),
            "keyword_pattern" => open.extend(children(node).into_iter().skip(1).rev()),
            "identifier" => tell(node),
            _ => open.extend(children(node).into_iter().rev()),
        }
    }
}

fn tell_first<'tree>(node: Node<'tree>, tell: &mut impl FnMut(Node<'tree>)) {
    if let Some(name) = node.named_child(0) {
        tell(name);
    }
}
