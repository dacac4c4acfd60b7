//! What is looked at from time to time without anybody saying so: each by one replica for all of them.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{application::Application, fault::Chain};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{Error, Reconciler};

/// The longest time between two looks at what is due.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How many such looks there are in the shortest interval: that is how late one may be.
const LOOKS: u32 = 4;

/// How often it is looked for what is too old.
const KEEPING: Duration = Duration::from_secs(60 * 60);

/// What is looked at.
#[derive(Clone, Copy, Debug)]
enum Round {
    /// The tags of what is deployed.
    Recheck,
    /// What nobody told us.
    Missed,
}

impl Round {
    const ALL: [Self; 2] = [Self::Recheck, Self::Missed];

    const fn name(self) -> &'static str {
        match self {
            Self::Recheck => "recheck",
            Self::Missed => "missed",
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Recheck => "whether the tags of what is deployed are what they were",
            Self::Missed => "what nobody told us",
        }
    }
}

impl Reconciler {
    /// Looks at everything in turn, until `stop` is cancelled.
    pub(crate) async fn rounds(&self, stop: &CancellationToken) {
        let intervals = self.outside.applications.iter();
        let intervals = intervals.flat_map(|one| Round::ALL.map(|round| self.interval(one, round)));
        let pause = intervals.flatten().min().map_or(LONGEST_PAUSE, |shortest| (shortest / LOOKS).min(LONGEST_PAUSE));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.all_that_is_due() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                // Replicas do not look at the same moment.
                () = tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())) => {}
            }
        }
    }

    async fn all_that_is_due(&self) {
        if let Err(error) = self.look_at_all().await {
            self.complaint.make(&error);
        }
    }

    /// Goes on past what could not be looked at, unless the store can not say what is due.
    async fn look_at_all(&self) -> Result<(), store::Error> {
        self.make_room().await?;
        for application in &self.outside.applications {
            for round in Round::ALL {
                let Some(interval) = self.interval(application, round) else { continue };
                if !self.begin(application, round, interval).await? {
                    continue;
                }
                if let Err(error) = self.go(application, round).await {
                    let (name, error) = (application.name(), Chain(&error));
                    warn!(application = %name, %error, "{} could not be looked at; it is later", round.what());
                }
            }
        }
        Ok(())
    }

    /// Takes away what is older than it is to be kept, a little at a time.
    async fn make_room(&self) -> Result<(), store::Error> {
        let (now, keep) = (self.store.now(), self.settings.keep);
        let before = |age: Option<Duration>| now.checked_sub_signed(TimeDelta::from_std(age?).ok()?);
        let (bodies, deliveries) = (before(keep.bodies), before(keep.deliveries));
        if bodies.is_none() && deliveries.is_none() {
            return Ok(());
        }
        if self.store.begin_round("keeping", now, self.later(KEEPING)).await? {
            while self.store.keep(bodies, deliveries).await? {}
        }
        Ok(())
    }

    async fn go(&self, application: &Application, round: Round) -> Result<(), Error> {
        debug!(application = %application.name(), "looking at {}", round.what());
        match round {
            Round::Recheck => self.recheck(application).await,
            Round::Missed => self.look_for_missed(application).await,
        }
    }

    async fn begin(&self, application: &Application, round: Round, interval: Duration) -> Result<bool, store::Error> {
        let now = self.store.now();
        let next = self.later(interval.mul_f64(0.75 + fastrand::f64() / 2.0));
        self.store.begin_round(&format!("{} {}", round.name(), application.name()), now, next).await
    }

    const fn interval(&self, application: &Application, round: Round) -> Option<Duration> {
        match round {
            Round::Recheck => application.verify.recheck,
            Round::Missed => self.settings.missed_interval,
        }
    }
}
