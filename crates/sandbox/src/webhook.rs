//! Webhooks: signing them, delivering them once, and remembering how that went.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

use crate::{shared::Shared, world::repository::Key};

/// Where webhooks go.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The address that is posted to.
    pub url: String,
    /// The secret that signs; `None` for no signature.
    #[serde(default)]
    pub secret: Option<String>,
    /// What becomes of each delivery.
    #[serde(default)]
    pub fate: Fate,
}

/// What becomes of a delivery on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It arrives once.
    #[default]
    Deliver,
    /// It is lost.
    Drop,
    /// It arrives twice, with the same identifier.
    Duplicate,
    /// It arrives after the one that follows it, if one follows soon.
    Reorder,
}

/// A webhook to be delivered.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) guid: String,
    pub(crate) event: String,
    pub(crate) action: Option<String>,
    pub(crate) repository: Key,
    pub(crate) repository_id: u64,
    pub(crate) app: u64,
    pub(crate) installation: Option<u64>,
    pub(crate) body: Bytes,
    pub(crate) delivered_at: DateTime<Utc>,
    pub(crate) target: Target,
    pub(crate) redelivery: bool,
}

/// What became of a delivery.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) delivery: Delivery,
    /// The status of the answer, or why there was none.
    pub(crate) outcome: Result<u16, String>,
    pub(crate) duration_ms: u64,
}

/// A webhook that was delivered, or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivered {
    /// The number of this attempt.
    pub id: u64,
    /// The identifier in `X-GitHub-Delivery`, the same for a repeated delivery.
    pub guid: String,
    /// The name in `X-GitHub-Event`.
    pub event: String,
    /// The `action` of the payload; `None` for events without.
    pub action: Option<String>,
    /// The repository it is about.
    pub repository: Key,
    /// The status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long the answer took.
    pub duration_ms: u64,
    /// Whether it was sent again on request.
    pub redelivery: bool,
    /// The payload.
    pub payload: serde_json::Value,
}

/// GitHub gives a receiver this long, and never tries again
/// (<https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks>).
const TIMEOUT: Duration = Duration::from_secs(10);

/// GitHub's number for the webhook of an App; there is one in the sandbox.
const HOOK_ID: &str = "1";

/// The value of `X-Hub-Signature-256`.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "it never panics")]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The client that delivers.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .user_agent("GitHub-Hookshot/sandbox")
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

/// How long a delivery is held back for one that follows it.
const HELD: Duration = Duration::from_millis(500);

/// Delivers one after the other until the world ends.
pub(crate) async fn deliver_all(client: reqwest::Client, mut outbox: UnboundedReceiver<Delivery>, shared: Arc<Shared>) {
    let mut held: Option<Delivery> = None;
    loop {
        let next = match held.take() {
            None => outbox.recv().await,
            Some(first) => {
                // Nobody may follow: then it goes when its time is over.
                let second = tokio::time::timeout(HELD, outbox.recv()).await.ok().flatten();
                if let Some(second) = second {
                    deliver(&client, &shared, second).await;
                }
                deliver(&client, &shared, first).await;
                continue;
            }
        };
        match next {
            Some(delivery) if delivery.target.fate == Fate::Reorder => held = Some(delivery),
            Some(delivery) => deliver(&client, &shared, delivery).await,
            None => return,
        }
    }
}

async fn deliver(client: &reqwest::Client, shared: &Shared, delivery: Delivery) {
    let times = match delivery.target.fate {
        Fate::Deliver | Fate::Reorder => 1,
        Fate::Duplicate => 2,
        Fate::Drop => {
            shared.record_delivery(Attempt { delivery, outcome: Err("dropped".to_owned()), duration_ms: 0 });
            return;
        }
    };
    for _ in 0..times {
        let started = Instant::now();
        let outcome = post(client, &delivery).await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        shared.record_delivery(Attempt { delivery: delivery.clone(), outcome, duration_ms });
    }
}

async fn post(client: &reqwest::Client, delivery: &Delivery) -> Result<u16, String> {
    let mut request = client
        .post(&delivery.target.url)
        .header("Content-Type", "application/json")
        .header("Accept", "*/*")
        .header("X-GitHub-Event", &delivery.event)
        .header("X-GitHub-Delivery", &delivery.guid)
        .header("X-GitHub-Hook-ID", HOOK_ID)
        .header("X-GitHub-Hook-Installation-Target-ID", delivery.app.to_string())
        .header("X-GitHub-Hook-Installation-Target-Type", "integration");
    if let Some(secret) = &delivery.target.secret {
        request = request.header("X-Hub-Signature-256", signature(secret, &delivery.body));
    }
    match request.body(delivery.body.clone()).send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) if error.is_timeout() => Err("timed out".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Attempt {
    /// It as its readers see it.
    pub(crate) fn delivered(&self) -> Delivered {
        let Self { delivery, outcome, duration_ms } = self;
        Delivered {
            id: delivery.id,
            guid: delivery.guid.clone(),
            event: delivery.event.clone(),
            action: delivery.action.clone(),
            repository: delivery.repository.clone(),
            status: outcome.as_ref().ok().copied(),
            error: outcome.as_ref().err().cloned(),
            duration_ms: *duration_ms,
            redelivery: delivery.redelivery,
            payload: self.payload(),
        }
    }

    /// What was sent.
    pub(crate) fn payload(&self) -> serde_json::Value {
        serde_json::from_slice(&self.delivery.body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of
    /// <https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation>.
    #[test]
    fn a_signature_is_the_one_that_github_documents() {
        let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signature("It's a Secret to Everybody", b"Hello, World!"), expected);
    }
}
