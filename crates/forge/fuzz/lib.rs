//! Looks for a message of GitHub, or a report of a workflow, that is not read as it must be.
//!
//! What must hold is what the tests in `tests/hostile` hold them to, where the same inputs are tried without a fuzzer.

#[path = "../tests/hostile/excerpt.rs"]
mod excerpt;
#[path = "../tests/hostile/report.rs"]
mod report;
#[path = "../tests/hostile/webhook.rs"]
mod webhook;

/// Lets the forge announce this.
///
/// # Panics
///
/// What was read is not as it must be.
pub fn check_webhook(body: &[u8]) {
    webhook::check(body);
}

/// Lets a workflow report this.
///
/// # Panics
///
/// What was read is not as it must be.
pub fn check_report(body: &[u8]) {
    report::check(body);
}
