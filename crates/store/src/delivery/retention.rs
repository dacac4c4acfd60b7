//! How many deliveries are kept: beyond that, the oldest that nothing is to be done for make room.
//!
//! Releases, promotions and the ledger are not touched; they tell what came of a delivery when it is gone.

use sqlx::SqliteConnection;

use crate::{DeliveryId, Error, rows::id};

/// How many deliveries are kept: months of pushes, at a few thousand bytes each some hundred megabytes.
///
/// A sender repeats a delivery within days, so that none is forgotten while its repetition may still come.
pub(super) const MOST_DELIVERIES: i64 = 100_000;

/// How many of the oldest are looked at each time: above one, so that a backlog shrinks, and few, so that
/// recording a delivery costs the same however many are stuck.
const OLDEST: i64 = 8;

/// Deletes deliveries that are older than the last `most`, with what they announced.
///
/// Keys only grow, so that the last `most` keys are at most so many deliveries: nothing is counted. One that still
/// has work is kept; it is looked at again when it is among the oldest.
pub(super) async fn delete_oldest(
    connection: &mut SqliteConnection,
    newest: DeliveryId,
    most: i64,
) -> Result<(), Error> {
    let last = newest.key().saturating_sub(most);
    for delivery in settled_until(connection, last).await? {
        delete_announcements(connection, delivery).await?;
        delete_delivery(connection, delivery).await?;
    }
    Ok(())
}

/// The one with the key `last` and the oldest up to it, as far as no announcement of theirs has work.
async fn settled_until(connection: &mut SqliteConnection, last: i64) -> Result<Vec<DeliveryId>, Error> {
    sqlx::query(
        "select id from deliveries \
         where (id = $1 or id in (select id from deliveries where id <= $1 order by id limit $2)) \
             and not exists (select 1 from announcements \
                 join work on work.subject_kind = 'announcement' and work.subject_id = announcements.id \
                 where announcements.delivery_id = deliveries.id)",
    )
    .bind(last)
    .bind(OLDEST)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| id(row, "id"))
    .collect()
}

async fn delete_announcements(connection: &mut SqliteConnection, delivery: DeliveryId) -> Result<(), Error> {
    sqlx::query("delete from announcements where delivery_id = $1").bind(delivery.key()).execute(connection).await?;
    Ok(())
}

async fn delete_delivery(connection: &mut SqliteConnection, delivery: DeliveryId) -> Result<(), Error> {
    sqlx::query("delete from deliveries where id = $1").bind(delivery.key()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
