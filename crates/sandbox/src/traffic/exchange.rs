//! Whole requests with their answers, for who wants to judge them.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use tokio::sync::mpsc::UnboundedSender;

use super::Recorded;
use crate::refusal::Refusal;

/// Where exchanges go, each before its answer is on the wire.
pub type Tap = UnboundedSender<Exchange>;

/// A request by REST or GraphQL, and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request's head, and the fault that met it.
    pub request: Recorded,
    /// The request's body.
    pub sent: Bytes,
    /// The answer; `None` when the connection was cut.
    pub answer: Option<Answered>,
}

/// An answer as it was sent.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its `Content-Type`; empty without one.
    pub content_type: String,
    /// Its body.
    pub body: Bytes,
}

/// Nothing that is asked by REST or GraphQL is larger.
const LARGEST_BODY: usize = 50_000_000;

/// Whether a path is asked by REST or GraphQL, rather than by Git or a job in a workflow.
pub(super) fn is_asked_by_interface(path: &str) -> bool {
    !path.contains(".git/") && !path.starts_with("/_")
}

/// A request with a copy of its body.
pub(super) async fn copied(request: Request) -> Result<(Request, Bytes), Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await;
    let bytes = bytes.map_err(|error| Refusal::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
    Ok((Request::from_parts(parts, Body::from(bytes.clone())), bytes))
}

/// An answer with a copy of itself.
pub(super) async fn answered(response: Response) -> (Response, Option<Answered>) {
    let (parts, body) = response.into_parts();
    let bytes = match axum::body::to_bytes(body, LARGEST_BODY).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let refusal = Refusal::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
            return (refusal.into_response(), None);
        }
    };
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let copy = Answered { status: parts.status.as_u16(), content_type: content_type.to_owned(), body: bytes.clone() };
    (Response::from_parts(parts, Body::from(bytes)), Some(copy))
}
