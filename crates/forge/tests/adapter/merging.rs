//! The order to merge, as the forge takes it, refuses it, or has nothing to wait for.

use domain::{
    commit::Commit,
    fault::Fault,
    forge::{AutoMerge, MergeMethod, Mergeability, Number, PullRequest, PullRequestState},
};
use forge::{Armed, Error, Order};
use serde_json::{Value, json};

use crate::host::Host;

const MERGE: &str = "PUT /repos/acme/trinity/pulls/3/merge";

fn head() -> Commit {
    Commit::from_bytes([0x22; 20])
}

fn view(change: &Value) -> Value {
    let mut view = json!({
        "id": "PR_3", "number": 3, "url": "https://forge.example/3", "state": "OPEN", "isDraft": false,
        "headRefOid": head().to_string(), "headRefName": "x/deploy-1", "baseRefName": "main",
        "headRepository": { "nameWithOwner": "acme/trinity" }, "autoMergeRequest": null,
        "isInMergeQueue": false, "mergeable": "MERGEABLE", "mergeStateStatus": "CLEAN", "mergeCommit": null,
        "commits": commits(&head().to_string(), &json!({ "state": "SUCCESS" })),
    });
    if let (Some(view), Some(change)) = (view.as_object_mut(), change.as_object()) {
        view.extend(change.clone());
    }
    view
}

fn commits(oid: &str, rollup: &Value) -> Value {
    json!({ "nodes": [{ "commit": { "oid": oid, "statusCheckRollup": rollup } }] })
}

fn ordered(change: &Value) -> Value {
    json!({ "data": { "enablePullRequestAutoMerge": { "pullRequest": view(change) } } })
}

fn refused(text: &str) -> Value {
    let errors = json!([{ "type": "UNPROCESSABLE", "path": ["enablePullRequestAutoMerge"], "message": text }]);
    json!({ "data": { "enablePullRequestAutoMerge": null }, "errors": errors })
}

fn shown(change: &Value) -> Value {
    json!({ "data": { "repository": { "pullRequest": view(change) } } })
}

fn pull_request() -> PullRequest {
    PullRequest {
        number: Number(3),
        handle: "PR_3".to_owned(),
        url: String::new(),
        state: PullRequestState::Open,
        head: head(),
        base: "main".parse().expect("the text is a branch"),
        auto_merge: AutoMerge::Disarmed,
        mergeability: Mergeability::Unknown,
    }
}

async fn arm(host: &Host) -> anyhow::Result<Result<Armed, Error>> {
    let order = Order { head: head(), method: MergeMethod::Squash, headline: "release(x): y", body: "z" };
    Ok(host.forge()?.arm(&"acme/trinity".parse()?, &pull_request(), &order).await)
}

#[tokio::test]
async fn an_order_that_is_taken_takes_one_request() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let armed = json!({ "autoMergeRequest": { "enabledAt": "2026-01-01T00:00:00Z" } });
    for change in [armed, json!({ "isInMergeQueue": true })] {
        host.answer("POST /graphql", 200, &ordered(&change))?;
        assert_eq!(arm(&host).await??, Armed::Armed);
        let seen = host.seen()?;
        assert_eq!(seen.len(), 1);
        let asked: Value = serde_json::from_slice(&seen.first().unwrap().body)?;
        assert_eq!(
            asked.pointer("/variables/input"),
            Some(&json!({
                "pullRequestId": "PR_3", "expectedHeadOid": head().to_string(), "mergeMethod": "SQUASH",
                "commitHeadline": "release(x): y", "commitBody": "z",
            }))
        );
    }
    let merged = json!({ "state": "MERGED", "mergeCommit": { "oid": "3".repeat(40) } });
    host.answer("POST /graphql", 200, &ordered(&merged))?;
    assert_eq!(arm(&host).await??, Armed::Merged(Some(Commit::from_bytes([0x33; 20]))));
    Ok(())
}

#[tokio::test]
async fn an_order_that_does_not_show_is_not_believed() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer("POST /graphql", 200, &ordered(&json!({})))?;
    assert_eq!(arm(&host).await?.unwrap_err().fault(), Fault::Transient);
    Ok(())
}

#[tokio::test]
async fn what_has_everything_that_its_base_requires_is_merged_by_its_head() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer("POST /graphql", 200, &refused("Pull request Pull request is in clean status"))?;
    host.answer("POST /graphql", 200, &shown(&json!({})))?;
    host.answer(MERGE, 200, &json!({ "sha": "3".repeat(40), "merged": true }))?;
    assert_eq!(arm(&host).await??, Armed::Merged(Some(Commit::from_bytes([0x33; 20]))));
    let seen = host.seen()?;
    assert_eq!(seen.len(), 3);
    let asked: Value = serde_json::from_slice(&seen.last().unwrap().body)?;
    assert_eq!(
        asked,
        json!({
            "sha": head().to_string(), "merge_method": "squash",
            "commit_title": "release(x): y", "commit_message": "z",
        })
    );
    Ok(())
}

#[tokio::test]
async fn only_what_the_forge_calls_clean_and_a_check_has_passed_is_merged_by_hand() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let head = head().to_string();
    let rollup = |state: &str| json!({ "commits": commits(&head, &json!({ "state": state })) });
    for (change, fault) in [
        (json!({ "commits": commits(&head, &Value::Null) }), Fault::Transient),
        (json!({ "commits": commits(&"9".repeat(40), &json!({ "state": "SUCCESS" })) }), Fault::Transient),
        (json!({ "commits": { "nodes": [null] } }), Fault::Transient),
        (rollup("PENDING"), Fault::Transient),
        (rollup("FAILURE"), Fault::Transient),
        (rollup("A_NEW_WORD"), Fault::Transient),
        (json!({ "baseRefName": "staging" }), Fault::Stale),
        (json!({ "mergeStateStatus": "UNSTABLE" }), Fault::Transient),
        (json!({ "mergeStateStatus": "BLOCKED" }), Fault::Transient),
        (json!({ "mergeStateStatus": "UNKNOWN", "mergeable": "UNKNOWN" }), Fault::Transient),
        (json!({ "mergeStateStatus": "A_NEW_WORD" }), Fault::Transient),
        (json!({ "mergeable": "CONFLICTING" }), Fault::Stale),
        (json!({ "headRefOid": "9".repeat(40) }), Fault::Stale),
        (json!({ "state": "CLOSED" }), Fault::Stale),
        (json!({ "isDraft": true }), Fault::Permanent),
    ] {
        host.answer("POST /graphql", 200, &refused("Pull request is in clean status"))?;
        host.answer("POST /graphql", 200, &shown(&change))?;
        let error = arm(&host).await?.unwrap_err();
        assert_eq!(error.fault(), fault, "{change}: {error}");
        assert_eq!(host.seen()?.len(), 2, "{change}: it was merged");
    }
    Ok(())
}

#[tokio::test]
async fn a_merge_that_is_refused_says_why() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for (status, text, fault) in [
        (409, "Head branch was modified. Review and try the merge again.", Fault::Stale),
        (405, "Base branch was modified. Review and try the merge again.", Fault::Stale),
        (405, "Squash merges are not allowed on this repository.", Fault::Permanent),
        (405, "Required status check \"ci\" is expected.", Fault::Transient),
        (405, "Something new", Fault::Transient),
        (403, "Resource not accessible by integration", Fault::Permanent),
    ] {
        host.answer("POST /graphql", 200, &refused("Pull request is in clean status"))?;
        host.answer("POST /graphql", 200, &shown(&json!({})))?;
        host.answer(MERGE, status, &json!({ "message": text }))?;
        let error = arm(&host).await?.unwrap_err();
        assert_eq!(error.fault(), fault, "{text}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_order_says_what_to_change() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for (text, sentence) in [
        (
            "Pull request Auto merge is not allowed for this repository",
            "merging acme/trinity#3: auto-merge is not allowed: switch on \"Allow auto-merge\" in the repository's settings",
        ),
        (
            "Pull request Protected branch rules not configured for this branch",
            "merging acme/trinity#3: `main` requires no check, so a pull request can not merge itself: protect the branch (Settings, Branches), or merge it by hand",
        ),
        (
            "Merge method squash merging is not allowed on this repository",
            "merging acme/trinity#3: the merge method squash is not allowed there: allow it, or choose another in `pull_request.auto_merge`",
        ),
        (
            "Pull request Pull request is in unstable status",
            "merging acme/trinity#3: a check that is not required failed or is running",
        ),
        ("Made up yesterday", "merging acme/trinity#3: Made up yesterday"),
    ] {
        host.answer("POST /graphql", 200, &refused(text))?;
        assert_eq!(arm(&host).await?.unwrap_err().to_string(), sentence);
        assert_eq!(host.seen()?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_order_is_taken_back() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let (forge, repository) = (host.forge()?, "acme/trinity".parse()?);
    let done = json!({ "data": { "disablePullRequestAutoMerge": { "pullRequest": { "id": "PR_3" } } } });
    host.answer("POST /graphql", 200, &done)?;
    forge.disarm(&repository, &pull_request()).await?;
    let errors = json!([{ "type": "UNPROCESSABLE", "message": "Can't disable auto-merge for this pull request." }]);
    host.answer("POST /graphql", 200, &json!({ "data": null, "errors": errors }))?;
    forge.disarm(&repository, &pull_request()).await?;
    let errors = json!([{ "type": "FORBIDDEN", "message": "Resource not accessible by integration" }]);
    host.answer("POST /graphql", 200, &json!({ "data": null, "errors": errors }))?;
    let error = forge.disarm(&repository, &pull_request()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Permanent);
    assert_eq!(host.seen()?.len(), 3);
    Ok(())
}
