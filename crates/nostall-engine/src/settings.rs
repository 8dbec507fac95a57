//! What is shown of which file: rules, thresholds, tests.

use std::collections::BTreeMap;

use nostall_model::{Confidence, FileId, Risk, RuleId};
use serde::Deserialize;

use crate::baseline::Baseline;
use crate::rules::RuleSet;

/// From which risk on findings make a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Any finding that is shown.
    Any,
    /// None.
    Never,
    /// This risk or a higher one.
    #[serde(untagged)]
    Risk(Risk),
}

impl FailOn {
    /// Says whether a finding of this risk makes a run fail.
    #[must_use]
    pub fn fails(self, risk: Risk) -> bool {
        match self {
            Self::Any => true,
            Self::Never => false,
            Self::Risk(least) => risk >= least,
        }
    }
}

/// What is shown of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// The rules that are on.
    pub select: RuleSet,
    /// Of those, the rules that are off.
    pub ignore: RuleSet,
    /// The rules that are off at this path besides.
    pub ignore_here: RuleSet,
    /// Findings below this risk are hidden.
    pub min_risk: Risk,
    /// Findings below this confidence are hidden.
    pub min_confidence: Confidence,
    /// From which risk on findings make a run fail.
    pub fail_on: FailOn,
    /// Whether tests, benchmarks, examples and build scripts count; where nobody says so, those that are named do.
    pub tests: Option<bool>,
    /// The file itself was named, not only a folder around it.
    pub named: bool,
    /// No finding that stands in the file is reported.
    pub excluded: bool,
    /// Marks that answer no finding are told.
    pub unused_ignore: bool,
    /// Larger files are skipped, in bytes.
    pub max_file_size: u64,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self {
            select: RuleSet::all(),
            ignore: RuleSet::none(),
            ignore_here: RuleSet::none(),
            min_risk: Risk::Medium,
            min_confidence: Confidence::Likely,
            fail_on: FailOn::Any,
            tests: None,
            named: false,
            excluded: false,
            unused_ignore: true,
            max_file_size: 4 << 20,
        }
    }
}

impl FileSettings {
    /// Says whether a rule is on.
    #[must_use]
    pub fn is_on(&self, rule: RuleId) -> bool {
        self.select.contains(rule)
            && !self.ignore.contains(rule)
            && !self.ignore_here.contains(rule)
    }
}

/// What is shown.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What holds where no path says otherwise.
    pub all: FileSettings,
    /// Files of which something else is shown.
    pub files: BTreeMap<FileId, FileSettings>,
    /// Whether calls that are not known are listed.
    pub unresolved: bool,
    /// Findings that are known already.
    pub baseline: Option<Baseline>,
}

impl Settings {
    /// Shows all that is found outside tests, whatever its risk and confidence.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            all: FileSettings {
                min_risk: Risk::Low,
                min_confidence: Confidence::Possible,
                ..FileSettings::default()
            },
            ..Self::default()
        }
    }

    /// Returns what holds for a file.
    #[must_use]
    pub fn of(&self, file: FileId) -> &FileSettings {
        self.files.get(&file).unwrap_or(&self.all)
    }
}
