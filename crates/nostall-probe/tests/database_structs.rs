//! Rows as structs with `#[derive(sqlx::FromRow)]`: one type for all databases.
#![cfg(feature = "database")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share is a test too"
)]

mod database_common;

use database_common::{Dialect, fixtures};
use nostall_probe::db::DatabaseOptions;

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Video {
    id: i64,
    title: String,
    #[sqlx(rename = "length")]
    seconds: Option<i64>,
}

#[tokio::test]
async fn a_derived_struct_comes_from_each_database() {
    for fixture in fixtures() {
        let io = fixture.open(DatabaseOptions::default()).await;
        let integer = match fixture.dialect {
            Dialect::MySql => "SIGNED",
            Dialect::Postgres | Dialect::Sqlite => "BIGINT",
        };
        let sql = format!(
            "SELECT CAST(7 AS {integer}) AS id, 'Anaconda' AS title, CAST(NULL AS {integer}) AS length"
        );
        let database = io.database().unwrap();
        let videos: Vec<Video> = database.fetch_all(&sql, &[]).await.unwrap();
        let anaconda = Video {
            id: 7,
            title: "Anaconda".to_owned(),
            seconds: None,
        };
        assert_eq!(videos, [anaconda]);
        let missing = database.fetch_one::<Video>("SELECT 1 AS id", &[]).await;
        assert!(missing.is_err(), "a column is missing: {missing:?}");
    }
}
