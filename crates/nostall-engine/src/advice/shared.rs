//! What several tasks share: moved off the loop's thread, its changes are no longer made one after the other.

use nostall_catalog::TypeKind;
use nostall_model::Category;
use nostall_model::facts::{
    BodyKind, CallKind, Callee, Event, ExprId, ExprKind, FileFacts, RegionId,
};
use nostall_model::program::ProgramBody;

use super::Cx;
use crate::crowds::is_self;

impl Cx<'_> {
    /// Says whether the call changes what other tasks that run the same code change as well.
    pub(super) fn changes_shared_state(&self) -> bool {
        let task = self.task();
        let facts = self.site.facts;
        let Callee::Method { receiver, .. } = facts.call(self.site.call).callee else {
            return false;
        };
        self.writer.crowds.contain(task)
            && self.is_shared(task, facts, receiver)
            && (self.is_work_on_a_handle() || self.changes_its_object())
    }

    /// The function whose task makes the call.
    fn task(&self) -> ProgramBody {
        let program = self.writer.program;
        let mut around = std::iter::successors(Some(self.body), |body| program.parent(*body));
        let is_function = |body: &ProgramBody| program.body(*body).kind != BodyKind::Comprehension;
        around.find(is_function).unwrap_or(self.body)
    }

    /// Says whether a value is there before the task: a variable of the code around, or what the one `self` of all tasks holds.
    fn is_shared(&self, task: ProgramBody, facts: &FileFacts, value: ExprId) -> bool {
        let program = self.writer.program;
        let root = root(facts, value);
        let ExprKind::Use { binding, .. } = facts.expr(root).kind else {
            return false;
        };
        let declared = facts.bindings[binding.index()].body;
        let own = program.file_body(task);
        let mut around = std::iter::successors(Some(declared), |body| facts.body(*body).parent);
        let is_own = around.any(|body| body == own);
        !is_own || is_self(facts, root) && self.writer.crowds.share_receiver(task)
    }

    /// Says whether the call is an api's own, on a file or the like.
    fn is_work_on_a_handle(&self) -> bool {
        let waits = matches!(self.api.category, Some(Category::Lock | Category::Wait));
        let type_ = self.catalog.type_with(self.api);
        self.direct && !waits && type_.is_some_and(|entry| entry.kind == TypeKind::Handle)
    }

    /// Says whether a method on the way gives an attribute of its object a value.
    fn changes_its_object(&self) -> bool {
        let program = self.writer.program;
        let Some(called) = self.effect.next else {
            return false;
        };
        let facts = program.facts(called);
        let body = program.file_body(called);
        let regions = (0..facts.regions.len()).map(RegionId::new);
        regions
            .filter(|region| facts.regions[region.index()].body == body)
            .flat_map(|region| facts.region_events(region))
            .any(|event| match event {
                Event::Store { target, .. } => is_self(facts, root(facts, *target)),
                _ => false,
            })
    }
}

/// What attributes and elements are taken of, in the end.
fn root(facts: &FileFacts, value: ExprId) -> ExprId {
    let base = |value: &ExprId| match facts.expr(*value).kind {
        ExprKind::Attribute { base, .. } | ExprKind::Project { base, .. } => Some(base),
        ExprKind::Call(call) => match facts.call(call).callee {
            Callee::Method { receiver, .. } if facts.call(call).kind != CallKind::Plain => {
                Some(receiver)
            }
            _ => None,
        },
        _ => None,
    };
    // Longer chains than this are not followed to their end.
    std::iter::successors(Some(value), base)
        .take(64)
        .last()
        .unwrap_or(value)
}
