//! What nostall knows of libraries: which calls block, offload or schedule, and the types that they hang on.
//!
//! The knowledge is data: `data/<language>/<library>.toml`, in the form of `docs/catalogue.md`, compiled into static tables.
//! A project's own entries have the same form and go before it. Nothing here knows how a language resolves its names.

mod catalog;
mod check;
mod convert;
mod entry;
mod error;
mod paths;
#[doc(hidden)]
pub mod schema;
#[doc(hidden)]
pub mod snippets;
mod tables;
#[cfg(test)]
mod tests;
mod traits;
mod user;

pub use catalog::{Catalog, Match};
pub use entry::{
    Api, ApiId, Argument, Carrier, DurationUnit, Effect, EventLoop, Guards, List, Literal, Origin,
    Route, Test, Text, Times, TraitEntry, TraitId, TypeEntry, TypeKind, When,
};
pub use error::CatalogError;
pub use traits::{Carrying, TraitMatch};
pub use user::UserEntries;
