//! What evidence adds up to.

use super::*;

fn evidence(kind: Kind, outcome: Outcome, seen: &str) -> Evidence {
    Evidence { kind, outcome, seen: seen.to_owned(), link: None }
}

/// What is always asked for, passed, with more.
fn with(more: &[Evidence]) -> Vec<Evidence> {
    let always = Kind::ALWAYS.map(|kind| evidence(kind, Outcome::Passed, "good"));
    always.iter().chain(more).cloned().collect()
}

#[test]
fn no_evidence_is_no_proof() {
    assert_eq!(verdict(&[]), Verdict::Failed { why: "nothing was verified of tag, commit, image".to_owned() });
    assert_eq!(verdict(&with(&[])), Verdict::Passed);
    for missing in Kind::ALWAYS {
        let others: Vec<Evidence> = with(&[]).into_iter().filter(|one| one.kind != missing).collect();
        assert_eq!(verdict(&others), Verdict::Failed { why: format!("nothing was verified of {missing}") });
        // No policy can do without it.
        let skipped: Vec<Evidence> = others.into_iter().chain([evidence(missing, Outcome::Skipped, "off")]).collect();
        assert_eq!(verdict(&skipped), Verdict::Failed { why: format!("nothing was verified of {missing}") });
    }
}

#[test]
fn one_failure_outweighs_everything() {
    let all = with(&[
        evidence(Kind::Branch, Outcome::Passed, "a"),
        evidence(Kind::Checks, Outcome::Pending { until: at(1) }, "b"),
        evidence(Kind::Immutable, Outcome::Failed, "c"),
        evidence(Kind::Revision, Outcome::Failed, "d"),
    ]);
    assert_eq!(verdict(&all), Verdict::Failed { why: "c; d".to_owned() });
}

#[test]
fn a_failure_without_a_sentence_is_a_failure() {
    assert!(matches!(verdict(&with(&[evidence(Kind::Branch, Outcome::Failed, "")])), Verdict::Failed { .. }));
}

#[test]
fn what_is_pending_is_waited_for_until_the_first_deadline() {
    let all = with(&[
        evidence(Kind::Checks, Outcome::Pending { until: at(9) }, "a"),
        evidence(Kind::Builder, Outcome::Pending { until: at(5) }, "b"),
        evidence(Kind::Branch, Outcome::Skipped, "c"),
    ]);
    assert_eq!(verdict(&all), Verdict::Pending { why: "a; b".to_owned(), until: at(5) });
}
