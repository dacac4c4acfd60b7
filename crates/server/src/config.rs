//! The configuration file: what it may hold, and how it becomes applications, senders and credentials.
//!
//! The structs here are the file's shape, key by key; `config/tagferry.example.yaml` shows it with comments.
//! Names, patterns and paths are parsed while the file is read, so that a mistake is reported with its line and
//! column. Secrets are never in the file: it names where each is.

mod actions;
mod application;
mod attestations;
mod credentials;
mod environment;
mod fields;
mod limits;
mod reconciliation;
mod registries;
mod secret;
mod sender;
mod source;
mod spending;
mod store;
mod verify;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::{
    application::{Application, InvalidApplication, Name},
    forge::Repository,
    image::Host,
};
use serde::Deserialize;
use url::Url;

pub use self::{
    actions::ActionsSettings,
    application::ApplicationSettings,
    attestations::{AttestationsSettings, LogSetting},
    credentials::{AwsSettings, AzureSettings, BasicSettings, CredentialSettings, GoogleSettings},
    limits::LimitSettings,
    reconciliation::ReconciliationSettings,
    registries::{ProxySetting, RegistrySettings},
    secret::{SecretSource, SecretSources, SecretUnavailable},
    sender::{Reader, Sender, SenderKind, SenderSettings},
    source::{MirrorFrom, SourceSettings},
    spending::SpendingSettings,
    store::{KeepSettings, StoreSettings},
    verify::{CheckSettings, GateSettings, ProvenanceSettings, VerifySettings},
    write::{AuthorSettings, SigningFormat, SigningSettings, WriteSettings},
};
use self::{
    fields::{UniqueMap, duration, parsed, parsed_option},
    secret::read_all,
};

/// The name of the sender that `github.webhook_secrets` makes.
const FORGE: &str = "github";

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How the service is reached.
    pub server: ServerSettings,
    /// Where it remembers.
    pub store: StoreSettings,
    /// How often it is looked for what nobody told us.
    #[serde(default)]
    pub reconciliation: ReconciliationSettings,
    /// The Git host.
    pub github: GitHubSettings,
    /// Who may ask.
    #[serde(default)]
    pub api: ApiSettings,
    /// Who may tell us something, by the last part of their address.
    #[serde(default)]
    pub senders: UniqueMap<Name, SenderSettings>,
    /// How registries are reached that want credentials or speak plain HTTP.
    #[serde(default)]
    pub registries: UniqueMap<Host, RegistrySettings>,
    /// Whose attestations are believed.
    #[serde(default)]
    pub attestations: AttestationsSettings,
    /// What is released.
    #[serde(default)]
    pub applications: UniqueMap<Name, ApplicationSettings>,
}

/// How the service is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// The address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address that others reach it by; `tagferry check` prints each sender's from it.
    #[serde(default, deserialize_with = "parsed_option")]
    pub public_url: Option<Url>,
    /// Where clones of GitOps repositories are kept, when they are written by Git; they can be deleted at any time.
    #[serde(default = "ServerSettings::default_data_dir")]
    pub data_dir: PathBuf,
    /// How much is taken at once.
    #[serde(default)]
    pub limits: LimitSettings,
}

/// The Git host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitHubSettings {
    /// Where its REST interface is.
    #[serde(default = "GitHubSettings::default_api_url", deserialize_with = "parsed")]
    pub api_url: Url,
    /// Where it serves Git over HTTP; follows from `api_url` when it is not given.
    #[serde(default, deserialize_with = "parsed_option")]
    pub git_url: Option<Url>,
    /// The GitHub App to act as.
    pub app: Option<AppSettings>,
    /// A personal access token to act with, in place of an App.
    pub token: Option<SecretSource>,
    /// How files are read and commits are made.
    #[serde(default)]
    pub write: WriteSettings,
    /// Who commits are by; Tagferry when it is not given.
    pub author: Option<AuthorSettings>,
    /// What commits are signed with; they are not when it is not given.
    pub signing: Option<SigningSettings>,
    /// The secrets of its webhook, which is then taken at `/v1/hooks/github`.
    #[serde(default)]
    pub webhook_secrets: SecretSources,
    /// Whose word on builds counts; nobody's when it is not given.
    pub actions: Option<ActionsSettings>,
    /// How soon to look again at a pull request that no webhook told about.
    #[serde(default = "GitHubSettings::default_poll_interval", deserialize_with = "duration")]
    pub poll_interval: Duration,
    /// How much of what it allows is spent on what.
    #[serde(default)]
    pub limits: SpendingSettings,
}

/// A GitHub App.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    /// Its number, or its client ID.
    #[serde(deserialize_with = "fields::number_or_text")]
    pub id: String,
    /// Its private key in PEM.
    pub private_key: SecretSource,
}

/// Who may ask.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiSettings {
    /// Bearer tokens by their hash.
    #[serde(default)]
    pub tokens: Vec<ApiToken>,
}

/// A bearer token, known by its hash alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Whose it is, for the log.
    pub name: String,
    /// The SHA-256 of the token, in hexadecimal.
    #[serde(deserialize_with = "fields::sha256")]
    pub sha256: [u8; 32],
    /// What it is good for.
    pub role: Role,
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read.
    Viewer,
    /// Read and release.
    Releaser,
    /// Everything.
    Admin,
}

/// Why a configuration can not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can not be read.
    #[error("reading the configuration {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not what a configuration holds; the text has line and column.
    #[error("the configuration {} is not valid: {why}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What was expected, and where.
        why: String,
    },
    /// An application's parts do not fit together.
    #[error("applications.{name}")]
    Application {
        /// Which one.
        name: Name,
        /// What does not fit.
        source: InvalidApplication,
    },
    /// A secret is not where the configuration says.
    #[error("{setting}")]
    Secret {
        /// Which setting names it.
        setting: String,
        /// What is wrong.
        source: SecretUnavailable,
    },
    /// What is said of a sender does not go with its kind.
    #[error("senders.{name}")]
    Sender {
        /// Which one.
        name: Name,
        /// What does not fit.
        source: registry::webhook::InvalidSender,
    },
    /// What a sender is known by can not be used.
    #[error("senders.{name}")]
    Trust {
        /// Which one.
        name: Name,
        /// What is wrong with it.
        source: registry::webhook::InvalidTrust,
    },
    /// The certificates for a registry can not be read.
    #[error("reading the certificates in {} (registries.{host}.ca)", path.display())]
    Ca {
        /// Which registry.
        host: Host,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A public key can not be used.
    #[error("reading the key in {} (applications.{application}.verify.provenance.keys)", path.display())]
    Key {
        /// Whose key it is.
        application: Name,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A gate can not be used.
    #[error("{setting}")]
    Gate {
        /// Which one.
        setting: String,
        /// What is wrong with it.
        source: gate::Error,
    },
    /// The trust roots can not be used.
    #[error(transparent)]
    TrustedRoot(Box<reconciler::Error>),
    /// Two settings contradict each other, or one is missing.
    #[error("{0}")]
    Contradiction(String),
}

impl ServerSettings {
    fn default_data_dir() -> PathBuf {
        PathBuf::from("/var/lib/tagferry")
    }
}

impl GitHubSettings {
    fn default_api_url() -> Url {
        Url::parse("https://api.github.com").expect("the text is a URL")
    }

    const fn default_poll_interval() -> Duration {
        Duration::from_secs(60)
    }

    /// What we act on the forge with.
    ///
    /// # Errors
    ///
    /// Neither or both of App and token are given, or the secret is not there.
    pub fn credentials(&self) -> Result<forge::Credentials, Error> {
        match (&self.app, &self.token) {
            (Some(app), None) => Ok(forge::Credentials::App {
                id: app.id.clone(),
                private_key: app.private_key.read_for("github.app.private_key")?,
            }),
            (None, Some(token)) => Ok(forge::Credentials::Token(token.read_for("github.token")?)),
            (None, None) => Err(Error::Contradiction("github needs either app or token".to_owned())),
            (Some(_), Some(_)) => Err(Error::Contradiction("github takes app or token, not both".to_owned())),
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file is not there, or is not a configuration.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        serde_yaml::from_str(&text).map_err(|error| {
            let why = fields::without_value(&error.to_string());
            Error::Invalid { path: path.to_owned(), why }
        })
    }

    /// The applications, in the order of the file.
    ///
    /// # Errors
    ///
    /// The parts of one do not fit together.
    pub fn applications(&self) -> Result<Vec<Application>, Error> {
        self.applications
            .iter()
            .map(|(name, settings)| {
                settings.application(name).map_err(|source| Error::Application { name: name.clone(), source })
            })
            .collect()
    }

    /// How the messages of each sender are read, the forge's webhook included; no secret is needed for that.
    ///
    /// # Errors
    ///
    /// What is said of a sender does not go with its kind.
    pub fn readers(&self) -> Result<BTreeMap<String, Reader>, Error> {
        let mut readers = BTreeMap::new();
        if !self.github.webhook_secrets.is_empty() {
            readers.insert(FORGE.to_owned(), Reader::GitHub);
        }
        for (name, settings) in self.senders.iter() {
            readers.insert(name.to_string(), settings.reader(name)?);
        }
        Ok(readers)
    }

    /// The repositories of which it matters what happens there: those that pull requests of applications are in, and
    /// those whose checks are asked for.
    ///
    /// # Errors
    ///
    /// The parts of an application do not fit together.
    pub fn watched(&self) -> Result<BTreeSet<Repository>, Error> {
        let repositories = |application: &Application| {
            let source = &application.source.repository;
            let checked = application.is_checked_in(source).then(|| source.clone());
            [application.gitops.repository.clone()].into_iter().chain(checked)
        };
        Ok(self.applications()?.iter().flat_map(repositories).collect())
    }

    /// Each sender with its secrets at hand, the forge's webhook included.
    ///
    /// # Errors
    ///
    /// A secret is not where the configuration says, what is said of a sender does not go with its kind, or two senders
    /// have the address of the forge's webhook.
    pub fn senders(&self) -> Result<BTreeMap<String, Sender>, Error> {
        let mut senders = BTreeMap::new();
        for (name, settings) in self.senders.iter() {
            senders.insert(name.to_string(), settings.sender(name)?);
        }
        if !self.github.webhook_secrets.is_empty() {
            let secrets = read_all(&self.github.webhook_secrets, "github.webhook_secrets")?;
            if senders.insert(FORGE.to_owned(), Sender::GitHub { secrets }).is_some() {
                return Err(Error::Contradiction(
                    "senders.github and github.webhook_secrets have the same address: give the sender another name"
                        .to_owned(),
                ));
            }
        }
        if self.github.actions.is_some() && senders.contains_key(crate::http::REPORTS) {
            return Err(Error::Contradiction(
                "senders.github-actions and github.actions are filed under the same name: give the sender another one"
                    .to_owned(),
            ));
        }
        Ok(senders)
    }
}

#[cfg(test)]
mod tests;
