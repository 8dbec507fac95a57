//! Database, cache, HTTP and file I/O for tokio that can't block the runtime.
//!
//! [`IoSystem`] holds one pool or client per backend; each backend is a feature of the crate. Every operation runs under a
//! [`Policy`]: a bulkhead that bounds how many run at once, a time-out per try, retries with exponential back-off for errors
//! that another try may mend, and a deadline over all of it. It ends in success or in an [`Error`] that says which operation
//! failed, after how many tries, how long it took and why; and it is counted in [`Stats`].
//!
//! The same policy, counting and concurrency serve operations of one's own: [`Policy::run`], [`IoSystem::observe`],
//! [`IoSystem::offload`], [`gather()`](gather()).

#[cfg(feature = "cache")]
pub mod cache;
#[cfg(feature = "database")]
pub mod db;
mod error;
#[cfg(feature = "files")]
pub mod files;
mod gate;
pub mod gather;
#[cfg(feature = "http")]
pub mod http;
mod policy;
mod sharded;
pub mod stats;
mod system;

#[cfg(feature = "cache")]
pub use cache::Cache;
#[cfg(feature = "database")]
pub use db::Database;
pub use error::{Cause, Error, Name, Result};
#[cfg(feature = "files")]
pub use files::Files;
pub use gather::{batch, for_each_concurrent, gather};
#[cfg(feature = "http")]
pub use http::Http;
pub use policy::{Policy, PolicyOptions, Retry};
pub use stats::{Kind, Snapshot, Stats};
pub use system::{IoSystem, IoSystemBuilder, Shutdown};

/// The README's example is compiled with the tests.
#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../README.md")]
struct Readme;
