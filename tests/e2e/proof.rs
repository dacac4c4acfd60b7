//! What is proven before anything is proposed.

use anyhow::{Context as _, Result};
use sandbox::Push;
use testkit::{Scene, SceneOptions, overlays, scene::GITOPS, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_does_not_exist_is_refused() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = "0123456789abcdef0123456789abcdef01234567";
    scene.push_to_all(commit)?;
    let (outcome, reason) = tagferry.outcome(commit).await?;
    assert_eq!(outcome, "refused");
    assert_eq!(reason, format!("refused: commit {commit} does not exist in acme/mandelbrot"));
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_on_no_allowed_branch_is_refused() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit_on("feature", "Not reviewed").await?;
    scene.push_to_all(&commit)?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "refused");
    let short = commit.get(..7).context("a commit has forty digits")?;
    assert_eq!(reason, format!("refused: commit {short} is not on an allowed branch of acme/mandelbrot (main)"));
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_was_moved_is_refused() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Moved").await?;
    scene.push("aws", &commit)?;
    tagferry.waits_for(&commit, "waiting for the image in").await?;
    scene.push_tag("aws", &format!("sha-{commit}"), "something else")?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "refused");
    assert_eq!(reason, "refused: the tag was moved to another digest in aws");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_commit_is_superseded_by_what_is_deployed() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let older = scene.commit("Older").await?;
    let newer = scene.commit("Newer").await?;
    scene.push_to_all(&newer)?;
    assert_eq!(tagferry.outcome(&newer).await?.0, "merged");
    scene.push_to_all(&older)?;
    let (outcome, reason) = tagferry.outcome(&older).await?;
    assert_eq!(outcome, "superseded");
    assert_eq!(reason, format!("superseded by {}", newer.get(..7).context("a commit has forty digits")?));
    assert_eq!(scene.pull_requests().await?.len(), 1);
    assert!(scene.overlay("aws").await?.contains(&newer));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_release_is_looked_at_again_when_its_images_are_pushed_again() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let older = scene.commit("Older").await?;
    let newer = scene.commit("Newer").await?;
    scene.push_to_all(&newer)?;
    assert_eq!(tagferry.outcome(&newer).await?.0, "merged");
    scene.push_to_all(&older)?;
    assert_eq!(tagferry.outcome(&older).await?.0, "superseded");
    scene.notified().await;

    // Somebody takes the newer one back by hand.
    let mut back = Push { branch: "main".to_owned(), ..Push::default() };
    for (target, text) in [("aws", overlays::AWS), ("gcp", overlays::GCP), ("azure", overlays::AZURE)] {
        back.files.insert(overlays::path(target), Some(text.to_owned()));
    }
    scene.forge.push(GITOPS, back).await?;
    scene.push_to_all(&older)?;
    until("the older release", async || Ok((tagferry.outcome(&older).await?.0 == "merged").then_some(()))).await?;
    assert!(scene.overlay("aws").await?.contains(&older));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_gave_way_is_proposed_again_when_a_person_declines_the_newer_one() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (older, first) = scene.propose("Older").await?;
    let newer = scene.commit("Newer").await?;
    scene.push_to_all(&newer)?;
    assert_eq!(tagferry.outcome(&older).await?.0, "superseded");
    let second = scene.open_pull_request().await?;
    scene.forge.close_pull_request(GITOPS, second.number).await?;
    assert_eq!(tagferry.outcome(&newer).await?.0, "declined");

    let third = scene.open_pull_request().await?;
    assert_eq!(third.head_branch, first.head_branch);
    scene.armed(third.number).await?;
    scene.pass_check(third.number).await?;
    until("the older release", async || Ok((tagferry.outcome(&older).await?.0 == "merged").then_some(()))).await?;
    let states: Vec<String> = scene.pull_requests().await?.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["closed", "closed", "merged"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_release_closes_the_pull_request_of_the_older_one_and_takes_its_place() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (older, first) = scene.propose("Older").await?;
    let newer = scene.commit("Newer").await?;
    // While the newer one is incomplete, the older one stays.
    scene.push("aws", &newer)?;
    tagferry.waits_for(&newer, "waiting for the image in").await?;
    assert_eq!(scene.open_pull_request().await?.number, first.number);

    scene.push("gcp", &newer)?;
    scene.push("azure", &newer)?;
    assert_eq!(tagferry.outcome(&older).await?.0, "superseded");
    let second = scene.open_pull_request().await?;
    assert_ne!(second.number, first.number);
    scene.armed(second.number).await?;
    scene.pass_check(second.number).await?;
    assert_eq!(tagferry.outcome(&newer).await?.0, "merged");
    let states: Vec<String> = scene.pull_requests().await?.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["closed", "merged"]);
    let comments = scene.forge.pull_request(GITOPS, first.number).await?.comments;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].starts_with(&format!("Superseded by #{}.\n", second.number)), "{comments:?}");
    let branches = scene.forge.repository(GITOPS).await?.branches;
    assert_eq!(branches.keys().collect::<Vec<_>>(), ["main"], "a branch was left behind");
    scene.end().await;
    Ok(())
}
