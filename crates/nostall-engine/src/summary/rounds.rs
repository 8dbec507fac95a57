//! The order in which bodies are summarised: bottom-up, those that call each other in rounds until nothing changes.

use std::collections::BTreeSet;

use nostall_model::program::ProgramBody;
use rustc_hash::FxHashMap;

use super::{Basis, Cut, Cx, Summaries, Summary};

/// Summarises all bodies. `cut` takes calls out that the source vouches for.
pub(crate) fn summarise(basis: Basis<'_>, cut: &Cut<'_>) -> Summaries {
    let program = basis.program;
    let mut summaries = Summaries {
        by_body: vec![Summary::default(); program.body_count()],
        by_call: FxHashMap::default(),
        sinks: Vec::new(),
        sink_index: FxHashMap::default(),
    };
    let all: Vec<ProgramBody> = program.bodies().collect();
    Cx::new(basis, cut).summarise(&all, &mut summaries);
    summaries
}

/// Summarises again what reaches some functions, where `cut` takes calls out of these functions. The other summaries stay.
pub(crate) fn summarise_again(
    basis: Basis<'_>,
    cut: &Cut<'_>,
    reaching: &BTreeSet<ProgramBody>,
    known: &Summaries,
) -> Summaries {
    let mut summaries = Summaries {
        by_body: known.by_body.clone(),
        by_call: FxHashMap::default(),
        sinks: known.sinks.clone(),
        sink_index: known.sink_index.clone(),
    };
    for body in reaching {
        summaries.by_body[body.index()] = Summary::default();
    }
    let bodies: Vec<ProgramBody> = reaching.iter().copied().collect();
    Cx::new(basis, cut).summarise(&bodies, &mut summaries);
    summaries
}

/// Finds the bodies that reach some functions, these included.
pub(crate) fn reaching(
    basis: Basis<'_>,
    functions: impl IntoIterator<Item = ProgramBody>,
) -> BTreeSet<ProgramBody> {
    let cx = Cx::new(basis, &|_, _| false);
    let mut callers = vec![Vec::new(); basis.program.body_count()];
    for body in basis.program.bodies() {
        for callee in cx.callees(body) {
            callers[callee].push(body);
        }
    }
    let mut open: Vec<ProgramBody> = functions.into_iter().collect();
    let mut found: BTreeSet<ProgramBody> = open.iter().copied().collect();
    while let Some(body) = open.pop() {
        let new = callers[body.index()].iter().copied();
        open.extend(new.filter(|caller| found.insert(*caller)));
    }
    found
}

impl Cx<'_> {
    /// Summarises some bodies, bottom-up. Summaries of others are taken as they are.
    fn summarise(&self, bodies: &[ProgramBody], summaries: &mut Summaries) {
        let mut numbers = vec![None; self.program.body_count()];
        for (number, body) in bodies.iter().enumerate() {
            numbers[body.index()] = Some(number);
        }
        let callees = |number: usize| {
            let callees = self.callees(bodies[number]).into_iter();
            callees.filter_map(|body| numbers[body]).collect()
        };
        for part in nostall_model::components::components(bodies.len(), callees) {
            let part: Vec<ProgramBody> = part.iter().map(|number| bodies[*number]).collect();
            self.summarise_part(&part, summaries);
        }
    }

    /// Summarises bodies that call each other until nothing changes.
    fn summarise_part(&self, part: &[ProgramBody], summaries: &mut Summaries) {
        let rounds = if part.len() == 1 {
            2
        } else {
            part.len().min(16) + 2
        };
        for _ in 0..rounds {
            let mut changed = false;
            for body in part {
                let summary = self.summary(*body, summaries);
                changed |= summary != summaries.by_body[body.index()];
                summaries.by_body[body.index()] = summary;
            }
            if !changed {
                break;
            }
        }
    }
}
