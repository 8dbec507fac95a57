//! One thing per group of threads, so that threads that run at the same time seldom write to the same place in memory.
//!
//! Cores that write to one cache line in turn wait for each other each time. Shared by all, the counters of an operation would cost
//! more than all else that is done for it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Groups of threads. Threads are numbered in the order in which they come here, so as many workers as this do not meet.
const SHARDS: usize = 8;

/// A thing for each group.
#[derive(Debug, Default)]
pub(crate) struct Sharded<T>([Apart<T>; SHARDS]);

/// Apart from its neighbours by as much as cores fetch at once: two lines of 64 bytes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> Sharded<T> {
    /// That of this thread's group.
    pub(crate) fn here(&self) -> &T {
        &self.0[group()].0
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|shard| &shard.0)
    }
}

fn group() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static GROUP: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    // A thread that ends has no such number any more, but may still drop what it held.
    GROUP.try_with(|group| *group).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_count_apart_is_all_there() {
        let counts = Sharded::<AtomicUsize>::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counts.here().fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let each: Vec<_> = counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        assert_eq!(each.iter().sum::<usize>(), 20_000);
        assert!(each.iter().filter(|count| **count > 0).count() > 1);
    }
}
