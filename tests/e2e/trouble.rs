//! Registries and the forge fail for a while: it is said why nothing happens, and it goes on by itself.

use anyhow::{Context as _, Result};
use sandbox::{Action, Fault, Match};
use testkit::{Scene, SceneOptions, scene::REGISTRY_SECRET, tagferry::text, until};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_fails_is_asked_again_and_the_delivery_says_why_it_waits() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Patience").await?;
    scene.registry.add_fault(sandbox::registry::Fault::answer("/v2/mandelbrot/", 1_000, 500, &[]));
    scene.push_to_all(&commit)?;
    let why = until("the reason of a pending announcement", async || {
        let all = tagferry.announcements().await?;
        let pending = all.iter().find(|one| one["verdict"] == "pending" && one["reason"].is_string());
        Ok(pending.map(|one| text(&one["reason"])))
    })
    .await?;
    assert!(why.contains(&scene.image("azure")?), "{why}");
    scene.registry.clear_faults();
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forge_that_fails_is_asked_again_and_the_promotion_says_why_it_waits() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("More patience").await?;
    let creating = Match { times: 1_000, ..Match::request("POST", "/repos/acme/trinity/pulls") };
    scene.forge.add_fault(Fault::new(creating, Action::answer(502, "Bad Gateway")));
    scene.push_to_all(&commit)?;
    let why = tagferry.waits_for(&commit, "502").await?;
    assert!(why.contains("acme/trinity"), "{why}");
    scene.forge.clear_faults();
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    let log = tagferry.log();
    assert!(log.contains("502") && !log.contains("ghs_"), "a token is in the log, or nothing of the failure");
    let release = tagferry.release(&commit).await?.context("the release is there")?;
    assert!(!release.to_string().contains("ghs_"), "a token is in an answer");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_announces_before_it_has_the_tag_is_asked_again() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Too early").await?;
    scene.push("aws", &commit)?;
    scene.push("gcp", &commit)?;
    scene.notified().await;
    // The last image is announced by hand, and only then pushed to a registry that tells nobody.
    scene.registry.set_notifications(&scene.hook("nobody"), None);
    let target = serde_json::json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "repository": "mandelbrot",
        "tag": format!("sha-{commit}"),
    });
    let event = serde_json::json!({ "events": [{ "id": "early", "action": "push", "target": target }] });
    let answer = tagferry.post("registry", &[("authorization", REGISTRY_SECRET)], event.to_string()).await?;
    assert!(answer.status().is_success());
    until("the first question", async || {
        Ok(scene.registry.requests().iter().any(|one| one.path.starts_with("/v2/mandelbrot/")).then_some(()))
    })
    .await?;
    scene.push("azure", &commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_finishes_its_request_does_not_keep_the_service_from_stopping() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let mut stuck = TcpStream::connect(tagferry.url().trim_start_matches("http://")).await?;
    stuck.write_all(b"POST /v1").await?;
    assert!(tagferry.terminate().await?);
    scene.end().await;
    Ok(())
}
