//! Why was my push ignored: what senders said, and what became of it.

use axum::{Json, extract};
use serde::Serialize;
use store::{AnnouncementRow, DeliveryId, DeliveryRow};
use utoipa::ToSchema;

use super::{
    State,
    caller::Viewer,
    document::{Missing, Refused, Unreadable},
    error::Problem,
    page::{Page, Parameters, next},
    segment::Segment,
};

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deliveries {
    deliveries: Vec<Delivery>,
    next: Option<String>,
}

/// One message of a sender.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    id: String,
    sender: String,
    received_at: String,
    announcements: Vec<Announcement>,
}

/// One thing that a message says; `verdict` is `pending`, `accepted`, `ignored` or `unusable`.
///
/// `kind` says what it is about: `pushed`, `moved`, or `unusable`, and then `text` is how it begins.
#[derive(Debug, Serialize, ToSchema)]
struct Announcement {
    kind: String,
    text: Option<String>,
    repository: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    verdict: String,
    reason: Option<String>,
    release: Option<String>,
}

/// What senders said, newest first, and what became of it.
#[utoipa::path(
    get, path = "/v1/deliveries", tag = "people", security(("token" = [])), params(Page),
    responses((status = 200, description = "A page of deliveries.", body = Deliveries), Unreadable, Refused),
)]
pub(super) async fn list(
    _: Viewer,
    extract::State(state): extract::State<State>,
    Parameters(page): Parameters<Page>,
) -> Result<Json<Deliveries>, Problem> {
    let limit = page.limit()?;
    let rows = state.store().deliveries(page.before()?, limit).await?;
    let next = next(&rows, limit, |row| row.id.to_string());
    Ok(Json(Deliveries { deliveries: rows.into_iter().map(Delivery::from).collect(), next }))
}

/// One delivery, and what became of it.
#[utoipa::path(
    get, path = "/v1/deliveries/{id}", tag = "people", security(("token" = [])),
    params(("id" = String, Path, pattern = "^[1-9][0-9]{0,17}$", description = "The id of a delivery.")),
    responses((status = 200, description = "The delivery.", body = Delivery), Missing, Refused),
)]
pub(super) async fn show(
    _: Viewer,
    extract::State(state): extract::State<State>,
    Segment(id): Segment,
) -> Result<Json<Delivery>, Problem> {
    let id: DeliveryId = id.parse().map_err(|_unhelpful| Problem::not_found("delivery"))?;
    let row = state.store().delivery(id).await?.ok_or_else(|| Problem::not_found("delivery"))?;
    Ok(Json(row.into()))
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id.to_string(),
            sender: row.sender,
            received_at: row.received_at.to_rfc3339(),
            announcements: row.announcements.into_iter().map(Announcement::from).collect(),
        }
    }
}

impl From<AnnouncementRow> for Announcement {
    fn from(row: AnnouncementRow) -> Self {
        Self {
            kind: row.kind,
            text: row.text,
            repository: row.repository,
            tag: row.tag,
            digest: row.digest,
            verdict: row.verdict,
            reason: row.reason,
            release: row.release.map(|release| release.to_string()),
        }
    }
}
