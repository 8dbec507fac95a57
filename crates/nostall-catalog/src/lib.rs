//! What nostall knows of libraries: which calls block, offload or schedule, and the types that they hang on.
//!
//! The knowledge is data: `data/<language>/<library>.toml`, in the form of `docs/catalogue.md`, compiled into static tables.
//! A project's own entries have the same form and go before it. Nothing here knows how a language resolves its names.

mod catalog;
mod entry;
#[doc(hidden)]
pub mod schema;
mod tables;
mod user;

pub use catalog::{Carrying, Catalog, Match, TraitMatch};
pub use entry::{
    Api, ApiId, Argument, Carrier, DurationUnit, Effect, List, Literal, Origin, Test, Text, TraitEntry, TraitId, TypeEntry,
    TypeKind, When,
};
pub use user::{EntryError, UserEntries};
