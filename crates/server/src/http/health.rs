//! Whether the process lives, and whether it can work.

use axum::{extract, http::StatusCode};

use super::{State, document::NotReady, error::Problem};

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operators", responses((status = 204, description = "It does.")))]
pub(super) async fn alive() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether the store answers too, and the service is not about to stop.
#[utoipa::path(
    get, path = "/readyz", tag = "operators",
    responses((status = 204, description = "It does."), NotReady),
)]
pub(super) async fn ready(extract::State(state): extract::State<State>) -> Result<StatusCode, Problem> {
    if !state.readiness().ask() {
        return Err(Problem::stopping());
    }
    state.store().ping().await?;
    Ok(StatusCode::NO_CONTENT)
}
