//! From rows to the caller's types: through sqlx's `FromRow`, or by column names to any type of serde.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value as Json};

use super::dialect::Dialect;
use crate::error::Cause;

/// A type that rows of each database that is compiled in can become.
///
/// Not to be implemented by hand: tuples of up to 16 columns have it, and structs with `#[derive(sqlx::FromRow)]`, if each field
/// is of a type that all the databases know. The derive writes paths that begin with `::sqlx`, so it needs sqlx among your own
/// dependencies, of the same version and with its feature `derive`. For what only one of them has (arrays of PostgreSQL, unsigned numbers of MySQL) there is
/// [`crate::Database::fetch_json`], or the raw pool.
pub trait FromRow: FromPostgresRow + FromMySqlRow + FromSqliteRow + Send + Unpin {}

impl<T: FromPostgresRow + FromMySqlRow + FromSqliteRow + Send + Unpin> FromRow for T {}

macro_rules! from_row_of {
    ($name:ident, $feature:literal, $row:path) => {
        #[doc = concat!("Part of [`FromRow`]: asks nothing without the feature `", $feature, "`.")]
        #[cfg(feature = $feature)]
        pub trait $name: for<'r> sqlx::FromRow<'r, $row> {}
        #[cfg(feature = $feature)]
        impl<T: for<'r> sqlx::FromRow<'r, $row>> $name for T {}

        #[doc = concat!("Part of [`FromRow`]: asks nothing without the feature `", $feature, "`.")]
        #[cfg(not(feature = $feature))]
        pub trait $name {}
        #[cfg(not(feature = $feature))]
        impl<T> $name for T {}
    };
}

from_row_of!(FromPostgresRow, "postgres", sqlx::postgres::PgRow);
from_row_of!(FromMySqlRow, "mysql", sqlx::mysql::MySqlRow);
from_row_of!(FromSqliteRow, "sqlite", sqlx::sqlite::SqliteRow);

/// Decodes rows with sqlx.
pub(super) fn decode<D: Dialect, T>(rows: &[D::Row]) -> Result<Vec<T>, Cause>
where
    T: for<'r> sqlx::FromRow<'r, D::Row>,
{
    let rows: Result<Vec<T>, sqlx::Error> = rows.iter().map(T::from_row).collect();
    Ok(rows?)
}

/// Decodes a row with sqlx.
pub(super) fn decode_optional<D: Dialect, T>(row: Option<&D::Row>) -> Result<Option<T>, Cause>
where
    T: for<'r> sqlx::FromRow<'r, D::Row>,
{
    Ok(row.map(T::from_row).transpose()?)
}

/// Decodes a row with sqlx that must be there.
pub(super) fn decode_one<D: Dialect, T>(row: Option<&D::Row>) -> Result<T, Cause>
where
    T: for<'r> sqlx::FromRow<'r, D::Row>,
{
    decode_optional::<D, T>(row)?.ok_or(Cause::Database(sqlx::Error::RowNotFound))
}

/// Decodes rows by the names of their columns. Of columns with the same name the last one counts.
pub(super) fn decode_json<D: Dialect, T: DeserializeOwned>(
    rows: &[D::Row],
) -> Result<Vec<T>, Cause> {
    rows.iter().map(decode_object::<D, T>).collect()
}

fn decode_object<D: Dialect, T: DeserializeOwned>(row: &D::Row) -> Result<T, Cause> {
    use sqlx::{Column, Row};
    let columns = row.columns();
    let mut object = Map::with_capacity(columns.len());
    for column in columns {
        object.insert(column.name().to_owned(), D::json(row, column)?);
    }
    Ok(serde_json::from_value(Json::Object(object))?)
}

/// A number, or its name as a text for the three that JSON has no form for.
pub(super) fn float(value: f64) -> Json {
    Number::from_f64(value).map_or_else(|| value.to_string().into(), Json::Number)
}
