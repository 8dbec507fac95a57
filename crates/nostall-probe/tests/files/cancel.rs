//! Callers that go away, and the end of the system.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use nostall_probe::files::FilesOptions;
use nostall_probe::{Cause, Kind, PolicyOptions};
use serde::{Serialize, Serializer};

use super::Setup;

const LONG: Duration = Duration::from_secs(60);

/// A value that says when it is being written, and is done when it is told.
struct Slow {
    began: Sender<()>,
    go_on: Receiver<()>,
}

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.began.send(()).unwrap();
        self.go_on.recv().unwrap();
        serializer.serialize_str("new")
    }
}

/// The value, and the ends by which it is held: told that it began, and to go on.
fn slow() -> (Slow, Receiver<()>, Sender<()>) {
    let (began, has_begun) = channel();
    let (release, go_on) = channel();
    (Slow { began, go_on }, has_begun, release)
}

async fn one_at_once(time_out: Duration, deadline: Duration) -> Setup {
    let setup = Setup::with(FilesOptions {
        policy: PolicyOptions {
            max_in_flight: 1,
            time_out,
            deadline,
            ..FilesOptions::default().policy
        },
        ..FilesOptions::default()
    })
    .await;
    std::fs::write(setup.root().join("a"), "old").unwrap();
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_caller_is_gone_goes_on_and_holds_its_place() {
    let setup = one_at_once(LONG, Duration::from_millis(300)).await;
    let files = &setup.files;
    let (value, has_begun, release) = slow();
    let caller = tokio::spawn({
        let files = files.clone();
        async move { files.write_json_owned("a", value).await }
    });
    has_begun.recv().unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    let snapshot = setup.io.snapshot();
    let figures = snapshot.kind(Kind::Files);
    assert_eq!((figures.cancelled, figures.in_flight), (1, 0));
    assert_eq!(figures.offloaded_operations, 1);

    let error = files.read("a").await.unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Saturated { limit: 1, .. }),
        "{error:?}"
    );
    assert_eq!(std::fs::read(setup.root().join("a")).unwrap(), b"old");
    let shutdown = setup.io.shutdown(Duration::from_millis(50)).await;
    assert_eq!(shutdown.abandoned, 1);

    release.send(()).unwrap();
    let shutdown = setup.io.shutdown(Duration::from_secs(10)).await;
    assert_eq!(shutdown.abandoned, 0);
    assert_eq!(std::fs::read(setup.root().join("a")).unwrap(), b"\"new\"");
    assert_eq!(setup.names(), ["a"]);
    let error = files.read("a").await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Closed), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_out_of_time_goes_on_and_gives_its_place_back() {
    let setup = one_at_once(Duration::from_millis(50), LONG).await;
    let files = &setup.files;
    let (value, has_begun, release) = slow();
    let error = files.write_json_owned("a", value).await.unwrap_err();
    has_begun.recv().unwrap();
    assert!(error.is_time_out() && error.tries() == 1, "{error:?}");
    let cause = error.cause();
    assert!(matches!(cause, Cause::TimedOut { limit } if limit.as_millis() == 50));
    release.send(()).unwrap();
    // Waits for the place; may itself be out of time on a busy machine.
    let (mut content, mut tries) = (files.read("a").await, 1);
    while content.is_err() && tries < 100 {
        (content, tries) = (files.read("a").await, tries + 1);
    }
    assert_eq!(content.unwrap(), b"\"new\"");
    let figures = setup.io.snapshot().kind(Kind::Files);
    assert_eq!((figures.ok, figures.errors), (1, tries));
    assert_eq!((figures.time_outs, figures.operations), (tries, tries + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_work_is_typed_and_gives_the_place_back() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("no text for {}", "this");
        }
    }
    let setup = one_at_once(LONG, LONG).await;
    let error = setup.files.write_json_owned("a", Panics).await.unwrap_err();
    let Cause::Panicked(text) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!(text, "no text for this");
    assert_eq!(setup.files.read("a").await.unwrap(), b"old");
    let figures = setup.io.snapshot().kind(Kind::Files);
    assert_eq!((figures.operations, figures.offloaded_operations), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_callers_leave_whole_files_and_nothing_in_flight() {
    let setup = Setup::with(FilesOptions {
        durable: false,
        ..FilesOptions::default()
    })
    .await;
    let content = |n: usize| vec![b'a' + u8::try_from(n % 26).unwrap(); 200_000];
    let mut callers = Vec::new();
    for n in 0..500 {
        let files = setup.files.clone();
        let content = content(n);
        callers.push(tokio::spawn(async move {
            files.write(format!("{}", n % 50), content).await
        }));
        if n % 5 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for caller in callers.iter().step_by(2) {
        caller.abort();
    }
    let (mut ok, mut cancelled) = (0, 0);
    for caller in callers {
        match caller.await {
            Ok(written) => {
                written.unwrap();
                ok += 1;
            }
            Err(error) => {
                assert!(error.is_cancelled());
                cancelled += 1;
            }
        }
    }
    assert_eq!(
        setup.io.shutdown(Duration::from_secs(30)).await.abandoned,
        0
    );
    let figures = setup.io.snapshot().kind(Kind::Files);
    println!(
        "{ok} written, {cancelled} cancelled, {} of them begun",
        figures.cancelled
    );
    assert_eq!((figures.ok, figures.errors, figures.in_flight), (ok, 0, 0));
    // A task that was aborted before its first poll never began an operation.
    assert!(figures.cancelled <= cancelled);
    for name in setup.names() {
        assert!(name.len() <= 2, "{name} was left");
        let content = std::fs::read(setup.root().join(name)).unwrap();
        assert_eq!(content.len(), 200_000);
        assert!(content.iter().all(|byte| *byte == content[0]));
    }
}
