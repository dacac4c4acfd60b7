//! Every kind of registry that announces pushes: who is let in, what is understood, and by which id it is known.
//!
//! The bodies in `tests/fixtures` are in the shapes that the registries send and about nobody's images.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod announced;
mod clouds;
mod credentials;
mod handshakes;
mod hostile;
mod ids;
mod known;
mod options;
mod property;
mod tokens;
mod topics;
