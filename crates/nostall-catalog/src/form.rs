//! Files of entries as people write them, and what is wrong with one in words for them.
//!
//! The build script reads the data with this module too.

use nostall_model::{Category, Waits};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::entry::{Api, FeatureEntry, RuntimeEntry, TraitEntry, TypeEntry};

/// One data file, or a user's own tables.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tables {
    /// The crate's or distribution's name.
    pub library: String,
    /// The library that goes on where this one is no longer kept up: advice names that one.
    pub successor: Option<String>,
    /// The versions for which the facts were checked.
    pub version: Option<String>,
    /// Default for the entries.
    pub category: Option<Category>,
    /// Default for the entries.
    pub waits: Option<Waits>,
    /// Default for the entries.
    pub source: String,
    /// Callables.
    pub api: Vec<Api>,
    /// Types.
    #[serde(rename = "type")]
    pub types: Vec<TypeEntry>,
    /// Traits.
    #[serde(rename = "trait")]
    pub traits: Vec<TraitEntry>,
    /// Runtimes.
    #[serde(rename = "runtime")]
    pub runtimes: Vec<RuntimeEntry>,
    /// Features that parts of the library need.
    #[serde(rename = "feature")]
    pub features: Vec<FeatureEntry>,
}

/// A text that does not have the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the entry and the key where there are such.
    pub message: String,
}

impl std::fmt::Display for FormError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.line, self.message)
    }
}

/// Reads tables, or a config that has some.
///
/// # Errors
/// The first thing that is wrong: line 12, ``in `a::b`: unknown key `wait`, did you mean `waits`?``.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, FormError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count();
        let message = in_words(error.message(), key_before(before));
        FormError {
            line: line + 1,
            message: match entry_at(text, line) {
                Some(path) => format!("in `{path}`: {message}"),
                None => message,
            },
        }
    })
}

/// Says what serde and toml say in the words of the data: keys and texts, not fields, variants and strings.
fn in_words(message: &str, key: Option<&str>) -> String {
    let of = key.map_or_else(|| "this".to_owned(), |key| format!("`{key}`"));
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, Some((unknown, keys))) =
        (message.starts_with("unknown field"), quoted.split_first())
    {
        return unknown_key(unknown, keys);
    }
    if let (true, Some((unknown, words))) =
        (message.starts_with("unknown variant"), quoted.split_first())
    {
        return format!("{of} is `{unknown}`, which is none of {}", words.join(", "));
    }
    let wrong = ["invalid type: ", "invalid value: "];
    let wrong = wrong.iter().find_map(|wrong| message.strip_prefix(wrong));
    match wrong.and_then(|wrong| wrong.split_once(", expected ")) {
        Some((found, wanted)) => format!("{of} must be {}, not {found}", kind(wanted)),
        None if message == "wanted string or table" => format!("{of} must be a text"),
        None => message.replace('\n', "; "),
    }
}

/// Names a kind of value for people.
fn kind(wanted: &str) -> &str {
    match wanted {
        "a string" => "a text",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a table",
        "u16" | "u64" => "a whole number",
        other => other,
    }
}

/// Names the key that was probably meant, or all.
fn unknown_key(unknown: &str, keys: &[&str]) -> String {
    let likeness = |key: &str| strsim::jaro_winkler(key, unknown);
    let closest = keys
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match closest.filter(|key| likeness(key) > 0.75) {
        Some(key) => format!("unknown key `{unknown}`, did you mean `{key}`?"),
        None => format!("unknown key `{unknown}`, the keys are {}", keys.join(", ")),
    }
}

/// Finds the key whose value begins, or goes on, where a text ends.
fn key_before(text: &str) -> Option<&str> {
    let line = text.lines().next_back().filter(|_| !text.ends_with('\n'))?;
    let (before, _) = line.rsplit_once('=')?;
    let before = before.trim_end();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let start = before.trim_end_matches(is_part).len();
    Some(&before[start..]).filter(|key| !key.is_empty())
}

/// Finds the path of the entry in which a line stands, in a text that need not be valid.
fn entry_at(text: &str, line: usize) -> Option<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_header = |line: &&str| line.starts_with('[');
    let start = lines.iter().take(line + 1).rposition(is_header)?;
    let table = lines[start].trim_start_matches("[[").split(']').next()?;
    let is_entry = lines[start].starts_with("[[")
        && matches!(table.rsplit('.').next(), Some("api" | "type" | "trait"));
    let own = lines[start + 1..]
        .iter()
        .take_while(|line| is_entry && !is_header(line));
    own.filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "path")
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
}
