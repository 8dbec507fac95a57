//! One pool of database connections: PostgreSQL, MySQL or SQLite, by the URL.
//!
//! SQL is passed as it is, in the database's own dialect. What the façade lacks (streams of rows, LISTEN, COPY, statements that are
//! not kept) the raw pool has: [`Database::postgres`], [`Database::mysql`], [`Database::sqlite`].
//!
//! Each connection keeps the last 100 statements prepared, by their text. SQL that is put together anew each time fills that cache
//! in vain: pass what changes as a value, or use the raw pool with `sqlx::query(…).persistent(false)`. With `postgres://` leave
//! `statement-cache-capacity` above 0, because values are sent in two steps there.
//!
//! **Repetition.** `fetch_*` is taken to be a question: it is asked again after lost connections, time-outs and conflicts. A
//! SELECT that calls a function with effects, or an `INSERT … RETURNING`, belongs into [`Database::transaction`], or needs a
//! policy with [`crate::Retry::none`]. `execute` is tried again only if the error shows that nothing was done.
//!
//! **Cancellation.** A future that is dropped in the middle of a statement never gives its connection back half-read. On
//! PostgreSQL the rest of the answer is read, if it comes within a second; otherwise, and on MySQL always, the connection is closed
//! and replaced (the server may still finish the statement). On SQLite the connection's own thread finishes the statement, and
//! the connection goes back after that; until then SQLite in memory has no connection for others.

mod bulk;
mod connect;
mod demand;
mod dialect;
mod error;
mod lease;
#[cfg(feature = "mysql")]
mod mysql;
mod options;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;
mod trust;
mod value;

use serde::de::DeserializeOwned;
pub use sqlx;

use crate::error::{Cause, Name, Result};
use crate::policy::{Policy, Repeat};
use crate::stats::Kind;
use crate::system::Core;
use bulk::Form;
use connect::{Shelves, on_each};
pub use error::QueryError;
pub(crate) use error::is_transient;
pub use options::DatabaseOptions;
pub use rows::{FromMySqlRow, FromPostgresRow, FromRow, FromSqliteRow};
pub use transaction::{Transaction, Work};
pub use value::Value;

/// A pool of connections to one database. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct Database {
    shelves: Shelves,
    policy: Policy,
    name: Option<Name>,
}

impl Database {
    pub(crate) async fn connect(url: &str, options: DatabaseOptions, core: &Core) -> Result<Self> {
        let (shelves, options) = connect::connect(url, options)
            .await
            .map_err(|cause| Core::error(Kind::Database, "connect", cause))?;
        Ok(Self {
            shelves,
            policy: core.policy(Kind::Database, options.policy()),
            name: None,
        })
    }

    pub(crate) async fn close(&self) {
        on_each!(Shelves, &self.shelves, |shelf| shelf.close().await);
    }

    /// The same pool, under a name for the statistics: all operations of the answer are counted under it.
    ///
    /// Without a name an operation is counted under its method.
    #[must_use]
    pub fn named(&self, name: impl Into<Name>) -> Self {
        Self {
            name: Some(name.into()),
            ..self.clone()
        }
    }

    /// Fetches all rows, as tuples or structs with `#[derive(sqlx::FromRow)]`, for which sqlx with its feature `derive` must be among
    /// your own dependencies: the macro writes `::sqlx`.
    ///
    /// # Errors
    /// [`Cause::Database`] with the database's answer, [`Cause::TimedOut`], [`Cause::Saturated`], [`Cause::Closed`].
    ///
    /// # Cancellation
    /// The statement may still run to its end. Its connection goes back when the answer is read, or is closed and replaced.
    pub async fn fetch_all<T: FromRow>(&self, sql: &str, params: &[Value]) -> Result<Vec<T>> {
        let fetch = || async {
            on_each!(Shelves, &self.shelves, |shelf: D| {
                rows::decode::<D, T>(&shelf.fetch_all(sql, params).await?)
            })
        };
        self.run("fetch_all", Repeat::Always, fetch).await
    }

    /// Fetches the first row, which must be there.
    ///
    /// # Errors
    /// As [`Database::fetch_all`], and [`sqlx::Error::RowNotFound`].
    ///
    /// # Cancellation
    /// As [`Database::fetch_all`].
    pub async fn fetch_one<T: FromRow>(&self, sql: &str, params: &[Value]) -> Result<T> {
        let fetch = || async {
            on_each!(Shelves, &self.shelves, |shelf: D| {
                rows::decode_one::<D, T>(shelf.fetch_optional(sql, params).await?.as_ref())
            })
        };
        self.run("fetch_one", Repeat::Always, fetch).await
    }

    /// Fetches the first row if there is one.
    ///
    /// # Errors
    /// As [`Database::fetch_all`].
    ///
    /// # Cancellation
    /// As [`Database::fetch_all`].
    pub async fn fetch_optional<T: FromRow>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<T>> {
        let fetch = || async {
            on_each!(Shelves, &self.shelves, |shelf: D| {
                rows::decode_optional::<D, T>(shelf.fetch_optional(sql, params).await?.as_ref())
            })
        };
        self.run("fetch_optional", Repeat::Always, fetch).await
    }

    /// Fetches all rows as a type of serde, each row an object with the columns' names.
    ///
    /// Exact numbers (`numeric`, `decimal`) are texts with all their digits; times are texts after RFC 3339, without an offset where
    /// the column has none; UUIDs and enums are texts; bytes are arrays of numbers; NaN and infinities are texts. What SQLite
    /// returns goes by the value, whatever the column was declared as, but for 0 and 1 in a BOOLEAN column.
    ///
    /// # Errors
    /// As [`Database::fetch_all`]; [`QueryError::ColumnType`] for a type not known here; [`Cause::Json`] if the object is not a `T`.
    ///
    /// # Cancellation
    /// As [`Database::fetch_all`].
    pub async fn fetch_json<T: DeserializeOwned>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>> {
        let fetch = || async {
            on_each!(Shelves, &self.shelves, |shelf: D| {
                rows::decode_json::<D, T>(&shelf.fetch_all(sql, params).await?)
            })
        };
        self.run("fetch_json", Repeat::Always, fetch).await
    }

    /// Runs a statement and answers how many rows it affected; on MySQL, how many it found to change.
    ///
    /// # Errors
    /// As [`Database::fetch_all`]. It is tried again only after errors that show that nothing was done: no connection, or a
    /// rollback by the database in favour of another transaction.
    ///
    /// # Cancellation
    /// As [`Database::fetch_all`]: the statement may have run, or not.
    pub async fn execute(&self, sql: &str, params: &[Value]) -> Result<u64> {
        let execute = || async {
            on_each!(Shelves, &self.shelves, |shelf| {
                shelf.execute(sql, params).await
            })
        };
        self.run("execute", Repeat::If(error::nothing_done), execute)
            .await
    }

    /// Begins a transaction, which holds a connection and a place until it ends; on SQLite with BEGIN IMMEDIATE.
    ///
    /// # Errors
    /// As [`Database::fetch_all`].
    ///
    /// # Cancellation
    /// Leaves nothing behind.
    pub async fn begin(&self) -> Result<Transaction<'static>> {
        let held = self.policy.hold(self.name("begin")).await?;
        Transaction::begin(&self.shelves, held).await
    }

    /// Runs `work` in a transaction: commits if it answers `Ok`, rolls back if it answers `Err`.
    ///
    /// It is all done again, `work` included, when an error that another try may mend came before COMMIT was sent, or when the
    /// database rolled back: after serialization failures, deadlocks, a busy SQLite, a lost connection. Effects of `work` outside of the
    /// transaction must bear that.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> nostall_probe::Result<()> {
    /// # let io = nostall_probe::IoSystem::builder().database("sqlite::memory:").build().await?;
    /// # let db = io.database()?;
    /// db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER)", &[]).await?;
    /// db.execute("INSERT INTO account VALUES (1, 10), (2, 0)", &[]).await?;
    /// db.transaction(|tx| Box::pin(async move {
    ///     tx.execute("UPDATE account SET money = money - ? WHERE id = ?", &[5.into(), 1.into()]).await?;
    ///     tx.execute("UPDATE account SET money = money + ? WHERE id = ?", &[5.into(), 2.into()]).await
    /// })).await?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "sqlite"))] fn main() {}
    /// ```
    ///
    /// # Errors
    /// What `work` answered, or as [`Transaction::commit`]; [`QueryError::CommitUnknown`] is never followed by another try.
    ///
    /// # Cancellation
    /// Rolls back, unless COMMIT was sent already.
    pub async fn transaction<'env, T, F>(&self, work: F) -> Result<T>
    where
        F: for<'t> FnMut(&'t mut Transaction<'env>) -> Work<'t, T>,
    {
        let held = self.policy.hold(self.name("transaction")).await?;
        Transaction::run(&self.shelves, held, work).await
    }

    /// Inserts all rows or none, with few statements in one transaction, and answers how many.
    ///
    /// `table` may have the name of a schema before it: `schema.table`. All names are quoted, so upper and lower case count.
    ///
    /// # Errors
    /// [`QueryError::RowLength`] and its like before anything is sent; else as [`Database::transaction`].
    ///
    /// # Cancellation
    /// As [`Database::transaction`].
    pub async fn bulk_insert(
        &self,
        table: &str,
        columns: &[&str],
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Result<u64> {
        let rows: Vec<_> = rows.into_iter().collect();
        let held = self.policy.hold(self.name("bulk_insert")).await?;
        let form = on_each!(Shelves, &self.shelves, |_shelf: D| Form::of::<D>());
        match transaction::insert_into(&form, table, columns, &rows) {
            Ok(insert) => {
                let (insert, rows) = (&insert, rows.as_slice());
                Transaction::run(&self.shelves, held, |transaction| {
                    Box::pin(async move {
                        let inserted = transaction.insert(insert, rows).await;
                        transaction.ended(inserted)
                    })
                })
                .await
            }
            Err(error) => Err(held.failed(error.into())),
        }
    }

    /// The raw pool of PostgreSQL, whose use is neither limited nor counted here; `None` if this is another database.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> Option<&sqlx::PgPool> {
        match &self.shelves {
            Shelves::Postgres(shelf) => Some(&shelf.pool),
            #[cfg(any(feature = "mysql", feature = "sqlite"))]
            _ => None,
        }
    }

    /// The raw pool of MySQL, whose use is neither limited nor counted here; `None` if this is another database.
    #[cfg(feature = "mysql")]
    pub fn mysql(&self) -> Option<&sqlx::MySqlPool> {
        match &self.shelves {
            Shelves::MySql(shelf) => Some(&shelf.pool),
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            _ => None,
        }
    }

    /// The raw pool of SQLite, whose use is neither limited nor counted here; `None` if this is another database.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&self) -> Option<&sqlx::SqlitePool> {
        match &self.shelves {
            Shelves::Sqlite(shelf) => Some(&shelf.pool),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => None,
        }
    }

    /// Each try is boxed: it is of several kilobytes.
    async fn run<T, F, Fut>(
        &self,
        method: &'static str,
        repeat: Repeat,
        mut operation: F,
    ) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Cause>>,
    {
        let operation = || Box::pin(operation());
        self.policy
            .run_as(self.name(method), repeat, operation)
            .await
    }

    fn name(&self, method: &'static str) -> Name {
        self.name.clone().unwrap_or(Name::Borrowed(method))
    }
}
