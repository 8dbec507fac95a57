//! Numbers of a cache, and the limits of a time to live.

use std::time::Duration;

use super::ValueError;
use crate::policy::PolicyOptions;

/// Numbers of a cache.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// Limits of each operation. By default a try may take 2 s and an operation 10 s: what a cache does not have by then is found
    /// faster where it came from.
    pub policy: PolicyOptions,
    /// Redis: how many connections are used in turn; at least 1. Each carries any number of operations at once, and one is enough
    /// until the task that serves it fills a processor. On one, commands run in the order in which they were sent.
    pub connections: usize,
    /// Redis: how long opening a connection may take, name look-up and greeting included. It should be shorter than the try's
    /// time-out, so that an operation can tell that nothing was sent.
    pub connect_time_out: Duration,
    /// Memory: how many bytes may be kept. An entry counts with the bytes of its key and its value and 200 for the book-keeping.
    /// When there is no room, what was used longest ago goes; an entry that alone is larger is not kept.
    pub memory_capacity: u64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            policy: PolicyOptions {
                time_out: Duration::from_secs(2),
                deadline: Duration::from_secs(10),
                ..PolicyOptions::default()
            },
            connections: 1,
            connect_time_out: Duration::from_secs(1),
            memory_capacity: 64 << 20,
        }
    }
}

/// A time to live in whole milliseconds, rounded up: from 1 ms to 100 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ttl(u64);

impl Ttl {
    /// Redis adds it to the time of day in signed 64 bits, moka counts nanoseconds in 64 bits: both hold 100 years.
    const MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

    pub(super) fn new(ttl: Duration) -> Result<Self, ValueError> {
        if ttl.is_zero() || ttl > Self::MAX {
            return Err(ValueError::TtlOutOfRange { ttl });
        }
        let ms = ttl.as_nanos().div_ceil(1_000_000);
        Ok(Self(u64::try_from(ms).expect("100 years fit")))
    }

    /// The same for an optional time to live.
    pub(super) fn optional(ttl: Option<Duration>) -> Result<Option<Self>, ValueError> {
        ttl.map(Self::new).transpose()
    }

    #[cfg(feature = "redis")]
    pub(super) fn as_millis(self) -> u64 {
        self.0
    }

    pub(super) fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_rounded_up_to_milliseconds() {
        let ms = |ttl| Ttl::new(ttl).map(Ttl::as_duration);
        assert_eq!(ms(Duration::from_nanos(1)), Ok(Duration::from_millis(1)));
        assert_eq!(ms(Duration::from_millis(7)), Ok(Duration::from_millis(7)));
        assert_eq!(
            ms(Duration::from_micros(7_001)),
            Ok(Duration::from_millis(8))
        );
        assert_eq!(ms(Ttl::MAX), Ok(Ttl::MAX));
        for ttl in [Duration::ZERO, Ttl::MAX + Duration::from_nanos(1)] {
            assert_eq!(ms(ttl), Err(ValueError::TtlOutOfRange { ttl }));
        }
    }
}
