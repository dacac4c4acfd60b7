//! What the App may do changes while the service runs.

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::json;
use testkit::{Scene, SceneOptions, scene::FORGE_SECRET};

/// For which repositories tokens were asked for so far.
fn minted(scene: &Scene) -> usize {
    scene.forge.requests().iter().filter(|request| request.path.ends_with("/access_tokens")).count()
}

async fn release(scene: &Scene, tagferry: &testkit::Tagferry, subject: &str) -> Result<()> {
    let commit = scene.commit(subject).await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_kept_until_the_forge_says_that_the_installation_changed() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    release(&scene, &tagferry, "First").await?;
    assert_eq!(minted(&scene), 2, "one to read the source, one to write the overlays");
    release(&scene, &tagferry, "Second").await?;
    assert_eq!(minted(&scene), 2);

    let app = scene.forge.app().await?;
    let installation = app.installations.get("acme").context("it is not installed")?;
    for action in ["suspend", "unsuspend"] {
        let body = json!({ "action": action, "installation": { "id": installation } }).to_string();
        let signature = sandbox::signature(FORGE_SECRET, body.as_bytes());
        let headers = [
            ("x-hub-signature-256", signature.as_str()),
            ("x-github-event", "installation"),
            ("x-github-delivery", action),
        ];
        assert_eq!(tagferry.post("github", &headers, body).await?.status(), StatusCode::ACCEPTED);
    }
    release(&scene, &tagferry, "Third").await?;
    assert_eq!(minted(&scene), 4);
    assert!(tagferry.log().contains("an installation changed, and its tokens are forgotten"));
    scene.end().await;
    Ok(())
}
