//! A bundle that is still to be believed.

use domain::image::Digest;
use sha2::{Digest as _, Sha256};
use sigstore_verify::{
    crypto::{KeyAlgorithm, verify_signature},
    rekor::body::RekorEntryBody,
    types::{
        Artifact, ArtifactDigest, Bundle, DerPublicKey, DsseEnvelope, HashAlgorithm, SignatureContent, Statement,
        TransparencyLogEntry,
    },
};

use crate::{LARGEST_BUNDLE, error::Error};

/// The payload type of an in-toto statement
/// (<https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md>).
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// What the type of every version of a statement begins with; they agree in what is read here.
const STATEMENT: &str = "https://in-toto.io/Statement/";

/// A bundle that could be read, with the statement in it.
pub(crate) struct Unverified {
    pub(crate) bundle: Bundle,
    pub(crate) statement: Statement,
}

impl Unverified {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > LARGEST_BUNDLE {
            return Err(Error::TooLarge { bytes: bytes.len(), limit: LARGEST_BUNDLE });
        }
        let text = str::from_utf8(bytes).map_err(|why| not_a_bundle(why.to_string()))?;
        let bundle = Bundle::from_json(text).map_err(|why| not_a_bundle(why.to_string()))?;
        let envelope = envelope(&bundle)?;
        if envelope.payload_type != IN_TOTO {
            return Err(not_a_bundle(format!("its payload is {:?}", envelope.payload_type)));
        }
        let statement: Statement =
            serde_json::from_slice(envelope.payload.as_bytes()).map_err(|why| not_a_bundle(why.to_string()))?;
        if !statement.type_.starts_with(STATEMENT) {
            return Err(not_a_bundle(format!("its statement is a {:?}", statement.type_)));
        }
        Ok(Self { statement, bundle })
    }

    /// Checks that the key signed what the bundle says.
    ///
    /// It comes before everything else, as a time stamp is over the signature: where the signature is wrong, so would
    /// the time stamp seem.
    pub(crate) fn is_signed_by(&self, key: &DerPublicKey) -> Result<(), Error> {
        let envelope = envelope(&self.bundle)?;
        let algorithm = KeyAlgorithm::from_spki(key).map_err(|why| unsupported(why.to_string()))?;
        let scheme = algorithm.default_signing_scheme();
        verify_signature(key, &envelope.pae(), &envelope.signature.sig, scheme).map_err(|_why| {
            let logged = self.entries().iter().filter_map(payload_of);
            let payload = hex::encode(Sha256::digest(envelope.payload.as_bytes()));
            if logged.into_iter().any(|logged| logged != payload) { Error::Tampered } else { Error::Signature }
        })
    }

    /// Checks that the statement is about the digest; the library does it too, after all else.
    pub(crate) fn is_about(&self, digest: &Digest) -> bool {
        let (algorithm, digits) = digest.as_str().split_once(':').unwrap_or_default();
        self.statement.subject.iter().any(|subject| {
            let hex = match algorithm {
                "sha256" => subject.digest.sha256.map(|hash| hash.to_hex()),
                "sha512" => subject.digest.sha512.map(|hash| hash.to_hex()),
                _ => None,
            };
            hex.is_some_and(|hex| hex == digits)
        })
    }

    pub(crate) fn entries(&self) -> &[TransparencyLogEntry] {
        &self.bundle.verification_material.tlog_entries
    }

    /// Whether a proof is there, right or wrong.
    pub(crate) fn has_log_proof(&self) -> bool {
        self.entries().iter().any(|entry| entry.inclusion_proof.is_some())
    }

    /// Whether something is there that could vouch for the time of signing.
    pub(crate) fn has_time(&self) -> bool {
        let stamps = &self.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
        !stamps.is_empty() || !self.entries().is_empty()
    }
}

fn envelope(bundle: &Bundle) -> Result<&DsseEnvelope, Error> {
    if let SignatureContent::DsseEnvelope(envelope) = &bundle.content {
        Ok(envelope)
    } else {
        Err(not_a_bundle("it has a signature, but no statement"))
    }
}

/// The digest as the library takes it.
pub(crate) fn artifact(digest: &Digest) -> Result<Artifact<'static>, Error> {
    let (algorithm, digits) = digest.as_str().split_once(':').unwrap_or_default();
    let algorithm = match algorithm {
        "sha256" => HashAlgorithm::Sha2256,
        "sha512" => HashAlgorithm::Sha2512,
        other => return Err(unsupported(format!("digests by {other}"))),
    };
    let bytes = hex::decode(digits).map_err(|why| unsupported(why.to_string()))?;
    ArtifactDigest::new(algorithm, bytes).map(Artifact::from_digest).map_err(|why| unsupported(why.to_string()))
}

/// The SHA-256 of the payload that an entry of the log was made for, in hexadecimal digits, where it names it.
fn payload_of(entry: &TransparencyLogEntry) -> Option<String> {
    match RekorEntryBody::parse(&entry.canonicalized_body, entry.kind_version) {
        Ok(RekorEntryBody::DsseV001(body)) => Some(body.spec.payload_hash.value),
        _ => None,
    }
}

fn not_a_bundle(why: impl Into<String>) -> Error {
    Error::NotABundle { why: why.into() }
}

pub(crate) fn unsupported(why: impl Into<String>) -> Error {
    Error::Unsupported { why: why.into() }
}
