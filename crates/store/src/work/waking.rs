//! What is claimed or waits is to be looked at soon. A wake is never lost: one that is claimed becomes due as soon as it
//! is handed back.

use chrono::{DateTime, Utc};
use domain::{announcement::About, application::Name, commit::Commit, forge};
use sqlx::AnyConnection;

use crate::{Error, Promotion, PromotionId, ReleaseId, Store, rows::millis, statement::Statement};

impl Store {
    /// Makes every unsettled promotion due then, if not before, that depends on what moved in its GitOps repository, and
    /// says how many there are. Idempotent.
    ///
    /// One that may have a pull request and does not know its number depends on every pull request.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_promotions(
        &self,
        gitops: &forge::Repository,
        about: &About,
        at: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut wake = waking(at)?;
        wake.push("outcome is null and lower(gitops_repository) = lower(").bind(gitops.to_string())?.push(")");
        match about {
            About::Repository => {}
            About::Branch(branch) => {
                wake.push(" and base = ").bind(branch.as_str().to_owned())?;
            }
            About::Commit(commit) => {
                wake.push(" and exists (select 1 from heads where promotion_id = promotions.id and head_commit = ");
                wake.bind(commit.to_string())?.push(")");
            }
            About::PullRequest(number) => {
                wake.push(" and (pull_request is null and slot_taken_at_ms is not null or pull_request = ");
                wake.bind(i64::try_from(number.0).unwrap_or(i64::MAX))?.push(")");
            }
        }
        self.wake(wake).await
    }

    /// Makes the unsettled promotions of an application, or of one commit of it, due then, if not before, and says how
    /// many there are. Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_application(
        &self,
        application: &Name,
        commit: Option<Commit>,
        at: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let mut wake = waking(at)?;
        wake.push("outcome is null and application = ").bind(application.as_str().to_owned())?;
        if let Some(commit) = commit {
            wake.push(" and release_id in (select id from releases where application = ");
            wake.bind(application.as_str().to_owned())?.push(" and source_commit = ");
            wake.bind(commit.to_string())?.push(")");
        }
        self.wake(wake).await
    }

    async fn wake(&self, wake: Statement) -> Result<u64, Error> {
        let mut transaction = self.write_lazily().await?;
        let woken = execute(wake, &mut transaction).await?;
        transaction.commit().await?;
        Ok(woken)
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
        let mut wake = waking(now)?;
        wake.push("slot_taken_at_ms is not null and outcome is null and application = ");
        wake.bind(promotion.application.as_str().to_owned())?.push(" and lower(gitops_repository) = lower(");
        wake.bind(promotion.gitops.to_string())?.push(") and id <> ").bind(promotion.id.key())?;
        self.wake(wake).await.map(drop)
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
    let mut wake = waking(now)?;
    wake.push("outcome is null and release_id = ").bind(release.key())?;
    execute(wake, connection).await.map(drop)
}

/// Makes the other unsettled promotions of the same application and GitOps repository due now.
pub(crate) async fn wake_rivals_of(
    connection: &mut AnyConnection,
    promotion: PromotionId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut wake = waking(now)?;
    wake.push(
        "outcome is null and exists (select 1 from promotions as own \
         where own.application = promotions.application and own.id <> promotions.id \
             and lower(own.gitops_repository) = lower(promotions.gitops_repository) and own.id = ",
    );
    wake.bind(promotion.key())?.push(")");
    execute(wake, connection).await.map(drop)
}

/// Begins to make promotions due then, if not before; which ones is to follow. Of two wakes the earlier one counts.
fn waking(at: DateTime<Utc>) -> Result<Statement, sqlx::Error> {
    let mut wake = Statement::new("update work set due_at_ms = case when due_at_ms < ");
    wake.bind(millis(at))?.push(" then due_at_ms else ").bind(millis(at))?;
    wake.push(" end, woken_at_ms = case when lease_until_ms is null then null when woken_at_ms < ");
    wake.bind(millis(at))?.push(" then woken_at_ms else ").bind(millis(at))?;
    wake.push(" end where subject_kind = 'promotion' and subject_id in (select id from promotions where ");
    Ok(wake)
}

/// Says how many promotions were woken.
async fn execute(mut wake: Statement, connection: &mut AnyConnection) -> Result<u64, Error> {
    wake.push(")");
    Ok(wake.build().execute(connection).await?.rows_affected())
}
