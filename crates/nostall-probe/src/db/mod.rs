//! One pool of database connections: PostgreSQL, MySQL or SQLite, by the URL.

use crate::error::Result;
use crate::system::Core;

/// Numbers of a database pool.
#[derive(Clone, Debug, Default)]
pub struct DatabaseOptions {}

/// A pool of connections to one database.
#[derive(Clone, Debug)]
pub struct Database {}

/// Something about a query that the façade itself refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {}

impl Database {
    pub(crate) async fn connect(
        _url: &str,
        _options: DatabaseOptions,
        _core: &Core,
    ) -> Result<Self> {
        Ok(Self {})
    }

    pub(crate) async fn close(&self) {}
}

/// Whether another try may help.
pub(crate) fn is_transient(_error: &sqlx::Error) -> bool {
    false
}
