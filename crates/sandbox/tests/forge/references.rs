//! Files and branches over GraphQL: read, written and moved.

use anyhow::{Context as _, Result};
use sandbox::{Protection, Push};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY};

const UPDATE: &str = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";

const COMMIT: &str = "mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid signature { isValid wasSignedByGitHub } parents(first: 2) { nodes { oid } } } }
}";

const ZERO: &str = "0000000000000000000000000000000000000000";

async fn update(forge: &Forge, updates: Value) -> Result<Value> {
    let repository = "{ repository(owner: \"acme\", name: \"trinity\") { id } }";
    let id = forge.graphql(repository, json!({})).await?["data"]["repository"]["id"].clone();
    forge.graphql(UPDATE, json!({ "input": { "repositoryId": id, "refUpdates": updates } })).await
}

fn addition(path: &str, contents: &str) -> Value {
    json!({ "path": path, "contents": contents })
}

async fn commit(forge: &Forge, tip: &str, additions: &[Value]) -> Result<Value> {
    let input = json!({
        "branch": { "repositoryNameWithOwner": REPOSITORY, "branchName": "topic" },
        "message": { "headline": "Write" }, "expectedHeadOid": tip, "fileChanges": { "additions": additions },
    });
    forge.graphql(COMMIT, json!({ "input": input })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_by_the_forge_is_verified_and_its_files_are_plain() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let directory = tempfile::tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    clone.git(&["checkout", "-b", "topic"])?;
    clone.commit("run.sh", "#!/bin/sh\n")?;
    clone.git(&["update-index", "--chmod=+x", "run.sh"])?;
    clone.git(&["commit", "-m", "Executable"])?;
    clone.git(&["push", "origin", "topic"])?;
    let tip = forge.sandbox.repository(REPOSITORY).await?.branches.get("topic").context("topic")?.to_string();
    let entry = "query($oid: GitObjectID!) { repository(owner: \"acme\", name: \"trinity\") { object(oid: $oid) { ... on Commit {
      signature { isValid } missing: file(path: \"nothing\") { mode }
      file(path: \"run.sh\") { name mode type oid object { ... on Blob { text byteSize isBinary isTruncated } } } tree { entries { name type } }
    } } } }";
    let seen = forge.graphql(entry, json!({ "oid": tip })).await?;
    let seen = &seen["data"]["repository"]["object"];
    assert_eq!((&seen["signature"], &seen["missing"]), (&Value::Null, &Value::Null), "{seen}");
    assert_eq!(seen["file"]["mode"], 0o100_755);
    assert_eq!(
        seen["file"]["object"],
        json!({ "text": "#!/bin/sh\n", "byteSize": 10, "isBinary": false, "isTruncated": false })
    );
    let entries = seen["tree"]["entries"].as_array().context("entries")?;
    assert!(entries.contains(&json!({ "name": "run.sh", "type": "blob" })), "{entries:?}");

    let body = commit(&forge, &tip, &[addition("run.sh", "IyEvYmluL2Jhc2gK")]).await?;
    let made = &body["data"]["createCommitOnBranch"]["commit"];
    assert_eq!(made["signature"], json!({ "isValid": true, "wasSignedByGitHub": true }), "{body}");
    assert_eq!(made["parents"]["nodes"], json!([{ "oid": tip }]));
    let seen = forge.graphql(entry, json!({ "oid": made["oid"] })).await?;
    assert_eq!(seen["data"]["repository"]["object"]["file"]["mode"], 0o100_644, "{seen}");
    let (status, shown) =
        forge.get(&format!("/repos/{REPOSITORY}/commits/{}", made["oid"].as_str().unwrap_or_default())).await?;
    assert_eq!((status, &shown["commit"]["verification"]["reason"]), (200, &json!("valid")));
    Ok(())
}

#[tokio::test]
async fn what_is_no_base64_or_given_twice_is_not_committed() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let tip = forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?.to_string();
    for additions in [vec![addition("c", "no base64!")], vec![addition("c", "YQ=="), addition("c", "Yg==")]] {
        let body = commit(&forge, &tip, &additions).await?;
        assert_eq!(body["errors"][0]["type"], "UNPROCESSABLE", "{body}");
        assert_eq!(body["errors"][0]["path"], json!(["createCommitOnBranch"]));
    }
    let body = commit(&forge, ZERO, &[addition("c", "YQ==")]).await?;
    assert_eq!(
        body["errors"][0]["message"],
        format!("Expected branch to point to \"{ZERO}\" but it did not.  Pull and try again.")
    );
    assert_eq!(forge.sandbox.repository(REPOSITORY).await?.branches["topic"].to_string(), tip);
    Ok(())
}

#[tokio::test]
async fn branches_are_moved_all_or_none_and_only_from_where_they_are() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let topic = forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?.to_string();
    let main = forge.sandbox.repository(REPOSITORY).await?.branches["main"].to_string();
    let step = |name: &str, before: &str, after: &str| json!({ "name": format!("refs/heads/{name}"), "beforeOid": before, "afterOid": after });
    for refused in [
        json!([step("new", ZERO, &topic), step("topic", &main, ZERO)]),
        json!([step("new", ZERO, &topic), step("topic", &topic, &main)]),
        json!([step("new", ZERO, &topic), step("topic/below", ZERO, &main)]),
        json!([step("new", ZERO, &"1".repeat(40))]),
        json!([step("new..", ZERO, &main)]),
    ] {
        let body = update(&forge, refused).await?;
        assert_eq!((&body["data"]["updateRefs"], &body["errors"][0]["type"]), (&Value::Null, &json!("UNPROCESSABLE")));
        assert_eq!(forge.sandbox.repository(REPOSITORY).await?.branches.len(), 2, "{body}");
    }
    let mut back = step("topic", &topic, &main);
    back["force"] = json!(true);
    let body = update(&forge, json!([back, step("new", ZERO, &topic)])).await?;
    assert!(body.get("errors").is_none(), "{body}");
    let branches = forge.sandbox.repository(REPOSITORY).await?.branches;
    assert_eq!((branches["topic"].to_string(), branches["new"].to_string()), (main.clone(), topic.clone()));
    let listed = "{ repository(owner: \"acme\", name: \"trinity\") { refs(refPrefix: \"refs/heads/ne\", first: 5) { nodes { name } } } }";
    let listed = forge.graphql(listed, json!({})).await?;
    assert_eq!(listed["data"]["repository"]["refs"]["nodes"], json!([{ "name": "new" }]));

    forge.sandbox.protect(REPOSITORY, "new", Some(Protection::default())).await?;
    let body = update(&forge, json!([step("new", &topic, ZERO)])).await?;
    assert!(body["errors"][0]["message"].to_string().contains("Cannot delete this branch"), "{body}");
    Ok(())
}
