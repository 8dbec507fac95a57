//! Runtimes as values: which call made the one that a method is called on, and whether threads of its own run tasks.

use nostall_catalog::{ApiId, Catalog, Effect};
use nostall_model::Category;
use nostall_model::facts::{Callee, DefinitionKind, ExprId, ExprKind};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use rustc_hash::FxHashMap;

use crate::concurrency::reaches;
use crate::program::Program;
use crate::sinks::workers;
use crate::startup::first_name;

/// How many steps a value is followed.
const MOST_STEPS: usize = 32;

/// What is known of the runtimes of a program.
pub(crate) struct Runtimes<'a> {
    program: &'a Program<'a>,
    catalog: &'a Catalog,
    /// Per crate: whether all runtimes that it makes have threads of their own.
    crates: FxHashMap<&'a str, bool>,
}

impl<'a> Runtimes<'a> {
    pub(crate) fn find(program: &'a Program<'a>, catalog: &'a Catalog) -> Self {
        let mut found = Self {
            program,
            catalog,
            crates: FxHashMap::default(),
        };
        let present = program
            .bodies()
            .filter(|body| program.is_present(*body, false));
        for body in present {
            let calls = program.calls_of(body).iter();
            for workers in
                calls.filter_map(|call| workers_of(program, catalog, *call, Effect::Constructs))
            {
                let all = found.crates.entry(crate_of(program, body));
                *all.or_insert(true) &= workers;
            }
        }
        found
    }

    pub(crate) fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// Says whether a call waits for a future on a runtime: `block_on`.
    pub(crate) fn waits(&self, call: ProgramCall) -> bool {
        reaches(self.program, self.catalog, call, |api| {
            api.category == Some(Category::Runtime) && api.effect == Effect::Blocks
        })
    }

    /// Says whether a call waits for a future while threads of its runtime run tasks. Where the value does not tell which runtime
    /// that is, all that some crates make decide.
    pub(crate) fn waits_beside_workers(&self, call: ProgramCall, crates: &[ProgramBody]) -> bool {
        let waits = workers_of(self.program, self.catalog, call, Effect::Blocks) == Some(true);
        waits
            && self
                .maker(call)
                .and_then(|maker| workers_of(self.program, self.catalog, maker, Effect::Constructs))
                .unwrap_or_else(|| self.have_workers(crates))
    }

    /// Says whether two calls are made on runtimes that different calls made.
    pub(crate) fn are_apart(&self, one: ProgramCall, other: ProgramCall) -> bool {
        match (self.maker(one), self.maker(other)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    /// Says whether the crates of some bodies make runtimes, each with threads of its own.
    fn have_workers(&self, bodies: &[ProgramBody]) -> bool {
        let crates = bodies.iter().map(|body| crate_of(self.program, *body));
        let mut known = crates.filter_map(|name| self.crates.get(name)).peekable();
        known.peek().is_some() && known.all(|workers| *workers)
    }

    /// The call that made the runtime which a method is called on.
    fn maker(&self, call: ProgramCall) -> Option<ProgramCall> {
        let body = self.program.body_of_call(call);
        match self.program.call(call).1.callee {
            Callee::Method { receiver, .. } => self.maker_of(body, receiver, MOST_STEPS),
            _ => None,
        }
    }

    fn maker_of(&self, body: ProgramBody, value: ExprId, budget: usize) -> Option<ProgramCall> {
        let budget = budget.checked_sub(1)?;
        let facts = self.program.facts(body);
        match facts.expr(value).kind {
            ExprKind::Call(id) => {
                let call = self.program.call_in(body, id);
                let is_maker =
                    workers_of(self.program, self.catalog, call, Effect::Constructs).is_some();
                if is_maker {
                    return Some(call);
                }
                let by_function = self.made_by_function(call, budget);
                by_function.or_else(|| match self.program.call(call).1.callee {
                    Callee::Method { receiver, .. } => self.maker_of(body, receiver, budget),
                    _ => None,
                })
            }
            ExprKind::Use { reaching, .. } => {
                let mut values = facts.definition_lists[reaching.range()].iter();
                let first = values.next().filter(|_| values.next().is_none())?;
                match facts.definitions[first.index()].kind {
                    DefinitionKind::Value(value) | DefinitionKind::Narrowed { value, .. } => {
                        self.maker_of(body, value, budget)
                    }
                    _ => None,
                }
            }
            ExprKind::Try(inner)
            | ExprKind::Await(inner)
            | ExprKind::Reference(inner)
            | ExprKind::Dereference(inner)
            | ExprKind::Project { base: inner, .. } => self.maker_of(body, inner, budget),
            ExprKind::Select(values) => {
                // `match made { Ok(runtime) => runtime, Err(error) => return .. }`
                let mut values = facts.expr_list(values).iter().copied();
                let is_value = |value: &ExprId| facts.expr(*value).kind != ExprKind::Never;
                let first = values.find(is_value)?;
                let rest = values.filter(is_value).count();
                (rest == 0).then(|| self.maker_of(body, first, budget))?
            }
            _ => None,
        }
    }

    /// A function of the program that gives what it made.
    fn made_by_function(&self, call: ProgramCall, budget: usize) -> Option<ProgramCall> {
        let [target] = self.program.targets(call) else {
            return None;
        };
        match target.kind {
            TargetKind::Body(callee) => {
                let value = self.program.body(callee).value?;
                self.maker_of(callee, value, budget)
            }
            _ => None,
        }
    }
}

fn crate_of<'a>(program: &'a Program<'_>, body: ProgramBody) -> &'a str {
    first_name(&program.resolved(body).path)
}

/// What an entry of the catalogue with an effect says of the threads of a runtime.
fn workers_of(
    program: &Program<'_>,
    catalog: &Catalog,
    call: ProgramCall,
    effect: Effect,
) -> Option<bool> {
    let (facts, record) = program.call(call);
    let mut targets = program.targets(call).iter();
    targets.find_map(|target| match target.kind {
        TargetKind::Api(api) => {
            let api = catalog.api(ApiId(api));
            let arguments = &facts.arguments[record.arguments.range()];
            workers(facts, arguments, api).filter(|_| api.effect == effect)
        }
        _ => None,
    })
}
