//! What nostall knows of libraries: which calls block, offload or schedule, and the types that they hang on.
//!
//! The knowledge is data: `data/<language>/<library>.toml`, in the form of `docs/catalogue.md`, which the build
//! script reads, checks and stores in a compact form.
//! A project's own entries have the same form and go before it. Nothing here knows how a language resolves its names.

mod catalog;
mod check;
mod data;
mod entries;
mod entry;
mod error;
mod form;
mod paths;
#[doc(hidden)]
pub mod snippets;
#[cfg(test)]
mod tests;
mod traits;

pub use catalog::{Catalog, Match};
pub use entries::UserEntries;
pub use entry::question::Test;
pub use entry::{
    Api, Argument, Around, Carrier, Clones, ContextUse, DurationUnit, Effect, EventLoop,
    FeatureEntry, Keeps, Listens, Literal, OlderWay, Origin, Proof, Route, RuntimeEntry, Thread,
    Times, TraitEntry, TraitId, TypeEntry, TypeKind, Wait, When,
};
pub use error::CatalogError;
pub use form::{FormError, Tables, parse};
pub use nostall_model::finding::{ApiId, Guards};
pub use traits::{Carrying, TraitMatch};
