//! What is to be looked at and when, and who looks at it now.

mod adding;
mod waking;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{
    AnnouncementId, Error, Id, PromotionId, Store,
    rows::{self, column, lease_end, millis, unsigned},
};

pub(crate) use self::{
    adding::{add_announcements, add_idle_announcements, add_promotion},
    waking::{wake_release, wake_rivals_of},
};

/// The longest lease that is given: what a holder that died had is taken up again after this at the latest.
pub const LONGEST_LEASE: Duration = Duration::from_secs(10 * 60);

/// The [`site`](Claim::site) of what asks the Git host.
pub const FORGE: &str = "forge";

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
    /// What it is about: an image repository, or an application; empty where nobody knows.
    pub lane: String,
    /// Whom it asks: a registry, or the [`FORGE`]; empty where it asks nobody.
    pub site: String,
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
        self.claim_due_beside(now, lease, &[]).await
    }

    /// Claims what has been due for longest, nobody works on, and is of none of these lanes and sites; `None` when there
    /// is nothing.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn claim_due_beside(
        &self,
        now: DateTime<Utc>,
        lease: Duration,
        busy: &[String],
    ) -> Result<Option<Claim>, Error> {
        let mut transaction = self.write_lazily().await?;
        let row = sqlx::query(self.kind().claim())
            .bind(millis(now))
            .bind(lease_end(now, lease.min(LONGEST_LEASE)))
            .bind(listed(busy))
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
        self.next_due_beside(now, &[]).await
    }

    /// The same of what is of none of these lanes and sites.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn next_due_beside(&self, now: DateTime<Utc>, busy: &[String]) -> Result<Option<DateTime<Utc>>, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query(
            "select min(coalesce(lease_until_ms, due_at_ms)) as next_ms from work \
             where replace($1, ' ' || lane || ' ', '') = $1 and replace($1, ' ' || site || ' ', '') = $1",
        )
        .bind(listed(busy))
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

fn claim(row: &AnyRow) -> Result<Claim, Error> {
    let key: i64 = column(row, "subject_id")?;
    let subject = match row.try_get("subject_kind")? {
        "announcement" => Subject::Announcement(Id::new(key)),
        "promotion" => Subject::Promotion(Id::new(key)),
        _ => return Err(Error::corrupt("work.subject_kind")),
    };
    Ok(Claim {
        subject,
        attempts: unsigned(row, "attempts")?,
        lane: column(row, "lane")?,
        site: column(row, "site")?,
        work: column(row, "id")?,
        fence: column(row, "fence")?,
    })
}

fn held(rows: u64) -> Result<(), Error> {
    if rows == 0 { Err(Error::ClaimLost) } else { Ok(()) }
}

/// Names as a statement looks for one of them. None has a blank in it, and there are never two in a row, which would be
/// found for what has no name.
fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" {} ", names.join(" ")) }
}
