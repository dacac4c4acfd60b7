//! Many small worlds in which everything moves between looking and acting.
//!
//! Each world has an application with a few releases, a forge, people, and us: we look, the world moves, we act
//! on what we saw, and are killed in the middle of it now and then. At the end people leave the world alone and
//! every promotion must come to its end. A world is made from its seed alone; a failure prints the seed and what
//! happened.

mod us;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::promotion::{Ending, Outcome};
use world::{PullRequestIs, World};

/// How many worlds are simulated.
const WORLDS: u64 = 120_000;

/// How often something happens in a world before it is left alone.
const EVENTS: usize = 60;

/// How often each promotion is looked at afterwards; more than the longest way to any end takes.
const CALM_ROUNDS: usize = 12;

#[test]
fn every_promotion_settles_and_merged_is_recorded_exactly_when_it_was_merged() {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let half = |range: std::ops::Range<u64>| scope.spawn(move || range.filter_map(failure_of).take(3).collect());
        let halves: [std::thread::ScopedJoinHandle<'_, Vec<String>>; 2] =
            [half(0..WORLDS / 2), half(WORLDS / 2..WORLDS)];
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_worlds_are_of_every_kind() {
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    for seed in 0..2_000 {
        let mut world = World::new(seed);
        simulate(&mut world);
        for promotion in &world.promotions {
            *seen.entry(promotion.outcome.as_ref().unwrap().as_str()).or_default() += 1;
        }
        for event in world.log.iter().filter_map(|line| line.split_whitespace().next()) {
            let known = ["killed", "merged", "hand-edit", "foreign", "rebuilt", "disarmed", "conflict"];
            if let Some(event) = known.into_iter().find(|known| *known == event) {
                *seen.entry(event).or_default() += 1;
            }
        }
    }
    for kind in [
        "merged",
        "declined",
        "superseded",
        "refused",
        "already-current",
        "killed",
        "hand-edit",
        "foreign",
        "rebuilt",
        "disarmed",
        "conflict",
    ] {
        assert!(seen.get(kind).is_some_and(|count| *count >= 10), "hardly any world with {kind}: {seen:?}");
    }
}

/// What went wrong in the world of a seed.
fn failure_of(seed: u64) -> Option<String> {
    let mut world = World::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        simulate(&mut world);
        check(&world);
    }));
    outcome.err().map(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        format!("seed {seed}: {why}\n{}", world.log.join("\n"))
    })
}

/// Lets a world run to its end.
fn simulate(world: &mut World) {
    for _ in 0..EVENTS {
        if world.random.bool() {
            us::pass(world);
        } else {
            world.something_happens();
        }
        world.check_now();
    }
    world.come_to_rest();
    for _ in 0..CALM_ROUNDS {
        us::calm_pass(world);
        world.checks_pass();
        world.forge_works();
        world.check_now();
    }
}

/// What must be so once a world has come to rest.
fn check(world: &World) {
    for (index, promotion) in world.promotions.iter().enumerate() {
        let is = |wanted: fn(&PullRequestIs) -> bool| {
            world.pull_requests.iter().any(|one| one.promotion == index && wanted(&one.is))
        };
        let outcome = promotion.outcome.as_ref();
        let outcome = outcome.unwrap_or_else(|| unreachable!("promotion {index} did not settle"));
        assert_eq!(
            matches!(outcome, Outcome::Merged { .. }),
            is(|one| matches!(one, PullRequestIs::Merged(_))),
            "promotion {index} settled as {outcome:?}"
        );
        if *outcome == Outcome::Declined {
            assert!(is(|one| *one == PullRequestIs::ClosedByAPerson), "promotion {index} was declined by nobody");
        }
        if let Outcome::Ended(Ending::Superseded { by }) = outcome {
            let by = world.index_of(*by);
            assert!(world.is_ancestor(promotion.commit, by), "promotion {index} gave way to one that is not newer");
        }
        let requests = world.pull_requests.iter().filter(|one| one.promotion == index).count();
        assert!(requests <= 1, "promotion {index} had {requests} pull requests");
    }
    let open = world.pull_requests.iter().filter(|one| one.is == PullRequestIs::Open).count();
    assert_eq!(open, 0, "a pull request was left open");
}
