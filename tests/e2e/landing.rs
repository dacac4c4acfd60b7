//! The ways in which a release lands that does not just merge itself: a draft, a merge queue, a repository without
//! auto-merge, a base that has to be contained.

use anyhow::{Context as _, Result};
use sandbox::{
    Kind, MergeQueue, Outcome, Protection, PullRequestChange, Push, Recorded, Removal, Report, Rules, Settings,
};
use testkit::{
    Scene, SceneOptions, overlays,
    scene::{CHECK, GITOPS},
    until,
};

async fn scene() -> Result<Scene> {
    Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await
}

fn check(outcome: Outcome) -> Report {
    Report { name: CHECK.to_owned(), outcome, kind: Kind::CheckRun }
}

/// Gives `main` a merge queue.
async fn queue(scene: &Scene) -> Result<()> {
    let rules = Rules { merge_queue: Some(MergeQueue::default()), ..Rules::default() };
    Ok(scene.forge.set_rules(GITOPS, "main", Some(rules)).await?)
}

/// Waits until the pull request is in the queue, and lets its check conclude there.
async fn conclude_in_queue(scene: &Scene, outcome: Outcome) -> Result<()> {
    let group = until("a place in the queue", async || {
        let branches = scene.forge.repository(GITOPS).await?.branches;
        let mut groups = branches.into_iter().filter(|(name, _)| name.starts_with("gh-readonly-queue/"));
        Ok(groups.next().map(|(_, commit)| commit))
    })
    .await?;
    Ok(scene.forge.set_check(GITOPS, &group.to_string(), check(outcome)).await?)
}

fn orders(requests: &[Recorded], name: &str) -> usize {
    requests.iter().filter(|one| one.operations.iter().any(|operation| operation == name)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_goes_through_the_merge_queue() -> Result<()> {
    let scene = scene().await?;
    queue(&scene).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Queued").await?;
    scene.pass_check(one.number).await?;
    tagferry.waits_for(&commit, "is in the merge queue").await?;
    conclude_in_queue(&scene, Outcome::Success).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert!(scene.overlay("aws").await?.contains(&commit));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_queue_takes_out_is_put_back_twice_and_then_waits_for_a_person() -> Result<()> {
    let scene = scene().await?;
    queue(&scene).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Flaky").await?;
    scene.pass_check(one.number).await?;
    for _ in 0..3 {
        conclude_in_queue(&scene, Outcome::Failure).await?;
    }
    let waiting = tagferry.waits_for(&commit, "took it out 3 times").await?;
    assert!(waiting.contains("(ci failure, the last time): mend what fails there"), "{waiting}");
    let open = scene.forge.pull_request(GITOPS, one.number).await?;
    assert_eq!((open.state.as_str(), open.removals.as_slice()), ("open", [Removal::CiFailure; 3].as_slice()));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_waits_until_it_is_marked_as_ready() -> Result<()> {
    let scene = scene().await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Not yet").await?;
    let change = |draft| PullRequestChange { draft: Some(draft), ..PullRequestChange::default() };
    scene.forge.change_pull_request(GITOPS, one.number, change(true)).await?;
    scene.pass_check(one.number).await?;
    tagferry.waits_for(&commit, "the pull request is a draft; mark it as ready for review").await?;
    assert_eq!(scene.open_pull_request().await?.auto_merge, None);
    scene.forge.change_pull_request(GITOPS, one.number, change(false)).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_auto_merge_a_release_is_merged_by_us_once_it_is_green() -> Result<()> {
    let scene = scene().await?;
    let settings = scene.forge.repository(GITOPS).await?.settings;
    scene.forge.set_settings(GITOPS, Settings { allow_auto_merge: false, ..settings }).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("By our own hand").await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, "auto-merge is not allowed").await?;
    let said = "auto-merge is not allowed in the repository: Tagferry merges once there is check `validate` (not reported yet)";
    assert_eq!(waiting, said);
    let one = scene.open_pull_request().await?;
    assert_eq!(one.labels, ["release"]);
    scene.forge.set_check(GITOPS, &one.head.to_string(), check(Outcome::Failure)).await?;
    tagferry.waits_for(&commit, "check `validate` (failed)").await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(orders(&scene.forge.requests(), "enablePullRequestAutoMerge"), 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_behind_a_strict_base_is_made_anew_on_it() -> Result<()> {
    let scene = scene().await?;
    let required_checks = vec![CHECK.to_owned()];
    let protection = Protection { required_checks, strict: true, require_pull_request: true, ..Protection::default() };
    scene.forge.protect(GITOPS, "main", Some(protection)).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Behind").await?;
    scene.forge.push(GITOPS, Push::new("main", [("NOTES", "moved\n")])).await?;
    // As long as the check is missing the forge does not say that it is behind.
    scene.pass_check(one.number).await?;
    let rebuilt = until("another head", async || {
        let now = scene.forge.pull_request(GITOPS, one.number).await?;
        Ok((now.head != one.head).then_some(now))
    })
    .await?;
    assert_eq!(rebuilt.merge_state, "blocked");
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert!(scene.forge.read_file(GITOPS, "main", "NOTES").await?.is_some());
    let aws = scene.forge.read_file(GITOPS, "main", &overlays::path("aws")).await?.context("the overlay is gone")?;
    assert!(aws.contains(&commit), "{aws}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_base_still_requires_is_named_and_labels_ride_along() -> Result<()> {
    let scene = scene().await?;
    scene.forge.add_label(GITOPS, "release").await?;
    let rules = Rules { required_approving_reviews: 1, ..Rules::default() };
    scene.forge.set_rules(GITOPS, "main", Some(rules)).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Reviewed").await?;
    let waiting = tagferry.waits_for(&commit, "waits for").await?;
    assert_eq!(waiting, "waits for check `validate` (not reported yet) and 1 approving review");
    let requests = scene.forge.requests();
    assert_eq!(orders(&requests, "addLabelsToLabelable"), 1);
    assert_eq!(orders(&requests, "enablePullRequestAutoMerge"), 1);
    assert!(requests.iter().all(|one| !one.path.ends_with("/labels")));
    scene.pass_check(one.number).await?;
    scene.forge.approve(GITOPS, one.number, "ada").await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}
