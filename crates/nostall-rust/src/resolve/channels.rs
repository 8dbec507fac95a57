//! Which messages go through the channels that a program makes: what tells the sender of one from that of another.

use nostall_catalog::{Api, ApiId};
use nostall_model::facts::{CallId, Callee};
use nostall_model::layout::{Dependency, Target};
use nostall_model::program::{ChannelUse, ProgramCall, Target as CallTarget, TargetKind, TypeKey};

use super::Cx;
use super::mounts::MountId;
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// What a call has to do with a channel, by the entries that it reaches: it makes one, or waits for room in one.
    pub(super) fn channel_uses(
        &self,
        mount: MountId,
        id: CallId,
        call: ProgramCall,
        reached: &[CallTarget],
    ) -> Vec<ChannelUse> {
        let of_target = |target: &CallTarget| {
            let TargetKind::Api(api) = target.kind else {
                return None;
            };
            let entry = self.catalog.api(ApiId(api));
            let message = if self.catalog.makes_channel(entry) {
                // `bounded::<Job>(8)`
                Some(self.written_argument(mount, id, 0))
            } else if self.catalog.waits_for_room(&entry.path) {
                self.message_sent(mount, id, entry)
            } else {
                return None;
            };
            let message = message.filter(|ty| self.is_whole(*ty));
            Some(ChannelUse {
                call,
                api,
                message: message.map(|ty| TypeKey(ty.number())),
                program: self.program_of(mount),
            })
        };
        reached.iter().filter_map(of_target).collect()
    }

    /// The program that a mount's crate is part of: crates that use one another, directly or through others, have one number.
    fn program_of(&self, mount: MountId) -> u32 {
        let programs = self.programs.get_or_init(|| programs(&self.tree.targets));
        programs[self.mount(mount).target]
    }

    /// What the sender that a method is called on sends.
    fn message_sent(&self, mount: MountId, id: CallId, entry: &Api) -> Option<Ty> {
        let Callee::Method { receiver, .. } = self.facts(mount).call(id).callee else {
            return None;
        };
        let (sender, _) = entry.path.rsplit_once("::")?;
        let steps = self.autoderef(self.type_of(mount, receiver));
        steps
            .into_iter()
            .find_map(|step| match self.arena.kind(step) {
                TypeKind::External(path, arguments) if *self.arena.text(path) == *sender => {
                    arguments.first().copied()
                }
                _ => None,
            })
    }

    /// Says whether no part of a type is unknown or stands for others.
    fn is_whole(&self, ty: Ty) -> bool {
        let are_whole = |types: &[Ty]| types.iter().all(|ty| self.is_whole(*ty));
        match self.arena.kind(ty) {
            TypeKind::Primitive(_) => true,
            TypeKind::Named(_, types) | TypeKind::External(_, types) | TypeKind::Tuple(types) => {
                are_whole(&types)
            }
            TypeKind::Reference(inner) | TypeKind::Slice(inner) => self.is_whole(inner),
            _ => false,
        }
    }
}

/// Per crate the first of those that it hangs together with.
fn programs(targets: &[Target]) -> Vec<u32> {
    let mut programs: Vec<u32> = (0..targets.len() as u32).collect();
    for (index, target) in targets.iter().enumerate() {
        for dependency in target.dependencies.values() {
            let Dependency::Local(other) = dependency else {
                continue;
            };
            let (own, other) = (programs[index], programs[*other]);
            let joined = own.min(other);
            for program in &mut programs {
                if *program == own || *program == other {
                    *program = joined;
                }
            }
        }
    }
    programs
}
