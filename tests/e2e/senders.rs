//! Registries that announce in their own ways: what comes over HTTP, and what people are told to set there.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scene, SceneOptions, Tagferry, binaries::program, tagferry::field};
use tokio::process::Command;

/// The secret of the sender with a secret in its address; the one before it in the list is being rotated out.
const QUAY_SECRET: &str = "quay-secret-7d20";

const NEXUS_SECRET: &str = "nexus-secret-81c4";

/// A message of Nexus with the HMAC-SHA1 that [`NEXUS_SECRET`] makes over it.
const NEXUS_BODY: &str = r#"{"action":"CREATED","repositoryName":"docker","component":{"format":"docker","name":"mandelbrot","version":"sha-0123456"}}"#;
const NEXUS_SIGNATURE: &str = "195269504e871cdf9b4ca25950ff921d976900fc";

/// A scene whose Tagferry also hears Quay and Nexus, both announcing for the scene's registry.
async fn opened() -> Result<(Scene, Tagferry)> {
    let scene = Scene::start(SceneOptions { forge_webhooks: false, ..SceneOptions::default() }).await?;
    let file = |name: &str, secret: &str| -> Result<String> {
        let path = scene.directory().join(name);
        std::fs::write(&path, secret)?;
        Ok(path.display().to_string())
    };
    let host = scene.image("azure")?.replace("/mandelbrot", "");
    let (old, new) = (file("quay-old", "quay-secret-0000")?, file("quay-new", QUAY_SECRET)?);
    let senders = format!(
        "senders:\n  quay: {{ kind: quay, secrets: [{{ file: '{old}' }}, {{ file: '{new}' }}], registry: '{host}' }}\n  \
         nexus: {{ kind: nexus, secrets: {{ file: '{}' }}, registry: '{host}' }}\n",
        file("nexus", NEXUS_SECRET)?
    );
    let config = std::fs::read_to_string(scene.config())?;
    std::fs::write(scene.config(), config.replace("senders:\n", &senders))?;
    let tagferry = scene.tagferry().await?;
    Ok((scene, tagferry))
}

/// Posts twice; both are taken, and the second is known for the first.
async fn post_twice(tagferry: &Tagferry, sender: &str, headers: &[(&str, &str)], body: &str) -> Result<Value> {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = tagferry.post(sender, headers, body).await?;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{sender}");
        answers.push(answer.json::<Value>().await?);
    }
    let [first, second] = answers.as_slice() else { anyhow::bail!("two answers were expected") };
    let repeated = [field(first, "repeated"), field(second, "repeated")];
    assert_eq!(repeated, [&json!(false), &json!(true)], "{sender}");
    assert_eq!(field(first, "delivery"), field(second, "delivery"), "{sender}");
    Ok(first.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_address_lets_in_and_reaches_no_log() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let body = json!({ "repository": "mandelbrot", "docker_url": "quay.io/x", "updated_tags": ["latest", "v1", 7] });
    for address in ["quay", "quay?secret=quay-secret-7d2", "quay?secret=", "quay?secret=quay-secret-7d20&secret=x"] {
        let answer = tagferry.post(address, &[], body.to_string()).await?;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{address}");
        assert!(!answer.text().await?.contains("7d2"), "{address}");
    }
    assert!(tagferry.announcements().await?.is_empty());
    let address = format!("quay?secret={QUAY_SECRET}");
    let answer = post_twice(&tagferry, &address, &[], &body.to_string()).await?;
    assert_eq!((&answer["announcements"], &answer["unusable"]), (&json!(2), &json!(["the tag is not a string"])));
    let (verdict, reason) = tagferry.reason(&scene.image("azure")?, "v1").await?;
    assert_eq!(
        (verdict.as_str(), reason.as_str()),
        ("ignored", "tag does not name a commit: v1 is not of the form sha-{commit}")
    );
    assert_eq!(tagferry.announcements().await?.len(), 3);

    // A method or a name that is not taken says no more of the address.
    let read = reqwest::get(format!("{}/v1/hooks/{address}", tagferry.url())).await?;
    assert_eq!(read.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        tagferry.post(&format!("nobody?secret={QUAY_SECRET}"), &[], "{}").await?.status(),
        StatusCode::NOT_FOUND
    );
    let log = tagferry.log();
    assert!(log.contains("a delivery is taken sender=\"quay\"") && !log.contains("7d2"), "{log}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_lets_in_the_body_that_it_was_made_for_and_no_other() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let headers = |signature: &'static str| {
        [
            ("x-nexus-webhook-id", "rm:repository:component"),
            ("x-nexus-webhook-delivery", "b1d6"),
            ("x-nexus-webhook-signature", signature),
        ]
    };
    let changed = NEXUS_BODY.replace("0123456", "0123457");
    for (signature, body) in [(NEXUS_SIGNATURE, changed.as_str()), ("", NEXUS_BODY), (NEXUS_SECRET, NEXUS_BODY)] {
        let answer = tagferry.post("nexus", &headers(signature), body).await?;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{signature}");
        assert_eq!(answer.json::<Value>().await?["detail"], "the request's credential is wrong");
    }
    assert!(tagferry.announcements().await?.is_empty());
    let answer = post_twice(&tagferry, "nexus", &headers(NEXUS_SIGNATURE), NEXUS_BODY).await?;
    assert_eq!(answer["announcements"], json!(1));
    let (verdict, reason) = tagferry.reason(&scene.image("azure")?, "sha-0123456").await?;
    assert_eq!(verdict, "ignored", "{reason}");
    scene.end().await;
    Ok(())
}

/// What kinds without secrets are known by.
const GOOGLE: &str = "audience: 'https://tagferry.example/hook', service_account: push@acme.iam.gserviceaccount.com";
const TOPIC: &str = "topic: 'arn:aws:sns:us-west-2:123456789012:ecr-push'";

/// And what is to be set for that.
const PUSH_AUTHENTICATION: &str = "--push-auth-service-account=push@acme.iam.gserviceaccount.com --push-auth-token-audience=https://tagferry.example/hook";
const SIGNATURE_VERSION: &str = "aws sns set-topic-attributes --topic-arn arn:aws:sns:us-west-2:123456789012:ecr-push \
     --attribute-name SignatureVersion --attribute-value 2";

/// What `check` must say of each kind: how its address ends, and a part of what to set at the registry.
const SETUPS: [(&str, &str, &str); 16] = [
    ("distribution", "/v1/hooks/distribution  distribution", "notifications.endpoints[].headers.Authorization"),
    ("docker-hub", "/v1/hooks/docker-hub?secret=…  docker-hub", "Webhooks tab on hub.docker.com"),
    ("ghcr", "/v1/hooks/ghcr  ghcr", "content type application/json, event Packages"),
    ("ecr", "/v1/hooks/ecr  ecr", "API key named X-Webhook-Secret"),
    ("ecr-sns", "/v1/hooks/ecr-sns  ecr-sns", SIGNATURE_VERSION),
    ("artifact-registry", "/v1/hooks/artifact-registry  artifact-registry", PUSH_AUTHENTICATION),
    ("acr", "/v1/hooks/acr  acr", "az acr webhook create"),
    ("acr-event-grid", "/v1/hooks/acr-event-grid?secret=…  acr-event-grid", "az eventgrid event-subscription create"),
    ("harbor", "/v1/hooks/harbor  harbor", "Auth Header"),
    ("quay", "/v1/hooks/quay?secret=…  quay", "one of the secrets in place of …"),
    ("gitlab", "/v1/hooks/gitlab  gitlab", "registry['notifications']"),
    ("gitea", "/v1/hooks/gitea  gitea", "event Package"),
    ("jfrog", "/v1/hooks/jfrog  jfrog", "Docker tag was pushed"),
    ("nexus", "/v1/hooks/nexus  nexus", "Webhook: Repository"),
    ("aliyun", "/v1/hooks/aliyun?secret=…  aliyun", "Trigger URL"),
    ("cloudevents", "/v1/hooks/cloudevents  cloudevents", "container.image.push"),
];

#[tokio::test(flavor = "multi_thread")]
async fn check_says_for_each_sender_what_to_paste_and_what_to_set_and_no_secret() -> Result<()> {
    let directory = tempfile::TempDir::new()?;
    let secret = directory.path().join("secret");
    std::fs::write(&secret, "hush-4711")?;
    let secret = secret.display();
    let sender = |kind: &str| {
        let known_by = match kind {
            "artifact-registry" => GOOGLE.to_owned(),
            "ecr-sns" => TOPIC.to_owned(),
            _ => format!("secrets: {{ file: '{secret}' }}"),
        };
        format!("  {kind}: {{ kind: {kind}, {known_by}, registry: r.example }}\n")
    };
    let senders: String = SETUPS.iter().map(|(kind, ..)| sender(kind)).collect();
    let config = directory.path().join("tagferry.yaml");
    std::fs::write(
        &config,
        format!(
            "server: {{ listen: '127.0.0.1:0', public_url: 'https://tagferry.example/' }}\n\
             store: {{ url: 'sqlite:///x.db' }}\n\
             github: {{ token: {{ file: '{secret}' }}, webhook_secrets: {{ file: '{secret}' }} }}\nsenders:\n{senders}"
        ),
    )?;
    let out = Command::new(program("tagferry")?).arg("check").arg("--config").arg(&config).output().await?;
    let (out, err) = (String::from_utf8(out.stdout)?, String::from_utf8(out.stderr)?);
    for (kind, address, part) in SETUPS {
        assert!(out.contains(&format!("https://tagferry.example{address}\n")), "{kind}: {out}\n{err}");
        assert!(out.contains(part), "{kind}: {out}");
    }
    assert!(out.contains("https://tagferry.example/v1/hooks/github  github\n"), "{out}");
    assert!(!out.contains("hush") && !err.contains("hush"), "{out}\n{err}");
    Ok(())
}
