//! Where the three databases differ.

use std::future::Future;

use serde_json::Value as Json;

use super::bulk::Insert;
use super::value::Value;
use crate::error::Cause;

/// One database as the façade uses it. The exchanges answer when the server has said all, or, for one row, when the connection
/// itself knows what is left to read.
pub(super) trait Dialect: sqlx::Database {
    /// The statement that begins a transaction.
    const BEGIN: &'static str;
    /// How many parameters a statement can have.
    const MAX_PARAMETERS: usize;
    /// What stands around the name of a table or column, doubled within it.
    const QUOTE: char;
    /// Whether placeholders are `$1`, `$2`, not `?`.
    const NUMBERED: bool;
    /// Whether a statement that was broken off ends by itself without harm.
    const SURVIVES_CANCELLATION: bool;
    /// Whether sqlx finds the end of an answer that was left half-read, wherever that was.
    const DRAINS: bool;
    /// Whether a transaction in which a statement failed may answer COMMIT with a rollback that is no error.
    const COMMIT_MAY_ROLL_BACK: bool;

    fn fetch_all(
        connection: &mut Self::Connection,
        sql: &str,
        params: &[Value],
    ) -> impl Future<Output = Result<Vec<Self::Row>, Cause>> + Send;

    fn fetch_optional(
        connection: &mut Self::Connection,
        sql: &str,
        params: &[Value],
    ) -> impl Future<Output = Result<Option<Self::Row>, Cause>> + Send;

    fn execute(
        connection: &mut Self::Connection,
        sql: &str,
        params: &[Value],
    ) -> impl Future<Output = Result<u64, Cause>> + Send;

    /// Runs a statement that begins or ends a transaction, which not every database prepares.
    fn control(
        connection: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), Cause>> + Send;

    /// Inserts rows with one statement.
    fn insert(
        connection: &mut Self::Connection,
        insert: &Insert,
        rows: &[Vec<Value>],
    ) -> impl Future<Output = Result<u64, Cause>> + Send;

    /// Whether a statement that fails so takes the whole transaction with it, and later ones would run outside of it.
    fn ends_transaction(cause: &Cause) -> bool;

    /// A column of a row as JSON.
    fn json(row: &Self::Row, column: &Self::Column) -> Result<Json, Cause>;
}
