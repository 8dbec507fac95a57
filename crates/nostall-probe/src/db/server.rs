//! The pool of a server.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use super::dialect::Dialect;
use super::lease::Shelf;
use super::options::DatabaseOptions;
use super::trust::Trust;
use crate::error::Cause;

/// Connects once by itself: the pool would hide a refused connection behind its own time-out.
pub(super) async fn connect_server<D, O>(
    server: O,
    options: &DatabaseOptions,
) -> Result<Arc<Shelf<D>>, Cause>
where
    D: Dialect,
    D::Connection: Connection<Database = D, Options = O>,
    O: ConnectOptions<Connection = D::Connection>,
{
    let limit: Duration = options.acquire_time_out;
    let connected = timeout(limit, server.connect()).await;
    let connection = connected.map_err(|_| Cause::TimedOut { limit })??;
    // Whether the server hears the farewell does not matter.
    let _ = timeout(limit, connection.close()).await;
    let trust = Trust::of(options);
    let pool = options.pool(&trust).connect_lazy_with(server);
    Ok(Shelf::new(pool, options, trust))
}
