//! The deliveries of the App's webhook, which GitHub keeps for those that missed one.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header::AUTHORIZATION},
};
use serde_json::{Map, Value, json};

use super::{Answer, apps::require_app};
use crate::{
    refusal::Refusal,
    render,
    shared::Shared,
    webhook::{Delivered, Delivery},
};

/// `GET /app/hook/deliveries`, the last one first.
pub(crate) async fn deliveries(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Answer, Refusal> {
    require(&shared, &headers).await?;
    let traffic = shared.traffic();
    let listed = traffic.deliveries.iter().rev().map(|(delivered, delivery)| item(delivered, delivery));
    Ok(Answer::ok(listed.collect()))
}

/// `GET /app/hook/deliveries/{delivery_id}`.
pub(crate) async fn delivery(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Answer, Refusal> {
    require(&shared, &headers).await?;
    let traffic = shared.traffic();
    let known = traffic.deliveries.iter().find(|(delivered, _)| delivered.id == id);
    let (delivered, delivery) = known.ok_or_else(Refusal::not_found)?;
    let mut whole = item(delivered, delivery);
    if let Some(whole) = whole.as_object_mut() {
        whole.insert("url".to_owned(), json!(delivery.target.url));
        whole.insert("request".to_owned(), json!({ "headers": null, "payload": delivered.payload }));
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
    let known = {
        let traffic = shared.traffic();
        traffic.deliveries.iter().find(|(it, _)| it.id == id).map(|(_, delivery)| delivery.clone())
    };
    let mut delivery = known.ok_or_else(Refusal::not_found)?;
    let sent = shared.with(move |world| {
        delivery.redelivery = true;
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

fn item(delivered: &Delivered, delivery: &Delivery) -> Value {
    let status = match delivered.status {
        Some(status) if (200..300).contains(&status) => "OK".to_owned(),
        Some(status) => format!("Invalid HTTP Response: {status}"),
        None => delivered.error.clone().unwrap_or_default(),
    };
    let seconds = std::time::Duration::from_millis(delivered.duration_ms).as_secs_f64();
    let fields = [
        ("id", json!(delivered.id)),
        ("guid", json!(delivered.guid)),
        ("delivered_at", json!(render::time(delivery.delivered_at))),
        ("redelivery", json!(delivered.redelivery)),
        ("duration", json!(seconds)),
        ("status", json!(status)),
        ("status_code", json!(delivered.status.unwrap_or(0))),
        ("event", json!(delivered.event)),
        ("action", json!(delivered.action)),
        ("installation_id", json!(delivery.installation)),
        ("repository_id", json!(delivery.repository_id)),
    ];
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
