//! Where repair pays most: the functions without whose blocking most findings would be gone.
//!
//! The ways that findings show propose a function. Then it is tried: the program is summarised again as if that function blocked
//! no more, and what is found no longer counts. So the number is what a repair does, whatever other ways there are.

use std::collections::{BTreeMap, BTreeSet};

use nostall_model::finding::{Place, Repair};
use nostall_model::program::{ProgramBody, ProgramCall};
use nostall_model::{Context, Finding};

use crate::analyse::{Analysis, Answers, Without};
use crate::program::Program;
use crate::rules::{Draft, Writer};

/// So many repairs are named.
const MOST_REPAIRS: usize = 5;
/// So many functions are tried.
const MOST_TRIALS: usize = 8;
/// Functions that answer fewer findings are not named.
const FEWEST: usize = 2;

/// Finds the functions whose repair removes most findings, the best first: each counts what is left by those before it.
pub(crate) fn find(
    analysis: &Analysis<'_>,
    answers: &Answers,
    findings: &[Finding],
) -> Vec<Repair> {
    let by_place = by_place(analysis, answers);
    let ways = ways(&analysis.writer(answers), &by_place, findings);
    let mut left: BTreeSet<usize> = (0..findings.len()).collect();
    let mut repairs = Vec::new();
    let mut repaired = BTreeSet::new();
    let mut tried = BTreeSet::new();
    for _ in 0..MOST_TRIALS {
        let best = candidate(analysis.program, &ways, &left, &tried);
        let (Some(function), true) = (best, repairs.len() < MOST_REPAIRS) else {
            break;
        };
        tried.insert(function);
        repaired.insert(function);
        let without = analysis.without(answers, &repaired);
        let removes: Vec<usize> = left
            .iter()
            .copied()
            .filter(|index| is_gone(&findings[*index], &by_place, &without))
            .collect();
        if removes.len() < FEWEST {
            repaired.remove(&function);
            continue;
        }
        removes.iter().for_each(|index| {
            left.remove(index);
        });
        repairs.push(Repair {
            function: analysis.program.resolved(function).path.clone(),
            place: Place {
                file: analysis.program.file(function),
                span: analysis.program.body(function).name_span,
            },
            removes,
        });
    }
    repairs
}

/// Says whether nothing of a finding is left: all that it tells of may have changed, and no call of it blocks still.
fn is_gone(finding: &Finding, by_place: &BTreeMap<Place, Vec<&Draft>>, without: &Without) -> bool {
    let changes = |draft: &&Draft| draft.way().is_some() && without.reaching.contains(&draft.body);
    places(finding).all(|place| {
        let mut drafts = by_place.get(&place).into_iter().flatten();
        !without.still.contains(&place) && drafts.all(changes)
    })
}

/// The places that a finding speaks for.
fn places(finding: &Finding) -> impl Iterator<Item = Place> {
    let others = finding.also_at.iter().map(|also| also.place);
    std::iter::once(finding.place).chain(others)
}

/// The drafts that are shown, by place.
fn by_place<'a>(analysis: &Analysis<'_>, answers: &'a Answers) -> BTreeMap<Place, Vec<&'a Draft>> {
    let mut by_place: BTreeMap<Place, Vec<&Draft>> = BTreeMap::new();
    let drafts = answers.drafts.iter();
    for draft in drafts.filter(|draft| analysis.is_visible(draft)) {
        by_place.entry(draft.place).or_default().push(draft);
    }
    by_place
}

/// Per finding: the functions that all its ways lead through, each with its distance from the async code.
fn ways(
    writer: &Writer<'_>,
    by_place: &BTreeMap<Place, Vec<&Draft>>,
    findings: &[Finding],
) -> Vec<BTreeMap<ProgramBody, usize>> {
    let of_finding = |finding: &Finding| {
        let places = places(finding).filter_map(|place| by_place.get(&place));
        let ways = places.flatten().map(|draft| way(writer, draft));
        ways.reduce(|left, right| common(left, &right))
            .unwrap_or_default()
    };
    findings.iter().map(of_finding).collect()
}

fn common(
    mut left: BTreeMap<ProgramBody, usize>,
    right: &BTreeMap<ProgramBody, usize>,
) -> BTreeMap<ProgramBody, usize> {
    left.retain(|body, _| right.contains_key(body));
    left
}

/// The functions between async code and an api.
fn way(writer: &Writer<'_>, draft: &Draft) -> BTreeMap<ProgramBody, usize> {
    let Some((_, effect)) = draft.way() else {
        return BTreeMap::new();
    };
    let program = writer.program;
    let steps = writer.steps(draft.body, effect).into_iter().enumerate();
    steps
        .map(|(distance, (body, _))| (function_around(program, body), distance))
        .filter(|(body, _)| writer.runs[body.index()].context != Context::Async)
        .collect()
}

/// The function that most of the findings lead through; of equals the one that is called first.
fn candidate(
    program: &Program<'_>,
    ways: &[BTreeMap<ProgramBody, usize>],
    left: &BTreeSet<usize>,
    tried: &BTreeSet<ProgramBody>,
) -> Option<ProgramBody> {
    let mut counts: BTreeMap<ProgramBody, (usize, usize)> = BTreeMap::new();
    for (body, distance) in left.iter().flat_map(|index| &ways[*index]) {
        let (findings, distances) = counts.entry(*body).or_default();
        *findings += 1;
        *distances += distance;
    }
    let named = counts.into_iter().filter(|(body, (findings, _))| {
        *findings >= FEWEST && !tried.contains(body) && program.body(*body).item.is_some()
    });
    named
        .min_by_key(|(body, (findings, distances))| {
            (std::cmp::Reverse(*findings), *distances, *body)
        })
        .map(|(body, _)| body)
}

/// The function in which a body stands: a closure is part of the one around it.
pub(crate) fn function_around(program: &Program<'_>, body: ProgramBody) -> ProgramBody {
    std::iter::successors(Some(body), |body| program.parent(*body))
        .find(|body| program.body(*body).item.is_some())
        .unwrap_or(body)
}

/// Says whether a call stands in one of these functions.
pub(crate) fn stands_in(
    program: &Program<'_>,
    call: ProgramCall,
    functions: &BTreeSet<ProgramBody>,
) -> bool {
    functions.contains(&function_around(program, program.body_of_call(call)))
}
