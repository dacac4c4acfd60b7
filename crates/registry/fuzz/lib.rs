//! Looks for a message of a registry that is not read as every message must be.
//!
//! The requests and what must hold of them are those of the tests in `tests/senders`, where the same inputs are tried
//! without a fuzzer. A kind more is a target of three lines and its `[[bin]]`; a test misses it otherwise.

#[path = "../tests/senders/known.rs"]
#[expect(dead_code, reason = "some of what the tests ask of a request is not asked here")]
mod known;
#[path = "../tests/senders/property.rs"]
mod property;

/// Lets a kind of sender bring this body, and perhaps headers behind it.
///
/// # Panics
///
/// No kind is called that, or what was read is not as it must be.
pub fn check(kind: &str, input: &[u8]) {
    property::check(kind.parse().expect("a kind is called that"), input);
}
