//! Many small worlds in which everything moves between looking and acting.
//!
//! Each world has an application with a few releases, a forge, people, and us: we look, the world moves, we act
//! on what we saw, and are killed in the middle of it now and then. What we see may be older than the world. At the
//! end people leave the world alone and every promotion must come to its end. A world is made from its seed alone; a
//! failure prints the seed and what happened.

mod us;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::promotion::{Aim, Ending, Outcome};
use world::{PullRequestIs, World};

/// How many worlds are simulated.
const WORLDS: u64 = 150_000;

/// How often something happens in a world before it is left alone.
const EVENTS: usize = 60;

/// How often each promotion is looked at afterwards; more than the longest way to any end takes.
const CALM_ROUNDS: usize = 40;

/// How many worlds have every kind.
const FEW_WORLDS: u64 = 10_000;

/// What must be among few worlds already, so that no change loses it.
const KINDS: &[&str] = &[
    // How promotions end.
    "merged",
    "declined",
    "declined-elsewhere",
    "superseded",
    "refused",
    "already-current",
    // What is known of the releases.
    "moved-tag",
    "another-target",
    "reopened",
    // What the forge does.
    "green",
    "red",
    "optional-runs",
    "optional-green",
    "optional-red",
    "merge",
    "merge-elsewhere",
    "refuses-order",
    // What it shows late.
    "late",
    "late-merge",
    "late-creation",
    "late-base",
    // What people do.
    "close",
    "close-red",
    "merge-red",
    "rerun",
    "foreign",
    "retargeted",
    "pointed-back",
    "taken-back",
    "hand-edit",
    // What we do and what happens to us.
    "killed",
    "rebuilt",
    "conflict",
    "disarmed",
    "disarms-elsewhere",
    "disarms-pending",
    "waits-foreign",
    "waits-retargeted",
    "waits-unstable",
    "waits-taken-back",
    "disarms-closing",
    "waits-slot",
    "push-refused",
    "overtaken-red",
    "refused-open",
];

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
    for seed in 0..FEW_WORLDS {
        let mut world = World::new(seed);
        simulate(&mut world);
        let endings = world.promotions.iter().map(|promotion| promotion.outcome.as_ref().unwrap().as_str());
        for kind in endings.chain(world.kinds.iter().copied()) {
            *seen.entry(kind).or_default() += 1;
        }
    }
    for kind in KINDS {
        assert!(seen.get(kind).is_some_and(|count| *count >= 10), "hardly any world with {kind}: {seen:?}");
    }
}

/// What went wrong in the world of a seed, with its story: that is told only where it is wanted, since telling takes
/// longer than happening.
fn failure_of(seed: u64) -> Option<String> {
    let mut world = World::new(seed);
    run(&mut world).err()?;
    let mut world = World::new(seed);
    world.story = Some(Vec::new());
    let why = run(&mut world).err().unwrap_or_default();
    Some(format!("seed {seed}: {why}\n{}", world.story.unwrap_or_default().join("\n")))
}

/// Lets a world run and looks at the end; the error is what was not as it must be.
fn run(world: &mut World) -> Result<(), String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        simulate(world);
        check(world);
    }));
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        panic.downcast_ref::<String>().cloned().or(text).unwrap_or_default()
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
        if world.promotions.iter().all(|promotion| promotion.outcome.is_some()) {
            break;
        }
        us::calm_pass(world);
        world.people_finish();
        world.forge_works();
        world.check_now();
    }
}

/// What must be so once a world has come to rest.
fn check(world: &World) {
    for (index, promotion) in world.promotions.iter().enumerate() {
        let requests: Vec<_> = world.pull_requests.iter().filter(|one| one.promotion == index).collect();
        let is_merged =
            |aim: Aim| requests.iter().any(|one| one.now.aim == aim && matches!(one.now.is, PullRequestIs::Merged(_)));
        let outcome = promotion.outcome.as_ref();
        let outcome = outcome.unwrap_or_else(|| unreachable!("promotion {index} did not settle"));
        assert_eq!(
            matches!(outcome, Outcome::Merged { .. }),
            is_merged(Aim::Base),
            "promotion {index} settled as {outcome:?}"
        );
        if *outcome == Outcome::Declined {
            let is_closed = requests.iter().any(|one| one.now.is == PullRequestIs::ClosedByAPerson);
            assert!(is_closed || is_merged(Aim::Elsewhere), "promotion {index} was declined by nobody");
        }
        if let Outcome::Ended(Ending::Superseded { by }) = outcome {
            let by = world.index_of(*by);
            assert!(world.is_ancestor(promotion.commit, by), "promotion {index} gave way to one that is not newer");
        }
        assert!(requests.len() <= 1, "promotion {index} had {} pull requests", requests.len());
    }
    assert_eq!(world.open(), None, "a pull request was left open");
}
