//! The part of an address that names something.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::error::Problem;

/// The one part of an address that is not fixed; what is no text there is an address that nothing has.
#[derive(Debug)]
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_unhelpful) => Err(Problem::not_found("address")),
        }
    }
}
