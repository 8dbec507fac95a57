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
    let tables = [
        table("APIS", "Api", &apis),
        table("TYPES", "TypeEntry", &types),
        table("TRAITS", "TraitEntry", &traits),
    ];
    let tokens = TokenStream::from_iter(tables);
    let out =
        PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("tables.rs");
    std::fs::write(out, tokens.to_string()).expect("OUT_DIR can be written");
}

/// One static of all entries. Each is a constant of its own, made of what it says alone: the compiler takes many small ones in a
/// fraction of the time of a huge one.
fn table(name: &str, of: &str, entries: &[TokenStream]) -> TokenStream {
    let names: Vec<_> = (0..entries.len())
        .map(|number| ident(&format!("{name}_{number}")))
        .collect();
    let (name, of) = (ident(name), ident(of));
    quote! {
        #(const #names: #of = #entries;)*
        pub(crate) static #name: &[#of] = &[#(#names),*];
    }
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
    let effect = word(api.effect.as_deref().unwrap_or("blocks"));
    let path = &api.path;
    let instead = api.instead.iter().map(|(key, value)| {
        let (key, value) = (text(key), text(value));
        quote!((#key, #value))
    });
    let parts = [
        set_texts("also", &api.also),
        set_optional("category", api.category.as_deref(), category),
        set_optional("waits", api.waits.as_deref(), waits),
        set("why", api.why.as_deref().map(text)),
        set_list("instead", instead),
        set_optional("returns", api.returns.as_deref(), text),
        set_optional("callable", api.callable.as_ref(), argument),
        set_texts("gives", &api.gives),
        set_flag("every", api.every),
        set_flag("iterates", api.iterates),
        set_flag("settled", api.settled),
        set_optional("event_loop", api.event_loop.as_deref(), |event_loop| {
            let event_loop = word(event_loop);
            quote!(EventLoop::#event_loop)
        }),
        set_optional("times", api.times.as_deref(), |times| {
            let times = word(times);
            quote!(Times::#times)
        }),
        set_optional("route", api.route.as_ref(), |route| {
            let method = optional(route.method.as_deref(), text);
            let path = optional(route.path.as_ref(), argument);
            quote!(Route { method: #method, path: #path })
        }),
        set_flag("concurrent", api.concurrent),
        set_optional("duration", api.duration.as_ref(), argument),
        set_flag("panics", api.panics),
        set_optional("carrier", api.carrier.as_ref(), |carrier| {
            let (argument, trait_) = (argument(&carrier.argument), text(&carrier.trait_));
            quote!(Carrier { argument: #argument, trait_path: #trait_ })
        }),
        set_optional("proves", api.proves.as_deref(), text),
        set_flag("registers", api.registers),
        set_list("when", api.when.iter().map(when_tokens)),
        set_texts("except", &api.except),
        set("source", api.source.as_deref().map(text)),
    ];
    quote! {
        api(Language::#language, #library, #path, Effect::#effect, DurationUnit::#unit) #(#parts)*
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
    let path = &entry.path;
    let kind = word(entry.kind.as_deref().unwrap_or("plain"));
    let fields = entry.fields.iter().map(|(name, type_)| {
        let (name, type_) = (text(name), text(type_));
        quote!((#name, #type_))
    });
    let parts = [
        set_texts("also", &entry.also),
        set_texts("params", &entry.params),
        set_optional("deref", entry.deref.as_deref(), text),
        set_optional("alias", entry.alias.as_deref(), text),
        set_optional("item", entry.item.as_deref(), text),
        set_texts("extends", &entry.extends),
        set_optional("enter", entry.enter.as_deref(), text),
        set_optional("awaits", entry.awaits.as_deref(), text),
        set_list("fields", fields),
        set_optional("guards", entry.guards.as_deref(), |guards| {
            let guards = word(guards);
            quote!(Guards::#guards)
        }),
        set_texts("on_loop", &entry.on_loop),
        set_flag("protocol", entry.protocol),
    ];
    quote!(type_entry(Language::#language, #path, TypeKind::#kind) #(#parts)*)
}

fn trait_tokens(language: &str, entry: &TraitTable) -> TokenStream {
    let language = ident(language);
    let path = &entry.path;
    let parts = [
        set_texts("also", &entry.also),
        set_texts("on", &entry.on),
        set_texts("through", &entry.through),
        set_flag("assume", entry.assume),
        set_texts("supertraits", &entry.supertraits),
    ];
    quote!(trait_entry(Language::#language, #path) #(#parts)*)
}

/// Sets a field that the entry says something of.
fn set(field: &str, value: Option<TokenStream>) -> TokenStream {
    let field = ident(field);
    value.map_or_else(TokenStream::new, |value| quote!(.#field(#value)))
}

fn set_optional<T>(
    field: &str,
    value: Option<T>,
    tokens: impl FnOnce(T) -> TokenStream,
) -> TokenStream {
    set(
        field,
        value.map(|value| {
            let value = tokens(value);
            quote!(Some(#value))
        }),
    )
}

fn set_flag(field: &str, value: bool) -> TokenStream {
    set(field, value.then(|| quote!(true)))
}

fn set_texts(field: &str, list: &[String]) -> TokenStream {
    set_list(field, list.iter().map(|item| text(item)))
}

fn set_list(field: &str, items: impl ExactSizeIterator<Item = TokenStream>) -> TokenStream {
    let list = (items.len() > 0).then(|| quote!(Cow::Borrowed(&[#(#items),*])));
    set(field, list)
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
    quote!(Category::#category)
}

fn waits(waits: &str) -> TokenStream {
    let waits = word(waits);
    quote!(Waits::#waits)
}

fn text(text: &str) -> TokenStream {
    quote!(Cow::Borrowed(#text))
}

fn texts(list: &[String]) -> TokenStream {
    let list = list.iter().map(|item| text(item));
    quote!(Cow::Borrowed(&[#(#list),*]))
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
