//! People act on our pull requests.

use anyhow::Result;
use sandbox::{Method, PullRequestChange, Push};
use testkit::{Scene, SceneOptions, overlays, scene::GITOPS, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_closed_by_a_person_is_not_opened_again() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Not wanted").await?;
    scene.forge.close_pull_request(GITOPS, one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "declined");

    scene.push_to_all(&commit)?;
    scene.notified().await;
    until("all announcements to be settled", async || {
        let all = tagferry.announcements().await?;
        Ok(all.iter().all(|one| one["verdict"] != "pending").then_some(()))
    })
    .await?;
    let release = tagferry.release(&commit).await?.unwrap_or_default();
    assert_eq!(release["promotions"].as_array().map(Vec::len), Some(1), "{release:#}");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_by_a_person_is_recorded_as_merged() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("By hand").await?;
    scene.forge.protect(GITOPS, "main", None).await?;
    let merged = scene.forge.merge(GITOPS, one.number, Method::Merge).await?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "merged");
    assert_eq!(reason, format!("merged as {}", merged.to_string().get(..7).unwrap_or_default()));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_by_a_person_on_our_branch_stops_us_and_is_not_merged_by_our_order() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Ours").await?;
    let theirs = scene.forge.push(GITOPS, Push::new(&one.head_branch, [("NOTES.md", "mine\n")])).await?;
    let waiting = tagferry.waits_for(&commit, "on the branch is not ours").await?;
    assert!(waiting.contains(theirs.to_string().get(..7).unwrap_or_default()), "{waiting}");
    let now = scene.forge.pull_request(GITOPS, one.number).await?;
    assert_eq!((now.head, now.auto_merge), (theirs, None), "it would be merged unverified");
    let said = until("a comment", async || {
        let comments = scene.forge.pull_request(GITOPS, one.number).await?.comments;
        Ok((!comments.is_empty()).then_some(comments))
    })
    .await?;
    assert!(said[0].contains("is not Tagferry's, and nobody has verified it"), "{said:?}");
    // Looking again says nothing again.
    let change = PullRequestChange { title: Some("Mine now".to_owned()), ..PullRequestChange::default() };
    scene.forge.change_pull_request(GITOPS, one.number, change).await?;
    scene.notified().await;
    tagferry.waits_for(&commit, "on the branch is not ours").await?;
    assert_eq!(scene.forge.pull_request(GITOPS, one.number).await?.comments.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_a_person_points_at_another_branch_is_waited_for_and_never_counts_as_merged() -> Result<()>
{
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    scene.forge.push(GITOPS, Push { branch: "staging".to_owned(), ..Push::default() }.onto("main")).await?;
    let (commit, one) = scene.propose("To staging first").await?;
    let change = PullRequestChange { base: Some("staging".to_owned()), ..PullRequestChange::default() };
    scene.forge.change_pull_request(GITOPS, one.number, change).await?;
    tagferry.waits_for(&commit, "the pull request was pointed at another branch").await?;
    assert_eq!(scene.forge.pull_request(GITOPS, one.number).await?.auto_merge, None);
    scene.forge.merge(GITOPS, one.number, Method::Squash).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "declined");
    assert!(!scene.overlay("aws").await?.contains(&commit));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_repository_that_is_configured_in_another_case_is_heard() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let config = std::fs::read_to_string(scene.config())?;
    let spelled = config.replace(&format!("repository: {GITOPS},"), "repository: Acme/Trinity,");
    assert_ne!(spelled, config);
    std::fs::write(scene.config(), spelled)?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("As it is spelled").await?;
    tagferry.waits_for(&commit, "waits for check `validate`").await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_no_webhook_told_about_is_found_by_looking() -> Result<()> {
    let options = SceneOptions { forge_webhooks: false, poll_interval: "1s", ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("In silence").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_a_person_takes_back_is_not_given_again_and_a_label_that_is_taken_off_stays_off() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Not by itself").await?;
    assert_eq!(one.labels, ["release"]);
    // What we recorded of the order is in the ledger before a person acts.
    tagferry.waits_for(&commit, "waits for check `validate`").await?;
    let change = PullRequestChange { disarm: true, keep_labels: Some(Vec::new()), ..PullRequestChange::default() };
    scene.forge.change_pull_request(GITOPS, one.number, change).await?;
    tagferry.waits_for(&commit, "the order to merge was taken back: enable auto-merge").await?;

    // An overlay is edited by hand: the pull request is made anew, and the order is still not given.
    let moved = overlays::GCP.replace("'bootstrap'", "'hotfix' # by hand");
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), moved.as_str())])).await?;
    let anew = until("the pull request to be made anew", async || {
        let now = scene.forge.pull_request(GITOPS, one.number).await?;
        Ok((now.head != one.head).then_some(now))
    })
    .await?;
    assert!(anew.labels.is_empty(), "the label is there again");
    scene.pass_check(one.number).await?;
    tagferry.waits_for(&commit, "the order to merge was taken back").await?;
    assert_eq!(scene.forge.pull_request(GITOPS, one.number).await?.auto_merge, None);
    scene.forge.merge(GITOPS, one.number, Method::Squash).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_does_not_land_in_time_says_once_what_is_missing() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let config = std::fs::read_to_string(scene.config())?;
    std::fs::write(scene.config(), config.replace("labels: [release]", "labels: [release], overdue_after: 1s"))?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Overdue").await?;
    let comments = async || anyhow::Ok(scene.forge.pull_request(GITOPS, one.number).await?.comments);
    let said = until("a comment", async || Ok(Some(comments().await?).filter(|said| !said.is_empty()))).await?;
    let words = "has not landed: waits for check &#96;validate&#96; (not reported yet)";
    assert!(said[0].contains(words), "{said:?}");
    let late = async || Ok(tagferry.release(&commit).await?.filter(|it| it.to_string().contains("not landed since")));
    until("the release to say that it is late", late).await?;
    until("the log to say so", async || Ok(tagferry.log().contains("a release does not land").then_some(()))).await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(comments().await?.len(), 1);
    scene.end().await;
    Ok(())
}
