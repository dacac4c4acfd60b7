//! The one place that reads the environment.

/// The value of a variable, when it is set and is text.
#[expect(clippy::disallowed_methods, reason = "all reading of the environment goes through here")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
