//! What makes tables valid. Every message is about one entry and names it.

use std::collections::BTreeMap;

use crate::schema::{
    ApiTable, ArgumentTable, RouteTable, Tables, TraitTable, TypeTable, WhenTable,
};

/// The words that `effect` may be.
pub(crate) const EFFECTS: [&str; 6] = [
    "blocks",
    "offloads",
    "schedules",
    "runs",
    "constructs",
    "none",
];
/// The words that `category` may be.
pub(crate) const CATEGORIES: [&str; 14] = [
    "fs", "net", "http", "db", "cache", "queue", "cloud", "process", "sleep", "lock", "wait",
    "cpu", "console", "runtime",
];
/// The words that `waits` may be.
pub(crate) const WAITS: [&str; 7] = [
    "unbounded",
    "timer",
    "network",
    "cpu",
    "disk",
    "metadata",
    "brief",
];
/// The words that `kind` may be.
pub(crate) const KINDS: [&str; 6] = ["handle", "client", "guard", "executor", "future", "plain"];
/// The words that `guards` may be.
pub(crate) const GUARDS: [&str; 4] = ["lock", "task-lock", "borrow", "span"];
/// The words that `loop` may be.
const LOOP: [&str; 2] = ["needed", "told"];

/// The words that `times` may be.
pub(crate) const TIMES: [&str; 2] = ["once", "many"];
/// The words that `unit` may be.
pub(crate) const UNITS: [&str; 6] = ["duration", "s", "ms", "us", "ns", "min"];

/// Puts the file's defaults into its entries and checks them all. Returns what is wrong, an entry's fault a line.
/// `separator` is what stands between the names of a path in the language.
pub(crate) fn complete(tables: &mut Tables, separator: &str) -> Vec<String> {
    let mut errors = file_words(tables);
    let (category, waits, source) = (
        tables.category.clone(),
        tables.waits.clone(),
        tables.source.clone(),
    );
    for api in &mut tables.api {
        api.effect.get_or_insert_with(|| "blocks".to_owned());
        if may_block(api) {
            api.category = api.category.take().or_else(|| category.clone());
            api.waits = api.waits.take().or_else(|| waits.clone());
        }
        api.source = api.source.take().or_else(|| source.clone());
    }
    for (number, api) in tables.api.iter().enumerate() {
        label(
            &mut errors,
            "api",
            number,
            &api.path,
            check_api(api, separator),
        );
    }
    for (number, entry) in tables.types.iter().enumerate() {
        label(
            &mut errors,
            "type",
            number,
            &entry.path,
            check_type_entry(entry, separator),
        );
    }
    for (number, entry) in tables.traits.iter().enumerate() {
        label(
            &mut errors,
            "trait",
            number,
            &entry.path,
            check_trait(entry, separator),
        );
    }
    errors.extend(twice(
        "api",
        tables.api.iter().map(|api| (&api.path, &api.also)),
    ));
    errors.extend(twice(
        "type",
        tables.types.iter().map(|entry| (&entry.path, &entry.also)),
    ));
    // Tables of one trait may be several: they are put together.
    errors
}

/// Checks what only nostall's own files need: a library, and a source for each fact. For tables that are complete.
#[must_use]
pub(crate) fn check_own(tables: &Tables) -> Vec<String> {
    let mut errors = Vec::new();
    if tables.library.trim().is_empty() {
        errors.push("the file needs `library`".to_owned());
    }
    for (number, api) in tables.api.iter().enumerate() {
        let mut own = Vec::new();
        if may_block(api) && is_blank(api.source.as_deref()) {
            own.push("a blocking call needs a `source`, its own or the file's".to_owned());
        }
        if api.language.is_some() {
            own.push("`language` is for entries of a config: here the folder gives it".to_owned());
        }
        label(&mut errors, "api", number, &api.path, own);
    }
    errors
}

/// Says whether a call can block: always, or with some arguments.
fn may_block(api: &ApiTable) -> bool {
    let blocks = |effect: Option<&str>| effect == Some("blocks");
    blocks(api.effect.as_deref()) || api.when.iter().any(|when| blocks(when.effect.as_deref()))
}

/// Says which entry errors are about: by its path, or by its number where it has none.
fn label(errors: &mut Vec<String>, table: &str, number: usize, path: &str, own: Vec<String>) {
    let name = match path.trim() {
        "" => format!("[[{table}]] number {}", number + 1),
        path => format!("`{path}`"),
    };
    errors.extend(own.into_iter().map(|error| format!("{name}: {error}")));
}

fn file_words(tables: &Tables) -> Vec<String> {
    let mut errors = Vec::new();
    errors.extend(check_word(
        "category",
        tables.category.as_deref(),
        &CATEGORIES,
    ));
    errors.extend(check_word("waits", tables.waits.as_deref(), &WAITS));
    errors
        .into_iter()
        .map(|error| format!("the file's {error}"))
        .collect()
}

fn check_api(api: &ApiTable, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&api.path, &api.also, separator, true);
    errors.extend(check_bare(&api.path, separator));
    errors.extend(check_word("effect", api.effect.as_deref(), &EFFECTS));
    errors.extend(check_word("category", api.category.as_deref(), &CATEGORIES));
    errors.extend(check_word("waits", api.waits.as_deref(), &WAITS));
    errors.extend(check_word("unit", api.unit.as_deref(), &UNITS));
    errors.extend(check_word("times", api.times.as_deref(), &TIMES));
    errors.extend(check_word("loop", api.event_loop.as_deref(), &LOOP));
    errors.extend(missing_of_blocking(api));
    errors.extend(check_callable(api));
    errors.extend(check_rest(api, separator));
    for (key, text) in [("returns", &api.returns), ("proves", &api.proves)] {
        errors.extend(text.as_deref().and_then(|text| check_type(key, text)));
    }
    errors.extend(
        api.gives
            .iter()
            .filter_map(|text| check_type("gives", text)),
    );
    let route_path = api.route.as_ref().and_then(|route| route.path.clone());
    let arguments = [
        ("callable", &api.callable),
        ("duration", &api.duration),
        ("route.path", &route_path),
    ];
    errors.extend(
        arguments
            .into_iter()
            .filter_map(|(key, argument)| check_argument(key, argument.as_ref()?)),
    );
    errors.extend(api.when.iter().flat_map(check_when));
    errors
}

fn missing_of_blocking(api: &ApiTable) -> Vec<String> {
    let needed = [
        ("category", &api.category),
        ("waits", &api.waits),
        ("why", &api.why),
    ];
    let missing = needed
        .into_iter()
        .filter(|(_, value)| may_block(api) && is_blank(value.as_deref()));
    missing
        .map(|(key, _)| format!("a blocking call needs `{key}`"))
        .collect()
}

fn check_callable(api: &ApiTable) -> Option<String> {
    let takes = matches!(
        api.effect.as_deref(),
        Some("offloads" | "schedules" | "runs")
    );
    if takes && api.callable.is_none() && !api.registers {
        let effect = api.effect.as_deref().unwrap_or_default();
        return Some(format!(
            "`effect = \"{effect}\"` needs `callable`: which argument is run"
        ));
    }
    (api.callable.is_none() && !api.gives.is_empty())
        .then(|| "`gives` needs a `callable`".to_owned())
}

/// Checks the keys that mean something only beside others.
fn check_rest(api: &ApiTable, separator: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let mut paths = std::iter::once(&api.path).chain(&api.also);
    if !api.except.is_empty() && !paths.any(|path| path.ends_with('*')) {
        errors.push(format!(
            "`except` is for a wildcard, a path that ends in `{separator}*`"
        ));
    }
    errors.extend(
        api.except
            .iter()
            .filter_map(|name| check_path(name, separator, false)),
    );
    if api.unit.is_some() && api.duration.is_none() {
        errors.push("`unit` needs a `duration`: which argument holds the length".to_owned());
    }
    if api.times.is_some() && api.callable.is_none() && !api.registers {
        errors.push("`times` needs a `callable`, or `registers`".to_owned());
    }
    let blank_route =
        |route: &RouteTable| is_blank(route.method.as_deref()) && route.path.is_none();
    if api.route.as_ref().is_some_and(blank_route) {
        errors.push("`route` needs a `method`, a `path` or both".to_owned());
    }
    if api.panics && !may_block(api) {
        errors.push("`panics` is for a blocking call".to_owned());
    }
    if let Some(carrier) = &api.carrier {
        errors.extend(check_argument("carrier.argument", &carrier.argument));
        errors.extend(check_path(&carrier.trait_, separator, false));
        if !may_block(api) {
            errors.push("`carrier` is for a blocking call".to_owned());
        }
    }
    let blank = api
        .instead
        .iter()
        .filter(|(key, value)| is_blank(Some(key)) || is_blank(Some(value)));
    errors.extend(blank.map(|(key, _)| format!("`instead.{key}` is empty")));
    errors.extend(check_word(
        "language",
        api.language.as_deref(),
        &["rust", "python"],
    ));
    errors
}

fn check_argument(key: &str, argument: &ArgumentTable) -> Option<String> {
    (argument.parts() == (None, None))
        .then(|| format!("`{key}` needs an `index`, a `keyword` or both"))
}

fn check_when(when: &WhenTable) -> Vec<String> {
    let mut errors = Vec::new();
    errors.extend(check_argument("when.argument", &when.argument));
    errors.extend(check_word("when.effect", when.effect.as_deref(), &EFFECTS));
    errors.extend(check_word("when.waits", when.waits.as_deref(), &WAITS));
    let tests = [
        when.is.is_some(),
        when.none.is_some(),
        when.given.is_some(),
        !when.types.is_empty(),
    ];
    if tests.into_iter().filter(|test| *test).count() != 1 {
        errors.push("`when` needs one of `is`, `none`, `given` and `type`".to_owned());
    }
    if when.none == Some(false) {
        errors.push("`when.none` can only be `true`".to_owned());
    }
    let is_literal = |value: &toml::Value| {
        value.is_bool() || value.is_integer() || value.is_float() || value.is_str()
    };
    if when.is.as_ref().is_some_and(|value| !is_literal(value)) {
        errors.push("`when.is` must be a truth value, a number or a text".to_owned());
    }
    if when.raise && is_blank(when.reason.as_deref()) {
        errors.push("`when.raise` needs a `reason`: what the report says".to_owned());
    }
    if when.returns.is_some() && when.types.is_empty() {
        errors.push("`when.returns` is for a question about a `type`".to_owned());
    }
    if when.effect.is_none() && when.waits.is_none() && when.reason.is_none() {
        errors.push("`when` changes nothing: it needs `effect`, `waits` or `reason`".to_owned());
    }
    errors
}

fn check_type_entry(entry: &TypeTable, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&entry.path, &entry.also, separator, false);
    errors.extend(check_word("kind", entry.kind.as_deref(), &KINDS));
    errors.extend(check_word("guards", entry.guards.as_deref(), &GUARDS));
    let holds = matches!(entry.kind.as_deref(), Some("guard" | "handle"));
    if entry.guards.is_some() && !holds {
        errors.push("`guards` is for a type of the kind `guard` or `handle`".to_owned());
    }
    let types = [
        ("deref", &entry.deref),
        ("alias", &entry.alias),
        ("item", &entry.item),
        ("enter", &entry.enter),
        ("awaits", &entry.awaits),
    ];
    errors.extend(
        types
            .into_iter()
            .filter_map(|(key, text)| check_type(key, text.as_deref()?)),
    );
    errors.extend(
        entry
            .fields
            .values()
            .filter_map(|text| check_type("fields", text)),
    );
    errors.extend(
        entry
            .extends
            .iter()
            .filter_map(|text| check_type("extends", text)),
    );
    errors
}

fn check_trait(entry: &TraitTable, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&entry.path, &entry.also, separator, false);
    errors.extend(
        entry
            .supertraits
            .iter()
            .filter_map(|path| check_path(path, separator, false)),
    );
    errors.extend(entry.on.iter().filter_map(|text| check_type("on", text)));
    errors.extend(
        entry
            .through
            .iter()
            .filter_map(|text| check_type("through", text)),
    );
    errors
}

/// Finds paths that two entries claim, or one entry twice.
fn twice<'a>(
    table: &str,
    entries: impl Iterator<Item = (&'a String, &'a Vec<String>)>,
) -> Vec<String> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut errors = Vec::new();
    for (path, also) in entries {
        for name in std::iter::once(path).chain(also) {
            let Some(owner) = owners.insert(name, path) else {
                continue;
            };
            if owner == path {
                errors.push(format!("`{path}`: `{name}` is there twice"));
            } else {
                errors.push(format!(
                    "`{path}`: `{name}` is already a path of the [[{table}]] `{owner}`"
                ));
            }
        }
    }
    errors
}

fn check_paths(path: &str, also: &[String], separator: &str, wildcards: bool) -> Vec<String> {
    let paths = std::iter::once(path).chain(also.iter().map(String::as_str));
    paths
        .filter_map(|path| check_path(path, separator, wildcards))
        .collect()
}

fn check_path(path: &str, separator: &str, wildcards: bool) -> Option<String> {
    if path.trim().is_empty() {
        return Some("a path is empty".to_owned());
    }
    let parts: Vec<&str> = path.split(separator).collect();
    let names = match parts.split_last() {
        Some((&"*", rest)) if wildcards && !rest.is_empty() => rest,
        _ => &parts,
    };
    let is_name =
        |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let valid = names.iter().all(is_name);
    (!valid).then(|| {
        let hint = match (names.contains(&"*"), wildcards) {
            (false, _) => "",
            (true, true) => ": a `*` may stand only at its end, after at least one name",
            (true, false) => ": a `*` may stand only in the path of a callable",
        };
        format!("`{path}` is not a path of names with `{separator}` between them{hint}")
    })
}

/// A callable of one name would never be found: look-ups are by the path from the crate or module on.
fn check_bare(path: &str, separator: &str) -> Option<String> {
    let bare = !path.trim().is_empty() && !path.contains(separator);
    bare.then(|| {
        "needs its whole path, from the crate or module on (Python builtins are `builtins.open`)"
            .to_owned()
    })
}

/// Checks that brackets pair up; what the names mean, the languages know.
fn check_type(key: &str, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(format!("`{key}` is empty"));
    }
    let mut open = Vec::new();
    for letter in text.replace("->", "").chars() {
        match letter {
            '<' => open.push('>'),
            '(' => open.push(')'),
            '[' => open.push(']'),
            '>' | ')' | ']' if open.pop() != Some(letter) => {
                return Some(format!("`{key}`: the brackets of `{text}` do not pair up"));
            }
            _ => {}
        }
    }
    (!open.is_empty()).then(|| format!("`{key}`: the brackets of `{text}` do not pair up"))
}

fn check_word(key: &str, value: Option<&str>, known: &[&str]) -> Option<String> {
    let value = value.filter(|value| !known.contains(value))?;
    Some(format!(
        "`{key}` is `{value}`, which is none of {}",
        known.join(", ")
    ))
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}
