//! A process that is killed while it writes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nostall_probe::files::FilesOptions;

use super::open;

const FOLDER: &str = "NOSTALL_TEST_FILES_KILLED";

fn is_whole(content: &[u8]) -> bool {
    content.len() == 100_000 && content.iter().all(|byte| *byte == content[0])
}

/// Writes until it is killed, but only as the child of the test below.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let (_io, files) = open(folder.as_ref(), FilesOptions::default()).await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        for letter in b'a'..=b'z' {
            files.write("file", vec![letter; 100_000]).await.unwrap();
        }
    }
}

#[test]
fn a_killed_writer_leaves_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..10 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        let before = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
        let began = Instant::now();
        // Until it has written something, and then a little longer each time.
        while std::fs::metadata(&path)
            .and_then(|metadata| metadata.modified())
            .ok()
            == before.as_ref().ok().copied()
        {
            assert!(began.elapsed() < Duration::from_secs(60), "it never wrote");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(3 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let content = std::fs::read(&path).unwrap();
        assert!(is_whole(&content), "{} bytes", content.len());
        seen.insert(content[0]);
    }
    assert!(seen.len() > 1, "each was killed at the same place");
}
