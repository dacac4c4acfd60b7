//! Why an attestation proves nothing.

use chrono::{DateTime, Utc};

/// The attestation proves nothing about the digest. With all but one of these it never will.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is larger than what is looked at.
    #[error("the attestation has {bytes} bytes, and {limit} at most are read")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest size in bytes.
        limit: usize,
    },
    /// It is not a Sigstore bundle around an in-toto statement.
    #[error("this is not a bundle with a statement: {why}")]
    NotABundle {
        /// What is wrong with it.
        why: String,
    },
    /// It is in order, and about something else.
    #[error("the attestation is about another digest")]
    OtherDigest,
    /// The signature is not one of the certificate's key, or of any configured key, over what the bundle says.
    #[error("the signature does not fit what the attestation says")]
    Signature,
    /// The signature does not fit, and the bundle's own entry of the log is about another payload.
    #[error("the attestation was changed after it was signed: the log has another payload for its signature")]
    Tampered,
    /// The certificate was not valid when the bundle was signed.
    #[error("the certificate was valid from {from} until {until} and signed at {signed_at}")]
    Expired {
        /// When its validity began.
        from: DateTime<Utc>,
        /// When it ended.
        until: DateTime<Utc>,
        /// When it was used, as a log or a time stamping authority vouches.
        signed_at: DateTime<Utc>,
    },
    /// Nobody who is believed vouches for the signer.
    #[error("nobody who is trusted vouches for {who}: {why}")]
    Untrusted {
        /// What the certificate names as its issuer, unproven; or what else there is instead of one.
        who: String,
        /// What is missing.
        why: String,
    },
    /// The root knows the organisation, but not the key, log or time stamping authority, and the certificate is younger
    /// than all that the root knows: most likely they were rotated since. So it is when a configured key has signed
    /// and the log is not known. Whoever makes a bundle up can have this answer, so it must alert and never pass.
    #[error("the trust root is too old for what {who} vouches for: {why}")]
    RootTooOld {
        /// The organisation, as the certificate names it, or the log.
        who: String,
        /// What the root does not know, and since when that may be.
        why: String,
    },
    /// No transparency log is shown to have the signature, and that is demanded.
    #[error("no proof that the signature is in a transparency log")]
    MissingLogProof,
    /// What should prove that the signature is in a log proves it not.
    #[error("the proof of a transparency log is wrong: {why}")]
    LogProof {
        /// What is wrong with it.
        why: String,
    },
    /// It may be in order, but is of a kind that is not known here.
    #[error("the attestation is of a kind that can not be verified: {why}")]
    Unsupported {
        /// What is not known.
        why: String,
    },
}

impl Error {
    /// Whether the same attestation may be verified later, once there is a newer trust root.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::RootTooOld { .. })
    }
}
