//! The form of the data: TOML tables as `docs/catalogue.md` describes them.
//!
//! The build script reads the library's own data with this module and with `check`, the loader a user's entries; so they
//! use nothing else of the crate.

use std::collections::BTreeMap;

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
#[derive(Clone, Debug, Default, Deserialize)]
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
    /// All callables among the arguments are run.
    #[serde(default)]
    pub every: bool,
    /// It takes all elements of its arguments: the code of a generator runs.
    #[serde(default)]
    pub iterates: bool,
    /// It ends a block, and waits for what an `await` in the block has waited for already.
    #[serde(default)]
    pub settled: bool,
    /// What it says of a running event loop: `needed`, `told`.
    #[serde(default, rename = "loop")]
    pub event_loop: Option<String>,
    /// How often the callable runs: `once`, `many`.
    #[serde(default)]
    pub times: Option<String>,
    /// What it says of a route.
    #[serde(default)]
    pub route: Option<RouteTable>,
    /// What it is given runs beside other tasks.
    #[serde(default)]
    pub concurrent: bool,
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
    pub instead: BTreeMap<String, String>,
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
    /// The type that its receiver has where it answers yes.
    #[serde(default)]
    pub proves: Option<String>,
    /// As a decorator it hands the function over and leaves its name alone.
    #[serde(default)]
    pub registers: bool,
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
#[serde(
    untagged,
    expecting = "an argument is its position, `0`, or `{ index = 0, keyword = \"name\" }`"
)]
pub enum ArgumentTable {
    /// `0`.
    Index(u16),
    /// `{ index = 1, keyword = "target" }`.
    Named(NamedArgumentTable),
}

/// An argument that may have a name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedArgumentTable {
    /// The position, from 0, without the receiver.
    #[serde(default)]
    pub index: Option<u16>,
    /// The keyword.
    #[serde(default)]
    pub keyword: Option<String>,
}

impl ArgumentTable {
    /// Returns position and keyword.
    #[must_use]
    pub fn parts(&self) -> (Option<u16>, Option<&str>) {
        match self {
            Self::Index(index) => (Some(*index), None),
            Self::Named(named) => (named.index, named.keyword.as_deref()),
        }
    }
}

/// `route`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// The HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// Which argument holds the path.
    #[serde(default)]
    pub path: Option<ArgumentTable>,
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
    /// Is of one of these types.
    #[serde(default, rename = "type")]
    pub types: Vec<String>,
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
    /// The type of the result then, for a question about a type.
    #[serde(default)]
    pub returns: Option<String>,
}

/// What one of `when` asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TestTable<'a> {
    /// `is`.
    Is(&'a toml::Value),
    /// `none`.
    None,
    /// `given`.
    Given(bool),
    /// `type`.
    Type(&'a [String]),
}

impl WhenTable {
    /// Returns the question; of a table that passed the check there is one.
    #[must_use]
    pub fn test(&self) -> TestTable<'_> {
        match (&self.is, self.given) {
            (Some(value), _) => TestTable::Is(value),
            (None, Some(given)) => TestTable::Given(given),
            (None, None) if !self.types.is_empty() => TestTable::Type(&self.types),
            (None, None) => TestTable::None,
        }
    }
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
    /// Public fields with their types.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// What a guard holds while it lives.
    #[serde(default)]
    pub guards: Option<String>,
    /// Methods of classes that extend it, which a loop calls.
    #[serde(default)]
    pub on_loop: Vec<String>,
    /// Values of many other types pass for it.
    #[serde(default)]
    pub protocol: bool,
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
    /// Its methods are assumed where it is imported and the receiver's type is not known.
    #[serde(default)]
    pub assume: bool,
    /// Traits that come with it.
    #[serde(default)]
    pub supertraits: Vec<String>,
    /// Where the fact can be checked.
    #[serde(default)]
    pub source: Option<String>,
}

/// Reads a data file.
///
/// # Errors
/// What is wrong with its form, with line and entry: ``12: in `a::b`: unknown field `wait` ``.
pub fn parse(text: &str) -> Result<Tables, String> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let message = error.message().replace('\n', "; ");
        match entry_at(text, line) {
            Some(path) => format!("{}: in `{path}`: {message}", line + 1),
            None => format!("{}: {message}", line + 1),
        }
    })
}

/// Finds the path of the entry in which a line stands, in a text that need not be valid.
fn entry_at(text: &str, line: usize) -> Option<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_header = |line: &&str| line.starts_with("[[");
    let start = lines.iter().take(line + 1).rposition(is_header)?;
    let own = lines[start + 1..]
        .iter()
        .take_while(|line| !is_header(line));
    own.filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "path")
        .map(|(_, value)| value.trim().trim_matches('"'))
}
