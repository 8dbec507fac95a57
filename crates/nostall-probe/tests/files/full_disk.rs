//! A disk without space, where the test may mount one.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use nostall_probe::Kind;
use nostall_probe::files::FilesOptions;

use super::{Setup, io_kind, names, open};

/// A file system of 1 MiB in memory, which goes away with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "nostall-test"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                println!("no right to mount a small disk: not tried");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let lazily = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(lazily.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_full_disk_is_typed_and_leaves_what_was_there() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    for durable in [true, false] {
        let options = FilesOptions {
            durable,
            ..FilesOptions::default()
        };
        let (io, files) = open(disk.path(), options).await;
        let old = vec![b'o'; 300_000];
        files.write("a", old.clone()).await.unwrap();
        files.write("log", "begin\n").await.unwrap();

        let error = files.write("a", vec![b'n'; 2_000_000]).await.unwrap_err();
        assert_eq!(io_kind(&error), ErrorKind::StorageFull);
        assert!(!error.cause().is_transient() && error.tries() == 1);
        assert!(error.to_string().contains("\"a\": "), "{error}");
        let error = files
            .append("log", vec![b'n'; 2_000_000])
            .await
            .unwrap_err();
        assert_eq!(io_kind(&error), ErrorKind::StorageFull);
        let error = files.append("a", vec![b'n'; 2_000_000]).await.unwrap_err();
        assert_eq!(io_kind(&error), ErrorKind::StorageFull);
        let error = files.write("new", vec![b'n'; 2_000_000]).await.unwrap_err();
        assert_eq!(io_kind(&error), ErrorKind::StorageFull);

        assert_eq!(names(disk.path()), ["a", "log"]);
        assert_eq!(files.read("a").await.unwrap(), old);
        assert_eq!(files.read("log").await.unwrap(), b"begin\n");

        std::fs::write(disk.path().join("ballast"), vec![0; 600_000]).unwrap();
        let error = files.write("a", vec![b'n'; 300_000]).await.unwrap_err();
        assert_eq!(io_kind(&error), ErrorKind::StorageFull);
        files.remove("ballast").await.unwrap();
        files.write("a", vec![b'n'; 300_000]).await.unwrap();
        files.append("log", "end\n").await.unwrap();
        assert_eq!(files.read("a").await.unwrap(), vec![b'n'; 300_000]);
        assert_eq!(files.read("log").await.unwrap(), b"begin\nend\n");

        let figures = io.snapshot().kind(Kind::Files);
        assert_eq!(
            (figures.errors, figures.retries, figures.in_flight),
            (5, 0, 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appenders_on_a_full_disk_lose_nothing_that_was_taken() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let (io, files) = open(disk.path(), FilesOptions::default()).await;
    let line = |n: usize| format!("{n:04}{}\n", "x".repeat(4995));
    let appends = (0..500).map(|n| files.append("log", line(n)));
    let gathered = io.gather(appends, 50).await;
    println!(
        "{} fitted, {} did not",
        gathered.ok.len(),
        gathered.errors.len()
    );
    assert!(!gathered.ok.is_empty() && !gathered.errors.is_empty());
    for (_, error) in &gathered.errors {
        let nostall_probe::gather::ItemError::Failed(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(io_kind(error), ErrorKind::StorageFull);
    }
    let log = files.read_to_string("log").await.unwrap();
    let mut lines: Vec<_> = log.split_inclusive('\n').map(str::to_owned).collect();
    lines.sort();
    let taken: Vec<_> = gathered.ok.iter().map(|(n, ())| line(*n)).collect();
    assert_eq!(lines, taken);
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_leaves_the_old_file() {
    use std::os::unix::fs::PermissionsExt;
    let setup = Setup::new().await;
    setup.files.write("a", "old").await.unwrap();
    let lock = |mode| {
        let permissions = PermissionsExt::from_mode(mode);
        std::fs::set_permissions(setup.root(), permissions).unwrap();
    };
    lock(0o555);
    let as_root = std::fs::write(setup.root().join("probe"), "").is_ok();
    let error = setup.files.write("a", "new").await;
    lock(0o755);
    if as_root {
        println!("nothing is forbidden to this user: not tried");
        return;
    }
    assert_eq!(io_kind(&error.unwrap_err()), ErrorKind::PermissionDenied);
    assert_eq!(setup.files.read("a").await.unwrap(), b"old");
    assert_eq!(setup.names(), ["a"]);
}

/// The new file has its temporary name already when the last step fails.
#[tokio::test]
async fn a_file_that_may_not_be_replaced_stays_and_no_temporary_one_is_left() {
    let setup = Setup::new().await;
    setup.files.write("a", "old").await.unwrap();
    let path = setup.root().join("a");
    let lock = |flag| {
        let locked = Command::new("chattr").arg(flag).arg(&path).output();
        locked.is_ok_and(|output| output.status.success())
    };
    if !lock("+i") {
        println!("no right to make a file immutable, or not on this file system: not tried");
        return;
    }
    let error = setup.files.write("a", "new").await;
    assert!(lock("-i"));
    assert_eq!(io_kind(&error.unwrap_err()), ErrorKind::PermissionDenied);
    assert_eq!(setup.files.read("a").await.unwrap(), b"old");
    assert_eq!(setup.names(), ["a"]);
}
