//! `--output`: which files are replaced whole, which are written in place.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::{BLOCKING, code, err, folder, out, run};

fn check_into(folder: &Path, file: &str) -> std::process::Output {
    run(
        folder,
        &["check", "a.py", "--format", "jsonl", "-q", "-o", file],
    )
}

fn make(folder: &Path, command: &[&str]) -> bool {
    let made = Command::new(command[0])
        .args(&command[1..])
        .current_dir(folder)
        .output();
    made.is_ok_and(|output| output.status.success())
}

#[test]
fn links_stay_and_what_they_name_is_written() {
    let project = folder(&[("a.py", BLOCKING), ("deep/target", "old")]);
    symlink("deep/target", project.path().join("inner")).expect("a link");
    symlink("inner", project.path().join("outer")).expect("a link");
    symlink("deep/new", project.path().join("dangling")).expect("a link");
    for (link, target) in [("outer", "deep/target"), ("dangling", "deep/new")] {
        assert_eq!(code(&check_into(project.path(), link)), 1);
        let link = project.path().join(link);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        let text = fs::read_to_string(project.path().join(target)).expect("written");
        assert!(text.contains("blocking-sleep"), "{text}");
    }
    symlink("round", project.path().join("round")).expect("a link");
    assert_eq!(code(&check_into(project.path(), "round")), 2);
}

#[test]
fn a_file_keeps_its_mode_and_its_owner() {
    let project = folder(&[("a.py", BLOCKING), ("known", "old")]);
    let known = project.path().join("known");
    fs::set_permissions(&known, fs::Permissions::from_mode(0o640)).expect("own file");
    let given_away = std::os::unix::fs::chown(&known, Some(12_345), Some(12_345)).is_ok();
    assert_eq!(code(&check_into(project.path(), "known")), 1);
    let metadata = fs::metadata(&known).expect("there");
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    if given_away {
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 12_345));
    } else {
        eprintln!("not root: that the owner stays is not tried");
    }
}

#[test]
fn a_new_file_has_the_mode_that_the_mask_leaves() {
    let project = folder(&[("a.py", BLOCKING)]);
    let shell = format!(
        "umask 027; exec '{}' check a.py -q -o new",
        env!("CARGO_BIN_EXE_nostall")
    );
    let made = Command::new("sh")
        .args(["-c", &shell])
        .current_dir(project.path())
        .status();
    assert!(made.is_ok_and(|status| status.code() == Some(1)));
    let metadata = fs::metadata(project.path().join("new")).expect("written");
    assert_eq!(metadata.mode() & 0o7777, 0o640);
}

#[test]
fn a_pipe_is_written_to_and_stays() {
    let project = folder(&[("a.py", BLOCKING)]);
    assert!(make(project.path(), &["mkfifo", "pipe"]));
    let pipe = project.path().join("pipe");
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).expect("readable")
    });
    assert_eq!(code(&check_into(project.path(), "pipe")), 1);
    assert!(reader.join().expect("read").contains("blocking-sleep"));
    assert!(
        fs::symlink_metadata(&pipe)
            .expect("there")
            .file_type()
            .is_fifo()
    );
}

/// The nodes are of the kinds of `/dev/null` and `/dev/full`, made in a folder of the test's own.
#[test]
fn a_device_is_written_to_and_stays() {
    let project = folder(&[("a.py", BLOCKING)]);
    let nodes = [("sink", "3"), ("full", "7")];
    let made = nodes
        .iter()
        .all(|(name, minor)| make(project.path(), &["mknod", name, "c", "1", minor]));
    if !made
        || fs::OpenOptions::new()
            .write(true)
            .open(project.path().join("sink"))
            .is_err()
    {
        eprintln!("not root, or no devices here: devices are not tried");
        return;
    }
    assert_eq!(code(&check_into(project.path(), "sink")), 1);
    let full = check_into(project.path(), "full");
    assert_eq!(code(&full), 2);
    assert!(
        err(&full).contains("write full: No space left"),
        "{}",
        err(&full)
    );
    for (name, _) in nodes {
        let metadata = fs::symlink_metadata(project.path().join(name)).expect("there");
        assert!(metadata.file_type().is_char_device(), "{name}");
    }
}

#[test]
fn open_files_of_the_process_are_written_to() {
    let project = folder(&[("a.py", BLOCKING)]);
    symlink("/proc/self/fd/1", project.path().join("standard")).expect("a link");
    symlink("/proc/self/fd", project.path().join("fds")).expect("a link");
    if !Path::new("/proc/self/fd").is_dir() {
        eprintln!("no /proc here: open files are not tried");
        return;
    }
    for path in ["standard", "fds/1"] {
        let output = check_into(project.path(), path);
        assert!(out(&output).contains("blocking-sleep"), "{}", err(&output));
    }
    // What a shell makes of `-o >(cat > caught)`.
    let shell = format!(
        "{{ '{}' check a.py -q -o fds/7 7>&1 >&2 | cat > caught; }} 2>&1; echo before > kept; \
         '{0}' check a.py -q -o fds/7 7>> kept",
        env!("CARGO_BIN_EXE_nostall")
    );
    let output = Command::new("sh")
        .args(["-c", &shell])
        .current_dir(project.path())
        .output()
        .expect("a shell");
    assert_eq!(code(&output), 1, "{}", err(&output));
    for (file, start) in [("caught", "error["), ("kept", "before\nerror[")] {
        let text = fs::read_to_string(project.path().join(file)).expect("written");
        assert!(
            text.starts_with(start) && text.contains("blocking-sleep"),
            "{text}"
        );
    }
}

#[test]
fn a_file_that_may_not_be_written_is_an_error() {
    let project = folder(&[("a.py", BLOCKING), ("sub/x", "")]);
    for (path, reason) in [("sub", "directory"), ("nowhere/found", "No such file")] {
        let output = check_into(project.path(), path);
        assert_eq!(code(&output), 2, "{path}");
        assert!(err(&output).contains(reason), "{}", err(&output));
    }
}
