//! Documents, variables and answers of GraphQL.

use conformance::{Asker, graphql, judge};
use serde_json::{Value, json};

use crate::rest::exchange;

const ARM: &str = "mutation Arm($input: EnablePullRequestAutoMergeInput!) { \
     enablePullRequestAutoMerge(input: $input) { pullRequest { number mergedBy { login } ... on Node { id } } } }";

fn check(query: &str, variables: &Value, expected: &[&str]) {
    let complaints = graphql::complaints(&json!({ "query": query, "variables": variables }));
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
    for (complaint, words) in complaints.iter().zip(expected) {
        assert!(complaint.contains(words), "{complaint} lacks {words}");
    }
}

fn input(method: &str) -> Value {
    json!({ "input": { "pullRequestId": "PR_1", "mergeMethod": method } })
}

#[test]
fn a_document_that_github_understands_is_right() {
    check(ARM, &input("SQUASH"), &[]);
    check("{ viewer { login } }", &Value::Null, &[]);
}

#[test]
fn a_field_an_argument_or_a_type_that_github_does_not_have_is_found() {
    check("{ viewer { login name_of } }", &Value::Null, &["name_of"]);
    check("{ repository(owner: \"a\", id: \"b\") { id } }", &Value::Null, &["name", "id"]);
    check("{ viewer { login } ", &Value::Null, &["syntax error"]);
    check("query Q($a: Text) { viewer { login } }", &Value::Null, &["Text", "unused"]);
    check("{ viewer }", &Value::Null, &["subselection"]);
}

#[test]
fn the_value_of_a_variable_that_github_does_not_take_is_found() {
    check(ARM, &input("squash"), &["the variables:"]);
    check(ARM, &json!({ "input": { "mergeMethod": "SQUASH" } }), &["the variables:"]);
    check(ARM, &json!({ "input": { "pullRequestId": "PR_1", "jump": true } }), &["the variables:"]);
    check(ARM, &json!({}), &["the variables:"]);
    check("{ viewer { login } }", &json!({ "extra": 1 }), &["`extra` is not declared"]);
}

fn answered(data: &Value, expected: &[&str]) {
    let sent = json!({ "query": ARM, "variables": input("SQUASH") });
    let complaints = judge::exchange(&exchange(("POST", "/graphql"), &sent, 200, data), Asker::OurCode);
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
    for (complaint, words) in complaints.iter().zip(expected) {
        assert!(complaint.contains(words), "{complaint} lacks {words}");
    }
}

fn shown(pull_request: &Value) -> Value {
    json!({ "data": { "enablePullRequestAutoMerge": { "pullRequest": pull_request } } })
}

#[test]
fn an_answer_that_the_document_and_the_schema_allow_is_right() {
    answered(&shown(&json!({ "number": 1, "mergedBy": { "login": "a" }, "id": "PR_1" })), &[]);
    answered(&shown(&json!({ "number": 1, "mergedBy": null, "id": "PR_1" })), &[]);
    answered(&shown(&Value::Null), &[]);
    let refusal = json!([{ "type": "UNPROCESSABLE", "message": "no" }]);
    answered(&json!({ "data": { "enablePullRequestAutoMerge": null }, "errors": refusal }), &[]);
    answered(&json!({ "errors": refusal }), &[]);
}

#[test]
fn an_answer_that_the_document_or_the_schema_does_not_allow_is_found() {
    answered(&shown(&json!({ "number": 1, "mergedBy": null })), &["`id` is missing"]);
    answered(&shown(&json!({ "number": null, "mergedBy": null, "id": "PR_1" })), &["number`: it is null"]);
    answered(&shown(&json!({ "number": "1", "mergedBy": null, "id": "PR_1" })), &["\"1\" is no Int"]);
    answered(&shown(&json!({ "number": 1, "mergedBy": [], "id": "PR_1" })), &["is not an object"]);
    let more = json!({ "number": 1, "mergedBy": null, "id": "PR_1", "title": "x" });
    answered(&shown(&more), &["title`: it was not asked for"]);
    answered(&json!({}), &["there is neither data nor an error"]);
    answered(&json!({ "data": null, "errors": [] }), &["it is not a list of at least one"]);
    answered(&json!({ "errors": [{ "type": "NOT_FOUND" }] }), &["there is no message"]);
    let code = json!({ "errors": [{ "message": "no", "extensions": { "code": "undefinedField" } }] });
    answered(&code, &["it refuses a document that GitHub understands"]);
}
