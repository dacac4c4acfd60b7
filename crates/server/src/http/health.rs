//! Whether the process lives, and whether it can work.

use axum::{
    Json, extract,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use reconciler::Reconciler;
use serde::Serialize;
use utoipa::ToSchema;

use super::{State, document::NotReady, error::Problem};

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operators", responses((status = 204, description = "It does.")))]
pub(super) async fn alive() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Who is missing although deliveries are taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Missing {
    missing: Vec<Away>,
}

/// Somebody who does not answer.
#[derive(Debug, Serialize, ToSchema)]
struct Away {
    /// Who it is.
    what: String,
    /// Since when.
    since: String,
}

/// Whether the store answers too, and the service is not about to stop.
///
/// That the Git host or a registry does not answer keeps no delivery from being taken: it is told, and the service is
/// ready.
#[utoipa::path(
    get, path = "/readyz", tag = "operators",
    responses(
        (status = 204, description = "It does, and nobody is missing."),
        (status = 200, description = "It does; releases wait for who is missing.", body = Missing),
        NotReady,
    ),
)]
pub(super) async fn ready(extract::State(state): extract::State<State>) -> Result<Response, Problem> {
    if !state.readiness().ask() {
        return Err(Problem::stopping());
    }
    state.store().ping().await?;
    let away = state.reconciler().map(Reconciler::away).unwrap_or_default();
    if away.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let missing = away.into_iter().map(|(what, since)| Away { what, since: since.to_rfc3339() }).collect();
    Ok(Json(Missing { missing }).into_response())
}
