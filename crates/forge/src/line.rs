//! The line to one host: how many ask it at once, and whether it is asked at all.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{
    circuit::{Change, Circuit, Refused, Report, Ticket},
    fault::Chain,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tracing::{info, warn};

use crate::{Error, Limits};

/// The line to one host.
#[derive(Debug)]
pub(crate) struct Line {
    /// What the host is called.
    host: String,
    slots: Semaphore,
    circuit: Mutex<Circuit>,
}

/// Somebody's turn to ask. Given up without an end it says nothing of the host.
pub(crate) struct Turn<'a> {
    line: &'a Line,
    /// Until the end is reported.
    ticket: Option<Ticket>,
    slot: Option<SemaphorePermit<'a>>,
}

impl Line {
    pub(crate) fn new(host: String, limits: Limits) -> Self {
        // Nobody would ever have a turn without one.
        let slots = Semaphore::new(limits.at_once.max(1));
        Self { host, slots, circuit: Mutex::new(Circuit::new(limits.patience)) }
    }

    /// Waits for a turn, but no longer than `patience`, and not at all while the host is left alone.
    pub(crate) async fn turn(&self, doing: &str, patience: Duration) -> Result<Turn<'_>, Error> {
        // Whoever would be refused does not wait for it.
        self.circuit().refusal(Utc::now()).map_or(Ok(()), |refused| Err(self.away(doing, refused)))?;
        let Ok(Ok(slot)) = timeout(patience, self.slots.acquire()).await else {
            return Err(Error::Busy { doing: doing.to_owned(), host: self.host.clone(), after: patience });
        };
        let mut turn = self.enter(doing)?;
        turn.slot = Some(slot);
        Ok(turn)
    }

    /// A turn beside all others, unless the host is left alone.
    pub(crate) fn enter(&self, doing: &str) -> Result<Turn<'_>, Error> {
        let ticket = self.circuit().admit(Utc::now()).map_err(|refused| self.away(doing, refused))?;
        Ok(Turn { line: self, ticket: Some(ticket), slot: None })
    }

    /// What the host is called and since when it does not answer; `None` while it does.
    pub(crate) fn missing(&self) -> Option<(String, DateTime<Utc>)> {
        Some((self.host.clone(), self.circuit().away_since()?))
    }

    /// Whether whoever asks next finds out whether the host answers again.
    pub(crate) fn is_due(&self) -> bool {
        self.circuit().is_due(Utc::now())
    }

    fn away(&self, doing: &str, Refused { since, wait, until }: Refused) -> Error {
        Error::Away { doing: doing.to_owned(), host: self.host.clone(), since, until, retry_after: wait }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Says what became of the question; tells people when that changes something.
    pub(crate) fn end(mut self, report: Report, error: Option<&Error>) {
        let change = self.settle(report);
        let host = &self.line.host;
        match (change, error) {
            (Some(Change::Opened { since, wait }), error) => {
                let error = error.map(|error| Chain(error).to_string());
                let wait_s = wait.as_secs();
                warn!(host, %since, wait_s, error, "a Git host does not answer and is left alone for a while");
            }
            (Some(Change::Closed { since }), _) => info!(host, %since, "a Git host answers again"),
            (None, _) => {}
        }
    }

    fn settle(&mut self, report: Report) -> Option<Change> {
        let ticket = self.ticket.take()?;
        self.line.circuit().report(ticket, report, Utc::now())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Nothing changes by what nobody knows the end of.
        let _nothing = self.settle(Report::Unknown);
    }
}
