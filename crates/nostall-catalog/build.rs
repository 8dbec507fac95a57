//! Compiles the data into static tables, so that nothing is parsed when nostall runs.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;

#[path = "src/check.rs"]
#[allow(dead_code, missing_docs, unreachable_pub)]
mod check;
#[path = "src/schema.rs"]
#[allow(dead_code, missing_docs, unreachable_pub)]
mod schema;

use schema::{ApiTable, ArgumentTable, Tables, TestTable, TraitTable, TypeTable, WhenTable};

fn main() {
    for source in [
        "build.rs",
        "data/rust",
        "data/python",
        "src/check.rs",
        "src/schema.rs",
    ] {
        println!("cargo::rerun-if-changed={source}");
    }
    let mut errors = Vec::new();
    let (mut apis, mut types, mut traits) = (Vec::new(), Vec::new(), Vec::new());
    for (folder, language, separator) in [("rust", "Rust", "::"), ("python", "Python", ".")] {
        for file in data_files(folder) {
            println!("cargo::rerun-if-changed={}", file.display());
            let Some(tables) = read(&file, separator, &mut errors) else {
                continue;
            };
            apis.extend(
                tables
                    .api
                    .iter()
                    .map(|api| api_tokens(language, &tables.library, api)),
            );
            types.extend(
                tables
                    .types
                    .iter()
                    .map(|entry| type_tokens(language, entry)),
            );
            traits.extend(
                tables
                    .traits
                    .iter()
                    .map(|entry| trait_tokens(language, entry)),
            );
        }
    }
    // All of them at once, as errors of the build: one line each, which cargo prints without a backtrace.
    if !errors.is_empty() {
        errors
            .iter()
            .for_each(|error| println!("cargo::error={error}"));
        return;
    }
    let tokens = quote! {
        pub(crate) static APIS: &[Api] = &[#(#apis),*];
        pub(crate) static TYPES: &[TypeEntry] = &[#(#types),*];
        pub(crate) static TRAITS: &[TraitEntry] = &[#(#traits),*];
    };
    let out =
        PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("tables.rs");
    std::fs::write(out, tokens.to_string()).expect("OUT_DIR can be written");
}

fn data_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("data").join(folder);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    files
}

/// Reads and checks one file. Where it has errors, what is returned is not to be used.
fn read(file: &Path, separator: &str, errors: &mut Vec<String>) -> Option<Tables> {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    match schema::parse(&text) {
        Ok(mut tables) => {
            let mut found = check::complete(&mut tables, separator);
            found.extend(check::check_own(&tables));
            let valid = found.is_empty();
            errors.extend(
                found
                    .into_iter()
                    .map(|error| format!("{}: {error}", file.display())),
            );
            valid.then_some(tables)
        }
        Err(error) => {
            errors.push(format!("{}:{error}", file.display()));
            None
        }
    }
}

fn api_tokens(language: &str, library: &str, api: &ApiTable) -> TokenStream {
    let unit = unit(language == "Python", api.unit.as_deref());
    let language = ident(language);
    let (path, also, library) = (text(&api.path), texts(&api.also), text(library));
    let effect = word(api.effect.as_deref().unwrap_or("blocks"));
    let category = optional(api.category.as_deref(), category);
    let waits = optional(api.waits.as_deref(), waits);
    let (why, source) = (
        text(api.why.as_deref().unwrap_or("")),
        text(api.source.as_deref().unwrap_or("")),
    );
    let instead = api.instead.iter().map(|(key, value)| {
        let (key, value) = (text(key), text(value));
        quote!((#key, #value))
    });
    let returns = optional(api.returns.as_deref(), text);
    let proves = optional(api.proves.as_deref(), text);
    let (callable, gives) = (optional(api.callable.as_ref(), argument), texts(&api.gives));
    let event_loop = optional(api.event_loop.as_deref(), |word_| {
        let word_ = word(word_);
        quote!(EventLoop::#word_)
    });
    let times = optional(api.times.as_deref(), |times| {
        let times = word(times);
        quote!(Times::#times)
    });
    let route = optional(api.route.as_ref(), |route| {
        let method = optional(route.method.as_deref(), text);
        let path = optional(route.path.as_ref(), argument);
        quote!(Route { method: #method, path: #path })
    });
    let (concurrent, every, registers) = (api.concurrent, api.every, api.registers);
    let (iterates, settled) = (api.iterates, api.settled);
    let duration = optional(api.duration.as_ref(), argument);
    let panics = api.panics;
    let carrier = optional(api.carrier.as_ref(), |carrier| {
        let (argument, trait_) = (argument(&carrier.argument), text(&carrier.trait_));
        quote!(Carrier { argument: #argument, trait_path: #trait_ })
    });
    let when = api.when.iter().map(when_tokens);
    let except = texts(&api.except);
    quote! {
        Api {
            language: nostall_model::Language::#language, library: #library, path: #path, also: #also,
            effect: Effect::#effect, category: #category, waits: #waits, why: #why,
            instead: std::borrow::Cow::Borrowed(&[#(#instead),*]), returns: #returns, callable: #callable, gives: #gives,
            every: #every, iterates: #iterates, settled: #settled, event_loop: #event_loop, times: #times, route: #route, concurrent: #concurrent,
            duration: #duration, duration_unit: DurationUnit::#unit, panics: #panics, carrier: #carrier, proves: #proves, registers: #registers,
            when: std::borrow::Cow::Borrowed(&[#(#when),*]), except: #except, source: #source, origin: Origin::BuiltIn,
        }
    }
}

/// Python's sleeps are in seconds unless the entry says otherwise, Rust's are durations.
fn unit(python: bool, unit: Option<&str>) -> proc_macro2::Ident {
    ident(match (unit, python) {
        (Some("s"), _) | (None, true) => "Seconds",
        (Some("ms"), _) => "Milliseconds",
        (Some("us"), _) => "Microseconds",
        (Some("ns"), _) => "Nanoseconds",
        (Some("min"), _) => "Minutes",
        _ => "Duration",
    })
}

fn when_tokens(when: &WhenTable) -> TokenStream {
    let argument = argument(&when.argument);
    let test = match when.test() {
        TestTable::Given(given) => quote!(Test::Given(#given)),
        TestTable::Type(types) => {
            let types = texts(types);
            quote!(Test::Type(#types))
        }
        TestTable::None => quote!(Test::Is(Literal::None)),
        TestTable::Is(value) => {
            let literal = literal(value);
            quote!(Test::Is(#literal))
        }
    };
    let effect = optional(when.effect.as_deref(), |effect| {
        let effect = word(effect);
        quote!(Effect::#effect)
    });
    let waits = optional(when.waits.as_deref(), waits);
    let reason = optional(when.reason.as_deref(), text);
    let (raise, returns) = (when.raise, optional(when.returns.as_deref(), text));
    quote! {
        When {
            argument: #argument, test: #test, effect: #effect, waits: #waits, reason: #reason, raise: #raise, returns: #returns,
        }
    }
}

fn literal(value: &toml::Value) -> TokenStream {
    match value {
        toml::Value::Boolean(value) => quote!(Literal::Bool(#value)),
        toml::Value::Integer(value) => quote!(Literal::Int(#value)),
        toml::Value::Float(value) => quote!(Literal::Float(#value)),
        other => {
            let value = text(other.as_str().unwrap_or_default());
            quote!(Literal::Str(#value))
        }
    }
}

fn type_tokens(language: &str, entry: &TypeTable) -> TokenStream {
    let language = ident(language);
    let (path, also, params) = (text(&entry.path), texts(&entry.also), texts(&entry.params));
    let kind = word(entry.kind.as_deref().unwrap_or("plain"));
    let (deref, alias) = (
        optional(entry.deref.as_deref(), text),
        optional(entry.alias.as_deref(), text),
    );
    let (item, extends) = (optional(entry.item.as_deref(), text), texts(&entry.extends));
    let (enter, awaits) = (
        optional(entry.enter.as_deref(), text),
        optional(entry.awaits.as_deref(), text),
    );
    let fields = entry.fields.iter().map(|(name, type_)| {
        let (name, type_) = (text(name), text(type_));
        quote!((#name, #type_))
    });
    let on_loop = texts(&entry.on_loop);
    let protocol = entry.protocol;
    let guards = optional(entry.guards.as_deref(), |guards| {
        let guards = word(guards);
        quote!(Guards::#guards)
    });
    quote! {
        TypeEntry {
            language: nostall_model::Language::#language, path: #path, also: #also, kind: TypeKind::#kind, params: #params,
            deref: #deref, alias: #alias, item: #item, extends: #extends, enter: #enter, awaits: #awaits,
            fields: std::borrow::Cow::Borrowed(&[#(#fields),*]), guards: #guards,
            on_loop: #on_loop,
            protocol: #protocol,
        }
    }
}

fn trait_tokens(language: &str, entry: &TraitTable) -> TokenStream {
    let language = ident(language);
    let (path, also) = (text(&entry.path), texts(&entry.also));
    let (on, through) = (texts(&entry.on), texts(&entry.through));
    let (supertraits, assume) = (texts(&entry.supertraits), entry.assume);
    quote! {
        TraitEntry {
            language: nostall_model::Language::#language, path: #path, also: #also, on: #on, through: #through,
            supertraits: #supertraits, assume: #assume,
        }
    }
}

fn argument(argument: &ArgumentTable) -> TokenStream {
    let (index, keyword) = argument.parts();
    let (index, keyword) = (
        optional(index, |index| quote!(#index)),
        optional(keyword, text),
    );
    quote!(Argument { index: #index, keyword: #keyword })
}

fn category(category: &str) -> TokenStream {
    let category = word(category);
    quote!(nostall_model::Category::#category)
}

fn waits(waits: &str) -> TokenStream {
    let waits = word(waits);
    quote!(nostall_model::Waits::#waits)
}

fn text(text: &str) -> TokenStream {
    quote!(std::borrow::Cow::Borrowed(#text))
}

fn texts(list: &[String]) -> TokenStream {
    let list = list.iter().map(|item| text(item));
    quote!(std::borrow::Cow::Borrowed(&[#(#list),*]))
}

fn optional<T>(value: Option<T>, tokens: impl FnOnce(T) -> TokenStream) -> TokenStream {
    match value {
        Some(value) => {
            let value = tokens(value);
            quote!(Some(#value))
        }
        None => quote!(None),
    }
}

/// Returns the variant that a word of the data stands for: `blocks` is `Blocks`, `task-lock` is `TaskLock`.
fn word(word: &str) -> proc_macro2::Ident {
    let parts = word.split('-').map(|part| {
        let mut letters = part.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    });
    ident(&parts.collect::<String>())
}

fn ident(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, proc_macro2::Span::call_site())
}
