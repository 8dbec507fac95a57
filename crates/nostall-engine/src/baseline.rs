//! The baseline: findings that a project knows of already, so that only new ones are shown.

use std::collections::BTreeMap;

use nostall_model::{Finding, Report};
use serde::{Deserialize, Serialize};

/// The version of the form.
const SCHEMA_VERSION: u32 = 1;

/// Findings that are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema_version: u32,
    findings: Vec<Known>,
}

/// One known finding. Only the fingerprint counts; the rest is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    path: String,
    line: u32,
    rule: String,
    function: String,
    call: String,
    fingerprint: String,
}

/// A baseline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not the JSON that `nostall baseline` writes.
    #[error("not a baseline: {0}")]
    Form(#[from] serde_json::Error),
    /// It was written by another version.
    #[error(
        "the baseline has version {found}, this nostall reads version {SCHEMA_VERSION}: write it anew with `nostall baseline`"
    )]
    Version {
        /// The version found.
        found: u32,
    },
}

impl Baseline {
    /// Takes all findings of a report as known.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut findings: Vec<Known> = report
            .findings
            .iter()
            .map(|finding| Known {
                path: report.sources.get(finding.place.file).path.clone(),
                line: report
                    .sources
                    .place(finding.place.file, finding.place.span.start)
                    .line,
                rule: finding.rule.id.0.to_owned(),
                function: finding.function.clone(),
                call: finding.call().to_owned(),
                fingerprint: finding.fingerprint.clone(),
            })
            .collect();
        findings.sort();
        Self {
            schema_version: SCHEMA_VERSION,
            findings,
        }
    }

    /// Reads what [`Baseline::to_json`] wrote.
    ///
    /// # Errors
    /// When the text is not a baseline of this version.
    pub fn from_json(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text)?;
        match baseline.schema_version {
            SCHEMA_VERSION => Ok(baseline),
            found => Err(BaselineError::Version { found }),
        }
    }

    /// Writes the baseline: sorted, a finding on each few lines, so that changes can be read.
    ///
    /// # Errors
    /// None that this form can have; serde answers a result.
    pub fn to_json(&self) -> Result<String, BaselineError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Returns how many findings it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Says whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Takes known findings out, each entry once. Answers how many entries matched nothing.
    pub fn hide(&self, findings: &mut Vec<Finding>) -> usize {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &self.findings {
            *known.entry(&entry.fingerprint).or_default() += 1;
        }
        findings.retain(
            |finding| match known.get_mut(finding.fingerprint.as_str()) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    false
                }
                _ => true,
            },
        );
        known.values().sum()
    }
}
