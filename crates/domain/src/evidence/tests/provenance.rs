//! What attestations prove.

use insta::assert_snapshot;

use super::*;
use crate::{application::Demand, commit::Commit, release::Build};

pub(super) fn origin() -> Origin {
    Origin {
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        address: "https://github.com".to_owned(),
    }
}

/// One that says all that is asked for.
pub(super) fn attested() -> Attested {
    Attested {
        signer: AttestedBy::Workflow {
            issuer: Some(origin().issuer),
            address: Some(
                "https://github.com/acme/mandelbrot/.github/workflows/release.yml@refs/heads/main".to_owned(),
            ),
            run_url: Some("https://github.com/acme/mandelbrot/actions/runs/7/attempts/1".to_owned()),
        },
        predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
        repository: Some("https://github.com/acme/mandelbrot".to_owned()),
        repository_id: Some("1234".to_owned()),
        commit: Some(commit()),
        reference: Some("refs/heads/main".to_owned()),
    }
}

/// The same of each digest.
pub(super) fn attestations(builds: &[Build], all: &[Attested]) -> BTreeMap<Digest, Attestations> {
    let examined: Vec<Examined> = all.iter().cloned().map(Examined::Proven).collect();
    builds
        .iter()
        .map(|one| (one.digest.clone(), Attestations { examined: examined.clone(), left_out: vec![] }))
        .collect()
}

fn required() -> Application {
    let mut application = application();
    application.verify.provenance.demand = Demand::Required;
    application.source.id = Some(1234);
    application
}

fn judge(application: &Application, all: &[Attested], until: i64) -> String {
    let builds = [build("aws", 1, 0), build("gcp", 1, 0)];
    let found = attestations(&builds, all);
    words(&provenance(application, commit(), &builds, (&found, &origin()), wait(until)))
}

#[test]
fn one_attestation_that_says_all_is_enough_among_others() {
    assert_snapshot!(judge(&required(), &[attested()], 60), @"provenance passed: the image was built from 1f1f1f1, as https://github.com/acme/mandelbrot/.github/workflows/release.yml@refs/heads/main has signed");
    assert!(judge(&required(), &[Attested::default(), attested()], 60).starts_with("provenance passed"));
    let mut key = Attested { signer: AttestedBy::Key, reference: None, ..attested() };
    key.repository = Some("https://GitHub.com/Acme/Mandelbrot".to_owned());
    assert_snapshot!(judge(&required(), &[key], 60), @"provenance passed: the image was built from 1f1f1f1, as a configured key has signed");
    assert_snapshot!(judge(&application(), &[], 60), @"provenance skipped: attestations were not looked at: verify.provenance is off");
}

#[test]
fn what_is_not_as_asked_for_is_no_provenance_and_the_sentence_says_what() {
    let with = |change: &dyn Fn(&mut Attested)| {
        let mut one = attested();
        change(&mut one);
        let said = judge(&required(), std::slice::from_ref(&one), 60);
        assert!(said.starts_with("provenance pending"), "{said}");
        assert!(judge(&required(), &[one], 0).starts_with("provenance failed"));
        said
    };
    let by = |issuer: Option<&str>, address: &str| AttestedBy::Workflow {
        issuer: issuer.map(str::to_owned),
        address: Some(address.to_owned()),
        run_url: None,
    };
    assert_snapshot!(with(&|one| one.predicate_type = "https://spdx.dev/Document".to_owned()), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation is https://spdx.dev/Document, not provenance");
    assert_snapshot!(with(&|one| one.signer = by(Some("https://gitlab.com"), "x")), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the signer's identity is from https://gitlab.com, not https://token.actions.githubusercontent.com");
    assert_snapshot!(with(&|one| one.signer = by(None, "x")), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the signer's identity is from nobody, not https://token.actions.githubusercontent.com");
    assert_snapshot!(with(&|one| one.repository = Some("https://github.com/acme/other".to_owned())), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names https://github.com/acme/other, not acme/mandelbrot");
    assert_snapshot!(with(&|one| one.repository = Some("https://evil.example/acme/mandelbrot".to_owned())), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names https://evil.example/acme/mandelbrot, not acme/mandelbrot");
    assert_snapshot!(with(&|one| one.repository = None), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names no repository, not acme/mandelbrot");
    assert_snapshot!(with(&|one| one.repository_id = Some("99".to_owned())), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names a repository with the number 99, not 1234 (source.id)");
    assert_snapshot!(with(&|one| one.repository_id = None), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names a repository with the number none, not 1234 (source.id)");
    assert_snapshot!(with(&|one| one.commit = Some(Commit::from_bytes([2; 20]))), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names 0202020, not 1f1f1f1");
    assert_snapshot!(with(&|one| one.commit = None), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names no commit, not 1f1f1f1");
    assert_snapshot!(with(&|one| one.reference = Some("refs/heads/topic".to_owned())), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: it was built on refs/heads/topic, which is not allowed (source.branches, verify.provenance.refs)");
    assert_snapshot!(with(&|one| one.reference = Some("refs/pull/7/merge".to_owned())), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: it was built on refs/pull/7/merge, which is not allowed (source.branches, verify.provenance.refs)");
    assert_snapshot!(with(&|one| one.reference = None), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: it was built on something unsaid, which is not allowed (source.branches, verify.provenance.refs)");
}

#[test]
fn only_the_workflows_that_are_named_may_sign() {
    let mut application = required();
    for (glob, passes) in [
        ("acme/mandelbrot/.github/workflows/release.yml", true),
        ("acme/mandelbrot/.github/workflows/release.yml@refs/heads/main", true),
        ("acme/*", true),
        ("acme/mandelbrot/.github/workflows/test.yml", false),
        ("acme/mandelbrot/.github/workflows/release.yml@refs/heads/other", false),
    ] {
        application.verify.provenance.workflows = vec![glob.parse().unwrap()];
        let said = judge(&application, &[attested()], 60);
        assert_eq!(said.starts_with("provenance passed"), passes, "{glob} {said}");
    }
    assert_snapshot!(judge(&application, &[attested()], 60), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the workflow acme/mandelbrot/.github/workflows/release.yml@refs/heads/main may not sign (verify.provenance.workflows)");
}

#[test]
fn what_was_checked_out_is_an_allowed_branch_or_what_the_policy_names() {
    let mut application = required();
    application.source.branches = vec!["release/*".parse().unwrap()];
    let on = |application: &Application, reference: &str| {
        let one = Attested { reference: Some(reference.to_owned()), ..attested() };
        judge(application, &[one], 60).starts_with("provenance passed")
    };
    assert!(on(&application, "refs/heads/release/1") && !on(&application, "refs/heads/main"));
    assert!(!on(&application, "refs/tags/v1") && !on(&application, "refs/tags/release/1"));
    application.verify.provenance.references = vec!["refs/tags/v*".parse().unwrap()];
    assert!(on(&application, "refs/tags/v1") && !on(&application, "refs/heads/release/1"));
}

#[test]
fn the_closest_tells_what_is_wrong_and_a_trust_root_that_is_too_old_is_told_first() {
    let builds = [build("aws", 1, 0), build("gcp", 1, 0)];
    let of = |examined: &[Examined], left_out: &[&str]| {
        let left_out = left_out.iter().map(|why| (*why).to_owned()).collect();
        let all = Attestations { examined: examined.to_vec(), left_out };
        let found: BTreeMap<Digest, Attestations> = [(builds[0].digest.clone(), all)].into();
        words(&provenance(&required(), commit(), &builds, (&found, &origin()), wait(60)))
    };
    let unproven = |why: &str, root_too_old| Examined::Unproven { why: why.to_owned(), root_too_old };
    let near = Attested { commit: None, ..attested() };
    let far = Attested::default();
    assert_snapshot!(of(&[], &[]), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: no attestation");
    assert_snapshot!(of(&[], &["a bundle is listed and not there"]), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: a bundle is listed and not there");
    assert_snapshot!(of(&[unproven("the signature does not fit", false)], &["a bundle is not there"]), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the signature does not fit");
    assert_snapshot!(of(&[Examined::Proven(near.clone()), Examined::Proven(far)], &[]), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the attestation names no commit, not 1f1f1f1");
    let too_old = unproven("the trust root is too old for what GitHub, Inc. vouches for", true);
    assert_snapshot!(of(&[Examined::Proven(near), too_old.clone()], &[]), @"provenance pending: no provenance for aws, gcp: sha256:010101010101: the trust root is too old for what GitHub, Inc. vouches for (attestations.trusted_root)");
    let good = Examined::Proven(attested());
    assert!(of(&[too_old, good], &[]).starts_with("provenance passed"));
}

#[test]
fn each_target_needs_one_of_its_own_digest() {
    let mut application = required();
    application.verify.same_digest = Demand::Off;
    let builds = [build("aws", 1, 0), build("gcp", 2, 0)];
    let found = attestations(&builds[..1], &[attested()]);
    assert_snapshot!(words(&provenance(&application, commit(), &builds, (&found, &origin()), wait(60))), @"provenance pending: no provenance for gcp: sha256:020202020202: no attestation");
}
