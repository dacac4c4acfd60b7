//! The requests that came to one server, and the faults that meet those to come.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};

use super::{Action, Fault, Gate, fault::Rule};

/// A request that a client made; those to `/_sim` are not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its place in the order of arrival, from 0.
    pub number: u64,
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// What followed the question mark; empty without one.
    pub query: String,
    /// What the client calls itself; empty when it does not.
    pub user_agent: String,
    /// Whether it sent credentials of any kind.
    pub authorized: bool,
    /// The fields at the top of a GraphQL document, such as `enablePullRequestAutoMerge`.
    pub operations: Vec<String>,
    /// Whether it asks to change something; asking for a token does not count.
    pub mutating: bool,
    /// The status of the answer; `None` while there is none, and when the connection was cut.
    pub status: Option<u16>,
    /// The fault that met it.
    pub fault: Option<Action>,
}

/// The record of one server, which all who hold it share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    kept: Arc<Mutex<Kept>>,
    gate: Gate,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Recorded>,
    rules: Vec<Rule>,
    arrived: u64,
}

/// How many requests are remembered; a sandbox that stays up for days shall not grow by its record.
const MOST_RECORDED: usize = 10_000;

impl Recorded {
    /// A request that has just come, as far as its head tells.
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        Self {
            number: 0,
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            user_agent: user_agent(headers),
            authorized: headers.contains_key(header::AUTHORIZATION),
            operations: Vec::new(),
            mutating: !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS),
            status: None,
            fault: None,
        }
    }
}

impl Record {
    /// Remembers a request, forgets the oldest of too many, and gives its number and the fault that meets it.
    pub(crate) fn arrive(&self, mut request: Recorded) -> (u64, Option<Action>) {
        let mut kept = self.kept();
        let number = kept.arrived;
        kept.arrived += 1;
        // Every fault counts the request, also when another one decides.
        let mut action = None;
        for rule in &mut kept.rules {
            let met = rule.meet(&request);
            action = action.or(met);
        }
        request.number = number;
        request.fault.clone_from(&action);
        kept.requests.push_back(request);
        if kept.requests.len() > MOST_RECORDED {
            kept.requests.pop_front();
        }
        (number, action)
    }

    /// Remembers how a request was answered.
    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        let mut kept = self.kept();
        if let Some(one) = kept.requests.iter_mut().rev().find(|one| one.number == number) {
            one.status = Some(status.as_u16());
        }
    }

    /// All requests that are remembered, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.kept().requests.iter().cloned().collect()
    }

    /// Forgets all requests so far.
    pub(crate) fn clear_requests(&self) {
        self.kept().requests.clear();
    }

    /// Adds a fault for requests to come.
    pub(crate) fn add_fault(&self, fault: Fault) {
        self.kept().rules.push(Rule::new(fault));
    }

    /// All faults, also those whose time has passed.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.kept().rules.iter().map(|rule| rule.fault().clone()).collect()
    }

    /// Nothing goes wrong any more.
    pub(crate) fn clear_faults(&self) {
        self.kept().rules.clear();
    }

    /// Who is let in at all.
    pub(crate) const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What is done while it is held must be short.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn user_agent(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
