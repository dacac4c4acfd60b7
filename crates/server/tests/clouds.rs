//! The messengers of clouds at the door: which status each answer has, over HTTP.
//!
//! Google and Amazon SNS stand beside it on loopback, with the keys and certificates that prove who sends.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use chrono::Utc;
use reqwest::{Client, Method, Response};
use sandbox::senders::{Google, Sns};
use serde_json::{Value, json};
use server::{Config, Service};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "event-grid-5f10";
const AUDIENCE: &str = "https://tagferry.example.com/v1/hooks/gar";
const ACCOUNT: &str = "push@acme-prod.iam.gserviceaccount.com";
const TOPIC: &str = "arn:aws:sns:eu-central-1:210987654321:ecr-push";

const ECR_EVENT: &str = r#"{"source":"aws.ecr","detail-type":"ECR Image Action","account":"210987654321","region":"eu-central-1","detail":{"action-type":"PUSH","result":"SUCCESS","repository-name":"shop/mandelbrot","image-tag":"v1"}}"#;
const GOOGLE_EVENT: &str = r#"{"action":"INSERT","tag":"europe-west1-docker.pkg.dev/acme-prod/shop/mandelbrot:v1"}"#;

struct World {
    _directory: TempDir,
    client: Client,
    google: Google,
    sns: Sns,
    address: SocketAddr,
    stop: CancellationToken,
    service: JoinHandle<Result<(), server::Error>>,
}

impl World {
    async fn new() -> Result<Self> {
        // Another test of this process may have been the first.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let (google, sns) = (Google::start().await?, Sns::start(TOPIC).await?);
        let directory = tempfile::tempdir()?;
        let there = directory.path().display();
        for (name, text) in [("secret", SECRET), ("old", "event-grid-0000"), ("token", "ghp_token")] {
            std::fs::write(directory.path().join(name), text)?;
        }
        let text = format!(
            "server: {{ listen: '127.0.0.1:0', data_dir: '{there}', limits: {{ deliveries_per_second: 5 }} }}
store: {{ url: 'sqlite://{there}/t.db' }}
github: {{ api_url: 'http://127.0.0.1:9', token: {{ file: '{there}/token' }}, webhook_secrets: {{ file: '{there}/token' }} }}
senders:
  gar: {{ kind: artifact-registry, audience: '{AUDIENCE}', service_account: {ACCOUNT}, keys_url: '{}' }}
  sns: {{ kind: ecr-sns, topic: '{TOPIC}', endpoint: '{}' }}
  grid: {{ kind: acr-event-grid, secrets: [{{ file: '{there}/old' }}, {{ file: '{there}/secret' }}] }}
  quay: {{ kind: quay, secrets: {{ file: '{there}/secret' }} }}
",
            google.keys_url(),
            sns.endpoint(),
        );
        let file = directory.path().join("t.yaml");
        std::fs::write(&file, text)?;
        let service = Service::start(&Config::read(&file)?).await?;
        let (address, stop) = (service.address(), CancellationToken::new());
        let service = tokio::spawn(service.run(stop.clone()));
        let client = Client::builder().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { _directory: directory, client, google, sns, address, stop, service })
    }

    async fn ask(&self, method: Method, sender: &str, headers: &[(&str, &str)], body: String) -> Result<Response> {
        let mut request = self.client.request(method, format!("http://{}/v1/hooks/{sender}", self.address)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.send().await?)
    }

    /// The status and the JSON of the answer to a message.
    async fn post(&self, sender: &str, headers: &[(&str, &str)], body: &str) -> Result<(u16, Value)> {
        let response = self.ask(Method::POST, sender, headers, body.to_owned()).await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    async fn post_pushed(&self, token: &str) -> Result<(u16, Value)> {
        self.post("gar", &[("authorization", &format!("Bearer {token}"))], GOOGLE_EVENT).await
    }

    async fn end(self) -> Result<()> {
        self.stop.cancel();
        Ok(self.service.await??)
    }
}

/// Asserts that an answer is a refusal of that status, type and sentence.
fn assert_refused((status, answer): &(u16, Value), expected: u16, kind: &str, detail: &str) {
    let problem = format!("https://tagferry.dev/problems/{kind}");
    assert_eq!(*status, expected, "{answer}");
    assert_eq!((answer["type"].as_str(), answer["detail"].as_str()), (Some(&*problem), Some(detail)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_google_is_taken_once_its_token_is_verified() -> Result<()> {
    let world = World::new().await?;
    let claims = Google::claims(AUDIENCE, ACCOUNT, Utc::now());
    world.google.set_status(500);
    let token = world.google.sign(&claims)?;
    let detail = "the keys of the token's issuer are not to be had; try again";
    assert_refused(&world.post_pushed(&token).await?, 503, "sender-unavailable", detail);
    world.end().await?;

    let world = World::new().await?;
    let token = world.google.sign(&claims)?;
    for repeated in [false, true] {
        let (status, answer) = world.post_pushed(&token).await?;
        assert_eq!((status, &answer["announcements"], &answer["repeated"]), (202, &json!(1), &json!(repeated)));
    }
    let mut other = claims.clone();
    other["email"] = json!("evil@evil.iam.gserviceaccount.com");
    let foreign = world.post_pushed(&world.google.sign(&other)?).await?;
    assert_refused(&foreign, 401, "unauthenticated", "the token is of another account (email)");
    let forged = world.post_pushed(&world.google.forge(&claims)?).await?;
    assert_refused(&forged, 401, "unauthenticated", "the token's signature is wrong");
    let missing = world.post("gar", &[], GOOGLE_EVENT).await?;
    assert_refused(&missing, 401, "unauthenticated", "the request has no credential");
    let nonsense = world.post("gar", &[("authorization", &format!("Bearer {token}"))], "nonsense").await?;
    assert_eq!((nonsense.0, &nonsense.1["unusable"]), (202, &json!(["the body is not a JSON object"])));
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_wrong_is_refused_before_the_body_is_read() -> Result<()> {
    let world = World::new().await?;
    let never = reqwest::Body::wrap_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = world.client.post(format!("http://{}/v1/hooks/gar", world.address)).bearer_auth("a.b.c").body(never);
    assert_eq!(request.send().await?.status(), 401);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_sns_is_taken_when_it_is_signed_for_the_topic() -> Result<()> {
    let world = World::new().await?;
    let signed = world.sns.sign(&world.sns.notification("n1", ECR_EVENT, Utc::now()))?;
    world.sns.set_status(503);
    let unavailable = world.post("sns", &[], &signed).await?;
    let detail = "the certificate of Amazon SNS is not to be had; try again";
    assert_refused(&unavailable, 503, "sender-unavailable", detail);
    world.sns.set_status(200);
    for repeated in [false, true] {
        let (status, answer) = world.post("sns", &[("content-type", "text/plain; charset=UTF-8")], &signed).await?;
        assert_eq!((status, &answer["announcements"], &answer["repeated"]), (202, &json!(1), &json!(repeated)));
    }
    let tampered = world.post("sns", &[], &signed.replace("mandelbrot", "other")).await?;
    assert_refused(&tampered, 403, "forbidden", "the signature is wrong");
    let raw = world.post("sns", &[("x-amz-sns-rawdelivery", "true")], ECR_EVENT).await?;
    let detail = "a raw message is not signed: turn raw message delivery off at the subscription";
    assert_refused(&raw, 403, "forbidden", detail);
    assert_eq!(world.post("sns", &[], "nonsense").await?.0, 403);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_sns_is_confirmed_and_answered_200() -> Result<()> {
    let world = World::new().await?;
    let message = world.sns.about_subscription("SubscriptionConfirmation", Utc::now());
    let (status, answer) = world.post("sns", &[], &world.sns.sign(&message)?).await?;
    assert_eq!((status, &answer["unwanted"]), (200, &json!(1)));
    let visited = format!("/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=23364");
    assert_eq!(world.sns.asked().last(), Some(&visited));

    let asked = world.sns.asked().len();
    let mut elsewhere = message.clone();
    elsewhere["SubscribeURL"] = json!("https://sns.eu-central-1.amazonaws.com.evil.example/");
    let refused = world.post("sns", &[], &world.sns.sign(&elsewhere)?).await?;
    let detail = "SubscribeURL is not an address of Amazon SNS in the topic's region";
    assert_refused(&refused, 400, "invalid", detail);
    let removed = world.sns.about_subscription("UnsubscribeConfirmation", Utc::now());
    assert_eq!(world.post("sns", &[], &world.sns.sign(&removed)?).await?.0, 202);
    assert_eq!(world.sns.asked().len(), asked);

    world.sns.set_status(500);
    let failed = world.post("sns", &[], &world.sns.sign(&message)?).await?;
    let detail = "the subscription could not be confirmed at Amazon SNS; try again";
    assert_refused(&failed, 503, "sender-unavailable", detail);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_event_grid_is_validated_with_exactly_200_and_its_code() -> Result<()> {
    let world = World::new().await?;
    let event = json!([{
        "id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": { "validationCode": "9D2E-7B40", "validationUrl": world.sns.endpoint() },
    }])
    .to_string();
    for address in ["grid?secret=event-grid-0000", "grid?code=event-grid-5f10"] {
        let response = world.ask(Method::POST, address, &[], event.clone()).await?;
        assert_eq!(response.status(), 200, "{address}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.text().await?, r#"{"validationResponse":"9D2E-7B40"}"#);
    }
    let missing = world.post("grid", &[], &event).await?;
    assert_refused(&missing, 401, "unauthenticated", "the request has no credential");
    let wrong = world.post("grid?secret=wrong", &[], &event).await?;
    assert_refused(&wrong, 401, "unauthenticated", "the request's credential is wrong");
    assert!(world.sns.asked().is_empty(), "the address in it is never visited");
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_event_grid_is_taken_in_either_schema_and_once() -> Result<()> {
    let world = World::new().await?;
    let data = json!({
        "action": "push", "request": { "host": "acmeregistry.azurecr.io" },
        "target": { "repository": "shop/mandelbrot", "tag": "v1" },
    });
    let own = json!([{ "id": "1", "eventType": "Microsoft.ContainerRegistry.ImagePushed", "data": data }]);
    let other =
        json!({ "id": "2", "specversion": "1.0", "type": "Microsoft.ContainerRegistry.ImagePushed", "data": data });
    for event in [own, other] {
        for repeated in [false, true] {
            let (status, answer) = world.post("grid?secret=event-grid-5f10", &[], &event.to_string()).await?;
            assert_eq!((status, &answer["announcements"], &answer["repeated"]), (202, &json!(1), &json!(repeated)));
        }
    }
    world.end().await
}

/// The headers that say who may send, and how much: origin, rate and methods.
fn allowed(response: &Response) -> Result<[Option<&str>; 3]> {
    let text = |name: &str| response.headers().get(name).map(|value| value.to_str()).transpose();
    Ok([text("webhook-allowed-origin")?, text("webhook-allowed-rate")?, text("allow")?])
}

#[tokio::test(flavor = "multi_thread")]
async fn event_grid_is_told_with_200_that_it_may_send_and_others_that_only_the_method_is_known() -> Result<()> {
    let world = World::new().await?;
    let ask = async |address: &str, origin: &str, rate: &str| {
        let headers = [
            ("webhook-request-origin", origin),
            ("webhook-request-rate", rate),
            ("webhook-request-callback", &*world.sns.endpoint()),
        ];
        world.ask(Method::OPTIONS, address, &headers, String::new()).await
    };
    let methods = Some("POST, OPTIONS");
    let address = "grid?secret=event-grid-5f10";
    // One sender may send five a second.
    for (asked, granted) in [("120", "120"), ("100000", "300"), ("*", "300")] {
        let response = ask(address, "eventgrid.azure.net", asked).await?;
        assert_eq!(response.status(), 200);
        assert_eq!(allowed(&response)?, [Some("eventgrid.azure.net"), Some(granted), methods]);
        assert_eq!(response.text().await?, "");
    }
    let stranger = ask(address, "evil.example", "120").await?;
    assert_eq!((stranger.status().as_u16(), allowed(&stranger)?), (200, [None, None, methods]));
    for wrong in ["grid", "grid?secret=wrong"] {
        let refused = ask(wrong, "eventgrid.azure.net", "120").await?;
        assert_eq!((refused.status().as_u16(), allowed(&refused)?), (401, [None, None, methods]), "{wrong}");
    }
    for other in ["quay?secret=event-grid-5f10", "sns", "gar", "github"] {
        let refused = ask(other, "eventgrid.azure.net", "120").await?;
        assert_eq!((refused.status().as_u16(), allowed(&refused)?), (405, [None, None, Some("POST")]), "{other}");
    }
    let nobody = ask("nobody", "eventgrid.azure.net", "120").await?;
    assert_eq!((nobody.status().as_u16(), allowed(&nobody)?), (404, [None; 3]));
    let read = world.ask(Method::GET, address, &[], String::new()).await?;
    assert_eq!(read.status(), 405);
    ensure!(world.sns.asked().is_empty(), "the address to call back was visited");
    world.end().await.context("stopping")
}
