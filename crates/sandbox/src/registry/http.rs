//! The registry's door: records a request, lets faults happen, checks the user, and asks the right module.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    blobs, control,
    exchange::{Exchange, Requester, uuid},
    handle::User,
    manifests, referrers,
    refusal::{Refusal, body_of},
    route::{Route, route},
    shared::Shared,
    tags, uploads,
};
use crate::traffic::{self, Meeting, Peer, Recorded};

/// The largest body that is taken. Everything is held in memory, and a sandbox is not for real images.
const LARGEST_BODY: usize = 512 * 1024 * 1024;

/// Serves until the registry is stopped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let (stop, gate) = (shared.stop.clone(), shared.record.gate().clone());
    let router = Router::new()
        .route("/_sim/", get(control::list))
        .nest("/_sim", control::router(shared.record.clone()))
        .fallback(receive)
        .with_state(shared);
    traffic::serve(listener, router, gate, stop).await;
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let (number, action) = shared.record.arrive(Recorded::new(&parts.method, &parts.uri, &parts.headers));
    let meeting = Meeting { cut: &peer.cut, stop: &shared.stop, body: body_of };
    let answer =
        async { respond(&shared, peer.address, parts, body).await.unwrap_or_else(IntoResponse::into_response) };
    let response = meeting.hold(action, answer).await;
    if let Some(response) = &response {
        shared.record.answered(number, response.status());
    }
    response.unwrap_or_default()
}

async fn respond(shared: &Shared, address: SocketAddr, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let name = authenticate(shared.user.as_ref(), &parts.headers)?;
    let route = route(parts.uri.path())?;
    let query = Query::try_from_uri(&parts.uri).map_err(|_rejection| Refusal::NotFound)?;
    let body = to_bytes(body, LARGEST_BODY).await.map_err(|_error| Refusal::SizeInvalid)?;
    let requester = Requester {
        id: uuid(),
        addr: address.to_string(),
        host: text(&parts.headers, &header::HOST).unwrap_or_else(|| shared.host.clone()),
        method: parts.method.to_string(),
        useragent: text(&parts.headers, &header::USER_AGENT).unwrap_or_default(),
        name,
    };
    let exchange = Exchange { method: parts.method, query: query.0, headers: parts.headers, body, requester };
    dispatch(shared, &exchange, &route)
}

fn dispatch(shared: &Shared, exchange: &Exchange, route: &Route) -> Result<Response, Refusal> {
    let method = exchange.method.clone();
    match route {
        Route::Base => Ok(base()),
        Route::Tags { repository } => match method {
            Method::GET | Method::HEAD => tags::list(shared, exchange, repository),
            _ => Err(Refusal::Unsupported),
        },
        Route::Manifest { repository, key } => match method {
            Method::GET | Method::HEAD => manifests::get(shared, exchange, repository, key),
            Method::PUT => manifests::put(shared, exchange, repository, key),
            Method::DELETE => manifests::delete(shared, exchange, repository, key),
            _ => Err(Refusal::Unsupported),
        },
        Route::Referrers { repository, digest } => match method {
            Method::GET | Method::HEAD => referrers::list(shared, exchange, repository, digest),
            _ => Err(Refusal::Unsupported),
        },
        Route::Blob { repository, digest } => match method {
            Method::GET | Method::HEAD => blobs::get(shared, exchange, repository, digest),
            Method::DELETE => blobs::delete(shared, exchange, repository, digest),
            _ => Err(Refusal::Unsupported),
        },
        Route::Uploads { repository } => match method {
            Method::POST => uploads::begin(shared, exchange, repository),
            _ => Err(Refusal::Unsupported),
        },
        Route::Upload { repository, id } => match method {
            Method::GET => uploads::look(shared, repository, id),
            Method::PATCH => uploads::append(shared, exchange, repository, id),
            Method::PUT => uploads::complete(shared, exchange, repository, id),
            Method::DELETE => uploads::cancel(shared, repository, id),
            _ => Err(Refusal::Unsupported),
        },
    }
}

fn base() -> Response {
    let mut response = Json(json!({})).into_response();
    response.headers_mut().insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    response
}

/// The name of the user who sent good credentials; nobody needs any where there is no user.
fn authenticate(user: Option<&User>, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(user) = user else {
        return Ok(None);
    };
    let expected = STANDARD.encode(format!("{}:{}", user.name, user.password));
    let claimed = text(headers, &header::AUTHORIZATION).ok_or(Refusal::Unauthorized)?;
    match claimed.split_once(' ') {
        Some((scheme, value)) if scheme.eq_ignore_ascii_case("basic") && value == expected => {
            Ok(Some(user.name.clone()))
        }
        _ => Err(Refusal::Unauthorized),
    }
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
