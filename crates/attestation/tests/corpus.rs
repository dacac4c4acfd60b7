//! The real bundles of `TAGFERRY_CORPUS`, each by the expectation beside it.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use attestation::{Claims, Error, LogProof, Roots, Signer, Trust, verify};
use serde_json::Value;

const PUBLIC: &str = "real-github-public-attestation";
const PRIVATE: &str = "real-github-instance-attestation";

/// A bundle and what is expected of it.
struct Fixture {
    bundle: Vec<u8>,
    expected: Value,
}

impl Fixture {
    /// `None`, and said so, where there is no corpus.
    fn read(name: &str) -> Result<Option<Self>> {
        let Some(corpus) = corpus() else {
            testkit::say("attestation corpus: TAGFERRY_CORPUS is not set: this test did not run")?;
            return Ok(None);
        };
        let read = |kind: &str| {
            let path = corpus.join("attestations").join(format!("{name}.{kind}.json"));
            fs::read(&path).with_context(|| path.display().to_string())
        };
        Ok(Some(Self { bundle: read("sigstore")?, expected: serde_json::from_slice(&read("expect")?)? }))
    }

    fn expected(&self, name: &str) -> Option<&str> {
        self.expected.get(name).and_then(Value::as_str)
    }

    fn judge(&self, digest: Option<&str>, roots: Roots, log: LogProof) -> Result<Result<Claims, Error>> {
        let digits = digest.or_else(|| self.expected("subject_sha256")).context("a digest")?;
        Ok(verify(&self.bundle, &format!("sha256:{digits}").parse()?, &Trust::Roots(roots), log))
    }
}

#[expect(clippy::disallowed_methods, reason = "where the corpus is, is told by the environment alone")]
fn corpus() -> Option<PathBuf> {
    std::env::var_os("TAGFERRY_CORPUS").map(PathBuf::from)
}

/// What is left of the embedded roots of an organisation when those authorities and clocks are taken away that began at
/// that time or later.
fn roots_before(organization: &str, time: &str) -> Result<Roots> {
    let embedded = Roots::embedded_text();
    let text = embedded.iter().find(|text| text.contains(organization)).context("an embedded root")?;
    let mut root: Value = serde_json::from_str(text)?;
    for kind in ["certificateAuthorities", "timestampAuthorities", "tlogs"] {
        if let Some(all) = root.get_mut(kind).and_then(Value::as_array_mut) {
            all.retain(|one| {
                let start = one.pointer("/validFor/start").or_else(|| one.pointer("/publicKey/validFor/start"));
                start.and_then(Value::as_str).is_some_and(|start| start < time)
            });
        }
    }
    Ok(Roots::parse(root.to_string().as_bytes())?)
}

#[test]
fn a_real_attestation_of_a_public_repository_is_proven_by_the_embedded_root() -> Result<()> {
    let Some(fixture) = Fixture::read(PUBLIC)? else { return Ok(()) };
    for log in [LogProof::WhereKept, LogProof::Demanded] {
        let claims = fixture.judge(None, Roots::embedded()?, log)??;
        assert_eq!(claims.source.repository.as_deref(), fixture.expected("source_repository_uri"));
        assert_eq!(
            claims.source.commit.map(|one| one.to_string()).as_deref(),
            fixture.expected("source_repository_digest")
        );
        assert_eq!(claims.source.reference.as_deref(), fixture.expected("source_repository_ref"));
        let Signer::Certificate { issuer, workflow, runner, .. } = claims.signer else {
            anyhow::bail!("a certificate")
        };
        assert_eq!(issuer.as_deref(), fixture.expected("issuer"));
        assert_eq!(workflow.as_deref(), fixture.expected("san_uri"));
        assert_eq!(runner.as_deref(), fixture.expected("runner_environment"));
        let stated = claims.stated.context("it is provenance")?;
        assert_eq!(stated.source.repository, claims.source.repository);
        assert_eq!(stated.source.commit, claims.source.commit);
        assert_eq!(stated.source.repository_id, claims.source.repository_id);
    }
    Ok(())
}

#[test]
fn a_real_attestation_of_another_digest_proves_nothing() -> Result<()> {
    for name in [PUBLIC, PRIVATE] {
        let Some(fixture) = Fixture::read(name)? else { return Ok(()) };
        let result = fixture.judge(Some(&"a".repeat(64)), Roots::embedded()?, LogProof::WhereKept)?;
        assert!(matches!(result, Err(Error::OtherDigest)), "{result:?}");
    }
    Ok(())
}

#[test]
fn a_real_attestation_of_a_release_is_proven_and_is_no_provenance() -> Result<()> {
    let Some(fixture) = Fixture::read(PRIVATE)? else { return Ok(()) };
    let claims = fixture.judge(None, Roots::embedded()?, LogProof::WhereKept)??;
    assert_eq!(claims.predicate_type, "https://in-toto.io/attestation/release/v0.2");
    assert_eq!(claims.stated, None);
    let result = fixture.judge(None, Roots::embedded()?, LogProof::Demanded)?;
    assert!(matches!(result, Err(Error::MissingLogProof)), "{result:?}");
    Ok(())
}

#[test]
fn a_real_attestation_that_is_younger_than_the_root_waits_for_a_newer_one() -> Result<()> {
    let Some(fixture) = Fixture::read(PRIVATE)? else { return Ok(()) };
    let result = fixture.judge(None, roots_before("GitHub, Inc.", "2024-10")?, LogProof::WhereKept)?;
    assert!(matches!(result, Err(Error::RootTooOld { .. })), "{result:?}");
    Ok(())
}

#[test]
fn a_real_attestation_is_not_trusted_by_the_root_of_another_instance() -> Result<()> {
    for (name, other) in [(PUBLIC, "GitHub, Inc."), (PRIVATE, "sigstore.dev")] {
        let Some(fixture) = Fixture::read(name)? else { return Ok(()) };
        let result = fixture.judge(None, roots_before(other, "9999")?, LogProof::WhereKept)?;
        assert!(matches!(result, Err(Error::Untrusted { .. })), "{result:?}");
    }
    Ok(())
}
