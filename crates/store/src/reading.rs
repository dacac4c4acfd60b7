//! What people are shown: lists with the newest first, and one thing with all that belongs to it.
//!
//! Lists are read page by page: `before` is the last id of the page before, `limit` the length of a page.

use chrono::{DateTime, Utc};
use domain::{
    application::Name,
    commit::Commit,
    evidence::Evidence,
    forge::{Branch, Number},
    promotion::Outcome,
    release::Build,
};

use crate::{DeliveryId, PromotionId, ReleaseId};

mod delivery;
mod promotion;
mod release;

/// A delivery with what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its key.
    pub id: DeliveryId,
    /// Who sent it.
    pub sender: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What it says, in the order of the message.
    pub announcements: Vec<AnnouncementRow>,
}

/// One thing that a delivery says, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementRow {
    /// `pushed`, `moved` or `unusable`.
    pub kind: String,
    /// `host/name` of what was pushed, or `owner/name` of what moved; `None` when it is unusable.
    pub repository: Option<String>,
    /// What was pushed.
    pub tag: Option<String>,
    /// What the sender says that the tag points to.
    pub digest: Option<String>,
    /// What could be read of something unusable.
    pub text: Option<String>,
    /// `pending` until it is settled, then `ignored`, `accepted` or `failed`; `unusable` from the start.
    pub verdict: String,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// The release that it is about.
    pub release: Option<ReleaseId>,
}

/// A release and where its last promotion stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Its key.
    pub release: ReleaseId,
    /// What is released.
    pub application: Name,
    /// At which commit.
    pub commit: Commit,
    /// The first line of that commit's message, once it is known.
    pub subject: Option<String>,
    /// When its first build was found.
    pub created_at: DateTime<Utc>,
    /// Its last promotion.
    pub promotion: Option<PromotionRow>,
}

/// Where a promotion stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionRow {
    /// Its key.
    pub id: PromotionId,
    /// Its pull request.
    pub pull_request: Option<PullRequestRow>,
    /// How it ended; `None` while it is on its way.
    pub outcome: Option<Outcome>,
    /// What it waits for, as it was noted last; `None` when something was done since.
    pub waiting: Option<String>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
}

/// Where a pull request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestRow {
    /// Its number in the GitOps repository.
    pub number: Number,
    /// Where people read it.
    pub url: Option<String>,
}

/// A release with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseDetail {
    /// Its key.
    pub release: ReleaseId,
    /// What is released.
    pub application: Name,
    /// At which commit.
    pub commit: Commit,
    /// The first line of that commit's message, once it is known.
    pub subject: Option<String>,
    /// When its first build was found.
    pub created_at: DateTime<Utc>,
    /// Its builds, in the order in which they were found.
    pub builds: Vec<Build>,
    /// Its promotions, newest first.
    pub promotions: Vec<PromotionDetail>,
    /// What was done and why, oldest first.
    pub ledger: Vec<LedgerRow>,
}

/// A promotion with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionDetail {
    /// Its key.
    pub id: PromotionId,
    /// The branch that it is proposed on.
    pub branch: Branch,
    /// Its pull request.
    pub pull_request: Option<PullRequestRow>,
    /// How it ended; `None` while it is on its way.
    pub outcome: Option<Outcome>,
    /// What it waits for, as it was noted last; `None` when something was done since.
    pub waiting: Option<String>,
    /// What was verified.
    pub evidence: Vec<Evidence>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// When.
    pub at: DateTime<Utc>,
    /// A word for it.
    pub what: String,
    /// Why, in a sentence.
    pub why: String,
    /// Where it can be looked at.
    pub link: Option<String>,
    /// The promotion that it was done for; `None` for what concerns the release.
    pub promotion: Option<PromotionId>,
}
