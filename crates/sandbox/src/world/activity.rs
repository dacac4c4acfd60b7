//! What happened to branches, as GitHub lists it.

use chrono::{DateTime, Utc};

use crate::git::Oid;

/// A branch that was moved (`GET /repos/{owner}/{repo}/activity`).
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) id: u64,
    pub(crate) branch: String,
    pub(crate) before: Option<Oid>,
    pub(crate) after: Option<Oid>,
    /// Whether it lost commits by it.
    pub(crate) forced: bool,
    pub(crate) actor: String,
    pub(crate) at: DateTime<Utc>,
}

impl Activity {
    /// GitHub's word for it. A merge of a pull request is told as a push.
    pub(crate) const fn kind(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "branch_creation",
            (_, None) => "branch_deletion",
            _ if self.forced => "force_push",
            _ => "push",
        }
    }
}
