//! What the catalogue asks of the types that a call has to do with: `connect(address)` asks nobody, `connect(name)` does, and a
//! database in memory waits for no disk.

use nostall_catalog::{ApiId, Test, When};
use nostall_model::Language;
use nostall_model::facts::{CallId, Callee, ExprKind, Literal};
use nostall_model::program::{ProgramCall, Target, TargetKind, TypeMatch};

use super::Cx;
use super::mounts::MountId;
use super::stubs::Names;
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// The conditions of reached entries that ask for an argument's type, and that hold here.
    pub(super) fn type_matches(
        &self,
        mount: MountId,
        id: CallId,
        call: ProgramCall,
        reached: &[Target],
    ) -> Vec<TypeMatch> {
        let apis = reached.iter().filter_map(|target| match target.kind {
            TargetKind::Api(api) => Some(api),
            _ => None,
        });
        let of_api = |api: u32| {
            let conditions = self.catalog.api(ApiId(api)).when.iter().enumerate();
            let held = conditions.filter(|(_, when)| self.type_holds(mount, id, when));
            held.map(move |(number, _)| TypeMatch {
                call,
                api,
                condition: number as u16,
            })
        };
        apis.flat_map(of_api).collect()
    }

    /// Says whether an argument is a literal text that begins as a condition asks.
    fn text_begins(&self, mount: MountId, id: CallId, when: &When) -> bool {
        let (Test::Begins(wanted), Some(index)) = (when.test(), when.argument.index) else {
            return false;
        };
        let facts = self.facts(mount);
        let given = facts.call_arguments(id).get(usize::from(index));
        let given = given.map(|given| facts.expr(given.value).kind);
        let Some(ExprKind::Literal(Literal::Str(text))) = given else {
            return false;
        };
        let text = facts.text(text);
        wanted.iter().any(|begin| text.starts_with(&**begin))
    }

    /// Says whether a condition asks for an argument's type, and holds.
    fn type_holds(&self, mount: MountId, id: CallId, when: &When) -> bool {
        let (Test::Type(wanted), Some(index)) = (when.test(), when.argument.index) else {
            return false;
        };
        let arguments = self.facts(mount).call_arguments(id);
        let given = arguments.get(usize::from(index));
        let given = given.map_or(Ty::UNKNOWN, |given| self.type_of(mount, given.value));
        let is_meant = |member: Ty| {
            let mut wanted = wanted.iter();
            wanted.any(|text| self.begins_as(member, self.stub_type(text, &Names::default())))
        };
        self.arena.members(given).into_iter().all(is_meant)
    }

    /// The type that a call gives, where a condition on an argument's type or text says so.
    pub(super) fn returned_by_type(&self, mount: MountId, id: CallId, api: ApiId) -> Option<&str> {
        let mut conditions = self.catalog.api(api).when.iter();
        let holds =
            |when: &&When| self.type_holds(mount, id, when) || self.text_begins(mount, id, when);
        let held = conditions.find(holds)?;
        held.returns.as_deref()
    }

    /// Says whether the object of a method is all in memory.
    pub(super) fn is_in_memory(&self, mount: MountId, id: CallId, method: &str) -> bool {
        let parent = method.rsplit_once("::").map_or("", |(parent, _)| parent);
        let Some(entry) = self.catalog.type_entry(Language::Rust, parent) else {
            return false;
        };
        let facts = self.facts(mount);
        let object = match facts.call(id).callee {
            _ if entry.brief_with.is_empty() => return false,
            Callee::Method { receiver, .. } => receiver,
            Callee::Value(_) => match facts.call_arguments(id).first() {
                Some(first) => first.value,
                None => return false,
            },
            Callee::Macro(_) => return false,
        };
        let says_so = |argument: &Ty| match self.arena.kind(*argument) {
            TypeKind::External(path, _) => entry
                .brief_with
                .iter()
                .any(|own| **own == *self.arena.text(path)),
            _ => false,
        };
        let is_meant = |ty: Ty| match self.arena.kind(ty) {
            TypeKind::External(path, arguments) => {
                *self.arena.text(path) == *entry.path && arguments.iter().any(says_so)
            }
            _ => false,
        };
        let members = self.arena.members(self.type_of(mount, object));
        let mut members = members.into_iter().map(|member| self.autoderef(member));
        members.all(|steps| steps.into_iter().any(is_meant))
    }

    /// Says whether a type is another, or one of that kind with more arguments; references do not count.
    fn begins_as(&self, ty: Ty, wanted: Ty) -> bool {
        let begin = |given: &[Ty], wanted: &[Ty]| {
            let mut pairs = given.iter().zip(wanted);
            given.len() >= wanted.len()
                && pairs.all(|(given, wanted)| self.begins_as(*given, *wanted))
        };
        let (ty, wanted) = (self.arena.referent(ty), self.arena.referent(wanted));
        match (self.arena.kind(ty), self.arena.kind(wanted)) {
            (TypeKind::Unknown, _) => false,
            (TypeKind::External(path, given), TypeKind::External(other, wanted)) => {
                path == other && begin(&given, &wanted)
            }
            (TypeKind::Tuple(given), TypeKind::Tuple(wanted)) => begin(&given, &wanted),
            _ => ty == wanted,
        }
    }
}
