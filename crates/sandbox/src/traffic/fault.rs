//! Faults: what goes wrong, and for which requests.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Recorded;

/// A thing that goes wrong for some requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The requests that it meets.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// What happens to them.
    #[serde(rename = "do")]
    pub action: Action,
}

/// Which requests a fault meets; what is not said matches all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// The method, such as `POST`.
    pub method: Option<String>,
    /// How the path begins.
    pub path: Option<String>,
    /// A field at the top of a GraphQL document, such as `enablePullRequestAutoMerge`.
    pub operation: Option<String>,
    /// From which of the matching requests on, from 1.
    pub nth: u64,
    /// For how many requests.
    pub times: u64,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// It is answered so, without effect.
    Answer(Answer),
    /// It has its effect, and is answered so.
    ApplyThenAnswer(Answer),
    /// It waits first.
    Delay {
        /// How long.
        milliseconds: u64,
    },
    /// The connection is cut before it has an effect.
    DropBefore,
    /// It has its effect, and the connection is cut in place of the answer.
    ApplyThenDrop,
    /// It has its effect, and the connection is cut in the middle of the answer's body.
    Truncate {
        /// How much of the body comes, in bytes; at most all but the last one.
        bytes: usize,
    },
    /// A read is answered as it was before the last change that it would show, as by a replica that is behind. A
    /// request that was not answered otherwise before, and one that is no read, is answered as it should be.
    StaleRead,
}

/// An answer that the server did not give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body: a text as it is, anything else as JSON; `null` for an error in the form that the server's clients know.
    #[serde(default)]
    pub body: Value,
    /// Its headers, such as `retry-after`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A fault and how many requests it has met.
#[derive(Debug)]
pub(super) struct Rule {
    fault: Fault,
    met: u64,
}

impl Fault {
    /// A fault for as many requests as `matching` says.
    #[must_use]
    pub const fn new(matching: Match, action: Action) -> Self {
        Self { matching, action }
    }

    /// Answers the next `times` requests whose path begins so with a status and headers, and no effect.
    #[must_use]
    pub fn answer(path: &str, times: u64, status: u16, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::new(Match::path(path, times), Action::Answer(Answer { status, body: Value::Null, headers }))
    }

    /// Holds the next `times` requests whose path begins so.
    #[must_use]
    pub fn delay(path: &str, times: u64, duration: Duration) -> Self {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::new(Match::path(path, times), Action::Delay { milliseconds })
    }
}

impl Rule {
    /// A fault that has met no request yet.
    pub(super) const fn new(fault: Fault) -> Self {
        Self { fault, met: 0 }
    }

    /// The fault.
    pub(super) const fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Counts a request that matches, and gives what happens to it when it is one of those that are meant.
    pub(super) fn meet(&mut self, request: &Recorded) -> Option<Action> {
        let matching = &self.fault.matching;
        if !matching.meets(request) {
            return None;
        }
        self.met += 1;
        let last = matching.nth.saturating_add(matching.times);
        (matching.nth..last).contains(&self.met).then(|| self.fault.action.clone())
    }
}

impl Match {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this method whose path begins so.
    #[must_use]
    pub fn request(method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..Self::default() }
    }

    /// GraphQL requests with this field at the top.
    #[must_use]
    pub fn operation(name: &str) -> Self {
        Self { operation: Some(name.to_owned()), ..Self::default() }
    }

    fn path(path: &str, times: u64) -> Self {
        Self { path: Some(path.to_owned()), times, ..Self::default() }
    }

    fn meets(&self, request: &Recorded) -> bool {
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && self.path.as_ref().is_none_or(|path| request.path.starts_with(path))
            && self.operation.as_ref().is_none_or(|name| request.operations.contains(name))
    }
}

impl Default for Match {
    fn default() -> Self {
        Self { method: None, path: None, operation: None, nth: 1, times: 1 }
    }
}

impl Action {
    /// What a proxy in front of the forge answers when there is nothing behind it: a page, without effect.
    #[must_use]
    pub fn bad_gateway() -> Self {
        Self::Answer(Answer::bad_gateway())
    }

    /// An answer with a status and a message in GitHub's form.
    #[must_use]
    pub fn answer(status: u16, message: &str) -> Self {
        Self::Answer(Answer { status, body: body(status, message), headers: BTreeMap::new() })
    }
}

impl Answer {
    /// The page of a proxy that has nothing behind it.
    #[must_use]
    pub fn bad_gateway() -> Self {
        let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1></center>\n</body>\n</html>\n";
        let headers = BTreeMap::from([("content-type".to_owned(), "text/html".to_owned())]);
        Self { status: 502, body: Value::String(page.to_owned()), headers }
    }
}

/// The body of an error as GitHub writes it.
pub(super) fn body(status: u16, message: &str) -> Value {
    serde_json::json!({ "message": message, "status": status.to_string() })
}
