//! How many deliveries are kept and for how long: beyond that, the oldest that nothing is to be done for make room.
//!
//! Releases, promotions and the ledger are not touched; they tell what came of a delivery when it is gone.

use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

use crate::{
    DeliveryId, Error, Store,
    rows::{id, millis},
    statement::Statement,
};

/// How many deliveries are kept: months of pushes, at a few thousand bytes each some hundred megabytes.
///
/// A sender repeats a delivery within days, so that none is forgotten while its repetition may still come.
pub(super) const MOST_DELIVERIES: i64 = 100_000;

/// How many of the oldest are looked at in each transaction: above one, so that a backlog shrinks, and few, so that
/// recording a delivery costs the same however many are stuck.
const OLDEST: i64 = 8;

/// Deletes deliveries that are older than the last `most`, with what they announced, when those from `first` to `last`
/// are added.
///
/// Keys only grow, so that the last `most` keys are at most so many deliveries: nothing is counted. One that still
/// has work is kept; it is looked at again when it is among the oldest.
pub(super) async fn delete_oldest(
    connection: &mut AnyConnection,
    first: DeliveryId,
    last: DeliveryId,
    most: i64,
) -> Result<(), Error> {
    let too_old = |newest: DeliveryId| newest.key().saturating_sub(most);
    let settled = settled_among(connection, too_old(first), too_old(last)).await?;
    if !settled.is_empty() {
        delete_announcements(connection, &settled).await?;
        delete_deliveries(connection, &settled).await?;
    }
    Ok(())
}

/// Those that grow too old now, and the oldest, as far as no announcement of theirs has work.
///
/// One question inside the other, not a join: SQLite began that with all work there is, for each delivery.
async fn settled_among(connection: &mut AnyConnection, first: i64, last: i64) -> Result<Vec<DeliveryId>, Error> {
    sqlx::query(
        "select id from deliveries \
         where id in (select id from deliveries where id between $1 and $2 \
                 union select id from (select id from deliveries where id <= $2 order by id limit $3) as oldest) \
             and not exists (select 1 from announcements where announcements.delivery_id = deliveries.id \
                 and exists (select 1 from work \
                     where work.subject_kind = 'announcement' and work.subject_id = announcements.id))",
    )
    .bind(first)
    .bind(last)
    .bind(OLDEST)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| id(row, "id"))
    .collect()
}

async fn delete_announcements(connection: &mut AnyConnection, deliveries: &[DeliveryId]) -> Result<(), Error> {
    delete(connection, "delete from announcements where delivery_id in (", deliveries).await
}

async fn delete_deliveries(connection: &mut AnyConnection, deliveries: &[DeliveryId]) -> Result<(), Error> {
    delete(connection, "delete from deliveries where id in (", deliveries).await
}

/// Completes a statement that ends in a list of keys; there is at least one.
async fn delete(connection: &mut AnyConnection, text: &str, deliveries: &[DeliveryId]) -> Result<(), Error> {
    let mut statement = Statement::new(text);
    statement.bind_all(deliveries.iter().map(DeliveryId::key))?.push(")");
    statement.build().execute(connection).await?;
    Ok(())
}

/// How many deliveries one step of [`Store::keep`] touches: others that write wait for no more.
const STEP: i64 = 200;

impl Store {
    /// Drops the bodies of deliveries that came before `bodies`, and deletes those that came before `deliveries` and
    /// have no work, some of each; says whether there may be more.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn keep(&self, bodies: Option<DateTime<Utc>>, deliveries: Option<DateTime<Utc>>) -> Result<bool, Error> {
        let mut transaction = self.write_lazily().await?;
        let mut most = 0;
        if let Some(before) = deliveries {
            let aged = settled_before(&mut transaction, before).await?;
            if !aged.is_empty() {
                delete_announcements(&mut transaction, &aged).await?;
                delete_deliveries(&mut transaction, &aged).await?;
            }
            most = aged.len();
        }
        if let Some(before) = bodies {
            let dropped = drop_bodies(&mut transaction, before).await?;
            most = most.max(usize::try_from(dropped).unwrap_or(usize::MAX));
        }
        transaction.commit().await?;
        Ok(i64::try_from(most).is_ok_and(|most| most >= STEP))
    }
}

async fn settled_before(connection: &mut AnyConnection, before: DateTime<Utc>) -> Result<Vec<DeliveryId>, Error> {
    sqlx::query(
        "select id from deliveries where received_at_ms < $1 \
             and not exists (select 1 from announcements where announcements.delivery_id = deliveries.id \
                 and exists (select 1 from work \
                     where work.subject_kind = 'announcement' and work.subject_id = announcements.id)) \
         order by received_at_ms, id limit $2",
    )
    .bind(millis(before))
    .bind(STEP)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| id(row, "id"))
    .collect()
}

async fn drop_bodies(connection: &mut AnyConnection, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query(
        "update deliveries set body = $2, body_dropped = 1 where id in \
             (select id from deliveries where received_at_ms < $1 and body_dropped = 0 order by received_at_ms limit $3)",
    )
    .bind(millis(before))
    .bind(Vec::<u8>::new())
    .bind(STEP)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests;
