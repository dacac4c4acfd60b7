//! Judges what goes between our code and the sandbox by GitHub's own schemas, in tests.
//!
//! [`Watched`] is a sandbox that a test can use without thinking of any of this: when it goes, everything that was
//! asked and answered meanwhile is compared with what GitHub publishes of itself, and the test fails for each
//! difference. What is not here: what the answers mean. That is for the tests themselves.
//!
//! Read the modules in this order:
//!
//! - [`watched`]: the sandbox that is watched.
//! - [`judge`]: which description an exchange is judged by, and who may be wrong.
//! - [`rest`] and `schemas`: by the `OpenAPI` description.
//! - [`graphql`]: by the GraphQL schema.
//! - [`webhook`]: what the sandbox sends by itself.

pub mod graphql;
pub mod judge;
pub mod rest;
mod schemas;
pub mod watched;
pub mod webhook;

pub use judge::Asker;
pub use watched::Watched;
