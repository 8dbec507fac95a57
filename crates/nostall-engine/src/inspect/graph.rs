//! The ways from async entries through one function to what blocks.

use std::collections::{BTreeMap, BTreeSet};

use nostall_catalog::{ApiId, Effect as ApiEffect};
use nostall_model::Context;
use nostall_model::explain::{Edge, Graph, Node, NodeKind};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};

use super::{place_of, place_of_call};
use crate::analyse::{Analysis, Answers};
use crate::program::Program;
use crate::summary::Use;

/// More nodes than these are not shown: a picture of them helps nobody.
const MOST_NODES: usize = 200;

/// Draws the ways through a function.
pub(super) fn of(analysis: &Analysis<'_>, asked: ProgramBody) -> Graph {
    let answers = analysis.answers();
    let mut cx = Cx {
        analysis,
        answers: &answers,
        graph: Graph::default(),
        index: BTreeMap::new(),
        edges: BTreeSet::new(),
    };
    cx.node(Key::Body(asked), NodeKind::Asked);
    let runs = &answers.runs[asked.index()];
    cx.graph.entry = runs
        .why
        .as_ref()
        .map(|entry| entry.describe(analysis.program.sources));
    cx.downwards(asked);
    cx.upwards(asked);
    cx.graph.edges = cx.edges.into_iter().collect();
    cx.graph
}

/// Per body, all calls that may run it, those that are given it included.
pub(super) fn callers(program: &Program<'_>) -> BTreeMap<ProgramBody, Vec<ProgramCall>> {
    let mut callers: BTreeMap<ProgramBody, Vec<ProgramCall>> = BTreeMap::new();
    for call in program.bodies().flat_map(|body| program.calls_of(body)) {
        let targets = program.targets(*call).iter().map(|target| &target.kind);
        let passed = program
            .passed(*call)
            .iter()
            .map(|passed| &passed.target.kind);
        for kind in targets.chain(passed) {
            if let TargetKind::Body(body) = kind {
                callers.entry(*body).or_default().push(*call);
            }
        }
    }
    callers
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Body(ProgramBody),
    Api(u32),
}

fn key(kind: &TargetKind) -> Option<Key> {
    match kind {
        TargetKind::Body(body) => Some(Key::Body(*body)),
        TargetKind::Api(api) => Some(Key::Api(*api)),
        _ => None,
    }
}

struct Cx<'a> {
    analysis: &'a Analysis<'a>,
    answers: &'a Answers,
    graph: Graph,
    index: BTreeMap<Key, usize>,
    edges: BTreeSet<Edge>,
}

impl Cx<'_> {
    /// The place of a node, added when it is new and there is room.
    fn node(&mut self, key: Key, kind: NodeKind) -> Option<usize> {
        if let Some(known) = self.index.get(&key) {
            return Some(*known);
        }
        if self.graph.nodes.len() >= MOST_NODES {
            self.graph.left_out += 1;
            return None;
        }
        let node = match key {
            Key::Body(body) => {
                let runs = &self.answers.runs[body.index()];
                let place = place_of(self.analysis, body);
                let note = match &runs.why {
                    Some(entry) => {
                        format!("{}, {place}", entry.describe(self.analysis.program.sources))
                    }
                    None => place,
                };
                Node {
                    path: self.analysis.program.resolved(body).path.clone(),
                    kind,
                    note,
                }
            }
            Key::Api(api) => {
                let api = self.analysis.catalog.api(ApiId(api));
                Node {
                    path: api.path.to_string(),
                    kind,
                    note: api
                        .waits
                        .map_or_else(String::new, |waits| waits.describe().to_owned()),
                }
            }
        };
        let place = self.graph.nodes.len();
        self.graph.nodes.push(node);
        self.index.insert(key, place);
        Some(place)
    }

    fn edge(&mut self, from: Key, to: Key, kind: NodeKind, call: ProgramCall) {
        self.edge_with(from, to, kind, call, false);
    }

    fn edge_with(
        &mut self,
        from: Key,
        to: Key,
        kind: NodeKind,
        call: ProgramCall,
        offloaded: bool,
    ) {
        let at = place_of_call(self.analysis, call);
        let from = self.node(from, kind);
        let to = self.node(
            to,
            match to {
                Key::Body(_) => NodeKind::Function,
                Key::Api(_) => NodeKind::Api,
            },
        );
        if let (Some(from), Some(to)) = (from, to) {
            self.edges.insert(Edge {
                from,
                to,
                at,
                offloaded,
            });
        }
    }

    /// From a function to what blocks, each api by its best way.
    fn downwards(&mut self, body: ProgramBody) {
        let answers = self.answers;
        let writer = self.analysis.writer(answers);
        let effects: Vec<_> = answers.summaries.of(body).effects.clone();
        for first in effects {
            for (function, effect) in writer.steps(body, first) {
                let to = match effect.next {
                    Some(next) => Key::Body(next),
                    None => Key::Api(answers.summaries.sink(effect.sink).api),
                };
                let from = Key::Body(self.owner(function));
                self.edge(from, to, NodeKind::Function, effect.call);
                if function == body {
                    self.same_calls(body, to);
                }
            }
        }
    }

    /// The other calls of a function that reach the same: a way shows one of them.
    fn same_calls(&mut self, body: ProgramBody, to: Key) {
        let program = self.analysis.program;
        for call in program.calls_of(body).iter().copied() {
            let mut targets = program.targets(call).iter();
            if targets.any(|target| key(&target.kind) == Some(to)) {
                self.edge(Key::Body(self.owner(body)), to, NodeKind::Function, call);
            }
        }
    }

    /// From a function back to async code, which is where a way begins.
    fn upwards(&mut self, asked: ProgramBody) {
        if self.answers.runs[asked.index()].context == Context::Async {
            return;
        }
        let program = self.analysis.program;
        let callers = callers(program);
        let mut open = vec![asked];
        let mut seen: BTreeSet<ProgramBody> = open.iter().copied().collect();
        while let Some(callee) = open.pop() {
            for call in callers.get(&callee).into_iter().flatten().copied() {
                let caller = self.owner(program.body_of_call(call));
                if !self.analysis.counts(caller) {
                    continue;
                }
                let offloaded = self.is_offloaded(call, callee);
                let entry = self.answers.runs[caller.index()].context == Context::Async;
                let kind = if entry {
                    NodeKind::Entry
                } else {
                    NodeKind::Function
                };
                self.edge_with(Key::Body(caller), Key::Body(callee), kind, call, offloaded);
                if !entry && !offloaded && seen.insert(caller) {
                    open.push(caller);
                }
            }
        }
    }

    /// Says whether a call gives a function to something that runs it off the executor.
    fn is_offloaded(&self, call: ProgramCall, callee: ProgramBody) -> bool {
        let program = self.analysis.program;
        let mut passed = program.passed(call).iter();
        if !passed.any(|passed| passed.target.kind == TargetKind::Body(callee)) {
            return false;
        }
        let mut targets = program.targets(call).iter();
        targets.any(|target| match target.kind {
            TargetKind::Api(api) => {
                self.analysis.catalog.api(ApiId(api)).effect == ApiEffect::Offloads
            }
            TargetKind::Body(taker) => {
                let mut uses = self.answers.summaries.of(taker).uses.iter();
                uses.any(|use_| use_.what == Use::Offloaded)
            }
            _ => false,
        })
    }

    /// A closure that runs in place is part of the function around it.
    fn owner(&self, body: ProgramBody) -> ProgramBody {
        let runs = &self.answers.runs[body.index()];
        if runs.context == Context::Async {
            runs.entry
        } else {
            body
        }
    }
}
