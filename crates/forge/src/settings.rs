//! Where the forge is, and as whom we speak to it.

use std::{path::PathBuf, time::Duration};

use domain::circuit::Patience;
use secrecy::SecretString;
use url::Url;

use crate::{Error, git::Signer};

/// Where the forge is, as whom we speak to it, and where fetched objects are kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The root of its REST interface: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api_url: Url,
    /// The root of its Git repositories; `None` derives it from `api_url`:
    /// `https://api.github.com` gives `https://github.com`, `https://HOST/api/v3` gives `https://HOST`,
    /// anything else its own origin.
    pub git_url: Option<Url>,
    /// As whom we speak to it.
    pub credentials: Credentials,
    /// How files are read and commits are made.
    pub write: Write,
    /// A directory of our own that no other process uses, for bare object stores; they are made anew when lost.
    /// Not used where the forge makes the commits.
    pub data_dir: PathBuf,
    /// What is done besides proposing and merging.
    pub extras: Vec<Extra>,
    /// Who our commits are by, where the forge does not make them.
    pub author: Author,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How much of what the forge allows is spent on what.
    pub spending: Spending,
    /// How much is asked of it at once, and borne of it.
    pub limits: Limits,
}

/// As whom we speak to the forge.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A GitHub App; its installation is found by repository.
    App {
        /// Its number or its client id.
        id: String,
        /// Its private key in PEM form, PKCS#1 or PKCS#8.
        private_key: SecretString,
    },
    /// A personal token.
    Token(SecretString),
}

/// Something that is not done everywhere, and that an App's tokens are asked for only where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Pull requests get labels, which may have to be made: Issues: write.
    Labels,
    /// Commits get a status: Commit statuses: write.
    Statuses,
    /// The attestations of what was built are read: Attestations: read.
    Attestations,
}

/// How files are read and commits are made; the trees are the same.
#[derive(Clone, Debug)]
pub enum Write {
    /// By Git: a shallow object store without a checkout, and a push; commits are signed where there is a key.
    Git(Option<Signing>),
    /// By the forge's interfaces, which sign the commits as the forge's own; nothing is kept.
    Api,
}

/// What commits are signed with.
#[derive(Clone, Debug)]
pub enum Signing {
    /// A private key as OpenSSH writes it: Ed25519, without a passphrase.
    Ssh(SecretString),
}

/// Who our commits are by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address, which need not receive mail.
    pub email: String,
}

/// How much of what the forge allows is spent on what, by each installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// How much of every limit new proposals leave for merging, closing and looking; in percent, at most 90.
    pub kept_percent: u8,
    /// How many requests that change something are sent in a minute; at least 1.
    pub changes_per_minute: u32,
    /// The same in an hour; at least 1.
    pub changes_per_hour: u32,
}

/// How much is asked of the forge at once, and borne of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many requests to the interfaces are sent at once; at least 1. Git is spoken with each repository by one
    /// at a time.
    pub at_once: usize,
    /// When the interfaces, or Git, are left alone, as they do not answer.
    pub patience: Patience,
}

/// How long to wait for what, before it counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub idle: Duration,
    /// For one request to the interfaces, from beginning to end.
    pub request: Duration,
    /// For one operation of Git, with all its requests and its turn in the repository's store.
    pub git: Duration,
}

impl Settings {
    /// Settings with defaults for everything that has one.
    #[must_use]
    pub fn new(api_url: Url, credentials: Credentials, data_dir: PathBuf) -> Self {
        Self {
            api_url,
            git_url: None,
            credentials,
            write: Write::Git(None),
            data_dir,
            extras: Vec::new(),
            author: Author::default(),
            timeouts: Timeouts::default(),
            spending: Spending::default(),
            limits: Limits::default(),
        }
    }
}

impl Write {
    /// Checks the key to sign with, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`]: it can not be used.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Git(Some(Signing::Ssh(key))) => Signer::new(key).map(drop),
            Self::Git(None) | Self::Api => Ok(()),
        }
    }
}

impl Default for Author {
    fn default() -> Self {
        Self { name: "Tagferry".to_owned(), email: "tagferry@users.noreply.github.com".to_owned() }
    }
}

impl Default for Spending {
    /// What GitHub allows to be made
    /// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>).
    fn default() -> Self {
        Self { kept_percent: 10, changes_per_minute: 80, changes_per_hour: 500 }
    }
}

impl Default for Limits {
    /// GitHub bears a hundred requests at once of everybody together, and asks for fewer
    /// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>).
    fn default() -> Self {
        Self { at_once: 8, patience: Patience::default() }
    }
}

impl Default for Timeouts {
    /// GitHub ends its own requests after ten seconds, so that thirty leave room for the way; a first fetch of a
    /// large repository takes longer.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            request: Duration::from_secs(30),
            git: Duration::from_secs(120),
        }
    }
}
