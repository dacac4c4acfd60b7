//! The headers that every answer of GitHub has, its limits, and conditional requests.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    Traffic,
    limits::{Left, Resource},
    observe::Changes,
};
use crate::{shared::Shared, world::app::Caller};

/// What an installation may ask per hour
/// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
pub(crate) const HOURLY_LIMIT: u64 = 5000;

/// GitHub answers lists of this size; larger bodies are not given an entity tag.
const LARGEST_TAGGED: usize = 10_000_000;

/// How many credentials are remembered with whose they are.
const MOST_CREDENTIALS: usize = 1000;

/// Adds the request identifier, the rate limit and the entity tag, answers 304 where it can, and refuses what is too
/// much. Git is not counted, as on GitHub.
pub(crate) async fn follow_conventions(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/_sim") || path.contains(".git/") {
        return next.run(request).await;
    }
    let resource = if path.ends_with("/graphql") { Resource::GraphQl } else { Resource::Core };
    let is_free = path.ends_with("/rate_limit");
    let changes = request.extensions().get::<Changes>().is_some_and(|Changes(changes)| *changes);
    let credential = text(request.headers(), &AUTHORIZATION);
    let expected = text(request.headers(), &IF_NONE_MATCH);
    let gets = request.method() == Method::GET;
    let who = whose(&shared, &credential).await;
    let now = shared.clock().now();
    let times = (now.timestamp(), reset_after(now));
    let refused = if is_free { None } else { shared.traffic().buckets.admit(&who, (resource, changes), times) };
    let was_refused = refused.is_some();
    let mut response = match refused {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    if gets && response.status() == StatusCode::OK && is_json(response.headers()) {
        response = tagged(response, &credential, &expected).await;
    }
    // What is not modified is free, and so is what was refused.
    let is_free = is_free || was_refused || response.status() == StatusCode::NOT_MODIFIED;
    let left = {
        let mut traffic = shared.traffic();
        traffic.buckets.enter(times.1);
        traffic.buckets.count(&who, resource, u64::from(!is_free));
        traffic.buckets.left(&who, resource)
    };
    put_all(response.headers_mut(), resource, left);
    response
}

/// `GET /rate_limit`, which costs nothing.
pub(crate) async fn rate_limit(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let known = shared.see(move |world| world.authenticate(authorization.as_deref()).map(drop)).await;
    if let Err(refusal) = known {
        return refusal.into_response();
    }
    let who = whose(&shared, &text(&headers, &AUTHORIZATION)).await;
    let reset = reset_after(shared.clock().now());
    let bucket = |Left { limit, used, reset }: Left| json!({ "limit": limit, "used": used, "remaining": limit.saturating_sub(used), "reset": reset });
    let (core, graphql) = {
        let mut traffic = shared.traffic();
        traffic.buckets.enter(reset);
        (traffic.buckets.left(&who, Resource::Core), traffic.buckets.left(&who, Resource::GraphQl))
    };
    let search = Left { limit: 30, used: 0, reset };
    let resources = json!({ "core": bucket(core), "search": bucket(search), "graphql": bucket(graphql) });
    Json(json!({ "resources": resources, "rate": bucket(core) })).into_response()
}

/// When the hour of the rate limit ends, in seconds since the epoch.
pub(crate) fn reset_after(now: DateTime<Utc>) -> i64 {
    now.timestamp() / 3600 * 3600 + 3600
}

/// Who is counted: all tokens of an installation are one.
async fn whose(shared: &Arc<Shared>, credential: &str) -> String {
    if let Some(who) = shared.traffic().credentials.get(credential) {
        return who.clone();
    }
    let authorization = credential.to_owned();
    let seen = shared.see(move |world| {
        let caller = world.authenticate(Some(&authorization))?;
        Ok(match caller {
            Caller::App => format!("app ID {}", world.app.id),
            Caller::Person(login) => format!("user {login}"),
            Caller::Installation { grant, .. } => {
                format!("installation ID {}", world.app.installation_of(&grant.owner).unwrap_or_default())
            }
        })
    });
    match seen.await {
        Ok(who) => {
            remember(&mut shared.traffic(), credential, &who);
            who
        }
        Err(_unknown) => "anonymous".to_owned(),
    }
}

fn remember(traffic: &mut Traffic, credential: &str, who: &str) {
    if traffic.credentials.len() >= MOST_CREDENTIALS {
        traffic.credentials.clear();
    }
    traffic.credentials.insert(credential.to_owned(), who.to_owned());
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

fn put_all(headers: &mut HeaderMap, resource: Resource, left: Left) {
    put(headers, "x-github-request-id", &format!("{:016X}", fastrand::u64(..)));
    put(headers, "x-github-media-type", "github.v3; format=json");
    put(headers, "x-ratelimit-resource", resource.as_str());
    put(headers, "x-ratelimit-limit", &left.limit.to_string());
    put(headers, "x-ratelimit-used", &left.used.to_string());
    put(headers, "x-ratelimit-remaining", &left.limit.saturating_sub(left.used).to_string());
    put(headers, "x-ratelimit-reset", &left.reset.to_string());
}

/// Sets a header that a fault has not set.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.entry(HeaderName::from_static(name)).or_insert(value);
    }
}
