//! Compiles the data into static tables, so that nothing is parsed when nostall runs.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;

#[path = "src/schema.rs"]
#[allow(dead_code, missing_docs, unreachable_pub)]
mod schema;

use schema::{ApiTable, ArgumentTable, Tables, TraitTable, TypeTable, WhenTable};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=src/schema.rs");
    let mut errors = Vec::new();
    let (mut apis, mut types, mut traits) = (Vec::new(), Vec::new(), Vec::new());
    for (folder, language, separator) in [("rust", "Rust", "::"), ("python", "Python", ".")] {
        for file in data_files(folder) {
            println!("cargo::rerun-if-changed={}", file.display());
            let Some(tables) = read(&file, separator, &mut errors) else { continue };
            apis.extend(tables.api.iter().map(|api| api_tokens(language, &tables.library, api)));
            types.extend(tables.types.iter().map(|entry| type_tokens(language, entry)));
            traits.extend(tables.traits.iter().map(|entry| trait_tokens(language, entry)));
        }
    }
    assert!(errors.is_empty(), "the catalogue's data has errors:\n{}", errors.join("\n"));
    let tokens = quote! {
        pub(crate) static APIS: &[Api] = &[#(#apis),*];
        pub(crate) static TYPES: &[TypeEntry] = &[#(#types),*];
        pub(crate) static TRAITS: &[TraitEntry] = &[#(#traits),*];
    };
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("tables.rs");
    std::fs::write(out, tokens.to_string()).expect("OUT_DIR can be written");
}

fn data_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("data").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn read(file: &Path, separator: &str, errors: &mut Vec<String>) -> Option<Tables> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    match toml::from_str::<Tables>(&text) {
        Ok(mut tables) => {
            let found = schema::complete(&mut tables, separator);
            errors.extend(found.into_iter().map(|error| format!("{}: {error}", file.display())));
            Some(tables)
        }
        Err(error) => {
            errors.push(format!("{}: {error}", file.display()));
            None
        }
    }
}

fn api_tokens(language: &str, library: &str, api: &ApiTable) -> TokenStream {
    let language = ident(language);
    let (path, also, library) = (text(&api.path), texts(&api.also), text(library));
    let effect = ident(&variant(api.effect.as_deref().unwrap_or("blocks")));
    let category = optional(api.category.as_deref(), |it| { let it = ident(&variant(it)); quote!(nostall_model::Category::#it) });
    let waits = optional(api.waits.as_deref(), |it| { let it = ident(&variant(it)); quote!(nostall_model::Waits::#it) });
    let (why, source) = (text(api.why.as_deref().unwrap_or("")), text(api.source.as_deref().unwrap_or("")));
    let instead = api.instead.iter().map(|(key, value)| {
        let (key, value) = (text(key), text(value));
        quote!((#key, #value))
    });
    let returns = optional(api.returns.as_deref(), text);
    let callable = optional(api.callable.as_ref(), argument);
    let gives = texts(&api.gives);
    let duration = optional(api.duration.as_ref(), argument);
    let unit = unit(language == "Python", api.unit.as_deref());
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
            duration: #duration, duration_unit: DurationUnit::#unit, panics: #panics, carrier: #carrier,
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
    let test = match (&when.is, when.none, when.given) {
        (_, _, Some(given)) => quote!(Test::Given(#given)),
        (_, Some(_), _) => quote!(Test::Is(Literal::None)),
        (Some(value), ..) => {
            let literal = literal(value);
            quote!(Test::Is(#literal))
        }
        (None, None, None) => quote!(Test::Given(true)),
    };
    let effect = optional(when.effect.as_deref(), |it| { let it = ident(&variant(it)); quote!(Effect::#it) });
    let waits = optional(when.waits.as_deref(), |it| { let it = ident(&variant(it)); quote!(nostall_model::Waits::#it) });
    let reason = optional(when.reason.as_deref(), text);
    let raise = when.raise;
    quote!(When { argument: #argument, test: #test, effect: #effect, waits: #waits, reason: #reason, raise: #raise })
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
    let kind = ident(&variant(entry.kind.as_deref().unwrap_or("plain")));
    let (deref, alias) = (optional(entry.deref.as_deref(), text), optional(entry.alias.as_deref(), text));
    let (item, extends) = (optional(entry.item.as_deref(), text), texts(&entry.extends));
    let (enter, awaits) = (optional(entry.enter.as_deref(), text), optional(entry.awaits.as_deref(), text));
    quote! {
        TypeEntry {
            language: nostall_model::Language::#language, path: #path, also: #also, kind: TypeKind::#kind, params: #params,
            deref: #deref, alias: #alias, item: #item, extends: #extends, enter: #enter, awaits: #awaits,
        }
    }
}

fn trait_tokens(language: &str, entry: &TraitTable) -> TokenStream {
    let language = ident(language);
    let (path, also, on, through) = (text(&entry.path), texts(&entry.also), texts(&entry.on), texts(&entry.through));
    quote!(TraitEntry { language: nostall_model::Language::#language, path: #path, also: #also, on: #on, through: #through })
}

fn argument(argument: &ArgumentTable) -> TokenStream {
    let (index, keyword) = match argument {
        ArgumentTable::Index(index) => (Some(*index), None),
        ArgumentTable::Both { index, keyword } => (*index, keyword.as_deref()),
    };
    let (index, keyword) = (optional(index, |index| quote!(#index)), optional(keyword, text));
    quote!(Argument { index: #index, keyword: #keyword })
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

fn ident(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, proc_macro2::Span::call_site())
}

/// `blocks` to `Blocks`.
fn variant(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
