//! The routes. Nothing behind them knows HTTP.

mod applications;
mod builds;
mod caller;
mod deliveries;
mod document;
mod error;
mod health;
mod hooks;
mod limits;
mod page;
mod rate;
mod readiness;
mod releases;
mod room;
mod segment;
mod tally;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Json, Router, middleware, routing::get};
use domain::{application::Application, forge};
use reconciler::{Reconciler, Waker};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::error::Problem;
pub(crate) use self::{
    builds::{Reports, SENDER as REPORTS},
    limits::Limits,
    readiness::Readiness,
    tally::Tally,
};
use crate::config::{ApiToken, Sender};

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
    /// Who knows which hosts do not answer; nobody where nothing is asked.
    pub(crate) reconciler: Option<Arc<Reconciler>>,
    /// The Git host, which heeds what it announces of our own access.
    pub(crate) forge: ::forge::Forge,
    /// Who is let in, by name.
    pub(crate) doors: BTreeMap<String, Door>,
    /// How workflows report builds; `None` when they may not.
    pub(crate) reports: Option<Reports>,
    /// What pushes may be of.
    pub(crate) applications: Vec<Application>,
    /// The repositories that pull requests are in; what happens elsewhere is of no interest.
    pub(crate) watched: BTreeSet<forge::Repository>,
    /// Who may ask.
    pub(crate) tokens: Vec<ApiToken>,
    /// Who asked and may not.
    pub(crate) strangers: Tally,
    /// How much more is taken.
    pub(crate) limits: Limits,
    /// Whether anything more should come.
    pub(crate) readiness: Arc<Readiness>,
}

/// Where one sender comes in.
#[derive(Debug)]
pub(crate) struct Door {
    /// Who it is for, and what opens it.
    pub(crate) sender: Sender,
    /// What was not taken there.
    pub(crate) tally: Tally,
}

impl From<Sender> for Door {
    fn from(sender: Sender) -> Self {
        Self { sender, tally: Tally::default() }
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

    /// Whether anything more should come.
    pub(crate) fn readiness(&self) -> &Arc<Readiness> {
        &self.0.readiness
    }

    fn waker(&self) -> &Waker {
        &self.0.waker
    }

    fn reconciler(&self) -> Option<&Reconciler> {
        self.0.reconciler.as_deref()
    }

    fn forge(&self) -> &::forge::Forge {
        &self.0.forge
    }

    fn door(&self, sender: &str) -> Option<&Door> {
        self.0.doors.get(sender)
    }

    fn reports(&self) -> Option<&Reports> {
        self.0.reports.as_ref()
    }

    fn applications(&self) -> &[Application] {
        &self.0.applications
    }

    fn watched(&self) -> &BTreeSet<forge::Repository> {
        &self.0.watched
    }

    fn tokens(&self) -> &[ApiToken] {
        &self.0.tokens
    }

    fn strangers(&self) -> &Tally {
        &self.0.strangers
    }

    fn limits(&self) -> &Limits {
        &self.0.limits
    }
}

/// The routes while the store is not there: that the process lives, and why nothing else is to be had.
pub(crate) fn waiting_router() -> Router {
    let waiting = async || Problem::no_store();
    Router::new().route("/healthz", get(health::alive)).fallback(waiting)
}

/// All routes.
pub(crate) fn router(state: State) -> Router {
    let asked = OpenApiRouter::new()
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::replay))
        .routes(routes!(releases::list))
        .routes(routes!(applications::list))
        .routes(routes!(releases::show))
        .route_layer(middleware::from_fn_with_state(state.clone(), limits::enter));
    let (router, document) = OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(hooks::receive, hooks::ask))
        .route_layer(middleware::from_fn_with_state(state.clone(), limits::meter))
        .routes(routes!(builds::report))
        .merge(asked)
        // However much is to do, it can be seen that the service lives.
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .split_for_parts();
    router
        .route("/openapi.json", get(async || Json(document)))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(state)
}
