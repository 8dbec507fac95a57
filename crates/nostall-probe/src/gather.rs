//! Many operations at once, with a limit. A failing or panicking item never loses the others.
//!
//! Items run within the caller's task: nothing is spawned, so dropping the future drops all of them, and items may borrow. Work
//! that should use several threads spawns inside its item.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};

use crate::error::panic_text;

/// What became of many items, by their place in the input, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gathered<T, E> {
    /// The successes, in the order of the input.
    pub ok: Vec<(usize, T)>,
    /// The failures, in the order of the input.
    pub errors: Vec<(usize, ItemError<E>)>,
}

impl<T, E> Gathered<T, E> {
    /// All values in the order of the input, or the first failure.
    ///
    /// # Errors
    /// The failure that comes first in the input.
    pub fn into_result(self) -> Result<Vec<T>, ItemError<E>> {
        match self.errors.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.ok.into_iter().map(|(_, value)| value).collect()),
        }
    }

    fn sorted(results: Vec<(usize, Result<T, ItemError<E>>)>) -> Self {
        let (mut ok, mut errors) = (Vec::new(), Vec::new());
        for (index, result) in results {
            match result {
                Ok(value) => ok.push((index, value)),
                Err(error) => errors.push((index, error)),
            }
        }
        ok.sort_by_key(|(index, _)| *index);
        errors.sort_by_key(|(index, _)| *index);
        Self { ok, errors }
    }
}

/// Why an item has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemError<E> {
    /// It answered an error.
    Failed(E),
    /// It panicked; the text is the panic's own.
    Panicked(String),
}

impl<E: fmt::Display> fmt::Display for ItemError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for ItemError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Panicked(_) => None,
        }
    }
}

/// Runs operations, at most `limit` at once (0 counts as 1), and answers all of their results.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let items = (0..5).map(|n| async move { if n == 3 { Err("three") } else { Ok(n * n) } });
/// let gathered = nostall_probe::gather(items, 2).await;
/// assert_eq!(gathered.ok, [(0, 0), (1, 1), (2, 4), (4, 16)]);
/// assert_eq!(gathered.errors.len(), 1);
/// # }
/// ```
///
/// # Cancellation
/// Dropping it drops the items that run and never begins the others.
pub async fn gather<I, F, T, E>(items: I, limit: usize) -> Gathered<T, E>
where
    I: IntoIterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    gather_caught(items.into_iter().map(caught), limit).await
}

/// Cuts items into batches of `size` (0 counts as 1) and runs `operation` on each, at most `limit` batches at once.
///
/// The places in the answer count batches.
///
/// # Cancellation
/// As [`gather()`](gather()).
pub async fn batch<I, O, F, T, E>(
    items: I,
    size: usize,
    limit: usize,
    mut operation: O,
) -> Gathered<T, E>
where
    I: IntoIterator,
    O: FnMut(Vec<I::Item>) -> F,
    F: Future<Output = Result<T, E>>,
{
    let mut items = items.into_iter();
    let batches = std::iter::from_fn(|| {
        let batch: Vec<_> = items.by_ref().take(size.max(1)).collect();
        (!batch.is_empty()).then(|| made(catch(|| operation(batch))))
    });
    gather_caught(batches, limit).await
}

/// Runs `operation` on each item, at most `limit` at once (0 counts as 1), and answers how many succeeded and all failures.
///
/// # Cancellation
/// As [`gather()`](gather()).
pub async fn for_each_concurrent<I, O, F, E>(items: I, limit: usize, mut operation: O) -> ForEach<E>
where
    I: IntoIterator,
    O: FnMut(I::Item) -> F,
    F: Future<Output = Result<(), E>>,
{
    let items = items
        .into_iter()
        .map(|item| made(catch(|| operation(item))));
    let gathered = gather_caught(items, limit).await;
    ForEach {
        ok: gathered.ok.len(),
        errors: gathered.errors,
    }
}

/// What became of the items of [`for_each_concurrent`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForEach<E> {
    /// How many succeeded.
    pub ok: usize,
    /// The failures, by their place in the input.
    pub errors: Vec<(usize, ItemError<E>)>,
}

async fn gather_caught<F, T, E>(items: impl Iterator<Item = F>, limit: usize) -> Gathered<T, E>
where
    F: Future<Output = Result<T, ItemError<E>>>,
{
    let numbered = items
        .enumerate()
        .map(|(index, item)| item.map(move |result| (index, result)));
    let results = stream::iter(numbered)
        .buffer_unordered(limit.max(1))
        .collect()
        .await;
    Gathered::sorted(results)
}

/// Makes a future; a panic becomes a value.
fn catch<F>(make: impl FnOnce() -> F) -> std::thread::Result<F> {
    std::panic::catch_unwind(AssertUnwindSafe(make))
}

/// Runs a future that could be made.
async fn made<F, T, E>(item: std::thread::Result<F>) -> Result<T, ItemError<E>>
where
    F: Future<Output = Result<T, E>>,
{
    match item {
        Ok(item) => caught(item).await,
        Err(panic) => Err(ItemError::Panicked(panic_text(&*panic))),
    }
}

/// Runs a future; a panic becomes a value.
async fn caught<T, E>(item: impl Future<Output = Result<T, E>>) -> Result<T, ItemError<E>> {
    match AssertUnwindSafe(item).catch_unwind().await {
        Ok(result) => result.map_err(ItemError::Failed),
        Err(panic) => Err(ItemError::Panicked(panic_text(&*panic))),
    }
}
