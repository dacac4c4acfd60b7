//! Whether a host that does not answer is asked once more.
//!
//! While it answers everybody asks. After some failures in a row it is left alone for a while, so that whoever needs it
//! learns at once that it is not to be had, and it has a chance to recover. When the while is over one question goes
//! through, the *probe*: its answer lets everybody in again, its failure begins a longer while.
//!
//! What counts as a failure is that a host could not be reached, did not answer in time, or failed itself. That it
//! refuses, does not know or wants no more questions is an answer.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long it is not worth coming back while the probe is out: it takes less where the host is well again.
const PROBING: Duration = Duration::from_secs(5);

/// How much is borne of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After how many failures in a row it is left alone; 0 means the same as 1.
    pub failures: u32,
    /// For how long it is left alone first; twice as long after each probe that failed.
    pub first: Duration,
    /// For how long it is left alone at most.
    pub longest: Duration,
    /// After how long a probe of which nothing was heard is forgotten, and another one goes through.
    pub probe: Duration,
}

/// What is known of one host.
#[derive(Clone, Debug)]
pub struct Circuit {
    patience: Patience,
    state: State,
    /// How many probes there were.
    probes: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Everybody asks.
    Closed {
        /// How many failures there were since the last answer, and when the first of them was.
        failures: u32,
        since: Option<DateTime<Utc>>,
    },
    /// Nobody asks, until it is time for a probe.
    Open(Outage),
    /// The probe is out.
    HalfOpen { outage: Outage, probe: u64, began: DateTime<Utc> },
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: DateTime<Utc>,
    /// When it was last noticed.
    noticed: DateTime<Utc>,
    wait: Duration,
}

/// That a question may be asked; to be shown again with what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Which probe it is, if it is one.
    probe: Option<u64>,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The host answered, whatever it said.
    Answered,
    /// It could not be reached, did not answer in time, or failed itself.
    Failed,
    /// That is not known: it was not asked, nobody waited for the answer, or it wants to be left alone for a while.
    Unknown,
}

/// That a question may not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Since when the host does not answer.
    pub since: DateTime<Utc>,
    /// How long it is not worth coming back.
    pub wait: Duration,
    /// When that is over.
    pub until: DateTime<Utc>,
}

/// What a report changes, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// From now on the host is left alone, at first for so long.
    Opened {
        /// Since when it does not answer.
        since: DateTime<Utc>,
        /// How long it is left alone.
        wait: Duration,
    },
    /// It answers again.
    Closed {
        /// Since when it had not.
        since: DateTime<Utc>,
    },
}

impl Default for Patience {
    /// Five failures are not by chance. A quarter of a minute is what a restart takes; with five minutes an outage of
    /// hours costs next to nothing, and its end is noticed soon enough. No question should take a minute.
    fn default() -> Self {
        Self {
            failures: 5,
            first: Duration::from_secs(15),
            longest: Duration::from_secs(5 * 60),
            probe: Duration::from_secs(60),
        }
    }
}

impl Circuit {
    /// A host of which nothing bad is known.
    #[must_use]
    pub const fn new(patience: Patience) -> Self {
        Self { patience, state: State::Closed { failures: 0, since: None }, probes: 0 }
    }

    /// Lets a question through. Each ticket is to be reported on.
    ///
    /// # Errors
    ///
    /// The host is left alone, or the probe is out.
    pub fn admit(&mut self, now: DateTime<Utc>) -> Result<Ticket, Refused> {
        if let Some(refused) = self.refusal(now) {
            return Err(refused);
        }
        let (State::Open(outage) | State::HalfOpen { outage, .. }) = self.state else {
            return Ok(Ticket { probe: None });
        };
        self.probes += 1;
        self.state = State::HalfOpen { outage, probe: self.probes, began: now };
        Ok(Ticket { probe: Some(self.probes) })
    }

    /// Why a question would not be let through now; changes nothing.
    #[must_use]
    pub fn refusal(&self, now: DateTime<Utc>) -> Option<Refused> {
        let (since, wait) = match self.state {
            State::Closed { .. } => return None,
            State::Open(outage) => (outage.since, left(outage.noticed, outage.wait, now)?),
            State::HalfOpen { outage, began, .. } => {
                (outage.since, left(began, self.patience.probe, now)?.min(PROBING))
            }
        };
        let until = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
        Some(Refused { since, wait, until: until.unwrap_or(DateTime::<Utc>::MAX_UTC) })
    }

    /// Since when the host does not answer; `None` while it does.
    #[must_use]
    pub const fn away_since(&self) -> Option<DateTime<Utc>> {
        match self.state {
            State::Closed { .. } => None,
            State::Open(outage) | State::HalfOpen { outage, .. } => Some(outage.since),
        }
    }

    /// Whether the next question that is let through is a probe.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        !matches!(self.state, State::Closed { .. }) && self.refusal(now).is_none()
    }

    /// Learns what became of a question.
    ///
    /// Any answer proves that the host is there, also that to a question from before. Of failures only the probe's
    /// matters once the host is left alone: those of earlier questions say nothing new.
    pub fn report(&mut self, ticket: Ticket, report: Report, now: DateTime<Utc>) -> Option<Change> {
        match (report, self.state) {
            (Report::Answered, before) => {
                self.state = State::Closed { failures: 0, since: None };
                match before {
                    State::Closed { .. } => None,
                    State::Open(outage) | State::HalfOpen { outage, .. } => {
                        Some(Change::Closed { since: outage.since })
                    }
                }
            }
            (Report::Failed, State::Closed { failures, since }) => self.count(failures, since.unwrap_or(now), now),
            (Report::Failed, State::HalfOpen { outage, probe, .. }) if ticket.probe == Some(probe) => {
                let wait = outage.wait.saturating_mul(2).min(self.patience.longest);
                self.state = State::Open(Outage { noticed: now, wait, ..outage });
                None
            }
            // It had been time for a probe, and still is.
            (Report::Unknown, State::HalfOpen { outage, probe, .. }) if ticket.probe == Some(probe) => {
                self.state = State::Open(outage);
                None
            }
            (Report::Failed | Report::Unknown, _) => None,
        }
    }

    /// Counts a failure, and leaves the host alone when that was too many.
    fn count(&mut self, before: u32, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<Change> {
        let failures = before.saturating_add(1);
        if failures < self.patience.failures {
            self.state = State::Closed { failures, since: Some(since) };
            return None;
        }
        let wait = self.patience.first.min(self.patience.longest);
        self.state = State::Open(Outage { since, noticed: now, wait });
        Some(Change::Opened { since, wait })
    }
}

/// How much is left of a time that began then; nothing where the clock was set back since, so that nobody waits for it.
fn left(began: DateTime<Utc>, length: Duration, now: DateTime<Utc>) -> Option<Duration> {
    let passed = (now - began).to_std().ok()?;
    length.checked_sub(passed).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests;
