//! A request and the fault that meets it.

use std::{io, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Action, Answer, Cut};

/// How long the beginning of an answer has to get away before its connection is cut.
const FLUSHED_AFTER: Duration = Duration::from_millis(20);

/// What a fault needs to meet a request of one server.
#[derive(Debug)]
pub(crate) struct Meeting<'a> {
    /// Cuts the connection that the request came over.
    pub(crate) cut: &'a Cut,
    /// Ends a delay early.
    pub(crate) stop: &'a CancellationToken,
    /// The body of an answer that names none.
    pub(crate) body: fn(StatusCode) -> Value,
}

impl Meeting<'_> {
    /// Answers with what `apply` gives, unless the fault wants it otherwise; `None` when the connection is cut.
    pub(crate) async fn hold(&self, action: Option<Action>, apply: impl Future<Output = Response>) -> Option<Response> {
        match action {
            // A server that remembers its answers sees to stale ones itself.
            None | Some(Action::StaleRead) => Some(apply.await),
            Some(Action::Delay { milliseconds }) => {
                let delay = tokio::time::sleep(Duration::from_millis(milliseconds));
                if self.stop.run_until_cancelled(delay).await.is_none() {
                    tracing::debug!("a delay ends early, as the server is stopping");
                }
                Some(apply.await)
            }
            Some(Action::Answer(answer)) => Some(self.respond(answer)),
            Some(Action::ApplyThenAnswer(answer)) => {
                drop(apply.await);
                Some(self.respond(answer))
            }
            Some(Action::DropBefore) => {
                self.cut.cut();
                None
            }
            Some(Action::ApplyThenDrop) => {
                drop(apply.await);
                self.cut.cut();
                None
            }
            Some(Action::Truncate { bytes }) => Some(truncate(apply.await, bytes).await),
        }
    }

    fn respond(&self, answer: Answer) -> Response {
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match answer.body {
            Value::String(text) => (status, text).into_response(),
            Value::Null => (status, Json((self.body)(status))).into_response(),
            body @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                (status, Json(body)).into_response()
            }
        };
        for (name, value) in answer.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The answer with its headers and the beginning of its body, after which the connection breaks.
async fn truncate(response: Response, most: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let kept = bytes.slice(..most.min(bytes.len().saturating_sub(1)));
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let pieces = stream::iter([Ok(kept)]).chain(stream::once(async {
        // What was written so far goes out while nothing else is there to be written.
        tokio::time::sleep(FLUSHED_AFTER).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }));
    Response::from_parts(parts, Body::from_stream(pieces))
}
