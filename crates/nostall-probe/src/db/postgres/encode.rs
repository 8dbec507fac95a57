//! Values in the binary form of the type that a statement has in their place.

use std::str::FromStr;

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgTypeKind};
use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::types::{Decimal, Uuid};
use sqlx::{Postgres, Type, TypeInfo};

use super::super::value::Value;

/// No type: the server finds out which one is needed.
pub(super) fn unspecified() -> PgTypeInfo {
    PgTypeInfo::with_oid(Oid(0))
}

/// The type of a value by its kind.
pub(super) fn declared(value: &Value) -> PgTypeInfo {
    fn of<T: Type<Postgres>>() -> PgTypeInfo {
        T::type_info()
    }
    match value {
        Value::Null | Value::Text(_) => unspecified(),
        Value::Bool(_) => of::<bool>(),
        Value::Int(_) => of::<i64>(),
        Value::Float(_) => of::<f64>(),
        Value::Decimal(_) => of::<Decimal>(),
        Value::Bytes(_) => of::<Vec<u8>>(),
        Value::Json(_) => of::<serde_json::Value>(),
        Value::Uuid(_) => of::<Uuid>(),
        Value::Date(_) => of::<NaiveDate>(),
        Value::Time(_) => of::<NaiveTime>(),
        Value::DateTime(_) => of::<NaiveDateTime>(),
        Value::Timestamp(_) => of::<DateTime<Utc>>(),
    }
}

/// A value that is to be of a type.
pub(super) struct Typed<'a> {
    pub(super) value: &'a Value,
    pub(super) type_info: &'a PgTypeInfo,
}

impl Type<Postgres> for Typed<'_> {
    fn type_info() -> PgTypeInfo {
        unspecified()
    }
}

impl<'q> Encode<'q, Postgres> for Typed<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        encode(self.value, self.type_info, buffer)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.type_info.clone())
    }
}

fn encode(
    value: &Value,
    type_info: &PgTypeInfo,
    buffer: &mut PgArgumentBuffer,
) -> Result<IsNull, BoxDynError> {
    if *value == Value::Null {
        return Ok(IsNull::Yes);
    }
    match type_info.kind() {
        PgTypeKind::Domain(base) => return encode(value, base, buffer),
        PgTypeKind::Enum(_) => return put(text(value)?.as_ref(), buffer),
        _ => {}
    }
    match type_info.name() {
        "BOOL" => put(boolean(value)?, buffer),
        "INT2" => put(i16::try_from(int(value)?)?, buffer),
        "INT4" => put(i32::try_from(int(value)?)?, buffer),
        "INT8" => put(int(value)?, buffer),
        "OID" => put(Oid(u32::try_from(int(value)?)?), buffer),
        // A float4 rounds, as it does for a float8 of the server's own.
        "FLOAT4" => put(float(value)? as f32, buffer),
        "FLOAT8" => put(float(value)?, buffer),
        "NUMERIC" => put(decimal(value)?, buffer),
        "BYTEA" => match value {
            Value::Bytes(bytes) => put(bytes.as_slice(), buffer),
            _ => Err(mismatch()),
        },
        "JSON" => put(json(value)?.as_ref(), buffer),
        "JSONB" => {
            const VERSION: u8 = 1;
            buffer.push(VERSION);
            put(json(value)?.as_ref(), buffer)
        }
        "UUID" => match value {
            Value::Uuid(uuid) => put(*uuid, buffer),
            Value::Text(text) => put(Uuid::from_str(text)?, buffer),
            _ => Err(mismatch()),
        },
        "DATE" => match value {
            Value::Date(date) => put(*date, buffer),
            Value::Text(text) => put(NaiveDate::from_str(text)?, buffer),
            _ => Err(mismatch()),
        },
        "TIME" => match value {
            Value::Time(time) => put(*time, buffer),
            Value::Text(text) => put(NaiveTime::from_str(text)?, buffer),
            _ => Err(mismatch()),
        },
        "TIMESTAMP" => put(moment(value)?.naive_utc(), buffer),
        "TIMESTAMPTZ" => put(moment(value)?, buffer),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => put(text(value)?.as_ref(), buffer),
        name if name.eq_ignore_ascii_case("citext") => put(text(value)?.as_ref(), buffer),
        _ => Err(mismatch()),
    }
}

fn put<'q, T: Encode<'q, Postgres>>(
    value: T,
    buffer: &mut PgArgumentBuffer,
) -> Result<IsNull, BoxDynError> {
    value.encode(buffer)
}

/// The caller names value and type, so the text of this is not seen.
fn mismatch() -> BoxDynError {
    "the value is of another kind".into()
}

fn boolean(value: &Value) -> Result<bool, BoxDynError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "off" | "0" => Ok(false),
            _ => Err(mismatch()),
        },
        _ => Err(mismatch()),
    }
}

fn int(value: &Value) -> Result<i64, BoxDynError> {
    match value {
        Value::Int(value) => Ok(*value),
        Value::Text(text) => Ok(text.trim().parse()?),
        Value::Decimal(value) if value.fract().is_zero() => Ok(i64::try_from(*value)?),
        _ => Err(mismatch()),
    }
}

fn float(value: &Value) -> Result<f64, BoxDynError> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Decimal(value) => Ok(f64::try_from(*value)?),
        Value::Text(text) => Ok(text.trim().parse()?),
        _ => Err(mismatch()),
    }
}

fn decimal(value: &Value) -> Result<Decimal, BoxDynError> {
    let text = match value {
        Value::Decimal(value) => return Ok(*value),
        Value::Int(value) => return Ok(Decimal::from(*value)),
        Value::Float(value) => &value.to_string(),
        Value::Text(text) => text.trim(),
        _ => return Err(mismatch()),
    };
    Ok(Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text))?)
}

fn json(value: &Value) -> Result<Text<'_>, BoxDynError> {
    Ok(match value {
        Value::Text(text) => Text::Borrowed(text),
        Value::Json(json) => Text::Owned(json.to_string()),
        Value::Bool(value) => Text::Owned(value.to_string()),
        Value::Int(value) => Text::Owned(value.to_string()),
        Value::Float(value) => Text::Owned(serde_json::to_string(value)?),
        _ => return Err(mismatch()),
    })
}

type Text<'a> = std::borrow::Cow<'a, str>;

fn text(value: &Value) -> Result<Text<'_>, BoxDynError> {
    Ok(match value {
        Value::Text(text) => Text::Borrowed(text),
        Value::Bool(value) => Text::Owned(value.to_string()),
        Value::Int(value) => Text::Owned(value.to_string()),
        Value::Float(value) => Text::Owned(value.to_string()),
        Value::Decimal(value) => Text::Owned(value.to_string()),
        Value::Json(value) => Text::Owned(value.to_string()),
        Value::Uuid(value) => Text::Owned(value.to_string()),
        Value::Date(value) => Text::Owned(value.to_string()),
        Value::Time(value) => Text::Owned(value.to_string()),
        Value::DateTime(value) => Text::Owned(value.to_string()),
        Value::Timestamp(value) => Text::Owned(value.to_rfc3339()),
        Value::Null | Value::Bytes(_) => return Err(mismatch()),
    })
}

/// A moment; what has no time zone is taken as UTC, which is what sessions of sqlx are set to.
fn moment(value: &Value) -> Result<DateTime<Utc>, BoxDynError> {
    match value {
        Value::Timestamp(value) => Ok(*value),
        Value::DateTime(value) => Ok(value.and_utc()),
        Value::Date(date) => Ok(midnight(*date)),
        Value::Text(text) => parsed_moment(text.trim()),
        _ => Err(mismatch()),
    }
}

fn parsed_moment(text: &str) -> Result<DateTime<Utc>, BoxDynError> {
    const WITH_ZONE: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];
    const WITHOUT: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let with_zone = |form: &&str| DateTime::parse_from_str(text, form).ok();
    if let Some(moment) = WITH_ZONE.iter().find_map(with_zone) {
        return Ok(moment.to_utc());
    }
    let without = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
    if let Some(moment) = WITHOUT.iter().find_map(without) {
        return Ok(moment.and_utc());
    }
    Ok(midnight(NaiveDate::from_str(text)?))
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}
