//! The baseline: findings that a project knows of already, so that only new ones are shown.

use std::collections::BTreeMap;

use nostall_model::{FileId, Finding};
use serde::{Deserialize, Serialize};

use crate::rules;
use crate::settings::Settings;

/// The version of the form.
const SCHEMA_VERSION: u32 = 2;

/// A baseline file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    schema_version: u32,
    /// The findings, sorted.
    pub findings: Vec<Entry>,
}

/// One known finding. The line is for people; the rest is what it is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, from the folder of the baseline on.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The rule.
    pub rule: String,
    /// The qualified path of the body on the executor.
    pub function: String,
    /// The api's path.
    pub call: String,
}

/// A baseline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not the JSON that `nostall baseline` writes.
    #[error("line {line} is not what `nostall baseline` writes: write it anew")]
    Form {
        /// The line, from 1.
        line: usize,
    },
    /// It was written by another version.
    #[error(
        "it has version {found}, this nostall reads version {SCHEMA_VERSION}: write it anew with `nostall baseline`"
    )]
    Version {
        /// The version found.
        found: u64,
    },
}

impl Document {
    /// Puts entries in order.
    #[must_use]
    pub fn new(mut findings: Vec<Entry>) -> Self {
        findings.sort();
        Self {
            schema_version: SCHEMA_VERSION,
            findings,
        }
    }

    /// Reads what [`Document::to_json`] wrote.
    ///
    /// # Errors
    /// When the text is not a baseline of this version.
    pub fn from_json(text: &str) -> Result<Self, BaselineError> {
        let form = |error: &serde_json::Error| BaselineError::Form {
            line: error.line().max(1),
        };
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| form(&error))?;
        match value
            .get("schema_version")
            .and_then(serde_json::Value::as_u64)
        {
            Some(found) if found != u64::from(SCHEMA_VERSION) => {
                Err(BaselineError::Version { found })
            }
            _ => serde_json::from_str(text).map_err(|error| form(&error)),
        }
    }

    /// Writes the baseline: sorted, a finding on each few lines, so that changes can be read.
    ///
    /// # Errors
    /// None that this form can have; serde answers a result.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The findings that are known, of all baselines of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// In the order of their files.
    pub known: Vec<Known>,
}

/// A known finding, with what this run has to do with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// As it is written.
    pub entry: Entry,
    /// The file, from the project's root on.
    pub path: String,
    /// There is no such file any more.
    pub gone: bool,
    /// The run looks at that place: what is not found there any more is stale.
    pub asked: bool,
}

/// What became of findings and of entries: each at the index of what it speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Whether a finding is known.
    pub known: Vec<bool>,
    /// Whether an entry was found again.
    pub found: Vec<bool>,
}

/// What a finding is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    rule: &'a str,
    path: &'a str,
    function: &'a str,
    call: &'a str,
}

impl<'a> Key<'a> {
    fn of_finding(finding: &'a Finding, paths: &[&'a str]) -> Self {
        Self {
            rule: finding.rule.id.0,
            path: paths[finding.place.file.index()],
            function: &finding.function,
            call: finding.call(),
        }
    }

    fn of_known(known: &'a Known) -> Self {
        Self {
            rule: &known.entry.rule,
            path: &known.path,
            function: &known.entry.function,
            call: &known.entry.call,
        }
    }

    /// How many parts the names of two functions have in common at their ends; none where other things are meant.
    fn likeness(&self, other: &Self) -> usize {
        if self.rule != other.rule || self.call != other.call {
            return 0;
        }
        let parts = |function: &'a str| function.rsplit(['.', ':']).filter(|part| !part.is_empty());
        let common = parts(self.function)
            .zip(parts(other.function))
            .take_while(|(a, b)| a == b);
        let mut names = 0;
        let mut named = false;
        for (part, _) in common {
            names += 1;
            named |= !part.starts_with(['{', '<']);
        }
        if named { names } else { 0 }
    }
}

impl Baseline {
    /// Finds out which findings are known: each entry stands for one. The file of an entry that is gone may have got
    /// another name: then the entry stands for the only finding elsewhere that is like it.
    #[must_use]
    pub fn compare(&self, findings: &[Finding], paths: &[&str]) -> Comparison {
        let mut comparison = Comparison {
            known: vec![false; findings.len()],
            found: vec![false; self.known.len()],
        };
        let mut entries: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
        for (index, known) in self.known.iter().enumerate().rev() {
            entries.entry(Key::of_known(known)).or_default().push(index);
        }
        for (index, finding) in findings.iter().enumerate() {
            let key = Key::of_finding(finding, paths);
            if let Some(entry) = entries.get_mut(&key).and_then(Vec::pop) {
                comparison.known[index] = true;
                comparison.found[entry] = true;
            }
        }
        self.follow(findings, paths, &mut comparison);
        comparison
    }

    /// Follows files to their new names.
    fn follow(&self, findings: &[Finding], paths: &[&str], comparison: &mut Comparison) {
        let mut lost: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
        for (index, known) in self.known.iter().enumerate().rev() {
            if known.gone && !comparison.found[index] {
                lost.entry(Key::of_known(known)).or_default().push(index);
            }
        }
        let mut new: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
        for (index, finding) in findings.iter().enumerate().rev() {
            if !comparison.known[index] {
                let key = Key::of_finding(finding, paths);
                new.entry(key).or_default().push(index);
            }
        }
        let moves: Vec<(Key<'_>, Key<'_>)> = lost
            .keys()
            .filter_map(|old| Some((*old, most_alike(old, new.keys())?)))
            .collect();
        for (old, to) in &moves {
            // Two that lead to the same one cannot both be it.
            if moves.iter().filter(|(_, other)| other == to).count() > 1 {
                continue;
            }
            for (entry, finding) in lost[old].iter().rev().zip(new[to].iter().rev()) {
                comparison.found[*entry] = true;
                comparison.known[*finding] = true;
            }
        }
    }

    /// Takes known findings out. Answers how many entries are stale: of what is looked at and found neither among these
    /// findings nor among those that thresholds hide.
    pub(crate) fn hide(
        &self,
        findings: &mut Vec<Finding>,
        hidden: &[Finding],
        paths: &[&str],
        settings: &Settings,
    ) -> usize {
        let comparison = self.compare(findings, paths);
        let mut known = comparison.known.iter();
        findings.retain(|_| known.next() != Some(&true));
        let left = self.known.iter().zip(&comparison.found);
        left.filter(|(known, found)| {
            !**found && known.is_looked_for(settings, paths) && !known.is_among(hidden, paths)
        })
        .count()
    }
}

impl Known {
    /// Says whether a run finds it where it is still there: its file is asked for, and its rule is on.
    #[must_use]
    pub fn is_looked_for(&self, settings: &Settings, paths: &[&str]) -> bool {
        let index = paths.iter().position(|path| *path == self.path);
        let file = index.map(|index| FileId(index as u32));
        let rule = rules::by_id(&self.entry.rule);
        let is_on = file
            .zip(rule)
            .is_none_or(|(file, rule)| settings.of(file).is_on(rule.id));
        self.asked && is_on
    }

    /// Says whether one of these findings is at the same place and has to do with the same call.
    #[must_use]
    pub fn is_among(&self, findings: &[Finding], paths: &[&str]) -> bool {
        findings.iter().any(|finding| {
            let call = &self.entry.call;
            paths[finding.place.file.index()] == self.path
                && finding.function == self.entry.function
                && (finding.call() == call || finding.also.contains(call))
        })
    }
}

/// The only one of these that is most like a key.
fn most_alike<'a>(key: &Key<'_>, others: impl Iterator<Item = &'a Key<'a>>) -> Option<Key<'a>> {
    let mut best = 0;
    let mut found: Vec<Key<'a>> = Vec::new();
    for other in others {
        let likeness = key.likeness(other);
        if likeness > best {
            best = likeness;
            found.clear();
        }
        if likeness > 0 && likeness == best {
            found.push(*other);
        }
    }
    match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
