//! Paths that lead elsewhere, and things that are no files.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nostall_probe::files::{EntryKind, Files, FilesOptions, PathError};
use nostall_probe::{Cause, Error, PolicyOptions, Result};

use super::{Setup, io_kind, names};

/// Everything that can be done with one path.
async fn all(files: &Files, path: &Path) -> Vec<(&'static str, Error)> {
    fn failed<T>(name: &'static str, result: Result<T>) -> (&'static str, Error) {
        match result {
            Ok(_) => panic!("{name} did it"),
            Err(error) => (name, error),
        }
    }
    vec![
        failed("read", files.read(path).await),
        failed("read_to_string", files.read_to_string(path).await),
        failed("read_json", files.read_json::<u8>(path).await),
        failed("write", files.write(path, "new").await),
        failed("write_json", files.write_json(path, &1).await),
        failed("write_json_owned", files.write_json_owned(path, 1).await),
        failed("append", files.append(path, "new").await),
        failed("list", files.list(path).await),
        failed("walk", files.walk(path).await),
        failed("metadata", files.metadata(path).await),
        failed("remove", files.remove(path).await),
        failed("rename from", files.rename(path, "new").await),
        failed("rename to", files.rename("here", path).await),
        failed("create_dir_all", files.create_dir_all(path).await),
    ]
}

async fn refused(files: &Files, path: impl AsRef<OsStr>) -> Vec<(&'static str, PathError)> {
    let path = Path::new(path.as_ref());
    let errors = all(files, path).await;
    let cause = |(name, error): (_, Error)| match error.into_cause() {
        Cause::Path(error) => (name, error),
        other => panic!("{name} of {path:?}: {other:?}"),
    };
    errors.into_iter().map(cause).collect()
}

/// A root with a file and a folder, and a folder beside it with a secret.
struct Outside {
    setup: Setup,
    outside: tempfile::TempDir,
}

impl Outside {
    async fn new() -> Self {
        let setup = Setup::new().await;
        std::fs::write(setup.root().join("here"), "here").unwrap();
        std::fs::create_dir(setup.root().join("folder")).unwrap();
        std::fs::write(setup.root().join("folder/file"), "inside").unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("file"), "secret").unwrap();
        Self { setup, outside }
    }

    fn link(&self, target: impl AsRef<Path>, name: &str) {
        symlink(target, self.setup.root().join(name)).unwrap();
    }

    fn check_untouched(&self) {
        assert_eq!(names(self.outside.path()), ["file"]);
        let secret = std::fs::read(self.outside.path().join("file")).unwrap();
        assert_eq!(secret, b"secret");
        let inside = std::fs::read(self.setup.root().join("folder/file")).unwrap();
        assert_eq!(inside, b"inside");
        assert_eq!(names(&self.setup.root().join("folder")), ["file"]);
        let here = std::fs::read(self.setup.root().join("here")).unwrap();
        assert_eq!(here, b"here");
    }
}

#[tokio::test]
async fn paths_are_refused_by_their_text() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    let parents = [
        "..",
        "../x",
        "folder/..",
        "folder/../here",
        "./..",
        "a/../../x",
        "no/../here",
    ];
    for path in parents {
        for (name, error) in refused(files, path).await {
            let expected = PathError::Parent { path: path.into() };
            assert_eq!(error, expected, "{name}");
        }
    }
    for path in ["/", "/etc/passwd", "//x"] {
        for (name, error) in refused(files, path).await {
            let expected = PathError::Absolute { path: path.into() };
            assert_eq!(error, expected, "{name}");
        }
    }
    let own = case.setup.root().join("here");
    for (name, error) in refused(files, &own).await {
        assert!(matches!(error, PathError::Absolute { .. }), "{name}");
    }
    for (name, error) in refused(files, "").await {
        assert_eq!(error, PathError::Empty, "{name}");
    }
    for path in ["a\0b", "\0", "folder/file\0"] {
        for (name, error) in refused(files, path).await {
            assert!(matches!(error, PathError::Nul { .. }), "{name}");
        }
    }
    case.check_untouched();
}

#[tokio::test]
async fn harmless_dots_and_slashes_are_taken() {
    let case = Outside::new().await;
    for path in ["./here", "here", "././here", ".//here"] {
        assert_eq!(case.setup.files.read(path).await.unwrap(), b"here");
    }
    for path in ["folder//file", "folder/./file", "./folder/file"] {
        assert_eq!(case.setup.files.read(path).await.unwrap(), b"inside");
    }
    case.setup.files.write("a\\..\\b", "x").await.unwrap();
    case.setup.files.write("...", "x").await.unwrap();
    case.setup.files.write("..x", "x").await.unwrap();
    assert_eq!(
        case.setup.names(),
        ["...", "..x", "a\\..\\b", "folder", "here"]
    );
}

#[tokio::test]
async fn the_root_itself_is_no_file() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    for result in [
        files.read(".").await.map(drop),
        files.write("./", "x").await,
        files.append(".", "x").await,
        files.remove(".").await,
        files.rename(".", "x").await,
        files.rename("here", ".").await,
    ] {
        let error = result.unwrap_err();
        let cause = error.cause();
        assert!(
            matches!(cause, Cause::Path(PathError::Root { .. })),
            "{error:?}"
        );
    }
    assert_eq!(files.list(".").await.unwrap().len(), 2);
}

#[tokio::test]
async fn links_are_refused_wherever_they_lead() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    case.link(case.outside.path().join("file"), "to outside");
    case.link("here", "to inside");
    case.link("folder", "to folder");
    case.link("nowhere", "dangling");
    case.link("loop b", "loop a");
    case.link("loop a", "loop b");
    case.link("itself", "itself");
    case.link(".", "to root");
    case.link("/proc/self/root", "magic");
    let links = [
        "to outside",
        "to inside",
        "to folder",
        "dangling",
        "loop a",
        "itself",
        "to root",
        "magic",
    ];
    for path in links {
        for (name, error) in refused(files, path).await {
            let expected = PathError::Link { link: path.into() };
            assert_eq!(error, expected, "{name}");
        }
    }
    case.check_untouched();
    let entries = files.list(".").await.unwrap();
    let count = entries.iter().filter(|entry| entry.kind == EntryKind::Link);
    assert_eq!(count.count(), 9);
}

#[tokio::test]
async fn links_on_the_way_are_refused_and_named() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    case.link(case.outside.path(), "out");
    case.link("folder", "in");
    case.link("in", "in twice");
    case.link("nowhere", "dangling");
    std::fs::create_dir(case.setup.root().join("deep")).unwrap();
    case.link("../folder", "deep/link");
    let cases = [
        ("out/file", "out"),
        ("out/new", "out"),
        ("in/file", "in"),
        ("in twice/file", "in twice"),
        ("dangling/file", "dangling"),
        ("deep/link/file", "deep/link"),
        ("deep/link/a/b/c", "deep/link"),
    ];
    for (path, link) in cases {
        for (name, error) in refused(files, path).await {
            let expected = PathError::Link { link: link.into() };
            assert_eq!(error, expected, "{name} of {path}");
        }
    }
    case.check_untouched();
}

#[tokio::test]
async fn pipes_devices_sockets_and_folders_are_not_opened() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    let root = case.setup.root();
    let made = Command::new("mkfifo").arg(root.join("pipe")).status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let mut paths = vec!["pipe", "socket", "folder"];
    let made = Command::new("mknod")
        .arg(root.join("device"))
        .args(["c", "1", "5"])
        .output();
    if made.is_ok_and(|made| made.status.success()) {
        paths.push("device");
    } else {
        println!("no right to make a device: tried without");
    }
    for path in &paths {
        for (name, result) in [
            ("read", files.read(path).await.map(drop)),
            ("read_json", files.read_json::<u8>(path).await.map(drop)),
            ("write", files.write(path, "x").await),
            ("append", files.append(path, "x").await),
            ("remove", files.remove(path).await),
        ] {
            let error = result.unwrap_err();
            let Cause::Path(error) = error.into_cause() else {
                panic!("{name} of {path}");
            };
            let expected = PathError::NotAFile { path: path.into() };
            assert_eq!(error, expected, "{name}");
        }
    }
    // A pipe that somebody reads can be opened for writing.
    let reader = std::thread::spawn({
        let pipe = root.join("pipe");
        move || std::fs::read(pipe).unwrap()
    });
    let mut appended = Vec::new();
    while !reader.is_finished() && appended.len() < 1000 {
        appended.push(files.append("pipe", "x").await.unwrap_err());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(reader.join().unwrap().is_empty(), "something came through");
    for error in appended {
        assert!(matches!(
            error.cause(),
            Cause::Path(PathError::NotAFile { .. })
        ));
    }
    let entries = files.list(".").await.unwrap();
    let others = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Other);
    assert_eq!(others.count(), paths.len() - 1);
    assert_eq!(files.walk(".").await.unwrap().len(), entries.len() + 1);
    let error = files.list("pipe").await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::NotADirectory);
}

#[tokio::test]
async fn names_that_are_too_long_are_typed() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    let longest = "x".repeat(255);
    files.write(&longest, "x").await.unwrap();
    assert_eq!(files.read(&longest).await.unwrap(), b"x");
    files.remove(&longest).await.unwrap();
    for (name, error) in all(files, "x".repeat(256).as_ref()).await {
        assert_eq!(io_kind(&error), ErrorKind::InvalidFilename, "{name}");
    }
    // Longer than the system takes in one call.
    let way = ["a".repeat(200).as_str(); 30].join("/");
    files.create_dir_all(&way).await.unwrap();
    files.write(format!("{way}/file"), "deep").await.unwrap();
    assert_eq!(files.read(format!("{way}/file")).await.unwrap(), b"deep");
    assert_eq!(files.walk(".").await.unwrap().len(), 3 + 30 + 1);
    case.check_untouched();
}

#[tokio::test]
async fn names_that_are_not_utf8_are_taken_and_listed() {
    let case = Outside::new().await;
    let files = &case.setup.files;
    let name = OsStr::from_bytes(b"folder/\xff\xfe");
    files.write(Path::new(name), "x").await.unwrap();
    let listed = files.list("folder").await.unwrap();
    assert!(listed.iter().any(|entry| entry.path == Path::new(name)));
    assert_eq!(files.walk(".").await.unwrap().len(), 4);
    for entry in listed {
        files.read(&entry.path).await.unwrap();
    }
}

/// Swaps a folder for a link to the outside and back while everything is tried through it.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_swapped_for_a_link_meanwhile_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let options = FilesOptions {
        durable: false,
        policy: PolicyOptions {
            max_in_flight: 2,
            ..FilesOptions::default().policy
        },
        ..FilesOptions::default()
    };
    let (io, files) = super::open(folder.path(), options).await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("file"), "secret").unwrap();
    std::fs::write(outside.path().join("secret name"), "secret").unwrap();
    let (real, aside) = (folder.path().join("a"), folder.path().join("aside"));
    std::fs::create_dir(&real).unwrap();
    std::fs::write(real.join("file"), "inside").unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (stop, outside) = (stop.clone(), outside.path().to_owned());
        move || {
            let mut swaps = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                std::fs::rename(&real, &aside).unwrap();
                // Fails if a folder was made there at this moment.
                swaps += i32::from(symlink(&outside, &real).is_ok());
                std::thread::yield_now();
                while std::fs::rename(&aside, &real).is_err() {
                    let removed = std::fs::remove_file(&real);
                    removed.or_else(|_| std::fs::remove_dir_all(&real)).ok();
                }
                // The folder stands as long as the link does: on a busy machine this thread else stops at the link alone.
                std::thread::yield_now();
            }
            swaps
        }
    });
    let (mut done, mut links, mut gone) = (0, 0, 0);
    let mut count = |result: Result<()>| match result {
        Ok(()) => done += 1,
        Err(error) => match error.cause() {
            Cause::Path(PathError::Link { .. }) => links += 1,
            Cause::Io(error) => {
                // The folder was aside, or came back between the failure and the look at what it was.
                let kind = error.kind();
                assert!(
                    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory),
                    "{error}"
                );
                gone += 1;
            }
            other => panic!("{other:?}"),
        },
    };
    for _ in 0..500 {
        let read = files.read("a/file").await;
        count(read.map(|content| assert_eq!(content, b"inside")));
        count(files.write("a/file", "inside").await);
        count(files.append("a/new", "x").await);
        count(files.remove("a/new").await);
        count(files.create_dir_all("a/sub").await);
        let listed = files.list("a").await;
        count(listed.map(|entries| {
            assert!(
                entries
                    .iter()
                    .all(|entry| !entry.path.ends_with("secret name"))
            );
        }));
        for entry in files.walk(".").await.unwrap() {
            assert!(!entry.path.ends_with("secret name"));
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    println!("{swaps} swaps; {done} done, {links} met the link, {gone} found the folder gone");
    assert!(done > 0 && links > 0);
    assert_eq!(names(outside.path()), ["file", "secret name"]);
    assert_eq!(
        std::fs::read(outside.path().join("file")).unwrap(),
        b"secret"
    );
    assert_eq!(io.snapshot().total.in_flight, 0);
}
