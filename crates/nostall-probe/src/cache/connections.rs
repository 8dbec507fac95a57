//! Connections to one Redis server, used in turn, and opened again when they are gone.
//!
//! A connection carries any number of operations at once; the library matches replies to them by their order, so that an operation
//! whose caller is gone costs only a reply that nobody reads.
//!
//! The library's `ConnectionManager` would open connections again too. But it keeps a failure to connect for ever if that was not
//! one of I/O (a server at its limit of clients), it does not tell whether a command was sent, and it stays with a connection on
//! which replies stay out.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use redis::aio::ConnectionLike;
use redis::{Cmd, RedisError, RedisFuture, RedisResult, Value};

use super::line::{Line, Sent, Server, Slot, Trouble};
use super::options::CacheOptions;
use crate::gate::Closing;

/// Sends commands to one server. Clones share the connections.
#[derive(Clone)]
pub(super) struct Connections(Arc<Inner>);

struct Inner {
    slots: Vec<Arc<Slot>>,
    turn: AtomicUsize,
    closing: Closing,
    patience: Duration,
    database: i64,
}

impl Connections {
    /// Opens all of them.
    pub(super) async fn open(url: &str, options: &CacheOptions) -> RedisResult<Self> {
        let server = Server::at(url, options.connect_time_out)?;
        let database = server.database();
        let slots: Vec<_> = (0..options.connections.max(1))
            .map(|_| Arc::new(Slot::to(server.clone())))
            .collect();
        try_join_all(slots.iter().map(Slot::line))
            .await
            .map_err(RedisError::from)?;
        let policy = &options.policy;
        Ok(Self(Arc::new(Inner {
            slots,
            turn: AtomicUsize::new(0),
            closing: Closing::default(),
            patience: policy.time_out.min(policy.deadline) / 2,
            database,
        })))
    }

    /// Sends one command. A server's error is a value.
    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, Trouble> {
        let line = self.line().await?;
        let mut connection = line.connection.clone();
        let sent = Sent::on(&line, self.0.patience);
        let reply = pin!(connection.send_packed_command(command));
        sent.ended(self.0.closing.run(reply).await)
    }

    /// Sends several commands; the reply is an array of theirs.
    pub(super) async fn pipeline(&self, pipeline: &redis::Pipeline) -> Result<Value, Trouble> {
        let line = self.line().await?;
        let mut connection = line.connection.clone();
        let sent = Sent::on(&line, self.0.patience);
        let replies = pin!(pipeline.query_async(&mut connection));
        sent.ended(self.0.closing.run(replies).await)
    }

    /// Drops all connections; operations on them end as closed.
    pub(super) fn close(&self) {
        self.0.closing.close();
        for slot in &self.0.slots {
            slot.close();
        }
    }

    async fn line(&self) -> Result<Arc<Line>, Trouble> {
        let slots = &self.0.slots;
        let slot = match &slots[..] {
            // The usual one needs no counter, which all threads would write to.
            [only] => only,
            _ => &slots[self.0.turn.fetch_add(1, Ordering::Relaxed) % slots.len()],
        };
        slot.line().await
    }
}

/// Sends commands of one's own over the cache's connections. See [`Cache::redis`](super::Cache::redis).
#[derive(Clone)]
pub struct RedisConnection(pub(super) Connections);

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        async { self.0.command(command).await.map_err(Into::into) }.boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        async move {
            let line = self.0.line().await?;
            let mut connection = line.connection.clone();
            let sent = Sent::on(&line, self.0.0.patience);
            let replies = connection.send_packed_commands(pipeline, offset, count);
            let replies = pin!(replies.map(|replies| replies.map(Value::Array)));
            match sent.ended(self.0.0.closing.run(replies).await)? {
                Value::Array(replies) => Ok(replies),
                other => Ok(vec![other]),
            }
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        self.0.0.database
    }
}

impl std::fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConnection").finish_non_exhaustive()
    }
}
