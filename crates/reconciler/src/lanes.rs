//! Nobody takes all workers: not one application or image repository, nor all of those that ask the same registry or
//! the Git host.
//!
//! What hangs holds its share of the workers and no more, and what floods waits in its own lane.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use store::Claim;

/// How many workers may be busy with the same application or image repository.
const MOST_OF_A_LANE: usize = 2;

/// How many workers may be busy with what asks the same registry, or the Git host.
const MOST_OF_A_SITE: usize = 12;

/// What the workers of this replica are busy with.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lanes: BTreeMap<String, usize>,
    sites: BTreeMap<String, usize>,
}

/// A worker that is busy, until this is dropped.
#[derive(Debug)]
pub(crate) struct Busy<'a> {
    lanes: &'a Lanes,
    lane: String,
    site: String,
}

impl Lanes {
    /// The lanes and sites that may have no more workers now.
    pub(crate) fn full(&self) -> Vec<String> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |counts: &BTreeMap<String, usize>, most| {
            let full = counts.iter().filter(|(_, count)| **count >= most);
            full.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        [full(&counts.lanes, MOST_OF_A_LANE), full(&counts.sites, MOST_OF_A_SITE)].concat()
    }

    /// Counts a worker that is busy with a claim.
    pub(crate) fn enter(&self, claim: &Claim) -> Busy<'_> {
        let busy = Busy { lanes: self, lane: claim.lane.clone(), site: claim.site.clone() };
        self.count(&busy, |count| *count += 1);
        busy
    }

    /// Names that nobody knows are not counted.
    fn count(&self, busy: &Busy<'_>, change: impl Fn(&mut usize)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { lanes, sites } = &mut *counts;
        for (counts, name) in [(lanes, &busy.lane), (sites, &busy.site)] {
            if !name.is_empty() {
                change(counts.entry(name.clone()).or_default());
                counts.retain(|_, count| *count > 0);
            }
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.lanes.count(self, |count| *count = count.saturating_sub(1));
    }
}
