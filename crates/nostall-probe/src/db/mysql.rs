//! MySQL and MariaDB.

use serde_json::Value as Json;
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{MySqlArguments, MySqlColumn, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sqlx::{Arguments, AssertSqlSafe, Column, MySql, Row, TypeInfo, ValueRef};

use super::bulk::Insert;
use super::dialect::Dialect;
use super::error::{Fault, QueryError};
use super::rows::float;
use super::value::Value;
use crate::error::Cause;

const DEADLOCK: u16 = 1213;
/// MariaDB's snapshot isolation found a newer record; it rolls back as for a deadlock.
const RECORD_CHANGED: u16 = 1020;
const LOCK_WAIT_TIME_OUT: u16 = 1205;
const LOCK_NOWAIT: u16 = 3572;

/// Judges an error number. <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>
pub(super) fn fault(number: u16) -> Fault {
    match number {
        DEADLOCK | RECORD_CHANGED | LOCK_WAIT_TIME_OUT | LOCK_NOWAIT => Fault::RolledBack,
        // Too many connections; shutdown; errors on the way to the client; killed connection (MariaDB).
        1040 | 1203 | 1053 | 1158..=1161 | 1927 => Fault::Unavailable,
        _ => Fault::Permanent,
    }
}

impl Dialect for MySql {
    const BEGIN: &'static str = "BEGIN";
    const MAX_PARAMETERS: usize = 65_535;
    const QUOTE: char = '`';
    const NUMBERED: bool = false;
    const SURVIVES_CANCELLATION: bool = false;
    // What is left of the answer to a PREPARE would be read as the answer to the statement.
    const DRAINS: bool = false;
    const COMMIT_MAY_ROLL_BACK: bool = false;

    async fn fetch_all(
        connection: &mut MySqlConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<MySqlRow>, Cause> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments(params)?);
        Ok(query.fetch_all(connection).await?)
    }

    async fn fetch_optional(
        connection: &mut MySqlConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<MySqlRow>, Cause> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments(params)?);
        Ok(query.fetch_optional(connection).await?)
    }

    async fn execute(
        connection: &mut MySqlConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<u64, Cause> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments(params)?);
        Ok(query.execute(connection).await?.rows_affected())
    }

    async fn control(connection: &mut MySqlConnection, sql: &'static str) -> Result<(), Cause> {
        sqlx::raw_sql(sql).execute(connection).await?;
        Ok(())
    }

    async fn insert(
        connection: &mut MySqlConnection,
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

    fn ends_transaction(cause: &Cause) -> bool {
        let Cause::Database(sqlx::Error::Database(error)) = cause else {
            return false;
        };
        let error = error.try_downcast_ref::<MySqlDatabaseError>();
        error.is_some_and(|error| matches!(error.number(), DEADLOCK | RECORD_CHANGED))
    }

    fn json(row: &MySqlRow, column: &MySqlColumn) -> Result<Json, Cause> {
        let index = column.ordinal();
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Json::Null);
        }
        Ok(match column.type_info().name() {
            "BOOLEAN" => row.try_get::<bool, _>(index)?.into(),
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
                row.try_get::<i64, _>(index)?.into()
            }
            "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
            | "BIGINT UNSIGNED" | "BIT" | "YEAR" => row.try_get_unchecked::<u64, _>(index)?.into(),
            "FLOAT" => float(row.try_get::<f32, _>(index)?.into()),
            "DOUBLE" => float(row.try_get(index)?),
            // The server sends exact numbers as text, so all digits are there.
            "DECIMAL" | "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT"
            | "ENUM" | "SET" => row.try_get_unchecked::<String, _>(index)?.into(),
            "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
                row.try_get::<Vec<u8>, _>(index)?.into()
            }
            "JSON" => row.try_get(index)?,
            "DATE" => row.try_get::<NaiveDate, _>(index)?.to_string().into(),
            // From -838 to 838 hours: not always a time of day.
            "TIME" => row.try_get::<MySqlTime, _>(index)?.to_string().into(),
            "DATETIME" => local(row.try_get(index)?).into(),
            "TIMESTAMP" => row
                .try_get::<DateTime<Utc>, _>(index)?
                .format("%Y-%m-%dT%H:%M:%S%.fZ")
                .to_string()
                .into(),
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

/// RFC 3339 without an offset.
fn local(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

fn arguments<'a>(params: impl IntoIterator<Item = &'a Value>) -> Result<MySqlArguments, Cause> {
    let mut arguments = MySqlArguments::default();
    for param in params {
        add(&mut arguments, param).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn add(arguments: &mut MySqlArguments, value: &Value) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Bool(value) => arguments.add(*value),
        Value::Int(value) => arguments.add(*value),
        Value::Float(value) => arguments.add(*value),
        Value::Decimal(value) => arguments.add(*value),
        Value::Text(value) => arguments.add(value.as_str()),
        Value::Bytes(value) => arguments.add(value.as_slice()),
        Value::Json(value) => arguments.add(value),
        Value::Uuid(value) => arguments.add(*value),
        Value::Date(value) => arguments.add(*value),
        Value::Time(value) => arguments.add(*value),
        Value::DateTime(value) => arguments.add(*value),
        Value::Timestamp(value) => arguments.add(*value),
    }
}
