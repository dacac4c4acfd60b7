//! The line to one registry: how many ask it at once, and whether it is asked at all.
//!
//! Whether it answers is known of each repository by itself: one that hangs, as a proxy's may, is no reason to leave the
//! others alone, and a registry that is gone is found out with a few questions about each.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{
    circuit::{Change, Circuit, Patience, Refused, Report, Ticket},
    fault::{Chain, Fault},
    image::Repository,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tracing::{info, warn};

use crate::{Error, Subject, access::Limits};

/// The line to one registry.
pub(crate) struct Line {
    slots: Semaphore,
    patience: Patience,
    circuits: Mutex<BTreeMap<Repository, Circuit>>,
}

/// Somebody's turn to ask. Given up without an end it says nothing of the registry.
struct Turn<'a> {
    line: &'a Line,
    repository: Repository,
    /// Until the end is reported.
    ticket: Option<Ticket>,
    _slot: SemaphorePermit<'a>,
}

impl Line {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            // Nobody would ever have a turn without one.
            slots: Semaphore::new(limits.at_once.max(1)),
            patience: limits.patience,
            circuits: Mutex::default(),
        }
    }

    /// Asks when it is the question's turn, for which it waits no longer than `patience`; not at all while the registry
    /// is left alone.
    pub(crate) async fn ask<T>(
        &self,
        subject: &Subject,
        patience: Duration,
        asking: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let turn = self.turn(subject, patience).await?;
        let answer = asking.await;
        match &answer {
            Ok(_) => turn.end(Report::Answered, None),
            Err(error) => turn.end(report_of(error), Some(error)),
        }
        answer
    }

    /// The repositories about which it does not answer, and since when.
    pub(crate) fn away(&self) -> Vec<(Repository, DateTime<Utc>)> {
        let circuits = self.circuits();
        circuits.iter().filter_map(|(name, circuit)| Some((name.clone(), circuit.away_since()?))).collect()
    }

    async fn turn(&self, subject: &Subject, patience: Duration) -> Result<Turn<'_>, Error> {
        let away =
            |Refused { since, wait, until }| Error::Away { subject: subject.clone(), since, until, retry_after: wait };
        // Whoever would be refused does not wait for it.
        self.with_circuit(subject.repository(), |circuit| circuit.refusal(Utc::now()))
            .map_or(Ok(()), |refused| Err(away(refused)))?;
        let waiting = timeout(patience, self.slots.acquire()).await;
        let Ok(Ok(slot)) = waiting else {
            return Err(Error::Busy { subject: subject.clone(), after: patience });
        };
        let ticket = self.with_circuit(subject.repository(), |circuit| circuit.admit(Utc::now())).map_err(away)?;
        Ok(Turn { line: self, repository: subject.repository().clone(), ticket: Some(ticket), _slot: slot })
    }

    fn with_circuit<T>(&self, repository: &Repository, ask: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuits = self.circuits();
        ask(circuits.entry(repository.clone()).or_insert_with(|| Circuit::new(self.patience)))
    }

    fn circuits(&self) -> MutexGuard<'_, BTreeMap<Repository, Circuit>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Says what became of the question; tells people when that changes something.
    fn end(mut self, report: Report, error: Option<&Error>) {
        let change = self.settle(report);
        let repository = self.repository.clone();
        match (change, error) {
            (Some(Change::Opened { since, wait }), Some(error)) => warn!(
                image.repository = %repository,
                %since,
                wait_s = wait.as_secs(),
                error = %Chain(error),
                "a registry does not answer and is left alone for a while"
            ),
            (Some(Change::Closed { since }), _) => {
                info!(image.repository = %repository, %since, "a registry answers again");
            }
            (Some(Change::Opened { .. }) | None, _) => {}
        }
    }

    fn settle(&mut self, report: Report) -> Option<Change> {
        let ticket = self.ticket.take()?;
        self.line.with_circuit(&self.repository, |circuit| circuit.report(ticket, report, Utc::now()))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Nothing changes by what nobody knows the end of.
        let _nothing = self.settle(Report::Unknown);
    }
}

/// What a failure says of the registry, or of whoever is asked on its behalf.
fn report_of(error: &Error) -> Report {
    match error.innermost() {
        Error::Timeout { .. } | Error::Unavailable { .. } => Report::Failed,
        Error::Credentials { source, .. } if source.fault() == Fault::Transient => Report::Failed,
        Error::Denied { .. } | Error::Refused { .. } | Error::Answer { .. } | Error::Unreadable { .. } => {
            Report::Answered
        }
        // One that wants to be left alone has a pause.
        Error::Limited { .. } => Report::Unknown,
        Error::Setup { .. } | Error::Credentials { .. } | Error::Away { .. } | Error::Busy { .. } => Report::Unknown,
        Error::Referrers { .. } | Error::Inspection { .. } => Report::Unknown,
    }
}

#[cfg(test)]
mod tests;
