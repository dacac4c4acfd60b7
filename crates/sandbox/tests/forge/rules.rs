//! Rulesets, as REST and GraphQL show them and as merges feel them.

use anyhow::Result;
use reqwest::Method;
use sandbox::{MergeQueue, Method as MergeMethod, Push, Rules};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, is_known_refusal};

#[tokio::test]
async fn a_ruleset_is_shown_rule_by_rule() -> Result<()> {
    let forge = Forge::start().await?;
    let path = format!("/repos/{REPOSITORY}/rules/branches/main");
    assert_eq!(forge.get(&path).await?, (200, json!([])));
    let rules = Rules {
        required_checks: vec!["lint".to_owned()],
        strict: true,
        required_approving_reviews: 1,
        allowed_merge_methods: Some(vec![MergeMethod::Squash]),
        required_signatures: true,
        merge_queue: Some(MergeQueue::default()),
        ..Rules::default()
    };
    forge.sandbox.set_rules(REPOSITORY, "main", Some(rules)).await?;
    let (_, listed) = forge.get(&path).await?;
    let kinds: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|rule| rule["type"].as_str()).collect();
    assert_eq!(kinds, ["required_status_checks", "pull_request", "required_signatures", "merge_queue"]);
    assert_eq!(listed[0]["parameters"]["required_status_checks"], json!([{ "context": "lint" }]));
    assert_eq!(listed[1]["parameters"]["allowed_merge_methods"], json!(["squash"]));

    let query = "{ repository(owner: \"acme\", name: \"trinity\") { ref(qualifiedName: \"main\") {
      refUpdateRule { requiredStatusCheckContexts requiredApprovingReviewCount }
      rules(first: 10) { nodes { type parameters {
        __typename
        ... on RequiredStatusChecksParameters { requiredStatusChecks { context } strictRequiredStatusChecksPolicy }
        ... on PullRequestParameters { requiredApprovingReviewCount } } } } } } }";
    let body = forge.graphql(query, json!({})).await?;
    let shown = &body["data"]["repository"]["ref"];
    assert_eq!(shown["refUpdateRule"]["requiredStatusCheckContexts"], json!(["ci"]), "{body}");
    let nodes = &shown["rules"]["nodes"];
    assert_eq!(nodes[0]["parameters"]["requiredStatusChecks"], json!([{ "context": "lint" }]));
    assert_eq!(nodes[1]["parameters"]["requiredApprovingReviewCount"], json!(1));
    assert_eq!((&nodes[2]["type"], &nodes[2]["parameters"]), (&json!("REQUIRED_SIGNATURES"), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn each_rule_stands_in_the_way_of_a_merge() -> Result<()> {
    let forge = Forge::start().await?;
    let (number, _) = forge.pull_request("topic").await?;
    forge.sandbox.protect(REPOSITORY, "main", None).await?;
    let merge = async |rules: Rules, method: &str| {
        forge.sandbox.set_rules(REPOSITORY, "main", Some(rules)).await?;
        let path = format!("/repos/{REPOSITORY}/pulls/{number}/merge");
        let (_, body) = forge.send(Method::PUT, &path, json!({ "merge_method": method })).await?;
        let said = body["message"].as_str().unwrap_or_default();
        assert!(body["merged"] == true || is_known_refusal(said), "{said}");
        anyhow::Ok(said.to_owned())
    };
    let checks = Rules { required_checks: vec!["ci".to_owned()], ..Rules::default() };
    assert_eq!(merge(checks, "squash").await?, "Required status check \"ci\" is expected.");
    let reviews = Rules { required_approving_reviews: 1, ..Rules::default() };
    assert!(merge(reviews, "squash").await?.starts_with("At least 1 approving review is required"));
    let methods = Rules { allowed_merge_methods: Some(vec![MergeMethod::Rebase]), ..Rules::default() };
    assert_eq!(merge(methods, "squash").await?, "Squash merges are not allowed on this repository.");
    let signatures = Rules { required_signatures: true, ..Rules::default() };
    assert_eq!(merge(signatures, "squash").await?, "Commits must have verified signatures.");
    forge.sandbox.push(REPOSITORY, Push::new("main", [("b", "c")])).await?;
    let strict = Rules { strict: true, ..Rules::default() };
    assert!(merge(strict, "squash").await?.starts_with("Head branch is out of date"));
    assert_eq!(merge(Rules::default(), "squash").await?, "Pull Request successfully merged");
    Ok(())
}

#[tokio::test]
async fn checks_say_whether_they_are_required() -> Result<()> {
    let forge = Forge::start().await?;
    let (number, head) = forge.pull_request("topic").await?;
    for (name, kind) in [("ci", sandbox::Kind::CheckRun), ("extra", sandbox::Kind::Status)] {
        let report = sandbox::Report { name: name.to_owned(), outcome: sandbox::Outcome::Pending, kind };
        forge.sandbox.set_check(REPOSITORY, &head, report).await?;
    }
    let query = "query($number: Int!) { repository(owner: \"acme\", name: \"trinity\") {
      pullRequest(number: $number) { commits(last: 1) { nodes { commit { statusCheckRollup { state
        contexts(first: 10) { nodes {
          ... on CheckRun { name status conclusion isRequired(pullRequestNumber: $number) }
          ... on StatusContext { context state isRequired(pullRequestNumber: $number) } } } } } } } } } }";
    let body = forge.graphql(query, json!({ "number": number })).await?;
    let rollup = &body["data"]["repository"]["pullRequest"]["commits"]["nodes"][0]["commit"]["statusCheckRollup"];
    assert_eq!(
        rollup["contexts"]["nodes"],
        json!([
            { "name": "ci", "status": "IN_PROGRESS", "conclusion": null, "isRequired": true },
            { "context": "extra", "state": "PENDING", "isRequired": false },
        ]),
        "{body}"
    );
    Ok(())
}
