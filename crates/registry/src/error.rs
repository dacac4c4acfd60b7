//! What goes wrong when a registry is asked.

use std::time::Duration;

use domain::{
    fault::Fault,
    image::{Digest, Host, InvalidDigest, Reference},
};
use oci_client::errors::{OciDistributionError, OciErrorCode};

/// Why a registry did not say what a tag is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client could be made for a registry.
    #[error("setting up the client for the registry {host}")]
    Setup {
        /// Which registry.
        host: Host,
        /// Why not.
        source: Box<OciDistributionError>,
    },
    /// The registry knows us not, or does not let us.
    #[error(
        "asking what {reference} is: the registry refused us; see `registries.{}.credentials`",
        .reference.repository.host()
    )]
    Denied {
        /// What was asked for.
        reference: Reference,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// The registry asked us to slow down. How long is not known: the client drops the header `Retry-After`.
    #[error("asking what {reference} is: the registry asked us to slow down")]
    Limited {
        /// What was asked for.
        reference: Reference,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// There was no complete answer in time.
    #[error("asking what {reference} is: no answer within {} ms", .after.as_millis())]
    Timeout {
        /// What was asked for.
        reference: Reference,
        /// How long we waited.
        after: Duration,
    },
    /// The registry could not be reached, or failed.
    #[error("asking what {reference} is: the registry could not be reached or failed")]
    Unavailable {
        /// What was asked for.
        reference: Reference,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// The registry understood the question and refuses it.
    #[error("asking what {reference} is: the registry refused the question")]
    Refused {
        /// What was asked for.
        reference: Reference,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// The registry answered with something that is not a digest.
    #[error("asking what {reference} is: the registry's answer is not a digest")]
    Answer {
        /// What was asked for.
        reference: Reference,
        /// What is wrong with it.
        source: InvalidDigest,
    },
    /// What is attached to an image could not be found out.
    #[error("looking for attestations of {}", .digest.short())]
    Referrers {
        /// Of which image.
        digest: Digest,
        /// What went wrong with which question.
        source: Box<Self>,
    },
    /// What an image says of itself could not be found out.
    #[error("looking into {}", .digest.short())]
    Inspection {
        /// Into which image.
        digest: Digest,
        /// What went wrong with which question.
        source: Box<Self>,
    },
    /// The registry answered with something else than what its own description says.
    #[error("asking what {reference} is: the registry's answer can not be read: {why}")]
    Unreadable {
        /// What was asked for.
        reference: Reference,
        /// What is wrong with it.
        why: String,
    },
}

/// What an answer without a digest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such tag or repository.
    Absent,
    /// Wrong or missing credentials.
    Denied,
    /// Too many requests.
    Limited,
    /// It may work later.
    Unavailable,
    /// Anything else.
    Other,
}

impl Error {
    /// What it means for trying again.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Limited { .. } => Fault::Limited { retry_after: None },
            Self::Timeout { .. } | Self::Unavailable { .. } => Fault::Transient,
            Self::Referrers { source, .. } | Self::Inspection { source, .. } => source.fault(),
            Self::Unreadable { .. } => Fault::Transient,
            Self::Setup { .. } | Self::Denied { .. } | Self::Refused { .. } | Self::Answer { .. } => Fault::Permanent,
        }
    }
}

/// Sorts what the client reports.
///
/// The codes are those of the OCI Distribution Specification 1.1, "Error Codes"; a client error whose body has one
/// loses its status on the way (oci-client 0.18), so that the code decides.
pub(crate) fn refusal(error: &OciDistributionError) -> Refusal {
    if let OciDistributionError::RegistryError { envelope, .. } = error {
        return envelope.errors.first().map_or(Refusal::Other, |first| refusal_of_code(&first.code));
    }
    if let OciDistributionError::ServerError { code, .. } = error {
        return refusal_of_status(*code);
    }
    if matches!(error, OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_))
    {
        return Refusal::Denied;
    }
    if matches!(
        error,
        OciDistributionError::RequestError(_)
            | OciDistributionError::IoError(_)
            | OciDistributionError::RegistryTokenDecodeError(_)
    ) {
        return Refusal::Unavailable;
    }
    if matches!(error, OciDistributionError::ImageManifestNotFoundError(_)) {
        return Refusal::Absent;
    }
    Refusal::Other
}

fn refusal_of_code(code: &OciErrorCode) -> Refusal {
    if matches!(
        code,
        OciErrorCode::ManifestUnknown | OciErrorCode::BlobUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound
    ) {
        return Refusal::Absent;
    }
    if matches!(code, OciErrorCode::Unauthorized | OciErrorCode::Denied) {
        return Refusal::Denied;
    }
    if matches!(code, OciErrorCode::Toomanyrequests) {
        return Refusal::Limited;
    }
    Refusal::Other
}

fn refusal_of_status(status: u16) -> Refusal {
    match status {
        401 | 403 => Refusal::Denied,
        404 => Refusal::Absent,
        429 => Refusal::Limited,
        408 | 500.. => Refusal::Unavailable,
        _ => Refusal::Other,
    }
}
