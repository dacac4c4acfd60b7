//! An authority that certifies builds, and what it certifies.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use serde_json::json;

use super::{certificate_log::CertificateLog, der};

/// A build that is attested. What a workflow of GitHub Actions would say; a test changes what it is about.
#[derive(Clone, Debug)]
pub struct Build {
    /// The digest of what was built, with its algorithm.
    pub digest: String,
    /// Who issued the identity token.
    pub issuer: String,
    /// Where the forge's pages are, without a slash at the end.
    pub forge: String,
    /// The source repository, `owner/name`.
    pub repository: String,
    /// The number of the source repository.
    pub repository_id: String,
    /// The commit that was built.
    pub commit: String,
    /// What was checked out, in full.
    pub reference: String,
    /// The file of the workflow.
    pub workflow: String,
    /// The kind of predicate.
    pub predicate_type: String,
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
    /// When the certificate began to be valid; it is for ten minutes.
    pub certified_at: DateTime<Utc>,
}

/// An authority with its certificate.
#[derive(Debug)]
pub(super) struct Authority {
    organization: String,
    certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

impl Build {
    /// A build of the commit of `acme/mandelbrot` on `main`, signed a minute ago.
    #[must_use]
    pub fn new(digest: &str, commit: &str) -> Self {
        let signed_at = Utc::now() - TimeDelta::minutes(1);
        Self {
            digest: digest.to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            forge: "https://github.com".to_owned(),
            repository: "acme/mandelbrot".to_owned(),
            repository_id: "4711".to_owned(),
            commit: commit.to_owned(),
            reference: "refs/heads/main".to_owned(),
            workflow: ".github/workflows/build.yml".to_owned(),
            predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
            signed_at,
            certified_at: signed_at - TimeDelta::seconds(10),
        }
    }

    /// The in-toto statement, as `actions/attest` writes it.
    pub(super) fn statement(&self) -> Vec<u8> {
        let Self { reference, commit, .. } = self;
        let repository = self.repository_url();
        let (algorithm, digits) = self.digest.split_once(':').unwrap_or_default();
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": "image", "digest": { algorithm: digits } }],
            "predicateType": self.predicate_type,
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                    "externalParameters": { "workflow": {
                        "ref": reference,
                        "repository": repository,
                        "path": self.workflow,
                    } },
                    "internalParameters": { "github": { "repository_id": self.repository_id } },
                    "resolvedDependencies": [{
                        "uri": format!("git+{repository}@{reference}"),
                        "digest": { "gitCommit": commit },
                    }],
                },
                "runDetails": { "builder": { "id": self.workflow_url() } },
            },
        });
        statement.to_string().into_bytes()
    }

    fn repository_url(&self) -> String {
        format!("{}/{}", self.forge, self.repository)
    }

    fn workflow_url(&self) -> String {
        format!("{}/{}@{}", self.repository_url(), self.workflow, self.reference)
    }

    /// What the authority certifies, by the last arc of 1.3.6.1.4.1.57264.1
    /// (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>).
    fn claims(&self) -> [(u64, String); 11] {
        let repository = self.repository_url();
        [
            (8, self.issuer.clone()),
            (9, self.workflow_url()),
            (10, self.commit.clone()),
            (11, "github-hosted".to_owned()),
            (12, repository.clone()),
            (13, self.commit.clone()),
            (14, self.reference.clone()),
            (15, self.repository_id.clone()),
            (18, self.workflow_url()),
            (20, "push".to_owned()),
            (21, format!("{repository}/actions/runs/1/attempts/1")),
        ]
    }
}

impl Authority {
    pub(super) fn new(organization: &str, since: DateTime<Utc>) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = params(organization, "authority", (since, since + TimeDelta::days(3650)))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self { organization: organization.to_owned(), certificate, params, key })
    }

    pub(super) fn organization(&self) -> &str {
        &self.organization
    }

    pub(super) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The certificate of a build, for the key that will sign, with the promise of a log that it is in it.
    pub(super) fn certify(&self, key: &KeyPair, build: &Build, log: Option<&CertificateLog>) -> Result<Vec<u8>> {
        let valid = (build.certified_at, build.certified_at + TimeDelta::minutes(10));
        let mut params = params(&self.organization, "build", valid)?;
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(build.workflow_url().try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        for (arc, claim) in build.claims() {
            let oid = [1, 3, 6, 1, 4, 1, 57264, 1, arc];
            params.custom_extensions.push(CustomExtension::from_oid_content(&oid, der::utf8(&claim)));
        }
        // The promise is about the certificate without it, which must be the same otherwise.
        params.serial_number = Some(fastrand::u64(1..).into());
        let certificate = self.issue(params.clone(), key)?;
        let Some(log) = log else { return Ok(certificate) };
        params.custom_extensions.push(log.promise(&certificate, &self.key, build.certified_at)?);
        self.issue(params, key)
    }

    /// The certificate of somebody who says the time.
    pub(super) fn certify_clock(&self, key: &KeyPair, since: DateTime<Utc>) -> Result<Vec<u8>> {
        let mut params = params(&self.organization, "clock", (since, since + TimeDelta::days(365)))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
        self.issue(params, key)
    }

    fn issue(&self, mut params: CertificateParams, key: &KeyPair) -> Result<Vec<u8>> {
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let issuer = Issuer::from_params(&self.params, &self.key);
        Ok(params.signed_by(key, &issuer)?.der().to_vec())
    }
}

fn params(organization: &str, name: &str, valid: (DateTime<Utc>, DateTime<Utc>)) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, name);
    let time = |at: DateTime<Utc>| -> Result<_> {
        let since = Duration::from_secs(at.timestamp().try_into().context("a time after 1970")?);
        Ok(rcgen::date_time_ymd(1970, 1, 1) + since)
    };
    params.not_before = time(valid.0)?;
    params.not_after = time(valid.1)?;
    Ok(params)
}
