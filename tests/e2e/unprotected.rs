//! A base branch that requires no check: what nothing has checked is not merged by our order.

use anyhow::Result;
use sandbox::{Method, Protection, Recorded};
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::{CHECK, GITOPS},
    until,
};

const SENTENCE: &str = "merging acme/trinity#1: `main` requires no check, so a pull request can not merge itself: \
    protect the branch (Settings, Branches), or merge it by hand";

/// A release as far as a pull request into a `main` that has no rules.
async fn waiting() -> Result<(Scene, Tagferry, String)> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    scene.forge.protect(GITOPS, "main", None).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Unchecked").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.waits_for(&commit, "requires no check").await?, SENTENCE);
    let open = scene.open_pull_request().await?;
    let body = open.body.unwrap_or_default();
    assert!(body.contains("if `main` requires nothing, a person merges it"), "{body}");
    Ok((scene, tagferry, commit))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_into_a_base_that_requires_nothing_is_merged_by_a_person_only() -> Result<()> {
    let (scene, tagferry, commit) = waiting().await?;
    scene.forge.clear_requests();
    scene.pass_check(1).await?;
    // The check's result wakes it, and it tries again.
    until("another order to merge", async || {
        let requests = scene.forge.requests();
        let is_order = |one: &Recorded| one.operations.iter().any(|name| name == "enablePullRequestAutoMerge");
        Ok(requests.iter().any(is_order).then_some(()))
    })
    .await?;
    assert_eq!(tagferry.waits_for(&commit, "requires no check").await?, SENTENCE);
    assert_eq!(scene.open_pull_request().await?.number, 1);
    scene.forge.merge(GITOPS, 1, Method::Squash).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_is_protected_later_is_noticed_and_the_release_merges_itself() -> Result<()> {
    let (scene, tagferry, commit) = waiting().await?;
    let protection = Protection { required_checks: vec![CHECK.to_owned()], ..Protection::default() };
    scene.forge.protect(GITOPS, "main", Some(protection)).await?;
    scene.armed(1).await?;
    scene.pass_check(1).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_into_a_base_that_requires_no_check_waits_until_a_check_has_passed() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let by_pull_request_only = Protection { require_pull_request: true, ..Protection::default() };
    scene.forge.protect(GITOPS, "main", Some(by_pull_request_only)).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Not checked yet").await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, "none has run yet").await?;
    assert!(waiting.contains("`main` requires no check") && waiting.contains("require one"), "{waiting}");
    let open = scene.open_pull_request().await?;
    assert_eq!((open.merge_state.as_str(), open.auto_merge), ("clean", None), "it could have been merged");
    scene.pass_check(open.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}
