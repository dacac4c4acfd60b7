//! What goes wrong when a registry is asked.

use std::{fmt, time::Duration};

use crate::login::LoginError;
use chrono::{DateTime, Utc};
use domain::{
    fault::Fault,
    image::{Digest, Host, InvalidDigest, Reference, Repository},
};
use oci_client::errors::{OciDistributionError, OciErrorCode};

/// How a time is written for people.
const TO_THE_SECOND: &str = "%Y-%m-%d %H:%M:%S UTC";

/// Why a registry did not say what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client could be made for a registry.
    #[error("setting up the client for the registry {host}")]
    Setup {
        /// Which registry.
        host: Host,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It could not be found out as whom a registry is asked.
    #[error("{subject}: no credentials (`registries.{}.credentials`)", .subject.repository().host())]
    Credentials {
        /// What was to be asked.
        subject: Subject,
        /// Why there are none.
        source: Box<LoginError>,
    },
    /// The registry knows us not, or does not let us.
    #[error(
        "{subject}: the registry refused us; see `registries.{}.credentials`",
        .subject.repository().host()
    )]
    Denied {
        /// What was asked.
        subject: Subject,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// The registry asked us to slow down.
    #[error("{subject}: the registry asked us to slow down")]
    Limited {
        /// What was asked.
        subject: Subject,
        /// How long it is not asked, where that is known.
        retry_after: Option<Duration>,
        /// What the client saw, where it was asked just now.
        source: Option<Box<OciDistributionError>>,
    },
    /// There was no complete answer in time.
    #[error("{subject}: no answer within {} ms", .after.as_millis())]
    Timeout {
        /// What was asked.
        subject: Subject,
        /// How long we waited.
        after: Duration,
    },
    /// The registry could not be reached, or failed.
    #[error("{subject}: the registry could not be reached or failed")]
    Unavailable {
        /// What was asked.
        subject: Subject,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// The registry has failed or not answered so often that it is left alone for a while; it was not asked.
    #[error(
        "{subject}: the registry {} has not answered since {} and is tried again at {}",
        .subject.repository().host(), .since.format(TO_THE_SECOND), .until.format(TO_THE_SECOND)
    )]
    Away {
        /// What was to be asked.
        subject: Subject,
        /// Since when there was no answer.
        since: DateTime<Utc>,
        /// Until when it is not asked.
        until: DateTime<Utc>,
        /// How long that is.
        retry_after: Duration,
    },
    /// Too many others ask the registry, and none of them came to an end.
    #[error(
        "{subject}: the registry {} is being asked so much that it was not this question's turn within {} ms",
        .subject.repository().host(), .after.as_millis()
    )]
    Busy {
        /// What was to be asked.
        subject: Subject,
        /// How long we waited.
        after: Duration,
    },
    /// The registry understood the question and refuses it.
    #[error("{subject}: the registry refused the question")]
    Refused {
        /// What was asked.
        subject: Subject,
        /// What the client saw.
        source: Box<OciDistributionError>,
    },
    /// The registry answered with something that is not a digest.
    #[error("{subject}: the registry's answer is not a digest")]
    Answer {
        /// What was asked.
        subject: Subject,
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
    #[error("{subject}: the registry's answer can not be read: {why}")]
    Unreadable {
        /// What was asked.
        subject: Subject,
        /// What is wrong with it.
        why: String,
    },
}

/// What a registry was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What a tag is, and what belongs to it.
    Tag(Reference),
    /// Which tags a repository has.
    Tags(Repository),
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

impl Subject {
    /// The repository that the question is about.
    #[must_use]
    pub const fn repository(&self) -> &Repository {
        match self {
            Self::Tag(reference) => &reference.repository,
            Self::Tags(repository) => repository,
        }
    }
}

impl From<&Reference> for Subject {
    fn from(reference: &Reference) -> Self {
        Self::Tag(reference.clone())
    }
}

impl From<&Repository> for Subject {
    fn from(repository: &Repository) -> Self {
        Self::Tags(repository.clone())
    }
}

impl fmt::Display for Subject {
    /// As what somebody was doing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(reference) => write!(f, "asking what {reference} is"),
            Self::Tags(repository) => write!(f, "listing the tags of {repository}"),
        }
    }
}

impl Error {
    /// What went wrong with the one question of several that failed.
    pub(crate) fn innermost(&self) -> &Self {
        match self {
            Self::Referrers { source, .. } | Self::Inspection { source, .. } => source.innermost(),
            Self::Setup { .. }
            | Self::Credentials { .. }
            | Self::Denied { .. }
            | Self::Limited { .. }
            | Self::Timeout { .. }
            | Self::Unavailable { .. }
            | Self::Away { .. }
            | Self::Busy { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Unreadable { .. } => self,
        }
    }

    /// What it means for trying again.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Limited { retry_after, .. } => Fault::Limited { retry_after: *retry_after },
            Self::Credentials { source, .. } => source.fault(),
            Self::Away { retry_after, .. } => Fault::Away { retry_after: *retry_after },
            Self::Timeout { .. } | Self::Unavailable { .. } | Self::Busy { .. } => Fault::Transient,
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
