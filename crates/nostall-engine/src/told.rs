//! Objects that another function told not to wait: the one that made a socket, or one that it was lent to before.
//!
//! What is told counts where that function does it whichever way it takes.

use nostall_model::facts::{
    BindingId, BodyId, Call, CallId, Callee, DefinitionKind, ExprId, ExprKind, FileFacts, RegionId,
    RegionKind,
};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};

use crate::over::{receiver, unwrapped};
use crate::sinks::{Constant, constant, only_value};
use crate::summary::{Cx, call_number};

/// A value is looked through as many steps as this.
const MOST_STEPS: usize = 8;

impl Cx<'_> {
    /// Says whether the object of a call was told elsewhere that calls of an api do not wait.
    pub(crate) fn is_told_elsewhere(
        &self,
        call: ProgramCall,
        object: ExprId,
        api: u32,
        regions: &[RegionId],
    ) -> bool {
        let (facts, record) = self.program.call(call);
        let variable = match facts.expr(object).kind {
            ExprKind::Use { binding, .. } => binding,
            _ => return false,
        };
        !self.is_told_anew(call, variable, api)
            && (self.is_told_by_maker(call, object, api)
                || self.is_told_by_borrower(call, record, variable, api, regions))
    }

    /// Says whether the code around a block or closure told a variable that it uses that calls of an api do not wait, and nothing
    /// else: `socket.set_nonblocking(true)?; async move { socket.connect(..) }`.
    pub(crate) fn is_told_around(&self, call: ProgramCall, object: ExprId, api: u32) -> bool {
        let (facts, record) = self.program.call(call);
        let ExprKind::Use { binding, .. } = facts.expr(object).kind else {
            return false;
        };
        let outer = facts.bindings[binding.index()].body;
        if outer == record.body || !has_one_value(facts, binding) {
            return false;
        }
        let own = self.program.body_of_call(call);
        let inner = facts.body(record.body).span;
        let tells = |id: &CallId| is_on(facts, *id, binding) && self.ends_in(own, *id, api);
        let certainly_before = |id: &CallId| {
            let other = facts.call(*id);
            let around = facts.regions[other.region.index()].span;
            other.body == outer && other.span.end <= inner.start && around.contains(inner)
        };
        let mut told = (0..facts.calls.len()).map(CallId::new).filter(tells);
        let before = told.clone().any(|id| certainly_before(&id));
        before && told.all(|id| is_with_true(facts, id))
    }

    /// Says whether the code itself tells the object something.
    fn is_told_anew(&self, call: ProgramCall, variable: BindingId, api: u32) -> bool {
        let (facts, record) = self.program.call(call);
        let body = self.program.body_of_call(call);
        let mut calls = (0..call_number(facts, record)).map(CallId);
        calls.any(|id| is_on(facts, id, variable) && self.ends_in(body, id, api))
    }

    fn is_told_by_maker(&self, call: ProgramCall, object: ExprId, api: u32) -> bool {
        let (facts, _) = self.program.call(call);
        let Some(made) = only_value(facts, object).and_then(|value| maker(facts, value)) else {
            return false;
        };
        let own = self.program.body_of_call(call);
        self.all_bodies(self.program.call_in(own, made), &|body| {
            let facts = self.program.facts(body);
            let given = self
                .program
                .body(body)
                .value
                .and_then(|value| given_back(facts, value));
            given.is_some_and(|variable| self.tells(body, variable, api))
        })
    }

    fn is_told_by_borrower(
        &self,
        call: ProgramCall,
        record: &Call,
        variable: BindingId,
        api: u32,
        regions: &[RegionId],
    ) -> bool {
        let (facts, _) = self.program.call(call);
        let own = self.program.body_of_call(call);
        let before = (0..call_number(facts, record)).map(CallId);
        let mut lent = before.filter(|id| {
            let other = facts.call(*id);
            other.body == record.body && regions.contains(&other.region)
        });
        lent.any(|id| {
            let position = facts.call_arguments(id).iter().position(|argument| {
                matches!(facts.expr(argument.value).kind, ExprKind::Reference(inner) if is_use(facts, inner, variable))
            });
            let lent = self.program.call_in(own, id);
            position.is_some_and(|index| {
                self.all_bodies(lent, &|body| {
                    let parameter = self.program.parameter_index(lent, body, index as u16);
                    let variable = parameter_variable(self.program.facts(body), self.program.file_body(body), parameter);
                    variable.is_some_and(|variable| self.tells(body, variable, api))
                })
            })
        })
    }

    /// Says whether something holds for all that a call may reach, all of it code of the program.
    fn all_bodies(&self, call: ProgramCall, holds: &dyn Fn(ProgramBody) -> bool) -> bool {
        let targets = self.program.targets(call);
        !targets.is_empty()
            && targets.iter().all(|target| match target.kind {
                TargetKind::Body(body) => holds(body),
                _ => false,
            })
    }

    /// Says whether a body, whichever way it takes, tells one of its variables that calls of an api do not wait.
    fn tells(&self, body: ProgramBody, variable: BindingId, api: u32) -> bool {
        let (facts, own) = (self.program.facts(body), self.program.file_body(body));
        let is_told = |id: &CallId| {
            is_with_true(facts, *id)
                && is_on(facts, *id, variable)
                && facts.call(*id).body == own
                && self.ends_in(body, *id, api)
        };
        let always = |id: CallId| {
            let mut around = facts.regions_outwards(facts.call(id).region);
            around.all(|region| {
                let kind = facts.regions[region.index()].kind;
                !matches!(kind, RegionKind::Branch | RegionKind::Loop)
            })
        };
        let mut calls = (0..facts.calls.len()).map(CallId::new).filter(is_told);
        calls.any(always)
    }
}

fn is_use(facts: &FileFacts, value: ExprId, variable: BindingId) -> bool {
    matches!(facts.expr(value).kind, ExprKind::Use { binding, .. } if binding == variable)
}

fn is_on(facts: &FileFacts, id: CallId, variable: BindingId) -> bool {
    receiver(facts.call(id)).is_some_and(|object| is_use(facts, object, variable))
}

fn is_with_true(facts: &FileFacts, id: CallId) -> bool {
    let first = facts.call_arguments(id).first();
    let told = first.and_then(|argument| constant(facts, argument.value, 4));
    told == Some(Constant::Bool(true))
}

fn has_one_value(facts: &FileFacts, variable: BindingId) -> bool {
    let own = facts.definitions.iter().filter(|it| it.binding == variable);
    own.count() == 1
}

/// The call that made a value, looked at through what only unwraps.
fn maker(facts: &FileFacts, value: ExprId) -> Option<CallId> {
    let mut value = value;
    for _ in 0..MOST_STEPS {
        value = match facts.expr(value).kind {
            ExprKind::Try(inner) | ExprKind::Await(inner) => inner,
            ExprKind::Call(id) => match unwrapped(facts, id) {
                Some((inner, _)) => inner,
                None => return Some(id),
            },
            _ => return None,
        };
    }
    None
}

/// The variable that is given back: `socket`, `Ok(socket)`.
fn given_back(facts: &FileFacts, value: ExprId) -> Option<BindingId> {
    match facts.expr(value).kind {
        ExprKind::Use { binding, .. } => Some(binding),
        ExprKind::Call(id) => {
            let Callee::Value(wrapper) = facts.call(id).callee else {
                return None;
            };
            let ExprKind::Path(path) = facts.expr(wrapper).kind else {
                return None;
            };
            let last = facts.path_segments(path).last()?;
            let wraps = matches!(facts.text(last.name), "Ok" | "Some");
            let inner = facts.call_arguments(id).first()?.value;
            wraps.then(|| given_back(facts, inner))?
        }
        _ => None,
    }
}

/// The variable of a parameter.
fn parameter_variable(facts: &FileFacts, body: BodyId, parameter: u16) -> Option<BindingId> {
    let mut definitions = facts.definitions.iter();
    let found = definitions.find(|definition| {
        facts.bindings[definition.binding.index()].body == body
            && definition.kind == DefinitionKind::Parameter(parameter)
    });
    found.map(|definition| definition.binding)
}
