//! Where values are: one of two places with the same meaning.

use std::time::Duration;

use super::errors::UrlError;
use super::memory::Memory;
use super::options::{CacheOptions, Ttl};
use super::pipeline::{Pipeline, Reply};
#[cfg(feature = "redis")]
use super::server::Redis;
use crate::error::Cause;

pub(super) enum Store {
    Memory(Box<Memory>),
    #[cfg(feature = "redis")]
    Redis(Redis),
}

impl Store {
    pub(super) async fn open(url: &str, options: &CacheOptions) -> Result<Self, Cause> {
        let (scheme, _) = url
            .split_once(':')
            .ok_or_else(|| Cause::permanent(UrlError::NoScheme))?;
        match scheme {
            "memory" => Ok(Self::Memory(Box::new(Memory::new(options)))),
            "redis" | "rediss" | "redis+unix" | "unix" | "valkey" | "valkeys" | "valkey+unix" => {
                Self::server(url, options).await
            }
            _ => Err(Cause::permanent(UrlError::UnknownScheme(scheme.to_owned()))),
        }
    }

    #[cfg(feature = "redis")]
    async fn server(url: &str, options: &CacheOptions) -> Result<Self, Cause> {
        Ok(Self::Redis(Redis::connect(url, options).await?))
    }

    #[cfg(not(feature = "redis"))]
    #[allow(clippy::unused_async, reason = "its twin with Redis is")]
    async fn server(_: &str, _: &CacheOptions) -> Result<Self, Cause> {
        Err(Cause::permanent(UrlError::WithoutRedis))
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.get(key).await),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.get(key).await,
        }
    }

    pub(super) async fn mget<K: AsRef<str>>(
        &self,
        keys: &[K],
    ) -> Result<Vec<Option<Vec<u8>>>, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.mget(keys).await),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.mget(keys).await,
        }
    }

    pub(super) async fn ttl(&self, key: &str) -> Result<Option<Duration>, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.ttl(key).await),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.ttl(key).await,
        }
    }

    pub(super) async fn set(&self, key: &str, value: &[u8], ttl: Option<Ttl>) -> Result<(), Cause> {
        match self {
            Self::Memory(memory) => {
                memory.set(key, value, ttl).await;
                Ok(())
            }
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.set(key, value, ttl).await,
        }
    }

    pub(super) async fn del<K: AsRef<str>>(&self, keys: &[K]) -> Result<u64, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.del(keys).await),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.del(keys).await,
        }
    }

    pub(super) async fn incr(&self, key: &str, by: i64) -> Result<i64, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.incr(key, by).await?),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.incr(key, by).await,
        }
    }

    pub(super) async fn expire(&self, key: &str, ttl: Ttl) -> Result<bool, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.expire(key, ttl).await),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.expire(key, ttl).await,
        }
    }

    pub(super) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Reply>, Cause> {
        match self {
            Self::Memory(memory) => Ok(memory.pipeline(pipeline).await),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.pipeline(pipeline).await,
        }
    }
}
