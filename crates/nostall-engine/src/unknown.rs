//! Why a call's target is not known: what its receiver comes from, followed back to where knowledge ends.

use nostall_model::facts::{
    BodyKind, CallId, CallKind, Callee, DefinitionKind, ExprId, ExprKind, FileFacts, Part,
};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind, Unresolved};

use crate::program::Program;

/// How far back a value is followed.
const LONGEST_WAY: u32 = 24;

/// Says why a call is not known.
pub(crate) fn reason(
    program: &Program<'_>,
    body: ProgramBody,
    call: ProgramCall,
    unresolved: Unresolved,
) -> String {
    let (facts, record) = program.call(call);
    let cx = Cx {
        program,
        body,
        facts,
    };
    let cause = match (unresolved, record.callee) {
        (Unresolved::Receiver, Callee::Method { receiver, .. }) => cx.origin(receiver, LONGEST_WAY),
        _ => None,
    };
    match cause {
        Some(cause) => format!("{}: it is {cause}", unresolved.reason()),
        None => unresolved.reason().to_owned(),
    }
}

struct Cx<'a> {
    program: &'a Program<'a>,
    body: ProgramBody,
    facts: &'a FileFacts,
}

impl Cx<'_> {
    /// What a value of an unknown type comes from.
    fn origin(&self, value: ExprId, budget: u32) -> Option<String> {
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
                            BodyKind::Closure => "a closure's parameter".to_owned(),
                            _ => "a parameter of a type that is not known".to_owned(),
                        })
                    }
                    _ => None,
                }
            }
            ExprKind::Attribute { base, .. } => Some(self.origin(base, budget).map_or_else(
                || "a field".to_owned(),
                |origin| format!("a field of {}", plain(&origin)),
            )),
            ExprKind::Await(inner)
            | ExprKind::Try(inner)
            | ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Unary(inner) => self.origin(inner, budget),
            ExprKind::Project {
                base,
                part: Part::Variant { .. } | Part::Field { .. },
            } => Some(self.origin(base, budget).map_or_else(
                || "a part of a pattern".to_owned(),
                |origin| format!("a part of {}", plain(&origin)),
            )),
            ExprKind::Project { base, .. } => self.origin(base, budget),
            ExprKind::Path(path) => Some(format!("`{}`", facts.path_text(path, "::"))),
            ExprKind::Select(values) => {
                let values = facts.expr_list(values).iter();
                values.copied().find_map(|value| self.origin(value, budget))
            }
            _ => None,
        }
    }

    fn origin_of_call(&self, call: CallId, budget: u32) -> Option<String> {
        let record = self.facts.call(call);
        if record.kind == CallKind::Index
            && let Callee::Method { receiver, .. } = record.callee
        {
            return self.origin(receiver, budget);
        }
        let targets = self.program.targets(self.program.call_in(self.body, call));
        match targets.first().map(|target| &target.kind) {
            Some(TargetKind::External(path)) => Some(format!("what `{path}` gives")),
            Some(TargetKind::Api(_)) => match record.callee {
                Callee::Method { receiver, .. } => self
                    .origin(receiver, budget)
                    .or_else(|| Some("what a known function gives".to_owned())),
                _ => Some("what a known function gives".to_owned()),
            },
            Some(TargetKind::Body(_)) => Some("what a function of the program gives".to_owned()),
            Some(TargetKind::Parameter(..)) => Some("what a callable parameter gives".to_owned()),
            Some(TargetKind::Unresolved(Unresolved::Macro)) => {
                Some("what a macro that is not known makes".to_owned())
            }
            Some(TargetKind::Unresolved(_)) => match record.callee {
                Callee::Method { receiver, .. } => self.origin(receiver, budget),
                Callee::Value(value) => self.origin(value, budget),
                Callee::Macro(_) => None,
            },
            None => None,
        }
    }
}

/// `a field of a field of x` says no more than `a field of x`.
fn plain(origin: &str) -> &str {
    origin
        .strip_prefix("a field of ")
        .or_else(|| origin.strip_prefix("a part of "))
        .unwrap_or(origin)
}
