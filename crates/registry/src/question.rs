//! A question about what is in a repository by its digest.

use std::{fmt, sync::Arc, time::Instant};

use http::StatusCode;
use oci_client::{errors::OciDistributionError, secrets::RegistryAuth};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Error, Registries, Subject,
    access::Transport,
    asker::{Asker, Held},
    bounded::Bounded,
    resolve::absent_or,
};

/// Who is asked about which repository, by whom.
pub(crate) struct Question<'a> {
    pub(crate) registries: &'a Registries,
    pub(crate) asker: Arc<Asker>,
    pub(crate) held: Arc<Held>,
    pub(crate) subject: Subject,
    /// Whether there may be other credentials than those that are used.
    is_renewable: bool,
}

/// Why something that is there is not taken, and will not be by asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Useless {
    /// It has more bytes than are read.
    TooLarge(u64),
    /// It is something else than its digest says.
    Other,
    /// It is not there, though something names it.
    Absent,
}

impl<'a> Question<'a> {
    pub(crate) async fn new(registries: &'a Registries, subject: impl Into<Subject>) -> Result<Self, Error> {
        let subject = subject.into();
        let asker = registries.asker(subject.repository())?;
        rested(&asker, &subject)?;
        let (held, is_renewable) = registries.in_time(&subject, asker.hold(&subject)).await??;
        held.client.store_auth_if_needed(&subject.repository().host().to_string(), &held.auth).await;
        Ok(Self { registries, asker, held, subject, is_renewable })
    }

    /// Makes sure that the registry has not asked for a pause since.
    pub(crate) fn may_ask(&self) -> Result<(), Error> {
        rested(&self.asker, &self.subject)
    }

    /// Whether a question that failed is to be asked again, as somebody else: once, when credentials that were kept are
    /// refused.
    pub(crate) async fn renew(&mut self, failure: &Error) -> Result<bool, Error> {
        if let Error::Limited { source: Some(_), .. } = failure.innermost() {
            self.asker.pause.begin(None, Instant::now());
        }
        if !self.is_renewable || !matches!(failure.innermost(), Error::Denied { .. }) {
            return Ok(false);
        }
        self.asker.forget(&self.held).await;
        *self = Self { is_renewable: false, ..Self::new(self.registries, self.subject.clone()).await? };
        Ok(true)
    }

    /// A manifest as it is; `None` when there is none of that name. Its bytes have the digest, where it is asked for by
    /// one.
    pub(crate) async fn manifest(
        &self,
        theirs: &oci_client::Reference,
        types: &[&str],
    ) -> Result<Option<Vec<u8>>, Error> {
        let asking = Box::pin(self.held.client.pull_manifest_raw(theirs, &self.held.auth, types));
        match self.answer(theirs, asking).await? {
            Ok((bytes, _digest)) => Ok(Some(bytes.to_vec())),
            Err(error) => absent_or(&self.subject, error),
        }
    }

    /// A blob that has the digest, up to so many bytes.
    pub(crate) async fn blob(&self, digest: &str, most: u64) -> Result<Result<Vec<u8>, Useless>, Error> {
        let mut bytes = Bounded::new(most);
        let theirs = self.by_digest(digest);
        let asking = Box::pin(self.held.client.pull_blob(&theirs, digest, &mut bytes));
        match self.answer(&theirs, asking).await? {
            Ok(()) => Ok(Ok(bytes.into_bytes())),
            Err(OciDistributionError::IoError(_)) if bytes.is_full() => Ok(Err(Useless::TooLarge(most))),
            Err(OciDistributionError::DigestError(_)) => Ok(Err(Useless::Other)),
            Err(error) => Ok(Err(absent_or::<Useless>(&self.subject, error)?.unwrap_or(Useless::Absent))),
        }
    }

    /// Waits for an answer, and tells a broken token service from wrong credentials.
    pub(crate) async fn answer<T>(
        &self,
        theirs: &oci_client::Reference,
        asking: impl Future<Output = Result<T, OciDistributionError>>,
    ) -> Result<Result<T, OciDistributionError>, Error> {
        let asking = async { self.tell_apart(theirs, asking.await).await };
        self.registries.in_time(&self.subject, asking).await
    }

    /// Makes sure that what seems to be wrong credentials is not a token service that is broken.
    pub(crate) async fn tell_apart<T>(
        &self,
        theirs: &oci_client::Reference,
        answer: Result<T, OciDistributionError>,
    ) -> Result<T, OciDistributionError> {
        match answer {
            // When no token could be had the client asks without one, or drops how the service failed, and that looks
            // like wrong credentials. Trading for a token by itself tells the two apart.
            Err(
                error @ (OciDistributionError::UnauthorizedError { .. }
                | OciDistributionError::AuthenticationFailure(_)),
            ) => {
                let scope = pull(theirs);
                self.held.forget_token(&scope);
                self.token(&scope, theirs).await?;
                Err(error)
            }
            other => other,
        }
    }

    /// Sends a request with the token of a scope, and once more with another where one that was kept is refused.
    pub(crate) async fn send(
        &self,
        scope: &str,
        theirs: &oci_client::Reference,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, OciDistributionError> {
        let (token, was_kept) = self.token(scope, theirs).await?;
        let answer = self.signed(request(self.asker.bare()), token).send().await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !was_kept {
            return Ok(answer);
        }
        self.held.forget_token(scope);
        let (token, _) = self.token(scope, theirs).await?;
        Ok(self.signed(request(self.asker.bare()), token).send().await?)
    }

    /// A request in the name of whoever asks.
    fn signed(&self, request: RequestBuilder, token: Option<SecretString>) -> RequestBuilder {
        match (token, &self.held.auth) {
            (Some(token), _) => request.bearer_auth(token.expose_secret()),
            (None, RegistryAuth::Basic(username, password)) => request.basic_auth(username, Some(password)),
            (None, RegistryAuth::Anonymous | RegistryAuth::Bearer(_)) => request,
        }
    }

    /// The token for a scope, if the registry wants one, and whether it was kept from before.
    async fn token(
        &self,
        scope: &str,
        theirs: &oci_client::Reference,
    ) -> Result<(Option<SecretString>, bool), OciDistributionError> {
        self.held.token(self.asker.bare(), &self.base(theirs), scope).await
    }

    /// Scheme, host and port of the registry.
    pub(crate) fn base(&self, theirs: &oci_client::Reference) -> String {
        let scheme = match self.asker.transport() {
            Transport::Https => "https",
            Transport::Http => "http",
        };
        format!("{scheme}://{}", theirs.resolve_registry())
    }

    pub(crate) fn by_digest(&self, digest: &str) -> oci_client::Reference {
        let (host, name) = self.place();
        oci_client::Reference::with_digest(host, name, digest.to_owned())
    }

    pub(crate) fn by_tag(&self, tag: String) -> oci_client::Reference {
        let (host, name) = self.place();
        oci_client::Reference::with_tag(host, name, tag)
    }

    fn place(&self) -> (String, String) {
        let repository = self.subject.repository();
        (repository.host().to_string(), repository.name().to_owned())
    }
}

/// Makes sure that the registry is not to be left alone now.
fn rested(asker: &Asker, subject: &Subject) -> Result<(), Error> {
    match asker.pause.left(Instant::now()) {
        Some(left) => Err(Error::Limited { subject: subject.clone(), retry_after: Some(left), source: None }),
        None => Ok(()),
    }
}

/// The scope of pulling from a repository.
pub(crate) fn pull(theirs: &oci_client::Reference) -> String {
    format!("repository:{}:pull", theirs.repository())
}

impl fmt::Display for Useless {
    /// As what is said of something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(most) => write!(f, "has more than {most} bytes"),
            Self::Other => f.write_str("is not what its digest says"),
            Self::Absent => f.write_str("is listed and not there"),
        }
    }
}
