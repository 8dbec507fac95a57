//! Very many at once.

use nostall_probe::files::FilesOptions;
use nostall_probe::{Kind, Result};

use super::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_at_once_none_lost() {
    let setup = Setup::with(FilesOptions {
        durable: false,
        ..FilesOptions::default()
    })
    .await;
    let files = &setup.files;
    for folder in 0..10 {
        files.create_dir_all(folder.to_string()).await.unwrap();
    }
    let operation = |n: usize| {
        let files = files.named(["even", "odd"][n % 2]);
        async move {
            let path = format!("{}/{n}", n % 10);
            match n % 4 {
                0 | 1 => files.write(&path, n.to_string()).await,
                2 => files.append(&path, n.to_string()).await,
                _ => files.read(&path).await.map(drop),
            }
        }
    };
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..10_000 {
        let operation = operation(n);
        tasks.spawn(async move { (n, operation.await) });
    }
    let (mut ok, mut errors) = ([0; 2], [0; 2]);
    while let Some(ended) = tasks.join_next().await {
        let (n, result): (usize, Result<()>) = ended.unwrap();
        // Every fourth reads what was never written.
        assert_eq!(result.is_err(), n % 4 == 3, "{n}: {result:?}");
        match result {
            Ok(()) => ok[n % 2] += 1,
            Err(_) => errors[n % 2] += 1,
        }
    }
    let snapshot = setup.io.snapshot();
    for (at, name) in ["even", "odd"].into_iter().enumerate() {
        let figures = snapshot.name(Kind::Files, name);
        assert_eq!((figures.ok, figures.errors), (ok[at], errors[at]));
        assert_eq!(
            (figures.operations, figures.offloaded_operations),
            (5000, 5000)
        );
        assert_eq!((figures.cancelled, figures.in_flight), (0, 0));
    }
    assert_eq!((ok, errors), ([5000, 2500], [0, 2500]));
    let found = files.walk(".").await.unwrap();
    assert_eq!(found.len(), 10 + 7500);

    let read = |n: usize| {
        let files = files.clone();
        async move { files.read_to_string(format!("{}/{n}", n % 10)).await }
    };
    let written = (0..10_000).filter(|n| n % 4 != 3);
    let gathered = setup.io.gather(written.clone().map(read), 10_000).await;
    let texts = gathered.into_result().unwrap();
    assert!(
        texts
            .iter()
            .zip(written)
            .all(|(text, n)| *text == n.to_string())
    );
    let figures = setup.io.snapshot().name(Kind::Files, "read_to_string");
    assert_eq!((figures.ok, figures.errors), (7500, 0));
    assert!(
        figures.in_flight_max > 64,
        "the bulkhead did not let them wait"
    );
}
