//! Looking: what is stored and what the forge answers, which may lag behind.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use domain::{
    commit::Commit,
    evidence::Verdict,
    forge::{self, AutoMerge, Mergeability, PullRequestState},
    promotion::{self, Aim, Ending, Outcome, Overlays, Proposed, Reason, Situation, Slot, Step, next_step},
};

use crate::world::{Base, Check, Promotion, PullRequest, PullRequestIs, View, World};

/// Whether the forge has worked everything out when we look, and shows the last change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Blurred,
    Sharp,
}

/// What a look leads to.
pub(super) struct Seen {
    pub(super) step: Step,
    /// The base branch as it was seen, on which an edit is made.
    pub(super) base: Base,
    /// Whether the forge does not show yet what we have just opened.
    pub(super) hides_creation: bool,
}

/// The next step of an unsettled promotion; `None` where there is nothing to decide.
pub(super) fn look(world: &mut World, index: usize, sight: Sight) -> Option<Seen> {
    if world.promotions.get(index)?.outcome.is_some() {
        return None;
    }
    let mut happens = |one_in: u8| sight == Sight::Blurred && world.random.u8(0..one_in) == 0;
    let (unknown, late, base_late) = (happens(4), happens(5), happens(8));
    let base = if base_late { world.base_before } else { world.base };
    let Answer { found, hides_creation } = pull_request(world, index, late)?;
    let mine = world.promotions.get(index)?.clone();
    let situation = Situation {
        now: DateTime::UNIX_EPOCH + TimeDelta::seconds(world.seconds),
        poll_interval: Duration::from_secs(60),
        closing: mine.closing.clone(),
        verdict: world.verdict(mine.commit),
        overlays: overlays(world, base, mine.commit),
        newer: newer(world, index),
        slot: slot(world, index),
        pull_request: found.map(|(one, view)| proposed(world, &mine, (&one, &view), (base, unknown))),
        ordered: mine.ordered,
        overdue_at: None,
        restraint: world.frozen.then(|| "frozen".to_owned()),
    };
    let step = next_step(&situation);
    world.note(format_args!("{index}: {step:?} at {base:?}"));
    let view = found.map(|(_, view)| view);
    if let Some(view) = &view {
        check_order(&situation, &step, view);
    }
    world.kinds.extend(kind_of(&situation, &step, view.as_ref()));
    if hides_creation {
        world.kinds.push("late-creation");
    }
    if base != world.base {
        world.kinds.push("late-base");
    }
    Some(Seen { step, base, hides_creation })
}

/// What is shown as not ours, or as aimed elsewhere, is neither pushed to nor ordered to be merged, and such an order
/// is taken back, as it is while nothing shall be merged and while something is not proven.
fn check_order(situation: &Situation, step: &Step, view: &View) {
    let is_ours = view.aim == Aim::Base && !view.head.foreign;
    assert!(is_ours || !matches!(step, Step::Propose | Step::Arm { .. }), "{step:?} on what is not ours: {view:?}");
    let is_unwanted = situation.restraint.is_some() || situation.verdict != Verdict::Passed || !is_ours;
    assert!(!(view.armed && is_unwanted && matches!(step, Step::Wait { .. })), "{step:?} leaves the order: {view:?}");
}

/// What is rare about a decision.
fn kind_of(situation: &Situation, step: &Step, view: Option<&View>) -> Option<&'static str> {
    let is_pending = situation.restraint.is_none() && matches!(situation.verdict, Verdict::Pending { .. });
    let is_elsewhere = view.is_some_and(|view| view.aim == Aim::Elsewhere);
    let is_red = view.is_some_and(|view| view.required == Check::Failed);
    match step {
        Step::Wait { reason: Reason::Unstable, .. } => Some("waits-unstable"),
        Step::Wait { reason: Reason::Retargeted, .. } => Some("waits-retargeted"),
        Step::Wait { reason: Reason::Foreign(_), .. } => Some("waits-foreign"),
        Step::Wait { reason: Reason::Slot(_), .. } => Some("waits-slot"),
        Step::Wait { reason: Reason::TakenBack, .. } => Some("waits-taken-back"),
        Step::Disarm if situation.closing.is_some() => Some("disarms-closing"),
        Step::Disarm if is_pending => Some("disarms-pending"),
        Step::Disarm if is_elsewhere => Some("disarms-elsewhere"),
        Step::Settle(Outcome::Declined) if is_elsewhere => Some("declined-elsewhere"),
        Step::Close(Ending::Superseded { .. }) if is_red => Some("overtaken-red"),
        Step::Close(Ending::Refused { .. }) => Some("refused-open"),
        Step::Wait { .. } | Step::Settle(_) | Step::Close(_) | Step::Disarm | Step::Propose | Step::Arm { .. } => None,
    }
}

/// What the forge answers when it is asked for a promotion's pull request.
struct Answer {
    found: Option<(PullRequest, View)>,
    hides_creation: bool,
}

/// The pull request of a promotion and how it is shown: by number once that is known, before that by branch, wherever
/// it is aimed at.
///
/// One found by branch is recorded at once. Those of earlier promotions of the same commit do not count, by their number
/// or, where that was never heard of, by what they pushed. `None` when the forge does not know the number yet, so that
/// the pass fails.
fn pull_request(world: &mut World, index: usize, late: bool) -> Option<Answer> {
    let mine = world.promotions.get(index)?;
    if mine.number.is_none() && mine.heads.is_empty() {
        return Some(Answer { found: None, hides_creation: false });
    }
    let earlier: Vec<_> = world.promotions.iter().take(index).filter(|one| one.commit == mine.commit).collect();
    let is_earlier = |one: &PullRequest| {
        let is_theirs = |head: &(Commit, u8)| head.0 == one.now.head.commit;
        earlier.iter().any(|earlier| earlier.number == Some(one.number) || earlier.heads.iter().any(is_theirs))
    };
    let is_mine = |one: &&PullRequest| match mine.number {
        Some(number) => one.number == number,
        None => one.commit == mine.commit && !is_earlier(one),
    };
    let shown = |one: &PullRequest| if late { one.before } else { Some(one.now) };
    let all: Vec<_> = world.pull_requests.iter().rev().filter(is_mine).copied().collect();
    let Some((one, view)) = all.iter().find_map(|one| Some((*one, shown(one)?))) else {
        let answer = Answer { found: None, hides_creation: !all.is_empty() };
        return mine.number.is_none().then_some(answer);
    };
    if let Some(mine) = world.promotions.get_mut(index) {
        mine.number = Some(one.number);
    }
    if view != one.now {
        let kind = if matches!(one.now.is, PullRequestIs::Merged(_)) { "late-merge" } else { "late" };
        world.tell(kind, format_args!("{} is shown as {:?} {:?}", one.number, view.is, view.aim));
    }
    Some(Answer { found: Some((one, view)), hides_creation: false })
}

fn overlays(world: &World, base: Base, commit: usize) -> Overlays {
    let deployed = base.deployed;
    if base.broken {
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
            && world.verdict(other.commit) == Verdict::Passed
    };
    world.promotions.iter().find(is_newer).map(|other| World::name(other.commit))
}

pub(super) fn slot(world: &World, index: usize) -> Slot {
    let holder = world.promotions.iter().enumerate().find(|(_, one)| one.live && one.outcome.is_none());
    match holder {
        None => Slot::Free,
        Some((holder, _)) if holder == index => Slot::Ours,
        Some((_, holder)) => Slot::Taken(World::name(holder.commit)),
    }
}

fn proposed(
    world: &World,
    mine: &Promotion,
    (one, view): (&PullRequest, &View),
    (base, unknown): (Base, bool),
) -> Proposed {
    let state = match view.is {
        PullRequestIs::Open => PullRequestState::Open,
        PullRequestIs::ClosedByUs | PullRequestIs::ClosedByAPerson => PullRequestState::Closed,
        PullRequestIs::Merged(commit) => PullRequestState::Merged((!unknown).then_some(commit)),
    };
    let head = match mine.heads.iter().rposition(|(commit, _)| *commit == view.head.commit) {
        None => promotion::Head::Foreign,
        Some(last) if last + 1 < mine.heads.len() => promotion::Head::Outdated,
        Some(_) if view.head.made_on.tip == base.tip => promotion::Head::Ours(promotion::Base::Tip),
        Some(_) => promotion::Head::Ours(promotion::Base::Moved),
    };
    let into = if view.aim == Aim::Base { "main" } else { "staging" };
    let pull_request = forge::PullRequest {
        number: one.number,
        handle: String::new(),
        url: String::new(),
        state,
        head: view.head.commit,
        base: into.parse().unwrap_or_else(|_| unreachable!()),
        auto_merge: if view.armed { AutoMerge::Armed } else { AutoMerge::Disarmed },
        mergeability: if unknown { Mergeability::Unknown } else { world.mergeability(one, view) },
        missing: forge::Requirements::default(),
    };
    Proposed { pull_request, head, aim: view.aim }
}
