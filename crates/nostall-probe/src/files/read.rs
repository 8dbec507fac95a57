//! Reads whole files.

use std::io::{self, Read};

use cap_std::fs::{Dir, OpenOptions};

use super::error::{FileError, at};
use super::path::Target;
use crate::error::Cause;

/// Reads a file of at most `limit` bytes.
pub(super) fn read(root: &Dir, target: &Target, limit: u64) -> Result<Vec<u8>, Cause> {
    let place = target.place(root)?;
    let (file, metadata) = place.open(OpenOptions::new().read(true))?;
    let too_large = || FileError::TooLarge {
        path: target.path().to_owned(),
        limit,
    };
    if metadata.len() > limit {
        return Err(too_large().into());
    }
    let mut content = Vec::new();
    let expected = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let reserved = content.try_reserve_exact(expected);
    reserved.map_err(|_| at(target.path())(io::ErrorKind::OutOfMemory.into()))?;
    // It may have grown meanwhile.
    let mut bounded = file.take(limit.saturating_add(1));
    bounded
        .read_to_end(&mut content)
        .map_err(at(target.path()))?;
    if content.len() as u64 > limit {
        return Err(too_large().into());
    }
    Ok(content)
}

/// Reads a file of at most `limit` bytes as UTF-8.
pub(super) fn read_to_string(root: &Dir, target: &Target, limit: u64) -> Result<String, Cause> {
    let content = read(root, target, limit)?;
    String::from_utf8(content).map_err(|error| {
        let error = io::Error::new(io::ErrorKind::InvalidData, error.utf8_error());
        at(target.path())(error)
    })
}
