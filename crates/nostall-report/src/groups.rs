//! Findings that have a cause in common: one function whose repair answers them. The first is told in full, of the others the
//! places.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use nostall_model::{Confidence, Finding, Report, Risk, Span};

/// Findings that are told together.
pub(crate) struct Group<'a> {
    /// The worst.
    pub(crate) first: &'a Finding,
    /// The others, the worst first.
    pub(crate) more: Vec<&'a Finding>,
    /// The function that all of them lead through; none for a finding alone.
    pub(crate) through: Option<&'a str>,
}

/// Puts findings together: those of a repair that the report names, then those whose ways lead through one function. The worst
/// group stands first, then the largest.
pub(crate) fn by_cause(report: &Report) -> Vec<Group<'_>> {
    let mut left: BTreeSet<usize> = (0..report.findings.len()).collect();
    let mut groups = Vec::new();
    for repair in &report.repairs {
        // What is told of a finding must lead through the function that it is grouped by.
        let leads_there =
            |index: &usize| functions(&report.findings[*index]).any(|it| it == repair.function);
        let own = repair.removes.iter().copied().filter(leads_there);
        let own: Vec<usize> = own.filter(|index| left.remove(index)).collect();
        groups.extend(group(report, &own, Some(&repair.function)));
    }
    while let Some((function, own)) = most_shared(report, &left) {
        left.retain(|index| !own.contains(index));
        groups.extend(group(report, &own, Some(function)));
    }
    groups.extend(
        left.iter()
            .filter_map(|index| group(report, &[*index], None)),
    );
    sort(report, &mut groups);
    groups
}

/// Each finding alone.
pub(crate) fn alone(report: &Report) -> Vec<Group<'_>> {
    let each = 0..report.findings.len();
    let mut groups: Vec<Group<'_>> = each
        .filter_map(|index| group(report, &[index], None))
        .collect();
    sort(report, &mut groups);
    groups
}

fn sort(report: &Report, groups: &mut [Group<'_>]) {
    groups.sort_by_cached_key(|group| {
        let Order(risk, confidence, path, span) = order(report, group.first);
        (risk, Reverse(group.more.len()), confidence, path, span)
    });
}

/// The worst first, then the surest, then by place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order(Reverse<Risk>, Reverse<Confidence>, String, Span);

/// Where a finding stands among others.
pub(crate) fn order(report: &Report, finding: &Finding) -> Order {
    Order(
        Reverse(finding.risk),
        Reverse(finding.confidence),
        report.sources.get(finding.place.file).path.clone(),
        finding.place.span,
    )
}

fn group<'a>(report: &'a Report, own: &[usize], through: Option<&'a str>) -> Option<Group<'a>> {
    let mut findings: Vec<&Finding> = own.iter().map(|index| &report.findings[*index]).collect();
    findings.sort_by_cached_key(|finding| order(report, finding));
    let (first, more) = findings.split_first()?;
    Some(Group {
        first,
        more: more.to_vec(),
        through: through.filter(|_| !more.is_empty()),
    })
}

/// The function through which most of the findings lead, of equals the one that is called first; nothing that is not shared.
fn most_shared<'a>(report: &'a Report, left: &BTreeSet<usize>) -> Option<(&'a str, Vec<usize>)> {
    let mut shared: BTreeMap<&str, (Vec<usize>, usize)> = BTreeMap::new();
    for index in left {
        for (distance, function) in functions(&report.findings[*index]).enumerate() {
            let (findings, distances) = shared.entry(function).or_default();
            if findings.last() != Some(index) {
                findings.push(*index);
                *distances += distance;
            }
        }
    }
    shared
        .into_iter()
        .filter(|(_, (findings, _))| findings.len() > 1)
        .min_by_key(|(name, (findings, distances))| (Reverse(findings.len()), *distances, *name))
        .map(|(name, (findings, _))| (name, findings))
}

/// The functions on the way from async code to the api.
fn functions(finding: &Finding) -> impl Iterator<Item = &str> {
    let helpers = finding.chain.len().saturating_sub(1);
    finding.chain[..helpers].iter().map(|hop| hop.call.as_str())
}
