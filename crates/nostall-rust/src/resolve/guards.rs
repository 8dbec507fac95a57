//! Values that hold something while they live: the guards of locks, of borrows, of spans.

use nostall_model::facts::{
    BodyId, CallId, Definition, DefinitionId, DefinitionKind, ExprKind, Flavour, Sink,
};
use nostall_model::program::{Guard, Keeper, Resolution};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashSet;

use super::Cx;
use super::mounts::MountId;
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// Adds the guards that live in the bodies of a mount.
    pub(super) fn add_guards(&self, mount: MountId, resolution: &mut Resolution) {
        let facts = self.facts(mount);
        let borrowed = self.borrowed_calls(mount);
        let mut bodies: FxHashSet<BodyId> = FxHashSet::default();
        for id in (0..facts.calls.len()).map(CallId::new) {
            let found = self
                .callees(mount, id)
                .iter()
                .find_map(|callee| self.guard_within(callee.returns));
            if found.is_none() {
                continue;
            }
            let call = facts.call(id);
            bodies.insert(call.body);
            let temporary = call.sink == Sink::Receiver || borrowed.contains(&id);
            let value = self.type_of(mount, call.expr);
            if let (true, Some(guard)) = (temporary, self.guard_type(value)) {
                self.add(mount, call.body, Keeper::Temporary(id), guard, resolution);
            }
        }
        for id in (0..facts.definitions.len()).map(DefinitionId::new) {
            let definition = &facts.definitions[id.index()];
            let body = facts.bindings[definition.binding.index()].body;
            let asked = match definition.kind {
                DefinitionKind::Value(_) => bodies.contains(&body),
                DefinitionKind::Parameter(_) => facts.body(body).flavour == Flavour::Async,
                _ => false,
            };
            if let (true, Some(guard)) = (asked, self.guard_of_definition(mount, definition)) {
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

    fn guard_of_definition(&self, mount: MountId, definition: &Definition) -> Option<Ty> {
        self.guard_within(self.definition_type(mount, definition))
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

    /// The guard that a value is, or that it owns as an `Option` or `Result` does.
    fn guard_within(&self, ty: Ty) -> Option<Ty> {
        self.guard_type(ty).or_else(|| {
            self.arena
                .members(ty)
                .into_iter()
                .find_map(|member| match self.arena.kind(member) {
                    TypeKind::External(path, arguments)
                        if super::stubs::is_wrapper(&self.arena.text(path)) =>
                    {
                        self.guard_type(*arguments.first()?)
                    }
                    _ => None,
                })
        })
    }

    fn add(
        &self,
        mount: MountId,
        body: BodyId,
        keeper: Keeper,
        guard: Ty,
        resolution: &mut Resolution,
    ) {
        let TypeKind::External(path, _) = self.arena.kind(guard) else {
            return;
        };
        resolution.guards.push(Guard {
            body: super::bodies::program_body(resolution, mount, body),
            keeper,
            type_: (&*self.arena.text(path)).into(),
            confidence: Confidence::Certain,
        });
    }
}
