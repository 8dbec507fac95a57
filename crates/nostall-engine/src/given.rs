//! What a body is given decides what it does: `def take(jobs, block=True): return jobs.get(block)`, `if verbose: ..`.
//!
//! A way that depends on a parameter says so; each call on the way puts in what it gives. Only values that the source says are
//! put in: where a value is not known, the way is open.

use nostall_catalog::{Api, Test};
use nostall_model::facts::{ArgumentKind, DefinitionKind, ExprId, ExprKind, FileFacts, Shown};
use nostall_model::program::{ProgramBody, ProgramCall};

use crate::sinks::{Constant, argument, constant};
use crate::summary::Cx;

/// A way that one parameter of the body may cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependence {
    /// Which parameter.
    pub parameter: u16,
    /// What of it decides.
    pub on: Decision,
}

/// What of a parameter decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// It is this argument of an api's call, which blocks or not by it.
    Argument(ProgramCall, u32, ExprId),
    /// A branch is taken only where a test of it has this answer.
    Branch(Shown, bool),
}

/// How many dependences of one way are kept.
pub const MOST: usize = 3;

/// The dependences of one way.
pub type Dependences = [Option<Dependence>; MOST];

/// What a call gives for a parameter.
enum Given<'a> {
    /// A value that the source says.
    Constant(Constant<'a>),
    /// A value that is not `None`, whatever it is.
    Something,
    /// The caller's own parameter.
    Parameter(u16),
    Unknown,
}

impl Cx<'_> {
    /// On which parameters of its body it depends whether a call is made at all.
    pub(crate) fn dependences_of_place(&self, body: ProgramBody, call: ProgramCall) -> Dependences {
        let (facts, record) = self.program.call(call);
        let mut found = Dependences::default();
        if self.program.body_of_call(call) != body {
            return found;
        }
        for region in facts.regions_outwards(record.region) {
            for test in &facts.branch_tests[facts.regions[region.index()].tests.range()] {
                if let Some(parameter) = parameter(facts, test.value) {
                    let on = Decision::Branch(test.shown, test.holds);
                    add(&mut found, Dependence { parameter, on });
                }
            }
        }
        found
    }

    /// On which parameters of its body it depends whether a call of an api blocks.
    pub(crate) fn dependences_of_arguments(&self, call: ProgramCall, api: u32) -> Dependences {
        let (facts, record) = self.program.call(call);
        let arguments = &facts.arguments[record.arguments.range()];
        let entry = self.catalog.api(nostall_catalog::ApiId(api));
        let mut found = Dependences::default();
        for wanted in deciding(entry) {
            let value = argument(facts, arguments, wanted).map(|argument| argument.value);
            if let Some((value, parameter)) = value.and_then(|it| Some((it, parameter(facts, it)?)))
            {
                let on = Decision::Argument(call, api, value);
                add(&mut found, Dependence { parameter, on });
            }
        }
        found
    }

    /// What becomes of dependences at a call of the body that has them; nothing where the way is cut off.
    pub(crate) fn put_in(
        &self,
        call: ProgramCall,
        callee: ProgramBody,
        dependences: &Dependences,
    ) -> Option<Dependences> {
        let mut open = Dependences::default();
        for dependence in dependences.iter().flatten() {
            match self.given(call, callee, dependence.parameter) {
                Given::Constant(constant) if self.cuts_off(dependence.on, Some(constant)) => {
                    return None;
                }
                Given::Something if self.cuts_off(dependence.on, None) => return None,
                Given::Parameter(parameter) => add(
                    &mut open,
                    Dependence {
                        parameter,
                        ..*dependence
                    },
                ),
                _ => {}
            }
        }
        Some(open)
    }

    /// Says whether a way ends where this is given: a constant, or else something that is not `None`.
    fn cuts_off(&self, decision: Decision, given: Option<Constant<'_>>) -> bool {
        match (decision, given) {
            (Decision::Argument(call, api, value), Some(constant)) => {
                self.judge(call, api, Some((value, constant))).is_none()
            }
            (Decision::Argument(..), None) | (Decision::Branch(Shown::True, _), None) => false,
            (Decision::Branch(Shown::True, holds), Some(constant)) => constant.is_true() != holds,
            (Decision::Branch(Shown::None, holds), given) => {
                (given == Some(Constant::None)) != holds
            }
        }
    }

    fn given(&self, call: ProgramCall, callee: ProgramBody, parameter: u16) -> Given<'_> {
        let (facts, record) = self.program.call(call);
        let arguments = &facts.arguments[record.arguments.range()];
        let is_it = |index: &usize| {
            self.parameter_index(call, callee, *index as u16) == parameter
                && matches!(
                    arguments[*index].kind,
                    ArgumentKind::Positional | ArgumentKind::Keyword
                )
        };
        let found = (0..arguments.len()).find(is_it);
        let is_spread = arguments.iter().any(|argument| {
            matches!(
                argument.kind,
                ArgumentKind::Spread | ArgumentKind::SpreadKeywords
            )
        });
        match found {
            _ if is_spread => Given::Unknown,
            Some(index) => value(facts, arguments[index].value),
            None => self.default(callee, parameter),
        }
    }

    fn default(&self, callee: ProgramBody, index: u16) -> Given<'_> {
        let facts = self.program.facts(callee);
        let parameters = &facts.parameters[self.program.body(callee).parameters.range()];
        let default = parameters
            .get(usize::from(index))
            .and_then(|parameter| parameter.default);
        default
            .and_then(|default| constant(facts, default, 4))
            .map_or(Given::Unknown, Given::Constant)
    }
}

fn value(facts: &FileFacts, value: ExprId) -> Given<'_> {
    if let Some(constant) = constant(facts, value, 4) {
        return Given::Constant(constant);
    }
    if let Some(index) = parameter(facts, value) {
        return Given::Parameter(index);
    }
    match facts.expr(value).kind {
        ExprKind::Collection { .. } | ExprKind::Callable(_) | ExprKind::Text => Given::Something,
        _ => Given::Unknown,
    }
}

/// The arguments by which it is decided whether an api blocks.
fn deciding(api: &Api) -> impl Iterator<Item = &nostall_catalog::Argument> {
    let tested = api
        .when
        .iter()
        .filter(|when| matches!(when.test, Test::Is(_)))
        .map(|when| &when.argument);
    tested.chain(&api.duration)
}

/// The parameter of the body whose value, never changed, an expression is.
fn parameter(facts: &FileFacts, value: ExprId) -> Option<u16> {
    let ExprKind::Use { reaching, .. } = facts.expr(value).kind else {
        return None;
    };
    let [only] = facts.definition_lists[reaching.range()] else {
        return None;
    };
    match facts.definitions[only.index()].kind {
        DefinitionKind::Parameter(index) => Some(index),
        DefinitionKind::Narrowed { value, .. } => parameter(facts, value),
        _ => None,
    }
}

/// Adds a dependence, if it is not there yet and there is room: without it the way is open.
pub(crate) fn add(to: &mut Dependences, dependence: Dependence) {
    if to.contains(&Some(dependence)) {
        return;
    }
    if let Some(free) = to.iter_mut().find(|place| place.is_none()) {
        *free = Some(dependence);
    }
}
