//! The pages of the rules, as `explain` prints them. `cargo xtask gen` puts them together from `docs/rules/`.

static PAGES: &str = include_str!("pages.md");

/// Returns the page of a rule, or of what is told like one.
pub(crate) fn of(rule: &str) -> Option<&'static str> {
    let head = format!("<!-- rule: {rule} -->\n");
    let (_, page) = PAGES.split_once(&head)?;
    page.split("<!-- rule: ").next()
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_rule_has_its_page() {
        for rule in nostall_engine::rules::all() {
            let page = super::of(rule.id.0).expect("each rule has one");
            assert!(page.starts_with(&format!("# {}\n", rule.id)));
        }
    }
}
