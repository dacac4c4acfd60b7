//! What a pass over a promotion records: each call one fact, with its row in the ledger.

use chrono::{DateTime, Utc};
use domain::{
    commit::Commit,
    forge::Number,
    promotion::{Ending, Outcome},
    report::Report,
};

use super::opening;
use crate::{Claim, Error, Note, PushedHead, Store, ledger, outcome::Columns, rows::millis, text, work};

impl Store {
    /// Takes the slot: from now on this promotion alone of its application may have a pull request in the repository.
    ///
    /// Idempotent. It is free again when the promotion is settled.
    ///
    /// # Errors
    ///
    /// Another promotion has it, the claim no longer holds on a promotion, or the database failed.
    pub async fn take_slot(&self, claim: &Claim, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        let done = sqlx::query("update promotions set slot_taken_at_ms = coalesce(slot_taken_at_ms, $2) where id = $1")
            .bind(promotion.key())
            .bind(millis(now))
            .execute(&mut *transaction)
            .await;
        match done {
            Ok(_) => Ok(transaction.commit().await?),
            Err(sqlx::Error::Database(refusal)) if refusal.is_unique_violation() => Err(Error::SlotTaken),
            Err(source) => Err(Error::Database(source)),
        }
    }

    /// Records a commit that is about to be pushed, so that it is known for ours whatever happens next.
    ///
    /// The same commit again becomes the last one; otherwise idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_head(&self, claim: &Claim, head: PushedHead, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        sqlx::query(
            "insert into heads (promotion_id, head_commit, base_commit, sequence, recorded_at_ms) \
             values ($1, $2, $3, \
                 (select coalesce(max(sequence), 0) + 1 from heads where promotion_id = $1), $4) \
             on conflict (promotion_id, head_commit) do update \
             set base_commit = excluded.base_commit, sequence = excluded.sequence",
        )
        .bind(promotion.key())
        .bind(head.commit.to_string())
        .bind(head.base.to_string())
        .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        let note = Note {
            what: "push",
            why: format!("commit {} on {} goes to the release branch", head.commit.short(), head.base.short()),
            link: None,
        };
        ledger::append_to(&mut transaction, promotion, &note, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Records a commit on the release branch that we pushed at a time that we do not remember. It is never the last one
    /// that was pushed, so that what it holds is replaced before anything comes of it. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn adopt_head(&self, claim: &Claim, head: Commit, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        let done = sqlx::query(
            "insert into heads (promotion_id, head_commit, base_commit, sequence, recorded_at_ms) \
             values ($1, $2, $2, 0, $3) on conflict (promotion_id, head_commit) do nothing",
        )
        .bind(promotion.key())
        .bind(head.to_string())
        .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 {
            let why =
                format!("commit {} on the release branch says that it is of this release, and is older", head.short());
            ledger::append_to(&mut transaction, promotion, &Note { what: "adopted", why, link: None }, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Records the pull request of a promotion. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_pull_request(
        &self,
        claim: &Claim,
        number: Number,
        url: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Ok(key) = i64::try_from(number.0) else {
            return Err(Error::corrupt("the number of a pull request"));
        };
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        let link = text::link(Some(url));
        let done = sqlx::query(
            "update promotions set pull_request = $2, pull_request_url = $3 \
             where id = $1 and (pull_request is null or pull_request <> $2 \
                 or pull_request_url is null or pull_request_url <> $3)",
        )
        .bind(promotion.key())
        .bind(key)
        .bind(&link)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 {
            let note = Note { what: "pull-request", why: format!("pull request {number} proposes it"), link };
            ledger::append_to(&mut transaction, promotion, &note, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Records that the pull request has its labels, which it gets once. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_labelled(&self, claim: &Claim, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        sqlx::query("update promotions set labelled_at_ms = coalesce(labelled_at_ms, $2) where id = $1")
            .bind(promotion.key())
            .bind(millis(now))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Records that our verdict was reported. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_report(&self, claim: &Claim, report: &Report) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        sqlx::query("update promotions set reported_head = $2, reported_state = $3 where id = $1")
            .bind(promotion.key())
            .bind(report.head.to_string())
            .bind(report.state.as_str())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Records that the forge took our order to merge this head. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_order(
        &self,
        claim: &Claim,
        head: Commit,
        note: &Note<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        sqlx::query("update promotions set ordered_head = $2 where id = $1")
            .bind(promotion.key())
            .bind(head.to_string())
            .execute(&mut *transaction)
            .await?;
        ledger::append_to(&mut transaction, promotion, note, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Records that there is no order of ours to merge, before it is taken back: what is not there then, nobody else has
    /// taken back. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn withdraw_order(&self, claim: &Claim) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        sqlx::query("update promotions set ordered_head = null where id = $1 and ordered_head is not null")
            .bind(promotion.key())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Records the ending that was decided, before the pull request is closed for it. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_closing(&self, claim: &Claim, ending: &Ending, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        let columns = Columns::from(ending);
        sqlx::query(
            "update promotions set closing = $2, closing_commit = $3, closing_why = $4 \
             where id = $1",
        )
        .bind(promotion.key())
        .bind(&columns.word)
        .bind(&columns.commit)
        .bind(&columns.why)
        .execute(&mut *transaction)
        .await?;
        let note = Note { what: "closing", why: ending.to_string(), link: None };
        ledger::append_to(&mut transaction, promotion, &note, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Records how a promotion ended. Its work is done, its slot is free and its rivals are due.
    ///
    /// When it was declined or refused, the newest that it superseded gets another chance: a promotion is opened for it.
    ///
    /// A refusal is not recorded when the work was woken meanwhile: the build that was missing may have come, and its
    /// wake would be lost with the work.
    ///
    /// # Errors
    ///
    /// The work was woken, the claim no longer holds on a promotion, as after it was settled, or the database failed.
    pub async fn settle(&self, claim: &Claim, outcome: &Outcome, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        if matches!(outcome, Outcome::Ended(Ending::Refused { .. })) && claim.was_woken(&mut transaction).await? {
            return Err(Error::Woken);
        }
        let columns = Columns::from(outcome);
        sqlx::query(
            "update promotions set outcome = $2, outcome_commit = $3, outcome_why = $4, \
                 settled_at_ms = $5 \
             where id = $1",
        )
        .bind(promotion.key())
        .bind(&columns.word)
        .bind(&columns.commit)
        .bind(&columns.why)
        .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        let note = Note { what: "settled", why: outcome.to_string(), link: None };
        ledger::append_to(&mut transaction, promotion, &note, now).await?;
        claim.finish(&mut transaction).await?;
        if matches!(outcome, Outcome::Declined | Outcome::Ended(Ending::Refused { .. })) {
            opening::reopen_superseded_by(&mut transaction, promotion, now).await?;
        }
        work::wake_rivals_of(&mut transaction, promotion, now).await?;
        Ok(transaction.commit().await?)
    }
}
