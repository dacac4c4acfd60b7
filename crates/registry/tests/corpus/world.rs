//! Senders as the fixtures have them, and those who sign for them.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use http::HeaderValue;
use registry::webhook::{
    Head, Kind, Options, Parsed, PubSub, PubSubSettings, Refused, Secrets, Sender, Topic, TopicSettings, Trust,
};
use sandbox::senders::{Google, Sns};
use serde_json::Value;

use crate::{Fixture, headers, query};

/// When everything is received that does not say when it was sent.
const THEN: &str = "2026-03-01T01:00:00Z";

/// Where the corpus is, and the servers that have its keys and certificates.
pub(crate) struct World {
    pub(crate) corpus: PathBuf,
    pub(crate) runtime: tokio::runtime::Runtime,
    google: Google,
    pub(crate) sns: Sns,
}

impl World {
    pub(crate) fn new(corpus: &Path) -> Self {
        let read = |file: &str| std::fs::read_to_string(corpus.join("webhooks/_support").join(file)).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let google = runtime.block_on(Google::start()).unwrap();
        google.set_keys(&read("google-test-jwks.txt"));
        let sns = runtime.block_on(Sns::start("arn:aws:sns:us-west-2:123456789012:ecr-push")).unwrap();
        sns.set_certificate(&read("sns-test-signing-cert.pem"));
        Self { corpus: corpus.to_owned(), runtime, google, sns }
    }

    /// What the sender of a fixture is known by.
    fn trust(&self, fixture: &Fixture) -> Trust {
        let auth = &fixture.expectation["auth"];
        let text = |name: &str| auth[name].as_str().unwrap_or_default().to_owned();
        if fixture.kind == Kind::ArtifactRegistry {
            let settings = PubSubSettings {
                audience: text("audience"),
                service_account: text("email"),
                subscription: None,
                keys_url: Some(self.google.keys_url().parse().unwrap()),
            };
            return PubSub::new(settings).unwrap().into();
        }
        if fixture.kind == Kind::EcrSns {
            let settings = TopicSettings {
                arn: text("topic_arn").parse().unwrap(),
                allow_sha1: true,
                endpoint: Some(self.sns.endpoint().parse().unwrap()),
            };
            return Topic::new(settings).unwrap().into();
        }
        let secret = auth["secret"].as_str().unwrap_or("any");
        Secrets::new(vec!["another".into(), secret.into()]).unwrap().into()
    }
}

/// When a fixture is received: when it is fresh, where it says when it was sent.
pub(crate) fn then(fixture: &Fixture) -> DateTime<Utc> {
    let at = fixture.expectation["verify_at_unix"].as_i64();
    at.map_or_else(|| THEN.parse().unwrap(), |at| DateTime::from_timestamp(at, 0).unwrap())
}

/// The sender that a fixture is of; `None` where there can be no such sender.
pub(crate) fn sender(world: &World, fixture: &Fixture) -> Option<Sender> {
    let Fixture { kind, expectation, .. } = fixture;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let keys = expectation["config"]["repo_key_map"].as_object().cloned().unwrap_or_default();
    let options = Options {
        registry: text(&expectation["config"]["registry"]).map(|host| host.parse().unwrap()),
        signing: matches!(kind, Kind::JFrog | Kind::CloudEvents)
            && expectation["auth"]["scheme"].as_str().is_some_and(|scheme| scheme.starts_with("hmac")),
        repo_key_map: keys.iter().map(|(key, name)| (key.clone(), text(name).unwrap())).collect(),
        origins: Vec::new(),
    };
    Sender::new(*kind, world.trust(fixture), options).ok()
}

/// Authenticates and reads as the server would; `None` where there can be no such sender.
pub(crate) fn receive(world: &World, fixture: &Fixture) -> Result<Option<Parsed>, Refused> {
    let Fixture { expectation, body, .. } = fixture;
    let mut headers = headers(&expectation["headers"]);
    if expectation["auth"].is_null() {
        headers.insert("authorization", HeaderValue::from_static("any"));
    }
    let Some(sender) = sender(world, fixture) else { return Ok(None) };
    let query = query(&expectation["query"]);
    let head = Head { headers: &headers, query: query.as_deref() };
    let now = then(fixture);
    world.runtime.block_on(async {
        let verified = sender.admit(&head, now).await?.vouch_for(body, now).await?;
        Ok(Some(sender.parse(&verified, &head)))
    })
}
