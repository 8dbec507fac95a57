//! Tables as they are read, made into entries. The build script does the same with tokens; a test compares the two.

use std::borrow::Cow;

use nostall_model::{Category, Language, Waits};

use crate::entry::{
    Api, Argument, Carrier, DurationUnit, Effect, EventLoop, Guards, List, Literal, Origin, Route,
    Test, Text, Times, TraitEntry, TypeEntry, TypeKind, When,
};
use crate::schema::{ApiTable, ArgumentTable, TestTable, TraitTable, TypeTable, WhenTable};

/// Makes an entry of a table that is complete.
pub(crate) fn api(language: Language, library: &str, origin: Origin, table: &ApiTable) -> Api {
    Api {
        language,
        library: text(library),
        path: text(&table.path),
        also: texts(&table.also),
        effect: table
            .effect
            .as_deref()
            .and_then(effect)
            .unwrap_or(Effect::Blocks),
        category: table
            .category
            .as_deref()
            .and_then(|word| Category::ALL.into_iter().find(|it| it.name() == word)),
        waits: table.waits.as_deref().and_then(waits),
        why: text(table.why.as_deref().unwrap_or_default()),
        instead: table
            .instead
            .iter()
            .map(|(key, value)| (text(key), text(value)))
            .collect(),
        returns: table.returns.as_deref().map(text),
        callable: table.callable.as_ref().map(argument),
        gives: texts(&table.gives),
        every: table.every,
        iterates: table.iterates,
        settled: table.settled,
        event_loop: match table.event_loop.as_deref() {
            Some("needed") => Some(EventLoop::Needed),
            Some("told") => Some(EventLoop::Told),
            _ => None,
        },
        times: match table.times.as_deref() {
            Some("once") => Some(Times::Once),
            Some("many") => Some(Times::Many),
            _ => None,
        },
        route: table.route.as_ref().map(|route| Route {
            method: route.method.as_deref().map(text),
            path: route.path.as_ref().map(argument),
        }),
        concurrent: table.concurrent,
        duration: table.duration.as_ref().map(argument),
        duration_unit: unit(language, table.unit.as_deref()),
        panics: table.panics,
        carrier: table.carrier.as_ref().map(|carrier| Carrier {
            argument: argument(&carrier.argument),
            trait_path: text(&carrier.trait_),
        }),
        proves: table.proves.as_deref().map(text),
        registers: table.registers,
        when: table.when.iter().map(when).collect(),
        except: texts(&table.except),
        source: text(table.source.as_deref().unwrap_or_default()),
        origin,
    }
}

/// Makes an entry of a table that is complete.
pub(crate) fn type_entry(language: Language, table: &TypeTable) -> TypeEntry {
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
        fields: table
            .fields
            .iter()
            .map(|(name, type_)| (text(name), text(type_)))
            .collect(),
        guards: table.guards.as_deref().and_then(guards),
        on_loop: texts(&table.on_loop),
        protocol: table.protocol,
    }
}

/// Makes an entry of a table that is complete.
pub(crate) fn trait_entry(language: Language, table: &TraitTable) -> TraitEntry {
    TraitEntry {
        language,
        path: text(&table.path),
        also: texts(&table.also),
        on: texts(&table.on),
        through: texts(&table.through),
        assume: table.assume,
        supertraits: texts(&table.supertraits),
    }
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

fn guards(word: &str) -> Option<Guards> {
    Guards::ALL
        .into_iter()
        .find(|(_, name)| *name == word)
        .map(|(guards, _)| guards)
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

/// Python's sleeps are in seconds unless the entry says otherwise, Rust's are durations.
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
    let (index, keyword) = table.parts();
    Argument {
        index,
        keyword: keyword.map(text),
    }
}

fn when(table: &WhenTable) -> When {
    let test = match table.test() {
        TestTable::Is(value) => Test::Is(literal(value)),
        TestTable::None => Test::Is(Literal::None),
        TestTable::Given(given) => Test::Given(given),
        TestTable::Type(types) => Test::Type(texts(types)),
    };
    When {
        argument: argument(&table.argument),
        test,
        effect: table.effect.as_deref().and_then(effect),
        waits: table.waits.as_deref().and_then(waits),
        reason: table.reason.as_deref().map(text),
        raise: table.raise,
        returns: table.returns.as_deref().map(text),
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

fn text(text: &str) -> Text {
    Cow::Owned(text.to_owned())
}

fn texts(list: &[String]) -> List<Text> {
    list.iter().map(|item| text(item)).collect()
}
