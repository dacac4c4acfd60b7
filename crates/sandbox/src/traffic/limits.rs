//! How much may be asked: the primary limit of an hour for each resource, and the secondary ones for what makes
//! content (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).

use std::collections::{BTreeMap, VecDeque};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How much may be asked, by each installation and each person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// REST requests in an hour.
    pub core: u64,
    /// GraphQL requests in an hour.
    pub graphql: u64,
    /// Requests that change something, in a minute; `None` for as many as there are.
    pub changes_per_minute: Option<u64>,
    /// The same in an hour.
    pub changes_per_hour: Option<u64>,
    /// Whether who makes too many changes is told for how long to wait.
    pub retry_after: bool,
}

/// How much somebody has asked for in this hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// REST requests.
    pub core: u64,
    /// GraphQL requests.
    pub graphql: u64,
    /// Requests that were refused by any limit.
    pub refused: u64,
}

/// What is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Core,
    GraphQl,
}

/// What everybody has asked for.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    pub(crate) limits: Limits,
    /// Which hour is counted: when it ends, in seconds since the epoch.
    hour: i64,
    used: BTreeMap<String, Used>,
    changes: BTreeMap<String, VecDeque<i64>>,
}

/// How much is left of a resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) reset: i64,
}

impl Default for Limits {
    /// What an installation may ask; the secondary limits are off, so that a test may do much at once.
    fn default() -> Self {
        Self { core: 5000, graphql: 5000, changes_per_minute: None, changes_per_hour: None, retry_after: true }
    }
}

impl Resource {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::GraphQl => "graphql",
        }
    }
}

impl Buckets {
    /// The refusal of a request, when it is one too many. `now` and `reset` are in seconds since the epoch.
    pub(super) fn admit(
        &mut self,
        who: &str,
        (resource, changes): (Resource, bool),
        (now, reset): (i64, i64),
    ) -> Option<Response> {
        self.enter(reset);
        let left = self.left(who, resource);
        let refusal = if left.used >= left.limit {
            Some(exceeded(who, resource))
        } else if changes {
            self.slow_down(who, now)
        } else {
            None
        };
        if refusal.is_some() {
            self.used.entry(who.to_owned()).or_default().refused += 1;
        }
        refusal
    }

    /// Counts a request that was answered.
    pub(super) fn count(&mut self, who: &str, resource: Resource, cost: u64) {
        let used = self.used.entry(who.to_owned()).or_default();
        match resource {
            Resource::Core => used.core += cost,
            Resource::GraphQl => used.graphql += cost,
        }
    }

    /// How much is left to somebody.
    pub(super) fn left(&self, who: &str, resource: Resource) -> Left {
        let used = self.used.get(who).cloned().unwrap_or_default();
        let (limit, used) = match resource {
            Resource::Core => (self.limits.core, used.core),
            Resource::GraphQl => (self.limits.graphql, used.graphql),
        };
        Left { limit, used, reset: self.hour }
    }

    /// What everybody has asked for in this hour.
    pub(crate) fn used(&self) -> BTreeMap<String, Used> {
        self.used.clone()
    }

    /// Begins to count anew when another hour has begun.
    pub(super) fn enter(&mut self, reset: i64) {
        if self.hour != reset {
            self.hour = reset;
            self.used.clear();
        }
    }

    /// Counts a change, or refuses it.
    fn slow_down(&mut self, who: &str, now: i64) -> Option<Response> {
        let changes = self.changes.entry(who.to_owned()).or_default();
        changes.retain(|at| *at > now - HOUR);
        for (limit, seconds) in [(self.limits.changes_per_minute, MINUTE), (self.limits.changes_per_hour, HOUR)] {
            let recent: Vec<i64> = changes.iter().copied().filter(|at| *at > now - seconds).collect();
            let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { continue };
            if recent.len() >= limit {
                let wait = recent.first().map_or(seconds, |oldest| oldest + seconds - now);
                return Some(too_fast(self.limits.retry_after.then_some(wait)));
            }
        }
        changes.push_back(now);
        None
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

const DOCUMENTATION: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";

/// The primary limit; GraphQL says it with a good status
/// (<https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
fn exceeded(who: &str, resource: Resource) -> Response {
    let message = format!("API rate limit exceeded for {who}.");
    match resource {
        Resource::Core => {
            let body = json!({ "message": message, "documentation_url": DOCUMENTATION, "status": "403" });
            (StatusCode::FORBIDDEN, Json(body)).into_response()
        }
        Resource::GraphQl => {
            Json(json!({ "errors": [{ "type": "RATE_LIMITED", "message": message }] })).into_response()
        }
    }
}

/// A secondary limit.
fn too_fast(retry_after: Option<i64>) -> Response {
    let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let body = json!({ "message": message, "documentation_url": DOCUMENTATION, "status": "403" });
    let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
