//! Lists and walks.

use std::path::{Path, PathBuf};

use nostall_probe::Cause;
use nostall_probe::files::{Entry, EntryKind, FileError, FilesOptions};

use super::Setup;

fn paths(entries: &[Entry]) -> Vec<&str> {
    let paths = entries.iter().map(|entry| entry.path.to_str().unwrap());
    paths.collect()
}

async fn tree(options: FilesOptions) -> Setup {
    let setup = Setup::with(options).await;
    let make = |path: &str| {
        let path = setup.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "12345").unwrap();
    };
    for path in ["b", "a/z", "a/b/c/deep", "a-b", "a/y", "B"] {
        make(path);
    }
    setup
}

#[tokio::test]
async fn a_list_is_sorted_and_says_what_is_there() {
    let setup = tree(FilesOptions::default()).await;
    let entries = setup.files.list(".").await.unwrap();
    assert_eq!(paths(&entries), ["B", "a", "a-b", "b"]);
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
    use EntryKind::{File, Folder};
    assert_eq!(kinds, [File, Folder, File, File]);
    assert_eq!(entries[0].len, 5);
    assert!(entries.iter().all(|entry| entry.modified.is_some()));
    let entries = setup.files.list("./a/").await.unwrap();
    assert_eq!(paths(&entries), ["a/b", "a/y", "a/z"]);
}

#[tokio::test]
async fn a_walk_finds_everything_below() {
    let setup = tree(FilesOptions::default()).await;
    let entries = setup.files.walk(".").await.unwrap();
    let all = [
        "B",
        "a",
        "a/b",
        "a/b/c",
        "a/b/c/deep",
        "a/y",
        "a/z",
        "a-b",
        "b",
    ];
    assert_eq!(paths(&entries), all);
    let entries = setup.files.walk("a/b").await.unwrap();
    assert_eq!(paths(&entries), ["a/b/c", "a/b/c/deep"]);
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        assert_eq!(setup.files.read(&entry.path).await.unwrap(), b"12345");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_listed_and_not_followed() {
    let setup = tree(FilesOptions::default()).await;
    std::os::unix::fs::symlink("..", setup.root().join("a/up")).unwrap();
    std::os::unix::fs::symlink("b", setup.root().join("a/b2")).unwrap();
    let entries = setup.files.walk("a").await.unwrap();
    let all = ["a/b", "a/b/c", "a/b/c/deep", "a/b2", "a/up", "a/y", "a/z"];
    assert_eq!(paths(&entries), all);
    let links = entries.iter().filter(|entry| entry.kind == EntryKind::Link);
    assert_eq!(links.count(), 2);
}

#[tokio::test]
async fn bounds_are_exact_and_typed() {
    let with = |max_entries, max_depth| FilesOptions {
        max_entries,
        max_depth,
        ..FilesOptions::default()
    };
    let setup = tree(with(9, 4)).await;
    assert_eq!(setup.files.walk(".").await.unwrap().len(), 9);
    let setup = tree(with(8, 4)).await;
    let error = setup.files.walk(".").await.unwrap_err();
    let Cause::File(FileError::TooManyEntries { limit: 8, path }) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!(path, Path::new("."));
    assert_eq!(setup.files.list(".").await.unwrap().len(), 4);
    let setup = tree(with(9, 3)).await;
    let error = setup.files.walk(".").await.unwrap_err();
    let Cause::File(FileError::TooDeep { limit: 3, path }) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!(path, Path::new("a/b/c"));
    assert_eq!(setup.files.walk("a").await.unwrap().len(), 5);
    let setup = tree(with(3, 4)).await;
    let error = setup.files.list(".").await.unwrap_err();
    assert!(matches!(
        error.cause(),
        Cause::File(FileError::TooManyEntries { limit: 3, .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_changes_meanwhile_is_walked_to_its_end() {
    let setup = tree(FilesOptions::default()).await;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let changer = std::thread::spawn({
        let (stop, root) = (stop.clone(), setup.root().to_owned());
        move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for n in 0..20 {
                    let path: PathBuf = root.join(format!("a/new {n}/below"));
                    std::fs::create_dir_all(&path).unwrap();
                    std::fs::write(path.join("file"), "x").unwrap();
                }
                for n in 0..20 {
                    std::fs::remove_dir_all(root.join(format!("a/new {n}"))).unwrap();
                }
            }
        }
    });
    let mut sizes = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let entries = setup.files.walk(".").await.unwrap();
        assert!(entries.len() >= 9, "what did not change was lost");
        sizes.insert(entries.len());
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    changer.join().unwrap();
    assert!(sizes.len() > 1, "nothing changed meanwhile");
}
