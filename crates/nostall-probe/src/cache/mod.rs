//! One cache interface: a Redis server, or the memory of the process.

use crate::error::Result;
use crate::system::Core;

/// Numbers of a cache.
#[derive(Clone, Debug, Default)]
pub struct CacheOptions {}

/// A cache.
#[derive(Clone, Debug)]
pub struct Cache {}

/// A cached value is not of the kind that the operation needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {}

impl Cache {
    pub(crate) async fn connect(_url: &str, _options: CacheOptions, _core: &Core) -> Result<Self> {
        Ok(Self {})
    }

    pub(crate) async fn close(&self) {}
}

/// Whether another try may help.
#[cfg(feature = "redis")]
pub(crate) fn is_transient(_error: &redis::RedisError) -> bool {
    false
}
