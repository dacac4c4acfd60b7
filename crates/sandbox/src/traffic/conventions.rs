//! The headers that every answer of GitHub has, and conditional requests.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    middleware::Next,
    response::Response,
};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::shared::Shared;

/// What an installation may ask per hour
/// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
pub(crate) const HOURLY_LIMIT: u64 = 5000;

/// GitHub answers lists of this size; larger bodies are not given an entity tag.
const LARGEST_TAGGED: usize = 10_000_000;

/// Adds the request identifier, the rate limit and the entity tag, and answers 304 where it can.
pub(crate) async fn follow_conventions(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/_sim") {
        return next.run(request).await;
    }
    let graphql = path.ends_with("/graphql");
    let credential = text(request.headers(), &AUTHORIZATION);
    let expected = text(request.headers(), &IF_NONE_MATCH);
    let gets = request.method() == Method::GET;
    let mut response = next.run(request).await;
    if gets && response.status() == StatusCode::OK && is_json(response.headers()) {
        response = tagged(response, &credential, &expected).await;
    }
    // What is not modified is free.
    let cost = u64::from(response.status() != StatusCode::NOT_MODIFIED);
    let used = {
        let mut traffic = shared.traffic();
        let used = traffic.used.entry(credential).or_default();
        *used += cost;
        *used
    };
    let reset = reset_after(shared.clock().now());
    let headers = response.headers_mut();
    put(headers, "x-github-request-id", &format!("{:016X}", fastrand::u64(..)));
    put(headers, "x-github-media-type", "github.v3; format=json");
    put(headers, "x-ratelimit-resource", if graphql { "graphql" } else { "core" });
    put(headers, "x-ratelimit-limit", &HOURLY_LIMIT.to_string());
    put(headers, "x-ratelimit-used", &used.to_string());
    put(headers, "x-ratelimit-remaining", &HOURLY_LIMIT.saturating_sub(used).to_string());
    put(headers, "x-ratelimit-reset", &reset.to_string());
    response
}

/// When the hour of the rate limit ends, in seconds since the epoch.
pub(crate) fn reset_after(now: DateTime<Utc>) -> i64 {
    now.timestamp() / 3600 * 3600 + 3600
}

/// Gives an answer its entity tag, which differs between credentials as on GitHub.
async fn tagged(response: Response, credential: &str, expected: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, LARGEST_TAGGED).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let digest = Sha256::new().chain_update(credential).chain_update(&bytes).finalize();
    let tag = format!("W/\"{}\"", hex::encode(digest));
    put(&mut parts.headers, ETAG.as_str(), &tag);
    let same =
        expected.split(',').map(str::trim).any(|known| known.trim_start_matches("W/") == tag.trim_start_matches("W/"));
    if same {
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn is_json(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE).starts_with("application/json")
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Sets a header that a fault has not set.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.entry(HeaderName::from_static(name)).or_insert(value);
    }
}
