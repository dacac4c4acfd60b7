//! How a registry is reached, and as whom.

use std::{path::PathBuf, time::Duration};

use domain::circuit::Patience;
use secrecy::SecretString;

use crate::login::{Aws, Azure, Google};

/// How one registry is reached, and as whom; by default anonymously over HTTPS.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The protocol.
    pub transport: Transport,
    /// Who asks.
    pub credentials: Credentials,
    /// Certificates of authorities that are believed besides the system's, each a PEM text.
    pub roots: Vec<Vec<u8>>,
    /// The proxy that it is reached through, as `http://proxy.example:3128`, with a user's name and password where it
    /// wants them; that of the environment (`HTTPS_PROXY`) when there is none.
    pub proxy: Option<SecretString>,
    /// How much is asked of it, and borne of it.
    pub limits: Limits,
}

/// How much is asked of a registry at once, and borne of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many questions it is asked at once; at least 1.
    pub at_once: usize,
    /// When it is left alone, as it does not answer.
    pub patience: Patience,
}

/// The protocol that a registry speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// HTTP over TLS.
    #[default]
    Https,
    /// Without encryption: for registries on loopback and inside a cluster.
    Http,
}

/// Who asks a registry.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// A user; the registry takes it directly or trades it for a token.
    Basic {
        /// The user's name.
        username: String,
        /// The password, or the access token that stands for one.
        password: SecretString,
    },
    /// Whom Docker's configuration names for the registry, by itself or by a credential helper.
    Docker {
        /// The file, mostly `.docker/config.json`.
        config: PathBuf,
    },
    /// A role at Amazon.
    Aws(Aws),
    /// An account at Google.
    Google(Google),
    /// An identity at Azure.
    Azure(Azure),
}

/// How long a registry may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one answer altogether: the challenge, the token and the manifest.
    pub total: Duration,
}

impl Default for Limits {
    /// A dozen questions at once: a burst of announcements is over soon, and is no burst of requests for the registry.
    fn default() -> Self {
        Self { at_once: 12, patience: Patience::default() }
    }
}

impl Default for Timeouts {
    /// Two seconds to connect and ten in total: a registry answers a HEAD within milliseconds, and one that
    /// does not is asked again later.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(10) }
    }
}
