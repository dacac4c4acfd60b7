//! What a pass can fail with.

use domain::fault::Fault;

/// What a pass failed with; the message says what was being done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The forge could not be asked or told.
    #[error(transparent)]
    Forge(#[from] forge::Error),
    /// A registry could not be asked.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// What happened could not be recorded or read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The trust roots that are configured can not be used.
    #[error("reading the trust roots in {} (attestations.trusted_root)", path.display())]
    TrustedRoot {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The trust roots that come with the program can not be used.
    #[error("reading the trust roots that come with the program")]
    EmbeddedRoots(#[from] attestation::InvalidRoots),
    /// The gate could not be asked.
    #[error(transparent)]
    Gate(#[from] gate::Error),
    /// A tag that is to be released was deleted since it was seen.
    #[error("the registry does not have {0} any more")]
    Gone(domain::image::Reference),
    /// A promotion's application is not in the configuration any more.
    #[error("application {0} is not in the configuration any more: put it back, or its promotions stay where they are")]
    NotConfigured(domain::application::Name),
}

impl Error {
    /// What it means for trying again.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Forge(error) => error.fault(),
            Self::Gate(error) => error.fault(),
            Self::Gone(_) => Fault::Transient,
            Self::Registry(error) => error.fault(),
            Self::Store(error) => error.fault(),
            Self::TrustedRoot { .. } | Self::EmbeddedRoots(_) | Self::NotConfigured(_) => Fault::Permanent,
        }
    }

    /// Whether another worker has the work now, so that nothing of this pass may be recorded.
    pub(crate) fn is_lost_claim(&self) -> bool {
        matches!(self, Self::Store(store::Error::ClaimLost))
    }
}
