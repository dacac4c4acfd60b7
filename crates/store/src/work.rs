//! What is to be looked at and when, and who looks at it now.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{application::Name, forge};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{
    AnnouncementId, DeliveryId, Error, Id, Promotion, PromotionId, Store,
    rows::{self, column, lease_end, millis, unsigned},
    statement::Statement,
};

/// The longest lease that is given: what a holder that died had is taken up again after this at the latest.
pub const LONGEST_LEASE: Duration = Duration::from_secs(10 * 60);

/// What a piece of work is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An announcement is to be understood.
    Announcement(AnnouncementId),
    /// A promotion is to be moved on.
    Promotion(PromotionId),
}

/// Proof that nobody else works on a subject.
///
/// It holds until another claim on the same work is made, which can not be before the lease is over. Every call that
/// records something for the subject takes it, and records nothing once it no longer holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed.
    pub subject: Subject,
    /// How often in a row it was handed back as failed.
    pub attempts: u32,
    work: i64,
    fence: i64,
}

/// How work that is handed back went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// Well: the count of failed attempts starts again.
    Reset,
    /// It failed: one more is counted.
    Failed,
    /// It was broken off for a reason of ours: the count stays what it is.
    Kept,
}

impl Store {
    /// Claims what has been due for longest and nobody works on; `None` when there is nothing.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn claim_due(&self, now: DateTime<Utc>, lease: Duration) -> Result<Option<Claim>, Error> {
        let mut transaction = self.write_lazily().await?;
        let row = sqlx::query(self.kind().claim())
            .bind(millis(now))
            .bind(lease_end(now, lease.min(LONGEST_LEASE)))
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        row.as_ref().map(claim).transpose()
    }

    /// Lets a claim hold for another lease from now on, if it still does.
    ///
    /// # Errors
    ///
    /// The claim no longer holds, or the database failed.
    pub async fn renew(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), Error> {
        let mut transaction = self.write_lazily().await?;
        let done = sqlx::query(
            "update work set lease_until_ms = $3 where id = $1 and fence = $2 and lease_until_ms is not null",
        )
        .bind(claim.work)
        .bind(claim.fence)
        .bind(lease_end(now, lease.min(LONGEST_LEASE)))
        .execute(&mut *transaction)
        .await?;
        held(done.rows_affected())?;
        Ok(transaction.commit().await?)
    }

    /// When there is something to claim: the earliest due time or end of a lease, and `now` if that is past.
    ///
    /// `None` means that there is no work at all.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query("select min(coalesce(lease_until_ms, due_at_ms)) as next_ms from work")
            .fetch_one(&mut *reading)
            .await?;
        let next = rows::maybe_time(&row, "next_ms")?;
        Ok(next.map(|next| next.max(now)))
    }

    /// Gives work back, to be claimed again at `due_at`; at once when it was woken while it was claimed.
    ///
    /// # Errors
    ///
    /// The claim no longer holds, or the database failed.
    pub async fn hand_back(&self, claim: &Claim, due_at: DateTime<Utc>, attempts: Attempts) -> Result<(), Error> {
        let mut transaction = self.write_lazily().await?;
        let attempts = match attempts {
            Attempts::Reset => 0,
            Attempts::Failed => i64::from(claim.attempts).saturating_add(1),
            Attempts::Kept => i64::from(claim.attempts),
        };
        let done = sqlx::query(
            "update work set \
                 due_at_ms = case when woken_at_ms < $3 then woken_at_ms else $3 end, \
                 attempts = $4, lease_until_ms = null, woken_at_ms = null \
             where id = $1 and fence = $2 and lease_until_ms is not null",
        )
        .bind(claim.work)
        .bind(claim.fence)
        .bind(millis(due_at))
        .bind(attempts)
        .execute(&mut *transaction)
        .await?;
        held(done.rows_affected())?;
        Ok(transaction.commit().await?)
    }

    /// Makes every unsettled promotion of a GitOps repository due then, if not before, and says how many there are.
    ///
    /// One that is claimed becomes due as soon as it is handed back: a wake is never lost. Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_promotions(&self, gitops: &forge::Repository, at: DateTime<Utc>) -> Result<u64, Error> {
        let mut transaction = self.write_lazily().await?;
        let done = sqlx::query(
            "update work set \
                 due_at_ms = case when due_at_ms < $2 then due_at_ms else $2 end, \
                 woken_at_ms = case \
                     when lease_until_ms is null then null when woken_at_ms < $2 then woken_at_ms else $2 end \
             where subject_kind = 'promotion' and subject_id in \
                 (select id from promotions where lower(gitops_repository) = lower($1) and outcome is null)",
        )
        .bind(gitops.to_string())
        .bind(millis(at))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    /// Makes every unsettled promotion of an application due then, if not before, and says how many there are: one that
    /// is claimed becomes due as soon as it is handed back. Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_application(&self, application: &Name, at: DateTime<Utc>) -> Result<u64, Error> {
        let mut transaction = self.write_lazily().await?;
        let done = sqlx::query(
            "update work set \
                 due_at_ms = case when due_at_ms < $2 then due_at_ms else $2 end, \
                 woken_at_ms = case \
                     when lease_until_ms is null then null when woken_at_ms < $2 then woken_at_ms else $2 end \
             where subject_kind = 'promotion' and subject_id in \
                 (select id from promotions where application = $1 and outcome is null)",
        )
        .bind(application.as_str())
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
                 woken_at_ms = case when lease_until_ms is null then null else $4 end \
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

impl Claim {
    /// Checks inside a transaction that it still holds, and keeps others from claiming until the transaction ends.
    pub(crate) async fn hold(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let done =
            sqlx::query("update work set fence = fence where id = $1 and fence = $2 and lease_until_ms is not null")
                .bind(self.work)
                .bind(self.fence)
                .execute(connection)
                .await?;
        held(done.rows_affected())
    }

    /// Checks inside a transaction that it still holds, and on an announcement.
    pub(crate) async fn hold_announcement(&self, connection: &mut AnyConnection) -> Result<AnnouncementId, Error> {
        self.hold(connection).await?;
        match self.subject {
            Subject::Announcement(id) => Ok(id),
            Subject::Promotion(_) => Err(Error::ClaimLost),
        }
    }

    /// Checks inside a transaction that it still holds, and on a promotion.
    pub(crate) async fn hold_promotion(&self, connection: &mut AnyConnection) -> Result<PromotionId, Error> {
        self.hold(connection).await?;
        match self.subject {
            Subject::Promotion(id) => Ok(id),
            Subject::Announcement(_) => Err(Error::ClaimLost),
        }
    }

    /// Whether it was woken since it was claimed.
    pub(crate) async fn was_woken(&self, connection: &mut AnyConnection) -> Result<bool, Error> {
        let row = sqlx::query("select 1 from work where id = $1 and woken_at_ms is not null")
            .bind(self.work)
            .fetch_optional(connection)
            .await?;
        Ok(row.is_some())
    }

    /// Takes the work away, for it is done.
    pub(crate) async fn finish(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        sqlx::query("delete from work where id = $1 and fence = $2")
            .bind(self.work)
            .bind(self.fence)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Adds work that is due at once.
pub(crate) async fn add(connection: &mut AnyConnection, subject: Subject, now: DateTime<Utc>) -> Result<(), Error> {
    let (kind, key) = match subject {
        Subject::Announcement(id) => ("announcement", id.key()),
        Subject::Promotion(id) => ("promotion", id.key()),
    };
    sqlx::query(
        "insert into work (subject_kind, subject_id, due_at_ms, attempts, fence) \
         values ($1, $2, $3, 0, 0)",
    )
    .bind(kind)
    .bind(key)
    .bind(millis(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds work for each announcement of these deliveries that is pending: it is due since it was received. There is at
/// least one delivery.
pub(crate) async fn add_announcements(connection: &mut AnyConnection, deliveries: &[DeliveryId]) -> Result<(), Error> {
    let mut statement = Statement::new(
        "insert into work (subject_kind, subject_id, due_at_ms, attempts, fence) \
         select 'announcement', announcements.id, deliveries.received_at_ms, 0, 0 \
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
        "insert into work (subject_kind, subject_id, due_at_ms, attempts, fence) \
         select 'announcement', announcements.id, $2, 0, 0 from announcements \
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

/// Makes the unsettled promotion of a release due now, if it has one.
pub(crate) async fn wake_release(
    connection: &mut AnyConnection,
    release: crate::ReleaseId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(
        "update work set \
             due_at_ms = case when due_at_ms < $2 then due_at_ms else $2 end, \
             woken_at_ms = case when lease_until_ms is null then null else $2 end \
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
             woken_at_ms = case when lease_until_ms is null then null else $2 end \
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

fn claim(row: &AnyRow) -> Result<Claim, Error> {
    let key: i64 = column(row, "subject_id")?;
    let subject = match row.try_get("subject_kind")? {
        "announcement" => Subject::Announcement(Id::new(key)),
        "promotion" => Subject::Promotion(Id::new(key)),
        _ => return Err(Error::corrupt("work.subject_kind")),
    };
    Ok(Claim { subject, attempts: unsigned(row, "attempts")?, work: column(row, "id")?, fence: column(row, "fence")? })
}

fn held(rows: u64) -> Result<(), Error> {
    if rows == 0 { Err(Error::ClaimLost) } else { Ok(()) }
}
