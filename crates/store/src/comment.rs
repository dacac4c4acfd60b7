//! What was said on pull requests: once each, whatever becomes of the answers.

use chrono::{DateTime, Utc};
use domain::forge::Number;

use crate::{
    Claim, Error, Promotion, Store,
    promotion::number,
    rows::{maybe_time, millis},
};

/// Whether something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nobody has tried.
    No,
    /// Somebody tried, and whether the forge has it is not known.
    Perhaps,
    /// It was.
    Yes,
}

impl Store {
    /// Whether a promotion has said something, and that it is about to where it has not.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn begin_comment(&self, claim: &Claim, about: &str) -> Result<Said, Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        let known = sqlx::query("select posted_at_ms from comments where promotion_id = $1 and about = $2")
            .bind(promotion.key())
            .bind(about)
            .fetch_optional(&mut *transaction)
            .await?;
        let said = match &known {
            None => Said::No,
            Some(row) if maybe_time(row, "posted_at_ms")?.is_some() => Said::Yes,
            Some(_) => Said::Perhaps,
        };
        if said == Said::No {
            sqlx::query("insert into comments (promotion_id, about) values ($1, $2)")
                .bind(promotion.key())
                .bind(about)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(said)
    }

    /// Records that it was said, or that there is no more use in trying. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_comment(&self, claim: &Claim, about: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        sqlx::query(
            "update comments set posted_at_ms = coalesce(posted_at_ms, $3) where promotion_id = $1 and about = $2",
        )
        .bind(promotion.key())
        .bind(about)
        .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// The pull requests of promotions that gave way to this one, oldest first.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn superseded_by(&self, promotion: &Promotion) -> Result<Vec<Number>, Error> {
        let mut reading = self.read().await?;
        let rows = sqlx::query(
            "select distinct pull_request from promotions \
             where application = $1 and lower(gitops_repository) = lower($2) and outcome = 'superseded' \
                 and outcome_commit = $3 and pull_request is not null \
             order by pull_request",
        )
        .bind(promotion.application.as_str())
        .bind(promotion.gitops.to_string())
        .bind(promotion.commit.to_string())
        .fetch_all(&mut *reading)
        .await?;
        rows.iter().filter_map(|row| number(row, "pull_request").transpose()).collect()
    }
}
