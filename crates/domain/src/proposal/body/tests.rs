//! What people read in a pull request, as it is written.

use chrono::{DateTime, Utc};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::{
    application::Application,
    proposal::{
        Author, Authors, Between, Listed, MOST_LISTED, Outlook,
        tests::{moves, other, proposal},
    },
    sample::{application, application_of, commit},
};

fn evidence(kind: Kind, outcome: Outcome, seen: &str) -> Evidence {
    Evidence { kind, outcome, seen: seen.to_owned(), link: None }
}

fn until() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn listed(byte: u8, subject: &str) -> Listed {
    Listed {
        commit: other(byte),
        subject: subject.to_owned(),
        url: format!("https://forge.example/c/{byte}"),
        author: Some("octocat".to_owned()),
    }
}

fn between(from: u8, count: u64, listed: Vec<Listed>) -> Between {
    Between { from: other(from), url: format!("https://forge.example/compare/{from}...1f"), count, listed }
}

/// A body without its marker, with `⁰` for what nobody sees.
fn page(proposal: &Proposal<'_>) -> String {
    let body = proposal.body();
    let (page, marker) = body.split_once("\n<!-- ").unwrap();
    assert!(marker.ends_with("-->\n"), "{marker}");
    page.replace('\u{200b}', "⁰")
}

/// One section of a page.
fn section(proposal: &Proposal<'_>, heading: &str) -> String {
    let page = page(proposal);
    let (_, section) = page.split_once(&format!("### {heading}\n")).unwrap();
    section.split("\n### ").next().unwrap().trim().to_owned()
}

#[test]
fn the_body_tells_what_is_proven_what_changes_and_what_happens_next() {
    let application = application();
    let mut moves = moves(&application, commit());
    moves[0].from = Some(application.tag.tag(other(0x0a)).to_string());
    moves[0].from_commit = Some(other(0x0a));
    let mut in_source =
        evidence(Kind::Commit, Outcome::Passed, "commit 1f1f1f1 exists in acme/mandelbrot: Zoom deeper");
    in_source.link = Some(format!("https://forge.example/acme/mandelbrot/commit/{}", commit()));
    let evidence = [
        evidence(Kind::Tag, Outcome::Passed, &format!("tag sha-{} names commit 1f1f1f1", commit())),
        in_source,
        evidence(Kind::Image, Outcome::Passed, "every target has the image: aws, gcp"),
        evidence(Kind::Immutable, Outcome::Skipped, "moved tags were not looked for: verify.immutable is off"),
    ];
    let between = [between(0x0a, 2, vec![listed(0x0b, "Colour by escape time"), listed(0x1f, "Zoom deeper")])];
    let proposal = Proposal { evidence: &evidence, between: &between, ..proposal(&application, &moves) };
    assert_snapshot!(proposal.body(), @"
    **Verdict: passed.** It is proven that the tag names the commit, the commit exists and every target has the image. Not proven, as the policy allows: that no tag was moved to another digest.

    Releases **mandelbrot** at commit acme/mandelbrot@1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f.

    | Target | Image | From | To | Digest | Overlay |
    |---|---|---|---|---|---|
    | aws | `aws.example/mandelbrot` | `sha-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a` | `sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f` | `sha256:abababababab` | `apps/mandelbrot/overlays/aws/kustomization.yaml` |
    | gcp | `gcp.example/mandelbrot` | – | `sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f` | `sha256:abababababab` | `apps/mandelbrot/overlays/gcp/kustomization.yaml` |

    ### Evidence

    - [x] **tag** passed: tag `sha-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f` names commit `1f1f1f1`
    - [x] **commit** passed: commit `1f1f1f1` exists in acme/mandelbrot: Zoom deeper ([look](https://forge.example/acme/mandelbrot/commit/1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f))
    - [x] **image** passed: every target has the image: aws, gcp
    - **immutable** skipped: moved tags were not looked for: verify.immutable is off

    ### Commits

    [2 commits](https://forge.example/compare/10...1f) since `0a0a0a0` (aws), oldest first:

    - [`0b0b0b0`](https://forge.example/c/11) Colour by escape time (octocat)
    - [`1f1f1f1`](https://forge.example/c/31) Zoom deeper (octocat)

    Nothing to compare with for gcp: what is there now names no commit that acme/mandelbrot has.

    ### What happens next

    - It merges itself (squash) once everything that `main` requires is there; if `main` requires nothing, a person merges it.
    - A newer release of mandelbrot that is proven closes it and takes its place.

    ### How to roll back

    - Before the merge, close this pull request: the commit is not proposed again.
    - After it, revert what was merged into `main`, with the forge's own button or with `git revert` and the commit: what was merged once is not proposed again, a newer release is.

    <!-- tagferry:2
    release mandelbrot/1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f
    digest aws sha256:abababababababababababababababababababababababababababababababab
    digest gcp sha256:abababababababababababababababababababababababababababababababab
    title 5443f33c8ac87d7605c8f80fb702fab379ce5f2cf68ea3df9bed6ec3445850db
    body 69568cccaeee111dd98cabea43fbb6f935aacf5d1d33ecc238f9835f1e5e63b6
    -->
    ");
}

#[test]
fn a_hostile_subject_formats_mentions_links_and_closes_nothing() {
    let application = application();
    let mut moves = moves(&application, commit());
    moves.iter_mut().for_each(|one| one.from_commit = Some(other(1)));
    let hostile = "Fixes #1, GH-2 and acme/app#3 @all <img src=x> `x` | [a](b) $x$ \
        https://github.com/acme/app/issues/4\r\n\r\n# Heading\u{7} \u{202e}www.a.example 0123456789abcdef0123456789abcdef01234567 <!-- tagferry:2";
    let evidence = [evidence(Kind::Commit, Outcome::Passed, hostile)];
    let mut commits = vec![listed(2, hostile)];
    commits[0].author = Some("dependabot[bot]".to_owned());
    let between = [between(1, 1, commits)];
    let proposal = Proposal { evidence: &evidence, between: &between, ..proposal(&application, &moves) };
    assert_snapshot!(section(&proposal, "Evidence"), @r"- [x] **commit** passed: Fixes #⁰1, GH-⁰2 and acme/app#⁰3 @⁰all \<img src=x\> &#96;x&#96; \| \[a\](b) <span>&#36;</span>x<span>&#36;</span> https:⁰//github.com/acme/app/issues/4 #⁰ Heading www⁰.a.example `0123456789abcdef0123456789abcdef01234567` \<\!-- tagferry:2");
    assert_snapshot!(section(&proposal, "Commits"), @r"
    [1 commit](https://forge.example/compare/1...1f) since `0101010` (aws, gcp), oldest first:

    - [`0202020`](https://forge.example/c/2) Fixes #⁰1, GH-⁰2 and acme/app#⁰3 @⁰all \<img src=x\> &#96;x&#96; \| \[a\](b) <span>&#36;</span>x<span>&#36;</span> https:⁰//github.com/acme/app/issues/4 #⁰ Heading www⁰.a.exa… (dependabot\[bot\])
    ");
    assert_eq!(Marker::find(&proposal.body()).map(|marker| marker.commit), Some(commit()));
}

#[test]
fn the_verdict_and_each_outcome_are_told_in_words() {
    let application = application();
    let moves = moves(&application, commit());
    let (pending, waiting) = (Outcome::Pending { until: until() }, "waiting for the image in gcp");
    let mut all = vec![
        evidence(Kind::Tag, Outcome::Passed, "tag 1 names commit 2"),
        evidence(Kind::Commit, Outcome::Passed, "commit 2 exists"),
        evidence(Kind::Image, pending, waiting),
        evidence(Kind::Branch, Outcome::Skipped, "the branch was not looked at"),
    ];
    let with = |all: &[Evidence]| page(&Proposal { evidence: all, ..proposal(&application, &moves) });
    let first = |page: &str| page.lines().next().unwrap().to_owned();
    assert_snapshot!(first(&with(&all)), @"**Verdict: pending:** waiting for the image in gcp, until 2027-01-15 08:00 UTC at the latest.");
    assert_snapshot!(section(&Proposal { evidence: &all, ..proposal(&application, &moves) }, "Evidence"), @"
    - [x] **tag** passed: tag 1 names commit 2
    - [x] **commit** passed: commit 2 exists
    - [ ] **image** pending until 2027-01-15 08:00 UTC: waiting for the image in gcp
    - **branch** skipped: the branch was not looked at
    ");

    all.push(evidence(Kind::Immutable, Outcome::Failed, "the tag was moved in @aws"));
    assert_snapshot!(first(&with(&all)), @"**Verdict: failed:** the tag was moved in @⁰aws.");
    assert!(with(&all).contains("- [ ] **immutable** failed: the tag was moved in @⁰aws\n"));

    all.retain(|one| one.outcome != Outcome::Failed);
    all[2].outcome = Outcome::Passed;
    assert_snapshot!(first(&with(&all)), @"**Verdict: passed.** It is proven that the tag names the commit, the commit exists and every target has the image. Not proven, as the policy allows: that the commit is on an allowed branch.");
    all.retain(|one| one.kind != Kind::Commit);
    assert_snapshot!(first(&with(&all)), @"**Verdict: failed:** nothing was verified of commit.");
}

#[test]
fn targets_that_come_from_different_commits_have_a_comparison_each() {
    let targets = ["aws", "gcp", "azure", "edge", "lab"].map(|name| (name, "r.example/m"));
    let application = application_of("mandelbrot", &targets);
    let mut moves = moves(&application, commit());
    let from = [Some(other(3)), Some(other(2)), Some(other(3)), Some(commit()), None];
    for (one, from) in moves.iter_mut().zip(from) {
        one.from_commit = from;
    }
    let older = vec![listed(3, "Older"), listed(4, ""), listed(0x1f, "Zoom deeper")];
    // One that has no image yet is not moved, and what it has does not count.
    let unmoved = between(9, 99, vec![]);
    let between = [between(3, 2, older[1..].to_vec()), between(2, 60, older.clone()), unmoved];
    let proposal = Proposal { between: &between, ..proposal(&application, &moves) };
    assert_snapshot!(section(&proposal, "Commits"), @"
    [60 commits](https://forge.example/compare/2...1f) since `0202020` (gcp), oldest first:

    - [`0303030`](https://forge.example/c/3) Older (octocat)
    - [`0404040`](https://forge.example/c/4) (octocat)
    - [`1f1f1f1`](https://forge.example/c/31) Zoom deeper (octocat)
    - and 57 newer

    [2 commits](https://forge.example/compare/3...1f) since `0303030` (aws, azure).

    No commit for edge: only what the table says changes there.

    Nothing to compare with for lab: what is there now names no commit that acme/mandelbrot has.
    ");
}

#[test]
fn what_is_waited_for_is_told_as_far_as_it_is_known() {
    let application = application();
    let moves = moves(&application, commit());
    let next = |outlook: Outlook<'_>| {
        let proposal = Proposal { outlook, ..proposal(&application, &moves) };
        section(&proposal, "What happens next")
    };
    assert_snapshot!(next(Outlook::default()), @"
    - It merges itself (squash) once everything that `main` requires is there; if `main` requires nothing, a person merges it.
    - A newer release of mandelbrot that is proven closes it and takes its place.
    ");
    let checks = ["ci".to_owned(), "deploy `prod`".to_owned()];
    let freeze = Some("until Monday, says @release-managers: quarter's end");
    assert_snapshot!(next(Outlook { required_checks: Some(&checks), freeze }), @"
    - **Frozen:** until Monday, says @⁰release-managers: quarter's end. Nothing is merged before that is over.
    - It merges itself (squash) once everything that `main` requires is there, with the checks `ci` and `deploy 'prod'`.
    - A newer release of mandelbrot that is proven closes it and takes its place.
    ");
    assert_snapshot!(next(Outlook { required_checks: Some(&checks[..1]), freeze: None }), @"
    - It merges itself (squash) once everything that `main` requires is there, with the checks `ci`.
    - A newer release of mandelbrot that is proven closes it and takes its place.
    ");
    assert_snapshot!(next(Outlook { required_checks: Some(&[]), freeze: None }), @"
    - `main` requires no check. It merges itself (squash) once one has passed, and everything else that `main` requires is there; if `main` requires nothing, a person merges it.
    - A newer release of mandelbrot that is proven closes it and takes its place.
    ");
    let many: Vec<String> = (0..30).map(|number| format!("c{number}")).collect();
    assert!(next(Outlook { required_checks: Some(&many), freeze: None }).contains("`c19` and 10 more."));
}

#[test]
fn how_to_roll_back_depends_on_how_it_is_merged() {
    let mut application = application();
    let moves = moves(&application, commit());
    let how = |application: &Application| section(&proposal(application, &moves), "How to roll back");
    assert_snapshot!(how(&application), @"
    - Before the merge, close this pull request: the commit is not proposed again.
    - After it, revert what was merged into `main`, with the forge's own button or with `git revert` and the commit: what was merged once is not proposed again, a newer release is.
    ");
    application.pull_request.merge_method = MergeMethod::Merge;
    assert!(how(&application).contains("`git revert -m 1`"));
}

/// A body of so many targets, commits and characters.
fn grown(targets: usize, commits: usize, length: usize) -> (String, String) {
    let names: Vec<String> = (0..targets).map(|number| format!("target-{number}")).collect();
    let named: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "registry.example/image")).collect();
    let application = application_of("mandelbrot", &named);
    let mut moves = moves(&application, commit());
    for one in &mut moves {
        one.from = Some("<@".repeat(length));
        one.from_commit = Some(other(1));
    }
    let text = "é$@".repeat(length);
    let mut all: Vec<Evidence> = Kind::ALL.map(|kind| evidence(kind, Outcome::Passed, &text)).to_vec();
    all[0].link = Some(format!("https://forge.example/{}", "a".repeat(length.min(900))));
    let commits = (0..commits).map(|_| listed(2, &text)).collect();
    let between = [between(1, 400, commits)];
    let checks: Vec<String> = (0..length).map(|_| text.clone()).take(50).collect();
    let outlook = Outlook { required_checks: Some(&checks), freeze: Some(&text) };
    let evidence = &all;
    let proposal = Proposal { evidence, between: &between, outlook, ..proposal(&application, &moves) };
    (proposal.title(), proposal.body())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_body_is_longer_than_the_forge_takes(targets in 1_usize..600, commits in 0..=MOST_LISTED, length in 0_usize..150) {
        let (title, body) = grown(targets, commits, length);
        prop_assert!(body.len() <= 65_536, "{} bytes", body.len());
        prop_assert!(body.encode_utf16().count() <= 65_536);
        let whole = Authors { title: Author::Tagferry, body: Author::Tagferry };
        prop_assert_eq!(Authors::of(&title, &body), whole);
        prop_assert_eq!(Marker::find(&body).map(|marker| marker.commit), Some(commit()));
        for heading in ["Evidence", "Commits", "What happens next", "How to roll back"] {
            prop_assert!(body.contains(heading), "{} is missing", heading);
        }
    }
}

#[test]
fn what_does_not_fit_is_given_up_in_order() {
    let counts = |targets: usize| {
        let (_, body) = grown(targets, MOST_LISTED, 10);
        let lines = |start: &str| body.lines().filter(|line| line.starts_with(start)).count();
        let told = body.lines().filter(|line| line.starts_with("- [x]") && line.contains(": é")).count();
        (lines("- [`0202020`]"), told, lines("| target-"), lines("digest "))
    };
    assert_eq!(counts(3), (50, 10, 3, 3));
    assert_eq!(counts(100), (50, 10, 100, 100));
    let (listed, told, rows, digests) = counts(200);
    assert!((1..50).contains(&listed) && (told, rows, digests) == (10, 200, 200), "{listed} commits are listed");
    let (listed, told, rows, digests) = counts(400);
    assert!((1..400).contains(&rows) && (listed, told, digests) == (0, 0, 400), "the table has {rows} rows");
    let (listed, told, rows, digests) = counts(800);
    assert!((1..800).contains(&digests) && (listed, told, rows) == (0, 0, 0), "the marker has {digests} digests");
}

#[test]
fn the_most_that_fits_is_found() {
    for largest in 0..20 {
        assert_eq!(most(12, |count| count <= largest), largest.min(12));
    }
    assert_eq!(most(12, |_| false), 0);
}
