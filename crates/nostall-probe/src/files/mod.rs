//! Files below one folder.

use std::path::PathBuf;

use crate::error::Result;
use crate::system::Core;

/// Numbers of the file backend.
#[derive(Clone, Debug, Default)]
pub struct FilesOptions {}

/// Files below one folder.
#[derive(Clone, Debug)]
pub struct Files {}

/// A path that leads out of the root, or through a symbolic link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {}

impl Files {
    pub(crate) async fn open(_root: PathBuf, _options: FilesOptions, _core: &Core) -> Result<Self> {
        Ok(Self {})
    }
}
