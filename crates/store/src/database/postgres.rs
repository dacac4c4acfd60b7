//! PostgreSQL: a database that several replicas share.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use sqlx::{
    AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use super::TURN_TIMEOUT;
use crate::{Error, rows};

/// Begins a transaction that may write; when its end returns, it is on disk.
pub(super) const BEGIN_DURABLY: &str = "begin";

/// Should the server stop, the last of these may be missing afterwards, and nothing else
/// (<https://www.postgresql.org/docs/15/wal-async-commit.html>).
pub(super) const BEGIN_LAZILY: &str = "begin; set local synchronous_commit = off";

/// Begins a transaction that sees the database at one moment.
pub(super) const BEGIN_READING: &str = "begin isolation level repeatable read read only";

/// Claims what has been due for longest and no other replica claims, records for or wakes at this moment.
pub(super) const CLAIM: &str = "update work set fence = fence + 1, lease_until_ms = $2, woken_at_ms = null \
     where id = (select id from work \
         where due_at_ms <= $1 and (lease_until_ms is null or lease_until_ms <= $1) \
             and replace($3, ' ' || lane || ' ', '') = $3 and replace($3, ' ' || site || ' ', '') = $3 \
         order by due_at_ms, id limit 1 for update skip locked) \
     returning id, subject_kind, subject_id, attempts, fence, lane, site";

/// Reads the server's clock, which transactions that take long do not stop.
const CLOCK: &str = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as now_ms";

/// Where replicas tell each other that there may be something to do.
pub(crate) const CHANNEL: &str = "tagferry";

/// Tells it; what is told twice in a transaction is heard once (<https://www.postgresql.org/docs/15/sql-notify.html>).
pub(crate) const TELL: &str = "notify tagferry";

/// What each connection is told first: a statement that hangs, a lock that is not to be had and a transaction that was
/// forgotten end by themselves. Who waits for the answer has given up by then.
const SETTINGS: &str = "set statement_timeout = '20s'; set lock_timeout = '10s'; \
     set idle_in_transaction_session_timeout = '30s'; set application_name = 'tagferry'; \
     set client_min_messages = 'warning'";

/// How many connections a replica has at most: each worker needs one for moments only, and a server has 100 by default.
const CONNECTIONS: u32 = 10;

/// The connections that read and write; none is made yet.
pub(super) fn pool(url: &str) -> Result<AnyPool, sqlx::Error> {
    let options = AnyConnectOptions::from_str(url)?.disable_statement_logging();
    Ok(AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(TURN_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SETTINGS).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options))
}

/// Connects once: what the server has against it is told, where the pool tries again and says only that it took long.
pub(super) async fn try_once(pool: &AnyPool) -> Result<(), sqlx::Error> {
    let options = pool.connect_options();
    let connection = tokio::time::timeout(TURN_TIMEOUT, AnyConnection::connect_with(&options));
    connection.await.map_err(|_elapsed| sqlx::Error::PoolTimedOut)??.close().await
}

/// What time the server says it is.
pub(crate) async fn time(pool: &AnyPool) -> Result<DateTime<Utc>, Error> {
    rows::time(&sqlx::raw_sql(CLOCK).fetch_one(pool).await?, "now_ms")
}
