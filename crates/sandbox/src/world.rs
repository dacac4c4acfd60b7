//! Everything that the forge knows, apart from what Git knows.
//!
//! One [`World`] lives behind one mutex. Its methods are blocking and complete: when one returns, references, pull
//! requests and webhooks agree. Nothing here knows HTTP.

pub(crate) mod activity;
pub(crate) mod app;
pub(crate) mod attestation;
pub(crate) mod branches;
pub(crate) mod check;
pub(crate) mod event;
pub(crate) mod proposing;
pub(crate) mod pull_request;
pub(crate) mod repository;
pub(crate) mod rules;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    clock::Clock,
    git::{Bare, Oid},
    refusal::Refusal,
    webhook::{Delivery, Target},
};
use app::{App, InstallationToken};
use repository::{Key, Repository};

/// The state of the forge.
#[derive(Debug)]
pub(crate) struct World {
    /// Where the forge answers, without a slash at the end.
    pub(crate) url: String,
    /// The directory of the repositories.
    pub(crate) data: PathBuf,
    pub(crate) app: App,
    pub(crate) tokens: BTreeMap<String, InstallationToken>,
    /// Personal tokens and the accounts they belong to.
    pub(crate) personal_tokens: BTreeMap<String, String>,
    pub(crate) repositories: BTreeMap<Key, Repository>,
    /// Where webhooks go.
    pub(crate) target: Option<Target>,
    pub(crate) outbox: UnboundedSender<Delivery>,
    pub(crate) timers: UnboundedSender<Timer>,
    pub(crate) clock: Clock,
    last_id: u64,
}

/// A check that will conclude by itself.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    pub(crate) after: Duration,
    pub(crate) repository: Key,
    pub(crate) sha: Oid,
    pub(crate) check: check::Report,
}

/// What a world is made with.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) app: App,
    pub(crate) personal_tokens: BTreeMap<String, String>,
    pub(crate) target: Option<Target>,
    pub(crate) outbox: UnboundedSender<Delivery>,
    pub(crate) timers: UnboundedSender<Timer>,
}

impl World {
    /// A world without repositories.
    pub(crate) fn new(beginning: Beginning) -> Self {
        Self {
            url: beginning.url,
            data: beginning.data,
            app: beginning.app,
            tokens: BTreeMap::new(),
            personal_tokens: beginning.personal_tokens,
            repositories: BTreeMap::new(),
            target: beginning.target,
            outbox: beginning.outbox,
            timers: beginning.timers,
            clock: beginning.clock,
            last_id: 1000,
        }
    }

    /// The time in this world, in whole seconds.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A number that nothing else has.
    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A repository that must exist.
    pub(crate) fn repository(&self, key: &Key) -> Result<&Repository, Refusal> {
        self.repositories.get(key).ok_or_else(Refusal::not_found)
    }

    /// A repository that must exist, to change it.
    pub(crate) fn repository_mut(&mut self, key: &Key) -> Result<&mut Repository, Refusal> {
        self.repositories.get_mut(key).ok_or_else(Refusal::not_found)
    }

    /// Adds a repository, or opens what an earlier run left in the data directory.
    pub(crate) fn add_repository(&mut self, key: Key, default_branch: &str) -> Result<(), Refusal> {
        let directory = self.data.join(key.owner()).join(format!("{}.git", key.name()));
        let git = Bare::open_or_init(directory, default_branch)?;
        let tips = git.tips()?;
        let id = self.fresh_id();
        let repository = Repository::new(id, key.clone(), git, tips, self.now())?;
        self.app.install_for(key.owner());
        self.repositories.insert(key, repository);
        Ok(())
    }
}
