//! What people read, as it is written.

use insta::assert_snapshot;

use super::*;
use crate::{
    application::Target,
    evidence::Kind,
    sample::{application, application_of, commit},
};

fn moves(application: &Application, commit: Commit) -> Vec<Move> {
    let one = |target: &Target| Move {
        target: target.name.clone(),
        repository: target.repository.clone(),
        from: (target.name.as_str() == "aws").then(|| "v1|`x`".to_owned()),
        to: application.tag.tag(commit),
        digest: format!("sha256:{}", "ab".repeat(32)).parse().unwrap(),
        path: target.overlay.join("kustomization.yaml"),
    };
    application.targets().iter().map(one).collect()
}

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
    check(&Proposal { application: &application, commit, subject, moves: &moves, evidence: &evidence });
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
    let proposal =
        Proposal { application: &application, commit, subject: Some(&subject), moves: &moves, evidence: &[] };
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

        Source-Commit: 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f
        Image-Digest-aws: sha256:abababababababababababababababababababababababababababababababab
        Image-Digest-gcp: sha256:abababababababababababababababababababababababababababababababab
        ");
    });
}

#[test]
fn a_hostile_subject_formats_mentions_and_closes_nothing() {
    with_proposal(Some("Fixes #1 @all <img src=x> `x` | [a](b)\r\n\r\n# Heading\u{7}"), |proposal| {
        assert!(proposal.title().starts_with("release(mandelbrot): Fixes #\u{200b}1 @\u{200b}all <img"));
        assert_snapshot!(proposal.body().replace('\u{200b}', "⁰"), @r"
        Releases **mandelbrot** at commit acme/mandelbrot@1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f.

        | Target | Image | From | To | Digest | Overlay |
        |---|---|---|---|---|---|
        | aws | `aws.example/mandelbrot` | `v1''x'` | `sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f` | `sha256:abababababab` | `apps/mandelbrot/overlays/aws/kustomization.yaml` |
        | gcp | `gcp.example/mandelbrot` | – | `sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f` | `sha256:abababababab` | `apps/mandelbrot/overlays/gcp/kustomization.yaml` |

        Evidence:

        - [x] **commit**: commit 1f1f1f1 exists: Fixes #⁰1 @⁰all \<img src=x\> \`x\` \| \[a\](b) #⁰ Heading

        Merges itself (squash) once everything that `main` requires is there; if `main` requires nothing, a person merges it.
        To decline this release, close the pull request: the commit is not proposed again.

        <!-- tagferry:1 -->
        ");
    });
}
