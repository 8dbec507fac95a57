//! Adding to the end.

use nostall_probe::files::FilesOptions;

use super::Setup;

#[tokio::test]
async fn appends_make_the_file_and_add_to_it() {
    for durable in [true, false] {
        let setup = Setup::with(FilesOptions {
            durable,
            ..FilesOptions::default()
        })
        .await;
        let files = &setup.files;
        files.append("log", "one\n").await.unwrap();
        files.append("log", b"two\n").await.unwrap();
        files.append("log", "").await.unwrap();
        assert_eq!(files.read_to_string("log").await.unwrap(), "one\ntwo\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_of_many_never_mix() {
    let setup = Setup::with(FilesOptions {
        durable: false,
        ..FilesOptions::default()
    })
    .await;
    let line = |n: usize| format!("{n:04}{}\n", "x".repeat(n * 37 % 5000));
    let appends = (0..1000).map(|n| setup.files.append("log", line(n)));
    let gathered = setup.io.gather(appends, 100).await;
    assert_eq!(gathered.ok.len(), 1000);
    let log = setup.files.read_to_string("log").await.unwrap();
    let mut lines: Vec<_> = log.split_inclusive('\n').collect();
    lines.sort_unstable();
    let expected: Vec<_> = (0..1000).map(line).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_replaced_file_does_not_get_appends_to_the_old_one() {
    let setup = Setup::new().await;
    let files = &setup.files;
    files.append("log", "old").await.unwrap();
    files.write("log", "new").await.unwrap();
    files.append("log", " more").await.unwrap();
    assert_eq!(files.read("log").await.unwrap(), b"new more");
}
