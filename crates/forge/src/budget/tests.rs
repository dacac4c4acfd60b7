//! What is sent and what is not, by a clock of our own.

use chrono::TimeDelta;
use reqwest::header::HeaderName;

use super::*;

const WHO: Account = Account::Installation(42);

const LOOK: Purpose = Purpose { resource: Resource::Core, priority: Priority::Finish, changes: false };
const PROPOSE: Purpose = Purpose { resource: Resource::Core, priority: Priority::Propose, changes: true };
const MERGE: Purpose = Purpose { resource: Resource::Core, priority: Priority::Finish, changes: true };
const QUERY: Purpose = Purpose { resource: Resource::GraphQl, priority: Priority::Finish, changes: false };
const FETCH: Purpose = Purpose { resource: Resource::Git, priority: Priority::Finish, changes: false };

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn budgets() -> Budgets {
    Budgets::new(&Spending::default()).unwrap()
}

/// The headers of an answer; `reset` in seconds after the beginning.
fn left(resource: &'static str, limit: u64, remaining: u64, reset: i64) -> HeaderMap {
    let reset = at(reset).timestamp().to_string();
    let (limit, remaining) = (limit.to_string(), remaining.to_string());
    [("x-ratelimit-resource", resource), ("x-ratelimit-limit", &limit), ("x-ratelimit-remaining", &remaining)]
        .into_iter()
        .chain([("x-ratelimit-reset", reset.as_str())])
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

#[test]
fn what_is_spent_is_not_asked_for_until_its_hour_is_over() {
    let budgets = budgets();
    assert_eq!(budgets.admit(WHO, LOOK, at(0)), Ok(()));
    budgets.learn(WHO, Resource::Core, (200, &left("core", 5000, 0, 600)), at(0));
    assert_eq!(budgets.admit(WHO, LOOK, at(100)), Err(Denied::Spent(seconds(500))));
    assert_eq!(budgets.admit(WHO, QUERY, at(100)), Ok(()), "another resource");
    assert_eq!(budgets.admit(Account::Installation(7), LOOK, at(100)), Ok(()), "another installation");
    assert_eq!(budgets.admit(WHO, LOOK, at(600)), Ok(()));
}

#[test]
fn the_last_tenth_is_kept_from_new_proposals() {
    let budgets = budgets();
    budgets.learn(WHO, Resource::Core, (200, &left("core", 5000, 501, 600)), at(0));
    assert_eq!(budgets.admit(WHO, PROPOSE, at(0)), Ok(()));
    budgets.learn(WHO, Resource::Core, (200, &left("core", 5000, 500, 600)), at(0));
    assert_eq!(budgets.admit(WHO, PROPOSE, at(0)), Err(Denied::Kept(seconds(600))));
    assert_eq!(budgets.may_propose(WHO, at(0)), Err(Denied::Kept(seconds(600))));
    for other in [MERGE, LOOK] {
        assert_eq!(budgets.admit(WHO, other, at(0)), Ok(()));
    }
    assert_eq!(budgets.may_propose(WHO, at(600)), Ok(()));
}

#[test]
fn a_late_answer_does_not_bring_back_what_was_spent() {
    let budgets = budgets();
    budgets.learn(WHO, Resource::Core, (200, &left("core", 60, 0, 600)), at(0));
    budgets.learn(WHO, Resource::Core, (200, &left("core", 60, 5, 600)), at(0));
    budgets.learn(WHO, Resource::Core, (200, &left("core", 60, 5, 500)), at(0));
    assert!(budgets.admit(WHO, LOOK, at(0)).is_err());
    budgets.learn(WHO, Resource::Core, (200, &left("core", 60, 60, 4200)), at(0));
    assert_eq!(budgets.admit(WHO, LOOK, at(0)), Ok(()));
    budgets.learn(WHO, Resource::Core, (200, &left("search", 30, 0, 4200)), at(0));
    assert_eq!(budgets.admit(WHO, LOOK, at(0)), Ok(()), "a resource that is none of ours");
}

#[test]
fn a_pause_of_unknown_length_is_a_minute_and_longer_each_time() {
    let budgets = budgets();
    let mut now = 0;
    for wait in [60, 120, 240, 480, 900, 900] {
        assert_eq!(budgets.slow_down(WHO, Resource::Core, None, at(now)), seconds(wait));
        // The others that were on their way do not make it longer.
        assert_eq!(budgets.slow_down(WHO, Resource::GraphQl, None, at(now + 1)), seconds(wait - 1));
        assert_eq!(budgets.admit(WHO, QUERY, at(now + 1)), Err(Denied::Spent(seconds(wait - 1))));
        assert_eq!(budgets.admit(WHO, FETCH, at(now + 1)), Ok(()), "Git has limits of its own");
        now += i64::try_from(wait).unwrap();
        assert_eq!(budgets.admit(WHO, LOOK, at(now)), Ok(()));
    }
    budgets.learn(WHO, Resource::Core, (200, &HeaderMap::new()), at(now));
    assert_eq!(budgets.slow_down(WHO, Resource::Core, None, at(now)), seconds(60), "after one that went well");
}

#[test]
fn a_pause_that_is_asked_for_is_kept_to() {
    let budgets = budgets();
    assert_eq!(budgets.slow_down(WHO, Resource::Core, Some(seconds(90)), at(0)), seconds(90));
    assert_eq!(budgets.slow_down(WHO, Resource::Core, Some(seconds(7)), at(0)), seconds(90), "the longer one");
    assert_eq!(budgets.admit(WHO, LOOK, at(89)), Err(Denied::Spent(seconds(1))));
    assert_eq!(budgets.slow_down(WHO, Resource::Git, Some(seconds(0)), at(0)), seconds(1));
    assert_eq!(budgets.slow_down(WHO, Resource::Git, Some(Duration::MAX), at(0)), seconds(7200));
}

#[test]
fn a_spent_hour_is_no_pause_of_anything_else() {
    let budgets = budgets();
    budgets.learn(WHO, Resource::GraphQl, (200, &left("graphql", 5000, 0, 600)), at(0));
    assert_eq!(budgets.slow_down(WHO, Resource::GraphQl, None, at(0)), seconds(600));
    assert_eq!(budgets.admit(WHO, LOOK, at(0)), Ok(()));
    assert_eq!(budgets.admit(WHO, QUERY, at(0)), Err(Denied::Spent(seconds(600))));
}

#[test]
fn changes_are_paced_and_the_last_of_them_kept_for_merging() {
    let budgets = budgets();
    for _ in 0..72 {
        assert_eq!(budgets.admit(WHO, PROPOSE, at(0)), Ok(()));
    }
    assert_eq!(budgets.admit(WHO, PROPOSE, at(20)), Err(Denied::Kept(seconds(40))));
    for _ in 72..80 {
        assert_eq!(budgets.admit(WHO, MERGE, at(20)), Ok(()));
    }
    assert_eq!(budgets.admit(WHO, MERGE, at(20)), Err(Denied::Spent(seconds(40))));
    assert_eq!(budgets.admit(WHO, LOOK, at(20)), Ok(()));
    assert_eq!(budgets.admit(WHO, PROPOSE, at(60)), Ok(()));
}

#[test]
fn five_hundred_changes_are_an_hours() {
    let budgets = budgets();
    for minute in 0..10 {
        for _ in 0..50 {
            assert_eq!(budgets.admit(WHO, MERGE, at(minute * 60)), Ok(()));
        }
    }
    assert_eq!(budgets.admit(WHO, MERGE, at(600)), Err(Denied::Spent(seconds(3000))));
    assert_eq!(budgets.admit(WHO, PROPOSE, at(3599)), Err(Denied::Spent(seconds(1))));
    assert_eq!(budgets.admit(WHO, MERGE, at(3600)), Ok(()));
    assert_eq!(budgets.admit(WHO, PROPOSE, at(3600)), Err(Denied::Kept(seconds(60))));
}

#[test]
fn settings_that_allow_nothing_are_refused() {
    let usual = Spending::default();
    for wrong in [Spending { kept_percent: 91, ..usual }, Spending { changes_per_minute: 0, ..usual }] {
        assert!(Budgets::new(&wrong).is_err());
    }
    let all = Budgets::new(&Spending { kept_percent: 0, ..usual }).unwrap();
    all.learn(WHO, Resource::Core, (200, &left("core", 5000, 1, 600)), at(0));
    assert_eq!(all.admit(WHO, PROPOSE, at(0)), Ok(()));
    assert_eq!(all.admit(WHO, LOOK, at(0) + TimeDelta::seconds(1)), Ok(()));
}
