//! Controlling a sandbox: the same in the process, as methods of [`Control`], and over HTTP below `/_sim`.
//!
//! `GET /_sim/` answers the list of all calls. Bodies and answers are JSON; the types here say their fields.
//! A refusal has the status that the forge itself would give and `{"message": "…"}`.

mod attestations;
mod checks;
mod people;
mod pull_request;
mod repository;
mod routes;
mod rules;
mod traffic;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::forge::InvalidRepository;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::{
    error::Error,
    shared::Shared,
    webhook::Delivery,
    world::{Timer, repository::Key},
};

pub use people::{AppChange, AppView};
pub use pull_request::{PullRequestChange, PullRequestView};
pub use repository::{NewRepository, Push, RepositoryView};
pub use routes::ROUTES;
pub(crate) use routes::{list, router};

/// A handle that sees and changes everything in a sandbox, past all permissions.
///
/// Every method is also a call over HTTP: see [`ROUTES`]. Repositories are named `owner/name`. Methods fail with [`Error::Refused`] for what does not exist.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
    address: SocketAddr,
    app_private_key: Arc<str>,
    outbox: UnboundedSender<Delivery>,
}

impl Control {
    /// The handle of a sandbox that listens on an address.
    pub(crate) fn new(
        shared: Arc<Shared>,
        address: SocketAddr,
        app_private_key: String,
        outbox: UnboundedSender<Delivery>,
    ) -> Self {
        Self { shared, address, app_private_key: app_private_key.into(), outbox }
    }

    /// Where the forge answers: the base of its REST interface, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Git finds a repository.
    #[must_use]
    pub fn git_url(&self, repository: &str) -> String {
        format!("{}/{repository}.git", self.url())
    }

    /// The App's private key, as PEM.
    #[must_use]
    pub fn app_private_key(&self) -> &str {
        &self.app_private_key
    }

    /// Asks again after every change, and now and then, until there is an answer.
    ///
    /// # Errors
    /// [`Error::TooLate`] when there is none in time; `what` is said in its message.
    pub async fn until<T>(
        &self,
        what: &str,
        within: Duration,
        mut probe: impl AsyncFnMut(&Self) -> Option<T>,
    ) -> Result<T, Error> {
        let mut changes = self.shared.changes();
        let started = Instant::now();
        loop {
            changes.mark_unchanged();
            if let Some(found) = probe(self).await {
                return Ok(found);
            }
            let left = within.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(Error::TooLate { what: what.to_owned(), seconds: within.as_secs() });
            }
            // What a probe looks at may be outside the sandbox, so that it also looks now and then.
            if let Ok(Err(closed)) = tokio::time::timeout(left.min(MOMENT), changes.changed()).await {
                tracing::debug!(%closed, "nothing changes in a sandbox that is gone");
            }
        }
    }
}

/// How long nothing must happen until a probe looks again by itself.
const MOMENT: Duration = Duration::from_millis(50);

/// Lets checks conclude when their time has come, until the world ends.
pub(crate) async fn run_timers(mut timers: UnboundedReceiver<Timer>, shared: Arc<Shared>) {
    let mut running = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            timer = timers.recv() => match timer {
                Some(timer) => {
                    running.spawn(conclude(timer, Arc::clone(&shared)));
                }
                None => return,
            },
            Some(ended) = running.join_next() => if let Err(error) = ended {
                tracing::error!(%error, "a check did not conclude");
            },
        }
    }
}

async fn conclude(timer: Timer, shared: Arc<Shared>) {
    tokio::time::sleep(timer.after).await;
    let Timer { repository, sha, check, .. } = timer;
    let reported = shared.with(move |world| world.report(&repository, &sha, &check)).await;
    if let Err(refusal) = reported {
        tracing::warn!(reason = refusal.message, "a check did not conclude");
    }
}

/// A repository's name.
fn key(repository: &str) -> Result<Key, Error> {
    repository
        .parse()
        .map_err(|error: InvalidRepository| Error::Refused { status: 422, message: format!("{repository}: {error}") })
}
