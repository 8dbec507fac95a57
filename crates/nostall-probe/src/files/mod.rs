//! Files below one folder.
//!
//! Nothing outside the root can be reached: absolute paths and `..` are refused by their text, symbolic links when they are met, and
//! each folder on the way is opened from the one before, so that swapping one for a link meanwhile gains nothing. Pipes,
//! sockets and devices are never opened for long. Each operation does all of its work in one go on the blocking pool.

mod append;
mod error;
mod options;
mod path;
mod read;
mod tree;
mod walk;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Cause, Error, Name, Result, panic_text};
use crate::policy::Policy;
use crate::stats::Kind;
use crate::system::Core;
pub use error::{AtPath, FileError, PathError};
pub use options::FilesOptions;
use path::Target;
pub use walk::{Entry, EntryKind};

/// Files below one folder. Clones are the same files.
///
/// Paths begin at the root folder: `reports/may.txt`. The root folder itself is `.`, for [`Files::list`], [`Files::walk`] and
/// [`Files::metadata`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> nostall_probe::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// let io = nostall_probe::IoSystem::builder().files(folder.path()).build().await?;
/// let files = io.files()?;
/// files.write("greeting.txt", "hello").await?;
/// assert_eq!(files.read_to_string("greeting.txt").await?, "hello");
/// assert!(files.read("../elsewhere").await.is_err());
/// # Ok(()) }
/// ```
///
/// # Errors
/// What all operations have in common:
///
/// * [`Cause::Path`] for a path that is refused. Nothing was opened.
/// * [`Cause::Io`] for what the operating system refuses: its kind says what, its text where ([`AtPath`]). A missing file or
///   folder is [`NotFound`](std::io::ErrorKind::NotFound), a full disk [`StorageFull`](std::io::ErrorKind::StorageFull).
/// * [`Cause::TimedOut`], [`Cause::Saturated`], [`Cause::Closed`] and [`Cause::Panicked`] as for [`Policy::offload`].
///
/// # Cancellation
/// Work that has begun goes on when the future is dropped or time runs out, holds its place in the bulkhead until it ends, and is
/// waited for by [`IoSystem::shutdown`](crate::IoSystem::shutdown). Whether it was done then only a look can tell.
#[derive(Clone, Debug)]
pub struct Files {
    shared: Arc<Shared>,
    name: Option<Name>,
}

#[derive(Debug)]
struct Shared {
    root: Dir,
    policy: Policy,
    options: FilesOptions,
}

impl Files {
    /// Opens the root, which may be or lie behind a symbolic link: what it is now is what stays open.
    pub(crate) async fn open(root: PathBuf, options: FilesOptions, core: &Core) -> Result<Self> {
        let limit = options.policy.deadline;
        let opening = tokio::task::spawn_blocking(move || {
            Dir::open_ambient_dir(&root, ambient_authority()).map_err(error::at(&root))
        });
        let root = match tokio::time::timeout(limit, opening).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(join)) => Err(match join.try_into_panic() {
                Ok(panic) => Cause::Panicked(panic_text(&*panic)),
                Err(_) => Cause::Closed,
            }),
            Err(_) => Err(Cause::TimedOut { limit }),
        };
        let root = root.map_err(|cause| Core::error(Kind::Files, "connect", cause))?;
        let policy = core.policy(Kind::Files, options.policy.clone());
        Ok(Self {
            shared: Arc::new(Shared {
                root,
                policy,
                options,
            }),
            name: None,
        })
    }

    /// The same files, with all operations counted under one name.
    #[must_use]
    pub fn named(&self, name: impl Into<Name>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Some(name.into()),
        }
    }

    /// The numbers that these files were opened with.
    pub fn options(&self) -> &FilesOptions {
        &self.shared.options
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// As [all operations](Files#errors); [`FileError::TooLarge`] beyond `max_file_size`.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        self.run("read", path.as_ref(), |files, target| {
            read::read(&files.root, target, files.options.max_file_size)
        })
        .await
    }

    /// Reads a whole file as UTF-8.
    ///
    /// # Errors
    /// As [`Files::read`]; [`InvalidData`](std::io::ErrorKind::InvalidData) if it is not UTF-8.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn read_to_string(&self, path: impl AsRef<Path>) -> Result<String> {
        self.run("read_to_string", path.as_ref(), |files, target| {
            read::read_to_string(&files.root, target, files.options.max_file_size)
        })
        .await
    }

    /// Reads a JSON file. It is parsed on the blocking pool too.
    ///
    /// # Errors
    /// As [`Files::read`]; [`Cause::Json`] if it is not the JSON that was asked for.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn read_json<T>(&self, path: impl AsRef<Path>) -> Result<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.run("read_json", path.as_ref(), |files, target| {
            let text = read::read(&files.root, target, files.options.max_file_size)?;
            Ok(serde_json::from_slice(&text)?)
        })
        .await
    }

    /// Writes a file as a whole. Readers see the old content or the new, never a part; of several writers the last one wins.
    ///
    /// A `Vec<u8>` or `String` is taken as it is, borrowed content is copied. The content goes to a new file that then gets the
    /// name: permissions (`rwx`) of a replaced file are kept, a new one has those that the umask leaves of `0o666`; the owner
    /// is whoever runs this, other hard links keep the old content, and a file that may not be written is replaced if its folder
    /// may be. While it works, a file with a random name can show up in the folder; only a crash can leave it there.
    ///
    /// # Errors
    /// As [all operations](Files#errors). A missing folder is [`NotFound`](std::io::ErrorKind::NotFound) unless `create_parents`
    /// is set. The old content stays, with one exception: where only the last step fails, making sure that the name is on the
    /// disk, the new content is there.
    ///
    /// # Cancellation
    /// Leaves the old content or the new.
    pub async fn write(&self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> Result<()> {
        let content = content.into();
        self.run("write", path.as_ref(), move |files, target| {
            write::write(&files.root, target, &content, &files.options)
        })
        .await
    }

    /// Writes a value as JSON, as [`Files::write`] does.
    ///
    /// The text is made by the caller's task before anything else: for values of more than some 100 kB use
    /// [`Files::write_json_owned`].
    ///
    /// # Errors
    /// As [`Files::write`]; [`Cause::Json`] for a value that JSON can't express. Nothing was touched then.
    ///
    /// # Cancellation
    /// As [`Files::write`].
    pub async fn write_json<T>(&self, path: impl AsRef<Path>, value: &T) -> Result<()>
    where
        T: Serialize + ?Sized,
    {
        let text = serde_json::to_vec(value);
        self.run("write_json", path.as_ref(), move |files, target| {
            write::write(&files.root, target, &text?, &files.options)
        })
        .await
    }

    /// Writes a value as JSON; its text is made on the blocking pool.
    ///
    /// # Errors
    /// As [`Files::write_json`].
    ///
    /// # Cancellation
    /// As [`Files::write`].
    pub async fn write_json_owned<T>(&self, path: impl AsRef<Path>, value: T) -> Result<()>
    where
        T: Serialize + Send + 'static,
    {
        self.run("write_json_owned", path.as_ref(), move |files, target| {
            let text = serde_json::to_vec(&value)?;
            write::write(&files.root, target, &text, &files.options)
        })
        .await
    }

    /// Adds to the end of a file, which is made if it is missing.
    ///
    /// The content goes to the end as one piece, also with several appenders. If the disk is full midway, what was written is cut
    /// off again, so that none of it stays; readers may see it for a moment, and a crash of the machine can leave it.
    ///
    /// # Errors
    /// As [`Files::write`]; [`FileError::PartlyAppended`] if a part was written and could not be cut off, because another process
    /// appended after it. If the last step fails, making sure that it is on the disk, the content is there.
    ///
    /// # Cancellation
    /// Leaves all of the content or nothing of it.
    pub async fn append(&self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> Result<()> {
        let content = content.into();
        self.run("append", path.as_ref(), move |files, target| {
            append::append(&files.root, target, &content, &files.options)
        })
        .await
    }

    /// The entries of a folder, sorted by name. Links are listed as links.
    ///
    /// # Errors
    /// As [all operations](Files#errors); [`FileError::TooManyEntries`] beyond `max_entries`.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn list(&self, path: impl AsRef<Path>) -> Result<Vec<Entry>> {
        self.run("list", path.as_ref(), |files, target| {
            walk::list(&files.root, target, &files.options)
        })
        .await
    }

    /// All entries below a folder, sorted by path. Links are listed as links and not followed.
    ///
    /// A folder that vanishes meanwhile is listed as it was seen, with nothing below it.
    ///
    /// # Errors
    /// As [`Files::list`]; [`FileError::TooDeep`] beyond `max_depth`. A folder that may not be read fails the walk.
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn walk(&self, path: impl AsRef<Path>) -> Result<Vec<Entry>> {
        self.run("walk", path.as_ref(), |files, target| {
            walk::walk(&files.root, target, &files.options)
        })
        .await
    }

    /// What is known about a file or folder.
    ///
    /// # Errors
    /// As [all operations](Files#errors).
    ///
    /// # Cancellation
    /// Harmless.
    pub async fn metadata(&self, path: impl AsRef<Path>) -> Result<Entry> {
        self.run("metadata", path.as_ref(), |files, target| {
            walk::metadata(&files.root, target)
        })
        .await
    }

    /// Removes a regular file.
    ///
    /// # Errors
    /// As [all operations](Files#errors).
    ///
    /// # Cancellation
    /// The file is there or not.
    pub async fn remove(&self, path: impl AsRef<Path>) -> Result<()> {
        self.run("remove", path.as_ref(), |files, target| {
            tree::remove(&files.root, target, files.options.durable)
        })
        .await
    }

    /// Gives a file or folder another name below the root. A file that has the name is replaced.
    ///
    /// # Errors
    /// As [`Files::write`].
    ///
    /// # Cancellation
    /// It has the old name or the new.
    pub async fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        let to = to.as_ref().to_owned();
        self.run("rename", from.as_ref(), |files, from| {
            let to = Target::judge(to)?;
            tree::rename(&files.root, from, &to, &files.options)
        })
        .await
    }

    /// Makes a folder and those on the way to it; those that are there already stay as they are.
    ///
    /// # Errors
    /// As [all operations](Files#errors). Folders that were made before the error stay.
    ///
    /// # Cancellation
    /// Leaves all of the folders, or those up to one of them.
    pub async fn create_dir_all(&self, path: impl AsRef<Path>) -> Result<()> {
        self.run("create_dir_all", path.as_ref(), |files, target| {
            tree::create_dir_all(&files.root, target, files.options.durable)
        })
        .await
    }

    /// Does the whole work of one operation on the blocking pool.
    async fn run<T, W>(&self, method: &'static str, path: &Path, work: W) -> Result<T, Error>
    where
        W: FnOnce(&Shared, &Target) -> Result<T, Cause> + Send + 'static,
        T: Send + 'static,
    {
        let name = self.name.clone().unwrap_or(Name::Borrowed(method));
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        let whole = move || {
            let target = Target::judge(path)?;
            work(&shared, &target)
        };
        self.shared.policy.offload(name, whole).await
    }
}
