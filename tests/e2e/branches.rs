//! What becomes of release branches where the forge does not delete them by itself.

use anyhow::{Context as _, Result};
use sandbox::{Protection, Push, Settings};
use testkit::{
    Scene, SceneOptions,
    scene::GITOPS,
    tagferry::{field, text},
};

/// A scene whose forge keeps the branches of merged pull requests.
async fn keeping() -> Result<Scene> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let settings = Settings { allow_auto_merge: true, delete_branch_on_merge: false, ..Settings::default() };
    scene.forge.set_settings(GITOPS, settings).await?;
    Ok(scene)
}

async fn branches(scene: &Scene) -> Result<Vec<String>> {
    Ok(scene.forge.repository(GITOPS).await?.branches.into_keys().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_branch_is_deleted_where_the_forge_does_not_do_it() -> Result<()> {
    let scene = keeping().await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Tidy").await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(branches(&scene).await?, ["main"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_somebody_added_to_a_merged_branch_is_kept() -> Result<()> {
    let scene = keeping().await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Not only ours").await?;
    tagferry.kill().await?;
    scene.pass_check(one.number).await?;
    scene.forge.until_merged(GITOPS, one.number, testkit::until::PATIENCE).await?;
    let theirs = scene.forge.push(GITOPS, Push::new(&one.head_branch, [("NOTES.md", "mine\n")])).await?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(scene.forge.repository(GITOPS).await?.branches.get(&one.head_branch), Some(&theirs));
    let release = tagferry.release(&commit).await?.context("the release is there")?;
    let ledger = field(&release, "ledger").as_array().cloned().unwrap_or_default();
    let kept: Vec<String> = ledger.iter().filter(|row| row["what"] == "kept").map(|row| text(&row["why"])).collect();
    assert_eq!(kept, ["the branch has a commit that is not ours and is kept"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_recorded_though_its_branch_may_not_be_deleted() -> Result<()> {
    let scene = keeping().await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Stuck").await?;
    scene.forge.protect(GITOPS, &one.head_branch, Some(Protection::default())).await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(branches(&scene).await?, ["main".to_owned(), one.head_branch]);
    assert!(tagferry.log().contains("a branch is left behind"));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_branch_of_a_pull_request_that_a_person_closed_is_left_to_them() -> Result<()> {
    let scene = keeping().await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Theirs to decide").await?;
    scene.forge.close_pull_request(GITOPS, one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "declined");
    assert_eq!(branches(&scene).await?, ["main".to_owned(), one.head_branch]);
    scene.end().await;
    Ok(())
}
