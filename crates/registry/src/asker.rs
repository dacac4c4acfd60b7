//! Who asks one registry, and as whom at the moment.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use domain::image::Host;
use oci_client::{
    Client,
    client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    secrets::RegistryAuth,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    access::{Access, Credentials, Timeouts, Transport},
    error::{Error, Subject},
    exchange,
    line::Line,
    login::{self, Web},
    pause::Pause,
};

/// Who asks a registry.
pub(crate) struct Asker {
    access: Access,
    timeouts: Timeouts,
    web: Web,
    /// Kept over the question as whom, so that of many who need credentials one asks.
    held: Mutex<Option<Arc<Held>>>,
    pub(crate) pause: Pause,
    pub(crate) line: Line,
}

/// A client and who it asks as. The client remembers the credentials that it first used for as long as it lives, so
/// that other credentials mean another client.
pub(crate) struct Held {
    pub(crate) client: Client,
    pub(crate) auth: RegistryAuth,
    /// Until when the credentials are used; `None` for those that do not change.
    until: Option<Instant>,
    tokens: Tokens,
}

/// The tokens that the registry has traded the credentials for, by scope; none where it wants none.
#[derive(Default)]
struct Tokens(std::sync::Mutex<HashMap<String, (Option<SecretString>, Instant)>>);

/// How long it is believed that a registry wants no token.
const NO_TOKEN_LIFE: Duration = Duration::from_secs(60);

/// How many tokens are kept; when there are more all are forgotten, which costs a request each.
const MOST_TOKENS: usize = 1024;

impl Asker {
    pub(crate) fn new(host: &Host, access: Access, timeouts: Timeouts) -> Result<Self, Error> {
        let setup = |source: Box<dyn std::error::Error + Send + Sync>| Error::Setup { host: host.clone(), source };
        let fixed = match &access.credentials {
            Credentials::Anonymous => Some(RegistryAuth::Anonymous),
            Credentials::Basic { username, password } => {
                Some(RegistryAuth::Basic(username.clone(), password.expose_secret().to_owned()))
            }
            Credentials::Docker { .. } | Credentials::Aws(_) | Credentials::Google(_) | Credentials::Azure(_) => None,
        };
        // A client that can not be made is told at once, also where it is made anew later.
        let client = client(&access, timeouts).map_err(|why| setup(why.into()))?;
        let web = Web::new(&access, timeouts).map_err(|why| setup(why.into()))?;
        let held = fixed.map(|auth| Arc::new(Held::new(client, auth, None)));
        let line = Line::new(access.limits);
        Ok(Self { access, timeouts, web, held: Mutex::new(held), pause: Pause::default(), line })
    }

    /// The protocol that the registry speaks.
    pub(crate) const fn transport(&self) -> Transport {
        self.access.transport
    }

    /// The client that reaches the registry without credentials.
    pub(crate) const fn bare(&self) -> &reqwest::Client {
        &self.web.far
    }

    /// A client with credentials, and whether they were kept from before and could be others now.
    pub(crate) async fn hold(&self, subject: &Subject) -> Result<(Arc<Held>, bool), Error> {
        let mut place = self.held.lock().await;
        if let Some(held) = place.as_ref().filter(|held| held.until.is_none_or(|until| Instant::now() < until)) {
            return Ok((Arc::clone(held), held.until.is_some()));
        }
        let found = login::login(&self.access.credentials, subject.repository().host(), &self.web).await;
        let found = found.map_err(|why| Error::Credentials { subject: subject.clone(), source: Box::new(why) })?;
        let (auth, until) = match found {
            Some(login) => {
                let password = login.password.expose_secret().to_owned();
                (RegistryAuth::Basic(login.username, password), Some(login::until(login.life)))
            }
            None => (RegistryAuth::Anonymous, None),
        };
        let host = subject.repository().host();
        let client = client(&self.access, self.timeouts)
            .map_err(|source| Error::Setup { host: host.clone(), source: source.into() })?;
        let held = Arc::new(Held::new(client, auth, until));
        *place = Some(Arc::clone(&held));
        Ok((held, false))
    }

    /// Forgets credentials that were refused, unless somebody else has others by now.
    pub(crate) async fn forget(&self, refused: &Arc<Held>) {
        let mut place = self.held.lock().await;
        if place.as_ref().is_some_and(|held| Arc::ptr_eq(held, refused)) {
            *place = None;
        }
    }
}

impl Held {
    fn new(client: Client, auth: RegistryAuth, until: Option<Instant>) -> Self {
        Self { client, auth, until, tokens: Tokens::default() }
    }

    /// The token for a scope, if the registry wants one, and whether it was kept from before.
    pub(crate) async fn token(
        &self,
        bare: &reqwest::Client,
        base: &str,
        scope: &str,
    ) -> Result<(Option<SecretString>, bool), OciDistributionError> {
        let known = self.tokens.0.lock().unwrap_or_else(PoisonError::into_inner).get(scope).cloned();
        if let Some((token, _)) = known.filter(|(_, until)| Instant::now() < *until) {
            return Ok((token, true));
        }
        let traded = exchange::trade(bare, base, scope, &self.auth).await?;
        let life = traded.as_ref().map_or(NO_TOKEN_LIFE, |traded| traded.life);
        let token = traded.map(|traded| traded.token);
        let mut all = self.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_TOKENS {
            all.clear();
        }
        all.insert(scope.to_owned(), (token.clone(), Instant::now() + life));
        Ok((token, false))
    }

    /// Forgets the token for a scope, which was refused.
    pub(crate) fn forget_token(&self, scope: &str) {
        self.tokens.0.lock().unwrap_or_else(PoisonError::into_inner).remove(scope);
    }
}

fn client(access: &Access, timeouts: Timeouts) -> Result<Client, OciDistributionError> {
    let proxy = access.proxy.as_ref().map(|proxy| proxy.expose_secret().to_owned());
    let root = |pem: &Vec<u8>| Certificate { encoding: CertificateEncoding::Pem, data: pem.clone() };
    // Not `Client::new`, which carries on with defaults when the configuration is bad.
    Client::try_from(ClientConfig {
        protocol: match access.transport {
            Transport::Https => ClientProtocol::Https,
            Transport::Http => ClientProtocol::Http,
        },
        connect_timeout: Some(timeouts.connect),
        // Whoever asks waits no longer than for one answer altogether; this only ends what nobody waits for.
        read_timeout: Some(timeouts.total * 2),
        user_agent: concat!("tagferry/", env!("CARGO_PKG_VERSION")),
        extra_root_certificates: access.roots.iter().map(root).collect(),
        http_proxy: proxy.clone(),
        https_proxy: proxy,
        ..ClientConfig::default()
    })
}
