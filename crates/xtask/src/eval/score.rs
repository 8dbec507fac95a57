//! How findings are held against labels.
//!
//! A true site is found when a finding in its file stands on its line, on another line that the label allows, or, for a
//! call chain over several lines, between the start of the expression and the line. Where two labels share these lines the
//! finding must speak of the same call. A false site is hit when a finding stands on its line and no true site explains it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Package, Share, Which};
use crate::root;

/// A labelled site.
#[derive(Clone, Deserialize)]
pub(crate) struct Label {
    #[serde(alias = "crate", alias = "dist")]
    package: String,
    version: String,
    pub(crate) path: String,
    pub(crate) line: u32,
    #[serde(default)]
    alt_lines: Vec<u32>,
    #[serde(default)]
    expr_line: Option<u32>,
    pub(crate) call: String,
    pub(crate) category: String,
    pub(crate) kind: String,
    pub(crate) verdict: bool,
    #[serde(default)]
    chain: Vec<String>,
    #[serde(default)]
    pub(crate) why: String,
    #[serde(default)]
    needs: Option<Vec<String>>,
}

impl Label {
    pub(crate) fn tree(&self) -> String {
        format!("{}-{}", self.package, self.version)
    }

    fn lines(&self) -> BTreeSet<u32> {
        let mut lines: BTreeSet<u32> = self.alt_lines.iter().copied().chain([self.line]).collect();
        if let Some(first) = self
            .expr_line
            .filter(|first| *first < self.line && self.line - first <= 40)
        {
            lines.extend(first..=self.line);
        }
        lines
    }

    fn needs(&self) -> &[String] {
        self.needs.as_deref().unwrap_or_default()
    }
}

/// A finding, as far as scoring looks.
#[derive(Clone, Deserialize)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) call: String,
    pub(crate) rule: String,
}

/// A finding as it is written: with the other calls that it speaks for.
#[derive(Deserialize)]
struct Written {
    #[serde(flatten)]
    finding: Finding,
    also_at: Vec<AlsoAt>,
}

#[derive(Deserialize)]
struct AlsoAt {
    path: String,
    line: u32,
    call: String,
}

impl Written {
    /// The calls that are reported, each as a finding of its own: labels speak of calls.
    fn calls(self) -> impl Iterator<Item = Finding> {
        let rule = self.finding.rule.clone();
        let others = self.also_at.into_iter().map(move |also| Finding {
            path: also.path,
            line: also.line,
            call: also.call,
            rule: rule.clone(),
        });
        std::iter::once(self.finding).chain(others)
    }
}

/// Reads the labels of a language.
pub(crate) fn labels(language: Which) -> Result<Vec<Label>> {
    let file = root().join(format!("fixtures/eval/{}/labels.jsonl", language.name()));
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

/// Reads findings, with their paths from the package's folder. Only the rules that speak of blocking count.
pub(crate) fn findings(output: &str, package: &Package) -> Result<Vec<Finding>> {
    let folder = package.folder.to_string_lossy().replace('\\', "/");
    let mut findings = Vec::new();
    for line in output.lines().filter(|line| !line.is_empty()) {
        let written: Written = serde_json::from_str(line).with_context(|| line.to_owned())?;
        for mut finding in written.calls() {
            if let Some(rest) = finding.path.strip_prefix(&folder) {
                finding.path = rest.trim_start_matches('/').to_owned();
            }
            if speaks_of_blocking(&finding.rule) {
                findings.push(finding);
            }
        }
    }
    Ok(findings)
}

fn speaks_of_blocking(rule: &str) -> bool {
    rule.starts_with("blocking-") || matches!(rule, "nested-runtime" | "await-holding-lock")
}

/// What came out.
#[derive(Default)]
pub(crate) struct Scores {
    pub(crate) recall: Share,
    pub(crate) by_kind: BTreeMap<String, Share>,
    pub(crate) by_category: BTreeMap<String, Share>,
    pub(crate) by_need: BTreeMap<String, Share>,
    /// Sites that need no more than paths and aliases.
    pub(crate) by_path: Share,
    /// Sites that need these and knowledge of a library.
    pub(crate) by_library: Share,
    pub(crate) false_sites: Share,
    pub(crate) false_by_kind: BTreeMap<String, Share>,
    pub(crate) findings: usize,
    pub(crate) missed: Vec<Label>,
    pub(crate) hit: Vec<Label>,
}

impl Scores {
    /// The mean of the categories' recall: file-system sites dominate the sum.
    pub(crate) fn macro_average(&self) -> f64 {
        let shares: Vec<f64> = self
            .by_category
            .values()
            .map(|(found, all)| *found as f64 / *all as f64)
            .collect();
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }
}

/// Scores the findings of all packages.
pub(crate) fn score(
    language: Which,
    labels: &[Label],
    findings: &BTreeMap<String, Vec<Finding>>,
) -> Scores {
    let mut scores = Scores {
        findings: findings.values().map(Vec::len).sum(),
        ..Scores::default()
    };
    let mut by_file: BTreeMap<(String, &str), Vec<&Label>> = BTreeMap::new();
    for label in labels {
        by_file
            .entry((label.tree(), &label.path))
            .or_default()
            .push(label);
    }
    for ((tree, path), labels) in by_file {
        let own: Vec<&Finding> = findings
            .get(&tree)
            .into_iter()
            .flatten()
            .filter(|finding| finding.path == path)
            .collect();
        let mut used = vec![false; own.len()];
        for label in labels.iter().filter(|label| label.verdict) {
            let found = match_true(language, label, &labels, &own, &mut used);
            scores.count_true(label, found);
        }
        for label in labels.iter().filter(|label| !label.verdict) {
            let hit = match_false(language, label, &labels, &own, &used);
            scores.count_false(label, hit);
        }
    }
    scores
}

impl Scores {
    fn count_true(&mut self, label: &Label, found: bool) {
        let add = |share: &mut Share| {
            share.0 += usize::from(found);
            share.1 += 1;
        };
        add(&mut self.recall);
        add(self.by_kind.entry(label.kind.clone()).or_default());
        add(self.by_category.entry(label.category.clone()).or_default());
        for need in label.needs() {
            add(self.by_need.entry(need.clone()).or_default());
        }
        let path = |need: &String| need == "full-path" || need == "use-alias";
        let library = |need: &String| need == "external-api-knowledge";
        if !label.needs().is_empty() && label.needs().iter().all(path) {
            add(&mut self.by_path);
        } else if !label.needs().is_empty()
            && label.needs().iter().all(|need| path(need) || library(need))
        {
            add(&mut self.by_library);
        }
        if !found {
            self.missed.push(label.clone());
        }
    }

    fn count_false(&mut self, label: &Label, hit: bool) {
        for share in [
            &mut self.false_sites,
            self.false_by_kind.entry(label.kind.clone()).or_default(),
        ] {
            share.0 += usize::from(hit);
            share.1 += 1;
        }
        if hit {
            self.hit.push(label.clone());
        }
    }
}

fn match_true(
    language: Which,
    label: &Label,
    labels: &[&Label],
    own: &[&Finding],
    used: &mut [bool],
) -> bool {
    if language == Which::Python {
        return own.iter().any(|finding| finding.line == label.line);
    }
    let lines = label.lines();
    let others = |line: &u32| labels.iter().filter(|other| other.line == *line).count();
    let crowded = labels
        .iter()
        .any(|other| !std::ptr::eq(*other, label) && lines.contains(&other.line));
    let mut found = false;
    for (finding, used) in own.iter().zip(used) {
        let alone = finding.line == label.line && others(&label.line) == 1;
        if lines.contains(&finding.line) && (!crowded || same_call(finding, label) || alone) {
            *used = true;
            found = true;
        }
    }
    found
}

fn match_false(
    language: Which,
    label: &Label,
    labels: &[&Label],
    own: &[&Finding],
    used: &[bool],
) -> bool {
    if language == Which::Python {
        return own.iter().any(|finding| finding.line == label.line);
    }
    let explained: BTreeSet<u32> = labels
        .iter()
        .filter(|other| other.verdict)
        .flat_map(|other| other.lines())
        .collect();
    own.iter().zip(used).any(|(finding, used)| {
        let on_line = finding.line == label.line;
        let at_start = Some(finding.line) == label.expr_line && !explained.contains(&finding.line);
        !used && (on_line || at_start)
    })
}

fn same_call(finding: &Finding, label: &Label) -> bool {
    let last = |path: &str| {
        path.rsplit(['.', ':'])
            .next()
            .unwrap_or_default()
            .trim_matches(['(', ')', ' '])
            .to_owned()
    };
    let call = last(&finding.call);
    call == last(&label.call)
        || label.call.contains(&call)
        || label.chain.iter().any(|hop| hop.contains(&call))
}
