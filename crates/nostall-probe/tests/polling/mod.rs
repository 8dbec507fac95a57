//! A caller who leaves in the middle.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Drops the future if it is not ready when it was polled so often: before it is sent, while it waits, in
/// the middle of the answer. Polls are counted, not time, so that a slow machine drops the same callers as a fast one.
pub(crate) async fn up_to<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
