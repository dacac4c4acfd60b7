//! What was done and why, row after row.

use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

use crate::{
    Claim, Error, PromotionId, ReleaseId, Store,
    rows::{column, id, millis},
    text,
};

/// The `what` of a note that says what a promotion waits for; it is shown until something else is noted.
pub const WAITING: &str = "waiting";

/// A row of the ledger that a pass wants written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// A word for what was done, as [`WAITING`] or `armed`.
    pub what: &'a str,
    /// Why, in a sentence; cut when it is long.
    pub why: String,
    /// Where it can be looked at; dropped when it is too long.
    pub link: Option<String>,
}

/// A row of the ledger.
pub(crate) struct Entry<'a> {
    /// What it is about.
    pub(crate) release: ReleaseId,
    /// The promotion of that, if it is about one.
    pub(crate) promotion: Option<PromotionId>,
    /// When it was.
    pub(crate) at: DateTime<Utc>,
    /// A word for what was done.
    pub(crate) what: &'a str,
    /// Why, in a sentence.
    pub(crate) why: String,
    /// Where it can be looked at.
    pub(crate) link: Option<String>,
}

impl Store {
    /// Writes a row into the ledger of the claimed promotion, unless the last one says the same.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on a promotion, or the database failed.
    pub async fn note(&self, claim: &Claim, note: &Note<'_>, now: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let promotion = claim.hold_promotion(&mut transaction).await?;
        append_to(&mut transaction, promotion, note, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes a row about a release into the ledger, unless there is one that says the same; says whether it did.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn note_release(&self, release: ReleaseId, note: &Note<'_>, now: DateTime<Utc>) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        // Nobody else writes about it until this is over.
        sqlx::query("update releases set created_at_ms = created_at_ms where id = $1")
            .bind(release.key())
            .execute(&mut *transaction)
            .await?;
        let why = text::sentence(&note.why);
        let known = sqlx::query("select 1 from ledger where release_id = $1 and what = $2 and why = $3 limit 1")
            .bind(release.key())
            .bind(note.what)
            .bind(&why)
            .fetch_optional(&mut *transaction)
            .await?;
        if known.is_some() {
            return Ok(false);
        }
        let link = text::link(note.link.as_deref());
        append(&mut transaction, &Entry { release, promotion: None, at: now, what: note.what, why, link }).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Writes a row about a promotion, unless its last one says the same.
pub(crate) async fn append_to(
    connection: &mut AnyConnection,
    promotion: PromotionId,
    note: &Note<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let row = sqlx::query("select release_id from promotions where id = $1")
        .bind(promotion.key())
        .fetch_one(&mut *connection)
        .await?;
    let entry = Entry {
        release: id(&row, "release_id")?,
        promotion: Some(promotion),
        at: now,
        what: note.what,
        why: text::sentence(&note.why),
        link: text::link(note.link.as_deref()),
    };
    if says_the_same(connection, &entry).await? {
        return Ok(());
    }
    append(connection, &entry).await
}

/// Writes a row.
pub(crate) async fn append(connection: &mut AnyConnection, entry: &Entry<'_>) -> Result<(), Error> {
    sqlx::query(
        "insert into ledger (release_id, promotion_id, at_ms, what, why, link) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(entry.release.key())
    .bind(entry.promotion.map(|promotion| promotion.key()))
    .bind(millis(entry.at))
    .bind(entry.what)
    .bind(&entry.why)
    .bind(&entry.link)
    .execute(connection)
    .await?;
    Ok(())
}

async fn says_the_same(connection: &mut AnyConnection, entry: &Entry<'_>) -> Result<bool, Error> {
    let last = sqlx::query("select what, why from ledger where promotion_id = $1 order by id desc limit 1")
        .bind(entry.promotion.map(|promotion| promotion.key()))
        .fetch_optional(connection)
        .await?;
    let Some(last) = last else {
        return Ok(false);
    };
    Ok(column::<&str>(&last, "what")? == entry.what && column::<&str>(&last, "why")? == entry.why)
}
