//! Pull requests.

use std::{cell::Cell, collections::BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::git::Oid;

/// A pull request from one branch of a repository to another.
#[derive(Clone, Debug)]
pub(crate) struct PullRequest {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    /// The account that opened it.
    pub(crate) author: String,
    pub(crate) state: State,
    pub(crate) draft: bool,
    pub(crate) head_branch: String,
    /// The tip of its branch when that was last followed up.
    pub(crate) head: Oid,
    pub(crate) base_branch: String,
    /// The tip of the base while it is open, and the commit before the merge afterwards.
    pub(crate) base: Oid,
    pub(crate) labels: Vec<String>,
    pub(crate) auto_merge: Option<AutoMerge>,
    /// Its place in the queue of its base.
    pub(crate) queued: Option<Queued>,
    /// What happened to it, oldest first, as far as anybody asks.
    pub(crate) timeline: Vec<Event>,
    pub(crate) approvals: BTreeSet<String>,
    pub(crate) comments: Vec<Comment>,
    /// How many more times `mergeable` is answered as unknown.
    pub(crate) unknown_reads: Cell<u32>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Whether a pull request is open, and how it ended.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Open,
    Closed { at: DateTime<Utc> },
    Merged { at: DateTime<Utc>, by: String, commit: Oid },
}

/// The order to merge a pull request once it may be merged.
#[derive(Clone, Debug)]
pub(crate) struct AutoMerge {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) method: Method,
    pub(crate) message: Message,
}

/// A place in a merge queue.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) id: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    /// Whether it goes before the others.
    pub(crate) jump: bool,
    /// What is checked in its place; `None` until its turn comes.
    pub(crate) group: Option<Group>,
}

/// A pull request on top of its base, as the queue has it checked before it merges it.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The branch, without `refs/heads/`.
    pub(crate) branch: String,
    pub(crate) base: Oid,
    pub(crate) head: Oid,
}

/// Something that happened to a pull request.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) what: Happening,
}

/// What happened to a pull request.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Its branch lost commits.
    ForcePushed { before: Oid, after: Oid },
    /// It left the queue; the commit is what was checked in its place.
    Dequeued { reason: Removal, group: Option<Oid> },
}

/// Why a pull request left its queue
/// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads?actionType=dequeued#pull_request>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Removal {
    /// Somebody took it out, or it was closed.
    Manual,
    /// It is merged.
    Merge,
    /// It changes what its base has changed too.
    MergeConflict,
    /// A required check failed on it together with its base.
    CiFailure,
    /// A required check did not conclude in time.
    CiTimeout,
}

/// How a pull request becomes part of its base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A merge commit with both histories.
    #[default]
    Merge,
    /// One new commit with all changes.
    Squash,
    /// The same commits again on top of the base.
    Rebase,
}

/// The words of a merge; `None` for what GitHub would write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) headline: Option<String>,
    pub(crate) body: Option<String>,
}

/// A comment below a pull request.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) at: DateTime<Utc>,
}

/// What is asked of a new pull request.
#[derive(Clone, Debug)]
pub(crate) struct NewPullRequest {
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) head: String,
    pub(crate) base: String,
    pub(crate) draft: bool,
}

impl PullRequest {
    /// Whether it waits to be merged.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Whether it became part of its base.
    pub(crate) const fn is_merged(&self) -> bool {
        matches!(self.state, State::Merged { .. })
    }

    /// When it ended.
    pub(crate) const fn closed_at(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            State::Open => None,
            State::Closed { at } | State::Merged { at, .. } => Some(*at),
        }
    }

    /// The commit that it became.
    pub(crate) const fn merge_commit(&self) -> Option<&Oid> {
        match &self.state {
            State::Merged { commit, .. } => Some(commit),
            State::Open | State::Closed { .. } => None,
        }
    }
}

impl PullRequest {
    /// Why it left its queue, each time that it did, oldest first.
    pub(crate) fn removals(&self) -> impl Iterator<Item = Removal> {
        self.timeline.iter().filter_map(|event| match event.what {
            Happening::Dequeued { reason, .. } => Some(reason),
            Happening::ForcePushed { .. } => None,
        })
    }
}

impl Removal {
    /// The word for it in webhooks.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::Merge => "MERGE",
            Self::MergeConflict => "MERGE_CONFLICT",
            Self::CiFailure => "CI_FAILURE",
            Self::CiTimeout => "CI_TIMEOUT",
        }
    }
}

impl Method {
    /// The word for it in REST and webhooks.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }

    /// The method that a word of REST or GraphQL means.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "merge" => Some(Self::Merge),
            "squash" => Some(Self::Squash),
            "rebase" => Some(Self::Rebase),
            _ => None,
        }
    }
}
