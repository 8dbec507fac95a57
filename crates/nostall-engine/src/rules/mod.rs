//! The rules: what each finds and how it writes that down. A rule is one file and one line in [`ALL`].

/// A rule with its page: the page has the rule's name.
macro_rules! rule {
    ($id:literal, $group:ident, $summary:literal) => {
        nostall_model::finding::Rule {
            id: nostall_model::RuleId($id),
            group: nostall_model::finding::Group::$group,
            summary: $summary,
            page: concat!("docs/rules/", $id, ".md"),
        }
    };
}

mod await_holding_lock;
mod blocking;
mod draft;
mod set;
mod writer;

use nostall_model::Category;
use nostall_model::finding::{Finding, Rule};

pub(crate) use draft::{Draft, Subject};
pub use set::{RuleSet, UnknownRule};
pub(crate) use writer::Writer;

use crate::analyse::Steps;

/// One way of looking for trouble: the rules that it serves, what it finds, and how it writes that down.
pub(crate) trait Check: std::fmt::Debug + Sync {
    /// Returns the rules that its findings have.
    fn rules(&self) -> &'static [Rule];

    /// Finds all places, before thresholds and marks decide what is shown.
    fn find(&self, steps: &Steps<'_>) -> Vec<Draft>;

    /// Writes the finding for one place: the worst draft, with the others there beside it.
    fn write(&self, writer: &Writer<'_>, worst: &Draft, others: &[&Draft]) -> Finding;
}

/// All checks.
static ALL: &[&dyn Check] = &[&blocking::Blocking, &await_holding_lock::AwaitHoldingLock];

/// Returns all rules, in the order of `nostall rules`.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().flat_map(|check| check.rules())
}

/// Returns a rule by its id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.0 == id)
}

/// Returns the rule for a kind of call.
#[must_use]
pub fn by_category(category: Category) -> &'static Rule {
    blocking::rule_of(category)
}

/// Runs all checks.
pub(crate) fn find(steps: &Steps<'_>) -> Vec<Draft> {
    ALL.iter().flat_map(|check| check.find(steps)).collect()
}

#[cfg(test)]
mod tests {
    use super::{all, by_category};
    use nostall_model::Category;

    #[test]
    fn each_category_has_a_rule_of_its_own() {
        let ids: std::collections::BTreeSet<_> = Category::ALL
            .map(|it| by_category(it).id)
            .into_iter()
            .collect();
        assert_eq!(ids.len(), Category::ALL.len());
    }

    #[test]
    fn rules_have_different_ids_and_pages_of_their_name() {
        let ids: std::collections::BTreeSet<_> = all().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), all().count());
        for rule in all() {
            assert!(
                rule.page.ends_with(&format!("/{}.md", rule.id)),
                "{}",
                rule.page
            );
        }
    }
}
