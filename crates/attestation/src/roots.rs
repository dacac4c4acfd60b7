//! Whose certificates are believed.

mod refusal;

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};
use domain::image::Digest;
use sigstore_verify::{
    Error as Refused, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier,
    crypto::parse_certificate_info,
    trust_root::{SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, TimeRange, TrustedRoot},
    types::TransparencyLogEntry,
};

use crate::{
    LogProof,
    authority::{Authority, Issued},
    bundle::{Unverified, artifact, unsupported},
    claims::Claims,
    error::Error,
};

/// The largest file of roots that is read, in bytes. GitHub's has about 32 thousand, and grows twice a year.
const LARGEST_FILE: usize = 4 * 1024 * 1024;

/// The certificates, logs and time stamping authorities that are believed, of one or several Sigstore instances.
///
/// Instances rotate what signs, GitHub's about twice a year, so a set of roots that is never replaced ends to know who
/// signs today. That is told apart from a forgery, as well as it can be; see [`Error::RootTooOld`].
#[derive(Debug)]
pub struct Roots {
    roots: Vec<Root>,
}

/// The text is not a set of trust roots that can be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRoots {
    /// It has more bytes than are read.
    #[error("the file of trust roots has {bytes} bytes, and {LARGEST_FILE} at most are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// There is nothing in it.
    #[error("the file of trust roots has none: write it with `gh attestation trusted-root`")]
    Empty,
    /// It has something else.
    #[error("not a trust root in the form that `gh attestation trusted-root` and `cosign trusted-root create` write")]
    Form(#[source] serde_json::Error),
    /// A key or a certificate in it can not be used.
    #[error("a key or a certificate of the trust root can not be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What one instance is known by.
struct Root {
    verifier: Verifier,
    authorities: Vec<Authority>,
    /// The identifiers of its transparency logs.
    logs: BTreeSet<Vec<u8>>,
    keeps_certificate_log: bool,
    newest: Newest,
}

/// When the youngest that a root knows of each kind began; `None` where it knows none, or not since when.
#[derive(Debug)]
struct Newest {
    authority: Option<DateTime<Utc>>,
    log: Option<DateTime<Utc>>,
    certificate_log: Option<DateTime<Utc>>,
    time_stamps: Option<DateTime<Utc>>,
}

impl Roots {
    /// The roots of Sigstore's public instance and of GitHub's for private repositories, as they were when the library
    /// that verifies was released.
    ///
    /// # Errors
    ///
    /// The library brought roots that it can not use.
    pub fn embedded() -> Result<Self, InvalidRoots> {
        Self::parse(Self::embedded_text().join("\n").as_bytes())
    }

    /// The text of the embedded roots, one of them each, to begin a file of one's own with.
    #[must_use]
    pub const fn embedded_text() -> [&'static str; 2] {
        [SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_GITHUB_TRUSTED_ROOT]
    }

    /// Reads one or several roots: one JSON document after the other. They are all that is believed then.
    ///
    /// # Errors
    ///
    /// See [`InvalidRoots`]; no root is left out because it is broken.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidRoots> {
        if text.len() > LARGEST_FILE {
            return Err(InvalidRoots::TooLarge { bytes: text.len() });
        }
        let documents = serde_json::Deserializer::from_slice(text).into_iter::<TrustedRoot>();
        let roots: Vec<Root> =
            documents.map(|one| Root::new(&one.map_err(InvalidRoots::Form)?)).collect::<Result<_, _>>()?;
        if roots.is_empty() { Err(InvalidRoots::Empty) } else { Ok(Self { roots }) }
    }

    /// The organisations whose certificates are believed, sorted.
    #[must_use]
    pub fn organizations(&self) -> BTreeSet<&str> {
        self.roots.iter().flat_map(|root| &root.authorities).map(|one| one.organization.as_str()).collect()
    }

    /// When the youngest authority that is known began; a person can tell by it how old the roots are.
    #[must_use]
    pub fn newest_authority(&self) -> Option<DateTime<Utc>> {
        self.roots.iter().filter_map(|root| root.newest.authority).max()
    }

    /// Proves that the holder of a certificate of one of the roots signed the bundle.
    pub(crate) fn verify(&self, unverified: &Unverified, digest: &Digest, log: LogProof) -> Result<Claims, Error> {
        let Some(certificate) = unverified.bundle.signing_certificate() else {
            let why = "it was signed with a key, and no key is configured".to_owned();
            return Err(Error::Untrusted { who: "the signer".to_owned(), why });
        };
        let info = parse_certificate_info(certificate).map_err(|why| unsupported(why.to_string()))?;
        let issued = Issued::read(certificate.as_bytes()).map_err(|why| unsupported(why.to_string()))?;
        unverified.is_signed_by(&info.public_key)?;
        let mut wrong = Error::Untrusted { who: issued.by.clone(), why: "no trust root names it".to_owned() };
        for (index, root) in self.roots.iter().filter(|root| root.names(&issued.by)).enumerate() {
            match root.verify(unverified, (digest, &issued), log) {
                Ok(result) => return Ok(Claims::of_certificate(&result, &info, &unverified.statement)),
                Err(why) if index == 0 || why.may_pass() => wrong = why,
                Err(_) => {}
            }
        }
        Err(wrong)
    }

    /// Proves a bundle that a configured key signed by the logs and time stamping authorities of the roots.
    pub(crate) fn verify_key(
        &self,
        unverified: &Unverified,
        digest: &Digest,
        policy: &PublicKeyVerificationPolicy,
    ) -> Result<VerificationResult, Error> {
        let knows = |root: &Root| unverified.entries().iter().all(|entry| root.knows_log_of(entry));
        if policy.verifies_tlog() && !self.roots.iter().any(knows) {
            // The key is believed already, so that it is hardly made up.
            let why = "it does not know the log that the signature is in".to_owned();
            return Err(Error::RootTooOld { who: "the transparency log".to_owned(), why });
        }
        let mut wrong = Error::MissingLogProof;
        for root in self.roots.iter().filter(|root| !policy.verifies_tlog() || knows(root)) {
            match root.verifier.verify(artifact(digest)?, &unverified.bundle, policy) {
                Ok(result) => return Ok(result),
                Err(why) => wrong = refusal::of_key(why),
            }
        }
        Err(wrong)
    }
}

impl Root {
    fn new(root: &TrustedRoot) -> Result<Self, InvalidRoots> {
        let verifier = Verifier::new(root).map_err(|why| InvalidRoots::Unusable(why.into()))?;
        let certificates = root.certificate_authorities.iter().flat_map(|authority| &authority.cert_chain.certificates);
        let authorities: Vec<Authority> = certificates
            .map(|certificate| Authority::read(certificate.raw_bytes.as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(|why| InvalidRoots::Unusable(why.into()))?;
        let logs = root.tlogs.iter().map(|log| log.log_id.key_id.as_bytes().to_vec()).collect();
        let newest = Newest {
            authority: newest(root.certificate_authorities.iter().map(|one| one.valid_for))
                .or_else(|| authorities.iter().filter_map(|one| one.since).max()),
            log: newest(root.tlogs.iter().map(|one| one.public_key.valid_for)),
            certificate_log: newest(root.ctlogs.iter().map(|one| one.public_key.valid_for)),
            time_stamps: newest(root.timestamp_authorities.iter().map(|one| one.valid_for)),
        };
        Ok(Self { verifier, authorities, logs, keeps_certificate_log: !root.ctlogs.is_empty(), newest })
    }

    fn names(&self, organization: &str) -> bool {
        self.authorities.iter().any(|authority| authority.organization == organization)
    }

    fn verify(
        &self,
        unverified: &Unverified,
        (digest, issued): (&Digest, &Issued),
        log: LogProof,
    ) -> Result<VerificationResult, Error> {
        let demanded = log == LogProof::Demanded || !self.logs.is_empty();
        if demanded && !unverified.has_log_proof() {
            return Err(Error::MissingLogProof);
        }
        if !unverified.entries().iter().all(|entry| self.knows_log_of(entry)) {
            return Err(refusal::of_stranger(issued, self.newest.log, "the log that the signature is in"));
        }
        let policy = VerificationPolicy::any_identity();
        let policy = if demanded { policy } else { policy.skip_tlog_unsafe() };
        let policy = if self.keeps_certificate_log { policy } else { policy.skip_sct() };
        let artifact = artifact(digest)?;
        self.verifier.verify(artifact.clone(), &unverified.bundle, &policy).map_err(|why| {
            let expired = matches!(why, Refused::Certificate(_))
                .then(|| refusal::expired(&self.verifier, artifact, unverified, &policy, issued))
                .flatten();
            expired.unwrap_or_else(|| refusal::of_certificate(why, issued, self))
        })
    }

    fn knows_log_of(&self, entry: &TransparencyLogEntry) -> bool {
        self.logs.contains(entry.log_id.key_id.as_bytes())
    }

    /// Whether one of its authorities has the key that the certificate names.
    fn has_key_of(&self, issued: &Issued) -> bool {
        issued.key_id.is_some() && self.authorities.iter().any(|authority| authority.key_id == issued.key_id)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("authorities", &self.authorities)
            .field("newest", &self.newest)
            .finish_non_exhaustive()
    }
}

fn newest(ranges: impl Iterator<Item = Option<TimeRange>>) -> Option<DateTime<Utc>> {
    ranges.flatten().map(|range| range.start).max().and_then(|at| DateTime::from_timestamp(at.as_second(), 0))
}
