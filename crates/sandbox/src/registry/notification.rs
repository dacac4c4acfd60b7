//! Notifications as CNCF Distribution 3 sends them.
//!
//! One event for each request, repeated with the same id until it is taken; what fails holds up everything behind it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::image::{Digest, Tag};
use reqwest::header;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    contents::Manifest,
    exchange::{Requester, uuid},
    handle::{Endpoint, Error},
};

const MEDIA_TYPE: &str = "application/vnd.docker.distribution.events.v2+json";

/// What blobs are announced as, whatever they hold.
const BLOB: &str = "application/octet-stream";

/// How long an endpoint may take; the default of the real registry.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The longest pause between two attempts; the default of the real registry.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Tells endpoints what happens.
#[derive(Debug)]
pub(super) struct Notifier {
    client: reqwest::Client,
    /// Identifies this process among those that a load balancer hides.
    instance: String,
    backoff: Duration,
    stop: CancellationToken,
    tasks: TaskTracker,
    lines: Mutex<Vec<Line>>,
}

/// The way to one endpoint.
#[derive(Debug)]
struct Line {
    url: String,
    queue: mpsc::UnboundedSender<Bytes>,
    /// How many events are not taken yet.
    pending: Arc<watch::Sender<usize>>,
    stop: CancellationToken,
}

/// What happened.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Push,
    Pull,
    Mount,
    Delete,
}

/// What it happened to. The order of the fields is that of the real registry.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    media_type: String,
    digest: String,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<usize>,
    repository: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    id: String,
    timestamp: String,
    action: Action,
    target: Target,
    request: &'a Requester,
    actor: serde_json::Value,
    source: serde_json::Value,
}

impl Target {
    /// A blob of a repository.
    pub(super) fn blob(requester: &Requester, repository: &str, digest: &Digest, size: usize) -> Self {
        let path = format!("{repository}/blobs/{digest}");
        Self { media_type: BLOB.to_owned(), ..Self::present(requester, repository, digest, size, &path) }
    }

    /// A manifest of a repository, by its tag when it was named by that.
    pub(super) fn manifest(requester: &Requester, repository: &str, manifest: &Manifest, tag: Option<&Tag>) -> Self {
        let digest = &manifest.digest;
        let path = format!("{repository}/manifests/{digest}");
        Self {
            media_type: manifest.media_type.clone(),
            tag: tag.map(Tag::to_string),
            ..Self::present(requester, repository, digest, manifest.bytes.len(), &path)
        }
    }

    /// A blob that came from another repository.
    pub(super) fn from(mut self, repository: &str) -> Self {
        self.from_repository = Some(repository.to_owned());
        self
    }

    /// A manifest or blob that is gone; which of the two can not be told.
    pub(super) fn gone(repository: &str, digest: &Digest) -> Self {
        Self { digest: digest.to_string(), repository: repository.to_owned(), ..Self::default() }
    }

    /// A tag that is gone.
    pub(super) fn gone_tag(repository: &str, tag: &Tag) -> Self {
        Self { repository: repository.to_owned(), tag: Some(tag.to_string()), ..Self::default() }
    }

    fn present(requester: &Requester, repository: &str, digest: &Digest, size: usize, path: &str) -> Self {
        Self {
            digest: digest.to_string(),
            size,
            length: Some(size),
            repository: repository.to_owned(),
            url: Some(format!("http://{}/v2/{path}", requester.host)),
            ..Self::default()
        }
    }
}

impl Notifier {
    pub(super) fn new(backoff: Duration, stop: CancellationToken) -> Result<Self, Error> {
        // A redirect would be followed with GET and without the body; it counts as a failure here.
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Go-http-client/1.1")
            .build()
            .map_err(Error::Notifications)?;
        Ok(Self { client, instance: uuid(), backoff, stop, tasks: TaskTracker::new(), lines: Mutex::default() })
    }

    /// Tells these endpoints from now on, and no others.
    pub(super) fn replace(&self, endpoints: Vec<Endpoint>) {
        let lines = endpoints.into_iter().map(|one| self.open(one)).collect();
        let old = std::mem::replace(&mut *self.lines(), lines);
        for line in old {
            line.stop.cancel();
        }
    }

    /// Tells what happened. Nothing is sent when nobody listens.
    pub(super) fn notify(&self, action: Action, target: Target, request: &Requester) {
        let lines = self.lines();
        if lines.is_empty() {
            return;
        }
        let timestamp = DateTime::<Utc>::from(SystemTime::now());
        let name = request.name.as_ref();
        let event = Event {
            id: uuid(),
            timestamp: timestamp.to_rfc3339_opts(SecondsFormat::Nanos, true),
            action,
            target,
            request,
            actor: name.map_or_else(|| json!({}), |name| json!({ "name": name })),
            source: json!({ "addr": "sandbox", "instanceID": self.instance }),
        };
        let body = envelope(&event);
        for line in lines.iter() {
            line.pending.send_modify(|pending| *pending += 1);
            if line.queue.send(body.clone()).is_err() {
                tracing::warn!(url = line.url, "a notification is lost: the registry is ending");
            }
        }
    }

    /// How many events each endpoint has not taken yet.
    pub(super) fn pending(&self) -> Vec<(String, usize)> {
        self.lines().iter().map(|line| (line.url.clone(), *line.pending.borrow())).collect()
    }

    /// Waits until each endpoint has taken everything, or is not told any more.
    pub(super) async fn idle(&self) {
        let pending: Vec<_> = self.lines().iter().map(|line| line.pending.subscribe()).collect();
        for mut one in pending {
            // It fails when the sender is gone, and with it what was pending.
            one.wait_for(|pending| *pending == 0).await.ok();
        }
    }

    /// Waits until no task is left.
    pub(super) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, endpoint: Endpoint) -> Line {
        let (queue, events) = mpsc::unbounded_channel();
        let pending = Arc::new(watch::Sender::new(0));
        let line =
            Line { url: endpoint.url.clone(), queue, pending: Arc::clone(&pending), stop: self.stop.child_token() };
        let (stop, client, backoff) = (line.stop.clone(), self.client.clone(), self.backoff);
        // The tracker waits for it when the registry ends.
        drop(self.tasks.spawn(async move {
            let delivering = deliver(client, endpoint, events, pending, backoff);
            stop.run_until_cancelled(delivering).await
        }));
        line
    }
}

/// The body of a request, indented as the real registry does.
fn envelope(event: &Event<'_>) -> Bytes {
    let mut body = Vec::new();
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut body, indented);
    json!({ "events": [event] })
        .serialize(&mut serializer)
        .expect("an event has only text and numbers, and a vector takes all of it");
    body.into()
}

async fn deliver(
    client: reqwest::Client,
    endpoint: Endpoint,
    mut events: mpsc::UnboundedReceiver<Bytes>,
    pending: Arc<watch::Sender<usize>>,
    backoff: Duration,
) {
    while let Some(body) = events.recv().await {
        let mut pause = backoff;
        while !post(&client, &endpoint, body.clone()).await {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        pending.send_modify(|pending| *pending -= 1);
    }
}

/// Posts one event; tells whether it was taken.
async fn post(client: &reqwest::Client, endpoint: &Endpoint, body: Bytes) -> bool {
    let mut request = client.post(&endpoint.url).header(header::CONTENT_TYPE, MEDIA_TYPE).body(body);
    if let Some(authorization) = &endpoint.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    match request.send().await {
        Ok(response) if response.status().is_success() => true,
        Ok(response) => {
            let status = response.status().as_u16();
            tracing::debug!(url = endpoint.url, status, "a notification was refused");
            false
        }
        Err(error) => {
            tracing::debug!(url = endpoint.url, %error, "a notification did not arrive");
            false
        }
    }
}
