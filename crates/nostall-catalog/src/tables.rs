//! The tables that the build script makes from the data.

#![allow(forgetting_copy_types, reason = "the macro does not know which are")]
#![cfg_attr(any(clippy, doc), allow(dead_code, reason = "the tables are left out"))]

use std::borrow::Cow;
use std::mem::{forget, replace};

use nostall_model::{Category, Language, Waits};

use crate::entry::*;

#[cfg(not(any(clippy, doc)))]
include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// Lints and documentation have nothing to say of the tables, and would take minutes for it.
#[cfg(any(clippy, doc))]
mod left_out {
    use super::*;

    pub(crate) static APIS: &[Api] = &[];
    pub(crate) static TYPES: &[TypeEntry] = &[];
    pub(crate) static TRAITS: &[TraitEntry] = &[];
}
#[cfg(any(clippy, doc))]
pub(crate) use left_out::*;

/// An api of which nothing more is said.
const fn api(
    language: Language,
    library: &'static str,
    path: &'static str,
    effect: Effect,
    duration_unit: DurationUnit,
) -> Api {
    Api {
        language,
        library: Cow::Borrowed(library),
        path: Cow::Borrowed(path),
        also: Cow::Borrowed(&[]),
        effect,
        category: None,
        waits: None,
        why: Cow::Borrowed(""),
        instead: Cow::Borrowed(&[]),
        returns: None,
        callable: None,
        gives: Cow::Borrowed(&[]),
        every: false,
        iterates: false,
        settled: false,
        event_loop: None,
        times: None,
        route: None,
        concurrent: false,
        duration: None,
        duration_unit,
        panics: false,
        carrier: None,
        proves: None,
        registers: false,
        when: Cow::Borrowed(&[]),
        except: Cow::Borrowed(&[]),
        source: Cow::Borrowed(""),
        origin: Origin::BuiltIn,
    }
}

/// A type of which nothing more is said.
const fn type_entry(language: Language, path: &'static str, kind: TypeKind) -> TypeEntry {
    TypeEntry {
        language,
        path: Cow::Borrowed(path),
        also: Cow::Borrowed(&[]),
        kind,
        params: Cow::Borrowed(&[]),
        deref: None,
        alias: None,
        item: None,
        extends: Cow::Borrowed(&[]),
        enter: None,
        awaits: None,
        fields: Cow::Borrowed(&[]),
        guards: None,
        on_loop: Cow::Borrowed(&[]),
        protocol: false,
    }
}

/// A trait of which nothing more is said.
const fn trait_entry(language: Language, path: &'static str) -> TraitEntry {
    TraitEntry {
        language,
        path: Cow::Borrowed(path),
        also: Cow::Borrowed(&[]),
        on: Cow::Borrowed(&[]),
        through: Cow::Borrowed(&[]),
        assume: false,
        supertraits: Cow::Borrowed(&[]),
    }
}

/// One method per field, which sets it. What was there is forgotten, not dropped: constants can't drop.
macro_rules! setters {
    ($entry:ty: $($field:ident: $type:ty),* $(,)?) => {
        impl $entry {
            $(const fn $field(mut self, value: $type) -> Self {
                forget(replace(&mut self.$field, value));
                self
            })*
        }
    };
}

setters!(Api:
    also: List<Text>, category: Option<Category>, waits: Option<Waits>, why: Text, instead: List<(Text, Text)>,
    returns: Option<Text>, callable: Option<Argument>, gives: List<Text>, every: bool, iterates: bool, settled: bool,
    event_loop: Option<EventLoop>, times: Option<Times>, route: Option<Route>, concurrent: bool, duration: Option<Argument>,
    panics: bool, carrier: Option<Carrier>, proves: Option<Text>, registers: bool, when: List<When>, except: List<Text>,
    source: Text,
);

setters!(TypeEntry:
    also: List<Text>, params: List<Text>, deref: Option<Text>, alias: Option<Text>, item: Option<Text>, extends: List<Text>,
    enter: Option<Text>, awaits: Option<Text>, fields: List<(Text, Text)>, guards: Option<Guards>, on_loop: List<Text>,
    protocol: bool,
);

setters!(TraitEntry:
    also: List<Text>, on: List<Text>, through: List<Text>, assume: bool, supertraits: List<Text>,
);
