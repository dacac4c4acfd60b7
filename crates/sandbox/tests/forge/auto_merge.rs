//! Auto-merge and merging.

use anyhow::{Context as _, Result};
use reqwest::Method;
use sandbox::{AutomaticCheck, Kind, Outcome, Protection, Push, Report, Settings};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, SOON, is_known_refusal};

const ARM: &str = "mutation($id: ID!, $method: PullRequestMergeMethod, $head: GitObjectID) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method, expectedHeadOid: $head}) {
    pullRequest { autoMergeRequest { enabledAt mergeMethod enabledBy { login } } }
  }
}";

fn report(outcome: Outcome, kind: Kind) -> Report {
    Report { name: "ci".to_owned(), outcome, kind }
}

async fn arm(forge: &Forge, number: u64, method: &str) -> Result<Value> {
    let (_, pull_request) = forge.get(&format!("/repos/{REPOSITORY}/pulls/{number}")).await?;
    forge.graphql(ARM, json!({ "id": pull_request["node_id"], "method": method, "head": null })).await
}

async fn refusal(forge: &Forge, number: u64, method: &str) -> Result<String> {
    let body = arm(forge, number, method).await?;
    assert_eq!(body["data"]["enablePullRequestAutoMerge"], Value::Null, "{body}");
    assert_eq!(body["errors"][0]["type"], "UNPROCESSABLE", "{body}");
    assert_eq!(body["errors"][0]["path"], json!(["enablePullRequestAutoMerge"]), "{body}");
    let said = body["errors"][0]["message"].as_str().context("no message")?;
    assert!(is_known_refusal(said), "{said}");
    Ok(said.to_owned())
}

#[tokio::test]
async fn it_waits_for_the_check_then_squashes_and_deletes_the_branch() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, head) = forge.pull_request("mandelbrot/deploy-1").await?;
    let armed = arm(&forge, number, "SQUASH").await?;
    let request = &armed["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"];
    assert_eq!((&request["mergeMethod"], &request["enabledBy"]["login"]), (&json!("SQUASH"), &json!("tagferry[bot]")));
    assert_eq!(forge.sandbox.pull_request(REPOSITORY, number).await?.state, "open");
    let base = forge.sandbox.repository(REPOSITORY).await?.branches["main"].clone();
    forge.sandbox.set_check(REPOSITORY, &head, report(Outcome::Pending, Kind::CheckRun)).await?;
    assert_eq!(forge.sandbox.pull_request(REPOSITORY, number).await?.state, "open");
    forge.sandbox.set_check(REPOSITORY, &head, report(Outcome::Success, Kind::CheckRun)).await?;
    let merged = forge.sandbox.pull_request(REPOSITORY, number).await?;
    assert_eq!(merged.state, "merged");
    let branches = forge.sandbox.repository(REPOSITORY).await?.branches;
    assert_eq!(branches.keys().collect::<Vec<_>>(), ["main"]);
    assert_eq!(branches.get("main"), merged.merge_commit.as_ref());
    let (_, commit) = forge.get(&format!("/repos/{REPOSITORY}/commits/main")).await?;
    assert_eq!(commit["commit"]["message"], format!("Raise the tag (#{number})\n\nBecause."));
    assert_eq!(commit["parents"].as_array().map(Vec::len), Some(1));
    assert_eq!(commit["parents"][0]["sha"], base.to_string());
    assert_eq!(commit["commit"]["committer"]["name"], "GitHub");
    Ok(())
}

#[tokio::test]
async fn a_commit_status_is_as_good_as_a_check_run() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, head) = forge.pull_request("topic").await?;
    arm(&forge, number, "MERGE").await?;
    let body = json!({ "state": "success", "context": "ci" });
    assert_eq!(forge.send(Method::POST, &format!("/repos/{REPOSITORY}/statuses/{head}"), body).await?.0, 201);
    let merged = forge.sandbox.pull_request(REPOSITORY, number).await?;
    assert_eq!(merged.state, "merged");
    let (_, commit) = forge.get(&format!("/repos/{REPOSITORY}/commits/main")).await?;
    assert_eq!(commit["parents"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[tokio::test]
async fn an_automatic_check_concludes_by_itself() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let automatic = AutomaticCheck { report: report(Outcome::Success, Kind::CheckRun), after_ms: 50 };
    let settings = forge.sandbox.repository(REPOSITORY).await?.settings;
    let settings = Settings { automatic_checks: vec![automatic], ..settings };
    forge.sandbox.set_settings(REPOSITORY, settings).await?;
    // Arming is refused where nothing is left to wait for, and the automatic check may conclude before it is armed.
    let required_checks = vec!["ci".to_owned(), "gate".to_owned()];
    forge.sandbox.protect(REPOSITORY, "main", Some(Protection { required_checks, ..Protection::default() })).await?;
    let (number, head) = forge.pull_request("topic").await?;
    let armed = arm(&forge, number, "REBASE").await?;
    assert!(armed.get("errors").is_none(), "{armed}");
    let gate = Report { name: "gate".to_owned(), ..report(Outcome::Success, Kind::Status) };
    forge.sandbox.set_check(REPOSITORY, &head, gate).await?;
    forge.sandbox.until_merged(REPOSITORY, number, SOON).await?;
    Ok(())
}

#[tokio::test]
async fn each_reason_against_it_has_githubs_words() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, head) = forge.pull_request("topic").await?;
    let settings = forge.sandbox.repository(REPOSITORY).await?.settings;
    let with = async |change: fn(&mut Settings)| {
        let mut changed = settings.clone();
        change(&mut changed);
        forge.sandbox.set_settings(REPOSITORY, changed).await
    };
    with(|it| it.allow_auto_merge = false).await?;
    assert!(refusal(&forge, number, "SQUASH").await?.contains("Auto merge is not allowed for this repository"));
    with(|it| it.allow_squash_merge = false).await?;
    let said = refusal(&forge, number, "SQUASH").await?;
    assert!(said.contains("Merge method squash merging is not allowed on this repository"), "{said}");
    with(|it| it.allow_merge_commit = false).await?;
    let said = refusal(&forge, number, "MERGE").await?;
    assert!(said.contains("Merge method merge commits are not allowed on this repository"), "{said}");
    with(|_| {}).await?;
    forge.sandbox.protect(REPOSITORY, "main", None).await?;
    let said = refusal(&forge, number, "SQUASH").await?;
    assert!(said.contains("Protected branch rules not configured for this branch"), "{said}");
    let restricted = Protection { restrict_pushes: Some(vec!["octocat".to_owned()]), ..Protection::default() };
    forge.sandbox.protect(REPOSITORY, "main", Some(restricted)).await?;
    let said = refusal(&forge, number, "SQUASH").await?;
    assert!(said.contains("User is not authorized for this protected branch"), "{said}");
    forge.sandbox.protect(REPOSITORY, "main", Some(Protection::default())).await?;
    assert!(refusal(&forge, number, "SQUASH").await?.contains("is in clean status"));
    forge.sandbox.set_check(REPOSITORY, &head, report(Outcome::Failure, Kind::Status)).await?;
    assert!(refusal(&forge, number, "SQUASH").await?.contains("is in unstable status"));
    forge.sandbox.close_pull_request(REPOSITORY, number).await?;
    let said = refusal(&forge, number, "SQUASH").await?;
    assert_eq!(said, "Can't enable auto-merge for this pull request.");
    Ok(())
}

#[tokio::test]
async fn a_head_that_moved_is_not_armed() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, head) = forge.pull_request("topic").await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("b", "c")])).await?;
    let (_, pull_request) = forge.get(&format!("/repos/{REPOSITORY}/pulls/{number}")).await?;
    let body = forge.graphql(ARM, json!({ "id": pull_request["node_id"], "method": "SQUASH", "head": head })).await?;
    assert_eq!(body["errors"][0]["message"], "Head branch was modified. Review and try the merge again.");
    Ok(())
}

#[tokio::test]
async fn a_merge_is_refused_as_github_words_it() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, head) = forge.pull_request("topic").await?;
    let path = format!("/repos/{REPOSITORY}/pulls/{number}/merge");
    let put = async |body: Value| {
        let (status, body) = forge.send(Method::PUT, &path, body).await?;
        let said = body["message"].as_str().unwrap_or_default();
        assert!(status == 200 || is_known_refusal(said), "{said}");
        anyhow::Ok((status, said.to_owned()))
    };
    let expected = "Required status check \"ci\" is expected.";
    assert_eq!(put(json!({})).await?, (405, expected.to_owned()));
    let moved = "Head branch was modified. Review and try the merge again.";
    assert_eq!(put(json!({ "sha": "0".repeat(40) })).await?, (409, moved.to_owned()));
    let protection = Protection { required_approving_reviews: 1, strict: true, ..Protection::default() };
    forge.sandbox.protect(REPOSITORY, "main", Some(protection)).await?;
    let review = "At least 1 approving review is required by reviewers with write access.";
    assert_eq!(put(json!({})).await?, (405, review.to_owned()));
    forge.sandbox.approve(REPOSITORY, number, "ada").await?;
    forge.sandbox.push(REPOSITORY, Push::new("main", [("base.txt", "moved\n")])).await?;
    assert_eq!(forge.sandbox.pull_request(REPOSITORY, number).await?.merge_state, "behind");
    assert_eq!(put(json!({})).await?.0, 405);
    forge.sandbox.push(REPOSITORY, Push::new("main", [("apps/topic.yaml", "other\n")])).await?;
    assert_eq!(put(json!({})).await?, (405, "Pull Request is not mergeable".to_owned()));
    assert_eq!(forge.sandbox.pull_request(REPOSITORY, number).await?.merge_state, "dirty");
    let again = Push::new("topic", [("apps/topic.yaml", "mine\n")]).onto("main");
    let after = forge.sandbox.push(REPOSITORY, again).await?;
    assert_ne!(after.to_string(), head);
    let (status, body) = forge.send(Method::PUT, &path, json!({ "merge_method": "squash", "sha": after })).await?;
    assert_eq!(status, 200, "{body}");
    assert_eq!((&body["merged"], &body["message"]), (&json!(true), &json!("Pull Request successfully merged")));
    assert_eq!(put(json!({})).await?, (405, "Pull Request is not mergeable".to_owned()));
    Ok(())
}

#[tokio::test]
async fn mergeability_is_unknown_for_the_first_reads() -> Result<()> {
    let forge = Forge::start().await?;
    let settings = forge.sandbox.repository(REPOSITORY).await?.settings;
    forge.sandbox.set_settings(REPOSITORY, Settings { mergeable_unknown_reads: 2, ..settings }).await?;
    let (number, _) = forge.pull_request("topic").await?;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (_, body) = forge.get(&format!("/repos/{REPOSITORY}/pulls/{number}")).await?;
        seen.push((body["mergeable"].clone(), body["mergeable_state"].clone()));
    }
    assert_eq!(
        seen,
        [(json!(null), json!("unknown")), (json!(null), json!("unknown")), (json!(true), json!("blocked"))]
    );
    Ok(())
}
