//! How a promotion begins: with a build, or once more when what superseded it did not land.

use chrono::{DateTime, Utc};
use domain::{
    application::Name,
    commit::Commit,
    forge::{self, Branch},
};
use sqlx::AnyConnection;

use crate::{
    Error, PromotionId, ReleaseId,
    ledger::{self, Entry},
    rows::{id, millis, parsed},
    work,
};

/// A promotion that is to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    /// What is to go on its way.
    pub(crate) release: ReleaseId,
    /// The application of that release.
    pub(crate) application: &'a Name,
    /// The commit of that release.
    pub(crate) commit: Commit,
    /// Where the overlays are.
    pub(crate) gitops: &'a forge::Repository,
    /// The branch that its pull request is merged into.
    pub(crate) base: &'a Branch,
}

/// Opens a promotion that is due at once; `because` is the rest of the sentence in the ledger.
pub(crate) async fn open(
    connection: &mut AnyConnection,
    opening: &Opening<'_>,
    because: &str,
    now: DateTime<Utc>,
) -> Result<PromotionId, Error> {
    let row = sqlx::query(
        "insert into promotions (release_id, application, gitops_repository, base, opened_at_ms) \
         values ($1, $2, $3, $4, $5) returning id",
    )
    .bind(opening.release.key())
    .bind(opening.application.as_str())
    .bind(opening.gitops.to_string())
    .bind(opening.base.as_str())
    .bind(millis(now))
    .fetch_one(&mut *connection)
    .await?;
    let promotion = id(&row, "id")?;
    work::add_promotion(connection, promotion, opening.application, now).await?;
    let entry = Entry {
        release: opening.release,
        promotion: Some(promotion),
        at: now,
        what: "opened",
        why: format!("release {} is to go to {}{because}", opening.commit.short(), opening.gitops),
        link: None,
    };
    ledger::append(connection, &entry).await?;
    Ok(promotion)
}

/// Opens the promotion anew that gave way to this one, which ended without landing; the newest, if there are several.
///
/// Where it stands by now is for its first pass to say. One whose release got another chance since is left alone.
pub(crate) async fn reopen_superseded_by(
    connection: &mut AnyConnection,
    promotion: PromotionId,
    now: DateTime<Utc>,
) -> Result<Option<PromotionId>, Error> {
    let found = sqlx::query(
        "select older.release_id, older.application, older.gitops_repository, older.base, \
             releases.source_commit, newer_releases.source_commit as newer_commit \
         from promotions as newer \
         join releases as newer_releases on newer_releases.id = newer.release_id \
         join promotions as older on older.application = newer.application \
             and lower(older.gitops_repository) = lower(newer.gitops_repository) \
             and older.outcome = 'superseded' and older.outcome_commit = newer_releases.source_commit \
         join releases on releases.id = older.release_id \
         where newer.id = $1 and not exists \
             (select 1 from promotions as later \
              where later.release_id = older.release_id and later.id > older.id) \
         order by older.id desc limit 1",
    )
    .bind(promotion.key())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let newer: Commit = parsed(&row, "newer_commit")?;
    let opening = Opening {
        release: id(&row, "release_id")?,
        application: &parsed(&row, "application")?,
        commit: parsed(&row, "source_commit")?,
        gitops: &parsed(&row, "gitops_repository")?,
        base: &parsed(&row, "base")?,
    };
    let because = format!(" after all: {} took its place and did not land", newer.short());
    open(connection, &opening, &because, now).await.map(Some)
}
