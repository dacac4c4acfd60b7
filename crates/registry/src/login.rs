//! As whom a registry is asked, where that is found out anew from time to time.

mod aws;
mod azure;
pub(crate) mod docker;
mod google;
mod sign;
mod web;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::{fault::Fault, image::Host};
use secrecy::SecretString;
use tokio::time::Instant;

pub use self::{
    aws::{Aws, AwsAddresses, AwsSource},
    azure::{Azure, AzureSource},
    docker::DockerError,
    google::{Google, GoogleSource},
};
pub(crate) use web::Web;

use crate::access::Credentials;

/// How long before its end a login is not used any more: longer than a question takes.
const MARGIN: Duration = Duration::from_secs(120);

/// A user and a password, for some time.
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    /// How long it is used.
    pub(crate) life: Duration,
}

/// Why nobody can be asked as.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Docker's configuration has nothing to give.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// A file can not be read.
    #[error("reading {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file has something else in it. What is in it is not repeated.
    #[error("{} has not what was expected: {why}", path.display())]
    Contents {
        /// Which file.
        path: PathBuf,
        /// What is missing in it.
        why: String,
    },
    /// Whoever gives out credentials does not answer, or failed.
    #[error("asking {whom} for credentials: {why}")]
    Unavailable {
        /// Who was asked.
        whom: &'static str,
        /// What happened instead.
        why: String,
    },
    /// Whoever gives out credentials has none for us.
    #[error("asking {whom} for credentials: it answered {status}: {why}")]
    Refused {
        /// Who was asked.
        whom: &'static str,
        /// The status of its answer.
        status: u16,
        /// The beginning of its answer, without what it was told.
        why: String,
    },
    /// The answer has something else in it. What is in it is not repeated.
    #[error("asking {whom} for credentials: its answer has no {what}")]
    Answer {
        /// Who was asked.
        whom: &'static str,
        /// What was expected.
        what: &'static str,
    },
    /// A setting is missing.
    #[error("{0}")]
    Setting(String),
}

impl LoginError {
    pub(crate) fn fault(&self) -> Fault {
        match self {
            // A keychain or a cloud behind a helper may be back later.
            Self::Unavailable { .. } | Self::Docker(DockerError::Slow { .. }) => Fault::Transient,
            Self::Docker(_)
            | Self::Read { .. }
            | Self::Contents { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Setting(_) => Fault::Permanent,
        }
    }
}

/// Finds out as whom a registry is asked; `None` for credentials that do not change.
pub(crate) async fn login(credentials: &Credentials, host: &Host, web: &Web) -> Result<Option<Login>, LoginError> {
    match credentials {
        Credentials::Anonymous | Credentials::Basic { .. } => Ok(None),
        Credentials::Docker { config } => Ok(Some(docker::login(config, host).await?)),
        Credentials::Aws(aws) => aws.login(host, web).await.map(Some),
        Credentials::Google(google) => google.login(web).await.map(Some),
        Credentials::Azure(azure) => azure.login(host, web).await.map(Some),
    }
}

/// The time until which something of that life is used.
pub(crate) fn until(life: Duration) -> Instant {
    Instant::now() + life.saturating_sub(MARGIN)
}

/// A file with a token that somebody else replaces from time to time.
fn read(path: &Path) -> Result<String, LoginError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoginError::Read { path: path.to_owned(), source })?;
    Ok(text.trim().to_owned())
}

impl fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).field("life", &self.life).finish_non_exhaustive()
    }
}
