//! What calls in async code use of the code around them, and what it takes to give that to another thread.

use nostall_catalog::{Clones, Thread};
use nostall_model::facts::{
    BodyId, CallId, Expr, ExprId, ExprKind, FileFacts, ItemKind, ParameterKind, PathId,
    TypeExprKind,
};
use nostall_model::program::{
    Captured, Ownership, ProgramBody, ProgramCall, Resolution, TargetKind,
};
use nostall_model::{Context, Language, Span};
use rustc_hash::FxHashSet;

use super::Cx;
use super::mounts::{DefId, MountId};
use super::types::{Ty, TypeKind};

/// How deep a type's parts are asked. A type that is nested deeper is rare, and "not known" is a safe answer.
const DEEPEST_PART: u32 = 6;

/// An enum has many parts, and each of them as many again.
const DEEPEST_PART_OF_ENUM: u32 = 2;

/// How a value of a type can be handed on, the best last: a value is handed on as the worst of its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Handing {
    /// Stays on its thread.
    Bound,
    /// Lives no longer than what it borrows from.
    Lends,
    Unknown,
    Moves,
    Clones,
    Copies,
}

impl Cx<'_> {
    /// Adds what the calls of a mount use that stand in async code and reach something.
    pub(super) fn add_captured(&self, mount: MountId, resolution: &mut Resolution) {
        let facts = self.facts(mount);
        let own = resolution.mounts[mount.index()];
        let first = own.first_body as usize;
        let on_executor: Vec<bool> = facts
            .bodies
            .iter()
            .enumerate()
            .scan(Vec::new(), |known: &mut Vec<bool>, (index, body)| {
                // Outer bodies come before inner ones: what stands in async code may run there.
                let around = body.parent.is_some_and(|parent| known[parent.index()]);
                let is_async = resolution.bodies[first + index].context == Context::Async;
                known.push(is_async || around);
                Some(is_async || around)
            })
            .collect();
        if !on_executor.contains(&true) {
            return;
        }
        let places = places(facts);
        let called_on = facts.methods_by_receiver();
        for index in 0..facts.calls.len() {
            let id = CallId::new(index);
            let call = own.call(id);
            if !on_executor[facts.call(id).body.index()]
                || !reaches_something(resolution, call.index())
            {
                continue;
            }
            let used = within(facts, &places, facts.call(id).span);
            // What becomes of its value decides too: a reference cannot come back from another thread.
            for value in used.into_iter().chain([facts.call(id).expr]) {
                let ownership = self.ownership(self.type_of(mount, value));
                let changed = called_on
                    .get(&value)
                    .is_some_and(|method| self.changes_receiver(own.call(*method), resolution));
                resolution.captured.push(Captured {
                    call,
                    value,
                    ownership,
                    changed,
                });
            }
        }
    }

    /// Whether a call reaches a function of the program that takes `&mut self`.
    fn changes_receiver(&self, call: ProgramCall, resolution: &Resolution) -> bool {
        let targets = resolution.calls[call.index()].targets;
        let mut all = resolution.targets[targets.range()].iter();
        all.any(|target| match target.kind {
            TargetKind::Body(body) => self.takes_itself_mutably(body, resolution),
            _ => false,
        })
    }

    fn takes_itself_mutably(&self, body: ProgramBody, resolution: &Resolution) -> bool {
        let after = resolution
            .mounts
            .partition_point(|mount| mount.first_body <= body.0);
        let index = after.saturating_sub(1);
        let facts = self.facts(MountId(index as u32));
        let body = BodyId(body.0 - resolution.mounts[index].first_body);
        facts.body_parameters(body).first().is_some_and(|first| {
            let by_reference = first
                .type_
                .is_some_and(|id| matches!(facts.type_expr(id).kind, TypeExprKind::Reference(_)));
            first.kind == ParameterKind::Receiver
                && by_reference
                && facts.bindings[first.binding.index()].mutable
        })
    }

    fn ownership(&self, ty: Ty) -> Ownership {
        match self.arena.kind(ty) {
            TypeKind::Reference(inner) => {
                let handing = self.handing(self.arena.referent(inner), DEEPEST_PART);
                match handing {
                    Handing::Bound => Ownership::Bound,
                    Handing::Lends => Ownership::Tied,
                    _ => Ownership::Borrowed {
                        clones: handing >= Handing::Clones,
                    },
                }
            }
            TypeKind::Union(members) => {
                let mut all = members.iter().map(|member| self.ownership(*member));
                let first = all.next().unwrap_or(Ownership::Unknown);
                if all.all(|other| other == first) {
                    first
                } else {
                    Ownership::Unknown
                }
            }
            _ => match self.handing(ty, DEEPEST_PART) {
                Handing::Unknown => Ownership::Unknown,
                Handing::Lends => Ownership::Tied,
                Handing::Bound => Ownership::Bound,
                Handing::Moves => Ownership::Owned { clones: false },
                Handing::Clones => Ownership::Owned { clones: true },
                Handing::Copies => Ownership::Copied,
            },
        }
    }

    fn handing(&self, ty: Ty, budget: u32) -> Handing {
        let Some(budget) = budget.checked_sub(1) else {
            return Handing::Unknown;
        };
        let least = |types: &[Ty]| {
            let parts = types.iter().map(|part| self.handing(*part, budget));
            parts.min().unwrap_or(Handing::Copies)
        };
        match self.arena.kind(ty) {
            TypeKind::Primitive(name) if &*self.arena.text(name) == "str" => Handing::Clones,
            TypeKind::Primitive(_) | TypeKind::Function(..) => Handing::Copies,
            TypeKind::FunctionItem(_) | TypeKind::ExternalFunction(_) => Handing::Copies,
            TypeKind::Never => Handing::Copies,
            TypeKind::Tuple(members) => least(&members),
            TypeKind::Slice(inner) => self.handing(inner, budget).min(Handing::Clones),
            TypeKind::Closure(..) | TypeKind::Future(_) => Handing::Moves,
            // A part that is a reference: the value lives no longer than what it refers to.
            TypeKind::Reference(_) => Handing::Lends,
            TypeKind::Named(def, _) => self.handing_of_own(def, ty, budget),
            TypeKind::Dyn(bounds) => self.handing_of_object(&bounds, budget),
            TypeKind::External(path, arguments) => {
                let path = self.arena.text(path);
                let Some(entry) = self.catalog.type_entry(Language::Rust, &path) else {
                    return Handing::Unknown;
                };
                if entry.thread == Some(Thread::Same) {
                    return Handing::Bound;
                }
                match entry.clones {
                    Some(Clones::Shared) => Handing::Clones,
                    Some(Clones::Parts) => least(&arguments).min(Handing::Clones),
                    Some(Clones::Copied) => least(&arguments),
                    None => Handing::Unknown,
                }
            }
            TypeKind::Parameter(def, name) => self.handing_by_bounds(&self.bounds(def, name)),
            TypeKind::Impl(bounds) => self.handing_by_bounds(&bounds),
            TypeKind::Unknown | TypeKind::Associated(..) | TypeKind::Union(_) => Handing::Unknown,
        }
    }

    /// A type of the program: what it derives or implements; one with a part that stays on its thread stays there too.
    fn handing_of_own(&self, def: DefId, ty: Ty, budget: u32) -> Handing {
        let budget = match self.item(def).kind {
            ItemKind::Enum => budget.min(DEEPEST_PART_OF_ENUM),
            _ => budget,
        };
        let bound = |part: &Ty| self.handing(*part, budget) == Handing::Bound;
        if self.fields_of(def, ty).iter().any(bound) {
            return Handing::Bound;
        }
        let borrowing = &self.facts(def.mount).borrowing;
        if borrowing.binary_search(&def.item).is_ok() {
            return Handing::Lends;
        }
        let derived = self.derives(def);
        if derived.contains("Copy") {
            return Handing::Copies;
        }
        let ty = self.self_type(def);
        let clones = derived.contains("Clone")
            || self
                .impl_of_external_trait(ty, &["std::clone::Clone"])
                .is_some();
        if clones {
            Handing::Clones
        } else {
            Handing::Moves
        }
    }

    /// A trait object goes to another thread where its bounds say so: `dyn Error` alone stays.
    fn handing_of_object(&self, bounds: &[Ty], budget: u32) -> Handing {
        let Some(budget) = budget.checked_sub(1) else {
            return Handing::Unknown;
        };
        let all = bounds.iter().map(|bound| match self.arena.kind(*bound) {
            TypeKind::External(path, _) => match &*self.arena.text(path) {
                "std::marker::Send" => Handing::Moves,
                path if path.starts_with("std::") => Handing::Bound,
                _ => Handing::Unknown,
            },
            TypeKind::Named(def, _) => match self.item(def).kind {
                ItemKind::Trait { supertraits } => {
                    self.handing_of_object(&self.written_types(def.mount, supertraits), budget)
                }
                _ => Handing::Unknown,
            },
            _ => Handing::Unknown,
        });
        all.max().unwrap_or(Handing::Bound)
    }

    /// The last names of the traits that `#[derive(..)]` lists.
    pub(super) fn derives(&self, def: DefId) -> FxHashSet<String> {
        let facts = self.facts(def.mount);
        let paths = self.derive_paths(def).into_iter();
        paths
            .filter_map(|path| facts.path_segments(path).last())
            .map(|last| facts.text(last.name).to_owned())
            .collect()
    }

    /// The traits that `#[derive(..)]` lists, as they are written.
    pub(super) fn derive_paths(&self, def: DefId) -> Vec<PathId> {
        let facts = self.facts(def.mount);
        let attributes = facts.expr_list(facts.item(def.item).attributes).iter();
        attributes
            .filter_map(|attribute| match facts.expr(*attribute).kind {
                ExprKind::Struct { path, fields } if facts.path_text(path, "::") == "derive" => {
                    Some(&facts.arguments[fields.range()])
                }
                _ => None,
            })
            .flatten()
            .filter_map(|argument| match facts.expr(argument.value).kind {
                ExprKind::Path(path) => Some(path),
                _ => None,
            })
            .collect()
    }

    /// A type parameter: only what its bounds promise.
    fn handing_by_bounds(&self, bounds: &[Ty]) -> Handing {
        let has = |wanted: &str| {
            bounds.iter().any(|bound| {
                matches!(self.arena.kind(*bound), TypeKind::External(path, _) if &*self.arena.text(path) == wanted)
            })
        };
        match (has("std::marker::Send"), has("std::clone::Clone")) {
            (true, true) => Handing::Clones,
            (true, false) => Handing::Moves,
            (false, clones) => match self.handing_of_object(bounds, DEEPEST_PART) {
                Handing::Moves if clones => Handing::Clones,
                other => other,
            },
        }
    }
}

fn reaches_something(resolution: &Resolution, call: usize) -> bool {
    let targets = resolution.calls[call].targets;
    resolution.targets[targets.range()]
        .iter()
        .any(|target| matches!(target.kind, TargetKind::Body(_) | TargetKind::Api(_)))
}

/// All variables and fields of variables of a file, each in its longest form (`self.store`, not `self`), by where they begin.
fn places(facts: &FileFacts) -> Vec<(u32, ExprId)> {
    let bases: FxHashSet<ExprId> = facts
        .exprs
        .iter()
        .filter_map(|expr| match expr.kind {
            ExprKind::Attribute { base, .. } => Some(base),
            _ => None,
        })
        .collect();
    let all = (0..facts.exprs.len()).map(ExprId::new);
    let mut places: Vec<(u32, ExprId)> = all
        .filter(|id| !bases.contains(id) && root(facts, *id).is_some())
        .map(|id| (facts.expr(id).span.start, id))
        .collect();
    places.sort_unstable();
    places
}

/// The variable that a place begins with.
fn root(facts: &FileFacts, id: ExprId) -> Option<nostall_model::facts::BindingId> {
    let mut current = id;
    // Fields of fields are few; a chain that is longer than this is no place that a reader would call one.
    for _ in 0..16 {
        match facts.expr(current).kind {
            ExprKind::Use { binding, .. } => return Some(binding),
            ExprKind::Attribute { base, .. } => current = base,
            _ => return None,
        }
    }
    None
}

/// The places within a span whose variables come from outside of it.
fn within(facts: &FileFacts, places: &[(u32, ExprId)], span: Span) -> Vec<ExprId> {
    let inside = |inner: Span| span.start <= inner.start && inner.end <= span.end;
    let first = places.partition_point(|(start, _)| *start < span.start);
    places[first..]
        .iter()
        .take_while(|(start, _)| *start < span.end)
        .map(|(_, id)| *id)
        .filter(|id| {
            let Expr { span, .. } = facts.expr(*id);
            let outside = |binding: nostall_model::facts::BindingId| {
                !inside(facts.bindings[binding.index()].span)
            };
            inside(*span) && root(facts, *id).is_some_and(outside)
        })
        .collect()
}
