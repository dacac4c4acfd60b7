//! Looks for an attestation that is not read as it must be.
//!
//! What must hold is what the tests in `tests/hostile` hold it to, where the same inputs are tried without a fuzzer.

#[path = "../tests/hostile/bundle.rs"]
mod bundle;

/// Lets somebody attach this to an image.
///
/// # Panics
///
/// What was read is not as it must be.
pub fn check_bundle(bytes: &[u8]) {
    bundle::check(bytes);
}
