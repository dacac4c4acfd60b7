//! A release on its way into the overlays by one pull request, and the one function that says what to do next.
//!
//! What is stored are facts: the pull request's number, the commits that we pushed, a decision to close, the
//! outcome. Where a promotion stands is derived from them and from what was observed, every time anew, so that a
//! lost webhook, a restart, a moved base and a second replica all take the same path.

mod overlays;
mod words;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    commit::Commit,
    evidence::Verdict,
    forge::{AutoMerge, Mergeability, PullRequest, PullRequestState, Requirements},
};

pub use self::overlays::{Overlays, Standing, overlays};

/// Everything that the next step depends on: stored facts and what was observed just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The time of the observation.
    pub now: DateTime<Utc>,
    /// How soon to look again at something that may change without telling us.
    pub poll_interval: Duration,
    /// The ending that was decided and recorded earlier, so that a close by us is not taken for a person's.
    pub closing: Option<Ending>,
    /// What the evidence adds up to.
    pub verdict: Verdict,
    /// Where the overlays stand at the tip of the base branch.
    pub overlays: Overlays,
    /// A release of this application that is newer, complete and proven, and not yet settled.
    pub newer: Option<Commit>,
    /// Whether this promotion may have a pull request now.
    pub slot: Slot,
    /// Its pull request, when there is one.
    pub pull_request: Option<Proposed>,
    /// The head that the forge took our order to merge for last, unless we have taken it back: an order that is not
    /// there any more was taken back by somebody else, whatever the head is now.
    pub ordered: Option<Commit>,
    /// When a pull request that is still open has waited for too long; `None` for never.
    pub overdue_at: Option<DateTime<Utc>>,
    /// Why a person wants nothing to be merged now.
    pub restraint: Option<String>,
}

/// The pull request of a promotion, compared with what we pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// What the forge shows.
    pub pull_request: PullRequest,
    /// Whose commit is at the tip of its branch.
    pub head: Head,
    /// What it is to be merged into.
    pub aim: Aim,
}

/// What a pull request is to be merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The branch that clusters follow.
    Base,
    /// Another one: a person changed it.
    Elsewhere,
}

/// Whose commit is at the tip of a pull request's branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The one that we pushed last.
    Ours(Base),
    /// One that we pushed earlier: the last push did not arrive.
    Outdated,
    /// Somebody else's.
    Foreign,
}

/// What our commit was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The tip of the base branch as it is now.
    Tip,
    /// An earlier tip.
    Moved,
}

/// Whether a promotion may have a pull request: one may, of each application and GitOps repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// No promotion has it.
    Free,
    /// This promotion has it.
    Ours,
    /// The promotion of this commit has it.
    Taken(Commit),
}

/// An ending that we decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The overlays name the release already.
    AlreadyCurrent,
    /// A newer release takes its place.
    Superseded {
        /// The newer one.
        by: Commit,
    },
    /// The evidence says no.
    Refused {
        /// The sentences of what failed.
        why: String,
    },
}

/// How a promotion ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its pull request was merged.
    Merged {
        /// The commit on the base branch; `None` when the forge did not name it.
        commit: Option<Commit>,
    },
    /// A person closed its pull request: the commit is not proposed again.
    Declined,
    /// We ended it.
    Ended(Ending),
}

/// What a promotion does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Record how it ended.
    Settle(Outcome),
    /// Close its pull request and delete its branch.
    Close(Ending),
    /// Take back the order to merge.
    Disarm,
    /// Do nothing until then, or until something wakes it.
    Wait {
        /// What is waited for.
        reason: Reason,
        /// When to look again.
        until: DateTime<Utc>,
    },
    /// Edit the overlays at the tip of the base branch, push, and see to it that there is a pull request. Repeatable.
    Propose,
    /// Order the forge to merge this head once it may.
    Arm {
        /// What must still be at the tip of the branch.
        head: Commit,
    },
}

/// What is waited for; each prints as one sentence that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Evidence is pending.
    Evidence(String),
    /// A person froze or held it.
    Restrained(String),
    /// The pull request of another release is still open.
    Slot(Commit),
    /// An overlay cannot be read or edited.
    Unreadable(String),
    /// Somebody else's commit is on the branch.
    Foreign(Commit),
    /// A person pointed the pull request at another branch.
    Retargeted,
    /// Somebody else has taken our order to merge back.
    TakenBack,
    /// The forge has not worked out yet whether the pull request can be merged.
    Computing,
    /// Something that is not required failed or is running, so that the forge takes no order to merge.
    Unstable,
    /// It is a draft.
    Draft,
    /// Required checks or reviews are missing: these, as far as the forge shows them.
    Required(Requirements),
    /// The forge takes no order to merge, so that we merge once these are there, as far as the forge shows them.
    Watching(Requirements),
    /// The merge queue checks it once more before it merges it.
    Queued,
    /// Everything is there; the forge is about to merge.
    Merging,
}

impl Situation {
    /// Whether its pull request should have landed by now.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        let is_open = |one: &Proposed| one.pull_request.state == PullRequestState::Open;
        self.pull_request.as_ref().is_some_and(is_open) && self.overdue_at.is_some_and(|at| at <= self.now)
    }

    /// Whether our order to merge does not count any more while this is waited for, so that one which is gone later was
    /// not taken back.
    ///
    /// Whoever points a pull request elsewhere, or makes it a draft, takes the order with it and means no more by that;
    /// and a merge queue takes out what fails.
    #[must_use]
    pub fn voids_order(&self, reason: &Reason) -> bool {
        let shown = self.pull_request.as_ref().map(|proposed| proposed.pull_request.auto_merge);
        let is_queues = matches!(shown, Some(AutoMerge::Queued | AutoMerge::Unqueued));
        self.ordered.is_some() && (is_queues || matches!(reason, Reason::Retargeted | Reason::Draft))
    }
}

/// Says what a promotion does next: a total function without side effects.
///
/// A merge comes first, whatever else is so: it can not be undone by deciding otherwise. A decision to end comes
/// before a person's close, because that close may be our own. A merge into another branch than the one that clusters
/// follow is a person's way to close it. What shall end is not to be merged in the meantime, so that an order is taken
/// back before the pull request is closed.
#[must_use]
pub fn next_step(situation: &Situation) -> Step {
    let state = situation.pull_request.as_ref().map(|proposed| proposed.pull_request.state);
    let aim = situation.pull_request.as_ref().map(|proposed| proposed.aim);
    if let (Some(PullRequestState::Merged(commit)), Some(Aim::Base)) = (state, aim) {
        return Step::Settle(Outcome::Merged { commit });
    }
    match (ending(situation), state) {
        (Some(_), Some(PullRequestState::Open)) if is_armed(situation) => Step::Disarm,
        (Some(ending), Some(PullRequestState::Open)) => Step::Close(ending),
        (Some(ending), Some(PullRequestState::Closed | PullRequestState::Merged(_)) | None) => {
            Step::Settle(Outcome::Ended(ending))
        }
        (None, Some(PullRequestState::Closed | PullRequestState::Merged(_))) => Step::Settle(Outcome::Declined),
        (None, Some(PullRequestState::Open) | None) => advance(situation),
    }
}

/// Whether it shall end, and how.
fn ending(situation: &Situation) -> Option<Ending> {
    if let Some(decided) = &situation.closing {
        return Some(decided.clone());
    }
    match (&situation.overlays, situation.newer, &situation.verdict) {
        (Overlays::Current, _, _) => Some(Ending::AlreadyCurrent),
        (Overlays::Ahead(by), _, _) => Some(Ending::Superseded { by: *by }),
        (_, Some(by), _) => Some(Ending::Superseded { by }),
        (_, None, Verdict::Failed { why }) => Some(Ending::Refused { why: why.clone() }),
        (Overlays::Unrelated(target, commit), None, Verdict::Passed | Verdict::Pending { .. }) => {
            Some(Ending::Refused {
                why: format!("{target} has commit {}, which is not an ancestor of this one", commit.short()),
            })
        }
        (
            Overlays::Behind | Overlays::Unreadable(_) | Overlays::Unread,
            None,
            Verdict::Passed | Verdict::Pending { .. },
        ) => None,
    }
}

/// The next step of a promotion that shall go on, and whose pull request is open or not made yet. What is not proven, or
/// not any more, is not to be merged by our order.
fn advance(situation: &Situation) -> Step {
    match (&situation.restraint, &situation.verdict) {
        (Some(_), _) | (None, Verdict::Pending { .. }) if is_armed(situation) => Step::Disarm,
        (Some(why), _) => wait(situation, Reason::Restrained(why.clone())),
        (None, Verdict::Pending { why, until }) => {
            Step::Wait { reason: Reason::Evidence(why.clone()), until: (*until).min(later(situation)) }
        }
        (None, Verdict::Passed | Verdict::Failed { .. }) => match &situation.pull_request {
            None => propose(situation),
            Some(proposed) => land(situation, proposed),
        },
    }
}

fn is_armed(situation: &Situation) -> bool {
    let shown = situation.pull_request.as_ref().map(|proposed| proposed.pull_request.auto_merge);
    shown.is_some_and(|shown| shown != AutoMerge::Disarmed)
}

/// The next step of a proven promotion with an open pull request.
fn land(situation: &Situation, proposed: &Proposed) -> Step {
    let PullRequest { head, auto_merge, mergeability, .. } = proposed.pull_request;
    match (proposed.aim, auto_merge.is_ordered()) {
        (Aim::Elsewhere, true) => return Step::Disarm,
        (Aim::Elsewhere, false) => return wait(situation, Reason::Retargeted),
        (Aim::Base, true | false) => {}
    }
    match (proposed.head, mergeability, auto_merge) {
        // What we did not verify is not to be merged by our order.
        (Head::Foreign, _, AutoMerge::Armed | AutoMerge::Queued | AutoMerge::Unqueued) => Step::Disarm,
        (Head::Foreign, _, AutoMerge::Disarmed) => wait(situation, Reason::Foreign(head)),
        // The branch of what is in the queue can not be pushed to.
        (Head::Outdated, _, AutoMerge::Queued)
        | (Head::Ours(Base::Moved), Mergeability::Conflicting | Mergeability::Behind, AutoMerge::Queued) => {
            Step::Disarm
        }
        (Head::Outdated, _, _) => propose(situation),
        (Head::Ours(Base::Moved), Mergeability::Conflicting | Mergeability::Behind, _) => propose(situation),
        (Head::Ours(Base::Tip), Mergeability::Conflicting | Mergeability::Behind, _) => {
            wait(situation, Reason::Computing)
        }
        (Head::Ours(_), Mergeability::Draft, _) => wait(situation, Reason::Draft),
        (Head::Ours(_), _, AutoMerge::Queued) => wait(situation, Reason::Queued),
        (Head::Ours(_), Mergeability::Unstable, AutoMerge::Disarmed) => wait(situation, Reason::Unstable),
        // Whoever took it back does not want it to be merged by itself; whatever we do not see yet, we see later.
        (Head::Ours(_), Mergeability::Unknown | Mergeability::Clean | Mergeability::Blocked, AutoMerge::Disarmed)
            if situation.ordered.is_some() =>
        {
            wait(situation, Reason::TakenBack)
        }
        (Head::Ours(_), Mergeability::Unknown | Mergeability::Clean | Mergeability::Blocked, AutoMerge::Disarmed)
        | (Head::Ours(_), Mergeability::Clean, AutoMerge::Unqueued) => Step::Arm { head },
        (Head::Ours(_), Mergeability::Unknown, AutoMerge::Armed | AutoMerge::Unqueued) => {
            wait(situation, Reason::Computing)
        }
        (Head::Ours(_), Mergeability::Blocked, AutoMerge::Armed | AutoMerge::Unqueued) => {
            wait(situation, Reason::Required(proposed.pull_request.missing.clone()))
        }
        (Head::Ours(_), Mergeability::Clean | Mergeability::Unstable, AutoMerge::Armed)
        | (Head::Ours(_), Mergeability::Unstable, AutoMerge::Unqueued) => wait(situation, Reason::Merging),
    }
}

/// Proposes, where the overlays can be edited and no other promotion is in the way.
fn propose(situation: &Situation) -> Step {
    match (situation.slot, &situation.overlays) {
        (Slot::Taken(by), _) => wait(situation, Reason::Slot(by)),
        (Slot::Free | Slot::Ours, Overlays::Unreadable(why)) => wait(situation, Reason::Unreadable(why.clone())),
        (Slot::Free | Slot::Ours, Overlays::Unread) => {
            wait(situation, Reason::Unreadable("the overlays were not looked at".to_owned()))
        }
        (
            Slot::Free | Slot::Ours,
            Overlays::Behind | Overlays::Current | Overlays::Ahead(_) | Overlays::Unrelated(..),
        ) => Step::Propose,
    }
}

fn wait(situation: &Situation, reason: Reason) -> Step {
    let overdue_at = situation.overdue_at.filter(|at| *at > situation.now);
    Step::Wait { reason, until: overdue_at.map_or(later(situation), |at| at.min(later(situation))) }
}

/// When to look again at something that may change without telling us.
#[must_use]
pub fn later(situation: &Situation) -> DateTime<Utc> {
    TimeDelta::from_std(situation.poll_interval)
        .ok()
        .and_then(|poll_interval| situation.now.checked_add_signed(poll_interval))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
