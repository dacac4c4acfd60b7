//! GitHub's own examples of what its webhooks send, each of them signed and posted.
//!
//! `cargo xtask setup` puts them beside the build; they are the package `@octokit/webhooks-examples` 7.6.1.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use hmac::{Hmac, Mac as _};
use reqwest::StatusCode;
use serde_json::Value;
use sha2::Sha256;
use testkit::{
    Scene, SceneOptions, Tagferry,
    binaries::tool,
    scene::{FORGE_SECRET, GITOPS},
    tagferry::{field, text},
};

/// Where the package has them: those of github.com, and those of GitHub Enterprise Server 3.1 to 3.5.
const SITES: [(&str, usize); 6] =
    [("api.github.com", 329), ("ghes-31", 49), ("ghes-32", 49), ("ghes-33", 50), ("ghes-34", 124), ("ghes-35", 125)];

/// The repository that most of them are about.
const THEIRS: &str = "Codertocat/Hello-World";

/// One example.
struct Example {
    event: String,
    body: String,
}

/// What became of the examples of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    sent: usize,
    announcements: usize,
    unusable: usize,
    unwanted: usize,
}

fn examples(site: &str) -> Result<Vec<Example>> {
    let path = tool("webhooks/node_modules/@octokit/webhooks-examples")?.join(site).join("index.json");
    let index = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let events: Vec<Value> = serde_json::from_slice(&index)?;
    let of = |event: &Value| -> Vec<Example> {
        let bodies = field(event, "examples").as_array().into_iter().flatten();
        bodies.map(|body| Example { event: text(field(event, "name")), body: body.to_string() }).collect()
    };
    Ok(events.iter().flat_map(of).collect())
}

fn signature(body: &str) -> Result<String> {
    let mac = Hmac::<Sha256>::new_from_slice(FORGE_SECRET.as_bytes())?.chain_update(body);
    Ok(format!("sha256={}", hex::encode(mac.finalize().into_bytes())))
}

/// A scene whose Tagferry hears GitHub as a forge and as a registry, with one secret, and has its overlays where the
/// examples are about.
async fn opened() -> Result<(Scene, Tagferry)> {
    let scene = Scene::start(SceneOptions { forge_webhooks: false, ..SceneOptions::default() }).await?;
    let secret = scene.directory().join("forge-secret");
    let sender = format!("senders:\n  ghcr: {{ kind: ghcr, secrets: {{ file: '{}' }} }}\n", secret.display());
    let config = std::fs::read_to_string(scene.config())?;
    std::fs::write(scene.config(), config.replace("senders:\n", &sender).replace(GITOPS, THEIRS))?;
    let tagferry = scene.tagferry().await?;
    Ok((scene, tagferry))
}

/// Posts every example to a sender; each must be taken.
async fn post_all(tagferry: &Tagferry, sender: &str) -> Result<BTreeMap<String, Counts>> {
    let mut events: BTreeMap<String, Counts> = BTreeMap::new();
    for (site, expected) in SITES {
        let examples = examples(site)?;
        assert_eq!(examples.len(), expected, "the examples of {site}");
        for (number, Example { event, body }) in examples.into_iter().enumerate() {
            let (signature, id) = (signature(&body)?, format!("{site}-{number}"));
            let headers = [
                ("x-github-event", event.as_str()),
                ("x-github-delivery", &id),
                ("x-hub-signature-256", &signature),
                ("content-type", "application/json"),
            ];
            let answer = tagferry.post(sender, &headers, body).await?;
            let status = answer.status();
            let said: Value = answer.json().await?;
            ensure!(status == StatusCode::ACCEPTED, "{sender}, {site}, {event}, {number}: {status} {said}");
            let number = |key: &str| field(&said, key).as_u64().and_then(|number| usize::try_from(number).ok());
            let counts = events.entry(event).or_default();
            counts.sent += 1;
            counts.announcements += number("announcements").context("announcements is a number")?;
            counts.unwanted += number("unwanted").context("unwanted is a number")?;
            counts.unusable += field(&said, "unusable").as_array().context("unusable is a list")?.len();
        }
    }
    Ok(events)
}

fn sum(events: &BTreeMap<String, Counts>, of: fn(&Counts) -> usize) -> usize {
    events.values().map(of).sum()
}

fn say(sender: &str, events: &BTreeMap<String, Counts>) -> Result<()> {
    let by_event: Vec<String> = events.iter().map(|(event, counts)| format!("{event} {}", counts.sent)).collect();
    testkit::say(&format!(
        "{sender} took {} of GitHub's examples: {}",
        sum(events, |one| one.sent),
        by_event.join(", ")
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_github_is_taken_as_the_forges() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let events = post_all(&tagferry, "github").await?;
    say("github", &events)?;
    assert_eq!(sum(&events, |one| one.unusable), 0, "{events:#?}");
    let announced = sum(&events, |one| one.announcements);
    ensure!(announced > 100, "only {announced} are about a repository with overlays: {events:#?}");
    testkit::say(&format!("{announced} of them are about a repository with overlays"))?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_github_is_taken_as_the_registrys() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let events = post_all(&tagferry, "ghcr").await?;
    say("ghcr", &events)?;
    // Each says one thing, and the packages among them are npm's.
    let of_one_thing = |one: &Counts| *one == Counts { sent: one.sent, unwanted: one.sent, ..Counts::default() };
    ensure!(events.contains_key("package") && events.values().all(of_one_thing), "{events:#?}");
    ensure!(tagferry.announcements().await?.is_empty(), "nothing of that is kept");
    scene.end().await;
    Ok(())
}
