//! What the forge answers instead of doing what was asked.

use axum::{
    Json,
    http::{StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::git;

/// The documentation page that GitHub names when no better one is known.
const DOCUMENTATION: &str = "https://docs.github.com/rest";

/// An error answer in GitHub's form.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The elements of `errors` in a 422.
    pub(crate) errors: Vec<Value>,
}

impl Refusal {
    /// An error with one message.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Vec::new() }
    }

    /// What does not exist and what the caller may not see: GitHub makes no difference.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// The token lacks a permission.
    pub(crate) fn not_accessible() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Resource not accessible by integration")
    }

    /// There is no credential, or not one that is known.
    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// The request is understood and wrong.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// `Validation Failed` with one element in `errors`.
    pub(crate) fn invalid(error: Value) -> Self {
        Self { errors: vec![error], ..Self::unprocessable("Validation Failed") }
    }

    /// A field of a resource has a value that does not exist.
    pub(crate) fn invalid_field(resource: &str, field: &str) -> Self {
        Self::invalid(json!({ "resource": resource, "field": field, "code": "invalid" }))
    }

    /// A field of a resource is not there.
    pub(crate) fn missing_field(resource: &str, field: &str) -> Self {
        Self::invalid(json!({ "resource": resource, "field": field, "code": "missing_field" }))
    }

    /// A sentence about a resource.
    pub(crate) fn custom(resource: &str, message: &str) -> Self {
        Self::invalid(json!({ "resource": resource, "code": "custom", "message": message }))
    }

    /// The body is not what the operation takes.
    pub(crate) fn bad_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Problems parsing JSON")
    }

    /// The object of the answer's body.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "message": self.message,
            "documentation_url": DOCUMENTATION,
            "status": self.status.as_u16().to_string(),
        });
        if let (false, Some(body)) = (self.errors.is_empty(), body.as_object_mut()) {
            body.insert("errors".to_owned(), Value::Array(self.errors.clone()));
        }
        body
    }
}

impl From<git::Error> for Refusal {
    /// A broken repository is the sandbox's own fault, so that its cause is shown.
    fn from(error: git::Error) -> Self {
        tracing::error!(%error, "a Git repository of the sandbox is broken");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = axum::http::HeaderValue::from_static("Basic realm=\"GitHub\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
