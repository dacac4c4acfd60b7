//! How a registry is reached, and as whom.

use std::{path::PathBuf, time::Duration};

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

impl Default for Timeouts {
    /// Two seconds to connect and ten in total: a registry answers a HEAD within milliseconds, and one that
    /// does not is asked again later.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(10) }
    }
}
