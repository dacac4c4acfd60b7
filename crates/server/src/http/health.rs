//! Whether the process lives, and whether it can work.

use axum::{extract, http::StatusCode};

use super::{State, error::Problem};

/// The process answers.
pub(super) async fn alive() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The store answers too.
pub(super) async fn ready(extract::State(state): extract::State<State>) -> Result<StatusCode, Problem> {
    state.store().ping().await?;
    Ok(StatusCode::NO_CONTENT)
}
