//! Reading, writing, names.

use std::io::ErrorKind;

use nostall_probe::files::{EntryKind, FileError, FilesOptions};
use nostall_probe::{Cause, Kind};
use serde::{Deserialize, Serialize};

use super::{Setup, io_kind, open};

#[tokio::test]
async fn what_is_written_is_read() {
    let setup = Setup::new().await;
    let files = &setup.files;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    files.write("bytes", bytes.clone()).await.unwrap();
    assert_eq!(files.read("bytes").await.unwrap(), bytes);
    files.write("text", "grün").await.unwrap();
    assert_eq!(files.read_to_string("text").await.unwrap(), "grün");
    files.write("text", "").await.unwrap();
    assert_eq!(files.read("text").await.unwrap(), b"");
    assert_eq!(setup.names(), ["bytes", "text"]);
}

#[tokio::test]
async fn text_that_is_not_utf8_is_typed() {
    let setup = Setup::new().await;
    setup.files.write("a", vec![b'a', 0xff]).await.unwrap();
    let error = setup.files.read_to_string("a").await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::InvalidData);
    assert_eq!(setup.files.read("a").await.unwrap(), [b'a', 0xff]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    items: Vec<String>,
}

#[tokio::test]
async fn json_round_trip() {
    let setup = Setup::new().await;
    let files = &setup.files;
    let order = || Order {
        id: 7,
        items: vec!["tea".into()],
    };
    files.write_json("a.json", &order()).await.unwrap();
    files.write_json_owned("b.json", order()).await.unwrap();
    for path in ["a.json", "b.json"] {
        assert_eq!(files.read_json::<Order>(path).await.unwrap(), order());
    }
    files.write("a.json", "{\"id\":").await.unwrap();
    let error = files.read_json::<Order>("a.json").await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Json(_)), "{error:?}");
}

#[tokio::test]
async fn a_value_that_json_cannot_express_touches_nothing() {
    let setup = Setup::new().await;
    let files = &setup.files;
    files.write("a.json", "old").await.unwrap();
    let bad = || std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = files.write_json("a.json", &bad()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Json(_)), "{error:?}");
    let error = files.write_json_owned("a.json", bad()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Json(_)), "{error:?}");
    assert_eq!(files.read("a.json").await.unwrap(), b"old");
    assert_eq!(setup.names(), ["a.json"]);
    let figures = setup.io.snapshot().name(Kind::Files, "write_json");
    assert_eq!((figures.operations, figures.errors), (1, 1));
}

#[tokio::test]
async fn missing_files_and_folders_are_typed_and_named() {
    let setup = Setup::new().await;
    let files = &setup.files;
    for error in [
        files.read("no/file").await.unwrap_err(),
        files.write("no/file", "x").await.unwrap_err(),
        files.append("no/file", "x").await.unwrap_err(),
        files.list("no").await.unwrap_err(),
        files.walk("no").await.unwrap_err(),
        files.metadata("no").await.unwrap_err(),
        files.remove("no").await.unwrap_err(),
        files.rename("no", "yes").await.unwrap_err(),
    ] {
        assert_eq!(io_kind(&error), ErrorKind::NotFound);
        assert!(error.to_string().contains("\"no\": "), "{error}");
        assert!(!error.cause().is_transient());
    }
    files.write("file", "x").await.unwrap();
    let error = files.read("file/below").await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::NotADirectory);
    assert!(setup.names() == ["file"]);
}

#[tokio::test]
async fn folders_on_the_way_are_made_if_that_was_asked() {
    let setup = Setup::with(FilesOptions {
        create_parents: true,
        ..FilesOptions::default()
    })
    .await;
    let files = &setup.files;
    files.write("a/b/c", "1").await.unwrap();
    files.append("d/e", "2").await.unwrap();
    files.rename("d/e", "f/g/e").await.unwrap();
    assert_eq!(files.read("a/b/c").await.unwrap(), b"1");
    assert_eq!(files.read("f/g/e").await.unwrap(), b"2");
    let error = files.read("x/y").await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::NotFound);
    assert_eq!(setup.names(), ["a", "d", "f"], "reading makes nothing");
}

#[tokio::test]
async fn long_files_are_refused_by_length_and_while_reading() {
    let setup = Setup::with(FilesOptions {
        max_file_size: 10,
        ..FilesOptions::default()
    })
    .await;
    let files = &setup.files;
    files.write("a", "0123456789").await.unwrap();
    assert_eq!(files.read("a").await.unwrap().len(), 10);
    files.append("a", "x").await.unwrap();
    for error in [
        files.read("a").await.unwrap_err(),
        files.read_to_string("a").await.unwrap_err(),
        files.read_json::<u64>("a").await.unwrap_err(),
    ] {
        let Cause::File(FileError::TooLarge { limit: 10, .. }) = error.cause() else {
            panic!("{error:?}");
        };
    }
}

/// Files of `/proc` say that they are empty, and are not.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_length_that_lies_does_not_lift_the_limit() {
    let limit = |max_file_size| FilesOptions {
        max_file_size,
        ..FilesOptions::default()
    };
    let (_io, files) = open("/proc/sys/kernel".as_ref(), limit(3)).await;
    let error = files.read("ostype").await.unwrap_err();
    let cause = error.cause();
    assert!(
        matches!(cause, Cause::File(FileError::TooLarge { limit: 3, .. })),
        "{error:?}"
    );
    let (_io, files) = open("/proc/sys/kernel".as_ref(), limit(6)).await;
    assert_eq!(files.read("ostype").await.unwrap(), b"Linux\n");
}

#[tokio::test]
async fn an_enormous_limit_and_file_end_in_an_error_not_in_an_abort() {
    let setup = Setup::with(FilesOptions {
        max_file_size: u64::MAX,
        ..FilesOptions::default()
    })
    .await;
    setup.files.write("small", "x").await.unwrap();
    assert_eq!(setup.files.read("small").await.unwrap(), b"x");
    let file = std::fs::File::create(setup.root().join("sparse")).unwrap();
    if file.set_len(1 << 60).is_err() && file.set_len(1 << 43).is_err() {
        println!("this file system has no sparse files that are long enough: not tried");
        return;
    }
    let error = setup.files.read("sparse").await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::OutOfMemory);
}

#[tokio::test]
async fn remove_rename_and_folders() {
    let setup = Setup::new().await;
    let files = &setup.files;
    files.create_dir_all("a/b/c").await.unwrap();
    files.create_dir_all("a/b/c").await.unwrap();
    files.create_dir_all("a/b/d").await.unwrap();
    files.create_dir_all(".").await.unwrap();
    files.write("a/b/c/file", "1").await.unwrap();
    files.write("a/other", "2").await.unwrap();
    files.rename("a/b/c/file", "a/other").await.unwrap();
    assert_eq!(files.read("a/other").await.unwrap(), b"1");
    files.rename("a/b", "moved").await.unwrap();
    assert_eq!(files.list("moved").await.unwrap().len(), 2);
    files.remove("a/other").await.unwrap();
    assert!(files.list("a").await.unwrap().is_empty());
    let error = files.create_dir_all("moved/c").await;
    error.unwrap();
    files.write("file", "x").await.unwrap();
    let error = files.create_dir_all("file/below").await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::NotADirectory);
    let error = files.rename("file", "moved").await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Io(_)), "{error:?}");
    let error = files.rename("moved", "moved/c/moved").await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Io(_)), "{error:?}");
    assert_eq!(setup.names(), ["a", "file", "moved"]);
}

#[tokio::test]
async fn metadata_says_what_it_is() {
    let setup = Setup::new().await;
    let files = &setup.files;
    files.create_dir_all("a").await.unwrap();
    files.write("a/file", "12345").await.unwrap();
    let file = files.metadata("./a/file").await.unwrap();
    assert_eq!((file.kind, file.len), (EntryKind::File, 5));
    assert_eq!(file.path.to_str(), Some("a/file"));
    assert!(file.modified.unwrap().elapsed().unwrap().as_secs() < 60);
    assert_eq!(files.metadata("a").await.unwrap().kind, EntryKind::Folder);
    let root = files.metadata(".").await.unwrap();
    assert_eq!(
        (root.kind, root.path.to_str()),
        (EntryKind::Folder, Some("."))
    );
}

#[tokio::test]
async fn a_root_that_is_missing_or_a_file_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let build = |path| nostall_probe::IoSystem::builder().files(path).build();
    let error = build(folder.path().join("no")).await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::NotFound);
    assert_eq!((error.kind(), error.name()), (Kind::Files, "connect"));
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let error = build(folder.path().join("file")).await.unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::NotADirectory);
}

#[tokio::test]
async fn a_root_that_is_moved_stays_the_root() {
    let setup = Setup::new().await;
    std::fs::create_dir(setup.root().join("old")).unwrap();
    let (_io, files) = open(&setup.root().join("old"), FilesOptions::default()).await;
    std::fs::rename(setup.root().join("old"), setup.root().join("new")).unwrap();
    files.write("a", "x").await.unwrap();
    assert_eq!(super::names(&setup.root().join("new")), ["a"]);
}

#[tokio::test]
async fn operations_are_counted_under_their_own_or_the_given_name() {
    let setup = Setup::new().await;
    let reports = setup.files.named(format!("reports {}", 1));
    reports.write("a", "x").await.unwrap();
    reports.read("b").await.unwrap_err();
    setup.files.write("a", "x").await.unwrap();
    let error = setup.files.read("../b").await.unwrap_err();
    assert_eq!((error.kind(), error.name()), (Kind::Files, "read"));
    let snapshot = setup.io.snapshot();
    let counts = |name| {
        let figures = snapshot.name(Kind::Files, name);
        (figures.ok, figures.errors, figures.offloaded_operations)
    };
    assert_eq!(counts("reports 1"), (1, 1, 2));
    assert_eq!((counts("write"), counts("read")), ((1, 0, 1), (0, 1, 1)));
    assert_eq!(snapshot.kind(Kind::Files).operations, 4);
}

#[cfg(unix)]
#[tokio::test]
async fn permissions_of_a_replaced_file_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let setup = Setup::new().await;
    let path = setup.root().join("a");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    setup.files.write("a", "1").await.unwrap();
    std::fs::File::create(setup.root().join("as usual")).unwrap();
    let usual = std::fs::metadata(setup.root().join("as usual")).unwrap();
    assert_eq!(mode(), usual.permissions().mode() & 0o7777);
    for (before, after) in [(0o640, 0o640), (0o444, 0o444), (0o6755, 0o755)] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(before)).unwrap();
        setup.files.write("a", "2").await.unwrap();
        assert_eq!(mode(), after, "{before:o}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_the_old_content_or_the_new_never_a_part() {
    let setup = Setup::with(FilesOptions {
        durable: false,
        ..FilesOptions::default()
    })
    .await;
    setup.files.write("a", vec![b'0'; 300_000]).await.unwrap();
    let write = |n: u8| {
        let files = setup.files.clone();
        async move {
            for round in 0..25 {
                let letter = b'a' + n;
                let length = 1000 * (usize::from(letter) + round);
                files.write("a", vec![letter; length]).await?;
            }
            Ok::<_, nostall_probe::Error>(())
        }
    };
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..4 {
        writers.spawn(write(n));
    }
    let mut seen = std::collections::BTreeSet::new();
    while !writers.is_empty() {
        let content = setup.files.read("a").await.unwrap();
        let letter = content[0];
        assert!(content.iter().all(|byte| *byte == letter), "mixed content");
        let lengths = 1000 * usize::from(letter)..=1000 * (usize::from(letter) + 24);
        assert!(letter == b'0' || lengths.contains(&content.len()));
        seen.insert(letter);
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap().unwrap();
        }
    }
    assert!(seen.len() > 1, "the reader saw one writer only");
    assert_eq!(setup.names(), ["a"]);
}
