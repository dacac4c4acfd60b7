//! The GraphQL interface.

use anyhow::Result;
use reqwest::Method;
use sandbox::{Kind, Outcome, Push, Report};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, read};

#[tokio::test]
async fn a_pull_request_is_read_through_aliases_fragments_and_variables() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, head) = forge.pull_request("topic").await?;
    let report = Report { name: "ci".to_owned(), outcome: Outcome::Pending, kind: Kind::CheckRun };
    forge.sandbox.set_check(REPOSITORY, &head, report).await?;
    let query = "query Look($owner: String!, $name: String!, $number: Int!, $head: GitObjectID!) {
      it: repository(owner: $owner, name: $name) {
        ...settings
        pullRequest(number: $number) {
          __typename number state merged mergeable mergeStateStatus headRefOid isInMergeQueue viewerCanEnableAutoMerge
          labels(first: 5) { nodes { name } }
          headRef { name target { oid ... on Commit { messageHeadline } } }
          commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } }
        }
        object(oid: $head) { ... on Commit { oid statusCheckRollup { state } } }
        ref(qualifiedName: \"refs/heads/main\") { name compare(headRef: \"topic\") { status aheadBy behindBy } }
        found: pullRequests(headRefName: \"topic\", states: [OPEN], first: 1) { totalCount nodes { number } }
        none: pullRequests(headRefName: \"topic\", states: [MERGED], last: 1) { nodes { number } }
      }
      viewer { login }
    }
    fragment settings on Repository { nameWithOwner autoMergeAllowed deleteBranchOnMerge }";
    let variables = json!({ "owner": "acme", "name": "trinity", "number": number, "head": head });
    let body = forge.graphql(query, variables).await?;
    assert!(body.get("errors").is_none(), "{body}");
    assert_eq!(
        body["data"],
        json!({
            "it": {
                "nameWithOwner": REPOSITORY, "autoMergeAllowed": true, "deleteBranchOnMerge": true,
                "pullRequest": {
                    "__typename": "PullRequest", "number": number, "state": "OPEN", "merged": false,
                    "mergeable": "MERGEABLE", "mergeStateStatus": "BLOCKED", "headRefOid": head,
                    "isInMergeQueue": false, "viewerCanEnableAutoMerge": true, "labels": { "nodes": [] },
                    "headRef": { "name": "topic", "target": { "oid": head, "messageHeadline": "Raise the tag" } },
                    "commits": { "nodes": [{ "commit": { "oid": head, "statusCheckRollup": { "state": "PENDING" } } }] },
                },
                "object": { "oid": head, "statusCheckRollup": { "state": "PENDING" } },
                "ref": { "name": "main", "compare": { "status": "AHEAD", "aheadBy": 1, "behindBy": 0 } },
                "found": { "totalCount": 1, "nodes": [{ "number": number }] },
                "none": { "nodes": [] },
            },
            "viewer": { "login": "tagferry[bot]" },
        })
    );
    Ok(())
}

async fn refusal(forge: &Forge, query: &str, variables: Value) -> Result<String> {
    let body = forge.graphql(query, variables).await?;
    assert!(body.get("data").is_none(), "nothing is executed: {body}");
    Ok(body["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_document_that_does_not_fit_the_schema_is_refused_as_a_whole() -> Result<()> {
    let forge = Forge::start().await?;
    let none = || json!({});
    for (query, message) in [
        ("{ viewer { login nonsense } }", "Field 'nonsense' doesn't exist on type 'User'"),
        (
            "{ viewer }",
            "Field must have selections (field 'viewer' returns User but has no selections. Did you mean 'viewer { ... }'?)",
        ),
        ("{ repository(owner: \"acme\") { id } }", "Field 'repository' is missing required arguments: name"),
        ("{ viewer(id: 1) { login } }", "Field 'viewer' doesn't accept argument 'id'"),
        ("{ viewer { ...gone } }", "Fragment gone was used, but not defined"),
        ("query($a: Int) { viewer { login } }", "Variable $a is declared by the operation but not used"),
        ("{ node(id: $a) { id } }", "Variable $a is used by the operation but not declared"),
        (
            "{ node(id: \"x\") { ... on User { login } ... on Ref { nope } } }",
            "Field 'nope' doesn't exist on type 'Ref'",
        ),
        (
            "query($a: ID!) { node(id: $a) { id } }",
            "Variable $a of type ID! was provided invalid value (Expected value to not be null)",
        ),
        ("query($a: User) { node(id: $a) { id } }", "Type mismatch on variable $a and argument id (User / ID!)"),
        (
            "query($a: Int = \"one\") { rateLimit { limit } repository(owner: \"a\", name: \"b\") { labels: pullRequests(first: $a) { totalCount } } }",
            "Default value for $a doesn't match type Int",
        ),
        ("{ viewer { login } } fragment Left on User { id }", "Fragment Left was defined, but not used"),
    ] {
        assert_eq!(refusal(&forge, query, none()).await?, message);
    }
    let query = "mutation($input: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $input) { clientMutationId } }";
    let input = json!({ "input": { "pullRequestId": "x", "mergeMethod": "squash" } });
    let said = refusal(&forge, query, input).await?;
    assert!(said.contains("Expected \"squash\" to be one of: MERGE, REBASE, SQUASH"), "{said}");
    assert!(refusal(&forge, "{ viewer {", none()).await?.starts_with("Parse error"));
    Ok(())
}

#[tokio::test]
async fn a_variable_must_be_declared_as_what_it_is_used_for_whatever_value_it_has() -> Result<()> {
    let forge = Forge::start().await?;
    let query = "query Look($n: String!) {
      repository(owner: \"acme\", name: \"trinity\") { pullRequest(number: $n) { id } }
    }";
    let body = forge.graphql(query, json!({ "n": "1" })).await?;
    assert_eq!(
        body["errors"],
        json!([{
            "path": ["query", "repository", "pullRequest", "number"],
            "extensions": {
                "code": "variableMismatch", "variableName": "n", "typeName": "String!", "argumentName": "number",
                "errorMessage": "Type mismatch",
            },
            "locations": [{ "line": 2, "column": 52 }],
            "message": "Type mismatch on variable $n and argument number (String! / Int!)",
        }])
    );
    let repository = |fields: &str| format!("repository(owner: \"acme\", name: \"trinity\") {{ {fields} }}");
    let close = "mutation($id: ID) { closePullRequest(input: {pullRequestId: $id}) { clientMutationId } }";
    let label = "mutation($label: String!) {
      addLabelsToLabelable(input: {labelableId: \"x\", labelIds: [$label]}) { clientMutationId }
    }";
    let number = repository("pullRequest(number: $n) { id }");
    let states = repository("pullRequests(states: $s, first: 1) { totalCount }");
    let order = repository("pullRequests(orderBy: {field: $f, direction: ASC}, first: 1) { totalCount }");
    for (query, message) in [
        (
            format!("query($n: Int) {{ {number} }}"),
            "Nullability mismatch on variable $n and argument number (Int / Int!)",
        ),
        (
            format!("query($s: PullRequestState!) {{ {states} }}"),
            "List dimension mismatch on variable $s and argument states (PullRequestState! / [PullRequestState!])",
        ),
        (
            format!("query($s: [PullRequestState]) {{ {states} }}"),
            "Nullability mismatch on variable $s and argument states ([PullRequestState] / [PullRequestState!])",
        ),
        (
            format!("query($f: IssueOrderField) {{ {order} }}"),
            "Nullability mismatch on variable $f and argument field (IssueOrderField / IssueOrderField!)",
        ),
        (
            format!(
                "query($n: Int) {{ {} }} fragment F on Repository {{ pullRequest(number: $n) {{ id }} }}",
                repository("...F")
            ),
            "Nullability mismatch on variable $n and argument number (Int / Int!)",
        ),
        (close.to_owned(), "Nullability mismatch on variable $id and argument pullRequestId (ID / ID!)"),
        (label.to_owned(), "Type mismatch on variable $label and argument labelIds ([String!]! / [ID!]!)"),
    ] {
        let variables = json!({ "n": 1, "s": ["OPEN"], "f": "CREATED_AT", "id": "x", "label": "x" });
        assert_eq!(refusal(&forge, &query, variables).await?, message);
    }
    let query = format!("query($n: Int = 9, $s: [PullRequestState!]!) {{ {number} other: {states} }}");
    let body = forge.graphql(&query, json!({ "s": ["OPEN"] })).await?;
    assert_eq!(body["data"]["other"]["pullRequests"]["totalCount"], 0, "{body}");
    Ok(())
}

#[tokio::test]
async fn a_fragment_counts_as_used_when_an_operation_of_the_document_leads_to_it() -> Result<()> {
    let forge = Forge::start().await?;
    let query = "query One { viewer { ...outer } } query Two { viewer { ...two } }
      fragment outer on User { ...inner } fragment inner on User { login } fragment two on User { id }";
    let url = format!("{}/graphql", forge.sandbox.url());
    let ask = async |query: &str, name: &str| {
        let body = json!({ "query": query, "operationName": name });
        read(forge.http.post(&url).bearer_auth(&forge.token).json(&body).send().await?).await
    };
    assert_eq!(ask(query, "One").await?.1, json!({ "data": { "viewer": { "login": "octocat" } } }));
    // Fragments that only lead to each other are used by nobody.
    let circle = "fragment a on User { ...b } fragment b on User { ...a }";
    let (_, body) = ask(&format!("query One {{ viewer {{ login }} }} {circle}"), "One").await?;
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let seen: Vec<_> = errors.iter().map(|it| (&it["path"], it["message"].as_str().unwrap_or_default())).collect();
    assert_eq!(
        seen,
        [
            (&json!(["fragment a"]), "Fragment a was defined, but not used"),
            (&json!(["fragment b"]), "Fragment b was defined, but not used"),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn what_does_not_exist_is_null_with_a_reason_beside_what_does() -> Result<()> {
    let forge = Forge::start().await?;
    let query = "{ viewer { login } repository(owner: \"acme\", name: \"gone\") { id }
      there: repository(owner: \"acme\", name: \"trinity\") { pullRequest(number: 9) { id } } node(id: \"PR_x\") { id } }";
    let body = forge.graphql(query, json!({})).await?;
    assert_eq!(
        body["data"],
        json!({ "viewer": { "login": "octocat" }, "repository": null, "there": { "pullRequest": null }, "node": null })
    );
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let seen: Vec<_> =
        errors.iter().map(|it| (&it["type"], &it["path"], it["message"].as_str().unwrap_or_default())).collect();
    assert_eq!(
        seen,
        [
            (
                &json!("NOT_FOUND"),
                &json!(["repository"]),
                "Could not resolve to a Repository with the name 'acme/gone'."
            ),
            (
                &json!("NOT_FOUND"),
                &json!(["there", "pullRequest"]),
                "Could not resolve to a PullRequest with the number of 9."
            ),
            (&json!("NOT_FOUND"), &json!(["node"]), "Could not resolve to a node with the global id of 'PR_x'"),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn several_mutations_of_one_document_stand_for_themselves() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, _) = forge.pull_request("topic").await?;
    let (_, pull_request) = forge.get(&format!("/repos/{REPOSITORY}/pulls/{number}")).await?;
    forge.sandbox.add_label(REPOSITORY, "release").await?;
    let look = "{ repository(owner: \"acme\", name: \"trinity\") { label(name: \"release\") { id } } }";
    let label = forge.graphql(look, json!({})).await?["data"]["repository"]["label"]["id"].clone();
    let query = "mutation($id: ID!, $label: ID!) {
      first: addLabelsToLabelable(input: {labelableId: $id, labelIds: [$label], clientMutationId: \"a\"}) {
        clientMutationId labelable { labels(first: 1) { nodes { name } } }
      }
      second: disablePullRequestAutoMerge(input: {pullRequestId: $id}) { pullRequest { number } }
      third: closePullRequest(input: {pullRequestId: $id}) { pullRequest { state } }
    }";
    let body = forge.graphql(query, json!({ "id": pull_request["node_id"], "label": label })).await?;
    assert_eq!(
        body["data"],
        json!({
            "first": { "clientMutationId": "a", "labelable": { "labels": { "nodes": [{ "name": "release" }] } } },
            "second": null,
            "third": { "pullRequest": { "state": "CLOSED" } },
        })
    );
    assert_eq!(body["errors"][0]["message"], "Can't disable auto-merge for this pull request.");
    Ok(())
}

#[tokio::test]
async fn a_commit_is_created_only_on_the_tip_that_was_seen() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let tip = forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?;
    let query = "mutation($input: CreateCommitOnBranchInput!) {
      createCommitOnBranch(input: $input) { commit { oid messageHeadline } ref { name } }
    }";
    let input = |expected: &str| {
        json!({ "input": {
            "branch": { "repositoryNameWithOwner": REPOSITORY, "branchName": "topic" },
            "message": { "headline": "Write" }, "expectedHeadOid": expected,
            "fileChanges": { "additions": [{ "path": "c", "contents": "aGVsbG8=" }], "deletions": [{ "path": "a" }] },
        } })
    };
    let body = forge.graphql(query, input(tip.as_str())).await?;
    assert_eq!(body["data"]["createCommitOnBranch"]["commit"]["messageHeadline"], "Write", "{body}");
    assert_eq!(forge.sandbox.read_file(REPOSITORY, "topic", "c").await?.as_deref(), Some("hello"));
    assert_eq!(forge.sandbox.read_file(REPOSITORY, "topic", "a").await?, None);
    let body = forge.graphql(query, input(tip.as_str())).await?;
    assert_eq!(body["errors"][0]["type"], "STALE_DATA");
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_to_authenticate() -> Result<()> {
    let forge = Forge::start().await?;
    let url = format!("{}/graphql", forge.sandbox.url());
    let (status, _) =
        read(forge.http.post(url).json(&json!({ "query": "{ viewer { login } }" })).send().await?).await?;
    assert_eq!(status, 401);
    let (status, _) = forge.send(Method::GET, "/graphql", json!({})).await?;
    assert_eq!(status, 405);
    Ok(())
}
