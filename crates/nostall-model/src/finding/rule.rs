//! Rules as data: what reports say of them.

use serde::Serialize;

/// The id of a rule, such as `blocking-fs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RuleId(pub &'static str);

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.0)
    }
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, as in reports and on the command line.
    pub id: RuleId,
    /// The group by which many can be selected at once.
    pub group: Group,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its page, from the root of the repository.
    pub page: &'static str,
}

/// A group of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Calls that hold the executor.
    Blocking,
    /// Habits that make async programs slow or fragile.
    Practice,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 2] = [Self::Blocking, Self::Practice];

    /// Returns the name used in `--select`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Practice => "practice",
        }
    }
}
