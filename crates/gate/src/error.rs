//! Why a gate did not say.

use domain::fault::Fault;

/// A gate did not say whether something may be released.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is sent would be read on the way, and what is answered changed.
    #[error("a gate is asked over https, or on this machine")]
    Address,
    /// The client could not be made.
    #[error("making the client that asks the gate")]
    Client(#[source] reqwest::Error),
    /// It could not be reached, or failed.
    #[error("asking the gate (verify.gate): {why}")]
    Unavailable {
        /// What happened instead.
        why: String,
    },
    /// It understood the question and does not answer it.
    #[error("asking the gate (verify.gate): it answered {status}")]
    Refused {
        /// The status of its answer.
        status: u16,
    },
    /// It answered something else.
    #[error("asking the gate (verify.gate): its answer can not be read: {why}")]
    Answer {
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// What it means for trying again.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Unavailable { .. } => Fault::Transient,
            Self::Address | Self::Client(_) | Self::Refused { .. } | Self::Answer { .. } => Fault::Permanent,
        }
    }
}
