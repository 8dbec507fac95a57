//! Says what is in a folder or tree. Links are listed as links and never followed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_std::fs::{Dir, DirEntry, FileType, Metadata};

use super::error::{FileError, PathError, at};
use super::options::FilesOptions;
use super::path::Target;
use crate::error::Cause;

/// A file or folder, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The path below the root, as other operations take it. It need not be UTF-8.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
    /// Its length in bytes; of folders and links what the operating system says.
    pub len: u64,
    /// When its content last changed, where the operating system knows.
    pub modified: Option<SystemTime>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, which no operation follows.
    Link,
    /// A pipe, socket or device, which no operation opens.
    Other,
}

impl Entry {
    fn new(path: PathBuf, metadata: &Metadata) -> Self {
        Self {
            path,
            kind: metadata.file_type().into(),
            len: metadata.len(),
            modified: metadata
                .modified()
                .ok()
                .map(cap_std::time::SystemTime::into_std),
        }
    }
}

impl From<FileType> for EntryKind {
    fn from(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

/// Says what one path names.
pub(super) fn metadata(root: &Dir, target: &Target) -> Result<Entry, Cause> {
    let path = plain(target);
    if path.as_os_str().is_empty() {
        let metadata = root.dir_metadata().map_err(at(target.path()))?;
        return Ok(Entry::new(".".into(), &metadata));
    }
    let found = target.place(root)?.metadata()?;
    let metadata = found.ok_or_else(|| at(&path)(io::ErrorKind::NotFound.into()))?;
    Ok(Entry::new(path, &metadata))
}

/// The path without a leading `.` and doubled slashes; empty for the root.
fn plain(target: &Target) -> PathBuf {
    target.names().collect()
}

/// The entries of one folder, sorted by name.
pub(super) fn list(
    root: &Dir,
    target: &Target,
    options: &FilesOptions,
) -> Result<Vec<Entry>, Cause> {
    let mut found = Found::new(target, options);
    let folder = target.folder(root)?;
    found.add(folder.dir(), &plain(target))?;
    Ok(found.sorted())
}

/// All entries below a folder, sorted by path.
///
/// Each folder is reached from the root anew: a walk holds few of them open, however deep the tree is.
pub(super) fn walk(
    root: &Dir,
    target: &Target,
    options: &FilesOptions,
) -> Result<Vec<Entry>, Cause> {
    let mut found = Found::new(target, options);
    let start = target.folder(root)?;
    let mut folders = found.add(start.dir(), &plain(target))?;
    drop(start);
    let mut depth = 1;
    while let Some(first) = folders.first() {
        if depth >= options.max_depth {
            let path = first.clone();
            let limit = options.max_depth;
            return Err(FileError::TooDeep { path, limit }.into());
        }
        let mut below = Vec::new();
        for path in folders {
            below.extend(found.add_unless_gone(root, path)?);
        }
        folders = below;
        depth += 1;
    }
    Ok(found.sorted())
}

/// What was found up to now, and how much it may be.
struct Found<'a> {
    entries: Vec<Entry>,
    start: &'a Path,
    limit: usize,
}

impl<'a> Found<'a> {
    fn new(target: &'a Target, options: &FilesOptions) -> Self {
        Self {
            entries: Vec::new(),
            start: target.path(),
            limit: options.max_entries,
        }
    }

    /// Adds what is in a folder, and answers the folders in it.
    fn add(&mut self, dir: &Dir, path: &Path) -> Result<Vec<PathBuf>, Cause> {
        let mut folders = Vec::new();
        for entry in dir.entries().map_err(at(path))? {
            let entry = entry.map_err(at(path))?;
            let Some(entry) = look(&entry, path)? else {
                continue;
            };
            if self.entries.len() >= self.limit {
                let path = self.start.to_owned();
                let limit = self.limit;
                return Err(FileError::TooManyEntries { path, limit }.into());
            }
            if entry.kind == EntryKind::Folder {
                folders.push(entry.path.clone());
            }
            self.entries.push(entry);
        }
        Ok(folders)
    }

    /// A folder that was removed or swapped for something else after it was seen stays listed as it was seen, with nothing below it.
    fn add_unless_gone(&mut self, root: &Dir, path: PathBuf) -> Result<Vec<PathBuf>, Cause> {
        let target = Target::judge(path)?;
        let folder = match target.folder(root) {
            Err(Cause::Path(PathError::Link { .. })) => return Ok(Vec::new()),
            Err(Cause::Io(error)) if is_gone(&error) => return Ok(Vec::new()),
            folder => folder?,
        };
        self.add(folder.dir(), target.path())
    }

    fn sorted(mut self) -> Vec<Entry> {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        self.entries
    }
}

/// Looks at an entry; none if it was removed meanwhile.
fn look(entry: &DirEntry, folder: &Path) -> Result<Option<Entry>, Cause> {
    let path = folder.join(entry.file_name());
    match entry.metadata() {
        Ok(metadata) => Ok(Some(Entry::new(path, &metadata))),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(at(&path)(error)),
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}
