//! Workers that claim what is due, one piece at a time, until they are told to stop.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::fault::{Chain, Fault};
use store::{Attempts, Claim, Subject};
use tokio::task::JoinSet;
use tracing::{Instrument as _, debug, error, info, info_span, warn};

use crate::{Error, Reconciler, Stop, backoff, lanes::Busy};

/// The longest sleep: should a wake-up ever be missed, the work is found after this.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How often in a row things may move while we act before people are told: more is not by chance.
const LONG_STALE: u32 = 3;

/// What is to become of a piece of work after a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It is settled and gone.
    Settled,
    /// It is to be looked at again then.
    Again(DateTime<Utc>),
}

impl Reconciler {
    /// Works until it is told to stop; what was begun is finished first, or handed back.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let mut workers = JoinSet::new();
        for _ in 0..self.settings.workers.max(1) {
            let (reconciler, stop) = (Arc::clone(&self), stop.clone());
            workers.spawn(reconciler.work(stop));
        }
        let (reconciler, looking) = (Arc::clone(&self), stop.asked.clone());
        workers.spawn(async move { reconciler.rounds(&looking).await });
        let (reconciler, listening) = (Arc::clone(&self), stop.asked.clone());
        workers.spawn(async move { reconciler.listen(&listening).await });
        let (reconciler, telling) = (Arc::clone(&self), stop.asked.clone());
        workers.spawn(async move { reconciler.tell(&telling).await });
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                error!(error = %error, "a worker ended unexpectedly; the others go on");
            }
        }
    }

    async fn work(self: Arc<Self>, stop: Stop) {
        while !stop.asked.is_cancelled() {
            let sleep = match self.claim().await {
                Ok(Some((claim, busy))) => {
                    self.complaint.withdraw();
                    // There may be more that is due: the next worker looks.
                    self.waker.wake_here();
                    self.handle_apart(claim, &stop).await;
                    drop(busy);
                    self.waker.wake_here();
                    continue;
                }
                Ok(None) => {
                    self.complaint.withdraw();
                    self.until_next_due().await
                }
                Err(error) => {
                    self.complaint.make(&error);
                    backoff::delay(error.fault(), 2, fastrand::f64())
                }
            };
            tokio::select! {
                () = stop.asked.cancelled() => {}
                () = self.waker.woken() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    async fn claim(&self) -> Result<Option<(Claim, Busy<'_>)>, store::Error> {
        let _one_at_a_time = self.claiming.lock().await;
        let now = self.store.time().await?;
        let claim = self.store.claim_due_beside(now, self.settings.lease, &self.lanes.full()).await?;
        Ok(claim.map(|claim| {
            let busy = self.lanes.enter(&claim);
            (claim, busy)
        }))
    }

    /// How long nothing will be due.
    async fn until_next_due(&self) -> Duration {
        let now = self.store.now();
        match self.store.next_due_beside(now, &self.lanes.full()).await {
            Ok(Some(at)) => (at - now).to_std().unwrap_or(Duration::ZERO).min(LONGEST_SLEEP),
            Ok(None) => LONGEST_SLEEP,
            Err(error) => {
                warn!(fault = error.fault().as_str(), error = %Chain(&error), "the store cannot be asked when work is due");
                LONGEST_SLEEP
            }
        }
    }

    /// Does what a claim is about in a task of its own: should it panic, that costs one attempt and no worker. It is
    /// broken off when the claim is lost, for whoever has it now does the same, and when there is no more time.
    async fn handle_apart(self: &Arc<Self>, claim: Claim, stop: &Stop) {
        let claim = Arc::new(claim);
        let (reconciler, held) = (Arc::clone(self), Arc::clone(&claim));
        let mut pass = tokio::spawn(async move { reconciler.handle(&held).await });
        tokio::select! {
            biased;
            ended = &mut pass => {
                let Err(broken) = ended else { return };
                error!(error = %broken, "a pass broke off; this is a defect. It is repeated later");
                self.give_back(&claim, backoff::delay(Fault::Permanent, claim.attempts, fastrand::f64()), Attempts::Failed).await;
            }
            () = self.until_lost(&claim) => {
                pass.abort();
                debug!("a pass is broken off: its lease passed on");
            }
            () = stop.at_once.cancelled() => {
                pass.abort();
                // It does nothing any more when its work is given to others.
                drop(pass.await);
                info!("a pass is broken off and handed back: there is no more time");
                self.give_back(&claim, Duration::ZERO, Attempts::Kept).await;
                // Nobody is left here who would tell the others.
                if let Err(error) = self.store.tell().await {
                    debug!(error = %Chain(&error), "the other replicas are not told; they look by a timer");
                }
            }
        }
    }

    /// Hands back what is not worked on any more.
    async fn give_back(&self, claim: &Claim, delay: Duration, attempts: Attempts) {
        match self.store.hand_back(claim, self.later(delay), attempts).await {
            // What had just ended needs nothing.
            Ok(()) | Err(store::Error::ClaimLost) => self.waker.wake(),
            Err(error) => {
                warn!(error = %Chain(&error), "the work cannot be handed back; it is taken up again when the lease ends");
            }
        }
    }

    /// Does what a claim is about and hands it back.
    async fn handle(&self, claim: &Claim) {
        let span = match claim.subject {
            Subject::Announcement(id) => info_span!("announcement", announcement.id = %id),
            Subject::Promotion(id) => info_span!("pass", promotion.id = %id),
        };
        async {
            let outcome = match claim.subject {
                Subject::Announcement(id) => self.take_in(claim, id).await,
                Subject::Promotion(id) => self.pass(claim, id).await,
            };
            let handed_back = match outcome {
                Ok(After::Settled) => Ok(()),
                Ok(After::Again(at)) => self.store.hand_back(claim, at, Attempts::Reset).await.map_err(Error::from),
                Err(error) if error.is_lost_claim() => Err(error),
                Err(error) => self.put_off(claim, &error).await,
            };
            match handed_back {
                Ok(()) => {}
                Err(error) if error.is_lost_claim() => debug!("another worker has this work now"),
                Err(error) => warn!(
                    fault = error.fault().as_str(),
                    error = %Chain(&error),
                    "the work cannot be handed back; it is taken up again when the lease ends"
                ),
            }
        }
        .instrument(span)
        .await;
        self.waker.wake();
    }

    /// Hands work back that failed, to be tried again later; says so in the ledger.
    async fn put_off(&self, claim: &Claim, failure: &Error) -> Result<(), Error> {
        let fault = failure.fault();
        let why = Chain(failure).to_string();
        let attempts = claim.attempts;
        let explained = if fault == Fault::Stale && attempts < LONG_STALE {
            debug!(fault = fault.as_str(), attempts, error = why, "things moved while we acted; looking again");
            Ok(())
        } else {
            warn!(fault = fault.as_str(), attempts, error = why, "a pass failed and is repeated later");
            self.explain(claim, why + stubborn(attempts)).await
        };
        let at = self.later(backoff::delay(fault, attempts, fastrand::f64()));
        self.store.hand_back(claim, at, Attempts::Failed).await?;
        explained
    }

    /// Says where people look why nothing happens.
    async fn explain(&self, claim: &Claim, why: String) -> Result<(), Error> {
        match claim.subject {
            Subject::Announcement(_) => Ok(self.store.explain_announcement(claim, &why).await?),
            Subject::Promotion(_) => {
                let note = store::Note { what: store::WAITING, why, link: None };
                Ok(self.store.note(claim, &note, self.store.now()).await?)
            }
        }
    }

    /// The time after a delay.
    pub(crate) fn later(&self, delay: Duration) -> DateTime<Utc> {
        let delay = TimeDelta::from_std(delay).ok();
        delay.and_then(|delay| self.store.now().checked_add_signed(delay)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// What people should know besides of something that fails again and again. It seldom changes, for each change is a row
/// of the ledger.
const fn stubborn(attempts: u32) -> &'static str {
    match attempts {
        0..10 => "",
        10..100 => "; it failed more than ten times in a row and is tried every few minutes",
        _ => "; it failed more than a hundred times in a row and is tried every few minutes",
    }
}
