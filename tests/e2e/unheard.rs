//! A pull request that was opened without our hearing of it: it is ours all the same, and there is no second one.

use anyhow::Result;
use sandbox::{Action, Answer, Fault, Match, PullRequestChange, PullRequestView, Push};
use serde_json::json;
use testkit::{Scene, SceneOptions, Tagferry, overlays, scene::GITOPS, until};

/// The lookups of pull requests, all of them: everything that is looked up after the commit and what the base branch
/// requires.
fn lookups() -> Match {
    Match { nth: 3, times: 1_000, ..Match::operation("repository") }
}

/// The pushes and deletions of branches, all of them.
fn pushes() -> Match {
    Match { times: 1_000, ..Match::request("POST", "/acme/trinity.git/git-receive-pack") }
}

/// An answer to a lookup that lags behind and shows nothing.
fn shows_none() -> Action {
    let body = json!({ "data": { "repository": { "pullRequests": { "nodes": [] } } } });
    Action::Answer(Answer { status: 200, body, headers: std::collections::BTreeMap::new() })
}

/// A release as far as an open pull request, of which the answer was lost and lookups are answered so.
async fn unheard_of(subject: &str, answer: Action) -> Result<(Scene, Tagferry, String, PullRequestView)> {
    let options =
        SceneOptions { forge_webhooks: false, check_after: None, poll_interval: "1s", ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    let opening = Match::request("POST", "/repos/acme/trinity/pulls");
    scene.forge.add_fault(Fault::new(opening, Action::ApplyThenDrop));
    scene.forge.add_fault(Fault::new(lookups(), answer));
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit(subject).await?;
    scene.push_to_all(&commit)?;
    let open = scene.open_pull_request().await?;
    Ok((scene, tagferry, commit, open))
}

/// Puts this tag into the overlay of gcp at the tip of `main`, by hand.
async fn put_into_gcp(scene: &Scene, tag: &str) -> Result<()> {
    let text = overlays::GCP.replace("'bootstrap'", &format!("'{tag}'"));
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), text.as_str())])).await?;
    Ok(())
}

async fn until_branch_is_gone(scene: &Scene, branch: &str) -> Result<()> {
    until("the branch to be deleted", async || {
        Ok((!scene.forge.repository(GITOPS).await?.branches.contains_key(branch)).then_some(()))
    })
    .await
}

async fn states(scene: &Scene) -> Result<Vec<String>> {
    Ok(scene.pull_requests().await?.into_iter().map(|one| one.state).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_was_pointed_elsewhere_before_its_number_was_known_is_found_and_no_second_is_opened()
-> Result<()> {
    let (scene, tagferry, commit, one) = unheard_of("Elsewhere", Action::answer(502, "Bad Gateway")).await?;
    tagferry.kill().await?;
    scene.forge.push(GITOPS, Push { branch: "staging".to_owned(), ..Push::default() }.onto("main")).await?;
    let change = PullRequestChange { base: Some("staging".to_owned()), ..PullRequestChange::default() };
    scene.forge.change_pull_request(GITOPS, one.number, change).await?;
    scene.forge.clear_faults();

    let tagferry = scene.tagferry().await?;
    tagferry.waits_for(&commit, "the pull request was pointed at another branch").await?;
    assert_eq!(states(&scene).await?, ["open"]);
    let change = PullRequestChange { base: Some("main".to_owned()), ..PullRequestChange::default() };
    scene.forge.change_pull_request(GITOPS, one.number, change).await?;
    scene.armed(one.number).await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_our_deleting_its_branch_closed_was_not_declined() -> Result<()> {
    let (scene, tagferry, commit, one) = unheard_of("Given up", shows_none()).await?;
    scene.forge.add_fault(Fault::new(pushes(), Action::ApplyThenDrop));
    let newer = scene.commit("Newer").await?;
    put_into_gcp(&scene, &format!("sha-{newer}")).await?;
    until_branch_is_gone(&scene, &one.head_branch).await?;
    tagferry.kill().await?;
    assert_eq!(states(&scene).await?, ["closed"]);

    // The reason to give up is gone when it looks again; what it did for it is not.
    put_into_gcp(&scene, "bootstrap").await?;
    scene.forge.clear_faults();
    let tagferry = scene.tagferry().await?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "superseded", "{reason}");
    assert_eq!(states(&scene).await?, ["closed"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_pull_request_of_an_earlier_try_of_the_same_release_does_not_decline_the_next_one() -> Result<()> {
    let (scene, tagferry, commit, _) = unheard_of("Twice", shows_none()).await?;
    let newer = scene.commit("Newer").await?;
    put_into_gcp(&scene, &format!("sha-{newer}")).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "superseded");
    put_into_gcp(&scene, "bootstrap").await?;
    scene.forge.clear_faults();
    assert_eq!(states(&scene).await?, ["closed"]);

    // It looks again with a commit recorded and no pull request of its own.
    scene.forge.add_fault(Fault::new(Match { times: 1, ..pushes() }, Action::DropBefore));
    scene.push_to_all(&commit)?;
    let second = scene.open_pull_request().await?;
    scene.armed(second.number).await?;
    scene.pass_check(second.number).await?;
    until("the second try", async || Ok((tagferry.outcome(&commit).await?.0 == "merged").then_some(()))).await?;
    assert_eq!(states(&scene).await?, ["closed", "merged"]);
    scene.end().await;
    Ok(())
}
