//! What the registries have, what the images say of themselves, and what their builder posted.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::*;
use crate::{
    application::{Demand, Wish},
    image::{Contents, Said},
    release::{self, Build},
};

/// An image for Linux on AMD that says that revision and source.
pub(super) fn says(revision: Option<&str>, source: Option<&str>) -> Contents {
    Contents { images: vec![said("linux/amd64", revision, source)] }
}

fn said(platform: &str, revision: Option<&str>, source: Option<&str>) -> Said {
    let set = |value: Option<&str>| value.map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    Said { platform: Some(platform.parse().unwrap()), revisions: set(revision), sources: set(source) }
}

/// The same behind each digest.
pub(super) fn images(builds: &[Build], contents: &Contents) -> Images {
    builds.iter().map(|build| (build.digest.clone(), Arc::new(contents.clone()))).collect()
}

fn both(aws: u8, gcp: u8) -> Vec<Build> {
    vec![build("aws", aws, 0), build("gcp", gcp, 0)]
}

fn of_image(application: &Application, builds: &[Build], images: &Images, now: i64) -> String {
    let barrier = release::barrier(application, builds, at(0), at(now));
    words(&image(application, builds, (&barrier, images), wait(60)))
}

#[test]
fn an_image_that_is_missing_is_waited_for_until_the_deadline() {
    let (application, builds, nothing) = (application(), [build("aws", 1, 0)], Images::new());
    assert_snapshot!(of_image(&application, &both(1, 1), &nothing, 0), @"image passed: every target has the image: aws, gcp");
    assert_snapshot!(of_image(&application, &builds, &nothing, 1799), @"image pending: waiting for the image in gcp");
    assert_snapshot!(of_image(&application, &builds, &nothing, 1800), @"image failed: no image in gcp within 1800 seconds of the first (release.deadline)");
    let barrier = release::barrier(&application, &builds, at(0), at(0));
    let pending = image(&application, &builds, (&barrier, &nothing), wait(60));
    assert_eq!(pending.outcome, Outcome::Pending { until: at(1800) });
}

#[test]
fn digests_that_are_not_the_same_are_refused_unless_the_policy_says_otherwise() {
    let mut application = application();
    assert_snapshot!(of_image(&application, &both(1, 2), &Images::new(), 0), @"image failed: the digests are not the same: aws has sha256:010101010101, gcp has sha256:020202020202; verify.same_digest is off where each target's image is built by itself");
    application.verify.same_digest = Demand::Off;
    assert_snapshot!(of_image(&application, &both(1, 2), &Images::new(), 0), @"image passed: every target has the image: aws, gcp");
}

#[test]
fn each_target_has_an_image_for_each_platform_that_is_asked_for() {
    let mut application = application();
    application.verify.same_digest = Demand::Off;
    application.verify.platforms = vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap()];
    let builds = both(1, 2);
    let amd64 = said("linux/amd64", None, None);
    let arm64 = said("linux/arm64/v8", None, None);
    let nowhere = Said { platform: None, ..amd64.clone() };
    let with = |gcp: Vec<Said>| {
        let mut images = images(&builds[..1], &Contents { images: vec![amd64.clone(), arm64.clone()] });
        images.insert(builds[1].digest.clone(), Arc::new(Contents { images: gcp }));
        of_image(&application, &builds, &images, 0)
    };
    assert_snapshot!(with(vec![arm64.clone(), amd64.clone()]), @"image passed: every target has the image: aws, gcp, for linux/amd64, linux/arm64");
    assert_snapshot!(with(vec![amd64.clone()]), @"image failed: gcp has no image for linux/arm64 (verify.platforms)");
    assert_snapshot!(with(vec![]), @"image failed: gcp has no image for linux/amd64, gcp has no image for linux/arm64 (verify.platforms)");
    assert_snapshot!(with(vec![nowhere]), @"image failed: gcp has no image for linux/amd64, gcp has no image for linux/arm64 (verify.platforms)");
    // It was deleted since, which is told from an image without that platform.
    assert_snapshot!(of_image(&application, &builds, &Images::new(), 0), @"image pending: the registry does not have sha256:010101010101 in aws, sha256:020202020202 in gcp any more");
}

#[test]
fn a_moved_tag_is_a_failure_unless_nobody_asked() {
    let mut application = application();
    assert_snapshot!(words(&immutable(&application, &both(1, 2))), @"immutable passed: no tag was moved to another digest");
    let moved = [build("gcp", 3, 0), build("gcp", 4, 1), build("aws", 1, 0), build("aws", 2, 1)];
    assert_snapshot!(words(&immutable(&application, &moved)), @"immutable failed: the tag was moved to another digest in aws, gcp");
    application.verify.immutable = Demand::Off;
    assert_snapshot!(words(&immutable(&application, &moved)), @"immutable skipped: moved tags were not looked for: verify.immutable is off");
}

fn of_revision(wish: Wish, contents: &Contents) -> String {
    let mut application = application();
    application.verify.revision = wish;
    let builds = both(1, 1);
    words(&revision(&application, commit(), &builds, &images(&builds, contents), wait(60)))
}

#[test]
fn an_image_says_the_commit_in_full_however_it_is_written() {
    let full = commit().to_string();
    for text in [full.clone(), full.to_uppercase(), format!(" {full}\n"), format!("sha1:{full}")] {
        assert!(of_revision(Wish::Required, &says(Some(&text), None)).starts_with("revision passed"), "{text}");
    }
    for text in ["1f1f1f1f1f1f", "main", "v1.2.3", "0000000000000000000000000000000000000000"] {
        assert!(of_revision(Wish::IfPresent, &says(Some(text), None)).starts_with("revision failed"), "{text}");
    }
    assert_snapshot!(of_revision(Wish::Required, &says(Some(&full), None)), @"revision passed: the images say that they were built from 1f1f1f1");
    assert_snapshot!(of_revision(Wish::IfPresent, &says(Some("v1.2.3"), None)), @"revision failed: the image of aws, gcp says revision v1.2.3; labels of a base image that were not replaced say so too (verify.revision)");
}

#[test]
fn a_source_is_the_same_however_it_is_written() {
    let full = commit().to_string();
    let with = |source: &str| of_revision(Wish::Required, &says(Some(&full), Some(source)));
    for source in [
        "https://github.com/acme/mandelbrot",
        "https://github.com/Acme/Mandelbrot.git",
        "https://github.com/acme/mandelbrot/",
        "https://github.com/acme/mandelbrot/tree/main/cmd",
        "git+https://github.com/acme/mandelbrot.git#main",
        "git@github.com:acme/mandelbrot.git",
        "ssh://git@github.com/acme/mandelbrot",
    ] {
        assert!(with(source).starts_with("revision passed"), "{source}");
    }
    for source in ["https://github.com/acme/other", "https://github.com/acme", "mandelbrot", "https://github.com/acme/"]
    {
        assert!(with(source).starts_with("revision failed"), "{source}");
    }
    assert_snapshot!(with("https://github.com/acme/other"), @"revision failed: the image of aws, gcp says source https://github.com/acme/other; labels of a base image that were not replaced say so too (verify.revision)");
}

#[test]
fn an_image_that_says_nothing_is_passed_over_unless_it_has_to() {
    assert_snapshot!(of_revision(Wish::IfPresent, &says(None, None)), @"revision skipped: the images have no org.opencontainers.image.revision");
    assert_snapshot!(of_revision(Wish::Required, &says(None, None)), @"revision failed: no org.opencontainers.image.revision in the image of aws, gcp, or not for every platform (verify.revision)");
    // A source alone is that of a base image, as often as not.
    assert_snapshot!(of_revision(Wish::IfPresent, &says(None, Some("https://github.com/debian/base"))), @"revision skipped: the images have no org.opencontainers.image.revision");
    assert_snapshot!(of_revision(Wish::Required, &Contents::default()), @"revision failed: no org.opencontainers.image.revision in the image of aws, gcp, or not for every platform (verify.revision)");
    assert_snapshot!(of_revision(Wish::Off, &says(Some("v1"), None)), @"revision skipped: what the image says of its commit was not looked at: verify.revision is off");
}

#[test]
fn each_platform_of_an_index_counts() {
    let full = commit().to_string();
    let (good, silent) = (said("linux/amd64", Some(&full), None), said("linux/arm64", None, None));
    let wrong = said("linux/arm64", Some("deadbeef"), None);
    let of = |wish, second: &Said| of_revision(wish, &Contents { images: vec![good.clone(), second.clone()] });
    assert!(of(Wish::IfPresent, &silent).starts_with("revision passed"));
    assert_snapshot!(of(Wish::Required, &silent), @"revision failed: no org.opencontainers.image.revision in the image of aws, gcp, or not for every platform (verify.revision)");
    assert_snapshot!(of(Wish::IfPresent, &wrong), @"revision failed: the image of aws, gcp says revision deadbeef; labels of a base image that were not replaced say so too (verify.revision)");
}

#[test]
fn an_image_that_is_gone_is_waited_for() {
    let builds = both(1, 1);
    let gone = revision(&application(), commit(), &builds, &Images::new(), wait(60));
    assert_snapshot!(words(&gone), @"revision pending: the registry does not have sha256:010101010101 in aws, gcp any more");
}

#[test]
fn what_an_image_says_is_shown_in_part() {
    let long = format!("\u{1b}[31m{}", "x".repeat(9_999));
    let said = of_revision(Wish::IfPresent, &says(Some(&long), None));
    assert!(said.len() < 500 && !said.contains('\u{1b}'), "{said}");
}

fn report(target: &str, digest: Option<u8>) -> BuilderReport {
    let build = build(target, digest.unwrap_or(1), 0);
    BuilderReport {
        reference: build.reference,
        digest: digest.map(|_| build.digest),
        workflow: "acme/mandelbrot/.github/workflows/release.yml@refs/heads/main".to_owned(),
        run_url: Some("https://forge.example/runs/7".to_owned()),
    }
}

fn of_builder(wish: Wish, reports: &[BuilderReport], until: i64) -> String {
    let mut application = application();
    application.verify.builder = wish;
    words(&builder(&application, &both(1, 1), reports, wait(until)))
}

#[test]
fn a_builder_has_posted_the_image_of_each_target() {
    let all = [report("aws", Some(1)), report("gcp", None)];
    assert_snapshot!(of_builder(Wish::Required, &all, 60), @"builder passed: GitHub Actions built the image of aws, gcp, by acme/mandelbrot/.github/workflows/release.yml@refs/heads/main");
    assert_snapshot!(of_builder(Wish::Required, &all[..1], 60), @"builder pending: GitHub Actions has not posted that it built the image in gcp");
    assert_snapshot!(of_builder(Wish::Required, &[], 0), @"builder failed: GitHub Actions has not posted that it built the image in aws, gcp, and that for too long (verify.deadline)");
    assert_snapshot!(of_builder(Wish::IfPresent, &all[..1], 60), @"builder passed: GitHub Actions built the image of aws, by acme/mandelbrot/.github/workflows/release.yml@refs/heads/main");
    assert_snapshot!(of_builder(Wish::IfPresent, &[], 60), @"builder skipped: GitHub Actions has not posted that it built the image");
    assert_snapshot!(of_builder(Wish::Off, &[], 60), @"builder skipped: what GitHub Actions posted was not looked at: verify.builder is off");
    let linked = builder(&application(), &both(1, 1), &all, wait(60));
    assert_eq!(linked.link.as_deref(), Some("https://forge.example/runs/7"));
}

#[test]
fn a_report_of_another_digest_is_no_proof_and_another_one_may_follow() {
    let other = [report("aws", Some(9)), report("gcp", Some(1))];
    for wish in [Wish::Required, Wish::IfPresent] {
        assert!(of_builder(wish, &other, 60).starts_with("builder pending"));
        assert!(of_builder(wish, &other, 0).starts_with("builder failed"));
    }
    assert_snapshot!(of_builder(Wish::IfPresent, &other, 60), @"builder pending: GitHub Actions posted another digest of the image in aws");
    let later = [report("aws", Some(9)), report("gcp", Some(1)), report("aws", Some(1))];
    assert!(of_builder(Wish::Required, &later, 60).starts_with("builder passed"));
}

#[test]
fn a_gate_lets_images_through_or_holds_them_back() {
    let mut application = application();
    let with = |application: &Application, verdict, reason: &str, until| {
        let link = Some("https://scanner.example/7".to_owned());
        let answer = GateAnswer { verdict, reason: reason.to_owned(), link };
        words(&gate(application, Some(&answer), wait(until)))
    };
    assert_snapshot!(with(&application, GateVerdict::Fail, "", 60), @"gate skipped: no gate is asked: verify.gate is off");
    application.verify.gate = Demand::Required;
    assert_snapshot!(with(&application, GateVerdict::Pass, "nothing is known", 60), @"gate passed: the gate lets the images through: nothing is known");
    assert_snapshot!(with(&application, GateVerdict::Fail, "CVE-2026-1", 60), @"gate failed: the gate holds the images back: CVE-2026-1");
    assert_snapshot!(with(&application, GateVerdict::Pending, "", 60), @"gate pending: the gate does not know yet");
    assert_snapshot!(with(&application, GateVerdict::Pending, "", 0), @"gate failed: the gate does not know yet, and that for too long (verify.deadline)");
    assert_snapshot!(words(&gate(&application, None, wait(60))), @"gate pending: the gate was not asked");
}
