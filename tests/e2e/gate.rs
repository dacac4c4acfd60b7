//! A service of the operator's own that lets images through or holds them back.

use anyhow::Result;
use testkit::{Scene, SceneOptions, service::Service};

async fn gated(service: &Service) -> Result<Scene> {
    let application = format!("    verify: {{ gate: {{ url: '{}scan' }} }}\n", service.url);
    Scene::start(SceneOptions { application, poll_interval: "200ms", ..SceneOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_for_its_gate_and_goes_on_when_that_lets_it_through() -> Result<()> {
    let service = Service::answering(&[
        (503, ""),
        (200, r#"{"verdict":"pending","reason":"the scan is running"}"#),
        (200, r#"{"verdict":"pass","reason":"no known vulnerability"}"#),
    ])
    .await?;
    let scene = gated(&service).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Scanned").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let body = scene.pull_requests().await?.remove(0).body.unwrap_or_default();
    assert!(body.contains("- [x] **gate** passed: the gate lets the images through: no known vulnerability"), "{body}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_its_gate_holds_back_is_refused() -> Result<()> {
    let service = Service::answering(&[(200, r#"{"verdict":"fail","reason":"CVE-2026-1 is critical"}"#)]).await?;
    let scene = gated(&service).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Vulnerable").await?;
    scene.push_to_all(&commit)?;
    let (_, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(reason, "refused: the gate holds the images back: CVE-2026-1 is critical");
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}
