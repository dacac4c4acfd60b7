//! When the barrier opens, and which digest is released.

use std::time::Duration;

use super::*;
use crate::sample::{application, at, build};

fn names(targets: &[&str]) -> Vec<Name> {
    targets.iter().map(|name| name.parse().unwrap()).collect()
}

/// The barrier of an application with a deadline of 100 seconds.
fn barrier_of(builds: &[Build], since: i64, now: i64) -> Barrier {
    let mut application = application();
    application.release.deadline = Duration::from_secs(100);
    barrier(&application, builds, at(since), at(now))
}

#[test]
fn with_a_build_of_each_target_it_is_complete_even_after_the_deadline() {
    for now in [0, 100, 9_999] {
        assert_eq!(barrier_of(&[build("gcp", 1, 5), build("aws", 1, 0)], 0, now), Barrier::Complete, "{now}");
    }
}

#[test]
fn what_is_missing_is_waited_for_until_the_deadline_and_not_at_it() {
    let open = |missing: &[&str], until| Barrier::Open { missing: names(missing), until: at(until) };
    let overdue = |missing: &[&str]| Barrier::Overdue { missing: names(missing) };
    for (builds, since, now, expected) in [
        (vec![build("aws", 1, 0)], 0, 0, open(&["gcp"], 100)),
        (vec![build("aws", 1, 0)], 0, 99, open(&["gcp"], 100)),
        (vec![build("aws", 1, 0)], 0, 100, overdue(&["gcp"])),
        (vec![build("aws", 1, 0)], 0, 101, overdue(&["gcp"])),
        (vec![build("gcp", 1, 0)], 0, 100, overdue(&["aws"])),
        (vec![], 0, 99, open(&["aws", "gcp"], 100)),
        (vec![], 0, 100, overdue(&["aws", "gcp"])),
    ] {
        assert_eq!(barrier_of(&builds, since, now), expected, "{now}");
    }
}

#[test]
fn a_new_chance_moves_the_deadline() {
    let builds = [build("aws", 1, 0)];
    let open = Barrier::Open { missing: names(&["gcp"]), until: at(150) };
    assert_eq!(barrier_of(&builds, 50, 100), open);
    assert_eq!(barrier_of(&builds, 50, 149), open);
    assert_eq!(barrier_of(&builds, 50, 150), Barrier::Overdue { missing: names(&["gcp"]) });
}

#[test]
fn a_deadline_beyond_all_time_is_never_over() {
    let mut application = application();
    application.release.deadline = Duration::MAX;
    let open = Barrier::Open { missing: names(&["aws", "gcp"]), until: DateTime::<Utc>::MAX_UTC };
    assert_eq!(barrier(&application, &[], at(0), at(1_000_000_000)), open);
}

#[test]
fn a_build_of_a_target_that_is_not_configured_counts_for_none() {
    let builds = [build("aws", 1, 0), build("azure", 1, 0)];
    assert_eq!(barrier_of(&builds, 0, 100), Barrier::Overdue { missing: names(&["gcp"]) });
}

#[test]
fn the_digest_is_that_of_the_newest_build_of_the_target() {
    let check = |builds: &[Build], expected: Option<&Build>| {
        let found = digest(builds, &"aws".parse().unwrap());
        assert_eq!(found, expected.map(|build| &build.digest));
    };
    let (old, new, other) = (build("aws", 1, 0), build("aws", 2, 10), build("gcp", 3, 20));
    check(&[], None);
    check(std::slice::from_ref(&other), None);
    check(&[old.clone(), new.clone(), other.clone()], Some(&new));
    check(&[new.clone(), other, old], Some(&new));
}
