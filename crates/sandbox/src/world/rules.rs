//! What a branch asks of a change: its classic protection and its ruleset, added up.

use serde::{Deserialize, Serialize};

use crate::{
    git::Oid,
    world::{pull_request::Method, repository::Repository},
};

/// The rules of a branch's active ruleset
/// (<https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch>).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The checks that a commit needs, as statuses or check runs.
    pub required_checks: Vec<String>,
    /// Whether a pull request must contain the tip of the branch.
    pub strict: bool,
    /// Whether the branch only changes by pull request.
    pub require_pull_request: bool,
    /// How many people must approve a pull request.
    pub required_approving_reviews: u32,
    /// How pull requests may become part of the branch; `None` for every way.
    pub allowed_merge_methods: Option<Vec<Method>>,
    /// Whether every commit must be signed, as those are that GitHub makes itself.
    pub required_signatures: bool,
    /// How the branch's queue works; `None` without one.
    pub merge_queue: Option<MergeQueue>,
}

/// How a merge queue works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MergeQueue {
    /// How pull requests become part of the branch.
    pub method: Method,
    /// Whether a pull request with the order to merge goes into the queue by itself once it may.
    pub takes_armed: bool,
}

/// Everything that is asked of a change to a branch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    pub(crate) checks: Vec<String>,
    pub(crate) strict: bool,
    pub(crate) approvals: u32,
    pub(crate) by_pull_request: bool,
    pub(crate) signatures: bool,
    /// `None` for every method.
    pub(crate) methods: Option<Vec<Method>>,
    pub(crate) queue: Option<MergeQueue>,
}

impl Default for MergeQueue {
    fn default() -> Self {
        Self { method: Method::Squash, takes_armed: true }
    }
}

impl Repository {
    /// What a branch asks; `None` when it is neither protected nor has rules.
    pub(crate) fn demands(&self, branch: &str) -> Option<Demands> {
        let (protection, rules) = (self.protections.get(branch), self.rules.get(branch));
        if protection.is_none() && rules.is_none() {
            return None;
        }
        let mut demands = Demands::default();
        if let Some(protection) = protection {
            demands.checks.clone_from(&protection.required_checks);
            demands.strict = protection.strict;
            demands.approvals = protection.required_approving_reviews;
            demands.by_pull_request = protection.require_pull_request || demands.approvals > 0;
        }
        if let Some(rules) = rules {
            let new = rules.required_checks.iter().filter(|name| !demands.checks.contains(name));
            let new: Vec<String> = new.cloned().collect();
            demands.checks.extend(new);
            demands.strict |= rules.strict;
            demands.approvals = demands.approvals.max(rules.required_approving_reviews);
            demands.by_pull_request |= rules.require_pull_request || rules.required_approving_reviews > 0;
            demands.by_pull_request |= rules.merge_queue.is_some();
            demands.signatures = rules.required_signatures;
            demands.methods.clone_from(&rules.allowed_merge_methods);
            demands.queue = rules.merge_queue;
        }
        Some(demands)
    }

    /// The queue of a branch.
    pub(crate) fn queue_of(&self, branch: &str) -> Option<MergeQueue> {
        self.rules.get(branch).and_then(|rules| rules.merge_queue)
    }

    /// Whether a commit was made by GitHub itself, which signs what it makes.
    pub(crate) fn is_signed(&self, commit: &Oid) -> bool {
        self.signed.contains(commit)
    }
}
