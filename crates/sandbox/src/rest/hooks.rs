//! The deliveries of the App's webhook, which GitHub keeps for those that missed one.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header::AUTHORIZATION},
};
use serde_json::{Map, Value, json};

use super::{Answer, apps::require_app};
use crate::{refusal::Refusal, render, shared::Shared, webhook::Attempt};

/// `GET /app/hook/deliveries`, the last one first.
pub(crate) async fn deliveries(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Answer, Refusal> {
    require(&shared, &headers).await?;
    let traffic = shared.traffic();
    Ok(Answer::ok(traffic.deliveries.iter().rev().map(item).collect()))
}

/// `GET /app/hook/deliveries/{delivery_id}`.
pub(crate) async fn delivery(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Answer, Refusal> {
    require(&shared, &headers).await?;
    let traffic = shared.traffic();
    let attempt = traffic.deliveries.find(id).ok_or_else(Refusal::not_found)?;
    let mut whole = item(attempt);
    if let Some(whole) = whole.as_object_mut() {
        whole.insert("url".to_owned(), json!(attempt.delivery.target.url));
        whole.insert("request".to_owned(), json!({ "headers": null, "payload": attempt.payload() }));
        whole.insert("response".to_owned(), json!({ "headers": null, "payload": null }));
    }
    Ok(Answer::ok(whole))
}

/// `POST /app/hook/deliveries/{delivery_id}/attempts`.
pub(crate) async fn redeliver(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Answer, Refusal> {
    require(&shared, &headers).await?;
    let known = shared.traffic().deliveries.again(id);
    let mut delivery = known.ok_or_else(Refusal::not_found)?;
    let sent = shared.with(move |world| {
        delivery.target = world.target.clone().unwrap_or(delivery.target);
        let stopping = |_| Refusal::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "stopping");
        world.outbox.send(delivery).map_err(stopping)
    });
    sent.await?;
    Ok(Answer::accepted())
}

async fn require(shared: &Arc<Shared>, headers: &HeaderMap) -> Result<(), Refusal> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    shared.with(move |world| require_app(world, authorization.as_deref())).await
}

fn item(attempt: &Attempt) -> Value {
    let Attempt { delivery, outcome, duration_ms } = attempt;
    let status = match outcome {
        Ok(status) if (200..300).contains(status) => "OK".to_owned(),
        Ok(status) => format!("Invalid HTTP Response: {status}"),
        Err(why) => why.clone(),
    };
    let seconds = std::time::Duration::from_millis(*duration_ms).as_secs_f64();
    let fields = [
        ("id", json!(delivery.id)),
        ("guid", json!(delivery.guid)),
        ("delivered_at", json!(render::time(delivery.delivered_at))),
        ("redelivery", json!(delivery.redelivery)),
        ("duration", json!(seconds)),
        ("status", json!(status)),
        ("status_code", json!(outcome.as_ref().unwrap_or(&0))),
        ("event", json!(delivery.event)),
        ("action", json!(delivery.action)),
        ("installation_id", json!(delivery.installation)),
        ("repository_id", json!(delivery.repository_id)),
    ];
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
