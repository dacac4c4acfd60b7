//! What a verified attestation says.

use chrono::{DateTime, Utc};
use domain::commit::Commit;
use serde::Deserialize;
use serde_json::Value;
use sigstore_verify::{VerificationResult, crypto::CertificateInfo, types::Statement};

/// The predicate type of SLSA provenance 1.0 (<https://slsa.dev/provenance/v1>).
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// What an attestation says about a digest, with its signature proven.
///
/// It is about the digest that was asked for; whether it is provenance is in `predicate_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who signed.
    pub signer: Signer,
    /// Where the image was built from, in the words of whoever is believed: of the certificate, which the issuer of the
    /// identity answers for and no step of a workflow can choose; or of the predicate, when a configured key signed.
    pub source: Source,
    /// What the predicate says, which the job that signed has written; `None` if it is not SLSA provenance 1.0.
    pub stated: Option<Stated>,
    /// The kind of predicate, an address such as `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// When it was signed, at the earliest time that a log or a time stamping authority vouches for. Only a bundle of a
    /// configured key may have none.
    pub signed_at: Option<DateTime<Utc>>,
}

/// Who signed an attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Whoever a certificate was issued to, after showing an identity token.
    Certificate {
        /// Who issued the identity token, such as `https://token.actions.githubusercontent.com`. Certificates are
        /// issued for the tokens of many issuers, which say different things in the same fields: nothing of the source
        /// may be believed before this is the expected one. `None` if the certificate does not say.
        issuer: Option<String>,
        /// The workflow that signed, with its reference: `https://HOST/OWNER/NAME/.github/workflows/FILE@REF`. It is of
        /// another repository than the source when the workflow is reusable.
        workflow: Option<String>,
        /// Where it ran: `github-hosted` or `self-hosted`.
        runner: Option<String>,
        /// The event that began the run, such as `push`.
        trigger: Option<String>,
        /// Where people read the run.
        run_url: Option<String>,
    },
    /// Whoever has a configured key.
    Key {
        /// The SHA-256 of the key in the form of a `SubjectPublicKeyInfo`, in hexadecimal digits.
        fingerprint: String,
    },
}

/// Where something was built from. What is `None` was not said, or not in a form that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The repository's address, `https://HOST/OWNER/NAME`, in any case.
    pub repository: Option<String>,
    /// The repository's number at the forge, which outlives that it is renamed.
    pub repository_id: Option<String>,
    /// The commit.
    pub commit: Option<Commit>,
    /// What was checked out, in full: `refs/heads/main`.
    pub reference: Option<String>,
    /// The workflow that ran: its address with reference in a certificate, its path in a predicate.
    pub workflow: Option<String>,
}

/// What SLSA provenance states of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// How to read the rest, an address such as `https://actions.github.io/buildtypes/workflow/v1`.
    pub build_type: String,
    /// Who built, an address.
    pub builder: Option<String>,
    /// Where it was built from.
    pub source: Source,
}

impl Claims {
    pub(crate) fn of_certificate(result: &VerificationResult, certificate: &CertificateInfo, said: &Statement) -> Self {
        let claims = &certificate.ci_claims;
        Self {
            signer: Signer::Certificate {
                issuer: certificate.issuer.clone(),
                workflow: claims.build_signer_uri.clone(),
                runner: claims.runner_environment.clone(),
                trigger: claims.build_trigger.clone(),
                run_url: claims.run_invocation_uri.clone(),
            },
            source: Source {
                repository: claims.source_repository_uri.clone(),
                repository_id: claims.source_repository_identifier.clone(),
                commit: commit(claims.source_repository_digest.as_deref()),
                reference: claims.source_repository_ref.clone(),
                workflow: claims.build_config_uri.clone(),
            },
            stated: Stated::read(said),
            predicate_type: said.predicate_type.clone(),
            signed_at: times(result).min(),
        }
    }

    pub(crate) fn of_key(fingerprint: String, signed_at: Option<DateTime<Utc>>, said: &Statement) -> Self {
        let stated = Stated::read(said);
        Self {
            signer: Signer::Key { fingerprint },
            source: stated.as_ref().map(|stated| stated.source.clone()).unwrap_or_default(),
            stated,
            predicate_type: said.predicate_type.clone(),
            signed_at,
        }
    }
}

/// The times of signing that the verification has proven, to the second.
pub(crate) fn times(result: &VerificationResult) -> impl Iterator<Item = DateTime<Utc>> {
    result.verified_timestamps().iter().filter_map(|at| DateTime::from_timestamp(at.as_second(), 0))
}

/// The parts of a predicate of SLSA provenance 1.0 that are read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    build_definition: Definition,
    #[serde(default)]
    run_details: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    build_type: String,
    #[serde(default)]
    external_parameters: Value,
    #[serde(default)]
    internal_parameters: Value,
    #[serde(default)]
    resolved_dependencies: Vec<Value>,
}

impl Stated {
    fn read(said: &Statement) -> Option<Self> {
        if said.predicate_type != PROVENANCE {
            return None;
        }
        let Predicate { build_definition, run_details } = Predicate::deserialize(&said.predicate).ok()?;
        let workflow = |name: &str| text(&build_definition.external_parameters, &format!("/workflow/{name}"));
        // The first dependency is the source that was checked out.
        let checkout = build_definition.resolved_dependencies.first();
        let uri = checkout.and_then(|one| text(one, "/uri"));
        let source = Source {
            repository: uri.as_deref().map(repository).or_else(|| workflow("repository")),
            repository_id: text(&build_definition.internal_parameters, "/github/repository_id"),
            commit: commit(checkout.and_then(|one| text(one, "/digest/gitCommit")).as_deref()),
            reference: workflow("ref"),
            workflow: workflow("path"),
        };
        Some(Self { builder: text(&run_details, "/builder/id"), build_type: build_definition.build_type, source })
    }
}

/// The address of the repository in `git+https://HOST/OWNER/NAME@REF`.
fn repository(uri: &str) -> String {
    let address = uri.strip_prefix("git+").unwrap_or(uri);
    address.split_once('@').map_or(address, |(address, _)| address).to_owned()
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn commit(name: Option<&str>) -> Option<Commit> {
    name.and_then(|name| name.parse().ok())
}
