//! The control interface to the record of requests, which the forge and the registry both have below `/_sim`.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, Record};

/// A call over HTTP: its method, its path, and what it does.
pub type Call = (&'static str, &'static str, &'static str);

/// The calls that the forge and the registry both have.
pub const TRAFFIC_ROUTES: [Call; 8] = [
    ("GET", "/_sim/", "This list."),
    ("GET", "/_sim/faults", "All faults, also those whose time has passed."),
    ("POST", "/_sim/faults", "Add one: {match?: {method?, path?, operation?, nth?, times?}, do: {kind, …}}."),
    ("DELETE", "/_sim/faults", "Nothing goes wrong any more."),
    ("GET", "/_sim/connections", "How many requests more are refused."),
    ("PUT", "/_sim/connections", "End the connections of so many requests before they are seen: {refuse}."),
    ("GET", "/_sim/requests", "The requests so far, but those to /_sim."),
    ("DELETE", "/_sim/requests", "Forget them."),
];

/// The routes below `/_sim` to faults and requests.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(record: Record) -> Router<S> {
    Router::new()
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/connections", get(connections).put(refuse))
        .route("/requests", get(requests).delete(clear_requests))
        .with_state(record)
}

/// The list of all calls of a server that has these besides [`TRAFFIC_ROUTES`].
pub(crate) fn list(own: &[Call]) -> Json<Value> {
    let all = TRAFFIC_ROUTES.iter().chain(own);
    Json(all.map(|(method, path, does)| json!({ "method": method, "path": path, "does": does })).collect())
}

/// The answer to a call that has nothing to tell.
pub(crate) fn done() -> Json<Value> {
    Json(json!({}))
}

/// The answer to a call that is not there.
pub(crate) async fn missing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "message": "no such call; GET /_sim/ lists all" }))).into_response()
}

async fn faults(State(record): State<Record>) -> Json<Value> {
    Json(json!(record.faults()))
}

async fn add_fault(State(record): State<Record>, Json(fault): Json<Fault>) -> Json<Value> {
    record.add_fault(fault);
    done()
}

async fn clear_faults(State(record): State<Record>) -> Json<Value> {
    record.clear_faults();
    done()
}

#[derive(Serialize, Deserialize)]
struct Connections {
    refuse: u64,
}

async fn connections(State(record): State<Record>) -> Json<Connections> {
    Json(Connections { refuse: record.gate().left() })
}

async fn refuse(State(record): State<Record>, Json(Connections { refuse }): Json<Connections>) -> Json<Value> {
    record.gate().refuse(refuse);
    done()
}

async fn requests(State(record): State<Record>) -> Json<Value> {
    Json(json!(record.requests()))
}

async fn clear_requests(State(record): State<Record>) -> Json<Value> {
    record.clear_requests();
    done()
}
