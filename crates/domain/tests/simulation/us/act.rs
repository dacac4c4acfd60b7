//! Acting: a step in parts, as the reconciler performs it.

use domain::{
    commit::Commit,
    forge::Mergeability,
    promotion::{Aim, Ending, Outcome, Reason, Slot, Step},
};

use super::look::slot;
use crate::world::{Base, Head, Promotion, PullRequestIs, View, World};

/// One part of acting; we may be killed before each.
#[derive(Clone, Debug)]
pub(super) enum Part {
    TakeSlot,
    RecordHead(Head),
    Push(Head),
    CreatePullRequest(Head),
    RecordNumber,
    RecordClosing(Ending),
    ClosePullRequest,
    DeleteBranch,
    Arm(Commit),
    RecordOrder(Commit),
    WithdrawOrder,
    Disarm,
    Settle(Outcome),
}

/// What a step is made of; the edit is made on the base as it was seen.
pub(super) fn parts(step: &Step, world: &World, index: usize, seen: Base) -> Vec<Part> {
    let Some(mine) = world.promotions.get(index) else {
        return Vec::new();
    };
    match step {
        // The branch may have a pull request that is not shown yet: deleting it closes that, which is our doing.
        Step::Settle(outcome @ Outcome::Ended(ending)) if !mine.heads.is_empty() => {
            vec![Part::RecordClosing(ending.clone()), Part::DeleteBranch, Part::Settle(outcome.clone())]
        }
        Step::Settle(outcome) => vec![Part::Settle(outcome.clone())],
        Step::Close(ending) => vec![Part::RecordClosing(ending.clone()), Part::ClosePullRequest],
        Step::Wait { reason: Reason::Retargeted | Reason::Draft | Reason::Queued, .. } => vec![Part::WithdrawOrder],
        Step::Disarm => vec![Part::WithdrawOrder, Part::Disarm],
        Step::Wait { .. } => Vec::new(),
        Step::Arm { head } => vec![Part::Arm(*head), Part::RecordOrder(*head)],
        Step::Propose => {
            // The same promotion on the same base gives the same commit.
            let mut bytes = [u8::try_from(index).unwrap_or(0); 20];
            bytes[1] = 100 + seen.tip;
            let head = Head { commit: Commit::from_bytes(bytes), made_on: seen, foreign: false };
            let mut parts = vec![Part::TakeSlot, Part::RecordHead(head), Part::Push(head)];
            if mine.number.is_none() {
                parts.extend([Part::CreatePullRequest(head), Part::RecordNumber]);
            }
            parts
        }
    }
}

/// Does one part; says whether to go on with the next.
pub(super) fn act(world: &mut World, index: usize, part: Part) -> bool {
    match part {
        Part::TakeSlot => return take_slot(world, index),
        Part::Push(head) => return push(world, index, head),
        Part::CreatePullRequest(head) => create(world, index, head),
        Part::ClosePullRequest => on_open(world, index, |view| view.is = PullRequestIs::ClosedByUs),
        Part::DeleteBranch => delete_branch(world, index),
        Part::Disarm => {
            world.tell("disarmed", index);
            on_open(world, index, |view| view.armed = false);
        }
        Part::Arm(head) => return arm(world, index, head),
        Part::RecordOrder(head) => on_mine(world, index, |mine| mine.ordered = Some(head)),
        Part::WithdrawOrder => on_mine(world, index, |mine| mine.ordered = None),
        Part::RecordNumber => {
            let commit = commit_of(world, index);
            let open = world.pull_requests.iter().find(|one| one.commit == commit && one.is_open());
            let number = open.map(|one| one.number);
            on_mine(world, index, |mine| mine.number = number);
        }
        Part::RecordHead(head) => on_mine(world, index, |mine| {
            mine.heads.retain(|(commit, _)| *commit != head.commit);
            mine.heads.push((head.commit, head.made_on.tip));
        }),
        Part::RecordClosing(ending) => on_mine(world, index, |mine| mine.closing = Some(ending)),
        Part::Settle(outcome) => {
            world.tell("settled", format_args!("{index} {outcome:?}"));
            on_mine(world, index, |mine| {
                mine.outcome = Some(outcome);
                mine.live = false;
            });
        }
    }
    true
}

fn take_slot(world: &mut World, index: usize) -> bool {
    if matches!(slot(world, index), Slot::Taken(_)) {
        return false;
    }
    on_mine(world, index, |mine| mine.live = true);
    true
}

fn push(world: &mut World, index: usize, head: Head) -> bool {
    let commit = commit_of(world, index);
    match world.branches.get_mut(commit) {
        Some(Some(tip)) if tip.foreign => {
            world.tell("push-refused", index);
            return false;
        }
        Some(branch) => *branch = Some(head),
        None => return false,
    }
    let is_moved = |view: &View| view.is == PullRequestIs::Open && view.head.commit != head.commit;
    let moved = world.pull_requests.iter().find(|one| one.commit == commit && is_moved(&one.now));
    if let Some(conflicts) = moved.map(|one| world.conflicts(one, &one.now)) {
        world.tell(if conflicts { "conflict" } else { "rebuilt" }, index);
    }
    world.head_moves(commit, head);
    true
}

/// Opens a pull request, or finds that the branch has an open one into the base already.
fn create(world: &mut World, index: usize, head: Head) {
    let commit = commit_of(world, index);
    let is_there = |view: &View| view.is == PullRequestIs::Open && view.aim == Aim::Base;
    if !world.pull_requests.iter().any(|one| one.commit == commit && is_there(&one.now)) {
        world.create(index, head);
    }
}

/// Deletes the branch, unless somebody else works on it: then it is theirs.
fn delete_branch(world: &mut World, index: usize) {
    let commit = commit_of(world, index);
    if world.branches.get(commit).is_some_and(|tip| tip.is_some_and(|tip| !tip.foreign)) {
        world.delete_branch(commit);
    }
}

/// Arms, or merges at once where nothing is missing. The forge refuses when the head is another one, and while
/// something that is not required is missing; says whether it took the order.
fn arm(world: &mut World, index: usize, head: Commit) -> bool {
    let number = world.promotions.get(index).and_then(|mine| mine.number);
    let Some(place) = world.pull_requests.iter().position(|one| Some(one.number) == number) else {
        return false;
    };
    let Some(one) = world.pull_requests.get(place).filter(|one| one.is_open() && one.now.head.commit == head) else {
        return false;
    };
    match world.mergeability(one, &one.now) {
        Mergeability::Clean => world.merge(place),
        Mergeability::Unstable | Mergeability::Draft => {
            world.tell("refuses-order", index);
            return false;
        }
        Mergeability::Unknown | Mergeability::Blocked | Mergeability::Behind | Mergeability::Conflicting => {
            on_open(world, index, |view| view.armed = true);
        }
    }
    true
}

fn commit_of(world: &World, index: usize) -> usize {
    world.promotions.get(index).map_or(0, |mine| mine.commit)
}

fn on_mine(world: &mut World, index: usize, change: impl FnOnce(&mut Promotion)) {
    if let Some(mine) = world.promotions.get_mut(index) {
        change(mine);
    }
}

/// Changes our pull request while it is open.
fn on_open(world: &mut World, index: usize, change: impl FnOnce(&mut View)) {
    let number = world.promotions.get(index).and_then(|mine| mine.number);
    if let Some(one) = world.pull_requests.iter_mut().find(|one| Some(one.number) == number && one.is_open()) {
        one.change(change);
    }
}
