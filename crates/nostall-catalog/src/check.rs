//! What makes tables valid. Every message is about one entry and names it.

use std::collections::{BTreeMap, BTreeSet};

use nostall_model::Language;
use nostall_model::layout::Version;

use crate::entry::{
    Api, Argument, Effect, FeatureEntry, Route, RuntimeEntry, TraitEntry, TypeEntry, TypeKind,
    When, separator,
};
use crate::form::Tables;

/// The longest text of a type: those who read types recurse.
const LONGEST_TYPE: usize = 1000;

/// Puts the file's defaults into its entries and checks them all. Returns what is wrong, an entry's fault a line.
pub(crate) fn complete(tables: &mut Tables, language: Language) -> Vec<String> {
    let separator = separator(language);
    for api in &mut tables.api {
        if api.may_block() {
            api.category = api.category.or(tables.category);
            api.waits = api.waits.or(tables.waits);
        }
        if api.source.is_empty() {
            api.source.clone_from(&tables.source);
        }
    }
    let mut errors = Vec::new();
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
    for (number, entry) in tables.runtimes.iter().enumerate() {
        label(
            &mut errors,
            "runtime",
            number,
            &entry.key,
            check_runtime(entry),
        );
    }
    for (number, entry) in tables.features.iter().enumerate() {
        label(
            &mut errors,
            "feature",
            number,
            &entry.path,
            check_feature(entry, separator),
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
    errors.extend(endless(tables, language));
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
        if api.may_block() && is_blank(&api.source) {
            own.push("a blocking call needs a `source`, its own or the file's".to_owned());
        }
        if api.language.is_some() {
            own.push("`language` is for entries of a config: here the folder gives it".to_owned());
        }
        label(&mut errors, "api", number, &api.path, own);
    }
    errors
}

/// Says which entry errors are about: by its path, or by its number where it has none.
fn label(errors: &mut Vec<String>, table: &str, number: usize, path: &str, own: Vec<String>) {
    let name = match path.trim() {
        "" => format!("[[{table}]] number {}", number + 1),
        path => format!("`{path}`"),
    };
    errors.extend(own.into_iter().map(|error| format!("{name}: {error}")));
}

fn check_api(api: &Api, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&api.path, &api.also, separator, true);
    errors.extend(check_bare(&api.path, separator));
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
    let ends = api.ends.iter();
    errors.extend(ends.filter_map(|path| check_path(path, separator, true)));
    let route_path = api.route.as_ref().and_then(|route| route.path.clone());
    let listens = api.listens.as_ref().map(|it| it.argument.clone());
    let arguments = [
        ("listens.argument", &listens),
        ("callable", &api.callable),
        ("duration", &api.duration),
        ("provides", &api.provides),
        ("route.path", &route_path),
    ];
    errors.extend(
        arguments
            .into_iter()
            .filter_map(|(key, argument)| check_argument(key, argument.as_ref()?)),
    );
    errors.extend(api.when.iter().flat_map(check_when));
    if api.asks && is_blank(&api.why) {
        errors.push("`asks` needs `why`: what a loop waits for that only asks".to_owned());
    }
    errors
}

fn missing_of_blocking(api: &Api) -> Vec<String> {
    let needed = [
        ("category", api.category.is_some()),
        ("waits", api.waits.is_some()),
        ("why", !is_blank(&api.why)),
    ];
    let missing = needed
        .into_iter()
        .filter(|(_, is_there)| api.may_block() && !is_there);
    missing
        .map(|(key, _)| format!("a blocking call needs `{key}`"))
        .collect()
}

fn check_callable(api: &Api) -> Option<String> {
    let takes = match api.effect {
        Effect::Offloads => Some("offloads"),
        Effect::Schedules => Some("schedules"),
        Effect::Runs => Some("runs"),
        Effect::Blocks | Effect::Constructs | Effect::None => None,
    };
    if let Some(effect) = takes.filter(|_| api.callable.is_none() && !api.registers) {
        return Some(format!(
            "`effect = \"{effect}\"` needs `callable`: which argument is run"
        ));
    }
    (api.callable.is_none() && !api.registers && !api.gives.is_empty())
        .then(|| "`gives` needs a `callable`, or `registers`".to_owned())
}

/// Checks the keys that mean something only beside others.
fn check_rest(api: &Api, separator: &str) -> Vec<String> {
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
        |route: &Route| route.method.as_deref().is_none_or(is_blank) && route.path.is_none();
    if api.route.as_ref().is_some_and(blank_route) {
        errors.push("`route` needs a `method`, a `path` or both".to_owned());
    }
    if api.panics && !api.may_block() {
        errors.push("`panics` is for a blocking call".to_owned());
    }
    if api.lazy && !api.may_block() && api.effect != Effect::Runs {
        errors.push("`lazy` is for a blocking call, or one that runs a callable".to_owned());
    }
    if let Some(carrier) = &api.carrier {
        errors.extend(check_argument("carrier.argument", &carrier.argument));
        match carrier.trait_path.as_str() {
            "" => errors.push("`carrier` needs a `trait`".to_owned()),
            path => errors.extend(check_path(path, separator, false)),
        }
        if !api.may_block() {
            errors.push("`carrier` is for a blocking call".to_owned());
        }
    }
    let blank = api
        .instead
        .iter()
        .filter(|(key, value)| is_blank(key) || is_blank(value));
    errors.extend(blank.map(|(key, _)| format!("`instead.{key}` is empty")));
    errors
}

fn check_argument(key: &str, argument: &Argument) -> Option<String> {
    (argument.index.is_none() && argument.keyword.is_none())
        .then(|| format!("`{key}` needs an `index`, a `keyword` or both"))
}

fn check_when(when: &When) -> Vec<String> {
    let mut errors = Vec::new();
    errors.extend(check_argument("when.argument", &when.argument));
    let tests = [
        when.is.is_some(),
        when.none.is_some(),
        when.given.is_some(),
        !when.types.is_empty(),
        when.numeric,
        when.below.is_some(),
        !when.begins.is_empty(),
    ];
    if tests.into_iter().filter(|test| *test).count() != 1 {
        errors.push(
            "`when` needs one of `is`, `none`, `given`, `type`, `numeric`, `below` and `begins`"
                .to_owned(),
        );
    }
    if when.none == Some(false) {
        errors.push("`when.none` can only be `true`".to_owned());
    }
    if when.raise && when.reason.as_deref().is_none_or(is_blank) {
        errors.push("`when.raise` needs a `reason`: what the report says".to_owned());
    }
    if when.returns.is_some() && when.types.is_empty() && when.begins.is_empty() {
        errors.push("`when.returns` is for `type` and `begins`".to_owned());
    }
    if when.proves.is_some() && when.is.is_none() {
        errors.push("`when.proves` is for a literal: it needs `is`".to_owned());
    }
    if when.effect.is_none()
        && when.waits.is_none()
        && when.reason.is_none()
        && when.proves.is_none()
        && when.workers.is_none()
    {
        errors.push(
            "`when` changes nothing: it needs `effect`, `waits`, `reason`, `proves` or `workers`"
                .to_owned(),
        );
    }
    errors
}

fn check_runtime(entry: &RuntimeEntry) -> Vec<String> {
    let mut errors = Vec::new();
    for (key, text) in [("key", &entry.key), ("offloader", &entry.offloader)] {
        if is_blank(text) {
            errors.push(format!("needs `{key}`"));
        }
    }
    if entry.shown_by.is_empty() {
        errors.push("needs `shown_by`".to_owned());
    }
    let older = entry.older.as_ref();
    if older.is_some_and(|way| Version::parse(&way.before).is_none() || is_blank(&way.offloader)) {
        errors.push("`older` needs a version as `before`, and an `offloader`".to_owned());
    }
    let texts = [
        ("offload", Some(&entry.offload)),
        ("start", entry.start.as_ref()),
        ("older.offload", older.map(|way| &way.offload)),
    ];
    for (key, text) in texts {
        let places = |text: &str| {
            let apart = text.contains("{function}") && text.contains("{arguments}");
            text.matches("{work}").count() + usize::from(apart)
        };
        if text.is_some_and(|text| places(text) != 1) {
            errors.push(format!("`{key}` must have `{{work}}` in it once"));
        }
    }
    errors
}

fn check_feature(entry: &FeatureEntry, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&entry.path, &[], separator, false);
    if is_blank(&entry.name) {
        errors.push("needs `name`".to_owned());
    }
    errors
}

fn check_type_entry(entry: &TypeEntry, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&entry.path, &entry.also, separator, false);
    let holds = matches!(entry.kind, TypeKind::Guard | TypeKind::Handle);
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
    errors.extend(
        entry
            .brief_with
            .iter()
            .filter_map(|path| check_path(path, separator, false)),
    );
    errors
}

fn check_trait(entry: &TraitEntry, separator: &str) -> Vec<String> {
    let mut errors = check_paths(&entry.path, &entry.also, separator, false);
    errors.extend(
        entry
            .supertraits
            .iter()
            .filter_map(|path| check_path(path, separator, false)),
    );
    errors.extend(entry.on.iter().filter_map(|text| check_type("on", text)));
    let not_on = entry.not_on.iter();
    errors.extend(not_on.filter_map(|text| check_type("not_on", text)));
    if entry.category.is_some() != entry.waits.is_some() {
        errors.push("`category` and `waits` come together".to_owned());
    }
    if entry.category.is_some() && entry.on.is_empty() {
        errors.push("`category` says what the types of `on` wait for: there are none".to_owned());
    }
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

/// Finds entries whose resolution leads back to themselves: another name of itself, a class that extends itself, a pointer to
/// itself, a factory that makes what it makes. A method that gives its own class is none of these.
pub(crate) fn endless(tables: &Tables, language: Language) -> Vec<String> {
    let separator = separator(language);
    let types = || {
        let types = tables.types.iter();
        types.map(|entry| (paths(&entry.path, &entry.also), entry))
    };
    let named: BTreeSet<&str> = types().flat_map(|(paths, _)| paths).collect();
    let factories = tables.api.iter().map(|api| {
        let mut paths = paths(&api.path, &api.also);
        paths.retain(|path| !named.contains(path));
        (paths, api.returns.iter().cloned().collect())
    });
    let mut errors = leads_back("returns", factories, separator);
    let aliases = types().map(|(paths, entry)| (paths, entry.alias.iter().cloned().collect()));
    errors.extend(leads_back("alias", aliases, separator));
    let bases = types().map(|(paths, entry)| (paths, entry.extends.clone()));
    errors.extend(leads_back("extends", bases, separator));
    let pointers = types().map(|(paths, entry)| {
        let target = entry.deref.as_deref().map(outermost);
        (paths, target.into_iter().collect())
    });
    errors.extend(leads_back("deref", pointers, separator));
    let own_parts = tables.types.iter();
    let own_parts = own_parts.filter_map(|entry| own_part(entry).map(|key| (&entry.path, key)));
    errors.extend(own_parts.map(|(path, key)| format!("`{path}`: `{key}` asks for itself")));
    errors
}

fn paths<'a>(path: &'a str, also: &'a [String]) -> Vec<&'a str> {
    let also = also.iter().map(String::as_str);
    std::iter::once(path).chain(also).collect()
}

/// The key of a type whose text asks for what it is to say.
fn own_part(entry: &TypeEntry) -> Option<&'static str> {
    let asks = [
        ("deref", &entry.deref, "Self"),
        ("item", &entry.item, "Self::Item"),
        ("awaits", &entry.awaits, "Self::Output"),
    ];
    asks.into_iter().find_map(|(key, text, own)| {
        let whole = |name: &String| name == own;
        let text = text.as_deref().filter(|text| match key {
            "deref" => outermost(text) == own,
            _ => names_in(text, "::").iter().any(whole),
        });
        text.map(|_| key)
    })
}

/// The name before the arguments of a type, references taken off.
fn outermost(text: &str) -> String {
    let text = text.trim_start_matches(['&', ' ']);
    let end = text.find(['<', '[', ' ']).unwrap_or(text.len());
    text[..end].to_owned()
}

/// The names that stand in types.
fn names_in(text: &str, separator: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || separator.contains(c);
    let names = text.split(|c| !is_name(c)).filter(|name| !name.is_empty());
    let names = names.map(|name| match (separator, name.contains(separator)) {
        // Builtins of Python are written without their module.
        (".", false) => format!("builtins.{name}"),
        _ => name.to_owned(),
    });
    names.collect()
}

/// Follows one key from entry to entry, each entry once.
fn leads_back<'a>(
    key: &str,
    entries: impl Iterator<Item = (Vec<&'a str>, Vec<String>)>,
    separator: &str,
) -> Vec<String> {
    let entries: Vec<_> = entries.collect();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, (paths, _)) in entries.iter().enumerate() {
        numbers.extend(paths.iter().map(|path| (*path, number)));
    }
    let next: Vec<Vec<usize>> = entries
        .iter()
        .map(|(_, texts)| {
            let names = texts.iter().flat_map(|text| names_in(text, separator));
            names
                .filter_map(|name| numbers.get(name.as_str()).copied())
                .collect()
        })
        .collect();
    let mut done = vec![false; entries.len()];
    let circles = (0..entries.len()).filter_map(|start| find_circle(start, &next, &mut done));
    circles
        .map(|circle| {
            let paths: Vec<String> = circle
                .iter()
                .map(|number| format!("`{}`", entries[*number].0[0]))
                .collect();
            format!(
                "{}: `{key}` leads back to itself: {}",
                paths[0],
                paths.join(" to ")
            )
        })
        .collect()
}

/// The entries from one back to itself, if the way from `start` leads into a circle that was not seen before.
fn find_circle(start: usize, next: &[Vec<usize>], done: &mut [bool]) -> Option<Vec<usize>> {
    let mut way = vec![(start, 0)];
    let mut on_way = BTreeSet::from([start]);
    while let Some((entry, taken)) = way.last_mut() {
        let (entry, step) = (*entry, *taken);
        *taken += 1;
        match next[entry].get(step) {
            _ if done[entry] => {
                on_way.remove(&entry);
                way.pop();
            }
            None => done[entry] = true,
            Some(to) if on_way.contains(to) => {
                let circle = way.iter().map(|(entry, _)| *entry);
                let mut circle: Vec<usize> = circle.skip_while(|entry| entry != to).collect();
                circle.push(*to);
                way.iter().for_each(|(entry, _)| done[*entry] = true);
                return Some(circle);
            }
            Some(to) => {
                on_way.insert(*to);
                way.push((*to, 0));
            }
        }
    }
    None
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

/// Checks that brackets pair up, and that a type is no longer than people write them; what the names mean, the languages know.
fn check_type(key: &str, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(format!("`{key}` is empty"));
    }
    if text.len() > LONGEST_TYPE {
        return Some(format!("`{key}` is longer than {LONGEST_TYPE} characters"));
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

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
