//! Why was my push ignored: what senders said, and what became of it; and to have it looked at once more.

use axum::{
    Json, extract,
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;
use store::{AnnouncementRow, DeliveryId, DeliveryRow, Element, Kept, Replay};
use tracing::info;
use utoipa::ToSchema;

use super::{
    State,
    caller::{Releaser, Viewer},
    document::{Forbidden, Missing, Refused, Unreadable},
    error::Problem,
    page::{Page, Parameters, next},
    segment::Segment,
};
use crate::{
    config::{Reader, Sender},
    reading,
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

/// Looks once more at what a delivery announces.
///
/// That is done under the configuration as it is now; the body is read again as its sender is configured now, where the
/// body alone says enough.
#[utoipa::path(
    post, path = "/v1/deliveries/{id}/replay", tag = "people", security(("token" = [])),
    params(("id" = String, Path, pattern = "^[1-9][0-9]{0,17}$", description = "The id of a delivery.")),
    responses((status = 202, description = "The delivery.", body = Delivery), Forbidden, Missing, Refused),
)]
pub(super) async fn replay(
    Releaser { name }: Releaser,
    extract::State(state): extract::State<State>,
    Segment(id): Segment,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let id: DeliveryId = id.parse().map_err(|_unhelpful| Problem::not_found("delivery"))?;
    let kept = state.store().kept(id).await?.ok_or_else(|| Problem::not_found("delivery"))?;
    let read_anew = read_anew(&state, &kept);
    let replay = Replay { by: &name, at: state.store().now(), read_anew: &read_anew };
    let due = state.store().replay_delivery(id, &replay).await?.ok_or_else(|| Problem::not_found("delivery"))?;
    info!(token = name, sender = kept.sender, delivery.id = %id, announcements = due, "a delivery is replayed");
    state.waker().wake();
    let row = state.store().delivery(id).await?.ok_or_else(|| Problem::not_found("delivery"))?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// What a kept body says now; nothing where that can not be told, or it is too old to be kept.
///
/// The headers that it came with are not kept. A registry's message that needs none reads as it did; one that does,
/// reads as something that can not be used, which takes nothing away from what was read then. GitHub's messages say
/// nothing without theirs, and reports of builds nothing without the claims of their token.
fn read_anew(state: &State, kept: &Kept) -> Vec<Element> {
    let Some(body) = &kept.body else { return Vec::new() };
    match state.door(&kept.sender).map(|door| &door.sender) {
        Some(Sender::Registry(sender)) => {
            let reader = Reader::Registry(sender.reader().clone());
            reading::read(&reader, state.watched(), &HeaderMap::new(), body).elements
        }
        Some(Sender::GitHub { .. }) | None => Vec::new(),
    }
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

#[cfg(test)]
mod tests;
