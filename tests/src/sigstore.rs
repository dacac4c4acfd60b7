//! Sigstore instances of a test's own, and the attestations that were signed there.
//!
//! An [`Instance`] is an authority that issues certificates for builds, with either a transparency log and a log of
//! certificates, as Sigstore's public instance has, or an authority that says the time, as GitHub's for private
//! repositories has.

mod certificate;
mod certificate_log;
mod der;
mod entry;
mod stamp;

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};

use certificate::Authority;
pub use certificate::Build;
use certificate_log::CertificateLog;
use entry::Log;
use stamp::Clock;

/// The media type of the bundles that are made here.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The payload type of an in-toto statement.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// An instance of Sigstore.
#[derive(Debug)]
pub struct Instance {
    authority: Authority,
    since: DateTime<Utc>,
    witness: Witness,
}

/// Who vouches for the time of a signature.
#[derive(Debug)]
enum Witness {
    Logs(Box<Logs>),
    Clock(Box<Clock>),
}

/// A log of signatures, and one of certificates.
#[derive(Debug)]
struct Logs {
    signatures: Log,
    certificates: CertificateLog,
}

/// A key that signs without a certificate.
#[derive(Debug)]
pub struct SigningKey(KeyPair);

impl Instance {
    /// An instance with its logs and no other clock, a month old.
    ///
    /// # Errors
    ///
    /// A key or a certificate can not be made.
    pub fn with_log(organization: &str) -> Result<Self> {
        let since = a_month_ago();
        Ok(Self { authority: Authority::new(organization, since)?, since, witness: Witness::logs()? })
    }

    /// An instance with an authority that says the time and no log, a month old.
    ///
    /// # Errors
    ///
    /// A key or a certificate can not be made.
    pub fn with_time_stamps(organization: &str) -> Result<Self> {
        let since = a_month_ago();
        let witness = Witness::Clock(Box::new(Clock::new(organization, since)?));
        Ok(Self { authority: Authority::new(organization, since)?, since, witness })
    }

    /// The instance after it has rotated all its keys, at that time.
    ///
    /// # Errors
    ///
    /// A key or a certificate can not be made.
    pub fn rotated(&self, at: DateTime<Utc>) -> Result<Self> {
        let organization = self.authority.organization();
        let witness = match self.witness {
            Witness::Logs(_) => Witness::logs()?,
            Witness::Clock(_) => Witness::Clock(Box::new(Clock::new(organization, at)?)),
        };
        Ok(Self { authority: Authority::new(organization, at)?, since: at, witness })
    }

    /// The instance with a new log of certificates, which nobody knows yet.
    ///
    /// # Errors
    ///
    /// It has no such log, or a key can not be made.
    pub fn with_new_certificate_log(mut self) -> Result<Self> {
        let Witness::Logs(logs) = &mut self.witness else { anyhow::bail!("the instance has no log") };
        logs.certificates = CertificateLog::new()?;
        Ok(self)
    }

    /// What whoever believes this instance has to know of it, as a file.
    #[must_use]
    pub fn root(&self) -> Value {
        let valid = json!({ "start": self.since.to_rfc3339_opts(SecondsFormat::Secs, true) });
        let (logs, certificate_logs, clocks) = match &self.witness {
            Witness::Logs(logs) => {
                (vec![logs.signatures.known_as(&valid)], vec![logs.certificates.known_as(&valid)], vec![])
            }
            Witness::Clock(clock) => (vec![], vec![], vec![clock.known_as(&valid)]),
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [{
                "subject": { "organization": self.authority.organization(), "commonName": "authority" },
                "uri": "https://fulcio.example",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.authority.der()) }] },
                "validFor": valid,
            }],
            "tlogs": logs,
            "ctlogs": certificate_logs,
            "timestampAuthorities": clocks,
        })
    }

    /// An attestation of the build.
    ///
    /// # Errors
    ///
    /// A certificate can not be made or something not be signed.
    pub fn attest(&self, build: &Build) -> Result<Value> {
        let key = KeyPair::generate()?;
        let promised_by = match &self.witness {
            Witness::Logs(logs) => Some(&logs.certificates),
            Witness::Clock(_) => None,
        };
        let certificate = self.authority.certify(&key, build, promised_by)?;
        let (envelope, signature) = envelope(&key, build)?;
        let (entries, stamps) = match &self.witness {
            Witness::Logs(logs) => {
                let verifier = der::pem("CERTIFICATE", &certificate);
                (vec![logs.signatures.enter(&verifier, &signature, (&build.statement(), build.signed_at))?], vec![])
            }
            Witness::Clock(clock) => {
                let stamp = STANDARD.encode(clock.stamp(&signature, build.signed_at)?);
                (vec![], vec![json!({ "signedTimestamp": stamp })])
            }
        };
        let material = json!({
            "certificate": { "rawBytes": STANDARD.encode(&certificate) },
            "tlogEntries": entries,
            "timestampVerificationData": { "rfc3161Timestamps": stamps },
        });
        Ok(bundle(&material, &envelope))
    }
}

impl Witness {
    fn logs() -> Result<Self> {
        Ok(Self::Logs(Box::new(Logs { signatures: Log::new()?, certificates: CertificateLog::new()? })))
    }
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// It can not be made.
    pub fn generate() -> Result<Self> {
        Ok(Self(KeyPair::generate()?))
    }

    /// Its public half, as `cosign public-key` writes it.
    #[must_use]
    pub fn public_pem(&self) -> String {
        use rcgen::PublicKeyData as _;
        der::pem("PUBLIC KEY", &self.0.subject_public_key_info())
    }

    /// An attestation of the build that is in no log.
    ///
    /// # Errors
    ///
    /// It can not be signed.
    pub fn attest(&self, build: &Build) -> Result<Value> {
        let (envelope, _) = envelope(&self.0, build)?;
        Ok(bundle(&json!({ "publicKey": { "hint": "a key" } }), &envelope))
    }

    /// An attestation of the build that is in the log of an instance.
    ///
    /// # Errors
    ///
    /// It can not be signed, or the instance has no log.
    pub fn attest_in_log(&self, build: &Build, instance: &Instance) -> Result<Value> {
        let Witness::Logs(logs) = &instance.witness else { anyhow::bail!("the instance has no log") };
        let (envelope, signature) = envelope(&self.0, build)?;
        let entry = logs.signatures.enter(&self.public_pem(), &signature, (&build.statement(), build.signed_at))?;
        Ok(bundle(&json!({ "publicKey": { "hint": "a key" }, "tlogEntries": [entry] }), &envelope))
    }
}

fn bundle(material: &Value, envelope: &Value) -> Value {
    json!({ "mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope })
}

/// The statement in the envelope of DSSE 1.0 (<https://github.com/secure-systems-lab/dsse>), and its signature.
fn envelope(key: &KeyPair, build: &Build) -> Result<(Value, Vec<u8>)> {
    let payload = build.statement();
    let mut signed = format!("DSSEv1 {} {IN_TOTO} {} ", IN_TOTO.len(), payload.len()).into_bytes();
    signed.extend_from_slice(&payload);
    let signature = key.sign(&signed)?;
    let envelope = json!({
        "payload": STANDARD.encode(&payload),
        "payloadType": IN_TOTO,
        "signatures": [{ "sig": STANDARD.encode(&signature) }],
    });
    Ok((envelope, signature))
}

fn a_month_ago() -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(30)
}
