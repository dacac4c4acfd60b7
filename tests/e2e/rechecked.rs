//! Tags that are moved or deleted while nobody is told: before they are proposed, and after they are deployed.

use anyhow::{Context as _, Result};
use sandbox::{RunReport, registry as double};
use serde_json::Value;
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::{SOURCE, TARGETS},
    tagferry::{field, text},
    until,
};

async fn asking(verify: &str) -> Result<Scene> {
    let application = format!("    verify: {{ {verify} }}\n");
    Scene::start(SceneOptions { application, ..SceneOptions::default() }).await
}

/// Has the registry tell nothing from now on.
async fn hush(scene: &Scene) {
    scene.notified().await;
    scene.registry.set_notifications("http://127.0.0.1:1/", None);
}

async fn pass(scene: &Scene, commit: &str) -> Result<()> {
    let report =
        RunReport { name: "ci".to_owned(), conclusion: Some("success".to_owned()), app: None, details_url: None };
    Ok(scene.forge.report_run(SOURCE, commit, report).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_moved_between_the_look_and_the_proposal_is_refused() -> Result<()> {
    let scene = asking("checks: [ci]").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Moved in between").await?;
    scene.push_to_all(&commit)?;
    tagferry.waits_for(&commit, "check ci was not heard of").await?;
    hush(&scene).await;
    scene.push_tag("gcp", &format!("sha-{commit}"), "something else")?;
    pass(&scene, &commit).await?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "refused");
    assert!(reason.contains("the tag was moved to another digest in gcp"), "{reason}");
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_gone_when_it_is_to_be_proposed_is_waited_for() -> Result<()> {
    let scene = asking("checks: [ci]").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Deleted in between").await?;
    scene.push_to_all(&commit)?;
    tagferry.waits_for(&commit, "check ci was not heard of").await?;
    let (_, gcp) = TARGETS[1];
    scene.registry.add_fault(double::Fault::answer(&format!("/v2/{gcp}/"), 1_000, 404, &[]));
    pass(&scene, &commit).await?;
    tagferry.waits_for(&commit, "the registry does not have").await?;
    scene.registry.clear_faults();
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

/// Waits for a row of a release's ledger.
async fn told(tagferry: &Tagferry, commit: &str, what: &str) -> Result<String> {
    until(what, async || {
        let release = tagferry.release(commit).await?.context("there is no release")?;
        let rows = field(&release, "ledger").as_array().cloned().unwrap_or_default();
        let row = rows.iter().find(|row: &&Value| text(field(row, "what")) == what);
        Ok(row.map(|row| text(field(row, "why"))))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_of_what_is_deployed_that_is_moved_or_deleted_is_told_once() -> Result<()> {
    let scene = asking("recheck: 100ms").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Deployed").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    hush(&scene).await;
    scene.push_tag("aws", &format!("sha-{commit}"), "something else")?;
    let moved = told(&tagferry, &commit, "tag-moved").await?;
    assert!(moved.contains(" was moved from sha256:") && moved.ends_with("and aws runs it"), "{moved}");
    let (_, gcp) = TARGETS[1];
    scene.registry.add_fault(double::Fault::answer(&format!("/v2/{gcp}/"), 1_000, 404, &[]));
    let gone = told(&tagferry, &commit, "tag-gone").await?;
    assert!(gone.contains("is not in its registry any more") && gone.ends_with("and gcp runs it"), "{gone}");
    let said = tagferry.log().matches("what is deployed is not what it was").count();
    assert_eq!(said, 2, "each is said once");
    assert_eq!(scene.pull_requests().await?.len(), 1, "nothing is done about it");
    scene.end().await;
    Ok(())
}
