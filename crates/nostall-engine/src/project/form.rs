//! The form of the config: its keys, how they are read, and what is said where they are not right.

use std::path::PathBuf;

use nostall_catalog::{Api, TraitEntry, TypeEntry};
use nostall_model::{Confidence, Risk};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::FailOn;

/// Options of one source. What is not given is as the folders above say.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "nostall.toml")]
pub struct ConfigLayer {
    /// No config of a folder above holds here, and what lies here is analysed as a program of its own.
    pub root: Option<bool>,
    /// The rules that are on: ids, `blocking`, `practice`, `all`.
    pub select: Option<Vec<String>>,
    /// Of those, the rules that are off; `unused-ignore` tells no more of marks without use.
    pub ignore: Option<Vec<String>>,
    /// Files and folders whose findings are not reported, as globs from this folder on.
    pub exclude: Option<Vec<String>>,
    /// Findings below this risk are hidden.
    #[schemars(with = "Option<schema::Risk>")]
    pub min_risk: Option<Risk>,
    /// Findings below this confidence are hidden.
    #[schemars(with = "Option<schema::Confidence>")]
    pub min_confidence: Option<Confidence>,
    /// From which risk on findings make the exit code 1.
    #[schemars(with = "Option<schema::FailOn>")]
    pub fail_on: Option<FailOn>,
    /// Whether tests, benchmarks, examples and build scripts count.
    pub tests: Option<bool>,
    /// Larger files are not read; in bytes.
    pub max_file_size: Option<u64>,
    /// The file with the findings that are known already, from this folder on.
    pub baseline: Option<PathBuf>,
    /// Functions that run their first argument off the executor, by path.
    #[serde(default)]
    pub offloaders: Vec<String>,
    /// What else holds for some paths.
    #[serde(default)]
    pub overrides: Vec<OverrideLayer>,
    /// Catalogue entries of the project's own: callables.
    #[serde(default)]
    #[schemars(with = "Vec<schema::CatalogueEntry>")]
    pub api: Vec<Api>,
    /// Catalogue entries of the project's own: types.
    #[serde(default, rename = "type")]
    #[schemars(with = "Vec<schema::CatalogueEntry>")]
    pub types: Vec<TypeEntry>,
    /// Catalogue entries of the project's own: traits.
    #[serde(default, rename = "trait")]
    #[schemars(with = "Vec<schema::CatalogueEntry>")]
    pub traits: Vec<TraitEntry>,
}

/// What else holds for some paths. Of several that fit, a later one goes before an earlier one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OverrideLayer {
    /// Globs, from the folder of the config on.
    pub paths: Vec<String>,
    /// The rules that are on there: ids, `blocking`, `practice`, `all`.
    pub select: Option<Vec<String>>,
    /// The rules that are off there, beside those that are off everywhere.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Findings below this risk are hidden there.
    #[schemars(with = "Option<schema::Risk>")]
    pub min_risk: Option<Risk>,
    /// Findings below this confidence are hidden there.
    #[schemars(with = "Option<schema::Confidence>")]
    pub min_confidence: Option<Confidence>,
    /// From which risk on findings there make the exit code 1.
    #[schemars(with = "Option<schema::FailOn>")]
    pub fail_on: Option<FailOn>,
    /// Whether tests, benchmarks, examples and build scripts count there.
    pub tests: Option<bool>,
}

/// The words that the config's schema knows.
#[allow(dead_code, reason = "they are read as a schema only")]
mod schema {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;

    /// How long the executor's thread may be held.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "lowercase")]
    pub(super) enum Risk {
        Low,
        Medium,
        High,
        Critical,
    }

    /// How sure a finding is.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "lowercase")]
    pub(super) enum Confidence {
        Possible,
        Likely,
        Certain,
    }

    /// A risk, any finding, none.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "lowercase")]
    pub(super) enum FailOn {
        Any,
        Never,
        Low,
        Medium,
        High,
        Critical,
    }

    /// An entry as `docs/catalogue.md` describes it.
    #[derive(JsonSchema)]
    pub(super) struct CatalogueEntry {
        /// Where it is defined.
        path: String,
        #[schemars(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }
}

/// Returns the JSON schema of the config, made from its types.
///
/// # Errors
/// None that these types can have; serde answers a result.
pub fn schema() -> Result<String, serde_json::Error> {
    let schema = schemars::schema_for!(ConfigLayer);
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// A key of the config, as its page describes it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may stand there.
    pub takes: &'static str,
    /// What holds where it is not given.
    pub default: &'static str,
    /// An example.
    pub example: &'static str,
}

const RULES: &str = "a list of rules: ids, `blocking`, `practice`, `all`";
const RISK: &str = "a risk: `\"low\"`, `\"medium\"`, `\"high\"` or `\"critical\"`";
const CONFIDENCE: &str = "a confidence: `\"possible\"`, `\"likely\"` or `\"certain\"`";
const FAIL_ON: &str =
    "a risk (`\"low\"`, `\"medium\"`, `\"high\"`, `\"critical\"`), `\"any\"` or `\"never\"`";
const GLOBS: &str = "a list of globs";
const BOOLEAN: &str = "`true` or `false`";
const ENTRIES: &str = "a list of tables as docs/catalogue.md describes them";

const fn key(
    name: &'static str,
    takes: &'static str,
    default: &'static str,
    example: &'static str,
) -> Key {
    Key {
        name,
        takes,
        default,
        example,
    }
}

/// All keys of the config.
pub const KEYS: [Key; 15] = [
    key("root", BOOLEAN, "`false`", "root = true"),
    key("select", RULES, "`[\"all\"]`", "select = [\"blocking\"]"),
    key("ignore", RULES, "`[]`", "ignore = [\"blocking-console\"]"),
    key(
        "exclude",
        GLOBS,
        "`[]`",
        "exclude = [\"vendor\", \"**/generated_*.py\"]",
    ),
    key("min-risk", RISK, "`\"medium\"`", "min-risk = \"high\""),
    key(
        "min-confidence",
        CONFIDENCE,
        "`\"likely\"`",
        "min-confidence = \"certain\"",
    ),
    key("fail-on", FAIL_ON, "`\"any\"`", "fail-on = \"critical\""),
    key(
        "tests",
        BOOLEAN,
        "`false`, `true` for a test file that is named",
        "tests = true",
    ),
    key(
        "max-file-size",
        "a whole number of bytes",
        "`4194304`",
        "max-file-size = 8_000_000",
    ),
    key(
        "baseline",
        "a path",
        "`nostall-baseline.json`, where there is one",
        "baseline = \"ci/known.json\"",
    ),
    key(
        "offloaders",
        "a list of function paths",
        "`[]`",
        "offloaders = [\"my_crate::pool::run\"]",
    ),
    key(
        "overrides",
        "a list of tables, `[[overrides]]`",
        "none",
        "[[overrides]]\npaths = [\"scripts/**\"]\nignore = [\"blocking-fs\"]",
    ),
    key(
        "api",
        ENTRIES,
        "none",
        "[[api]]\npath = \"my_crate::render_pdf\"\ncategory = \"cpu\"\nwaits = \"cpu\"\nwhy = \"Renders all pages.\"",
    ),
    key(
        "type",
        ENTRIES,
        "none",
        "[[type]]\npath = \"my_crate::Pooled\"\nparams = [\"T\"]\nderef = \"T\"",
    ),
    key(
        "trait",
        ENTRIES,
        "none",
        "[[trait]]\npath = \"my_crate::Load\"\non = [\"my_crate::Store\"]",
    ),
];

/// All keys of `[[overrides]]`.
pub const OVERRIDE_KEYS: [Key; 7] = [
    key("paths", GLOBS, "must be given", "paths = [\"scripts/**\"]"),
    key(
        "select",
        RULES,
        "as elsewhere",
        "select = [\"blocking-sleep\"]",
    ),
    key("ignore", RULES, "`[]`", "ignore = [\"blocking-fs\"]"),
    key("min-risk", RISK, "as elsewhere", "min-risk = \"critical\""),
    key(
        "min-confidence",
        CONFIDENCE,
        "as elsewhere",
        "min-confidence = \"certain\"",
    ),
    key("fail-on", FAIL_ON, "as elsewhere", "fail-on = \"never\""),
    key("tests", BOOLEAN, "as elsewhere", "tests = true"),
];

/// What is wrong with the form of a text, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Reads a config, or a manifest that has one.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = &text.as_bytes()[..offset];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = message(text, offset, error.message());
        // What is wrong within a catalogue entry, the catalogue knows to say.
        let of_entry = || {
            nostall_catalog::parse::<T>(text)
                .err()
                .map(|error| error.message)
        };
        Malformed {
            line,
            message: message.or_else(of_entry).unwrap_or_default(),
        }
    })
}

/// Says in the config's words what the parser said; nothing where it speaks of a catalogue entry.
fn message(text: &str, offset: usize, said: &str) -> Option<String> {
    let Ok(document) = DeTable::parse(text) else {
        return Some(format!("no valid TOML: {}", said.replace('\n', ", ")));
    };
    let mut place = Vec::new();
    find(document.get_ref(), offset, &mut place);
    let quoted = |prefix: &str| {
        let rest = said.strip_prefix(prefix)?;
        rest.split('`').next().map(str::to_owned)
    };
    if let Some(unknown) = quoted("unknown field `") {
        place.retain(|key| *key != unknown);
        return Some(unknown_key(&unknown, keys_at(&place)?));
    }
    if let Some(missing) = quoted("missing field `") {
        return Some(format!("{} needs the key `{missing}`", table_name(&place)));
    }
    let key = known_key(&place)?;
    Some(format!("`{}` takes {}", key.name, key.takes))
}

/// Finds the keys that lead to an offset, the innermost last.
fn find(table: &DeTable<'_>, offset: usize, place: &mut Vec<String>) -> bool {
    table.iter().any(|(key, value)| {
        place.push(key.get_ref().to_string());
        let here = key.span().contains(&offset) || find_value(value, offset, place);
        if !here {
            place.pop();
        }
        here
    })
}

fn find_value(value: &Spanned<DeValue<'_>>, offset: usize, place: &mut Vec<String>) -> bool {
    let inner = match value.get_ref() {
        DeValue::Table(table) => find(table, offset, place),
        DeValue::Array(values) => values.iter().any(|value| find_value(value, offset, place)),
        _ => false,
    };
    inner || value.span().contains(&offset)
}

/// The keys below the config's own table, which a manifest holds deeper.
fn own(place: &[String]) -> &[String] {
    let start = place.iter().position(|key| key == "nostall");
    &place[start.map_or(0, |at| at + 1)..]
}

/// The keys that may stand at a place; none inside catalogue entries.
fn keys_at(place: &[String]) -> Option<&'static [Key]> {
    match own(place) {
        [] => Some(&KEYS),
        [table] if table == "overrides" => Some(&OVERRIDE_KEYS),
        _ => None,
    }
}

fn known_key(place: &[String]) -> Option<&'static Key> {
    let (last, around) = place.split_last()?;
    // The value may lie deeper: `nostall` itself is no key.
    keys_at(around)?.iter().find(|key| key.name == last)
}

fn unknown_key(unknown: &str, keys: &[Key]) -> String {
    let likeness = |key: &Key| strsim::jaro_winkler(key.name, unknown);
    let closest = keys
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match closest.filter(|key| likeness(key) > 0.75) {
        Some(key) => format!("unknown key `{unknown}`, did you mean `{}`?", key.name),
        None => {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            format!("unknown key `{unknown}`, the keys are {}", names.join(", "))
        }
    }
}

fn table_name(place: &[String]) -> String {
    match own(place) {
        [] => "the config".to_owned(),
        keys => format!("`[[{}]]`", keys.join(".")),
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfigLayer, KEYS, OVERRIDE_KEYS, parse};

    fn wrong(text: &str) -> String {
        let error = parse::<ConfigLayer>(text).expect_err("it is wrong");
        format!("{}: {}", error.line, error.message)
    }

    #[test]
    fn what_is_wrong_is_said_in_the_configs_words() {
        for (text, expected) in [
            (
                "\nfail-on = \"none\"\n",
                "2: `fail-on` takes a risk (`\"low\"`, ",
            ),
            ("fail-on = 3\n", "1: `fail-on` takes a risk (`\"low\"`, "),
            (
                "min-risk = \"huge\"\n",
                "1: `min-risk` takes a risk: `\"low\"`",
            ),
            ("tests = \"yes\"\n", "1: `tests` takes `true` or `false`"),
            (
                "exclude = \"vendor\"\n",
                "1: `exclude` takes a list of globs",
            ),
            (
                "exclude = [\n  \"a\",\n  3,\n]\n",
                "3: `exclude` takes a list of globs",
            ),
            (
                "max-file-size = -1\n",
                "1: `max-file-size` takes a whole number",
            ),
            (
                "ignor = []\n",
                "1: unknown key `ignor`, did you mean `ignore`?",
            ),
            (
                "zzz = []\n",
                "1: unknown key `zzz`, the keys are root, select",
            ),
            (
                "[[overrides]]\nignore = []\n",
                "1: `[[overrides]]` needs the key `paths`",
            ),
            (
                "[[overrides]]\npaths = []\nignor = 1\n",
                "3: unknown key `ignor`, did you mean `ignore`?",
            ),
            (
                "[[overrides]]\npaths = []\nfail-on = 1\n",
                "3: `fail-on` takes a risk",
            ),
            (
                "[overrides]\npaths = []\n",
                "1: `overrides` takes a list of tables",
            ),
            (
                "[[api]]\npath = \"a::b\"\nwhyy = \"\"\n",
                "3: in `a::b`: unknown key `whyy`, did you mean `why`?",
            ),
            (
                "[[api]]\npath = \"a::b\"\ncallable = \"x\"\n",
                "3: in `a::b`: an argument is its position, `0`, or `{ index = 0",
            ),
            (
                "[[api]]\npath = 3\n",
                "2: in `3`: `path` must be a text, not integer `3`",
            ),
            ("select = [\n", "1: no valid TOML: "),
        ] {
            let said = wrong(text);
            assert!(said.starts_with(expected), "{text}: {said}");
            for word in ["variant", "untagged", "sequence", "field", "invalid type"] {
                assert!(!said.contains(word), "{text}: {said}");
            }
        }
    }

    #[test]
    fn the_list_of_keys_is_the_types_own() {
        let schema = schemars::schema_for!(ConfigLayer);
        let names = |properties: &serde_json::Value| -> Vec<String> {
            let properties = properties.as_object().expect("an object");
            properties.keys().cloned().collect()
        };
        let sorted = |keys: &[super::Key]| {
            let mut names: Vec<String> = keys.iter().map(|key| key.name.to_owned()).collect();
            names.sort();
            names
        };
        let value = schema.as_value();
        assert_eq!(names(&value["properties"]), sorted(&KEYS));
        let overrides = &value["$defs"]["OverrideLayer"]["properties"];
        assert_eq!(names(overrides), sorted(&OVERRIDE_KEYS));
    }

    #[test]
    fn each_example_is_valid() {
        for key in KEYS {
            parse::<ConfigLayer>(key.example).unwrap_or_else(|error| panic!("{error:?}"));
        }
        for key in OVERRIDE_KEYS {
            let paths = if key.name == "paths" {
                ""
            } else {
                "paths = []\n"
            };
            let text = format!("[[overrides]]\n{paths}{}\n", key.example);
            parse::<ConfigLayer>(&text).unwrap_or_else(|error| panic!("{error:?}"));
        }
    }
}
