//! Starts everything, and stops it in order.

mod waiting;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::Utc;
use domain::{
    application::{Application, Demand},
    fault::{Chain, Fault},
    forge::Repository,
};
use identity::Verifier;
use reconciler::{Planner, Reconciler, Stop, Witnesses};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::{self, ApiToken, Config, LimitSettings, WriteSettings},
    connections,
    http::{self, Door, Limits, REPORTS, Reports, Shared, State, Tally},
};

/// How long requests and passes that have begun may take to end after a request to stop. Then requests are left, and
/// passes broken off and handed back. Kubernetes waits 30 seconds by default.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to hand back what is broken off.
const HANDING_BACK: Duration = Duration::from_secs(5);

/// The service with its door open and its workers not yet at work.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    address: SocketAddr,
    limits: LimitSettings,
    store: Opened,
    parts: Parts,
}

/// The store, or where it is to be found once it is there.
#[derive(Debug)]
enum Opened {
    Already(store::Store),
    NotYet(SecretString),
}

/// What the service is put together from once the store is there.
#[derive(Debug)]
struct Parts {
    planner: Planner,
    settings: reconciler::Settings,
    forge: forge::Forge,
    doors: BTreeMap<String, Door>,
    reports: Option<Reports>,
    applications: Vec<Application>,
    watched: BTreeSet<Repository>,
    tokens: Vec<ApiToken>,
    limits: Limits,
}

/// Why the service can not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration can not be used.
    #[error("the configuration can not be used")]
    Config(#[from] config::Error),
    /// The store can not be opened.
    #[error("opening the store (store.url)")]
    Store(#[from] store::Error),
    /// The settings of the forge can not be used.
    #[error("setting up the forge (github)")]
    Forge(#[from] forge::Error),
    /// The settings of the registries can not be used.
    #[error("setting up the registries (registries)")]
    Registry(#[from] registry::Error),
    /// The keys of workflows' tokens can not be fetched from here.
    #[error("setting up the reports of builds (github.actions)")]
    Identity(#[from] identity::Error),
    /// Nothing can be kept in the directory for clones.
    #[error("making the directory {} (server.data_dir)", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The door can not be handed over.
    #[error("handing the door over once the store is there")]
    Door(#[source] std::io::Error),
    /// The address to listen on is not to be had.
    #[error("listening on {address} (server.listen)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

impl Service {
    /// Opens the door, and the store if that is there already.
    ///
    /// # Errors
    ///
    /// A setting can not be used; the error names it.
    pub async fn start(config: &Config) -> Result<Self, Error> {
        let parts = Parts::new(config)?;
        let address = config.store.address()?;
        let store = match store::Store::open(address.expose_secret(), Utc::now()).await {
            Ok(store) => Opened::Already(store),
            Err(error) if error.fault() == Fault::Permanent => return Err(Error::Store(error)),
            Err(error) => {
                warn!(error = %Chain(&error), "the store (store.url) is not there yet; until it is, deliveries are refused");
                Opened::NotYet(address)
            }
        };
        let listen = config.server.listen;
        let failed = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, limits: config.server.limits, store, parts })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Works until `stop` is cancelled. Then it says that it is not ready, and begins nothing; a moment later it takes no
    /// more connections; what has begun is finished or, after some seconds, left to others.
    ///
    /// # Errors
    ///
    /// The store can not be closed.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let Self { listener, address, limits, store, parts } = self;
        info!(%address, "serving");
        let (listener, store) = match store {
            Opened::Already(store) => (listener, store),
            Opened::NotYet(place) => match waiting::for_store(listener, &place, limits, &stop).await? {
                Some(there) => there,
                None => return Ok(()),
            },
        };
        let (state, reconciler) = parts.assemble(store.clone());
        let (closing, readiness) = (CancellationToken::new(), Arc::clone(state.readiness()));
        let workers = Stop { asked: stop.clone(), at_once: CancellationToken::new() };
        let ending = async {
            stop.cancelled().await;
            info!("stopping: nothing new is begun");
            readiness.withdraw().await;
            closing.cancel();
            tokio::time::sleep(PATIENCE).await;
            workers.at_once.cancel();
            std::future::pending::<()>().await;
        };
        let door = async {
            tokio::select! {
                () = connections::serve(listener, http::router(state), limits, &closing) => {}
                // A client that never finishes its request does not keep the service from stopping.
                () = workers.at_once.cancelled() => {}
            }
        };
        let mut work = tokio::spawn(reconciler.run(workers.clone()));
        let work = async {
            tokio::select! {
                ended = &mut work => return Ok(ended),
                () = workers.at_once.cancelled() => {}
            }
            tokio::time::timeout(HANDING_BACK, work).await
        };
        let ended = tokio::select! {
            () = ending => Ok(Ok(())),
            ((), ended) = async { tokio::join!(door, work) } => ended,
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the workers ended unexpectedly"),
            Err(_elapsed) => warn!("passes are left unfinished; they are repeated when their lease is over"),
        }
        store.close().await?;
        info!("stopped");
        Ok(())
    }
}

impl Parts {
    fn new(config: &Config) -> Result<Self, Error> {
        let applications = config.applications()?;
        let watched = config.watched()?;
        let doors: BTreeMap<_, _> =
            config.senders()?.into_iter().map(|(name, sender)| (name, Door::from(sender))).collect();
        let reports = reports(config, &applications)?;
        let data_dir = config.server.data_dir.join("git");
        if config.github.write == WriteSettings::Git {
            std::fs::create_dir_all(&data_dir).map_err(|source| Error::DataDir { path: data_dir.clone(), source })?;
        }
        let forge = forge(config, data_dir)?;
        let planner = asking(config, forge.clone(), &config.server.data_dir.join("mirrors"))?;
        let settings = reconciler::Settings {
            lease: config.store.lease,
            poll_interval: config.github.poll_interval,
            missed_interval: config.reconciliation.interval,
            keep: reconciler::Keep { bodies: config.store.keep.bodies, deliveries: config.store.keep.deliveries },
            ..reconciler::Settings::default()
        };
        let names = doors.keys().map(String::as_str).chain(reports.iter().map(|_| REPORTS));
        let limits = Limits::new(&config.server.limits, names);
        let tokens = config.api.tokens.clone();
        Ok(Self { planner, settings, forge, doors, reports, applications, watched, tokens, limits })
    }

    fn assemble(self, store: store::Store) -> (State, Arc<Reconciler>) {
        let Self { planner, settings, forge, doors, reports, applications, watched, tokens, limits } = self;
        let reconciler = Arc::new(Reconciler::new(store.clone(), planner, settings));
        let state = State::new(Shared {
            store,
            waker: reconciler.waker(),
            reconciler: Some(Arc::clone(&reconciler)),
            forge,
            doors,
            reports,
            applications,
            watched,
            tokens,
            limits,
            strangers: Tally::default(),
            readiness: Arc::default(),
        });
        (state, reconciler)
    }
}

/// Looks at what the service would do, without it and without its database.
///
/// Clones of GitOps repositories go into `data_dir`, which no other process may use.
///
/// # Errors
///
/// A setting can not be used; the error names it. That of the store is not looked at.
pub fn planner(config: &Config, data_dir: PathBuf) -> Result<Planner, Error> {
    let mirrors = data_dir.join("mirrors");
    asking(config, forge(config, data_dir)?, &mirrors)
}

fn asking(config: &Config, forge: forge::Forge, data_dir: &Path) -> Result<Planner, Error> {
    let witnesses =
        Witnesses { attesters: config.attesters()?, gates: config.gates()?, mirrors: config.mirrors(data_dir)? };
    Ok(Planner::new(forge, registries(config)?, witnesses, config.applications()?))
}

fn forge(config: &Config, data_dir: PathBuf) -> Result<forge::Forge, Error> {
    let mut settings = forge::Settings::new(config.github.api_url.clone(), config.github.credentials()?, data_dir);
    settings.git_url.clone_from(&config.github.git_url);
    settings.spending = config.github.limits.into();
    // Only who makes labels and statuses needs the permission to.
    let applications = config.applications()?;
    if applications.iter().any(|application| !application.pull_request.labels.is_empty()) {
        settings.extras.push(forge::Extra::Labels);
    }
    if applications.iter().any(|application| application.pull_request.verdict_status) {
        settings.extras.push(forge::Extra::Statuses);
    }
    if applications.iter().any(|application| application.verify.provenance.demand == Demand::Required) {
        settings.extras.push(forge::Extra::Attestations);
    }
    settings.write = config.github.write()?;
    settings.author = config.github.author();
    Ok(forge::Forge::new(settings)?)
}

fn registries(config: &Config) -> Result<registry::Registries, Error> {
    Ok(registry::Registries::new(config.registries()?, registry::Timeouts::default())?)
}

/// How workflows report builds, if any may.
fn reports(config: &Config, applications: &[Application]) -> Result<Option<Reports>, Error> {
    let Some(actions) = &config.github.actions else { return Ok(None) };
    Ok(Some(Reports {
        verifier: Verifier::new(actions.identity())?,
        policy: actions.policy(applications),
        tally: Tally::default(),
    }))
}
