//! SQLite: a file, or memory.
//!
//! Files are opened in WAL mode, so that readers and a writer don't wait for each other; with foreign keys on; and with
//! `synchronous = FULL`: with NORMAL a power failure may take back transactions that were already reported as committed. A
//! connection waits up to five seconds for another one's lock before it answers SQLITE_BUSY. Transactions begin with BEGIN
//! IMMEDIATE: two that read and then write follow each other, also from two processes, where a plain BEGIN would let the second
//! one fail when it wants to write.

use std::str::FromStr;
use std::time::Duration;

use serde_json::Value as Json;
use sqlx::sqlite::{
    SqliteArguments, SqliteColumn, SqliteConnectOptions, SqliteConnection, SqliteJournalMode,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, Column, Row, Sqlite, Type, TypeInfo, ValueRef};

use super::bulk::Insert;
use super::dialect::Dialect;
use super::error::{Fault, QueryError};
use super::rows::float;
use super::value::Value;
use crate::error::Cause;

/// Reads the URL, and says whether the database is in memory.
pub(super) fn options(url: &str) -> Result<(SqliteConnectOptions, bool), sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    let (name, query) = url.split_once('?').unwrap_or((url, ""));
    let has = |wanted: &str| query.split('&').any(|setting| setting == wanted);
    let name = name.trim_start_matches("sqlite:").trim_start_matches("//");
    if name == ":memory:" || has("mode=memory") {
        return Ok((options, true));
    }
    let options = options.synchronous(SqliteSynchronous::Full);
    if has("mode=ro") || has("immutable=1") || has("immutable=true") {
        return Ok((options, false));
    }
    let options = options.journal_mode(SqliteJournalMode::Wal);
    Ok((options.create_if_missing(!has("mode=rw")), false))
}

/// Judges a result code; its low byte is the primary one. <https://www.sqlite.org/rescode.html>
pub(super) fn fault(code: Option<&str>) -> Fault {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    match code.and_then(|code| code.parse::<u32>().ok()) {
        Some(code) if matches!(code & 0xff, BUSY | LOCKED) => Fault::RolledBack,
        _ => Fault::Permanent,
    }
}

impl Dialect for Sqlite {
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const MAX_PARAMETERS: usize = 32_766;
    const QUOTE: char = '"';
    const NUMBERED: bool = false;
    // The connection's thread ends the statement by itself. Closing it would lose a database in memory.
    const SURVIVES_CANCELLATION: bool = true;
    const DRAINS: bool = true;
    const COMMIT_MAY_ROLL_BACK: bool = false;

    async fn fetch_all(
        connection: &mut SqliteConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<SqliteRow>, Cause> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments(params)?);
        Ok(query.fetch_all(connection).await?)
    }

    async fn fetch_optional(
        connection: &mut SqliteConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<SqliteRow>, Cause> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments(params)?);
        Ok(query.fetch_optional(connection).await?)
    }

    async fn execute(
        connection: &mut SqliteConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<u64, Cause> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments(params)?);
        Ok(query.execute(connection).await?.rows_affected())
    }

    async fn control(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Cause> {
        sqlx::raw_sql(sql).execute(connection).await?;
        Ok(())
    }

    async fn insert(
        connection: &mut SqliteConnection,
        insert: &Insert,
        rows: &[Vec<Value>],
    ) -> Result<u64, Cause> {
        let arguments = arguments(rows.iter().flatten())?;
        let query = sqlx::query_with(AssertSqlSafe(insert.sql(rows.len())), arguments);
        Ok(query
            .persistent(false)
            .execute(connection)
            .await?
            .rows_affected())
    }

    /// SQLite may undo a transaction when the disk is full; its COMMIT then fails.
    fn ends_transaction(_: &Cause) -> bool {
        false
    }

    /// By the value, not by what the column was declared as; only 0 and 1 in a column declared BOOLEAN are truth values.
    fn json(row: &SqliteRow, column: &SqliteColumn) -> Result<Json, Cause> {
        let index = column.ordinal();
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Json::Null);
        }
        let type_info = raw.type_info();
        Ok(match type_info.name() {
            "INTEGER" => {
                let number = row.try_get_unchecked::<i64, _>(index)?;
                if *column.type_info() == <bool as Type<Sqlite>>::type_info()
                    && matches!(number, 0 | 1)
                {
                    Json::Bool(number == 1)
                } else {
                    number.into()
                }
            }
            "REAL" => float(row.try_get_unchecked(index)?),
            "TEXT" => row.try_get_unchecked::<String, _>(index)?.into(),
            "BLOB" => row.try_get_unchecked::<Vec<u8>, _>(index)?.into(),
            other => {
                return Err(QueryError::ColumnType {
                    column: column.name().to_owned(),
                    type_name: other.to_owned(),
                }
                .into());
            }
        })
    }
}

fn arguments<'a>(params: impl IntoIterator<Item = &'a Value>) -> Result<SqliteArguments, Cause> {
    let mut arguments = SqliteArguments::default();
    for param in params {
        add(&mut arguments, param).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn add(arguments: &mut SqliteArguments, value: &Value) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Bool(value) => arguments.add(*value),
        Value::Int(value) => arguments.add(*value),
        Value::Float(value) => arguments.add(*value),
        Value::Decimal(value) => arguments.add(value.to_string()),
        Value::Text(value) => arguments.add(value.clone()),
        Value::Bytes(value) => arguments.add(value.clone()),
        Value::Json(value) => arguments.add(value.to_string()),
        Value::Uuid(value) => arguments.add(*value),
        Value::Date(value) => arguments.add(*value),
        Value::Time(value) => arguments.add(*value),
        Value::DateTime(value) => arguments.add(*value),
        Value::Timestamp(value) => arguments.add(*value),
    }
}
