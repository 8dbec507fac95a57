//! A pool, and a connection on loan from it.
//!
//! sqlx gives a connection back however its user leaves it, and lets a round trip tell later whether it still works. After a
//! statement that was broken off that reads what is left of the answer, however long it takes; a connection to a server that has
//! gone silent never comes back at all; and with MySQL, where sqlx reads what is left of the answer to a PREPARE as if it were the
//! answer to the statement, the next one could read the answer of another. So here the lease knows whether an exchange
//! is under way. If so, PostgreSQL gets a second to finish it, MySQL none; then the connection is closed, and replaced. What gives
//! connections back is bounded in time too.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Pool};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::bulk::Insert;
use super::demand::{Demand, Wanted};
use super::dialect::Dialect;
use super::error::{QueryError, is_farewell, leaves_connection_whole};
use super::options::DatabaseOptions;
use super::trust::Trust;
use super::value::Value;
use crate::error::{Cause, panic_text};
use crate::gate::Closing;

/// How long closing a connection may take, or ending its transaction.
const CLOSING: Duration = Duration::from_secs(5);

/// How long the round trip may take with which a connection comes back. Longer than most time-outs of operations, because a timer
/// that is due before all others wakes the runtime's driver, each time: a system call per operation.
const RETURN: Duration = Duration::from_secs(15);

/// How long the rest of an answer may take after its caller is gone, before the connection is closed instead.
const DRAIN: Duration = Duration::from_secs(1);

/// A pool that keeps only as many connections as were needed of late.
pub(super) struct Shelf<D: Dialect> {
    pub(super) pool: Pool<D>,
    kept: u32,
    demand: Arc<Demand>,
    trust: Arc<Trust>,
    closing: Closing,
}

impl<D: Dialect> fmt::Debug for Shelf<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool.fmt(f)
    }
}

impl<D: Dialect> Shelf<D> {
    /// `trust` is the one by which the pool tests its connections.
    pub(super) fn new(pool: Pool<D>, options: &DatabaseOptions, trust: Arc<Trust>) -> Arc<Self> {
        Arc::new(Self {
            pool,
            kept: options.kept(),
            demand: Arc::new(Demand::new(options.overflow_linger)),
            trust,
            closing: Closing::default(),
        })
    }

    /// Lends a connection.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease<D>, Cause> {
        let wanted = self.demand.want();
        let connection = self.acquire().await?;
        Ok(Lease {
            connection: Some((connection, wanted)),
            shelf: Arc::clone(self),
            in_exchange: false,
            in_transaction: false,
            is_undone: false,
        })
    }

    /// A connection that has to be opened is opened in a task of its own: a caller that loses patience would take the work with it,
    /// and so would the next one, for ever if all have less patience than connecting takes.
    async fn acquire(&self) -> Result<PoolConnection<D>, Cause> {
        let is_full = self.pool.size() >= self.pool.options().get_max_connections();
        if is_full || self.pool.num_idle() > 0 {
            return Ok(self.pool.acquire().await?);
        }
        let pool = self.pool.clone();
        match tokio::spawn(async move { pool.acquire().await }).await {
            Ok(acquired) => Ok(acquired?),
            Err(join) => Err(match join.try_into_panic() {
                Ok(panic) => Cause::Panicked(panic_text(&*panic)),
                Err(_) => Cause::Closed,
            }),
        }
    }

    pub(super) async fn fetch_all(
        self: &Arc<Self>,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<D::Row>, Cause> {
        self.lease().await?.fetch_all(sql, params).await
    }

    pub(super) async fn fetch_optional(
        self: &Arc<Self>,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<D::Row>, Cause> {
        self.lease().await?.fetch_optional(sql, params).await
    }

    pub(super) async fn execute(
        self: &Arc<Self>,
        sql: &str,
        params: &[Value],
    ) -> Result<u64, Cause> {
        self.lease().await?.execute(sql, params).await
    }

    /// Lends a connection in a new transaction.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<Lease<D>, Cause> {
        let mut lease = self.lease().await?;
        lease.begin().await?;
        Ok(lease)
    }

    /// Closes idle connections, and the others as they come back: statements under way end with `PoolClosed`.
    pub(super) async fn close(&self) {
        self.closing.close();
        // First those that are idle, because the pool itself begins to close when the last one is back, and somebody may hold one
        // for ever.
        let closed = async {
            while let Some(connection) = self.pool.try_acquire() {
                // Whether the server hears the farewell does not matter.
                let _ = connection.close().await;
            }
            self.pool.close().await;
        };
        if timeout(CLOSING, closed).await.is_err() {
            drop(self.pool.close());
        }
    }

    /// Reads what is left of an answer, if that can be done and is soon over.
    async fn is_drained(connection: &mut PoolConnection<D>) -> bool {
        D::DRAINS && matches!(timeout(DRAIN, connection.ping()).await, Ok(Ok(())))
    }

    /// Closes a connection and opens another one: callers with less patience than connecting takes would never get that far.
    async fn replace(self: Arc<Self>, mut connection: PoolConnection<D>) {
        connection.close_on_drop();
        drop(connection);
        if self.pool.num_idle() == 0
            && let Ok(fresh) = self.pool.acquire().await
        {
            self.give_back(fresh).await;
        }
    }

    /// Rolls back and gives back. On SQLite there may be nothing to roll back, because a BEGIN or COMMIT that was broken off has
    /// ended by itself; elsewhere a rollback that fails closes the connection, which comes to the same.
    async fn roll_back(&self, mut connection: PoolConnection<D>) {
        if D::SURVIVES_CANCELLATION {
            let _ = D::control(&mut connection, "ROLLBACK").await;
            return self.give_back(connection).await;
        }
        match timeout(CLOSING, D::control(&mut connection, "ROLLBACK")).await {
            Ok(Ok(())) => self.give_back(connection).await,
            _ => connection.close_on_drop(),
        }
    }

    async fn give_back(&self, mut connection: PoolConnection<D>) {
        let returned = connection.return_to_pool();
        if D::SURVIVES_CANCELLATION {
            returned.await;
        } else {
            // Dropped half-way, it closes the connection and frees its place in the pool.
            let _ = timeout(RETURN, returned).await;
        }
    }
}

/// A connection on loan. Dropped, it goes back, after a rollback if a transaction is open; in the middle of an exchange it is
/// drained or replaced.
pub(super) struct Lease<D: Dialect> {
    /// There until dropped.
    connection: Option<(PoolConnection<D>, Wanted)>,
    shelf: Arc<Shelf<D>>,
    in_exchange: bool,
    in_transaction: bool,
    /// The database has ended the transaction by itself.
    is_undone: bool,
}

impl<D: Dialect> fmt::Debug for Lease<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("in_exchange", &self.in_exchange)
            .field("in_transaction", &self.in_transaction)
            .finish_non_exhaustive()
    }
}

impl<D: Dialect> Lease<D> {
    pub(super) async fn fetch_all(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<D::Row>, Cause> {
        let (connection, closing) = self.begin_exchange()?;
        let result = closing
            .run(pin!(D::fetch_all(connection, sql, params)))
            .await;
        self.end_exchange(result)
    }

    pub(super) async fn fetch_optional(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<D::Row>, Cause> {
        let (connection, closing) = self.begin_exchange()?;
        let result = closing
            .run(pin!(D::fetch_optional(connection, sql, params)))
            .await;
        self.end_exchange(result)
    }

    pub(super) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Cause> {
        let (connection, closing) = self.begin_exchange()?;
        let result = closing.run(pin!(D::execute(connection, sql, params))).await;
        self.end_exchange(result)
    }

    pub(super) async fn insert(
        &mut self,
        insert: &Insert,
        rows: &[Vec<Value>],
    ) -> Result<u64, Cause> {
        let (connection, closing) = self.begin_exchange()?;
        let result = closing.run(pin!(D::insert(connection, insert, rows))).await;
        self.end_exchange(result)
    }

    async fn begin(&mut self) -> Result<(), Cause> {
        self.in_transaction = true;
        self.control(D::BEGIN).await
    }

    /// Commits. `failed` says that a statement of the transaction has failed.
    pub(super) async fn commit(&mut self, failed: bool) -> Result<(), Cause> {
        if failed && D::COMMIT_MAY_ROLL_BACK {
            // In a transaction that is to be rolled back this fails, where COMMIT would not.
            self.control("SELECT 1").await?;
        }
        self.control("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(super) async fn rollback(&mut self) -> Result<(), Cause> {
        self.is_undone = false;
        self.control("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn control(&mut self, sql: &'static str) -> Result<(), Cause> {
        let (connection, closing) = self.begin_exchange()?;
        let result = closing.run(pin!(D::control(connection, sql))).await;
        self.end_exchange(result)
    }

    fn begin_exchange(&mut self) -> Result<(&mut D::Connection, &Closing), Cause> {
        if self.in_exchange || self.is_undone {
            return Err(QueryError::TransactionLost.into());
        }
        self.in_exchange = true;
        let connection = self.connection.as_mut();
        let (connection, _) = connection.expect("only dropping takes it");
        Ok((&mut *connection, &self.shelf.closing))
    }

    fn end_exchange<T>(&mut self, result: Option<Result<T, Cause>>) -> Result<T, Cause> {
        let result = result.ok_or(sqlx::Error::PoolClosed)?;
        self.in_exchange = match &result {
            Ok(_) => false,
            Err(cause) => !leaves_connection_whole(cause),
        };
        if let Err(cause) = &result {
            if self.in_exchange || is_farewell(cause) {
                self.shelf.trust.shaken();
            }
            self.is_undone = self.in_transaction && D::ends_transaction(cause);
        }
        result
    }
}

impl<D: Dialect> Drop for Lease<D> {
    fn drop(&mut self) {
        let Some((mut connection, wanted)) = self.connection.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            // Without a runtime nothing can be awaited: the connection ends here, and the server with it what was open.
            drop(connection.detach());
            return;
        };
        let shelf = Arc::clone(&self.shelf);
        let is_surplus = shelf.pool.size() > shelf.demand.needed().max(shelf.kept);
        let in_transaction = self.in_transaction;
        let in_exchange = self.in_exchange && !D::SURVIVES_CANCELLATION;
        runtime.spawn(async move {
            if in_exchange && !Shelf::is_drained(&mut connection).await {
                shelf.replace(connection).await;
            } else if in_transaction {
                shelf.roll_back(connection).await;
            } else if is_surplus {
                let _ = timeout(CLOSING, connection.close()).await;
            } else {
                shelf.give_back(connection).await;
            }
            drop(wanted);
        });
    }
}
