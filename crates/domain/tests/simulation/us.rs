//! Us: looking, deciding with the function under test, and acting in small parts that we may be killed between.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use domain::{
    commit::Commit,
    forge::{self, AutoMerge, Mergeability, Number, PullRequestState},
    promotion::{self, Aim, Ending, Outcome, Overlays, Proposed, Situation, Slot, Step, next_step},
};

use crate::world::{Base, Head, Promotion, PullRequest, PullRequestIs, World};

/// One part of acting; we may be killed before each.
#[derive(Clone, Debug)]
enum Part {
    TakeSlot,
    RecordHead(Head),
    Push(Head),
    CreatePullRequest(Head),
    RecordNumber,
    RecordClosing(Ending),
    ClosePullRequest,
    DeleteBranch,
    Arm(Commit),
    Disarm,
    Settle(Outcome),
}

/// Looks at one promotion, lets the world move, and acts on what was seen.
pub(crate) fn pass(world: &mut World) {
    let index = world.random.usize(0..world.promotions.len());
    let Some((step, tip)) = look(world, index, Sight::Blurred) else {
        return;
    };
    for _ in 0..world.random.usize(0..3) {
        world.something_happens();
    }
    for part in parts(&step, world, index, tip) {
        if world.random.u8(0..12) == 0 {
            world.log.push(format!("killed before {part:?} of {index}"));
            return;
        }
        if !act(world, index, part) {
            return;
        }
    }
}

/// Looks at every promotion once and acts, with nothing in between.
pub(crate) fn calm_pass(world: &mut World) {
    for index in 0..world.promotions.len() {
        let Some((step, tip)) = look(world, index, Sight::Sharp) else {
            continue;
        };
        for part in parts(&step, world, index, tip) {
            if !act(world, index, part) {
                break;
            }
        }
    }
}

/// Whether the forge has worked everything out when we look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Blurred,
    Sharp,
}

/// The next step of an unsettled promotion, with the base branch as it was seen.
fn look(world: &mut World, index: usize, sight: Sight) -> Option<(Step, Base)> {
    let mine = world.promotions.get(index)?.clone();
    if mine.outcome.is_some() {
        return None;
    }
    let blurred = sight == Sight::Blurred && world.random.u8(0..4) == 0;
    let seen = world
        .pull_requests
        .iter()
        .find(|one| mine.number.map_or(one.promotion == index, |number| one.number == number));
    let situation = Situation {
        now: DateTime::UNIX_EPOCH + TimeDelta::seconds(world.seconds),
        poll_interval: Duration::from_secs(60),
        closing: mine.closing.clone(),
        verdict: world.verdict(mine.commit),
        overlays: overlays(world, mine.commit),
        newer: newer(world, index),
        slot: slot(world, index),
        pull_request: seen.map(|one| proposed(world, &mine, one, blurred)),
        restraint: world.frozen.then(|| "frozen".to_owned()),
    };
    let step = next_step(&situation);
    world.log.push(format!("{index}: {step:?} at {:?}", world.base));
    Some((step, world.base))
}

fn overlays(world: &World, commit: usize) -> Overlays {
    let deployed = world.base.deployed;
    if world.base.broken {
        Overlays::Unreadable("two entries".to_owned())
    } else if deployed == commit {
        Overlays::Current
    } else if world.is_ancestor(deployed, commit) {
        Overlays::Behind
    } else if world.is_ancestor(commit, deployed) {
        Overlays::Ahead(World::name(deployed))
    } else {
        Overlays::Unrelated("aws".parse().unwrap_or_else(|_| unreachable!()), World::name(deployed))
    }
}

fn newer(world: &World, index: usize) -> Option<Commit> {
    let mine = world.promotions.get(index)?.commit;
    let is_newer = |other: &&Promotion| {
        other.outcome.is_none()
            && other.closing.is_none()
            && world.is_ancestor(mine, other.commit)
            && world.verdict(other.commit) == domain::evidence::Verdict::Passed
    };
    world.promotions.iter().find(is_newer).map(|other| World::name(other.commit))
}

fn slot(world: &World, index: usize) -> Slot {
    match world.promotions.iter().position(|one| one.live && one.outcome.is_none()) {
        None => Slot::Free,
        Some(holder) if holder == index => Slot::Ours,
        Some(holder) => Slot::Taken(World::name(holder + 1)),
    }
}

fn proposed(world: &World, mine: &Promotion, one: &PullRequest, blurred: bool) -> Proposed {
    let state = match one.is {
        PullRequestIs::Open => PullRequestState::Open,
        PullRequestIs::ClosedByUs | PullRequestIs::ClosedByAPerson => PullRequestState::Closed,
        PullRequestIs::Merged(commit) => PullRequestState::Merged((!blurred).then_some(commit)),
    };
    let mergeability = if blurred {
        Mergeability::Unknown
    } else if world.conflicts(one) {
        Mergeability::Conflicting
    } else if world.is_behind(one) {
        Mergeability::Behind
    } else if one.checked {
        Mergeability::Clean
    } else {
        Mergeability::Blocked
    };
    let head = match mine.heads.iter().rposition(|(commit, _)| *commit == one.head.commit) {
        None => promotion::Head::Foreign,
        Some(last) if last + 1 < mine.heads.len() => promotion::Head::Outdated,
        Some(_) if one.head.made_on.tip == world.base.tip => promotion::Head::Ours(promotion::Base::Tip),
        Some(_) => promotion::Head::Ours(promotion::Base::Moved),
    };
    let auto_merge = if one.armed { AutoMerge::Armed } else { AutoMerge::Disarmed };
    let pull_request = forge::PullRequest {
        number: one.number,
        handle: String::new(),
        url: String::new(),
        state,
        head: one.head.commit,
        base: "main".parse().unwrap_or_else(|_| unreachable!()),
        auto_merge,
        mergeability,
    };
    Proposed { pull_request, head, aim: Aim::Base }
}

/// What a step is made of; the edit is made on the base as it was seen.
fn parts(step: &Step, world: &World, index: usize, seen: Base) -> Vec<Part> {
    match step {
        Step::Wait { .. } => Vec::new(),
        Step::Settle(outcome) => vec![Part::Settle(outcome.clone())],
        Step::Close(ending) => {
            vec![Part::RecordClosing(ending.clone()), Part::ClosePullRequest, Part::DeleteBranch]
        }
        Step::Disarm => vec![Part::Disarm],
        Step::Arm { head } => vec![Part::Arm(*head)],
        Step::Propose => {
            let release = world.promotions.get(index).map_or(0, |one| one.commit);
            // The same release on the same base gives the same commit.
            let mut bytes = [u8::try_from(release).unwrap_or(0); 20];
            bytes[1] = 100 + seen.tip;
            let head = Head { commit: Commit::from_bytes(bytes), made_on: seen, foreign: false };
            vec![
                Part::TakeSlot,
                Part::RecordHead(head),
                Part::Push(head),
                Part::CreatePullRequest(head),
                Part::RecordNumber,
            ]
        }
    }
}

/// Does one part; says whether to go on with the next.
fn act(world: &mut World, index: usize, part: Part) -> bool {
    match part {
        Part::TakeSlot => return take_slot(world, index),
        Part::Push(head) => return push(world, index, head),
        Part::CreatePullRequest(head) => create(world, index, head),
        Part::ClosePullRequest => on_open(world, index, |one| one.is = PullRequestIs::ClosedByUs),
        Part::DeleteBranch => {
            if let Some(branch) = world.branches.get_mut(index) {
                *branch = None;
            }
        }
        Part::Disarm => {
            world.log.push(format!("disarmed {index}"));
            on_open(world, index, |one| one.armed = false);
        }
        Part::Arm(head) => arm(world, index, head),
        Part::RecordNumber => {
            let number = world.pull_requests.iter().find(|one| one.promotion == index).map(|one| one.number);
            on_mine(world, index, |mine| mine.number = number);
        }
        Part::RecordHead(head) => on_mine(world, index, |mine| {
            mine.heads.retain(|(commit, _)| *commit != head.commit);
            mine.heads.push((head.commit, head.made_on.tip));
        }),
        Part::RecordClosing(ending) => on_mine(world, index, |mine| mine.closing = Some(ending)),
        Part::Settle(outcome) => on_mine(world, index, |mine| {
            mine.outcome = Some(outcome);
            mine.live = false;
        }),
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
    match world.branches.get_mut(index) {
        Some(Some(tip)) if tip.foreign => return false,
        Some(branch) => *branch = Some(head),
        None => return false,
    }
    let mut conflicts = None;
    for one in world.pull_requests.iter().filter(|one| one.promotion == index && one.is == PullRequestIs::Open) {
        conflicts = Some(world.conflicts(one));
    }
    if let Some(conflicts) = conflicts {
        world.log.push(format!("{} {index}", if conflicts { "conflict" } else { "rebuilt" }));
    }
    on_open(world, index, |one| {
        one.checked &= one.head.commit == head.commit;
        one.head = head;
    });
    true
}

fn create(world: &mut World, index: usize, head: Head) {
    if world.promotions.get(index).is_some_and(|mine| mine.number.is_some())
        || world.pull_requests.iter().any(|one| one.promotion == index)
    {
        return;
    }
    let number = Number(u64::try_from(world.pull_requests.len()).unwrap_or(0) + 1);
    world.pull_requests.push(PullRequest {
        number,
        promotion: index,
        is: PullRequestIs::Open,
        armed: false,
        checked: false,
        head,
    });
}

/// Arms, or merges at once where nothing is missing, as the forge does; refused when the head is another one.
fn arm(world: &mut World, index: usize, head: Commit) {
    on_open(world, index, |one| one.armed |= one.head.commit == head);
    world.forge_works();
}

fn on_mine(world: &mut World, index: usize, change: impl FnOnce(&mut Promotion)) {
    if let Some(mine) = world.promotions.get_mut(index) {
        change(mine);
    }
}

fn on_open(world: &mut World, index: usize, change: impl FnOnce(&mut PullRequest)) {
    let mut open = world.pull_requests.iter_mut().filter(|one| one.is == PullRequestIs::Open);
    if let Some(one) = open.find(|one| one.promotion == index) {
        change(one);
    }
}
