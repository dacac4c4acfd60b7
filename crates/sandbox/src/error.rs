//! What can go wrong with the sandbox itself.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{git, refusal::Refusal};

/// Why the sandbox did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not ours to listen on.
    #[error("listening on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A file or directory can not be read or written.
    #[error("using {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The App's key could not be made.
    #[error("making a key for the GitHub App")]
    Key,
    /// The client for webhooks could not be made.
    #[error("making the client that delivers webhooks")]
    Client(#[source] reqwest::Error),
    /// A repository on disk is broken.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The forge refused: the repository does not exist, a branch is not there, a merge is not possible.
    #[error("{message} ({status})")]
    Refused {
        /// The status that a client would see.
        status: u16,
        /// The sentence that a client would see.
        message: String,
    },
    /// What was waited for did not happen in time.
    #[error("{what} did not happen within {seconds} s")]
    TooLate {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let details: String = refusal.errors.iter().map(|error| format!(" {error}")).collect();
        Self::Refused { status: refusal.status.as_u16(), message: format!("{}{details}", refusal.message) }
    }
}
