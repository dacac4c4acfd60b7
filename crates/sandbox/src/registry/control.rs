//! The registry's control interface over HTTP, below `/_sim`: what a [`SandboxRegistry`](super::SandboxRegistry)
//! offers in a process.
//!
//! They need no credentials: a sandbox listens on loopback.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use domain::image::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{handle::Endpoint, image::Image, referrers, shared::Shared};
use crate::traffic::{self, Call, Record};

/// Every call of the registry that is not one of [`TRAFFIC_ROUTES`](crate::TRAFFIC_ROUTES).
pub const ROUTES: [Call; 4] = [
    ("POST", "/_sim/images", "Push an image: {repository, tag, labels?: {name: text}, platforms?: [os/architecture]}."),
    ("POST", "/_sim/attestations", "Attach a Sigstore bundle to an image: {repository, digest, bundle}."),
    ("GET", "/_sim/notifications", "Who is told what happens, and how many notifications they have not taken yet."),
    ("PUT", "/_sim/notifications", "Tell this endpoint and no other: {url, authorization?}, url null for nobody."),
];

/// An image to be pushed, and where.
#[derive(Deserialize)]
struct NewImage {
    repository: String,
    tag: String,
    #[serde(flatten)]
    image: Image,
}

/// A bundle to be attached to an image.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAttestation {
    repository: String,
    digest: String,
    bundle: Value,
}

/// Who is told from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notifications {
    /// `None` for nobody.
    url: Option<String>,
    authorization: Option<String>,
}

type Held = State<Arc<Shared>>;

pub(super) fn router(record: Record) -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(list))
        .merge(traffic::routes(record))
        .route("/images", post(push_image))
        .route("/attestations", post(attach))
        .route("/notifications", get(notifications).put(set_notifications))
        .fallback(traffic::missing)
}

/// The list of all calls.
pub(super) async fn list() -> Json<Value> {
    traffic::list(&ROUTES)
}

async fn push_image(State(shared): Held, Json(new): Json<NewImage>) -> Response {
    match new.image.push(&shared, &new.repository, &new.tag) {
        Ok(digest) => {
            let pushed = json!({
                "host": shared.host, "repository": new.repository, "tag": new.tag, "digest": digest.as_str(),
            });
            (StatusCode::CREATED, Json(pushed)).into_response()
        }
        Err(error) => {
            let message = json!({ "message": error.to_string() });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(message)).into_response()
        }
    }
}

async fn attach(State(shared): Held, Json(new): Json<NewAttestation>) -> Response {
    let unprocessable = |message: String| (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "message": message })));
    let digest = match new.digest.parse::<Digest>() {
        Ok(digest) => digest,
        Err(error) => return unprocessable(error.to_string()).into_response(),
    };
    match referrers::attach(&shared, &new.repository, &digest, new.bundle.to_string().as_bytes()) {
        Ok(digest) => (StatusCode::CREATED, Json(json!({ "digest": digest.as_str() }))).into_response(),
        Err(error) => unprocessable(error.to_string()).into_response(),
    }
}

async fn set_notifications(State(shared): Held, Json(wanted): Json<Notifications>) -> Json<Value> {
    let authorization = wanted.authorization;
    let endpoint = wanted.url.map(|url| Endpoint { url, authorization });
    shared.notifier.replace(endpoint.into_iter().collect());
    traffic::done()
}

async fn notifications(State(shared): Held) -> Json<Value> {
    let pending = shared.notifier.pending();
    Json(pending.into_iter().map(|(url, pending)| json!({ "url": url, "pending": pending })).collect())
}
