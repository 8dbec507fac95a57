//! One HTTP client with limits per host.

use std::time::Duration;

use crate::error::Result;
use crate::system::Core;

/// Numbers of the HTTP client.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {}

/// An HTTP client.
#[derive(Clone, Debug)]
pub struct Http {}

/// An answer with a status outside 200 to 299, or one that breaks a limit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {}

impl AnswerError {
    pub(crate) fn is_transient(&self) -> bool {
        false
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl Http {
    pub(crate) fn connect(_base_url: &str, _options: HttpOptions, _core: &Core) -> Result<Self> {
        Ok(Self {})
    }
}

/// Whether another try may help.
pub(crate) fn is_transient(_error: &reqwest::Error) -> bool {
    false
}
