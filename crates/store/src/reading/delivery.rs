//! Deliveries with what they say.

use sqlx::{AnyConnection, any::AnyRow};

use super::{AnnouncementRow, DeliveryRow};
use crate::{
    DeliveryId, Error, Id, Store,
    rows::{column, id, time},
};

impl Store {
    /// Deliveries, newest first.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn deliveries(&self, before: Option<DeliveryId>, limit: u32) -> Result<Vec<DeliveryRow>, Error> {
        let mut reading = self.read().await?;
        let rows = sqlx::query(
            "select id, sender, received_at_ms from deliveries where id < $1 \
             order by id desc limit $2",
        )
        .bind(before.map_or(i64::MAX, |before| before.key()))
        .bind(i64::from(limit))
        .fetch_all(&mut *reading)
        .await?;
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in &rows {
            deliveries.push(with_announcements(&mut reading, row).await?);
        }
        Ok(deliveries)
    }

    /// A delivery; `None` when there is none with that id.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query("select id, sender, received_at_ms from deliveries where id = $1")
            .bind(id.key())
            .fetch_optional(&mut *reading)
            .await?;
        match row {
            Some(row) => with_announcements(&mut reading, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether a delivery came with exactly this body, as far as that is still known.
    ///
    /// # Errors
    ///
    /// The database failed, or there is no such delivery any more.
    pub async fn is_body_of(&self, id: DeliveryId, body: &[u8]) -> Result<bool, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query(
            "select case when body = $2 or body_dropped <> 0 then 1 else 0 end as is_it from deliveries where id = $1",
        )
        .bind(id.key())
        .bind(body)
        .fetch_one(&mut *reading)
        .await?;
        Ok(column::<i64>(&row, "is_it")? != 0)
    }
}

async fn with_announcements(connection: &mut AnyConnection, row: &AnyRow) -> Result<DeliveryRow, Error> {
    let delivery: DeliveryId = id(row, "id")?;
    let announcements = sqlx::query(
        "select kind, repository, tag, claimed_digest, unusable_text, verdict, reason, release_id \
         from announcements where delivery_id = $1 order by id",
    )
    .bind(delivery.key())
    .fetch_all(connection)
    .await?;
    Ok(DeliveryRow {
        id: delivery,
        sender: column(row, "sender")?,
        received_at: time(row, "received_at_ms")?,
        announcements: announcements.iter().map(announcement).collect::<Result<_, _>>()?,
    })
}

fn announcement(row: &AnyRow) -> Result<AnnouncementRow, Error> {
    Ok(AnnouncementRow {
        kind: column(row, "kind")?,
        repository: column(row, "repository")?,
        tag: column(row, "tag")?,
        digest: column(row, "claimed_digest")?,
        text: column(row, "unusable_text")?,
        verdict: column(row, "verdict")?,
        reason: column(row, "reason")?,
        release: column::<Option<i64>>(row, "release_id")?.map(Id::new),
    })
}
