//! Which description an exchange is judged by, and who may be wrong.

use sandbox::{Action, Answered, Exchange, Recorded};
use serde_json::Value;

use crate::{graphql, rest};

/// Who speaks to a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Our own code: every request has to be right.
    OurCode,
    /// A test, which may be wrong on purpose: a wrong request has to be refused.
    ATest,
}

/// What is wrong with a request and with its answer.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What GitHub would not understand.
    pub request: Vec<String>,
    /// What GitHub would not answer.
    pub answer: Vec<String>,
    /// Whether the request was refused.
    pub is_refused: bool,
}

/// All complaints about a request of our own code to something that is not the sandbox.
///
/// The target is a path, with or without a query.
#[must_use]
pub fn request(method: &str, target: &str, sent: &[u8]) -> Vec<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Recorded {
        number: 0,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        user_agent: String::new(),
        authorized: true,
        operations: Vec::new(),
        mutating: false,
        status: None,
        fault: None,
    };
    exchange(&Exchange { request, sent: sent.to_vec().into(), answer: None }, Asker::OurCode)
}

/// All complaints about an exchange, each with the request that it is about.
#[must_use]
pub fn exchange(exchange: &Exchange, asker: Asker) -> Vec<String> {
    let answer = exchange.answer.as_ref().filter(|_| !is_made_up(exchange));
    let verdict = if exchange.request.path.ends_with("/graphql") {
        graphql::judge(&exchange.sent, answer)
    } else {
        rest::judge(exchange, answer)
    };
    let request = &exchange.request;
    let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
    let line = format!("{} {} {} {status}", request.method, request.path, request.query);
    let is_fair = asker == Asker::ATest && (verdict.is_refused || answer.is_none());
    let wrong = if is_fair { Vec::new() } else { verdict.request };
    wrong.into_iter().chain(verdict.answer).map(|complaint| format!("{line}: {complaint}")).collect()
}

/// Whether a test dictated the answer, which says nothing of the sandbox then.
fn is_made_up(exchange: &Exchange) -> bool {
    matches!(exchange.request.fault, Some(Action::Answer(_) | Action::ApplyThenAnswer(_)))
}

/// The body of an answer that is JSON.
pub(crate) fn json(answer: &Answered) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}
