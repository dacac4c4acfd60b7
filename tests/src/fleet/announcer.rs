//! What a registry says of a push.

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::json;

use super::Fleet;
use crate::scene::REGISTRY_SECRET;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Announces pushes to whichever replica answers.
#[derive(Clone, Debug)]
pub struct Announcer {
    client: Client,
    address: String,
}

impl Announcer {
    /// For these replicas.
    #[must_use]
    pub fn new(fleet: &Fleet) -> Self {
        Self { client: Client::new(), address: fleet.hook("registry") }
    }

    /// Announces a pushed tag.
    ///
    /// # Errors
    ///
    /// There was no answer.
    pub async fn announce(&self, id: &str, repository: &str, tag: &str) -> reqwest::Result<Response> {
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let target = json!({ "mediaType": media_type, "repository": repository, "tag": tag });
        let body = json!({ "events": [{ "id": id, "action": "push", "target": target }] }).to_string();
        let request = self.client.post(&self.address).header("authorization", REGISTRY_SECRET);
        request.timeout(PATIENCE).body(body).send().await
    }
}
