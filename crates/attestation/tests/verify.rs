//! Attestations of local instances, and what is left of them when something is wrong.

use anyhow::{Context as _, Result};
use attestation::{Claims, Error, Key, LogProof, Roots, Signer, Source, Trust, verify};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use testkit::sigstore::{Build, Instance, SigningKey};

const ORGANIZATION: &str = "builds.example";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn digest(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

fn build() -> Build {
    Build::new(&digest('a'), COMMIT)
}

/// What the roots of the instances make of a bundle about the first digest.
fn judge(bundle: &Value, roots: &[&Instance], log: LogProof) -> Result<Result<Claims, Error>> {
    let text: Vec<String> = roots.iter().map(|instance| instance.root().to_string()).collect();
    let trust = Trust::Roots(Roots::parse(text.join("\n").as_bytes())?);
    Ok(verify(bundle.to_string().as_bytes(), &digest('a').parse()?, &trust, log))
}

/// What a key makes of it.
fn judge_by_key(bundle: &Value, pems: &[String], log: (&Instance, LogProof)) -> Result<Result<Claims, Error>> {
    let keys = pems.iter().map(|pem| Key::from_pem(pem)).collect::<Result<_, _>>()?;
    let logs = Roots::parse(log.0.root().to_string().as_bytes())?;
    Ok(verify(bundle.to_string().as_bytes(), &digest('a').parse()?, &Trust::Keys { keys, logs }, log.1))
}

/// Puts another commit into what was signed.
fn tamper(bundle: &mut Value) -> Result<()> {
    let payload = bundle.pointer_mut("/dsseEnvelope/payload").context("a payload")?;
    let text = String::from_utf8(STANDARD.decode(payload.as_str().context("a payload is text")?)?)?;
    *payload = json!(STANDARD.encode(text.replace(COMMIT, &"f".repeat(40))));
    Ok(())
}

#[track_caller]
fn assert_refused(result: Result<Claims, Error>, expected: &str) {
    let refusal = result.expect_err("it is refused");
    let text = format!("{refusal:?}");
    assert!(text.starts_with(expected), "{expected} was expected: {text}: {refusal}");
    assert_eq!(refusal.may_pass(), expected == "RootTooOld");
}

#[test]
fn a_certificate_says_where_an_image_was_built_from() -> Result<()> {
    for instance in [Instance::with_log(ORGANIZATION)?, Instance::with_time_stamps(ORGANIZATION)?] {
        let build = build();
        let claims = judge(&instance.attest(&build)?, &[&instance], LogProof::WhereKept)??;
        let workflow = "https://github.com/acme/mandelbrot/.github/workflows/build.yml@refs/heads/main";
        let source = Source {
            repository: Some("https://github.com/acme/mandelbrot".to_owned()),
            repository_id: Some("4711".to_owned()),
            commit: Some(COMMIT.parse()?),
            reference: Some("refs/heads/main".to_owned()),
            workflow: Some(workflow.to_owned()),
        };
        assert_eq!(claims.source, source);
        let Signer::Certificate { issuer, workflow: signer, runner, trigger, run_url } = claims.signer else {
            anyhow::bail!("a certificate was shown");
        };
        assert_eq!(issuer.as_deref(), Some("https://token.actions.githubusercontent.com"));
        assert_eq!(signer.as_deref(), Some(workflow));
        assert_eq!((runner.as_deref(), trigger.as_deref()), (Some("github-hosted"), Some("push")));
        assert_eq!(run_url.as_deref(), Some("https://github.com/acme/mandelbrot/actions/runs/1/attempts/1"));
        assert_eq!(claims.predicate_type, "https://slsa.dev/provenance/v1");
        assert_eq!(claims.signed_at.map(|at| at.timestamp()), Some(build.signed_at.timestamp()));
        let stated = claims.stated.context("it is provenance")?;
        assert_eq!(stated.build_type, "https://actions.github.io/buildtypes/workflow/v1");
        assert_eq!(stated.builder.as_deref(), Some(workflow));
        let path = Some(".github/workflows/build.yml".to_owned());
        assert_eq!(stated.source, Source { workflow: path, ..source });
    }
    Ok(())
}

#[test]
fn another_repository_and_another_commit_are_told_as_they_are() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let commit = "f".repeat(40);
    let other = Build { repository: "acme/fork".to_owned(), commit: commit.clone(), ..build() };
    let claims = judge(&instance.attest(&other)?, &[&instance], LogProof::WhereKept)??;
    assert_eq!(claims.source.repository.as_deref(), Some("https://github.com/acme/fork"));
    assert_eq!(claims.source.commit, Some(commit.parse()?));
    Ok(())
}

#[test]
fn what_is_not_provenance_says_what_it_is_instead() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let predicate_type = "https://spdx.dev/Document".to_owned();
    let claims = judge(&instance.attest(&Build { predicate_type, ..build() })?, &[&instance], LogProof::WhereKept)??;
    assert_eq!(claims.predicate_type, "https://spdx.dev/Document");
    assert_eq!(claims.stated, None);
    assert_eq!(claims.source.commit, Some(COMMIT.parse()?), "the certificate still says it");
    Ok(())
}

#[test]
fn an_attestation_of_another_digest_proves_nothing() -> Result<()> {
    let other = Build { digest: digest('b'), ..build() };
    let instance = Instance::with_log(ORGANIZATION)?;
    assert_refused(judge(&instance.attest(&other)?, &[&instance], LogProof::WhereKept)?, "OtherDigest");
    let instance = Instance::with_time_stamps(ORGANIZATION)?;
    assert_refused(judge(&instance.attest(&other)?, &[&instance], LogProof::WhereKept)?, "OtherDigest");
    let key = SigningKey::generate()?;
    let logs = (&instance, LogProof::WhereKept);
    assert_refused(judge_by_key(&key.attest(&other)?, &[key.public_pem()], logs)?, "OtherDigest");
    Ok(())
}

#[test]
fn a_changed_payload_is_told_from_a_wrong_signature_by_the_log() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let mut bundle = instance.attest(&build())?;
    tamper(&mut bundle)?;
    assert_refused(judge(&bundle, &[&instance], LogProof::WhereKept)?, "Tampered");

    let mut bundle = instance.attest(&build())?;
    bundle["dsseEnvelope"]["signatures"] = instance.attest(&build())?["dsseEnvelope"]["signatures"].clone();
    assert_refused(judge(&bundle, &[&instance], LogProof::WhereKept)?, "Signature");

    let instance = Instance::with_time_stamps(ORGANIZATION)?;
    let mut bundle = instance.attest(&build())?;
    tamper(&mut bundle)?;
    assert_refused(judge(&bundle, &[&instance], LogProof::WhereKept)?, "Signature");
    Ok(())
}

#[test]
fn a_certificate_must_be_valid_when_it_signs() -> Result<()> {
    for instance in [Instance::with_log(ORGANIZATION)?, Instance::with_time_stamps(ORGANIZATION)?] {
        let expired = Build { certified_at: Utc::now() - TimeDelta::hours(1), ..build() };
        assert_refused(judge(&instance.attest(&expired)?, &[&instance], LogProof::WhereKept)?, "Expired");
        let unborn = Build { certified_at: Utc::now() + TimeDelta::hours(1), ..build() };
        assert_refused(judge(&instance.attest(&unborn)?, &[&instance], LogProof::WhereKept)?, "Expired");
    }
    Ok(())
}

#[test]
fn what_signed_in_its_time_stays_good_when_the_certificate_has_ended() -> Result<()> {
    for instance in [Instance::with_log(ORGANIZATION)?, Instance::with_time_stamps(ORGANIZATION)?] {
        let then = Utc::now() - TimeDelta::days(20);
        let old = Build { certified_at: then, signed_at: then + TimeDelta::minutes(1), ..build() };
        judge(&instance.attest(&old)?, &[&instance], LogProof::WhereKept)??;
    }
    Ok(())
}

#[test]
fn somebody_whom_no_root_names_is_not_trusted() -> Result<()> {
    let stranger = Instance::with_log("stranger.example")?;
    let instance = Instance::with_log(ORGANIZATION)?;
    assert_refused(judge(&stranger.attest(&build())?, &[&instance], LogProof::WhereKept)?, "Untrusted");
    Ok(())
}

#[test]
fn an_instance_that_rotated_its_keys_makes_the_root_too_old() -> Result<()> {
    for old in [Instance::with_log(ORGANIZATION)?, Instance::with_time_stamps(ORGANIZATION)?] {
        let new = old.rotated(Utc::now() - TimeDelta::days(1))?;
        let bundle = new.attest(&build())?;
        assert_refused(judge(&bundle, &[&old], LogProof::WhereKept)?, "RootTooOld");
        judge(&bundle, &[&old, &new], LogProof::WhereKept)??;
        judge(&bundle, &[&new, &old], LogProof::WhereKept)??;
    }
    Ok(())
}

#[test]
fn a_key_that_is_unknown_to_a_younger_root_is_not_trusted() -> Result<()> {
    for old in [Instance::with_log(ORGANIZATION)?, Instance::with_time_stamps(ORGANIZATION)?] {
        let new = old.rotated(Utc::now() - TimeDelta::days(1))?;
        let then = Utc::now() - TimeDelta::days(20);
        let made_up = Build { certified_at: then, signed_at: then + TimeDelta::minutes(1), ..build() };
        assert_refused(judge(&old.attest(&made_up)?, &[&new], LogProof::WhereKept)?, "Untrusted");
    }
    Ok(())
}

#[test]
fn a_proof_of_the_log_can_be_demanded_and_must_be_right() -> Result<()> {
    let stamped = Instance::with_time_stamps(ORGANIZATION)?;
    assert_refused(judge(&stamped.attest(&build())?, &[&stamped], LogProof::Demanded)?, "MissingLogProof");

    let logged = Instance::with_log(ORGANIZATION)?;
    let bundle = logged.attest(&build())?;
    judge(&bundle, &[&logged], LogProof::Demanded)??;
    let entry = "/verificationMaterial/tlogEntries/0";
    let mut without = bundle.clone();
    without["verificationMaterial"]["tlogEntries"] = json!([]);
    assert_refused(judge(&without, &[&logged], LogProof::WhereKept)?, "MissingLogProof");
    let mut promised = bundle.clone();
    promised.pointer_mut(entry).and_then(Value::as_object_mut).context("an entry")?.remove("inclusionProof");
    assert_refused(judge(&promised, &[&logged], LogProof::WhereKept)?, "MissingLogProof");
    let mut wrong = bundle.clone();
    wrong.pointer_mut(entry).context("an entry")?["inclusionProof"]["hashes"] = json!([STANDARD.encode([0; 32])]);
    assert_refused(judge(&wrong, &[&logged], LogProof::WhereKept)?, "LogProof");
    let mut of_another = bundle;
    of_another["verificationMaterial"]["tlogEntries"] =
        logged.attest(&build())?["verificationMaterial"]["tlogEntries"].clone();
    assert_refused(judge(&of_another, &[&logged], LogProof::WhereKept)?, "LogProof");
    Ok(())
}

#[test]
fn a_certificate_must_be_in_the_log_that_the_root_names() -> Result<()> {
    let known = Instance::with_log(ORGANIZATION)?;
    let mut without = known.root();
    without["ctlogs"] = json!([]);
    let root = known.root();
    let other = known.with_new_certificate_log()?;
    let bundle = other.attest(&build())?.to_string();
    let judge = |root: &Value| -> Result<_> {
        let trust = Trust::Roots(Roots::parse(root.to_string().as_bytes())?);
        Ok(verify(bundle.as_bytes(), &digest('a').parse()?, &trust, LogProof::WhereKept))
    };
    assert_refused(judge(&root)?, "RootTooOld");
    judge(&without)??;
    judge(&other.root())??;
    let mut younger = root;
    younger["ctlogs"][0]["publicKey"]["validFor"]["start"] = json!(Utc::now().to_rfc3339());
    assert_refused(judge(&younger)?, "Untrusted");
    Ok(())
}

#[test]
fn a_configured_key_says_what_its_predicate_says() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let (key, next) = (SigningKey::generate()?, SigningKey::generate()?);
    let both = [key.public_pem(), next.public_pem()];
    for signing in [&key, &next] {
        let bundle = signing.attest(&build())?;
        let claims = judge_by_key(&bundle, &both, (&instance, LogProof::WhereKept))??;
        let fingerprint = Key::from_pem(&signing.public_pem())?.fingerprint();
        assert_eq!(claims.signer, Signer::Key { fingerprint });
        assert_eq!(claims.source.repository.as_deref(), Some("https://github.com/acme/mandelbrot"));
        assert_eq!(claims.source.commit, Some(COMMIT.parse()?));
        assert_eq!(claims.signed_at, None);
        assert_refused(judge_by_key(&bundle, &both, (&instance, LogProof::Demanded))?, "MissingLogProof");

        let bundle = signing.attest_in_log(&build(), &instance)?;
        let claims = judge_by_key(&bundle, &both, (&instance, LogProof::Demanded))??;
        assert!(claims.signed_at.is_some());
        let other = Instance::with_log(ORGANIZATION)?;
        assert_refused(judge_by_key(&bundle, &both, (&other, LogProof::Demanded))?, "RootTooOld");
    }
    Ok(())
}

#[test]
fn what_another_key_signed_or_was_changed_since_is_refused() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let (key, other) = (SigningKey::generate()?, SigningKey::generate()?);
    let logs = (&instance, LogProof::WhereKept);
    let mut bundle = key.attest(&build())?;
    assert_refused(judge_by_key(&bundle, &[other.public_pem()], logs)?, "Signature");
    tamper(&mut bundle)?;
    assert_refused(judge_by_key(&bundle, &[key.public_pem()], logs)?, "Signature");
    let mut bundle = key.attest_in_log(&build(), &instance)?;
    tamper(&mut bundle)?;
    assert_refused(judge_by_key(&bundle, &[key.public_pem()], logs)?, "Tampered");
    Ok(())
}

#[test]
fn keys_do_not_vouch_for_certificates_nor_roots_for_keys() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let key = SigningKey::generate()?;
    let logs = (&instance, LogProof::WhereKept);
    assert_refused(judge_by_key(&instance.attest(&build())?, &[key.public_pem()], logs)?, "Untrusted");
    assert_refused(judge_by_key(&key.attest(&build())?, &[], logs)?, "Untrusted");
    assert_refused(judge(&key.attest(&build())?, &[&instance], LogProof::WhereKept)?, "Untrusted");
    Ok(())
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() -> Result<()> {
    let instance = Instance::with_log(ORGANIZATION)?;
    let good = instance.attest(&build())?;
    let mut other_payload = good.clone();
    other_payload["dsseEnvelope"]["payloadType"] = json!("text/plain");
    let mut other_media = good.clone();
    other_media["mediaType"] = json!("application/json");
    let mut no_statement = good.clone();
    no_statement["dsseEnvelope"]["payload"] = json!(STANDARD.encode("{}"));
    let mut other_statement = good;
    other_statement["dsseEnvelope"]["payload"] = json!(STANDARD.encode(
        json!({ "_type": "https://example.com", "subject": [], "predicateType": "x", "predicate": {} }).to_string()
    ));
    for bundle in [json!(null), json!({}), json!([1]), other_payload, other_media, no_statement, other_statement] {
        assert_refused(judge(&bundle, &[&instance], LogProof::WhereKept)?, "NotABundle");
    }
    let trust = Trust::Roots(Roots::embedded()?);
    let large = vec![b' '; attestation::LARGEST_BUNDLE + 1];
    assert_refused(verify(&large, &digest('a').parse()?, &trust, LogProof::WhereKept), "TooLarge");
    assert_refused(verify(b"\xff", &digest('a').parse()?, &trust, LogProof::WhereKept), "NotABundle");
    Ok(())
}
