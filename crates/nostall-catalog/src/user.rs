//! A project's own entries: the same tables, read when nostall runs.

use std::borrow::Cow;

use nostall_model::{Category, Language, Waits};

use crate::entry::{
    Api, Argument, Carrier, DurationUnit, Effect, Literal, Origin, Test, Text, TraitEntry, TypeEntry, TypeKind, When,
};
use crate::schema::{ApiTable, ArgumentTable, Tables, TraitTable, TypeTable, WhenTable, complete};

/// What a project adds to the catalogue.
#[derive(Clone, Debug, Default)]
pub struct UserEntries {
    pub(crate) apis: Vec<Api>,
    pub(crate) types: Vec<TypeEntry>,
    pub(crate) traits: Vec<TraitEntry>,
}

/// An entry that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("catalogue entry {0}")]
pub struct EntryError(pub String);

impl UserEntries {
    /// Checks tables and takes them over. `offloaders` are paths of functions that run their first argument off the
    /// executor.
    ///
    /// # Errors
    /// The first entry that is not valid, by its path.
    pub fn new(tables: Tables, offloaders: &[String]) -> Result<Self, EntryError> {
        let mut entries = Self::default();
        for language in [Language::Rust, Language::Python] {
            let mut own = of_language(&tables, language);
            if let Some(error) = complete(&mut own, separator(language)).into_iter().next() {
                return Err(EntryError(error));
            }
            entries.apis.extend(own.api.iter().map(|table| api(language, &own.library, table)));
            entries.types.extend(own.types.iter().map(|table| type_entry(language, table)));
            entries.traits.extend(own.traits.iter().map(|table| trait_entry(language, table)));
        }
        entries.apis.extend(offloaders.iter().map(|path| offloader(path)));
        Ok(entries)
    }

    /// Says whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.apis.is_empty() && self.types.is_empty() && self.traits.is_empty()
    }
}

/// The tables of one language: a path with `::` is Rust's unless the entry says otherwise.
fn of_language(tables: &Tables, language: Language) -> Tables {
    let mut own = tables.clone();
    own.api.retain(|table| match table.language.as_deref() {
        Some(name) => name == language.name(),
        None => language_of(&table.path) == language,
    });
    own.types.retain(|table| language_of(&table.path) == language);
    own.traits.retain(|table| language_of(&table.path) == language);
    own
}

fn language_of(path: &str) -> Language {
    if path.contains("::") { Language::Rust } else { Language::Python }
}

fn separator(language: Language) -> &'static str {
    match language {
        Language::Rust => "::",
        Language::Python => ".",
    }
}

fn text(text: &str) -> Text {
    Cow::Owned(text.to_owned())
}

fn texts(list: &[String]) -> Cow<'static, [Text]> {
    list.iter().map(|item| text(item)).collect()
}

fn api(language: Language, library: &str, table: &ApiTable) -> Api {
    Api {
        language,
        library: text(library),
        path: text(&table.path),
        also: texts(&table.also),
        effect: table.effect.as_deref().and_then(effect).unwrap_or(Effect::Blocks),
        category: table.category.as_deref().and_then(|word| Category::ALL.into_iter().find(|it| it.name() == word)),
        waits: table.waits.as_deref().and_then(waits),
        why: text(table.why.as_deref().unwrap_or_default()),
        instead: table.instead.iter().map(|(key, value)| (text(key), text(value))).collect(),
        returns: table.returns.as_deref().map(text),
        callable: table.callable.as_ref().map(argument),
        gives: texts(&table.gives),
        duration: table.duration.as_ref().map(argument),
        duration_unit: unit(language, table.unit.as_deref()),
        panics: table.panics,
        carrier: table.carrier.as_ref().map(|carrier| Carrier {
            argument: argument(&carrier.argument),
            trait_path: text(&carrier.trait_),
        }),
        when: table.when.iter().map(when).collect(),
        except: texts(&table.except),
        source: text(table.source.as_deref().unwrap_or_default()),
        origin: Origin::User,
    }
}

fn offloader(path: &str) -> Api {
    let table = ApiTable {
        path: path.to_owned(),
        also: Vec::new(),
        effect: Some("offloads".to_owned()),
        callable: Some(ArgumentTable::Index(0)),
        gives: Vec::new(),
        category: None,
        waits: None,
        why: None,
        instead: std::collections::BTreeMap::new(),
        returns: None,
        duration: None,
        unit: None,
        panics: false,
        carrier: None,
        when: Vec::new(),
        except: Vec::new(),
        source: None,
        bad: None,
        good: None,
        language: None,
    };
    api(language_of(path), "", &table)
}

fn effect(word: &str) -> Option<Effect> {
    Some(match word {
        "blocks" => Effect::Blocks,
        "offloads" => Effect::Offloads,
        "schedules" => Effect::Schedules,
        "runs" => Effect::Runs,
        "constructs" => Effect::Constructs,
        "none" => Effect::None,
        _ => return None,
    })
}

fn waits(word: &str) -> Option<Waits> {
    const ALL: [Waits; 7] = [
        Waits::Unbounded,
        Waits::Timer,
        Waits::Network,
        Waits::Cpu,
        Waits::Disk,
        Waits::Metadata,
        Waits::Brief,
    ];
    ALL.into_iter().find(|waits| waits.name() == word)
}

fn unit(language: Language, word: Option<&str>) -> DurationUnit {
    match (word, language) {
        (Some("s"), _) | (None, Language::Python) => DurationUnit::Seconds,
        (Some("ms"), _) => DurationUnit::Milliseconds,
        (Some("us"), _) => DurationUnit::Microseconds,
        (Some("ns"), _) => DurationUnit::Nanoseconds,
        (Some("min"), _) => DurationUnit::Minutes,
        _ => DurationUnit::Duration,
    }
}

fn argument(table: &ArgumentTable) -> Argument {
    match table {
        ArgumentTable::Index(index) => Argument { index: Some(*index), keyword: None },
        ArgumentTable::Both { index, keyword } => Argument { index: *index, keyword: keyword.as_deref().map(text) },
    }
}

fn when(table: &WhenTable) -> When {
    let test = match (&table.is, table.none, table.given) {
        (_, _, Some(given)) => Test::Given(given),
        (_, Some(_), _) => Test::Is(Literal::None),
        (Some(value), ..) => Test::Is(literal(value)),
        (None, None, None) => Test::Given(true),
    };
    When {
        argument: argument(&table.argument),
        test,
        effect: table.effect.as_deref().and_then(effect),
        waits: table.waits.as_deref().and_then(waits),
        reason: table.reason.as_deref().map(text),
        raise: table.raise,
    }
}

fn literal(value: &toml::Value) -> Literal {
    match value {
        toml::Value::Boolean(value) => Literal::Bool(*value),
        toml::Value::Integer(value) => Literal::Int(*value),
        toml::Value::Float(value) => Literal::Float(*value),
        other => Literal::Str(text(other.as_str().unwrap_or_default())),
    }
}

fn type_entry(language: Language, table: &TypeTable) -> TypeEntry {
    TypeEntry {
        language,
        path: text(&table.path),
        also: texts(&table.also),
        kind: match table.kind.as_deref() {
            Some("handle") => TypeKind::Handle,
            Some("client") => TypeKind::Client,
            Some("guard") => TypeKind::Guard,
            Some("executor") => TypeKind::Executor,
            Some("future") => TypeKind::Future,
            _ => TypeKind::Plain,
        },
        params: texts(&table.params),
        deref: table.deref.as_deref().map(text),
        alias: table.alias.as_deref().map(text),
        item: table.item.as_deref().map(text),
        extends: texts(&table.extends),
        enter: table.enter.as_deref().map(text),
        awaits: table.awaits.as_deref().map(text),
    }
}

fn trait_entry(language: Language, table: &TraitTable) -> TraitEntry {
    TraitEntry {
        language,
        path: text(&table.path),
        also: texts(&table.also),
        on: texts(&table.on),
        through: texts(&table.through),
    }
}
