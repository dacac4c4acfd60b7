//! One sender of the configuration file.

mod settings;

use std::{fmt, str::FromStr};

use domain::application::Name;
use registry::webhook::{self, Kind, Options, PubSub, PubSubSettings, Secrets, Topic, TopicSettings, Trust};
use secrecy::SecretString;

pub use self::settings::SenderSettings;
use super::{Error, secret::read_all};

/// How a sender speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderKind {
    /// A registry.
    Registry(Kind),
    /// GitHub's webhooks about pull requests and checks.
    GitHub,
}

/// A sender with its secrets at hand.
#[derive(Debug)]
pub enum Sender {
    /// A registry.
    Registry(webhook::Sender),
    /// GitHub's webhooks about pull requests and checks.
    GitHub {
        /// Any of them is the key of its signature; at least one, and none is empty.
        secrets: Vec<SecretString>,
    },
}

/// How the messages of a sender are read; it needs no secret for that.
#[derive(Clone, Debug)]
pub enum Reader {
    /// As those of a registry.
    Registry(webhook::Reader),
    /// As GitHub's, by the header `X-GitHub-Event`.
    GitHub,
}

/// No sender speaks so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no kind of sender; there are {}, and {}", Words, SenderKind::GitHub)]
pub struct UnknownKind;

/// The words for all kinds of registries.
struct Words;

impl SenderSettings {
    /// The sender that these settings describe.
    pub(super) fn sender(&self, name: &Name) -> Result<Sender, Error> {
        if let Some(setting) = self.misplaced() {
            return Err(Error::Contradiction(format!("senders.{name}: `{setting}` is not for the kind {}", self.kind)));
        }
        let kind = match self.kind {
            SenderKind::Registry(kind) => kind,
            SenderKind::GitHub => {
                self.reader(name)?;
                let secrets = read_all(&self.secrets, &format!("senders.{name}.secrets"))?;
                return Ok(Sender::GitHub { secrets });
            }
        };
        let sender = webhook::Sender::new(kind, self.trust(kind, name)?, self.options());
        sender.map(Sender::Registry).map_err(|source| Error::Sender { name: name.clone(), source })
    }

    /// How the messages of the sender that these settings describe are read.
    pub(super) fn reader(&self, name: &Name) -> Result<Reader, Error> {
        match self.kind {
            SenderKind::Registry(kind) => {
                let reader = webhook::Reader::new(kind, self.options());
                reader.map(Reader::Registry).map_err(|source| Error::Sender { name: name.clone(), source })
            }
            SenderKind::GitHub if self.registry.is_some() || self.signing || !self.repo_key_map.is_empty() => {
                let what = "`registry`, `signing` and `repo_key_map` are for registries";
                Err(Error::Contradiction(format!("senders.{name}: {what}")))
            }
            SenderKind::GitHub => Ok(Reader::GitHub),
        }
    }

    /// What a sender of that kind is known by.
    fn trust(&self, kind: Kind, name: &Name) -> Result<Trust, Error> {
        let missing =
            |setting: &str| Error::Contradiction(format!("senders.{name}: the kind {kind} needs `{setting}`"));
        let invalid = |source| Error::Trust { name: name.clone(), source };
        if kind == Kind::ArtifactRegistry {
            let settings = PubSubSettings {
                audience: self.audience.clone().ok_or_else(|| missing("audience"))?,
                service_account: self.service_account.clone().ok_or_else(|| missing("service_account"))?,
                subscription: self.subscription.clone(),
                keys_url: self.keys_url.clone(),
            };
            return PubSub::new(settings).map(Trust::PubSub).map_err(invalid);
        }
        if kind == Kind::EcrSns {
            let settings = TopicSettings {
                arn: self.topic.clone().ok_or_else(|| missing("topic"))?,
                allow_sha1: self.allow_sha1,
                endpoint: self.endpoint.clone(),
            };
            return Topic::new(settings).map(Trust::Topic).map_err(invalid);
        }
        let secrets = read_all(&self.secrets, &format!("senders.{name}.secrets"))?;
        Ok(Secrets::new(secrets).expect("no secret of the configuration is empty, and there is one").into())
    }

    fn options(&self) -> Options {
        Options {
            registry: self.registry.clone(),
            signing: self.signing,
            repo_key_map: self.repo_key_map.iter().map(|(key, host)| (key.clone(), host.clone())).collect(),
            origins: self.origins.clone(),
        }
    }
}

impl Sender {
    /// How it speaks.
    #[must_use]
    pub const fn kind(&self) -> SenderKind {
        match self {
            Self::Registry(sender) => SenderKind::Registry(sender.kind()),
            Self::GitHub { .. } => SenderKind::GitHub,
        }
    }

    /// What to do at the other end so that it tells us.
    #[must_use]
    pub fn setup(&self) -> webhook::Setup {
        match self {
            Self::Registry(sender) => sender.setup(),
            Self::GitHub { .. } => webhook::Setup {
                parameter: None,
                place: "the GitHub App's, the organisation's or the GitOps repository's webhook: content type application/json",
                credential: "Secret is one of the secrets".into(),
            },
        }
    }
}

impl FromStr for SenderKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        if text == "github" {
            return Ok(Self::GitHub);
        }
        text.parse().map(Self::Registry).map_err(|_unknown: webhook::UnknownKind| UnknownKind)
    }
}

impl fmt::Display for SenderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(kind) => kind.fmt(f),
            Self::GitHub => f.write_str("github"),
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests;
