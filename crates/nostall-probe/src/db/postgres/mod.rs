//! PostgreSQL.
//!
//! Values are sent in the binary form of the type that the statement has in their place, so the server is asked first: it
//! prepares the statement, once per connection, with the types of the values where their kind says one, and none for texts and
//! nulls. sqlx remembers a prepared statement by its text alone; because the values follow the types that the statement was
//! prepared with, a statement that comes with other kinds of values the next time is still right.

mod decode;
mod encode;

use serde_json::Value as Json;
use sqlx::postgres::{PgArguments, PgColumn, PgConnection, PgRow, PgTypeInfo};
use sqlx::{Arguments, AssertSqlSafe, Either, Executor, Postgres, SqlSafeStr, Statement};

use super::bulk::Insert;
use super::dialect::Dialect;
use super::error::{Fault, QueryError};
use super::value::Value;
use crate::error::Cause;
use encode::{Typed, declared, unspecified};

/// Judges an SQLSTATE. <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub(super) fn fault(code: &str) -> Fault {
    match code {
        // Serialization failure; deadlock; lock not available.
        "40001" | "40P01" | "55P03" => Fault::RolledBack,
        // Too many connections; shutdown; crash; start; idle time-out.
        "53300" | "57P01" | "57P02" | "57P03" | "57P05" => Fault::Unavailable,
        _ if code.starts_with("08") => Fault::Unavailable,
        _ => Fault::Permanent,
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

impl Dialect for Postgres {
    const BEGIN: &'static str = "BEGIN";
    const MAX_PARAMETERS: usize = 65_535;
    const QUOTE: char = '"';
    const NUMBERED: bool = true;
    const SURVIVES_CANCELLATION: bool = false;
    const DRAINS: bool = true;
    const COMMIT_MAY_ROLL_BACK: bool = true;

    async fn fetch_all(
        connection: &mut PgConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<PgRow>, Cause> {
        if params.is_empty() {
            return Ok(without_values(sql).fetch_all(connection).await?);
        }
        let statement = Prepared::new(connection, sql, params).await?;
        Ok(statement.with(params)?.fetch_all(connection).await?)
    }

    async fn fetch_optional(
        connection: &mut PgConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<PgRow>, Cause> {
        if params.is_empty() {
            return Ok(without_values(sql).fetch_optional(connection).await?);
        }
        let statement = Prepared::new(connection, sql, params).await?;
        Ok(statement.with(params)?.fetch_optional(connection).await?)
    }

    async fn execute(
        connection: &mut PgConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<u64, Cause> {
        if params.is_empty() {
            let done = without_values(sql).execute(connection).await?;
            return Ok(done.rows_affected());
        }
        let statement = Prepared::new(connection, sql, params).await?;
        let done = statement.with(params)?.execute(connection).await?;
        Ok(done.rows_affected())
    }

    async fn control(connection: &mut PgConnection, sql: &'static str) -> Result<(), Cause> {
        sqlx::raw_sql(sql).execute(connection).await?;
        Ok(())
    }

    /// Prepares the statement for one row, which tells the types of the columns.
    async fn insert(
        connection: &mut PgConnection,
        insert: &Insert,
        rows: &[Vec<Value>],
    ) -> Result<u64, Cause> {
        let columns = rows.first().map_or(0, Vec::len);
        let unspecified = vec![unspecified(); columns];
        let one = AssertSqlSafe(insert.sql(1)).into_sql_str();
        let one = (&mut *connection).prepare_with(one, &unspecified).await?;
        let types = parameters(&one);
        let mut arguments = PgArguments::default();
        for row in rows {
            add(&mut arguments, types, row)?;
        }
        let query = sqlx::query_with(AssertSqlSafe(insert.sql(rows.len())), arguments);
        let done = query.persistent(false).execute(connection).await?;
        Ok(done.rows_affected())
    }

    fn json(row: &PgRow, column: &PgColumn) -> Result<Json, Cause> {
        decode::json(row, column)
    }

    fn ends_transaction(_: &Cause) -> bool {
        false
    }
}

/// A statement without values; prepared all the same, so that the rows come in the binary form.
fn without_values(sql: &str) -> Query<'static> {
    sqlx::query_with(AssertSqlSafe(sql), PgArguments::default())
}

struct Prepared(<Postgres as sqlx::Database>::Statement);

impl Prepared {
    async fn new(
        connection: &mut PgConnection,
        sql: &str,
        params: &[Value],
    ) -> Result<Self, Cause> {
        let sql = AssertSqlSafe(sql).into_sql_str();
        let types: Vec<PgTypeInfo> = params.iter().map(declared).collect();
        Ok(Self(connection.prepare_with(sql, &types).await?))
    }

    fn with(&self, params: &[Value]) -> Result<Query<'_>, Cause> {
        let mut arguments = PgArguments::default();
        add(&mut arguments, parameters(&self.0), params)?;
        Ok(self.0.query_with(arguments))
    }
}

fn parameters(statement: &<Postgres as sqlx::Database>::Statement) -> &[PgTypeInfo] {
    match statement.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    }
}

fn add(arguments: &mut PgArguments, types: &[PgTypeInfo], values: &[Value]) -> Result<(), Cause> {
    if types.len() != values.len() {
        return Err(QueryError::ParameterCount {
            expected: types.len(),
            found: values.len(),
        }
        .into());
    }
    arguments.reserve(values.len(), values.len() * 12);
    for (index, (value, type_info)) in values.iter().zip(types).enumerate() {
        if arguments.add(Typed { value, type_info }).is_err() {
            return Err(QueryError::Parameter {
                position: index + 1,
                value: value.describe(),
                type_name: type_info.to_string(),
            }
            .into());
        }
    }
    Ok(())
}
