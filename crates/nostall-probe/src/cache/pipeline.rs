//! Several commands in one message, and the reply to each of them.

use std::time::Duration;

use super::ValueError;
use super::options::Ttl;
use crate::error::Cause;

/// Several commands that are sent in one message; each has a [`Reply`] of its own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> nostall_probe::Result<()> {
/// use nostall_probe::IoSystem;
/// use nostall_probe::cache::{Pipeline, Reply};
///
/// let io = IoSystem::builder().cache("memory:").build().await?;
/// let pipeline = Pipeline::new().set("hits", "41", None).incr("hits", 1).get("hits");
/// let replies = io.cache()?.pipeline(pipeline).await?;
/// assert!(matches!(replies[1], Reply::Incr(42)));
/// assert_eq!(replies[2].text(), Some("42"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    pub(super) commands: Vec<Command>,
    pub(super) atomic: bool,
    /// What is wrong with a command; then none is sent.
    pub(super) wrong: Option<ValueError>,
}

#[derive(Clone, Debug)]
pub(super) enum Command {
    Get {
        key: String,
    },
    Set {
        key: String,
        value: Vec<u8>,
        ttl: Option<Ttl>,
    },
    Del {
        key: String,
    },
    Incr {
        key: String,
        by: i64,
    },
    Expire {
        key: String,
        ttl: Ttl,
    },
}

/// The reply to one command of a [`Pipeline`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// To `get`: the value, if there is one.
    Get(Option<Vec<u8>>),
    /// To `set`: it is set.
    Set,
    /// To `del`: whether there was such a key.
    Del(bool),
    /// To `incr`: the sum.
    Incr(i64),
    /// To `expire`: whether there is such a key.
    Expire(bool),
    /// This command failed; the others have replies of their own.
    Failed(Cause),
}

impl Reply {
    /// The value that `get` found, if it is UTF-8 text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Get(Some(value)) => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }
}

impl Pipeline {
    /// Begins without commands.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets no other operation get between its commands (`MULTI` and `EXEC` in Redis). A command that fails does not undo the others.
    ///
    /// Without it commands run in their order, but those of others may run in between, in Redis as in memory.
    #[must_use]
    pub fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }

    /// Reads a value.
    #[must_use]
    pub fn get(self, key: impl Into<String>) -> Self {
        self.with(Command::Get { key: key.into() })
    }

    /// Sets a value, with a time to live or for ever.
    #[must_use]
    pub fn set(
        self,
        key: impl Into<String>,
        value: impl Into<Vec<u8>>,
        ttl: Option<Duration>,
    ) -> Self {
        match Ttl::optional(ttl) {
            Ok(ttl) => self.with(Command::Set {
                key: key.into(),
                value: value.into(),
                ttl,
            }),
            Err(error) => self.wrong(error),
        }
    }

    /// Removes a value.
    #[must_use]
    pub fn del(self, key: impl Into<String>) -> Self {
        self.with(Command::Del { key: key.into() })
    }

    /// Adds to a whole number; a missing one counts as 0.
    #[must_use]
    pub fn incr(self, key: impl Into<String>, by: i64) -> Self {
        self.with(Command::Incr {
            key: key.into(),
            by,
        })
    }

    /// Gives a value another time to live.
    #[must_use]
    pub fn expire(self, key: impl Into<String>, ttl: Duration) -> Self {
        match Ttl::new(ttl) {
            Ok(ttl) => self.with(Command::Expire {
                key: key.into(),
                ttl,
            }),
            Err(error) => self.wrong(error),
        }
    }

    /// How many commands it has.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whether running it twice has the effect and the replies of running it once, `del` apart: it only reads, or only sets, removes
    /// and expires. With both, the second run could read what the first one wrote.
    pub(super) fn may_be_repeated(&self) -> bool {
        let reads = |command: &Command| matches!(command, Command::Get { .. });
        let adds = |command: &Command| matches!(command, Command::Incr { .. });
        self.commands.iter().all(reads)
            || !self
                .commands
                .iter()
                .any(|command| reads(command) || adds(command))
    }

    fn with(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    fn wrong(mut self, error: ValueError) -> Self {
        self.wrong.get_or_insert(error);
        self
    }
}

impl Command {
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Get { key }
            | Self::Set { key, .. }
            | Self::Del { key }
            | Self::Incr { key, .. }
            | Self::Expire { key, .. } => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reads_alone_or_writes_alone_may_be_repeated() {
        let ttl = Duration::from_secs(1);
        let writes = Pipeline::new()
            .set("a", "1", None)
            .del("b")
            .expire("c", ttl);
        let reads = Pipeline::new().get("a").get("b");
        assert!(Pipeline::new().may_be_repeated());
        assert!(reads.may_be_repeated());
        assert!(writes.may_be_repeated());
        assert!(!writes.get("a").may_be_repeated());
        assert!(
            !Pipeline::new()
                .set("a", "1", None)
                .incr("a", 1)
                .may_be_repeated()
        );
    }
}
