//! Every refusal that is known of GitHub, answered where GitHub gives it, and what becomes of the order.

use domain::{
    commit::Commit,
    forge::{AutoMerge, MergeMethod, Mergeability, Number, PullRequest, PullRequestState, Requirements},
};
use forge::{Armed, Error, Order, Ordered};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::host::Host;

pub(crate) const MERGE: &str = "PUT /repos/acme/trinity/pulls/3/merge";

#[derive(Deserialize)]
struct Row {
    message: String,
    /// What is asked: `arm`, `enqueue` or `merge`.
    at: String,
    /// The HTTP status, of REST.
    status: Option<u16>,
    /// The type of the error, of GraphQL.
    #[serde(rename = "type")]
    kind: Option<String>,
    fault: Option<String>,
    /// What becomes of it: `merged`, `queued`, or the sentence.
    then: String,
}

pub(crate) fn head() -> Commit {
    Commit::from_bytes([0x22; 20])
}

/// A pull request that has everything, with the check `ci` required and passed.
pub(crate) fn view(change: &Value) -> Value {
    let rollup = json!({ "state": "SUCCESS", "contexts": { "nodes": [ci("COMPLETED", &json!("SUCCESS"))] } });
    let mut view = json!({
        "id": "PR_3", "number": 3, "url": "https://forge.example/3", "state": "OPEN", "isDraft": false,
        "headRefOid": head().to_string(), "headRefName": "x/deploy-1", "baseRefName": "main",
        "headRepository": { "nameWithOwner": "acme/trinity" }, "autoMergeRequest": null,
        "isInMergeQueue": false, "isMergeQueueEnabled": false, "mergeable": "MERGEABLE",
        "mergeStateStatus": "CLEAN", "mergeCommit": null, "updatedAt": "2026-01-01T00:00:00Z",
        "author": { "login": "tagferry" }, "labels": { "nodes": [] }, "timelineItems": { "nodes": [] },
        "commits": commits(&head().to_string(), &rollup),
    });
    if let (Some(view), Some(change)) = (view.as_object_mut(), change.as_object()) {
        view.extend(change.clone());
    }
    view
}

pub(crate) fn ci(status: &str, conclusion: &Value) -> Value {
    json!({ "__typename": "CheckRun", "name": "ci", "status": status, "conclusion": conclusion, "isRequired": true })
}

pub(crate) fn commits(oid: &str, rollup: &Value) -> Value {
    json!({ "nodes": [{ "commit": { "oid": oid, "statusCheckRollup": rollup } }] })
}

/// What the look before an order is answered with.
pub(crate) fn shown(change: &Value) -> Value {
    json!({ "data": { "repository": { "autoMergeAllowed": true, "pullRequest": view(change) } } })
}

/// The same of a repository without auto-merge.
pub(crate) fn shown_without_auto_merge(change: &Value) -> Value {
    json!({ "data": { "repository": { "autoMergeAllowed": false, "pullRequest": view(change) } } })
}

pub(crate) fn refused(text: &str) -> Value {
    refused_at("enablePullRequestAutoMerge", "UNPROCESSABLE", text)
}

fn refused_at(field: &str, kind: &str, text: &str) -> Value {
    let errors = json!([{ "type": kind, "path": [field], "message": text }]);
    json!({ "data": { field: null }, "errors": errors })
}

pub(crate) fn pull_request() -> PullRequest {
    PullRequest {
        number: Number(3),
        handle: "PR_3".to_owned(),
        url: String::new(),
        state: PullRequestState::Open,
        head: head(),
        base: "main".parse().expect("the text is a branch"),
        auto_merge: AutoMerge::Disarmed,
        mergeability: Mergeability::Unknown,
        missing: Requirements::default(),
    }
}

pub(crate) async fn arm(host: &Host) -> anyhow::Result<Result<Armed, Error>> {
    Ok(arm_with(&host.forge()?, &[]).await.map(|ordered| ordered.armed))
}

pub(crate) async fn arm_with(forge: &forge::Forge, labels: &[String]) -> Result<Ordered, Error> {
    let repository = "acme/trinity".parse().expect("the text is a repository");
    let (base, method) = (&pull_request().base, MergeMethod::Squash);
    let order = Order { head: head(), base, method, headline: "release(x): y", body: "z", labels };
    let look = forge.look(&repository, pull_request().number, labels).await?;
    forge.arm(&repository, &look, &order).await
}

fn prepare(host: &Host, row: &Row) -> anyhow::Result<()> {
    let kind = row.kind.as_deref().unwrap_or("UNPROCESSABLE");
    match row.at.as_str() {
        "arm" => {
            host.answer("POST /graphql", 200, &shown(&json!({})))?;
            host.answer("POST /graphql", 200, &refused_at("enablePullRequestAutoMerge", kind, &row.message))?;
        }
        "enqueue" => {
            host.answer("POST /graphql", 200, &shown(&json!({ "isMergeQueueEnabled": true })))?;
            host.answer("POST /graphql", 200, &refused_at("enqueuePullRequest", kind, &row.message))?;
        }
        _ => host.answer("POST /graphql", 200, &shown_without_auto_merge(&json!({})))?,
    }
    match row.status {
        Some(status) => host.answer(MERGE, status, &json!({ "message": row.message })),
        None if row.then == "merged" => host.answer(MERGE, 200, &json!({ "sha": "3".repeat(40), "merged": true })),
        None => Ok(()),
    }
}

#[tokio::test]
async fn every_refusal_that_is_known_has_its_consequence() -> anyhow::Result<()> {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../fixtures/refusals.json"))?;
    for row in rows {
        let host = Host::start().await?;
        prepare(&host, &row)?;
        match (arm(&host).await?, row.then.as_str()) {
            (Ok(Armed::Merged(_)), "merged") | (Ok(Armed::Queued), "queued") => {}
            (Err(error), sentence) => {
                assert_eq!(Some(error.fault().as_str()), row.fault.as_deref(), "{}", row.message);
                let (_, said) =
                    error.to_string().split_once(": ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap_or_default();
                assert_eq!(said, sentence, "{}", row.message);
            }
            (other, _) => anyhow::bail!("{}: {other:?}", row.message),
        }
        assert!(host.seen()?.len() <= 3, "{}", row.message);
    }
    Ok(())
}
