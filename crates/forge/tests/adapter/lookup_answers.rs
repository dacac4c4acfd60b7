//! Looking a commit up, by answers of GraphQL that the sandbox does not give.

use domain::{commit::Commit, evidence::Lookup, fault::Fault};
use forge::Error;
use serde_json::{Value, json};

use crate::host::Host;

fn commit() -> Commit {
    Commit::from_bytes([0x11; 20])
}

fn object() -> Value {
    json!({ "oid": commit().to_string(), "message": "Zoom deeper\n\nMore", "url": "https://forge.example/c", "statusCheckRollup": null })
}

fn branch(name: &str, status: Option<&str>) -> Value {
    json!({ "name": name, "compare": status.map(|status| json!({ "status": status })) })
}

fn data(branches: Value, errors: Value) -> Value {
    let mut repository = json!({ "object": object() });
    if let (Some(repository), Value::Object(branches)) = (repository.as_object_mut(), branches) {
        repository.extend(branches);
    }
    let errors = if errors.is_null() { json!([]) } else { errors };
    json!({ "data": { "repository": repository }, "errors": errors })
}

fn compare(branch: &str) -> String {
    format!("GET /repos/acme/app/compare/{}...{branch}?per_page=1", commit())
}

fn compared(status: &str) -> Value {
    json!({ "status": status })
}

async fn look_up(host: &Host, branches: &[&str]) -> anyhow::Result<Result<Lookup, Error>> {
    let branches = branches.iter().map(|branch| branch.parse()).collect::<Result<Vec<_>, _>>()?;
    Ok(host.forge()?.look_up(&"acme/app".parse()?, commit(), &branches).await)
}

fn on(lookup: &Lookup) -> Option<&str> {
    match lookup {
        Lookup::Present { branch, .. } => branch.as_ref().map(domain::forge::Branch::as_str),
        Lookup::Absent => None,
    }
}

#[tokio::test]
async fn a_commit_is_on_a_branch_that_is_the_same_or_ahead_of_it() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for (status, expected) in
        [("IDENTICAL", Some("main")), ("BEHIND", Some("main")), ("AHEAD", None), ("DIVERGED", None), ("NEW", None)]
    {
        host.answer("POST /graphql", 200, &data(json!({ "branch0": branch("main", Some(status)) }), Value::Null))?;
        if expected.is_none() {
            host.answer("GET /repos/acme/app/activity*", 200, &json!([]))?;
        }
        let found = look_up(&host, &["main"]).await??;
        assert_eq!(on(&found), expected, "{status}");
        host.seen()?;
    }
    Ok(())
}

#[tokio::test]
async fn branches_that_graphql_does_not_compare_are_compared_by_rest() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let branches = || {
        let nodes = [branch("release/1", None), branch("other", None)];
        let page = json!({ "nodes": nodes, "pageInfo": { "hasNextPage": false, "endCursor": null } });
        json!({ "branch0": branch("main", None), "like0": page })
    };
    let path = |alias: &str| json!(["repository", alias, "compare"]);
    let errors = json!([
        { "type": "NOT_FOUND", "message": "No such commit", "path": path("branch0") },
        { "message": "Could not compare", "path": path("like0") },
    ]);
    host.answer("POST /graphql", 200, &data(branches(), errors))?;
    host.answer(&compare("main"), 200, &compared("diverged"))?;
    host.answer(&compare("release/1"), 200, &compared("ahead"))?;
    assert_eq!(on(&look_up(&host, &["main", "release/*"]).await??), Some("release/1"));
    assert_eq!(host.seen()?.len(), 3);

    // One of a fork, with nothing in common with the branches.
    host.answer("POST /graphql", 200, &data(branches(), Value::Null))?;
    host.answer(&compare("main"), 404, &json!({ "message": "No common ancestor between 1 and main." }))?;
    host.answer(&compare("release/1"), 404, &json!({ "message": "Not Found" }))?;
    host.answer("GET /repos/acme/app/activity*", 200, &json!([]))?;
    let found = look_up(&host, &["main", "release/*"]).await??;
    assert!(matches!(found, Lookup::Present { branch: None, left: None, .. }), "{found:?}");
    host.seen()?;
    Ok(())
}

#[tokio::test]
async fn what_has_to_be_there_and_is_not_is_no_answer() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let on_main = || json!({ "branch0": branch("main", Some("BEHIND")) });
    let no_list = json!({ "branch0": branch("main", Some("AHEAD")), "like0": null });
    let broken = json!([{ "message": "It broke", "path": ["repository", "object", "statusCheckRollup"] }]);
    for (answer, branches) in [
        (data(on_main(), broken), vec!["main"]),
        (data(on_main(), json!([{ "message": "It broke" }])), vec!["main"]),
        (data(no_list, Value::Null), vec!["main", "release/*"]),
    ] {
        host.answer("POST /graphql", 200, &answer)?;
        let error = look_up(&host, &branches).await?.unwrap_err();
        assert!(matches!(error, Error::Misunderstood { .. }), "{error}");
        assert_eq!(error.fault(), Fault::Transient);
    }
    let hidden = json!([{ "type": "FORBIDDEN", "message": "Resource not accessible by integration", "path": ["repository", "branch0"] }]);
    host.answer("POST /graphql", 200, &data(json!({ "branch0": null }), hidden))?;
    let error = look_up(&host, &["main"]).await?.unwrap_err();
    assert!(error.to_string().ends_with("it needs Metadata: read and Contents: read"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_check_that_is_not_shown_is_no_answer() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let contexts = json!({ "nodes": [null], "pageInfo": { "hasNextPage": false, "endCursor": null } });
    let mut answer = data(json!({ "branch0": branch("main", Some("BEHIND")) }), Value::Null);
    if let Some(rollup) = answer.pointer_mut("/data/repository/object/statusCheckRollup") {
        *rollup = json!({ "contexts": contexts });
    }
    host.answer("POST /graphql", 200, &answer)?;
    let error = look_up(&host, &["main"]).await?.unwrap_err();
    assert!(matches!(error, Error::Misunderstood { .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_was_before_a_forced_push_may_be_forgotten() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let before = |byte: u8| Commit::from_bytes([byte; 20]).to_string();
    let push = |byte, timestamp: &str| json!({ "before": before(byte), "after": before(9), "timestamp": timestamp });
    host.answer(
        "POST /graphql",
        200,
        &data(json!({ "branch0": branch("release/1#", Some("DIVERGED")) }), Value::Null),
    )?;
    let pushes = [push(1, "2026-01-02T03:04:07Z"), push(2, "2026-01-02T03:04:06Z"), push(3, "2026-01-02T03:04:05Z")];
    let line = "GET /repos/acme/app/activity?ref=refs/heads/release/1%23&activity_type=force_push&per_page=5";
    host.answer(line, 200, &json!(pushes))?;
    host.answer(&compare(&before(1)), 404, &json!({ "message": "Not Found" }))?;
    host.answer(&compare(&before(2)), 422, &json!({ "message": "It is gone" }))?;
    host.answer(&compare(&before(3)), 200, &compared("identical"))?;
    let found = look_up(&host, &["release/1#"]).await??;
    let Lookup::Present { left: Some(left), .. } = found else { anyhow::bail!("{found:?}") };
    assert_eq!((left.branch.as_str(), left.at.to_rfc3339()), ("release/1#", "2026-01-02T03:04:05+00:00".to_owned()));
    assert_eq!(host.seen()?.len(), 5);
    Ok(())
}
