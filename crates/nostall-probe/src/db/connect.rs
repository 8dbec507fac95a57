//! Which database a URL means, and its pool.

#[cfg(any(feature = "postgres", feature = "mysql"))]
use std::str::FromStr;
use std::sync::Arc;

use super::error::QueryError;
use super::lease::Shelf;
use super::options::DatabaseOptions;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::server::connect_server;
#[cfg(feature = "sqlite")]
use super::trust::Trust;
use crate::error::Cause;

/// The pool of one of the databases.
#[derive(Clone, Debug)]
pub(super) enum Shelves {
    #[cfg(feature = "postgres")]
    Postgres(Arc<Shelf<sqlx::Postgres>>),
    #[cfg(feature = "mysql")]
    MySql(Arc<Shelf<sqlx::MySql>>),
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<Shelf<sqlx::Sqlite>>),
}

/// Does the same with each of the databases: `on_each!(Shelves, &shelves, |shelf| expression)`, or with `|shelf: D|` if the
/// expression needs to name the database.
macro_rules! on_each {
    ($enum:ident, $of:expr, |$it:ident| $body:expr) => {
        match $of {
            #[cfg(feature = "postgres")]
            $enum::Postgres($it) => $body,
            #[cfg(feature = "mysql")]
            $enum::MySql($it) => $body,
            #[cfg(feature = "sqlite")]
            $enum::Sqlite($it) => $body,
        }
    };
    ($enum:ident, $of:expr, |$it:ident: $database:ident| $body:expr) => {
        match $of {
            #[cfg(feature = "postgres")]
            $enum::Postgres($it) => {
                type $database = sqlx::Postgres;
                $body
            }
            #[cfg(feature = "mysql")]
            $enum::MySql($it) => {
                type $database = sqlx::MySql;
                $body
            }
            #[cfg(feature = "sqlite")]
            $enum::Sqlite($it) => {
                type $database = sqlx::Sqlite;
                $body
            }
        }
    };
}
pub(super) use on_each;

/// Connects once, to see that it can be done, and makes the pool. Answers the options as they are in force.
pub(super) async fn connect(
    url: &str,
    options: DatabaseOptions,
) -> Result<(Shelves, DatabaseOptions), Cause> {
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => {
            let server = sqlx::postgres::PgConnectOptions::from_str(url)?;
            let shelf = connect_server(server, &options).await?;
            Ok((Shelves::Postgres(shelf), options))
        }
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => {
            let server = sqlx::mysql::MySqlConnectOptions::from_str(url)?;
            let shelf = connect_server(server, &options).await?;
            Ok((Shelves::MySql(shelf), options))
        }
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let (file, in_memory) = super::sqlite::options(url)?;
            let options = if in_memory { options.single() } else { options };
            let trust = Trust::of(&options);
            let pool = options.pool(&trust).connect_with(file).await?;
            Ok((Shelves::Sqlite(Shelf::new(pool, &options, trust)), options))
        }
        _ => Err(unknown(scheme).into()),
    }
}

fn unknown(scheme: &str) -> QueryError {
    let feature = match scheme {
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        "sqlite" => "sqlite",
        _ => {
            return QueryError::UnknownScheme {
                scheme: scheme.to_owned(),
            };
        }
    };
    QueryError::FeatureOff {
        scheme: scheme.to_owned(),
        feature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_without_its_feature_names_the_feature() {
        let error = unknown("mariadb");
        assert!(matches!(
            &error,
            QueryError::FeatureOff {
                feature: "mysql",
                ..
            }
        ));
        assert!(error.to_string().contains("feature `mysql`"));
        assert!(matches!(
            unknown("oracle"),
            QueryError::UnknownScheme { .. }
        ));
    }
}
