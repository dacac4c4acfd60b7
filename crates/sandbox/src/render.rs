//! The JSON of GitHub's REST interface and webhooks.
//!
//! Objects are always complete, as the published schemas ask: a client that reads one field more finds it.

pub(crate) mod app;
pub(crate) mod check;
pub(crate) mod commit;
pub(crate) mod pull_request;
pub(crate) mod repository;
pub(crate) mod rules;
pub(crate) mod user;

use chrono::{DateTime, Utc};

/// A time as GitHub writes it.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The GraphQL identifier of something, from its kind and number.
pub(crate) fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_kwDOSB{id:08x}")
}

/// The number in a GraphQL identifier of a kind.
pub(crate) fn id_of_node(kind: &str, node_id: &str) -> Option<u64> {
    let digits = node_id.strip_prefix(kind)?.strip_prefix("_kwDOSB")?;
    u64::from_str_radix(digits, 16).ok()
}
