//! The places where the cache can keep values: memory, and the server that `NOSTALL_TEST_REDIS` names.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "as in tests themselves"
)]

use std::hash::{BuildHasher, RandomState};

use nostall_probe::IoSystem;
use nostall_probe::cache::Cache;

pub(crate) struct Place {
    pub(crate) io: IoSystem,
    pub(crate) cache: Cache,
    prefix: String,
}

impl Place {
    async fn open(url: &str) -> Self {
        let io = IoSystem::builder().cache(url).build().await.unwrap();
        let cache = io.cache().unwrap().clone();
        let prefix = format!("cache-test-{:016x}", RandomState::new().hash_one(0));
        Self { io, cache, prefix }
    }

    /// A key that no other test and no other run has.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

/// Memory, and the server if there is one.
pub(crate) async fn places() -> Vec<Place> {
    let mut places = vec![Place::open("memory:").await];
    match std::env::var("NOSTALL_TEST_REDIS") {
        Ok(url) if cfg!(feature = "redis") => places.push(Place::open(&url).await),
        _ => println!("ran in memory only: NOSTALL_TEST_REDIS is not set"),
    }
    places
}
