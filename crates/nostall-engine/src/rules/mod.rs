//! The rules: what they are called and which are switched on.

mod await_holding_lock;
mod blocking;
mod draft;

use nostall_model::{Category, RuleId};

pub(crate) use draft::{Draft, Matter, Writer, find};

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its id, as in reports and on the command line.
    pub id: RuleId,
    /// The group by which many can be selected at once.
    pub group: Group,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// The kind of call it is about, for the rules that are about one.
    pub category: Option<Category>,
}

/// A group of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Calls that hold the executor.
    Blocking,
    /// Habits that make async programs slow or fragile.
    Practice,
}

impl Group {
    /// Returns the name used in `--select`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Practice => "practice",
        }
    }
}

const fn blocking(id: &'static str, category: Category, summary: &'static str) -> Rule {
    Rule {
        id: RuleId(id),
        group: Group::Blocking,
        summary,
        category: Some(category),
    }
}

/// All rules, in the order of `nostall rules`.
pub static ALL: &[Rule] = &[
    blocking(
        "blocking-fs",
        Category::Fs,
        "file and folder access on the executor",
    ),
    blocking(
        "blocking-net",
        Category::Net,
        "sockets and name look-up on the executor",
    ),
    blocking(
        "blocking-http",
        Category::Http,
        "blocking HTTP clients on the executor",
    ),
    blocking(
        "blocking-db",
        Category::Db,
        "blocking database calls on the executor",
    ),
    blocking(
        "blocking-cache",
        Category::Cache,
        "blocking cache clients on the executor",
    ),
    blocking(
        "blocking-queue",
        Category::Queue,
        "blocking message-queue clients on the executor",
    ),
    blocking(
        "blocking-cloud",
        Category::Cloud,
        "blocking cloud SDK calls on the executor",
    ),
    blocking(
        "blocking-process",
        Category::Process,
        "child processes started or awaited on the executor",
    ),
    blocking(
        "blocking-sleep",
        Category::Sleep,
        "sleeping on the executor",
    ),
    blocking(
        "blocking-lock",
        Category::Lock,
        "thread locks taken on the executor",
    ),
    blocking(
        "blocking-wait",
        Category::Wait,
        "waiting for other threads on the executor",
    ),
    blocking(
        "blocking-cpu",
        Category::Cpu,
        "long computation on the executor",
    ),
    blocking(
        "blocking-console",
        Category::Console,
        "terminal input and output on the executor",
    ),
    blocking(
        "nested-runtime",
        Category::Runtime,
        "running one async runtime inside another",
    ),
    await_holding_lock::RULE,
];

/// Returns a rule by its id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id.0 == id)
}

/// Returns the rule for a kind of call.
#[must_use]
pub fn by_category(category: Category) -> &'static Rule {
    let found = ALL.iter().find(|rule| rule.category == Some(category));
    found.expect("each category has a rule: a test walks them")
}

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
            members: ALL.iter().map(|rule| rule.id).collect(),
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
            let matching = ALL
                .iter()
                .filter(|rule| word == "all" || rule.group.name() == word || rule.id.0 == word);
            members.extend(matching.map(|rule| rule.id));
            if members.len() == before && word != Group::Practice.name() {
                return Err(UnknownRule::new(word));
            }
        }
        Ok(Self { members })
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
        let known = ALL
            .iter()
            .map(|rule| rule.id.0)
            .chain(["blocking", "practice", "all"]);
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
    use super::{ALL, RuleSet, by_category};
    use nostall_model::Category;

    #[test]
    fn each_category_has_one_rule() {
        for category in Category::ALL {
            assert_eq!(by_category(category).category, Some(category));
            assert_eq!(
                ALL.iter()
                    .filter(|rule| rule.category == Some(category))
                    .count(),
                1
            );
        }
    }

    #[test]
    fn words_are_ids_and_groups() {
        let set = RuleSet::parse(&["blocking-fs", " nested-runtime"]).expect("both are rules");
        assert!(
            set.contains(super::RuleId("blocking-fs"))
                && !set.contains(super::RuleId("blocking-net"))
        );
        assert_eq!(RuleSet::parse(&["all"]), Ok(RuleSet::all()));
        let error = RuleSet::parse(&["blocking-ffs"]).expect_err("no such rule");
        assert_eq!(
            error.to_string(),
            "unknown rule `blocking-ffs`, did you mean `blocking-fs`?"
        );
    }
}
