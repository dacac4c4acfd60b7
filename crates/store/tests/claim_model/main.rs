//! The protocol of claims as a model, in which everything that two replicas can do in any order is tried, and the same
//! steps on a real database.

#![expect(clippy::indexing_slicing, reason = "replicas have the numbers that are given out here")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a step that is not named is one that is none of the matter")]
#![expect(clippy::print_stdout, reason = "how much was tried and from which seed is what a failure is looked at with")]

mod model;
#[path = "../behaviour/place.rs"]
#[expect(dead_code, reason = "the tests of behaviour use the rest of it")]
mod place;
mod real;
#[path = "../behaviour/world.rs"]
#[expect(dead_code, reason = "the tests of behaviour use the rest of it")]
mod world;

use stateright::{Checker as _, Model as _};

use crate::model::{Claims, Rule};

fn checked(rule: Rule) -> impl stateright::Checker<Claims> {
    Claims { replicas: 2, latest: 4, most_claims: 3, rule }.checker().threads(2).spawn_bfs().join()
}

#[test]
fn of_two_replicas_with_leases_and_pauses_none_records_what_passed_on_and_no_wake_is_lost() {
    let checked = checked(Rule::Fence);
    println!("{} states, {} of them different", checked.state_count(), checked.unique_state_count());
    assert!(checked.unique_state_count() > 1_000, "the model does next to nothing");
    checked.assert_properties();
}

#[test]
fn a_protocol_that_trusts_the_clock_of_whoever_holds_a_claim_is_found_to_be_wrong() {
    let checked = checked(Rule::OwnClock);
    let path = checked.discovery("nothing is recorded by a claim that passed on");
    let path = path.expect("a replica that was paused records by a lease that is over");
    println!("{path}");
}

#[test]
fn a_protocol_that_forgets_who_woke_it_is_found_to_be_wrong() {
    assert!(checked(Rule::Forgetful).discovery("no wake is lost").is_some());
}
