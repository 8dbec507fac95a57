//! Numbers of the file backend.

use std::time::Duration;

use crate::policy::{PolicyOptions, Retry};

/// Numbers of the file backend.
#[derive(Clone, Debug)]
pub struct FilesOptions {
    /// Limits of all operations on files; by default 64 at once, each within 30 seconds. Their work can't be stopped and is not
    /// tried again: `retry` is not used.
    pub policy: PolicyOptions,
    /// The longest file that is read, in bytes; by default 64 MiB.
    pub max_file_size: u64,
    /// How many entries a folder may have to be listed, or a tree to be walked; by default 100,000.
    pub max_entries: usize,
    /// How many folders deep a walk goes: 1 is the folder alone; by default 64.
    pub max_depth: usize,
    /// Whether an operation that changes something ends only when the change is on the disk (`fsync`); by default it does. Without,
    /// a crash of the machine can lose what was written last, and an error of the disk may never be told.
    pub durable: bool,
    /// Whether folders that are missing on the way to a file that is written are made; by default they are not.
    pub create_parents: bool,
}

impl Default for FilesOptions {
    fn default() -> Self {
        Self {
            policy: PolicyOptions {
                max_in_flight: 64,
                time_out: Duration::from_secs(30),
                deadline: Duration::from_secs(60),
                retry: Retry::none(),
            },
            max_file_size: 64 * 1024 * 1024,
            max_entries: 100_000,
            max_depth: 64,
            durable: true,
            create_parents: false,
        }
    }
}
