//! REST, by the `OpenAPI` description.

mod operation;

use percent_encoding::percent_decode_str;
use sandbox::{Answered, Exchange, Recorded};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{
    judge::{self, Verdict},
    schemas::OPERATIONS,
};
use operation::{Operation, Parameter};

/// What is asked for and is not in the reduced description, with the reason why that is right.
pub const OUTSIDE: [(&str, &str, &str); 6] = [
    ("GET", "/user", "who a personal token belongs to; the tests of the sandbox ask, our code does not"),
    (
        "GET",
        "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        "looking for a comment of ours; the reduced description has only how one is made",
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/git/blobs/{file_sha}",
        "reading what GraphQL can not tell whole; the reduced description has no blobs",
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/commits",
        "the history of a branch; the reduced description has commits one by one, and each is rendered alike",
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        "which pull request made a commit; the reduced description has only the commit itself",
    ),
    ("GET", "/app/hook/deliveries/{delivery_id}", "one delivery; the tests of the sandbox ask, our code does not"),
];

/// What the builders of `octocrab` say once more, how the path ends and the name, and GitHub ignores.
///
/// It is in the query or in the body. Our own code sends none of them; the sandbox's tests let `octocrab` read its answers.
pub const SAID_TWICE: [(&str, &str); 4] = [
    ("/pulls/{pull_number}", "pull_number"),
    ("/check-runs/{check_run_id}", "check_run_id"),
    ("/compare/{basehead}", "base"),
    ("/compare/{basehead}", "head"),
];

/// What any operation may answer, documented for it or not.
///
/// It is not modified, the JSON is malformed, credentials are bad or missing, a permission is missing, a limit is
/// spent, or the caller may not see it
/// (<https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api>).
pub const ANSWERED_ANYWHERE: [u16; 6] = [304, 400, 401, 403, 404, 429];

/// Keys that answers have and the description leaves out: how the path ends, the end of the key's place, and why.
pub const ANSWERED_BESIDES: [(&str, &str, &str); 3] = [
    ("", "/status", "every error repeats its status, and only the schema of some errors says so"),
    ("/app/installations", "/client_id", "the schema of one installation has it, the list's own copy has not"),
    (
        "/app/installations",
        "/permissions/attestations",
        "the schema of permissions has it, the list's own copy has not",
    ),
];

/// The schema of an error.
const ERROR: &str = "/components/schemas/basic-error";

/// Judges a request, and the answer where the sandbox gave one.
#[must_use]
pub fn judge(exchange: &Exchange, answer: Option<&Answered>) -> Verdict {
    let request = &exchange.request;
    let is_refused = answer.is_some_and(|answer| answer.status >= 400);
    // A longer path is looked for first: a reference may have slashes, so that a commit's description fits it too.
    if OUTSIDE.iter().any(|(method, path, _)| *method == request.method && fits(path, &request.path)) {
        return Verdict { request: Vec::new(), answer: Vec::new(), is_refused };
    }
    let Some(operation) = Operation::find(&request.method, &request.path) else {
        let unknown = "GitHub's description has no such operation".to_owned();
        return Verdict { request: vec![unknown], answer: Vec::new(), is_refused };
    };
    let mut wrong = query_complaints(&operation, request);
    wrong.extend(body_complaints(&operation, &exchange.sent));
    let answered = answer.map(|answer| answer_complaints(&operation, answer)).unwrap_or_default();
    Verdict { request: wrong, answer: answered, is_refused }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(path).all(|(one, other)| one.starts_with('{') || *one == other)
}

fn query_complaints(operation: &Operation, request: &Recorded) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
        match operation.parameters.iter().find(|it| it.place == "query" && it.name == name) {
            Some(parameter) => complaints.extend(parameter_complaints(parameter, &value)),
            None if operation.says_twice(&name) => {}
            None => complaints.push(format!("`{name}` is no parameter of the query")),
        }
    }
    for (name, value) in &operation.captured {
        let value = percent_decode_str(value).decode_utf8_lossy();
        if let Some(parameter) = operation.parameters.iter().find(|it| it.place == "path" && it.name == *name) {
            complaints.extend(parameter_complaints(parameter, &value));
        }
    }
    complaints
}

/// A parameter is text; the schema is about what the text means.
fn parameter_complaints(parameter: &Parameter, text: &str) -> Vec<String> {
    let meant = match parameter.of.as_deref() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or(Value::String(text.to_owned())),
        _ => Value::String(text.to_owned()),
    };
    let complaints = OPERATIONS.complaints(&parameter.schema, &meant);
    complaints.into_iter().map(|complaint| format!("parameter `{}` {complaint}", parameter.name)).collect()
}

fn body_complaints(operation: &Operation, sent: &[u8]) -> Vec<String> {
    let Some(schema) = &operation.body else {
        return Vec::new();
    };
    if sent.is_empty() {
        let missing = operation.needs_body.then(|| "the body is missing".to_owned());
        return missing.into_iter().collect();
    }
    let Ok(body) = serde_json::from_slice::<Value>(sent) else {
        return vec!["the body is not JSON".to_owned()];
    };
    let mut complaints = OPERATIONS.complaints(schema, &body);
    // GitHub ignores what it does not know, which is not what one wants who sends it.
    let surplus = OPERATIONS.surplus(schema, &body);
    let surplus = surplus.into_iter().filter(|key| !operation.says_twice(key.trim_start_matches('/')));
    complaints.extend(surplus.map(|key| format!("`{key}` is no key of the body")));
    complaints.into_iter().map(|complaint| format!("request {complaint}")).collect()
}

fn answer_complaints(operation: &Operation, answer: &Answered) -> Vec<String> {
    let schema = match operation.answers.get(&answer.status) {
        // The description says of some refusals no more than that they exist.
        Some(None) if answer.status >= 400 => Some(ERROR.to_owned()),
        Some(schema) => schema.clone(),
        None if answer.status == 304 => None,
        None if ANSWERED_ANYWHERE.contains(&answer.status) => Some(ERROR.to_owned()),
        None => return vec!["GitHub does not answer this status here".to_owned()],
    };
    let Some(schema) = schema else {
        let said = (!answer.body.is_empty()).then(|| "the answer has a body, and GitHub's has none".to_owned());
        return said.into_iter().collect();
    };
    if !answer.content_type.starts_with("application/json") {
        let is_other = operation.media.iter().any(|media| answer.content_type.starts_with(media.as_str()));
        let complaint = (!is_other).then(|| format!("GitHub does not answer {}", answer.content_type));
        return complaint.into_iter().collect();
    }
    match judge::json(answer) {
        Some(body) => {
            let complaints = OPERATIONS.complaints(&schema, &body);
            let surplus = OPERATIONS.surplus(&schema, &body);
            let surplus = surplus.into_iter().filter(|key| !is_left_out(operation, answer.status, key));
            let surplus = surplus.map(|key| format!("at `{key}`: GitHub has no such key"));
            complaints.into_iter().chain(surplus).map(|complaint| format!("answer {complaint}")).collect()
        }
        None => vec!["the answer is not JSON".to_owned()],
    }
}

fn is_left_out(operation: &Operation, status: u16, key: &str) -> bool {
    ANSWERED_BESIDES.iter().any(|(path, ending, _)| {
        let is_meant = if path.is_empty() { status >= 400 } else { operation.template.ends_with(path) };
        is_meant && key.ends_with(ending)
    })
}

/// The members of an object in the description.
fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
