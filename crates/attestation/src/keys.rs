//! Keys that are believed because they are configured.

use domain::image::Digest;
use sha2::{Digest as _, Sha256};
use sigstore_verify::{
    PublicKeyVerificationPolicy,
    crypto::VerificationKey,
    types::{DerPublicKey, bundle::VerificationMaterialContent},
};

use crate::{
    LogProof,
    bundle::Unverified,
    claims::{Claims, times},
    error::Error,
    roots::Roots,
};

/// A public key that attestations may be signed by.
#[derive(Clone, Debug)]
pub struct Key {
    spki: DerPublicKey,
}

/// The text is not a public key that can be used.
#[derive(Debug, thiserror::Error)]
#[error("not a public key as PEM (BEGIN PUBLIC KEY) for ECDSA, Ed25519 or RSA")]
pub struct InvalidKey(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Key {
    /// Reads a key as `cosign public-key` and `openssl pkey -pubout` write it.
    ///
    /// # Errors
    ///
    /// It is something else, or of an algorithm that is not known.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let spki = DerPublicKey::from_pem(text).map_err(|why| InvalidKey(why.into()))?;
        VerificationKey::from_spki(&spki).map_err(|why| InvalidKey(why.into()))?;
        Ok(Self { spki })
    }

    /// The SHA-256 of the key in the form of a `SubjectPublicKeyInfo`, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.spki.as_bytes()))
    }
}

/// Proves that one of the keys signed the bundle; the logs are those that a proof may be of.
pub(crate) fn verify(
    unverified: &Unverified,
    digest: &Digest,
    keys: &[Key],
    (logs, log): (&Roots, LogProof),
) -> Result<Claims, Error> {
    if !matches!(unverified.bundle.verification_material.content, VerificationMaterialContent::PublicKey(_)) {
        let why = "it was signed with a certificate, and keys are configured".to_owned();
        return Err(Error::Untrusted { who: "the signer".to_owned(), why });
    }
    // What a key signed is told from what no key signed first, so that several keys give one answer.
    let mut wrong = Error::Untrusted { who: "the signer".to_owned(), why: "no key is configured".to_owned() };
    let mut signed_by = None;
    for key in keys {
        match unverified.is_signed_by(&key.spki) {
            Ok(()) => signed_by = Some(key),
            Err(why) => wrong = why,
        }
    }
    let key = signed_by.ok_or(wrong)?;
    if !unverified.is_about(digest) {
        return Err(Error::OtherDigest);
    }
    let demanded = log == LogProof::Demanded;
    if demanded && !unverified.has_log_proof() {
        return Err(Error::MissingLogProof);
    }
    // The library wants a bundle to have a time even of a key, which needs none: it does not end.
    let signed_at = if demanded || unverified.has_time() {
        let policy = PublicKeyVerificationPolicy::new(key.spki.clone());
        let policy = if demanded { policy } else { policy.skip_tlog_unsafe() };
        times(&logs.verify_key(unverified, digest, &policy)?).min()
    } else {
        None
    };
    Ok(Claims::of_key(key.fingerprint(), signed_at, &unverified.statement))
}
