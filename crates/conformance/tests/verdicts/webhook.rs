//! Payloads of webhooks.

use conformance::webhook;
use sandbox::Delivered;
use serde_json::{Value, json};

fn check(event: &str, action: Option<&str>, payload: Value, expected: &str) {
    let delivered = Delivered {
        id: 1,
        guid: String::new(),
        event: event.to_owned(),
        action: action.map(str::to_owned),
        repository: "acme/trinity".parse().expect("a name of a repository"),
        status: None,
        error: None,
        duration_ms: 0,
        redelivery: false,
        payload,
    };
    let complaints = webhook::complaints(&delivered);
    assert!(complaints.iter().any(|complaint| complaint.contains(expected)), "{complaints:#?}");
}

#[test]
fn a_payload_that_github_would_not_send_is_found() {
    check("push", None, json!({ "ref": 1 }), "webhook push: at ``: \"before\" is a required property");
    check("check_run", Some("created"), json!({ "action": 1 }), "webhook check_run-created: at `/action`: 1 is not");
    check("pull_request", Some("opened"), json!({ "action": "closed" }), "the payload says Some(\"closed\")");
    check("pull_request", Some("opened"), json!({ "action": "opened" }), "\"number\" is a required property");
    check("pull_request", Some("begun"), json!({ "action": "begun" }), "no such event");
}
