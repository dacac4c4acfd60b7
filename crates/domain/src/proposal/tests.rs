//! What people read, as it is written.

use insta::assert_snapshot;

use super::*;
use crate::{
    application::Target,
    evidence::{Kind, Outcome},
    sample::{application, application_of, commit},
};

/// A commit whose bytes are all the same.
pub(super) fn other(byte: u8) -> Commit {
    Commit::from_bytes([byte; 20])
}

/// A move of each target, from no commit.
pub(super) fn moves(application: &Application, commit: Commit) -> Vec<Move> {
    let one = |target: &Target| Move {
        target: target.name.clone(),
        repository: target.repository.clone(),
        from: (target.name.as_str() == "aws").then(|| "v1|`x`".to_owned()),
        from_commit: None,
        to: application.tag.tag(commit),
        digest: format!("sha256:{}", "ab".repeat(32)).parse().unwrap(),
        path: target.overlay.join("kustomization.yaml"),
    };
    application.targets().iter().map(one).collect()
}

/// A proposal with its subject, of which all that is needed exists.
fn with_proposal(subject: Option<&str>, check: impl FnOnce(&Proposal<'_>)) {
    let application = application();
    let commit = commit();
    let moves = moves(&application, commit);
    let evidence = [Evidence {
        kind: Kind::Commit,
        outcome: Outcome::Passed,
        seen: format!("commit 1f1f1f1 exists: {}", subject.unwrap_or_default()),
        link: None,
    }];
    check(&Proposal { subject, evidence: &evidence, ..proposal(&application, &moves) });
}

/// A proposal of [`commit`] that nothing is known of but its moves.
pub(super) fn proposal<'a>(application: &'a Application, moves: &'a [Move]) -> Proposal<'a> {
    let outlook = Outlook::default();
    Proposal { application, commit: commit(), subject: None, moves, evidence: &[], between: &[], outlook }
}

#[test]
fn the_branch_names_the_application_and_the_commit() {
    let branch = ReleaseBranch::new(application().name(), commit());
    assert_eq!(branch.branch().as_str(), "mandelbrot/deploy-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f");
}

#[test]
fn the_title_names_application_subject_commit_and_targets() {
    with_proposal(Some("Zoom deeper"), |proposal| {
        assert_snapshot!(proposal.title(), @"release(mandelbrot): Zoom deeper (1f1f1f1) → aws, gcp");
    });
    with_proposal(None, |proposal| {
        assert_snapshot!(proposal.title(), @"release(mandelbrot): 1f1f1f1 → aws, gcp");
    });
}

#[test]
fn a_long_subject_is_cut() {
    with_proposal(Some(&"é".repeat(500)), |proposal| {
        let expected = format!("release(mandelbrot): {}… (1f1f1f1) → aws, gcp", "é".repeat(90));
        assert_eq!(proposal.title(), expected);
    });
}

#[test]
fn targets_that_have_no_room_are_counted() {
    let check = |room, expected: &str| assert_eq!(listed(&["aws", "gcp", "azure"], room), expected, "{room}");
    check(15, "aws, gcp, azure");
    check(14, "aws and 2 more");
    check(13, "3 targets");
    assert_eq!(listed(&["aws", "gcp", "azure-west-europe"], 19), "aws, gcp and 1 more");
}

/// The title of a release to targets of those names, with a subject of so many characters.
fn title(name: &str, targets: &[String], subject: usize) -> String {
    let targets: Vec<_> = targets.iter().map(|target| (target.as_str(), "registry.example/image")).collect();
    let (application, commit) = (application_of(name, &targets), commit());
    let (moves, subject) = (moves(&application, commit), "x".repeat(subject));
    let proposal = Proposal { subject: Some(&subject), ..proposal(&application, &moves) };
    proposal.title()
}

#[test]
fn the_longest_title_still_names_a_target() {
    let longest = |first: &str| first.repeat(63);
    let title = title(&longest("m"), &[longest("a"), longest("b")], 500);
    assert!(title.ends_with(&format!("… (1f1f1f1) → {} and 1 more", longest("a"))), "{title}");
}

#[test]
fn no_title_is_longer_than_the_forge_takes() {
    let targets: Vec<String> = (0..300).map(|number| format!("target-{number}")).collect();
    for name in [1, 30, 63] {
        for (count, subject) in [(1, 0), (1, 500), (2, 89), (13, 90), (25, 91), (100, 60), (300, 0), (300, 500)] {
            let title = title(&"m".repeat(name), &targets[..count], subject);
            assert!(title.chars().count() <= 256, "{title}");
        }
    }
}

#[test]
fn the_commit_message_has_trailers_that_tell_the_release() {
    with_proposal(Some("Zoom deeper"), |proposal| {
        assert_snapshot!(proposal.commit_message(), @r"
        release(mandelbrot): Zoom deeper (1f1f1f1) → aws, gcp

        Release-Id: mandelbrot/1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f
        Source-Commit: 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f
        Image-Digest-aws: sha256:abababababababababababababababababababababababababababababababab
        Image-Digest-gcp: sha256:abababababababababababababababababababababababababababababababab
        ");
    });
}

/// What Git reads as trailers: the last paragraph, which is not the first one.
fn trailers(message: &str) -> Vec<(&str, &str)> {
    let (_, last) = message.trim_end().rsplit_once("\n\n").unwrap();
    last.lines().map(|line| line.split_once(": ").unwrap()).collect()
}

#[test]
fn no_subject_adds_a_trailer() {
    let expected = ["Release-Id", "Source-Commit", "Image-Digest-aws", "Image-Digest-gcp"];
    for subject in [
        "Release-Id: other/1",
        "x\n\nRelease-Id: other/1",
        "x\r\n\r\nSource-Commit: 0\r\n",
        "x\u{2028}\u{2029}Release-Id: other/1",
        "\u{85}\u{b}\u{c}Release-Id: other/1\0",
    ] {
        with_proposal(Some(subject), |proposal| {
            let message = proposal.commit_message();
            let found = trailers(&message);
            assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), expected, "{message}");
            assert_eq!(found.first().map(|(_, id)| *id), Some("mandelbrot/1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"));
            assert_eq!(message.lines().filter(|line| line.starts_with("Release-Id")).count(), 1, "{message}");
        });
    }
}

#[test]
fn a_hostile_subject_mentions_closes_and_skips_nothing_in_the_title() {
    let check = |subject: &str, expected: &str| {
        with_proposal(Some(subject), |proposal| {
            let title = proposal.title().replace('\u{200b}', "⁰");
            assert_eq!(title, format!("release(mandelbrot): {expected} (1f1f1f1) → aws, gcp"));
        });
    };
    check("Fixes #1 for @all\r\n\r\n# Heading\u{7}", "Fixes #⁰1 for @⁰all #⁰ Heading");
    check("Close GH-12, acme/app#3", "Close GH-⁰12, acme/app#⁰3");
    check("See https://github.com/acme/app/issues/1", "See https:⁰//github.com/acme/app/issues/1");
    check("\u{202e}evil\u{2066}\u{200d}\u{feff} @\u{200b}all", "evil @⁰all");
    check("Revert 1234567", "Revert 123456⁰7");
    check("Docs [skip ci] [No CI] [1.2]", "Docs [⁰skip ci] [⁰No CI] [1.2]");
    check("Docs ***NO_CI***", "Docs ***NO_⁰CI***");
}
