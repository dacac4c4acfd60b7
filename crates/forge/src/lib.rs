//! Everything about the Git host: credentials, commits, pushes, pull requests, merging, its webhooks.
//!
//! Speaks `domain`'s nouns outward; GitHub's wire types stay inside. Nothing here decides what to do next, and
//! nothing that changes something is tried again: a caller learns from [`Error::fault`] whether trying again makes sense.
//! Read the modules in this order:
//!
//! - [`settings`]: where the forge is, and as whom we speak to it.
//! - [`error`] and [`refusal`]: what can go wrong.
//! - [`source`]: what the forge says of commits.
//! - [`Mirror`]: the same of a repository on any Git host.
//! - [`attestation`]: what was attested of what was built from a repository.
//! - [`ground`]: what a repository allows and requires.
//! - [`mod@write`]: branches, files and commits, over Git's own protocol or made by the forge itself.
//! - [`pull_request`]: finding, opening, labelling and closing pull requests.
//! - [`comment`] and [`status`]: comments on pull requests, and statuses of their commits.
//! - [`merging`]: the order to merge.
//! - [`webhook`]: what the forge announces, authenticated.
//! - [`setup`]: what our App may do and is told, for whoever sets it up.
//! - [`actions`]: what GitHub Actions tells us of builds, and whose word counts.

pub mod actions;
mod address;
mod api;
pub mod attestation;
mod budget;
mod client;
pub mod comment;
mod credentials;
pub mod error;
mod etag;
mod git;
pub mod ground;
mod limit;
mod line;
pub mod merging;
pub mod pull_request;
pub mod refusal;
mod scrub;
pub mod settings;
pub mod setup;
pub mod source;
pub mod status;
pub mod webhook;
pub mod write;

pub use attestation::Attestations;
pub use error::Error;
pub use git::{Mirror, MirrorSettings};
pub use merging::{Armed, Look, Order, Ordered};
pub use pull_request::NewPullRequest;
pub use refusal::Refusal;
pub use settings::{Author, Credentials, Extra, Limits, Settings, Signing, Spending, Timeouts, Write};
pub use source::{Comparison, Past};
pub use write::{FileEdit, NewCommit};

use std::{fmt, sync::Arc};

use attestation::Vault;
use chrono::{DateTime, Utc};
use client::Client;
use git::Stores;
use merging::Patience;

/// One forge, spoken to as one App or person. Cloning it is cheap and shares everything.
#[derive(Clone)]
pub struct Forge {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    way: Way,
    patience: Patience,
    vault: Vault,
}

/// How the forge is read and written.
enum Way {
    /// By Git, with object stores of our own.
    Git(Stores),
    /// By its interfaces alone.
    Api,
}

impl Forge {
    /// A forge with these settings. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`]: an address, a private key or the token can not be used, or it is called outside a
    /// Tokio runtime.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let client = Client::new(&settings)?;
        let vault = Vault::new(&settings)?;
        let way = match &settings.write {
            Write::Git(_) => Way::Git(Stores::new(settings)?),
            Write::Api => Way::Api,
        };
        Ok(Self { shared: Arc::new(Shared { client, way, patience: Patience::default(), vault }) })
    }

    /// What people find repositories under: `https://github.com`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.client().web_address()
    }

    /// The hosts that are left alone because they do not answer, and since when that is.
    #[must_use]
    pub fn away(&self) -> Vec<(String, DateTime<Utc>)> {
        self.client().away()
    }

    fn client(&self) -> &Client {
        &self.shared.client
    }

    fn patience(&self) -> &Patience {
        &self.shared.patience
    }

    fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    fn way(&self) -> &Way {
        &self.shared.way
    }
}

impl fmt::Debug for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forge").field("client", &self.shared.client).finish_non_exhaustive()
    }
}
