//! What it means that the library refuses a bundle.

use chrono::{DateTime, Utc};
use sigstore_verify::{
    CertificateError, Error as Refused, TimestampError, TransparencyLogError, VerificationPolicy, Verifier,
    bundle::Error as Shape, types::Artifact,
};

use super::Root;
use crate::{authority::Issued, bundle::Unverified, claims::times, error::Error};

/// The refusal of a bundle that was signed with a certificate.
#[expect(clippy::wildcard_enum_match_arm, reason = "what means something with a certificate alone is listed here")]
pub(super) fn of_certificate(why: Refused, issued: &Issued, root: &Root) -> Error {
    let newest = &root.newest;
    match why {
        Refused::Certificate(CertificateError::NoValidAuthority { .. }) => {
            of_stranger(issued, newest.authority, "an authority that issues certificates at that time")
        }
        Refused::Certificate(CertificateError::ChainInvalid(_)) if !root.has_key_of(issued) => {
            of_stranger(issued, newest.authority, "the key that issued the certificate")
        }
        Refused::Certificate(CertificateError::ChainInvalid(why)) => Error::Untrusted { who: issued.by.clone(), why },
        // Before this an authority of the root was shown to have issued the certificate, and puts it into such a log.
        Refused::Certificate(CertificateError::Sct(_)) => {
            of_stranger(issued, newest.certificate_log, "the log that the certificate is in")
        }
        // The signature fits, so that a stamp over something else is not what is wrong.
        Refused::Timestamp(TimestampError::Invalid(_) | TimestampError::OutsideAuthorityValidity { .. }) => {
            of_stranger(issued, newest.time_stamps, "the authority that says when it was signed")
        }
        Refused::TransparencyLog(TransparencyLogError::UnknownLog { .. }) => {
            of_stranger(issued, newest.log, "the log that the signature is in")
        }
        why => of_any(why, &issued.by),
    }
}

/// The refusal of a bundle that was signed with a configured key.
pub(super) fn of_key(why: Refused) -> Error {
    of_any(why, "the log or the time")
}

/// A root that knows the organisation does not know something of it: younger than the root, or made up.
pub(super) fn of_stranger(issued: &Issued, newest: Option<DateTime<Utc>>, what: &str) -> Error {
    let who = issued.by.clone();
    if newest.is_some_and(|newest| newest <= issued.at) {
        let why =
            format!("it does not know {what}, and nothing of that kind as young as the certificate of {}", issued.at);
        Error::RootTooOld { who, why }
    } else {
        Error::Untrusted { who, why: format!("the trust root does not know {what}") }
    }
}

/// Whether the certificate was not valid at a time that is proven. The library does not tell this from a chain that
/// ends nowhere, so it is asked for the times alone.
pub(super) fn expired(
    verifier: &Verifier,
    artifact: Artifact<'static>,
    unverified: &Unverified,
    policy: &VerificationPolicy,
    issued: &Issued,
) -> Option<Error> {
    let policy = policy.clone().skip_tlog_unsafe().skip_certificate_chain();
    let result = verifier.verify(artifact, &unverified.bundle, &policy).ok()?;
    let (from, until) = (issued.at, issued.until);
    let signed_at = times(&result).find(|at| *at < from || *at > until)?;
    Some(Error::Expired { from, until, signed_at })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what the library adds is not known, and then nothing is believed")]
fn of_any(why: Refused, who: &str) -> Error {
    let untrusted = |why: String| Error::Untrusted { who: who.to_owned(), why };
    match why {
        Refused::ArtifactMismatch(_) => Error::OtherDigest,
        Refused::SignatureInvalid(_) => Error::Signature,
        Refused::Certificate(why) => untrusted(why.to_string()),
        Refused::Timestamp(why) => untrusted(why.to_string()),
        Refused::TransparencyLog(why) => Error::LogProof { why: why.to_string() },
        Refused::Bundle(Shape::MissingInclusionProof(_) | Shape::MissingInclusionPromise(_)) => Error::MissingLogProof,
        Refused::Bundle(Shape::MissingSigningTimeEvidence) => {
            untrusted("nothing vouches for the time of signing".to_owned())
        }
        Refused::Bundle(why) => Error::NotABundle { why: why.to_string() },
        Refused::InvalidBundle(why) => Error::NotABundle { why },
        why => Error::Unsupported { why: why.to_string() },
    }
}
