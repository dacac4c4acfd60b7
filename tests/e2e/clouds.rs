//! Each cloud announces by its own messenger: Amazon SNS, Google's Pub/Sub, Azure Event Grid.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use sandbox::senders::{Google, Sns};
use serde_json::{Value, json};
use testkit::{Scene, SceneOptions, Tagferry, scene::TARGETS, tagferry::field};

const TOPIC: &str = "arn:aws:sns:eu-central-1:210987654321:ecr-push";
const AUDIENCE: &str = "https://tagferry.example.com/v1/hooks/gcp";
const ACCOUNT: &str = "push@acme-prod.iam.gserviceaccount.com";
const SECRET: &str = "event-grid-7e15";

/// A scene whose registry tells nothing by itself, and three clouds that do.
struct Clouds {
    scene: Scene,
    tagferry: Tagferry,
    google: Google,
    sns: Sns,
}

impl Clouds {
    async fn open() -> Result<Self> {
        let scene = Scene::start(SceneOptions::default()).await?;
        scene.registry.set_notifications("http://127.0.0.1:1/", None);
        let (google, sns) = (Google::start().await?, Sns::start(TOPIC).await?);
        let secret = scene.directory().join("event-grid");
        std::fs::write(&secret, SECRET)?;
        let image = scene.image("aws")?;
        let (host, _) = image.split_once('/').context("an image begins with its host")?;
        let senders = format!(
            "senders:
  aws: {{ kind: ecr-sns, topic: '{TOPIC}', endpoint: '{}', registry: '{host}' }}
  gcp: {{ kind: artifact-registry, audience: '{AUDIENCE}', service_account: {ACCOUNT}, keys_url: '{}', registry: '{host}' }}
  azure: {{ kind: acr-event-grid, secrets: {{ file: '{}' }}, registry: '{host}' }}
",
            sns.endpoint(),
            google.keys_url(),
            secret.display(),
        );
        let config = std::fs::read_to_string(scene.config())?;
        std::fs::write(scene.config(), config.replacen("senders:\n", &senders, 1))?;
        let tagferry = scene.tagferry().await?;
        Ok(Self { scene, tagferry, google, sns })
    }

    /// Pushes an image of a commit, and lets its cloud say so.
    async fn push(&self, target: &str, commit: &str) -> Result<()> {
        self.scene.push(target, commit)?;
        let image = self.scene.image(target)?;
        let (_, name) = image.split_once('/').context("an image begins with its host")?;
        let tag = format!("sha-{commit}");
        let now = std::time::SystemTime::now().into();
        let answer = match target {
            "aws" => {
                let event = json!({
                    "source": "aws.ecr", "detail-type": "ECR Image Action",
                    "detail": { "action-type": "PUSH", "result": "SUCCESS", "repository-name": name, "image-tag": tag },
                });
                let message = self.sns.sign(&self.sns.notification(target, &event.to_string(), now))?;
                self.tagferry.post("aws", &[("x-amz-sns-message-type", "Notification")], message).await?
            }
            "gcp" => {
                let data = json!({ "action": "INSERT", "tag": format!("europe-docker.pkg.dev/{name}:{tag}") });
                let body = json!({ "message": { "data": STANDARD.encode(data.to_string()), "messageId": "1" } });
                let token = self.google.sign(&Google::claims(AUDIENCE, ACCOUNT, now))?;
                let headers = [("authorization", &*format!("Bearer {token}"))];
                self.tagferry.post("gcp", &headers, body.to_string()).await?
            }
            _ => {
                let data = json!({ "action": "push", "target": { "repository": name, "tag": tag } });
                let kind = "Microsoft.ContainerRegistry.ImagePushed";
                let body = json!([{ "id": "1", "eventType": kind, "data": data.to_string() }]);
                self.tagferry.post(&format!("azure?secret={SECRET}"), &[], body.to_string()).await?
            }
        };
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{target}");
        let said: Value = answer.json().await?;
        assert_eq!(field(&said, "announcements"), &json!(1), "{target}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_each_cloud_announces_in_its_own_way_is_one_merged_pull_request() -> Result<()> {
    let clouds = Clouds::open().await?;
    let commit = clouds.scene.commit("In every cloud").await?;
    for (target, _) in TARGETS {
        clouds.push(target, &commit).await?;
    }
    assert_eq!(clouds.tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(clouds.scene.pull_requests().await?.len(), 1);
    assert!(!clouds.tagferry.log().contains(SECRET), "a secret is in the log");
    clouds.scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_subscription_is_a_warning_in_the_log_and_is_left_removed() -> Result<()> {
    let clouds = Clouds::open().await?;
    let removed = clouds.sns.about_subscription("UnsubscribeConfirmation", std::time::SystemTime::now().into());
    let answer = clouds.tagferry.post("aws", &[], clouds.sns.sign(&removed)?).await?;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let log = clouds.tagferry.log();
    let line = log.lines().find(|line| line.contains("removed the subscription")).context("nothing is in the log")?;
    assert!(line.contains("WARN") && line.contains("sender=\"aws\""), "{line}");
    assert_eq!(clouds.sns.asked().len(), 1, "only the certificate was fetched");
    clouds.scene.end().await;
    Ok(())
}
