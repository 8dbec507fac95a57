//! Values that hold something while they live: the guards of locks, of borrows, of spans.

use nostall_model::facts::{
    BodyId, CallId, CallKind, Callee as Written, Definition, DefinitionId, DefinitionKind,
    ExprKind, Flavour, ItemKind, Sink,
};
use nostall_model::program::{Guard, Keeper, Resolution};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashSet;

use super::Cx;
use super::methods::{Callee, What};
use super::mounts::MountId;
use super::types::{Ty, TypeKind};

/// How deep values within values are looked at for guards.
const DEEPEST_GUARD: u32 = 4;

impl Cx<'_> {
    /// Adds the guards that live in the bodies of a mount.
    pub(super) fn add_guards(&self, mount: MountId, resolution: &mut Resolution) {
        let facts = self.facts(mount);
        let borrowed = self.borrowed_calls(mount);
        let mut bodies: FxHashSet<BodyId> = FxHashSet::default();
        for id in (0..facts.calls.len()).map(CallId::new) {
            let call = facts.call(id);
            let gives_guards = |callee: &Callee| {
                let item = || self.item_type(callee.returns);
                self.guard_within(callee.returns).is_some()
                    || (call.sink == Sink::Iterated && self.guard_within(item()).is_some())
            };
            if !self.callees(mount, id).iter().any(gives_guards) {
                continue;
            }
            bodies.insert(call.body);
            let temporary = call.sink == Sink::Receiver || borrowed.contains(&id);
            let value = self.type_of(mount, call.expr);
            if let (true, Some(guard)) = (temporary, self.guard_type(value)) {
                let guard = Some((guard, Confidence::Certain));
                self.add(mount, call.body, Keeper::Temporary(id), guard, resolution);
            }
        }
        for id in (0..facts.definitions.len()).map(DefinitionId::new) {
            let definition = &facts.definitions[id.index()];
            let body = facts.bindings[definition.binding.index()].body;
            let asked = match definition.kind {
                DefinitionKind::Value(_) => bodies.contains(&body) || definition.type_.is_some(),
                DefinitionKind::Parameter(_) => facts.body(body).flavour == Flavour::Async,
                _ => false,
            };
            if asked {
                let guard = self.guard_of_definition(mount, definition);
                self.add(mount, body, Keeper::Variable(id), guard, resolution);
            }
        }
    }

    /// Calls whose value is borrowed or dereferenced where it stands.
    fn borrowed_calls(&self, mount: MountId) -> FxHashSet<CallId> {
        let facts = self.facts(mount);
        let inner = facts.exprs.iter().filter_map(|expr| match expr.kind {
            ExprKind::Reference(inner) | ExprKind::Dereference(inner) => Some(inner),
            _ => None,
        });
        inner
            .filter_map(|inner| match facts.expr(inner).kind {
                ExprKind::Call(call) => Some(call),
                _ => None,
            })
            .collect()
    }

    fn guard_of_definition(
        &self,
        mount: MountId,
        definition: &Definition,
    ) -> Option<(Ty, Confidence)> {
        let ty = self.definition_type(mount, definition);
        let own_type = |ty| matches!(self.arena.kind(ty), TypeKind::Named(..));
        if self.is_awaited(mount, definition) && self.arena.members(ty).into_iter().any(own_type) {
            return None;
        }
        self.guard_within(ty)
    }

    /// Says whether awaiting something gave a value. A type of the program that is given so is made to be kept over awaits: the
    /// guard of a lock of its own.
    fn is_awaited(&self, mount: MountId, definition: &Definition) -> bool {
        let DefinitionKind::Value(mut value) = definition.kind else {
            return false;
        };
        while let ExprKind::Try(inner) = self.facts(mount).expr(value).kind {
            value = inner;
        }
        matches!(self.facts(mount).expr(value).kind, ExprKind::Await(_))
    }

    /// The guard that a value is.
    fn guard_type(&self, ty: Ty) -> Option<Ty> {
        self.arena.members(ty).into_iter().find(|member| {
            let TypeKind::External(path, _) = self.arena.kind(*member) else {
                return false;
            };
            self.catalog
                .type_entry(Language::Rust, &self.arena.text(path))
                .is_some_and(|entry| entry.guards.is_some())
        })
    }

    /// The guard that a value is, or that it owns: in an `Option`, a list, a struct.
    fn guard_within(&self, ty: Ty) -> Option<(Ty, Confidence)> {
        if let Some(found) = self.guards_within.borrow().get(&ty) {
            return *found;
        }
        let found = self.guard_in(ty, DEEPEST_GUARD);
        self.guards_within.borrow_mut().insert(ty, found);
        found
    }

    fn guard_in(&self, ty: Ty, budget: u32) -> Option<(Ty, Confidence)> {
        let budget = budget.checked_sub(1)?;
        if let Some(own) = self.guard_type(ty) {
            return Some((own, Confidence::Certain));
        }
        let in_member = |member: Ty| {
            let mut held = self.held_by(member).into_iter();
            let (guard, _) = held.find_map(|held| self.guard_in(held, budget))?;
            Some((guard, self.holds_for_sure(member)))
        };
        self.arena.members(ty).into_iter().find_map(in_member)
    }

    /// A list or a variant need not have one in it. What an `Option` or `Result` gave when a lock was taken has.
    fn holds_for_sure(&self, holder: Ty) -> Confidence {
        match self.arena.kind(holder) {
            TypeKind::Named(def, _) if !matches!(self.item(def).kind, ItemKind::Struct { .. }) => {
                Confidence::Likely
            }
            TypeKind::External(path, _) if !super::stubs::is_wrapper(&self.arena.text(path)) => {
                Confidence::Likely
            }
            _ => Confidence::Certain,
        }
    }

    fn add(
        &self,
        mount: MountId,
        body: BodyId,
        keeper: Keeper,
        guard: Option<(Ty, Confidence)>,
        resolution: &mut Resolution,
    ) {
        let Some((guard, confidence)) = guard else {
            return;
        };
        let TypeKind::External(path, _) = self.arena.kind(guard) else {
            return;
        };
        resolution.guards.push(Guard {
            body: super::bodies::program_body(resolution, mount, body),
            keeper,
            type_: (&*self.arena.text(path)).into(),
            confidence,
            taken_by: self.taken_by(mount, keeper),
        });
    }

    /// The calls whose method takes the variable of a guard by value: `vacant.insert(value)`.
    fn taken_by(&self, mount: MountId, keeper: Keeper) -> Vec<CallId> {
        let Keeper::Variable(id) = keeper else {
            return Vec::new();
        };
        let facts = self.facts(mount);
        let definition = &facts.definitions[id.index()];
        let own_type = self.definition_type(mount, definition);
        let takes_it = |id: &CallId| {
            let call = facts.call(*id);
            let Written::Method { receiver, .. } = call.callee else {
                return false;
            };
            let on_it = matches!(facts.expr(receiver).kind, ExprKind::Use { binding, .. } if binding == definition.binding);
            let callees = || {
                self.callees(mount, *id)
                    .iter()
                    .any(|it| self.is_taken_by(it.what, own_type))
            };
            on_it && call.kind == CallKind::Plain && callees()
        };
        let calls = (0..facts.calls.len()).map(CallId::new);
        calls.filter(takes_it).collect()
    }

    /// Says whether a method takes a value of a type, not one that this derefs to and that is copied out of it.
    fn is_taken_by(&self, method: What, ty: Ty) -> bool {
        let is_own = self.arena.members(ty).into_iter().any(|member| {
            match (self.arena.kind(member), method) {
                (TypeKind::External(path, _), What::External(method)) => {
                    let method = self.arena.text(method);
                    method.rsplit_once("::").map(|(parent, _)| parent)
                        == Some(&*self.arena.text(path))
                }
                (TypeKind::Named(def, _), What::Function(method)) => {
                    let object = self.object_taken_by(method).map(|it| self.arena.kind(it));
                    matches!(object, Some(TypeKind::Named(own, _)) if own == def)
                }
                _ => false,
            }
        });
        is_own && self.takes_its_object(method)
    }
}
