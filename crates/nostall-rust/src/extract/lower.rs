//! What all parts of the lowering share: the state, names and spans, where values go, regions and scopes.

use std::rc::Rc;

use nostall_model::build::Builder;
use nostall_model::facts::{
    BindingId, BranchTest, ConditionId, DefinitionKind, Event, ExprId, ExprKind, RegionKind,
    ScopeId, ScopeKind, Sink,
};
use nostall_model::{Language, Name, Span};
use proc_macro2::{Ident, Span as TokenSpan};
use rustc_hash::FxHashMap;
use syn::ext::IdentExt;

use super::expansion::Rules;
use super::recover::Parsed;
use super::spans::{Ends, Places};
use super::variables::{Variable, Variables};

/// What the metavariables of a macro's arm are called: their values are not known.
pub(crate) const METAVARIABLE: &str = "__metavariable_";

/// Lowers a file's syntax to facts.
pub(crate) struct Lower<'a> {
    pub(crate) builder: Builder,
    pub(crate) places: &'a Places<'a>,
    /// Where paths are looked up and items are declared.
    pub(crate) scope: ScopeId,
    /// What an enclosing macro demands of items.
    pub(crate) condition: Option<ConditionId>,
    pub(crate) variables: Variables,
    /// The loops and labelled blocks of the innermost body.
    pub(crate) loops: Vec<OpenLoop>,
    /// Variables that are declared now exist under a condition of their own.
    pub(crate) conditional: bool,
    /// The nesting that the syntax around a macro's call may have used up.
    pub(crate) spent: usize,
    /// The rules of the file's macros that were seen so far; none where they are not known for sure.
    pub(crate) rules: FxHashMap<String, Option<Rc<Rules>>>,
    /// How many macros were expanded, and how many are being expanded within one another.
    pub(crate) expansions: usize,
    pub(crate) expanding: usize,
    /// What must hold after the expression that was just lowered, because all else leaves the block.
    pub(crate) left_unless: Vec<BranchTest>,
    /// Whether the end of the arm that was just lowered is reached.
    pub(crate) went_on: bool,
}

/// A loop or labelled block that `break` can leave.
#[derive(Debug, Default)]
pub(crate) struct OpenLoop {
    pub(crate) label: Option<String>,
    pub(crate) is_loop: bool,
    /// What `break` gives it.
    pub(crate) values: Vec<ExprId>,
    /// There is a `break`.
    pub(crate) left: bool,
}

impl<'a> Lower<'a> {
    pub(crate) fn new(places: &'a Places<'a>) -> Self {
        Self {
            builder: Builder::new(Language::Rust),
            places,
            scope: ScopeId(0),
            condition: None,
            variables: Variables::default(),
            loops: Vec::new(),
            conditional: false,
            spent: 0,
            rules: FxHashMap::default(),
            expansions: 0,
            expanding: 0,
            left_unless: Vec::new(),
            went_on: true,
        }
    }

    /// Lowers all items of a file.
    pub(crate) fn file(&mut self, parsed: &Parsed) {
        for item in &parsed.items {
            self.item(item);
        }
    }

    // ---- names and places

    /// Returns the name of an identifier, without `r#`.
    pub(crate) fn name(&mut self, ident: &Ident) -> Name {
        let text = ident.unraw().to_string();
        self.builder.name(&text)
    }

    /// Returns the span of a node.
    pub(crate) fn span(&self, node: &impl Ends) -> Span {
        self.places.node(node)
    }

    /// Returns the span of a token.
    pub(crate) fn token(&self, token: TokenSpan) -> Span {
        self.places.of(token)
    }

    // ---- values

    pub(crate) fn unknown(&mut self, span: Span) -> ExprId {
        self.builder.expr(ExprKind::Unknown, span)
    }

    pub(crate) fn unit(&mut self, span: Span) -> ExprId {
        self.builder.expr(ExprKind::Unit, span)
    }

    pub(crate) fn never(&mut self, span: Span) -> ExprId {
        self.builder.expr(ExprKind::Never, span)
    }

    pub(crate) fn kind(&self, value: ExprId) -> ExprKind {
        self.builder.facts.expr(value).kind
    }

    pub(crate) fn is_literal(&self, value: ExprId) -> bool {
        matches!(self.kind(value), ExprKind::Literal(_))
    }

    /// Says where a value goes: a call's, or those of all calls that it may come from.
    pub(crate) fn give(&mut self, value: ExprId, sink: Sink) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match self.kind(value) {
                ExprKind::Select(values) => {
                    open.extend_from_slice(self.builder.facts.expr_list(values));
                }
                ExprKind::Call(_) => self.builder.set_sink(value, sink),
                _ => {}
            }
        }
    }

    /// One of some values; those that are never reached do not count.
    pub(crate) fn one_of(&mut self, values: &[ExprId], span: Span) -> ExprId {
        let reached: Vec<ExprId> = values
            .iter()
            .copied()
            .filter(|value| !matches!(self.kind(*value), ExprKind::Never))
            .collect();
        match reached.as_slice() {
            [] => self.never(span),
            [only] => *only,
            several => {
                let run = self.builder.exprs(several);
                self.builder.expr(ExprKind::Select(run), span)
            }
        }
    }

    /// A variable's value is passed on: it is moved away if it may own something.
    pub(crate) fn consume(&mut self, value: ExprId) {
        if let ExprKind::Use { binding, .. } = self.kind(value) {
            self.moved(binding);
        }
    }

    /// Records a move out of a variable of this body.
    pub(crate) fn moved(&mut self, binding: BindingId) {
        let own = self.builder.facts.bindings[binding.index()].body == self.builder.body();
        if own && self.variables.owns(binding) && !self.variables.is_moved(binding) {
            self.builder.event(Event::Move(binding));
            self.variables.moved(binding);
        }
    }

    /// Returns a use of what a name means here: a variable, or a path.
    pub(crate) fn named(&mut self, name: Name, span: Span) -> ExprId {
        if let Some(binding) = self.variables.find(name) {
            return self.builder.use_of(binding, span);
        }
        let text = self.builder.facts.text(name).to_owned();
        if text.starts_with(METAVARIABLE) {
            return self.unknown(span);
        }
        let path = self.builder.plain_path(&[&text], self.scope, span);
        self.builder.expr(ExprKind::Path(path), span)
    }

    // ---- variables and scopes

    /// Declares a variable, without a value yet.
    pub(crate) fn declare(
        &mut self,
        name: Name,
        span: Span,
        mutable: bool,
        owns: bool,
    ) -> BindingId {
        if self.conditional
            && let Some(twin) = self.variables.twin(name)
        {
            return twin;
        }
        let binding = self.builder.binding(name, span, mutable);
        let (conditional, statement) = (self.conditional, self.builder.statement);
        self.variables.declare(Variable {
            name,
            binding,
            owns,
            conditional,
            statement,
        });
        binding
    }

    /// Lowers something with a scope for variables of its own; they end with it.
    pub(crate) fn scoped<R>(&mut self, lower: impl FnOnce(&mut Self) -> R) -> R {
        let conditional = std::mem::take(&mut self.conditional);
        self.variables.open();
        let result = lower(self);
        self.end_scope();
        self.conditional = conditional;
        result
    }

    /// Lowers code that declares items with a scope for them.
    pub(crate) fn in_block_scope<R>(
        &mut self,
        has_items: bool,
        lower: impl FnOnce(&mut Self) -> R,
    ) -> R {
        if !has_items {
            return lower(self);
        }
        let outer = self.scope;
        self.scope = self.builder.scope(outer, ScopeKind::Block);
        let result = lower(self);
        self.scope = outer;
        result
    }

    // ---- regions

    /// Lowers one of the ways that control flow can take.
    pub(crate) fn arm<R>(
        &mut self,
        kind: RegionKind,
        span: Span,
        lower: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.builder.open_arm(kind, span);
        self.variables.enter_branch();
        let result = lower(self);
        self.variables.leave_branch();
        self.went_on = self.builder.close_arm();
        result
    }

    /// Lowers code that runs or does not.
    pub(crate) fn maybe<R>(&mut self, span: Span, lower: impl FnOnce(&mut Self) -> R) -> R {
        self.builder.fork();
        let result = self.arm(RegionKind::Branch, span, lower);
        self.builder.join(false);
        result
    }

    /// Lowers code that exists under a condition, if there is one.
    pub(crate) fn under<R>(
        &mut self,
        condition: Option<ConditionId>,
        span: Span,
        lower: impl FnOnce(&mut Self) -> R,
    ) -> R {
        if condition.is_none() {
            return lower(self);
        }
        self.maybe(span, |cx| {
            cx.set_region_condition(condition);
            lower(cx)
        })
    }

    pub(crate) fn set_region_condition(&mut self, condition: Option<ConditionId>) {
        let region = self.builder.region();
        self.builder.facts.regions[region.index()].condition = condition;
    }

    /// Lowers something that counts as a statement of its own.
    pub(crate) fn as_statement<R>(&mut self, span: Span, lower: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.builder.statement, span);
        let result = lower(self);
        self.builder.statement = outer;
        result
    }

    /// Gives a variable its value.
    pub(crate) fn define(
        &mut self,
        binding: BindingId,
        kind: DefinitionKind,
        type_: Option<nostall_model::facts::TypeExprId>,
        span: Span,
    ) {
        let sunk = match kind {
            DefinitionKind::Value(value) | DefinitionKind::Augmented(value) => Some(value),
            _ => None,
        };
        let definition = nostall_model::facts::Definition {
            binding,
            kind,
            type_,
            condition: None,
            span,
        };
        let id = self.builder.define(definition);
        if let Some(value) = sunk {
            self.give(value, Sink::Bound(id));
        }
        self.variables.restored(binding);
    }
}
