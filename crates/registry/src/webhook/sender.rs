//! One sender, as it is configured.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::{DateTime, Utc};
use domain::image::Host;

use super::{
    Admitted, Confirmation, Handshake, Head, Kind, Message, Parsed, Proof, Refused, Trust, Verified, acr_event_grid,
    credential::Check,
};

/// What image repositories are called that are announced under a key of Artifactory.
pub(super) type RepoKeys = BTreeMap<String, String>;

/// Somebody who may announce pushes.
#[derive(Debug)]
pub struct Sender {
    reader: Reader,
    proof: &'static Proof,
    check: Check,
}

/// How the messages of one sender are read; it needs nothing that proves who it is for that.
#[derive(Clone, Debug)]
pub struct Reader {
    kind: Kind,
    options: Options,
}

/// What may be said of a sender besides its kind and what it is known by.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The registry's host name to use instead of the message's.
    pub registry: Option<Host>,
    /// Whether it signs its messages with the secret instead of sending the secret.
    pub signing: bool,
    /// What to put in the place of a repository's key at the beginning of an image repository's name, as for a virtual
    /// repository of Artifactory.
    pub repo_key_map: BTreeMap<String, String>,
    /// Who may ask whether it may send, as CloudEvents have it; those of its public cloud when there is none.
    pub origins: Vec<String>,
}

/// What to do at the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The parameter of the address that the secret goes into; `None` when it goes elsewhere.
    pub parameter: Option<&'static str>,
    /// Where the address is put.
    pub place: &'static str,
    /// What is set there as the credential.
    pub credential: Cow<'static, str>,
}

/// The options do not go with the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSender {
    /// It can not be told to sign, or always does.
    #[error("`signing` is not for the kind {0}")]
    Signing(Kind),
    /// Its repositories have no keys.
    #[error("`repo_key_map` is not for the kind {0}")]
    RepoKeys(Kind),
    /// Its messages never say which registry they are from.
    #[error("the kind {0} needs `registry`, as its messages do not say which registry they are from")]
    Registry(Kind),
    /// It never asks whether it may send.
    #[error("`origins` is not for the kind {0}")]
    Origins(Kind),
    /// It proves itself in another way.
    #[error("the kind {0} is not known by that")]
    Trust(Kind),
}

impl Reader {
    /// Takes what was configured.
    ///
    /// # Errors
    ///
    /// The options do not go with the kind.
    pub fn new(kind: Kind, mut options: Options) -> Result<Self, InvalidSender> {
        if options.signing && kind.declaration().signing.is_none() {
            return Err(InvalidSender::Signing(kind));
        }
        if !options.repo_key_map.is_empty() && kind != Kind::JFrog {
            return Err(InvalidSender::RepoKeys(kind));
        }
        if options.registry.is_none() && kind == Kind::Nexus {
            return Err(InvalidSender::Registry(kind));
        }
        if kind == Kind::AcrEventGrid {
            if options.origins.is_empty() {
                options.origins.push(acr_event_grid::ORIGIN.to_owned());
            }
        } else if !options.origins.is_empty() {
            return Err(InvalidSender::Origins(kind));
        }
        Ok(Self { kind, options })
    }

    /// Reads a delivery.
    ///
    /// What can not be read becomes an [`Element::Unusable`](super::Element::Unusable) beside what can.
    #[must_use]
    pub fn parse(&self, verified: &Verified<'_>, head: &Head<'_>) -> Parsed {
        (self.kind.declaration().parse)(&Message {
            body: verified.body,
            head,
            registry: self.options.registry.as_ref(),
            repo_keys: &self.options.repo_key_map,
        })
    }

    fn proof(&self) -> &'static Proof {
        let declaration = self.kind.declaration();
        match &declaration.signing {
            Some(signing) if self.options.signing => signing,
            Some(_) | None => &declaration.proof,
        }
    }
}

impl Sender {
    /// Takes a sender as it was configured.
    ///
    /// # Errors
    ///
    /// What it is known by or the options do not go with the kind.
    pub fn new(kind: Kind, trust: impl Into<Trust>, options: Options) -> Result<Self, InvalidSender> {
        let reader = Reader::new(kind, options)?;
        let proof = reader.proof();
        let check = proof.credential.check(trust.into()).ok_or(InvalidSender::Trust(kind))?;
        Ok(Self { reader, proof, check })
    }

    /// How it speaks.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.reader.kind
    }

    /// How its messages are read.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What to do at the registry so that it announces to us.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let Proof { credential, hint } = self.proof;
        let place = self.kind().declaration().place;
        let values = match &self.check {
            Check::Secret(..) | Check::Signature(..) => None,
            Check::Token(pub_sub) => Some(pub_sub.hint()),
            Check::Certificate(topic) => Some(topic.hint()),
        };
        let hint = values.map_or(Cow::Borrowed(*hint), |values| Cow::Owned(format!("{hint}: {values}")));
        Setup { parameter: credential.parameter(), place, credential: hint }
    }

    /// Decides by the head of a request, at the time `now`, whether its body is worth reading. May fetch the keys of an
    /// issuer of tokens.
    ///
    /// # Errors
    ///
    /// There is no credential, more than one, or it is wrong as far as that can be told; or that can not be told now.
    pub async fn admit(&self, head: &Head<'_>, now: DateTime<Utc>) -> Result<Admitted<'_>, Refused> {
        self.check.admit(head, now).await
    }

    /// How to answer whoever asks with the method OPTIONS whether they may send; `None` where nobody asks that.
    ///
    /// # Errors
    ///
    /// As those of [`admit`](Self::admit): who may not send hears nothing about who may.
    pub async fn handshake(&self, head: &Head<'_>, now: DateTime<Utc>) -> Result<Option<Handshake>, Refused> {
        if self.kind() != Kind::AcrEventGrid {
            return Ok(None);
        }
        self.admit(head, now).await?;
        Ok(Some(Handshake::of(head, &self.reader.options.origins)))
    }

    /// Says yes to a subscription that a verified message tells of, which may be repeated.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] when its address is not the sender's, which is then not visited; [`Refused::Unavailable`] when
    /// the sender can not be reached or does not take it.
    pub async fn confirm(&self, confirmation: &Confirmation) -> Result<(), Refused> {
        match &self.check {
            Check::Certificate(topic) => topic.confirm(confirmation).await,
            Check::Secret(..) | Check::Signature(..) | Check::Token(_) => {
                Err(Refused::Invalid("this sender has no subscriptions to be confirmed"))
            }
        }
    }

    /// Reads a delivery of this sender, as [`Reader::parse`].
    #[must_use]
    pub fn parse(&self, verified: &Verified<'_>, head: &Head<'_>) -> Parsed {
        self.reader.parse(verified, head)
    }
}
