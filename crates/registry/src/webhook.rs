//! What registries send us when something was pushed.
//!
//! One file per kind of sender. Each offers `authenticate`, without which there is no [`Verified`] body, and `parse`,
//! which reads nothing else. Here stands what all kinds share: the secrets, and what a delivery comes to.
//!
//! - [`distribution`]: CNCF Distribution, the registry that most others are made of.

pub mod distribution;
mod secrets;

use domain::announcement::Pushed;

pub use secrets::{InvalidSecrets, Secrets, Unauthenticated};

/// A body whose sender was authenticated.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
}

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The sender's own id of the delivery, the same when it is repeated; never longer than 128 characters.
    pub id: String,
    /// What it is about, in its order, without repetitions.
    pub elements: Vec<Element>,
    /// How many things it says that we understand and do not want: pulls, deletes, mounts, blobs, untagged manifests.
    pub unwanted: usize,
}

/// One thing that a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A tag was pushed.
    Pushed(Pushed),
    /// Something that can not be understood, or that holds an illegal name.
    Unusable {
        /// How it begins; bounded in length, otherwise as the sender wrote it: escape it where it is shown.
        text: String,
        /// Why, in one sentence.
        reason: String,
    },
}

impl std::fmt::Debug for Verified<'_> {
    /// Only the size: a body is not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").field("size_bytes", &self.body.len()).finish()
    }
}
