//! Why async bodies run, in the words of the program: the route that a handler answers, the place that spawned a task.
//!
//! What a call says of routes is data (`route` of its entry). The pieces of one route are gathered along the chain that
//! hands the handler over: `.route("/users", get(list))`, `resource("/users").route(get().to(list))`.

use nostall_catalog::{Api, ApiId, Catalog, Effect, Route};
use nostall_model::facts::{Argument, CallId, Callee, ExprId, ExprKind, FileFacts, Literal, Sink};
use nostall_model::finding::{Entry, Form, Place};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Context, Language};
use rustc_hash::FxHashMap;

use crate::contexts::{Runs, says_of};
use crate::program::Program;
use crate::sinks::{argument, made_before};

/// How far a route's chain is followed.
const LONGEST_CHAIN: u32 = 24;

/// Writes into `runs` what is known of why bodies run.
pub(crate) fn name(program: &Program<'_>, catalog: &Catalog, runs: &mut [Runs]) {
    let mut receivers = Receivers::default();
    for body in program.bodies() {
        for call in program.calls_of(body) {
            for target in program.targets(*call) {
                let TargetKind::Api(api) = target.kind else {
                    continue;
                };
                let api = catalog.api(ApiId(api));
                let names = match api.effect {
                    Effect::Schedules => true,
                    // Of what a pool is given, only what is async runs on the executor.
                    Effect::Offloads => true,
                    _ => false,
                };
                if !names {
                    continue;
                }
                let mut cx = Cx {
                    program,
                    catalog,
                    body,
                    facts: program.facts(body),
                    receivers: &mut receivers,
                };
                if api.route.is_some() {
                    cx.name_handlers(*call, api, runs);
                } else {
                    cx.name_tasks(*call, api, runs);
                }
            }
        }
    }
}

/// What is said of a route.
#[derive(Debug, Default)]
struct Pieces {
    method: Option<String>,
    path: Option<String>,
}

impl Pieces {
    fn entry(&self) -> Option<Entry> {
        Entry::route(self.method.clone(), self.path.clone())
    }

    /// `ANY` gives way to a method that is said elsewhere.
    fn is_any_method(&self) -> bool {
        self.method.as_ref().is_none_or(|method| method == "ANY")
    }

    fn is_complete(&self) -> bool {
        !self.is_any_method() && self.path.is_some()
    }
}

/// Per file (by its first body): the method call that an expression is the object of.
type Receivers = FxHashMap<ProgramBody, FxHashMap<ExprId, CallId>>;

struct Cx<'a> {
    program: &'a Program<'a>,
    catalog: &'a Catalog,
    body: ProgramBody,
    facts: &'a FileFacts,
    receivers: &'a mut Receivers,
}

impl Cx<'_> {
    fn name_handlers(&mut self, call: ProgramCall, api: &Api, runs: &mut [Runs]) {
        let mut pieces = Pieces::default();
        let own = self.number(call);
        self.gather(own, &mut pieces);
        let Some(route) = pieces.entry() else { return };
        for passed in self.program.passed(call) {
            let (facts, record) = self.program.call(call);
            let arguments = &facts.arguments[record.arguments.range()];
            let handler = api.callable.as_ref().is_none_or(|wanted| {
                argument(facts, arguments, wanted)
                    .is_some_and(|found| arguments.get(usize::from(passed.index)) == Some(found))
            });
            if let (true, TargetKind::Body(handler)) = (handler, &passed.target.kind)
                && says_of(self.program, call, *handler)
            {
                rename_handler(&mut runs[handler.index()], &route);
                if let Some(block) = self.block_of(*handler, runs) {
                    rename(&mut runs[block.index()], &route);
                }
            }
        }
    }

    /// The async block that a closure gives: `|| async { .. }`. Inner bodies come after outer ones.
    fn block_of(&self, closure: ProgramBody, runs: &[Runs]) -> Option<ProgramBody> {
        let mut after = (closure.0 + 1..runs.len() as u32).map(ProgramBody);
        after
            .next()
            .filter(|body| self.program.parent(*body) == Some(closure))
            .filter(|body| runs[body.index()].context == Context::Async)
    }

    /// Gathers what a call, the chain before it and the calls around it say. What stands nearer counts.
    fn gather(&mut self, handing: CallId, pieces: &mut Pieces) {
        self.read(handing, pieces);
        // A decorator is called with the function; what it was made of says the rest: `@app.get("/users")`.
        if let Some(made) = made_before(self.facts, self.facts.call(handing)) {
            self.read(made, pieces);
            self.gather_before(made, LONGEST_CHAIN, pieces);
        }
        self.gather_before(handing, LONGEST_CHAIN, pieces);
        // What the next calls of a chain say is their own handlers'; what is around them is for all of it.
        let mut current = handing;
        for _ in 0..LONGEST_CHAIN {
            match self.facts.call(current).sink {
                Sink::Argument { call: around, .. } => {
                    self.read(around, pieces);
                    self.gather_before(around, LONGEST_CHAIN, pieces);
                    return;
                }
                Sink::Receiver => match self.call_on(self.facts.call(current).expr) {
                    Some(next) => current = next,
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// The chain before a call, as far as the catalogue knows it: `resource("/users").route(..)`, `path("a").and(get())`.
    /// A call with a path and something beside it speaks of that alone: `.route("/users", ..)`.
    fn gather_before(&self, call: CallId, budget: u32, pieces: &mut Pieces) {
        let facts = self.facts;
        let mut current = call;
        for _ in 0..budget {
            let Callee::Method { receiver, .. } = facts.call(current).callee else {
                return;
            };
            let ExprKind::Call(before) = facts.expr(receiver).kind else {
                return;
            };
            if pieces.is_complete() || !self.is_known(before) {
                return;
            }
            current = before;
            let arguments = facts.call_arguments(before);
            if arguments.len() > 1 {
                continue;
            }
            self.read(before, pieces);
            for argument in arguments {
                if let ExprKind::Call(inner) = facts.expr(argument.value).kind {
                    self.read(inner, pieces);
                    self.gather_before(inner, budget / 4, pieces);
                }
            }
        }
    }

    /// The call whose value this one calls.
    fn is_known(&self, call: CallId) -> bool {
        let targets = self.program.targets(self.program.call_in(self.body, call));
        targets
            .iter()
            .any(|target| matches!(target.kind, TargetKind::Api(_)))
    }

    /// Takes over what one call's entry says.
    fn read(&self, call: CallId, pieces: &mut Pieces) {
        let call = self.program.call_in(self.body, call);
        for target in self.program.targets(call) {
            if let TargetKind::Api(api) = target.kind
                && let Some(route) = &self.catalog.api(ApiId(api)).route
            {
                let (facts, record) = self.program.call(call);
                read_route(
                    facts,
                    &facts.arguments[record.arguments.range()],
                    route,
                    pieces,
                );
            }
        }
    }

    fn call_on(&mut self, object: ExprId) -> Option<CallId> {
        let facts = self.facts;
        let first = self.program.first_body_beside(self.body);
        let receivers = self.receivers.entry(first);
        let receivers = receivers.or_insert_with(|| facts.methods_by_receiver());
        receivers.get(&object).copied()
    }

    /// Tasks: blocks, and the futures of async functions, that a call hands to the executor.
    fn name_tasks(&self, call: ProgramCall, api: &Api, runs: &mut [Runs]) {
        let (facts, record) = self.program.call(call);
        let at = Place {
            file: self.program.file_of_call(call),
            span: record.name_span,
        };
        let spawned = Entry::Task { at };
        // Python's libraries are given functions by many names; what they are given a future for is a task.
        let handed = match facts.language {
            Language::Rust => spawned.clone(),
            Language::Python => Entry::Callback {
                api: api.path.clone(),
                at,
            },
        };
        for passed in self.program.passed(call) {
            if let TargetKind::Body(task) = passed.target.kind
                && says_of(self.program, call, task)
            {
                rename(&mut runs[task.index()], &handed);
            }
        }
        let future = api
            .callable
            .as_ref()
            .and_then(|wanted| argument(facts, &facts.arguments[record.arguments.range()], wanted));
        if let Some(ExprKind::Call(made)) = future.map(|it| facts.expr(it.value).kind) {
            for target in self.program.targets(self.program.call_in(self.body, made)) {
                if let TargetKind::Body(task) = target.kind
                    && says_of(self.program, call, task)
                {
                    rename(&mut runs[task.index()], &spawned);
                }
            }
        }
    }

    fn number(&self, call: ProgramCall) -> CallId {
        let first = self.program.call_in(self.body, CallId(0));
        CallId(call.0 - first.0)
    }
}

/// Takes over what an entry says of a route, for what is not known yet.
fn read_route(facts: &FileFacts, arguments: &[Argument], route: &Route, pieces: &mut Pieces) {
    if let (true, Some(method)) = (pieces.is_any_method(), &route.method) {
        pieces.method = Some(method.to_string());
    }
    if pieces.path.is_none() {
        let found = route
            .path
            .as_ref()
            .and_then(|wanted| argument(facts, arguments, wanted));
        pieces.path = found.and_then(|found| match facts.expr(found.value).kind {
            ExprKind::Literal(Literal::Str(text)) => Some(facts.text(text).to_owned()),
            _ => None,
        });
    }
}

/// A route says more than the place where a handler is handed over.
fn rename_handler(runs: &mut Runs, route: &Entry) {
    let handed = matches!(runs.why, Some(Entry::Task { .. } | Entry::Callback { .. }));
    if runs.context == Context::Async && handed {
        runs.why = Some(route.clone());
    }
    rename(runs, route);
}

/// The first name that says more than the form of the code stays.
fn rename(runs: &mut Runs, entry: &Entry) {
    let form = matches!(runs.why, Some(Entry::Form(form)) if form != Form::Poll && form != Form::AsyncComprehension);
    if runs.context == Context::Async && form {
        runs.why = Some(entry.clone());
    }
}
