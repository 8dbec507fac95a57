//! What `explain` and `graph` answer: questions about one line, one function, one way.

use serde::Serialize;

use crate::finding::{Place, Replacement, RiskReason};
use crate::{Confidence, Context, Finding, Risk, RuleId};

/// All calls of one line, and why each is reported or not.
#[derive(Clone, Debug, Default)]
pub struct LineAnswer {
    /// The calls, in the order of the text.
    pub calls: Vec<CallAnswer>,
    /// The findings that stand on the line, hidden ones included.
    pub findings: Vec<FindingAnswer>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct CallAnswer {
    /// The callee's name.
    pub place: Place,
    /// The callee as written.
    pub text: String,
    /// The body in which it stands, and where that runs.
    pub body: BodyAnswer,
    /// How its callee was found.
    pub how: String,
    /// What it may reach.
    pub targets: Vec<TargetAnswer>,
    /// Why it is reported, or why it is not.
    pub verdict: String,
}

/// A body, and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyAnswer {
    /// The qualified path.
    pub path: String,
    /// Where it runs.
    pub context: Context,
    /// Why it runs there.
    pub why: String,
}

/// What a call may reach.
#[derive(Clone, Debug)]
pub struct TargetAnswer {
    /// Its path.
    pub path: String,
    /// What it is: a function of the program, an entry of the catalogue, ….
    pub kind: &'static str,
    /// How sure that is.
    pub confidence: Confidence,
}

/// A finding with all that leads to it.
#[derive(Clone, Debug)]
pub struct FindingAnswer {
    /// The finding.
    pub finding: Finding,
    /// Why it is not shown, if it is not.
    pub hidden: Option<String>,
    /// The finding with which `check` tells it, if it is none of its own: its rule and place.
    pub told_with: Option<String>,
    /// Per hop of the chain: how its callee was found.
    pub how: Vec<String>,
    /// What would stop the chain.
    pub stops: Vec<Stop>,
}

/// What would stop a chain.
#[derive(Clone, Debug)]
pub enum Stop {
    /// Something else at the reported call.
    Here(Replacement),
    /// The api's async twin where it is called, with async functions on the way there.
    Twin {
        /// The api's call.
        at: Place,
        /// The twin's path.
        path: String,
    },
    /// A mark in the source.
    Mark(RuleId),
}

/// What a function does.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionAnswer {
    /// The qualified path.
    pub function: String,
    /// Where it runs: `async`, `sync` (wherever its caller runs), `offloaded`, `unknown`; `library` for a catalogue entry.
    pub context: String,
    /// Why it runs there.
    pub entry: String,
    /// The highest risk of what it does.
    pub risk: Option<Risk>,
    /// What it blocks on.
    pub operations: Vec<Operation>,
}

/// One thing that a function blocks on.
#[derive(Clone, Debug, Serialize)]
pub struct Operation {
    /// The rule that speaks of it.
    pub rule: RuleId,
    /// The risk there.
    pub risk: Risk,
    /// Why.
    pub risk_reasons: Vec<RiskReason>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The api.
    pub call: String,
    /// The functions on the way, the first called one first; empty where the api is called in the function itself.
    pub via: Vec<String>,
    /// `path:line:column` of the call in the function.
    pub at: String,
}

/// An entry of the catalogue, for people.
#[derive(Clone, Debug)]
pub struct ApiAnswer {
    /// Its path.
    pub path: String,
    /// The crate or distribution.
    pub library: String,
    /// What is said of it: a word and a text each.
    pub lines: Vec<(&'static str, String)>,
}

/// The ways from async entries through one function to what blocks.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Functions and apis.
    pub nodes: Vec<Node>,
    /// Calls: from, to, by the places of the two in `nodes`.
    pub edges: Vec<Edge>,
    /// Why the function that was asked for runs on the executor, if it is async code itself.
    pub entry: Option<String>,
    /// Ways that were left out because there are too many.
    pub left_out: usize,
}

/// A function or an api.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its path.
    pub path: String,
    /// What it is in the graph.
    pub kind: NodeKind,
    /// Why it runs on the executor, of an entry; `path:line` of a function.
    pub note: String,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Async code from which a way begins.
    Entry,
    /// A function on the way.
    Function,
    /// The function that was asked for.
    Asked,
    /// What blocks.
    Api,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The caller's place in the nodes.
    pub from: usize,
    /// The callee's.
    pub to: usize,
    /// `path:line:column` of the call.
    pub at: String,
    /// Whether the callee is given to something that runs it off the executor.
    pub offloaded: bool,
}
