//! One line of the table in the design for each case.

use super::*;
use crate::{
    forge::{Number, Requirements},
    report::State,
};

fn commit(byte: u8) -> Commit {
    Commit::from_bytes([byte; 20])
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A proven release, older than nothing, with no pull request yet.
fn ready() -> Situation {
    Situation {
        now: now(),
        poll_interval: Duration::from_secs(60),
        closing: None,
        verdict: Verdict::Passed,
        overlays: Overlays::Behind,
        newer: None,
        slot: Slot::Free,
        pull_request: None,
        ordered: None,
        overdue_at: None,
        restraint: None,
    }
}

fn pull_request(state: PullRequestState, auto_merge: AutoMerge, mergeability: Mergeability) -> Option<Proposed> {
    proposed(state, auto_merge, mergeability, Head::Ours(Base::Tip))
}

fn proposed(
    state: PullRequestState,
    auto_merge: AutoMerge,
    mergeability: Mergeability,
    head: Head,
) -> Option<Proposed> {
    let number = Number(1);
    let url = "https://forge.example/1".to_owned();
    let handle = "PR_1".to_owned();
    let base = "main".parse().unwrap();
    let missing = Requirements::default();
    let pull_request =
        PullRequest { number, handle, url, state, head: commit(9), base, auto_merge, mergeability, missing };
    Some(Proposed { pull_request, head, aim: Aim::Base })
}

fn elsewhere(proposed: Option<Proposed>) -> Situation {
    let pull_request = proposed.map(|proposed| Proposed { aim: Aim::Elsewhere, ..proposed });
    Situation { pull_request, ..ready() }
}

fn open(auto_merge: AutoMerge, mergeability: Mergeability) -> Option<Proposed> {
    pull_request(PullRequestState::Open, auto_merge, mergeability)
}

fn waits_for(situation: &Situation) -> Reason {
    let step = next_step(situation);
    let Step::Wait { reason, .. } = step else { panic!("{step:?} is not a wait") };
    reason
}

#[test]
fn a_merge_is_recorded_whatever_else_is_so() {
    let merged = pull_request(PullRequestState::Merged(Some(commit(7))), AutoMerge::Armed, Mergeability::Unknown);
    let situation = Situation {
        pull_request: merged,
        closing: Some(Ending::Superseded { by: commit(2) }),
        newer: Some(commit(2)),
        verdict: Verdict::Failed { why: "no".to_owned() },
        ..ready()
    };
    assert_eq!(next_step(&situation), Step::Settle(Outcome::Merged { commit: Some(commit(7)) }));
}

#[test]
fn an_older_release_gives_way_to_a_newer_one() {
    let by = commit(2);
    let overtaken = Situation { newer: Some(by), ..ready() };
    assert_eq!(next_step(&overtaken), Step::Settle(Outcome::Ended(Ending::Superseded { by })));
    ends_in_order(&overtaken, &Ending::Superseded { by });
    let deployed = Situation { overlays: Overlays::Ahead(by), ..ready() };
    assert_eq!(next_step(&deployed), Step::Settle(Outcome::Ended(Ending::Superseded { by })));
}

#[test]
fn overlays_that_name_the_release_need_no_pull_request() {
    let situation = Situation { overlays: Overlays::Current, ..ready() };
    assert_eq!(next_step(&situation), Step::Settle(Outcome::Ended(Ending::AlreadyCurrent)));
}

#[test]
fn failed_evidence_refuses_the_release() {
    let ending = Ending::Refused { why: "commit x does not exist".to_owned() };
    let situation = Situation { verdict: Verdict::Failed { why: "commit x does not exist".to_owned() }, ..ready() };
    assert_eq!(next_step(&situation), Step::Settle(Outcome::Ended(ending.clone())));
    ends_in_order(&situation, &ending);
}

/// What shall not be merged any more is disarmed first, and closed then.
fn ends_in_order(situation: &Situation, ending: &Ending) {
    let with = |pull_request| Situation { pull_request, ..situation.clone() };
    assert_eq!(next_step(&with(open(AutoMerge::Armed, Mergeability::Blocked))), Step::Disarm);
    let disarmed = with(open(AutoMerge::Disarmed, Mergeability::Blocked));
    assert_eq!(next_step(&disarmed), Step::Close(ending.clone()));
}

#[test]
fn an_order_that_somebody_else_took_back_is_not_given_again_for_any_head() {
    for mergeability in [Mergeability::Blocked, Mergeability::Clean, Mergeability::Unknown] {
        let pull_request = open(AutoMerge::Disarmed, mergeability);
        for ordered in [commit(9), commit(8)] {
            let taken_back = Situation { pull_request: pull_request.clone(), ordered: Some(ordered), ..ready() };
            assert_eq!(waits_for(&taken_back), Reason::TakenBack, "{mergeability:?}");
        }
    }
}

#[test]
fn a_pull_request_that_is_open_for_too_long_is_overdue_and_looked_at_when_it_becomes_so() {
    let soon = now() + TimeDelta::seconds(5);
    let pull_request = open(AutoMerge::Armed, Mergeability::Blocked);
    let waiting = Situation { pull_request, overdue_at: Some(soon), ..ready() };
    assert!(!waiting.is_overdue());
    let Step::Wait { until, .. } = next_step(&waiting) else { panic!("not a wait") };
    assert_eq!(until, soon);
    let overdue = Situation { now: soon, ..waiting };
    assert!(overdue.is_overdue());
    let Step::Wait { until, .. } = next_step(&overdue) else { panic!("not a wait") };
    assert_eq!(until, soon + TimeDelta::seconds(60));
    assert!(!Situation { overdue_at: None, ..overdue.clone() }.is_overdue());
    assert!(!Situation { pull_request: None, ..overdue }.is_overdue());
}

#[test]
fn an_overlay_with_an_unrelated_commit_is_not_overwritten() {
    let situation = Situation { overlays: Overlays::Unrelated("aws".parse().unwrap(), commit(3)), ..ready() };
    let Step::Settle(outcome) = next_step(&situation) else { panic!("not settled") };
    assert_eq!(outcome.to_string(), "refused: aws has commit 0303030, which is not an ancestor of this one");
}

#[test]
fn a_close_by_a_person_declines_and_a_close_by_us_does_not() {
    let closed = pull_request(PullRequestState::Closed, AutoMerge::Disarmed, Mergeability::Unknown);
    let situation = Situation { pull_request: closed, ..ready() };
    assert_eq!(next_step(&situation), Step::Settle(Outcome::Declined));
    let ours = Situation { closing: Some(Ending::AlreadyCurrent), ..situation };
    assert_eq!(next_step(&ours), Step::Settle(Outcome::Ended(Ending::AlreadyCurrent)));
}

#[test]
fn a_freeze_disarms_and_then_waits() {
    let frozen = Situation { restraint: Some("frozen until Monday".to_owned()), ..ready() };
    assert_eq!(waits_for(&frozen), Reason::Restrained("frozen until Monday".to_owned()));
    let armed = Situation { pull_request: open(AutoMerge::Armed, Mergeability::Blocked), ..frozen.clone() };
    assert_eq!(next_step(&armed), Step::Disarm);
    let disarmed = Situation { pull_request: open(AutoMerge::Disarmed, Mergeability::Clean), ..frozen };
    assert_eq!(waits_for(&disarmed), Reason::Restrained("frozen until Monday".to_owned()));
}

#[test]
fn what_is_not_proven_any_more_is_disarmed_wherever_it_is_aimed_and_whoever_is_on_its_branch() {
    let until = now() + TimeDelta::seconds(20);
    let verdict = Verdict::Pending { why: "waiting for the image in azure".to_owned(), until };
    let pending = |pull_request| Situation { pull_request, verdict: verdict.clone(), ..ready() };
    let with = |head, auto_merge| proposed(PullRequestState::Open, auto_merge, Mergeability::Blocked, head);
    for head in [Head::Ours(Base::Tip), Head::Ours(Base::Moved), Head::Outdated, Head::Foreign] {
        assert_eq!(next_step(&pending(with(head, AutoMerge::Armed))), Step::Disarm, "{head:?}");
        let disarmed = pending(with(head, AutoMerge::Disarmed));
        assert_eq!(waits_for(&disarmed), Reason::Evidence("waiting for the image in azure".to_owned()), "{head:?}");
    }
    let elsewhere = elsewhere(open(AutoMerge::Armed, Mergeability::Blocked));
    assert_eq!(next_step(&Situation { verdict, ..elsewhere }), Step::Disarm);
}

#[test]
fn pending_evidence_is_looked_at_again_before_its_deadline() {
    let until = now() + TimeDelta::seconds(20);
    let why = "waiting for the image in azure".to_owned();
    let situation = Situation { verdict: Verdict::Pending { why: why.clone(), until }, ..ready() };
    assert_eq!(next_step(&situation), Step::Wait { reason: Reason::Evidence(why), until });
}

#[test]
fn a_proven_release_is_proposed_and_then_armed() {
    assert_eq!(next_step(&ready()), Step::Propose);
    for mergeability in [Mergeability::Blocked, Mergeability::Clean, Mergeability::Unknown] {
        let situation = Situation { pull_request: open(AutoMerge::Disarmed, mergeability), ..ready() };
        assert_eq!(next_step(&situation), Step::Arm { head: commit(9) }, "{mergeability:?}");
    }
}

#[test]
fn a_pull_request_is_rebuilt_when_its_base_moved_under_it() {
    for mergeability in [Mergeability::Conflicting, Mergeability::Behind] {
        let moved = proposed(PullRequestState::Open, AutoMerge::Armed, mergeability, Head::Ours(Base::Moved));
        assert_eq!(next_step(&Situation { pull_request: moved, ..ready() }), Step::Propose, "{mergeability:?}");
        let stale = open(AutoMerge::Armed, mergeability);
        assert_eq!(waits_for(&Situation { pull_request: stale, ..ready() }), Reason::Computing, "{mergeability:?}");
    }
}

#[test]
fn a_draft_waits_for_a_person() {
    for auto_merge in [AutoMerge::Disarmed, AutoMerge::Armed] {
        let draft = open(auto_merge, Mergeability::Draft);
        let reason = waits_for(&Situation { pull_request: draft, ..ready() });
        assert_eq!(reason.to_string(), "the pull request is a draft; mark it as ready for review");
    }
}

#[test]
fn what_is_in_the_queue_is_waited_for_and_comes_out_before_it_is_pushed_to() {
    for mergeability in [Mergeability::Clean, Mergeability::Unknown, Mergeability::Blocked, Mergeability::Unstable] {
        let queued = open(AutoMerge::Queued, mergeability);
        assert_eq!(waits_for(&Situation { pull_request: queued, ..ready() }), Reason::Queued, "{mergeability:?}");
    }
    let with = |head, mergeability| {
        let pull_request = proposed(PullRequestState::Open, AutoMerge::Queued, mergeability, head);
        next_step(&Situation { pull_request, ..ready() })
    };
    assert_eq!(with(Head::Outdated, Mergeability::Clean), Step::Disarm);
    assert_eq!(with(Head::Ours(Base::Moved), Mergeability::Conflicting), Step::Disarm);
    assert_eq!(with(Head::Foreign, Mergeability::Clean), Step::Disarm);
    let frozen = Situation { restraint: Some("frozen".to_owned()), ..ready() };
    let queued = open(AutoMerge::Queued, Mergeability::Clean);
    assert_eq!(next_step(&Situation { pull_request: queued, ..frozen }), Step::Disarm);
}

#[test]
fn what_the_queue_did_not_take_by_itself_is_ordered_again() {
    let left = open(AutoMerge::Unqueued, Mergeability::Clean);
    assert_eq!(next_step(&Situation { pull_request: left, ..ready() }), Step::Arm { head: commit(9) });
}

#[test]
fn what_is_missing_is_named() {
    let mut blocked = open(AutoMerge::Armed, Mergeability::Blocked);
    let sentence = |pull_request| waits_for(&Situation { pull_request, ..ready() }).to_string();
    assert_eq!(sentence(blocked.clone()), "the checks or reviews that the base branch requires are not there yet");
    blocked.as_mut().unwrap().pull_request.missing.approvals = 1;
    assert_eq!(sentence(blocked), "waits for 1 approving review");
}

#[test]
fn a_push_that_did_not_arrive_is_repeated_and_a_foreign_commit_is_disarmed_and_left_alone() {
    let outdated = proposed(PullRequestState::Open, AutoMerge::Armed, Mergeability::Clean, Head::Outdated);
    assert_eq!(next_step(&Situation { pull_request: outdated, ..ready() }), Step::Propose);
    let foreign = |auto_merge| {
        let pull_request = proposed(PullRequestState::Open, auto_merge, Mergeability::Clean, Head::Foreign);
        Situation { pull_request, ..ready() }
    };
    assert_eq!(next_step(&foreign(AutoMerge::Armed)), Step::Disarm);
    assert_eq!(waits_for(&foreign(AutoMerge::Disarmed)), Reason::Foreign(commit(9)));
}

#[test]
fn a_pull_request_into_another_branch_is_disarmed_and_its_merge_there_moves_no_overlay() {
    assert_eq!(next_step(&elsewhere(open(AutoMerge::Armed, Mergeability::Clean))), Step::Disarm);
    assert_eq!(waits_for(&elsewhere(open(AutoMerge::Disarmed, Mergeability::Clean))), Reason::Retargeted);
    let merged = pull_request(PullRequestState::Merged(Some(commit(7))), AutoMerge::Disarmed, Mergeability::Unknown);
    assert_eq!(next_step(&elsewhere(merged)), Step::Settle(Outcome::Declined));
}

#[test]
fn one_pull_request_at_a_time() {
    let situation = Situation { slot: Slot::Taken(commit(3)), ..ready() };
    assert_eq!(waits_for(&situation), Reason::Slot(commit(3)));
}

#[test]
fn an_overlay_that_can_not_be_edited_is_waited_for() {
    let why = "apps/x/kustomization.yaml has two entries named x".to_owned();
    let situation = Situation { overlays: Overlays::Unreadable(why.clone()), ..ready() };
    assert_eq!(waits_for(&situation), Reason::Unreadable(why));
}

#[test]
fn one_overlay_decides_for_all() {
    let named = |standings: Vec<Standing>| overlays(standings.into_iter().map(|one| ("aws".parse().unwrap(), one)));
    let (ahead, unrelated) = (Standing::Ahead(commit(2)), Standing::Unrelated(commit(3)));
    let unreadable = Standing::Unreadable("why".to_owned());
    assert_eq!(named(vec![Standing::Current, Standing::Current]), Overlays::Current);
    assert_eq!(named(vec![Standing::Current, Standing::Behind]), Overlays::Behind);
    assert_eq!(named(vec![Standing::Behind, ahead.clone(), unrelated.clone()]), Overlays::Ahead(commit(2)));
    assert_eq!(named(vec![unrelated, Standing::Behind]), Overlays::Unrelated("aws".parse().unwrap(), commit(3)));
    assert_eq!(named(vec![ahead, unreadable]), Overlays::Unreadable("why".to_owned()));
}

#[test]
fn the_verdict_is_reported_of_our_commit_and_of_no_other() {
    let situation = |verdict, pull_request| Situation { verdict, pull_request, ..ready() };
    let ours = open(AutoMerge::Armed, Mergeability::Blocked);
    let state = |situation: &Situation| crate::report::report(situation).map(|report| (report.head, report.state));
    let pending = Verdict::Pending { why: "waiting".to_owned(), until: now() };
    for (verdict, expected) in [
        (Verdict::Passed, State::Success),
        (pending, State::Pending),
        (Verdict::Failed { why: "no".to_owned() }, State::Failure),
    ] {
        assert_eq!(state(&situation(verdict, ours.clone())), Some((commit(9), expected)));
    }
    let foreign = proposed(PullRequestState::Open, AutoMerge::Armed, Mergeability::Clean, Head::Foreign);
    let closed = pull_request(PullRequestState::Closed, AutoMerge::Disarmed, Mergeability::Unknown);
    for other in [foreign, closed, None] {
        assert_eq!(state(&situation(Verdict::Passed, other)), None);
    }
}

#[test]
fn an_order_is_void_where_it_goes_without_anybody_taking_it_back() {
    let voids = |auto_merge, ordered, reason: Reason| {
        Situation { pull_request: open(auto_merge, Mergeability::Blocked), ordered, ..ready() }.voids_order(&reason)
    };
    let ours = Some(commit(9));
    assert!(voids(AutoMerge::Disarmed, ours, Reason::Retargeted));
    assert!(voids(AutoMerge::Disarmed, ours, Reason::Draft));
    assert!(voids(AutoMerge::Queued, ours, Reason::Queued));
    assert!(voids(AutoMerge::Unqueued, ours, Reason::Computing));
    assert!(!voids(AutoMerge::Armed, ours, Reason::Computing));
    assert!(!voids(AutoMerge::Disarmed, ours, Reason::TakenBack));
    assert!(!voids(AutoMerge::Queued, None, Reason::Queued), "there is none");
}
