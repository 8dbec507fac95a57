//! Async functions that several tasks run at once. What they share is changed by one at a time while it is changed on the
//! executor's thread; on other threads it needs a lock.

use nostall_catalog::{Api, ApiId, Catalog, Effect};
use nostall_model::Language;
use nostall_model::facts::{
    BodyId, BodyKind, Call, Callee, DefinitionKind, ExprId, ExprKind, FileFacts, ParameterKind,
    RegionId, RegionKind,
};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use rustc_hash::FxHashMap;

use crate::program::Program;

/// The functions, and of each whether its tasks have one `self`.
#[derive(Debug, Default)]
pub(crate) struct Crowds(FxHashMap<ProgramBody, bool>);

impl Crowds {
    /// Says whether several tasks run a function at once.
    pub(crate) fn contain(&self, body: ProgramBody) -> bool {
        self.0.contains_key(&body)
    }

    /// Says whether these are methods of one object.
    pub(crate) fn share_receiver(&self, body: ProgramBody) -> bool {
        self.0.get(&body).copied().unwrap_or_default()
    }
}

/// Finds functions that are started in a loop or for each element of something: `gather(*[work(x) for x in xs])`. Rust's compiler
/// asks for the lock itself.
pub(crate) fn find(program: &Program<'_>, catalog: &Catalog) -> Crowds {
    let mut crowds = Crowds::default();
    let starts =
        |api: &Api| api.effect == Effect::Schedules && !api.registers && api.route.is_none();
    for body in program.bodies() {
        if program.facts(body).language != Language::Python {
            continue;
        }
        for call in program.calls_of(body) {
            let mut targets = program.targets(*call).iter();
            if targets.any(|target| matches!(target.kind, TargetKind::Api(api) if starts(catalog.api(ApiId(api))))) {
                Cx { program, body }.add_started(*call, &mut crowds);
            }
        }
    }
    crowds
}

struct Cx<'a> {
    program: &'a Program<'a>,
    body: ProgramBody,
}

impl Cx<'_> {
    fn add_started(&self, call: ProgramCall, crowds: &mut Crowds) {
        let (facts, record) = self.program.call(call);
        if is_repeated(facts, record) {
            for passed in self.program.passed(call) {
                if let TargetKind::Body(task) = passed.target.kind {
                    self.add(task, false, crowds);
                }
            }
        }
        for argument in &facts.arguments[record.arguments.range()] {
            let given = unpacked(facts, argument.value);
            let values = values(facts, given);
            for value in std::iter::once(given).chain(values) {
                self.add_given(facts, value, crowds);
            }
        }
    }

    /// Coroutines that an argument makes, where it makes several.
    fn add_given(&self, facts: &FileFacts, value: ExprId, crowds: &mut Crowds) {
        let made: Vec<ProgramCall> = match (facts.expr(value).kind, comprehension(facts, value)) {
            (_, Some(each)) => {
                let first = self.program.first_body_beside(self.body);
                let each = ProgramBody(first.0 + each.0);
                self.program.calls_of(each).to_vec()
            }
            (ExprKind::Call(made), None) if is_repeated(facts, facts.call(made)) => {
                vec![self.program.call_in(self.body, made)]
            }
            _ => Vec::new(),
        };
        for made in made {
            let (facts, record) = self.program.call(made);
            for target in self.program.targets(made) {
                if let TargetKind::Body(task) = target.kind {
                    self.add(task, is_on_self(facts, record), crowds);
                }
            }
        }
    }

    fn add(&self, task: ProgramBody, on_self: bool, crowds: &mut Crowds) {
        if !self.program.runs_when_called(task) {
            *crowds.0.entry(task).or_default() |= on_self;
        }
    }
}

/// What a `*` before an argument takes apart.
fn unpacked(facts: &FileFacts, value: ExprId) -> ExprId {
    match facts.expr(value).kind {
        ExprKind::Project { base, .. } => base,
        _ => value,
    }
}

/// The body of a comprehension or generator, where a value is one.
fn comprehension(facts: &FileFacts, value: ExprId) -> Option<BodyId> {
    match facts.expr(value).kind {
        ExprKind::Callable(body) => {
            (facts.body(body).kind == BodyKind::Comprehension).then_some(body)
        }
        ExprKind::Call(call) => match facts.call(call).callee {
            Callee::Value(made) if made != value => match facts.expr(made).kind {
                ExprKind::Callable(_) => comprehension(facts, made),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Says whether a call is made several times.
fn is_repeated(facts: &FileFacts, call: &Call) -> bool {
    let is_loop = |region: RegionId| facts.regions[region.index()].kind == RegionKind::Loop;
    facts.body(call.body).kind == BodyKind::Comprehension
        || facts.regions_outwards(call.region).any(is_loop)
}

/// Says whether a call is a method of the `self` of the code around it.
fn is_on_self(facts: &FileFacts, call: &Call) -> bool {
    match call.callee {
        Callee::Method { receiver, .. } => is_self(facts, receiver),
        _ => false,
    }
}

/// Says whether an expression is the `self` of a function.
pub(crate) fn is_self(facts: &FileFacts, value: ExprId) -> bool {
    let ExprKind::Use { binding, .. } = facts.expr(value).kind else {
        return false;
    };
    let mut parameters = facts
        .body_parameters(facts.bindings[binding.index()].body)
        .iter();
    parameters.any(|own| own.binding == binding && own.kind == ParameterKind::Receiver)
}

/// The values that a variable may have.
pub(crate) fn values(facts: &FileFacts, variable: ExprId) -> impl Iterator<Item = ExprId> {
    let reaching = match facts.expr(variable).kind {
        ExprKind::Use { reaching, .. } => &facts.definition_lists[reaching.range()],
        _ => &[],
    };
    reaching
        .iter()
        .filter_map(|id| match facts.definitions[id.index()].kind {
            DefinitionKind::Value(value) => Some(value),
            _ => None,
        })
}
