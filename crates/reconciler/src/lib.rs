//! Observes, asks the domain for the next step, performs it, records it; again.
//!
//! A pass takes no input but the name of what to look at: a wake-up, a timer, a restart and a second replica run
//! the same code. What is to be looked at next, and when, is in the store; the [`Waker`] only ends a sleep early
//! and carries no data. Nothing here decides: [`domain::promotion::next_step`] does. Read the modules in this order:
//!
//! - `run`: workers that claim what is due; `lanes` shares them, `lease` has each keep what it
//!   claimed; `news` is what replicas tell each other.
//! - `outside`, `source`, `images`, `attesters`, `overlays`, `required` and `kept`: what the registries and the forge are
//!   asked.
//! - `intake`: an announcement becomes a build, or is kept with the reason why not.
//! - `rounds`: what is looked at from time to time: `moved`, whether tags are still what they were, and `missed`, what
//!   nobody told us.
//! - `observe`: everything that a promotion's next step depends on.
//! - `perform`: the step's effects, each repeatable.
//! - `plan`: what would be done, with nothing done.
//! - `verify`: the evidence about any image.
//! - `backoff`: when to try again after a failure.

mod attesters;
mod backoff;
mod complaint;
mod error;
mod images;
mod intake;
mod kept;
mod lanes;
mod lease;
mod missed;
mod moved;
mod news;
mod observe;
mod outside;
mod overlays;
mod perform;
mod plan;
mod remarks;
mod required;
mod rounds;
mod run;
mod source;
mod survey;
mod verify;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

pub use self::{
    attesters::Attesters,
    error::Error,
    outside::Witnesses,
    overlays::Rewritten,
    plan::{Draft, Named, Planned, PlannedRelease, Planner},
    survey::{Finding, Mark},
    verify::{Image, Verified},
};
use self::{complaint::Complaint, lanes::Lanes, outside::Outside};

/// Everything that a pass works with.
#[derive(Debug)]
pub struct Reconciler {
    store: store::Store,
    outside: Outside,
    settings: Settings,
    waker: Waker,
    lanes: Lanes,
    complaint: Complaint,
    /// One claims at a time, by what the others are busy with.
    claiming: Mutex<()>,
}

/// How the work is done.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many passes run at the same time.
    pub workers: usize,
    /// How long a worker has a piece of work, from when it was last heard of, before another may take it.
    pub lease: Duration,
    /// How soon to look again at what may change without telling us.
    pub poll_interval: Duration,
    /// How often to look for what nobody told us; `None` for never.
    pub missed_interval: Option<Duration>,
    /// How long what senders said is kept.
    pub keep: Keep,
}

/// How long what senders said is kept; `None` for as long as there is room.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// The bodies of deliveries, byte by byte.
    pub bodies: Option<Duration>,
    /// What they said, and what became of it.
    pub deliveries: Option<Duration>,
}

/// How the workers are told to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Nothing new is begun.
    pub asked: CancellationToken,
    /// What was begun is broken off and handed back, for others to do.
    pub at_once: CancellationToken,
}

/// Ends the sleep of the workers, here and in other replicas, since something may be due.
#[derive(Clone, Debug, Default)]
pub struct Waker {
    here: Arc<Notify>,
    elsewhere: Arc<Notify>,
}

impl Default for Settings {
    /// Most of a pass is waiting for answers, so that there are many at once; `lanes` says how they are shared. A lease is
    /// renewed while its holder lives: a minute is how long the work of one that died waits.
    fn default() -> Self {
        Self {
            workers: 24,
            lease: Duration::from_secs(60),
            poll_interval: Duration::from_secs(60),
            missed_interval: None,
            keep: Keep::default(),
        }
    }
}

impl Waker {
    /// Wakes one worker; it wakes the next when it finds work. A wake-up while none sleeps is kept for the next.
    pub fn wake(&self) {
        self.wake_here();
        self.elsewhere.notify_one();
    }

    fn wake_here(&self) {
        self.here.notify_one();
    }

    async fn woken(&self) {
        self.here.notified().await;
    }

    /// Returns when there is something to tell other replicas.
    async fn to_be_told(&self) {
        self.elsewhere.notified().await;
    }
}

impl Reconciler {
    /// Puts the parts together; whom the planner asks, the passes ask. Nothing runs yet.
    #[must_use]
    pub fn new(store: store::Store, planner: Planner, settings: Settings) -> Self {
        Self {
            store,
            outside: planner.into_outside(),
            settings,
            waker: Waker::default(),
            lanes: Lanes::default(),
            complaint: Complaint::default(),
            claiming: Mutex::default(),
        }
    }

    /// Who does not answer and is left alone for a while: what it is called, and since when that is.
    #[must_use]
    pub fn away(&self) -> Vec<(String, DateTime<Utc>)> {
        let registries = self.outside.registries.away().into_iter();
        let registries = registries.map(|(repository, since)| (format!("the registry of {repository}"), since));
        self.outside.forge.away().into_iter().chain(registries).collect()
    }

    /// What wakes the workers.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }
}
