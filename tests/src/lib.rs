//! The harness of the whole-service tests.
//!
//! A [`Scene`] is what a team has: a forge with a source repository and a GitOps repository, registries, and a
//! Tagferry that serves them as a process of its own. The forge is the sandbox; Git, the registry protocol and the
//! database are real. Read the modules in this order:
//!
//! - `scene`: the forge, the repositories and the configuration.
//! - `tagferry`: the service as a process, and its interface.
//! - `images`: registries and pushes to them: the sandbox's, and Debian's with skopeo.
//! - `port`: ports that must be known before their program starts.
//! - `proxy`: a line with latency.
//! - `until`: waiting for what must come, with a deadline.
//! - `sigstore`: who signs attestations, and those that they signed.
//! - `service`: a service of somebody else, as a cloud's.
//! - `fleet`: replicas of the service over one database, for several applications.
//! - `soak`: a run in which everything goes wrong that can.
//! - `mutation`: hostile inputs, for the tests of every parser.

pub mod binaries;
pub mod fleet;
pub mod images;
pub mod mutation;
pub mod overlays;
pub mod port;
pub mod proxy;
pub mod scene;
pub mod service;
pub mod sigstore;
pub mod soak;
pub mod tagferry;
pub mod until;

pub use images::DockerRegistry;
pub use mutation::Mutations;
pub use proxy::Proxy;
pub use scene::{Scene, SceneOptions};
pub use tagferry::Tagferry;
pub use until::until;

/// Prints a figure that people want to see although the test passed: past the capture of the test harness.
///
/// # Errors
///
/// Standard error is closed.
pub fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stderr(), "{line}")?)
}
