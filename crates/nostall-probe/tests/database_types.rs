//! Values on their way in, and columns on their way out.
#![cfg(feature = "database")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share is a test too"
)]

mod database_common;

use database_common::{Dialect, Fixture, file, fixtures, memory, servers, unique};
use nostall_probe::db::{DatabaseOptions, QueryError, Value, sqlx};
use nostall_probe::{Cause, Database, IoSystem};
use serde_json::{Value as Json, json};
use sqlx::types::chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::{Decimal, Uuid};

const UUID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn moment() -> DateTime<Utc> {
    "2026-03-01T12:30:00.25Z".parse().unwrap()
}

/// A table of its own on one database.
struct Table {
    io: IoSystem,
    name: String,
    fixture: Fixture,
}

impl Table {
    async fn new(fixture: Fixture, columns: &str) -> Self {
        let io = fixture.open(DatabaseOptions::default()).await;
        let name = unique("probe");
        let create = format!("CREATE TABLE {name} ({columns})");
        io.database().unwrap().execute(&create, &[]).await.unwrap();
        Self { io, name, fixture }
    }

    fn db(&self) -> &Database {
        self.io.database().unwrap()
    }

    async fn insert(&self, column: &str, value: Value) -> nostall_probe::Result<u64> {
        let sql = format!("INSERT INTO {} ({column}) VALUES (?)", self.name);
        self.db().execute(&self.fixture.sql(&sql), &[value]).await
    }

    async fn drop(self) {
        let drop = format!("DROP TABLE {}", self.name);
        self.db().execute(&drop, &[]).await.unwrap();
    }
}

fn of(dialect: Dialect) -> Vec<Fixture> {
    let of = |fixture: &Fixture| fixture.dialect == dialect;
    servers().into_iter().filter(of).collect()
}

#[tokio::test]
async fn postgres_null_goes_into_columns_of_any_type() {
    for fixture in of(Dialect::Postgres) {
        let columns = "i4 int, t text, ts timestamp, tz timestamptz, j jsonb, u uuid, n numeric, \
            b bool, x bytea, a int[], p point";
        let table = Table::new(fixture, columns).await;
        for column in ["i4", "t", "ts", "tz", "j", "u", "n", "b", "x", "a", "p"] {
            table.insert(column, Value::Null).await.unwrap();
        }
        let many = (0..3).map(|_| vec![Value::Null, None::<i64>.into()]);
        let inserted = table.db().bulk_insert(&table.name, &["u", "a"], many).await;
        assert_eq!(inserted.unwrap(), 3);
        table.drop().await;
    }
}

/// The same text of a statement, each time with a value of another kind: what sqlx has prepared must not be sent bytes of
/// another type.
#[tokio::test]
async fn postgres_takes_each_kind_of_value_whatever_came_first() {
    for fixture in of(Dialect::Postgres) {
        let table = Table::new(fixture, "i4 int, v varchar(10)").await;
        let kinds: [Value; 4] = [Value::Null, 7.into(), "7".into(), 7_i64.into()];
        for rotation in 0..kinds.len() {
            // A comment makes it another statement to the cache.
            let sql = format!("INSERT INTO {} (i4) VALUES ($1) -- {rotation}", table.name);
            for value in kinds.iter().cycle().skip(rotation).take(kinds.len()) {
                table
                    .db()
                    .execute(&sql, std::slice::from_ref(value))
                    .await
                    .unwrap();
            }
        }
        let sql = format!("SELECT COUNT(*) FROM {} WHERE i4 = $1", table.name);
        for value in [7_i64.into(), Value::from("7"), 7_i32.into()] {
            let (count,): (i64,) = table.db().fetch_one(&sql, &[value]).await.unwrap();
            assert_eq!(count, 12);
        }
        table.insert("v", "text".into()).await.unwrap();
        table.insert("v", 12.into()).await.unwrap();
        table.drop().await;
    }
}

#[tokio::test]
async fn postgres_refuses_what_does_not_fit_with_precise_errors() {
    for fixture in of(Dialect::Postgres) {
        let table = Table::new(fixture, "i4 int, u uuid, v varchar(3)").await;
        let error = table.insert("i4", (1_i64 << 40).into()).await.unwrap_err();
        assert!(
            error.to_string().contains("integer out of range"),
            "{error}"
        );
        let error = table.insert("u", "no uuid".into()).await.unwrap_err();
        let Cause::Query(QueryError::Parameter {
            position: 1,
            type_name,
            ..
        }) = error.cause()
        else {
            panic!("{error}")
        };
        assert_eq!(type_name, "UUID");
        let error = table.insert("v", "long text".into()).await.unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
        let error = table.db().execute("SELECT $1::int", &[]).await.unwrap_err();
        assert!(error.to_string().contains("requires 1"), "{error}");
        table.drop().await;
    }
}

#[tokio::test]
async fn postgres_columns_become_json_and_texts_become_columns() {
    for fixture in of(Dialect::Postgres) {
        let kind = unique("mood");
        let io = fixture.open(DatabaseOptions::default()).await;
        let create = format!("CREATE TYPE {kind} AS ENUM ('sad', 'glad')");
        io.database().unwrap().execute(&create, &[]).await.unwrap();
        let columns = format!(
            "b bool, i2 int2, i8 int8, f4 float4, f8 float8, n numeric, t text, c char(3), x bytea, j json, jb jsonb, \
             u uuid, d date, ti time, ts timestamp, tz timestamptz, ti4 int4[], tt text[], m {kind}"
        );
        let table = Table::new(fixture, &columns).await;
        let texts = [
            ("b", "true", json!(true)),
            ("i2", "-3", json!(-3)),
            ("i8", "9007199254740993", json!(9_007_199_254_740_993_i64)),
            ("f4", "0.5", json!(0.5)),
            ("f8", "1e300", json!(1e300)),
            (
                "n",
                "12345678901234567890.0120",
                json!("12345678901234567890.0120"),
            ),
            ("t", "täxt", json!("täxt")),
            ("c", "ab", json!("ab ")),
            ("j", "[1, null]", json!([1, null])),
            ("jb", "{\"a\": 1}", json!({"a": 1})),
            ("u", UUID, json!(UUID)),
            ("d", "2026-03-01", json!("2026-03-01")),
            ("ti", "12:30:00", json!("12:30:00")),
            (
                "ts",
                "2026-03-01 12:30:00.25",
                json!("2026-03-01T12:30:00.250"),
            ),
            (
                "tz",
                "2026-03-01T13:30:00.25+01:00",
                json!("2026-03-01T12:30:00.250Z"),
            ),
            ("m", "glad", json!("glad")),
        ];
        for (column, text, expected) in texts {
            table.insert(column, text.into()).await.unwrap();
            let sql = format!(
                "SELECT {column} FROM {} WHERE {column} IS NOT NULL",
                table.name
            );
            let rows: Vec<Json> = table.db().fetch_json(&sql, &[]).await.unwrap();
            assert_eq!(rows, [json!({ column: expected })]);
        }
        table.insert("x", vec![0_u8, 255].into()).await.unwrap();
        let sql = "SELECT ARRAY[1, NULL]::int4[] AS a, ARRAY['x']::text[] AS t, 'NaN'::float8 AS nan, NULL::int AS n, \
            0.000001::numeric AS small, pg_sleep(0) AS nothing, '\\x00ff'::bytea AS x";
        let rows: Vec<Json> = table.db().fetch_json(sql, &[]).await.unwrap();
        let expected = json!({"a": [1, null], "t": ["x"], "nan": "NaN", "n": null, "small": "0.000001", "nothing": null, "x": [0, 255]});
        assert_eq!(rows, [expected]);
        let error = table
            .db()
            .fetch_json::<Json>("SELECT '(1,2)'::point AS p", &[]);
        let error = error.await.unwrap_err();
        assert!(
            error.to_string().contains("`p` is of type POINT"),
            "{error}"
        );
        table.drop().await;
        let drop = format!("DROP TYPE {kind}");
        io.database().unwrap().execute(&drop, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn mysql_columns_become_json() {
    for fixture in of(Dialect::MySql) {
        let columns = "b BOOLEAN, u8 TINYINT UNSIGNED, big BIGINT UNSIGNED, f FLOAT, d DOUBLE, n DECIMAL(30,4), c CHAR(3), \
            t TEXT, e ENUM('a','b'), x VARBINARY(9), da DATE, ti TIME(3), dt DATETIME(3), ts TIMESTAMP(3) NULL, y YEAR, bi BIT(4)";
        let table = Table::new(fixture, columns).await;
        let values: [(&str, Value, Json); 16] = [
            ("b", true.into(), json!(true)),
            ("u8", 255.into(), json!(255)),
            ("big", u64::MAX.into(), json!(u64::MAX)),
            ("f", 0.5.into(), json!(0.5)),
            ("d", 1e300.into(), json!(1e300)),
            (
                "n",
                "12345678901234567890.0120".into(),
                json!("12345678901234567890.0120"),
            ),
            ("c", "ab".into(), json!("ab")),
            ("t", "täxt".into(), json!("täxt")),
            ("e", "b".into(), json!("b")),
            ("x", vec![0_u8, 255].into(), json!([0, 255])),
            (
                "da",
                NaiveDate::from_ymd_opt(2026, 3, 1).into(),
                json!("2026-03-01"),
            ),
            ("ti", "-100:30:00.5".into(), json!("-100:30:00.5")),
            (
                "dt",
                moment().naive_utc().into(),
                json!("2026-03-01T12:30:00.250"),
            ),
            ("ts", moment().into(), json!("2026-03-01T12:30:00.250Z")),
            ("y", 2026.into(), json!(2026)),
            ("bi", 5.into(), json!(5)),
        ];
        for (column, value, expected) in values {
            table.insert(column, value).await.unwrap();
            let sql = format!(
                "SELECT {column} FROM {} WHERE {column} IS NOT NULL",
                table.name
            );
            let rows: Vec<Json> = table.db().fetch_json(&sql, &[]).await.unwrap();
            assert_eq!(rows, [json!({ column: expected })]);
            table.insert(column, Value::Null).await.unwrap();
        }
        table.drop().await;
    }
}

#[tokio::test]
async fn sqlite_columns_become_json_by_their_value() {
    if !cfg!(feature = "sqlite") {
        return;
    }
    for fixture in [memory(), file()] {
        let table = Table::new(fixture, "v, flag BOOLEAN, number INTEGER").await;
        let values: [(&str, Value, Json); 7] = [
            ("v", 7.into(), json!(7)),
            ("v", 0.5.into(), json!(0.5)),
            ("v", "text".into(), json!("text")),
            ("v", vec![0_u8, 255].into(), json!([0, 255])),
            ("flag", true.into(), json!(true)),
            ("flag", 7.into(), json!(7)),
            ("number", "not a number".into(), json!("not a number")),
        ];
        for (column, value, expected) in values {
            let clear = format!("DELETE FROM {}", table.name);
            table.db().execute(&clear, &[]).await.unwrap();
            table.insert(column, value).await.unwrap();
            let sql = format!("SELECT {column} FROM {}", table.name);
            let rows: Vec<Json> = table.db().fetch_json(&sql, &[]).await.unwrap();
            assert_eq!(rows, [json!({ column: expected })]);
        }
        table.drop().await;
    }
}

/// Through sqlx's own types, in and out again.
#[tokio::test]
async fn values_come_back_as_they_went() {
    for fixture in fixtures() {
        let (uuid, time) = match fixture.dialect {
            Dialect::Postgres => ("uuid", "timestamptz"),
            Dialect::MySql => ("BINARY(16)", "TIMESTAMP(6) NULL"),
            Dialect::Sqlite => ("BLOB", "TEXT"),
        };
        let columns = format!("u {uuid}, t {time}, b BOOLEAN, f DOUBLE PRECISION, n INT");
        let table = Table::new(fixture, &columns).await;
        let uuid: Uuid = UUID.parse().unwrap();
        let values: [Value; 5] = [
            uuid.into(),
            moment().into(),
            true.into(),
            0.1.into(),
            Some(3).into(),
        ];
        let sql = format!("INSERT INTO {} VALUES (?, ?, ?, ?, ?)", table.name);
        let sql = table.fixture.sql(&sql);
        table.db().execute(&sql, &values).await.unwrap();
        table
            .db()
            .execute(&sql, &[const { Value::Null }; 5])
            .await
            .unwrap();
        let sql = format!("SELECT u, t, b, f, n FROM {} WHERE n = 3", table.name);
        type Row = (Uuid, DateTime<Utc>, bool, f64, i32);
        let row: Row = table.db().fetch_one(&sql, &[]).await.unwrap();
        assert_eq!(row, (uuid, moment(), true, 0.1, 3));
        table.drop().await;
    }
}

#[tokio::test]
async fn decimals_keep_their_digits() {
    for fixture in servers() {
        let table = Table::new(fixture, "n DECIMAL(20, 4)").await;
        let value: Decimal = "1234567890.0120".parse().unwrap();
        table.insert("n", value.into()).await.unwrap();
        let sql = format!("SELECT n FROM {}", table.name);
        let rows: Vec<Json> = table.db().fetch_json(&sql, &[]).await.unwrap();
        assert_eq!(rows, [json!({"n": "1234567890.0120"})]);
        table.drop().await;
    }
}
