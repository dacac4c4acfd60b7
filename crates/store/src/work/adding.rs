//! What is new is work.

use chrono::{DateTime, Utc};
use domain::application::Name;
use sqlx::AnyConnection;

use super::FORGE;
use crate::{DeliveryId, Error, PromotionId, rows::millis, statement::Statement};

/// Adds work on a promotion that is due at once.
pub(crate) async fn add_promotion(
    connection: &mut AnyConnection,
    promotion: PromotionId,
    application: &Name,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(
        "insert into work (subject_kind, subject_id, lane, site, due_at_ms, attempts, fence) \
         values ('promotion', $1, $2, $3, $4, 0, 0)",
    )
    .bind(promotion.key())
    .bind(application.as_str())
    .bind(FORGE)
    .bind(millis(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds work for each announcement of these deliveries that is pending: it is due since it was received. There is at
/// least one delivery.
pub(crate) async fn add_announcements(connection: &mut AnyConnection, deliveries: &[DeliveryId]) -> Result<(), Error> {
    let mut statement = Statement::new(
        "insert into work (subject_kind, subject_id, lane, site, due_at_ms, attempts, fence) \
         select 'announcement', announcements.id, coalesce(announcements.repository, ''), announcements.site, deliveries.received_at_ms, 0, 0 \
         from announcements join deliveries on deliveries.id = announcements.delivery_id \
         where announcements.delivery_id in (",
    );
    statement.bind_all(deliveries.iter().map(DeliveryId::key))?;
    statement.push(") and announcements.verdict = 'pending' order by announcements.id");
    statement.build().execute(connection).await?;
    Ok(())
}

/// Adds work that is due at once for each announcement of a delivery that is pending and has none.
pub(crate) async fn add_idle_announcements(
    connection: &mut AnyConnection,
    delivery: DeliveryId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(
        "insert into work (subject_kind, subject_id, lane, site, due_at_ms, attempts, fence) \
         select 'announcement', announcements.id, coalesce(announcements.repository, ''), announcements.site, $2, 0, 0 from announcements \
         where announcements.delivery_id = $1 and announcements.verdict = 'pending' \
             and not exists (select 1 from work as other \
                 where other.subject_kind = 'announcement' and other.subject_id = announcements.id) \
         order by announcements.id",
    )
    .bind(delivery.key())
    .bind(millis(now))
    .execute(connection)
    .await?;
    Ok(())
}
