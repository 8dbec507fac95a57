//! What the façade itself refuses, and which errors another try may mend.

use sqlx::error::DatabaseError;

use crate::error::{Cause, is_transient_io};

/// Something about a query that the façade itself refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The URL is of no database that is known here.
    #[error(
        "no database has URLs that begin with `{scheme}:`; known are postgres, mysql, mariadb and sqlite"
    )]
    UnknownScheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// The URL is of a database that was not compiled in.
    #[error("`{scheme}:` needs the feature `{feature}` of nostall-probe")]
    FeatureOff {
        /// What stands before the colon.
        scheme: String,
        /// The feature to switch on.
        feature: &'static str,
    },
    /// A statement has more or fewer placeholders than values were given.
    #[error("the statement has {expected} parameters, but {found} values were given")]
    ParameterCount {
        /// Placeholders in the statement.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A value is not of the type that the statement needs there, or does not fit into it.
    #[error(
        "parameter {position}: {value} can't be sent as {type_name}; a cast in the statement may help"
    )]
    Parameter {
        /// The place of the parameter; the first is 1.
        position: usize,
        /// The kind of the value, and the value where it is short.
        value: String,
        /// The type that the database needs.
        type_name: String,
    },
    /// A column is of a type that has no form in JSON here.
    #[error(
        "column `{column}` is of type {type_name}, which can't be read here; a cast in the statement may help"
    )]
    ColumnType {
        /// The column's name.
        column: String,
        /// Its type.
        type_name: String,
    },
    /// A row of a bulk insert has not one value per column. Nothing was sent.
    #[error("row {row} has {found} values for {expected} columns")]
    RowLength {
        /// The place of the row; the first is 0.
        row: usize,
        /// The number of columns.
        expected: usize,
        /// The number of values.
        found: usize,
    },
    /// A name that no table or column can have. Nothing was sent.
    #[error("`{name}` can't be the name of a table or column")]
    Identifier {
        /// The name.
        name: String,
    },
    /// A bulk insert into no column, or into more than one statement can have parameters. Nothing was sent.
    #[error("can't insert into {columns} columns at once; from 1 to {max} are possible")]
    ColumnCount {
        /// The number of columns.
        columns: usize,
        /// The most that the database allows.
        max: usize,
    },
    /// An earlier statement of the transaction was broken off, or was chosen to end a deadlock: the database rolls all of it back.
    #[error(
        "the transaction ended when an earlier statement of it was broken off; the database rolls it back"
    )]
    TransactionLost,
    /// COMMIT was sent, but no answer came: whether the transaction took place is not known.
    #[error("the outcome of COMMIT is not known: {source}")]
    CommitUnknown {
        /// Why no answer came.
        source: Box<Cause>,
    },
}

/// Whether another try may help.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => is_transient_io(error) || is_unreachable(error),
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => {
            fault(&**error).is_some_and(|fault| fault != Fault::Permanent)
        }
        _ => false,
    }
}

fn is_unreachable(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::*;
    matches!(
        error.kind(),
        HostUnreachable | NetworkUnreachable | NetworkDown
    )
}

/// Whether an error shows that the statement did nothing: it was never sent, or the database rolled it back.
pub(super) fn nothing_done(cause: &Cause) -> bool {
    match cause {
        Cause::Database(sqlx::Error::PoolTimedOut) => true,
        Cause::Database(sqlx::Error::Io(error)) => {
            error.kind() == std::io::ErrorKind::ConnectionRefused
        }
        _ => rolled_back(cause),
    }
}

/// Whether the database answered that it undid the statement, or the transaction, to let another one pass.
pub(super) fn rolled_back(cause: &Cause) -> bool {
    matches!(cause, Cause::Database(sqlx::Error::Database(error)) if fault(&**error) == Some(Fault::RolledBack))
}

/// Whether a failed COMMIT is known to have committed nothing: a server that went down may have done it before.
pub(super) fn nothing_committed(cause: &Cause) -> bool {
    match cause {
        Cause::Database(sqlx::Error::Database(error)) => {
            matches!(fault(&**error), Some(Fault::RolledBack | Fault::Permanent))
        }
        Cause::Query(_) => true,
        _ => false,
    }
}

/// Whether the exchange with the server ended in order, so that the connection can go on.
pub(super) fn leaves_connection_whole(cause: &Cause) -> bool {
    match cause {
        Cause::Database(error) => !matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::PoolClosed
        ),
        _ => true,
    }
}

/// Whether the server answered that it is about to go, or ends this connection.
pub(super) fn is_farewell(cause: &Cause) -> bool {
    match cause {
        Cause::Database(sqlx::Error::Database(error)) => {
            fault(&**error) == Some(Fault::Unavailable)
        }
        _ => false,
    }
}

/// What an answer of the database means for another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The statement or transaction was undone in favour of another one.
    RolledBack,
    /// The server goes down, comes up, or has no connection left. What became of the statement is not said.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "SQLite is no server")
    )]
    Unavailable,
    /// The same again would fail again.
    Permanent,
}

/// `None` for errors of databases that are not compiled in.
fn fault(error: &(dyn DatabaseError + 'static)) -> Option<Fault> {
    #[cfg(feature = "postgres")]
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return Some(super::postgres::fault(error.code()));
    }
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return Some(super::mysql::fault(error.number()));
    }
    #[cfg(feature = "sqlite")]
    if error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
    {
        return Some(super::sqlite::fault(error.code().as_deref()));
    }
    let _ = error;
    None
}
