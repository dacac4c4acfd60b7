//! An OCI registry in memory, on loopback: images, blobs, tags, and notifications of what happens to them.
//!
//! It follows the OCI Distribution Specification 1.1
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md>) so far that `skopeo`, `docker` and
//! client libraries can push to it and pull from it, and announces what happens as CNCF Distribution 3 does
//! (<https://distribution.github.io/distribution/about/notifications/>). A test or a demo holds a
//! [`SandboxRegistry`]; everybody else has the same over HTTP under `/_sim/`.
//!
//! Deliberately not here: TLS, token services, ranges of blobs, and anything that survives a
//! restart.

mod blobs;
mod contents;
mod control;
mod exchange;
mod flags;
mod handle;
mod http;
mod image;
mod manifests;
mod notification;
mod referrers;
mod refusal;
mod route;
mod shared;
mod tags;
mod uploads;

#[cfg(test)]
mod tests;

pub use control::ROUTES;
pub use flags::Flags;
pub use handle::{Endpoint, Error, Options, SandboxRegistry, User};
pub use image::{Image, InvalidImage};
pub use referrers::Referrers;

pub use crate::traffic::{Fault, Recorded};
