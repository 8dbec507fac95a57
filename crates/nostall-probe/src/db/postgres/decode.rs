//! Columns of PostgreSQL as JSON.

use serde_json::Value as Json;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgColumn, PgRow, PgTypeInfo, PgTypeKind, PgValueRef};
use sqlx::types::Uuid;
use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::{Column, Decode, Postgres, Row, TypeInfo, ValueRef};

use super::super::error::QueryError;
use super::super::rows::float;
use crate::error::Cause;

pub(super) fn json(row: &PgRow, column: &PgColumn) -> Result<Json, Cause> {
    let raw = row.try_get_raw(column.ordinal())?;
    if raw.is_null() {
        return Ok(Json::Null);
    }
    match decoded(raw, column.type_info()) {
        Ok(Some(json)) => Ok(json),
        Ok(None) => Err(QueryError::ColumnType {
            column: column.name().to_owned(),
            type_name: column.type_info().to_string(),
        }
        .into()),
        Err(source) => Err(sqlx::Error::ColumnDecode {
            index: column.name().to_owned(),
            source,
        }
        .into()),
    }
}

type Decoded<T> = Result<T, sqlx::error::BoxDynError>;

/// `None` for a type that has no form in JSON here.
fn decoded(raw: PgValueRef<'_>, type_info: &PgTypeInfo) -> Decoded<Option<Json>> {
    match type_info.kind() {
        PgTypeKind::Domain(base) => return decoded(raw, base),
        PgTypeKind::Enum(_) => return Ok(Some(raw.as_str()?.into())),
        _ => {}
    }
    Ok(Some(match type_info.name() {
        "BOOL" => get::<bool>(raw)?.into(),
        "INT2" => get::<i16>(raw)?.into(),
        "INT4" => get::<i32>(raw)?.into(),
        "INT8" => get::<i64>(raw)?.into(),
        "OID" => get::<Oid>(raw)?.0.into(),
        "FLOAT4" => float(get::<f32>(raw)?.into()),
        "FLOAT8" => float(get(raw)?),
        "NUMERIC" => numeric(raw.as_bytes()?)?.into(),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "\"CHAR\"" | "UNKNOWN" | "XML" => {
            raw.as_str()?.into()
        }
        "BYTEA" => get::<Vec<u8>>(raw)?.into(),
        "JSON" | "JSONB" => get(raw)?,
        "UUID" => get::<Uuid>(raw)?.to_string().into(),
        "DATE" => get::<NaiveDate>(raw)?.to_string().into(),
        "TIME" => get::<NaiveTime>(raw)?.to_string().into(),
        "TIMESTAMP" => local(get(raw)?),
        "TIMESTAMPTZ" => moment(get(raw)?),
        "VOID" => Json::Null,
        "BOOL[]" => list(get(raw)?, |item: bool| item.into()),
        "INT2[]" => list(get(raw)?, |item: i16| item.into()),
        "INT4[]" => list(get(raw)?, |item: i32| item.into()),
        "INT8[]" => list(get(raw)?, |item: i64| item.into()),
        "FLOAT4[]" => list(get(raw)?, |item: f32| float(item.into())),
        "FLOAT8[]" => list(get(raw)?, float),
        "TEXT[]" | "VARCHAR[]" | "CHAR[]" | "NAME[]" => list(get(raw)?, |item: String| item.into()),
        "UUID[]" => list(get(raw)?, |item: Uuid| item.to_string().into()),
        "JSON[]" | "JSONB[]" => list(get(raw)?, |item: Json| item),
        "DATE[]" => list(get(raw)?, |item: NaiveDate| item.to_string().into()),
        "TIMESTAMP[]" => list(get(raw)?, local),
        "TIMESTAMPTZ[]" => list(get(raw)?, moment),
        name if name.eq_ignore_ascii_case("citext") => raw.as_str()?.into(),
        _ => return Ok(None),
    }))
}

fn get<'r, T: Decode<'r, Postgres>>(raw: PgValueRef<'r>) -> Decoded<T> {
    T::decode(raw)
}

fn list<T>(items: Vec<Option<T>>, json: impl Fn(T) -> Json) -> Json {
    let items = items.into_iter();
    items.map(|item| item.map_or(Json::Null, &json)).collect()
}

/// RFC 3339 without an offset.
fn local(time: NaiveDateTime) -> Json {
    time.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into()
}

fn moment(moment: DateTime<Utc>) -> Json {
    moment.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string().into()
}

/// An exact number with all of its digits, which may be more than any number type here can hold.
///
/// The form: counts and signs as 16 bits each, then digits to the base 10,000.
/// <https://github.com/postgres/postgres/blob/REL_17_STABLE/src/backend/utils/adt/numeric.c>, `numeric_send`.
fn numeric(bytes: &[u8]) -> Decoded<String> {
    let mut words = bytes
        .chunks_exact(2)
        .map(|word| u16::from_be_bytes([word[0], word[1]]));
    let mut next = || words.next().ok_or("a number was cut off");
    let (count, weight, sign, scale) = (next()?, next()? as i16, next()?, next()?);
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        0xd000 => return Ok("Infinity".to_owned()),
        0xf000 => return Ok("-Infinity".to_owned()),
        _ => return Ok("NaN".to_owned()),
    };
    let digits: Vec<u16> = words.take(usize::from(count)).collect();
    let digit = |place: i32| {
        let index = usize::try_from(i32::from(weight) - place).ok();
        index
            .and_then(|index| digits.get(index))
            .copied()
            .unwrap_or(0)
    };

    let mut text = if negative {
        "-".to_owned()
    } else {
        String::new()
    };
    let first = i32::from(weight).max(0);
    text.push_str(&digit(first).to_string());
    text.extend((0..first).rev().map(|place| format!("{:04}", digit(place))));
    let scale = usize::from(scale);
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut place = -1;
        while text.len() < end {
            text.push_str(&format!("{:04}", digit(place)));
            place -= 1;
        }
        text.truncate(end);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::numeric;

    fn check(words: &[u16], text: &str) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(numeric(&bytes).unwrap(), text);
    }

    #[test]
    fn numbers_keep_all_digits() {
        check(&[0, 0, 0, 0], "0");
        check(&[0, 0, 0, 2], "0.00");
        check(&[2, 1, 0, 0, 1, 23], "10023");
        check(&[1, 1, 0, 0, 7], "70000");
        check(&[2, 0, 0x4000, 3, 12, 3450], "-12.345");
        check(&[1, 0xffff, 0, 4, 5], "0.0005");
        check(&[1, 0xfffe, 0, 8, 5], "0.00000005");
        check(&[0, 0, 0xc000, 0], "NaN");
    }

    #[test]
    fn a_number_that_is_cut_off_is_an_error() {
        assert!(numeric(&[0, 1, 0]).is_err());
    }
}
