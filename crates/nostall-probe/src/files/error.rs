//! What the file backend refuses or could not do. What the operating system says is [`Cause::Io`] with the path in its text.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Cause;

/// A path that leads out of the root, through a symbolic link, or to something that is no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The path has no text.
    #[error("the path is empty")]
    Empty,
    /// The path does not begin at the root.
    #[error("{path:?} is absolute; paths begin at the root folder")]
    Absolute {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path has a `..` in it, even one that would stay inside.
    #[error("{path:?} has `..` in it")]
    Parent {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path has a NUL byte in it.
    #[error("{path:?} has a NUL byte in it")]
    Nul {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path names the root folder itself where a file or folder below it is needed.
    #[error("{path:?} is the root folder itself")]
    Root {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A part of the path is a symbolic link, even one that would stay inside.
    #[error("{link:?} is a symbolic link")]
    Link {
        /// The path up to the link.
        link: PathBuf,
    },
    /// The path names a folder, pipe, socket or device where a regular file is needed.
    #[error("{path:?} is not a regular file")]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// A limit of the options that was reached, or an append that could not be undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file is longer than `max_file_size`.
    #[error("{path:?} is longer than {limit} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// The folder or tree has more than `max_entries` entries.
    #[error("{path:?} has more than {limit} entries")]
    TooManyEntries {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The tree is deeper than `max_depth` folders.
    #[error("{path:?} is more than {limit} folders deep")]
    TooDeep {
        /// The entry that is too deep.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// An append failed midway, and what it had written could not be cut off again because somebody else appended meanwhile.
    #[error("only {written} of {length} bytes were appended to {path:?}: {source}")]
    PartlyAppended {
        /// The file.
        path: PathBuf,
        /// How much is there.
        written: usize,
        /// How much was to be appended.
        length: usize,
        /// Why the rest is not.
        source: io::Error,
    },
}

/// Says at which path the operating system said no; found inside the [`io::Error`] of [`Cause::Io`], which keeps the kind.
#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {source}")]
pub struct AtPath {
    /// The path below the root.
    pub path: PathBuf,
    /// The error as the operating system gave it.
    pub source: io::Error,
}

/// Adds the path to an error of the operating system.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Cause {
    move |source| {
        let kind = source.kind();
        let path = path.to_owned();
        Cause::Io(io::Error::new(kind, AtPath { path, source }))
    }
}
