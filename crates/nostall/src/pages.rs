//! The pages of the rules, as `explain` prints them. `cargo xtask gen` puts them together from `docs/rules/`.

use nostall_model::RuleId;

static PAGES: &str = include_str!("pages.md");

/// Returns the page of a rule; empty for a rule without one, which a test forbids.
pub(crate) fn of(rule: RuleId) -> &'static str {
    let head = format!("<!-- rule: {rule} -->\n");
    let page = PAGES.split_once(&head).map_or("", |(_, rest)| rest);
    page.split("<!-- rule: ").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_rule_has_its_page() {
        for rule in nostall_engine::rules::all() {
            assert!(super::of(rule.id).starts_with(&format!("# {}\n", rule.id)));
        }
    }
}
