//! Transactions: one place of the bulkhead and one connection, from BEGIN to the end.

use std::marker::PhantomData;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout_at};

use super::bulk::{Form, Insert};
use super::connect::{Shelves, on_each};
use super::error::{QueryError, nothing_committed, rolled_back};
use super::lease::Lease;
use super::rows::{self, FromRow};
use super::value::Value;
use crate::error::{Cause, Error, Result};
use crate::policy::Held;

/// The future that a closure of [`crate::Database::transaction`] answers: `Box::pin(async move { … })`.
pub type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 't>>;

/// A transaction.
///
/// All of it is one operation of the statistics: in flight from the call of `begin` until it is committed, rolled back or dropped.
/// The deadline of the policy is one for all of its statements; the time-out of a try is one for each of them. A statement
/// that runs into either is broken off and takes the transaction with it.
///
/// # Cancellation
/// Dropped without [`Transaction::commit`], also in the middle of a statement, it is rolled back.
///
/// `'env` is what a closure of [`crate::Database::transaction`] may borrow from around it.
#[derive(Debug)]
pub struct Transaction<'env> {
    // Before `held`, so that the connection is on its way back before the place is free.
    session: Session,
    held: Held,
    env: PhantomData<&'env ()>,
}

/// A connection in a transaction.
#[derive(Debug)]
enum Session {
    #[cfg(feature = "postgres")]
    Postgres(Lease<sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(Lease<sqlx::MySql>),
    #[cfg(feature = "sqlite")]
    Sqlite(Lease<sqlx::Sqlite>),
}

impl<'env> Transaction<'env> {
    /// Begins; failures that another try may mend are followed by one.
    pub(super) async fn begin(shelves: &Shelves, mut held: Held) -> Result<Self> {
        loop {
            let cause = match held.step(open(shelves)).await {
                Ok(session) => return Ok(Self::new(session, held)),
                Err(cause) => cause,
            };
            if !cause.is_transient() {
                return Err(held.failed(cause));
            }
            match held.next_try() {
                Some(pause) => sleep(pause).await,
                None => return Err(held.failed(cause)),
            }
        }
    }

    fn new(session: Session, held: Held) -> Self {
        Self {
            session,
            held,
            env: PhantomData,
        }
    }

    /// Runs `work` in a transaction and commits it; what the database rolled back is done again.
    pub(super) async fn run<T, F>(shelves: &Shelves, mut held: Held, mut work: F) -> Result<T>
    where
        F: for<'t> FnMut(&'t mut Self) -> Work<'t, T>,
    {
        loop {
            let mut transaction = Self::begin(shelves, held).await?;
            let failure = match transaction.attempt(&mut work).await {
                Ok(value) => {
                    transaction.held.succeeded();
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            held = transaction.undone().await;
            let pause = if failure.may_repeat {
                held.next_try()
            } else {
                None
            };
            match pause {
                Some(pause) => sleep(pause).await,
                None => return Err(held.failed_with(failure.error)),
            }
        }
    }

    /// Rolls back, so that its locks are free before a pause. If that fails, the end of the connection does it.
    async fn undone(mut self) -> Held {
        let Self { session, held, .. } = &mut self;
        let _ = on_each!(Session, session, |lease| held.step(lease.rollback()).await);
        self.held
    }

    async fn attempt<T, F>(&mut self, work: &mut F) -> Result<T, Failure>
    where
        F: for<'t> FnMut(&'t mut Self) -> Work<'t, T>,
    {
        let until = self.held.deadline();
        // Nothing was committed yet, so whatever failed is undone.
        let value = match timeout_at(until, work(self)).await {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                let last = self.held.last_failure();
                let may_repeat = last.is_some_and(|last| last.transient);
                return Err(Failure { error, may_repeat });
            }
            Err(_) => {
                return Err(Failure {
                    error: self.held.error(self.held.out_of_time()),
                    may_repeat: false,
                });
            }
        };
        match self.commit_session().await {
            Ok(()) => Ok(value),
            Err(cause) => Err(Failure {
                may_repeat: rolled_back(&cause),
                error: self.held.error(cause),
            }),
        }
    }

    /// Fetches all rows. See [`crate::Database::fetch_all`]; a transaction's statements are never tried again by themselves.
    ///
    /// # Errors
    /// The first error of the statement.
    ///
    /// # Cancellation
    /// Dropped in the middle, it takes the transaction with it.
    pub async fn fetch_all<T: FromRow>(&mut self, sql: &str, params: &[Value]) -> Result<Vec<T>> {
        let Self { session, held, .. } = self;
        let result = on_each!(Session, session, |lease: D| {
            let fetched = held.step(lease.fetch_all(sql, params)).await;
            fetched.and_then(|fetched| rows::decode::<D, T>(&fetched))
        });
        self.ended(result)
    }

    /// Fetches the first row, which must be there. See [`Transaction::fetch_all`].
    ///
    /// # Errors
    /// As [`Transaction::fetch_all`], and [`sqlx::Error::RowNotFound`].
    ///
    /// # Cancellation
    /// As [`Transaction::fetch_all`].
    pub async fn fetch_one<T: FromRow>(&mut self, sql: &str, params: &[Value]) -> Result<T> {
        let Self { session, held, .. } = self;
        let result = on_each!(Session, session, |lease: D| {
            let fetched = held.step(lease.fetch_optional(sql, params)).await;
            fetched.and_then(|fetched| rows::decode_one::<D, T>(fetched.as_ref()))
        });
        self.ended(result)
    }

    /// Fetches the first row if there is one. See [`Transaction::fetch_all`].
    ///
    /// # Errors
    /// As [`Transaction::fetch_all`].
    ///
    /// # Cancellation
    /// As [`Transaction::fetch_all`].
    pub async fn fetch_optional<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<T>> {
        let Self { session, held, .. } = self;
        let result = on_each!(Session, session, |lease: D| {
            let fetched = held.step(lease.fetch_optional(sql, params)).await;
            fetched.and_then(|fetched| rows::decode_optional::<D, T>(fetched.as_ref()))
        });
        self.ended(result)
    }

    /// Fetches all rows as a type of serde. See [`crate::Database::fetch_json`].
    ///
    /// # Errors
    /// As [`Transaction::fetch_all`].
    ///
    /// # Cancellation
    /// As [`Transaction::fetch_all`].
    pub async fn fetch_json<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>> {
        let Self { session, held, .. } = self;
        let result = on_each!(Session, session, |lease: D| {
            let fetched = held.step(lease.fetch_all(sql, params)).await;
            fetched.and_then(|fetched| rows::decode_json::<D, T>(&fetched))
        });
        self.ended(result)
    }

    /// Runs a statement and answers how many rows it affected.
    ///
    /// # Errors
    /// As [`Transaction::fetch_all`].
    ///
    /// # Cancellation
    /// As [`Transaction::fetch_all`].
    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let Self { session, held, .. } = self;
        let result = on_each!(Session, session, |lease| {
            held.step(lease.execute(sql, params)).await
        });
        self.ended(result)
    }

    /// Inserts many rows with few statements. See [`crate::Database::bulk_insert`].
    ///
    /// # Errors
    /// As [`crate::Database::bulk_insert`]. Some of the rows may be inserted then: roll back.
    ///
    /// # Cancellation
    /// As [`Transaction::fetch_all`].
    pub async fn bulk_insert(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Result<u64> {
        let rows: Vec<_> = rows.into_iter().collect();
        let inserted = match insert_into(&self.form(), table, columns, &rows) {
            Ok(insert) => self.insert(&insert, &rows).await,
            Err(error) => Err(error.into()),
        };
        self.ended(inserted)
    }

    /// Inserts checked rows.
    pub(super) async fn insert(
        &mut self,
        insert: &Insert,
        mut rows: &[Vec<Value>],
    ) -> Result<u64, Cause> {
        let Self { session, held, .. } = self;
        let mut inserted = 0;
        while !rows.is_empty() {
            let (chunk, rest) = insert.chunk(rows);
            inserted += on_each!(Session, &mut *session, |lease| {
                held.step(lease.insert(insert, chunk)).await?
            });
            rows = rest;
        }
        Ok(inserted)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`QueryError::CommitUnknown`] if no answer came; any other error says that nothing was committed.
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves open whether the transaction took place.
    pub async fn commit(mut self) -> Result<()> {
        match self.commit_session().await {
            Ok(()) => {
                let Self { session, held, .. } = self;
                drop(session);
                held.succeeded();
                Ok(())
            }
            Err(cause) => Err(self.held.failed(cause)),
        }
    }

    async fn commit_session(&mut self) -> Result<(), Cause> {
        let Self { session, held, .. } = self;
        let failed = held.last_failure().is_some();
        let result = on_each!(Session, session, |lease| held
            .step(lease.commit(failed))
            .await);
        result.map_err(|cause| {
            if nothing_committed(&cause) {
                return cause;
            }
            let source = Box::new(cause);
            QueryError::CommitUnknown { source }.into()
        })
    }

    /// Rolls back. Dropping does the same, without waiting for it.
    ///
    /// # Errors
    /// If the connection broke. The database rolls back then too.
    ///
    /// # Cancellation
    /// Dropped before it is ready, it is rolled back all the same.
    pub async fn rollback(mut self) -> Result<()> {
        let Self { session, held, .. } = &mut self;
        let result = on_each!(Session, session, |lease| held.step(lease.rollback()).await);
        match result {
            Ok(()) => {
                let Self { session, held, .. } = self;
                drop(session);
                held.succeeded();
                Ok(())
            }
            Err(cause) => Err(self.held.failed(cause)),
        }
    }

    /// Makes an error of this transaction from one of the caller's own, for a closure of [`crate::Database::transaction`] that
    /// wants it rolled back: `Err(tx.error(Cause::permanent(NoMoney)))`.
    pub fn error(&self, cause: impl Into<Cause>) -> Error {
        self.held.error(cause.into())
    }

    fn form(&self) -> Form {
        on_each!(Session, &self.session, |_lease: D| Form::of::<D>())
    }

    pub(super) fn ended<T>(&mut self, result: Result<T, Cause>) -> Result<T> {
        result.map_err(|cause| {
            self.held.note(&cause);
            self.held.error(cause)
        })
    }
}

/// How a try of a whole transaction failed.
struct Failure {
    error: Error,
    may_repeat: bool,
}

/// Lends a connection in a new transaction.
async fn open(shelves: &Shelves) -> Result<Session, Cause> {
    Ok(match shelves {
        #[cfg(feature = "postgres")]
        Shelves::Postgres(shelf) => Session::Postgres(shelf.begin().await?),
        #[cfg(feature = "mysql")]
        Shelves::MySql(shelf) => Session::MySql(shelf.begin().await?),
        #[cfg(feature = "sqlite")]
        Shelves::Sqlite(shelf) => Session::Sqlite(shelf.begin().await?),
    })
}

/// Checks all of a bulk insert before anything is sent.
pub(super) fn insert_into(
    form: &Form,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Value>],
) -> Result<Insert, QueryError> {
    let insert = Insert::new(form, table, columns)?;
    insert.check(rows)?;
    Ok(insert)
}
