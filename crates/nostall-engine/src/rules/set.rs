//! Sets of rules, as the command line, the config and marks name them.

use nostall_model::RuleId;
use nostall_model::finding::Group;

use super::all;

/// A set of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    members: Vec<RuleId>,
}

impl RuleSet {
    /// Makes the set of all rules.
    #[must_use]
    pub fn all() -> Self {
        Self {
            members: all().map(|rule| rule.id).collect(),
        }
    }

    /// Makes an empty set.
    #[must_use]
    pub fn none() -> Self {
        Self {
            members: Vec::new(),
        }
    }

    /// Reads rule ids and groups (`blocking`, `practice`, `all`).
    ///
    /// # Errors
    /// The first word that is neither.
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Self, UnknownRule> {
        let mut members = Vec::new();
        for word in words
            .iter()
            .map(|word| word.as_ref().trim())
            .filter(|word| !word.is_empty())
        {
            let before = members.len();
            let matching = all()
                .filter(|rule| word == "all" || rule.group.name() == word || rule.id.0 == word);
            members.extend(matching.map(|rule| rule.id));
            let is_group = Group::ALL.iter().any(|group| group.name() == word);
            if members.len() == before && !is_group {
                return Err(UnknownRule::new(word));
            }
        }
        Ok(Self { members })
    }

    /// Makes the set of what is in this one or another.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let members = self.members.iter().chain(&other.members);
        Self {
            members: members.copied().collect(),
        }
    }

    /// Says whether a rule is in the set.
    #[must_use]
    pub fn contains(&self, rule: RuleId) -> bool {
        self.members.contains(&rule)
    }
}

/// A word that names no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule `{word}`{}", suggestion.as_ref().map_or_else(|| "; see `nostall rules`".to_owned(), |it| format!(", did you mean `{it}`?")))]
pub struct UnknownRule {
    /// The word.
    pub word: String,
    /// A rule or group of a similar name.
    pub suggestion: Option<String>,
}

impl UnknownRule {
    /// Looks for a rule or group of a similar name.
    #[must_use]
    pub fn new(word: &str) -> Self {
        let known = all()
            .map(|rule| rule.id.0)
            .chain(Group::ALL.map(Group::name))
            .chain(["all"]);
        let closest = known
            .map(|name| (strsim::jaro_winkler(word, name), name))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let suggestion = closest
            .filter(|(likeness, _)| *likeness > 0.8)
            .map(|(_, name)| name.to_owned());
        Self {
            word: word.to_owned(),
            suggestion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RuleSet;
    use nostall_model::RuleId;

    #[test]
    fn words_are_ids_and_groups() {
        let set = RuleSet::parse(&["blocking-fs", " nested-runtime"]).expect("both are rules");
        assert!(set.contains(RuleId("blocking-fs")) && !set.contains(RuleId("blocking-net")));
        assert_eq!(RuleSet::parse(&["all"]), Ok(RuleSet::all()));
        let error = RuleSet::parse(&["blocking-ffs"]).expect_err("no such rule");
        assert_eq!(
            error.to_string(),
            "unknown rule `blocking-ffs`, did you mean `blocking-fs`?"
        );
    }
}
