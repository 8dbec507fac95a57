//! Many operations at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nostall_probe::gather::{Gathered, ItemError};
use nostall_probe::{batch, for_each_concurrent, gather};
use tokio::time::{Instant, sleep};

/// How many run now, and how many did at the most.
#[derive(Default)]
struct Running(AtomicUsize, AtomicUsize);

impl Running {
    async fn during(&self, time: u64) {
        let now = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        self.1.fetch_max(now, Ordering::Relaxed);
        sleep(Duration::from_millis(time)).await;
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn most(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_the_order_of_the_input() {
    let items = (0..100).map(|n| async move {
        sleep(Duration::from_millis(100 - n)).await;
        if n % 10 == 3 { Err(n) } else { Ok(n * n) }
    });
    let Gathered { ok, errors, .. } = gather(items, 100).await;
    let expected: Vec<_> = (0..100).filter(|n| n % 10 != 3).collect();
    assert_eq!(ok.iter().map(|(at, _)| *at).collect::<Vec<_>>(), expected);
    assert!(ok.iter().all(|(at, value)| *value == (at * at) as u64));
    let failed = (0..10).map(|n| (n * 10 + 3, ItemError::Failed(n as u64 * 10 + 3)));
    assert_eq!(errors, failed.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn never_more_than_the_limit_and_always_as_many() {
    for limit in [1, 2, 7, 50, 1000] {
        let running = Running::default();
        let items = (0..50).map(|n| {
            let running = &running;
            async move {
                running.during(10 + n % 3).await;
                Ok::<_, ()>(())
            }
        });
        let gathered = gather(items, limit).await;
        assert_eq!((gathered.ok.len(), running.most()), (50, limit.min(50)));
    }
}

#[tokio::test(start_paused = true)]
async fn items_are_made_only_when_their_turn_comes() {
    let made = AtomicUsize::new(0);
    let items = (0..100).map(|_| {
        made.fetch_add(1, Ordering::Relaxed);
        async {
            sleep(Duration::from_millis(10)).await;
            Ok::<_, ()>(())
        }
    });
    let gathering = tokio::time::timeout(Duration::from_millis(15), gather(items, 4));
    assert!(gathering.await.is_err());
    assert_eq!(made.into_inner(), 8);
}

#[tokio::test(start_paused = true)]
async fn no_limit_counts_as_one() {
    let running = Running::default();
    let one = |_| async {
        running.during(10).await;
        Ok::<_, ()>(())
    };
    let start = Instant::now();
    gather((0..3).map(one), 0).await;
    batch(0..3, 0, 0, |items| one(items[0])).await;
    for_each_concurrent(0..3, 0, one).await;
    assert_eq!((running.most(), start.elapsed().as_millis()), (1, 90));
}

#[tokio::test]
async fn nothing_in_nothing_out() {
    let none = gather(Vec::<std::future::Ready<Result<u8, u8>>>::new(), 5).await;
    assert!(none.ok.is_empty() && none.errors.is_empty());
    assert!(none.into_result().unwrap().is_empty());
    let none = batch(Vec::<u8>::new(), 5, 5, |_| async { Ok::<u8, u8>(1) }).await;
    assert!(none.ok.is_empty() && none.errors.is_empty());
    let none = for_each_concurrent(Vec::<u8>::new(), 5, |_| async { Err(1) }).await;
    assert_eq!((none.ok, none.errors.len()), (0, 0));
}

#[tokio::test]
async fn panics_and_errors_are_kept_and_lose_nothing() {
    let items = (0..9).map(|n| async move {
        tokio::task::yield_now().await;
        match n % 3 {
            0 => Ok(n),
            1 => Err(format!("error {n}")),
            _ => panic!("panic {n}"),
        }
    });
    let gathered = gather(items, 4).await;
    assert_eq!(gathered.ok, [(0, 0), (3, 3), (6, 6)]);
    let failed = |n: usize| (n, ItemError::Failed(format!("error {n}")));
    let panicked = |n: usize| (n, ItemError::Panicked(format!("panic {n}")));
    let expected = [
        failed(1),
        panicked(2),
        failed(4),
        panicked(5),
        failed(7),
        panicked(8),
    ];
    assert_eq!(gathered.errors, expected);
    assert_eq!(gathered.errors[1].1.to_string(), "panicked: panic 2");
    let first = gathered.into_result().unwrap_err();
    assert_eq!(first, ItemError::Failed("error 1".to_owned()));
}

#[tokio::test]
async fn a_panic_while_an_item_is_made_is_kept_too() {
    let made = |n: usize| {
        assert_ne!(n, 2, "made badly");
        async move { if n == 3 { Err("three") } else { Ok(()) } }
    };
    let done = for_each_concurrent(0..6, 2, made).await;
    assert_eq!((done.ok, done.errors.len()), (4, 2));
    let (at, ItemError::Panicked(text)) = &done.errors[0] else {
        panic!("{done:?}");
    };
    assert!(*at == 2 && text.contains("made badly"), "{text}");
    assert_eq!(done.errors[1], (3, ItemError::Failed("three")));

    let batches = batch(0..6, 2, 2, |items: Vec<usize>| {
        assert_ne!(items[0], 2, "made badly");
        async move { Ok::<_, ()>(items) }
    });
    let batches = batches.await;
    assert_eq!(batches.ok, [(0, vec![0, 1]), (2, vec![4, 5])]);
    assert!(matches!(batches.errors[..], [(1, ItemError::Panicked(_))]));
}

#[tokio::test(start_paused = true)]
async fn batches_are_cut_in_order_with_a_rest() {
    let running = Running::default();
    let items = ["a", "b", "c", "d", "e", "f", "g"];
    let cut = batch(items, 3, 2, |items| {
        let running = &running;
        async move {
            running.during(10).await;
            if items.len() == 1 {
                Err(items)
            } else {
                Ok(items.concat())
            }
        }
    });
    let cut = cut.await;
    assert_eq!(cut.ok, [(0, "abc".to_owned()), (1, "def".to_owned())]);
    assert_eq!(cut.errors, [(2, ItemError::Failed(vec!["g"]))]);
    assert_eq!(running.most(), 2);
    let whole = batch(0..5, usize::MAX, 1, |items| async move {
        Ok::<_, ()>(items.len())
    });
    assert_eq!(whole.await.ok, [(0, 5)]);
}

#[tokio::test(start_paused = true)]
async fn dropping_drops_the_items_and_begins_no_more() {
    let held = Arc::new(());
    let begun = AtomicUsize::new(0);
    let items = (0..10).map(|_| {
        let (held, begun) = (held.clone(), &begun);
        async move {
            begun.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_secs(1000)).await;
            drop(held);
            Ok::<_, ()>(())
        }
    });
    let mut gathering = Box::pin(gather(items, 3));
    assert!(futures_util::poll!(&mut gathering).is_pending());
    assert_eq!(Arc::strong_count(&held), 4);
    drop(gathering);
    assert_eq!((Arc::strong_count(&held), begun.into_inner()), (1, 3));
}

#[tokio::test]
async fn items_may_borrow() {
    let names = vec!["a".to_owned(), "b".to_owned()];
    let mut lengths = 0;
    let done = for_each_concurrent(&names, 2, |name| {
        lengths += name.len();
        async move { if name.is_empty() { Err(name) } else { Ok(()) } }
    });
    assert_eq!(done.await.ok, 2);
    assert_eq!(lengths, 2);
    let upper = gather(
        names
            .iter()
            .map(|name| async { Ok::<_, ()>(name.as_str()) }),
        2,
    )
    .await;
    assert_eq!(upper.into_result().unwrap(), ["a", "b"]);
}

#[test]
fn futures_of_sendable_items_go_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    drop(is_send(gather(
        (0..3).map(|n| async move { Ok::<_, ()>(n) }),
        2,
    )));
    drop(is_send(batch(
        0..3,
        2,
        2,
        |n| async move { Ok::<_, ()>(n) },
    )));
    drop(is_send(for_each_concurrent(0..3, 2, |_| async {
        Ok::<_, ()>(())
    })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_items() {
    let items = (0..100_000).map(|n| async move {
        if n % 3 == 0 {
            tokio::task::yield_now().await;
        }
        if n % 7 == 0 { Err(n) } else { Ok(n) }
    });
    let gathered = gather(items, 10_000).await;
    assert_eq!(gathered.ok.len() + gathered.errors.len(), 100_000);
    assert!(gathered.ok.iter().all(|(at, value)| at == value));
}
