//! One sender, as it is configured.

use std::collections::BTreeMap;

use domain::image::Host;

use super::{Admitted, Head, Kind, Message, Parsed, Proof, Secrets, Unauthenticated, Verified};

/// What image repositories are called that are announced under a key of Artifactory.
pub(super) type RepoKeys = BTreeMap<String, String>;

/// Somebody who may announce pushes.
#[derive(Debug)]
pub struct Sender {
    reader: Reader,
    secrets: Secrets,
}

/// How the messages of one sender are read; it needs no secret for that.
#[derive(Clone, Debug)]
pub struct Reader {
    kind: Kind,
    options: Options,
}

/// What may be said of a sender besides its kind and its secrets.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The registry's host name to use instead of the message's.
    pub registry: Option<Host>,
    /// Whether it signs its messages with the secret instead of sending the secret.
    pub signing: bool,
    /// What to put in the place of a repository's key at the beginning of an image repository's name, as for a virtual
    /// repository of Artifactory.
    pub repo_key_map: BTreeMap<String, String>,
}

/// What to do at the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The parameter of the address that the secret goes into; `None` when it goes elsewhere.
    pub parameter: Option<&'static str>,
    /// Where the address is put.
    pub place: &'static str,
    /// What is set there as the credential.
    pub credential: &'static str,
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
}

impl Reader {
    /// Takes what was configured.
    ///
    /// # Errors
    ///
    /// The options do not go with the kind.
    pub fn new(kind: Kind, options: Options) -> Result<Self, InvalidSender> {
        if options.signing && kind.declaration().signing.is_none() {
            return Err(InvalidSender::Signing(kind));
        }
        if !options.repo_key_map.is_empty() && kind != Kind::JFrog {
            return Err(InvalidSender::RepoKeys(kind));
        }
        if options.registry.is_none() && kind == Kind::Nexus {
            return Err(InvalidSender::Registry(kind));
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
}

impl Sender {
    /// Takes a sender as it was configured.
    ///
    /// # Errors
    ///
    /// The options do not go with the kind.
    pub fn new(kind: Kind, secrets: Secrets, options: Options) -> Result<Self, InvalidSender> {
        Ok(Self { reader: Reader::new(kind, options)?, secrets })
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
        let Proof { credential, hint } = self.proof();
        let place = self.kind().declaration().place;
        Setup { parameter: credential.parameter(), place, credential: hint }
    }

    /// Decides by the head of a request whether its body is worth reading.
    ///
    /// # Errors
    ///
    /// There is no credential, more than one, or it is wrong as far as that can be told.
    pub fn admit(&self, head: &Head<'_>) -> Result<Admitted<'_>, Unauthenticated> {
        self.proof().credential.admit(&self.secrets, head)
    }

    /// Reads a delivery of this sender, as [`Reader::parse`].
    #[must_use]
    pub fn parse(&self, verified: &Verified<'_>, head: &Head<'_>) -> Parsed {
        self.reader.parse(verified, head)
    }

    fn proof(&self) -> &'static Proof {
        let declaration = self.kind().declaration();
        match &declaration.signing {
            Some(signing) if self.reader.options.signing => signing,
            Some(_) | None => &declaration.proof,
        }
    }
}
