//! Judges paths, and goes from the root to the place that a path names without ever following a symbolic link.
//!
//! Each folder on the way is opened by its plain name from the one before, with the flag that refuses links. There is no moment
//! between a check and its use in which a folder could be swapped for a link.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use super::error::{PathError, at};
use crate::error::Cause;

/// A path of plain names below the root; none for the root itself.
#[derive(Debug)]
pub(super) struct Target(PathBuf);

impl Target {
    /// Judges a path by its text alone.
    pub(super) fn judge(path: PathBuf) -> Result<Self, PathError> {
        if path.as_os_str().is_empty() {
            return Err(PathError::Empty);
        }
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(PathError::Nul { path });
        }
        for part in path.components() {
            match part {
                Component::Normal(_) | Component::CurDir => {}
                Component::ParentDir => return Err(PathError::Parent { path }),
                Component::RootDir | Component::Prefix(_) => {
                    return Err(PathError::Absolute { path });
                }
            }
        }
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The names on the way; a leading `.` says nothing.
    pub(super) fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.0.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
    }

    /// Goes to the folder that has the entry.
    pub(super) fn place<'a>(&'a self, root: &'a Dir) -> Result<Place<'a>, Cause> {
        self.place_by(root, enter)
    }

    /// Goes to the folder that has the entry; `step` opens each folder on the way.
    pub(super) fn place_by<'a>(&'a self, root: &'a Dir, step: Step) -> Result<Place<'a>, Cause> {
        let mut names = self.names();
        let Some(mut name) = names.next() else {
            let path = self.0.clone();
            return Err(PathError::Root { path }.into());
        };
        let mut way = Way::from(root);
        for next in names {
            way.go(name, step)?;
            name = next;
        }
        Ok(Place {
            way,
            name,
            path: self.path(),
        })
    }

    /// Goes to the folder that the path names, the root included.
    pub(super) fn folder<'a>(&self, root: &'a Dir) -> Result<Way<'a>, Cause> {
        self.folder_by(root, enter)
    }

    /// Goes to the folder that the path names; `step` opens each folder on the way.
    pub(super) fn folder_by<'a>(&self, root: &'a Dir, step: Step) -> Result<Way<'a>, Cause> {
        let mut way = Way::from(root);
        for name in self.names() {
            way.go(name, step)?;
        }
        Ok(way)
    }
}

/// How a folder on the way is opened: from the folder before, by its name; the path up to it is for errors.
pub(super) type Step = fn(&Dir, &OsStr, &Path) -> Result<Dir, Cause>;

/// A folder that was reached from the root.
pub(super) struct Way<'a> {
    root: &'a Dir,
    opened: Option<Dir>,
    passed: PathBuf,
}

impl<'a> Way<'a> {
    fn from(root: &'a Dir) -> Self {
        Self {
            root,
            opened: None,
            passed: PathBuf::new(),
        }
    }

    fn go(&mut self, name: &OsStr, step: Step) -> Result<(), Cause> {
        self.passed.push(name);
        self.opened = Some(step(self.dir(), name, &self.passed)?);
        Ok(())
    }

    pub(super) fn dir(&self) -> &Dir {
        self.opened.as_ref().unwrap_or(self.root)
    }
}

/// Opens a folder that must exist.
pub(super) fn enter(dir: &Dir, name: &OsStr, path: &Path) -> Result<Dir, Cause> {
    dir.open_dir_nofollow(name)
        .map_err(|error| explain(dir, name, path, error))
}

/// Opens a folder, or makes it.
pub(super) fn make(dir: &Dir, name: &OsStr, path: &Path) -> Result<Dir, Cause> {
    make_by(dir, name, path, false)
}

/// Opens a folder, or makes it for good.
pub(super) fn make_durable(dir: &Dir, name: &OsStr, path: &Path) -> Result<Dir, Cause> {
    make_by(dir, name, path, true)
}

fn make_by(dir: &Dir, name: &OsStr, path: &Path, durable: bool) -> Result<Dir, Cause> {
    match dir.open_dir_nofollow(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map_err(|error| explain(dir, name, path, error)),
    }
    match dir.create_dir(name) {
        // Somebody else may make it at the same moment.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(path)(error)),
        _ if durable => sync_folder(dir).map_err(at(path))?,
        _ => {}
    }
    enter(dir, name, path)
}

/// The place of an entry: the folder that has it, and its name there.
pub(super) struct Place<'a> {
    way: Way<'a>,
    pub(super) name: &'a OsStr,
    pub(super) path: &'a Path,
}

impl Place<'_> {
    pub(super) fn dir(&self) -> &Dir {
        self.way.dir()
    }

    /// Says what the entry is, if there is one.
    pub(super) fn metadata(&self) -> Result<Option<Metadata>, Cause> {
        match self.dir().symlink_metadata(self.name) {
            Ok(metadata) if metadata.is_symlink() => Err(self.link().into()),
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(self.path)(error)),
        }
    }

    /// Opens the entry if it is a regular file: no link is followed, and no pipe or device is waited for.
    pub(super) fn open(&self, options: &mut OpenOptions) -> Result<(File, Metadata), Cause> {
        options.follow(FollowSymlinks::No).nonblock(true);
        let opened = self.dir().open_with(self.name, options);
        let file = opened.map_err(|error| self.explain(error))?;
        let metadata = file.metadata().map_err(at(self.path))?;
        self.regular(&metadata)?;
        Ok((file, metadata))
    }

    /// Refuses what is not a regular file.
    pub(super) fn regular(&self, metadata: &Metadata) -> Result<(), PathError> {
        if metadata.is_file() {
            return Ok(());
        }
        let path = self.path.to_owned();
        Err(PathError::NotAFile { path })
    }

    /// Says more about an open that failed, as far as it is about what the entry is.
    fn explain(&self, error: io::Error) -> Cause {
        match self.metadata() {
            Ok(Some(metadata)) => match self.regular(&metadata) {
                Err(refused) => refused.into(),
                Ok(()) => at(self.path)(error),
            },
            Ok(None) => at(self.path)(error),
            Err(cause) => cause,
        }
    }

    fn link(&self) -> PathError {
        let link = self.path.to_owned();
        PathError::Link { link }
    }
}

/// Says whether a folder could not be opened because it is a link.
fn explain(dir: &Dir, name: &OsStr, path: &Path, error: io::Error) -> Cause {
    match dir.symlink_metadata(name) {
        Ok(metadata) if metadata.is_symlink() => {
            let link = path.to_owned();
            PathError::Link { link }.into()
        }
        _ => at(path)(error),
    }
}

/// Makes sure that names added to or removed from a folder are on the disk.
#[cfg(unix)]
pub(super) fn sync_folder(dir: &Dir) -> io::Result<()> {
    // The handle of a folder may be one that can't be synced (`O_PATH`).
    dir.open(".")?.sync_all()
}

/// Other systems have no call for it.
#[cfg(not(unix))]
pub(super) fn sync_folder(_dir: &Dir) -> io::Result<()> {
    Ok(())
}
