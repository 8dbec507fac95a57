//! The form of the data: TOML tables as `docs/catalogue.md` describes them, and what makes them valid.
//!
//! The build script reads the library's own data with this module, the loader a user's entries; so it uses nothing of the
//! crate.

use serde::Deserialize;

/// One data file, or a user's own tables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// The crate's or distribution's name.
    #[serde(default)]
    pub library: String,
    /// The versions for which the facts were checked.
    #[serde(default)]
    pub version: Option<String>,
    /// Default for the entries.
    #[serde(default)]
    pub category: Option<String>,
    /// Default for the entries.
    #[serde(default)]
    pub waits: Option<String>,
    /// Default for the entries.
    #[serde(default)]
    pub source: Option<String>,
    /// Callables.
    #[serde(default)]
    pub api: Vec<ApiTable>,
    /// Types.
    #[serde(default, rename = "type")]
    pub types: Vec<TypeTable>,
    /// Traits.
    #[serde(default, rename = "trait")]
    pub traits: Vec<TraitTable>,
}

/// `[[api]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiTable {
    /// Where it is defined.
    pub path: String,
    /// Other public paths.
    #[serde(default)]
    pub also: Vec<String>,
    /// What calling it does.
    #[serde(default)]
    pub effect: Option<String>,
    /// Which argument holds the callable.
    #[serde(default)]
    pub callable: Option<ArgumentTable>,
    /// The types that the callable is called with.
    #[serde(default)]
    pub gives: Vec<String>,
    /// What kind of thing.
    #[serde(default)]
    pub category: Option<String>,
    /// What the thread waits for.
    #[serde(default)]
    pub waits: Option<String>,
    /// What happens on the calling thread.
    #[serde(default)]
    pub why: Option<String>,
    /// The async twin per runtime or library.
    #[serde(default)]
    pub instead: std::collections::BTreeMap<String, String>,
    /// The type of the result.
    #[serde(default)]
    pub returns: Option<String>,
    /// Which argument holds the length of a sleep, or of a duration.
    #[serde(default)]
    pub duration: Option<ArgumentTable>,
    /// The unit of that argument.
    #[serde(default)]
    pub unit: Option<String>,
    /// Panics inside an async runtime.
    #[serde(default)]
    pub panics: bool,
    /// Blocks only where an argument's type does.
    #[serde(default)]
    pub carrier: Option<CarrierTable>,
    /// What arguments change.
    #[serde(default)]
    pub when: Vec<WhenTable>,
    /// For a wildcard: names below that do not count.
    #[serde(default)]
    pub except: Vec<String>,
    /// Where the fact can be checked.
    #[serde(default)]
    pub source: Option<String>,
    /// A snippet with a finding for this entry.
    #[serde(default)]
    pub bad: Option<String>,
    /// A snippet without one.
    #[serde(default)]
    pub good: Option<String>,
    /// For a user's entry: the language, where the path does not tell.
    #[serde(default)]
    pub language: Option<String>,
}

/// An argument: its position, or its position and its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ArgumentTable {
    /// `0`.
    Index(u16),
    /// `{ index = 1, keyword = "target" }`.
    Both {
        /// The position, from 0, without the receiver.
        index: Option<u16>,
        /// The keyword.
        keyword: Option<String>,
    },
}

/// `carrier`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarrierTable {
    /// The argument whose type decides.
    pub argument: ArgumentTable,
    /// The trait that it must carry.
    #[serde(rename = "trait")]
    pub trait_: String,
}

/// One of `when`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenTable {
    /// The argument that is looked at.
    pub argument: ArgumentTable,
    /// Equals this literal.
    #[serde(default)]
    pub is: Option<toml::Value>,
    /// Equals Python's `None`.
    #[serde(default)]
    pub none: Option<bool>,
    /// Is there, or not.
    #[serde(default)]
    pub given: Option<bool>,
    /// The effect that it has then.
    #[serde(default)]
    pub effect: Option<String>,
    /// What the thread waits for then.
    #[serde(default)]
    pub waits: Option<String>,
    /// What to say then.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether the risk is a step higher then.
    #[serde(default)]
    pub raise: bool,
}

/// `[[type]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeTable {
    /// Where it is defined.
    pub path: String,
    /// Other public paths.
    #[serde(default)]
    pub also: Vec<String>,
    /// What kind of type.
    #[serde(default)]
    pub kind: Option<String>,
    /// Names of its type parameters.
    #[serde(default)]
    pub params: Vec<String>,
    /// What it derefs to.
    #[serde(default)]
    pub deref: Option<String>,
    /// The type that it is another name of.
    #[serde(default)]
    pub alias: Option<String>,
    /// What iterating over it gives.
    #[serde(default)]
    pub item: Option<String>,
    /// Base classes.
    #[serde(default)]
    pub extends: Vec<String>,
    /// What `with` binds.
    #[serde(default)]
    pub enter: Option<String>,
    /// What awaiting it gives.
    #[serde(default)]
    pub awaits: Option<String>,
    /// Where the fact can be checked.
    #[serde(default)]
    pub source: Option<String>,
}

/// `[[trait]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraitTable {
    /// Where it is defined.
    pub path: String,
    /// Other public paths.
    #[serde(default)]
    pub also: Vec<String>,
    /// Types that carry it.
    #[serde(default)]
    pub on: Vec<String>,
    /// Wrappers that carry it when their first type parameter does.
    #[serde(default)]
    pub through: Vec<String>,
    /// Where the fact can be checked.
    #[serde(default)]
    pub source: Option<String>,
}

/// The words that a key may have.
pub const EFFECTS: [&str; 6] = ["blocks", "offloads", "schedules", "runs", "constructs", "none"];
/// The words that a key may have.
pub const CATEGORIES: [&str; 14] = [
    "fs", "net", "http", "db", "cache", "queue", "cloud", "process", "sleep", "lock", "wait", "cpu", "console", "runtime",
];
/// The words that a key may have.
pub const WAITS: [&str; 7] = ["unbounded", "timer", "network", "cpu", "disk", "metadata", "brief"];
/// The words that a key may have.
pub const KINDS: [&str; 6] = ["handle", "client", "guard", "executor", "future", "plain"];
/// The words that a key may have.
pub const UNITS: [&str; 6] = ["duration", "s", "ms", "us", "ns", "min"];

/// Puts the file's defaults into its entries and checks them all. Answers what is wrong, an entry a line.
pub fn complete(tables: &mut Tables, separator: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let (category, waits, source) = (tables.category.clone(), tables.waits.clone(), tables.source.clone());
    for api in &mut tables.api {
        if api.effect.is_none() {
            api.effect = Some("blocks".to_owned());
        }
        if api.effect.as_deref() == Some("blocks") {
            api.category = api.category.take().or_else(|| category.clone());
            api.waits = api.waits.take().or_else(|| waits.clone());
        }
        api.source = api.source.take().or_else(|| source.clone());
        errors.extend(check_api(api, separator).into_iter().map(|error| format!("`{}`: {error}", api.path)));
    }
    for entry in &tables.types {
        errors.extend(check_paths(&entry.path, &entry.also, separator, false).map(|error| format!("`{}`: {error}", entry.path)));
        errors.extend(word("kind", entry.kind.as_deref(), &KINDS).map(|error| format!("`{}`: {error}", entry.path)));
    }
    for entry in &tables.traits {
        errors.extend(check_paths(&entry.path, &entry.also, separator, false).map(|error| format!("`{}`: {error}", entry.path)));
    }
    errors
}

fn check_api(api: &ApiTable, separator: &str) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    errors.extend(check_paths(&api.path, &api.also, separator, true));
    errors.extend(word("effect", api.effect.as_deref(), &EFFECTS));
    errors.extend(word("category", api.category.as_deref(), &CATEGORIES));
    errors.extend(word("waits", api.waits.as_deref(), &WAITS));
    errors.extend(word("unit", api.unit.as_deref(), &UNITS));
    if api.effect.as_deref() == Some("blocks") {
        let missing = [
            ("category", api.category.is_none()),
            ("waits", api.waits.is_none()),
            ("why", api.why.as_deref().is_none_or(|why| why.trim().is_empty())),
        ];
        errors.extend(missing.into_iter().filter(|(_, missing)| *missing).map(|(key, _)| format!("a blocking call needs `{key}`")));
    }
    let takes = matches!(api.effect.as_deref(), Some("offloads" | "schedules" | "runs"));
    if takes && api.callable.is_none() {
        errors.push("needs `callable`: which argument is run".to_owned());
    }
    for when in &api.when {
        errors.extend(check_when(when));
    }
    errors
}

fn check_when(when: &WhenTable) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    errors.extend(word("when.effect", when.effect.as_deref(), &EFFECTS));
    errors.extend(word("when.waits", when.waits.as_deref(), &WAITS));
    let tests = usize::from(when.is.is_some()) + usize::from(when.none.is_some()) + usize::from(when.given.is_some());
    if tests != 1 {
        errors.push("`when` needs one of `is`, `none` and `given`".to_owned());
    }
    errors
}

fn check_paths(path: &str, also: &[String], separator: &str, wildcards: bool) -> Option<String> {
    std::iter::once(path).chain(also.iter().map(String::as_str)).find_map(|path| check_path(path, separator, wildcards))
}

fn check_path(path: &str, separator: &str, wildcards: bool) -> Option<String> {
    let parts: Vec<&str> = path.split(separator).collect();
    let (last, rest) = parts.split_last()?;
    let name = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if wildcards && *last == "*" && !rest.is_empty() && rest.iter().all(name) {
        return None;
    }
    let valid = parts.iter().all(|part| name(part));
    (!valid).then(|| format!("`{path}` is not a path of names with `{separator}` between them"))
}

fn word(key: &str, value: Option<&str>, known: &[&str]) -> Option<String> {
    let value = value.filter(|value| !known.contains(value))?;
    Some(format!("`{key}` is `{value}`, which is none of {}", known.join(", ")))
}
