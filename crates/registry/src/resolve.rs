//! Asks a registry what a tag points to.

use std::{collections::BTreeMap, fmt};

use domain::image::{Digest, Host, Reference};
use oci_client::{
    Client, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    secrets::RegistryAuth,
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tracing::debug;

use crate::{
    access::{Access, Credentials, Timeouts, Transport},
    error::{Error, Refusal, refusal},
};

/// The registries that we know how to reach.
///
/// A host that is not listed is asked anonymously over HTTPS. Which hosts may be asked at all is decided by the
/// caller: only those that an application names.
///
/// The client remembers the credentials that it first used for as long as it lives, so each [`Access`] has one of
/// its own, and changed credentials mean a new value of this type.
pub struct Registries {
    known: BTreeMap<Host, Asker>,
    other: Asker,
    timeouts: Timeouts,
}

/// A client and who it asks as.
pub(crate) struct Asker {
    pub(crate) client: Client,
    pub(crate) auth: RegistryAuth,
}

impl Registries {
    /// Makes one client for each access, and one for all other registries.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`]: a client could not be made, as when the system has no usable root certificates.
    ///
    /// # Panics
    ///
    /// No crypto provider is installed for rustls in this process and none can be chosen.
    pub fn new(accesses: BTreeMap<Host, Access>, timeouts: Timeouts) -> Result<Self, Error> {
        let setup = |host: Host, access| {
            Asker::new(access, timeouts).map_err(|source| Error::Setup { host, source: Box::new(source) })
        };
        let mut known = BTreeMap::new();
        for (host, access) in accesses {
            known.insert(host.clone(), setup(host, access)?);
        }
        let any = "registry.invalid".parse().expect("two labels are a legal host");
        Ok(Self { known, other: setup(any, Access::default())?, timeouts })
    }

    /// Asks what a tag points to now, of an index the index's own digest; `None` when there is no such tag or
    /// repository.
    ///
    /// # Errors
    ///
    /// The registry did not say; [`Error::fault`] tells what that means.
    pub async fn resolve(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let asker = self.asker(reference);
        let answer = self.in_time(reference, asker.ask(reference)).await?;
        debug!(
            image.repository = %reference.repository,
            image.tag = %reference.tag,
            "asked a registry what a tag is"
        );
        match answer {
            Ok(digest) => {
                digest.parse().map(Some).map_err(|source| Error::Answer { reference: reference.clone(), source })
            }
            Err(error) => absent_or(reference, error),
        }
    }
}

impl Registries {
    /// Who asks the registry of a reference.
    pub(crate) fn asker(&self, reference: &Reference) -> &Asker {
        self.known.get(reference.repository.host()).unwrap_or(&self.other)
    }

    /// Waits for one answer, as long as it may take.
    pub(crate) async fn in_time<T>(&self, reference: &Reference, asking: impl Future<Output = T>) -> Result<T, Error> {
        let after = self.timeouts.total;
        timeout(after, asking).await.map_err(|_elapsed| Error::Timeout { reference: reference.clone(), after })
    }
}

impl Asker {
    fn new(access: Access, timeouts: Timeouts) -> Result<Self, OciDistributionError> {
        let config = ClientConfig {
            protocol: match access.transport {
                Transport::Https => ClientProtocol::Https,
                Transport::Http => ClientProtocol::Http,
            },
            connect_timeout: Some(timeouts.connect),
            read_timeout: Some(timeouts.total),
            user_agent: concat!("tagferry/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let auth = match access.credentials {
            Credentials::Anonymous => RegistryAuth::Anonymous,
            Credentials::Basic { username, password } => {
                RegistryAuth::Basic(username, password.expose_secret().to_owned())
            }
        };
        // Not `Client::new`, which carries on with defaults when the configuration is bad.
        Ok(Self { client: Client::try_from(config)?, auth })
    }

    async fn ask(&self, reference: &Reference) -> Result<String, OciDistributionError> {
        let theirs = oci_client::Reference::with_tag(
            reference.repository.host().to_string(),
            reference.repository.name().to_owned(),
            reference.tag.to_string(),
        );
        let answer = self.client.fetch_manifest_digest(&theirs, &self.auth).await;
        self.tell_apart(&theirs, answer).await
    }

    /// Makes sure that what seems to be wrong credentials is not a token service that is broken.
    pub(crate) async fn tell_apart<T>(
        &self,
        theirs: &oci_client::Reference,
        answer: Result<T, OciDistributionError>,
    ) -> Result<T, OciDistributionError> {
        match answer {
            // When no token could be had the client asks without one, and a broken token service looks like wrong
            // credentials. Asking for the token by itself tells the two apart.
            Err(OciDistributionError::UnauthorizedError { url }) => {
                self.client.auth(theirs, &self.auth, RegistryOperation::Pull).await?;
                Err(OciDistributionError::UnauthorizedError { url })
            }
            other => other,
        }
    }
}

/// That there is nothing of that name is an answer; everything else is an error.
pub(crate) fn absent_or<T>(reference: &Reference, error: OciDistributionError) -> Result<Option<T>, Error> {
    let kind = refusal(&error);
    let reference = reference.clone();
    let source = Box::new(error);
    match kind {
        Refusal::Absent => Ok(None),
        Refusal::Denied => Err(Error::Denied { reference, source }),
        Refusal::Limited => Err(Error::Limited { reference, source }),
        Refusal::Unavailable => Err(Error::Unavailable { reference, source }),
        Refusal::Other => Err(Error::Refused { reference, source }),
    }
}

impl fmt::Debug for Registries {
    /// Only the names: the clients hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries")
            .field("known", &self.known.keys())
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
