//! Why a call's target is not known: what its receiver comes from, followed back to where knowledge ends.

use nostall_model::facts::{
    BodyKind, CallId, CallKind, Callee, DefinitionKind, ExprId, ExprKind, FileFacts, Part,
};
use nostall_model::finding::{Giver, Origin};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind, Unresolved};

use crate::program::Program;

/// How far back a value is followed.
const LONGEST_WAY: u32 = 24;

/// Follows the receiver of a call that is not known back to where knowledge ends.
pub(crate) fn origin(
    program: &Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
    unresolved: Unresolved,
) -> Option<Origin> {
    let (facts, record) = program.call(call);
    let cx = Cx {
        program,
        body,
        facts,
    };
    match (unresolved, record.callee) {
        (Unresolved::Receiver, Callee::Method { receiver, .. }) => cx.origin(receiver, LONGEST_WAY),
        _ => None,
    }
}

struct Cx<'a> {
    program: &'a Program<'a>,
    body: ProgramBody,
    facts: &'a FileFacts,
}

impl Cx<'_> {
    /// What a value of an unknown type comes from.
    fn origin(&self, value: ExprId, budget: u32) -> Option<Origin> {
        let budget = budget.checked_sub(1)?;
        let facts = self.facts;
        match facts.expr(value).kind {
            ExprKind::Call(call) => self.origin_of_call(call, budget),
            ExprKind::Use { binding, reaching } => {
                let own = &facts.definition_lists[reaching.range()];
                let definition = match own.first() {
                    Some(id) => &facts.definitions[id.index()],
                    None => facts.definitions.iter().find(|it| it.binding == binding)?,
                };
                match definition.kind {
                    DefinitionKind::Value(value) | DefinitionKind::Narrowed { value, .. } => {
                        self.origin(value, budget)
                    }
                    DefinitionKind::Parameter(_) => {
                        let body = facts.body(facts.bindings[binding.index()].body);
                        Some(match body.kind {
                            BodyKind::Closure => Origin::ClosureParameter,
                            _ => Origin::Parameter,
                        })
                    }
                    _ => None,
                }
            }
            ExprKind::Attribute { base, .. } => {
                Some(Origin::Field(self.origin(base, budget).map(Box::new)))
            }
            ExprKind::Await(inner)
            | ExprKind::Try(inner)
            | ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Unary(inner) => self.origin(inner, budget),
            ExprKind::Project {
                base,
                part: Part::Variant { .. } | Part::Field { .. },
            } => Some(Origin::Part(self.origin(base, budget).map(Box::new))),
            ExprKind::Project { base, .. } => self.origin(base, budget),
            ExprKind::Path(path) => Some(Origin::Path(facts.path_text(path, "::"))),
            ExprKind::Select(values) => {
                let values = facts.expr_list(values).iter();
                values.copied().find_map(|value| self.origin(value, budget))
            }
            _ => None,
        }
    }

    fn origin_of_call(&self, call: CallId, budget: u32) -> Option<Origin> {
        let record = self.facts.call(call);
        if record.kind == CallKind::Index
            && let Callee::Method { receiver, .. } = record.callee
        {
            return self.origin(receiver, budget);
        }
        let targets = self.program.targets(self.program.call_in(self.body, call));
        match targets.first().map(|target| &target.kind) {
            Some(TargetKind::External(path)) => {
                Some(Origin::Result(Giver::External(path.to_string())))
            }
            Some(TargetKind::Api(_)) => match record.callee {
                Callee::Method { receiver, .. } => self
                    .origin(receiver, budget)
                    .or(Some(Origin::Result(Giver::Api))),
                _ => Some(Origin::Result(Giver::Api)),
            },
            Some(TargetKind::Body(_)) => Some(Origin::Result(Giver::Body)),
            Some(TargetKind::Parameter(..)) => Some(Origin::Result(Giver::Parameter)),
            Some(TargetKind::Unresolved(Unresolved::Macro)) => Some(Origin::Result(Giver::Macro)),
            Some(TargetKind::Unresolved(_)) => match record.callee {
                Callee::Method { receiver, .. } => self.origin(receiver, budget),
                Callee::Value(value) => self.origin(value, budget),
                Callee::Macro(_) => None,
            },
            None => None,
        }
    }
}
