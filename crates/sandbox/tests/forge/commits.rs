//! What is said of commits: check runs of any App, pages of lists, and where branches were moved.

use anyhow::{Context as _, Result};
use sandbox::Push;
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, read};

#[tokio::test]
async fn check_runs_of_an_app_are_made_over_http_and_paged() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let url = format!("{}/_sim/repositories/{REPOSITORY}/check-runs", forge.sandbox.url());
    let app = json!({ "id": 15368, "slug": "github-actions" });
    for (name, conclusion) in [("one", json!("timed_out")), ("two", Value::Null), ("three", json!("success"))] {
        let new = json!({ "revision": "main", "name": name, "conclusion": conclusion, "app": app });
        let (status, body) = read(forge.http.post(&url).json(&new).send().await?).await?;
        assert_eq!(status, 200, "{body}");
    }
    let tip = forge.sandbox.repository(REPOSITORY).await?.branches["main"].to_string();
    let query = "query Page($oid: GitObjectID!, $after: String) { repository(owner: \"acme\", name: \"trinity\") {
        object(oid: $oid) { ... on Commit { statusCheckRollup { state contexts(first: 2, after: $after) {
          totalCount pageInfo { hasNextPage endCursor }
          nodes { ... on CheckRun { name status conclusion url checkSuite { app { databaseId slug } } } } } } } } } }";
    let (mut after, mut named) = (Value::Null, Vec::new());
    for has_next in [true, false] {
        let body = forge.graphql(query, json!({ "oid": tip, "after": after })).await?;
        let contexts = &body["data"]["repository"]["object"]["statusCheckRollup"]["contexts"];
        assert_eq!((&contexts["totalCount"], &contexts["pageInfo"]["hasNextPage"]), (&json!(3), &json!(has_next)));
        after = contexts["pageInfo"]["endCursor"].clone();
        for node in contexts["nodes"].as_array().context("a list")? {
            assert_eq!(node["checkSuite"]["app"], json!({ "databaseId": 15368, "slug": "github-actions" }));
            named.push((node["name"].clone(), node["status"].clone(), node["conclusion"].clone()));
        }
    }
    let expected = [
        (json!("one"), json!("COMPLETED"), json!("TIMED_OUT")),
        (json!("two"), json!("IN_PROGRESS"), Value::Null),
        (json!("three"), json!("COMPLETED"), json!("SUCCESS")),
    ];
    assert_eq!(named, expected);
    let (_, listed) = forge.get(&format!("/repos/{REPOSITORY}/commits/{tip}/check-runs")).await?;
    assert_eq!(listed["check_runs"][0]["app"]["slug"], "github-actions");
    Ok(())
}

#[tokio::test]
async fn branches_are_found_by_a_part_of_their_name() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    for branch in ["release/1", "release/2", "other"] {
        forge.sandbox.push(REPOSITORY, Push::new(branch, [("x", branch)])).await?;
    }
    let query = "query Like { repository(owner: \"acme\", name: \"trinity\") {
        refs(refPrefix: \"refs/heads/\", query: \"release/\", first: 1) { totalCount nodes { name } } } }";
    let body = forge.graphql(query, json!({})).await?;
    let refs = json!({ "totalCount": 2, "nodes": [{ "name": "release/1" }] });
    assert_eq!(body["data"]["repository"]["refs"], refs, "{body}");
    Ok(())
}

#[tokio::test]
async fn the_activity_tells_what_happened_to_branches() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let base = forge.sandbox.repository(REPOSITORY).await?.branches["main"].to_string();
    let push = async |text: &str, onto: Option<&str>| -> Result<String> {
        let push = Push::new("topic", [("x", text)]);
        let push = onto.map_or(push.clone(), |onto| push.onto(onto));
        Ok(forge.sandbox.push(REPOSITORY, push).await?.to_string())
    };
    push("1", None).await?;
    let lost = push("2", None).await?;
    let now = push("3", Some(&base)).await?;
    forge.sandbox.delete_branch(REPOSITORY, "topic").await?;
    let path = format!("/repos/{REPOSITORY}/activity");
    let (_, all) = forge.get(&format!("{path}?ref=topic")).await?;
    let kinds: Vec<&Value> = all.as_array().context("a list")?.iter().map(|one| &one["activity_type"]).collect();
    assert_eq!(kinds, ["branch_deletion", "force_push", "push", "branch_creation"]);
    let (_, forced) = forge.get(&format!("{path}?ref=refs/heads/topic&activity_type=force_push&per_page=5")).await?;
    let one = &forced[0];
    let seen = (&one["before"], &one["after"], &one["ref"]);
    assert_eq!(seen, (&json!(lost), &json!(now), &json!("refs/heads/topic")), "{forced}");
    Ok(())
}
