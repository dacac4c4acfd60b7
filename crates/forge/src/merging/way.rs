//! Which way an order to merge goes, decided from what was seen right before it.

use domain::forge::{AutoMerge, Mergeability, PullRequestState, Requirements};

use super::{
    Armed, Order,
    look::{Look, Removals, Seen},
};
use crate::{Refusal, pull_request::Checks};

/// How often a head is put into the queue that is taken out again: a check that fails by chance has a second and a
/// third try, one that fails for a reason does not keep the queue busy.
const MOST_REMOVALS: usize = 3;

/// What an order comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// There is nothing to order.
    Done(Armed),
    /// The forge is to merge it once it may.
    Enable,
    /// The base's queue is to merge it.
    Enqueue,
    /// The forge takes no order, so that we merge it ourselves: now.
    Merge,
    /// The forge takes no order, so that we merge it ourselves: once these are there.
    Watch(Requirements),
}

/// Why no way is taken.
#[derive(Debug)]
pub(super) enum Blocked {
    Refused(Refusal),
    /// We may not see the checks of what we would merge: the forge's words.
    Blind(String),
}

impl From<Refusal> for Blocked {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The way of an order about a pull request.
///
/// Never a merge of what the forge itself does not call clean, though our token could.
pub(super) fn way(seen: &Look, order: &Order<'_>) -> Result<Way, Blocked> {
    let now = &seen.pull_request;
    match now.state {
        PullRequestState::Open => {}
        PullRequestState::Merged(commit) => return Ok(Way::Done(Armed::Merged(commit))),
        PullRequestState::Closed => return Err(Refusal::WrongState.into()),
    }
    if now.base != *order.base {
        return Err(Refusal::Retargeted.into());
    }
    if now.head != order.head {
        return Err(Refusal::HeadMoved.into());
    }
    match now.auto_merge {
        AutoMerge::Queued => return Ok(Way::Done(Armed::Queued)),
        AutoMerge::Armed if seen.terms.has_queue => return Ok(Way::Done(Armed::ForQueue)),
        AutoMerge::Armed => return Ok(Way::Done(Armed::Armed)),
        AutoMerge::Unqueued | AutoMerge::Disarmed => {}
    }
    match (now.mergeability, seen.terms.has_queue) {
        (Mergeability::Draft, _) => Err(Refusal::Draft.into()),
        (Mergeability::Conflicting, _) => Err(Refusal::WrongState.into()),
        (Mergeability::Behind, _) => Err(Refusal::Behind.into()),
        (Mergeability::Unstable, _) => Err(Refusal::Unstable.into()),
        (Mergeability::Clean, true) => enqueue(seen),
        (Mergeability::Clean | Mergeability::Blocked | Mergeability::Unknown, _) if seen.terms.may_merge_itself => {
            Ok(Way::Enable)
        }
        (Mergeability::Clean, false) => by_hand(seen),
        (Mergeability::Blocked, _) => Ok(Way::Watch(now.missing.clone())),
        (Mergeability::Unknown, _) => Err(Refusal::Computing.into()),
    }
}

/// A merge by our own hand of what the forge calls clean.
///
/// Where nothing is required everything is clean, so that a check must have passed that somebody asked for.
fn by_hand(seen: &Look) -> Result<Way, Blocked> {
    let base = &seen.pull_request.base;
    match &seen.checks {
        Seen::Hidden(why) => Err(Blocked::Blind(why.clone())),
        Seen::Checks(Checks::Unfinished) => Err(Refusal::Unstable.into()),
        Seen::Checks(Checks::Absent | Checks::Passed) if !seen.terms.is_gated => {
            Err(Refusal::AutoMergeOff(base.clone()).into())
        }
        Seen::Checks(Checks::Absent) => Err(Refusal::Unchecked(base.clone()).into()),
        Seen::Checks(Checks::Passed) => Ok(Way::Merge),
    }
}

/// A merge of what the forge calls clean and has taken no order for because of that.
pub(super) fn merge_now(seen: &Look) -> Result<Way, Blocked> {
    let base = &seen.pull_request.base;
    match (seen.pull_request.mergeability, &seen.checks) {
        (Mergeability::Clean, Seen::Hidden(why)) => Err(Blocked::Blind(why.clone())),
        (Mergeability::Clean, Seen::Checks(Checks::Passed)) => Ok(Way::Merge),
        (Mergeability::Clean, Seen::Checks(Checks::Absent)) => Err(Refusal::Unchecked(base.clone()).into()),
        (Mergeability::Clean | Mergeability::Unstable, Seen::Checks(Checks::Unfinished))
        | (Mergeability::Unstable, _) => Err(Refusal::Unstable.into()),
        (Mergeability::Unknown, _) => Err(Refusal::Computing.into()),
        (Mergeability::Blocked, _) => Err(Refusal::Missing("a check or a review".to_owned()).into()),
        (Mergeability::Behind, _) => Err(Refusal::Behind.into()),
        (Mergeability::Conflicting, _) => Err(Refusal::WrongState.into()),
        (Mergeability::Draft, _) => Err(Refusal::Draft.into()),
    }
}

/// A place in the queue, which checks once more what is required. Where nothing is, it would merge at once.
fn enqueue(seen: &Look) -> Result<Way, Blocked> {
    let Removals { count, last } = &seen.removals;
    if *count >= MOST_REMOVALS {
        return Err(Refusal::Dequeued { times: *count, reason: last.clone() }.into());
    }
    match &seen.checks {
        Seen::Checks(Checks::Absent) if !seen.terms.is_gated => {
            Err(Refusal::Unchecked(seen.pull_request.base.clone()).into())
        }
        Seen::Checks(_) | Seen::Hidden(_) => Ok(Way::Enqueue),
    }
}
