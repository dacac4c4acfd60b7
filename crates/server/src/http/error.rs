//! The one place where errors become status codes: problem details as in RFC 9457.
//!
//! What a caller reads is one sentence of ours; what went wrong inside goes to the log. That somebody was refused is
//! said in the log by whoever knows who it was.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::fault::Chain;
use registry::webhook::Refused;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

/// Where the types of problems are described; they are names first, and stable.
const TYPES: &str = "https://tagferry.dev/problems/";

/// A refusal: a stable type, a status and one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    retry_after: Option<Duration>,
}

/// Why a request was refused (RFC 9457 section 3).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body {
    /// A stable name of the reason, as an address.
    #[schema(examples("https://tagferry.dev/problems/not-found"))]
    r#type: String,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// One sentence for people.
    detail: String,
}

impl Problem {
    /// Nobody has this address.
    pub(super) fn unknown_sender() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown-sender", "no sender of this name is configured")
    }

    /// The credential is missing or wrong.
    pub(super) fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// The body is larger than a delivery is.
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("a delivery has at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &detail)
    }

    /// The body did not come, or came too slowly.
    pub(super) fn incomplete() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "incomplete", "the body did not arrive in time")
    }

    /// The body is compressed, which no sender does.
    pub(super) fn encoded() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-encoding",
            "a delivery is taken without Content-Encoding",
        )
    }

    /// As much as is allowed is being worked on.
    pub(super) fn overloaded() -> Self {
        let detail = "too much is being worked on; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(Duration::from_secs(1))
    }

    /// The service is about to stop.
    pub(super) fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the service is about to stop")
    }

    /// The store was not there when the service started, and still is not.
    pub(super) fn no_store() -> Self {
        let detail = "the store (store.url) is not there yet; the log says why. Try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", detail).retry_after(Duration::from_secs(5))
    }

    /// The sender sends more than one sender may; in so long there is room for another.
    pub(super) fn too_often(wait: Duration) -> Self {
        let detail = "more deliveries came than are taken of one sender; try again later";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-often", detail).retry_after(wait)
    }

    /// Whoever it is may not do this.
    pub(super) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// Nobody may report builds.
    pub(super) fn no_reports() -> Self {
        let detail = "builds are not taken here: github.actions is not configured";
        Self::new(StatusCode::NOT_FOUND, "no-reports", detail)
    }

    /// A token could not be verified, for a reason that may pass.
    pub(super) fn keys_unavailable() -> Self {
        let detail = "the keys of the token's issuer are not to be had; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "keys-unavailable", detail)
    }

    /// There is no such thing.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", &format!("there is no such {what}"))
    }

    /// A parameter can not be understood.
    pub(super) fn parameter(name: &str, why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter", &format!("{name}: {why}"))
    }

    /// The sentence.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    fn new(status: StatusCode, kind: &'static str, detail: &str) -> Self {
        Self { status, kind, detail: detail.to_owned(), retry_after: None }
    }

    fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let detail = refused.to_string();
        match refused {
            Refused::Unauthenticated(_) | Refused::Token(_) => Self::unauthenticated(&detail),
            Refused::Forbidden(_) => Self::forbidden(&detail),
            Refused::Invalid(_) => Self::new(StatusCode::BAD_REQUEST, "invalid", &detail),
            Refused::Unavailable(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "sender-unavailable", &detail)
                .retry_after(Duration::from_secs(5)),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        error!(fault = error.fault().as_str(), error = %Chain(&error), "the store did not do what a request needs");
        let detail = error.advice().unwrap_or("the store is not available; try again");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", detail).retry_after(Duration::from_secs(5))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: format!("{TYPES}{}", self.kind),
            title: self.status.canonical_reason().unwrap_or("Refused"),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let mut response = (self.status, Json(&body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            // Whole seconds (RFC 9110 section 10.2.3), none of them too few.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self.status {
            // RFC 9110 section 15.5.2 asks for a challenge.
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // The rest of a body that is not wanted is not read.
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

pub(super) async fn not_found() -> Problem {
    Problem::not_found("address")
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this address does not take that method")
}
