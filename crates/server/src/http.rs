//! The routes. Nothing behind them knows HTTP.

mod caller;
mod deliveries;
mod error;
mod health;
mod hooks;
mod page;
mod releases;
mod segment;
mod tally;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    routing::{get, post},
};
use reconciler::Waker;
use registry::webhook::Secrets;
use secrecy::SecretString;

pub(crate) use self::tally::Tally;
use crate::config::{ApiToken, Sender, SenderKind};

/// What the routes work with; cloning it is cheap.
#[derive(Clone, Debug)]
pub(crate) struct State(Arc<Shared>);

/// The parts of that.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Where everything is remembered.
    pub(crate) store: store::Store,
    /// What wakes the workers.
    pub(crate) waker: Waker,
    /// Who is let in, by name.
    pub(crate) doors: BTreeMap<String, Door>,
    /// The repositories that pull requests are in; what happens elsewhere is of no interest.
    pub(crate) gitops: BTreeSet<domain::forge::Repository>,
    /// Who may ask.
    pub(crate) tokens: Vec<ApiToken>,
    /// Who asked and may not.
    pub(crate) strangers: Tally,
}

/// Where one sender comes in.
#[derive(Debug)]
pub(crate) struct Door {
    /// What opens it.
    pub(crate) lock: Lock,
    /// What was not taken there.
    pub(crate) tally: Tally,
}

/// How a sender is let in and understood.
#[derive(Debug)]
pub(crate) enum Lock {
    /// A CNCF Distribution registry.
    Distribution {
        /// Any of them is the whole value of its `Authorization` header.
        secrets: Secrets,
        /// The host name to use instead of the message's.
        registry: Option<domain::image::Host>,
    },
    /// GitHub's webhooks.
    GitHub {
        /// Any of them is the key of its signature.
        secrets: Vec<SecretString>,
    },
}

impl From<Sender> for Door {
    fn from(sender: Sender) -> Self {
        let lock = match sender.kind {
            SenderKind::Distribution => Lock::Distribution {
                secrets: Secrets::new(sender.secrets)
                    .expect("no secret of the configuration is empty, and there is one"),
                registry: sender.registry,
            },
            SenderKind::GitHub => Lock::GitHub { secrets: sender.secrets },
        };
        Self { lock, tally: Tally::default() }
    }
}

impl State {
    /// Shares the parts.
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Where everything is remembered.
    pub(crate) fn store(&self) -> &store::Store {
        &self.0.store
    }

    fn waker(&self) -> &Waker {
        &self.0.waker
    }

    fn door(&self, sender: &str) -> Option<&Door> {
        self.0.doors.get(sender)
    }

    fn gitops(&self) -> &BTreeSet<domain::forge::Repository> {
        &self.0.gitops
    }

    fn tokens(&self) -> &[ApiToken] {
        &self.0.tokens
    }

    fn strangers(&self) -> &Tally {
        &self.0.strangers
    }
}

/// All routes.
pub(crate) fn router(state: State) -> Router {
    Router::new()
        .route("/v1/hooks/{sender}", post(hooks::receive))
        .route("/v1/deliveries", get(deliveries::list))
        .route("/v1/deliveries/{id}", get(deliveries::show))
        .route("/v1/releases", get(releases::list))
        .route("/v1/releases/{id}", get(releases::show))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(state)
}
