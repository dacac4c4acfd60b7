//! Releases with their promotions, evidence and ledger.

use domain::{application::Name, proposal::ReleaseBranch};
use sqlx::{AnyConnection, any::AnyRow};

use super::{LedgerRow, PromotionDetail, PromotionRow, ReleaseDetail, ReleaseRow, promotion::promotions_of};
use crate::{
    Error, Id, ReleaseId, Store,
    build::builds_of,
    evidence::evidence_of,
    rows::{column, id, parsed, time},
};

/// More promotions of one release than are ever shown.
const ALL: u32 = 1_000;

impl Store {
    /// Releases, of one application or of all, newest first.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn releases(
        &self,
        application: Option<&Name>,
        before: Option<ReleaseId>,
        limit: u32,
    ) -> Result<Vec<ReleaseRow>, Error> {
        let mut reading = self.read().await?;
        let rows = sqlx::query(
            "select id, application, source_commit, subject, created_at_ms from releases \
             where id < $1 and application = coalesce(cast($2 as text), application) \
             order by id desc limit $3",
        )
        .bind(before.map_or(i64::MAX, |before| before.key()))
        .bind(application.map(Name::as_str))
        .bind(i64::from(limit))
        .fetch_all(&mut *reading)
        .await?;
        let mut releases = Vec::with_capacity(rows.len());
        for row in &rows {
            releases.push(with_last_promotion(&mut reading, row).await?);
        }
        Ok(releases)
    }

    /// A release with all that belongs to it; `None` when there is none with that id.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn release(&self, id: ReleaseId) -> Result<Option<ReleaseDetail>, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query(
            "select id, application, source_commit, subject, created_at_ms \
             from releases where id = $1",
        )
        .bind(id.key())
        .fetch_optional(&mut *reading)
        .await?;
        match row {
            Some(row) => with_everything(&mut reading, &row).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn with_last_promotion(connection: &mut AnyConnection, row: &AnyRow) -> Result<ReleaseRow, Error> {
    let release = id(row, "id")?;
    Ok(ReleaseRow {
        release,
        application: parsed(row, "application")?,
        commit: parsed(row, "source_commit")?,
        subject: column(row, "subject")?,
        created_at: time(row, "created_at_ms")?,
        promotion: promotions_of(connection, release, 1).await?.pop(),
    })
}

async fn with_everything(connection: &mut AnyConnection, row: &AnyRow) -> Result<ReleaseDetail, Error> {
    let release = id(row, "id")?;
    let mut detail = ReleaseDetail {
        release,
        application: parsed(row, "application")?,
        commit: parsed(row, "source_commit")?,
        subject: column(row, "subject")?,
        created_at: time(row, "created_at_ms")?,
        builds: builds_of(connection, release).await?,
        promotions: Vec::new(),
        ledger: ledger_of(connection, release).await?,
    };
    let branch = ReleaseBranch::new(&detail.application, detail.commit);
    for promotion in promotions_of(connection, release, ALL).await? {
        let evidence = evidence_of(connection, promotion.id).await?;
        let PromotionRow { id, pull_request, outcome, waiting, opened_at, settled_at } = promotion;
        detail.promotions.push(PromotionDetail {
            id,
            branch: branch.branch().clone(),
            pull_request,
            outcome,
            waiting,
            evidence,
            opened_at,
            settled_at,
        });
    }
    Ok(detail)
}

async fn ledger_of(connection: &mut AnyConnection, release: ReleaseId) -> Result<Vec<LedgerRow>, Error> {
    sqlx::query("select at_ms, what, why, link, promotion_id from ledger where release_id = $1 order by id")
        .bind(release.key())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            Ok(LedgerRow {
                at: time(row, "at_ms")?,
                what: column(row, "what")?,
                why: column(row, "why")?,
                link: column(row, "link")?,
                promotion: column::<Option<i64>>(row, "promotion_id")?.map(Id::new),
            })
        })
        .collect()
}
