//! Finding, opening, labelling and closing pull requests.

use domain::{
    commit::Commit,
    fault::Fault,
    forge::{AutoMerge, Branch, Mergeability, Number, PullRequest, PullRequestState, Requirements},
    proposal::ReleaseBranch,
};
use forge::{Error, NewPullRequest};
use serde_json::{Value, json};

use crate::host::Host;

fn branch() -> anyhow::Result<ReleaseBranch> {
    Ok(ReleaseBranch::new(&"mandelbrot".parse()?, Commit::from_bytes([0x1f; 20])))
}

fn view(number: u64, state: &str) -> anyhow::Result<Value> {
    Ok(json!({
        "id": format!("PR_{number}"), "number": number, "state": state, "isDraft": false,
        "url": format!("https://forge.example/acme/trinity/pull/{number}"),
        "headRefOid": "2".repeat(40), "headRefName": branch()?.branch().as_str(), "baseRefName": "main",
        "headRepository": { "nameWithOwner": "Acme/Trinity" }, "autoMergeRequest": null,
        "isInMergeQueue": false, "isMergeQueueEnabled": false, "mergeable": "MERGEABLE", "mergeStateStatus": "BLOCKED", "mergeCommit": null,
    }))
}

fn pull_request(number: u64) -> PullRequest {
    PullRequest {
        number: Number(number),
        handle: format!("PR_{number}"),
        url: format!("https://forge.example/acme/trinity/pull/{number}"),
        state: PullRequestState::Open,
        head: Commit::from_bytes([0x22; 20]),
        base: "main".parse().expect("the text is a branch"),
        auto_merge: AutoMerge::Disarmed,
        mergeability: Mergeability::Blocked,
        missing: Requirements::default(),
    }
}

async fn create(host: &Host) -> anyhow::Result<Result<PullRequest, Error>> {
    let (branch, base) = (branch()?, "main".parse::<Branch>()?);
    let new = NewPullRequest { branch: &branch, base: &base, title: "t", body: "b" };
    Ok(host.forge()?.create_pull_request(&"acme/trinity".parse()?, &new).await)
}

#[tokio::test]
async fn one_request_shows_a_pull_request() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let data = json!({ "data": { "repository": { "pullRequest": view(3, "OPEN")? } } });
    host.answer("POST /graphql", 200, &data)?;
    let shown = host.forge()?.pull_request(&"acme/trinity".parse()?, Number(3)).await?;
    assert_eq!(shown, pull_request(3));
    let seen = host.seen()?;
    assert_eq!(seen.len(), 1);
    let asked: Value = serde_json::from_slice(&seen.first().unwrap().body)?;
    assert_eq!(asked.get("variables"), Some(&json!({ "owner": "acme", "name": "trinity", "number": 3 })));
    Ok(())
}

#[tokio::test]
async fn a_number_or_repository_that_is_not_there_is_named() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let (forge, repository) = (host.forge()?, "acme/trinity".parse()?);
    let missing = json!([{ "type": "NOT_FOUND", "message": "Could not resolve to a …" }]);
    let data = json!({ "data": { "repository": { "pullRequest": null } }, "errors": missing });
    host.answer("POST /graphql", 200, &data)?;
    let error = forge.pull_request(&repository, Number(9)).await.unwrap_err();
    assert_eq!(error.to_string(), "acme/trinity has no pull request #9");
    let data = json!({ "data": { "repository": null }, "errors": missing });
    host.answer("POST /graphql", 200, &data)?;
    let error = forge.pull_request(&repository, Number(9)).await.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn pull_requests_of_the_branch_itself_are_found_and_no_others() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let mut of_a_fork = view(4, "OPEN")?;
    *of_a_fork.get_mut("headRepository").unwrap() = json!({ "nameWithOwner": "mallory/trinity" });
    let mut of_nothing = view(5, "OPEN")?;
    *of_nothing.get_mut("headRepository").unwrap() = Value::Null;
    let mut of_another = view(6, "OPEN")?;
    *of_another.get_mut("headRefName").unwrap() = json!("mandelbrot/deploy-2");
    let nodes = json!([of_a_fork, of_nothing, of_another, view(3, "OPEN")?, view(2, "CLOSED")?]);
    let data = json!({ "data": { "repository": { "pullRequests": { "nodes": nodes } } } });
    host.answer("POST /graphql", 200, &data)?;
    let forge = host.forge()?;
    let found = forge.pull_requests_of(&"acme/trinity".parse()?, &branch()?).await?;
    let numbers: Vec<u64> = found.iter().map(|one| one.number.0).collect();
    assert_eq!(numbers, [3, 2]);
    Ok(())
}

#[tokio::test]
async fn a_pull_request_is_found_by_its_branch_whatever_its_base_is() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let mut elsewhere = view(3, "OPEN")?;
    *elsewhere.get_mut("baseRefName").unwrap() = json!("staging");
    let data = json!({ "data": { "repository": { "pullRequests": { "nodes": [elsewhere] } } } });
    host.answer("POST /graphql", 200, &data)?;
    let found = host.forge()?.pull_requests_of(&"acme/trinity".parse()?, &branch()?).await?;
    assert_eq!(found, [PullRequest { base: "staging".parse()?, ..pull_request(3) }]);
    let asked: Value = serde_json::from_slice(&host.seen()?.first().unwrap().body)?;
    let head = branch()?.branch().to_string();
    assert_eq!(asked.get("variables"), Some(&json!({ "owner": "acme", "name": "trinity", "head": head })));
    Ok(())
}

#[tokio::test]
async fn a_pull_request_is_opened() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let opened = json!({
        "number": 3, "node_id": "PR_3", "html_url": "https://forge.example/acme/trinity/pull/3",
        "head": { "sha": "2".repeat(40) }, "mergeable_state": "a new word",
    });
    host.answer("POST /repos/acme/trinity/pulls", 201, &opened)?;
    let expected = PullRequest { mergeability: Mergeability::Unknown, ..pull_request(3) };
    assert_eq!(create(&host).await??, expected);
    let seen = host.seen()?;
    let asked: Value = serde_json::from_slice(&seen.first().unwrap().body)?;
    let head = branch()?.branch().to_string();
    assert_eq!(asked, json!({ "title": "t", "body": "b", "head": head, "base": "main" }));
    Ok(())
}

fn refused(errors: &Value) -> Value {
    json!({ "message": "Validation Failed", "errors": errors, "status": "422" })
}

#[tokio::test]
async fn a_pull_request_that_exists_is_adopted() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let exists = json!([{ "resource": "PullRequest", "code": "custom", "message": "A pull request already exists for acme:mandelbrot/deploy-1." }]);
    host.answer("POST /repos/acme/trinity/pulls", 422, &refused(&exists))?;
    let mut elsewhere = view(5, "OPEN")?;
    *elsewhere.get_mut("baseRefName").unwrap() = json!("staging");
    let nodes = json!([elsewhere, view(4, "CLOSED")?, view(3, "OPEN")?]);
    let data = json!({ "data": { "repository": { "pullRequests": { "nodes": nodes } } } });
    host.answer("POST /graphql", 200, &data)?;
    assert_eq!(create(&host).await??, pull_request(3));
    assert_eq!(host.seen()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn an_objection_to_opening_says_what_to_do() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for (status, errors, fault) in [
        (422, json!([{ "message": "No commits between main and mandelbrot/deploy-1" }]), Fault::Stale),
        (422, json!([{ "resource": "PullRequest", "field": "head", "code": "invalid" }]), Fault::Transient),
        (422, json!([{ "message": "a text that is new" }]), Fault::Permanent),
        (403, json!([]), Fault::Permanent),
        (404, json!([]), Fault::Permanent),
    ] {
        host.answer("POST /repos/acme/trinity/pulls", status, &refused(&errors))?;
        let error = create(&host).await?.unwrap_err();
        assert_eq!(error.fault(), fault, "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn labels_are_added_and_none_ask_for_nothing() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let (forge, repository) = (host.forge()?, "acme/trinity".parse()?);
    forge.add_labels(&repository, Number(3), &[]).await?;
    assert_eq!(host.seen()?.len(), 0);
    host.answer("POST /repos/acme/trinity/issues/3/labels", 200, &json!([]))?;
    forge.add_labels(&repository, Number(3), &["release".to_owned()]).await?;
    assert_eq!(host.seen()?.first().unwrap().body, br#"{"labels":["release"]}"#);
    Ok(())
}

#[tokio::test]
async fn a_pull_request_is_closed() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let (forge, repository) = (host.forge()?, "acme/trinity".parse()?);
    host.answer("PATCH /repos/acme/trinity/pulls/3", 200, &json!({}))?;
    forge.close(&repository, Number(3)).await?;
    assert_eq!(host.seen()?.first().unwrap().body, br#"{"state":"closed"}"#);
    Ok(())
}
