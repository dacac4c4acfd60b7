//! The base branch moves under us, and the forge refuses a push.

use anyhow::{Context as _, Result};
use sandbox::{Action, Fault, Match, Protection, Push};
use testkit::{Scene, SceneOptions, overlays, scene::GITOPS, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_moves_between_read_and_push_keeps_both_changes() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let pushing = Match::request("POST", "/acme/trinity.git/git-receive-pack");
    scene.forge.add_fault(Fault::new(pushing, Action::Delay { milliseconds: 400 }));
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Raced").await?;
    scene.push_to_all(&commit)?;
    until("the push", async || {
        Ok(scene.forge.requests().iter().any(|one| one.path.ends_with("git-receive-pack")).then_some(()))
    })
    .await?;
    let moved = overlays::AWS.replace("# Production in us-east-1.", "# Production in us-east-2.");
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("aws").as_str(), moved.as_str())])).await?;

    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let aws = scene.overlay("aws").await?;
    assert!(aws.contains("us-east-2") && aws.contains(&commit), "{aws}");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_conflicts_is_made_anew_on_the_new_base() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("In conflict").await?;
    let moved = overlays::GCP.replace("'bootstrap'", "'hotfix' # by hand");
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), moved.as_str())])).await?;
    until("another head", async || {
        Ok((scene.forge.pull_request(GITOPS, one.number).await?.head != one.head).then_some(()))
    })
    .await?;
    scene.armed(one.number).await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let gcp = scene.overlay("gcp").await?;
    assert!(gcp.contains(&format!("'sha-{commit}' # by hand")), "{gcp}");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_keeps_its_base_when_the_configuration_names_another() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("On its way to main").await?;
    tagferry.kill().await?;

    scene.forge.push(GITOPS, Push { branch: "production".to_owned(), ..Push::default() }.onto("main")).await?;
    let config = std::fs::read_to_string(scene.config())?;
    assert!(config.contains("base: main"), "{config}");
    std::fs::write(scene.config(), config.replace("base: main", "base: production"))?;
    // What it has to be rebuilt on is main as it is by now, and not production.
    let moved = overlays::GCP.replace("'bootstrap'", "'hotfix'");
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), moved.as_str())])).await?;
    let tagferry = scene.tagferry().await?;
    until("another head", async || {
        Ok((scene.forge.pull_request(GITOPS, one.number).await?.head != one.head).then_some(()))
    })
    .await?;
    scene.armed(one.number).await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert!(scene.overlay("gcp").await?.contains(&commit));
    let production = scene.forge.read_file(GITOPS, "production", &overlays::path("gcp")).await?;
    assert_eq!(production.as_deref(), Some(overlays::GCP));
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_the_forge_refuses_is_told_with_its_words_and_repeated() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Refused").await?;
    let branch = format!("mandelbrot/deploy-{commit}");
    let closed = Protection { restrict_pushes: Some(Vec::new()), ..Protection::default() };
    scene.forge.protect(GITOPS, &branch, Some(closed)).await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, "protected branch").await?;
    assert!(waiting.contains(&branch), "{waiting}");
    assert!(scene.pull_requests().await?.is_empty());

    scene.forge.protect(GITOPS, &branch, None).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_branch_is_never_pushed_to() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let before = scene.forge.repository(GITOPS).await?.branches.get("main").cloned().context("main is there")?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Only by pull request").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let one = scene.forge.pull_request(GITOPS, 1).await?;
    assert_eq!(one.base, before, "main had another commit before the merge");
    let after = scene.forge.repository(GITOPS).await?.branches.get("main").cloned();
    assert_eq!(after, one.merge_commit, "main has another commit after the merge");
    scene.end().await;
    Ok(())
}
