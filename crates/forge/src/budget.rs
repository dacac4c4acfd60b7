//! How much may still be asked of the forge, by whom and for what: learnt from its answers, and kept to without
//! asking (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
//!
//! Whoever is told to wait fails at once, with the time; waiting is the caller's business. Each installation has its
//! own budget, so that one that has spent its share keeps none of the others from going on.

mod purse;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;

use crate::{Error, Spending, credentials::Account, limit};
use purse::Purse;

/// What has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    /// REST.
    Core,
    GraphQl,
    Git,
}

/// What a request is for. New work begins only while enough is left to finish what has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A new proposal.
    Propose,
    /// Looking, merging, closing and clearing away.
    Finish,
}

/// A request, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purpose {
    pub(crate) resource: Resource,
    pub(crate) priority: Priority,
    /// Whether it changes something, which has limits of its own.
    pub(crate) changes: bool,
}

/// Why a request is not sent, and how long that will be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Nothing is left, or the forge asked for a pause.
    Spent(Duration),
    /// What is left is kept for what matters more.
    Kept(Duration),
}

/// The budgets of all who ask.
#[derive(Debug)]
pub(crate) struct Budgets {
    spending: Spending,
    purses: Mutex<HashMap<Account, Purse>>,
}

impl Budgets {
    /// Budgets of which nothing is known yet.
    pub(crate) fn new(spending: &Spending) -> Result<Self, Error> {
        let wrong = |what: &str| Err(Error::Settings { what: what.to_owned() });
        if spending.kept_percent > 90 {
            return wrong("more than 90 % of the limits are kept for merging");
        }
        if spending.changes_per_minute == 0 || spending.changes_per_hour == 0 {
            return wrong("no change would ever be allowed");
        }
        Ok(Self { spending: *spending, purses: Mutex::default() })
    }

    /// Whether a request may be sent; it is counted then.
    pub(crate) fn admit(&self, who: Account, purpose: Purpose, now: DateTime<Utc>) -> Result<(), Denied> {
        let mut purses = self.purses();
        let purse = purses.entry(who).or_default();
        purse.check(purpose, &self.spending, now)?;
        if purpose.changes {
            purse.count_change(now);
        }
        Ok(())
    }

    /// Whether a proposal may begin: what all its requests would be told. Nothing is counted.
    pub(crate) fn may_propose(&self, who: Account, now: DateTime<Utc>) -> Result<(), Denied> {
        let mut purses = self.purses();
        let purse = purses.entry(who).or_default();
        for resource in [Resource::Git, Resource::GraphQl, Resource::Core] {
            let purpose = Purpose { resource, priority: Priority::Propose, changes: resource == Resource::Core };
            purse.check(purpose, &self.spending, now)?;
        }
        Ok(())
    }

    /// Learns from the headers of any answer, and from its being a good one.
    pub(crate) fn learn(
        &self,
        who: Account,
        asked: Resource,
        (status, headers): (u16, &HeaderMap),
        now: DateTime<Utc>,
    ) {
        let mut purses = self.purses();
        let purse = purses.entry(who).or_default();
        if let Some(left) = limit::left(headers) {
            // GitHub has more resources than these, and a request may be counted in one of those.
            match left.resource.as_deref() {
                None => purse.see(asked, left.window),
                Some("core") => purse.see(Resource::Core, left.window),
                Some("graphql") => purse.see(Resource::GraphQl, left.window),
                Some(_) => {}
            }
        }
        if status < 400 {
            purse.went_well(asked, now);
        }
    }

    /// Notes that the forge asked for a pause. Gives how long it is.
    pub(crate) fn slow_down(
        &self,
        who: Account,
        resource: Resource,
        asked: Option<Duration>,
        now: DateTime<Utc>,
    ) -> Duration {
        self.purses().entry(who).or_default().slow_down(resource, asked, now)
    }

    fn purses(&self) -> MutexGuard<'_, HashMap<Account, Purse>> {
        self.purses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Denied {
    /// The error that says so.
    pub(crate) fn of(self, doing: &str) -> Error {
        let doing = doing.to_owned();
        match self {
            Self::Spent(wait) => Error::Limited { doing, retry_after: Some(wait) },
            Self::Kept(wait) => Error::Kept { doing, retry_after: wait },
        }
    }
}

#[cfg(test)]
mod tests;
