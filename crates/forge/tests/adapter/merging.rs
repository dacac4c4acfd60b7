//! The order to merge, as the forge takes it, refuses it, or has nothing to wait for.

use domain::{
    commit::Commit,
    fault::Fault,
    forge::{AutoMerge, PullRequest},
};
use forge::{Armed, Error};
use serde_json::{Value, json};

use crate::{
    host::{Host, Seen},
    refusals::{MERGE, arm, arm_with, ci, commits, head, pull_request, refused, shown, shown_without_auto_merge, view},
};

fn ordered(change: &Value) -> Value {
    json!({ "data": { "enablePullRequestAutoMerge": { "pullRequest": view(change) } } })
}

fn armed() -> Value {
    json!({ "autoMergeRequest": { "enabledAt": "2026-01-01T00:00:00Z" } })
}

fn body(seen: &Seen) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&seen.body)?)
}

fn merged() -> Value {
    json!({ "sha": "3".repeat(40), "merged": true })
}

/// Checks that are required and at work.
fn running() -> Value {
    let rollup = json!({ "state": "PENDING", "contexts": { "nodes": [ci("QUEUED", &Value::Null)] } });
    json!({ "mergeStateStatus": "BLOCKED", "commits": commits(&head().to_string(), &rollup) })
}

#[tokio::test]
async fn an_order_that_is_taken_takes_a_look_and_one_request() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for (change, expected) in [(armed(), Armed::Armed), (json!({ "isInMergeQueue": true }), Armed::Queued)] {
        host.answer("POST /graphql", 200, &shown(&running()))?;
        host.answer("POST /graphql", 200, &ordered(&change))?;
        assert_eq!(arm(&host).await??, expected);
        let seen = host.seen()?;
        assert_eq!(seen.len(), 2);
        assert_eq!(
            body(seen.last().unwrap())?.pointer("/variables"),
            Some(&json!({ "input": {
                "pullRequestId": "PR_3", "expectedHeadOid": head().to_string(), "mergeMethod": "SQUASH",
                "commitHeadline": "release(x): y", "commitBody": "z",
            } }))
        );
    }
    let merged = json!({ "state": "MERGED", "mergeCommit": { "oid": "3".repeat(40) } });
    host.answer("POST /graphql", 200, &shown(&running()))?;
    host.answer("POST /graphql", 200, &ordered(&merged))?;
    assert_eq!(arm(&host).await??, Armed::Merged(Some(Commit::from_bytes([0x33; 20]))));
    Ok(())
}

#[tokio::test]
async fn an_order_that_does_not_show_is_not_believed() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for answer in
        [ordered(&json!({})), json!({ "data": { "enablePullRequestAutoMerge": null } }), json!({ "data": null })]
    {
        host.answer("POST /graphql", 200, &shown(&running()))?;
        host.answer("POST /graphql", 200, &answer)?;
        assert_eq!(arm(&host).await?.unwrap_err().fault(), Fault::Permanent);
    }
    let queue = json!({ "isMergeQueueEnabled": true });
    host.answer("POST /graphql", 200, &shown(&queue))?;
    host.answer("POST /graphql", 200, &json!({ "data": { "enqueuePullRequest": { "mergeQueueEntry": null } } }))?;
    assert_eq!(arm(&host).await?.unwrap_err().fault(), Fault::Permanent);
    Ok(())
}

#[tokio::test]
async fn what_is_ordered_or_ended_already_is_looked_at_only() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for (change, expected) in [
        (armed(), Armed::Armed),
        (json!({ "isInMergeQueue": true, "isMergeQueueEnabled": true }), Armed::Queued),
        (json!({ "state": "MERGED", "mergeCommit": null }), Armed::Merged(None)),
    ] {
        host.answer("POST /graphql", 200, &shown(&change))?;
        assert_eq!(arm(&host).await??, expected);
        assert_eq!(host.seen()?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn what_has_everything_that_its_base_requires_is_merged_by_its_head() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer("POST /graphql", 200, &shown(&json!({})))?;
    host.answer("POST /graphql", 200, &refused("Pull request Pull request is in clean status"))?;
    host.answer(MERGE, 200, &merged())?;
    assert_eq!(arm(&host).await??, Armed::Merged(Some(Commit::from_bytes([0x33; 20]))));
    let seen = host.seen()?;
    assert_eq!(seen.len(), 3);
    assert_eq!(
        body(seen.last().unwrap())?,
        json!({
            "sha": head().to_string(), "merge_method": "squash",
            "commit_title": "release(x): y", "commit_message": "z",
        })
    );
    Ok(())
}

#[tokio::test]
async fn what_became_clean_between_look_and_order_is_looked_at_again() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer("POST /graphql", 200, &shown(&running()))?;
    host.answer("POST /graphql", 200, &refused("Pull request is in clean status"))?;
    host.answer("POST /graphql", 200, &shown(&json!({})))?;
    host.answer(MERGE, 200, &merged())?;
    assert_eq!(arm(&host).await??, Armed::Merged(Some(Commit::from_bytes([0x33; 20]))));
    host.seen()?;
    for (change, fault) in [
        (json!({ "baseRefName": "staging" }), Fault::Stale),
        (json!({ "headRefOid": "9".repeat(40) }), Fault::Stale),
        (json!({ "state": "CLOSED" }), Fault::Stale),
        (running(), Fault::Transient),
    ] {
        host.answer("POST /graphql", 200, &shown(&running()))?;
        host.answer("POST /graphql", 200, &refused("Pull request is in clean status"))?;
        host.answer("POST /graphql", 200, &shown(&change))?;
        let error = arm(&host).await?.unwrap_err();
        assert_eq!(error.fault(), fault, "{change}: {error}");
        assert_eq!(host.seen()?.len(), 3, "{change}: it was merged");
    }
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
    ] {
        host.answer("POST /graphql", 200, &shown(&change))?;
        host.answer("POST /graphql", 200, &refused("Pull request is in clean status"))?;
        let error = arm(&host).await?.unwrap_err();
        assert_eq!(error.fault(), fault, "{change}: {error}");
        assert_eq!(host.seen()?.len(), 2, "{change}: it was merged");
    }
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_merged_now_is_not_ordered() -> anyhow::Result<()> {
    for may_merge_itself in [true, false] {
        let host = Host::start().await?;
        for (change, fault) in [
            (json!({ "baseRefName": "staging" }), Fault::Stale),
            (json!({ "headRefOid": "9".repeat(40) }), Fault::Stale),
            (json!({ "state": "CLOSED" }), Fault::Stale),
            (json!({ "isDraft": true, "mergeStateStatus": "DRAFT" }), Fault::Permanent),
            (json!({ "mergeStateStatus": "UNSTABLE" }), Fault::Transient),
            (json!({ "mergeStateStatus": "BEHIND" }), Fault::Stale),
            (json!({ "mergeable": "CONFLICTING" }), Fault::Stale),
        ] {
            let looked = if may_merge_itself { shown(&change) } else { shown_without_auto_merge(&change) };
            host.answer("POST /graphql", 200, &looked)?;
            let error = arm(&host).await?.unwrap_err();
            assert_eq!(error.fault(), fault, "{change}: {error}");
            assert_eq!(host.seen()?.len(), 1, "{change}: it was ordered");
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_auto_merge_only_what_is_green_and_required_is_merged_by_us() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer("POST /graphql", 200, &shown_without_auto_merge(&json!({})))?;
    host.answer(MERGE, 200, &merged())?;
    assert!(matches!(arm(&host).await??, Armed::Merged(Some(_))));
    host.seen()?;
    host.answer("POST /graphql", 200, &shown_without_auto_merge(&running()))?;
    let Armed::Watching(missing) = arm(&host).await?? else { anyhow::bail!("not watched") };
    assert_eq!(missing.to_string(), "check `ci`");
    let head = head().to_string();
    let rollup = |state: &str| json!({ "commits": commits(&head, &json!({ "state": state })) });
    for (change, fault) in [
        // It is green, but nobody asked for that.
        (rollup("SUCCESS"), Fault::Permanent),
        (rollup("PENDING"), Fault::Transient),
        (json!({ "commits": commits(&head, &Value::Null) }), Fault::Permanent),
        (json!({ "mergeStateStatus": "UNKNOWN", "mergeable": "UNKNOWN" }), Fault::Transient),
        (json!({ "mergeStateStatus": "A_NEW_WORD" }), Fault::Transient),
    ] {
        host.seen()?;
        host.answer("POST /graphql", 200, &shown_without_auto_merge(&change))?;
        let error = arm(&host).await?.unwrap_err();
        assert_eq!(error.fault(), fault, "{change}: {error}");
        assert_eq!(host.seen()?.len(), 1, "{change}: it was merged");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_forge_refuses_with_new_words_is_tried_a_few_times_and_then_once_an_hour() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge()?;
    let said = "merging acme/trinity#3: Made up yesterday";
    let resting = format!("{said} (tried 5 times; tried again once an hour, and when the pull request changes)");
    for count in 1..=7 {
        host.answer("POST /graphql", 200, &shown(&running()))?;
        if count <= 5 {
            host.answer("POST /graphql", 200, &refused("Made up yesterday"))?;
        }
        let error = arm_with(&forge, &[]).await.unwrap_err();
        assert_eq!(error.to_string(), if count < 5 { said } else { &resting }, "{count}");
        assert_eq!(error.fault(), Fault::Permanent);
        assert_eq!(host.seen()?.len(), if count <= 5 { 2 } else { 1 }, "{count}");
    }
    let mut changed = running();
    if let Some(changed) = changed.as_object_mut() {
        changed.insert("updatedAt".to_owned(), json!("2026-01-02T00:00:00Z"));
    }
    host.answer("POST /graphql", 200, &shown(&changed))?;
    host.answer("POST /graphql", 200, &refused("Made up yesterday"))?;
    assert_eq!(arm_with(&forge, &[]).await.unwrap_err().to_string(), said);
    Ok(())
}

/// What happened in the queue, oldest first: `p` for a push, `u` for a removal by us, `q` for one by the queue.
fn timeline(happened: &str) -> Value {
    let node = |kind: char| {
        let actor = if kind == 'u' { "tagferry" } else { "github-merge-queue" };
        match kind {
            'p' => json!({ "__typename": "HeadRefForcePushedEvent" }),
            _ => {
                json!({ "__typename": "RemovedFromMergeQueueEvent", "reason": "CI_FAILURE", "actor": { "login": actor } })
            }
        }
    };
    let nodes: Vec<Value> = happened.chars().map(node).chain([json!({ "__typename": "Other" })]).collect();
    json!({ "isMergeQueueEnabled": true, "timelineItems": { "nodes": nodes } })
}

#[tokio::test]
async fn what_the_queue_takes_out_again_and_again_is_left_out_until_it_is_made_anew() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let placed = json!({ "data": { "enqueuePullRequest": { "mergeQueueEntry": { "position": 1 } } } });
    for happened in ["", "qq", "quuq", "qqqpq"] {
        host.answer("POST /graphql", 200, &shown(&timeline(happened)))?;
        host.answer("POST /graphql", 200, &placed)?;
        assert_eq!(arm(&host).await??, Armed::Queued, "{happened}");
        let asked = body(host.seen()?.last().unwrap())?;
        let input = json!({ "pullRequestId": "PR_3", "expectedHeadOid": head().to_string() });
        assert_eq!(asked.pointer("/variables/input"), Some(&input));
    }
    for happened in ["qqq", "pquqq"] {
        host.answer("POST /graphql", 200, &shown(&timeline(happened)))?;
        let error = arm(&host).await?.unwrap_err();
        assert!(error.to_string().contains("took it out 3 times (ci failure, the last time)"), "{error}");
        assert_eq!((error.fault(), host.seen()?.len()), (Fault::Permanent, 1));
    }
    Ok(())
}

#[tokio::test]
async fn a_queue_without_requirements_is_not_fed_with_what_nothing_has_checked() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let unchecked = json!({ "isMergeQueueEnabled": true, "commits": commits(&head().to_string(), &Value::Null) });
    host.answer("POST /graphql", 200, &shown(&unchecked))?;
    let error = arm(&host).await?.unwrap_err();
    assert!(error.to_string().contains("none has run yet"), "{error}");
    Ok(())
}

fn with_labels(found: &Value, change: &Value) -> Value {
    let mut looked = shown(change);
    let place = looked.pointer_mut("/data/repository").and_then(Value::as_object_mut);
    if let (Some(place), Some(found)) = (place, found.as_object()) {
        place.extend(found.clone());
    }
    looked
}

fn wanted() -> Vec<String> {
    ["release", "Automated"].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn labels_ride_along_with_the_order() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let found = json!({ "label0": { "id": "LA_1" }, "label1": { "id": "LA_2" } });
    let has = json!({ "labels": { "nodes": [{ "name": "automated" }] }, "mergeStateStatus": "BLOCKED" });
    host.answer("POST /graphql", 200, &with_labels(&found, &has))?;
    host.answer("POST /graphql", 200, &ordered(&armed()))?;
    let ordered = arm_with(&host.forge()?, &wanted()).await?;
    assert_eq!((ordered.armed, ordered.unlabelled), (Armed::Armed, None));
    let seen = host.seen()?;
    assert_eq!(seen.len(), 2);
    let asked = body(seen.first().unwrap())?;
    assert_eq!(asked.pointer("/variables/label1"), Some(&json!("Automated")));
    let asked = body(seen.last().unwrap())?;
    let labels = json!({ "labelableId": "PR_3", "labelIds": ["LA_1"] });
    assert_eq!(asked.pointer("/variables/labels"), Some(&labels), "{asked}");
    Ok(())
}

#[tokio::test]
async fn one_of_two_that_fails_is_told_from_the_other() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let found = json!({ "label0": { "id": "LA_1" }, "label1": { "id": "LA_2" } });
    let errors = json!([{ "type": "NOT_FOUND", "path": ["addLabelsToLabelable"], "message": "No such label" }]);
    let mut taken = ordered(&armed());
    taken.as_object_mut().unwrap().insert("errors".to_owned(), errors);
    host.answer("POST /graphql", 200, &with_labels(&found, &running()))?;
    host.answer("POST /graphql", 200, &taken)?;
    let ordered = arm_with(&host.forge()?, &wanted()).await?;
    assert_eq!(ordered.armed, Armed::Armed);
    assert_eq!(ordered.unlabelled.as_deref(), Some("adding labels: No such label"));

    host.answer("POST /graphql", 200, &with_labels(&found, &running()))?;
    host.answer("POST /graphql", 200, &refused("Pull request User is not authorized for this protected branch"))?;
    let error = arm_with(&host.forge()?, &wanted()).await.unwrap_err();
    assert!(error.to_string().contains("restricts who may push"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_label_that_is_not_there_yet_is_made_and_one_that_may_not_be_made_keeps_nothing_from_merging()
-> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge()?;
    let labels = "POST /repos/acme/trinity/issues/3/labels";
    for (status, said) in [(200, None), (403, Some("the forge forbids it"))] {
        let found = json!({ "label0": { "id": "LA_1" }, "label1": null });
        host.answer("POST /graphql", 200, &with_labels(&found, &running()))?;
        host.answer(labels, status, &json!({ "message": "Resource not accessible by integration" }))?;
        host.answer("POST /graphql", 200, &ordered(&armed()))?;
        let ordered = arm_with(&forge, &wanted()).await?;
        assert_eq!(ordered.armed, Armed::Armed);
        assert_eq!(ordered.unlabelled.is_some(), said.is_some());
        assert!(ordered.unlabelled.unwrap_or_default().contains(said.unwrap_or_default()));
        let lines: Vec<String> = host.seen()?.into_iter().map(|seen| seen.line).collect();
        assert_eq!(lines, ["POST /graphql", labels, "POST /graphql"]);
    }
    Ok(())
}

async fn disarm(host: &Host, auto_merge: AutoMerge) -> anyhow::Result<Result<(), Error>> {
    let pull_request = PullRequest { auto_merge, ..pull_request() };
    Ok(host.forge()?.disarm(&"acme/trinity".parse()?, &pull_request).await)
}

#[tokio::test]
async fn an_order_is_taken_back() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let done = json!({ "data": { "disablePullRequestAutoMerge": { "pullRequest": { "id": "PR_3" } } } });
    host.answer("POST /graphql", 200, &done)?;
    disarm(&host, AutoMerge::Armed).await??;
    let errors = json!([{ "type": "UNPROCESSABLE", "message": "Can't disable auto-merge for this pull request." }]);
    host.answer("POST /graphql", 200, &json!({ "data": null, "errors": errors }))?;
    disarm(&host, AutoMerge::Armed).await??;
    let errors = json!([{ "type": "FORBIDDEN", "message": "Resource not accessible by integration" }]);
    host.answer("POST /graphql", 200, &json!({ "data": null, "errors": errors }))?;
    assert_eq!(disarm(&host, AutoMerge::Armed).await?.unwrap_err().fault(), Fault::Permanent);
    assert_eq!(host.seen()?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn what_is_in_the_queue_is_taken_out_of_it() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer("POST /graphql", 200, &json!({ "data": { "dequeuePullRequest": { "mergeQueueEntry": null } } }))?;
    disarm(&host, AutoMerge::Queued).await??;
    let asked = body(host.seen()?.last().unwrap())?;
    assert!(asked["query"].as_str().is_some_and(|text| text.contains("dequeuePullRequest")), "{asked}");
    assert_eq!(asked.pointer("/variables/input"), Some(&json!({ "id": "PR_3" })));
    let errors = json!([{ "type": "UNPROCESSABLE", "message": "The entry is locked" }]);
    host.answer("POST /graphql", 200, &json!({ "data": null, "errors": errors }))?;
    let error = disarm(&host, AutoMerge::Queued).await?.unwrap_err();
    assert!(error.to_string().ends_with("The entry is locked"), "{error}");
    Ok(())
}
