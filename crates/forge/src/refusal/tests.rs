//! Every text that was seen in an answer of GitHub's, from the fixture that the sandbox's tests know too.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Row {
    /// What is known of GitHub that this is an example of.
    row: String,
    message: String,
    /// The name of the meaning; none where the answer is understood without its text.
    class: Option<String>,
}

/// What is known of GitHub's refusals, each with a text at least.
const ROWS: &[&str] = &[
    "403",
    "404",
    "405 base moved",
    "405 behind",
    "405 draft",
    "405 method off",
    "405 missing",
    "405 not authorized",
    "405 not mergeable",
    "405 not rebaseable",
    "405 queue",
    "405 unknown",
    "409",
    "422",
    "502",
    "auto-merge off",
    "behind",
    "clean",
    "dirty",
    "draft",
    "failed inside",
    "has hooks",
    "head moved",
    "method off",
    "no permission",
    "not authorized",
    "not visible",
    "queue: in already",
    "queue: not ready",
    "queue: unknown",
    "state",
    "unknown",
    "unknown status",
    "unprotected",
    "unstable",
];

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../../tests/fixtures/refusals.json")).unwrap()
}

#[test]
fn every_text_that_was_seen_has_its_meaning() {
    for Row { message, class, .. } in rows() {
        if let Some(class) = class {
            assert_eq!(format!("{:?}", Meaning::of(&message)), class, "{message}");
            assert_eq!(format!("{:?}", Meaning::of(&message.to_uppercase())), class, "{message}");
        }
    }
}

#[test]
fn every_reason_that_is_known_has_a_text() {
    let rows = rows();
    let covered: BTreeSet<&str> = rows.iter().map(|row| row.row.as_str()).collect();
    assert_eq!(covered, ROWS.iter().copied().collect());
    let known: BTreeSet<&str> = TEXTS.iter().map(|(text, _)| *text).collect();
    let fits = |text: &&&str| rows.iter().any(|row| row.message.to_lowercase().contains(**text));
    // The text for another head is not known, so that several are looked for.
    let unseen = BTreeSet::from(["expected head", "head oid", "head sha"]);
    assert_eq!(known.iter().filter(|text| !fits(text)).copied().collect::<BTreeSet<_>>(), unseen);
}

#[test]
fn a_text_that_names_a_queue_is_not_taken_for_the_need_of_one() {
    assert_eq!(Meaning::of("The merge queue of acme/trinity is paused"), Meaning::Unknown);
    assert_eq!(Meaning::of("Changes must be made through the merge queue"), Meaning::Queue);
}

#[test]
fn what_the_queue_took_out_again_and_again_says_why() {
    let refusal = |reason: Option<&str>| Refusal::Dequeued { times: 3, reason: reason.map(str::to_owned) }.to_string();
    let rest = "mend what fails there, then put it into the queue by hand or release another commit";
    assert_eq!(refusal(None), format!("the merge queue took it out 3 times: {rest}"));
    let said = refusal(Some("CI_FAILURE"));
    assert_eq!(said, format!("the merge queue took it out 3 times (ci failure, the last time): {rest}"));
}
