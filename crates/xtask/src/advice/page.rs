//! docs/advice.md.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::compile::Compiled;
use super::{Count, Counts};
use crate::root;

const FILE: &str = "docs/advice.md";

/// What the compiled part begins with; without `--compile` it is kept.
const COMPILED: &str = "## Compiled in place";

/// Writes the page.
pub(super) fn write(counts: &Counts, compiled: Option<&Compiled>) -> Result<()> {
    let file = root().join(FILE);
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    let kept = old.find(COMPILED).and_then(|at| old.get(at..));
    let last = match compiled {
        Some(compiled) => self::compiled(compiled),
        None => kept.unwrap_or_default().to_owned(),
    };
    let text = format!(
        "# Advice\n\nMade by `cargo xtask advice --write` over the packages of the evaluation. An entry *parses* when its statements and its code are\n\
        one expression of its language (a path where it names a function alone), and is *in scope* when each name in it is bound where\n\
        the call stands: a variable, an item of the file, a crate of the manifest, an import that the advice names.\n\n{}\n{last}",
        self::counts(counts)
    );
    std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))
}

/// The table of kinds.
pub(super) fn counts(counts: &Counts) -> String {
    let mut text = String::from(
        "| language | shown | kind | entries | first of their finding | have an expression | parse | in scope |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for ((language, mode, kind), count) in counts {
        let findings: usize = counts
            .iter()
            .filter(|((other, shown, _), _)| other == language && shown == mode)
            .map(|(_, count)| count.first)
            .sum();
        let Count {
            all,
            first,
            with_code,
            parse,
            in_scope,
        } = count;
        let share = 100.0 * *first as f64 / findings.max(1) as f64;
        let _ = writeln!(
            text,
            "| {language} | {mode} | {kind} | {all} | {first} ({share:.0} %) | {with_code} | {parse} | {in_scope} |"
        );
    }
    text
}

/// What compiles.
pub(super) fn compiled(compiled: &Compiled) -> String {
    let all = compiled.outcomes.len();
    let good = compiled.outcomes.iter().filter(|it| it.error.is_none());
    let mut text = format!(
        "{COMPILED}\n\n`cargo xtask advice rust --compile {all} --seed {}`: {} of {all} drawn pieces of code compile in the place of their call, with\n\
        the crate's default features.\n\n",
        compiled.seed,
        good.count()
    );
    for outcome in &compiled.outcomes {
        let (package, place, rule) = (&outcome.package, &outcome.place, &outcome.rule);
        let said = match &outcome.error {
            None => "compiles".to_owned(),
            Some(error) => format!("**{error}**"),
        };
        let _ = writeln!(
            text,
            "- {package} {place}, {rule}: `{}`: {said}",
            outcome.code
        );
    }
    text
}
