//! The file backend on real folders.
#![cfg(feature = "files")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; clippy.toml allows it in test functions only"
)]

#[path = "files/append.rs"]
mod append;
#[path = "files/cancel.rs"]
mod cancel;
#[path = "files/content.rs"]
mod content;
#[cfg(unix)]
#[path = "files/full_disk.rs"]
mod full_disk;
#[path = "files/killed.rs"]
mod killed;
#[path = "files/many.rs"]
mod many;
#[cfg(unix)]
#[path = "files/paths.rs"]
mod paths;
#[path = "files/walking.rs"]
mod walking;

use std::io::ErrorKind;
use std::path::Path;

use nostall_probe::files::{Files, FilesOptions};
use nostall_probe::{Cause, Error, IoSystem};

/// A system with files below a temporary folder.
struct Setup {
    folder: tempfile::TempDir,
    io: IoSystem,
    files: Files,
}

impl Setup {
    async fn new() -> Self {
        Self::with(FilesOptions::default()).await
    }

    async fn with(options: FilesOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (io, files) = open(folder.path(), options).await;
        Self { folder, io, files }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The names in the root, as the operating system lists them.
    fn names(&self) -> Vec<String> {
        names(self.root())
    }
}

async fn open(root: &Path, options: FilesOptions) -> (IoSystem, Files) {
    let io = IoSystem::builder().files_with(root, options);
    let io = io.build().await.unwrap();
    let files = io.files().unwrap().clone();
    (io, files)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn io_kind(error: &Error) -> ErrorKind {
    match error.cause() {
        Cause::Io(error) => error.kind(),
        other => panic!("not an error of the operating system: {other:?}"),
    }
}

#[test]
fn futures_and_handles_go_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    is_shared::<Files>();
    #[allow(dead_code, reason = "it is enough that it compiles")]
    fn all(files: &Files) {
        drop(is_send(files.read("a")));
        drop(is_send(files.read_to_string("a")));
        drop(is_send(files.read_json::<u8>("a")));
        drop(is_send(files.write("a", "b")));
        drop(is_send(files.write_json("a", &1)));
        drop(is_send(files.write_json_owned("a", 1)));
        drop(is_send(files.append("a", "b")));
        drop(is_send(files.list("a")));
        drop(is_send(files.walk("a")));
        drop(is_send(files.metadata("a")));
        drop(is_send(files.remove("a")));
        drop(is_send(files.rename("a", "b")));
        drop(is_send(files.create_dir_all("a")));
    }
}
