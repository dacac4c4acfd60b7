//! Requests and answers of REST.

use conformance::{Asker, judge};
use sandbox::{Action, Answered, Exchange, Recorded};
use serde_json::{Value, json};

/// An exchange; the target is a path with or without a query.
pub(crate) fn exchange((method, target): (&str, &str), sent: &Value, status: u16, answer: &Value) -> Exchange {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let text = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
    Exchange {
        request: Recorded {
            number: 0,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            user_agent: String::new(),
            authorized: true,
            operations: Vec::new(),
            mutating: false,
            status: Some(status),
            fault: None,
        },
        sent: text(sent).into(),
        answer: Some(Answered { status, content_type: "application/json".to_owned(), body: text(answer).into() }),
    }
}

/// The complaints when our code asks, each of which has to hold the words expected.
fn check(line: (&str, &str), sent: &Value, (status, answer): (u16, &Value), expected: &[&str]) {
    let complaints = judge::exchange(&exchange(line, sent, status, answer), Asker::OurCode);
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
    for (complaint, words) in complaints.iter().zip(expected) {
        assert!(complaint.contains(words), "{complaint} lacks {words}");
    }
}

fn reference() -> Value {
    let object = json!({ "type": "commit", "sha": "1".repeat(40), "url": "http://127.0.0.1/o" });
    json!({ "ref": "refs/heads/a/b", "node_id": "R_1", "url": "http://127.0.0.1/r", "object": object })
}

const REFERENCE: (&str, &str) = ("GET", "/repos/acme/trinity/git/ref/heads/a/b");

#[test]
fn an_answer_that_github_would_give_is_right() {
    check(REFERENCE, &Value::Null, (200, &reference()), &[]);
    check(REFERENCE, &Value::Null, (404, &json!({ "message": "Not Found" })), &[]);
    check(("GET", "/repositories/7/git/ref/heads/a"), &Value::Null, (200, &reference()), &[]);
    check(("DELETE", "/repos/acme/trinity/git/refs/heads/a"), &Value::Null, (204, &Value::Null), &[]);
}

#[test]
fn an_answer_with_a_field_missing_or_of_another_type_is_found() {
    let mut answer = reference();
    answer["object"]["sha"] = json!(7);
    check(REFERENCE, &Value::Null, (200, &answer), &["at `/object/sha`: 7 is not of type"]);
    answer["object"] = Value::Null;
    check(REFERENCE, &Value::Null, (200, &answer), &["at `/object`: null is not of type"]);
    check(REFERENCE, &Value::Null, (200, &json!([])), &["is not of type"]);
    let mut without = reference();
    without.as_object_mut().unwrap().remove("ref");
    check(REFERENCE, &Value::Null, (200, &without), &["\"ref\" is a required property"]);
    let mut address = reference();
    address["url"] = json!("/r");
    check(REFERENCE, &Value::Null, (200, &address), &["is not a \"uri\""]);
}

#[test]
fn a_key_that_github_does_not_have_is_found() {
    let mut answer = reference();
    answer["tip"] = json!(true);
    answer["object"]["size"] = json!(1);
    check(REFERENCE, &Value::Null, (200, &answer), &["`/object/size`: GitHub has no such key", "`/tip`: GitHub"]);
    let listing = ("GET", "/repos/acme/trinity/git/matching-refs/heads/a");
    check(listing, &Value::Null, (200, &json!([reference(), answer])), &["`/1/object/size`", "`/1/tip`"]);
    let refusal = json!({ "message": "no", "status": "404", "reason": "none" });
    check(REFERENCE, &Value::Null, (404, &refusal), &["`/reason`"]);
}

#[test]
fn a_status_that_the_operation_does_not_have_is_found() {
    check(REFERENCE, &Value::Null, (201, &reference()), &["GitHub does not answer this status here"]);
    let deleting = ("DELETE", "/repos/acme/trinity/git/refs/heads/a");
    check(deleting, &Value::Null, (204, &json!({})), &["the answer has a body"]);
    check(REFERENCE, &Value::Null, (404, &json!({ "message": 404 })), &["at `/message`"]);
}

#[test]
fn a_request_that_github_would_not_understand_is_found() {
    let opening = ("POST", "/repos/acme/trinity/pulls");
    let refusal = json!({ "message": "Validation Failed", "documentation_url": "http://127.0.0.1/", "errors": [] });
    let refused = (422, &refusal);
    check(opening, &json!({ "head": "a", "base": "b", "title": "c" }), refused, &[]);
    check(opening, &json!({ "head": "a" }), refused, &["\"base\" is a required property"]);
    check(opening, &json!({ "head": "a", "base": 1 }), refused, &["request at `/base`"]);
    check(opening, &json!({ "head": "a", "base": "b", "labels": [] }), refused, &["`/labels` is no key of the body"]);
    check(opening, &Value::Null, refused, &["the body is missing"]);
    let merging = ("PUT", "/repos/acme/trinity/pulls/1/merge");
    let done = json!({ "sha": "1".repeat(40), "merged": true, "message": "done" });
    check(merging, &json!({ "merge_method": "squash" }), (200, &done), &[]);
    check(merging, &json!({ "merge_method": "SQUASH" }), (200, &done), &["request at `/merge_method`"]);
}

#[test]
fn a_query_that_github_would_not_understand_is_found() {
    let list = |query: &str, expected: &[&str]| {
        check(("GET", &format!("/repos/acme/trinity/pulls{query}")), &Value::Null, (200, &json!([])), expected);
    };
    list("?state=open&head=acme:a&per_page=100", &[]);
    list("?state=merged", &["parameter `state`"]);
    list("?per_page=many", &["parameter `per_page`"]);
    list("?owner=acme", &["`owner` is no parameter of the query"]);
}

#[test]
fn an_operation_that_github_does_not_have_is_found() {
    let unknown = &["GitHub's description has no such operation"];
    check(("GET", "/repos/acme/trinity/tips"), &Value::Null, (200, &json!({})), unknown);
    check(("POST", "/user"), &Value::Null, (200, &json!({})), unknown);
    check(("GET", "/user"), &Value::Null, (200, &json!({})), &[]);
}

#[test]
fn a_test_may_be_wrong_when_it_is_refused() {
    let opening = ("POST", "/repos/acme/trinity/pulls");
    let refusal = json!({ "message": "Validation Failed", "documentation_url": "http://127.0.0.1/", "errors": [] });
    let refused = exchange(opening, &json!({}), 422, &refusal);
    assert!(judge::exchange(&refused, Asker::ATest).is_empty());
    assert!(!judge::exchange(&refused, Asker::OurCode).is_empty());
    let merging = ("PUT", "/repos/acme/trinity/pulls/1/merge");
    let done = json!({ "sha": "1".repeat(40), "merged": true, "message": "done" });
    let obeyed = exchange(merging, &json!({ "merge_method": "SQUASH" }), 200, &done);
    assert_eq!(judge::exchange(&obeyed, Asker::ATest).len(), 1);
}

#[test]
fn an_answer_that_a_test_dictated_is_not_judged() {
    let mut dictated = exchange(REFERENCE, &Value::Null, 201, &json!(7));
    dictated.request.fault = Some(Action::answer(201, "made up"));
    assert!(judge::exchange(&dictated, Asker::OurCode).is_empty());
}
