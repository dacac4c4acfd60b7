//! What routes answer and read, described where nothing here is made of it: the refusals that many routes share, and what
//! another crate reads.

#![expect(dead_code, reason = "what describes is never made")]

use utoipa::{IntoResponses, ToSchema};

use crate::http::error;

/// How a caller of the API is refused, whatever was asked.
#[derive(IntoResponses)]
pub(in crate::http) enum Refused {
    /// There is no bearer token of `api.tokens`, or more than one.
    #[response(status = 401, content_type = "application/problem+json", headers(("WWW-Authenticate")))]
    Unauthenticated(#[to_schema] error::Body),
    /// Too much is being worked on, or the store is not available: try again.
    #[response(status = 503, content_type = "application/problem+json", headers(("Retry-After" = i64, description = "Seconds")))]
    Unavailable(#[to_schema] error::Body),
}

/// A parameter of a list can not be used; the sentence names it.
#[derive(IntoResponses)]
#[response(status = 400, content_type = "application/problem+json")]
pub(in crate::http) struct Unreadable(#[to_schema] error::Body);

/// There is no such thing.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(in crate::http) struct Missing(#[to_schema] error::Body);

/// The store does not answer; try again.
#[derive(IntoResponses)]
#[response(status = 503, content_type = "application/problem+json", headers(("Retry-After" = i64, description = "Seconds")))]
pub(in crate::http) struct NotReady(#[to_schema] error::Body);

/// The address does not take this method.
#[derive(IntoResponses)]
#[response(status = 405, content_type = "application/problem+json", headers(("Allow")))]
pub(in crate::http) struct NotAllowed(#[to_schema] error::Body);

/// Whoever it is may not do this.
#[derive(IntoResponses)]
#[response(status = 403, content_type = "application/problem+json")]
pub(in crate::http) struct Forbidden(#[to_schema] error::Body);

/// How somebody is refused who brings a delivery.
#[derive(IntoResponses)]
pub(in crate::http) enum NotTaken {
    /// What the request needs is missing or can not be understood; the sentence names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Parameter(#[to_schema] error::Body),
    /// The credential is missing or wrong, or there is more than one.
    #[response(status = 401, content_type = "application/problem+json", headers(("WWW-Authenticate")))]
    Unauthenticated(#[to_schema] error::Body),
    /// Nobody of this name is configured.
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(#[to_schema] error::Body),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Incomplete(#[to_schema] error::Body),
    /// The body is larger than a delivery is.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] error::Body),
    /// The body is compressed.
    #[response(status = 415, content_type = "application/problem+json")]
    Encoded(#[to_schema] error::Body),
    /// More deliveries came than are taken of one sender.
    #[response(status = 429, content_type = "application/problem+json", headers(("Retry-After" = i64, description = "Seconds")))]
    TooOften(#[to_schema] error::Body),
    /// Too much is being worked on, or the store is not available, or the keys that a token is verified with: try again.
    #[response(status = 503, content_type = "application/problem+json", headers(("Retry-After" = i64, description = "Seconds")))]
    Unavailable(#[to_schema] error::Body),
}

/// What a workflow says that it has pushed: one build, or a list of them. It is read by `forge::actions::Report`.
#[derive(ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum Builds {
    /// One.
    One(Build),
    /// Several.
    Many(BuildList),
}

/// A list of builds.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 50)]
pub(in crate::http) struct BuildList(Vec<Build>);

/// What was pushed to one cloud.
#[derive(ToSchema)]
#[schema(as = ReportedBuild)]
pub(in crate::http) struct Build {
    /// The name of the target.
    cloud: String,
    /// The source repository; it must be that of the identity token.
    #[schema(examples("acme/mandelbrot"))]
    repository: String,
    /// The tags, one or a list.
    tags: OneOrMany<String>,
    /// The images, one or a list.
    images: OneOrMany<Image>,
    /// Where the run can be seen.
    run_url: Option<String>,
}

/// One, or a list.
#[derive(ToSchema)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// An image by name, or with its digest.
#[derive(ToSchema)]
#[serde(untagged)]
enum Image {
    Name(String),
    Pinned { image: String, digest: Option<String> },
}
