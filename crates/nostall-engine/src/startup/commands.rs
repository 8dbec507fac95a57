//! Functions that carry out a command. In Rust what a line of a shell was parsed into is one of their parameters, or what they are
//! methods of; in Python a parser or a decorator is given them. A process does one command, so that their futures are a program's first ones, even where a library has them.

use nostall_catalog::{Catalog, TraitEntry};
use nostall_model::facts::{ExprId, ExprKind, FileFacts, ItemKind, ParameterKind, ScopeKind};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};
use nostall_model::{Context, Language};
use rustc_hash::FxHashSet;

use super::{Callers, first_name, is_entry};
use crate::concurrency::{Concurrency, is_awaited, reaches};
use crate::contexts::Runs;
use crate::program::Program;

/// How many functions are looked at between a command and the start of its process.
const MOST_CALLERS: usize = 6;

/// Finds the async functions that carry out a command, and that nothing runs as one task of many. `mains` are first futures that are
/// known already.
pub(super) fn find(
    program: &Program<'_>,
    catalog: &Catalog,
    runs: &[Runs],
    concurrency: &Concurrency,
    callers: &Callers,
    mains: &[ProgramBody],
) -> Vec<ProgramBody> {
    let traits: Vec<&TraitEntry> = catalog
        .traits()
        .filter(|entry| entry.command_line)
        .collect();
    if traits.is_empty() {
        return Vec::new();
    }
    let parsed = parsed(program, &traits);
    let cx = Cx {
        program,
        catalog,
        runs,
        concurrency,
        callers,
        mains,
    };
    program
        .bodies()
        .filter(|body| is_entry(runs, *body) && program.is_present(*body, false))
        .filter(|body| types_given(program, *body).any(|name| parsed.contains(name)))
        .filter(|body| cx.is_first(*body, MOST_CALLERS))
        .collect()
}

/// The async functions that a parser of the command line, or a decorator, is given as commands:
/// `parser.set_defaults(func=fetch)`.
pub(super) fn registered(
    program: &Program<'_>,
    catalog: &Catalog,
    runs: &[Runs],
) -> Vec<ProgramBody> {
    let takes_commands =
        |call: &&ProgramCall| reaches(program, catalog, **call, |api| api.command_line);
    let present = program
        .bodies()
        .filter(|body| program.is_present(*body, false));
    let calls = present.flat_map(|body| program.calls_of(body));
    let passed = calls
        .filter(takes_commands)
        .flat_map(|call| program.passed(*call));
    let given = passed.filter_map(|passed| match passed.target.kind {
        TargetKind::Body(body) => Some(body),
        _ => None,
    });
    given.filter(|body| is_entry(runs, *body)).collect()
}

struct Cx<'a> {
    program: &'a Program<'a>,
    catalog: &'a Catalog,
    runs: &'a [Runs],
    concurrency: &'a Concurrency,
    callers: &'a Callers,
    mains: &'a [ProgramBody],
}

impl Cx<'_> {
    /// Says whether all that call a function wait for it, up to first futures and to those that nobody calls.
    fn is_first(&self, body: ProgramBody, steps: usize) -> bool {
        let Some(calls) = self.callers.get(&body) else {
            return true;
        };
        let calls = calls.as_ref();
        calls.is_some_and(|calls| calls.iter().all(|call| self.waits(*call, steps)))
    }

    fn waits(&self, call: ProgramCall, steps: usize) -> bool {
        let around = &self.runs[self.program.body_of_call(call).index()];
        if around.context != Context::Async {
            return true;
        }
        let caller = around.entry;
        let is_first = || {
            self.mains.contains(&caller)
                || self.program.body(caller).item.is_some()
                    && steps > 0
                    && self.is_first(caller, steps - 1)
        };
        is_awaited(self.program, self.catalog, call)
            && !self.concurrency.is_shared(call)
            && is_first()
    }
}

/// The names of the types that a command line is parsed into: `#[derive(clap::Args)]`. Such a type often stands in a file or a crate
/// without code.
fn parsed<'a>(program: &'a Program<'a>, traits: &[&TraitEntry]) -> FxHashSet<&'a str> {
    let files = program.all_facts().iter();
    files.flat_map(|facts| parsed_in(facts, traits)).collect()
}

fn parsed_in<'a>(facts: &'a FileFacts, traits: &[&TraitEntry]) -> Vec<&'a str> {
    let is_named = |entry: &&TraitEntry| facts.names.find(first_name(&entry.path)).is_some();
    let traits: Vec<&TraitEntry> = traits.iter().copied().filter(is_named).collect();
    if traits.is_empty() || facts.language != Language::Rust {
        return Vec::new();
    }
    let types = facts
        .items
        .iter()
        .filter(|item| matches!(item.kind, ItemKind::Struct { .. } | ItemKind::Enum));
    let parsed = types.filter(|item| {
        let mut attributes = facts.expr_list(item.attributes).iter();
        attributes.any(|attribute| derives(facts, *attribute, &traits))
    });
    parsed
        .filter_map(|item| item.name)
        .map(|name| facts.text(name))
        .collect()
}

/// Says whether an attribute derives one of some traits.
fn derives(facts: &FileFacts, attribute: ExprId, traits: &[&TraitEntry]) -> bool {
    let ExprKind::Struct { path, fields } = facts.expr(attribute).kind else {
        return false;
    };
    facts.path_text(path, "::") == "derive"
        && facts.arguments[fields.range()].iter().any(|derived| {
            match facts.expr(derived.value).kind {
                ExprKind::Path(path) => {
                    let last = facts.path_segments(path).last();
                    last.is_some_and(|last| {
                        let name = facts.text(last.name);
                        traits.iter().any(|entry| last_name(&entry.path) == name)
                    })
                }
                _ => false,
            }
        })
}

/// The names of the types of a function's parameters, and of what it is a method of.
fn types_given<'a>(program: &'a Program<'a>, body: ProgramBody) -> impl Iterator<Item = &'a str> {
    let facts = program.facts(body);
    let record = program.body(body);
    let parameters = &facts.parameters[record.parameters.range()];
    let is_method = parameters
        .iter()
        .any(|parameter| parameter.kind == ParameterKind::Receiver);
    let owner = record
        .item
        .filter(|_| is_method)
        .map(|item| facts.scopes[facts.item(item).scope.index()].kind);
    let receiver = owner.and_then(|owner| match owner {
        ScopeKind::Item(owner) => match facts.item(owner).kind {
            ItemKind::Impl { self_type, .. } => Some(self_type),
            _ => None,
        },
        _ => None,
    });
    let written = parameters.iter().filter_map(|parameter| parameter.type_);
    receiver
        .into_iter()
        .chain(written)
        .filter_map(move |written| facts.named_type(written))
}

fn last_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
