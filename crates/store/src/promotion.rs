//! What a pass over a promotion reads. What it records is in `promotion/recording.rs`, how it begins in
//! `promotion/opening.rs`.

use chrono::{DateTime, Utc};
use domain::{
    application::Name,
    commit::Commit,
    evidence::Evidence,
    forge::{self, Branch, Number},
    promotion::{Ending, Outcome},
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    Error, PromotionId, ReleaseId, Store,
    evidence::evidence_of,
    outcome::Columns,
    rows::{column, id, maybe_parsed, maybe_time, parsed, time},
};

pub(crate) mod opening;
mod recording;

/// Everything that is remembered of a promotion but its builds, evidence and ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its key.
    pub id: PromotionId,
    /// What is on its way.
    pub release: ReleaseId,
    /// The application of that release.
    pub application: Name,
    /// The commit of that release.
    pub commit: Commit,
    /// The first line of that commit's message, once it is known.
    pub subject: Option<String>,
    /// Where the overlays are.
    pub gitops: forge::Repository,
    /// The branch that its pull request is merged into.
    pub base: Branch,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Whether it has the slot: it alone of its application may have a pull request in that repository.
    pub live: bool,
    /// Its pull request, as soon as the number is known.
    pub pull_request: Option<Number>,
    /// The commits that we pushed or were about to, oldest first.
    pub heads: Vec<PushedHead>,
    /// The head that the forge took our order to merge for, unless we have taken it back.
    pub ordered: Option<Commit>,
    /// Whether its pull request has had its labels: a person may take them off.
    pub labelled: bool,
    /// The commit that our verdict was reported of last, and which it was: a word of [`domain::report::State`].
    pub reported: Option<(Commit, String)>,
    /// The ending that was decided, before anything is closed or deleted for it.
    pub closing: Option<Ending>,
    /// How it ended; `None` while it is on its way.
    pub outcome: Option<Outcome>,
}

/// A commit that was pushed, or was about to be, to the branch of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushedHead {
    /// Our commit.
    pub commit: Commit,
    /// The tip of the base branch that it was made on.
    pub base: Commit,
}

/// Another promotion of the same application and GitOps repository that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// The commit of its release.
    pub commit: Commit,
    /// Whether it has the slot.
    pub live: bool,
    /// Whether it was decided to end it.
    pub closing: bool,
    /// What was verified about its release.
    pub evidence: Vec<Evidence>,
}

impl Store {
    /// The release of an application that was merged last; `None` when none was.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn deployed(&self, application: &Name) -> Result<Option<ReleaseId>, Error> {
        let row = sqlx::query(
            "select release_id from promotions where application = $1 and outcome = 'merged' \
             order by settled_at_ms desc, id desc limit 1",
        )
        .bind(application.as_str())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.map(|row| id(&row, "release_id")).transpose()
    }

    /// A promotion.
    ///
    /// # Errors
    ///
    /// It is not there or illegible, or the database failed.
    pub async fn promotion(&self, id: PromotionId) -> Result<Promotion, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query(
            "select promotions.id, promotions.release_id, promotions.application, \
                 promotions.gitops_repository, promotions.base, promotions.opened_at_ms, \
                 promotions.slot_taken_at_ms, promotions.pull_request, promotions.ordered_head, \
                 promotions.labelled_at_ms, promotions.reported_head, promotions.reported_state, promotions.closing, promotions.closing_commit, promotions.closing_why, promotions.outcome, \
                 promotions.outcome_commit, promotions.outcome_why, releases.source_commit, \
                 releases.subject \
             from promotions join releases on releases.id = promotions.release_id \
             where promotions.id = $1",
        )
        .bind(id.key())
        .fetch_optional(&mut *reading)
        .await?
        .ok_or_else(|| Error::corrupt(format!("promotions: {id} is not there")))?;
        read(&row, heads(&mut reading, id).await?)
    }

    /// The other unsettled promotions of the same application and GitOps repository, oldest first.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn rivals(&self, promotion: &Promotion) -> Result<Vec<Rival>, Error> {
        let mut reading = self.read().await?;
        let rows = sqlx::query(
            "select promotions.id, promotions.slot_taken_at_ms, promotions.closing, releases.source_commit \
             from promotions join releases on releases.id = promotions.release_id \
             where promotions.application = $1 and lower(promotions.gitops_repository) = lower($2) \
                 and promotions.id <> $3 and promotions.outcome is null \
             order by promotions.id",
        )
        .bind(promotion.application.as_str())
        .bind(promotion.gitops.to_string())
        .bind(promotion.id.key())
        .fetch_all(&mut *reading)
        .await?;
        let mut rivals = Vec::with_capacity(rows.len());
        for row in &rows {
            rivals.push(Rival {
                commit: parsed(row, "source_commit")?,
                live: maybe_time(row, "slot_taken_at_ms")?.is_some(),
                closing: column::<Option<&str>>(row, "closing")?.is_some(),
                evidence: evidence_of(&mut reading, id(row, "id")?).await?,
            });
        }
        Ok(rivals)
    }

    /// The commits that we pushed, or meant to push, for a release: its promotions share a branch.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn heads_of_release(&self, release: ReleaseId) -> Result<Vec<Commit>, Error> {
        let mut reading = self.read().await?;
        sqlx::query(
            "select distinct heads.head_commit from heads \
             join promotions on promotions.id = heads.promotion_id where promotions.release_id = $1",
        )
        .bind(release.key())
        .fetch_all(&mut *reading)
        .await?
        .iter()
        .map(|row| parsed(row, "head_commit"))
        .collect()
    }

    /// The pull requests of other promotions of the same release and GitOps repository: they share its branch.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn other_pull_requests(&self, promotion: &Promotion) -> Result<Vec<Number>, Error> {
        let mut reading = self.read().await?;
        let rows = sqlx::query(
            "select distinct pull_request from promotions \
             where release_id = $1 and lower(gitops_repository) = lower($2) and id <> $3 \
                 and pull_request is not null \
             order by pull_request",
        )
        .bind(promotion.release.key())
        .bind(promotion.gitops.to_string())
        .bind(promotion.id.key())
        .fetch_all(&mut *reading)
        .await?;
        let numbers = rows.iter().map(|row| number(row, "pull_request"));
        Ok(numbers.collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect())
    }
}

/// The number of a pull request in a column.
pub(crate) fn number(row: &AnyRow, name: &'static str) -> Result<Option<Number>, Error> {
    column::<Option<i64>>(row, name)?
        .map(|value| match u64::try_from(value) {
            Ok(value) => Ok(Number(value)),
            Err(_) => Err(Error::corrupt(name)),
        })
        .transpose()
}

/// The outcome of a promotion in the columns that are named for it.
pub(crate) fn outcome(row: &AnyRow) -> Result<Option<Outcome>, Error> {
    let Some(word) = column(row, "outcome")? else {
        return Ok(None);
    };
    let columns = Columns { word, commit: column(row, "outcome_commit")?, why: column(row, "outcome_why")? };
    columns.outcome().map(Some)
}

fn closing(row: &AnyRow) -> Result<Option<Ending>, Error> {
    let Some(word) = column(row, "closing")? else {
        return Ok(None);
    };
    let columns = Columns { word, commit: column(row, "closing_commit")?, why: column(row, "closing_why")? };
    columns.ending().map(Some)
}

async fn heads(connection: &mut AnyConnection, promotion: PromotionId) -> Result<Vec<PushedHead>, Error> {
    sqlx::query("select head_commit, base_commit from heads where promotion_id = $1 order by sequence")
        .bind(promotion.key())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Ok(PushedHead { commit: parsed(row, "head_commit")?, base: parsed(row, "base_commit")? }))
        .collect()
}

fn read(row: &AnyRow, heads: Vec<PushedHead>) -> Result<Promotion, Error> {
    let outcome = outcome(row)?;
    Ok(Promotion {
        id: id(row, "id")?,
        release: id(row, "release_id")?,
        application: parsed(row, "application")?,
        commit: parsed(row, "source_commit")?,
        subject: column(row, "subject")?,
        gitops: parsed(row, "gitops_repository")?,
        base: parsed(row, "base")?,
        opened_at: time(row, "opened_at_ms")?,
        live: outcome.is_none() && maybe_time(row, "slot_taken_at_ms")?.is_some(),
        pull_request: number(row, "pull_request")?,
        heads,
        ordered: maybe_parsed(row, "ordered_head")?,
        labelled: maybe_time(row, "labelled_at_ms")?.is_some(),
        reported: maybe_parsed(row, "reported_head")?.zip(column(row, "reported_state")?),
        closing: closing(row)?,
        outcome,
    })
}
