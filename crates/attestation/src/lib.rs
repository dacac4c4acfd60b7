//! Verifies offline what a signed attestation says about a digest.
//!
//! An attestation is a Sigstore bundle around an in-toto statement: somebody signed that an image, named by its digest,
//! has some property; the property that counts here is where it was built from. [`verify`] takes such a bundle as it
//! was found, proves who signed it and that it is about the digest, and gives [`Claims`]. Whether what they claim is
//! what an application wants is not decided here, and neither does anything here fetch: what a verification needs
//! beyond the bundle is in the [`Trust`].
//!
//! The formats are those of Sigstore's `protobuf-specs` (<https://github.com/sigstore/protobuf-specs>), the in-toto
//! attestation framework (<https://github.com/in-toto/attestation>) and SLSA provenance 1.0
//! (<https://slsa.dev/spec/v1.0/provenance>).
//!
//! Read the modules in this order:
//!
//! - `claims`: what a verified attestation says.
//! - `error`: why one proves nothing.
//! - `bundle`: a bundle that is still to be believed.
//! - `roots`: whose certificates are believed; and `keys`: which keys are.
//! - `authority`: the names and keys of those who issue certificates.

mod authority;
mod bundle;
mod claims;
mod error;
mod keys;
mod roots;

use domain::image::Digest;

use bundle::Unverified;
pub use claims::{Claims, Signer, Source, Stated};
pub use error::Error;
pub use keys::{InvalidKey, Key};
pub use roots::{InvalidRoots, Roots};

/// The largest bundle that is looked at, in bytes. Those of provenance have about twelve thousand.
pub const LARGEST_BUNDLE: usize = 4 * 1024 * 1024;

/// Whom a verification believes.
#[derive(Debug)]
pub enum Trust {
    /// Certificates that the authorities of these roots issued.
    Roots(Roots),
    /// Whoever has one of these keys.
    Keys {
        /// The keys, any of which may have signed.
        keys: Vec<Key>,
        /// Whose logs can prove that a signature is in them.
        logs: Roots,
    },
}

/// When a bundle must prove that its signature is in a transparency log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogProof {
    /// Always.
    Demanded,
    /// Where the root that knows the certificate names a log at all, and never of a configured key. GitHub's root for
    /// private repositories names none.
    WhereKept,
}

/// Proves who signed a bundle and that it is about the digest, and says what it claims.
///
/// The bundle is JSON in the version 0.1, 0.2 or 0.3 of its format. A certificate must have been valid when the bundle
/// was signed, at the time that a log or a time stamping authority of the root vouches for. What the root has is
/// demanded: inclusion in a transparency log where it names one, in a certificate log where it names one.
///
/// It does no input or output, and takes a millisecond or two. The system's clock is read for one thing only: a time in the future is refused.
///
/// # Errors
///
/// Each of [`Error`]; [`Error::RootTooOld`] is the one that a newer root may mend, see [`Error::may_pass`].
pub fn verify(unverified: &[u8], digest: &Digest, trust: &Trust, log: LogProof) -> Result<Claims, Error> {
    let unverified = Unverified::read(unverified)?;
    match trust {
        Trust::Roots(roots) => roots.verify(&unverified, digest, log),
        Trust::Keys { keys, logs } => keys::verify(&unverified, digest, keys, (logs, log)),
    }
}
