//! The registry as its owner holds it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use domain::image::Digest;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    http,
    image::{Image, InvalidImage},
    notification::Notifier,
    referrers::{self, Referrers},
    shared::Shared,
};
use crate::traffic::{Fault, Recorded};

/// How a registry is started; the default suits a test.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; port 0 for any free one.
    pub listen: SocketAddr,
    /// Who may use it; `None` for everybody.
    pub user: Option<User>,
    /// Who is told what happens.
    pub notifications: Vec<Endpoint>,
    /// How long to wait after an endpoint failed for the first time; doubled each time, up to one second.
    pub backoff: Duration,
    /// How what refers to an image is found.
    pub referrers: Referrers,
}

/// The one user of a registry that is not open to everybody.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

/// Somebody who is told what happens.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where notifications are posted to.
    pub url: String,
    /// The entire value of the `Authorization` header; `None` for no such header.
    pub authorization: Option<String>,
}

/// Why a registry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not to be had.
    #[error("listening on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The client that posts notifications could not be made.
    #[error("setting up notifications")]
    Notifications(#[source] reqwest::Error),
    /// A file that the flags name can not be read.
    #[error("reading {}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A running registry. Dropping it stops it at once; [`shutdown`](Self::shutdown) waits until everything has ended.
#[derive(Debug)]
pub struct SandboxRegistry {
    host: String,
    shared: Arc<Shared>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl SandboxRegistry {
    /// Starts a registry.
    ///
    /// # Errors
    ///
    /// The address is taken, or no HTTP client could be made.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let listen = |source| Error::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let host = listener.local_addr().map_err(listen)?.to_string();
        let stop = CancellationToken::new();
        let notifier = Notifier::new(options.backoff, stop.child_token())?;
        notifier.replace(options.notifications);
        let shared = Arc::new(Shared::new(host.clone(), (options.user, options.referrers), notifier, stop.clone()));
        let server = tokio::spawn(http::serve(listener, Arc::clone(&shared)));
        Ok(Self { host, shared, stop, server })
    }

    /// Its address as image references spell it: `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Pushes an image, as a client would: its blobs and its manifests, the last one by tag.
    ///
    /// The same image has the same digest, whenever and wherever it is pushed.
    ///
    /// # Errors
    ///
    /// The repository's name or the tag is illegal.
    pub fn push_image(&self, repository: &str, tag: &str, image: &Image) -> Result<Digest, InvalidImage> {
        image.push(&self.shared, repository, tag)
    }

    /// Attaches a Sigstore bundle to an image, as `cosign` and `actions/attest` do; gives the digest of the manifest.
    ///
    /// # Errors
    ///
    /// The repository's name is illegal.
    pub fn attach(&self, repository: &str, digest: &Digest, bundle: &[u8]) -> Result<Digest, InvalidImage> {
        referrers::attach(&self.shared, repository, digest, bundle)
    }

    /// Tells this endpoint what happens from now on, and no other; what was not delivered yet is lost.
    pub fn set_notifications(&self, url: &str, authorization: Option<&str>) {
        self.shared
            .notifier
            .replace(vec![Endpoint { url: url.to_owned(), authorization: authorization.map(str::to_owned) }]);
    }

    /// Waits until every notification so far was taken by its endpoint.
    pub async fn notified(&self) {
        self.shared.notifier.idle().await;
    }

    /// Adds a fault for requests to come; the first that meets a request decides.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.record.add_fault(fault);
    }

    /// Takes all faults back; what they hold up already stays held up.
    pub fn clear_faults(&self) {
        self.shared.record.clear_faults();
    }

    /// The requests so far, but those to `/_sim`; of very many the last ones.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.record.requests()
    }

    /// Runs until somebody else stops it.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Stops it and waits until nothing of it is left; notifications that were not taken are lost.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.server).await {
            tracing::error!(%error, "the sandbox registry broke");
        }
        self.shared.notifier.ended().await;
    }
}

impl Drop for SandboxRegistry {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            user: None,
            notifications: Vec::new(),
            backoff: Duration::from_millis(50),
            referrers: Referrers::default(),
        }
    }
}

impl std::fmt::Debug for User {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Endpoint {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).finish_non_exhaustive()
    }
}
