//! What was verified about the release of a promotion.

use chrono::{DateTime, Utc};
use domain::evidence::{Evidence, Kind, Outcome};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    Claim, Error, Note, PromotionId, Store, ledger,
    rows::{column, maybe_time, millis},
    text::{self, LONGEST_LINE, bounded},
};

impl Store {
    /// The evidence of a promotion, in the order of its kinds.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn evidence(&self, promotion: PromotionId) -> Result<Vec<Evidence>, Error> {
        evidence_of(&mut *self.read().await?, promotion).await
    }

    /// Replaces the evidence of the kinds that are given, and notes in the ledger what changed.
    ///
    /// `subject` is the first line of the commit's message; `None` leaves what is known of it. Idempotent.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn record_evidence(
        &self,
        claim: &Claim,
        evidence: &[Evidence],
        subject: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        let known = evidence_of(&mut transaction, promotion).await?;
        for one in evidence {
            let one =
                Evidence { seen: text::sentence(&one.seen), link: text::link(one.link.as_deref()), ..one.clone() };
            upsert(&mut transaction, promotion, &one).await?;
            if !known.iter().any(|other| reads_the_same(other, &one)) {
                ledger::append_to(&mut transaction, promotion, &note(&one), now).await?;
            }
        }
        if let Some(subject) = subject {
            update_subject(&mut transaction, promotion, subject).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// The evidence of a promotion, in the order of its kinds.
pub(crate) async fn evidence_of(
    connection: &mut AnyConnection,
    promotion: PromotionId,
) -> Result<Vec<Evidence>, Error> {
    let rows = sqlx::query("select kind, outcome, until_ms, seen, link from evidence where promotion_id = $1")
        .bind(promotion.key())
        .fetch_all(connection)
        .await?;
    let mut evidence = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    evidence.sort_by_key(|one| one.kind);
    Ok(evidence)
}

async fn upsert(connection: &mut AnyConnection, promotion: PromotionId, evidence: &Evidence) -> Result<(), Error> {
    let until = match evidence.outcome {
        Outcome::Pending { until } => Some(millis(until)),
        Outcome::Passed | Outcome::Failed | Outcome::Skipped => None,
    };
    sqlx::query(
        "insert into evidence (promotion_id, kind, outcome, until_ms, seen, link) \
         values ($1, $2, $3, $4, $5, $6) on conflict (promotion_id, kind) do update \
         set outcome = excluded.outcome, until_ms = excluded.until_ms, seen = excluded.seen, \
             link = excluded.link",
    )
    .bind(promotion.key())
    .bind(evidence.kind.as_str())
    .bind(evidence.outcome.as_str())
    .bind(until)
    .bind(&evidence.seen)
    .bind(&evidence.link)
    .execute(connection)
    .await?;
    Ok(())
}

async fn update_subject(connection: &mut AnyConnection, promotion: PromotionId, subject: &str) -> Result<(), Error> {
    sqlx::query(
        "update releases set subject = $2 \
         where id = (select release_id from promotions where id = $1)",
    )
    .bind(promotion.key())
    .bind(bounded(subject, LONGEST_LINE))
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether people would read the same: a deadline that moves is not worth a row.
fn reads_the_same(one: &Evidence, other: &Evidence) -> bool {
    one.kind == other.kind && one.outcome.as_str() == other.outcome.as_str() && one.seen == other.seen
}

fn note(evidence: &Evidence) -> Note<'static> {
    Note {
        what: "evidence",
        why: format!("{} {}: {}", evidence.kind, evidence.outcome.as_str(), evidence.seen),
        link: evidence.link.clone(),
    }
}

fn read(row: &AnyRow) -> Result<Evidence, Error> {
    let kind = Kind::from_word(column(row, "kind")?);
    let outcome = match (column(row, "outcome")?, maybe_time(row, "until_ms")?) {
        ("passed", None) => Outcome::Passed,
        ("failed", None) => Outcome::Failed,
        ("pending", Some(until)) => Outcome::Pending { until },
        ("skipped", None) => Outcome::Skipped,
        _ => return Err(Error::corrupt("evidence.outcome")),
    };
    Ok(Evidence {
        kind: kind.ok_or_else(|| Error::corrupt("evidence.kind"))?,
        outcome,
        seen: column(row, "seen")?,
        link: column(row, "link")?,
    })
}
