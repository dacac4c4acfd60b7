//! The merge queue: what goes in, what is checked in its place, and how it comes out.

use anyhow::{Context as _, Result};
use reqwest::Method;
use sandbox::{Kind, MergeQueue, Outcome, Push, Removal, Report, Rules};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY};

const ENQUEUE: &str = "mutation($id: ID!, $head: GitObjectID) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) {
    mergeQueueEntry { position state headCommit { oid } }
  }
}";

const LOOK: &str = "query($id: ID!) { node(id: $id) { ... on PullRequest {
  isMergeQueueEnabled isInMergeQueue mergeStateStatus mergeQueue { url entries(first: 5) { totalCount } }
  mergeQueueEntry { position state headCommit { oid } } autoMergeRequest { enabledAt }
  timelineItems(last: 5, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) { nodes {
    ... on RemovedFromMergeQueueEvent { reason actor { login } beforeCommit { oid } } } }
} } }";

fn ci(outcome: Outcome) -> Report {
    Report { name: "ci".to_owned(), outcome, kind: Kind::CheckRun }
}

async fn forge(queue: MergeQueue) -> Result<Forge> {
    let forge = Forge::start().await?.into_app().await?;
    let rules = Rules { merge_queue: Some(queue), ..Rules::default() };
    forge.sandbox.set_rules(REPOSITORY, "main", Some(rules)).await?;
    Ok(forge)
}

async fn id(forge: &Forge, number: u64) -> Result<Value> {
    let (_, pull_request) = forge.get(&format!("/repos/{REPOSITORY}/pulls/{number}")).await?;
    Ok(pull_request["node_id"].clone())
}

/// A pull request that has what its base requires.
async fn ready(forge: &Forge, branch: &str) -> Result<(u64, Value)> {
    let (number, head) = forge.pull_request(branch).await?;
    forge.sandbox.set_check(REPOSITORY, &head, ci(Outcome::Success)).await?;
    Ok((number, id(forge, number).await?))
}

async fn look(forge: &Forge, id: &Value) -> Result<Value> {
    Ok(forge.graphql(LOOK, json!({ "id": id })).await?["data"]["node"].clone())
}

/// The commit that is checked in the place of a pull request.
async fn group(forge: &Forge, id: &Value) -> Result<String> {
    let seen = look(forge, id).await?;
    Ok(seen["mergeQueueEntry"]["headCommit"]["oid"].as_str().context("no group")?.to_owned())
}

#[tokio::test]
async fn what_is_queued_is_merged_as_the_commit_that_was_checked() -> Result<()> {
    let forge = forge(MergeQueue::default()).await?;
    let (first, first_id) = ready(&forge, "one").await?;
    let (second, second_id) = ready(&forge, "two").await?;
    assert_eq!(forge.graphql(ENQUEUE, json!({ "id": first_id })).await?.get("errors"), None);
    assert_eq!(forge.graphql(ENQUEUE, json!({ "id": second_id })).await?.get("errors"), None);
    let seen = look(&forge, &first_id).await?;
    assert_eq!((&seen["isInMergeQueue"], &seen["mergeStateStatus"]), (&json!(true), &json!("CLEAN")));
    assert_eq!(seen["mergeQueue"]["entries"]["totalCount"], json!(2));
    assert_eq!(seen["mergeQueueEntry"]["state"], json!("AWAITING_CHECKS"));
    assert_eq!(look(&forge, &second_id).await?["mergeQueueEntry"]["state"], json!("QUEUED"));

    let checked = group(&forge, &first_id).await?;
    forge.sandbox.set_check(REPOSITORY, &checked, ci(Outcome::Success)).await?;
    let merged = forge.sandbox.pull_request(REPOSITORY, first).await?;
    assert_eq!(merged.state, "merged");
    assert_eq!(merged.merge_commit.map(|oid| oid.to_string()), Some(checked));
    let checked = group(&forge, &second_id).await?;
    forge.sandbox.set_check(REPOSITORY, &checked, ci(Outcome::Success)).await?;
    assert_eq!(forge.sandbox.pull_request(REPOSITORY, second).await?.state, "merged");
    let branches = forge.sandbox.repository(REPOSITORY).await?.branches;
    assert_eq!(branches.keys().collect::<Vec<_>>(), ["main"]);
    assert_eq!(branches.get("main").map(ToString::to_string), Some(checked));
    Ok(())
}

#[tokio::test]
async fn what_fails_its_check_in_the_queue_comes_out_of_it() -> Result<()> {
    let forge = forge(MergeQueue::default()).await?;
    let (number, id) = ready(&forge, "one").await?;
    forge.graphql(ENQUEUE, json!({ "id": id })).await?;
    let checked = group(&forge, &id).await?;
    forge.sandbox.set_check(REPOSITORY, &checked, ci(Outcome::Failure)).await?;
    let seen = look(&forge, &id).await?;
    assert_eq!((&seen["isInMergeQueue"], &seen["mergeStateStatus"]), (&json!(false), &json!("CLEAN")));
    let removed = &seen["timelineItems"]["nodes"][0];
    assert_eq!((&removed["reason"], &removed["beforeCommit"]["oid"]), (&json!("CI_FAILURE"), &json!(checked)));
    let open = forge.sandbox.pull_request(REPOSITORY, number).await?;
    assert_eq!((open.state.as_str(), open.removals.as_slice()), ("open", [Removal::CiFailure].as_slice()));
    Ok(())
}

#[tokio::test]
async fn a_base_that_moves_has_the_queue_check_anew_and_one_that_conflicts_empties_it() -> Result<()> {
    let forge = forge(MergeQueue::default()).await?;
    let (number, id) = ready(&forge, "one").await?;
    forge.graphql(ENQUEUE, json!({ "id": id })).await?;
    let before = group(&forge, &id).await?;
    forge.sandbox.push(REPOSITORY, Push::new("main", [("other", "x")])).await?;
    assert_ne!(group(&forge, &id).await?, before);
    forge.sandbox.push(REPOSITORY, Push::new("main", [("apps/one.yaml", "theirs")])).await?;
    let open = forge.sandbox.pull_request(REPOSITORY, number).await?;
    assert_eq!((open.queued, open.removals.as_slice()), (false, [Removal::MergeConflict].as_slice()));
    Ok(())
}

#[tokio::test]
async fn nothing_goes_past_the_queue_or_into_it_too_early() -> Result<()> {
    let forge = forge(MergeQueue::default()).await?;
    let (number, head) = forge.pull_request("one").await?;
    let id = id(&forge, number).await?;
    let refusal = async |head: Value| {
        let body = forge.graphql(ENQUEUE, json!({ "id": id, "head": head })).await?;
        anyhow::Ok(body["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refusal(json!(null)).await?, "Required status check \"ci\" is expected.");
    forge.sandbox.set_check(REPOSITORY, &head, ci(Outcome::Success)).await?;
    assert!(refusal(json!("0".repeat(40))).await?.starts_with("Head branch was modified"));
    let (status, body) =
        forge.send(Method::PUT, &format!("/repos/{REPOSITORY}/pulls/{number}/merge"), json!({})).await?;
    let text = body["message"].as_str().unwrap_or_default();
    assert!(status == 405 && text.contains("Changes must be made through the merge queue"), "{status} {text}");
    assert_eq!(refusal(json!(head)).await?, "");
    assert!(refusal(json!(head)).await?.contains("already in the merge queue"));
    Ok(())
}

const ARM: &str = "mutation($id: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $id}) {
  pullRequest { isInMergeQueue autoMergeRequest { enabledAt } } } }";

#[tokio::test]
async fn an_order_goes_into_the_queue_once_it_may_where_the_queue_takes_it() -> Result<()> {
    let taking = forge(MergeQueue::default()).await?;
    let (number, head) = taking.pull_request("one").await?;
    let number_id = id(&taking, number).await?;
    taking.graphql(ARM, json!({ "id": number_id })).await?;
    assert!(taking.sandbox.pull_request(REPOSITORY, number).await?.auto_merge.is_some());
    taking.sandbox.set_check(REPOSITORY, &head, ci(Outcome::Success)).await?;
    let seen = look(&taking, &number_id).await?;
    assert_eq!((&seen["isInMergeQueue"], &seen["autoMergeRequest"]), (&json!(true), &json!(null)));
    let (_, ready_id) = ready(&taking, "two").await?;
    let seen = taking.graphql(ARM, json!({ "id": ready_id })).await?;
    let seen = &seen["data"]["enablePullRequestAutoMerge"]["pullRequest"];
    assert_eq!((&seen["isInMergeQueue"], &seen["autoMergeRequest"]), (&json!(true), &json!(null)));

    let leaving = forge(MergeQueue { takes_armed: false, ..MergeQueue::default() }).await?;
    let (number, head) = leaving.pull_request("one").await?;
    let number_id = id(&leaving, number).await?;
    leaving.graphql(ARM, json!({ "id": number_id })).await?;
    leaving.sandbox.set_check(REPOSITORY, &head, ci(Outcome::Success)).await?;
    let open = leaving.sandbox.pull_request(REPOSITORY, number).await?;
    assert_eq!((open.state.as_str(), open.queued, open.auto_merge.is_some()), ("open", false, true));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_branch_is_not_pushed_to() -> Result<()> {
    let forge = forge(MergeQueue::default()).await?;
    let (number, id) = ready(&forge, "one").await?;
    forge.graphql(ENQUEUE, json!({ "id": id })).await?;
    let directory = tempfile::tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    assert!(clone.git(&["checkout", "--quiet", "one"])?.0);
    clone.commit("apps/one.yaml", "tag: 3\n")?;
    let (done, said) = clone.git(&["push", "--quiet", "origin", "one"])?;
    assert!(!done && said.contains("GH006"), "{said}");
    assert!(forge.sandbox.pull_request(REPOSITORY, number).await?.queued);
    forge.sandbox.dequeue(REPOSITORY, number, Removal::Manual).await?;
    assert!(clone.git(&["push", "--quiet", "origin", "one"])?.0);
    Ok(())
}
