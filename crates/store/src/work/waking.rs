//! What is claimed or waits is to be looked at soon. A wake is never lost: one that is claimed becomes due as soon as it
//! is handed back.

use chrono::{DateTime, Utc};
use domain::{application::Name, forge};
use sqlx::AnyConnection;

use crate::{Error, Promotion, PromotionId, ReleaseId, Store, rows::millis};

impl Store {
    /// Makes every unsettled promotion of a GitOps repository due then, if not before, and says how many there are.
    /// Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_promotions(&self, gitops: &forge::Repository, at: DateTime<Utc>) -> Result<u64, Error> {
        self.wake_unsettled(Some(gitops.to_string()), None, at).await
    }

    /// Makes every unsettled promotion of an application due then, if not before, and says how many there are.
    /// Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_application(&self, application: &Name, at: DateTime<Utc>) -> Result<u64, Error> {
        self.wake_unsettled(None, Some(application), at).await
    }

    async fn wake_unsettled(
        &self,
        gitops: Option<String>,
        application: Option<&Name>,
        at: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut transaction = self.write_lazily().await?;
        let done = sqlx::query(
            "update work set \
                 due_at_ms = case when due_at_ms < $3 then due_at_ms else $3 end, \
                 woken_at_ms = case \
                     when lease_until_ms is null then null when woken_at_ms < $3 then woken_at_ms else $3 end \
             where subject_kind = 'promotion' and subject_id in \
                 (select id from promotions where outcome is null \
                     and (lower(gitops_repository) = lower($1) or application = $2))",
        )
        .bind(gitops)
        .bind(application.map(Name::as_str))
        .bind(millis(at))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    /// Makes the promotion that has the slot which this one waits for due now, if another has it.
    ///
    /// Others that wait for the slot are left alone: they can not free it, and would wake this one in turn for ever.
    /// Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_slot_holder(&self, promotion: &Promotion, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write_lazily().await?;
        sqlx::query(
            "update work set \
                 due_at_ms = case when due_at_ms < $4 then due_at_ms else $4 end, \
                 woken_at_ms = case \
                 when lease_until_ms is null then null when woken_at_ms < $4 then woken_at_ms else $4 end \
             where subject_kind = 'promotion' and subject_id in \
                 (select id from promotions \
                  where application = $1 and lower(gitops_repository) = lower($2) and id <> $3 \
                      and slot_taken_at_ms is not null and outcome is null)",
        )
        .bind(promotion.application.as_str())
        .bind(promotion.gitops.to_string())
        .bind(promotion.id.key())
        .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Makes all work due that nobody works on: what it waits for may have come while nobody was there to hear of it.
    pub(crate) async fn look_anew(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        sqlx::query("update work set due_at_ms = $1 where due_at_ms > $1 and lease_until_ms is null")
            .bind(millis(now))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Ends every lease and makes all work due, with no failure counted, and says how much there is: what it waits for
    /// may have come while nobody was there to hear of it. Only right while nobody else can have a lease.
    pub(crate) async fn take_over(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut transaction = self.write().await?;
        let done = sqlx::query(
            "update work set \
                 due_at_ms = case when due_at_ms < $1 then due_at_ms else $1 end, \
                 attempts = 0, lease_until_ms = null, woken_at_ms = null",
        )
        .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }
}

/// Makes the unsettled promotion of a release due now, if it has one.
pub(crate) async fn wake_release(
    connection: &mut AnyConnection,
    release: ReleaseId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(
        "update work set \
             due_at_ms = case when due_at_ms < $2 then due_at_ms else $2 end, \
             woken_at_ms = case \
                 when lease_until_ms is null then null when woken_at_ms < $2 then woken_at_ms else $2 end \
         where subject_kind = 'promotion' and subject_id in \
             (select id from promotions where release_id = $1 and outcome is null)",
    )
    .bind(release.key())
    .bind(millis(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the other unsettled promotions of the same application and GitOps repository due now.
pub(crate) async fn wake_rivals_of(
    connection: &mut AnyConnection,
    promotion: PromotionId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(
        "update work set \
             due_at_ms = case when due_at_ms < $2 then due_at_ms else $2 end, \
             woken_at_ms = case \
                 when lease_until_ms is null then null when woken_at_ms < $2 then woken_at_ms else $2 end \
         where subject_kind = 'promotion' and subject_id in \
             (select rival.id from promotions as rival \
              join promotions as own on own.application = rival.application \
                  and lower(own.gitops_repository) = lower(rival.gitops_repository) \
              where own.id = $1 and rival.id <> own.id and rival.outcome is null)",
    )
    .bind(promotion.key())
    .bind(millis(now))
    .execute(connection)
    .await?;
    Ok(())
}
