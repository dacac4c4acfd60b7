//! What evidence adds up to.

use insta::assert_snapshot;

use super::*;
use crate::{
    release,
    sample::{application, at, build, commit},
};

fn evidence(outcome: Outcome, seen: &str) -> Evidence {
    Evidence { kind: Kind::Commit, outcome, seen: seen.to_owned(), link: None }
}

#[test]
fn no_evidence_is_no_proof() {
    assert!(matches!(verdict(&[]), Verdict::Failed { .. }));
}

#[test]
fn one_failure_outweighs_everything() {
    let all = [
        evidence(Outcome::Passed, "a"),
        evidence(Outcome::Pending { until: at(1) }, "b"),
        evidence(Outcome::Failed, "c"),
        evidence(Outcome::Failed, "d"),
    ];
    assert_eq!(verdict(&all), Verdict::Failed { why: "c; d".to_owned() });
}

#[test]
fn what_is_pending_is_waited_for_until_the_first_deadline() {
    let all = [
        evidence(Outcome::Pending { until: at(9) }, "a"),
        evidence(Outcome::Pending { until: at(5) }, "b"),
        evidence(Outcome::Skipped, "c"),
    ];
    assert_eq!(verdict(&all), Verdict::Pending { why: "a; b".to_owned(), until: at(5) });
    assert_eq!(verdict(&[evidence(Outcome::Passed, "a"), evidence(Outcome::Skipped, "b")]), Verdict::Passed);
}

#[test]
fn each_kind_is_found_again_by_its_word() {
    for kind in [Kind::Tag, Kind::Commit, Kind::Branch, Kind::Image, Kind::Immutable] {
        assert_eq!(Kind::from_word(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::from_word("Tag"), None);
}

/// Evidence as `kind outcome: sentence`, one on each line.
fn words(evidence: &[Evidence]) -> String {
    let line = |one: &Evidence| format!("{} {}: {}", one.kind, one.outcome.as_str(), one.seen);
    evidence.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn words_of_builds(application: &Application, builds: &[Build], now: i64) -> String {
    words(&of_builds(application, commit(), builds, &release::barrier(application, builds, at(0), at(now))))
}

#[test]
fn builds_of_all_targets_prove_the_tag_the_image_and_that_nothing_moved() {
    let builds = [build("aws", 1, 0), build("gcp", 1, 0)];
    assert_snapshot!(words_of_builds(&application(), &builds, 0), @r"
    tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1
    image passed: every target has the image: aws, gcp
    immutable passed: no tag was moved to another digest
    ");
    // The same image has a digest of its own in each registry when it is built there.
    let builds = [build("aws", 1, 0), build("gcp", 2, 0)];
    assert_snapshot!(words_of_builds(&application(), &builds, 0), @r"
    tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1
    image passed: every target has the image: aws, gcp
    immutable passed: no tag was moved to another digest
    ");
}

#[test]
fn an_image_that_is_missing_is_waited_for_until_the_deadline() {
    let builds = [build("aws", 1, 0)];
    assert_snapshot!(words_of_builds(&application(), &builds, 1799), @r"
    tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1
    image pending: waiting for the image in gcp
    immutable passed: no tag was moved to another digest
    ");
    assert_snapshot!(words_of_builds(&application(), &builds, 1800), @r"
    tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1
    image failed: no image in gcp within 1800 seconds of the first (release.deadline)
    immutable passed: no tag was moved to another digest
    ");
    let barrier = release::barrier(&application(), &builds, at(0), at(0));
    let all = of_builds(&application(), commit(), &builds, &barrier);
    assert_eq!(all[1].outcome, Outcome::Pending { until: at(1800) });
}

#[test]
fn a_moved_tag_is_a_failure_unless_nobody_asked() {
    let mut application = application();
    let builds = [build("gcp", 3, 0), build("gcp", 4, 1), build("aws", 1, 0), build("aws", 2, 1)];
    assert_snapshot!(words_of_builds(&application, &builds, 0), @r"
    tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1
    image passed: every target has the image: aws, gcp
    immutable failed: the tag was moved to another digest in aws, gcp
    ");
    application.verify.immutable = Demand::Off;
    assert_snapshot!(words_of_builds(&application, &builds, 0), @r"
    tag passed: tag sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f names commit 1f1f1f1
    image passed: every target has the image: aws, gcp
    immutable skipped: moved tags were not looked for: verify.immutable is off
    ");
}

#[test]
fn the_source_repository_proves_the_commit_and_its_branch() {
    let present = |branch: Option<&str>| Lookup::Present {
        subject: "Zoom deeper".to_owned(),
        url: "https://forge.example/1f1f1f1".to_owned(),
        branch: branch.map(|branch| branch.parse().unwrap()),
        left: None,
        checks: Vec::new(),
    };
    let mut application = application();
    application.source.branches.push("stable".parse().unwrap());
    let check = |application: &Application, lookup: &Lookup| words(&of_source(application, commit(), lookup));
    assert_snapshot!(check(&application, &Lookup::Absent), @"commit failed: commit 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f does not exist in acme/mandelbrot");
    assert_snapshot!(check(&application, &present(Some("stable"))), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch passed: commit 1f1f1f1 is on stable
    ");
    assert_snapshot!(check(&application, &present(None)), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch failed: commit 1f1f1f1 is not on an allowed branch of acme/mandelbrot (main, stable)
    ");
    application.verify.branch = Demand::Off;
    assert_snapshot!(check(&application, &present(None)), @r"
    commit passed: commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper
    branch skipped: the branch was not looked at: verify.branch is off
    ");
    assert_eq!(check(&application, &present(Some("stable"))), check(&application, &present(None)));
    // A commit that does not exist is refused whatever is asked of its branch.
    assert_eq!(of_source(&application, commit(), &Lookup::Absent)[0].outcome, Outcome::Failed);
    let linked = of_source(&application, commit(), &present(None));
    assert!(linked.iter().all(|one| one.link.as_deref() == Some("https://forge.example/1f1f1f1")));
}
