//! Where promotions stand.

use sqlx::{AnyConnection, any::AnyRow};

use super::{PromotionRow, PullRequestRow};
use crate::{
    Error, PromotionId, ReleaseId, WAITING,
    promotion::{number, outcome},
    rows::{column, id, maybe_time, time},
};

/// The promotions of a release, newest first, at most that many.
pub(super) async fn promotions_of(
    connection: &mut AnyConnection,
    release: ReleaseId,
    limit: u32,
) -> Result<Vec<PromotionRow>, Error> {
    let rows = sqlx::query(
        "select id, pull_request, pull_request_url, outcome, outcome_commit, outcome_why, \
             opened_at_ms, settled_at_ms \
         from promotions where release_id = $1 order by id desc limit $2",
    )
    .bind(release.key())
    .bind(i64::from(limit))
    .fetch_all(&mut *connection)
    .await?;
    let mut promotions = Vec::with_capacity(rows.len());
    for row in &rows {
        promotions.push(PromotionRow {
            id: id(row, "id")?,
            pull_request: pull_request(row)?,
            outcome: outcome(row)?,
            waiting: waiting(connection, id(row, "id")?).await?,
            opened_at: time(row, "opened_at_ms")?,
            settled_at: maybe_time(row, "settled_at_ms")?,
        });
    }
    Ok(promotions)
}

/// What a promotion waits for. Evidence that comes in does not end a wait; anything else that is done does.
async fn waiting(connection: &mut AnyConnection, promotion: PromotionId) -> Result<Option<String>, Error> {
    let last = sqlx::query(
        "select what, why from ledger where promotion_id = $1 and what <> 'evidence' \
         order by id desc limit 1",
    )
    .bind(promotion.key())
    .fetch_optional(connection)
    .await?;
    let Some(last) = last else {
        return Ok(None);
    };
    if column::<&str>(&last, "what")? == WAITING { column(&last, "why").map(Some) } else { Ok(None) }
}

fn pull_request(row: &AnyRow) -> Result<Option<PullRequestRow>, Error> {
    let Some(number) = number(row, "pull_request")? else {
        return Ok(None);
    };
    Ok(Some(PullRequestRow { number, url: column(row, "pull_request_url")? }))
}
