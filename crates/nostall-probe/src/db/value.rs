//! A value that is sent with a statement.

use sqlx::types::chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use sqlx::types::{Decimal, Uuid};

/// A value that is sent with a statement, in place of `$1` (PostgreSQL) or `?` (MySQL, SQLite).
///
/// It is made with `into()`; an `Option` becomes [`Value::Null`] or what is in it.
///
/// On PostgreSQL texts and nulls take the type that the statement needs in their place: a text can stand for a number, a
/// timestamp, a `uuid`, a `jsonb` or an enum. Other values have the type of their kind, and the database converts where it would
/// convert a column of that type. MySQL and SQLite have no type for decimals (SQLite) and UUIDs (both): a decimal is sent as text,
/// a UUID as its 16 bytes, as sqlx does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// NULL, for a column of any type.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number; PostgreSQL's `int8`, whatever it was made from, so that a statement does not mean another thing with a larger
    /// number. It goes into columns of any number type; a function that takes an `int4` needs `$1::int`.
    Int(i64),
    /// A floating-point number; PostgreSQL's `float8`.
    Float(f64),
    /// An exact number; PostgreSQL's `numeric`.
    Decimal(Decimal),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A JSON document; PostgreSQL's `jsonb`.
    Json(serde_json::Value),
    /// A UUID.
    Uuid(Uuid),
    /// A date.
    Date(NaiveDate),
    /// A time of day.
    Time(NaiveTime),
    /// A date and time without a time zone.
    DateTime(NaiveDateTime),
    /// A moment; PostgreSQL's `timestamptz`.
    Timestamp(DateTime<Utc>),
}

impl Value {
    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(_) => 256,
            _ => 16,
        }
    }

    /// The kind, and the value where it is short and no secret can be in it.
    #[cfg(feature = "postgres")]
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Bool(value) => format!("the truth value {value}"),
            Self::Int(value) => format!("the whole number {value}"),
            Self::Float(value) => format!("the number {value}"),
            Self::Decimal(value) => format!("the exact number {value}"),
            Self::Text(text) => format!("a text of {} bytes", text.len()),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::Json(_) => "a JSON document".to_owned(),
            Self::Uuid(_) => "a UUID".to_owned(),
            Self::Date(_) => "a date".to_owned(),
            Self::Time(_) => "a time of day".to_owned(),
            Self::DateTime(_) => "a date and time".to_owned(),
            Self::Timestamp(_) => "a timestamp".to_owned(),
        }
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        })+
    };
}

from! {
    bool => |value| Self::Bool(value);
    i8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    u8 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    // Only MySQL has a type for what does not fit into 63 bits; all three take it as an exact number.
    u64 => |value| i64::try_from(value).map_or_else(|_| Self::Decimal(value.into()), Self::Int);
    f32 => |value| Self::Float(value.into());
    f64 => |value| Self::Float(value);
    Decimal => |value| Self::Decimal(value);
    &str => |value| Self::Text(value.to_owned());
    String => |value| Self::Text(value);
    &String => |value| Self::Text(value.clone());
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
    serde_json::Value => |value| Self::Json(value);
    Uuid => |value| Self::Uuid(value);
    NaiveDate => |value| Self::Date(value);
    NaiveTime => |value| Self::Time(value);
    NaiveDateTime => |value| Self::DateTime(value);
    DateTime<Utc> => |value| Self::Timestamp(value);
    DateTime<FixedOffset> => |value| Self::Timestamp(value.to_utc());
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn an_option_is_null_or_what_is_in_it() {
        assert_eq!(Value::from(None::<i64>), Value::Null);
        assert_eq!(Value::from(Some("a")), Value::Text("a".to_owned()));
    }

    #[test]
    fn a_number_too_large_for_i64_is_kept_whole() {
        assert_eq!(Value::from(u64::MAX), Value::Decimal(u64::MAX.into()));
        assert_eq!(Value::from(7_u64), Value::Int(7));
    }
}
